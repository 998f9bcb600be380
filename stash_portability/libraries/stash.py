"""A running Stash as a library that is read: records, images, searches, all through its GraphQL.

Queries are built from kinds.py and cut to what this server has (schema.py); pages are stash_pages.py's, the form
of values stash_shape.py's. Nothing here writes.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property
from pathlib import PurePosixPath, PureWindowsPath
from typing import IO, Any

from ..errors import BadFilter, RecordError, StashSaidNo, Unreachable, Unreadable, UsageError
from ..kinds import CONFIG_GROUPS, KINDS, PARTS_OF, SAVED_FILTER, Kind
from ..model import EVERYTHING, About, Blob, Record, Want
from . import savedfilter, schema, stash_config
from .canonical import real_ids
from .connection import Connection, connect
from .stash_changes import changed_ids, moment
from .stash_pages import Pager, Search, ahead
from .stash_referrers import referrers
from .stash_shape import Row, Shape, shape

PAGE = 1000
IDS_PAGE = 5000
OWNERS_CHUNK = 500
_HAS_CHAPTERS = {"has_chapters": "true"}
_COUNT_PARTS = (
    'chapter:findGalleries(gallery_filter:{has_chapters:"true"},filter:{per_page:-1}){galleries{chapters{id}}}'
    " saved_filter:findSavedFilters{id}"
)
_FOLDERS = "query Folders{configuration{general{stashes{path}}}}"
_STATUS = (
    "query Status{version{version} systemStatus{databaseSchema databasePath status os workingDir}"
    " configuration{general{databasePath blobsPath blobsStorage}}}"
)


@dataclass(frozen=True, slots=True)
class Status:
    """What a server tells of itself. ``database`` and ``blobs`` are absolute paths on its machine (``blobs`` "" when
    images lie in the database); ``state`` is OK, SETUP or NEEDS_MIGRATION."""

    version: str
    schema: int | None
    database: str
    blobs: str
    blobs_storage: str
    os: str
    working_dir: str
    state: str


class StashSource:
    """A running Stash: a Source, a Searcher and a PartsReader. ``shown``: the fields, with their kinds, that it shows a
    value of though none is set."""

    shown = frozenset((("gallery", "cover"),))

    def __init__(self, connection: Connection, *, page: int = PAGE) -> None:
        self.connection = connection
        self._page = page

    @property
    def address(self) -> str:
        """Where it is."""
        return self.connection.address.base

    @property
    def server(self) -> StashSource:
        """The Stash that is read: this one."""
        return self

    @cached_property
    def schema(self) -> schema.Schema:
        """What its GraphQL has; raises UnsupportedVersion for a Stash before 0.27."""
        return schema.load(self.connection.call_GQL, self.address)

    @cached_property
    def _pager(self) -> Pager:
        return Pager(self.connection.call_GQL, self.schema)

    def status(self) -> Status:
        """Ask the server about itself; raises Unreachable when it is not set up or waits for a migration."""
        answer = self.connection.call_GQL(_STATUS)
        system, general = answer["systemStatus"], answer["configuration"]["general"]
        if system["status"] != "OK":
            raise Unreachable(address=self.address, reason=_NOT_READY.get(system["status"], system["status"]))
        in_files = general["blobsStorage"] == "FILESYSTEM"
        return Status(
            version=answer["version"]["version"] or "unknown",
            schema=system["databaseSchema"],
            database=_absolute(system["databasePath"] or general["databasePath"], system),
            blobs=_absolute(general["blobsPath"], system) if in_files else "",
            blobs_storage=general["blobsStorage"],
            os=system["os"],
            working_dir=system["workingDir"],
            state=system["status"],
        )

    def folders(self) -> list[str]:
        """The folders this Stash scans, as full paths on its own machine."""
        stashes = self.connection.call_GQL(_FOLDERS)["configuration"]["general"]["stashes"]
        return [entry["path"] for entry in stashes or () if entry["path"]]

    def about(self) -> About:
        """Tell what this is, and how much of each kind it holds."""
        status = self.status()
        return About(
            address=self.address,
            product="Stash",
            version=status.version,
            schema=status.schema,
            fields={name: self.fields(name) for name in KINDS},
            counts=self.counts(),
            how="through GraphQL",
        )

    def fields(self, kind: str) -> tuple[str, ...]:
        """The fields of ``kind`` this server has, images among them."""
        if kind == "config":
            return KINDS[kind].names()
        return tuple(reading.name for reading in shape(KINDS[kind], self.schema, Want(blobs=True)).readings)

    def counts(self) -> dict[str, int | None]:
        """How many records there are of each kind."""
        found = {kind.name: kind for kind in KINDS.values() if kind.found}
        aliases = " ".join(f"{name}:{kind.find}(filter:{{per_page:0}}){{count}}" for name, kind in found.items())
        answer = self.connection.call_GQL(f"query Counts{{{aliases} {_COUNT_PARTS}}}")
        counts: dict[str, int | None] = {name: answer[name]["count"] for name in found}
        counts["chapter"] = sum(len(gallery["chapters"]) for gallery in answer["chapter"]["galleries"])
        counts["saved_filter"] = len(answer["saved_filter"])
        counts["config"] = len(CONFIG_GROUPS)
        return {name: counts[name] for name in KINDS}

    def read(self, kind: str, want: Want = EVERYTHING) -> Iterator[Record]:
        """Stream the records of ``kind``; see model.Source. Chapters are held in memory to be put in order."""
        if kind == "config":
            return self._config(want)
        if kind == "saved_filter":
            return self._saved_filters(want)
        if kind == "chapter":
            return self._chapters(want)
        reading = shape(KINDS[kind], self.schema, want)
        search = self._search(reading)
        pages = self._pager.pages(search) if want.ids is None else self._pager.of_ids(search, want.ids)
        return self._records(reading, ahead(pages))

    def read_parts(self, kind: str, owners: Sequence[str], want: Want = EVERYTHING) -> Iterator[Record]:
        """Stream the markers of the scenes, or the chapters of the galleries, with the ids ``owners``."""
        owner = KINDS[PARTS_OF[kind][0]]
        reading = shape(KINDS[kind], self.schema, want)
        wanted = None if want.ids is None else frozenset(want.ids)
        # Asked for the parts of no owner at all, Stash gives those of all.
        real = list(map(str, real_ids(owners)))
        for start in range(0, len(real), OWNERS_CHUNK):
            chunk = real[start : start + OWNERS_CHUNK]
            pages = self._parts_pages(reading, owner, chunk)
            for record in self._records(reading, pages):
                if wanted is None or record.uid in wanted:
                    yield record

    def referrers(self, kind: str, uids: Sequence[str], besides: Collection[str] = ()) -> dict[str, int]:
        """How many records refer to each of these; those of the same kind in ``besides`` do not count."""
        return referrers(self.schema, self._pager.of_ids, (kind, uids), besides)

    def open_blob(self, blob: Blob) -> IO[bytes]:
        """Get the image; raises RecordError when it is gone."""
        try:
            return self.connection.open(blob.key)
        except Unreachable as error:
            if error.words.get("status") == 404:
                raise RecordError(kind=blob.kind, uid=blob.uid, reason="it is gone, and its image") from error
            raise

    def find_ids(self, kind: str, criteria: Mapping[str, Any], query: str = "") -> Iterator[str]:
        """Stream the ids Stash finds, ascending; raises BadFilter with its reason when it does not take them."""
        search = self._filtered(kind, criteria, query)
        try:
            for rows in self._pager.pages(search):
                yield from (row["id"] for row in rows)
        except StashSaidNo as error:
            raise _blame(search, error) from error

    def count(self, kind: str, criteria: Mapping[str, Any], query: str = "") -> int:
        """How many records ``find_ids`` would give."""
        search = self._filtered(kind, criteria, query)
        try:
            return self._pager.count(search)
        except StashSaidNo as error:
            raise _blame(search, error) from error

    def find_ids_since(self, kind: str, since: str) -> Iterator[str]:
        """Stream the ids of records changed at ``since`` or later, each once; all ids of the kinds that carry
        no time of change (saved filters, configuration).
        """
        try:
            start = moment(since)
        except ValueError as error:
            raise UsageError(f"{since!r} is no time") from error
        if KINDS[kind].field("updated_at") is None or not KINDS[kind].criteria:
            return self._since_scan(kind, start)
        return changed_ids(self._pager, KINDS[kind], start)

    def saved_filter(self, name: str) -> tuple[str, Mapping[str, Any], str]:
        """Find the saved filter ``name`` ("scene:name" when several kinds have one); see model.Searcher."""
        saved = list(self._saved_filters(EVERYTHING))
        chosen = savedfilter.choose(name, saved)
        return savedfilter.convert(chosen, self._rating_system)

    def _rating_system(self) -> str:
        ui = self.connection.call_GQL("query Ui{configuration{ui}}")["configuration"]["ui"] or {}
        return str((ui.get("ratingSystemOptions") or {}).get("type") or "stars")

    def _search(self, reading: Shape) -> Search:
        return Search(reading.kind, reading.selection, size=self._page, covers=reading.covers)

    def _records(self, reading: Shape, pages: Iterator[list[Row]]) -> Iterator[Record]:
        for rows in pages:
            for row in rows:
                try:
                    yield reading.record(row)
                except (ValueError, TypeError) as error:
                    raise self._unreadable(reading.kind, row, error) from error

    def _unreadable(self, kind: Kind, row: Row, error: Exception) -> Unreadable:
        return Unreadable(path=self.address, reason=f"{kind.name} {row.get('id')} holds {error}")

    def _filtered(self, kind: str, criteria: Mapping[str, Any], query: str) -> Search:
        if not KINDS[kind].criteria:
            raise BadFilter(f"Stash has no filter for {KINDS[kind].plural}")
        return Search(KINDS[kind], criteria=criteria, query=query, size=IDS_PAGE)

    def _since_scan(self, kind: str, since: datetime) -> Iterator[str]:
        for record in self.read(kind, Want(fields=frozenset(("updated_at",)))):
            if "updated_at" not in record.data or moment(record.data["updated_at"]) >= since:
                yield record.uid

    def _config(self, want: Want) -> Iterator[Record]:
        for record in stash_config.records(self.connection.call_GQL(stash_config.query(self.schema))):
            if want.ids is None or record.uid in want.ids:
                names = record.data if want.fields is None else want.fields
                yield record._replace(data={key: value for key, value in record.data.items() if key in names})

    def _saved_filters(self, want: Want) -> Iterator[Record]:
        reading = shape(SAVED_FILTER, self.schema, want)
        rows = self.connection.call_GQL(f"query Saved{{findSavedFilters{{{reading.selection}}}}}")["findSavedFilters"]
        yield from self._records(reading, iter([_picked(rows, want)]))

    def _chapters(self, want: Want) -> Iterator[Record]:
        reading = shape(KINDS["chapter"], self.schema, want)
        galleries = Search(
            KINDS["gallery"], f"id chapters{{{reading.selection}}}", criteria=_HAS_CHAPTERS, size=self._page
        )
        rows = [chapter for page in self._pager.pages(galleries) for gallery in page for chapter in gallery["chapters"]]
        yield from self._records(reading, iter([_picked(rows, want)]))

    def _parts_pages(self, reading: Shape, owner: Kind, owners: list[str]) -> Iterator[list[Row]]:
        if reading.kind.inside is None:
            criteria = {owner.plural: {"value": owners, "modifier": "INCLUDES"}}
            yield from self._pager.pages(replace(self._search(reading), criteria=criteria))
            return
        inside = reading.kind.inside[1]
        search = Search(owner, f"id {inside}{{{reading.selection}}}", size=self._page)
        for rows in self._pager.of_ids(search, owners):
            yield sorted((part for row in rows for part in row[inside]), key=_number)


def open_stash(address: str, api_key: str | None = None) -> StashSource:
    """Make a library of the Stash at ``address``; nothing is sent yet. Raises UsageError for a bad address."""
    return StashSource(connect(address, api_key or ""))


def _picked(rows: list[Row], want: Want) -> list[Row]:
    wanted = None if want.ids is None else frozenset(want.ids)
    return sorted((row for row in rows if wanted is None or row["id"] in wanted), key=_number)


def _number(row: Row) -> int:
    return int(row["id"])


def _blame(search: Search, error: StashSaidNo) -> BadFilter | StashSaidNo:
    """Turn what Stash says about a filter into BadFilter, with the place in the filter as the user wrote it."""
    if not search.criteria and not search.query:
        return error
    path = error.words.get("path")
    if not isinstance(path, tuple) or path[:2] != ("variable", "criteria"):
        return BadFilter(str(error.words["reason"]))
    place = ".".join(str(step) for step in path[2:])
    message = error.words["message"]
    return BadFilter(f"{message}, at {place}" if place else str(message))


def _absolute(path: str, system: Mapping[str, Any]) -> str:
    """``path`` as an absolute one of the server's machine: Stash tells relative ones as they are configured."""
    pure = PureWindowsPath if system["os"] == "windows" else PurePosixPath
    return str(pure(system["workingDir"]) / path) if path else ""


_NOT_READY = {
    "SETUP": "it is not set up yet; open it in a browser",
    "NEEDS_MIGRATION": "its database waits for a migration; open it in a browser",
}
