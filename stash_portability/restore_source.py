"""What of an archive a restore takes, and how it comes into the workset: the records that were chosen for their own
sake, what they refer to (brought along, so that no reference leads nowhere), and those that only refer to them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import IO

from .errors import UsageError
from .kinds import KINDS, PARTS_OF, Field, references
from .libraries.archive_values import values_of
from .libraries.chain import Archive
from .means import Means
from .model import EVERYTHING, About, Blob, BlobRef, Progress, Record, Report, Source, Transform, Want
from .reconcile.coding import Digest
from .reconcile.rules import ORDER
from .reconcile.workset import Workset
from .restore_options import RECORDS, RestoreOptions
from .transform.names import Lookup
from .transform.pipeline import BATCH, Pipeline
from .transform.scope import Roots, Selection, reach

Links = Mapping[str, frozenset[str]]


@dataclass(frozen=True, slots=True)
class Scope:
    """``roots``: what was chosen of each kind, None for all of it. ``kinds``: those and their parts. ``links``: of
    other kinds, the fields that refer to these. ``chosen``: only some records of the kinds were chosen."""

    roots: Roots
    kinds: tuple[str, ...]
    links: Links
    chosen: bool

    def is_chosen(self, record: Record) -> bool:
        """Whether a record is there for its own sake: it was chosen, or is a part of what was."""
        ids = self._ids.get(record.kind, frozenset())
        if ids is None or record.uid in ids:
            return True
        if record.kind not in PARTS_OF:
            return False
        owner, name = PARTS_OF[record.kind]
        owners = self._ids.get(owner, frozenset())
        return owners is None or record.data.get(name) in owners

    def ids_of(self, kind: str) -> frozenset[str]:
        """The chosen ids of ``kind``."""
        return self._ids.get(kind) or frozenset()

    _ids: Mapping[str, frozenset[str] | None] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        found = {kind: None if ids is None else frozenset(ids) for kind, ids in self.roots.items()}
        object.__setattr__(self, "_ids", found)


def scope_of(options: RestoreOptions, archive: Archive) -> Scope:
    """Settle what is taken. Raises UsageError for what the archive cannot give."""
    whole = _whole_kinds(archive)
    roots: dict[str, tuple[str, ...] | None] = {}
    for kind in options.kinds or tuple(options.ids) or _all_kinds(options, whole):
        roots[kind] = options.ids.get(kind)
    if options.config:
        roots["config"] = options.config
    _check_held(options, archive, roots, whole)
    parts = [part for part, (owner, _) in PARTS_OF.items() if owner in roots]
    kinds = tuple(kind for kind in KINDS if kind in roots or kind in parts)
    links = _links(tuple(roots), kinds) if options.links else {}
    return Scope(roots, kinds, links, bool(options.ids))


def _all_kinds(options: RestoreOptions, whole: frozenset[str]) -> tuple[str, ...]:
    """Everything: of an archive of some kinds, what they brought along is no reason to delete the rest."""
    return tuple(kind for kind in RECORDS if options.mode == "merge" or kind in whole)


def _whole_kinds(archive: Archive) -> frozenset[str]:
    """The kinds the archive holds all records of, and their parts."""
    scope = archive.header.get("scope")
    named = scope.get("kinds") if isinstance(scope, dict) else None
    kinds = set(named if isinstance(named, list) else archive.about().fields)
    return frozenset(kinds | {part for part, (owner, _) in PARTS_OF.items() if owner in kinds})


def _check_held(options: RestoreOptions, archive: Archive, roots: Roots, whole: frozenset[str]) -> None:
    held = archive.about().fields
    strange = [kind for kind in options.kinds if kind not in held and kind not in whole]
    if strange:
        raise UsageError(f"the archive holds no {', '.join(KINDS[kind].plural for kind in strange)}")
    if "config" in roots and "config" not in held:
        raise UsageError("the archive holds no settings")
    some = [kind for kind, ids in roots.items() if ids is None and kind not in whole]
    if options.mode == "replace" and some:
        names = ", ".join(KINDS[kind].plural for kind in some)
        raise UsageError(f"the archive holds only some {names}, so that --mode replace would delete the others")


def _links(roots: tuple[str, ...], kinds: tuple[str, ...]) -> Links:
    """The fields of other kinds that refer to ``roots``."""
    found = {
        kind.name: frozenset(one.name for one, part in references(kind) if (part or one).of in roots)
        for kind in KINDS.values()
        if kind.name not in kinds
    }
    return {kind: names for kind, names in found.items() if names}


def fill_target(workset: Workset, scope: Scope, source: Source, digest: Digest) -> None:
    """Take in what the target has of all kinds that may come up; images of those that may be changed."""
    within = reach(scope.roots, "full", {}, frozenset()) | set(scope.links)
    within |= {kind for link in scope.links for kind in _MATCHED_BY.get(link, ())}
    for kind in ORDER:
        if kind in within and (kind != "config" or kind in scope.kinds):
            workset.fill("target", source.read(kind, Want(blobs=kind in scope.kinds)), digest)


_MATCHED_BY = {"scene": ("studio",), "gallery": ("studio",), "marker": ("scene", "tag"), "chapter": ("gallery",)}
"""By what else records are known to be the same: kinds that must be there when their references are set."""


@dataclass(frozen=True, slots=True)
class Filling:
    """Fills the source's side of a workset, whose target side is there; ``report`` is told what does not exist."""

    workset: Workset
    archive: Archive
    scope: Scope
    report: Report

    def fill(self, progress: Progress, means: Means) -> None:
        """Take in what was chosen, what it refers to, and what refers to it."""
        about = self.archive.about()
        there = [kind for kind in KINDS if about.fields.get(kind)]
        kinds = tuple(kind for kind in there if kind != "config" or kind in self.scope.kinds)
        with _Sink(self.workset, self.scope) as sink:
            self._pipeline(about, progress, means).run(sink, kinds)
        if self.scope.links:
            self._link(sink.taken, there)

    def _pipeline(self, about: About, progress: Progress, means: Means) -> Pipeline:
        source = _WithImages(self.archive, self.scope)
        return Pipeline(
            source=source,
            selection=Selection("full", self.scope.roots),
            transform=_cleaned(self.archive, self.report),
            lookup=Lookup(source, {}, _unchanged),
            fields={},
            counts=about.counts,
            blobs=False,
            progress=progress,
            report=self.report,
            clock=means.clock,
        )

    def _link(self, taken: Mapping[str, set[str]], there: Iterable[str]) -> None:
        """Take in what refers to the chosen ones, and by what it is known in the target. Neither is ever made."""
        needed = {kind for link in self.scope.links for kind in _MATCHED_BY.get(link, ())}
        for kind in there:
            known, links = taken.get(kind, set()), kind in self.scope.links
            if links:
                self.workset.fill("source", self._linking(kind, known))
            elif kind in needed - set(self.scope.kinds):
                self.workset.fill("source", (one for one in self.archive.read(kind) if one.uid not in known))
        if self.scope.chosen:
            for kind in PARTS_OF.keys() & set(self.scope.links):
                self._add_owners(kind)
            if "marker" in self.scope.links:
                self._bring_primary_tags()

    def _linking(self, kind: str, known: set[str]) -> Iterator[Record]:
        """The records of ``kind`` that are not there yet; where only some were chosen, those that refer to one, with
        no other references in these fields."""
        links = [(one, part) for one, part in references(KINDS[kind]) if one.name in self.scope.links[kind]]
        for record in self.archive.read(kind):
            if record.uid in known:
                continue
            if not self.scope.chosen or self._only_chosen(record, links):
                yield record

    def _only_chosen(self, record: Record, links: Sequence[tuple[Field, Field | None]]) -> bool:
        """Take other references out of ``links`` of ``record``; whether one is left."""
        found = False
        for one, part in links:
            ids = self.scope.ids_of((part or one).of)
            value = record.data.get(one.name)
            if one.many:
                kept = [entry for entry in value or () if (entry[part.name] if part else entry) in ids]
                record.data[one.name] = kept
                found = found or bool(kept)
            elif value in ids:
                found = True
            elif one.name != "primary_tag":  # by which a marker is known
                record.data.pop(one.name, None)
        return found

    def _add_owners(self, kind: str) -> None:
        """Parts are known by what they belong to, of which nothing is set if it refers to no chosen record itself."""
        owner, name = PARTS_OF[kind]
        sql = (
            "SELECT DISTINCT json_extract(data, ?) FROM record p WHERE kind = ? AND side = 'source' AND NOT EXISTS"
            " (SELECT 1 FROM record o WHERE o.kind = ? AND o.side = 'source' AND o.uid = json_extract(p.data, ?))"
        )
        ids = [uid for (uid,) in self.workset.rows(sql, f"$.{name}", kind, owner, f"$.{name}") if uid]
        left_out = self.scope.links.get(owner, frozenset())
        owners = (
            one._replace(data={field: value for field, value in one.data.items() if field not in left_out})
            for one in self.archive.read(owner, Want(ids=ids))
        )
        self.workset.fill("source", owners if ids else ())

    def _bring_primary_tags(self) -> None:
        """Markers are known by their primary tags, too: those that the target has by the same name."""
        sql = (
            "SELECT DISTINCT json_extract(data, '$.primary_tag') FROM record WHERE kind = 'marker' AND side = 'source'"
        )
        ids = [uid for (uid,) in self.workset.rows(sql) if uid]
        has = "SELECT 1 FROM record WHERE kind = 'tag' AND side = 'target' AND json_extract(data, '$.name') = ?"
        tags = [one for one in self.archive.read("tag", Want(ids=ids)) if self.workset.one(has, one.data.get("name"))]
        self.workset.fill("source", tags, brought=True)


def _unchanged(_: str) -> Transform:
    return lambda batch: batch


def _cleaned(archive: Archive, report: Report) -> Callable[[str], Transform]:
    """Leave out values that Stash cannot take: what is not known stays as it is. The report tells each."""
    values = values_of(archive)
    return lambda _: lambda batch: [values.cleaned(record, report.because) for record in batch]


class _Sink:
    """Puts records into the workset, some at a time. ``taken`` are their ids by kind."""

    def __init__(self, workset: Workset, scope: Scope) -> None:
        self._workset, self._scope = workset, scope
        self._waiting: dict[bool, list[Record]] = {False: [], True: []}
        self.taken: dict[str, set[str]] = {}

    def __enter__(self) -> _Sink:
        return self

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        self.flush()

    def put(self, record: Record) -> None:
        """Take one record."""
        brought = not self._scope.is_chosen(record)
        self._waiting[brought].append(record)
        if self._scope.links:
            self.taken.setdefault(record.kind, set()).add(record.uid)
        if len(self._waiting[brought]) >= BATCH:
            self.flush()

    def put_blob(self, stream: IO[bytes]) -> BlobRef:
        """The name of an image, which stays where it is."""
        content = stream.read()
        return BlobRef(hashlib.sha256(content).hexdigest(), len(content))

    def flush(self) -> None:
        """Write what waits."""
        for brought, records in self._waiting.items():
            self._workset.fill("source", records, named, brought=brought)
            records.clear()


def named(blob: Blob) -> str:
    """The digest of an archive's image, which is its name."""
    return blob.key


class _WithImages:
    """An archive whose records always come with their images, as they are named in it; and of some records only,
    without references that lead to what was not taken: what is not known is left as it is."""

    def __init__(self, archive: Archive, scope: Scope) -> None:
        self._archive = archive
        self._unknown = {
            kind.name: [
                one.name
                for one, part in references(kind)
                if not one.pulls and scope.roots.get((part or one).of, ()) is not None
            ]
            for kind in KINDS.values()
        }

    def about(self) -> About:
        return self._archive.about()

    def read(self, kind: str, want: Want = EVERYTHING) -> Iterator[Record]:
        records = self._archive.read(kind, Want(want.fields, want.ids, want.fields is None))
        names = self._unknown[kind]
        for record in records:
            for name in names:
                record.data.pop(name, None)
            yield record

    def open_blob(self, blob: Blob) -> IO[bytes]:
        return self._archive.open_blob(blob)
