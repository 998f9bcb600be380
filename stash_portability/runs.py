"""One folder a run, with what became of it: Stash shows a failed task as finished, and forgets the last ten.

``runs/<UTC stamp>-<kind>-<random>/report.json`` is written when a run begins and when it ends, each time whole.
A run holds a lock on its folder; a run that says it is running and holds none was killed. Standard library only.
"""

from __future__ import annotations

import errno
import json
import os
import re
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from .errors import NoSpace, OutputNotUsable, Unreadable, unknown
from .oslock import held, is_held

VERSION = 1
REPORT, LOCK = "report.json", "lock"
NAME = re.compile(r"\d{8}T\d{6}\.\d{3}Z-[a-z]+-[0-9a-f]{8}")
"""The time goes to the millisecond, so that names sort as the runs began."""


@dataclass(frozen=True, slots=True)
class Run:
    """A run that is going on."""

    folder: Path
    about: Mapping[str, Any]

    @property
    def name(self) -> str:
        """The run's name, which is its folder's."""
        return self.folder.name

    def write(self, state: str, **facts: Any) -> None:
        """Set the run's state (``running``, ``finished``, ``failed``) and facts, in place of those before.

        Raises NoSpace, OutputNotUsable.
        """
        with _told(self.folder):
            write_whole(self.folder / REPORT, {**self.about, "state": state, **facts})


@contextmanager
def begin(runs: Path, kind: str, now: datetime, token: bytes) -> Iterator[Run]:
    """Begin a run: make its folder, hold its lock, report it as running. ``token`` (4 random bytes) keeps two
    runs of one second apart. Raises NoSpace, OutputNotUsable; errors of what is done within pass as they are."""
    folder = runs / f"{stamp(now)[:-1]}.{now.microsecond // 1000:03}Z-{kind}-{token[:4].hex()}"
    run = Run(folder, {"version": VERSION, "run": folder.name, "kind": kind, "started": iso(now), "pid": os.getpid()})
    with ExitStack() as stack:
        with _told(folder):
            folder.mkdir(mode=0o700, parents=True)
            stack.enter_context(held(folder / LOCK))
        run.write("running")
        yield run


@contextmanager
def _told(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        full = error.errno in (errno.ENOSPC, errno.EDQUOT)
        raise (NoSpace if full else OutputNotUsable)(path=folder, reason=error.strerror or error) from error


def stamp(now: datetime) -> str:
    """A time in UTC as file names carry it: 20260501T200000Z."""
    return now.strftime("%Y%m%dT%H%M%SZ")


def iso(now: datetime) -> str:
    """A time in UTC as data carries it: 2026-05-01T20:00:00Z."""
    return now.strftime("%Y-%m-%dT%H:%M:%SZ")


def write_whole(path: Path, value: Mapping[str, Any]) -> None:
    """Write JSON so that a reader, or a crash, finds the old file or the new one; 0600."""
    text = json.dumps(value, ensure_ascii=False, indent=1) + "\n"
    half = path.with_name(f".{path.name}.{os.getpid()}")
    handle = os.open(half, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        with os.fdopen(handle, "w", encoding="utf-8", errors="backslashreplace") as stream:
            stream.write(text)
            stream.flush()
            os.fsync(stream.fileno())
        half.replace(path)
    except BaseException:
        half.unlink(missing_ok=True)
        raise


def names(runs: Path) -> list[str]:
    """The names of all runs, the newest first."""
    if not runs.is_dir():
        return []
    return sorted((entry.name for entry in runs.iterdir() if NAME.fullmatch(entry.name)), reverse=True)


def read(runs: Path, name: str) -> dict[str, Any]:
    """The report of one run. A run that was killed has the state ``stopped``. Raises UnknownName, Unreadable."""
    if name not in names(runs):
        raise unknown("run", name, names(runs)[:16])
    path = runs / name / REPORT
    try:
        report: dict[str, Any] = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise Unreadable(path=path, reason="the run wrote no report, or it is damaged") from error
    if report.get("state") == "running" and not is_held(runs / name / LOCK):
        report["state"] = "stopped"
    return report


def latest(runs: Path, most: int) -> list[dict[str, Any]]:
    """The reports of the newest ``most`` runs; one that has no report is told by its name only."""
    return [_read_or_name(runs, name) for name in names(runs)[:most]]


def _read_or_name(runs: Path, name: str) -> dict[str, Any]:
    try:
        return read(runs, name)
    except Unreadable:
        return {"run": name, "state": "stopped"}
