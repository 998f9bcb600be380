"""How values become text, and how that text is written so that it stays text in its format. Pure.

Each mode keeps one promise: what is written is read back as the same text (HTML, XML, JSON, CSV), is shown as the same
text (Markdown), or cannot end its line (line). Characters that a format has no way to say are left out.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from types import GeneratorType
from typing import Any


class Unwritable(ValueError):
    """A value that is no text and no list of texts, or too much of it."""


@dataclass(frozen=True, slots=True)
class Ready:
    """Text that is already written for its format, by one of our own filters."""

    text: str


Escape = Callable[[Any], str]

_NO_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
"""What XML 1.0 cannot hold, as a reference neither (https://www.w3.org/TR/xml/#charsets); HTML parsers drop or
replace most of it too."""
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]+")
_BREAKS = re.compile("[\x00-\x20\x7f-\x9f\u2028\u2029]+")
_HTML = {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;", "\r": "&#13;"}
_XML = {**_HTML, "\n": "&#10;", "\t": "&#9;"}
"""A line break in an attribute of XML is read as a space unless it is a reference."""
_MARKDOWN = re.compile(r"[\\`*_\[\]<>|~#!{}^$]|&(?=#?[A-Za-z0-9]+;)")
_MARKDOWN_START = re.compile(r"[-+=]|\d{1,9}(?=[.)])")


def text(value: Any) -> str:
    """``value`` as people read it: nothing for None, a record by what it is called, lists with commas between."""
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
    return _gathered(value)


def _gathered(value: Any) -> str:
    if isinstance(value, dict) and "label" in value:
        return text(value["label"])
    if isinstance(value, dict):
        raise Unwritable(f"it has parts ({', '.join(map(str, list(value)[:8]))}): name the one to write")
    if isinstance(value, (list, tuple, range, GeneratorType)):
        return ", ".join(map(text, value))
    if isinstance(value, Ready):
        return value.text
    str(value)  # what is not there says so itself
    raise Unwritable("it is nothing that can be written")


def html(value: Any) -> str:
    """For HTML, in text and in quoted attributes."""
    return _entities(text(value), _HTML_TABLE)


def xml(value: Any) -> str:
    """For XML, in text and in quoted attributes."""
    return _entities(text(value), _XML_TABLE)


_HTML_TABLE, _XML_TABLE = str.maketrans(_HTML), str.maketrans(_XML)


def _entities(said: str, table: dict[int, str]) -> str:
    return _NO_XML.sub("", said).translate(table)


def as_json(value: Any) -> str:
    """The value as JSON; a list of anything as a list."""
    try:
        return json.dumps(
            list(value) if isinstance(value, (range, GeneratorType)) else value, ensure_ascii=False, allow_nan=False
        )
    except (TypeError, ValueError) as error:
        raise Unwritable("it is nothing that JSON can say") from error


def cell(value: Any) -> str:
    """One cell of RFC 4180. Texts are always quoted, so that any separator will do; NUL, which readers of CSV
    refuse, is left out."""
    said = text(value)
    if value is None or isinstance(value, (bool, int, float)):
        return said
    return '"' + said.replace("\0", "").replace('"', '""') + '"'


def line(value: Any) -> str:
    """Text without anything that ends or hides a line."""
    return _CONTROL.sub(" ", text(value))


def markdown(value: Any) -> str:
    """Text that Markdown shows as it is, in one line (CommonMark 2.4: any ASCII punctuation may be escaped)."""
    said = text(value)
    if "  " in said or not said.isprintable():
        said = _BREAKS.sub(" ", said)
    said = _MARKDOWN.sub(r"\\\g<0>", said.strip(" "))
    if "(" in said or ")" in said:
        said = said if _balanced(said) else re.sub("[()]", r"\\\g<0>", said)
    start = None if isinstance(value, (int, float)) else _MARKDOWN_START.match(said)
    if start is None:
        return said
    return "\\" + said if said[0] in "-+=" else f"{start[0]}\\{said[start.end() :]}"


def _balanced(said: str) -> bool:
    """Whether the address of a link may hold ``said`` with its parentheses as they are."""
    depth = 0
    for sign in re.findall("[()]", said):
        depth += 1 if sign == "(" else -1
        if depth < 0:
            return False
    return depth == 0


MODES: dict[str, Escape] = {
    "html": html,
    "xml": xml,
    "json": as_json,
    "csv": cell,
    "line": line,
    "markdown": markdown,
    "none": text,
}


def finalizer(mode: str) -> Escape:
    """What writes each value of a template in ``mode``."""
    escape = MODES[mode]
    return lambda value: value.text if type(value) is Ready else escape(value)


def paragraphs(mode: str) -> Callable[[Any], Any]:
    """The filter that keeps the line breaks of a text, in the modes that would lose them."""
    between = {"html": "<br>\n", "markdown": "  \n"}.get(mode)
    if between is None:
        return lambda value: value
    escape = MODES[mode]

    def keep(value: Any) -> Ready:
        lines = re.split("\r\n|[\n\r\x0b\x0c\x85\u2028\u2029]", text(value).strip())
        if mode == "markdown":
            blocks = ("\n".join(lines)).split("\n\n")
            return Ready(
                "\n\n".join(between.join(map(escape, filter(str.strip, block.split("\n")))) for block in blocks)
            )
        return Ready(between.join(map(escape, lines)))

    return keep
