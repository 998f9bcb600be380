r"""The cells of CSV and TSV: text that gives back exactly the value it was made of, and is still good to read.

- None, and an empty list, is an empty cell. Text is itself, but for "" and for text that begins with ``\`` or
  holds NUL, which is ``\`` followed by its JSON literal.
- A list is its items, joined by ``; ``. In an item ``\`` and ``;`` are escaped by ``\``, a newline is ``\n``, a
  carriage return ``\r``, NUL ``\0``; "" is ``\e`` and None ``\N``.
- Lists of parts, maps and JSON values are compact JSON.
- ``safe``: a ``'`` before cells that a spreadsheet would run as a formula (OWASP, CSV injection), before text it
  would turn into a number or a date, and before ``'`` itself, so that taking one ``'`` away gives the cell back.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from ...kinds import Field
from ...model import BlobRef
from .json_form import dumps, loads

Write = Callable[[Any], Any]
"""Gives the text of a cell, or a value that the csv module writes the same way (None, whole numbers, floats)."""
Read = Callable[[str], Any]
"""Gives the value of a cell; raises ValueError."""

_SEPARATOR = "; "
_ODD_ITEM = re.compile(r"[\\;\n\r\0]")
_ESCAPES = {"\\": "\\\\", ";": "\\;", "\n": "\\n", "\r": "\\r", "\0": "\\0"}
_UNESCAPES = {"n": "\n", "r": "\r", "0": "\0", "\\": "\\", ";": ";", "[": "["}
_ITEMS = re.compile(r"((?:[^\\;]|\\.)*)(; |\Z)", re.DOTALL)
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)
_INT = re.compile(r"-?[0-9]+\Z")
_FLOAT = re.compile(r"-?[0-9]+(\.[0-9]*)?([eE][-+]?[0-9]+)?\Z")
_FORMULA = tuple("=+-@\t\r\n'＝＋－＠")
_EATEN = re.compile(r"0\d+\Z|\d{12,}\Z|\d+(\.\d+)?[eE][+]?\d+\Z|\d{1,4}[-/.:]\d{1,2}([-/.:]\d{1,4})?\Z", re.ASCII)


def write_text(value: str | None) -> str:
    """The cell of a text."""
    if not value:
        return "" if value is None else '\\""'
    if value[0] == "\\" or "\0" in value:
        return "\\" + dumps(value).decode()
    return value


def read_text(cell: str) -> str | None:
    """The text of a cell."""
    if not cell or cell[0] != "\\":
        return cell or None
    text = loads(cell[1:])
    if not isinstance(text, str):
        raise ValueError("a cell that begins with \\ must hold a JSON text after it")  # noqa: TRY004
    return text


def write_list(values: list[Any] | None) -> str:
    """The cell of a list of texts."""
    if not values:
        return ""
    try:
        joined = _SEPARATOR.join(values)
    except TypeError:
        return _SEPARATOR.join(map(_escaped, values))
    if (
        "\\" in joined
        or joined.count(";") >= len(values)
        or not all(values)
        or _ODD_ITEM.search(joined.replace(";", ""))
    ):
        return _SEPARATOR.join(map(_escaped, values))
    return joined


def _escaped(item: Any) -> str:
    if item is None:
        return "\\N"
    text = item if isinstance(item, str) else write_scalar(item)
    return _ODD_ITEM.sub(lambda found: _ESCAPES[found[0]], text) or "\\e"


def read_list(cell: str) -> list[str | None]:
    """The texts of a cell."""
    items: list[str | None] = []
    place = 0 if cell else -1
    while place >= 0:
        found = _ITEMS.match(cell, place)
        if not found:
            raise ValueError("a ; that separates nothing: inside an item it is written \\;")
        items.append(_unescaped(found[1]))
        place = found.end() if found[2] else -1
    return items


def _unescaped(item: str) -> str | None:
    if item in ("\\N", "\\e"):
        return None if item == "\\N" else ""
    return _ESCAPED.sub(_unescape, item)


def _unescape(found: re.Match[str]) -> str:
    if found[1] not in _UNESCAPES:
        raise ValueError(f"\\{found[1]} means nothing in a list")
    return _UNESCAPES[found[1]]


def write_scalar(value: Any) -> str:
    """A number or a truth as text."""
    if value is True or value is False:
        return "true" if value else "false"
    return repr(value) if isinstance(value, float) else str(value)


def write_json(value: Any) -> str:
    """The cell of a map or a JSON value."""
    return "" if value is None else dumps(value).decode()


def write_parts(values: list[Any] | None) -> str:
    """The cell of a list of parts; an empty list is an empty cell, as every list."""
    return dumps(values).decode() if values else ""


def write_entries(values: list[Any] | None) -> str:
    r"""The cell of one part of a list of parts. A first ``[`` is escaped, so that it is never taken for the
    JSON of the whole parts; when no entry has the part, the cell is empty, as people expect."""
    if values and not any(value is not None for value in values):
        return ""
    cell = write_list(values)
    return "\\" + cell if cell.startswith("[") else cell


def write_free(value: Any) -> Any:
    """The cell of a value whose type is not known beforehand (an entry of a map): text as it is."""
    if value is None or isinstance(value, str):
        return write_text(value)
    return write_json(value) if isinstance(value, (list, dict)) else write_scalar(value)


def write_shown(value: Any) -> str:
    """The cell of what a profile joined or formatted: just as it is."""
    return "" if value is None else str(value).replace("\0", "")


def write_blob(value: Any) -> str:
    """The cell of an image: its digest."""
    return value.sha256 if isinstance(value, BlobRef) else value or ""


def read_int(cell: str) -> int | None:
    """The whole number of a cell."""
    if not cell:
        return None
    if not _INT.match(cell):
        raise ValueError("a whole number is expected")
    return int(cell)


def read_float(cell: str) -> float | None:
    """The number of a cell."""
    if not cell:
        return None
    if not _FLOAT.match(cell):
        raise ValueError("a number is expected")
    return float(cell)


def read_bool(cell: str) -> bool | None:
    """The truth of a cell."""
    if cell not in _TRUTHS:
        raise ValueError("true or false is expected")
    return _TRUTHS[cell]


_TRUTHS = {"": None, "true": True, "false": False}
_WRITTEN_TRUTHS = {None: "", True: "true", False: "false"}


def read_json(cell: str) -> Any:
    """The JSON value of a cell."""
    return loads(cell) if cell else None


def read_parts(cell: str) -> Any:
    """The list of parts of a cell."""
    return loads(cell) if cell else []


def cell_writer(field: Field, many: bool) -> Write | None:
    """How a value of the type of ``field`` is written; None when the csv module does it alike."""
    if field.type == "part":
        return write_parts
    if field.type in ("map", "json"):
        return write_json
    if many:
        return write_list
    return _WRITERS.get(field.type, write_text)


_WRITERS: dict[str, Write | None] = {
    "int": None,
    "float": None,
    "bool": _WRITTEN_TRUTHS.__getitem__,
    "blob": write_blob,
}
_READERS: dict[str, Read] = {"int": read_int, "float": read_float, "bool": read_bool}


def cell_reader(field: Field, many: bool) -> Read:
    """The reverse of ``cell_writer``."""
    if field.type == "part":
        return read_parts
    if field.type in ("map", "json"):
        return read_json
    one = _READERS.get(field.type)
    if many:
        return (
            read_list if one is None else lambda cell: [None if item is None else one(item) for item in read_list(cell)]
        )
    return one or read_text


def guard(cell: str, text: bool) -> str:
    """``cell`` as it stands in a safe table; ``text``: it is text of the library, not a number or a date."""
    if cell.startswith(_FORMULA) or (text and _EATEN.match(cell)):
        return "'" + cell
    return cell


def unguard(cell: str) -> str:
    """The reverse of ``guard``. A ``'`` it would not have put there stays: other programs quote every cell, too."""
    return cell[1:] if cell.startswith("'") and guard(cell[1:], text=True) != cell[1:] else cell
