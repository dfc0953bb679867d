"""Whether what has to be in memory fits into that of the devices, and how many would hold it."""

from __future__ import annotations

from typing import Any

from calculator import hardware
from calculator.calculation import quantity
from calculator.machine import Machine


class MemoryFit(Machine):
    """A machine, and the least that has to be in its memory at once.

    Shared out evenly over the devices, so what does not fit is certain, and what fits is not.
    """

    def device_bytes(self) -> Any:
        """Return the memory of one device in bytes, None if it is not known."""
        return hardware.device(self.device).get("memory_bytes") if self.device else None

    def device_count(self) -> Any:
        """Return the number of devices."""
        raise NotImplementedError

    @quantity(r"\text{bytes}_\text{needed}", unit="B", label="Memory needed, at least")
    def needed_bytes(self) -> int:
        """What all devices hold together."""
        raise NotImplementedError

    @quantity(r"\text{bytes}_\text{machine}", unit="B", label="Memory of the machine")
    def capacity_bytes(self) -> int | None:
        """That of all devices; None if it is not known."""
        memory = self.device_bytes()
        return None if memory is None else self.device_count() * memory

    @quantity(r"n_\text{held}", label="Devices that hold it, at least")
    def needed_devices(self) -> int | None:
        """The memory that is needed over that of one device, rounded up."""
        memory = self.device_bytes()
        return None if memory is None else (self.needed_bytes + memory - 1) // memory

    @property
    def fits(self) -> bool | None:
        """Whether the machine may hold it, None if its memory is not known."""
        return None if self.capacity_bytes is None else self.needed_bytes <= self.capacity_bytes
