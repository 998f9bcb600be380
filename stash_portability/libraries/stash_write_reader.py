"""The newest state of a Stash on this machine, read from its database file: each reading opens the file anew.

That its proof of equality held once does not say that the file is always up to date here (what Stash last wrote lies in
a log beside the file, and its index in memory that not every container or network disk shares). So with each reading by
ids the server is asked for one of them: when the file shows another time of change, the server is read from then on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import IO

from ..errors import RecordError, Unreadable
from ..kinds import CONFIG, KINDS
from ..model import EVERYTHING, About, Blob, Record, Want
from .database import DatabaseSource
from .local import LocalStash
from .stash import StashSource

_STAMP = "updated_at"


class Newest:
    """A Source (and PartsReader) that always shows what is there now. The database file of ``stash`` was
    proved to be its own; ``how`` says so. ``skip`` gets damaged records."""

    def __init__(self, stash: StashSource, how: str, skip: Callable[[RecordError], None]) -> None:
        self._stash, self._how, self._skip = stash, how, skip
        status = stash.status()
        self._path, self._blobs = Path(status.database), Path(status.blobs) if status.blobs else None
        self.stale = False

    def about(self) -> About:
        """Tell what this is."""
        with closing(self._open()) as file:
            return LocalStash(self._stash, file, self._how).about()

    def read(self, kind: str, want: Want = EVERYTHING) -> Iterator[Record]:
        """Stream the records of ``kind``; see model.Source."""
        if kind == CONFIG.name or self.stale or (want.ids is not None and self._is_stale(kind, want.ids)):
            yield from self._stash.read(kind, want)
            return
        with closing(self._open()) as file:
            yield from file.read(kind, want)

    def read_parts(self, kind: str, owners: Sequence[str], want: Want = EVERYTHING) -> Iterator[Record]:
        """Stream the markers of the scenes, or the chapters of the galleries, with the ids ``owners``."""
        with closing(self._open()) as file:
            yield from file.read_parts(kind, owners, want)

    def open_blob(self, blob: Blob) -> IO[bytes]:
        """Open an image; one that is not in the file comes from the server. Raises RecordError when it is gone."""
        if blob.key.startswith("/"):
            return self._stash.open_blob(blob)
        with closing(self._open()) as file:
            return LocalStash(self._stash, file).open_blob(blob)

    def _open(self) -> DatabaseSource:
        return DatabaseSource(self._path, self._blobs, self._skip)

    def _is_stale(self, kind: str, ids: Sequence[str]) -> bool:
        """Whether the file and the server tell of the last of these records that it changed at another time. A record
        may change between both questions: then the file is asked once more."""
        if not ids or KINDS[kind].field(_STAMP) is None:
            return False
        want = Want(fields=frozenset((_STAMP,)), ids=(ids[-1],))
        try:
            for _ in range(2):
                with closing(self._open()) as file:
                    said = [list(source.read(kind, want)) for source in (self._stash, file)]
                if said[0] == said[1]:
                    return False
        except (Unreadable, RecordError):
            pass
        self.stale = True
        return True
