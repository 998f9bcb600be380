"""Stash's plugin protocol: a call on stdin, log lines and progress on stderr, one JSON answer on stdout.

Tasks (tasks.py) leave their outcome in a run folder, because Stash shows a failed task as finished; one that the page
has asked for takes over the folder that lies ready for it. Operations (operations.py) answer at once.
Only what a mode needs is imported, when it is needed.
"""

from __future__ import annotations

import json
import logging
import os
import traceback
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any, BinaryIO

from . import __version__, downloads, operations, runs
from .call import Call, by_hand, read_call
from .desk import Desk, bug_line, open_desk
from .errors import EXIT_BUG, EXIT_CANCELLED, EXIT_DONE, Cancelled, PortabilityError, UsageError, unknown
from .operations import OPERATIONS
from .operations_runs import BY_ORDER
from .orders import ARGUMENTS, SETTINGS
from .stashlog import Handler, StashLog, TerminalLog
from .tasks import TASKS, Task

__all__ = ["ARGUMENTS", "OPERATIONS", "SETTINGS", "TASKS", "Desk", "Streams", "Task", "main", "perform"]


@dataclass(frozen=True, slots=True)
class Streams:
    """What was on stdin, where the one answer goes, and where log lines go."""

    given: bytes
    answer: BinaryIO
    log: BinaryIO


def main(streams: Streams, arguments: Sequence[str], environment: Mapping[str, str]) -> int:
    """Serve one call; give the exit code for whoever runs this by hand (for Stash the answer says it all)."""
    log = TerminalLog(streams.log) if arguments else StashLog(streams.log)
    try:
        call = by_hand(arguments) if arguments else read_call(streams.given)
        log.hide(call.cookie)
        return _serve(call, environment, log, streams.answer)
    except PortabilityError as problem:
        log.say("error", str(problem))
        _answer(streams.answer, error=str(problem))
        return problem.exit_code
    except Exception as problem:  # noqa: BLE001 - Stash must get its answer, whatever went wrong before the task
        log.say("debug", traceback.format_exc())
        log.say("error", bug_line(problem))
        _answer(streams.answer, error=bug_line(problem))
        return EXIT_BUG


def _serve(call: Call, environment: Mapping[str, str], log: StashLog, answer: BinaryIO) -> int:
    if call.mode in OPERATIONS:
        _answer(answer, output=operations.answer(call, environment, log))
        return EXIT_DONE
    if call.mode not in TASKS:
        raise unknown("mode", call.mode, [*TASKS, *OPERATIONS])
    log.say("info", f"Stash Portability {__version__}: {TASKS[call.mode].title}")
    desk = open_desk(call, environment, log)
    logger = logging.getLogger(__package__)
    logger.addHandler(Handler(log))
    logger.setLevel(logging.DEBUG)
    outcome = perform(TASKS[call.mode], desk)
    _answer(answer, output=outcome)
    return int(outcome["exit_code"]) if not call.server else EXIT_DONE


def _answer(stream: BinaryIO, **answer: Any) -> None:
    stream.write(json.dumps(answer).encode() + b"\n")
    stream.flush()


def perform(task: Task, desk: Desk) -> dict[str, Any]:
    """Do a task within a run folder; give the run's name, state, exit code and error. A failure is one line in
    the log, and a bug of ours too: its traceback goes to the debug level."""
    desk.places.make()
    downloads.sweep(desk.plugin_folder, desk.now())
    try:
        with _run_of(task, desk) as run:
            facts = _outcome(task, desk, run)
            state = "failed" if "error" in facts else "finished"
            run.write(state, ended=runs.iso(desk.now()), **facts)
            if desk.call.mode in BY_ORDER:
                from .report_html import as_html  # noqa: PLC0415 - only few runs have a page

                run.page(as_html)
            error = facts.get("error")
            return {"run": run.name, "state": state, "exit_code": facts["exit_code"], "error": error}
    except Cancelled:
        name = desk.call.arguments.get("run")
        desk.log.say("info", f"{name} was cancelled before it began; nothing is done")
        return {"run": name, "state": "cancelled", "exit_code": EXIT_CANCELLED, "error": None}


@contextmanager
def _run_of(task: Task, desk: Desk) -> Iterator[runs.Run]:
    """The run the task does: the one it was given, which waits for it, or a new one."""
    kind, name = desk.call.mode, desk.call.arguments.get("run")
    if name is None:
        with runs.begin(desk.places.runs, kind, desk.now(), os.urandom(4), task.title) as run:
            yield run
    elif set(desk.call.arguments) != {"mode", "run"}:
        raise UsageError("a run has its own order: give nothing else with it")
    else:
        with runs.take(desk.places.runs, name, kind, desk.now()) as run:
            yield run


def _with_order(desk: Desk, run: runs.Run) -> Desk:
    """The desk with the order of a run that was asked for, and what notes how it ends; raises Unreadable."""
    desk = replace(desk, announce=run.announce, folder=run.folder)
    if "run" not in desk.call.arguments:
        return desk
    order = runs.order(desk.places.runs, run.name)
    arguments = {**(order.get("arguments") or {}), "mode": desk.call.mode}
    settings = {**desk.settings, **dict.fromkeys(SETTINGS, ""), **(order.get("settings") or {})}
    return replace(desk, call=replace(desk.call, arguments=arguments), settings=settings, download=True)


def _outcome(task: Task, desk: Desk, run: runs.Run) -> dict[str, Any]:
    try:
        facts = dict(task.do(_with_order(desk, run)))
    except PortabilityError as problem:
        return _failure(desk, problem.code, str(problem), problem.exit_code)
    except Exception as problem:  # noqa: BLE001 - the one place where a bug of ours is told in a line
        desk.log.say("debug", traceback.format_exc())
        return _failure(desk, "Bug", bug_line(problem), EXIT_BUG)
    for line in facts.pop("said"):
        desk.log.say("info", line.strip())
    return facts


def _failure(desk: Desk, code: str, message: str, exit_code: int) -> dict[str, Any]:
    desk.log.say("error", message)
    return {"exit_code": exit_code, "error": {"code": code, "message": message}}
