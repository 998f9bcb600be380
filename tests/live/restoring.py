"""Plans and runs against real Stashes, and what two of them hold, without ids: for the tests of the write engine."""

from __future__ import annotations

import copy
import hashlib
import random
import re
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from stash_portability.kinds import KINDS
from stash_portability.libraries.archive import ArchiveSource
from stash_portability.libraries.opening import Opening
from stash_portability.model import Blob, Plan, Policy, Record, Want
from stash_portability.reconcile.apply import Applied, Ends, apply
from stash_portability.reconcile.coding import Digests
from stash_portability.reconcile.images import KeptImages, digests
from stash_portability.reconcile.journal import Journal
from stash_portability.reconcile.plan import Task, make_plan
from stash_portability.reconcile.rules import ORDER, reference_fields
from stash_portability.reconcile.workset import Workset
from stash_portability.target import Target, open_target

from .stash_server import Options, StashServer

MERGE = Policy(prefer={"": "source"})
REPLACE = Policy(base="target", allow=frozenset(("create", "update", "delete")))
RECORDS = tuple(kind for kind in ORDER if kind != "config")
ALL_BRAKES = ("source-empty", "many-deletes", "unknown-creates")


def same_media(server: StashServer) -> Options:
    """The options of a Stash that scans the films of ``server``."""
    paths = [
        path for path in re.findall(r"path: (\S+)", server.config.read_text()) if path.endswith(("media", "clips"))
    ]
    folders = [{"path": path, "excludevideo": path.endswith("clips"), "excludeimage": False} for path in paths]
    return Options(settings={"stash": folders})


def target_of(server: StashServer) -> Target:
    """The Stash as a target."""
    notes: list[str] = []
    opening = Opening(server.api_key, random.Random(1), notes.append, lambda error: notes.append(str(error)))
    return open_target(server.url, opening)


def task(target: Target, replace: bool = True, **more: Any) -> Task:
    """What a plan of a restore is for."""
    cannot = {kind: target.cannot(kind) for kind in KINDS}
    return Task("restore replace" if replace else "restore merge", more.pop("kinds", RECORDS), cannot=cannot, **more)


@contextmanager
def planned(
    archive: Path, target: Target, folder: Path, policy: Policy = REPLACE, what: Task | None = None
) -> Iterator[Plan]:
    """The plan that brings what is in ``archive`` into ``target``."""
    source = ArchiveSource(archive)
    ours, theirs = digests(source.open_blob), digests(target.open_image)
    (folder / "work.sqlite").unlink(missing_ok=True)
    with Workset(folder / "work.sqlite") as workset:
        for kind in ORDER:
            workset.fill("source", source.read(kind, Want(blobs=True)), ours)
            workset.fill("target", target.source.read(kind, Want(blobs=True)), theirs)
        yield make_plan(workset, policy, what or task(target, policy.base == "target"))


def digests_of(archive: Path, target: Target) -> Digests:
    """What tells images of both apart."""
    return Digests(digests(ArchiveSource(archive).open_blob), digests(target.open_image))


def child(archive: Path, address: str, folder: Path) -> None:
    """Restore, and say so before the first write: to be killed then."""
    target = open_target(address, Opening("", random.Random(1), lambda _: None, lambda _: None))
    with planned(archive, target, folder) as plan:
        print("writing", flush=True)
        write(plan, archive, target, folder)


def write(plan: Plan, archive: Path, target: Target, folder: Path) -> Applied:
    """Apply ``plan``; the journal and what it needs lies in ``folder``."""
    source = ArchiveSource(archive)
    told = Digests(digests(source.open_blob), digests(target.open_image))
    ends = Ends(target.reader, target.writer(source.open_blob), told)
    with Journal(folder, lambda: "2024-05-01T00:00:00Z", told, target.open_image) as journal:
        return apply(plan, ends, journal, ALL_BRAKES)


def take_back(plan: Plan, done: Path, target: Target, folder: Path) -> Applied:
    """Apply the undo ``plan`` of the run in ``done``."""
    kept = KeptImages(done)
    told = Digests(digests(target.open_image), digests(target.open_image))
    ends = Ends(target.reader, target.writer(kept.open), told)
    with Journal(folder, lambda: "2024-05-01T00:00:00Z", told, target.open_image) as journal:
        return apply(plan, ends, journal, ALL_BRAKES)


def restore(
    archive: Path, server: StashServer, folder: Path, policy: Policy = REPLACE, **more: Any
) -> tuple[Plan, Applied]:
    """Plan and apply."""
    folder.mkdir(exist_ok=True)
    target = target_of(server)
    with planned(archive, target, folder, policy, task(target, policy.base == "target", **more)) as plan:
        return plan, write(plan, archive, target, folder)


def clean(applied: Applied) -> None:
    """Nothing went wrong."""
    told = [str(error) for error in (*applied.failed, *applied.partly)]
    assert told + applied.moved + applied.differs == [], told + applied.moved + applied.differs


def view(source: Any, left_out: frozenset[str]) -> dict[str, Counter[str]]:
    """All that a library holds, without ids: by kind a multiset of records. ``left_out``: "kind.field" or "*.field",
    and parts ("*.files.id")."""
    records = {kind: list(source.read(kind, Want(blobs=True))) for kind in RECORDS}
    called = {(kind, one.uid): _name(one) for kind in records for one in records[kind]}
    for kind in ("marker", "chapter"):
        for one in records[kind]:
            owner = "scene" if kind == "marker" else "gallery"
            called[kind, one.uid] = f"{kind} of {called[owner, one.data[owner]]}"
    return {
        kind: Counter(repr(_viewed(source, one, called, left_out)) for one in found) for kind, found in records.items()
    }


def _name(record: Record) -> str:
    data = record.data
    files = data.get("files") or []
    own = data.get("folder") or data.get("title") or data.get("name")
    return str(files[0]["path"] if files else f"{own} {data.get('disambiguation')}")


def _viewed(source: Any, record: Record, called: dict[tuple[str, str], str], left_out: frozenset[str]) -> Any:
    kind, data = record.kind, dict(record.data)
    for field, part in reference_fields(kind):
        value = data.get(field.name)
        if not value:
            continue
        if part is not None:
            entries = [{**entry, part.name: called[part.of, entry[part.name]]} for entry in value]
            data[field.name] = entries if field.ordered else sorted(entries, key=repr)
        elif field.many:
            data[field.name] = sorted(called[field.of, uid] for uid in value)
        else:
            data[field.name] = called[field.of, value]
    if kind == "saved_filter":
        data["object_filter"] = _criteria(data["object_filter"], data["mode"], called)
    return {
        name: _part(source, value, f"{name}", left_out)
        for name, value in data.items()
        if not {f"{kind}.{name}", f"*.{name}"} & left_out
    }


NAMED_IN_FILTERS = {"tags": "tag", "scene_tags": "tag", "performers": "performer", "containing_groups": "group",
                    "parents": "studio"}  # fmt: skip
"""What the criteria of populate.py's saved filters name by id."""


def _criteria(criteria: Any, mode: str, called: dict[tuple[str, str], str]) -> Any:
    """A saved filter's criteria with names in place of ids."""
    found = copy.deepcopy(criteria) or {}
    for name, said in found.items():
        if isinstance(said["value"], dict) or mode == "STUDIOS":
            items = said["value"] if mode == "STUDIOS" else said["value"].get("items", ())
            for item in items:
                item["id"] = called[NAMED_IN_FILTERS[name], item["id"]]
    return found


def _part(source: Any, value: Any, name: str, left_out: frozenset[str]) -> Any:
    if isinstance(value, Blob):
        with source.open_blob(value) as stream:
            return hashlib.sha256(stream.read()).hexdigest()
    if name == "files" and "scene.files.1" in left_out:
        value = value[:1]
    if isinstance(value, list) and value and isinstance(value[0], dict):
        return [{part: held for part, held in entry.items() if f"*.{name}.{part}" not in left_out} for entry in value]
    return value
