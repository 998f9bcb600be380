"""What of an archive a restore takes, and how it comes into the workset: the records that were chosen for their own
sake, what they refer to (brought along, so that no reference leads nowhere), and whole kinds besides, so that each is
known to be what it is when everything is there.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import IO

from .errors import UsageError
from .kinds import KINDS, PARTS_OF, references
from .libraries.archive_values import values_of
from .libraries.chain import Archive
from .means import Means
from .model import EVERYTHING, About, Blob, BlobRef, Progress, Record, Report, Source, Transform, Want
from .reconcile.coding import Digest
from .reconcile.filters import NAMED, named_in
from .reconcile.rules import ORDER
from .reconcile.workset import Standing, Workset
from .restore_options import RECORDS, RestoreOptions
from .transform.names import Lookup
from .transform.pipeline import BATCH, Pipeline
from .transform.scope import Roots, Selection, reach

Links = Mapping[str, frozenset[str]]


@dataclass(frozen=True, slots=True)
class Scope:
    """``roots``: what was chosen of each kind, None for all of it. ``kinds``: those and their parts. ``links``: of
    records that were not chosen, the fields that refer to what was. ``chosen``: only some records of the kinds were
    chosen."""

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

    def is_whole(self, kind: str) -> bool:
        """Whether all records of ``kind`` were chosen."""
        owner = PARTS_OF[kind][0] if kind in PARTS_OF else kind
        return self.roots.get(kind, ()) is None or self.roots.get(owner, ()) is None

    def seen(self) -> frozenset[str]:
        """The kinds that may come up, with those by which records of them are known to be the same."""
        found = reach(self.roots, "full", {}, frozenset()) | set(self.links)
        if "saved_filter" in found:
            found |= reach(NAMED, "full", {}, frozenset())
        while more := {kind for one in found for kind in _MATCHED_BY.get(one, ())} - found:
            found |= more
        if "gallery" in self.kinds:
            found |= {"image"}  # by which a gallery is known whose folder was moved
        return frozenset(kind for kind in found if kind != "config" or kind in self.kinds)

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
    scope = Scope(roots, kinds, {}, bool(options.ids))
    return replace(scope, links=_links(scope)) if options.links else scope


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


def _links(scope: Scope) -> Links:
    """The fields that refer to ``roots``, of kinds that are not restored as a whole."""
    found = {
        kind.name: frozenset(one.name for one, part in references(kind) if (part or one).of in scope.roots)
        for kind in KINDS.values()
        if not scope.is_whole(kind.name)
    }
    return {kind: names for kind, names in found.items() if names}


def fill_target(workset: Workset, scope: Scope, source: Source, digest: Digest, *, deletes: bool = False) -> None:
    """Take in what the target has of all kinds that may come up; images of those that may be changed. When some may be
    deleted, also what refers to those."""
    seen = scope.seen()
    if deletes:
        seen |= {kind.name for kind in KINDS.values() for one, part in references(kind)
                 if (part or one).of in scope.kinds}  # fmt: skip
    for kind in ORDER:
        if kind in seen:
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
        """Take in what was chosen, what it refers to, and all else that may be taken for one of these."""
        about = self.archive.about()
        there = [kind for kind in KINDS if about.fields.get(kind)]
        kinds = tuple(kind for kind in there if kind != "config" or kind in self.scope.kinds)
        self._know(there)
        with _Sink(self.workset, self.scope) as sink:
            self._pipeline(about, progress, means).run(sink, kinds)

    def _know(self, there: Collection[str]) -> None:
        """Take in all of the kinds of which only some will be brought: in the order in which they lie there, because
        records that are alike are told apart by that. What is wrong in them is not told, because none is written."""
        values = values_of(self.archive)
        for kind in self.scope.seen() & set(there):
            if not self.scope.is_whole(kind):
                records = (values.cleaned(one, _tell_nothing) for one in self.archive.read(kind))
                self.workset.fill("source", records, standing=Standing.KNOWN)

    def _roots(self) -> Roots:
        """What was chosen, and the records that saved filters name: the pipeline only follows references."""
        roots, ids = dict(self.scope.roots), self.scope.roots.get("saved_filter", ())
        for record in self.archive.read("saved_filter", Want(ids=ids)) if ids or ids is None else ():
            for kind, uid in named_in(record.data.get("mode"), record.data.get("object_filter")):
                known = roots.get(kind, ())
                if known is not None and uid not in known:
                    roots[kind] = (*known, uid)
        return roots

    def _pipeline(self, about: About, progress: Progress, means: Means) -> Pipeline:
        source = _WithImages(self.archive, self.scope)
        return Pipeline(
            source=source,
            selection=Selection("full", self._roots()),
            transform=_cleaned(self.archive, self.report),
            lookup=Lookup(source, {}, _unchanged),
            fields={},
            counts=about.counts,
            blobs=False,
            progress=progress,
            report=self.report,
            clock=means.clock,
        )


def _unchanged(_: str) -> Transform:
    return lambda batch: batch


def _tell_nothing(_: str, __: str) -> None:
    return None


def _cleaned(archive: Archive, report: Report) -> Callable[[str], Transform]:
    """Leave out values that Stash cannot take: what is not known stays as it is. The report tells each."""
    values = values_of(archive)
    return lambda _: lambda batch: [values.cleaned(record, report.because) for record in batch]


class _Sink:
    """Puts records into the workset, some at a time."""

    def __init__(self, workset: Workset, scope: Scope) -> None:
        self._workset, self._scope = workset, scope
        self._waiting: dict[Standing, list[Record]] = {Standing.CHOSEN: [], Standing.BROUGHT: []}

    def __enter__(self) -> _Sink:
        return self

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        self.flush()

    def put(self, record: Record) -> None:
        """Take one record."""
        waiting = self._waiting[Standing.CHOSEN if self._scope.is_chosen(record) else Standing.BROUGHT]
        waiting.append(record)
        if len(waiting) >= BATCH:
            self.flush()

    def put_blob(self, stream: IO[bytes]) -> BlobRef:
        """The name of an image, which stays where it is."""
        content = stream.read()
        return BlobRef(hashlib.sha256(content).hexdigest(), len(content))

    def flush(self) -> None:
        """Write what waits."""
        for standing, records in self._waiting.items():
            self._workset.fill("source", records, named, standing=standing)
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
