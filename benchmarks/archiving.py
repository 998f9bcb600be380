"""Measures archives by themselves: writing records into one and reading it back. ``archives`` is called by bench.py;
``python -m benchmarks.archiving DATABASE FOLDER FORM RECORDS`` is the child it starts, which says one line of JSON.

The child takes some thousands of real scenes (more than either packer looks back at) and gives them out again and again
under new ids and titles, so that what is measured is the archive and hardly the making of records.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from stash_portability.libraries.archive_write import Known
    from stash_portability.model import Record

    from .bench import Lab

ROOT = Path(__file__).resolve().parent.parent
PATTERNS = 4_000
BYTES = 300_000_000
FEW, MANY = 50_000, 500_000
GOALS = {"zstd": 6, "deflate": 18}
HEADER = {"tool": "benchmark", "scope": {}, "privacy": "full"}

Say = Callable[[str], None]


def records(database: Path, count: int, edited: int = 0) -> Iterator[Record]:
    """``count`` scenes made of those in ``database``; each ``edited``-th is another than without that."""
    from stash_portability.libraries.database import DatabaseSource
    from stash_portability.model import Record, Want

    want = Want(ids=[str(number) for number in range(1, PATTERNS + 1)])
    patterns = [record.data for record in DatabaseSource(database).read("scene", want)]
    for number in range(1, count + 1):
        more = "again" if edited and number % edited == 0 else ""
        data = {**patterns[number % len(patterns)], "title": f"Film {number} {more}"}
        yield Record("scene", str(number), data)


def write(path: Path, given: Iterator[Record], zstd: bool, known: Known | None = None) -> int:
    """Write an archive and read all of it back, as a backup does; give the bytes of its records."""
    from stash_portability.libraries.archive_check import check_lines, check_members
    from stash_portability.libraries.archive_write import ArchiveSink
    from stash_portability.libraries.chain import open_archive
    from stash_portability.storage.container import open_output

    parent = {"parent": known.parent} if known else {}  # type: ignore[attr-defined]
    with ArchiveSink(open_output(path, "zip", overwrite=True), {**HEADER, **parent}, zstd, known) as sink:
        for record in given:
            sink.put(record)
    source = open_archive(path)
    check_members(source.layers[0], lambda _: None)
    check_lines(source, lambda _: None)
    members = source.members.values()
    return sum(said.get("unpacked", said["bytes"]) for said in members if "kind" in said)


def child(database: Path, folder: Path, form: str, count: int) -> dict[str, Any]:
    """One run: processor seconds, peak of memory in bytes, bytes of records and of the archive."""
    from stash_portability.libraries.chain import Since, open_archive

    from .peak import peak

    known, edited, path = None, 0, folder / f"{form}.zip"
    if form == "incremental":
        parent = open_archive(folder / "zstd.zip")
        known, edited = Since(parent), 100
        known.parent = {"name": "zstd.zip", "manifest": parent.manifest_digest}  # type: ignore[attr-defined]
    begun = time.process_time()
    written = write(path, records(database, count, edited), form != "deflate", known)
    cpu = time.process_time() - begun
    return {"cpu": cpu, "peak": peak(), "bytes": written, "size": path.stat().st_size}


def run(lab: Lab, folder: Path, form: str, count: int) -> dict[str, Any]:
    """Start the child, and give what it says."""
    command = [sys.executable, "-m", "benchmarks.archiving", str(lab.server.database), str(folder), form, str(count)]
    said = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if said.returncode:
        raise OSError(f"the child ended with {said.returncode}: {said.stderr[-600:]}")
    found: dict[str, Any] = json.loads(said.stdout)
    return found


def archives(lab: Lab, say: Say) -> None:
    """(l) Processor time of 300 MB of records written and read back, and peaks of memory with ten times as many."""
    folder = lab.out / "archives"
    folder.mkdir(exist_ok=True)
    try:
        for form, goal in GOALS.items():
            _speed(lab, folder, form, (goal, say))
        for form in (*GOALS, "incremental"):
            _memory(lab, folder, form, say)
    finally:
        shutil.rmtree(folder)


def _speed(lab: Lab, folder: Path, form: str, told: tuple[int, Say]) -> None:
    goal, say = told
    per_record = run(lab, folder, form, PATTERNS)["bytes"] / PATTERNS
    runs = [run(lab, folder, form, round(BYTES / per_record)) for _ in range(lab.rounds)]
    seconds = [one["cpu"] * BYTES / one["bytes"] for one in runs]
    say(
        f"(l) 300 MB of records written and read back, {form}: {median(seconds):.1f} CPU seconds [at most {goal}]"
        f" ({min(seconds):.1f} to {max(seconds):.1f}; {runs[0]['size'] / 1e6:.0f} MB)"
    )


def _memory(lab: Lab, folder: Path, form: str, say: Say) -> None:
    found = []
    for count in (FEW, MANY):
        if form == "incremental":
            run(lab, folder, "zstd", count)
        found.append(run(lab, folder, form, count))
    few, many = found
    say(
        f"(l) peak memory of that, {form}: {few['peak'] / 1e6:.0f} MB with {FEW:,} records, {many['peak'] / 1e6:.0f} MB"
        f" with {MANY:,} [under 128, the same]"
    )
    if form == "incremental":
        say(f"(l) 1 % of {MANY:,} records edited: {many['cpu']:.1f} CPU seconds, {many['size'] / 1e6:.1f} MB")


if __name__ == "__main__":
    print(json.dumps(child(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3], int(sys.argv[4]))))
