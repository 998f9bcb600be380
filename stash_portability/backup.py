"""A backup: everything a Stash holds that is not a media file, in one archive that was read back before it got its
name. And the verification of such an archive at any later time.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import IO, Any

from . import __version__
from .backup_options import BackupOptions
from .commands import calm_collector, find_roots, open_pipeline, open_source, tell_durability
from .database_copy import DatabaseCopy
from .errors import OutputNotUsable, PortabilityError, Unreadable, VerificationFailed
from .incremental import INSTANCE, Choice, Signs, choose_parent
from .libraries.archive_check import check_lines, check_members, check_records
from .libraries.archive_write import ArchiveSink
from .libraries.chain import Archive, Since, open_archive
from .listing import size_of
from .means import Means, Run
from .model import About, BlobRef, Progress, Record, Report, Source
from .planning import ExportPlan, plan_export, room_needed
from .storage import sidecar
from .storage.container import Container, open_output
from .storage.room import check_room

L3 = "L3: restoring it into a Stash of its own, to compare, is not part of this version"


def backup(options: BackupOptions, progress: Progress, means: Means, source: Source | None = None) -> Report:
    """Write a new archive into the folder ``options.to``, with its sidecars, and tell what was done.

    ``source`` is given when it is open already. The archive is read back in full before it gets its name. Raises
    VerificationFailed when it does not read back, and the other errors of errors.py.
    """
    report, begun = Report(what="backup", privacy="full"), means.now()
    container = open_output(_new_path(options, begun), options.container)
    export = options.as_export(container.path)
    source = source or open_source(export, progress, means, report)
    about = source.about()
    report.source, report.how = f"{about.product} {about.version} at {about.address}", about.how or "read through"
    plan = plan_export(about, find_roots(source, about, export, report), export, report)
    header = _header(about, plan, begun)
    copy = DatabaseCopy(source, options.source) if options.include_database else None
    parent = _parent(options, header, source, progress, report)
    room = 0 if parent else room_needed(about, plan.roots)
    check_room(container.path, copy.check_room(container.path, room) if copy else room)
    pipeline = open_pipeline(source, export, plan, Run(about, progress, report, means))
    proof = _Proof(container, progress, means, report)
    container.about_to_commit = lambda at: means.announce(at, _alone(report, container))
    sink = ArchiveSink(container, header, options.zstd, Since(parent) if parent else None)
    with calm_collector(), sink, _Watched(sink, copy, header, report) as watched:
        if copy:
            progress.phase("copying the database", None)
            header["database"] = copy.put(sink, container)
        pipeline.run(watched, plan.kinds)
    written = sidecar.write(container.path, proof.digests, {**header, **proof.facts, "bytes": container.bytes})
    progress.close()
    report.outputs, report.bytes = [str(container.path)], container.bytes
    report.notes.append(f"it was read back in full (L2); beside it lie {' and '.join(path.name for path in written)}")
    if parent:
        report.notes.append(f"it is built on {parent.path.name}: {sink.changed:,} records were new or changed")
    tell_durability(report, container)
    means.announce(container.path, report)
    return report


def _parent(
    options: BackupOptions, header: dict[str, Any], source: Source, progress: Progress, report: Report
) -> Archive | None:
    """What the backup is built on, which its ``header`` and the report are told."""
    if not options.incremental:
        return None
    progress.phase("looking for an archive to build on", None)
    choice: Choice = choose_parent(options.to, header, source, progress.advance)
    if choice.why:
        (report.remarks if choice.odd else report.notes).append(choice.why)
    if choice.parent:
        header["parent"] = {"name": choice.parent.path.name, "manifest": choice.parent.manifest_digest}
    return choice.parent


class _Watched:
    """The sink of a backup; looks at what goes into it for the signs of the library, and for the database's images."""

    def __init__(self, sink: ArchiveSink, copy: DatabaseCopy | None, header: dict[str, Any], report: Report) -> None:
        self._sink, self._copy, self._header, self._report = sink, copy, header, report
        self._signs = Signs()

    def __enter__(self) -> _Watched:
        return self

    def __exit__(self, kind: Any, error: Any, trace: Any) -> None:
        """Tell what was seen, before the archive is finished."""
        if error is not None:
            return
        self._header[INSTANCE] = self._signs.as_data()
        problem = self._copy.finish(self._sink) if self._copy else ""
        if problem:
            self._report.remarks.append(problem)

    def put(self, record: Record) -> None:
        """Write one record, and look at it."""
        self._sink.put(record)
        self._signs.see(record)

    def put_blob(self, stream: IO[bytes]) -> BlobRef:
        """Keep an image."""
        return self._copy.put_blob(stream, self._sink.put_blob) if self._copy else self._sink.put_blob(stream)


def _alone(report: Report, container: Container) -> Report:
    """The report of a backup that is ended before its sidecars lie beside it."""
    remark = "it was read back in full (L2), but the run was ended before anything was put beside it"
    return replace(report, outputs=[str(container.path)], bytes=container.bytes, remarks=[*report.remarks, remark])


def _new_path(options: BackupOptions, begun: datetime) -> Path:
    """A path in the folder, which is made if need be, that nothing has yet. Raises OutputNotUsable."""
    try:
        options.to.mkdir(mode=0o700, exist_ok=True)
        there = {entry.name for entry in options.to.iterdir()}
    except (OSError, ValueError) as error:
        raise OutputNotUsable(path=options.to, reason=getattr(error, "strerror", None) or error) from error
    ending = "" if options.container == "folder" else f".{options.container}"
    name = stem = f"{begun.strftime('%Y%m%dT%H%M%SZ')}-stash"
    number = 1
    while any(found == name or found.startswith(f"{name}.") for found in there):
        number += 1
        name = f"{stem}-{number}"
    return options.to / f"{name}{ending}"


def _header(about: About, plan: ExportPlan, begun: datetime) -> dict[str, Any]:
    """What the archive says of itself. But for the time, the same library gives the same."""
    return {
        "tool": f"stash-portability {__version__}",
        "created": iso(begun),
        "source": {"product": about.product, "version": about.version, "schema": about.schema},
        "scope": {"kinds": sorted(plan.roots), "blobs": True},
        "privacy": "full",
    }


class _Proof:
    """Reads a backup back before it gets its name: ``digests`` and ``facts`` are for its sidecars."""

    def __init__(self, container: Container, progress: Progress, means: Means, report: Report) -> None:
        self._path, self._progress, self._means, self._report = container.path, progress, means, report
        self.digests: Mapping[str, str] = {}
        self.facts: dict[str, Any] = {}
        container.proof = self

    def __call__(self, out: Path) -> None:
        """Raises Unreadable when ``out`` is not what was written."""
        begun, counts = self._means.clock(), {kind: count for kind, count in self._report.counts.items() if count}
        self._progress.phase("reading back", sum(counts.values()))
        self.digests = sidecar.digests(out, self._path.name, lambda _: None)
        archive = open_archive(out, beside=self._path.parent)
        found = check_members(archive.layers[0], self._progress.advance)
        check_lines(archive, lambda _: None)
        if found.counts != counts:
            raise Unreadable(path=out, reason=f"it holds {found.counts}, and {counts} was written")
        verified = dict.fromkeys(("L1", "L2"), iso(self._means.now()))
        self.facts = {"counts": counts, "images": found.images, "verified": verified}
        self._report.seconds["reading back"] = round(self._means.clock() - begun, 3)


def verify(path: Path, progress: Progress, means: Means) -> Report:
    """Check an archive: L1, its bytes against its sidecar, where it has one; then L2, every member against its
    manifest, every record, every image. Raises VerificationFailed naming the rungs that do not hold, Unreadable
    when there is nothing at ``path``."""
    if not path.exists():
        raise Unreadable(path=path, reason="there is no such archive")
    report = Report(what="verify", source=f"the archive {path}", how="every byte of it")
    problems = [
        problem
        for problem in (_first_rung(path, progress, means, report), _second_rung(path, progress, means, report))
        if problem
    ]
    progress.close()
    if problems:
        held = [note for note in report.notes if note.startswith("L")]
        raise VerificationFailed(path=path, reason="; ".join([*problems, *held]))
    rungs = [note[:2] for note in report.notes if ": held" in note]
    if not sidecar.note_verified(path, rungs, iso(means.now())):
        report.notes.append("the time of this verification could not be noted beside it")
    report.notes.append(L3)
    return report


def _first_rung(path: Path, progress: Progress, means: Means, report: Report) -> str:
    """Check the bytes, also of the archives it is built on; give what is wrong, or ""."""
    begun = means.clock()
    progress.phase("L1: bytes", None)
    try:
        there = [sidecar.check_bytes(one, progress.advance) for one in _chain(path)]
    except Unreadable as bad:
        return f"L1 failed: {_within(path, bad)}"
    report.seconds["L1"] = round(means.clock() - begun, 3)
    name, more = sidecar.beside(path, sidecar.DIGESTS).name, len(there) - 1
    also = f", and so are those of the {more} it is built on" if more else ""
    if all(there):
        report.notes.append(f"L1: held, its bytes are those of {name}{also}")
    elif there[0]:
        report.notes.append(f"L1: not done for all it is built on; its own bytes are those of {name}")
    else:
        report.notes.append(f"L1: not done, there is no {name}")
    return ""


def _chain(path: Path) -> list[Path]:
    """The archive and what it is built on, as far as that can be told: what is wrong with it L2 says."""
    try:
        return [layer.path for layer in open_archive(path).layers]
    except PortabilityError:
        return [path]


def _second_rung(path: Path, progress: Progress, means: Means, report: Report) -> str:
    """Check members and records, also of the archives it is built on; give what is wrong, or ""."""
    begun = means.clock()
    try:
        source = open_archive(path)
        total = sum(count or 0 for count in source.about().counts.values())
        progress.phase("L2: members", total)
        found = check_members(source, progress.advance)
        progress.phase("L2: records", total)
        check_records(source, progress.advance, report.because)
    except Unreadable as bad:
        return f"L2 failed: {_within(path, bad)}"
    report.seconds["L2"] = round(means.clock() - begun, 3)
    report.counts, report.bytes = found.counts, size_of(path)
    members = sum(len(layer.members) for layer in source.layers)
    also = f" in it and the {len(source.layers) - 1} it is built on" if len(source.layers) > 1 else ""
    report.notes.append(f"L2: held, all {members:,} members{also} are what its manifest says")
    return ""


def _within(archive: Path, bad: Unreadable) -> str:
    """What is wrong, with the member it is wrong in, and the archive when that is another."""
    place, _, member = str(bad.words.get("path", "")).partition(": ")
    other = Path(place).name if place and Path(place) != archive else ""
    return ": ".join(filter(None, (other, member, str(bad.words["reason"]))))


def iso(moment: datetime) -> str:
    """A time in UTC as data carries it."""
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
