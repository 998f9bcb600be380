"""What becomes of records that only one side has: made, deleted, left as they are, or left for a person or a scan."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from ..kinds import PARTS_OF
from ..model import Ambiguity, Conflict, Data, Policy, Waiting
from .coding import decode, encode
from .links import Links
from .merge import same
from .prints import own_prints
from .references import References
from .rules import only_a_scan_makes, written
from .workset import Standing, Workset

_WHY_OWNER = {
    "wait": "its {kind} waits for a scan",
    "ambiguous": "which {kind} of the target is its own is not certain",
    "out": "its {kind} is not brought over",
}


class Scope(NamedTuple):
    """Which kinds are changed, whether the source holds only some of what it was made from, and what else is linked."""

    kinds: Sequence[str]
    chosen: bool
    links: Links


def decide(workset: Workset, kind: str, policy: Policy, scope: Scope) -> None:
    """Say for each record of ``kind`` without its like what becomes of it. Kinds it refers to come before."""
    references = References(workset)
    fates: list[tuple[str, str | None, int]] = []
    for number, uid, content, standing in list_alone(workset, kind, "source"):
        which, data = (kind, number, uid), decode(content)
        if standing == Standing.BROUGHT or scope.links.is_own(kind, standing):
            fate = _of_source(workset, which, data, policy, references)
        else:
            fate = _of_linked(workset, which, data, scope.links)
        fates.append((fate, f"new:{kind}:{number}" if fate == "create" else None, number))
        _keep(workset, fates, 1000)
    _keep(workset, fates, 1)
    if kind in scope.kinds and policy.base != "nothing" and "delete" in policy.allow:
        _decide_target(workset, kind, policy, scope.chosen)


def list_alone(workset: Workset, kind: str, side: str) -> Iterator[tuple[int, str, bytes, int]]:
    """The records of one side that are not paired: number, uid, data, and their standing."""
    sql = "SELECT id, uid, data, standing FROM record WHERE kind = ? AND side = ? AND goes IS NULL ORDER BY id"
    yield from workset.rows(sql, kind, side)


def _keep(workset: Workset, fates: list[tuple[str, str | None, int]], least: int) -> None:
    if len(fates) >= least:
        workset.many("UPDATE record SET fate = ?, goes = ? WHERE id = ?", fates)
        fates.clear()


def _of_source(
    workset: Workset, which: tuple[str, int, str], data: dict[str, Any], policy: Policy, references: References
) -> str:
    kind, _, uid = which
    if open_question := _open_question(workset, which):
        return _tell(workset, open_question, "ambiguous")
    if policy.base == "state" and (base := _agreed(workset, kind, "source", uid)) is not None:
        if unchanged(kind, base, references.translate(kind, data, None)):
            return "out"
        _tell(workset, Conflict(kind, uid, "", base, data, None, "source"), "")
    if kind in PARTS_OF and (fate := _of_owner(workset, which, data, policy)):
        return fate
    if why := only_a_scan_makes(kind, data):
        return _tell(workset, Waiting(kind, uid, why), "wait")
    return "create" if "create" in policy.allow else "out"


def _open_question(workset: Workset, which: tuple[str, int, str]) -> Ambiguity | None:
    kind, number, uid = which
    sql = "SELECT t.uid, m.why FROM maybe m JOIN record t ON t.id = m.target WHERE m.source = ? ORDER BY m.doubt, t.id"
    candidates = list(workset.rows(sql, number))
    if not candidates:
        return None
    return Ambiguity(kind, uid, tuple(row[0] for row in candidates), candidates[0][1])


def _of_linked(workset: Workset, which: tuple[str, int, str], data: Data, links: Links) -> str:
    """What is not brought over: when it refers to what is, it is told if it is not certain which record that is. One
    that is just not there has nothing to lose."""
    if any(links.cut(which[0], data).values()) and (open_question := _open_question(workset, which)):
        _tell(workset, open_question, "out")
    return "out"


def _of_owner(workset: Workset, which: tuple[str, int, str], data: Data, policy: Policy) -> str:
    """A part follows what it belongs to; "" when that is, or will be, there."""
    kind, _, uid = which
    owner, field = PARTS_OF[kind]
    sql = "SELECT coalesce(fate, '') FROM record WHERE kind = ? AND side = 'source' AND uid = ?"
    found = workset.one(sql, owner, data.get(field))
    fate = "out" if found is None else str(found)
    if fate in ("", "create"):
        return ""
    why = _WHY_OWNER[fate].format(kind=owner)
    if fate == "ambiguous":
        return _tell(workset, Ambiguity(kind, uid, (), why), fate)
    if fate == "wait" or (policy.base != "state" and "create" in policy.allow):
        return _tell(workset, Waiting(kind, uid, why), fate)
    return fate


def _decide_target(workset: Workset, kind: str, policy: Policy, chosen: bool) -> None:
    """What only the target has is deleted when the base has it as it is: then it is the source that took it away. What
    could be a record of the source stays, and what Stash never deletes, or only with more than itself."""
    fates, others = [], _other_files(workset, kind)
    for number, uid, content, _ in list_alone(workset, kind, "target"):
        if workset.one("SELECT EXISTS (SELECT 1 FROM maybe WHERE target = ?)", number):
            continue
        data = decode(content)
        if (chosen and not _owner_is_chosen(workset, kind, data)) or others & own_prints(data.get("files")):
            continue
        if policy.base == "target" or _owner_goes(workset, kind, data) or _taken_away(workset, kind, uid, data):
            fates.append(("kept" if _stays(workset, kind, data) else "delete", number))
    workset.many("UPDATE record SET fate = ? WHERE id = ?", (one for one in fates if kind != "config"))


def _other_files(workset: Workset, kind: str) -> set[tuple[str, str]]:
    """The fingerprints of further files of the source's records: in the target a scan makes records of those, which
    are not to be deleted for that."""
    found: set[tuple[str, str]] = set()
    if kind in ("scene", "image", "gallery"):
        sql = "SELECT data FROM record WHERE kind = ? AND side = 'source' AND json_array_length(data, '$.files') > 1"
        for (content,) in workset.rows(sql, kind):
            found |= own_prints(decode(content)["files"][1:])
    return found


def _owner_is_chosen(workset: Workset, kind: str, data: Data) -> bool:
    """Whether it is a part of what a record of the source, there for its own sake, is in the target."""
    if kind not in PARTS_OF:
        return False
    owner, field = PARTS_OF[kind]
    sql = (
        "SELECT s.standing FROM record t JOIN record s ON s.kind = t.kind AND s.side = 'source' AND s.uid = t.goes"
        " WHERE t.kind = ? AND t.side = 'target' AND t.uid = ?"
    )
    return bool(workset.one(sql, owner, data.get(field)) == 0)


def _stays(workset: Workset, kind: str, data: Data) -> bool:
    """Galleries of zips stay, with their images and chapters: Stash deletes all images along with one."""
    if kind == "gallery":
        return bool(data.get("files"))
    galleries = data.get("galleries") or () if kind == "image" else ()
    sql = "SELECT fate = 'kept' FROM record WHERE kind = 'gallery' AND side = 'target' AND uid = ?"
    return any(workset.one(sql, uid) for uid in galleries)


def _taken_away(workset: Workset, kind: str, uid: str, data: Data) -> bool:
    base = _agreed(workset, kind, "target", uid)
    if base is None:
        return False
    if unchanged(kind, base, data):
        return True
    _tell(workset, Conflict(kind, uid, "", base, None, data, "target"), "")
    return False


def _owner_goes(workset: Workset, kind: str, data: Data) -> bool:
    if kind not in PARTS_OF:
        return False
    owner, field = PARTS_OF[kind]
    sql = "SELECT fate = 'delete' FROM record WHERE kind = ? AND side = 'target' AND uid = ?"
    return bool(workset.one(sql, owner, data.get(field)))


def unchanged(kind: str, base: Data, data: Data) -> bool:
    """Whether a record still holds what it held, as far as both are known."""
    return all(same(field, base[field.name], data[field.name])
               for field in written(kind) if field.name in base and field.name in data)  # fmt: skip


def _agreed(workset: Workset, kind: str, side: str, uid: str) -> Any:
    sql = {
        "source": "SELECT data FROM base WHERE kind = ? AND source = ?",
        "target": "SELECT data FROM base WHERE kind = ? AND target = ?",
    }[side]
    content = workset.one(sql, kind, uid)
    return None if content is None else decode(content)


def _tell(workset: Workset, what: Ambiguity | Waiting | Conflict, fate: str) -> str:
    sql = "INSERT INTO found (what, kind, data) VALUES (?, ?, ?)"
    workset.run(sql, type(what).__name__, what.kind, encode(list(what)))
    return fate
