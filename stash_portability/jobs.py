"""The tasks Stash queues for our runs: asking for one, finding it again by its run's name, stopping it.

A job's number says little, because Stash begins at 1 again with each start; so a job's description carries the name
of its run.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

from . import runs
from .call import ask
from .desk import Desk
from .errors import Locked, PortabilityError, StashSaidNo, Stopped, UsageError

SECONDS = 2.5
"""To wait for one answer of Stash."""
ENOUGH, PAUSE = 3.0, 0.05
"""Seconds for the whole of a cancellation, most of which is waiting until the stopped task is gone, and between two
looks: whoever cancels has an answer within five seconds."""
LOOKS = 20
"""At the lock of a report, before a run that waits is taken for one that goes on and stands still."""
YOUNG = timedelta(seconds=30)
"""How long a run may wait without a job: whoever asks for it may still be at it."""
RUN_TASK = """mutation($id: ID!, $args: Map!, $said: String!) {
    runPluginTask(plugin_id: $id, args_map: $args, description: $said) }"""
FIND = """query($id: ID!) {
    jobQueue { id status description } findJob(input: {id: $id}) { id status description error } }"""
STOP = "mutation($id: ID!) { stopJob(job_id: $id) }"
OF_TASKS = "Running plugin task: "
"""What Stash puts before a task's title in the description of its job (internal/manager/task_plugin.go)."""
NEVER_BEGAN = "it never began: Stash was started anew, or its queue was emptied; run it again"


def ask_for(desk: Desk, run: str, kind: str, title: str) -> str:
    """Have Stash queue the task of a run; give the job's id. Raises Unreachable, StashSaidNo."""
    said = f"Stash Portability: {title[:1].lower()}{title[1:]} ({run})"
    variables = {"id": desk.call.plugin_id, "args": {"mode": kind, "run": run}, "said": said}
    job = ask(desk.call, RUN_TASK, variables, SECONDS).get("runPluginTask")
    if not job:
        raise StashSaidNo("it gave the task no job")
    return str(job)


def find(desk: Desk, report: Mapping[str, Any], seconds: float = SECONDS) -> Mapping[str, Any] | None:
    """The job of a run, as Stash knows it; None when it knows none. Raises Unreachable, StashSaidNo."""
    answer = ask(desk.call, FIND, {"id": str(report.get("job") or "0")}, seconds)
    known = [*(answer.get("jobQueue") or []), *filter(None, [answer.get("findJob")])]
    named = [job for job in known if report["run"] in job["description"]]
    if not named and report["state"] == "running" and not report.get("job"):
        # Begun in Settings → Tasks: Stash does one job at a time, and this run goes on.
        titles = (f"{OF_TASKS}{report.get('title')}", f"{OF_TASKS}{desk.call.plugin_id}")
        named = [job for job in known if job["status"] == "RUNNING" and job["description"] in titles]
    return named[0] if named else None


def settled(desk: Desk, report: dict[str, Any]) -> dict[str, Any]:
    """The report of a run, brought up to what has become of it: one whose job is gone is over, and so is one
    that nobody holds. Raises Unreachable, StashSaidNo."""
    name, state = report["run"], report["state"]
    if state == "queued" and not _is_asked_for(desk, report):
        job = find(desk, report)
        if job is None or job["status"] not in ("READY", "RUNNING", "STOPPING"):
            return runs.change(
                desk.places.runs, name, ("queued",), **_fate(job, desk.places.runs / name), ended=runs.iso(desk.now())
            )
    if state in ("stopped", "cancelled", "finished") and not report.get("ended") and report.get("started"):
        if state == "stopped" and _was_cancelled(desk, report):
            runs.mark_cancelling(desk.places.runs, name)
        return runs.settle(desk.places.runs, name, desk.now())
    return report


def _is_asked_for(desk: Desk, report: Mapping[str, Any]) -> bool:
    """Whether Stash may be being asked for the task of this run just now."""
    if report.get("job") or not report.get("asked"):
        return False
    asked = datetime.strptime(report["asked"], "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=timezone.utc)
    return desk.now() - asked < YOUNG


def _fate(job: Mapping[str, Any] | None, folder: Path) -> dict[str, Any]:
    """What became of a run that never began, by what became of its job."""
    if job is not None and job["status"] == "CANCELLED":
        return runs.cancelled(folder)
    if job is not None and job.get("error"):
        return runs.outcome("failed", Stopped(f"Stash could not run its task: {job['error']}"))
    if job is not None:
        return runs.outcome("failed", Stopped("its task ended before it began; Stash's log says why"))
    return runs.outcome("stopped", Stopped(NEVER_BEGAN))


def _was_cancelled(desk: Desk, report: Mapping[str, Any]) -> bool:
    """Whether the task of a killed run was stopped in Stash's own list of tasks."""
    with suppress(PortabilityError):
        job = find(desk, report) if report.get("job") else None
        return job is not None and job["status"] in ("CANCELLED", "STOPPING")
    return False


def cancel(desk: Desk, name: str, sleep: Callable[[float], None] = time.sleep) -> dict[str, Any]:
    """End a run, and give its report: ``cancelled``, or what it was when it had ended by itself before. A task
    that cannot be ended in time (its process waits for the disk) is still reported as running, and whoever looks
    later finds it cancelled. Raises UsageError when Stash has no task of it, Unreachable, StashSaidNo."""
    end = desk.clock() + ENOUGH
    report = _withdrawn(desk, name)
    if report["state"] == "cancelled":
        with suppress(PortabilityError):  # should its task begin all the same, it sees that, and does nothing
            _stop(desk, find(desk, report, ENOUGH / 2), ENOUGH / 2)
        return report
    if report["state"] in ("queued", "running"):
        _end(desk, report, end, sleep)
        if runs.goes_on(desk.places.runs, name):
            return runs.read(desk.places.runs, name)
        _withdrawn(desk, name)  # it may have been ended before it had said that it goes on
    report = runs.settle(desk.places.runs, name, desk.now())
    if report["state"] == "cancelled":
        _clear(desk, name)
    return report


def _withdrawn(desk: Desk, name: str) -> dict[str, Any]:
    """The report of a run, which is cancelled if it waits. A task that stands still just as it begins may hold the
    lock of its reports: it goes on. Raises Locked when somebody else has it."""
    report = runs.read(desk.places.runs, name)
    if report["state"] != "queued":
        return report
    try:
        runs.change(desk.places.runs, name, ("queued",), tries=LOOKS, **_cancelled(desk, name))
    except Locked:
        if not runs.goes_on(desk.places.runs, name):
            raise
    return runs.read(desk.places.runs, name)


def _cancelled(desk: Desk, name: str) -> dict[str, Any]:
    return {**runs.cancelled(desk.places.runs / name), "ended": runs.iso(desk.now())}


def _end(desk: Desk, report: Mapping[str, Any], end: float, sleep: Callable[[float], None]) -> None:
    """Have Stash end the task of a run that goes on, and wait until it is gone, or ``end`` has come."""
    name = report["run"]
    job = find(desk, report, ENOUGH / 2)
    if job is None and runs.goes_on(desk.places.runs, name):
        raise UsageError(f"the run {name} has no task in Stash that could be stopped; it ends by itself")
    runs.mark_cancelling(desk.places.runs, name)
    _stop(desk, job, max(end - desk.clock(), PAUSE))
    while runs.goes_on(desk.places.runs, name) and desk.clock() < end:
        sleep(PAUSE)


def _stop(desk: Desk, job: Mapping[str, Any] | None, seconds: float) -> None:
    if job is not None:
        ask(desk.call, STOP, {"id": str(job["id"])}, seconds)


def _clear(desk: Desk, name: str) -> None:
    """Remove what a killed export had begun; what cannot be removed now goes with the next export there."""
    from .storage.partial import clear_dead  # noqa: PLC0415 - seldom needed

    with suppress(OSError, PortabilityError):
        order = runs.order(desk.places.runs, name)
        to = (order.get("arguments") or {}).get("to")
        clear_dead(desk.places.check_allowed(Path(to)).parent if to else desk.places.exports)
