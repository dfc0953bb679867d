"""Characters that a terminal's encoding lacks, written with those that every encoding has."""

from __future__ import annotations

import codecs
from typing import Any

HANDLER = "calculator.answers.plain"
_PLAIN = {
    "\u202f": " ", "\u2009": " ", "\xa0": " ", "×": "x", "·": "*", "−": "-", "–": "-", "—": "-",
    "→": "->", "≤": "<=", "≥": ">=", "≈": "~", "µ": "u", "μ": "u", "…": "...", "√": "sqrt",
    "∞": "inf", "“": '"', "”": '"', "‘": "'", "’": "'", "²": "^2", "³": "^3", "⁴": "^4",
}  # fmt: skip


def write_plainly(*streams: Any) -> None:
    """Make streams write what they cannot encode in plain characters, and raise no longer."""
    codecs.register_error(HANDLER, _replaced)
    for stream in streams:
        if hasattr(stream, "reconfigure"):  # a test's stream may lack it
            stream.reconfigure(errors=HANDLER)


def _replaced(error: UnicodeError) -> tuple[str, int]:
    assert isinstance(error, UnicodeEncodeError)
    lacking = error.object[error.start : error.end]
    return "".join(map(_plain, lacking)), error.end


def _plain(character: str) -> str:
    """Return what stands for a character: a letter without its accent, else a question mark."""
    if character in _PLAIN:
        return _PLAIN[character]
    from unicodedata import normalize  # large, and seldom needed

    return normalize("NFD", character).encode("ascii", "ignore").decode() or "?"
