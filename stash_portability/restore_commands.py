"""What the command line does with plans and runs: each command in a run folder of its own, as the tasks are."""

from __future__ import annotations

import os
import random
import shlex
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from . import places, runs
from .errors import EXIT_CANCELLED, Cancelled, PortabilityError, Stopped, unknown
from .kinds import plural
from .libraries.opening import Opening
from .means import Means
from .model import Progress, Report
from .planfile import WHAT, Wanted, page, read_header
from .report import as_data, as_text, called
from .report_html import as_html
from .restore import apply_plan, plan_restore
from .restore_options import RestoreOptions
from .target import Target, open_target
from .traces import deed, has_written, left_by, restored, told_further
from .undoing import undo, written_by
from .writing import Asked

RUNS_SHOWN = 50
PAGE = 200
PLUGIN = "stash-portability"
_PLACE = "query Place{configuration{general{configFilePath} plugins}}"
Outcome = tuple[Path, Report]
"""The folder of a run, and its report."""


class Hands(NamedTuple):
    """What a command works with: the folder of the runs, where it tells how far it is, its means; and the folder of the
    runs that are found when nothing is said."""

    runs: Path
    progress: Progress
    means: Means
    usual: Path

    def names(self, run: Path) -> str:
        """``run`` as the command line takes it when nothing else is said: by its path where its name would not do."""
        return run.name if run.parent == self.usual else shlex.quote(str(run))


class Stash(NamedTuple):
    """The Stash that a command was told of ("" for none), and the key for it."""

    address: str = ""
    key: str = ""


def hands(data: str | None, environment: Mapping[str, str], progress: Progress, stash: Stash = Stash()) -> Hands:  # noqa: B008
    """What a command works with. The data folder is ``data`` (--data), else the one STASH_PORTABILITY_DATA names, else
    that of the plugin in ``stash``, if that is on this machine: so that both know of each other. Raises Unreachable,
    Refused when the Stash cannot be asked."""
    usual = places.data_folder(None, environment)
    folder = places.data_folder(data, environment)
    if stash.address and not data and not environment.get(places.FOLDER_VARIABLE):
        folder = _of_stash(stash) or usual
    return Hands(folder / "runs", progress, Means(), usual / "runs")


def _of_stash(stash: Stash) -> Path | None:
    if not stash.address.startswith(("http://", "https://")):
        return None
    from .libraries.stash import open_stash  # noqa: PLC0415 - requests and what it brings

    told = open_stash(stash.address, stash.key or None).connection.call_GQL(_PLACE)["configuration"]
    ours = (told.get("plugins") or {}).get(PLUGIN) or {}
    return places.folder_of_stash(told["general"]["configFilePath"] or "", str(ours.get("dataFolder") or ""))


def restore(options: RestoreOptions, with_: Hands) -> Outcome:
    """Plan a restore."""
    about = {"title": f"Preview a restore from {options.archive.name}", "archive": options.archive.name}
    return _in_run("restore", about, with_, lambda folder: plan_restore(options, folder, with_.progress, with_.means))


def apply(asked: Asked, stash: Stash, with_: Hands) -> Outcome:
    """Write the plan of a run, into the Stash it was made for, which may be at another address by now."""
    header = read_header(asked.run)
    address, archive = stash.address or header["target"], Path(header["archive"]).name

    def do(folder: Path) -> Report:
        target = _open(address, stash.key, with_)
        return apply_plan(asked, folder, with_.progress, with_.means, target)

    about = {"title": f"Restore {restored(archive, header['what'])}", "archive": archive, "plan": asked.run.name}
    return _in_run("apply", about, with_, do)


def take_back(asked: Asked, stash: Stash, with_: Hands) -> Outcome:
    """Take back what a run wrote, from the Stash it wrote to, which may be at another address by now."""
    address = stash.address or written_by(asked.run)["target"]

    def do(folder: Path) -> Report:
        return undo(asked, folder, with_.progress, with_.means, _open(address, stash.key, with_))

    return _in_run("undo", {"title": f"Undo: {deed(asked.run)}", "undid": asked.run.name}, with_, do)


def _open(address: str, key: str, with_: Hands) -> Target:
    return open_target(address, Opening(key, random.Random(), with_.progress.note, _tell(with_)))  # noqa: S311


def _tell(with_: Hands) -> Callable[[PortabilityError], None]:
    return lambda problem: with_.progress.note(str(problem))


def _in_run(kind: str, about: Mapping[str, str], with_: Hands, do: Callable[[Path], Report]) -> Outcome:
    """Do something in a run's folder, and report what became of it there. ``about``: what the report tells whatever
    comes of it, of runs.KEPT."""
    with runs.begin(with_.runs, kind, with_.means.now(), os.urandom(4), about["title"]) as run:
        runs.note(with_.runs, run.name, **about)
        try:
            return run.folder, _reported(run, with_, do)
        finally:
            run.page(as_html)


def _reported(run: runs.Run, with_: Hands, do: Callable[[Path], Report]) -> Report:
    now = with_.means.now
    try:
        report = do(run.folder)
    except PortabilityError as problem:
        error = {"code": problem.code, "message": str(problem)}
        state = "cancelled" if problem.exit_code == EXIT_CANCELLED else "failed"
        run.write(state, ended=runs.iso(now()), exit_code=problem.exit_code, error=error)
        if not has_written(run.folder):
            raise
        way_back = f"undo {with_.names(run.folder)}"
        if state == "cancelled":
            raise Stopped(f"{problem}: {way_back}") from problem
        with_.progress.note(f"what was written until then can be taken back: {way_back}")
        raise
    except KeyboardInterrupt as stop:
        left = left_by(runs.kind_of(run.name), run.folder)
        run.write(ended=runs.iso(now()), **runs.outcome("cancelled", Cancelled(left)))
        way_back = f"undo {with_.names(run.folder)}" if has_written(run.folder) else f"the run was {run.name}"
        raise Cancelled(f"{left}: {way_back}") from stop
    data = as_data(report)
    facts = {"exit_code": data["exit_code"], "said": as_text(report).splitlines(), "report": data}
    run.write("finished", ended=runs.iso(now()), **facts)
    return report


def find_run(named: str, with_: Hands) -> Path:
    """The folder of a run, by its name or its path. Raises UnknownName."""
    for runs_ in (with_.runs, with_.usual):
        if runs.NAME.fullmatch(named) and (runs_ / named).is_dir():
            return runs_ / named
    path = Path(named)
    if runs.NAME.fullmatch(path.name) and path.is_dir():
        return path.resolve()
    raise unknown("run", named, runs.names(with_.runs)[:16])


def beside(run: Path, with_: Hands) -> Hands:
    """The means for what is done with a run: it is noted beside that, where whoever looks for the one finds the other,
    and under the same lock."""
    return with_._replace(runs=run.parent)


def listed(with_: Hands) -> Iterator[dict[str, Any]]:
    """The reports of the last runs, the newest first."""
    for report in runs.latest(with_.runs, RUNS_SHOWN):
        yield told_further(with_.runs, report)


def report_of(run: Path) -> dict[str, Any]:
    """The report of one run. Raises Unreadable."""
    return told_further(run.parent, runs.read(run.parent, run.name))


def line_of(report: Mapping[str, Any]) -> str:
    """A run in a line: its name, state and title."""
    error = report.get("error") or {}
    told = f"{report['run']}  {report['state']}"
    code = report.get("exit_code")
    told += f" ({code})" if code else ""
    return "  ".join(filter(None, (told, str(report.get("title") or ""), str(error.get("message") or ""))))


def lines_of(report: Mapping[str, Any]) -> Iterator[str]:
    """The report of a run in lines."""
    yield line_of(report)
    yield from (f"  {line}" for line in report.get("said") or _written(report))


def _written(report: Mapping[str, Any]) -> Iterator[str]:
    """What a run that was ended early has written."""
    for name, count in ((report.get("report") or {}).get("changes") or {}).items():
        kind, op = name.split()
        yield f"{op} {count:,} {plural(kind, count)}"


def decisions(run: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """What a plan leaves to a person: which part of it, and one row after another. Raises as planfile.page."""
    for what in WHAT:
        cursor: int | None = 0 if what != "changes" else None
        while cursor is not None:
            rows, cursor = page(run, what, Wanted(), cursor, PAGE)
            yield from ((what, row) for row in rows)


def decision_text(what: str, row: Mapping[str, Any]) -> str:
    """One of them in a line."""
    which = called(row["kind"], row["uid"], row["label"])
    if what != "conflicts":
        among = f": {', '.join(row['candidates'])}" if row["candidates"] else ""
        return f"{what}: {which}: {row['why']}{among}"
    values = f"archive {row['source']!r}, Stash {row['target']!r}; taken: {row['chosen']}"
    return f"conflict: {which} {row['field']}: {values}"
