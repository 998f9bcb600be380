"""What is to be written so that the target becomes what the merge says: changes in their order, conflicts, what is not
certain and what waits for a scan. Reads and writes the workset only.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from ..model import Ambiguity, Change, Conflict, Data, Plan, Policy, Waiting
from .brakes import Capability, Circumstances, brakes
from .changes import Phase, add_change, split
from .circles import break_circles
from .coding import decode, encode, unpack
from .fate import Scope, decide
from .links import Links
from .match import match
from .merge import Sides, merge, strategy
from .parking import park
from .possible import Cannot, Possible
from .prints import merge_prints
from .references import References
from .room import Room, forget_late_waiting, wait_for_images, wait_for_named
from .rules import ORDER, unparked, written
from .taken import settle
from .unlink import unlink
from .workset import Workset


@dataclass(frozen=True, slots=True)
class Task:
    """What a plan is for. ``kinds``: only these are changed; the others are only matched, so that references hold.
    ``base_counts``, ``same_instance`` and ``replaced`` are what is known for the brakes. ``cannot``: what the target
    cannot be given (possible.Cannot); it is never planned, and counted in Plan.not_restored. ``links``: the fields that
    are updated all the same of records that are not brought over: of other kinds, and not chosen. ``chosen``: only some
    records of the source are brought over, so that a missing one says nothing: only parts (markers, chapters) of theirs
    are deleted, and only references to them are links."""

    capability: Capability
    kinds: Sequence[str] = ORDER
    base_counts: dict[str, int] = field(default_factory=dict)
    same_instance: bool = False
    replaced: bool = False
    cannot: Cannot = field(default_factory=dict)
    links: Mapping[str, frozenset[str]] = field(default_factory=dict)
    chosen: bool = False


class _Bench(NamedTuple):
    """What the parts of a plan are made with."""

    workset: Workset
    policy: Policy
    task: Task
    references: References
    links: Links
    possible: Possible
    tally: Counter[str]


def make_plan(workset: Workset, policy: Policy, task: Task) -> Plan:
    """Match, merge and order. ``workset`` holds both sides (and what they agreed on, for the base "state")."""
    match(workset)
    links = Links(workset, task.links, task.kinds, task.chosen)
    for kind in ORDER:
        decide(workset, kind, policy, Scope(task.kinds, task.chosen, links))
    bench = _compose(workset, policy, task)
    while settle(workset, bench.tally):
        bench = _compose(workset, policy, task)
    break_circles(workset, bench.tally)
    park(workset)
    counts = {name: count for name, count in bench.tally.items() if count}
    facts = _circumstances(workset, policy, task, bench.tally)
    return Plan(
        _Changes(workset), _Found(workset, Conflict), _Found(workset, Ambiguity), _Found(workset, Waiting),
        counts, brakes(facts), dict(sorted(bench.possible.lost.items())),
    )  # fmt: skip


def _compose(workset: Workset, policy: Policy, task: Task) -> _Bench:
    """Fill the plan with changes; count them. What was planned before is forgotten."""
    workset.run("DELETE FROM change")
    workset.run("DELETE FROM found WHERE what = 'Conflict' AND json_extract(data, '$[2]') <> ''")
    forget_late_waiting(workset)
    possible = Possible(task.cannot, policy.base != "nothing")
    links = Links(workset, task.links, task.kinds, task.chosen)
    bench = _Bench(workset, policy, task, References(workset), links, possible, Counter[str]())
    for kind in ORDER:
        if kind in task.kinds or kind in task.links:
            _merge_pairs(bench, kind)
        _create(bench, kind)
        if kind in task.kinds:
            _delete(bench, kind)
    unlink(workset, bench.tally, bench.possible.lost)
    bench.tally["references left out"] = bench.references.left_out
    return bench


def _merge_pairs(bench: _Bench, kind: str) -> None:
    rows = bench.workset.rows(
        "SELECT s.data, s.standing, t.uid, t.data, b.data FROM record s"
        " JOIN record t ON t.kind = s.kind AND t.side = 'target' AND t.uid = s.goes AND t.goes = s.uid"
        " LEFT JOIN base b ON b.kind = s.kind AND b.source = s.uid AND b.target = t.uid"
        " WHERE s.kind = ? AND s.side = 'source' AND s.fate IS NULL AND (s.standing = 0 OR ?) ORDER BY t.id",
        kind,
        kind in bench.task.links,
    )
    for ours, standing, uid, theirs, agreed in rows:
        data, held = decode(ours), decode(theirs)
        if bench.links.is_own(kind, standing):
            _merge_pair(bench, (kind, uid), data, held, decode(agreed) if agreed else None)
        else:
            _link_pair(bench, (kind, uid), bench.links.cut(kind, data), held)


def _merge_pair(bench: _Bench, which: tuple[str, str], ours: Any, held: Any, agreed: Any) -> None:
    kind, uid = which
    target, policy = _unparked(held, uid), bench.policy
    if kind == "saved_filter" and (lost := bench.references.lost(ours)):
        sql = "SELECT goes FROM record WHERE kind = ? AND side = 'target' AND uid = ?"
        wait_for_named(bench.workset, bench.workset.one(sql, kind, uid), lost)
        ours = {name: value for name, value in ours.items() if name != "object_filter"}
    source = bench.possible.narrow(kind, bench.references.translate(kind, ours, target), target)
    base = target if policy.base == "target" else agreed if policy.base == "state" else None
    changes = _merged(bench, which, Sides(kind, base, source, target), policy)
    if target is not held:
        changes = {"name": target["name"], **changes}
    if files := _with_prints(bench, which, source, target):
        changes["files"] = files
    _update(bench, which, held, changes)


def _link_pair(bench: _Bench, which: tuple[str, str], links: dict[str, Any], held: dict[str, Any]) -> None:
    """Write of a record that is not brought over what refers to records that are. Where only some of those are, that
    another reference is missing says nothing, and none takes the place of one that is there."""
    kind, _ = which
    source = bench.possible.narrow(kind, bench.references.translate(kind, links, held), held)
    policy = Policy() if bench.task.chosen else bench.policy
    base = held if policy.base == "target" else None
    _update(bench, which, held, _merged(bench, which, Sides(kind, base, source, held), policy))


def _merged(bench: _Bench, which: tuple[str, str], sides: Sides, policy: Policy) -> dict[str, Any]:
    """What a merge changes; its conflicts are told."""
    merged = merge(sides, policy)
    for clash in merged.clashes:
        _tell(bench.workset, Conflict(*which, clash.field, clash.base, clash.source, clash.target, clash.chosen))
    bench.tally["conflicts"] += len(merged.clashes)
    bench.tally["records in conflict"] += bool(merged.clashes)
    return bench.possible.cut(sides.kind, merged.changes, sides.target)


def _update(bench: _Bench, which: tuple[str, str], held: dict[str, Any], changes: dict[str, Any]) -> None:
    kind, uid = which
    if changes and "update" in bench.policy.allow:
        bench.tally[f"{kind} update"] += 1
        split(bench.workset, kind, uid, {name: held[name] for name in changes}, changes)


def _with_prints(bench: _Bench, which: tuple[str, str], source: Data, target: Data) -> list[dict[str, Any]] | None:
    """The target's files with fingerprints that only the source has, or that count more there; None: as they are."""
    ours, theirs, policy = source.get("files"), target.get("files"), bench.policy
    if not ours or not theirs or ours == theirs:
        return None
    take = policy.base == "target" or strategy(policy, which[0], "files") == "source"
    files, differs = merge_prints(ours, theirs, take)
    if differs and policy.base == "nothing":
        _tell(bench.workset, Conflict(*which, "files", None, ours, theirs, "target"))
        bench.tally["conflicts"] += 1
    return files


def _unparked(held: dict[str, Any], uid: str) -> dict[str, Any]:
    """A record as it was before a run that did not end parked its name; itself when none did."""
    name = unparked(held.get("name"), uid)
    return held if name == held.get("name") else {**held, "name": name}


def _create(bench: _Bench, kind: str) -> None:
    names = {one.name for one in written(kind)}
    sql = "SELECT uid, goes, data FROM record WHERE kind = ? AND side = 'source' AND fate = 'create' ORDER BY id"
    room = None
    for ours, uid, content in bench.workset.rows(sql, kind):
        if kind == "saved_filter" and (lost := bench.references.lost(decode(content))):
            wait_for_named(bench.workset, ours, lost)
            continue
        data = bench.references.translate(kind, decode(content), None)
        if kind == "chapter":
            room = room or Room(bench.workset)
            if not room.has(data):
                wait_for_images(bench.workset, ours)
                continue
        data = bench.possible.narrow(kind, data, None)
        bench.tally[f"{kind} create"] += 1
        split(bench.workset, kind, uid, None, {name: value for name, value in data.items() if name in names})


def _delete(bench: _Bench, kind: str) -> None:
    sql = "SELECT uid, data FROM record WHERE kind = ? AND side = 'target' AND fate = ? ORDER BY id DESC"
    for uid, content in bench.workset.rows(sql, kind, "delete"):
        bench.tally[f"{kind} delete"] += 1
        add_change(bench.workset, Phase.DELETE, Change("delete", kind, uid, decode(content), None))
    if kept := sum(1 for _ in bench.workset.rows(sql, kind, "kept")):
        bench.possible.lost[f"{kind}.delete"] = kept


def _tell(workset: Workset, what: Conflict) -> None:
    workset.run("INSERT INTO found (what, kind, data) VALUES ('Conflict', ?, ?)", what.kind, encode(list(what)))


def _circumstances(workset: Workset, policy: Policy, task: Task, tally: Counter[str]) -> Circumstances:
    sizes = {side: {kind: workset.count(side, kind) for kind in task.kinds} for side in ("source", "target")}
    base = task.base_counts or (sizes["target"] if policy.base == "target" and not task.chosen else {})
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
