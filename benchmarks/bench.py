"""Measures exports, backups and restores: ``make bench``, or ``python -m benchmarks.bench [--only PART] [--quick]``.

Speed is a ratio to the plainest program that does the same, within one run, wherever there is such a program: the
contestants take turns, forwards and backwards, and the median over the rounds counts. The goal
stands in brackets. What cannot be run here is said, never guessed. The parts, and what they print:

speed      (a) to (d) scenes a second by our command, by plain paging of findScenes, by a bare loop from SQLite to JSON
filtered   (f) a filtered export
launch     (g) the start of a task, and an operation of the page
memory     (e) peaks of memory of an export of a library, and of one five times as large
nfo        (h) NFO files for media servers
templates  (i) what each template that comes with us makes
writes     (j) records written safely (read, written, read again) by a restore, and one a request by the same reader
plans      (k) a plan of two libraries of 300,000 records, in a process of its own
archives   (l) 300 MB of records written into an archive and read back; memory with 50,000 and 500,000 records
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

import orjson

from tests.live.stash_server import StashServer

from .archiving import archives
from .library import PICKED, big_stash
from .media import nfo, templates
from .plain import SPAN, copy_scenes, page_scenes
from .restoring import plans, writes

ROOT = Path(__file__).resolve().parent.parent
LAUNCH = ROOT / "stash_portability" / "launch.py"
PICK = json.dumps({"code": {"value": "PICK", "modifier": "EQUALS"}})
KILO = 1 if platform.system() == "Darwin" else 1024
"""What ru_maxrss counts in, in bytes."""


@dataclass(frozen=True)
class Lab:
    """Where and how much is measured: the folder of the libraries and one for what is written, the scenes of the usual
    library, how many rounds, how many pages the slow side reads in each; what ends the Stash at last."""

    folder: Path
    out: Path
    scenes: int
    rounds: int
    pages: int
    ends: ExitStack

    @cached_property
    def server(self) -> StashServer:
        """The usual library, made when it is first asked for."""
        return self.ends.enter_context(big_stash(self.folder / f"stash-{self.scenes}", self.scenes))


class Run(NamedTuple):
    """One run of the command line: seconds of wall time and of processors, peak of memory in bytes, its report."""

    seconds: float
    cpu: float
    peak: int
    report: dict[str, Any]


class Failed(Exception):
    """A contestant could not run; the message says why."""


Rates = dict[str, list[float]]


def export(source: str, to: Path, *more: str) -> Run:
    """Run our export from ``source`` as a child."""
    command = [sys.executable, "-m", "stash_portability", "--json", "export", "--from", source, "--to", str(to)]
    with tempfile.TemporaryFile() as said, tempfile.TemporaryFile() as wrong:
        start = time.perf_counter()
        child = subprocess.Popen([*command, "--overwrite", *more], stdout=said, stderr=wrong, cwd=ROOT)
        _, status, usage = os.wait4(child.pid, 0)
        seconds = time.perf_counter() - start
        child.returncode = os.waitstatus_to_exitcode(status)
        if child.returncode:
            raise Failed(f"export ended with {child.returncode}: {tail(said)} {tail(wrong)}")
        said.seek(0)
        return Run(
            seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * KILO, json.loads(said.read().splitlines()[-1])
        )


def tail(stream: Any) -> str:
    """The end of what a child said."""
    stream.seek(0)
    return str(stream.read()[-600:], "utf-8", "replace").strip()


def take_turns(lab: Lab, contestants: dict[str, Callable[[], dict[str, float]]]) -> Rates:
    """Let all run in every round, each second round backwards; give the rates of each by name. One that fails
    is left out and said."""
    rates: Rates = {}
    for number in range(lab.rounds):
        names = list(contestants)
        for name in names if number % 2 == 0 else names[::-1]:
            try:
                for part, rate in contestants[name]().items():
                    rates.setdefault(part, []).append(rate)
            except (Failed, OSError, ImportError) as problem:
                say(f"cannot run {name}: {problem}")
                del contestants[name]
    return rates


def timed(name: str, work: Callable[[], int]) -> dict[str, float]:
    """The rates of ``work``, which tells how many scenes it did: by the clock, and by our own processor time."""
    start, cpu = time.perf_counter(), time.process_time()
    done = work()
    return {name: done / (time.perf_counter() - start), f"{name} cpu": done / (time.process_time() - cpu)}


def our_export(lab: Lab, form: str) -> dict[str, float]:
    """Rates of our command line in scenes a second: the whole command, its phase of scenes alone, and the same by
    processor time, of which the phase has its share."""
    to = lab.out / (form if form == "csv" else f"library.{form}")
    run = export(lab.server.url, to, "--format", form)
    if run.report["counts"]["scene"] != lab.scenes:
        raise Failed(f"wrote {run.report['counts']['scene']} scenes of {lab.scenes}")
    if "GraphQL" in run.report["how"]:
        raise Failed(f"was not read from the file: {run.report['how']}")
    phase = run.report["seconds"]["scene"]
    cpu = run.cpu * phase / run.seconds
    return {form: lab.scenes / run.seconds, f"{form} scenes": lab.scenes / phase, f"{form} cpu": lab.scenes / cpu}


def our_graphql(lab: Lab) -> int:
    """Read as many scenes as the plain side does, by our GraphQL reader; give how many."""
    from stash_portability.libraries.stash import open_stash

    written = 0
    with (lab.out / "graphql.jsonl").open("wb") as stream:
        for record in islice(open_stash(lab.server.url).read("scene"), lab.pages * SPAN):
            stream.write(orjson.dumps({"kind": record.kind, "id": record.uid, **record.data}) + b"\n")
            written += 1
    return written


def rates(lab: Lab) -> Rates:
    """The rates of everything that writes scenes."""
    database = lab.server.database
    return take_turns(
        lab,
        {
            "jsonl": lambda: our_export(lab, "jsonl"),
            "plain paging": lambda: timed(
                "plain", lambda: page_scenes(lab.server.url, lab.out / "plain", 1, lab.pages)
            ),
            "GraphQL reader": lambda: timed("graphql", lambda: our_graphql(lab)),
            "bare loop": lambda: timed("bare", lambda: copy_scenes(database, lab.out / "bare.jsonl")),
            "csv": lambda: our_export(lab, "csv"),
            "xml": lambda: our_export(lab, "xml"),
        },
    )


def say(text: str) -> None:
    """Print a line at once."""
    print(text, flush=True)


def compare(found: Rates, what: str, against: str, words: str) -> None:
    """Print the median of the ratios of one rate to another, round by round."""
    pairs = list(zip(found.get(what, ()), found.get(against, ()), strict=False))
    if not pairs:
        return say(f"  {words}: not measured")
    ratios = sorted(one / other for one, other in pairs)
    middle = [statistics.median(side) for side in zip(*pairs, strict=True)]
    return say(
        f"  {words}: {statistics.median(ratios):.2f} ({ratios[0]:.2f} to {ratios[-1]:.2f} in {len(pairs)} pairs;"
        f" {middle[0]:,.0f}/s against {middle[1]:,.0f}/s)"
    )


def speed(lab: Lab) -> None:
    """(a) to (d): the rates, and that the bare loop writes the same bytes."""
    found = rates(lab)
    say(f"scenes a second, {lab.scenes:,} scenes; goals in brackets")
    compare(found, "jsonl scenes", "plain", "(a) our scenes, JSONL / plain findScenes paging [at least 20]")
    compare(found, "jsonl", "plain", "(a) our whole command, with all other kinds / the same paging")
    compare(found, "jsonl scenes", "bare", "(b) our scenes, JSONL / bare SQLite to orjson [at least 0.65]")
    compare(found, "jsonl cpu", "bare cpu", "(b) the same by processor time, which other load disturbs less")
    compare(found, "jsonl", "bare", "(b) our whole command, with all other kinds / the same bare loop")
    for form in ("csv", "xml"):
        compare(found, form, "jsonl", f"(c) {form.upper()} / JSONL [at least 0.5]")
    compare(found, "graphql", "plain", "(d) our GraphQL reader / plain paging [at least 1]")
    say(f"  (b) {same_bytes(lab.out / 'library.jsonl', lab.out / 'bare.jsonl')}")


def same_bytes(ours: Path, bare: Path) -> str:
    """Whether our file begins with the bytes of the bare loop."""
    if not ours.exists() or not bare.exists():
        return "bytes not compared: one side did not run"
    with ours.open("rb") as first, bare.open("rb") as second:
        for chunk in iter(lambda: second.read(1 << 20), b""):
            if first.read(len(chunk)) != chunk:
                raise SystemExit("the bare loop wrote other bytes: the ratios mean nothing")
    return f"equal bytes: {bare.stat().st_size:,} of scenes"


def memory(lab: Lab, large: int) -> None:
    """(e) Peak memory of an export, here and with a larger library."""
    small = export(lab.server.url, lab.out / "library.jsonl").peak
    say(f"(e) peak memory at {lab.scenes:,} scenes: {small / 1e6:.0f} MB [under 150]")
    if not large:
        return say("(e) larger library: not measured (--quick, or --large 0)")
    with big_stash(lab.folder / f"stash-{large}", large) as server:
        big = export(server.url, lab.out / "library.jsonl")
    say(f"(e) peak memory at {large:,} scenes: {big.peak / 1e6:.0f} MB, {big.peak / small:.2f} times [at most 1.10]")
    return say(f"(e) that export took {big.seconds:.1f} s: {large / big.seconds:,.0f} scenes/s")


def filtered(lab: Lab) -> None:
    """(f) A few scenes chosen by a filter, with all they refer to."""
    runs = [
        export(lab.server.url, lab.out / "some.jsonl", "--kinds", "scene", "--filter", PICK) for _ in range(lab.rounds)
    ]
    if runs[0].report["counts"]["scene"] != PICKED:
        raise Failed(f"{runs[0].report['counts']} instead of {PICKED} scenes")
    seconds = statistics.median(run.seconds for run in runs)
    say(f"(f) filtered export of {PICKED} scenes and what they refer to: {seconds:.2f} s [under 2]")


def launch(lab: Lab) -> None:
    """(g) How long the plugin takes to say its first word, and to answer a status."""
    if not LAUNCH.exists():
        return say("(g) not measured: there is no launch.py")
    first = statistics.median(call(lab, "export", first_line) for _ in range(lab.rounds))
    status = statistics.median(call(lab, "status", whole) for _ in range(lab.rounds))
    say(f"(g) task start, launch.py to its first log line: {first * 1000:.0f} ms [under 300]")
    return say(f"(g) status operation: {status * 1000:.0f} ms [under 200]")


def call(lab: Lab, mode: str, until: Callable[[subprocess.Popen[bytes]], None]) -> float:
    """Start the plugin as Stash does, and give the seconds ``until`` took."""
    connection = {
        "Scheme": "http", "Host": "127.0.0.1", "Port": lab.server.port, "Dir": str(lab.out),
        "PluginDir": str(ROOT), "SessionCookie": {"Name": "session", "Value": ""},
    }  # fmt: skip
    given = json.dumps({"server_connection": connection, "args": {"mode": mode}}).encode()
    start = time.perf_counter()
    pipe = subprocess.PIPE
    with subprocess.Popen([sys.executable, str(LAUNCH)], stdin=pipe, stdout=pipe, stderr=pipe, cwd=lab.out) as child:
        assert child.stdin is not None
        child.stdin.write(given)
        child.stdin.close()
        until(child)
        seconds = time.perf_counter() - start
        child.kill()
    return seconds


def first_line(child: subprocess.Popen[bytes]) -> None:
    """Wait for the first line of its log."""
    assert child.stderr is not None
    if not child.stderr.readline():
        raise Failed("launch.py said nothing")


def whole(child: subprocess.Popen[bytes]) -> None:
    """Wait for its answer."""
    assert child.stdout is not None
    answer = child.stdout.read()
    if b'"output"' not in answer:
        raise Failed(f"launch.py answered {answer[:300]!r}")


def measures(lab: Lab, options: argparse.Namespace) -> Iterator[Callable[[], None]]:
    """Everything that is measured, in order; only what was asked for, if something was."""
    large = 0 if options.quick else options.large
    all_ = {
        "speed": lambda: speed(lab),
        "filtered": lambda: filtered(lab),
        "launch": lambda: launch(lab),
        "memory": lambda: memory(lab, large),
        "nfo": lambda: nfo(lab, export, say),
        "templates": lambda: templates(lab, export, say),
        "writes": lambda: writes(lab, say),
        "plans": lambda: plans(30_000 if options.quick else 300_000, lab.rounds, say),
        "archives": lambda: archives(lab, say),
    }
    for name in options.only or all_:
        yield all_[name]


def arguments() -> argparse.Namespace:
    """What was asked for."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.bench", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--scenes", type=int, default=100_000, help="scenes of the library (100000)")
    parser.add_argument("--large", type=int, default=500_000, help="scenes of the larger library for memory; 0: none")
    parser.add_argument("--rounds", type=int, default=5, help="rounds; the median counts (5)")
    parser.add_argument("--pages", type=int, default=3, help="pages of 1000 the slow side reads a round (3)")
    parser.add_argument("--folder", type=Path, help="keep the libraries here and use them again")
    only = ("speed", "filtered", "launch", "memory", "nfo", "templates", "writes", "plans", "archives")
    parser.add_argument("--only", choices=only, action="append", help="only this part (may be said again)")
    parser.add_argument("--quick", action="store_true", help="20,000 scenes, one page, no larger library")
    options = parser.parse_args()
    if options.quick:
        options.scenes, options.pages = min(options.scenes, 20_000), 1
    return options


def main() -> None:
    """Make the library, measure, print, and clean up."""
    options = arguments()
    folder = (options.folder or Path(tempfile.mkdtemp(prefix="stash-bench-"))).resolve()
    out = folder / "out"
    out.mkdir(parents=True, exist_ok=True)
    try:
        with ExitStack() as ends:
            lab = Lab(folder, out, options.scenes, options.rounds, options.pages, ends)
            for measure in measures(lab, options):
                try:
                    measure()
                except Failed as problem:
                    say(f"  not measured: {problem}")
    finally:
        shutil.rmtree(out if options.folder else folder, ignore_errors=True)


if __name__ == "__main__":
    main()
