"""Plans and runs over libraries in memory, and a target that breaks off at a write."""

import tempfile
from contextlib import contextmanager
from pathlib import Path

from stash_portability.libraries.memory_write import MemoryWriter
from stash_portability.model import Policy, Want
from stash_portability.reconcile.apply import Ends, apply
from stash_portability.reconcile.journal import Journal
from stash_portability.reconcile.plan import Task, make_plan
from stash_portability.reconcile.workset import Standing, Workset

EVERY_OP = frozenset(("create", "update", "delete"))
ALL_BRAKES = ("source-empty", "target-empty", "many-deletes", "many-conflicts", "unknown-creates")
MERGE = Policy()
FROM_SOURCE = Policy(prefer={"": "source"})
REPLACE = Policy(base="target", allow=EVERY_OP)
STATE = Policy(base="state", prefer={"": "source"}, allow=EVERY_OP)


def now():
    return "2024-05-01T00:00:00Z"


@contextmanager
def planned(source, target, policy, agreed=(), task=None, brought=()):
    with tempfile.TemporaryDirectory() as folder, Workset(Path(folder) / "work.sqlite") as workset:
        for side, library in (("source", source), ("target", target)):
            workset.fill_from(side, library, Want(blobs=True))
        workset.fill("source", brought, standing=Standing.BROUGHT)
        workset.remember(agreed)
        yield make_plan(workset, policy, task or Task("restore replace"))


def changes(source, target, policy, agreed=(), task=None):
    with planned(source, target, policy, agreed, task) as plan:
        return list(plan.changes)


def write(plan, target, folder, writer=None, accept=ALL_BRAKES):
    ends = Ends(target, writer or MemoryWriter(target))
    with Journal(folder, now) as journal:
        return apply(plan, ends, journal, accept)


def run(source, target, policy, agreed=(), writer=None):
    """Plan and apply; give what came of it."""
    with tempfile.TemporaryDirectory() as folder, planned(source, target, policy, agreed) as plan:
        return write(plan, target, Path(folder), writer)


class BreaksOff(Exception):
    pass


class Breaking:
    """A writer that breaks off before or after its n-th change."""

    def __init__(self, library, at=None, after=False):
        self._inner, self._at, self._after, self.writes = MemoryWriter(library), at, after, 0

    def write(self, changes):
        return [one for change in changes for one in self._one(change)]

    def _one(self, change):
        self.writes += 1
        if self.writes == self._at and not self._after:
            raise BreaksOff
        written = self._inner.write([change])
        if self.writes == self._at:
            raise BreaksOff
        return written
