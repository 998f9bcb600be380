"""Taking a run back: what it wrote, the other way round, as a plan of its own, written like any other. What somebody
changed since is left alone and told; and a run that took one back can be taken back itself.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO, Any

from .errors import RecordError, Unreadable, UsageError
from .identity import check_same
from .kinds import KINDS
from .libraries.opening import Opening
from .means import Means
from .model import Blob, BlobRef, Change, Data, Plan, Progress, Report, Want
from .reconcile.coding import Digest, Digests
from .reconcile.images import KeptImages
from .reconcile.possible import Possible
from .reconcile.rules import blob_fields, written
from .reconcile.undo import undo_plan
from .runs import told
from .target import Target, open_target
from .traces import UNDONE, WRITTEN, began_to_undo, deed, has_written, note_undo, undone_by
from .wholefile import write_whole
from .writing import Asked, Work, check_brakes, is_operation, one_writer, target_digest, write


def written_by(done: Path) -> dict[str, Any]:
    """What the run in the folder ``done`` was, and where it wrote. Raises UsageError for one that wrote nothing,
    Unreadable."""
    try:
        said = json.loads((done / WRITTEN).read_text("utf-8"))
    except FileNotFoundError as error:
        raise UsageError(f"the run {done.name} wrote nothing into a Stash, so there is nothing to take back") from error
    except (OSError, ValueError) as error:
        raise Unreadable(path=done / WRITTEN, reason="it is damaged") from error
    if not isinstance(said, dict) or not has_written(done):
        raise UsageError(f"the run {done.name} ended before it wrote anything, so there is nothing to take back")
    return said


def undo_preview(done: Path) -> Report:
    """What taking the run in ``done`` back would change. Raises as ``written_by``."""
    said, plan = written_by(done), undo_plan(done, began_to_undo(done))
    report = Report(what="undo (preview)", source=_source(done), how=f"into {said['target']}")
    report.changes = {name: count for name, count in plan.counts.items() if is_operation(name)}
    report.brakes = list(plan.brakes)
    report.decisions = {"waiting": sum(1 for _ in plan.waiting)}
    return report


def undo(asked: Asked, folder: Path, progress: Progress, means: Means, target: Target | None = None) -> Report:
    """Take back what the run in ``asked.run`` wrote into a Stash (``target``, when it is open already), with a journal
    in ``folder``. Raises as ``written_by``; Braked, Locked, and what ``writing.write`` raises."""
    done = asked.run
    said, plan = written_by(done), undo_plan(done, began_to_undo(done))
    check_brakes(plan, asked.accept, f"undo {asked.name}")
    report = Report(what="undo", source=_source(done))
    report.decisions = {"waiting": _tell_waiting(plan, report)}
    with one_writer(folder.parent):
        if by := undone_by(done):  # what it deleted would be made twice
            raise UsageError(f"the run {done.name} was taken back by {by}; undo {by} takes that back")
        target = target or open_target(said["target"], Opening("", means.rng, progress.note, _into(report)))
        check_same(said.get("instance"), target, asked.accept, f"undo {asked.name}")
        digest = target_digest(target, lambda _: None)
        possible = Possible({kind: target.cannot(kind) for kind in KINDS}, clears=True)
        plan = replace(plan, changes=_Fitted(plan.changes, target, digest, possible), brakes=())
        kept: dict[str, Any] = {key: said[key] for key in ("instance",) if key in said}
        kept["target"] = target.reader.about().address
        facts = {"what": "undo", "undone": done.name, "deed": f"undo of {deed(done)}", **kept}
        work = Work(plan, target, folder, _kept(done), Digests(digest, digest), facts)
        with told(done):
            write_whole(done / UNDONE, note_undo(done, folder.name, ended=False))
        write(work, asked.accept, progress, means, report)
        with told(done):
            write_whole(done / UNDONE, note_undo(done, folder.name, ended=True))
    for name, count in sorted(possible.lost.items()):
        kind, _, limit = name.partition(".")
        report.not_restored[name] = {"count": count, "why": target.cannot(kind).get(limit, "")}
    progress.close()
    return report


def _source(done: Path) -> str:
    return f"the journal of {done.name}" + (f" ({deed(done)})" if deed(done) != done.name else "")


def _into(report: Report) -> Callable[[RecordError], None]:
    return lambda problem: report.skipped.append(str(problem))


def _tell_waiting(plan: Plan, report: Report) -> int:
    count = 0
    for count, one in enumerate(plan.waiting, 1):  # noqa: B007 - how many there are
        report.because(f"not made again: {one.why}", f"{one.kind} {one.uid}")
    return count


def _kept(done: Path) -> Callable[[Blob | BlobRef], IO[bytes]]:
    images = KeptImages(done)

    def opening(image: Blob | BlobRef) -> IO[bytes]:
        if isinstance(image, Blob):
            raise UsageError("the image was not kept")
        return images.open(image)

    return opening


@dataclass(frozen=True, slots=True)
class _Fitted:
    """Changes as the target takes them. What is made again holds what it can be given. Images of before, which a
    journal has by digest only, are those of the target where they are the same: so the journal of this run keeps
    them."""

    changes: Iterable[Change]
    target: Target
    digest: Digest
    possible: Possible

    def __iter__(self) -> Iterator[Change]:
        for change in self.changes:
            names = [name for name in blob_fields(change.kind) if isinstance((change.before or {}).get(name), BlobRef)]
            if change.op == "create":
                yield self._narrowed(change)
            else:
                yield self._found(change, names) if names else change

    def _narrowed(self, change: Change) -> Change:
        known = {field.name for field in written(change.kind)}
        after = self.possible.narrow(change.kind, change.after or {}, None)
        return change._replace(after={name: value for name, value in after.items() if name in known})

    def _found(self, change: Change, names: list[str]) -> Change:
        want = Want(frozenset(names), (change.uid,), blobs=True)
        record = next(iter(self.target.reader.read(change.kind, want)), None)
        before: dict[str, Any] = dict(change.before or {})
        data: Data = record.data if record else {}
        for name in names:
            now = data.get(name)
            if isinstance(now, Blob) and self.digest(now) == before[name].sha256:
                before[name] = now
        return change._replace(before=before)
