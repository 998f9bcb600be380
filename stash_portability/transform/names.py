"""The records that columns look at through references (performers.name), read in advance a batch at a time.

What is kept is what privacy lets out, under the uid it is written with, so that no name reaches a sheet by a
side door.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import dropwhile
from typing import Any

from ..kinds import KINDS, Kind
from ..model import Record, Source, Transform, Want
from .paths import LABEL, LIST_STEPS, Column, Path, parse
from .scope import by_number
from .walk import label_fields, value

KEPT = 200_000
"""Records kept in memory before all are forgotten and read again: some tens of megabytes."""


@dataclass(frozen=True, slots=True)
class _Hop:
    """One step through a reference: where its uids are, the kind they name, and the hop after it."""

    uids: Path
    of: str
    next: _Hop | None


def hops(path: Path) -> _Hop | None:
    """The references ``path`` steps through, or None when it stays within its record."""
    kind = KINDS[path.kind]
    for count in range(1, len(path.steps)):
        prefix = parse(kind, ".".join(path.steps[:count]))
        if prefix.end.type == "ref":
            rest = _beyond(path.steps[count:])
            if not rest:
                return None
            inner = None if rest[0] in (LABEL, "id") else hops(parse(KINDS[prefix.end.of], ".".join(rest)))
            return _Hop(prefix, prefix.end.of, inner)
    return None


def fields_through(paths: Iterable[Path]) -> dict[str, frozenset[str]]:
    """The fields that must be read of each kind so that ``paths`` can be walked through references."""
    needed: dict[str, frozenset[str]] = {}
    for path in paths:
        _collect(KINDS[path.kind], path.steps, needed, outer=True)
    return needed


def _collect(kind: Kind, steps: Sequence[str], needed: dict[str, frozenset[str]], *, outer: bool) -> None:
    if not outer and steps[0] != "id":
        own = label_fields(kind.name) if steps[0] == LABEL else frozenset((steps[0],))
        needed[kind.name] = needed.get(kind.name, frozenset()) | own
    if steps[0] == LABEL:
        return
    for count in range(1, len(steps)):
        prefix = parse(kind, ".".join(steps[:count]))
        if prefix.end.type == "ref":
            if rest := _beyond(steps[count:]):
                _collect(KINDS[prefix.end.of], rest, needed, outer=False)
            return


def _beyond(steps: Sequence[str]) -> tuple[str, ...]:
    """``steps`` without those that choose of the list of references before them."""
    return tuple(dropwhile(lambda step: step in LIST_STEPS, steps))


class Lookup:
    """``Names`` over a source. ``prepare`` reads what the columns will ask of a batch; calling it gives the data."""

    def __init__(
        self, source: Source, columns: Mapping[str, Sequence[Column]], transform: Callable[[str], Transform]
    ) -> None:
        paths = {kind: [column.path for column in listed] for kind, listed in columns.items()}
        self._source = source
        self._transform = transform
        # Many paths lead through one reference, which need not be followed for each of them.
        self._hops = {
            kind: list(dict.fromkeys(hop for path in listed if (hop := hops(path)))) for kind, listed in paths.items()
        }
        self._fields = fields_through(path for listed in paths.values() for path in listed)
        self._raw: dict[tuple[str, str], Record] = {}
        self._shown: dict[tuple[str, str], Mapping[str, Any]] = {}

    def needed(self, kind: str) -> bool:
        """Whether records of ``kind`` have to be prepared at all."""
        return bool(self._hops.get(kind))

    def prepare(self, records: Sequence[Record]) -> None:
        """Read what the columns look at through the references of ``records`` (as they came from the source)."""
        if len(self._raw) > KEPT:
            self._raw.clear()
            self._shown.clear()
        for hop in self._hops[records[0].kind] if records else ():
            self._follow(hop, records)

    def __call__(self, kind: str, uid: str) -> Mapping[str, Any] | None:
        """The data of the record written as ``uid``, as far as the columns ask and privacy lets out."""
        return self._shown.get((kind, uid))

    def _follow(self, hop: _Hop, records: Iterable[Record]) -> None:
        uids = {uid for record in records for uid in _as_list(value(hop.uids, record, _nothing))}
        self._load(hop.of, [uid for uid in uids if (hop.of, uid) not in self._raw])
        if hop.next:
            self._follow(hop.next, [self._raw[hop.of, uid] for uid in uids if (hop.of, uid) in self._raw])

    def _load(self, kind: str, uids: list[str]) -> None:
        if not uids:
            return
        want = Want(self._fields.get(kind, frozenset()), sorted(uids, key=by_number))
        records = list(self._source.read(kind, want))
        self._raw.update(((kind, record.uid), record) for record in records)
        self._shown.update(((kind, shown.uid), shown.data) for shown in self._transform(kind)(records))


def _as_list(found: Any) -> list[str]:
    if isinstance(found, list):
        return [uid for uid in found if uid is not None]
    return [] if found is None else [found]


def _nothing(_kind: str, _uid: str) -> None:
    return None
