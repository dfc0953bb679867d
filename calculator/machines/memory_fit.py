"""Whether what has to be in memory fits into that of the devices, and how many would hold it."""

from __future__ import annotations

from typing import Any

from calculator.core.calculation import quantity
from calculator.machines import devices
from calculator.machines.machine import Machine


class MemoryFit(Machine):
    """A machine, and the minimum that has to be in its memory at once.

    Shared out evenly over the devices, and with GB read as GiB, so what does not fit is certain,
    and what fits is not.
    """

    def device_bytes(self) -> Any:
        """Return the memory of one device in bytes as printed, None if it is not known."""
        return devices.device(self.device).get("memory_bytes") if self.device else None

    def largest_device_bytes(self) -> Any:
        """Return the most bytes that one device may have, None if they are not known."""
        return devices.largest_memory(self.device) if self.device else None

    def device_count(self) -> Any:
        """Return the number of devices."""
        raise NotImplementedError

    def parts(self) -> dict[str, int]:
        """Return what is held at once, in bytes, by what it is called."""
        raise NotImplementedError

    @quantity(r"\text{bytes}_\text{needed}", unit="B", label="Memory needed, at least")
    def needed_bytes(self) -> int:
        """What all devices hold together."""
        raise NotImplementedError

    @quantity(r"\text{bytes}_\text{machine}", unit="B", label="Memory of the machine")
    def capacity_bytes(self) -> int | None:
        """That of all devices as printed; None if it is not known."""
        memory = self.device_bytes()
        return None if memory is None else self.device_count() * memory

    @property
    def needed_devices(self) -> int | None:
        """The minimum number of devices that would hold it; None if their memory is not known."""
        memory = self.largest_device_bytes()
        return None if memory is None else max(1, -(-self.needed_bytes // memory))

    @property
    def fits(self) -> bool | None:
        """Whether the machine may hold it; None if its memory, or how GB is meant, decides."""
        if self.capacity_bytes is None or self.needed_devices is None:
            return None
        if self.needed_bytes <= self.capacity_bytes:
            return True
        return False if self.needed_devices > self.device_count() else None
