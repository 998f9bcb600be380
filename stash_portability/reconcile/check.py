"""Compare and set: whether records of the target are still what a plan saw, and whether they became what it said."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, Literal

from ..kinds import KINDS
from ..model import Change, Data, Source, Want
from .coding import Digest, Digests, pack
from .merge import same
from .rules import TWO_ENDS, blob_fields

State = Literal["as planned", "already", "moved", "gone"]


def current(reader: Source, kind: str, uids: Iterable[str], fields: Iterable[str]) -> dict[str, Data]:
    """These records of the target as they are, images as they come."""
    names = frozenset(fields)
    want = Want(names, sorted(set(uids)), blobs=not names.isdisjoint(blob_fields(kind)))
    return {record.uid: record.data for record in reader.read(kind, want)}


def fields_of(changes: Sequence[Change]) -> set[str]:
    """The fields that tell about ``changes``, all of one kind and op."""
    return {name for change in changes for data in change[3:] for name in data or ()}


def shown_of(reader: Source, kind: str) -> set[str]:
    """The fields of ``kind`` that ``reader`` shows a value of when none is set."""
    return {name for of, name in getattr(reader, "shown", ()) if of == kind}


def states(reader: Source, changes: Sequence[Change], digests: Digests) -> list[State]:
    """What each record that is to be updated is like."""
    kind = changes[0].kind
    found = current(reader, kind, (change.uid for change in changes), fields_of(changes))
    shown = shown_of(reader, kind)
    return [_state(change, found.get(change.uid), digests, shown) for change in changes]


def _state(change: Change, now: Data | None, digests: Digests, shown: Collection[str]) -> State:
    """What a field of ``shown`` had before, when that was nothing, cannot be told; to set it once more does no harm."""
    if now is None:
        return "gone"
    before, after = change.before or {}, change.after or {}
    unsure = {name for name in after if name in shown and before.get(name) is None}
    if not unsure and not differing(change.kind, after, now, digests):
        return "already"
    names = set(before) - set(TWO_ENDS.get(change.kind, ())) - unsure
    return "moved" if _moved(change, now, digests.target, names) else "as planned"


def _moved(change: Change, now: Data, digest: Digest, names: set[str]) -> bool:
    before = {name: value for name, value in (change.before or {}).items() if name in names}
    return bool(differing(change.kind, before, now, Digests(digest, digest)))


def differing(kind: str, wanted: Data, now: Data, digests: Digests) -> tuple[str, ...]:
    """The fields in which ``now`` is not what is ``wanted``. Of a field that ``now`` does not know, anything is too
    much to want."""
    images = blob_fields(kind)
    if any(wanted.get(name) is not None for name in images):
        wanted, now = pack(kind, wanted, digests.source), pack(kind, now, digests.target)
    return tuple(
        field.name
        for field in KINDS[kind].fields
        if field.name in wanted and not _as_wanted(field, wanted[field.name], now)
    )


def _as_wanted(field: Any, value: Any, now: Mapping[str, Any]) -> bool:
    if field.name not in now:
        return value in (None, [], {})
    return same(field, value, now[field.name])
