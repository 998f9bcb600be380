"""Reading our XML: as a stream, without document types or entities, and within limits of depth and size."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import IO, Any
from xml.etree.ElementTree import Element

from ...errors import Unreadable, UnsupportedVersion
from ...kinds import KINDS, Field, Kind
from ...model import Record
from ..xml_parse import children
from .check import Checked
from .json_form import loads
from .layout import VERSION
from .values import read_bool, read_float, read_int
from .xml_form import NAMESPACE, singular

RECORD_LIMIT = 16 << 20
_DECLARED = re.compile(rb"""\A\s*<\?xml[^>]*?encoding\s*=\s*["']([^"']*)""")
_ESCAPED = re.compile(r"\\(?:u([0-9A-F]{4})|(\\))")
_PREFIX = f"{{{NAMESPACE}}}"

Read = Callable[[Element], Any]


def read_xml(stream: IO[bytes], name: str, only: str | None = None) -> Iterator[Record]:
    """The records of a document. Raises Unreadable, UnsupportedVersion."""
    checked, readers = Checked(name), _Readers()
    for number, element in enumerate(_children(stream, name), 1):
        kind = _local(element)
        if kind == "about" or (only is not None and kind in KINDS and kind != only):
            continue
        uid = _unescaped(element, element.get("id") or "")
        where = f"record {number} ({kind} {uid})"
        if kind not in KINDS:
            raise Unreadable(path=name, reason=f"{where}: {_no_kind(kind)}")
        try:
            raw = readers.of(KINDS[kind])(element)
        except ValueError as error:
            raise Unreadable(path=name, reason=f"{where}: {error}") from error
        yield checked.record({"id": uid, **raw}, kind, where)


def _no_kind(name: str) -> str:
    return "rows shaped by a profile cannot be read back" if name == "row" else f"{name!r} is no kind of record"


def read_xml_header(stream: IO[bytes], name: str) -> dict[str, Any]:
    """What a document says about itself before its records."""
    for element in _children(stream, name):
        said = loads(_text(element)) if _local(element) == "about" else {}
        return said if isinstance(said, dict) else {}
    return {}


def _children(stream: IO[bytes], name: str) -> Iterator[Element]:
    """The elements right below the root, each whole and dropped again after use."""
    feed = _Feed(stream, name)
    for element in children(feed, name, lambda root: _check_root(root, name)):
        yield element
        feed.since = 0


def _check_root(root: Element, name: str) -> None:
    if root.tag != f"{_PREFIX}library":
        newer = re.match(r"\{urn:stash-portability:(\d+)\}library$", root.tag)
        if newer and int(newer[1]) > VERSION:
            raise UnsupportedVersion(address=name, version=f"version {newer[1]}", reason=f"this reads {VERSION}")
        raise Unreadable(path=name, reason=f"its root is not <library> of {NAMESPACE}")


class _Feed:
    """The bytes for the parser: UTF-8 only, and not too many of them within one record."""

    def __init__(self, stream: IO[bytes], name: str) -> None:
        self._stream, self._name = stream, name
        self._begun = False
        self.since = 0

    def read(self, size: int = -1) -> bytes:
        chunk = self._stream.read(size if 0 < size <= RECORD_LIMIT else 1 << 16)
        self.since += len(chunk)
        if self.since > RECORD_LIMIT:
            raise Unreadable(path=self._name, reason="a record is larger than 16 MiB")
        if not self._begun:
            self._check(chunk)
            self._begun = True
        return chunk

    def _check(self, chunk: bytes) -> None:
        declared = _DECLARED.match(chunk.removeprefix(b"\xef\xbb\xbf"))
        if chunk.startswith((b"\xff\xfe", b"\xfe\xff", b"\0", b"<\0")) or (
            declared and declared[1].lower() not in (b"utf-8", b"us-ascii")
        ):
            raise Unreadable(path=self._name, reason="it is not in UTF-8")


class _Readers:
    """The compiled readers of each kind."""

    def __init__(self) -> None:
        self._known: dict[str, Callable[[Element], dict[str, Any]]] = {}

    def of(self, kind: Kind) -> Callable[[Element], dict[str, Any]]:
        if kind.name not in self._known:
            self._known[kind.name] = _fields_reader(kind.fields)
        return self._known[kind.name]


def _fields_reader(fields: tuple[Field, ...]) -> Callable[[Element], dict[str, Any]]:
    readers = {f"{_PREFIX}{field.name}": (field.name, _field_reader(field)) for field in fields}

    def read(element: Element) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for child in element:
            name, one = readers.get(child.tag) or _unknown(child)
            if name in found:
                raise ValueError(f"{name} is there twice")
            found[name] = one(child)
        return found

    return read


def _unknown(child: Element) -> tuple[str, Read]:
    raise ValueError(f"there is no field {_local(child)!r}")


def _field_reader(field: Field) -> Read:
    if field.type == "part":
        return _entries_reader(f"{_PREFIX}{singular(field.name)}", _fields_reader(field.parts))
    one = _nilled(_READERS.get(field.type, lambda text: text))
    return _entries_reader(f"{_PREFIX}v", one) if field.many else one


def _entries_reader(tag: str, one: Read) -> Read:
    def read(element: Element) -> list[Any]:
        strange = next((child for child in element if child.tag != tag), None)
        if strange is not None:
            raise ValueError(f"{_local(element)} holds {_local(strange)!r}")
        return [one(child) for child in element]

    return read


def _nilled(one: Callable[[str], Any]) -> Read:
    def read(element: Element) -> Any:
        if len(element):
            raise ValueError(f"{_local(element)} holds elements")
        return None if element.get("nil") == "true" else one(_text(element))

    return read


_READERS: dict[str, Callable[[str], Any]] = {
    "int": read_int,
    "float": read_float,
    "bool": read_bool,
    "map": loads,
    "json": loads,
}


def _text(element: Element) -> str:
    return _unescaped(element, element.text or "")


def _unescaped(element: Element, text: str) -> str:
    if element.get("esc") != "1":
        return text
    return _ESCAPED.sub(lambda found: "\\" if found[2] else chr(int(found[1], 16)), text)


def _local(element: Element) -> str:
    return element.tag.removeprefix(_PREFIX)
