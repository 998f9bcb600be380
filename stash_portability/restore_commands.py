"""What the command line does with plans and runs: each command in a run folder of its own, as the tasks are."""

from __future__ import annotations

import os
import random
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from . import places, runs
from .errors import EXIT_CANCELLED, PortabilityError, unknown
from .libraries.opening import Opening
from .means import Means
from .model import Progress, Report
from .planfile import WHAT, Wanted, page, read_header
from .report import as_data, as_text, called
from .report_html import as_html
from .restore import apply_plan, plan_restore
from .restore_options import RestoreOptions
from .target import Target, open_target
from .traces import deed, has_written, restored, told_further
from .undoing import undo, written_by
from .writing import Asked

RUNS_SHOWN = 50
PAGE = 200
Outcome = tuple[str, Report]
"""A run's name and its report."""


class Hands(NamedTuple):
    """What a command works with: the folder of the runs, where it tells how far it is, its means."""

    runs: Path
    progress: Progress
    means: Means


def hands(data: str | None, environment: Mapping[str, str], progress: Progress) -> Hands:
    """What a command works with; ``data`` is ``--data``."""
    return Hands(places.data_folder(data, environment) / "runs", progress, Means())


def restore(options: RestoreOptions, with_: Hands) -> Outcome:
    """Plan a restore."""
    about = {"title": f"Preview a restore from {options.archive.name}", "archive": options.archive.name}
    return _in_run("restore", about, with_, lambda folder: plan_restore(options, folder, with_.progress, with_.means))


def apply(asked: Asked, key: str, with_: Hands) -> Outcome:
    """Write the plan of a run."""
    header = read_header(asked.run)
    address, archive = header["target"], Path(header["archive"]).name

    def do(folder: Path) -> Report:
        target = _open(address, key, with_)
        return apply_plan(asked, folder, with_.progress, with_.means, target)

    about = {"title": f"Restore {restored(archive, header['what'])}", "archive": archive, "plan": asked.run.name}
    return _in_run("apply", about, with_, do)


def take_back(asked: Asked, key: str, with_: Hands) -> Outcome:
    """Take back what a run wrote."""
    address = written_by(asked.run)["target"]

    def do(folder: Path) -> Report:
        return undo(asked, folder, with_.progress, with_.means, _open(address, key, with_))

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
            return run.name, _reported(run, with_, do)
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
        if has_written(run.folder) and state == "failed":
            with_.progress.note(f"what was written until then can be taken back: undo {run.name}")
        raise
    except KeyboardInterrupt:
        run.write("cancelled", ended=runs.iso(now()), exit_code=EXIT_CANCELLED)
        raise
    data = as_data(report)
    facts = {"exit_code": data["exit_code"], "said": as_text(report).splitlines(), "report": data}
    run.write("finished", ended=runs.iso(now()), **facts)
    return report


def find_run(named: str, with_: Hands) -> Path:
    """The folder of a run, by its name or its path. Raises UnknownName."""
    if runs.NAME.fullmatch(named) and (with_.runs / named).is_dir():
        return with_.runs / named
    path = Path(named)
    if runs.NAME.fullmatch(path.name) and path.is_dir():
        return path.resolve()
    raise unknown("run", named, runs.names(with_.runs)[:16])


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
    yield from (f"  {line}" for line in report.get("said") or ())


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
