"""Writing a plan: in batches, each compared with the target before and after, and journaled. What moved since the plan
was made is never overwritten; what failed does not stop the rest. To go on after a crash is to plan and apply again.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import groupby

from ..errors import Braked, FatalError, NotAllWritten, PortabilityError, RecordError, Stopped
from ..model import Change, Data, Plan, Source, Writer, Written
from .check import current, differing, shown_of, states
from .coding import EACH_ITSELF, Digests
from .deletes import Going, Look, look
from .journal import Journal
from .resolve import NEW, Resolver
from .rules import HIERARCHY
from .tally import Tally

BATCH = 100
"""Changes read, written and read again together."""


@dataclass(frozen=True, slots=True)
class Ends:
    """The target: how it is read, how it is written; and what tells the images of both sides apart."""

    reader: Source
    writer: Writer
    digests: Digests = EACH_ITSELF


@dataclass(slots=True)
class Applied:
    """What came of a plan. ``counts``: by "kind op", what was written, change by change; ``records``: the same, each
    record once; ``already``: what was so before it was written.
    ``moved``: changed by somebody since the plan was made, and left alone. ``failed``: not written. ``partly``:
    written, but for some fields. ``differs``: written, and not what was asked for when it was read again."""

    counts: Counter[str] = field(default_factory=Counter)
    records: Tally = field(default_factory=Tally)
    already: int = 0
    moved: list[str] = field(default_factory=list)
    failed: list[PortabilityError] = field(default_factory=list)
    partly: list[PortabilityError] = field(default_factory=list)
    differs: list[str] = field(default_factory=list)
    made: dict[str, str] = field(default_factory=dict)
    """``new:…`` of the plan → the target's id."""


def apply(plan: Plan, ends: Ends, journal: Journal, accept: Iterable[str] = ()) -> Applied:
    """Write ``plan``. Raises Braked, with nothing written, for a brake that is not in ``accept``; a FatalError of the
    writer ends the run, after what is known was journaled."""
    accepted = set(accept)
    if held := [brake for brake in plan.brakes if brake.name not in accepted]:
        raise Braked("; ".join(f"{brake.name}: {brake.why}" for brake in held))
    run = _Run()
    for doomed, batch in _with_doomed(batches(plan.changes)):
        run.going.doomed = doomed
        _batch(run.resolver.resolve(batch, run.applied.failed), ends, journal, run)
    run.applied.made = run.resolver.made()
    return run.applied


@dataclass(frozen=True, slots=True)
class _Run:
    """What a run has done so far."""

    applied: Applied = field(default_factory=Applied)
    resolver: Resolver = field(default_factory=Resolver)
    going: Going = field(default_factory=Going)


def _with_doomed(found: Iterable[list[Change]]) -> Iterator[tuple[set[str], list[Change]]]:
    """Batches; those that delete records of one kind, which may refer to each other, with all that are deleted."""
    for (op, kind), several in groupby(found, lambda batch: (batch[0].op, batch[0].kind)):
        if op == "delete" and kind in HIERARCHY:
            together = list(several)
            doomed = {change.uid for batch in together for change in batch}
            yield from ((doomed, batch) for batch in together)
        else:
            yield from ((set(), batch) for batch in several)


def batches(changes: Iterable[Change]) -> Iterator[list[Change]]:
    """Changes of one kind and op, one after another, no record twice in a batch."""
    batch: list[Change] = []
    seen: set[str] = set()
    for change in changes:
        other = batch and (change.kind, change.op) != (batch[0].kind, batch[0].op)
        if batch and (other or len(batch) == BATCH or change.uid in seen):
            yield batch
            batch, seen = [], set()
        batch.append(change)
        seen.add(change.uid)
    if batch:
        yield batch


def _batch(changes: Sequence[tuple[str, Change]], ends: Ends, journal: Journal, run: _Run) -> None:
    todo = _to_do(changes, ends, run) if changes else []
    if not todo:
        return
    numbers = journal.intend([change for _, change in todo], [name for name, _ in todo])
    written = ends.writer.write([change for _, change in todo])
    journal.outcome(numbers, written)
    for (name, change), one in zip(todo, written, strict=True):
        _note(run.applied, name, change, one)
        if change.op == "create" and one.uid and not isinstance(one.error, FatalError):
            run.resolver.learn(change.kind, name, one.uid)
        if change.op == "delete" and one.error is None:
            run.going.note(change.kind, change.uid)
    _look_again(run.applied, todo, written, ends)
    _stop_if_lost(written)


def _to_do(changes: Sequence[tuple[str, Change]], ends: Ends, run: _Run) -> list[tuple[str, Change]]:
    """What is still to be written; what became of the others is noted."""
    todo, applied = [], run.applied
    for (name, change), one in zip(changes, _looks(changes, ends, run), strict=True):
        if one.state == "as planned":
            todo.append((name, one.change))
        elif one.state == "already":
            applied.already += 1
        else:
            applied.moved.append(f"{change.kind} {change.uid or name}{_used(one.referring)}")
    return todo


def _used(count: int) -> str:
    records = "1 record refers" if count == 1 else f"{count:,} records refer"
    return f" ({records} to it now)" if count else ""


def _looks(named: Sequence[tuple[str, Change]], ends: Ends, run: _Run) -> list[Look]:
    """What each record is like. One that is to be made anew under the id it had may never have been deleted."""
    changes = [change for _, change in named]
    kind, op = changes[0].kind, changes[0].op
    if op == "delete":
        return look(ends.reader, changes, ends.digests, run.going)
    if op == "update":
        found = states(ends.reader, changes, ends.digests)
        return [Look(state, change) for state, change in zip(found, changes, strict=True)]
    olds = [name for name, _ in named if not name.startswith(NEW)]
    there = current(ends.reader, kind, olds, {"id"}) if olds else {}
    return [Look("already" if name in there else "as planned", change) for name, change in named]


def _note(applied: Applied, name: str, change: Change, one: Written) -> None:
    if one.error is None or isinstance(one.error, NotAllWritten):
        applied.counts[f"{change.kind} {change.op}"] += 1
        applied.records.note(change.kind, name, change.op)
    if isinstance(one.error, NotAllWritten):
        applied.partly.append(one.error)
    elif isinstance(one.error, RecordError) and not change.uid:
        applied.failed.append(type(one.error)(**{**one.error.words, "uid": name}))
    elif one.error is not None:
        applied.failed.append(one.error)


def _look_again(applied: Applied, todo: Sequence[tuple[str, Change]], written: Sequence[Written], ends: Ends) -> None:
    """Read what was written again, and compare it with what was asked for."""
    pairs = [(change, one.uid) for (_, change), one in zip(todo, written, strict=True) if one.error is None]
    if not pairs:
        return
    kind, op = pairs[0][0].kind, pairs[0][0].op
    fields = {name for change, _ in pairs for name in change.after or {"id": None}}
    now, shown = current(ends.reader, kind, (uid for _, uid in pairs), fields), shown_of(ends.reader, kind)
    for change, uid in pairs:
        if op == "delete" or uid not in now:
            if (uid in now) is (op == "delete"):
                applied.differs.append(f"{kind} {uid} is {'still there' if op == 'delete' else 'not there'}")
        elif names := differing(kind, _visible(change, shown), now[uid], ends.digests):
            applied.differs.append(f"{kind} {uid}: {', '.join(names)}")


def _visible(change: Change, shown: Collection[str]) -> Data:
    """What can be seen of a change once it is written: not that a field was emptied, where a value is shown for it."""
    return {name: value for name, value in (change.after or {}).items() if value is not None or name not in shown}


def _stop_if_lost(written: Sequence[Written]) -> None:
    lost = [one.error for one in written if isinstance(one.error, FatalError)]
    for error in lost:
        if not isinstance(error, Stopped):
            raise error
    if lost:
        raise lost[0]
