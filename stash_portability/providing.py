"""The libraries an archive needs to be read."""

from __future__ import annotations

from pathlib import Path

from . import archives_shown
from .desk import Desk


def provide_for(desk: Desk, archive: Path) -> None:
    """Make importable what reading an archive needs, and those it is built on, installing it if need be. Raises
    LibrariesMissing, and what is wrong with the archive."""
    desk.provide(["core", *(["7z"] if archive.suffix.lower() == ".7z" else [])])
    from .libraries.archive import FORMAT, VERSION, ZSTD  # noqa: PLC0415 - needs the libraries just provided
    from .storage.reader import read_manifest  # noqa: PLC0415

    seen: set[Path] = set()
    while archive not in seen and archive.exists():
        seen.add(archive)
        manifest = read_manifest(archive, FORMAT, VERSION).manifest
        if ZSTD in (manifest.get("requires") or []):
            desk.provide([ZSTD])
        archive = archive.with_name(archives_shown.parent_of(manifest) or archive.name)
