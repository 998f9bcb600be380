"""Reads a library straight from Stash's SQLite file: a consistent point in time, many times faster than GraphQL.

Records are read in spans of ids, with one statement for each relation of a span. Never writes, needs no server.
"""

from __future__ import annotations

import json
import random
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from io import BytesIO
from pathlib import Path
from typing import IO, Any

from ..errors import RecordError, unknown
from ..kinds import KINDS, PARTS_OF, Kind
from ..model import EVERYTHING, About, Blob, Record, Want
from .canonical import real_ids
from .database_columns import quoted
from .database_plan import Damaged, Plan, plan_of, read_span, source_of
from .database_relations import Access, Span
from .database_shape import open_database, read_shape, unreadable

_SPAN = 500
"""Records read at once: enough to make the statements cheap, few enough to keep memory flat."""
_MD5_DIGITS = 32


def _raise(error: RecordError) -> None:
    raise error


class DatabaseSource:
    """The library in the database file at ``path``, as it is when this is made; a Source.

    ``blobs_path`` is the folder of a Stash that keeps images in files. A record that cannot be right (text that
    is not UTF-8, an impossible time) is passed over and given to ``on_error``, which by default raises it.
    Raises Unreadable and UnsupportedVersion when made, and Unreadable when the file turns out damaged.
    """

    def __init__(
        self, path: Path, blobs_path: Path | None = None, on_error: Callable[[RecordError], None] = _raise
    ) -> None:
        self._path, self._blobs_path, self.on_error = path, blobs_path, on_error
        self._connection, self._quiet = open_database(path)
        try:
            self._shape = read_shape(self._connection, path)
        except BaseException:
            self._connection.close()
            raise
        self._copies: dict[tuple[str, str], str] = {}
        self._counts: dict[str, int] = {}

    @property
    def at_rest(self) -> bool:
        """Whether it can only be read for as long as no program opens it; then reading raises Unreadable."""
        return self._quiet is not None

    def close(self) -> None:
        """Let go of the file."""
        self._connection.close()

    def about(self) -> About:
        """Tell what this is. A file does not tell the version of its Stash, only the schema."""
        fields = {
            kind.name: tuple(field.name for field in kind.fields if source_of(kind, field, self._shape))
            for kind in KINDS.values()
        }
        counts = {kind: self.count(kind) for kind in KINDS}
        return About(str(self._path), "Stash database", "", self._shape.schema, fields, counts, "database file")

    @property
    def schema(self) -> int:
        """The number of its schema."""
        return self._shape.schema

    def count(self, kind: str) -> int | None:
        """How many records of ``kind`` there are; None for a kind that does not lie in the file."""
        table = _kind(kind).table
        if not table:
            return None
        # Within one read transaction a count stays what it is, and several callers ask for it.
        if table not in self._counts:
            self._counts[table] = self._numbers(f"select count(*) from {quoted(table)}")[0]  # noqa: S608
        return self._counts[table]

    def newest(self, kind: str) -> str | None:
        """The highest id of ``kind``; None when there is none."""
        (highest,) = self._numbers(f"select max(id) from {quoted(_kind(kind).table)}")  # noqa: S608
        return None if highest is None else str(highest)

    def sample(self, kind: str, rng: random.Random, limit: int) -> list[str]:
        """At most ``limit`` ids of ``kind``, ascending: the newest, and others anywhere."""
        newest = int(self.newest(kind) or -1)
        sql = f"select id from {quoted(_kind(kind).table)} where id >= ? order by id limit 1"  # noqa: S608
        starts = [rng.randint(0, newest) for _ in range(limit - 1)] if newest >= 0 else []
        found = {uid for start in (newest, *starts) for uid in self._numbers(sql, (start,))}
        return list(map(str, sorted(found)))

    def read(self, kind: str, want: Want = EVERYTHING) -> Iterator[Record]:
        """Stream the records of ``kind`` in ascending order of id; raises Unreadable."""
        plan = plan_of(_kind(kind), want, self._shape)
        if not plan.kind.table:
            return
        if want.ids is None:
            self._copy(plan)
            yield from self._stream(plan, self._spans(plan.kind.table))
        else:
            yield from self._stream(plan, _listed(real_ids(want.ids)))

    def read_parts(self, kind: str, owners: Sequence[str], want: Want = EVERYTHING) -> Iterator[Record]:
        """Stream the markers of the scenes, or the chapters of the galleries, that are ``owners``, in ascending
        order of id; ``want.ids`` counts for nothing."""
        plan, owner = plan_of(_kind(kind), want, self._shape), _kind(kind).field(PARTS_OF[kind][1])
        table, column = quoted(plan.kind.table), quoted(owner.column if owner else "")
        found: list[int] = []
        for span in _listed(real_ids(owners)):
            sql = f"select id from {table} where {span.on(column)}"  # noqa: S608
            found += self._numbers(sql, span.arguments)
        yield from self._stream(plan, _listed(sorted(found)))

    def open_blob(self, blob: Blob) -> IO[bytes]:
        """Open the bytes of an image; raises RecordError when they are neither in the file nor in the folder of
        images."""
        row = self._rows("select blob from blobs where checksum = ?", (blob.key,))
        if row and row[0][0] is not None:
            return BytesIO(row[0][0])
        if not row or self._blobs_path is None or not _is_checksum(blob.key):
            raise RecordError(f"its {blob.field} is not in the database", kind=blob.kind, uid=blob.uid)
        try:
            return (self._blobs_path / blob.key[:2] / blob.key[2:4] / blob.key).open("rb")
        except OSError as error:
            reason = f"its {blob.field} is not in the folder of images"
            raise RecordError(reason, kind=blob.kind, uid=blob.uid) from error

    def _rows(self, sql: str, arguments: tuple[Any, ...] = ()) -> list[Any]:
        try:
            return self._connection.execute(sql, arguments).fetchall()
        except sqlite3.DatabaseError as error:
            raise unreadable(self._path, error) from error

    def _numbers(self, sql: str, arguments: tuple[Any, ...] = ()) -> list[int]:
        return [number for (number,) in self._rows(sql, arguments)]

    def _copy(self, plan: Plan) -> None:
        """Copy the relations that no index leads into to temporary tables with one: to go through them whole for
        each span would take a time that grows with the square of the library."""
        for relation in plan.relations():
            name = (relation.table, relation.owner)
            if relation.owner in self._shape.keys[relation.table] or name in self._copies:
                continue
            copy, owner = quoted(f"{relation.table} by {relation.owner}"), quoted(relation.owner)
            self._rows(f"create temp table {copy} as select * from main.{quoted(relation.table)}")  # noqa: S608
            self._rows(f"create index temp.{quoted(':'.join(name))} on {copy} ({owner})")
            self._copies[name] = copy

    def _spans(self, table: str) -> Iterator[Span]:
        sql = f"select max(id) from (select id from {quoted(table)} where id > ? order by id limit {_SPAN})"  # noqa: S608
        last = -1
        while (end := self._numbers(sql, (last,))[0]) is not None:
            yield Span("{} between ? and ?", (last + 1, end))
            last = end

    def _stream(self, plan: Plan, spans: Iterable[Span]) -> Iterator[Record]:
        for span in spans:
            try:
                records = self._read(plan, span)
            except Damaged:
                yield from self._one_by_one(plan, span)
            else:
                yield from records

    def _one_by_one(self, plan: Plan, span: Span) -> Iterator[Record]:
        """Read each record of a span on its own, so that only the damaged one is passed over."""
        sql = f"select id from {quoted(plan.kind.table)} where {span.on('id')} order by id"  # noqa: S608
        for uid in self._numbers(sql, span.arguments):
            try:
                records = self._read(plan, Span("{} = ?", (uid,)))
            except Damaged as error:
                self.on_error(RecordError(str(error), kind=plan.kind.name, uid=uid))
            else:
                yield from records

    def _read(self, plan: Plan, span: Span) -> list[Record]:
        try:
            return read_span(plan, Access(self._connection, span, self._copies))
        except sqlite3.DatabaseError as error:
            raise unreadable(self._path, error) from error
        finally:
            if self._quiet:
                self._quiet.check()


def _kind(name: str) -> Kind:
    if name not in KINDS:
        raise unknown("kind", name, KINDS)
    return KINDS[name]


def _listed(numbers: list[int]) -> Iterator[Span]:
    for start in range(0, len(numbers), _SPAN):
        yield Span("{} in (select value from json_each(?))", (json.dumps(numbers[start : start + _SPAN]),))


def _is_checksum(text: str) -> bool:
    return len(text) == _MD5_DIGITS and all(letter in "0123456789abcdef" for letter in text)
