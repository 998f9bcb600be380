"""From an address to a library: a Stash, its database file, an export or archive on disk, or NFO files of ours."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import RecordError, Unreadable, UsageError
from ..model import Source

SQLITE_MAGIC = b"SQLite format 3\0"
FOREIGN = ("kodi", "jellyfin", "emby", "plex", "csv", "native")


@dataclass(frozen=True, slots=True)
class Opening:
    """What opening a library needs besides its address: the key (never shown), randomness, where to tell how it
    is read, and where records that cannot be read are told."""

    api_key: str
    rng: random.Random
    note: Callable[[str], None]
    skip: Callable[[RecordError], None]


def open_library(address: str, opening: Opening) -> Source:
    """Open what ``address`` names. Raises UsageError, Unreachable, Refused, UnsupportedVersion or Unreadable."""
    if address.startswith(("http://", "https://")):
        return _open_stash(address, opening)
    scheme, colon, rest = address.partition(":")
    if colon and scheme == "nfo":
        return _open_nfo(_found(rest), opening)
    if colon and scheme in FOREIGN:
        raise UsageError(f"reading from {scheme}: is not part of this version")
    return _open_path(_found(address), opening)


def _found(address: str) -> Path:
    try:
        path = Path(address).expanduser()
        path.stat()
    except (FileNotFoundError, NotADirectoryError) as problem:
        raise Unreadable(path=address, reason="there is no such file, folder or http(s) address") from problem
    except (OSError, RuntimeError, ValueError) as problem:  # no permission; ~ of no user; a NUL
        raise Unreadable(path=address, reason=getattr(problem, "strerror", None) or problem) from problem
    return path


def _open_stash(address: str, opening: Opening) -> Source:
    from .local import choose  # noqa: PLC0415 - requests and what it brings are only loaded when needed
    from .stash import open_stash  # noqa: PLC0415

    stash = open_stash(address, opening.api_key or None)
    stash.fields("scene")  # a Stash that is too old is told so before anything else is asked of it
    return choose(stash, rng=opening.rng, note=opening.note, on_error=opening.skip)


def open_own(server: Mapping[str, Any], opening: Opening) -> Source:
    """Open the Stash that runs us as its plugin, from the ``server_connection`` it gives; raises as open_library."""
    from .connection import from_plugin  # noqa: PLC0415
    from .local import choose  # noqa: PLC0415
    from .stash import StashSource  # noqa: PLC0415

    stash = StashSource(from_plugin(server))
    stash.fields("scene")  # a Stash that is too old is told so before anything else is asked of it
    return choose(stash, rng=opening.rng, note=opening.note, on_error=opening.skip)


def _open_nfo(folder: Path, opening: Opening) -> Source:
    from .nfo.source import NfoSource  # noqa: PLC0415 - what reads XML is only loaded when needed

    return NfoSource(folder, on_error=opening.skip)


def _open_path(path: Path, opening: Opening) -> Source:
    if path.is_file() and _is_database(path):
        from .database import DatabaseSource  # noqa: PLC0415

        return DatabaseSource(path, on_error=opening.skip)
    from .archive import is_archive  # noqa: PLC0415
    from .chain import open_archive  # noqa: PLC0415
    from .tables.source import TableSource  # noqa: PLC0415

    return open_archive(path) if is_archive(path) else TableSource(path)


def _is_database(path: Path) -> bool:
    if path.suffix.lower() in (".sqlite", ".sqlite3", ".db"):
        return True
    try:
        with path.open("rb") as stream:
            return stream.read(len(SQLITE_MAGIC)) == SQLITE_MAGIC
    except OSError as problem:
        raise Unreadable(path=path, reason=problem.strerror or problem) from problem
