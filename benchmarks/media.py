"""Measures what is written for other programs: NFO files, and what templates make. Called by bench.py."""

from __future__ import annotations

import shutil
import statistics
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import yaml

from .library import big_stash

if TYPE_CHECKING:
    from .bench import Lab, Run

FILMS, MORE_FILMS = 8_000, 40_000
TEMPLATES = Path(__file__).resolve().parent.parent / "examples" / "templates"

Export = Callable[..., "Run"]
Say = Callable[[str], None]


def files(run: Run, what: str) -> int:
    """How many files a run counted as ``what``."""
    return int(run.report["files"].get(what, 0))


def nfo(lab: Lab, export: Export, say: Say) -> None:
    """(h) An NFO file for each of 8,000 scenes into an empty folder, the same again with nothing to write, and the
    peaks of memory there and with five times as many, beside those of a JSONL file of the same library: a small
    database lies in memory as a whole, so that only what is more than that tells."""
    to = lab.out / "nfo"
    with big_stash(lab.folder / f"stash-{FILMS}", FILMS) as server:
        firsts, agains = [], []
        for _ in range(lab.rounds):
            shutil.rmtree(to, ignore_errors=True)
            firsts.append(export(server.url, to, "--format", "nfo"))
            agains.append(export(server.url, to, "--format", "nfo"))
        plain = export(server.url, lab.out / "library.jsonl").peak
    if {files(run, "written") for run in firsts} != {FILMS} or {files(run, "unchanged") for run in agains} != {FILMS}:
        return say(f"(h) not measured: {firsts[0].report['files']}, then {agains[0].report['files']}")
    first, again = (statistics.median(run.seconds for run in runs) for runs in (firsts, agains))
    say(f"(h) {FILMS:,} NFO files into an empty folder: {first:.1f} s [under 20] ({firsts[0].report['how']})")
    say(f"(h) the same again, nothing to write: {again:.1f} s")
    with big_stash(lab.folder / f"stash-{MORE_FILMS}", MORE_FILMS) as server:
        shutil.rmtree(to)
        big = export(server.url, to, "--format", "nfo")
        twice = export(server.url, to, "--format", "nfo")
        big_plain = export(server.url, lab.out / "library.jsonl").peak
    shutil.rmtree(to)
    say(f"(h) {MORE_FILMS:,} NFO files: {big.seconds:.1f} s, the same again {twice.seconds:.1f} s")
    peaks = (max(run.peak for run in (*firsts, *agains)), max(big.peak, twice.peak))
    for count, peak, other in zip((FILMS, MORE_FILMS), peaks, (plain, big_plain), strict=True):
        say(f"(h) peak memory at {count:,} scenes: {peak / 1e6:.0f} MB, {peak / other:.2f} times that of JSONL [1.10]")
    return None


def templates(lab: Lab, export: Export, say: Say) -> None:
    """(i) What each template that comes with us makes of 8,000 scenes."""
    with big_stash(lab.folder / f"stash-{FILMS}", FILMS) as server:
        for path in sorted(TEMPLATES.glob("*.yaml")):
            to = lab.out / f"made.{yaml.safe_load(path.read_text(encoding='utf-8'))['ending']}"
            runs = [export(server.url, to, "--template", str(path), "--kinds", "scene") for _ in range(lab.rounds)]
            seconds = statistics.median(run.seconds for run in runs)
            say(f"(i) template {path.stem}: {FILMS / seconds:,.0f} scenes/s, {seconds:.1f} s in all")
