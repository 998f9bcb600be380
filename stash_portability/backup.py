"""A backup: everything a Stash holds that is not a media file, in one archive that was read back before it got its
name. And the verification of such an archive at any later time.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from . import __version__
from .backup_options import BackupOptions
from .commands import calm_collector, find_roots, open_pipeline, open_source
from .errors import OutputNotUsable, Unreadable, VerificationFailed
from .libraries.archive import ArchiveSink, ArchiveSource
from .libraries.archive_check import check_members, check_records
from .listing import size_of
from .means import Means, Run
from .model import About, Progress, Report, Source
from .planning import ExportPlan, plan_export, room_needed
from .storage import sidecar
from .storage.container import Container, check_room, open_output

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
    check_room(container.path, room_needed(about, plan.roots))
    pipeline = open_pipeline(source, export, plan, Run(about, progress, report, means))
    proof = _Proof(container, progress, means, report)
    header = _header(about, plan, begun)
    with calm_collector(), ArchiveSink(container, header, zstd=options.zstd) as sink:
        pipeline.run(sink, plan.kinds)
    written = sidecar.write(container.path, proof.digests, {**header, **proof.facts, "bytes": container.bytes})
    progress.close()
    report.outputs, report.bytes = [str(container.path)], container.bytes
    report.notes.append(f"it was read back in full (L2); beside it lie {' and '.join(path.name for path in written)}")
    return report


def _new_path(options: BackupOptions, begun: datetime) -> Path:
    """A path in the folder, which is made if need be, that nothing has yet. Raises OutputNotUsable."""
    try:
        options.to.mkdir(mode=0o700, exist_ok=True)
        there = {entry.name for entry in options.to.iterdir()}
    except (OSError, ValueError) as error:
        raise OutputNotUsable(path=options.to, reason=getattr(error, "strerror", None) or error) from error
    ending = ".zip" if options.container == "zip" else ""
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
        self._name, self._progress, self._means, self._report = container.path.name, progress, means, report
        self.digests: Mapping[str, str] = {}
        self.facts: dict[str, Any] = {}
        container.proof = self

    def __call__(self, out: Path) -> None:
        """Raises Unreadable when ``out`` is not what was written."""
        begun, counts = self._means.clock(), {kind: count for kind, count in self._report.counts.items() if count}
        self._progress.phase("reading back", sum(counts.values()))
        self.digests = sidecar.digests(out, self._name, lambda _: None)
        found = check_members(ArchiveSource(out), self._progress.advance)
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
    """Check the bytes; give what is wrong, or ""."""
    begun = means.clock()
    progress.phase("L1: bytes", None)
    try:
        there = sidecar.check_bytes(path, progress.advance)
    except Unreadable as bad:
        return f"L1 failed: {_within(path, bad)}"
    report.seconds["L1"] = round(means.clock() - begun, 3)
    name = sidecar.beside(path, sidecar.DIGESTS).name
    report.notes.append(f"L1: held, its bytes are those of {name}" if there else f"L1: not done, there is no {name}")
    return ""


def _second_rung(path: Path, progress: Progress, means: Means, report: Report) -> str:
    """Check members and records; give what is wrong, or ""."""
    begun = means.clock()
    try:
        source = ArchiveSource(path)
        total = sum(count or 0 for count in source.about().counts.values())
        progress.phase("L2: members", total)
        found = check_members(source, progress.advance)
        progress.phase("L2: records", total)
        check_records(source, progress.advance)
    except Unreadable as bad:
        return f"L2 failed: {_within(path, bad)}"
    report.seconds["L2"] = round(means.clock() - begun, 3)
    report.counts, report.bytes = found.counts, size_of(path)
    report.notes.append(f"L2: held, all {len(source.members):,} members are what its manifest says")
    return ""


def _within(archive: Path, bad: Unreadable) -> str:
    """What is wrong, with the member it is wrong in."""
    _, _, member = str(bad.words.get("path", "")).partition(f"{archive}: ")
    return f"{member}: {bad.words['reason']}" if member else str(bad.words["reason"])


def iso(moment: datetime) -> str:
    """A time in UTC as data carries it."""
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
