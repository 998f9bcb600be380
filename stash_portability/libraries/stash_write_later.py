"""What no create or update mutation of Stash writes, but a mutation of its own: histories, what was watched, covers of
galleries, counters, fingerprints. Pure.

These are not idempotent (a play is added each time): what is sent is the difference between what a record had and
what it is to have, and nothing when it is not known what it had.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ..kinds import KINDS, Kind
from ..model import Data
from .canonical import sorted_ids
from .stash_write_inputs import main_step
from .stash_write_request import Argument, Step

MISSING = object()
ALREADY = "already in group"
"""What Stash says of a group that is there: its place came from the other end, as one of the sub_groups."""
SCANNED_PRINTS = frozenset(("oshash", "md5"))
"""Fingerprints that Stash takes of the file itself and does not let be set."""

NOT_KNOWN = "what it had before is not known, and Stash only takes what is to be added"
SCANNED = "oshash and md5 are facts of the file"
NO_SUCH_FILE = "fingerprints are set on files the record has; this file is not one of them"


@dataclass(slots=True)
class Later:
    """Steps to take once the record ``uid`` is there, and the fields that cannot be given, with why. ``before`` None:
    the record was only just made."""

    kind: Kind
    uid: str
    before: Data | None
    after: Data
    steps: list[Step] = field(default_factory=list)
    told: dict[str, str] = field(default_factory=dict)

    def had(self, name: str) -> Any:
        """What the record had under ``name``: nothing, if it is new. Raises KeyError when that is not known."""
        return None if self.before is None else self.before[name]

    def add(self, mutation: str, arguments: tuple[Argument, ...], name: str, selection: str = "") -> None:
        """Take the step for the field ``name``."""
        self.steps.append(Step(mutation, arguments, selection, (name,)))


def later(plan: Later) -> None:
    """Find the steps that bring what is in ``plan.after``."""
    for name in plan.after:
        handler = _HANDLERS.get((plan.kind.name, name))
        try:
            if handler is not None:
                handler(plan, name)
        except KeyError:
            plan.told[name] = NOT_KNOWN


def handled(kind: str) -> frozenset[str]:
    """The fields of ``kind`` that are (also) written here."""
    return frozenset(name for known, name in _HANDLERS if known == kind)


def _history(add: str, delete: str) -> Callable[[Later, str], None]:
    def handle(plan: Later, name: str) -> None:
        had, wanted = (Counter(map(to_second, times or ())) for times in (plan.had(name), plan.after[name]))
        for mutation, times in ((delete, had - wanted), (add, wanted - had)):
            listed = sorted(times.elements())
            # Without times Stash takes the present for one.
            if listed:
                plan.add(mutation, (_id(plan), Argument("times", "[Timestamp!]", listed)), name, "count")

    return handle


def to_second(time: str) -> str:
    """A time as Stash keeps it in a history: without the fraction of a second."""
    return f"{time.partition('.')[0]}Z" if "." in time else time


def _resume(plan: Later, name: str) -> None:
    seconds = float(plan.after[name] or 0)
    if plan.before is None and not seconds:
        return
    plan.add("sceneSaveActivity", (_id(plan), Argument("resume_time", "Float", seconds)), name)


def _duration(plan: Later, name: str) -> None:
    """An update sets it itself; to a new scene, which has none, it is added."""
    if plan.before is None and plan.after[name]:
        added = Argument("playDuration", "Float", float(plan.after[name]))
        plan.add("sceneSaveActivity", (_id(plan), added), name)


def _counter(plan: Later, name: str) -> None:
    """Stash counts an image one up, one down, or back to nothing."""
    had, wanted = int(plan.had(name) or 0), int(plan.after[name] or 0)
    if wanted < had and had - wanted > wanted:
        plan.add("imageResetO", (_id(plan),), name)
        had = 0
    mutation = "imageIncrementO" if wanted > had else "imageDecrementO"
    for _ in range(abs(wanted - had)):
        plan.add(mutation, (_id(plan),), name)


def _gallery_cover(plan: Later, name: str) -> None:
    cover = plan.after[name]
    if cover is not None:
        values = {"gallery_id": plan.uid, "cover_image_id": cover}
        plan.add("setGalleryCover", (Argument("input", "GallerySetCoverInput!", values),), name)
    elif plan.before is not None:
        plan.add("resetGalleryCover", (Argument("input", "GalleryResetCoverInput!", {"gallery_id": plan.uid}),), name)


def _members(plan: Later, name: str) -> None:
    had, wanted = plan.had(name) or (), plan.after[name] or ()
    for mutation, type_, changed in (
        ("removeGalleryImages", "GalleryRemoveInput!", set(had) - set(wanted)),
        ("addGalleryImages", "GalleryAddInput!", set(wanted) - set(had)),
    ):
        for gallery in sorted_ids(changed):
            values = {"gallery_id": gallery, "image_ids": [plan.uid]}
            plan.add(mutation, (Argument("input", type_, values),), name)


def _containing(plan: Later, name: str) -> None:
    """A description that changes takes the group to the end of those beside it: Stash cannot change it in place."""
    if plan.before is None:
        return
    had, wanted = (_descriptions(groups) for groups in (plan.had(name), plan.after[name]))
    changed = {uid for uid in {*had, *wanted} if had.get(uid, MISSING) != wanted.get(uid, MISSING)}
    for uid in sorted_ids(changed & set(had)):
        values: dict[str, Any] = {"containing_group_id": uid, "sub_group_ids": [plan.uid]}
        plan.add("removeGroupSubGroups", (Argument("input", "GroupSubGroupRemoveInput!", values),), name)
    for uid in sorted_ids(changed & set(wanted)):
        entry = {"group_id": plan.uid, "description": wanted[uid]}
        values = {"containing_group_id": uid, "sub_groups": [entry]}
        arguments = (Argument("input", "GroupSubGroupAddInput!", values),)
        plan.steps.append(Step("addGroupSubGroups", arguments, fields=(name,), already=ALREADY))


def _descriptions(groups: Any) -> dict[str, Any]:
    return {entry["group"]: entry.get("description") for entry in groups or ()}


def _no_front(plan: Later, name: str) -> None:
    """A new group with a back and no front is given Stash's own front picture: that is taken away again."""
    if plan.before is None and plan.after[name] is not None and plan.after.get("front_image") is None:
        plan.steps.append(main_step(plan.kind, "update", {"id": plan.uid, "front_image": None}, ("front_image",)))


def _organized(plan: Later, name: str) -> None:
    """Stash 0.27 makes every gallery as one that is not organized, whatever it is told."""
    if plan.before is None and plan.after[name]:
        plan.steps.append(main_step(plan.kind, "update", {"id": plan.uid, name: True}, (name,)))


def _prints(plan: Later, name: str) -> None:
    if plan.before is None:
        return
    had = {file["id"]: _by_type(file) for file in plan.had(name) or () if "id" in file}
    for file in plan.after[name] or ():
        if "fingerprints" not in file:
            continue
        if file.get("id") not in had:
            plan.told[name] = NO_SUCH_FILE
            continue
        changed = _changed(had[file["id"]], _by_type(file))
        if SCANNED_PRINTS & {entry["type"] for entry in changed}:
            plan.told[name] = SCANNED
        values = [entry for entry in changed if entry["type"] not in SCANNED_PRINTS]
        if values:
            input_ = {"id": file["id"], "fingerprints": values}
            plan.add("fileSetFingerprints", (Argument("input", "FileSetFingerprintsInput!", input_),), name)


def _by_type(file: Mapping[str, Any]) -> dict[str, str]:
    return {entry["type"]: entry["value"] for entry in file.get("fingerprints") or ()}


def _changed(had: Mapping[str, str], wanted: Mapping[str, str]) -> list[dict[str, str | None]]:
    """What to set, and with null what to take away."""
    types = sorted({*had, *wanted})
    return [{"type": one, "value": wanted.get(one)} for one in types if had.get(one) != wanted.get(one)]


def _id(plan: Later) -> Argument:
    return Argument("id", "ID!", plan.uid)


_HANDLERS: Mapping[tuple[str, str], Callable[[Later, str], None]] = {
    ("scene", "play_history"): _history("sceneAddPlay", "sceneDeletePlay"),
    ("scene", "o_history"): _history("sceneAddO", "sceneDeleteO"),
    ("scene", "resume_time"): _resume,
    ("scene", "play_duration"): _duration,
    ("image", "o_counter"): _counter,
    ("gallery", "cover"): _gallery_cover,
    ("image", "galleries"): _members,
    ("group", "containing_groups"): _containing,
    ("gallery", "organized"): _organized,
    ("group", "back_image"): _no_front,
    **{(name, "files"): _prints for name in ("scene", "image", "gallery") if name in KINDS},
}
