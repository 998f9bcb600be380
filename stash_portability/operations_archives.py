"""What the page asks of backups and restores: which archives there are, what one holds, what a restore would change,
and what is to be decided."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from . import archives_shown, operations_runs, runs
from .desk import Desk
from .errors import UsageError, unknown
from .restore_orders import has_plan

SECONDS = 3.0
"""For looking at archives: what is not looked at by then is left, and counted."""
OVERVIEW_RUNS = 3
ROWS, MOST_ROWS = 50, 500
"""Of a page of a plan, when it is not said how many, and at the most."""


def archives(desk: Desk) -> dict[str, Any]:
    """The archives of backups/, the newest first; ``left`` are those there was no time for."""
    desk.shelf().use()
    end = desk.clock() + SECONDS
    rows, left = archives_shown.shown(desk.places.backups, lambda: desk.clock() < end)
    return {"folder": str(desk.places.backups), "archives": rows, "left": left}


def archive(desk: Desk) -> dict[str, Any]:
    """What an archive holds, and how it can be restored."""
    path = archives_shown.find(desk.places.backups, desk.call.arguments.get("name"))
    desk.need("core")
    return {"name": path.name, **archives_shown.holds(path)}


def plan(desk: Desk) -> dict[str, Any]:
    """A page of what a restore would change, or of what it leaves to a person."""
    told = desk.call.arguments
    report = runs.read(desk.places.runs, operations_runs.name_of(desk))
    folder = desk.places.runs / report["run"]
    if not has_plan(folder, report):
        raise UsageError(f"the run {report['run']} ({report.get('kind')}, {report['state']}) has no plan to look at")
    desk.need("core")
    from .planfile import WHAT, Wanted, page, read_header  # noqa: PLC0415 - needs the libraries

    what = told.get("what", "changes")
    if what not in list(WHAT):
        raise unknown("part of a plan", str(what)[:200], WHAT)
    wanted = Wanted(*(_word(told.get(name), name) for name in Wanted._fields))
    cursor = _number(told.get("cursor"), "cursor", 0)
    most = max(1, min(_number(told.get("most"), "most", ROWS), MOST_ROWS))
    rows, after = page(folder, what, wanted, cursor, most)
    return {"header": read_header(folder), "rows": rows, "cursor": after}


def _word(value: Any, name: str) -> str:
    if value is None or isinstance(value, str):
        return value or ""
    raise UsageError(f"{name} must be a name")


def _number(value: Any, name: str, otherwise: int) -> int:
    if value is None:
        return otherwise
    whole = isinstance(value, int) or (isinstance(value, float) and value.is_integer())
    if not whole or isinstance(value, bool) or value < 0:
        raise UsageError(f"{name} must be a whole number")
    return int(value)


def overview(desk: Desk) -> dict[str, Any]:
    """The newest backup that can be read (``backup``) and the newest that is newer and cannot be (``unreadable``), what
    goes on, what waits for a decision, and the last runs."""
    desk.shelf().use()
    end = desk.clock() + SECONDS
    newest, broken = archives_shown.last(desk.places.backups, lambda: desk.clock() < end)
    reports = operations_runs.latest(desk)
    return {
        "backup": newest,
        "unreadable": broken,
        "going": operations_runs.busy(reports),
        "decisions": [told for report in reports if (told := _to_decide(desk, report))],
        "runs": reports[:OVERVIEW_RUNS],
    }


def _to_decide(desk: Desk, report: Mapping[str, Any]) -> dict[str, Any] | None:
    """What a preview that was not applied leaves to a person, if it does."""
    if report.get("applied") or not has_plan(desk.places.runs / report["run"], report):
        return None
    told = report.get("report") or {}
    found = told.get("decisions") or {}
    waits = {name: int(found.get(name) or 0) for name in ("conflicts", "ambiguities", "waiting")}
    brakes = [brake["name"] for brake in told.get("brakes") or []]
    return {"run": report["run"], "brakes": brakes, **waits} if brakes or any(waits.values()) else None
