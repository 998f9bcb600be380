"""Writing a plan into a Stash, for a restore and for taking one back: alone, after a restore point, with a journal, and
with a report of what came of it.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO, Any, NamedTuple

from .errors import Braked, PortabilityError, RecordError, Stopped, unknown
from .identity import REPLACED, signs_of
from .means import Means
from .model import Blob, Change, Plan, Progress, Report
from .oslock import held
from .points import ACCEPT, beyond_undo, make_point, no_way_back, wants_point
from .reconcile.apply import Applied, Ends, apply
from .reconcile.coding import Digest, Digests
from .reconcile.images import digests as digests_of
from .reconcile.journal import Journal
from .reconcile.tally import Tally
from .runs import iso, told
from .target import OpenImage, Target
from .traces import IN_JOURNAL, WRITTEN
from .wholefile import write_whole

WRITER = "writer"
"""The lock that whoever writes into a Stash holds, in the state of the data folder."""
BRAKES = (
    "source-empty", "target-empty", "many-deletes", REPLACED, "same-instance", "many-conflicts",
    "unknown-creates", ACCEPT,
)  # fmt: skip
"""What ``--accept`` may name."""
MOST_TOLD = 200
"""Records that were left alone or failed, told one by one."""


class Asked(NamedTuple):
    """A run whose plan is to be written, or whose writing is to be taken back, and the brakes that are accepted.
    ``named`` is how the command line finds the run, when its name does not do."""

    run: Path
    accept: Collection[str] = ()
    named: str = ""

    @property
    def name(self) -> str:
        """What a command takes for the run."""
        return self.named or self.run.name


class Work(NamedTuple):
    """A plan, where it is written, the folder of the run that does it, what opens the images its changes name, and what
    tells images apart. ``facts`` are kept for whoever takes the run back."""

    plan: Plan
    target: Target
    folder: Path
    images: OpenImage
    digests: Digests
    facts: Mapping[str, Any]


def check_brakes(plan: Plan, accept: Collection[str], how: str) -> None:
    """Raise Braked for a brake of ``plan`` that is not accepted, telling ``how`` it can be; UnknownName for an
    accepted one that does not exist."""
    for name in accept:
        if name not in BRAKES:
            raise unknown("brake", name, BRAKES)
    held_ = [brake for brake in plan.brakes if brake.name not in accept]
    if held_:
        why = "; ".join(f"{brake.name}: {brake.why}" for brake in held_)
        raise Braked(f"{why}. When that is meant: {how} {' '.join(f'--accept {brake.name}' for brake in held_)}")


@contextmanager
def one_writer(runs: Path) -> Iterator[None]:
    """Be the only one who writes into a Stash, of the data folder that ``runs`` is in. Raises Locked."""
    with told(runs), held(lock_of(runs)):
        yield


def lock_of(runs: Path) -> Path:
    """The lock of whoever writes."""
    return runs.parent / "state" / WRITER


def write(work: Work, accept: Collection[str], progress: Progress, means: Means, report: Report) -> Applied:
    """Write a plan and tell in ``report`` what came of it. Raises Braked when there can be no restore point; Stopped
    when it is cancelled, and the errors of the target: what was written by then is in the journal."""
    begun = means.clock()
    if wants_point(work.plan):
        progress.phase("restore point", None)
        report.point = make_point(work.target, ACCEPT in accept)
        if not report.point:
            report.notes.append(f"no copy of the database was made; {_way_back(work.plan, accept)}")
    _note(work, report)
    total = sum(count for name, count in work.plan.counts.items() if is_operation(name))
    progress.phase("writing", total)
    plan = replace(work.plan, changes=_Told(work.plan.changes, progress.advance))
    ends = Ends(work.target.reader, work.target.writer(work.images), work.digests)
    opening = _or_nothing(work.target.open_image)
    with told(work.folder), Journal(work.folder, lambda: iso(means.now()), work.digests, opening) as journal:
        try:
            applied = apply(plan, ends, journal, BRAKES)
        except KeyboardInterrupt as stop:
            raise Stopped(f"cancelled; {IN_JOURNAL}") from stop
    report.seconds["writing"] = round(means.clock() - begun, 3)
    _tell(applied, report)
    with suppress(PortabilityError):  # what it had before was deleted, perhaps; all is written, whatever comes of this
        _note(work._replace(facts={**work.facts, "instance": signs_of(work.target.reader)}), report)
    return applied


def _way_back(plan: Plan, accept: Collection[str]) -> str:
    """What there is instead of a restore point. Raises Braked when that is not all, unless it is accepted."""
    deleted = beyond_undo(plan)
    if not deleted:
        return "the journal of this run is the way back: undo"
    if ACCEPT not in accept:
        raise Braked(f"{ACCEPT}: {no_way_back(deleted)}. When that is meant: --accept {ACCEPT}")
    return f"undo takes back what this run wrote, but not that it deleted {deleted}: only a scan makes them"


def _note(work: Work, report: Report) -> None:
    """Keep what whoever takes this run back needs to know."""
    with told(work.folder):
        write_whole(work.folder / WRITTEN, {"version": 1, **work.facts, "point": report.point})


def is_operation(name: str) -> bool:
    """Whether a count of a plan is one of changes ("tag create")."""
    return name.rsplit(maxsplit=1)[-1] in ("create", "update", "delete")


@dataclass(frozen=True, slots=True)
class _Told:
    """Changes that tell of how many records they are, as they are looked at."""

    changes: Iterable[Change]
    advance: Callable[[int], None]

    def __iter__(self) -> Iterator[Change]:
        tally = Tally()
        for change in self.changes:
            yield change
            if tally.note(change.kind, change.uid, change.op):
                self.advance(1)


def target_digest(target: Target, known: Callable[[Blob], str | None]) -> Digest:
    """What tells the images of ``target`` apart; ``known`` are digests from when a plan was made."""
    read = digests_of(_or_nothing(target.open_image))

    def digest(blob: Blob) -> str:
        return known(blob) or read(blob)

    return digest


def _or_nothing(open_image: Callable[[Blob], IO[bytes]]) -> Callable[[Blob], IO[bytes]]:
    """An image that the target has lost is like none: nothing can be kept of it."""

    def opening(blob: Blob) -> IO[bytes]:
        try:
            return open_image(blob)
        except RecordError:
            return io.BytesIO(b"")

    return opening


def _tell(applied: Applied, report: Report) -> None:
    report.changes = applied.records.counts()
    report.undoable = bool(applied.counts)
    moved, failed = applied.moved, [str(error) for error in applied.failed]
    partly = [str(error) for error in applied.partly]
    counts = {"moved": moved, "failed": failed, "partly": partly, "differ": applied.differs}
    report.decisions |= {name: len(found) for name, found in counts.items()}
    lines = [
        *(f"{one} was changed by somebody since the plan was made, and is left alone" for one in moved),
        *failed,
        *partly,
        *(f"not as it was written: {one}" for one in applied.differs),
    ]
    report.skipped += lines[:MOST_TOLD]
    if len(lines) > MOST_TOLD:
        report.remarks.append(f"{len(lines) - MOST_TOLD:,} more are only counted")
    if applied.already:
        report.notes.append(f"{applied.already:,} changes were there already")
