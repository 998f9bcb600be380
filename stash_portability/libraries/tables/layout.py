"""What an export of tables looks like (``Layout``), and what a format must give for it (``Form``). No I/O."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ...kinds import Kind
from ...model import BlobRef, Record
from ...transform.paths import Column

FORMAT, VERSION = "stash-portability", 1
MANIFEST_FORMAT = "stash-portability tables"
FORMS = ("json", "jsonl", "csv", "tsv", "xml", "yaml")

Encoder = Callable[[Record], bytes]


@dataclass(frozen=True, slots=True)
class Layout:
    """Which columns of which kinds go where.

    ``single``: one document for all kinds (a table holds one). ``sheet``: the columns are paths, shaped for
    people; else each column is a field and the export can be read back exactly. ``csv_safe``: nothing in a
    CSV or TSV that a spreadsheet takes for a formula. ``bom``: it begins with a byte order mark. ``header``:
    what the manifest or the document says about itself (JSON values).
    """

    columns: Mapping[str, tuple[Column, ...]]
    single: bool = True
    sheet: bool = False
    csv_safe: bool = False
    bom: bool = False
    header: Mapping[str, Any] = field(default_factory=dict)

    def shaped(self, kind: str) -> bool:
        """Whether the records of ``kind`` are rows of columns, and not the fields of the record as they are:
        asked for, or because a column is a path, has another name, is joined or formatted, or the id is not there."""
        columns = self.columns[kind]
        return self.sheet or "id" not in (column.path.text for column in columns) or not all(map(is_field, columns))

    def fields(self, kind: str) -> frozenset[str]:
        """The names of the fields that the columns of ``kind`` begin with."""
        return frozenset(column.path.steps[0] for column in self.columns[kind])

    @property
    def several(self) -> bool:
        """Whether records of several kinds come into one file, so that each must name its kind."""
        return self.single and len(self.columns) > 1


@dataclass(frozen=True, slots=True)
class Form:
    """One format: what stands at the head of a member, around the records of a kind, between records, and at
    the foot; and ``encoder``, which compiles the columns of a kind into a function of a record."""

    encoder: Callable[[Kind], Encoder]
    head: bytes = b""
    before: Callable[[Kind], bytes] = lambda _: b""
    first: bytes = b""
    between: bytes = b""
    after: Callable[[bool], bytes] = lambda _: b""
    foot: bytes = b""


def is_field(column: Column) -> bool:
    """Whether a column is just a field under its own name."""
    return column.path.plain and column.header == column.path.text and not column.join and not column.format


def only(data: Mapping[str, Any], fields: frozenset[str]) -> Mapping[str, Any]:
    """``data`` without what no column names: records carry what was read to follow references, too."""
    return data if data.keys() <= fields else {name: value for name, value in data.items() if name in fields}


def unknown_names(_kind: str, _uid: str) -> Mapping[str, Any] | None:
    """Know no record: references are then called by their id."""
    return None


def plain_blob(value: Any) -> Any:
    """What a record says of an image: its digest."""
    if isinstance(value, BlobRef):
        return value.sha256
    raise TypeError(f"{type(value).__name__} is no value of a record")
