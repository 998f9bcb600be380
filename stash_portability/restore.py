"""A restore: planned from an archive and from what is in a Stash, looked at by a person, then written.

``plan_restore`` verifies what it uses and changes nothing; ``apply_plan`` writes what was planned, and plans again to
see that nothing is left.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import IO, Any, NamedTuple

from .errors import PortabilityError, Unreadable, UsageError
from .identity import check_same, signs_of
from .labels import WorksetLabels
from .libraries.archive_check import check_members, check_records
from .libraries.chain import Archive, open_archive
from .libraries.opening import Opening
from .means import Means
from .model import Blob, BlobRef, Brake, Change, Op, Plan, Policy, Progress, Report, Strategy
from .planfile import Wanted, page, read_header, read_plan, room_for_journal, with_names, write_plan
from .points import ACCEPT, beyond_undo, can_be_made, no_way_back
from .reconcile.coding import Digests
from .reconcile.images import KeptImages
from .reconcile.journal import read_back
from .reconcile.plan import Task, make_plan
from .reconcile.workset import Workset
from .restore_options import RestoreOptions
from .restore_source import Filling, Scope, fill_target, named, scope_of
from .runs import iso, told
from .stale import check_not_stale, highest_ids
from .storage import sidecar
from .storage.room import check_room
from .target import Target, open_target
from .traces import APPLIED, applied_by, restored
from .wholefile import write_whole
from .writing import Asked, Work, check_brakes, is_operation, one_writer, target_digest, write

WORK = "work.sqlite"
"""The working file while a plan is made."""
SAMPLES = 5
MOST_LEFT = 10_000
"""Changes that a second plan still has, which are compared with what was written."""
EVERY_OP: frozenset[Op] = frozenset(("create", "update", "delete"))


class _Ends(NamedTuple):
    """What a restore is between."""

    archive: Archive
    target: Target
    scope: Scope


def plan_restore(
    options: RestoreOptions, folder: Path, progress: Progress, means: Means, target: Target | None = None
) -> Report:
    """Plan a restore into ``target`` (else the Stash at ``options.target``); the plan lies in ``folder`` then. Changes
    nothing. Raises UsageError, Unreadable or UnsupportedVersion (of the archive), Unreachable, Refused, NoSpace."""
    report = Report(what=f"restore {options.mode}", source=f"the archive {options.archive}")
    archive = open_archive(options.archive)
    report.how = archive.about().how
    scope = scope_of(options, archive)
    _verify(options, archive, progress)
    ends = _Ends(archive, target or opened(options, means, progress, report), scope)
    begun, highest = means.clock(), highest_ids(ends.target)
    with _planned(options, ends, folder, (progress, means, report)) as (plan, workset):
        if options.kinds or options.ids:
            _verify_images(archive, plan, progress)
        digests = Digests(named, target_digest(ends.target, _not_known))
        header = {**_header(options, ends, plan, iso(means.now())), "highest": highest}
        write_plan(folder, plan, header, (WorksetLabels(workset), digests))
    progress.close()
    report.seconds["planning"] = round(means.clock() - begun, 3)
    _tell_plan(report, header)
    report.samples, _ = page(folder, "changes", Wanted(), 0, SAMPLES)
    return report


def opened(options: RestoreOptions, means: Means, progress: Progress, report: Report) -> Target:
    """The Stash that is restored into."""
    opening = Opening(options.api_key, means.rng, progress.note, lambda problem: report.skipped.append(str(problem)))
    return open_target(options.target, opening)


def _not_known(_: Blob) -> None:
    return None


def _verify(options: RestoreOptions, archive: Archive, progress: Progress) -> None:
    """Check the archive before anything of it is used: its bytes where a sidecar tells them; all of it for a full
    restore. What is used of another is checked as it is read. Raises Unreadable."""
    for layer in getattr(archive, "layers", (archive,)):
        progress.phase("checking the bytes of the archive", None)
        sidecar.check_bytes(layer.path, progress.advance)
    if not options.kinds and not options.ids:
        total = sum(count or 0 for count in archive.about().counts.values())
        progress.phase("checking the archive", total)
        check_members(archive, progress.advance)
        check_records(archive, _ignore)


def _ignore(_: int) -> None:
    return None


def _verify_images(archive: Archive, plan: Plan, progress: Progress) -> None:
    """Read the images that would be written to their end, where their digest is compared. Raises Unreadable."""
    progress.phase("checking images", None)
    for change in plan.changes:
        for value in (change.after or {}).values():
            if isinstance(value, Blob):
                with archive.open_blob(value) as stream:
                    while stream.read(1 << 20):
                        pass
                progress.advance(1)


@contextmanager
def _planned(
    options: RestoreOptions, ends: _Ends, folder: Path, along: tuple[Progress, Means, Report]
) -> Iterator[tuple[Plan, Workset]]:
    """The plan, which lives as long as its working file."""
    progress, means, report = along
    path = folder / WORK
    path.unlink(missing_ok=True)
    scope = ends.scope
    try:
        with Workset(path) as workset:
            progress.phase("reading the Stash", None)
            digest = target_digest(ends.target, _not_known)
            deletes = options.mode == "replace" and not scope.chosen
            fill_target(workset, scope, ends.target.source, digest, deletes=deletes)
            reading = Report("")
            Filling(workset, ends.archive, scope, reading).fill(progress, means)
            _check_there(options, workset)
            report.remarks += reading.remarks
            report.skipped += reading.skipped
            report.reasons += [reason for reason in reading.reasons if reason not in report.reasons]
            progress.phase("comparing", None)
            yield make_plan(workset, _policy(options), _task(options, ends)), workset
    finally:
        path.unlink(missing_ok=True)


def _check_there(options: RestoreOptions, workset: Workset) -> None:
    """Raise UsageError when records were chosen and the archive has none of them."""
    if options.ids and not any(workset.count("source", kind) for kind in options.ids):
        named_ = "; ".join(f"{kind} {', '.join(ids[:SAMPLES])}" for kind, ids in options.ids.items())
        raise UsageError(f"the archive holds none of the records that were chosen: {named_}")


def _policy(options: RestoreOptions) -> Policy:
    """Settings were asked for by name, and are taken as they are in the archive, if nothing else is said."""
    prefer: dict[str, Strategy] = {"config": "source", **options.prefer}
    if options.mode == "replace":
        return Policy("target", prefer, EVERY_OP)
    return Policy("nothing", prefer)


def _task(options: RestoreOptions, ends: _Ends) -> Task:
    kinds = {*ends.scope.kinds, *ends.scope.links, *ends.archive.about().fields}
    return Task(
        "restore replace" if options.mode == "replace" else "restore merge",
        ends.scope.kinds,
        cannot={kind: ends.target.cannot(kind) for kind in kinds},
        links=ends.scope.links,
        chosen=ends.scope.chosen,
    )


def _header(options: RestoreOptions, ends: _Ends, plan: Plan, made: str) -> dict[str, Any]:
    """What a plan says of itself. No secret is in it."""
    why = {name: _why(ends.target, name) for name in plan.not_restored}
    return {
        "what": f"restore {options.mode}",
        "archive": str(options.archive),
        "archive_sha256": ends.archive.manifest_digest,
        "target": ends.target.reader.about().address,
        "instance": signs_of(ends.target.source),
        "options": options.as_data(),
        "made": made,
        "counts": {name: count for name, count in plan.counts.items() if is_operation(name)},
        "brakes": [brake._asdict() for brake in (*plan.brakes, *_without_point(plan, ends.target))],
        "decisions": {
            "conflicts": sum(1 for conflict in plan.conflicts if conflict.chosen != "source"),
            "ambiguities": sum(1 for _ in plan.ambiguities),
            "waiting": sum(1 for _ in plan.waiting),
        },
        "not_restored": {name: [count, why[name]] for name, count in plan.not_restored.items()},
    }


def _without_point(plan: Plan, target: Target) -> list[Brake]:
    """The brake of a plan that nothing takes back as a whole."""
    deleted = "" if can_be_made(target) else beyond_undo(plan)
    return [Brake(ACCEPT, no_way_back(deleted))] if deleted else []


def _why(target: Target, name: str) -> str:
    kind, _, limit = name.partition(".")
    return target.cannot(kind).get(limit, "")


def _tell_plan(report: Report, header: Mapping[str, Any]) -> None:
    report.changes = dict(header["counts"])
    report.brakes = [Brake(one["name"], one["why"]) for one in header["brakes"]]
    report.decisions = dict(header["decisions"])
    report.not_restored = {name: {"count": count, "why": why} for name, (count, why) in header["not_restored"].items()}


def apply_plan(asked: Asked, folder: Path, progress: Progress, means: Means, target: Target | None = None) -> Report:
    """Write the plan that lies in ``asked.run``, into the Stash it was made for (``target``, when it is open already),
    with the journal in ``folder``. Then plan again, and tell what is left. Raises Braked for a brake that is not
    accepted, or when the Stash is another by now; UsageError for a plan that was written before; StalePlan when what it
    makes might be there by now; Unreadable when the archive is another by now; Locked; and what ``writing.write``
    raises."""
    header = read_header(asked.run)
    plan, known = read_plan(asked.run)
    check_brakes(plan, asked.accept, f"apply {asked.name}")
    options = RestoreOptions.from_data(header["options"])
    archive = _same_archive(options, header)
    report = Report(what=f"apply {header['what']}", source=f"the plan {asked.run.name} of {options.archive}")
    _tell_plan(report, header)
    report.brakes = []
    with one_writer(folder.parent):
        _check_not_applied(asked.run)
        ends = _Ends(archive, target or opened(options, means, progress, report), scope_of(options, archive))
        check_same(header.get("instance"), ends.target, asked.accept, f"apply {asked.name}")
        check_not_stale(header, asked.run, folder, ends.target)
        check_room(folder, room_for_journal(asked.run))
        digests = Digests(named, target_digest(ends.target, known))
        facts: dict[str, Any] = {key: header[key] for key in ("what", "instance") if key in header}
        facts |= {"target": ends.target.reader.about().address, "plan": asked.run.name}
        facts["deed"] = f"restore of {restored(options.archive.name, header['what'])}"
        with told(asked.run):
            write_whole(asked.run / APPLIED, {"version": 1, "by": folder.name, "at": iso(means.now())})
        images = _Images(archive, folder)
        write(Work(plan, ends.target, folder, images.open, digests, facts), asked.accept, progress, means, report)
        report.skipped = with_names(asked.run, report.skipped)
        _plan_again(options, ends, folder, (progress, means, report))
    progress.close()
    return report


def _same_archive(options: RestoreOptions, header: Mapping[str, Any]) -> Archive:
    """The archive of a plan. Raises Unreadable when it is another by now."""
    archive = open_archive(options.archive)
    if archive.manifest_digest != header["archive_sha256"]:
        raise Unreadable(path=options.archive, reason="it was changed since the plan was made; restore again")
    return archive


def _check_not_applied(planned: Path) -> None:
    """A plan is only written once: what it makes would be made twice. Raises UsageError."""
    if by := applied_by(planned):
        why = f"the plan {planned.name} was applied before, by {by}"
        raise UsageError(f"{why}; restore again to see what is left to do")


class _Images:
    """Opens the images that a restore writes: of the archive, and kept ones."""

    def __init__(self, archive: Archive, folder: Path) -> None:
        self._archive, self._kept = archive, KeptImages(folder)

    def open(self, image: Blob | BlobRef) -> IO[bytes]:
        """Open an image."""
        return self._kept.open(image) if isinstance(image, BlobRef) else self._archive.open_blob(image)


def _plan_again(options: RestoreOptions, ends: _Ends, folder: Path, along: tuple[Progress, Means, Report]) -> None:
    """Plan from what is there now, and tell what is left. What this very run wrote must not be among it."""
    *_, report = along
    try:
        with _planned(options, ends, folder, (along[0], along[1], Report(""))) as (plan, _):
            left = list(islice(plan.changes, MOST_LEFT))
            counts = {name: count for name, count in plan.counts.items() if is_operation(name)}
    except PortabilityError as problem:
        report.remarks.append(f"all was written, but it could not be planned again to look at it: {problem}")
        return
    if not left:
        report.notes.append("planned again after writing: nothing is left to do")
        return
    told_ = ", ".join(f"{count:,} {name}" for name, count in counts.items())
    report.notes.append(f"planned again after writing: {told_} is left to do")
    lost = _written_before(folder, left)
    report.decisions["differ"] = report.decisions.get("differ", 0) + len(lost)
    report.skipped += [f"written, and not there: {one}" for one in lost]


def _written_before(folder: Path, left: list[Change]) -> list[str]:
    """Those changes that were written just now, by what the journal says."""
    open_ = {(change.kind, change.uid): set(change.after or {}) for change in left if change.op == "update"}
    lost: dict[str, None] = {}
    for entry in read_back(folder):
        fields = open_.get((entry.change.kind, entry.change.uid), set()) & set(entry.change.after or {})
        if entry.done and fields:
            lost[f"{entry.change.kind} {entry.change.uid}: {', '.join(sorted(fields))}"] = None
    return list(lost)
