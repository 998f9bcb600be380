"""Images while a plan is made and written: their digests, and the ones a run replaces, kept in its folder for undo."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import IO

from ..model import Blob, BlobRef
from .coding import Digest

OpenImage = Callable[[Blob], IO[bytes]]

_PIECE = 1 << 20


def digests(open_image: OpenImage) -> Digest:
    """The digest function for the images that ``open_image`` opens."""

    def digest(blob: Blob) -> str:
        found = hashlib.sha256()
        with open_image(blob) as stream:
            while piece := stream.read(_PIECE):
                found.update(piece)
        return found.hexdigest()

    return digest


class KeptImages:
    """Images by their digest, in the folder ``blobs`` of a run."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder / "blobs"

    def keep(self, stream: IO[bytes]) -> BlobRef:
        """Keep the bytes of an image; whole on disk when this returns."""
        content = stream.read()
        kept = BlobRef(hashlib.sha256(content).hexdigest(), len(content))
        path = self._folder / kept.sha256
        if not path.exists():
            self._folder.mkdir(mode=0o700, exist_ok=True)
            beside = path.with_suffix(".partial")
            with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            beside.replace(path)
        return kept

    def open(self, image: BlobRef) -> IO[bytes]:
        """Open a kept image."""
        return (self._folder / image.sha256).open("rb")
