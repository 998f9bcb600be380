"""The images of an output: each once, named by its digest, under ``blobs/``."""

from __future__ import annotations

from pathlib import Path
from typing import IO

from ..errors import OutputNotUsable
from ..model import BlobRef
from .container import Container, Member

FOLDER = "blobs/"


class Blobs:
    """Takes images at any time, and makes them members when no other member is open."""

    def __init__(self, container: Container) -> None:
        self._container = container
        self._waiting: list[tuple[Path, str, Member]] = []
        self._known: set[str] = set()

    def put(self, stream: IO[bytes]) -> BlobRef:
        """Copy ``stream`` aside while digesting it, and keep it unless it is there already. Raises NoSpace,
        and OutputNotUsable when the output is one file."""
        if self._container.shape == "file":
            raise OutputNotUsable(path=self._container.path, reason="images need a folder or a .zip")
        place, known = self._container.keep(stream)
        if known.sha256 in self._known:
            place.unlink()
        else:
            self._known.add(known.sha256)
            self._waiting.append((place, FOLDER + known.sha256, known))
            self.flush()
        return BlobRef(known.sha256, known.bytes)

    def flush(self) -> None:
        """Make members of the images that wait, if none is open now."""
        if not self._container.busy:
            for waiting in self._waiting:
                self._container.adopt(*waiting)
            self._waiting.clear()
