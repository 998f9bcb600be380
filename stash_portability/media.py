"""The export of NFO files: one pass that learns which scene has which place, one that writes, and a look for the files
of scenes that are gone. Every file is whole under its name, or not there; what is unchanged is not written.
"""

from __future__ import annotations

import os
import secrets
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from .config import ExportOptions
from .kinds import LEVELS
from .libraries.nfo.keeper import Keeper
from .libraries.nfo.orphans import Orphans
from .libraries.nfo.places import Claims, Places
from .libraries.nfo.writer import Draft, NfoWriter, Reading
from .model import Blob, Record, Want
from .transform.pipeline import Pipeline, batches
from .transform.rewrite import folders_within, rewrite
from .transform.scope import by_number

PICTURES = {"group": "front_image", "performer": "image"}
"""The pictures of what a scene refers to that media servers show, by kind."""
_PLACES, _LEFTOVERS = "places", "leftovers"
_MAY_BE_PARTS = ("archive", "tables", "NFO files")
"""The products (of ``About``) that may hold only some of the scenes there are."""
NOT_FROM_PARTS = (
    "nothing was removed: an export may hold only some scenes; --remove-deleted needs a Stash or its database"
)
PHASES = (_PLACES, "scenes", _LEFTOVERS)


class Referred:
    """What scenes refer to, as privacy lets it out: the names that the pipeline reads, and their pictures."""

    def __init__(self, pipeline: Pipeline) -> None:
        self._pipeline = pipeline
        self._asked: set[tuple[str, str]] = set()
        self._found: dict[tuple[str, str], Blob | None] = {}

    def prepare(self, scenes: Sequence[Record]) -> None:
        """Read what ``scenes`` (as they came from the source) refer to."""
        if self._pipeline.lookup.needed("scene"):
            self._pipeline.lookup.prepare(scenes)
        for kind in PICTURES if self._pipeline.blobs else ():
            uids = {uid for scene in scenes for uid in _uids(scene, kind)}
            self._find(kind, sorted((uid for uid in uids if (kind, uid) not in self._asked), key=by_number))

    def __call__(self, kind: str, uid: str) -> Mapping[str, Any] | None:
        """The data of a record by the uid it is shown with; its picture is there when it was looked for."""
        data = self._pipeline.lookup(kind, uid)
        if (kind, uid) in self._found:
            return {**(data or {}), PICTURES[kind]: self._found[kind, uid]}
        return data

    def _find(self, kind: str, uids: list[str]) -> None:
        self._asked.update((kind, uid) for uid in uids)
        if uids:
            field = PICTURES[kind]
            records = list(self._pipeline.source.read(kind, Want(frozenset((field,)), uids, blobs=True)))
            for shown in self._pipeline.transform(kind)(records):
                if field in shown.data:
                    self._found[kind, shown.uid] = shown.data[field]


def _uids(scene: Record, kind: str) -> Iterator[str]:
    if kind == "group":
        yield from (entry["group"] for entry in scene.data.get("groups") or ())
    else:
        yield from scene.data.get("performers") or ()


def write_media(pipeline: Pipeline, options: ExportOptions) -> None:
    """Write the NFO files of the scenes that were asked for. Raises OutputNotUsable when the folder for them cannot be
    written, NoSpace, and what the source raises."""
    places = _places(options)
    claims, folders = _claims(pipeline, places)
    _tell_no_genres(pipeline, places.choices.genres)
    keeper = Keeper(time.time, lambda: secrets.token_hex(8))
    referred = Referred(pipeline)
    with NfoWriter(places, claims, _reading(pipeline, referred), keeper, pipeline.report) as writer:
        _write(pipeline, referred, writer)
    pipeline.progress.phase(_LEFTOVERS, None)
    covered = [places.to] if places.to else list(_covered(pipeline, options, folders))
    remove = places.choices.remove_deleted and _may_remove(pipeline)
    Orphans(claims, keeper, pipeline.report, remove=remove).sweep(covered)
    pipeline.report.outputs = [places.to] if places.to else []


def _may_remove(pipeline: Pipeline) -> bool:
    """Whether what is read holds all scenes there are, so that one that is not in it is gone."""
    whole = pipeline.source.about().product not in _MAY_BE_PARTS
    if not whole:
        pipeline.report.remarks.append(NOT_FROM_PARTS)
    return whole


def _tell_no_genres(pipeline: Pipeline, rule: str) -> None:
    """Remark on a tag of genres that there is none of: all would go without."""
    if rule in ("all", "none"):
        return
    names = (tag.data.get("name") or "" for tag in pipeline.source.read("tag", Want(frozenset(("name",)))))
    if all(name.casefold() != rule.casefold() for name in names):
        pipeline.report.remarks.append(f"there is no tag {rule!r}, so no tag was written as a genre")


def _places(options: ExportOptions) -> Places:
    assert options.nfo  # noqa: S101 - this is the format
    return Places(options.nfo, options.rules, "" if options.nfo.beside else os.path.abspath(options.to))  # noqa: PTH100


def _reading(pipeline: Pipeline, referred: Referred) -> Reading:
    return Reading(referred, pipeline.source.open_blob, paths="path" in LEVELS[pipeline.report.privacy])


def _claims(pipeline: Pipeline, places: Places) -> tuple[Claims, set[str]]:
    """Which scene has which place, of all there are, whatever was asked for; and the folders their files lie in."""
    claims, folders = Claims(places), set[str]()
    pipeline.progress.phase(_PLACES, pipeline.counts.get("scene"))
    for batch in batches(pipeline.source.read("scene", Want(frozenset(("files",))))):
        for record in batch:
            claims.add(record)
            if places.choices.beside:
                folders.update(_folders(record))
        pipeline.progress.advance(len(batch))
    # A scene that could not be read is passed over by the source.
    claims.unknown += max(0, (pipeline.counts.get("scene") or 0) - claims.scenes)
    return claims, folders


def _folders(scene: Record) -> Iterator[str]:
    for file in scene.data.get("files") or ():
        yield os.path.dirname(file.get("path") or "")  # noqa: PTH120


def _write(pipeline: Pipeline, referred: Referred, writer: NfoWriter) -> None:
    """Write what was asked for, some scenes at a time."""
    ids = pipeline.settle("scene")
    pipeline.progress.phase("scenes", pipeline.counts.get("scene") if ids is None else len(ids))
    begun, written = pipeline.clock(), 0
    wanted = Want(pipeline.fields["scene"], ids, pipeline.blobs)
    for batch in batches(pipeline.source.read("scene", wanted) if ids is None or ids else ()):
        for raw, shown in pairs(pipeline, referred, batch):
            writer.put(raw, shown)
        written += len(batch)
        pipeline.progress.advance(len(batch))
    pipeline.tell_missing("scene", ids, written + len(pipeline.report.skipped))
    pipeline.report.counts["scene"] = written
    pipeline.report.seconds["scene"] = round(pipeline.clock() - begun, 3)


def pairs(pipeline: Pipeline, referred: Referred, batch: list[Record]) -> Iterator[tuple[Record, Record]]:
    """Each scene as it came from the source, and as it may be shown: with the id of this Stash, or with none."""
    referred.prepare(batch)
    told = pipeline.report.privacy == "full"
    for raw, shown in zip(batch, pipeline.transform("scene")(batch), strict=True):
        yield raw, shown if told else shown._replace(uid="")


def _covered(pipeline: Pipeline, options: ExportOptions, folders: Iterable[str]) -> Iterator[str]:
    """The folders on this machine that may hold NFO files beside the media: those Stash scans, where it tells them;
    else those that its scenes lie in."""
    tell = getattr(pipeline.source, "folders", None)
    allowed = options.nfo.allowed if options.nfo else None
    for folder in tell() if tell else folders:
        for there in (rewrite(folder, options.rules), folder, *folders_within(folder, options.rules)):
            free = allowed is None or any(_within(there, str(one)) for one in allowed)
            if free and os.path.isabs(there) and os.path.isdir(there):  # noqa: PTH112, PTH117
                yield there


def _within(path: str, folder: str) -> bool:
    inner, outer = os.path.normcase(os.path.abspath(path)), os.path.normcase(folder).rstrip(os.sep)  # noqa: PTH100
    return inner == outer or inner.startswith(outer + os.sep)


def preview_media(pipeline: Pipeline, options: ExportOptions, scenes: list[Record]) -> list[Draft]:
    """What would be written for ``scenes`` (as they came from the source), if nothing lay there; nothing is looked at
    on the disk."""
    places, referred = _places(options), Referred(pipeline)
    keeper = Keeper(time.time, lambda: secrets.token_hex(8))
    writer = NfoWriter(places, Claims(places), _reading(pipeline, referred), keeper, pipeline.report)
    return [draft for raw, shown in pairs(pipeline, referred, scenes) for draft in writer.drafts(raw, shown)]
