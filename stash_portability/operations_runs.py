"""What the page asks of runs: to start one, what became of it, to end it, and to download what it made.

``start`` keeps an order in a run's folder and has Stash queue a task, which takes the order from there.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import asdict, replace
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any

from . import archives_shown, backup_orders, downloads, jobs, mediafolders, orders, restore_orders, runs
from .desk import Desk
from .errors import NoLink, PortabilityError, UsageError, unknown
from .traces import deed, restored, told_further
from .wholefile import write_whole

if TYPE_CHECKING:
    from .config import ExportOptions

RUNS_SHOWN = 10
TASKS = {
    "export": "Export library",
    "backup": "Back up now",
    "verify": "Verify newest backup",
    "setup": "Set up dependencies",
    "restore": "Preview a restore",
    "apply": "Restore",
    "undo": "Undo",
}
"""The tasks that can be started from the page, by their mode, and their titles."""
BY_ORDER = ("restore", "apply", "undo")
"""Those that are not in Stash's own list of tasks, because they have to be told what to do."""


def latest(desk: Desk) -> list[dict[str, Any]]:
    """The reports of the last runs, as far as Stash tells what became of those that wait."""
    found = (_settled_if_it_can(desk, report) for report in runs.latest(desk.places.runs, RUNS_SHOWN))
    return [told_further(desk.places.runs, report) for report in found]


def _settled_if_it_can(desk: Desk, report: dict[str, Any]) -> dict[str, Any]:
    if report["state"] == "queued":
        with suppress(PortabilityError):
            return jobs.settled(desk, report)
    return report


def busy(reports: list[dict[str, Any]]) -> dict[str, Any] | None:
    """The run that goes on; else the oldest that waits."""
    waiting = [report for report in reversed(reports) if report["state"] == "queued"]
    going = [report for report in reports if report["state"] == "running"] + waiting
    return {"run": going[0]["run"], "kind": going[0].get("kind", ""), "state": going[0]["state"]} if going else None


def start(desk: Desk) -> dict[str, Any]:
    """Check an order, keep it in a run's folder, and have Stash queue the task that does it."""
    kind = desk.call.arguments.get("task", "export")
    if kind not in TASKS:
        raise unknown("task", str(kind), TASKS)
    order = _ORDERS[kind](ordered(desk))
    desk.places.make()
    with runs.alone(desk.places.data / "state" / "start"):  # so that two at once do not both set up
        going = _same_going_on(desk) if kind == "setup" else None
        return going or _queued(desk, kind, order)


def ordered(desk: Desk) -> Desk:
    """The desk as the task will have it that does the ``order`` of the arguments."""
    order = desk.call.arguments.get("order", {})
    if not isinstance(order, Mapping):
        raise UsageError("order must be a mapping of options")
    return replace(desk, call=replace(desk.call, arguments=dict(order)), download=True)


def _export(desk: Desk) -> dict[str, Any]:
    _, options = orders.export_order(desk)
    desk.places.make()
    _check_place(options)
    kept = {key: value for key, value in desk.settings.items() if key in orders.SETTINGS}
    return {"title": orders.title(options), "arguments": dict(desk.call.arguments), "settings": kept}


def _backup(desk: Desk) -> dict[str, Any]:
    desk.places.make()
    backup_orders.backup_order(desk)
    return {"title": TASKS["backup"], "arguments": dict(desk.call.arguments)}


def _verify(desk: Desk) -> dict[str, Any]:
    """The archive is settled now: one that is newest when the task begins may be another."""
    path = restore_orders.verify_order(desk)
    return {"title": f"Verify {path.name}", "arguments": {"archive": path.name}}


def _restore(desk: Desk) -> dict[str, Any]:
    desk.need("core")
    arguments = restore_orders.nested(desk.call.arguments)
    options = restore_orders.restore_order(replace(desk, call=replace(desk.call, arguments=arguments)))
    archive = options.archive.name
    return {"title": f"Preview a restore from {archive}", "arguments": arguments, "about": {"archive": archive}}


def _apply(desk: Desk) -> dict[str, Any]:
    order = restore_orders.apply_order(desk)
    about = restore_orders.named(desk)
    what = (runs.read(desk.places.runs, order.run).get("report") or {}).get("what") or ""
    title = f"Restore {restored(about.get('archive', order.run), what)}"
    return {"title": title, "arguments": dict(desk.call.arguments), "about": about}


def _undo(desk: Desk) -> dict[str, Any]:
    order = restore_orders.undo_order(desk)
    about = restore_orders.named(desk)
    return {"title": f"Undo: {deed(order.folder)}", "arguments": dict(desk.call.arguments), "about": about}


def _set_up(_: Desk) -> dict[str, Any]:
    return {"title": TASKS["setup"]}


_ORDERS: Mapping[str, Callable[[Desk], dict[str, Any]]] = {
    "export": _export, "backup": _backup, "verify": _verify, "setup": _set_up,
    "restore": _restore, "apply": _apply, "undo": _undo,
}  # fmt: skip
"""Checks what a task of the kind is asked to do, and gives the order as its run keeps it."""


def _check_place(options: ExportOptions) -> None:
    """Raise OutputExists or OutputNotUsable for a place where nothing can be written."""
    if options.nfo:
        return mediafolders.check_usable(options)
    from .storage.container import open_output  # noqa: PLC0415 - a status does without

    open_output(options.to, options.shape, overwrite=options.overwrite)
    return None


def _same_going_on(desk: Desk) -> dict[str, Any] | None:
    """The setting up that waits or goes on."""
    for report in runs.latest(desk.places.runs, RUNS_SHOWN):
        found = jobs.settled(desk, report) if report["state"] == "queued" else report
        if found.get("kind") == "setup" and found["state"] in ("queued", "running"):
            return {"run": found["run"], "job": found.get("job")}
    return None


def _queued(desk: Desk, kind: str, order: Mapping[str, Any]) -> dict[str, Any]:
    """A new run, and the job of its task; a run that Stash refuses has failed."""
    run = runs.queue(desk.places.runs, kind, desk.now(), os.urandom(4), order)
    try:
        job = jobs.ask_for(desk, run.name, kind, str(order["title"]))
    except PortabilityError as problem:
        error = {"code": problem.code, "message": str(problem)}
        facts: dict[str, Any] = {"ended": runs.iso(desk.now()), "exit_code": problem.exit_code, "error": error}
        runs.change(desk.places.runs, run.name, ("queued",), "failed", **facts)
        raise
    runs.note(desk.places.runs, run.name, job=job)
    return {"run": run.name, "job": job}


def run(desk: Desk) -> dict[str, Any]:
    """The report of one run, as far as Stash and its lock tell what became of it."""
    report = jobs.settled(desk, runs.read(desk.places.runs, name_of(desk)))
    order = restore_orders.order_of(report, desk.places.runs)
    return {"run": {**told_further(desk.places.runs, report), **({"order": order} if order else {})}}


def cancel(desk: Desk) -> dict[str, Any]:
    """End a run that waits or goes on; one that is over by then stays as it is."""
    return {"run": jobs.cancel(desk, name_of(desk))}


def name_of(desk: Desk) -> str:
    """The name of a run, as it was told. Raises UsageError."""
    name = desk.call.arguments.get("run")
    if not isinstance(name, str) or not name:
        raise UsageError("run is missing: the name of a run")
    return name


def link(desk: Desk) -> dict[str, Any]:
    """A download of what a run has made, or of an archive, for an hour."""
    if "archive" in desk.call.arguments:
        target = archives_shown.find(desk.places.backups, desk.call.arguments["archive"])
        return _linked(desk, target, desk.places.data / "state" / "link.json")
    name = name_of(desk)
    return _linked(desk, _output(desk, runs.read(desk.places.runs, name)), desk.places.runs / name / "link.json")


def _linked(desk: Desk, target: Path, kept: Path) -> dict[str, Any]:
    """The link made last, which ``kept`` tells, if it is one of this target; else a new one."""
    with suppress(OSError, ValueError, KeyError, TypeError, AttributeError):
        before: dict[str, Any] = json.loads(kept.read_text("utf-8"))
        if _is_fresh(desk, before, target):
            return {key: before[key] for key in ("path", "name", "bytes", "until")}
    made = asdict(downloads.link(desk.plugin_folder, target, os.urandom(16), desk.now(), desk.clock))
    made["until"] = runs.iso(made["until"])
    with suppress(OSError):
        write_whole(kept, {**made, "target": str(target), "of": target.stat().st_mtime_ns})
    return made


def _is_fresh(desk: Desk, before: Mapping[str, Any], target: Path) -> bool:
    """Whether a link made before serves the same file for at least half of its time more."""
    until = datetime.strptime(before["until"], "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=timezone.utc)
    same = before["target"] == str(target) and before["of"] == target.stat().st_mtime_ns
    long = until - desk.now() > downloads.LIFETIME / 2
    return same and long and downloads.still_there(desk.plugin_folder, before["path"])


def _output(desk: Desk, report: Mapping[str, Any]) -> Path:
    """What a run has made, if it may be offered: finished, of ours, and in a folder tasks may write to; NFO files only
    in exports/, because other folders hold more than they."""
    outputs, nfo = (report.get("report") or {}).get("outputs") or [], report.get("nfo")
    if report["state"] == "finished" and nfo == "beside":
        raise NoLink(path=" and ".join(outputs) or "what was written", reason="it lies beside the media")
    if report["state"] != "finished" or len(outputs) != 1:
        raise UsageError(f"the run {report['run']} is {report['state']} and has made nothing to download")
    target = Path(outputs[0])
    real = desk.places.check_allowed(target) if not nfo else mediafolders.check_target(desk, target)
    if nfo and not real.is_relative_to(desk.places.exports.resolve()):
        raise NoLink(path=target, reason="it lies in a folder that may hold more than what was exported")
    if target.is_symlink():
        raise NoLink(path=target, reason="it is a symbolic link")
    return real
