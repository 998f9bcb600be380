"""From the cells of a table to records: columns by their headers, whether they are fields (a table that gives all
back) or the columns of a sheet for people (whose references come back as the labels they show)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import IO, Any, NamedTuple

from ...errors import Unreadable
from ...kinds import Field, Kind
from ...model import Record
from ...transform.paths import Column, sheet_columns
from .check import Checked
from .csv_form import read_table
from .values import cell_reader, read_int, read_text

Set = Callable[[dict[str, Any], str], None]
"""Puts the value of a cell into a record's data; raises ValueError."""

_MOST_ENTRIES = 1_000_000


class Columns(NamedTuple):
    """The columns of a table: how each is taken, the fields they give, and the headers nobody knows."""

    setters: list[Set | None]
    fields: tuple[str, ...]
    unknown: list[str]
    id_at: int | None


def understand(kind: Kind, header: list[str]) -> Columns:
    """Find out what each column of ``header`` is."""
    sheet = {column.header: column for column in sheet_columns(kind, kind.names())}
    setters: list[Set | None] = []
    fields: set[str] = set()
    unknown: list[str] = []
    for name in header:
        field, column = kind.field(name), sheet.get(name)
        setters.append(_setter(field, column))
        if field or (column and name != "id"):
            fields.add(field.name if field else column.path.field.name)  # type: ignore[union-attr]
        elif name != "id":
            unknown.append(name)
    known = tuple(name for name in kind.names() if name in fields)
    return Columns(setters, known, unknown, header.index("id") if "id" in header else None)


def read_rows(stream: IO[bytes], name: str, kind: Kind, delimiter: str = "") -> Iterator[Record]:
    """The records of a table of ``kind``. A table without ids gets the numbers of its rows. Raises Unreadable."""
    table = read_table(stream, name, delimiter)
    columns, checked = understand(kind, table.header), Checked(name)
    for count, (line, row) in enumerate(table.rows, 1):
        data: dict[str, Any] = {}
        try:
            uid = str(count) if columns.id_at is None else read_text(row[columns.id_at])
            for setter, cell, header in zip(columns.setters, row, table.header, strict=True):
                if setter:
                    _set(setter, data, cell, header)
        except ValueError as error:
            raise Unreadable(path=name, reason=f"line {line}: {error}") from error
        yield checked.record({"id": uid, **data}, kind.name, f"line {line}")


def _set(setter: Set, data: dict[str, Any], cell: str, header: str) -> None:
    try:
        setter(data, cell)
    except ValueError as error:
        raise ValueError(f"{header}: {error}") from None


def _setter(field: Field | None, column: Column | None) -> Set | None:
    if field is not None:
        return _part_setter(field, column) if field.type == "part" else _plain_setter(field)
    if column is None or column.path.text == "id":
        return None
    return _path_setter(column)


def _plain_setter(field: Field) -> Set:
    read, name = cell_reader(field, field.many), field.name

    def put(data: dict[str, Any], cell: str) -> None:
        data[name] = read(cell)

    return put


def _part_setter(field: Field, column: Column | None) -> Set:
    """A column of whole parts (JSON), or the column of a sheet that has the same name and one part of each."""
    whole, entries = _plain_setter(field), _path_setter(column) if column else None

    def put(data: dict[str, Any], cell: str) -> None:
        if not cell or cell.startswith("[") or entries is None:
            whole(data, cell)
        else:
            entries(data, cell)

    return put


def _path_setter(column: Column) -> Set:
    path = column.path
    name, steps = path.field.name, path.steps[1:]
    if path.last == "count":
        return lambda data, cell: _count(data, name, read_int(cell))
    if path.last == "last":
        return lambda data, cell: _last(data, name, read_text(cell))
    if path.last == "label" and path.field.type == "ref":
        return _plain_setter(path.field)
    steps = steps[:-1] if path.last == "label" else steps
    read = cell_reader(path.end, many=True)

    def put(data: dict[str, Any], cell: str) -> None:
        entries = data.setdefault(name, [])
        if not cell:  # no entry has this part, however many there are
            return
        values = read(cell[1:] if cell.startswith("\\[") else cell)
        if entries and len(values) != len(entries):
            raise ValueError(f"{len(values)} entries, where another column of {name} has {len(entries)}")
        entries += [{} for _ in values[len(entries) :]]
        for entry, value in zip(entries, values, strict=True):
            _enter(entry, path.field, steps, value)

    return put


def _enter(entry: dict[str, Any], field: Field, steps: tuple[str, ...], value: Any) -> None:
    """Put a value into a part; through a keyed list (fingerprints) as the entry of that key."""
    if len(steps) == 1:
        entry[steps[0]] = value
    elif value is not None:
        part = field.part(steps[0])
        key, of = (part.parts[0].name, part.parts[1].name) if part else ("", "")
        entry.setdefault(steps[0], []).append({key: steps[1], of: value})


def _count(data: dict[str, Any], name: str, count: int | None) -> None:
    if count is None:
        return
    if not 0 <= count <= _MOST_ENTRIES:
        raise ValueError("a count is expected")
    known = data.get(name, [])
    data[name] = [None] * (count - len(known)) + known


def _last(data: dict[str, Any], name: str, value: str | None) -> None:
    if value is not None:
        data[name] = [*data.get(name, [None])[:-1], value]
