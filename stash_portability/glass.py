"""What a preview looks through: sinks that write as an export would, into memory, and are never left, so that what
would stand after the last record is missing.
"""

from __future__ import annotations

import hashlib
import io
import zlib
from dataclasses import dataclass, replace
from typing import IO, Any, Protocol, cast

from .config import ExportOptions
from .libraries.nfo.writer import Draft
from .libraries.tables.layout import Layout
from .libraries.tables.sink import TableSink
from .libraries.template.renderer import Limits
from .libraries.template.sink import TemplateSink
from .media import preview_media
from .model import BlobRef, Record
from .outputs import template_choices
from .storage.container import ZIP_LEVEL, Container, Member
from .transform.pipeline import Pipeline

SHOWN = 5
"""Records a preview shows."""


class Glass(Protocol):
    """Shows records. ``records`` is how many it has been given."""

    records: int

    def look(self, pipeline: Pipeline, kind: str, records: list[Record]) -> None:
        """Take the first records of ``kind`` as they came from the source. Raises as the export would."""
        ...

    def shown(self) -> str:
        """The text of the records that are shown, and what stands before them."""
        ...

    def size(self, *, zipped: bool) -> int:
        """Bytes of all records taken, and their images."""
        ...


def open_glass(options: ExportOptions, layout: Layout, pipeline: Pipeline, seconds: float) -> Glass:
    """What shows the records of an export. What a template makes of them may take ``seconds``."""
    if options.nfo:
        return _OfMedia(options)
    if options.template:
        limits = Limits(wall=seconds, start=seconds, cpu=int(seconds) + 1)
        choices = replace(template_choices(options, layout), limits=limits)
        shelf = _Shelf(options)
        return _OfTemplate(shelf, TemplateSink(cast("Container", shelf), options.template, choices, pipeline.lookup))
    return _OfTables(options, layout, pipeline)


class _File(io.BytesIO):
    """A member that stays when it is closed."""

    def close(self) -> None:
        """Nothing to end."""


MOST_HEADER_LINES, SHOWN_HEADER_LINES = 12, 4
"""Of the header of a template: a web page has its whole look there."""
HEADER_GOES_ON = "… ({} more lines of the header)\n"


class _Kept(io.BytesIO):
    """An image that waits to be adopted: as much of a path as is used of one."""

    def open(self, _mode: str) -> _Kept:
        """Read it from its beginning."""
        self.seek(0)
        return self

    def unlink(self) -> None:
        """Nothing to remove."""

    def close(self) -> None:
        """Nothing to end."""


class _Shelf:
    """Stands in for a container that is never committed: what is written stays in memory."""

    busy = False

    def __init__(self, options: ExportOptions) -> None:
        self.path, self.shape = options.to, options.shape
        self.members: dict[str, Member] = {}
        self.files: dict[str, _File] = {}
        self.images = 0

    def __enter__(self) -> _Shelf:
        return self

    def __exit__(self, *_: object) -> None:
        return None

    def open(self, member: str = "") -> IO[bytes]:
        """Where a member goes."""
        return self.files.setdefault(member, _File())

    def write(self, member: str, content: bytes) -> None:
        """Keep a small member."""
        self.open(member).write(content)
        self.members[member] = Member(len(content), "")

    def keep(self, stream: IO[bytes]) -> tuple[Any, Member]:
        """Keep an image until it is adopted."""
        content = stream.read()
        return _Kept(content), Member(len(content), hashlib.sha256(content).hexdigest())

    def adopt(self, _spare: Any, member: str, known: Member) -> None:
        """Count an image, and let it go."""
        self.members[member] = known
        self.images += known.bytes

    def size(self, *, zipped: bool) -> int:
        """Bytes of what was written."""
        contents = [file.getvalue() for file in self.files.values()]
        return self.images + sum(len(zlib.compress(one, ZIP_LEVEL) if zipped else one) for one in contents)


class _OfTables:
    """Shows what a TableSink writes."""

    def __init__(self, options: ExportOptions, layout: Layout, pipeline: Pipeline) -> None:
        self.records = 0
        self._shelf, self._end = _Shelf(options), 0
        self._sink = TableSink(cast("Container", self._shelf), options.form, layout, pipeline.lookup)
        self._file: IO[bytes] | None = None

    def __enter__(self) -> _OfTables:
        return self

    def __exit__(self, *_: object) -> None:
        return None

    def look(self, pipeline: Pipeline, kind: str, records: list[Record]) -> None:
        """Write records."""
        pipeline.write(self, kind, records)

    def put(self, record: Record) -> None:
        """Write one record."""
        self._sink.put(record)
        self.records += 1
        if self.records <= SHOWN:
            self._end = next(iter(self._shelf.files.values())).tell()

    def put_blob(self, stream: IO[bytes]) -> BlobRef:
        """Name an image by its digest, and let it go."""
        content = stream.read()
        self._shelf.images += len(content)
        return BlobRef(hashlib.sha256(content).hexdigest(), len(content))

    def shown(self) -> str:
        """The text of the records that are shown, and what stands before them."""
        written = b"".join(file.getvalue() for file in self._shelf.files.values())
        return written[: self._end].decode("utf-8-sig", "replace")

    def size(self, *, zipped: bool) -> int:
        """Bytes of the sample and its images."""
        return self._shelf.size(zipped=zipped)


@dataclass(slots=True)
class _OfTemplate:
    """Shows what a TemplateSink writes; where each record has a file of its own, these one after another."""

    _shelf: _Shelf
    _sink: TemplateSink
    records: int = 0
    _text: str = ""

    def __enter__(self) -> _OfTemplate:
        return self

    def __exit__(self, *_: object) -> None:
        return None

    def look(self, pipeline: Pipeline, kind: str, records: list[Record]) -> None:
        """Write records; those that are shown first, so that a mistake is told with one of these."""
        with self._sink:
            pipeline.write(self, kind, records[:SHOWN])
            self._sink.flush()
            self._text = self._written()
            pipeline.write(self, kind, records[SHOWN:])

    def put(self, record: Record) -> None:
        """Write one record."""
        self._sink.put(record)
        self.records += 1

    def put_blob(self, stream: IO[bytes]) -> BlobRef:
        """Keep a picture."""
        return self._sink.put_blob(stream)

    def _written(self) -> str:
        files = self._shelf.files
        texts = {name: file.getvalue().decode("utf-8", "replace") for name, file in files.items()}
        if len(texts) < 2:
            return _headless("".join(texts.values()), self._sink.headed)
        return "\n".join(f"# {name}\n{text}" for name, text in texts.items())

    def shown(self) -> str:
        """The text of the records that are shown, and what stands before them."""
        return self._text

    def size(self, *, zipped: bool) -> int:
        """Bytes of the sample and its images."""
        return self._shelf.size(zipped=zipped)


def _headless(text: str, headed: int) -> str:
    """``text`` without most of its header, when that is so long that no record could be seen for it."""
    lines = text[:headed].splitlines(keepends=True)
    if len(lines) <= MOST_HEADER_LINES:
        return text
    return "".join(lines[:SHOWN_HEADER_LINES]) + HEADER_GOES_ON.format(len(lines) - SHOWN_HEADER_LINES) + text[headed:]


class _OfMedia:
    """Shows NFO files, each after its place."""

    def __init__(self, options: ExportOptions) -> None:
        self.records = 0
        self._options = options
        self._drafts: list[Draft] = []
        self._rest: list[Draft] = []

    def look(self, pipeline: Pipeline, _kind: str, records: list[Record]) -> None:
        """Draft the NFO files of scenes."""
        self.records = len(records)
        self._drafts = preview_media(pipeline, self._options, records[:SHOWN])
        self._rest = preview_media(pipeline, self._options, records[SHOWN:])

    def shown(self) -> str:
        """The places and texts of those that are shown."""
        return "\n".join(f"# {draft.place}\n{draft.text}" for draft in self._drafts)

    def size(self, *, zipped: bool) -> int:  # noqa: ARG002 - these are never zipped
        """Bytes of the sample, without pictures."""
        return sum(len(draft.text.encode("utf-8", "replace")) for draft in (*self._drafts, *self._rest))
