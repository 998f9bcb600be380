"""What is to be written so that the target becomes what the merge says: changes in their order, conflicts, what is not
certain and what waits for a scan. Reads and writes the workset only.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..model import Ambiguity, Change, Conflict, Plan, Policy, Waiting
from .brakes import Capability, Circumstances, brakes
from .changes import Phase, add_change, split
from .coding import decode, encode, unpack
from .fate import decide
from .match import match
from .merge import Sides, merge
from .parking import park
from .references import References
from .rules import ORDER, unparked, written
from .taken import settle
from .workset import Workset


@dataclass(frozen=True, slots=True)
class Task:
    """What a plan is for. ``kinds``: only these are changed; the others are only matched, so that references hold.
    ``base_counts``, ``same_instance`` and ``replaced`` are what is known for the brakes."""

    capability: Capability
    kinds: Sequence[str] = ORDER
    base_counts: dict[str, int] = field(default_factory=dict)
    same_instance: bool = False
    replaced: bool = False


def make_plan(workset: Workset, policy: Policy, task: Task) -> Plan:
    """Match, merge and order. ``workset`` holds both sides (and what they agreed on, for the base "state")."""
    match(workset)
    for kind in ORDER:
        decide(workset, kind, policy, task.kinds)
    tally = _compose(workset, policy, task)
    while settle(workset, tally):
        tally = _compose(workset, policy, task)
    park(workset)
    counts = {name: count for name, count in tally.items() if count}
    facts = _circumstances(workset, policy, task, tally)
    return Plan(
        _Changes(workset), _Found(workset, Conflict), _Found(workset, Ambiguity), _Found(workset, Waiting),
        counts, brakes(facts),
    )  # fmt: skip


def _compose(workset: Workset, policy: Policy, task: Task) -> Counter[str]:
    """Fill the plan with changes; count them. What was planned before is forgotten."""
    workset.run("DELETE FROM change")
    workset.run("DELETE FROM found WHERE what = 'Conflict' AND json_extract(data, '$[2]') <> ''")
    references, tally = References(workset), Counter[str]()
    for kind in ORDER:
        if kind in task.kinds:
            _merge_pairs(workset, kind, policy, references, tally)
            _create(workset, kind, references, tally)
            _delete(workset, kind, tally)
    tally["references left out"] = references.left_out
    return tally


def _merge_pairs(workset: Workset, kind: str, policy: Policy, references: References, tally: Counter[str]) -> None:
    rows = workset.rows(
        "SELECT s.data, t.uid, t.data, b.data FROM record s"
        " JOIN record t ON t.kind = s.kind AND t.side = 'target' AND t.uid = s.goes AND t.goes = s.uid"
        " LEFT JOIN base b ON b.kind = s.kind AND b.source = s.uid AND b.target = t.uid"
        " WHERE s.kind = ? AND s.side = 'source' AND s.fate IS NULL ORDER BY t.id",
        kind,
    )
    for ours, uid, theirs, agreed in rows:
        held = decode(theirs)
        target = _unparked(held, uid)
        source = references.translate(kind, decode(ours), target)
        base = target if policy.base == "target" else decode(agreed) if policy.base == "state" and agreed else None
        merged = merge(Sides(kind, base, source, target), policy)
        for clash in merged.clashes:
            _tell(workset, Conflict(kind, uid, clash.field, clash.base, clash.source, clash.target, clash.chosen))
        tally["conflicts"] += len(merged.clashes)
        tally["records in conflict"] += bool(merged.clashes)
        changes = merged.changes if target is held else {"name": target["name"], **merged.changes}
        if changes and "update" in policy.allow:
            tally[f"{kind} update"] += 1
            split(workset, kind, uid, {name: held[name] for name in changes}, changes)


def _unparked(held: dict[str, Any], uid: str) -> dict[str, Any]:
    """A record as it was before a run that did not end parked its name; itself when none did."""
    name = unparked(held.get("name"), uid)
    return held if name == held.get("name") else {**held, "name": name}


def _create(workset: Workset, kind: str, references: References, tally: Counter[str]) -> None:
    names = {one.name for one in written(kind)}
    rows = workset.rows(
        "SELECT goes, data FROM record WHERE kind = ? AND side = 'source' AND fate = 'create' ORDER BY id", kind
    )
    for uid, content in rows:
        data = references.translate(kind, decode(content), None)
        tally[f"{kind} create"] += 1
        split(workset, kind, uid, None, {name: value for name, value in data.items() if name in names})


def _delete(workset: Workset, kind: str, tally: Counter[str]) -> None:
    rows = workset.rows(
        "SELECT uid, data FROM record WHERE kind = ? AND side = 'target' AND fate = 'delete' ORDER BY id DESC", kind
    )
    for uid, content in rows:
        tally[f"{kind} delete"] += 1
        add_change(workset, Phase.DELETE, Change("delete", kind, uid, decode(content), None))


def _tell(workset: Workset, what: Conflict) -> None:
    workset.run("INSERT INTO found (what, kind, data) VALUES ('Conflict', ?, ?)", what.kind, encode(list(what)))


def _circumstances(workset: Workset, policy: Policy, task: Task, tally: Counter[str]) -> Circumstances:
    sizes = {side: {kind: workset.count(side, kind) for kind in task.kinds} for side in ("source", "target")}
    base = task.base_counts or (sizes["target"] if policy.base == "target" else {})
    deletes = {kind: tally[f"{kind} delete"] for kind in task.kinds}
    return Circumstances(
        task.capability, sizes["source"], sizes["target"], base, deletes, policy.max_delete,
        tally["records in conflict"], _changed(workset), task.same_instance, task.replaced,
    )  # fmt: skip


def _changed(workset: Workset) -> int:
    """How many records are changed or in conflict."""
    return int(workset.one(
        "SELECT count(*) FROM (SELECT kind, uid FROM change UNION SELECT kind, json_extract(data, '$[1]') FROM found"
        " WHERE what = 'Conflict')"
    ))  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Changes:
    """The changes of a plan, in order, from the workset."""

    workset: Workset

    def __iter__(self) -> Iterator[Change]:
        rows = self.workset.rows("SELECT op, kind, uid, before, after FROM change ORDER BY phase, rank, id")
        for op, kind, uid, before, after in rows:
            datas = [None if content is None else unpack(kind, decode(content)) for content in (before, after)]
            yield Change(op, kind, uid, datas[0], datas[1])


@dataclass(frozen=True, slots=True)
class _Found:
    """What was found on the way, of one type."""

    workset: Workset
    type: Any

    def __iter__(self) -> Iterator[Any]:
        sql = "SELECT data FROM found WHERE what = ? ORDER BY id"
        for (content,) in self.workset.rows(sql, self.type.__name__):
            values = decode(content)
            yield self.type(*(tuple(value) if name == "candidates" else value
                              for name, value in zip(self.type._fields, values, strict=True)))  # fmt: skip
