"""From what a reader, a driver or a link calls a device to its key in the table.

A name holds a complete designation, such as `h100 sxm` or `4090`: with a word more or less it may
be another chip. Only brands and the memory size of the device may be added. Case, punctuation and
spaces do not matter.
"""

from __future__ import annotations

import re
from functools import cache
from typing import Any, NamedTuple

from calculator.machines import devices

LONGEST = 100  # characters; no device has a longer name
MOST_NAMED = 3  # devices that are suggested
_ALIKE = 0.5  # share of the shorter of two designations with which both begin
_BRANDS = {
    "amd", "apple", "aws", "epyc", "geforce", "google", "instinct", "intel", "nvidia", "platinum",
    "radeon", "rtx", "rx", "tesla", "xeon",
}  # fmt: skip
"""Words that may be left out, and that may be given with a device that has them in a name."""
_SIZE = re.compile(r"(?<![^\W_])(\d+)[\s_-]*gi?b?(?![^\W_])")
_WORD = re.compile(r"[^\W_]+")
_MODEL = re.compile(r"(?=.*\d)..+")  # a digit alone may stand in any name


class _Device(NamedTuple):
    """What a device may be called."""

    key: str
    designations: frozenset[str]
    words: frozenset[str]
    sizes: frozenset[str]
    needs_size: bool

    def is_named(self, words: list[str]) -> bool:
        """Return whether words are a complete designation, perhaps with brands and memory."""
        sizes = {word for word in words if _SIZE.fullmatch(word)}
        has_size = bool(sizes) or not self.needs_size
        return has_size and sizes <= self.sizes and self.designate(words) in self.designations

    def designate(self, words: list[str]) -> str:
        """Return words in one piece, without brands of this device and without memory sizes."""
        return _designate(words, self.words)

    def likeness(self, words: list[str]) -> tuple[float, int]:
        """Return how alike a designation and words begin, and how many words are this device's."""
        given = self.designate(words)
        begins = max(_common_start(given, own) for own in self.designations)
        return begins, len(self.words.intersection(words))


def find(text: str, own: str) -> str:
    """Return the key of the device that a text names.

    Raises ValueError if it names none or several, with what is near and with how to do without:
    `own` says which rates to enter.
    """
    words = _words(text) if len(text) <= LONGEST else []
    for device in _devices():
        if device.is_named(words):
            return device.key
    fitting = [device.key for device in _devices() if words and device.words.issuperset(words)]
    if len(fitting) > 1:
        raise ValueError(
            f"Could be several devices: {_listed(fitting)}. Pick one, or leave it empty and enter "
            f"{own}"
        )
    near = fitting or _near(words)
    one_of = "one of " if len(near) > 1 else ""
    pick = f", or pick {one_of}{', '.join(near)}" if near else ""
    raise ValueError(f"Unknown device. Leave it empty and enter {own}{pick}")


def _listed(keys: list[str]) -> str:
    """Return keys as a list of a few, and how many more there are."""
    more = [f"{len(keys) - MOST_NAMED} more"] if len(keys) > MOST_NAMED else []
    *others, last = [*keys[:MOST_NAMED], *more]
    return f"{', '.join(others)} {'and' if more else 'or'} {last}"


def _near(words: list[str]) -> list[str]:
    """Return a few devices of the model that is named, else those called or spelled most alike."""
    ranks = {device: device.likeness(words) for device in _devices()}
    models = [word for word in words if _MODEL.fullmatch(word) and not _SIZE.fullmatch(word)]
    families = ([device for device in ranks if model in device.words] for model in models)
    most = max(begins for begins, _ in ranks.values())
    alike = [device for device, (begins, _) in ranks.items() if begins == most >= _ALIKE]
    if near := next(filter(None, families), alike):
        ranked = sorted(near, key=ranks.__getitem__, reverse=True)
        return [device.key for device in ranked[:MOST_NAMED]]
    from difflib import get_close_matches  # an import that only an error needs

    return get_close_matches("_".join(words), [device.key for device in ranks], MOST_NAMED)


def _common_start(one: str, other: str) -> float:
    """Return the length with which two texts begin alike, as a share of the shorter."""
    shorter = min(len(one), len(other))
    same = next((place for place in range(shorter) if one[place] != other[place]), shorter)
    return same / shorter if same > 1 else 0.0


def _words(text: str) -> list[str]:
    """Return the words of a text, "80 GB" as one, "8480+" with its plus."""
    plain = re.sub(r"\((r|tm)\)", " ", text.lower()).replace("+", " plus ")
    return _WORD.findall(_SIZE.sub(r"\1gb", plain))


def _designate(words: list[str], known: frozenset[str]) -> str:
    """Return words in one piece, without known brands and without memory sizes."""
    brands = _BRANDS & known
    return "".join(word for word in words if word not in brands and not _SIZE.fullmatch(word))


@cache
def _devices() -> tuple[_Device, ...]:
    """Return what every device of the table may be called."""
    return tuple(_called(key, device) for key, device in devices.devices().items())


def _called(key: str, device: dict[str, Any]) -> _Device:
    also = device.get("also", ())
    names = [_words(name) for name in (key, device["name"], *also)]
    memory = device["memory_bytes"]
    sizes = {f"{memory // unit}gb" for unit in (10**9, 2**30) if memory % unit == 0}
    said = (key, devices.short_name(device), device["vendor"], *also)
    words = frozenset(sizes.union(*map(_words, said)))
    return _Device(
        key=key,
        designations=frozenset(_designate(name, words) for name in names),
        words=words,
        sizes=frozenset(sizes),
        needs_size=bool(_SIZE.search(key)),
    )
