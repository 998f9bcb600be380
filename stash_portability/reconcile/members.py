"""Galleries of folders that were moved: known by what the folder is called, and by the images that are in it."""

from __future__ import annotations

from collections import Counter

from .coding import decode
from .workset import Workset

_ELSEWHERE = "most of its images are elsewhere"

_EDGES = "SELECT s.uid, t.uid FROM edge e JOIN record s ON s.id = e.source JOIN record t ON t.id = e.target"
_IMAGES = """
SELECT s.data, t.data FROM record s JOIN record t ON t.kind = s.kind AND t.side = 'target' AND t.uid = s.goes
WHERE s.kind = 'image' AND s.side = 'source' AND s.goes IS NOT NULL
"""
_JUDGE = """
UPDATE edge SET but = ? WHERE source = (SELECT id FROM record WHERE kind = 'gallery' AND side = 'source' AND uid = ?)
  AND target = (SELECT id FROM record WHERE kind = 'gallery' AND side = 'target' AND uid = ?)
"""


def judge_by_members(workset: Workset) -> None:
    """Keep of the candidates those that hold images of the other one. Where these are not most of those that are known
    to be there, that speaks against them."""
    candidates = [(ours, theirs) for ours, theirs in workset.rows(_EDGES)]
    shared, known = _count(workset, candidates) if candidates else (Counter(), Counter())
    found = ((None if 2 * shared[pair] > known[pair[0]] else _ELSEWHERE, *pair) for pair in candidates if shared[pair])
    workset.run("UPDATE edge SET but = ''")
    workset.many(_JUDGE, found)
    workset.run("DELETE FROM edge WHERE but = ''")


def _count(workset: Workset, candidates: list[tuple[str, str]]) -> tuple[Counter[tuple[str, str]], Counter[str]]:
    """How many images two galleries share; and how many of the source's gallery are known in the target."""
    wanted, ours = set(candidates), {one for one, _ in candidates}
    shared: Counter[tuple[str, str]] = Counter()
    known: Counter[str] = Counter()
    for held, there in workset.rows(_IMAGES):
        of = ours.intersection(decode(held).get("galleries") or ())
        if of:
            known.update(of)
            lies = decode(there).get("galleries") or ()
            shared.update((one, other) for one in of for other in lies if (one, other) in wanted)
    return shared, known
