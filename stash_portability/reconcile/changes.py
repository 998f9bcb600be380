"""Changes on their way into the plan: each in its phase, so that whatever it needs is there when it is written."""

from __future__ import annotations

from enum import IntEnum
from typing import Any

from ..model import Change
from .coding import encode
from .rules import HIERARCHY, LINKS, ORDER, RANK
from .workset import Workset


class Phase(IntEnum):
    """What is written when: names out of the way, links away, records kind by kind, links, deletes."""

    PARK = 0
    UNLINK = 1
    WRITE = 2
    LINK = 3
    DELETE = 4


def add_change(workset: Workset, phase: Phase, change: Change) -> None:
    """Take a change into the plan."""
    rank = RANK[change.kind] * 2 + (change.op == "update")
    if phase is Phase.DELETE:
        rank = 2 * len(ORDER) - rank
    before, after = (None if data is None else encode(data) for data in change[3:])
    workset.run(
        "INSERT INTO change (phase, rank, op, kind, uid, before, after) VALUES (?, ?, ?, ?, ?, ?, ?)",
        int(phase), rank, change.op, change.kind, change.uid, before, after,
    )  # fmt: skip


def split(workset: Workset, kind: str, uid: str, before: dict[str, Any] | None, after: dict[str, Any]) -> None:
    """Take what becomes of one record into the plan: itself, and apart from it the links that need others to be there.
    ``before`` None: it is to be made."""
    links = {name: after[name] for name in LINKS.get(kind, ()) if name in after}
    plain = {name: value for name, value in after.items() if name not in links}
    had = {name: (before[name] if before is not None else _nothing(after[name])) for name in links}
    if before is None:
        bare = {name: had.get(name, value) for name, value in after.items()}
        add_change(workset, Phase.WRITE, Change("create", kind, uid, None, bare))
        links = {name: value for name, value in links.items() if value not in (None, [])}
    elif plain:
        was = {name: before[name] for name in plain}
        add_change(workset, Phase.WRITE, Change("update", kind, uid, was, plain))
    if before is not None and (name := HIERARCHY.get(kind)) in links:
        _unlink(workset, Change("update", kind, uid, {name: had[name]}, {name: links[name]}), had)
        links = {name: value for name, value in links.items() if value != had[name]}
    if links:
        was = {name: had[name] for name in links}
        add_change(workset, Phase.LINK, Change("update", kind, uid, was, links))


def _nothing(value: Any) -> Any:
    return [] if isinstance(value, list) else None


def _unlink(workset: Workset, change: Change, had: dict[str, Any]) -> None:
    """Take away what is to go, before anything is added; then ``had`` is what is left."""
    [(name, old)], [(_, new)] = (change.before or {}).items(), (change.after or {}).items()
    left = _left(old, new)
    if left != old:
        add_change(workset, Phase.UNLINK, change._replace(after={name: left}))
        had[name] = left


def _left(old: Any, new: Any) -> Any:
    if not isinstance(old, list):
        return None if old != new else old
    kept = {_member(entry) for entry in new}
    return [entry for entry in old if _member(entry) in kept]


def _member(entry: Any) -> str:
    return str(entry["group"] if isinstance(entry, dict) else entry)
