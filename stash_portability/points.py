"""Restore points: a copy of the whole database, made by Stash itself before much is changed. The journal of a run takes
back what it wrote; a restore point also what nobody can write back (ids, times, what Stash deleted along).
"""

from __future__ import annotations

import sqlite3
import time
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from .errors import Braked, PortabilityError
from .kinds import plural
from .model import Plan
from .reconcile.rules import only_a_scan_makes
from .target import Target

if TYPE_CHECKING:
    from .libraries.stash import StashSource

ACCEPT = "no-restore-point"
"""What ``--accept`` takes to go on without one."""
MANY = 1000
"""So many changes deserve one, even if nothing is deleted."""
LONGEST = 3600.0
"""Seconds a copy may take."""

SECOND = 1.1
"""Copies are called after the second; Stash makes none of a name that is there."""
_TAKEN = "already exists"

_OPS = ("create", "update", "delete")
_FOLDER = "query BackupFolder{configuration{general{backupDirectoryPath}}}"
_BACK_UP = "mutation BackUp{backupDatabase(input:{})}"


def wants_point(plan: Plan) -> bool:
    """Whether ``plan`` changes so much that there should be a way back as a whole."""
    changes = {name: count for name, count in plan.counts.items() if name.split()[-1] in _OPS}
    return any(name.endswith(" delete") for name in changes) or sum(changes.values()) > MANY


def can_be_made(target: Target) -> bool:
    """Whether the Stash is on this machine, where its copy can be looked at."""
    stash: StashSource | None = getattr(target.writer(None), "source", None)
    return stash is not None and _is_here(stash)


def beyond_undo(plan: Plan) -> str:
    """The records that ``plan`` deletes and no journal brings back, in words, or "": only a scan makes them."""
    if not any(name.endswith(" delete") for name in plan.counts):
        return ""
    found: Counter[str] = Counter()
    for change in plan.changes:
        if change.op == "delete" and only_a_scan_makes(change.kind, change.before or {}):
            found[change.kind] += 1
    return ", ".join(f"{count:,} {plural(kind, count)}" for kind, count in found.items())


def no_way_back(deleted: str) -> str:
    """Why what ``beyond_undo`` tells should not be written without a restore point."""
    return f"{deleted} would be deleted that undo cannot make again, and no copy of the database can be made from here"


def make_point(target: Target, accept: bool, sleep: Callable[[float], None] = time.sleep) -> str:
    """Have a Stash on this machine copy its database, and look at the copy; tell where it is and how it is put back.
    "" for a target that is on another machine. Raises Braked when it cannot be made, unless that is ``accept``ed."""
    stash: StashSource | None = getattr(target.writer(None), "source", None)
    if stash is None or not _is_here(stash):
        return ""
    try:
        return _made(stash, sleep)
    except (PortabilityError, OSError, sqlite3.Error) as problem:
        if accept:
            return ""
        raise Braked(f"{ACCEPT}: Stash could not make a copy of its database first: {problem}") from problem


def _is_here(stash: StashSource) -> bool:
    database = stash.status().database
    return bool(database) and Path(database).is_absolute() and Path(database).is_file()


def _made(stash: StashSource, sleep: Callable[[float], None]) -> str:
    status = stash.status()
    database, schema = Path(status.database), status.schema
    configured = stash.connection.call_GQL(_FOLDER)["configuration"]["general"]["backupDirectoryPath"]
    folder = Path(status.working_dir) / configured if configured else database.parent
    before = _copies(folder, database)
    if _TAKEN in (problem := _back_up(stash)):
        sleep(SECOND)
        problem = _back_up(stash)
    if problem:
        raise OSError(problem)
    new = sorted(_copies(folder, database) - before)
    if not new:
        raise OSError(f"there is none in {folder} after it said it was done")
    _check(new[-1], schema)
    return told(new[-1], database)


def _back_up(stash: StashSource) -> str:
    """Ask for a copy, and wait as long as a big one takes: nothing is heard of Stash until it is done. Give what went
    wrong, or ""."""
    connection, limits = stash.connection, stash.connection.limits
    connection.limits = replace(limits, read=LONGEST)
    try:
        outcome = connection.change(_BACK_UP)
    finally:
        connection.limits = limits
    return outcome.mistakes[0].message if outcome.mistakes else ""


def told(copy: Path, database: Path) -> str:
    """Where a copy is, and how it is put back."""
    return (
        f"{copy}, a copy of the database by Stash itself; to put it back stop Stash, put it in the place of {database},"
        f" delete {database.name}-wal and {database.name}-shm beside it if they are there, and start Stash"
    )


def _copies(folder: Path, database: Path) -> set[Path]:
    """Copies are called after the database, its schema and the time (Stash, pkg/sqlite/database.go)."""
    if not folder.is_dir():
        return set()
    return {entry for entry in folder.iterdir() if entry.name.startswith(f"{database.name}.") and entry.is_file()}


def _check(copy: Path, schema: int | None) -> None:
    """Raise OSError or sqlite3.Error for what is no whole database of this schema."""
    with closing(sqlite3.connect(f"{copy.as_uri()}?mode=ro", uri=True)) as connection:
        said = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
        found = connection.execute("SELECT version FROM schema_migrations").fetchone()[0]
    if said != "ok" or (schema is not None and found != schema):
        raise OSError(f"{copy} is damaged: {said}, schema {found}")
