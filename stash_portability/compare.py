"""How two libraries differ, record by record and field by field. Both are read once, side by side, in ascending order
of id, so that memory stays flat however many records they hold. Records are the same by kind and id: this compares
one library at two times, and does not look for the same scene under another id.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from .errors import Unreadable, one_line
from .kinds import KINDS
from .libraries.archive_lists import NAMED
from .listing import label
from .model import About, Blob, Progress, Record, Source, Want
from .transform.scope import by_number

_BUFFER = 1 << 18
ARCHIVE = "archive"
ONLY_FIRST, ONLY_SECOND, CHANGED, EQUAL = "only in the first", "only in the second", "different", "equal"


@dataclass(frozen=True, slots=True)
class Difference:
    """A record that one of two libraries has alone, or that is different in both: then ``fields`` are the values of
    the fields that differ, first and second. Images are told by their SHA-256."""

    kind: str
    uid: str
    label: str
    what: str
    fields: Mapping[str, tuple[Any, Any]] = field(default_factory=dict)

    def as_data(self) -> dict[str, Any]:
        """The difference as a JSON-ready mapping."""
        fields = {name: {"first": first, "second": second} for name, (first, second) in self.fields.items()}
        return {"kind": self.kind, "id": self.uid, "label": self.label, "what": self.what, "fields": fields}

    def as_text(self) -> str:
        """The difference in one line for people."""
        called = f" {one_line(self.label)!r}" if self.label else ""
        fields = f": {', '.join(self.fields)}" if self.fields else ""
        return f"{self.kind} {one_line(self.uid)}{called} is {self.what}{fields}"


@dataclass(slots=True)
class Tally:
    """What a comparison counted: by kind how many records were equal, different, or on one side only; and what could
    not be compared."""

    counts: dict[str, dict[str, int]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def add(self, kind: str, what: str) -> None:
        """Count one more record of ``kind`` as ``what``."""
        counts = self.counts.setdefault(kind, {})
        counts[what] = counts.get(what, 0) + 1

    @property
    def equal(self) -> bool:
        """Whether nothing differed."""
        return all(set(counts) <= {EQUAL} for counts in self.counts.values())

    def as_text(self) -> str:
        """The counts and notes in lines for people."""
        lines = []
        for kind, counts in self.counts.items():
            told = ", ".join(f"{count:,} {what}" for what, count in counts.items())
            lines.append(f"{KINDS[kind].plural.replace('_', ' ')}: {told}")
        return "\n".join([*lines, *(f"note: {note}" for note in self.notes)])


class Comparison:
    """Compares ``first`` with ``second``; ``images``: also the bytes of covers, portraits and logos."""

    def __init__(self, first: Source, second: Source, images: bool, progress: Progress) -> None:
        self._sources, self._abouts, self._progress = (first, second), (first.about(), second.about()), progress
        # An archive names each image by its digest, so that two of them need not read one.
        self._images = images or all(about.product == ARCHIVE for about in self._abouts)
        self.tally = Tally()

    def run(self) -> Iterator[Difference]:
        """Stream the differences, kind by kind. Raises Unreadable when a library is damaged, or not in order."""
        for kind in KINDS:
            fields = self._shared(kind, self._abouts)
            if fields is not None:
                self._progress.phase(KINDS[kind].plural, self._abouts[0].counts.get(kind))
                yield from self._kind(kind, Want(fields, blobs=self._images))
        if not self._images:
            self.tally.notes.append("images were not compared; --images does that")
        self._progress.close()

    def _shared(self, kind: str, abouts: tuple[About, About]) -> frozenset[str] | None:
        """The fields of ``kind`` both sides can give; None when neither has any."""
        sides = [self._given(kind, about) for about in abouts]
        if not any(sides):
            return None
        for side, other, about in zip(sides, reversed(sides), reversed(abouts), strict=True):
            lacking = sorted(side - other) if other else []
            if lacking:
                self.tally.notes.append(f"{kind}: not in {about.address}, so not compared: {', '.join(lacking)}")
        return frozenset(sides[0] & sides[1] if all(sides) else sides[0] | sides[1])

    def _given(self, kind: str, about: About) -> set[str]:
        blobs = {one.name for one in KINDS[kind].fields if one.type == "blob"}
        return {name for name in about.fields.get(kind, ()) if self._images or name not in blobs}

    def _kind(self, kind: str, want: Want) -> Iterator[Difference]:
        both = zip(self._sources, self._abouts, strict=True)
        streams = [_Side(source.read(kind, want), kind, about.address) for source, about in both]
        while any(side.record is not None for side in streams):
            first, second = (side.record for side in streams)
            ahead = -1 if second is None else 1 if first is None else _order(first, second)
            what, found = self._step(first if ahead <= 0 else None, second if ahead >= 0 else None)
            self.tally.add(kind, what)
            if found is not None:
                yield found
            for side, steps in zip(streams, (ahead <= 0, ahead >= 0), strict=True):
                if steps:
                    side.step()
            self._progress.advance(1)

    def _step(self, first: Record | None, second: Record | None) -> tuple[str, Difference | None]:
        one = first or second
        assert one is not None  # noqa: S101 - one of the two is there
        what = CHANGED if first and second else ONLY_FIRST if first else ONLY_SECOND
        if not (first and second):
            return what, Difference(one.kind, one.uid, label(one), what)
        fields = {name: (before, after) for name, before, after in self._values(first, second) if before != after}
        return (what, Difference(one.kind, one.uid, label(second), what, fields)) if fields else (EQUAL, None)

    def _values(self, first: Record, second: Record) -> Iterator[tuple[str, Any, Any]]:
        """The fields of two records side by side. One that is missing was not known; it counts as empty."""
        for name in dict.fromkeys((*first.data, *second.data)):
            before, after = first.data.get(name), second.data.get(name)
            yield name, self._plain(0, before), self._plain(1, after)

    def _plain(self, side: int, value: Any) -> Any:
        """A value as it can be compared: an image by its digest."""
        if not isinstance(value, Blob):
            return value
        source = self._sources[side]
        return value.key if self._abouts[side].product == ARCHIVE else _digest(source.open_blob, value)


def _digest(open_blob: Callable[[Blob], Any], blob: Blob) -> str:
    digest = hashlib.sha256()
    with open_blob(blob) as stream:
        while chunk := stream.read(_BUFFER):
            digest.update(chunk)
    return digest.hexdigest()


def _order(first: Record, second: Record) -> int:
    before, after = by_number(first.uid), by_number(second.uid)
    return (before > after) - (before < after)


class _Side:
    """The records of one library, one at a time; ``record`` is the one at hand, None at the end."""

    def __init__(self, records: Iterator[Record], kind: str, address: str) -> None:
        named = kind in NAMED
        self._records = iter(sorted(records, key=lambda record: by_number(record.uid))) if named else records
        self._address = address
        self.record: Record | None = None
        self.step()

    def step(self) -> None:
        """Go to the next record. Raises Unreadable when it does not come after the one before."""
        before, self.record = self.record, next(self._records, None)
        if before is not None and self.record is not None and _order(before, self.record) >= 0:
            reason = f"the {before.kind} {self.record.uid} comes twice, or after a later one, so it cannot be compared"
            raise Unreadable(path=self._address, reason=reason)
