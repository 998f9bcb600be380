"""From a source to a sink: read what is taken, prune, redact, fetch image bytes, write. One pass, flat memory."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice

from ..errors import EXIT_UNREADABLE, PortabilityError, RecordError
from ..kinds import KINDS, PARTS_OF
from ..model import Blob, Progress, Record, Report, Sink, Source, Transform, Want
from .names import Lookup
from .scope import Selection, read_parts

BATCH = 500
"""Records between two looks at the clock, and at names that have to be read."""


@dataclass(frozen=True, slots=True)
class Pipeline:
    """One export at work. By kind, ``fields`` are those to read and ``counts`` how many records there are; ``clock``
    gives seconds."""

    source: Source
    selection: Selection
    transform: Callable[[str], Transform]
    lookup: Lookup
    fields: Mapping[str, frozenset[str]]
    counts: Mapping[str, int | None]
    blobs: bool
    progress: Progress
    report: Report
    clock: Callable[[], float]

    def run(self, sink: Sink, kinds: tuple[str, ...]) -> None:
        """Write every record that is taken of ``kinds`` into ``sink``."""
        self.selection.expect_owners(self.source)
        for kind in (kind for kind in KINDS if kind in kinds):
            ids = self.settle(kind)
            if ids is None or ids:
                self._write_kind(sink, kind, ids)
        self.report.references_left_out = self.selection.left_out

    def settle(self, kind: str) -> list[str] | None:
        """Settle which records of ``kind`` are taken: their ids, ascending, or None for all of them."""
        if kind in PARTS_OF:
            owners = self.selection.take_parts(kind)
            if owners is None:
                self.selection.add_all(kind)
            else:
                parts = read_parts(self.source, kind, owners, Want(frozenset((PARTS_OF[kind][1],))))
                self.selection.add_parts(kind, (record.uid for record in parts))
        self.selection.prepare(kind, self.source)
        return self.selection.ids(kind)

    def _write_kind(self, sink: Sink, kind: str, ids: list[str] | None) -> None:
        self.progress.phase(KINDS[kind].plural, self.counts.get(kind) if ids is None else len(ids))
        begun, skipped = self.clock(), len(self.report.skipped)
        read = written = 0
        stream = self.source.read(kind, Want(self.fields.get(kind), ids, self.blobs))
        for batch in batches(stream):
            read += len(batch)
            written += self.write(sink, kind, batch)
            self.progress.advance(len(batch))
        self.report.counts[kind] = written
        self.report.seconds[kind] = round(self.clock() - begun, 3)
        self.tell_missing(kind, ids, read + len(self.report.skipped) - skipped)

    def write(self, sink: Sink, kind: str, batch: list[Record]) -> int:
        """Write some records of ``kind`` as they came from the source; give how many records were written."""
        if self.lookup.needed(kind):
            self.lookup.prepare(batch)
        if not self.selection.holds_everything():
            batch = [self.selection.see(record) for record in batch]
        written, put = 0, sink.put
        for record in self.transform(kind)(batch):
            try:
                put(self._with_blobs(record, sink) if self.blobs else record)
                written += 1
            except RecordError as problem:
                self.report.skipped.append(str(problem))
        return written

    def _with_blobs(self, record: Record, sink: Sink) -> Record:
        """``record`` with its images in the sink, named by digest. An image that cannot be read is left out."""
        digests = {name: self._keep(value, sink) for name, value in record.data.items() if isinstance(value, Blob)}
        return record._replace(data={**record.data, **digests}) if digests else record

    def _keep(self, blob: Blob, sink: Sink) -> str | None:
        try:
            with self.source.open_blob(blob) as stream:
                return sink.put_blob(stream).sha256
        except PortabilityError as problem:
            if not isinstance(problem, RecordError) and problem.exit_code != EXIT_UNREADABLE:
                raise
            self.report.skipped.append(f"{blob.field} of {blob.kind} {blob.uid} is left out: {problem}")
            return None

    def tell_missing(self, kind: str, ids: list[str] | None, found: int) -> None:
        """Remark on those of ``ids`` that were not ``found``."""
        if ids is not None and found < len(ids):
            count = len(ids) - found
            self.report.remarks.append(f"{count:,} of the {KINDS[kind].plural} asked for or referred to do not exist")


def batches(stream: Iterable[Record]) -> Iterator[list[Record]]:
    """The records of ``stream``, some at a time."""
    rest = iter(stream)
    while batch := list(islice(rest, BATCH)):
        yield batch
