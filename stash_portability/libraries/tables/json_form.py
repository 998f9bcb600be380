"""JSON and JSONL: one record a line in both, written and read as a stream."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import IO, Any, NoReturn

from ... import json_text
from ...errors import Unreadable, UnsupportedVersion
from ...kinds import KINDS, Kind, by_plural
from ...model import Record
from ...transform.paths import Column, Names
from .check import Checked
from .getters import getter
from .layout import FORMAT, VERSION, Encoder, Form, Layout, plain_blob
from .layout import only as only_fields

LINE_LIMIT = 16 << 20
_BOM = b"\xef\xbb\xbf"
_WHOLE_LIMIT = 256 << 20


def dumps(value: Any) -> bytes:
    """Compact JSON. Raises TypeError for what is no JSON, and for text that is not Unicode."""
    return json_text.dumps(value, plain_blob)


def dumps_pretty(value: Any) -> bytes:
    """JSON to be read by people: a manifest."""
    return json_text.dumps(value, plain_blob, json_text.INDENT | json_text.APPEND_NEWLINE)


def loads(text: bytes | str) -> Any:
    """Parse JSON. Raises ValueError."""
    return json_text.loads(text)


def jsonl_form(layout: Layout, names: Names) -> Form:
    """One line a record: ``{"kind":"scene","id":"12",…}``."""

    def encoder(kind: Kind) -> Encoder:
        if layout.shaped(kind.name):
            begin = {"kind": kind.name} if layout.several else {}
            return _shaped(layout.columns[kind.name], names, begin, json_text.APPEND_NEWLINE)
        return record_line(kind.name, layout.fields(kind.name))

    return Form(encoder)


def record_line(kind: str, fields: frozenset[str]) -> Encoder:
    """Compile the writer of lines of ``kind`` with the ``fields``, for tables and for the archive."""
    dumps, option = json_text.dumps, json_text.APPEND_NEWLINE
    return lambda record: dumps(
        {"kind": kind, "id": record.uid, **only_fields(record.data, fields)}, plain_blob, option
    )


def json_form(layout: Layout, names: Names) -> Form:
    """One document, a section a kind, one record a line."""

    def encoder(kind: Kind) -> Encoder:
        if layout.shaped(kind.name):
            return _shaped(layout.columns[kind.name], names, {}, 0)
        dumps, fields = json_text.dumps, layout.fields(kind.name)
        return lambda record: dumps({"id": record.uid, **only_fields(record.data, fields)}, plain_blob)

    said = layout.header if layout.single else {}
    return Form(
        encoder,
        head=dumps({"format": FORMAT, "version": VERSION, **said})[:-1],
        before=lambda kind: b',"' + kind.plural.encode() + b'":[',
        first=b"\n",
        between=b",\n",
        after=lambda any_records: b"\n]" if any_records else b"]",
        foot=b"}\n",
    )


def _shaped(columns: tuple[Column, ...], names: Names, begin: dict[str, str], option: int) -> Encoder:
    """Only the columns, called by their headers."""
    getters = [(column.header, getter(column, names)) for column in columns]
    return lambda record: json_text.dumps(
        {**begin, **{header: get(record) for header, get in getters}}, plain_blob, option
    )


def lines(stream: IO[bytes], name: str) -> Iterator[tuple[int, bytes]]:
    """The lines of ``stream`` with their numbers. Raises Unreadable for one of over 16 MiB."""
    number = 0
    while line := stream.readline(LINE_LIMIT + 1):
        number += 1
        if len(line) > LINE_LIMIT:
            raise Unreadable(path=name, reason=f"line {number} is longer than 16 MiB")
        yield number, line


def read_jsonl(stream: IO[bytes], name: str, only: str | None = None) -> Iterator[Record]:
    """The records of a JSONL stream; ``only`` those of one kind. Raises Unreadable with the line."""
    checked = Checked(name)
    want = f'{{"kind":"{only}",'.encode() if only else b""
    for number, read in lines(stream, name):
        line = read.removeprefix(_BOM) if number == 1 else read
        if line.startswith(b'{"kind":"') and not line.startswith(want):
            continue
        record = checked.record(parse_line(line, name, number), None, f"line {number}")
        if only in (None, record.kind):
            yield record


def parse_line(line: bytes, name: str, number: int) -> dict[str, Any]:
    """One line as a mapping. Raises Unreadable."""
    try:
        found = json_text.loads_strict(line)
    except ValueError as error:
        raise Unreadable(path=name, reason=f"line {number} is not JSON: {error}") from error
    if not isinstance(found, dict):
        raise Unreadable(path=name, reason=f"line {number} is no record")
    return found


def read_json(stream: IO[bytes], name: str, only: str | None = None) -> Iterator[Record]:
    """The records of a document: as a stream when it is framed as we write it, else parsed whole."""
    first = stream.readline(LINE_LIMIT).removeprefix(_BOM)
    framed = _boundary(first)
    if framed is None or framed[0].get("format") != FORMAT:
        yield from _read_whole(first, stream, name, only)
        return
    _check_version(framed[0], name)
    yield from _read_framed(framed[1], stream, name, only)


def _read_framed(kind: str | None, stream: IO[bytes], name: str, only: str | None) -> Iterator[Record]:
    checked, before = Checked(name), {kind}
    for number, line in lines(stream, name):
        where = f"line {number + 1}"
        if line.startswith(b"]"):
            _, kind = _boundary(b'{"":[' + line) or _bad(name, f"{where} is not JSON")
            if kind is not None and kind in before:
                raise Unreadable(path=name, reason=f"{where}: {kind} comes twice")
            before.add(kind)
        elif kind is None:
            raise Unreadable(path=name, reason=f"{where}: a record outside any section")
        elif only in (None, kind):
            yield checked.record(parse_line(line.rstrip(b",\n"), name, number + 1), kind, where)
    if kind is not None:
        raise Unreadable(path=name, reason="it ends in the middle: it is truncated")


def _boundary(text: bytes) -> tuple[dict[str, Any], str | None] | None:
    """Parse what stands between the records of two sections, by closing what it leaves open: what it says, and
    the kind whose records follow (None: the document ends). None when it is no boundary."""
    ends = text.rstrip().endswith(b"}")
    try:
        found = json_text.loads_strict(text if ends else text + b"]}")
    except ValueError:
        return None
    if not isinstance(found, dict) or not found or any(found.get(plural) for plural in by_plural()):
        return None
    kind = by_plural().get(next(reversed(found)))
    return found, None if ends or kind is None else kind.name


def _bad(name: str, reason: str) -> NoReturn:
    raise Unreadable(path=name, reason=reason)


def _read_whole(first: bytes, stream: IO[bytes], name: str, only: str | None) -> Iterator[Record]:
    text = first + stream.read(_WHOLE_LIMIT)
    if len(text) > _WHOLE_LIMIT:
        raise Unreadable(path=name, reason="it is larger than 256 MiB and not written one record a line")
    try:
        document = json_text.loads_strict(text)
    except ValueError as error:
        raise Unreadable(path=name, reason=f"it is not JSON: {error}") from error
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        raise Unreadable(path=name, reason=f'it is no export: it has no "format": "{FORMAT}"')
    _check_version(document, name)
    checked = Checked(name)
    for kind in KINDS.values():
        section = document.get(kind.plural) or []
        if not isinstance(section, list):
            raise Unreadable(path=name, reason=f"{kind.plural} is no list")
        for index, raw in enumerate(section, 1):
            if only in (None, kind.name):
                yield checked.record(raw, kind.name, f"{kind.plural} number {index}")


def _check_version(document: Mapping[str, Any], name: str) -> None:
    found = document.get("version")
    if not isinstance(found, int):
        raise Unreadable(path=name, reason="it gives no version")
    if found > VERSION:
        raise UnsupportedVersion(address=name, version=f"version {found}", reason=f"this program reads up to {VERSION}")


def read_header(stream: IO[bytes], _name: str) -> dict[str, Any]:
    """What a document says about itself before its records."""
    framed = _boundary(stream.readline(LINE_LIMIT).removeprefix(_BOM))
    said = framed[0] if framed else {}
    return {key: value for key, value in said.items() if key not in ("format", "version", *by_plural())}
