"""Exact FLOPs, MACs, bytes and runtimes of neural network layers.

>>> from calculator import Conv2d
>>> Conv2d(in_channels=3, out_channels=32, kernel_size=3, height=128, width=128).macs
13716864
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from calculator.core.calculation import Calculation


def _read_stub() -> dict[str, str]:
    """Return each public name and its module, as `__init__.pyi` imports them: the one list."""
    stub = __spec__.loader.get_data(f"{__path__[0]}/__init__.pyi").decode("utf-8")
    imports = [line.split() for line in stub.splitlines() if " as " in line]
    return {words[3]: words[1] for words in imports}


_MODULES = _read_stub()
__all__ = ["CALCULATIONS", *_MODULES]


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        return getattr(import_module(_MODULES[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__


class _Calculations(Mapping[str, "type[Calculation]"]):
    """Every calculation by its name; its module is loaded when it is first asked for."""

    def __init__(self) -> None:
        self.found: dict[str, type[Calculation]] = {}

    def __getitem__(self, name: str) -> type[Calculation]:
        if name not in self.found:
            letters = name.replace("_", "")
            owner: Any = next((__getattr__(each) for each in __all__ if each.lower() == letters), 0)
            if getattr(owner, "name", None) != name:
                raise KeyError(name)
            self.found[name] = owner
        return self.found[name]

    def __iter__(self) -> Iterator[str]:
        owners = (__getattr__(name) for name in __all__[1:] if name[0].isupper())
        return (owner.name for owner in owners if getattr(owner, "name", ""))

    def __len__(self) -> int:
        return len(list(iter(self)))


CALCULATIONS = _Calculations()
