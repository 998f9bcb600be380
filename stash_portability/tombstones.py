"""What became of records that are gone: a line each in the data folder's ``state/``, written by the hook.

It is evidence for plans, never the truth: a hook does not run when the plugin is switched off, and Stash runs none for
much that it does. A file that has grown takes the place of the older one. Standard library only, and quick to import:
Stash waits for the hook, once for each record that it deletes.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from pathlib import Path

from .errors import Locked
from .oslock import held

VERSION = 1
NAME, OLDER, LOCK = "tombstones.jsonl", "tombstones-older.jsonl", "tombstones.lock"
MOST_BYTES = 4 << 20
"""Of one of the two files: some 50,000 records."""
KINDS = ("tag", "performer", "studio", "group")


class Tombstone(NamedTuple):
    """A record that is gone: since when (UTC), its kind and id, and the id of what it was merged into, or ""."""

    at: str
    kind: str
    uid: str
    into: str = ""


def append(state: Path, stones: Iterable[Tombstone]) -> None:
    """Write ``stones`` at the end of the log in the folder ``state``, in one write, so that those of several processes
    do not mix; 0600. Raises OSError."""
    text = "".join(json.dumps({"v": VERSION, **stone._asdict()}) + "\n" for stone in stones).encode()
    path = state / NAME
    with suppress(Locked), held(state / LOCK):  # whoever holds it makes the room
        if _bytes(path) > MOST_BYTES:
            path.replace(state / OLDER)
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        os.write(handle, (b"" if _is_whole(handle) else b"\n") + text)
    finally:
        os.close(handle)


def _bytes(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0


def _is_whole(handle: int) -> bool:
    """Whether the last line has its end: a power cut may have taken it."""
    size = os.lseek(handle, 0, os.SEEK_END)
    if not size:
        return True
    os.lseek(handle, -1, os.SEEK_END)
    return os.read(handle, 1) == b"\n"


def read(state: Path) -> list[Tombstone]:
    """All that is known, the oldest first. Lines that are cut, damaged or of a newer version are passed over."""
    return [stone for name in (OLDER, NAME) for stone in _lines(state / name)]


def _lines(path: Path) -> Iterator[Tombstone]:
    with suppress(OSError), path.open("rb") as file:
        for line in file:
            with suppress(ValueError, KeyError, TypeError):
                found = json.loads(line)
                if found["v"] == VERSION and line.endswith(b"\n"):
                    yield Tombstone(*(str(found[name]) for name in Tombstone._fields))


def since(stones: Iterable[Tombstone], moment: str) -> list[Tombstone]:
    """Those of ``moment`` (UTC, as data carries it) or later, in their order."""
    return [stone for stone in stones if stone.at >= moment]


def became(stones: Sequence[Tombstone], kind: str, uid: str) -> Tombstone | None:
    """The newest that is known of a record, with what it became in the end: a tag that was merged into one that was
    merged into a third has become the third. None when nothing is known of it. ``stones``: the oldest first."""
    found = None
    for stone in stones:
        if (stone.kind, stone.uid) == (kind, uid):
            found = stone
        elif found and found.into and (stone.kind, stone.uid) == (kind, found.into):
            found = found._replace(into=stone.into)
    return found
