"""Taking a run back: its journal, the other way round, as a plan. What somebody changed since is left alone, because it
is written like any other plan; what only a scan makes is told.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from ..model import Brake, Change, Data, Plan, Waiting
from .journal import Entry, read_back
from .resolve import Resolver
from .rules import LINKS, only_a_scan_makes, written
from .tally import Tally


def undo_plan(folder: Path, begun: Sequence[Path] = ()) -> Plan:
    """The plan that takes back what the run in ``folder`` wrote. ``begun``: the folders of runs that began to do that
    and did not end; what they made again is not made twice. A create whose outcome is not known cannot be taken back,
    because its id is not known either: a brake, ``unknown-creates``. Raises Unreadable."""
    known, halves, unknown = _learn(begun)
    entries, tally = _Inverses(folder, known, halves), Tally()
    for entry in read_back(folder):
        unknown += entry.dark and entry.change.op == "create"
    for one in entries:
        if not _why_not(one) and not entries.is_made(one):
            tally.note(one.kind, one.uid, one.op)
    why = f"of {unknown} records the run did not learn whether they were made; they may stay"
    brakes = (Brake("unknown-creates", why),) if unknown else ()
    return Plan(_Changes(entries), (), (), _Waiting(entries), tally.counts(), brakes)


def _learn(begun: Sequence[Path]) -> tuple[Resolver, list[Change], int]:
    """What has become of the records that these runs made again; what takes away those that were only half made, to be
    made once more; and of how many it is not known."""
    known, unknown = Resolver(), 0
    halves: list[Change] = []
    for folder in begun:
        for entry in read_back(folder):
            if entry.change.op == "create":
                unknown += entry.dark
                if entry.written is None or not entry.written.uid or not entry.name:
                    continue
                if entry.done:
                    known.learn(entry.change.kind, entry.name, entry.written.uid)
                else:
                    halves.append(Change("delete", entry.change.kind, entry.written.uid, None, None))
    return known, halves, unknown


@dataclass(frozen=True, slots=True)
class _Inverses:
    """What takes the run in ``folder`` back, the last first. ``known``: what was made again already; ``halves``: what
    takes away what was only half made."""

    folder: Path
    known: Resolver
    halves: Sequence[Change] = ()

    def __iter__(self) -> Iterator[Change]:
        for entry in read_back(self.folder):
            for one in _inverse(entry):
                yield self.known.renamed(one)

    def is_made(self, one: Change) -> bool:
        """Whether it is a record that was made again already."""
        return one.op == "create" and self.known.knows(one.kind, one.uid)


@dataclass(frozen=True, slots=True)
class _Changes:
    """The inverse changes, the last first; the links of what is made anew come when all of it is there, and chapters
    when the images they count are back in their gallery."""

    inverses: _Inverses

    def __iter__(self) -> Iterator[Change]:
        yield from self.inverses.halves
        found = (one for one in self.inverses if not _is_late(one) and not self.inverses.is_made(one))
        yield from (_without_links(one) if one.op == "create" else one for one in found)
        for one in self._made():
            if links := _links(one):
                nothing: Data = {name: [] if isinstance(value, list) else None for name, value in links.items()}
                yield self.inverses.known.renamed(Change("update", one.kind, one.uid, nothing, links))
        yield from (one for one in self._made() if one.kind in _LAST and not self.inverses.is_made(one))

    def _made(self) -> Iterator[Change]:
        return (one for one in self.inverses if one.op == "create" and not _why_not(one))


_LAST = ("chapter",)


def _is_late(one: Change) -> bool:
    return bool(_why_not(one)) or (one.op == "create" and one.kind in _LAST)


@dataclass(frozen=True, slots=True)
class _Waiting:
    """What was deleted and only a scan makes again."""

    inverses: _Inverses

    def __iter__(self) -> Iterator[Waiting]:
        for one in self.inverses:
            if why := _why_not(one):
                yield Waiting(one.kind, one.uid, why)


def _inverse(entry: Entry) -> Iterator[Change]:
    """What takes an entry back; nothing for what was not written. Of an update or a delete that ended in the dark, what
    is there now tells whether it was written: it is compared as always, of an update each field for itself, because
    some may have been written before the answer was lost, or could not be written. What could not be written of a new
    record is not expected to be there."""
    change, came = entry.change, entry.written
    if change.op == "create":
        if came is not None and came.uid:
            made = {name: value for name, value in (change.after or {}).items() if name not in entry.left_out}
            yield Change("delete", change.kind, came.uid, made if entry.done else None, None)
        return
    if not entry.done and not entry.dark:
        return
    if change.op == "delete":
        # All but what only a scan, or Stash itself, makes; that is told by _why_not, from the files.
        names = {field.name for field in written(change.kind)} | {"files", "folder"}
        whole = {name: value for name, value in (change.before or {}).items() if name in names}
        yield Change("create", change.kind, change.uid, None, whole)
    elif entry.dark or entry.left_out:
        before, after = change.before or {}, change.after or {}
        for name in after:
            yield Change("update", change.kind, change.uid, {name: after[name]}, {name: before[name]})
    else:
        yield Change("update", change.kind, change.uid, change.after, change.before)


def _why_not(change: Change) -> str:
    return only_a_scan_makes(change.kind, change.after or {}) if change.op == "create" else ""


def _links(change: Change) -> dict[str, object]:
    after = change.after or {}
    return {name: after[name] for name in LINKS.get(change.kind, ()) if after.get(name) not in (None, [])}


def _without_links(change: Change) -> Change:
    nothing: Data = {name: [] if isinstance(value, list) else None for name, value in _links(change).items()}
    return change._replace(after={**(change.after or {}), **nothing})
