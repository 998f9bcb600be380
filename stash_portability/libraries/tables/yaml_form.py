"""YAML: one document a record. Slower than the other formats by far; meant to be read and compared by people."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from typing import IO, Any

import yaml

from ...errors import Unreadable
from ...kinds import Kind
from ...model import BlobRef, Record
from ...transform.paths import Names
from .check import Checked
from .getters import getter
from .json_form import lines
from .layout import Encoder, Form, Layout
from .layout import only as only_fields

_DUMPER: Any = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_DOCUMENT_LIMIT = 16 << 20
_WIDTH = 1 << 20
_DEEPEST = 100
"""Levels of a document. libyaml's loader calls itself for each, and ends the whole process when its stack is full: with
128 KiB of it (musl's threads) at some hundreds."""
_INDENTED = re.compile(rb"^[ ?:-]{%d}" % (_DEEPEST // 2), re.MULTILINE)
"""What a line of a deeper document begins with, where no brackets tell of it: a column opens two levels at most."""


def yaml_form(layout: Layout, names: Names) -> Form:
    """A stream of documents."""

    def encoder(kind: Kind) -> Encoder:
        if not layout.shaped(kind.name):
            fields = layout.fields(kind.name)
            return lambda record: _dump({"kind": kind.name, "id": record.uid, **only_fields(record.data, fields)})
        columns = [(column.header, getter(column, names)) for column in layout.columns[kind.name]]
        begin = {"kind": kind.name} if layout.several else {}
        return lambda record: _dump({**begin, **{header: get(record) for header, get in columns}})

    return Form(encoder)


def _dump(values: dict[str, Any]) -> bytes:
    stream = io.BytesIO()
    dumper = _DUMPER(stream, allow_unicode=True, sort_keys=False, explicit_start=True, encoding="utf-8", width=_WIDTH)
    # A list that two fields share is written twice, not as an anchor and an alias.
    dumper.ignore_aliases = lambda _: True
    try:
        dumper.open()
        dumper.represent(
            {name: value.sha256 if isinstance(value, BlobRef) else value for name, value in values.items()}
        )
        dumper.close()
    except yaml.YAMLError as error:
        raise ValueError(str(error)) from error
    finally:
        dumper.dispose()
    return stream.getvalue()


def read_yaml(stream: IO[bytes], name: str, only: str | None = None) -> Iterator[Record]:
    """The records of a stream of documents. Raises Unreadable with the line."""
    checked = Checked(name)
    for number, text in _documents(stream, name):
        raw = _load(text, name, number)
        if only is None or not isinstance(raw, dict) or raw.get("kind") == only:
            yield checked.record(raw, None, f"the document at line {number}")


def _documents(stream: IO[bytes], name: str) -> Iterator[tuple[int, bytes]]:
    """The documents, not yet parsed, each with its first line."""
    begun, parts, size = 1, list[bytes](), 0
    for number, line in lines(stream, name):
        if line.startswith(b"---") and not line[3:4].strip():
            if size:
                yield begun, b"".join(parts)
            begun, parts, size = number, [], 0
        parts.append(line)
        size += len(line.strip())
        if size > _DOCUMENT_LIMIT:
            raise Unreadable(path=name, reason=f"the document at line {begun} is longer than 16 MiB")
    if size:
        yield begun, b"".join(parts)


def _load(text: bytes, name: str, number: int) -> Any:
    try:
        if wild := _wild(text):
            raise Unreadable(path=name, reason=f"the document at line {number} {wild}")
        return yaml.load(text, _LOADER)  # noqa: S506 - a safe loader
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        line = number + (mark.line if mark else 0)
        said = getattr(error, "problem", None) or error
        raise Unreadable(path=name, reason=f"line {line} is not YAML: {said}") from error


def parse_document(text: str) -> Any:
    """Parse one YAML document (a profile): plain values only, no aliases. Raises ValueError."""
    try:
        if wild := _wild(text.encode()):
            raise ValueError(f"it {wild}")
        return yaml.load(text, _LOADER)  # noqa: S506 - a safe loader
    except (yaml.YAMLError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        where = f"line {mark.line + 1}: " if mark else ""
        raise ValueError(f"{where}{getattr(error, 'problem', None) or error}") from error


def _wild(text: bytes) -> str:
    """Why a document is not taken, or "": it names one value twice (nested often enough, a few lines then stand for
    gigabytes), or is nested too deeply. Only one that may be so is looked through."""
    deep = text.count(b"[") + text.count(b"{") > _DEEPEST or _INDENTED.search(text)
    if not deep and not (b"&" in text and b"*" in text):
        return ""
    depth = 0
    for event in yaml.parse(text, _LOADER):
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if isinstance(event, yaml.AliasEvent):
            return "has aliases, which are refused"
        if depth > _DEEPEST:
            return f"has more than {_DEEPEST} levels"
    return ""
