"""What the page asks, each answered within five seconds: ``{ok: true, …}``, or ``{ok: false, error: {code, message,
exit_code}}`` whatever goes wrong, because Stash logs the arguments of a call that ends in an error.

Nothing is installed here, and nothing long is done: ``start`` has Stash queue a task, which takes the order from
its run's folder. Only what an operation needs is imported, when it is needed.
"""

from __future__ import annotations

import json
import os
import sys
import traceback
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import asdict, replace
from datetime import datetime, timezone
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING, Any

from . import __version__, backup_orders, dependencies, downloads, jobs, mediafolders, orders, runs
from .call import Call
from .desk import Desk, bug_line, open_desk
from .errors import EXIT_BUG, NoLink, PortabilityError, TookTooLong, UsageError, unknown
from .stashlog import StashLog

if TYPE_CHECKING:
    from .config import ExportOptions
    from .libraries.stash import StashSource

SECONDS = 4.3
"""Until an answer, whatever the rest still does: a fifth of a second is Python's start, and five are promised."""
MARGIN = 0.4
"""Seconds before that, at which a template is ended, so that there is time to say so."""
RUNS_SHOWN = 10
TASKS = {"export": "Export library", "backup": "Back up now", "setup": "Set up dependencies"}
"""The tasks that can be started from the page, by their mode, and their titles in Stash."""

Operation = Callable[[Desk], dict[str, Any]]


def answer(call: Call, environment: Mapping[str, str], log: StashLog, seconds: float = SECONDS) -> dict[str, Any]:
    """Do the operation the call names; after ``seconds`` answer without it."""
    kept: list[dict[str, Any]] = []
    worker = Thread(target=lambda: kept.append(_attempt(call, environment, log)), daemon=True)
    worker.start()
    worker.join(seconds)
    if kept:
        return kept[0]
    return _refusal(TookTooLong(seconds=f"{seconds:g}"))


def _attempt(call: Call, environment: Mapping[str, str], log: StashLog) -> dict[str, Any]:
    try:
        return {"ok": True, **OPERATIONS[call.mode](open_desk(call, environment, log))}
    except PortabilityError as problem:
        return _refusal(problem)
    except Exception as problem:  # noqa: BLE001 - a bug of ours is told to the page as everything else is
        log.say("debug", traceback.format_exc())
        return {"ok": False, "error": {"code": "Bug", "message": bug_line(problem), "exit_code": EXIT_BUG}}


def _refusal(problem: PortabilityError) -> dict[str, Any]:
    return {"ok": False, "error": {"code": problem.code, "message": str(problem), "exit_code": problem.exit_code}}


def status(desk: Desk) -> dict[str, Any]:
    """Versions, the data folder, the dependency sets, the last runs, and which of them goes on."""
    downloads.sweep(desk.plugin_folder, desk.now())
    shelf = desk.shelf()
    sets = {name: {"gives": one.gives, "from": shelf.state(name)} for name, one in dependencies.SETS.items()}
    latest = [_settled_if_it_can(desk, report) for report in runs.latest(desk.places.runs, RUNS_SHOWN)]
    return {
        "version": __version__,
        "python": ".".join(str(part) for part in sys.version_info[:3]),
        "data": str(desk.places.data),
        "plugin": desk.call.plugin_id,
        "sets": sets,
        "ready": sets["core"]["from"] != "missing",
        "busy": _busy(latest),
        "runs": latest,
    }


def _busy(reports: list[dict[str, Any]]) -> dict[str, Any] | None:
    """The run that goes on; else the oldest that waits."""
    waiting = [report for report in reversed(reports) if report["state"] == "queued"]
    going = [report for report in reports if report["state"] == "running"] + waiting
    return {"run": going[0]["run"], "kind": going[0].get("kind", ""), "state": going[0]["state"]} if going else None


def _settled_if_it_can(desk: Desk, report: dict[str, Any]) -> dict[str, Any]:
    if report["state"] == "queued":
        with suppress(PortabilityError):
            return jobs.settled(desk, report)
    return report


def fields(desk: Desk) -> dict[str, Any]:
    """Everything that can be chosen: kinds and fields, privacy levels, formats, closures, profiles, defaults."""
    from .offers import offers  # noqa: PLC0415 - seldom asked, and it reads profiles

    return offers(desk)


def count(desk: Desk) -> dict[str, Any]:
    """How many records each of the ``scopes`` holds."""
    told = desk.call.arguments
    kind, scopes, narrow = told.get("kind"), told.get("scopes"), told.get("narrow")
    if not isinstance(kind, str) or not isinstance(scopes, Mapping):
        raise UsageError("count wants a kind and scopes")
    desk.need("core")
    from .look import count as look  # noqa: PLC0415 - needs the libraries

    counts, problems = look(own_stash(desk), kind, scopes, narrow)
    return {"counts": counts, "problems": problems}


def preview(desk: Desk) -> dict[str, Any]:
    """The first records as the order would write them."""
    end = desk.clock() + SECONDS - MARGIN
    desk.need("core")
    _, options = orders.export_order(_ordered(desk))
    desk.need(*orders.sets_to_do(options))
    from .look import preview as look  # noqa: PLC0415 - needs the libraries
    from .means import Means  # noqa: PLC0415

    return dict(look(options, own_stash(desk), Means(), end - desk.clock()))


def own_stash(desk: Desk) -> StashSource:
    """The Stash that calls, asked in a way that does not wait long."""
    from .libraries.connection import Limits, from_plugin  # noqa: PLC0415 - needs the libraries
    from .libraries.stash import StashSource  # noqa: PLC0415

    return StashSource(from_plugin(desk.call.server, limits=Limits(connect=2.0, read=SECONDS, pauses=())))


def start(desk: Desk) -> dict[str, Any]:
    """Check an order, keep it in a run's folder, and have Stash queue the task that does it."""
    kind = desk.call.arguments.get("task", "export")
    if kind not in TASKS:
        raise unknown("task", str(kind), TASKS)
    if kind == "export":
        ordered = _ordered(desk)
        _, options = orders.export_order(ordered)
        desk.places.make()
        _check_place(options)
        kept = {key: value for key, value in desk.settings.items() if key in orders.SETTINGS}
        order = {"title": orders.title(options), "arguments": dict(ordered.call.arguments), "settings": kept}
    elif kind == "backup":
        desk.places.make()
        ordered = _ordered(desk)
        backup_orders.backup_order(ordered)
        order = {"title": TASKS[kind], "arguments": dict(ordered.call.arguments)}
    else:
        desk.places.make()
        order = {"title": TASKS[kind]}
    with runs.alone(desk.places.runs / "start"):  # so that two at once do not both set up
        going = _same_going_on(desk) if kind == "setup" else None
        return going or _queued(desk, kind, order)


def _ordered(desk: Desk) -> Desk:
    """The desk as the task will have it that does the ``order`` of the arguments."""
    order = desk.call.arguments.get("order", {})
    if not isinstance(order, Mapping):
        raise UsageError("order must be a mapping of options")
    return replace(desk, call=replace(desk.call, arguments=dict(order)), download=True)


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
        facts = {"ended": runs.iso(desk.now()), "exit_code": problem.exit_code, "error": error}
        runs.change(desk.places.runs, run.name, ("queued",), "failed", **facts)
        raise
    runs.note(desk.places.runs, run.name, job=job)
    return {"run": run.name, "job": job}


def run(desk: Desk) -> dict[str, Any]:
    """The report of one run, as far as Stash and its lock tell what became of it."""
    report = runs.read(desk.places.runs, _name(desk))
    return {"run": jobs.settled(desk, report)}


def cancel(desk: Desk) -> dict[str, Any]:
    """End a run that waits or goes on; one that is over by then stays as it is."""
    return {"run": jobs.cancel(desk, _name(desk))}


def _name(desk: Desk) -> str:
    name = desk.call.arguments.get("run")
    if not isinstance(name, str) or not name:
        raise UsageError("run is missing: the name of a run")
    return name


def link(desk: Desk) -> dict[str, Any]:
    """A download of what a run has made, for an hour."""
    name = _name(desk)
    target = _output(desk, runs.read(desk.places.runs, name))
    kept = desk.places.runs / name / "link.json"
    with suppress(OSError, ValueError, KeyError, TypeError, AttributeError):
        before: dict[str, Any] = json.loads(kept.read_text("utf-8"))
        if _is_fresh(desk, before, target):
            return {key: before[key] for key in ("path", "name", "bytes", "until")}
    made = asdict(downloads.link(desk.plugin_folder, target, os.urandom(16), desk.now(), desk.clock))
    made["until"] = runs.iso(made["until"])
    with suppress(OSError):
        runs.write_whole(kept, {**made, "of": target.stat().st_mtime_ns})
    return made


def _is_fresh(desk: Desk, before: Mapping[str, Any], target: Path) -> bool:
    """Whether a link made before serves the same file for at least half of its time more."""
    until = datetime.strptime(before["until"], "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=timezone.utc)
    same = before["of"] == target.stat().st_mtime_ns
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


def save_template(desk: Desk) -> dict[str, Any]:
    """Keep a template of the page as one of our own, if it is a good one; ``name`` is how an order names it."""
    from .templates import save  # noqa: PLC0415 - a status does without

    return {"name": save(desk, desk.call.arguments.get("name"), desk.call.arguments.get("template"))}


OPERATIONS: Mapping[str, Operation] = {
    "status": status, "fields": fields, "count": count, "preview": preview, "start": start, "run": run,
    "cancel": cancel, "link": link, "save_template": save_template,
}  # fmt: skip
