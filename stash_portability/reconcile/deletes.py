"""Deleting: a record goes only when it is what a plan saw, with all it refers to, and when nothing refers to it but
what this run takes away as well. It is journaled as it was just then, as a whole, so that an undo can make it again.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from ..kinds import KINDS, Field
from ..model import Change, Data, Source
from .check import State, current, differing, shown_of
from .coding import Digests
from .rules import HIERARCHY, TWO_ENDS, reference_fields, written


@dataclass(slots=True)
class Going:
    """What a run deletes: ``gone`` by kind, what it has deleted; ``doomed``: of the kind that is being deleted, what is
    going to be."""

    gone: dict[str, set[str]] = field(default_factory=dict)
    doomed: set[str] = field(default_factory=set)

    def note(self, kind: str, uid: str) -> None:
        """One that was deleted."""
        self.gone.setdefault(kind, set()).add(uid)


class Look(NamedTuple):
    """What one that is to be deleted is like; the change as it is journaled; how many others refer to it."""

    state: State
    change: Change
    referring: int = 0


def look(reader: Source, changes: Sequence[Change], digests: Digests, going: Going) -> list[Look]:
    """Look at what is to be deleted, all of one kind."""
    kind = changes[0].kind
    found = current(reader, kind, (change.uid for change in changes), KINDS[kind].names())
    shown = shown_of(reader, kind)
    looks = [_look(change, found.get(change.uid), Digests(digests.target, digests.target), (going, shown))
             for change in changes]  # fmt: skip
    going.doomed.difference_update(one.change.uid for one in looks if one.state == "moved")
    referring = _referring(reader, kind, {one.change.uid for one in looks if one.state == "as planned"}, going)
    return [
        one._replace(state="moved", referring=referring[one.change.uid]) if one.change.uid in referring else one
        for one in looks
    ]


def _referring(reader: Any, kind: str, uids: set[str], going: Going) -> dict[str, int]:
    """Which are referred to by what stays, and by how many. What stays for that keeps what it refers to, too."""
    found: dict[str, int] = {}
    ask = getattr(reader, "referrers", None)
    while ask is not None and uids:
        besides = going.doomed if kind in HIERARCHY else ()
        new = {uid: count for uid, count in ask(kind, sorted(uids), besides).items() if count}
        found |= new
        uids = uids - new.keys() if new and besides else set()
        going.doomed -= new.keys()
    return found


def _look(change: Change, now: Data | None, digests: Digests, known: tuple[Going, Collection[str]]) -> Look:
    going, shown = known
    if now is None:
        return Look("already", change)
    names = {one.name for one in written(change.kind)} - set(shown)
    held = {name: value for name, value in (change.before or {}).items() if name in names}
    moved = differing(change.kind, _left(change.kind, held, now, going.gone), now, digests)
    whole = {name: value for name, value in now.items() if name not in shown}
    of_plan = {one.name: held[one.name] for one, _ in reference_fields(change.kind) if one.name in held}
    return Look("moved" if moved else "as planned", change._replace(before={**whole, **of_plan}))


def _left(kind: str, held: Data, now: Data, gone: Mapping[str, set[str]]) -> dict[str, Any]:
    """What is left of what a record held, once what this run deleted is gone. Of two ends of one relation, the other
    one may have been taken away by this run."""
    out = dict(held)
    for one, part in reference_fields(kind):
        value, there = out.get(one.name), now.get(one.name)
        if not value:
            continue
        if one.name in TWO_ENDS.get(kind, ()) and {_uid(part, entry) for entry in there or ()} <= {
            _uid(part, entry) for entry in value
        }:
            out[one.name] = there
        elif one.many:
            lost = gone.get((part or one).of, ())
            out[one.name] = [entry for entry in value if _uid(part, entry) not in lost]
        elif value in gone.get(one.of, ()):
            out[one.name] = None
    return out


def _uid(part: Field | None, entry: Any) -> str:
    return str(entry[part.name] if part else entry)
