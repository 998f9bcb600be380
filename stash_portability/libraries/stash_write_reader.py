"""The newest state of a Stash on this machine, read from its database file: each reading opens the file anew.

That its proof of equality held once does not say that the file is always up to date here (what Stash last wrote lies in
a log beside the file, and its index in memory that not every container or network disk shares). So with each reading by
ids the server is asked for one of them: when the file shows it otherwise, the server is read from then on.
Kinds whose records have no such time (saved filters, settings) are read from the server.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import IO

from ..errors import RecordError, Unreadable
from ..kinds import KINDS
from ..model import EVERYTHING, About, Blob, Record, Want
from .database import DatabaseSource
from .local import LocalStash, same
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

    @property
    def shown(self) -> frozenset[tuple[str, str]]:
        """The fields that it shows a value of though none is set, with their kinds; see ``StashSource.shown``."""
        return self._stash.shown if self.stale else frozenset()

    def about(self) -> About:
        """Tell what this is."""
        with closing(self._open()) as file:
            return LocalStash(self._stash, file, self._how).about()

    def read(self, kind: str, want: Want = EVERYTHING) -> Iterator[Record]:
        """Stream the records of ``kind``; see model.Source."""
        timed = KINDS[kind].field(_STAMP) is not None
        if not timed or self.stale or (want.ids and self._is_stale(kind, want)):
            yield from self._stash.read(kind, want)
            return
        with closing(self._open()) as file:
            yield from file.read(kind, want)

    def read_parts(self, kind: str, owners: Sequence[str], want: Want = EVERYTHING) -> Iterator[Record]:
        """Stream the markers of the scenes, or the chapters of the galleries, with the ids ``owners``."""
        with closing(self._open()) as file:
            yield from file.read_parts(kind, owners, want)

    def referrers(self, kind: str, uids: Sequence[str], besides: Collection[str] = ()) -> dict[str, int]:
        """How many records refer to each of these, as the server tells it; see ``StashSource.referrers``."""
        return self._stash.referrers(kind, uids, besides)

    def open_blob(self, blob: Blob) -> IO[bytes]:
        """Open an image; one that is not in the file comes from the server. Raises RecordError when it is gone."""
        if blob.key.startswith("/"):
            return self._stash.open_blob(blob)
        with closing(self._open()) as file:
            return LocalStash(self._stash, file).open_blob(blob)

    def _open(self) -> DatabaseSource:
        return DatabaseSource(self._path, self._blobs, self._skip)

    def _is_stale(self, kind: str, want: Want) -> bool:
        """Whether the file and the server tell something else of the last of these records: when it changed (in whole
        seconds), or what is asked for but images. A record may change between both questions: then the file is asked
        once more."""
        names = KINDS[kind].names() if want.fields is None else (*want.fields, _STAMP)
        one = Want(fields=frozenset(names), ids=tuple(want.ids or ())[-1:])
        try:
            for _ in range(2):
                by_server = list(self._stash.read(kind, one))
                with closing(self._open()) as file:
                    by_file = list(file.read(kind, one))
                if len(by_file) == len(by_server) and all(map(same, by_file, by_server)):
                    return False
        except (Unreadable, RecordError):
            pass
        self.stale = True
        return True
