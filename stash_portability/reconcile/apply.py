"""Writing a plan: in batches, each compared with the target before and after, and journaled. What moved since the plan
was made is never overwritten; what failed does not stop the rest. To go on after a crash is to plan and apply again.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from ..errors import Braked, FatalError, NotAllWritten, PortabilityError, RecordError, Stopped
from ..model import Change, Data, Plan, Source, Writer, Written
from .check import current, differing, shown_of, states
from .coding import EACH_ITSELF, Digests
from .journal import Journal
from .resolve import Resolver
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
    applied, resolver = Applied(), Resolver()
    for batch in batches(plan.changes):
        _batch(resolver.resolve(batch, applied.failed), ends, journal, (applied, resolver))
    applied.made = resolver.made()
    return applied


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


def _batch(changes: Sequence[tuple[str, Change]], ends: Ends, journal: Journal, kept: tuple[Applied, Resolver]) -> None:
    applied, resolver = kept
    found = states(ends.reader, [change for _, change in changes], ends.digests)
    todo: list[tuple[str, Change]] = []
    for (name, change), state in zip(changes, found, strict=True):
        if state == "as planned":
            todo.append((name, change))
        elif state == "already":
            applied.already += 1
        else:
            applied.moved.append(f"{change.kind} {change.uid or name}")
    if not todo:
        return
    numbers = journal.intend([change for _, change in todo])
    written = ends.writer.write([change for _, change in todo])
    journal.outcome(numbers, written)
    for (name, change), one in zip(todo, written, strict=True):
        _note(applied, name, change, one)
        if change.op == "create" and one.uid and not isinstance(one.error, FatalError):
            resolver.learn(change.kind, name, one.uid)
    _look_again(applied, todo, written, ends)
    _stop_if_lost(written)


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
