"""JSON, by orjson: fast, exact for 64-bit integers, and refusing what is not Unicode. The one place orjson is named."""

from __future__ import annotations

import json
from typing import Any

import orjson

dumps = orjson.dumps
"""``dumps(value, default, option)`` → bytes. Raises TypeError for what is no JSON or no Unicode."""

loads = orjson.loads
"""``loads(bytes or text)`` → value. Raises ``JSONDecodeError``, a ValueError."""

raw = orjson.Fragment
"""``raw(text)`` → a value that is written as that JSON text."""

JSONDecodeError = orjson.JSONDecodeError
APPEND_NEWLINE = orjson.OPT_APPEND_NEWLINE
INDENT = orjson.OPT_INDENT_2


def loads_strict(text: bytes) -> Any:
    """Parse what others may have written: a key that comes twice in one mapping, and a whole number of more than 64
    bits (which would become a nearby one), are refused. Raises ValueError, which tells where text is not UTF-8."""
    try:
        found = orjson.loads(text)
    except ValueError as error:
        raise ValueError(_not_utf8(text) or str(error)) from error
    if orjson.dumps(found) != text.rstrip(b"\n"):  # what we wrote ourselves comes out the same, and holds neither
        _look_closely(text)
    return found


def _not_utf8(text: bytes) -> str:
    try:
        text.decode()
    except UnicodeDecodeError as error:
        return f"no UTF-8 at byte {error.start + 1}"
    return ""


def _look_closely(text: bytes) -> None:
    try:
        json.loads(text, object_pairs_hook=_once, parse_int=_exact)
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error


def _once(pairs: list[tuple[str, Any]]) -> None:
    keys: set[str] = set()
    for key, _ in pairs:
        if key in keys:
            raise ValueError(f"the key {key!r} comes twice")
        keys.add(key)


def _exact(digits: str) -> None:
    if len(digits) > 18 and not -(1 << 63) <= int(digits) < 1 << 64:
        raise ValueError(f"{digits[:24]} has more than 64 bits")
