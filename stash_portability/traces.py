"""What runs that write leave in folders of runs, and what it says: whether a plan was applied, whether a run was taken
back, what a run did in words. The command line, the tasks and the page all decide by this. Standard library only.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

PLAN, APPLIED = "plan.jsonl", "applied.json"
"""In the folder of a preview: what is to be written, and which run wrote it, or began to."""
JOURNAL, WRITTEN = "journal.jsonl", "written.json"
"""In the folder of a run that writes: what it wrote, and where."""
UNDONE = "undone.json"
"""In the folder of a run that wrote: which run took it back, or began to."""
WRITING = ("apply", "undo")
"""The kinds of runs that write, and can be taken back."""
SOMEBODY = "another run"
"""Who has done it, when the note that tells it is damaged."""


def has_written(folder: Path) -> bool:
    """Whether the run in ``folder`` has begun to write: its journal notes each change before it is made."""
    journal = folder / JOURNAL
    return journal.is_file() and journal.stat().st_size > 0


def applied_by(plan: Path) -> str:
    """The run that wrote something of the plan in the folder ``plan``, or "": one that ended before it wrote anything
    does not count, whatever it noted. One that is not there any more does."""
    by = _by(plan / APPLIED)
    run = plan.parent / Path(by).name
    return by if by and (not run.is_dir() or by == SOMEBODY or has_written(run)) else ""


def undone_by(done: Path) -> str:
    """The run that took the run in ``done`` back, "" when none did, or that was taken back itself."""
    by = _by(done / UNDONE)
    run = done.parent / Path(by).name
    return by if by and (by == SOMEBODY or (has_written(run) and not undone_by(run))) else ""


def _by(note: Path) -> str:
    """The run that a note names, "" when there is no note."""
    try:
        return str(json.loads(note.read_text("utf-8"))["by"])
    except FileNotFoundError:
        return ""
    except (OSError, ValueError, KeyError, TypeError):
        return SOMEBODY


def restored(archive: str, what: str) -> str:
    """What a restore brings, and how; ``what`` is as a plan says it: "NAME (merge)" for "restore merge"."""
    mode = what.rpartition(" ")[2]
    return f"{archive} ({mode})" if mode else archive


def deed(done: Path) -> str:
    """What the run in ``done`` did, in words: "restore of NAME (merge)"; its name when it does not say."""
    try:
        said = json.loads((done / WRITTEN).read_text("utf-8"))
    except (OSError, ValueError):
        said = {}
    told = said.get("deed") if isinstance(said, dict) else None
    return told if isinstance(told, str) and told else done.name


def told_further(runs: Path, report: dict[str, Any]) -> dict[str, Any]:
    """The report of a run in the folder ``runs`` with what became of it since: whether a preview was ``applied``, and
    by whom; whether what a run wrote can be taken back (``undoable``), or was, and by whom (``undone``)."""
    folder = runs / report["run"]
    if report.get("kind") == "restore" and (by := applied_by(folder)):
        return {**report, "applied": by}
    if report.get("kind") in WRITING:
        by = undone_by(folder)
        return {**report, "undoable": not why_not_undoable(folder, report), **({"undone": by} if by else {})}
    return report


def why_not_undoable(folder: Path, report: Mapping[str, Any]) -> str:
    """Why the run in ``folder`` cannot be taken back, or "" when it can."""
    if report.get("kind") not in WRITING:
        return "it has written nothing into Stash"
    if report["state"] in ("queued", "running"):
        return f"it is {report['state']}"
    if by := undone_by(folder):
        return f"{by} has done that"
    return "" if has_written(folder) and (folder / WRITTEN).is_file() else "it has written nothing"
