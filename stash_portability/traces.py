"""What runs that write leave in folders of runs, and what it says: whether a plan was applied, whether a run was taken
back, what a run did in words. The command line, the tasks and the page all decide by this. Standard library only.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

PLAN, APPLIED = "plan.jsonl", "applied.json"
"""In the folder of a preview: what is to be written, and which run wrote it, or began to."""
JOURNAL, WRITTEN = "journal.jsonl", "written.json"
"""In the folder of a run that writes: what it wrote, and where."""
UNDONE = "undone.json"
"""In the folder of a run that wrote: which run took it back, or began to."""
PLANNING = "restore"
"""The kind of runs that only look."""
WRITING = ("apply", "undo")
"""The kinds of runs that write, and can be taken back."""
SOMEBODY = "another run"
"""Who has done it, when the note that tells it is damaged."""


def has_written(folder: Path) -> bool:
    """Whether the run in ``folder`` has begun to write: its journal notes each change before it is made."""
    journal = folder / JOURNAL
    return journal.is_file() and journal.stat().st_size > 0


IN_JOURNAL = "what was written until then is in its journal, and can be taken back"


def left_by(kind: str, folder: Path) -> str:
    """What a run of ``kind`` that was ended before it was done has left; "" for one that makes files."""
    if kind not in (*WRITING, PLANNING):
        return ""
    return IN_JOURNAL if has_written(folder) else "nothing was written"


def cut_short(folder: Path) -> dict[str, Any]:
    """What a run that was ended while it wrote can still report, by its journal: what it ``changes``, and that this is
    ``undoable``; {} for one that wrote nothing."""
    if not has_written(folder):
        return {}
    said = _said(folder / WRITTEN)
    what, point = str(said.get("what") or ""), str(said.get("point") or "")
    what = what if what == "undo" else f"apply {what}"
    counts, open_ = written_counts(folder)
    remarks = [f"of the last changes ({open_:,}) nobody told whether they were written"] if open_ else []
    facts = {"what": what, "changes": counts, "point": point, "remarks": remarks, "undoable": bool(said)}
    return {"report": facts}


def written_counts(folder: Path) -> tuple[dict[str, int], int]:
    """By "kind op", how many records the journal says were written, each once: what was made or deleted is not counted
    as changed besides. And how many changes were begun of which it does not say what came of them. A line that cannot
    be read is passed over."""
    intended: dict[int, tuple[str, str, str]] = {}
    found: dict[tuple[str, str], str] = {}
    with (folder / JOURNAL).open("rb") as journal:
        for line in journal:
            with suppress(ValueError, KeyError, TypeError):
                said = json.loads(line)
                if "intend" in said:
                    intended[said["intend"]] = (said["kind"], said["op"], said["uid"])
                    continue
                kind, op, uid = intended.pop(said["done"])
                key = (kind, str(said["uid"] or uid))
                if said["error"] in (None, "NotAllWritten") and (op != "update" or key not in found):
                    found[key] = op
    return dict(Counter(f"{kind} {op}" for (kind, _), op in found.items())), len(intended)


def applied_by(plan: Path) -> str:
    """The run that wrote something of the plan in the folder ``plan``, or "": one that ended before it wrote anything
    does not count, whatever it noted. One that is not there any more does."""
    by = _by(plan / APPLIED)
    run = plan.parent / Path(by).name
    return by if by and (not run.is_dir() or by == SOMEBODY or has_written(run)) else ""


def undone_by(done: Path) -> str:
    """The run that took the run in ``done`` back, "" when none did, or that was taken back itself. One that did not
    end does not count: whoever undoes goes on where it ended."""
    by = _by(done / UNDONE)
    run = done.parent / Path(by).name
    if by and by != SOMEBODY and not _note(done / UNDONE).get("ended", True):
        return ""
    return by if by and (by == SOMEBODY or (has_written(run) and not undone_by(run))) else ""


def began_to_undo(done: Path) -> list[Path]:
    """The folders of the runs that began to take the run in ``done`` back, and were not taken back themselves."""
    try:
        names = _note(done / UNDONE).get("begun") or []
    except (OSError, ValueError):
        return []
    runs = [done.parent / Path(str(name)).name for name in names]
    return [run for run in runs if has_written(run) and not undone_by(run)]


def note_undo(done: Path, run: str, *, ended: bool) -> dict[str, Any]:
    """What is to be noted of ``run``, which takes the run in ``done`` back."""
    begun = [folder.name for folder in began_to_undo(done) if folder.name != run]
    return {"version": 1, "by": run, "ended": ended, "begun": [*begun, run]}


def _note(path: Path) -> dict[str, Any]:
    said = json.loads(path.read_text("utf-8"))
    return said if isinstance(said, dict) else {}


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


def _said(note: Path) -> Mapping[str, Any]:
    """What a note says, {} when there is none or it is damaged."""
    try:
        said = json.loads(note.read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return said if isinstance(said, dict) else {}


def deed(done: Path) -> str:
    """What the run in ``done`` did, in words: "restore of NAME (merge)"; its name when it does not say."""
    told = _said(done / WRITTEN).get("deed")
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
