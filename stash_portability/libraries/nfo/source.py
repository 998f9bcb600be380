"""A folder of our NFO files as a library: the scenes, and the studios, performers, tags and groups they name.

A thing that is only named has its name as its uid; a scene has the uid it had in Stash. A scene of several files has
several NFO files, of which the first by path is read.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any, TypeVar

from ...errors import PortabilityError, RecordError, Unreadable
from ...kinds import KINDS
from ...model import EVERYTHING, About, Blob, Record, Want
from ..wanting import by_id, wanted
from .merge import MOST_BYTES
from .read import NAMED_FIELDS, SCENE_FIELDS, Read, read, scene_of
from .text import HEAD_BYTES, read_mark

ENDING = ".nfo"
T = TypeVar("T")


class NfoSource:
    """Reads the NFO files below ``folder`` that are ours (by their mark, or an id of the type stash); the others are
    counted and passed over. Opening it looks into the head of each. Files that are ours and cannot be read are told to
    ``on_error``. Raises Unreadable when ``folder`` is none."""

    def __init__(self, folder: Path | str, on_error: Callable[[RecordError], None] | None = None) -> None:
        self._folder = Path(folder)
        self._on_error = on_error or (lambda _: None)
        if not self._folder.is_dir():
            raise Unreadable(path=folder, reason="it is not a folder")
        self._others = 0
        self._files = self._index()
        self._named: dict[tuple[str, str], dict[str, Any]] | None = None

    def about(self) -> About:
        """What it holds, as far as the heads of the files say."""
        return About(
            address=f"nfo:{self._folder}",
            product="NFO files",
            version="",
            schema=None,
            fields={"scene": SCENE_FIELDS, **NAMED_FIELDS},
            counts={
                kind: len(self._files) if kind == "scene" else None if kind in NAMED_FIELDS else 0 for kind in KINDS
            },
            how=f"from {len(self._files):,} NFO files made for a Stash; {self._others:,} others were passed over",
        )

    def read(self, kind: str, want: Want = EVERYTHING) -> Iterator[Record]:
        """The scenes by id, or what they name by name. A field that was not written is missing."""
        return wanted(kind, self._scenes(want) if kind == "scene" else self._things(kind), want)

    def open_blob(self, blob: Blob) -> IO[bytes]:
        """There are none: pictures lie beside the files for the media server."""
        raise Unreadable(path=self._folder, reason=f"{blob.kind} {blob.uid} has no image in it")

    def _scenes(self, want: Want) -> Iterator[Record]:
        ids = None if want.ids is None else frozenset(want.ids)
        for uid, path in self._files.items():
            if ids is None or uid in ids:
                found = self._open(uid, path)
                if found:
                    yield found.record

    def _things(self, kind: str) -> Iterator[Record]:
        """What the scenes name of ``kind``, all of which is read once."""
        if self._named is None:
            self._named = {}
            for uid, path in self._files.items():
                found = self._open(uid, path)
                for key, data in found.named.items() if found else ():
                    self._named[key] = {**data, **self._named.get(key, {})}
        for (of, name), data in sorted(self._named.items(), key=lambda item: item[0]):
            if of == kind:
                yield Record(kind, name, data)

    def _index(self) -> dict[str, str]:
        """The path of the file of each scene, by the id of the scene."""
        found: dict[str, str] = {}
        for path in _nfo_files(self._folder):
            uid = self._scene_of(path)
            if uid:
                found.setdefault(uid, path)
        return {uid: found[uid] for uid in sorted(found, key=lambda uid: (by_id(uid), uid))}

    def _scene_of(self, path: str) -> str | None:
        def look() -> str | None:
            with open(path, "rb") as stream:  # noqa: PTH123 - one of many thousands
                head = stream.read(HEAD_BYTES)
                mark = read_mark(head)
                uid = mark.scene if mark else scene_of(head + stream.read(MOST_BYTES))
            self._others += uid is None
            return uid

        return self._tried(path, look)

    def _open(self, uid: str, path: str) -> Read | None:
        def look() -> Read | None:
            with open(path, "rb") as stream:  # noqa: PTH123
                return read(stream.read(MOST_BYTES + 1))

        found = self._tried(path, look)
        return found if found and found.record.uid == uid else None

    def _tried(self, path: str, look: Callable[[], T | None]) -> T | None:
        """What ``look`` gives; when the file cannot be read, that is told."""
        try:
            return look()
        except OSError as problem:
            reason: object = problem.strerror or problem
        except PortabilityError as problem:
            reason = problem.words["reason"]
        self._on_error(RecordError(kind="the NFO file", uid=path, reason=reason))
        return None


def _nfo_files(folder: Path) -> Iterator[str]:
    """The paths of the NFO files below ``folder``, in order; links to folders are not followed."""
    for place, folders, files in os.walk(folder):
        folders.sort()
        for name in sorted(files):
            path = os.path.join(place, name)  # noqa: PTH118 - as os.walk gives it
            if name.lower().endswith(ENDING) and os.path.isfile(path):  # noqa: PTH113 - a pipe would never end
                yield path
