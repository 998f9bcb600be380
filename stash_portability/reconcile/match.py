"""Which record of the source is which of the target: by the ladders of keys, the surest rung first.

A pair is made where there is just one candidate each way, and nothing speaks against it. Where there are several, those
that hold the same are paired in their order; for the rest lower rungs decide only among the candidates, and what stays
open is told, never guessed.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from itertools import product

from ..model import Data
from .coding import decode
from .keys import LADDERS, Look, Refer, Rung, key_texts, likeness
from .members import judge_by_members
from .references import References
from .rules import MATCHED, unparked
from .workset import Workset

_MOST_ALIKE = 200
"""A key more records of one side share than this tells nothing."""


def match(workset: Workset) -> None:
    """Pair the records of both sides, kind by kind."""
    references = References(workset)
    for kind in MATCHED:
        _pair_known(workset, kind)
        settled = True
        while settled:
            for rung in LADDERS[kind]:
                if _anything_left(workset, kind):
                    _climb(workset, kind, rung, references.look_up)
            settled = _forget_settled(workset, kind)


def _pair_known(workset: Workset, kind: str) -> None:
    """What was matched last time stays matched, as long as both are there."""
    _pair_by(workset, _KNOWN, kind)


def _anything_left(workset: Workset, kind: str) -> bool:
    sql = "SELECT EXISTS (SELECT 1 FROM record WHERE kind = ? AND side = ? AND goes IS NULL)"
    return bool(workset.one(sql, kind, "source") and workset.one(sql, kind, "target"))


def _climb(workset: Workset, kind: str, rung: Rung, refer: Refer) -> None:
    workset.run("DELETE FROM key")
    insert = "INSERT OR IGNORE INTO key VALUES (?, ?, ?)"
    workset.many(insert, _keys(workset, kind, rung, refer))
    if rung.twins:
        _pair_by(workset, _TWINS)
        return
    _weigh(workset, rung)
    if rung.all and workset.one("SELECT EXISTS (SELECT 1 FROM edge WHERE but IS NULL)"):
        workset.many(insert, _keys(workset, kind, rung, refer, "NOT NULL"))
        _weigh(workset, rung)
    _pair_by(workset, _LONELY)
    _pair(workset, list(_alike(workset, kind)))
    workset.run(_REMEMBER, rung.why, rung.why, rung.tells)


_KNOWN = """
SELECT s.id, t.id FROM base b
JOIN record s ON s.kind = b.kind AND s.side = 'source' AND s.uid = b.source
JOIN record t ON t.kind = b.kind AND t.side = 'target' AND t.uid = b.target WHERE b.kind = ?
"""

_TWINS = """
WITH numbered AS (SELECT value, side, record, row_number() OVER (PARTITION BY value, side ORDER BY record) AS number
                  FROM key)
SELECT s.record, t.record FROM numbered s JOIN numbered t ON t.value = s.value AND t.number = s.number
WHERE s.side = 'source' AND t.side = 'target'
"""

_EDGES = """
INSERT OR IGNORE INTO edge (source, target)
SELECT s.record, t.record FROM key s JOIN key t ON t.value = s.value AND t.side = 'target'
WHERE s.side = 'source'
  AND (SELECT count(*) FROM (SELECT 1 FROM key k WHERE k.value = s.value AND k.side = 'source' LIMIT 201)) <= ?
  AND (SELECT count(*) FROM (SELECT 1 FROM key k WHERE k.value = s.value AND k.side = 'target' LIMIT 201)) <= ?
  AND (NOT EXISTS (SELECT 1 FROM maybe m WHERE m.source = s.record AND NOT m.doubt)
       OR EXISTS (SELECT 1 FROM maybe m WHERE m.source = s.record AND m.target = t.record))
"""


_OPEN = """
SELECT e.source, e.target, e.but FROM edge e JOIN record s ON s.id = e.source JOIN record t ON t.id = e.target
WHERE s.goes IS NULL AND t.goes IS NULL
"""

_LONELY = f"""
SELECT source, target FROM ({_OPEN}) e
WHERE but IS NULL
  AND (SELECT count(*) FROM (SELECT 1 FROM edge f WHERE f.source = e.source LIMIT 2)) = 1
  AND (SELECT count(*) FROM (SELECT 1 FROM edge f WHERE f.target = e.target LIMIT 2)) = 1
"""  # noqa: S608

_OPEN_QUESTIONS = """
SELECT count(DISTINCT m.source) FROM maybe m JOIN record s ON s.id = m.source WHERE s.kind = ? AND s.goes IS NULL
"""

_REMEMBER = f"""
INSERT OR IGNORE INTO maybe
SELECT source, target, CASE WHEN but IS NULL THEN ? || ', and there are several' ELSE ? || ', but ' || but END,
  but IS NOT NULL FROM ({_OPEN}) WHERE but IS NULL OR ?
"""  # noqa: S608


def _weigh(workset: Workset, rung: Rung) -> None:
    """Find who shares a key, and what speaks against each."""
    workset.run("DELETE FROM edge")
    workset.run(_EDGES, _MOST_ALIKE, _MOST_ALIKE)
    if rung.members:
        judge_by_members(workset)
    if rung.but is not None:
        workset.many("UPDATE edge SET but = ? WHERE source = ? AND target = ?", list(_doubts(workset, rung.but)))


def _keys(workset: Workset, kind: str, rung: Rung, refer: Refer, goes: str = "NULL") -> Iterator[tuple[str, str, int]]:
    sql = f"SELECT id, side, uid, data FROM record WHERE kind = ? AND goes IS {goes} ORDER BY id"  # noqa: S608
    rows = workset.rows(sql, kind)
    for number, side, uid, content in rows:
        data, ours = decode(content), side == "source"
        if not ours and "name" in data:
            data["name"] = unparked(data["name"], uid)
        look = Look(data, ours, refer if ours else _itself)
        yield from ((value, side, number) for value in key_texts(rung, look))


def _itself(kind: str, uid: str) -> str | None:
    del kind
    return uid


def _doubts(workset: Workset, but: Callable[[Data, Data], str]) -> Iterator[tuple[str, int, int]]:
    """The candidates that something speaks against, with what does."""
    sql = f"SELECT source, target, s.data, t.data FROM ({_OPEN}) JOIN record s ON s.id = source JOIN record t ON t.id = target"  # noqa: S608, E501
    for ours, theirs, held, there in workset.rows(sql):
        if why := but(decode(held), decode(there)):
            yield why, ours, theirs


def _alike(workset: Workset, kind: str) -> Iterator[tuple[int, int]]:
    """Of those with several candidates: the ones that hold the same, in their order."""
    edges = list(workset.rows(f"SELECT source, target FROM ({_OPEN}) WHERE but IS NULL ORDER BY source, target"))  # noqa: S608
    held = {number: _likeness(workset, kind, number) for number in {one for edge in edges for one in edge}}
    sides: dict[bytes, tuple[list[int], list[int]]] = defaultdict(lambda: ([], []))
    for which in (0, 1):
        for number in sorted({edge[which] for edge in edges}):
            sides[held[number]][which].append(number)
    known = set(edges)
    for ours, theirs in sides.values():
        if len(ours) == 1 or set(product(ours, theirs)) <= known:
            yield from (pair for pair in zip(ours, theirs, strict=False) if pair in known)


def _likeness(workset: Workset, kind: str, number: int) -> bytes:
    return likeness(kind, decode(workset.one("SELECT data FROM record WHERE id = ?", number)))


def _pair(workset: Workset, pairs: Iterable[tuple[int, int]]) -> None:
    workset.run("DELETE FROM pair")
    workset.many("INSERT OR IGNORE INTO pair VALUES (?, ?)", pairs)
    _go(workset)


def _pair_by(workset: Workset, sql: str, *values: str) -> None:
    """Pair what a query finds: its rows do not pass through here, because they may be all there are."""
    workset.run("DELETE FROM pair")
    workset.run(f"INSERT OR IGNORE INTO pair {sql}", *values)
    _go(workset)


def _go(workset: Workset) -> None:
    for one, other in (("source", "target"), ("target", "source")):
        workset.run(
            f"UPDATE record SET goes = (SELECT r.uid FROM pair p JOIN record r ON r.id = p.{other}"  # noqa: S608
            f" WHERE p.{one} = record.id) WHERE id IN (SELECT {one} FROM pair)"
        )


def _forget_settled(workset: Workset, kind: str) -> bool:
    """Candidates that were taken by others are none any more. Whether that leaves a record without any, which may then
    find others."""
    if not workset.one("SELECT EXISTS (SELECT 1 FROM maybe)"):
        return False
    had = workset.one(_OPEN_QUESTIONS, kind)
    workset.run(
        "DELETE FROM maybe WHERE source IN (SELECT id FROM record WHERE kind = ? AND goes IS NOT NULL)"
        " OR target IN (SELECT id FROM record WHERE kind = ? AND goes IS NOT NULL)",
        kind,
        kind,
    )
    return bool(workset.one(_OPEN_QUESTIONS, kind) != had)
