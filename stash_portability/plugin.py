"""Stash's plugin protocol: a call on stdin, log lines and progress on stderr, one JSON answer on stdout.

Tasks (``export``, ``setup``) leave their outcome in a run folder, because Stash shows a failed task as finished;
operations (``status``, ``fields``) answer at once. Only what a mode needs is imported, when it is needed.
"""

from __future__ import annotations

import json
import logging
import os
import sys
import time
import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, BinaryIO

from . import __version__, dependencies, runs
from .call import Call, by_hand, read_call, read_settings
from .errors import EXIT_BUG, EXIT_DONE, PortabilityError, UsageError, unknown
from .places import READABLE_PARTS, Places, data_folder
from .stashlog import Handler, StashLog, StashProgress, TerminalLog

ARGUMENTS = (
    "to format profile kinds fields filter saved_filter ids since closure privacy blobs csv_safe bom compress overwrite"
).split()
"""What a task may be told: the long options of ``export``, but for the source and its key."""
SETTINGS = ("format", "privacy", "kinds")
RUNS_SHOWN = 10


@dataclass(frozen=True, slots=True)
class Streams:
    """What was on stdin, where the one answer goes, and where log lines go."""

    given: bytes
    answer: BinaryIO
    log: BinaryIO


@dataclass(frozen=True, slots=True)
class Desk:
    """What a task or operation works with. ``clock`` gives seconds, ``now`` the time in UTC."""

    call: Call
    places: Places
    settings: Mapping[str, str]
    environment: Mapping[str, str]
    log: StashLog
    clock: Callable[[], float] = time.monotonic
    now: Callable[[], datetime] = lambda: datetime.now(timezone.utc)

    def shelf(self) -> dependencies.Shelf:
        """Where the dependency sets are."""
        return dependencies.shelf(self.places.deps, sys.path)

    def provide(self, names: Sequence[str]) -> None:
        """Make dependency sets importable, installing them if need be; raises LibrariesMissing."""
        shelf = self.shelf()
        if shelf.missing(names):
            from .installer import provide  # noqa: PLC0415 - seldom needed, and slow to import

            provide(names, shelf, StashProgress(self.log, self.clock))
        shelf.use()


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
    if call.mode not in {**TASKS, **OPERATIONS}:
        raise unknown("mode", call.mode, [*TASKS, *OPERATIONS])
    if call.mode in TASKS:
        log.say("info", f"Stash Portability {__version__}: {TASKS[call.mode].title}")
    desk = open_desk(call, environment, log)
    if call.mode in OPERATIONS:
        _answer(answer, output=OPERATIONS[call.mode](desk))
        return EXIT_DONE
    logger = logging.getLogger(__package__)
    logger.addHandler(Handler(log))
    logger.setLevel(logging.DEBUG)
    outcome = perform(TASKS[call.mode], desk)
    _answer(answer, output=outcome)
    return int(outcome["exit_code"]) if not call.server else EXIT_DONE


def _answer(stream: BinaryIO, **answer: Any) -> None:
    stream.write(json.dumps(answer).encode() + b"\n")
    stream.flush()


def open_desk(call: Call, environment: Mapping[str, str], log: StashLog) -> Desk:
    """Find the data folder, asking Stash for our settings; raises Unreachable when it does not answer."""
    settings = read_settings(call) if call.server else {}
    folder = data_folder(call.data, environment, settings.get("dataFolder", ""), call.config_folder)
    return Desk(call, Places(folder), settings, environment, log)


@dataclass(frozen=True, slots=True)
class Task:
    """A task: its name in Stash, and what does it: given the desk it gives its facts for the run's report, among
    them ``exit_code`` and ``said``, the lines for the log (the last one is what the user looks for)."""

    title: str
    do: Callable[[Desk], Mapping[str, Any]]


def perform(task: Task, desk: Desk) -> dict[str, Any]:
    """Do a task within a run folder; give the run's name, state, exit code and error. A failure is one line in
    the log, and a bug of ours too: its traceback goes to the debug level."""
    desk.places.make()
    with runs.begin(desk.places.runs, desk.call.mode, desk.now(), os.urandom(4)) as run:
        facts = _outcome(task, desk)
        state = "failed" if "error" in facts else "finished"
        run.write(state, ended=runs.iso(desk.now()), **facts)
        error = facts.get("error")
        return {"run": run.name, "state": state, "exit_code": facts["exit_code"], "error": error}


def _outcome(task: Task, desk: Desk) -> dict[str, Any]:
    try:
        facts = dict(task.do(desk))
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


def bug_line(problem: Exception) -> str:
    """Tell a bug of ours in one line: what, and where."""
    last = traceback.extract_tb(problem.__traceback__)[-1]
    where = f"{Path(last.filename).name}:{last.lineno}"
    what = " ".join(f"{type(problem).__name__}: {problem}".split())
    return f"a bug of ours ({where}): {what}; please report it, with the lines of the log at level Debug"


def export(desk: Desk) -> dict[str, Any]:
    """The task *Export library*: the whole library, or what the arguments choose, into the data folder."""
    arguments = export_arguments(desk)
    desk.provide(["core", "yaml"] if needs_yaml(arguments, desk.settings) else ["core"])
    from .commands import Means, own_library  # noqa: PLC0415 - need the libraries just provided
    from .commands import export as run_export  # noqa: PLC0415
    from .config import export_options  # noqa: PLC0415
    from .report import as_data, as_text  # noqa: PLC0415

    options = export_options(arguments, {}, standing(desk))
    progress = StashProgress(desk.log, desk.clock)
    skipped: list[str] = []
    source = own_library(desk.call.server, Means(), progress.note, skipped)
    progress.shares = shares(source.about().counts, arguments)
    report = run_export(options, progress, Means(), source)
    report.skipped += skipped
    data = as_data(report)
    return {"exit_code": data["exit_code"], "said": as_text(report).splitlines(), "report": data}


def export_arguments(desk: Desk) -> dict[str, Any]:
    """The options of the export: the task's arguments before the plugin's settings, paths checked; raises
    UsageError for what a task may not say, OutsideRoots for where it may not write."""
    told = {key: value for key, value in desk.call.arguments.items() if key != "mode" and value not in (None, "")}
    for key in told:
        if key not in ARGUMENTS:
            raise unknown("argument", key, ARGUMENTS)
    if str(told.get("filter", "")).startswith("@"):
        raise UsageError("a task takes the filter itself, not the name of a file")
    if isinstance(told.get("kinds"), list):
        told["kinds"] = ",".join(map(str, told["kinds"]))
    if isinstance(told.get("profile"), str):
        told["profile"] = str(_profile(desk, told["profile"]))
    if "to" in told:
        told["to"] = str(_target(desk, told))
    return {**told, "from": "this Stash"}


def _target(desk: Desk, told: Mapping[str, Any]) -> Path:
    """Where a task was told to write. Replacing is for our own folder: any page of the browser can start a task."""
    to = told["to"]
    if not isinstance(to, str) or "\0" in to:
        raise UsageError("to must be the path of a file or folder")
    real = desk.places.check_allowed(Path(to))
    if told.get("overwrite") and not real.is_relative_to(desk.places.data.resolve()):
        raise UsageError("a task replaces only what lies in the data folder; give another to")
    return real


def standing(desk: Desk) -> dict[str, Any]:
    """What holds when neither the task's arguments nor a profile say otherwise: our settings, and where a new
    export goes."""
    kept = {key: desk.settings[key] for key in SETTINGS if desk.settings.get(key)}
    return {"format": "json", **kept, "stem": str(desk.places.exports / f"{runs.stamp(desk.now())}-library")}


def _profile(desk: Desk, name: str) -> Path:
    return desk.places.check_allowed(desk.places.profiles / name, parts=READABLE_PARTS)


def needs_yaml(arguments: Mapping[str, Any], settings: Mapping[str, str]) -> bool:
    """Whether an export needs the YAML library."""
    ends = str(arguments.get("to", "")).endswith((".yaml", ".yml"))
    return (
        ends or "yaml" in (arguments.get("format"), settings.get("format")) or isinstance(arguments.get("profile"), str)
    )


def shares(counts: Mapping[str, int | None], arguments: Mapping[str, Any]) -> dict[str, float]:
    """How much each phase of an export is of the whole, by its name: by the number of records, or alike when
    only some are exported."""
    from .kinds import KINDS  # noqa: PLC0415 - a status does without

    some = any(arguments.get(key) for key in ("filter", "saved_filter", "ids", "since", "kinds"))
    return {KINDS[kind].plural: 1.0 if some else float(count or 0) for kind, count in counts.items()}


def set_up(desk: Desk) -> dict[str, Any]:
    """The task *Set up dependencies*: install every set that is not there or does not load."""
    from .installer import set_up as install_all  # noqa: PLC0415

    progress = StashProgress(desk.log, desk.clock, {f"installing {name}": 1.0 for name in dependencies.SETS})
    return {"exit_code": EXIT_DONE, "said": install_all(desk.shelf(), progress)}


def status(desk: Desk) -> dict[str, Any]:
    """The operation ``status``: versions, the data folder, the dependency sets and the last runs."""
    shelf = desk.shelf()
    sets = {name: {"gives": one.gives, "from": shelf.state(name)} for name, one in dependencies.SETS.items()}
    return {
        "ok": True,
        "version": __version__,
        "python": ".".join(str(part) for part in sys.version_info[:3]),
        "data": str(desk.places.data),
        "sets": sets,
        "runs": runs.latest(desk.places.runs, RUNS_SHOWN),
    }


def fields(_: Desk) -> dict[str, Any]:
    """The operation ``fields``: every kind and field, and the privacy levels."""
    from .kinds import KINDS, LEVEL_WORDS, Field  # noqa: PLC0415

    def shown(field: Field) -> dict[str, Any]:
        facts = {"name": field.name, "type": field.type, "many": field.many, "of": field.of, "note": field.note}
        more = {"privacy": field.privacy, "since": field.since, "parts": [shown(part) for part in field.parts]}
        return {**facts, **more}

    kinds = [
        {"name": kind.name, "plural": kind.plural, "fields": [shown(field) for field in kind.fields]}
        for kind in KINDS.values()
    ]
    return {"kinds": kinds, "levels": LEVEL_WORDS}


TASKS: Mapping[str, Task] = {
    "export": Task("Export library", export),
    "setup": Task("Set up dependencies", set_up),
}
OPERATIONS: Mapping[str, Callable[[Desk], dict[str, Any]]] = {"status": status, "fields": fields}
