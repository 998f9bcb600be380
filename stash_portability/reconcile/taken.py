"""Names two records would have in the end: who has it in the target keeps it, a name goes before an alias; the other
does without, and that is told. So a plan never asks for what Stash must refuse, and a second run asks for nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ..model import Ambiguity, Conflict, Data
from .changes import Phase
from .coding import decode, encode
from .rules import UNIQUE_NAMES, fold
from .workset import Workset

WANTED, HELD = 0, 1

_FINAL = """
SELECT value, uid, field, EXISTS (
  SELECT 1 FROM token h WHERE h.value = t.value AND h.uid = t.uid AND h.held = 1) AS has
FROM token t WHERE (held = 0 OR (held = 1 AND uid NOT IN (SELECT uid FROM token WHERE held = 0)))
  AND uid NOT IN (SELECT uid FROM change WHERE kind = ? AND op = 'delete')
"""
"""Who has which name once all is written: those that are changed as they will be, the others as they are."""

_LOSERS = f"""
SELECT value, uid, field, winner FROM (
  SELECT value, uid, field,
    first_value(uid) OVER w AS winner
  FROM ({_FINAL})
  WINDOW w AS (PARTITION BY value ORDER BY has DESC, field = 'name' DESC, length(uid), uid))
WHERE uid <> winner
"""  # noqa: S608


def settle(workset: Workset, tally: dict[str, int]) -> bool:
    """Take names that are taken out of the plan. Whether records that were to be made are not made any more (then
    whatever refers to them must be planned anew)."""
    unmade = False
    for kind in UNIQUE_NAMES:
        losers = True
        while losers:
            note_tokens(workset, kind)
            losers = False
            for value, uid, field, winner in list(workset.rows(_LOSERS, kind)):
                gone = _give_up(workset, (kind, uid, winner), field, value, tally)
                unmade, losers = unmade or gone is None, losers or bool(gone)
    return unmade


def note_tokens(workset: Workset, kind: str) -> None:
    """Note the names that records of the target have, and those that changed ones will have."""
    workset.run("DELETE FROM token")
    rows = workset.rows("SELECT uid, data FROM record WHERE kind = ? AND side = 'target'", kind)
    for uid, content in rows:
        _note(workset, kind, uid, decode(content), HELD)
    rows = workset.rows(
        "SELECT c.uid, c.after, r.data FROM change c"
        " LEFT JOIN record r ON r.kind = c.kind AND r.side = 'target' AND r.uid = c.uid"
        " WHERE c.kind = ? AND c.phase = ?",
        kind,
        int(Phase.WRITE),
    )
    for uid, after, held in rows:
        changed = decode(after)
        if not changed.keys().isdisjoint(UNIQUE_NAMES[kind]):
            _note(workset, kind, uid, {**(decode(held) if held is not None else {}), **changed}, WANTED)


def _note(workset: Workset, kind: str, uid: str, data: Data, held: int) -> None:
    rows = ((value, uid, held, field) for value, field in _tokens(kind, data))
    workset.many("INSERT INTO token (value, uid, held, field) VALUES (?, ?, ?, ?)", rows)


def _tokens(kind: str, data: Data) -> Iterator[tuple[str, str]]:
    """The names a record takes up, as Stash compares them, each with the field it stands in."""
    name = data.get("name")
    if name and "disambiguation" in UNIQUE_NAMES[kind]:
        yield fold(f"{name}\0{data.get('disambiguation') or ''}"), "name"
    elif name:
        yield fold(name), "name"
    if "aliases" in UNIQUE_NAMES[kind]:
        yield from ((fold(alias), "aliases") for alias in data.get("aliases") or ())


def _give_up(
    workset: Workset, which: tuple[str, str, str], field: str, value: str, tally: dict[str, int]
) -> bool | None:
    """Take one name out of a record's change. False: there is none to take it out of; None: it is not made at all."""
    kind, uid, winner = which
    sql = "SELECT id, op, before, after FROM change WHERE kind = ? AND uid = ? AND phase = ?"
    row = next(workset.rows(sql, kind, uid, int(Phase.WRITE)), None)
    if row is None:
        return False
    number, op, was, content = row
    before, after = decode(was) if was is not None else None, decode(content)
    if field == "name" and op == "create":
        _unmake(workset, kind, uid, winner)
        return None
    wanted = dict(after)
    if field == "name":
        after = {name: one for name, one in after.items() if name not in ("name", "disambiguation")}
    else:
        after["aliases"] = [alias for alias in after.get("aliases") or () if fold(alias) != value]
    if after == wanted:
        return False
    told = Conflict(kind, uid, field, None, wanted[field], (before or {}).get(field), "target")
    _tell(workset, told)
    tally["conflicts"] = tally.get("conflicts", 0) + 1
    _store(workset, number, before, after)
    if op == "update" and not workset.one("SELECT count(*) FROM change WHERE kind = ? AND uid = ?", kind, uid):
        tally[f"{kind} update"] -= 1
    return True


def _store(workset: Workset, number: int, before: dict[str, Any] | None, after: dict[str, Any]) -> None:
    if before is not None:
        after = {name: value for name, value in after.items() if value != before[name]}
        before = {name: before[name] for name in after}
    if after:
        content = None if before is None else encode(before)
        workset.run("UPDATE change SET before = ?, after = ? WHERE id = ?", content, encode(after), number)
    else:
        workset.run("DELETE FROM change WHERE id = ?", number)


def _unmake(workset: Workset, kind: str, uid: str, winner: str) -> None:
    number = int(uid.rsplit(":", 1)[1])
    ours = workset.one("SELECT uid FROM record WHERE id = ?", number)
    workset.run("UPDATE record SET fate = 'ambiguous', goes = NULL WHERE id = ?", number)
    workset.run("DELETE FROM change WHERE kind = ? AND uid = ?", kind, uid)
    _tell(workset, Ambiguity(kind, ours, (winner,), "its name is taken"))


def _tell(workset: Workset, what: Ambiguity | Conflict) -> None:
    sql = "INSERT INTO found (what, kind, data) VALUES (?, ?, ?)"
    workset.run(sql, type(what).__name__, what.kind, encode(list(what)))
