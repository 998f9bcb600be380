"""What the tasks do: each gives the facts for its run's report. Only what one needs is imported,
when it is needed."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from . import backup_orders, dependencies, operations_runs, restore_orders, restore_tasks, runs
from .desk import Desk
from .errors import EXIT_DONE
from .orders import export_arguments, export_order, sets_to_check, sets_to_do, shares
from .providing import provide_for
from .stashlog import StashProgress

if TYPE_CHECKING:
    from .model import Report

SHARES_OF_VERIFYING = {"L1: bytes": 0.2, "L2: members": 0.3, "L2: records": 0.5}
"""How long the phases of a verification take, compared with each other."""


@dataclass(frozen=True, slots=True)
class Task:
    """A task: its name in Stash, and what does it: given the desk it gives its facts for the run's report, among
    them ``exit_code`` and ``said``, the lines for the log (the last one is what the user looks for)."""

    title: str
    do: Callable[[Desk], Mapping[str, Any]]


def export(desk: Desk) -> dict[str, Any]:
    """The task *Export library*: the whole library, or what the arguments choose, into the data folder."""
    desk.provide(["core", *sets_to_check(export_arguments(desk))])
    arguments, options = export_order(desk)
    desk.provide(sets_to_do(options))
    from .commands import export as run_export  # noqa: PLC0415 - needs the libraries just provided
    from .commands import own_library  # noqa: PLC0415
    from .means import Means  # noqa: PLC0415
    from .report import as_data, as_text  # noqa: PLC0415

    progress = StashProgress(desk.log, desk.clock)
    skipped: list[str] = []
    source = own_library(desk.call.server, Means(), progress.note, skipped)
    progress.shares = shares(source.about().counts, arguments, options)
    report = run_export(options, progress, Means(announce=_announcer(desk, skipped)), source)
    report.skipped += skipped
    data = as_data(report)
    facts = {"exit_code": data["exit_code"], "said": as_text(report).splitlines(), "report": data}
    return {**facts, "nfo": "beside" if options.nfo.beside else "folder"} if options.nfo else facts


def _announcer(desk: Desk, skipped: Sequence[str]) -> Callable[[Path, Report], None]:
    """What notes in the run's folder how the run ends, should it be killed just after its output got its name."""
    from .report import as_data  # noqa: PLC0415

    def announce(at: Path, report: Report) -> None:
        data = as_data(replace(report, skipped=[*report.skipped, *skipped]))
        desk.announce(at, Path(report.outputs[0]), {"exit_code": data["exit_code"], "report": data})

    return announce


def back_up(desk: Desk) -> dict[str, Any]:
    """The task *Back up now*: everything, into one archive in the data folder, read back in full."""
    desk.provide(backup_orders.sets_to_do(desk.call.arguments))
    options = backup_orders.backup_order(desk)
    from .backup import backup  # noqa: PLC0415 - needs the libraries just provided
    from .commands import own_library  # noqa: PLC0415
    from .means import Means  # noqa: PLC0415
    from .report import as_data, as_text  # noqa: PLC0415

    progress = StashProgress(desk.log, desk.clock)
    skipped: list[str] = []
    source = own_library(desk.call.server, Means(), progress.note, skipped)
    counts = shares(source.about().counts, {})
    progress.shares = {**counts, "reading back": sum(counts.values()) / 4}
    report = backup(options, progress, Means(now=desk.now, announce=_announcer(desk, skipped)), source)
    report.skipped += skipped
    data = as_data(report)
    return {"exit_code": data["exit_code"], "said": as_text(report).splitlines(), "report": data}


def verify(desk: Desk) -> dict[str, Any]:
    """The task *Verify newest backup*: its bytes, then all that is in it; or those of the archive that is named."""
    path = restore_orders.verify_order(desk)
    runs.note(desk.places.runs, desk.folder.name, archive=path.name)
    provide_for(desk, path)
    from .backup import verify as verify_archive  # noqa: PLC0415 - needs the libraries just provided
    from .means import Means  # noqa: PLC0415
    from .report import as_data, as_text  # noqa: PLC0415

    progress = StashProgress(desk.log, desk.clock, dict(SHARES_OF_VERIFYING))
    report = verify_archive(path, progress, Means(now=desk.now))
    data = as_data(report)
    said = [f"{path.name} is whole", *as_text(report).splitlines()]
    return {"exit_code": data["exit_code"], "said": [*said[1:], said[0]], "report": data}


def set_up(desk: Desk) -> dict[str, Any]:
    """The task *Set up dependencies*: install every set that is not there or does not load."""
    from .installer import set_up as install_all  # noqa: PLC0415

    progress = StashProgress(desk.log, desk.clock, {f"installing {name}": 1.0 for name in dependencies.SETS})
    return {"exit_code": EXIT_DONE, "said": install_all(desk.shelf(), progress)}


_DO: Mapping[str, Callable[[Desk], Mapping[str, Any]]] = {
    "export": export, "backup": back_up, "verify": verify, "setup": set_up,
    "restore": restore_tasks.restore, "apply": restore_tasks.apply, "undo": restore_tasks.undo,
}  # fmt: skip
TASKS: Mapping[str, Task] = {mode: Task(title, _DO[mode]) for mode, title in operations_runs.TASKS.items()}
