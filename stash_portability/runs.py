"""One folder a run, with what became of it: Stash shows a failed task as finished, and forgets the last ten.

``runs/<UTC stamp>-<kind>-<random>/report.json`` is written when a run is asked for, begins and ends, each time
whole, and only under the lock of that folder's reports: whoever changes a state looks first at what it is by then,
so that no outcome is lost to somebody who writes at the same time. A run that goes on holds another lock; one
that says it is running and holds none was killed. ``order.json`` is what a run was asked to do. Standard library
only.
"""

from __future__ import annotations

import errno
import json
import os
import re
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from .errors import Cancelled, Locked, NoSpace, OutputNotUsable, Stopped, Unreadable, UsageError, unknown
from .landing import announce, landed
from .oslock import held, is_held
from .traces import cut_short, left_by
from .wholefile import write_text, write_whole

VERSION = 1
REPORT, ORDER, LOCK, WRITING, CANCELLING = "report.json", "order.json", "lock", "writing", "cancelling"
PAGE = "report.html"
NAME = re.compile(r"\d{8}T\d{6}\.\d{3}Z-[a-z]+-[0-9a-f]{8}")
"""The time goes to the millisecond, so that names sort as the runs began."""
KEPT = ("job", "asked", "title", "archive", "plan", "undid")
"""Facts of a report that outlive its states."""
PAUSE, TRIES = 0.02, 200
"""Seconds between two looks at a lock somebody else has for a moment, and how many looks."""
ENDED = "it was ended before it was done (Stash was stopped, or its task was stopped there)"
KILLED = f"{ENDED}; run it again"


@dataclass(frozen=True, slots=True)
class Run:
    """A run that waits or goes on."""

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
        with told(self.folder), alone(self.folder / WRITING):
            kept = {key: value for key, value in _load_or_nothing(self.folder).items() if key in KEPT}
            early = cut_short(self.folder) if state in ("failed", "cancelled") else {}
            write_whole(self.folder / REPORT, {**kept, **self.about, "state": state, **early, **facts})

    def page(self, render: Callable[[Mapping[str, Any]], str]) -> None:
        """Keep the report of a run that is over as a page for a browser too; ``render`` gives it. What the disk refuses
        is let be: the page says nothing that the report does not."""
        with suppress(OSError, Unreadable):
            report = _load_report(self.folder)
            if report["state"] != "running":
                write_text(self.folder / PAGE, render(report))

    def announce(self, at: Path, final: Path, facts: Mapping[str, Any]) -> None:
        """Note that what lies ``at`` one path gets the name ``final`` in the next moment, and with which ``facts`` the
        run has finished once it has: it may be killed between the two. Raises NoSpace, OutputNotUsable."""
        with told(self.folder):
            announce(self.folder, at, final, facts)


@contextmanager
def begin(runs: Path, kind: str, now: datetime, token: bytes, title: str = "") -> Iterator[Run]:
    """Begin a run: make its folder, hold its lock, report it as running. ``token`` (4 random bytes) keeps two
    runs of one second apart. Raises NoSpace, OutputNotUsable; errors of what is done within pass as they are."""
    run = _new(runs, kind, now, token)
    run = Run(run.folder, {**run.about, "title": title, "started": iso(now), "pid": os.getpid()})
    with ExitStack() as stack:
        with told(run.folder):
            run.folder.mkdir(mode=0o700, parents=True)
            stack.enter_context(held(run.folder / LOCK))
        run.write("running")
        yield run


def queue(runs: Path, kind: str, now: datetime, token: bytes, order: Mapping[str, Any]) -> Run:
    """Make the folder of a run that a task will take over: its ``order`` (``title`` names it for people, ``about`` are
    facts that its report tells from now on, of KEPT), and a report that says it waits. Raises NoSpace, OutputNotUsable.
    """
    run = _new(runs, kind, now, token)
    asked = iso(now)
    facts = {"title": str(order.get("title", "")), **order.get("about", {}), "asked": asked, "started": asked}
    run = Run(run.folder, {**run.about, **facts})
    with told(run.folder):
        run.folder.mkdir(mode=0o700, parents=True)
        write_whole(run.folder / ORDER, {"version": VERSION, **order})
    run.write("queued")
    return run


@contextmanager
def take(runs: Path, name: str, kind: str, now: datetime) -> Iterator[Run]:
    """Take over a run that waits: hold its lock, report it as running. Raises UsageError for a name that is none
    or a run that does not wait, Cancelled for one that was cancelled, Locked, NoSpace, OutputNotUsable."""
    _check_name(runs, name)
    folder = runs / name
    with ExitStack() as stack:
        with told(folder):
            stack.enter_context(alone(folder / LOCK))
        before = read(runs, name)
        if before["state"] == "cancelled":
            raise Cancelled
        if before["state"] != "queued" or before.get("kind") != kind:
            what = f"{before.get('kind')}, {before['state']}"
            raise UsageError(f"the run {name} ({what}) cannot be begun as {kind}: only one that waits can")
        about = {key: value for key, value in before.items() if key in (*KEPT, "version", "run", "kind")}
        run = Run(folder, {**about, "started": iso(now), "pid": os.getpid()})
        if change(runs, name, ("queued",), "running", **run.about)["state"] != "running":
            raise Cancelled
        yield run


def change(
    runs: Path, name: str, only_from: Collection[str], state: str, *, tries: int = 0, **facts: Any
) -> dict[str, Any]:
    """Set the state and add facts to a report, if the run's state is one of ``only_from`` by then; give the report
    as it is after that. ``tries``: as ``alone``. Raises UnknownName, Unreadable, Locked, NoSpace, OutputNotUsable."""

    def how(before: Mapping[str, Any]) -> Mapping[str, Any]:
        return {"state": state, **facts} if before["state"] in only_from else {}

    return _mend(runs, name, how, tries)


def note(runs: Path, name: str, **facts: Any) -> dict[str, Any]:
    """Add facts to a report, whatever the run's state; give the report. Raises as ``change`` does."""
    return _mend(runs, name, lambda _: facts)


def settle(runs: Path, name: str, now: datetime) -> dict[str, Any]:
    """Write down what became of a run that was killed, if it was; give the report as it is after that. Raises as
    ``change``."""

    def over(before: Mapping[str, Any]) -> Mapping[str, Any]:
        if before["state"] != "running" or goes_on(runs, name):
            return {}
        return {**_killed(runs / name), "ended": iso(now)}

    return _mend(runs, name, over)


def mark_cancelling(runs: Path, name: str) -> None:
    """Note that somebody wants the run to end: when it is killed, it was cancelled. It takes no lock, because the run
    itself may hold that of its reports when it stands still. Raises UnknownName, NoSpace, OutputNotUsable."""
    _check_name(runs, name)
    with told(runs / name):
        (runs / name / CANCELLING).touch(mode=0o600)


def goes_on(runs: Path, name: str) -> bool:
    """Whether somebody holds the run's lock."""
    return is_held(runs / name / LOCK)


def _mend(
    runs: Path, name: str, how: Callable[[Mapping[str, Any]], Mapping[str, Any]], tries: int = 0
) -> dict[str, Any]:
    """Change a report by what ``how`` gives for it, alone with it."""
    _check_name(runs, name)
    folder = runs / name
    with told(folder), alone(folder / WRITING, tries):
        before = _load_report(folder)
        facts = how(before)
        if facts:
            write_whole(folder / REPORT, {**before, **facts})
    return {**before, **facts}


@contextmanager
def alone(path: Path, tries: int = 0) -> Iterator[None]:
    """Hold the lock on ``path``, waiting some seconds (or ``tries`` looks) for somebody who has it; raises Locked,
    OSError."""
    with ExitStack() as stack:
        for left in range(tries or TRIES, -1, -1):
            try:
                stack.enter_context(held(path))
                break
            except Locked:
                if not left:
                    raise
            time.sleep(PAUSE)
        yield


def _new(runs: Path, kind: str, now: datetime, token: bytes) -> Run:
    folder = runs / f"{stamp(now)[:-1]}.{now.microsecond // 1000:03}Z-{kind}-{token[:4].hex()}"
    return Run(folder, {"version": VERSION, "run": folder.name, "kind": kind})


@contextmanager
def told(folder: Path) -> Iterator[None]:
    """Tell what the disk refuses at ``folder``: raises NoSpace, OutputNotUsable in the place of OSError."""
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


def names(runs: Path) -> list[str]:
    """The names of all runs, the newest first."""
    if not runs.is_dir():
        return []
    return sorted((entry.name for entry in runs.iterdir() if NAME.fullmatch(entry.name)), reverse=True)


def read(runs: Path, name: str) -> dict[str, Any]:
    """The report of one run. One that was killed has the state ``stopped``, or ``cancelled`` if somebody had asked
    for it, or ``finished`` if what it made has its final name. Raises UnknownName, Unreadable."""
    _check_name(runs, name)
    report = _load_report(runs / name)
    if report["state"] == "running" and not goes_on(runs, name):
        report = _load_report(runs / name)  # it may have ended between the two looks
        if report["state"] == "running":
            report.update(_killed(runs / name))
    return report


def _killed(folder: Path) -> dict[str, Any]:
    """The facts of a run that was killed: finished, when what it made has its final name."""
    if facts := landed(folder):
        return {"state": "finished", **facts}
    if (folder / CANCELLING).exists():
        return {**cancelled(folder), **cut_short(folder)}
    left = left_by(kind_of(folder.name), folder)
    return {**outcome("stopped", Stopped(f"{ENDED}; {left}" if left else KILLED)), **cut_short(folder)}


def cancelled(folder: Path) -> dict[str, Any]:
    """The facts of the run in ``folder`` that was cancelled."""
    left = left_by(kind_of(folder.name), folder)
    return outcome("cancelled", Cancelled(left) if left else Cancelled())


def kind_of(name: str) -> str:
    """The kind of the run called ``name``."""
    return name.split("-")[1]


def outcome(state: str, problem: Stopped | Cancelled) -> dict[str, Any]:
    """The facts of a run that ended without having been done."""
    error = {"code": problem.code, "message": str(problem)}
    return {"state": state, "exit_code": problem.exit_code, "error": error}


def _check_name(runs: Path, name: str) -> None:
    """Raise UnknownName for what is no run: names come from pages of a browser."""
    if not (isinstance(name, str) and NAME.fullmatch(name) and (runs / name).is_dir()):
        raise unknown("run", str(name), names(runs)[:16])


def _load_report(folder: Path) -> dict[str, Any]:
    report = _load(folder / REPORT, "the run wrote no report, or it is damaged")
    return {"state": "stopped", **report, "run": folder.name}


def _load_or_nothing(folder: Path) -> dict[str, Any]:
    try:
        return _load_report(folder)
    except Unreadable:
        return {}


def _load(path: Path, otherwise: str) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise Unreadable(path=path, reason=otherwise) from error
    if not isinstance(found, dict):
        raise Unreadable(path=path, reason=otherwise)
    return found


def order(runs: Path, name: str) -> dict[str, Any]:
    """What a run was asked to do; raises UnknownName, Unreadable."""
    _check_name(runs, name)
    return _load(runs / name / ORDER, "the run has no order, or it is damaged")


def latest(runs: Path, most: int) -> list[dict[str, Any]]:
    """The reports of the newest ``most`` runs; one that has no report is told by its name only."""
    return [_read_or_name(runs, name) for name in names(runs)[:most]]


def _read_or_name(runs: Path, name: str) -> dict[str, Any]:
    try:
        return read(runs, name)
    except Unreadable:
        return {"run": name, "state": "stopped"}
