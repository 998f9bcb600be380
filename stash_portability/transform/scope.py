"""Which records an export takes, and that none of them refers to a record it does not take.

``Selection`` is fed the records in the order they are written (kinds.py puts each kind before those it refers
to), so that one pass over the library is enough: what a record refers to is noted for the kinds that follow, and
a reference to what will not be there is left out and counted.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..kinds import KINDS, PARTS_OF, references
from ..model import EVERYTHING, Record, Source, Want

CLOSURES: dict[str, str] = {
    "none": "only the records asked for",
    "direct": "also what they refer to themselves, and their markers and chapters",
    "full": "also what those refer to, and so on: tags with their ancestors, studios with their parents",
}

Roots = Mapping[str, Sequence[str] | None]
"""The records asked for: kind → ids, or None for all of them."""


Written = Mapping[str, frozenset[str]]
"""The fields whose references are written, by kind; a kind that is not in it writes all of its references."""


@dataclass(frozen=True, slots=True)
class _Reference:
    name: str
    part: str
    of: str
    pulls: bool


class Selection:
    """What is taken of each kind. ``written``: the fields by kind whose references are written, where that is not
    all of them; ``shaped``: the kinds of which only some columns are written, and so no parts are brought."""

    def __init__(
        self, closure: str, roots: Roots, written: Written | None = None, shaped: frozenset[str] = frozenset()
    ) -> None:
        self.left_out = 0
        self._closure = closure
        self._shaped = shaped
        self._all = {kind for kind, ids in roots.items() if ids is None}
        self._roots = {kind: set(ids or ()) for kind, ids in roots.items()}
        self._known: dict[str, set[str]] = {kind: set(self._roots.get(kind, ())) for kind in KINDS}
        self._done: set[str] = set()
        self._references = {kind: _references(kind, written or {}) for kind in KINDS}

    def ids(self, kind: str) -> list[str] | None:
        """The ids of ``kind`` to read, in ascending order; None for all of them."""
        return None if kind in self._all else sorted(self._known[kind], key=by_number)

    def prepare(self, kind: str, source: Source) -> None:
        """Get ready to write ``kind``: after this its ids are settled."""
        self._own_kind(kind, source)
        self._done.add(kind)

    def expect_owners(self, source: Source) -> None:
        """Note the owners of the parts that were asked for, since owners are written before their parts."""
        for kind, (owner, name) in PARTS_OF.items():
            ids = self.ids(kind) if kind in self._all else sorted(self._roots.get(kind, ()), key=by_number)
            named = any(reference.name == name for reference in self._references[kind])
            if ids == [] or not named or self._closure == "none" or owner in self._all:
                continue
            found = source.read(kind, Want(frozenset((name,)), ids))
            self._known[owner] |= {uid for record in found if (uid := record.data.get(name))}

    def take_parts(self, kind: str) -> Sequence[str] | None:
        """The owners all of whose parts of ``kind`` are brought: ids, or None for every owner."""
        owner, _ = PARTS_OF[kind]
        if self._closure == "none" or owner in self._shaped:
            return ()
        if owner in self._all:
            return None
        return sorted(self._roots.get(owner, ()) if self._closure == "direct" else self._known[owner], key=by_number)

    def add_parts(self, kind: str, uids: Iterable[str]) -> None:
        """Take the parts ``uids`` of ``kind`` (None owners were asked for: all)."""
        self._known[kind].update(uids)

    def add_all(self, kind: str) -> None:
        """Take every record of ``kind``."""
        self._all.add(kind)

    def holds_everything(self) -> bool:
        """Whether nothing has to be looked at, because every kind that can be referred to is taken whole."""
        return all(reference.of in self._all for found in self._references.values() for reference in found)

    def see(self, record: Record) -> Record:
        """Note what ``record`` refers to, and give it without the references to what is not taken."""
        may_pull, get = self._may_pull(record), record.data.get
        changed: dict[str, Any] = {}
        for reference in self._references[record.kind]:
            value = get(reference.name)
            if not value or reference.of in self._all:
                continue
            if may_pull and reference.pulls and reference.of not in self._done:
                self._known[reference.of].update(_named(reference.part, value))
                continue
            kept = self._keep(reference, value)
            if kept != value:
                changed[reference.name] = kept
        return record._replace(data={**record.data, **changed}) if changed else record

    def _may_pull(self, record: Record) -> bool:
        if self._closure != "direct":
            return self._closure == "full"
        if record.kind in self._all or record.uid in self._roots.get(record.kind, ()):
            return True
        return record.kind in PARTS_OF

    def _keep(self, reference: _Reference, value: Any) -> Any:
        """What of ``value`` refers to records that are taken; the rest is counted."""
        known, part = self._known[reference.of], reference.part
        if not isinstance(value, list):
            self.left_out += value not in known
            return value if value in known else None
        kept = [entry for entry in value if (entry[part] if part else entry) in known]
        self.left_out += len(value) - len(kept)
        return kept

    def _own_kind(self, kind: str, source: Source) -> None:
        """Follow the references of ``kind`` to itself (parents, containing groups): to the end for a full
        closure, one step from the records asked for in a direct one."""
        own = [ref for ref in self._references[kind] if ref.of == kind and ref.pulls]
        if not own or kind in self._all or self._closure == "none":
            return
        frontier = set(self._known[kind] if self._closure == "full" else self._roots.get(kind, ()))
        fields = frozenset(ref.name for ref in own)
        while frontier:
            want = Want(fields, sorted(frontier, key=by_number))
            found = {uid for record in source.read(kind, want) for ref in own for uid in uids_of(ref, record)}
            frontier = found - self._known[kind]
            self._known[kind] |= found
            if self._closure == "direct":
                return


def uids_of(reference: _Reference, record: Record) -> list[str]:
    """The uids that one reference field of ``record`` names."""
    return _named(reference.part, record.data.get(reference.name) or [])


def _named(part: str, value: Any) -> list[str]:
    if not isinstance(value, list):
        return [value]
    return [entry[part] for entry in value] if part else value


def reach(roots: Iterable[str], closure: str, written: Written, shaped: frozenset[str]) -> frozenset[str]:
    """The kinds an export of ``roots`` may hold records of: what can be referred to, and parts."""
    found: set[str] = set()
    waiting = set(roots)
    while waiting:
        found |= waiting
        named = {ref.of for kind in waiting for ref in _references(kind, written) if ref.pulls}
        parts = {part for part, (owner, _) in PARTS_OF.items() if owner in waiting - shaped}
        waiting = (named | parts) - found if closure != "none" else set()
    return frozenset(found)


def referred(kind: str, written: Written) -> frozenset[str]:
    """The kinds that written references of ``kind`` name."""
    return frozenset(reference.of for reference in _references(kind, written))


def _references(kind: str, written: Written) -> list[_Reference]:
    """The references of ``kind`` that are written."""
    fields = written.get(kind)
    return [
        _Reference(field.name, part.name if part else "", (part or field).of, field.pulls)
        for field, part in references(KINDS[kind])
        if fields is None or field.name in fields
    ]


def read_parts(source: Source, kind: str, owners: Sequence[str], want: Want = EVERYTHING) -> Iterator[Record]:
    """The records of ``kind`` that belong to ``owners``: by the source's own way when it has one, else by looking
    through all of the kind."""
    if not owners:
        return
    own_way = getattr(source, "read_parts", None)
    if own_way is not None:
        yield from own_way(kind, owners, want)
        return
    _, name = PARTS_OF[kind]
    wanted = set(owners)
    yield from (record for record in source.read(kind, want) if record.data.get(name) in wanted)


def by_number(uid: str) -> tuple[int, str]:
    """Sort key for uids: numbers by value, then other texts."""
    return (int(uid), "") if uid.isdecimal() and uid.isascii() and len(uid) < _DIGITS else (1 << 63, uid)


_DIGITS = 19
"""More than any id of a database has; Python refuses to read numbers of thousands of digits."""
