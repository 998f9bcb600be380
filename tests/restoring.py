"""Restores in memory: the demo archive, a library that holds what it holds, and runs in folders."""

import itertools
import random
from datetime import datetime, timezone
from pathlib import Path

from stash_portability.kinds import KINDS
from stash_portability.libraries.archive import ArchiveSource
from stash_portability.libraries.memory import MemoryLibrary
from stash_portability.libraries.memory_write import MemoryWriter
from stash_portability.means import Means
from stash_portability.model import Record, Want
from stash_portability.planfile import Wanted, page
from stash_portability.progress import Quiet
from stash_portability.restore import apply_plan, plan_restore
from stash_portability.restore_options import RestoreOptions
from stash_portability.undoing import undo
from stash_portability.writing import Asked

from .reconcile.targets import memory_target

DEMO = Path(__file__).parent.parent / "examples" / "demo"
MEANS = Means(now=lambda: datetime(2026, 5, 1, 12, tzinfo=timezone.utc), rng=random.Random(7))


def library_of(path=DEMO, leave_out=()):
    """What an archive holds, in memory; without the records ``leave_out`` names as (kind, id)."""
    source = ArchiveSource(path)
    records, blobs = [], {}
    for kind in KINDS:
        for record in source.read(kind, Want(blobs=True)):
            data = dict(record.data)
            for name, value in data.items():
                if hasattr(value, "key"):
                    with source.open_blob(value) as stream:
                        blobs[value.key] = stream.read()
                    data[name] = value.key
            if (kind, record.uid) not in leave_out:
                records.append(Record(kind, record.uid, data))
    return MemoryLibrary(records, blobs)


class Bench:
    """A library that is restored into, and the folders of its runs."""

    writer_of_its_own = MemoryWriter

    def __init__(self, folder, library=None, writer=MemoryWriter):
        self.library = library or library_of()
        self.writer = writer
        self.runs = folder / "runs"
        self._numbers = itertools.count(1)

    @property
    def target(self):
        return memory_target(self.library, writer=self.writer)

    def folder(self, kind):
        found = self.runs / f"20260501T120000.{next(self._numbers):03}Z-{kind}-00000000"
        found.mkdir(parents=True)
        return found

    def plan(self, archive=DEMO, **options):
        folder = self.folder("restore")
        report = plan_restore(RestoreOptions(archive, "memory", **options), folder, Quiet(), MEANS, self.target)
        return folder, report

    def apply(self, planned, accept=()):
        folder = self.folder("apply")
        return folder, apply_plan(Asked(planned, accept), folder, Quiet(), MEANS, self.target)

    def restore(self, archive=DEMO, accept=(), **options):
        planned, _ = self.plan(archive, **options)
        return self.apply(planned, accept)

    def undo(self, done, accept=()):
        folder = self.folder("undo")
        return folder, undo(Asked(done, accept), folder, Quiet(), MEANS, self.target)

    def get(self, kind, uid):
        return next(iter(self.library.read(kind, Want(ids=[uid], blobs=True)))).data

    def named(self, kind, name):
        """The records of that name or title, by id."""
        field = KINDS[kind].label[0]
        return {one.uid: one.data for one in self.library.read(kind) if one.data.get(field) == name}

    def drop(self, kind, uid):
        """Delete a record as a Stash does, with what refers to it."""
        from stash_portability.model import Change

        (written,) = MemoryWriter(self.library).write([Change("delete", kind, uid, self.get(kind, uid), None)])
        assert written.error is None

    def everything(self):
        return {(one.kind, one.uid): one.data for kind in KINDS for one in self.library.read(kind, Want(blobs=True))}


def rows(folder, what="changes", kind="", op="", field=""):
    found, cursor = [], 0
    while cursor is not None:
        some, cursor = page(folder, what, Wanted(kind, op, field), cursor, 3)
        found += some
    return found


def breaking_off(at, error):
    """A writer that raises ``error`` at its n-th change."""

    class Breaking:
        def __init__(self, library, open_image):
            self._inner, self._count = MemoryWriter(library, open_image), 0

        def write(self, changes):
            written = []
            for change in changes:
                self._count += 1
                if self._count == at:
                    raise error
                written += self._inner.write([change])
            return written

    return Breaking
