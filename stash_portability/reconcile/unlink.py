"""Deletes take no links silently: what stays and refers to what goes is changed first, as part of the plan, so that a
preview shows it and an undo puts it back. What is needed by what stays is not deleted.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from ..kinds import Field
from ..model import Change, Data
from .changes import Phase, add_change
from .coding import decode, encode
from .rules import ORDER, reference_fields
from .workset import Workset

_GOING = "SELECT uid FROM record WHERE kind = ? AND side = 'target' AND fate = 'delete'"
_STAYING = (
    "SELECT uid, data FROM record WHERE kind = ? AND side = 'target' AND (fate IS NULL OR fate <> 'delete') ORDER BY id"
)
_PLANNED = "SELECT id, after FROM change WHERE kind = ? AND uid = ? AND op = 'update' ORDER BY phase DESC, id DESC"
_REQUIRED: Mapping[str, tuple[str, ...]] = {"marker": ("scene", "primary_tag"), "chapter": ("gallery",)}
"""References that a record cannot be without."""
Going = Mapping[str, set[str]]


def unlink(workset: Workset, tally: Counter[str], lost: Counter[str]) -> None:
    """Add to a plan what takes the links to what it deletes away. What must stay, stays: ``lost`` counts it."""
    going = {kind: {row[0] for row in workset.rows(_GOING, kind)} for kind in ORDER}
    if not any(going.values()):
        return
    for kind in _REQUIRED:
        for uid, data in _referring(workset, kind, going):
            for of, needed in _needed(workset, kind, uid, data):
                if needed in going[of]:
                    going[of].discard(needed)
                    _keep(workset, (of, needed), tally, lost)
    # That an image lies in the folder that a gallery is cannot be changed, and nothing can be lost by it.
    of_images = {**going, "gallery": going["gallery"] - _folders(workset, going["gallery"])}
    for kind in ORDER:
        for uid, data in _referring(workset, kind, going):
            _unlink(workset, (kind, uid), data, of_images if kind == "image" else going, tally)


def _fields(kind: str) -> Iterator[tuple[Field, Field | None]]:
    """The references that a delete would take away. A cover goes with its image, and is shown when none is set."""
    return ((one, part) for one, part in reference_fields(kind) if one.name != "cover")


def _referring(workset: Workset, kind: str, going: Going) -> Iterator[tuple[str, Data]]:
    """The records of a kind that stay, when some of what they may refer to goes."""
    if any(going[(part or one).of] for one, part in _fields(kind)):
        for uid, content in workset.rows(_STAYING, kind):
            yield uid, decode(content)


def _needed(workset: Workset, kind: str, uid: str, data: Data) -> Iterator[tuple[str, str]]:
    """What a record that stays cannot be without, once all is written: kinds and ids."""
    for one, _ in reference_fields(kind):
        if one.name in _REQUIRED[kind]:
            row = _planned(workset, (kind, uid), one.name)
            value = row[1][one.name] if row else data.get(one.name)
            if value is not None:
                yield one.of, value


def _keep(workset: Workset, which: tuple[str, str], tally: Counter[str], lost: Counter[str]) -> None:
    workset.run("UPDATE record SET fate = 'kept' WHERE kind = ? AND side = 'target' AND uid = ?", *which)
    workset.run("DELETE FROM change WHERE op = 'delete' AND kind = ? AND uid = ?", *which)
    tally[f"{which[0]} delete"] -= 1
    lost[f"{which[0]}.delete"] += 1


def _folders(workset: Workset, uids: set[str]) -> set[str]:
    """Which of these galleries are folders."""
    sql = "SELECT data FROM record WHERE kind = 'gallery' AND side = 'target' AND uid = ?"
    return {uid for uid in uids if decode(workset.one(sql, uid)).get("folder")}


def _unlink(workset: Workset, which: tuple[str, str], data: Data, going: Going, tally: Counter[str]) -> None:
    before: dict[str, Any] = {}
    after: dict[str, Any] = {}
    for one, part in _fields(which[0]):
        row = _planned(workset, which, one.name)
        value = row[1][one.name] if row else data.get(one.name)
        left = _left(one, part, value, going[(part or one).of])
        if left == value:
            continue
        if row:
            workset.run("UPDATE change SET after = ? WHERE id = ?", encode({**row[1], one.name: left}), row[0])
        else:
            before[one.name], after[one.name] = value, left
    if after:
        known = workset.one("SELECT EXISTS (SELECT 1 FROM change WHERE kind = ? AND uid = ?)", *which)
        tally[f"{which[0]} update"] += not known
        add_change(workset, Phase.LINK, Change("update", *which, before, after))


def _planned(workset: Workset, which: tuple[str, str], name: str) -> tuple[int, dict[str, Any]] | None:
    """The last change of a field that is planned already, with all that it sets."""
    for number, content in workset.rows(_PLANNED, *which):
        after = decode(content)
        if name in after:
            return number, after
    return None


def _left(one: Field, part: Field | None, value: Any, going: set[str]) -> Any:
    if not value or not going:
        return value
    if one.many:
        return [entry for entry in value if (entry[part.name] if part else entry) not in going]
    return None if value in going else value
