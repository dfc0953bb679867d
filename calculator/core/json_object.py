"""One JSON object in a text that somebody gives: read strictly, in bounded depth and length."""

from __future__ import annotations

import json
import re
from typing import Any

from calculator.core.fields import InvalidField

LONGEST = 1_000_000  # characters; the longest published config.json has a tenth of it
_DEEPEST = 50
_TEXT = re.compile(r'"(?:[^"\\]|\\.)*"?', re.DOTALL)


def read_object(text: str | bytes) -> dict[str, Any]:
    """Return the one JSON object that a text or a file in UTF-8 holds.

    Raises InvalidField, of "config", for everything else, and for a key that is given twice.
    """
    if len(text) > LONGEST:
        reason = f"it is longer than {LONGEST:,} characters; give one config.json"
        raise _invalid(reason, text)
    try:
        text = (text.decode() if isinstance(text, bytes) else text).removeprefix("\ufeff")
    except UnicodeDecodeError:
        raise _invalid("it is not text in UTF-8; save it as that", text) from None
    if not text.strip():
        raise _invalid("it is empty; give the text of a config.json", "nothing")
    if _depth(text) > _DEEPEST:
        raise _invalid(f"it is nested more than {_DEEPEST} levels deep; give one config.json", text)
    try:
        found = json.loads(text, object_pairs_hook=_unique)
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        reason = f"{error.msg[:1].lower()}{error.msg[1:]}"
        raise _invalid(f"it is not JSON at {where}: {reason}", text) from None
    except InvalidField:
        raise
    except ValueError:  # what Python says of thousands of digits
        reason = "it holds a number of thousands of digits; write a shorter one"
        raise _invalid(reason, text) from None
    try:
        json.dumps(found, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        raise _invalid(
            "it holds half a character, such as \\ud800; write the whole", text
        ) from None
    if not isinstance(found, dict):
        raise _invalid('it must be one JSON object, such as {"model_type": "llama"}', text)
    return found


def _invalid(message: str, given: object) -> InvalidField:
    return InvalidField("config", message, given=given)


def _depth(text: str) -> int:
    """Return how deep brackets are nested outside texts: Python's reader recurses so deep."""
    deepest = depth = 0
    for bracket in re.findall(r"[][{}]", _TEXT.sub("", text)):
        depth += 1 if bracket in "[{" else -1
        deepest = max(deepest, depth)
    return deepest


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in found:
            raise _invalid("a key is given twice; keep one", name)
        found[name] = value
    return found
