"""Opens a Stash database file read only, refuses what is none, and tells which tables and columns it has.

Nothing here knows a kind or a field. Nothing is ever written to the file or beside it.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from ..errors import Unreadable, UnsupportedVersion

OLDEST_SCHEMA = 68
"""The schema of Stash 0.27."""
NEWEST_SCHEMA = 86
"""The newest schema whose shape is known."""

_SQLITE_MAGIC = b"SQLite format 3\0"
_HEAD_BYTES = 64
_MMAP_BYTES = 32 * 1024 * 1024
_CACHE_KIB = 8 * 1024
_REQUIRED = (
    "blobs files files_fingerprints folders galleries galleries_chapters groups images performers saved_filters"
    " scene_markers scenes scenes_files studios tags video_files"
).split()
_LOOKS: tuple[tuple[bytes, str], ...] = (
    (b"\x1f\x8b", "it is gzip data, unpack it first"),
    (b"PK\x03\x04", "it is a zip file, not a database"),
    (b"7z\xbc\xaf\x27\x1c", "it is a 7z archive, not a database"),
    (b"age-encryption.org", "it is encrypted (age), decrypt it first"),
    (b"<", "it is a web page or XML, not a database"),
    (b"{", "it is JSON, not a database"),
)


@dataclass(frozen=True, slots=True)
class Shape:
    """What a database has: its schema's number, the columns of each table, and the columns of each table an
    index begins with (``rowid`` keys too)."""

    schema: int
    tables: Mapping[str, frozenset[str]]
    keys: Mapping[str, frozenset[str]]

    def has(self, table: str, *columns: str) -> bool:
        """Whether ``table`` is there with all of ``columns``."""
        return table in self.tables and self.tables[table].issuperset(columns)


class Quiet(NamedTuple):
    """The state of a database file that no program had open: to be the same for as long as it is read."""

    path: Path
    modified: int
    size: int

    def check(self) -> None:
        """Raise Unreadable when a program has opened or changed the database after all."""
        if _quiet(self.path) != self:
            raise Unreadable(path=self.path, reason="a Stash was started on it while it was read; try again")


def open_database(path: Path) -> tuple[sqlite3.Connection, Quiet | None]:
    """Open the file at ``path`` read only and begin one read transaction; give the connection, and, when the
    file had to be taken for one that nobody writes, what to check after each reading.

    That is so only when SQLite needs files beside the database that are not there and that we may not make: no
    program has it open then, but an idle Stash (it lets go after 30 s) may open it again at any time.
    Raises Unreadable for anything that is not a readable SQLite file.
    """
    _look(path)
    quiet = _quiet(path) if _would_lock_out(path) else None
    if quiet is None:
        try:
            return _connect(path, "mode=ro"), None
        except sqlite3.DatabaseError as error:
            quiet = _quiet(path) if _barred(error) else None
            if quiet is None:
                raise unreadable(path, error) from error
    try:
        return _connect(path, "mode=ro&immutable=1"), quiet
    except sqlite3.DatabaseError as error:
        raise unreadable(path, error) from error


def _would_lock_out(path: Path) -> bool:
    """Whether opening the database would leave files beside it that belong to us and not to its owner, so that
    its Stash could not open it again. SQLite gives them to the owner only when root opens it."""
    user = os.geteuid() if hasattr(os, "geteuid") else 0
    if user == 0 or path.with_name(path.name + "-shm").exists():
        return False
    try:
        return path.stat().st_uid != user
    except OSError as error:
        raise Unreadable(path=path, reason=error.strerror or str(error)) from error


def _barred(error: sqlite3.Error) -> bool:
    """Whether SQLite may not make or open the files beside the database that it needs."""
    return any(words in str(error) for words in ("unable to open", "readonly database"))


def _quiet(path: Path) -> Quiet | None:
    """The state of the database, None while a program has it open: Stash keeps a write-ahead log beside it then."""
    if path.with_name(path.name + "-wal").exists():
        return None
    try:
        found = path.stat()
    except OSError as error:
        raise Unreadable(path=path, reason=error.strerror or str(error)) from error
    return Quiet(path, found.st_mtime_ns, found.st_size)


def read_shape(connection: sqlite3.Connection, path: Path) -> Shape:
    """Look at the tables and columns; raises Unreadable for what is no Stash database or is half migrated, and
    UnsupportedVersion for a schema that is not known."""
    try:
        tables = {name: _columns(connection, name) for name in _tables(connection)}
        schema = _schema(connection, path, tables)
        keys = {name: _keys(connection, name) for name in tables}
    except sqlite3.DatabaseError as error:
        raise unreadable(path, error) from error
    missing = sorted(set(_REQUIRED) - set(tables))
    if missing:
        raise Unreadable(path=path, reason=f"it is not a Stash database (no table {', '.join(missing)})")
    return Shape(schema, tables, keys)


def unreadable(path: Path, error: sqlite3.Error) -> Unreadable:
    """The error for what SQLite says about the file."""
    return Unreadable(path=path, reason=_reason(error))


def _look(path: Path) -> None:
    """Raise Unreadable, telling what it is, for what is no SQLite database."""
    if path.is_dir():
        raise Unreadable(path=path, reason="it is a folder, not a database file")
    try:
        with path.open("rb") as stream:
            head = stream.read(_HEAD_BYTES)
    except OSError as error:
        raise Unreadable(path=path, reason=error.strerror or str(error)) from error
    if not head.startswith(_SQLITE_MAGIC):
        raise Unreadable(path=path, reason=_look_of(head))


def _look_of(head: bytes) -> str:
    if not head:
        return "it is empty"
    start = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    return next((words for magic, words in _LOOKS if start.startswith(magic)), "it is not an SQLite database")


def _connect(path: Path, options: str) -> sqlite3.Connection:
    address = f"{path.absolute().as_uri()}?{options}"
    # A reader thread may be the one that drains the stream; never two at once.
    connection = sqlite3.connect(
        address, uri=True, isolation_level=None, check_same_thread=False, cached_statements=512
    )
    try:
        connection.execute(f"pragma mmap_size = {_MMAP_BYTES}")
        connection.execute(f"pragma cache_size = -{_CACHE_KIB}")
        connection.execute("begin")
        connection.execute("select count(*) from sqlite_master").fetchone()
    except BaseException:
        connection.close()
        raise
    return connection


def _reason(error: sqlite3.Error) -> str:
    text = str(error)
    if _barred(error):
        return (
            "a Stash has it open, and its folder or the files beside it (-wal, -shm) are not open to this user;"
            " run as the user Stash runs as, or read from the address of the Stash"
        )
    if "locked" in text:
        return "another program is writing to it; try again"
    if "malformed" in text or "not a database" in text:
        return f"it is damaged ({text}); restore a backup of it"
    return text


def _tables(connection: sqlite3.Connection) -> list[str]:
    rows = connection.execute("select name from sqlite_master where type = 'table' and name not like 'sqlite_%'")
    return [name for (name,) in rows]


def _columns(connection: sqlite3.Connection, table: str) -> frozenset[str]:
    return frozenset(name for (name,) in connection.execute("select name from pragma_table_info(?)", (table,)))


def _keys(connection: sqlite3.Connection, table: str) -> frozenset[str]:
    """The columns a whole index of ``table`` begins with; a partial index finds only some rows."""
    rows = connection.execute(
        "select i.name from pragma_index_list(?) l, pragma_index_info(l.name) i where i.seqno = 0 and not l.partial"
        " union select name from pragma_table_info(?) where pk = 1",
        (table, table),
    )
    return frozenset(name for (name,) in rows)


def _schema(connection: sqlite3.Connection, path: Path, tables: Mapping[str, frozenset[str]]) -> int:
    if "schema_migrations" not in tables:
        raise Unreadable(path=path, reason="it is an SQLite database, but not a Stash database")
    row = connection.execute("select version, dirty from schema_migrations").fetchone()
    if row is None or not isinstance(row[0], int):
        raise Unreadable(path=path, reason="it is not a Stash database (it has no schema version)")
    schema, dirty = int(row[0]), bool(row[1])
    if dirty:
        raise Unreadable(path=path, reason=f"its migration to schema {schema} was not finished; restore a backup of it")
    if not OLDEST_SCHEMA <= schema <= NEWEST_SCHEMA:
        known = f"only schemas {OLDEST_SCHEMA} (Stash 0.27) to {NEWEST_SCHEMA} (0.31) can be read from the file"
        raise UnsupportedVersion(address=path, version=f"a Stash database of schema {schema}", reason=known)
    return schema
