"""Measures the write engine: records written safely (read, written, read again) by it and one a request, and a plan of
two big libraries. Called by bench.py; ``python -m benchmarks.restoring RECORDS`` is the child that plans, which says
one line of JSON.
"""

from __future__ import annotations

import json
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from functools import partial
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stash_portability.libraries.opening import Opening
from stash_portability.libraries.stash import open_stash
from stash_portability.model import Change, Plan, Policy, Record, Source, Want
from stash_portability.reconcile.apply import Ends, apply
from stash_portability.reconcile.journal import Journal
from stash_portability.reconcile.plan import Task, make_plan
from stash_portability.reconcile.workset import Workset
from stash_portability.target import Target, open_target

from .library import big_stash
from .peak import peak

if TYPE_CHECKING:
    from .bench import Lab

ROOT = Path(__file__).resolve().parent.parent
SCENES, WRITTEN, WRITTEN_SLOWLY = 5_000, 1_000, 200
FIELDS = frozenset(("title", "details", "rating100", "tags", "urls"))
NOW = "2024-05-01T00:00:00Z"


def _opened(address: str) -> Target:
    return open_target(address, Opening("", random.Random(1), lambda _: None, lambda _: None))


def _changes(target: Target, word: str, which: tuple[int, int]) -> list[Change]:
    """Changes of the fields of some scenes, from what is there to something else."""
    start, many = which
    found = islice(target.reader.read("scene", Want(fields=FIELDS)), start, start + many)
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


def _one_by_one(reader: Source, target: Target, changes: list[Change]) -> None:
    """The same care by the same mutation, a request for each: read, compare, write, read, compare. It keeps no
    journal."""
    writer = target.writer(None)
    for change in changes:
        want = Want(fields=FIELDS, ids=(change.uid,))
        if [one.data for one in reader.read("scene", want)] != [change.before]:
            raise SystemExit(f"scene {change.uid} is not what it was")
        writer.write([change])
        if [one.data for one in reader.read("scene", want)] != [change.after]:
            raise SystemExit(f"scene {change.uid} is not what it was to be")


def writes(lab: Lab, say: Callable[[str], None]) -> None:
    """(j) Rates of safe writes to a Stash on this machine, and their ratios, in alternating rounds: by the engine; one
    a request by the engine's own reader; and one a request by GraphQL, which has less to do to read one record."""
    rates: dict[str, list[float]] = defaultdict(list)
    with big_stash(lab.folder / f"stash-{SCENES}-written", SCENES) as server:
        target = _opened(server.url)
        ways = {
            "restore": partial(_together, target),
            "the same reader": partial(_one_by_one, target.reader, target),
            "GraphQL": partial(_one_by_one, open_stash(server.url), target),
        }
        for number in range(lab.rounds):
            for name in list(ways)[:: 1 if number % 2 == 0 else -1]:
                many = WRITTEN if name == "restore" else WRITTEN_SLOWLY
                changes = _changes(target, f"{name} {number}", (number % 4 * WRITTEN, many))
                start = time.perf_counter()
                ways[name](changes)
                rates[name].append(len(changes) / (time.perf_counter() - start))
    for name in ("the same reader", "GraphQL"):
        ratios = sorted(one / other for one, other in zip(rates["restore"], rates[name], strict=True))
        fast, slow = (statistics.median(rates[side]) for side in ("restore", name))
        say(
            f"(j) scenes written safely, by a restore / one a request, read by {name}: {statistics.median(ratios):.2f}"
            f" [at least 2] ({ratios[0]:.2f} to {ratios[-1]:.2f} in {len(ratios)} pairs; {fast:,.0f}/s against"
            f" {slow:,.0f}/s)"
        )


def plans(records: int, rounds: int, say: Callable[[str], None]) -> None:
    """(k) Time and peak memory of a plan of so many records a side, a tenth of them other, in a child."""
    runs = [_planned_outside(records) for _ in range(rounds)]
    seconds, cpu = (sorted(run[name] for run in runs) for name in ("seconds", "cpu"))
    say(
        f"(k) a plan of {records:,} records a side, {runs[0]['changes']:,} changes: {statistics.median(seconds):.1f} s"
        f" [under 60] ({seconds[0]:.1f} to {seconds[-1]:.1f}; {statistics.median(cpu):.1f} CPU seconds), peak memory"
        f" {max(run['peak'] for run in runs) / 1e6:.0f} MB [under 100]"
    )


def _planned_outside(records: int) -> dict[str, Any]:
    command = [sys.executable, "-m", "benchmarks.restoring", str(records)]
    said = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if said.returncode:
        raise OSError(f"the child ended with {said.returncode}: {said.stderr[-600:]}")
    found: dict[str, Any] = json.loads(said.stdout)
    return found


def child(records: int) -> dict[str, Any]:
    """One plan: seconds, processor seconds, peak of memory in bytes, how many changes."""
    start, cpu = time.perf_counter(), time.process_time()
    with tempfile.TemporaryDirectory() as folder, Workset(Path(folder) / "work.sqlite") as workset:
        workset.fill("source", _library(records, 10))
        workset.fill("target", _library(records, 0))
        plan = make_plan(workset, Policy(prefer={"": "source"}), Task("restore merge"))
        changed = sum(1 for _ in plan.changes)
    return {
        "seconds": time.perf_counter() - start,
        "cpu": time.process_time() - cpu,
        "peak": peak(),
        "changes": changed,
    }


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


if __name__ == "__main__":
    print(json.dumps(child(int(sys.argv[1]))))
