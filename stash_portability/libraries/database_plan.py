"""What to read of a kind, and the reading of one span of its records. Knows no file and no order of spans."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from ..kinds import Field, Kind
from ..model import Blob, Record, Want
from .database_columns import Column, Values, column_of, quoted
from .database_fields import relation_of
from .database_relations import Access, Relation
from .database_shape import Shape


class Plan(NamedTuple):
    """What is read of a kind: its fields in order, each with the column or relation that gives it, and the
    place of its column in the row (0 is the id)."""

    kind: Kind
    fields: tuple[Field, ...]
    sources: tuple[Column | Relation, ...]
    names: tuple[str, ...]
    places: tuple[int, ...]

    def relations(self) -> Iterator[Relation]:
        """The relations among the sources."""
        return (source for source in self.sources if isinstance(source, Relation))


class Damaged(ValueError):
    """A record of the span cannot be right; the message names the field, never a value."""


def plan_of(kind: Kind, want: Want, shape: Shape) -> Plan:
    """The plan for what ``want`` asks of ``kind`` and the database has."""
    chosen = [
        (field, source)
        for field in kind.fields
        if (want.fields is None or field.name in want.fields)
        and (want.blobs or field.type != "blob")
        and (source := source_of(kind, field, shape))
    ]
    places, columns = [], 0
    for _, source in chosen:
        columns += isinstance(source, Column)
        places.append(columns)
    fields = tuple(field for field, _ in chosen)
    names = tuple(field.name for field in fields)
    return Plan(kind, fields, tuple(source for _, source in chosen), names, tuple(places))


def source_of(kind: Kind, field: Field, shape: Shape) -> Column | Relation | None:
    """What gives ``field`` in this database; None when nothing does."""
    return relation_of(kind.name, field.name, shape) or column_of(kind, field, shape)


def read_span(plan: Plan, access: Access) -> list[Record]:
    """The records of the span, in ascending order of id; raises Damaged when one of them cannot be right, and
    sqlite3.DatabaseError when the file cannot be read."""
    kind, names = plan.kind.name, plan.names
    try:
        columns = _columns(plan, access)
        if not columns:
            return []
        values = [_values(plan, at, columns, access) for at in range(len(names))]
    except sqlite3.OperationalError as error:
        if "decode to UTF-8" in str(error):
            raise Damaged("a text of it is not UTF-8") from error
        raise
    ids = columns[0]
    if not values:
        return [Record(kind, str(uid), {}) for uid in ids]
    return [Record(kind, str(uid), dict(zip(names, row, strict=True))) for uid, row in _rows(ids, values)]


def _rows(ids: Values, columns: list[Values]) -> Iterable[tuple[int, tuple[Any, ...]]]:
    return zip(ids, zip(*columns, strict=True), strict=True)


def _columns(plan: Plan, access: Access) -> list[Values]:
    """The rows of the span as columns, the ids first; nothing when there are no rows."""
    read = [source for source in plan.sources if isinstance(source, Column)]
    columns, table = ", ".join(("t.id", *(column.expression for column in read))), quoted(plan.kind.table)
    joins = "".join(sorted({column.join for column in read}))
    # Names and expressions only come from kinds.py and database_columns.py.
    rows = access.rows(f"select {columns} from {table} t{joins} where {access.span.on('t.id')} order by t.id")  # noqa: S608
    return list(zip(*rows, strict=True))


def _values(plan: Plan, at: int, columns: list[Values], access: Access) -> Values:
    """The values of one field for every record of the span."""
    field, source, ids = plan.fields[at], plan.sources[at], columns[0]
    try:
        if isinstance(source, Relation):
            return _related(field, source, ids, access)
        values = source.convert(columns[plan.places[at]])
    except (ValueError, TypeError) as error:
        raise Damaged(f"its {field.name} cannot be right") from error
    if field.type != "blob":
        return values
    keys = zip(ids, values, strict=True)
    return [None if key is None else Blob(plan.kind.name, str(uid), field.name, key) for uid, key in keys]


def _related(field: Field, relation: Relation, ids: Values, access: Access) -> list[Any]:
    get = relation.load(access).get
    if field.type == "map":
        return [get(uid) or {} for uid in ids]
    return [get(uid) or [] for uid in ids]
