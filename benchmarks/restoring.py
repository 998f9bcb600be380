"""Measures the write engine: records written safely (read, written, read again) by it and one a request, and a plan of
two big libraries.
"""

from __future__ import annotations

import random
import resource
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

from stash_portability.libraries.opening import Opening
from stash_portability.model import Change, Plan, Policy, Record, Want
from stash_portability.reconcile.apply import Ends, apply
from stash_portability.reconcile.journal import Journal
from stash_portability.reconcile.plan import Task, make_plan
from stash_portability.reconcile.workset import Workset
from stash_portability.target import Target, open_target

from .library import big_stash

SCENES, WRITTEN = 5_000, 1_000
FIELDS = frozenset(("title", "details", "rating100", "tags", "urls"))
NOW = "2024-05-01T00:00:00Z"


def _opened(address: str) -> Target:
    return open_target(address, Opening("", random.Random(1), lambda _: None, lambda _: None))


def _changes(target: Target, word: str, start: int) -> list[Change]:
    """Changes of the fields of some scenes, from what is there to something else."""
    found = islice(target.source.read("scene", Want(fields=FIELDS)), start, start + WRITTEN)
    return [Change("update", "scene", one.uid, one.data, _other(one, word)) for one in found]


def _other(record: Record, word: str) -> dict[str, Any]:
    data = dict(record.data)
    return {**data, "title": f"{word} {record.uid}", "details": f"{word} of the river", "rating100": len(word),
            "tags": data["tags"][1:], "urls": [*data["urls"], f"https://films.example/{word}"]}  # fmt: skip


def _together(target: Target, changes: list[Change]) -> None:
    """By the engine."""
    with tempfile.TemporaryDirectory() as folder, Journal(Path(folder), lambda: NOW) as journal:
        plan = Plan(changes, (), (), (), {})
        applied = apply(plan, Ends(target.reader, target.writer(None)), journal)
    if applied.counts["scene update"] != len(changes) or applied.differs:
        raise SystemExit(f"the engine wrote {applied.counts}, {applied.differs[:3]}")


def _one_by_one(target: Target, changes: list[Change]) -> None:
    """The same care, a request for each: read, compare, write, read, compare."""
    stash, writer = target.writer(None).source, target.writer(None)  # type: ignore[attr-defined]
    for change in changes:
        want = Want(fields=FIELDS, ids=(change.uid,))
        if next(stash.read("scene", want)).data != change.before:
            raise SystemExit(f"scene {change.uid} is not what it was")
        writer.write([change])
        if next(stash.read("scene", want)).data != change.after:
            raise SystemExit(f"scene {change.uid} is not what it was to be")


def writes(folder: Path, rounds: int, say: Callable[[str], None]) -> None:
    """(i) Rates of safe writes to a Stash on this machine, and their ratios, in alternating pairs."""
    ways = {"engine": _together, "one a request": _one_by_one}
    rates: dict[str, list[float]] = {name: [] for name in ways}
    with big_stash(folder / f"stash-{SCENES}-written", SCENES) as server:
        target = _opened(server.url)
        for number in range(rounds):
            for name in list(ways)[:: 1 if number % 2 == 0 else -1]:
                changes = _changes(target, f"{name} {number}", number % 4 * WRITTEN)
                start = time.perf_counter()
                ways[name](target, changes)
                rates[name].append(len(changes) / (time.perf_counter() - start))
    ratios = sorted(one / two for one, two in zip(*rates.values(), strict=True))
    one, two = (statistics.median(found) for found in rates.values())
    say(
        f"(i) scenes written safely, by the engine / one a request [at least 2]: {statistics.median(ratios):.2f}"
        f" ({ratios[0]:.2f} to {ratios[-1]:.2f} in {len(ratios)} pairs; {one:,.0f}/s against {two:,.0f}/s)"
    )


def plans(records: int, say: Callable[[str], None]) -> None:
    """(j) Time and peak memory of a plan of so many records a side, a tenth of them other."""
    start = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder, Workset(Path(folder) / "work.sqlite") as workset:
        workset.fill("source", _library(records, 10))
        workset.fill("target", _library(records, 0))
        plan = make_plan(workset, Policy(prefer={"": "source"}), Task("restore merge"))
        changed = sum(1 for _ in plan.changes)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    say(
        f"(j) a plan of {records:,} records a side, {changed:,} changes:"
        f" {time.perf_counter() - start:.1f} s [under 60],"
        f" peak memory {peak:.0f} MB with what ran before [under 100 alone]"
    )


def _library(records: int, other: int) -> Iterator[Record]:
    """Tags, and scenes that have some; every ``other``-th scene has another title."""
    tags = records // 50
    for number in range(1, tags + 1):
        yield Record("tag", str(number), {"name": f"Tag {number}", "aliases": [], "parents": [], "description": None})
    for number in range(1, records - tags + 1):
        title = f"Film {number}" if not other or number % other else f"Film of the river {number}"
        file = {"path": f"/films/{number}.mp4", "size": number, "fingerprints": [
            {"type": "oshash", "value": f"{number:016x}"}, {"type": "phash", "value": f"{number * 7:x}"}]}  # fmt: skip
        some = sorted({str((number * 31 + one * 241) % tags + 1) for one in range(8)}, key=int)
        yield Record("scene", str(number), {"title": title, "details": "From the spring to the sea. " * 8,
                     "rating100": number % 100, "urls": [], "tags": some, "files": [file]})  # fmt: skip
