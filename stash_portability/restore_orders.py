"""What a task or the page orders to verify, restore, apply or take back, checked as a whole. Writes nothing.

Archives are named by their file names, runs by theirs: no order can name a path.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from . import archives_shown, runs
from .checking import Checker
from .desk import Desk
from .errors import PortabilityError, UsageError, several, unknown
from .traces import PLAN, applied_by, why_not_undoable

if TYPE_CHECKING:
    from .restore_options import RestoreOptions

OURS = "this Stash"
"""The target of every restore that a task plans."""
VERIFY_ARGUMENTS = ("archive",)
RESTORE_ARGUMENTS = ("archive", "kinds", "ids", "selection", "links", "config", "mode", "prefer")
APPLY_ARGUMENTS = ("plan", "accept")
UNDO_ARGUMENTS = ("run", "accept")
NO_POINT, UNKNOWN_CREATES, REPLACED = "no-restore-point", "unknown-creates", "replaced-instance"
"""Brakes that are found when a plan is written, or a journal is read (points.py, reconcile/undo.py, identity.py)."""
USUAL = {"": "fill"}
"""What is preferred when nothing is said: a plan tells it too, and may be ordered anew just as it tells."""
MOST_SELECTED = 10_000_000
"""Bytes of a list of records that the page may send."""


class Write(NamedTuple):
    """The run whose plan is to be written, or whose writing is to be taken back, its folder, and the brakes that a
    person has accepted."""

    run: str
    folder: Path
    accept: tuple[str, ...]


def verify_order(desk: Desk) -> Path:
    """The archive to verify: the one that is named, else the newest. Raises UsageError, UnknownName."""
    told = _told(desk, VERIFY_ARGUMENTS)
    if "archive" in told:
        return archives_shown.find(desk.places.backups, told["archive"])
    return archives_shown.newest(desk.places.backups)


def restore_order(desk: Desk) -> RestoreOptions:
    """The options of a restore into the Stash that runs us. Raises UsageError telling everything that is wrong at
    once."""
    from .restore_options import parse_selection, restore_options  # noqa: PLC0415 - a status does without

    told = {key: value for key, value in _restore(desk).items() if value not in (None, "")}
    check = Checker()
    check.problems += [unknown("argument", key, RESTORE_ARGUMENTS) for key in told if key not in RESTORE_ARGUMENTS]
    given: dict[str, Any] = {key: told[key] for key in ("kinds", "config", "links", "mode", "prefer") if key in told}
    for key in {"kinds", "config", "prefer"} & set(given):
        given[key] = check(_names, key, given[key], default=[])
    if given.get("prefer") == USUAL:
        del given["prefer"]
    given["archive"] = str(check(archives_shown.find, desk.places.backups, told.get("archive"), default="."))
    ids = check(_ids, told.get("ids"), default={})
    listed = check(_selection, told.get("selection"), parse_selection, default={})
    if ids and listed:
        check.problems.append(UsageError("ids and a selection cannot be used together"))
    options: RestoreOptions = check(restore_options, {**given, "ids": ids or listed, "to": OURS}, {})
    if check.problems:
        raise several(check.problems)
    return options


def archive_order(desk: Desk) -> Path:
    """The archive of a restore, whatever the rest of its order is. Raises UsageError, UnknownName."""
    return archives_shown.find(desk.places.backups, _restore(desk).get("archive"))


def nested(order: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments of a task that restores: its order by itself, because the task's ``mode`` is another one."""
    return {"order": dict(order)}


def _restore(desk: Desk) -> Mapping[str, Any]:
    told = desk.call.arguments
    order = told.get("order", {key: value for key, value in told.items() if key != "mode"})
    if not isinstance(order, Mapping):
        raise UsageError("order must be a mapping of options")
    return order


def _names(key: str, told: Any) -> Any:
    """A text, or several; strategies may also be given by what they are for."""
    among = list(told.values()) if isinstance(told, Mapping) and key == "prefer" else told
    if isinstance(told, str) or (isinstance(among, list) and all(isinstance(name, str) for name in among)):
        return told
    raise UsageError(f"{key} must be a list of names")


def _ids(told: Any) -> dict[str, list[str]]:
    """Chosen records by kind; a kind without any is a mistake: everything of it would be restored."""
    if told is None:
        return {}
    fits = isinstance(told, Mapping) and all(isinstance(ids, list) and ids for ids in told.values())
    if not fits:
        raise UsageError("ids must be a mapping of kinds to lists of ids, none of them empty")
    return {kind: [str(uid) for uid in ids] for kind, ids in told.items()}


def _selection(told: Any, parse: Callable[[list[str]], Mapping[str, Sequence[str]]]) -> dict[str, list[str]]:
    if told is None:
        return {}
    if not isinstance(told, str) or len(told.encode("utf-8", "surrogatepass")) > MOST_SELECTED:
        raise UsageError(f"selection must be a text of at most {MOST_SELECTED // 1_000_000} MB")
    return {kind: list(ids) for kind, ids in parse(told.splitlines()).items()}


def apply_order(desk: Desk) -> Write:
    """The plan to write. Raises UsageError for one that was written already or is none, UnknownName for a brake that
    does not hold."""
    told = _told(desk, APPLY_ARGUMENTS)
    report = _run(desk, told.get("plan"), "plan")
    name, folder = report["run"], desk.places.runs / report["run"]
    if not has_plan(folder, report):
        raise UsageError(f"the run {name} ({report.get('kind')}, {report['state']}) is no preview that can be applied")
    if by := applied_by(folder):
        raise UsageError(f"the plan of {name} was applied before, by {by}: preview again, to see what is left to do")
    held = [str(brake["name"]) for brake in (report.get("report") or {}).get("brakes") or []]
    return Write(name, folder, _accepted(told, [*held, NO_POINT, REPLACED]))


def named(desk: Desk) -> dict[str, Any]:
    """What a run that writes is about, as its report tells it from its beginning, whatever comes of it: the run whose
    plan it writes (``plan``) or which it takes back (``undid``), and the ``archive`` of that. Nothing where no such run
    is named."""
    for argument, fact in (("plan", "plan"), ("run", "undid")):
        name = desk.call.arguments.get(argument)
        with suppress(PortabilityError):
            if isinstance(name, str) and name:
                report = runs.read(desk.places.runs, name)
                return {fact: report["run"], **({"archive": report["archive"]} if report.get("archive") else {})}
    return {}


def order_of(report: Mapping[str, Any], runs_: Path) -> dict[str, Any]:
    """What a preview that did not come to its end was ordered to be, so that it can be ordered again: nothing for
    others. It holds no path and no secret, because none can be ordered."""
    if report.get("kind") != "restore" or report["state"] not in ("failed", "stopped", "cancelled"):
        return {}
    with suppress(PortabilityError):
        told = runs.order(runs_, report["run"]).get("arguments") or {}
        order = told.get("order", told)
        if isinstance(order, Mapping):
            return {key: value for key, value in order.items() if key in RESTORE_ARGUMENTS}
    return {}


def has_plan(folder: Path, report: Mapping[str, Any]) -> bool:
    """Whether the run in ``folder`` is a preview that was made to its end."""
    return report.get("kind") == "restore" and report["state"] == "finished" and (folder / PLAN).is_file()


def undo_order(desk: Desk) -> Write:
    """The run to take back. Raises UsageError for one that cannot be, UnknownName."""
    told = _told(desk, UNDO_ARGUMENTS)
    report = _run(desk, told.get("run"), "run")
    name, folder = report["run"], desk.places.runs / report["run"]
    if why := why_not_undoable(folder, report):
        raise UsageError(f"the run {name} cannot be undone: {why}")
    return Write(name, folder, _accepted(told, [UNKNOWN_CREATES, NO_POINT, REPLACED]))


def _accepted(told: Mapping[str, Any], held: Sequence[str]) -> tuple[str, ...]:
    accept = told.get("accept", [])
    if not isinstance(accept, list) or not all(isinstance(name, str) for name in accept):
        raise UsageError("accept must be a list of the names of brakes")
    problems: list[Any] = [unknown("brake", name, held) for name in accept if name not in held]
    if problems:
        raise several(problems)
    return tuple(dict.fromkeys(accept))


def _run(desk: Desk, name: Any, what: str) -> dict[str, Any]:
    if not isinstance(name, str) or not name:
        raise UsageError(f"{what} is missing: the name of a run")
    return runs.read(desk.places.runs, name)


def _told(desk: Desk, known: Iterable[str]) -> Mapping[str, Any]:
    """What was said, without what is empty. Raises UnknownName for what cannot be said."""
    told = {key: value for key, value in desk.call.arguments.items() if key != "mode" and value not in (None, "")}
    problems: list[Any] = [unknown("argument", key, known) for key in told if key not in known]
    if problems:
        raise several(problems)
    return told
