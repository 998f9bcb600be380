"""The SQLite file of one run: both sides' records, what is matched with what, and the plan. On disk, so that memory
stays flat however many records there are. It holds nothing that outlives the run.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from enum import IntEnum
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, NamedTuple

from ..errors import NoSpace, OutputNotUsable
from ..model import EVERYTHING, Data, Record, Source, Want
from .coding import Digest, encode, no_images, pack
from .rules import ORDER

Side = Literal["source", "target"]


class Standing(IntEnum):
    """Why a record of the source is here."""

    CHOSEN = 0
    """For its own sake."""
    BROUGHT = 1
    """Others refer to it: it is made when it is missing, and never changed."""
    KNOWN = 2
    """So that the others are matched as they are when all of the library is there: it is never made."""


_SCHEMA = """
CREATE TABLE record (id INTEGER PRIMARY KEY, kind TEXT, side TEXT, uid TEXT, data BLOB, goes TEXT, fate TEXT,
  standing INTEGER DEFAULT 0);
CREATE UNIQUE INDEX record_uid ON record (kind, side, uid);
CREATE TABLE base (kind TEXT, source TEXT, target TEXT, data BLOB, PRIMARY KEY (kind, source, target)) WITHOUT ROWID;
CREATE INDEX base_target ON base (kind, target);
CREATE TABLE key (value TEXT, side TEXT, record INTEGER, PRIMARY KEY (value, side, record)) WITHOUT ROWID;
CREATE TABLE edge (source INTEGER, target INTEGER, but TEXT, PRIMARY KEY (source, target)) WITHOUT ROWID;
CREATE INDEX edge_target ON edge (target);
CREATE TABLE pair (source INTEGER PRIMARY KEY, target INTEGER UNIQUE);
CREATE TABLE maybe (source INTEGER, target INTEGER, why TEXT, doubt INTEGER, PRIMARY KEY (source, target))
  WITHOUT ROWID;
CREATE INDEX maybe_target ON maybe (target);
CREATE TABLE change (id INTEGER PRIMARY KEY, phase INTEGER, rank INTEGER, op TEXT, kind TEXT, uid TEXT,
  before BLOB, after BLOB);
CREATE INDEX change_uid ON change (kind, uid);
CREATE TABLE token (value TEXT, uid TEXT, held INTEGER, field TEXT);
CREATE INDEX token_value ON token (value);
CREATE INDEX token_uid ON token (uid);
CREATE TABLE found (id INTEGER PRIMARY KEY, what TEXT, kind TEXT, data BLOB);
"""
"""``record.goes``: of the source, what references to it become (the target's id, or new:…); of the target, the id of
the source's record it is matched with. ``fate``: "create", "wait", "ambiguous", "out"; of the target "delete", "kept".
``standing``: of the source, a Standing.
``edge.but``, ``maybe.doubt``: what speaks against a pair, and that something does.
``base``: what both agreed on last time, in the target's ids. ``found``: conflicts, ambiguities, what waits."""

_MEMORY = "PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF; PRAGMA cache_size=-24000; PRAGMA temp_store=FILE;"


_REFUSED = ("disk I/O error", "unable to open", "readonly")
"""What SQLite says when the disk refuses a file."""


class Agreed(NamedTuple):
    """What a finished run remembers of one record: the ids of both sides, and what both held, in the target's ids."""

    kind: str
    source: str
    target: str
    data: Data


class Workset:
    """Records of both sides and of the base. A context manager; raises NoSpace when the disk is full,
    OutputNotUsable when it refuses."""

    def __init__(self, path: Path) -> None:
        self._path = path
        with self._told():
            self._connection = sqlite3.connect(path, isolation_level=None)
            try:
                self._connection.executescript(_MEMORY + _SCHEMA)
                self._connection.execute("BEGIN")
            except sqlite3.Error:
                self._connection.close()
                raise

    def __enter__(self) -> Workset:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._connection.close()

    def fill(
        self,
        side: Side,
        records: Iterable[Record],
        digest: Digest = no_images,
        *,
        standing: Standing = Standing.CHOSEN,
    ) -> None:
        """Take records in. ``digest`` gives the SHA-256 of their images, when they come with images. One that is here
        already keeps its place, and is replaced by one of a better standing."""
        rows = ((one.kind, side, one.uid, encode(pack(one.kind, one.data, digest)), int(standing)) for one in records)
        self.many(
            "INSERT INTO record (kind, side, uid, data, standing) VALUES (?, ?, ?, ?, ?) ON CONFLICT (kind, side, uid)"
            " DO UPDATE SET data = excluded.data, standing = excluded.standing WHERE excluded.standing < standing",
            rows,
        )

    def fill_from(self, side: Side, library: Source, want: Want = EVERYTHING, digest: Digest = no_images) -> None:
        """Take all kinds of a library in."""
        for kind in ORDER:
            self.fill(side, library.read(kind, want), digest)

    def remember(self, agreed: Iterable[Agreed]) -> None:
        """Take in what both sides agreed on last time."""
        rows = ((one.kind, one.source, one.target, encode(pack(one.kind, one.data))) for one in agreed)
        self.many("INSERT OR REPLACE INTO base VALUES (?, ?, ?, ?)", rows)

    def count(self, side: Side, kind: str) -> int:
        """How many records of ``kind`` a side has, those that are not there for their own sake aside."""
        return int(self.one("SELECT count(*) FROM record WHERE kind = ? AND side = ? AND standing = 0", kind, side))

    def run(self, sql: str, *values: Any) -> None:
        """Do a statement."""
        self.many(sql, [values])

    def many(self, sql: str, rows: Iterable[Sequence[Any]]) -> None:
        """Do a statement for each of ``rows``."""
        with self._told():
            self._connection.executemany(sql, rows)

    def rows(self, sql: str, *values: Any) -> Iterator[Any]:
        """Stream the rows of a query, which is asked at once."""
        with self._told():
            return self._streamed(self._connection.execute(sql, values))

    def _streamed(self, rows: Iterator[Any]) -> Iterator[Any]:
        with self._told():
            yield from rows

    def one(self, sql: str, *values: Any) -> Any:
        """The first column of the first row; None when there is none."""
        with self._told():
            row = self._connection.execute(sql, values).fetchone()
        return row[0] if row else None

    @contextmanager
    def _told(self) -> Iterator[None]:
        """Tell what the disk refuses: a query needs room, too, to sort. Raises NoSpace, OutputNotUsable."""
        try:
            yield
        except sqlite3.OperationalError as error:
            if "full" in str(error):
                raise NoSpace(path=self._path, reason="the working file of this run does not fit") from error
            if any(said in str(error) for said in _REFUSED):
                raise OutputNotUsable(path=self._path, reason=error) from error
            raise
