"""A running Stash on this machine, read by its database file: as fast as the file, and searched by the server.

The file is only believed after a proof that it is this server's: a tunnel or a container can show another Stash's
file under the same path.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path, PurePath
from typing import IO, Any

from ..errors import RecordError, StashSaidNo, Unreadable, UnsupportedVersion
from ..kinds import CONFIG, CONFIG_GROUPS, KINDS
from ..model import EVERYTHING, About, Blob, Record, Source, Want
from .database import DatabaseSource
from .stash import StashSource, Status

_TRIES = 3
"""A record may be edited between the two readings; then all is read again, at a new point in time."""
_SAMPLE = {"scene": 10, "image": 6, "gallery": 5, "performer": 5}
_SAMPLE_OF_OTHERS = 4
_FROM_FILE = tuple(kind for kind in KINDS.values() if kind.table)


class LocalStash:
    """Records by the file of ``database``; settings, searches, and images that are not in the file by ``stash``.
    A Source and a Searcher."""

    def __init__(self, stash: StashSource, database: DatabaseSource, how: str = "database file") -> None:
        self._stash, self._database, self._how = stash, database, how

    @property
    def server(self) -> StashSource:
        """The Stash that is read."""
        return self._stash

    def close(self) -> None:
        """Let go of the file."""
        self._database.close()

    def about(self) -> About:
        """Tell what this is."""
        of_file, status = self._database.about(), self._stash.status()
        return About(
            address=self._stash.address,
            product="Stash",
            version=status.version,
            schema=of_file.schema,
            fields={**of_file.fields, CONFIG.name: CONFIG.names()},
            counts={**of_file.counts, CONFIG.name: len(CONFIG_GROUPS)},
            how=self._how,
        )

    def read(self, kind: str, want: Want = EVERYTHING) -> Iterator[Record]:
        """Stream the records of ``kind``; see model.Source."""
        return (self._stash if kind == CONFIG.name else self._database).read(kind, want)

    def read_parts(self, kind: str, owners: Sequence[str], want: Want = EVERYTHING) -> Iterator[Record]:
        """Stream the markers of the scenes, or the chapters of the galleries, with the ids ``owners``."""
        return self._database.read_parts(kind, owners, want)

    def open_blob(self, blob: Blob) -> IO[bytes]:
        """Open an image; one that is not in the file comes from the server. Raises RecordError when it is gone."""
        try:
            return self._database.open_blob(blob)
        except RecordError:
            other = self._blob_of_server(blob)
            if other is None:
                raise
            return self._stash.open_blob(other)

    def find_ids(self, kind: str, criteria: Mapping[str, Any], query: str = "") -> Iterator[str]:
        """Let Stash find ids; see model.Searcher."""
        return self._stash.find_ids(kind, criteria, query)

    def count(self, kind: str, criteria: Mapping[str, Any], query: str = "") -> int:
        """How many records ``find_ids`` would give."""
        return self._stash.count(kind, criteria, query)

    def folders(self) -> list[str]:
        """The folders Stash scans."""
        return self._stash.folders()

    def find_ids_since(self, kind: str, since_utc: str) -> Iterator[str]:
        """Let Stash find what changed at ``since_utc`` or later."""
        return self._stash.find_ids_since(kind, since_utc)

    def saved_filter(self, name: str) -> tuple[str, Mapping[str, Any], str]:
        """Find a saved filter; see model.Searcher."""
        return self._stash.saved_filter(name)

    def _blob_of_server(self, blob: Blob) -> Blob | None:
        """The same image as the server names it; its reader and the file's have keys of their own."""
        want = Want(fields=frozenset((blob.field,)), ids=(blob.uid,), blobs=True)
        found: Blob | None = next((record.data.get(blob.field) for record in self._stash.read(blob.kind, want)), None)
        return found


def _raise(error: RecordError) -> None:
    raise error


def choose(
    stash: StashSource,
    *,
    rng: random.Random,
    note: Callable[[str], None],
    on_error: Callable[[RecordError], None] = _raise,
) -> Source:
    """Give the fastest way to read ``stash`` that is proved to be right: its file, or GraphQL.

    ``note`` is told which and why, in one sentence. ``on_error`` gets the damaged records that are passed over.
    Raises what the server raises when it cannot be reached at all.
    """
    status, reason = stash.status(), ""
    for _ in range(_TRIES):
        try:
            database = _open(status)
        except (Unreadable, UnsupportedVersion) as error:
            reason = str(error.words["reason"])
            break
        try:
            reason, equal = _compare(stash, database, status, rng)
            if not reason:
                database.on_error = on_error
                how = f"database file: {equal} records read both ways were equal"
                note(f"reading the {how}")
                return LocalStash(stash, database, how)
        except BaseException:
            database.close()
            raise
        database.close()
    note(f"reading through GraphQL, which is slower: {reason}")
    return stash


def _open(status: Status) -> DatabaseSource:
    path = Path(status.database)
    if not status.database or not path.is_absolute() or not path.exists():
        raise Unreadable("its database file is not on this machine", path=path)
    database = DatabaseSource(path, Path(status.blobs) if status.blobs else None)
    if database.at_rest:
        database.close()
        raise Unreadable("this user may not write beside its database file", path=path)
    return database


def _compare(stash: StashSource, database: DatabaseSource, status: Status, rng: random.Random) -> tuple[str, int]:
    """Why the file is not this server's ("" when it is), and how many records were read both ways."""
    try:
        if database.schema != status.schema:
            return f"the file has schema {database.schema}, the server {status.schema}", 0
        reason = _same_extent(stash, database)
        return (reason, 0) if reason else _same_sample(stash, database, rng)
    except (Unreadable, StashSaidNo) as error:
        return f"the file could not be compared ({error})", 0


def _same_extent(stash: StashSource, database: DatabaseSource) -> str:
    """Compare how many records of each kind there are, and the newest id of each."""
    answer = stash.connection.call_GQL(_extent_query())
    for kind in _FROM_FILE:
        count, newest = _extent(kind.name, answer[kind.name])
        if (count, newest) != (database.count(kind.name), database.newest(kind.name)):
            return f"the file has other {kind.plural} than the server"
    return ""


def newest_ids(stash: StashSource) -> dict[str, int]:
    """The highest id of each kind the server has any of now, but of settings."""
    answer = stash.connection.call_GQL(_extent_query())
    found = {kind.name: _extent(kind.name, answer[kind.name])[1] for kind in _FROM_FILE}
    return {kind: int(uid) for kind, uid in found.items() if uid}


def _extent_query() -> str:
    last = 'filter:{sort:"id",direction:DESC,per_page:1}'
    parts = [f"{kind.name}:{kind.find}({last}){{count {kind.found}{{id}}}}" for kind in _FROM_FILE if kind.found]
    parts.append(
        'chapter:findGalleries(gallery_filter:{has_chapters:"true"},filter:{per_page:-1}){galleries{chapters{id}}}'
    )
    parts.append("saved_filter:findSavedFilters{id}")
    return f"query Extent{{{' '.join(parts)}}}"


def _extent(kind: str, answer: Any) -> tuple[int, str | None]:
    """The count and the newest id in the answer for ``kind``."""
    if kind == "chapter":
        ids = [chapter["id"] for gallery in answer["galleries"] for chapter in gallery["chapters"]]
    elif kind == "saved_filter":
        ids = [row["id"] for row in answer]
    else:
        found = answer[KINDS[kind].found]
        return answer["count"], found[0]["id"] if found else None
    return len(ids), max(ids, key=int, default=None)


def _same_sample(stash: StashSource, database: DatabaseSource, rng: random.Random) -> tuple[str, int]:
    """Read some records of every kind both ways and compare them."""
    equal = 0
    # What is damaged cannot be compared: Stash does not show it either.
    damaged: list[RecordError] = []
    database.on_error = damaged.append
    for kind in _FROM_FILE:
        ids = database.sample(kind.name, rng, _SAMPLE.get(kind.name, _SAMPLE_OF_OTHERS))
        by_file = list(database.read(kind.name, Want(ids=ids)))
        by_server = {record.uid: record for record in _of_server(stash, kind.name, by_file)}
        for record in by_file:
            if record.uid not in by_server or not same(record, by_server[record.uid]):
                return f"a {kind.name} in the file is not the one the server shows", 0
        equal += len(by_file)
    return "", equal


def _of_server(stash: StashSource, kind: str, records: list[Record]) -> Iterator[Record]:
    want = Want(ids=[record.uid for record in records])
    if not records:
        return iter(())
    if kind == "chapter":
        # Chapters have no query of their own: read those of a few galleries, not of all.
        return stash.read_parts(kind, sorted({record.data["gallery"] for record in records}, key=int), want)
    return stash.read(kind, want)


def same(by_file: Record, by_server: Record) -> bool:
    """Whether two readings show the same record, in what both can tell.

    Through GraphQL a gallery without a chosen cover shows its first image, and before 0.28 an image whose title
    is its file's name cannot be told from one without a title.
    """
    left_out = {"cover"} if by_file.kind == "gallery" else set()
    data, told = by_file.data, by_server.data
    if by_file.kind == "image" and told.get("title", "") is None and data.get("title") in _names(data):
        left_out.add("title")
    shared = data.keys() & told.keys() - left_out
    return all(_alike(data[name], told[name]) for name in shared)


def _names(data: Mapping[str, Any]) -> set[str]:
    return {PurePath(file["path"]).name for file in data.get("files", ())}


def _alike(left: Any, right: Any) -> bool:
    """Equal, where a part that only one reader can tell counts for nothing."""
    if not isinstance(left, list) or not isinstance(right, list) or left == right:
        return bool(left == right)
    if len(left) != len(right) or not all(isinstance(entry, dict) for entry in (*left, *right)):
        return False
    pairs = zip(left, right, strict=True)
    return all(one[name] == two[name] for one, two in pairs for name in one.keys() & two.keys())
