"""The images of an output: each once, named by its digest; under ``blobs/`` where nothing else is said."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import IO

from ..errors import OutputNotUsable
from ..model import BlobRef
from .container import Container, Member

FOLDER = "blobs/"


def _by_digest(_: Path, sha256: str) -> str | None:
    return FOLDER + sha256


class Blobs:
    """Takes images at any time, and makes them members when no other member is open. ``named`` gives the member that
    the bytes at a path, with their digest, become; None for what is not kept."""

    def __init__(self, container: Container, named: Callable[[Path, str], str | None] = _by_digest) -> None:
        self._container, self._named = container, named
        self._waiting: list[tuple[Path, str, Member]] = []
        self._known: dict[str, str | None] = {}

    def name(self, sha256: str) -> str | None:
        """The member with this digest, or None when there is none."""
        return self._known.get(sha256)

    def put(self, stream: IO[bytes]) -> BlobRef:
        """Copy ``stream`` aside while digesting it, and keep it unless it is there already. Raises NoSpace,
        and OutputNotUsable when the output is one file."""
        if self._container.shape == "file":
            raise OutputNotUsable(path=self._container.path, reason="images need a folder or a .zip")
        place, known = self._container.keep(stream)
        name = None if known.sha256 in self._known else self._named(place, known.sha256)
        self._known.setdefault(known.sha256, name)
        if name is None:
            place.unlink()
        else:
            self._waiting.append((place, name, known))
            self.flush()
        return BlobRef(known.sha256, known.bytes)

    def flush(self) -> None:
        """Make members of the images that wait, if none is open now."""
        if not self._container.busy:
            for waiting in self._waiting:
                self._container.adopt(*waiting)
            self._waiting.clear()
