"""Where the NFO file of a media file goes, and which scene may have it.

Looks at the disk only through ``Disk``. Paths that cannot have an NFO raise OutputNotUsable, whose ``reason`` is
the same for all of them and whose ``path`` is the place looked at.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, NamedTuple
from unicodedata import normalize

from ...errors import OutputNotUsable
from ...model import Record
from ...transform.rewrite import Rules, rewrite, split
from .choices import NfoChoices

ENDING, MOVIE = ".nfo", "movie.nfo"
NO_FILE = "the scene has no file"
IN_ZIP = "the file lies inside a zip"
NOT_HERE = "the file is not on this machine; this is where it was looked for"
OUTSIDE = "it lies outside the folders a task may write in"
UPWARDS = "a path with .. in it is not followed"
NO_NAME = "the file has no name that this machine can write"
IS_NFO = "the film itself has the name of an NFO"
TOO_LONG = "the name would be longer than a disk can hold"
TAKEN = "another scene has the NFO of this name in this folder"
SEVERAL = "movie.nfo is for folders that hold one film, and this one holds several"

_LONGEST = 255
_NOT_ON_WINDOWS = re.compile(r'[<>:"|?*\\/\x00-\x1f]|[. ]\Z|(?i:con|prn|aux|nul|com\d|lpt\d)(\.|\Z)')
_REAL_KEPT = 4096


class Place(NamedTuple):
    """Where the NFO of ``media`` goes: ``folder`` and ``name``. ``stem`` is the media file's name without its ending,
    ``base`` what the names of its pictures begin with ("" beside movie.nfo), ``seen`` the folder as the media server
    names it."""

    folder: str
    name: str
    media: str
    stem: str
    base: str
    seen: str

    @property
    def nfo(self) -> str:
        """The path of the NFO."""
        return below(self.folder, self.name)

    def picture(self, suffix: str) -> str:
        """The path of the picture whose name ends in ``suffix``. It may be too long for a disk, which will say so."""
        return below(self.folder, self.base + suffix)


def _real() -> Callable[[str], str]:
    return lru_cache(_REAL_KEPT)(os.path.realpath)


@dataclass(frozen=True, slots=True)
class Disk:
    """What is asked of this machine: whether a file is there, and which folder a path with links in it leads to."""

    exists: Callable[[str], bool] = os.path.isfile
    real: Callable[[str], str] = field(default_factory=_real)


@dataclass(frozen=True, slots=True)
class Places:
    """Finds places. ``to`` is the folder that mirrors the media's (not looked at when they go beside the media)."""

    choices: NfoChoices
    rules: Rules = ()
    to: str = ""
    disk: Disk = field(default_factory=Disk)

    def find(self, file: Mapping[str, Any] | None) -> Place:
        """The place for one entry of a scene's ``files`` (None: the scene has none). Raises OutputNotUsable."""
        found = self.candidates(file)
        if not self.choices.beside:
            return found[0]
        here = next((place for place in found if self.disk.exists(place.media)), None)
        if here is None:
            raise OutputNotUsable(path=" and ".join(place.media for place in found), reason=NOT_HERE)
        return here

    def candidates(self, file: Mapping[str, Any] | None) -> list[Place]:
        """The places that come into question, the best first, at least one. Raises OutputNotUsable."""
        path = (file or {}).get("path")
        if not file or not path:
            raise OutputNotUsable(path=path, reason=NO_FILE)
        if file.get("zip_file"):
            raise OutputNotUsable(path=path, reason=IN_ZIP)
        there = rewrite(path, self.rules)
        if not self.choices.beside:
            return [self._named(self._mirrored(there), there)]
        return self._beside(path, there)

    def _beside(self, path: str, there: str) -> list[Place]:
        places: list[Place] = []
        problem: OutputNotUsable | None = None
        for media in dict.fromkeys((there, path)):
            try:
                places.append(self._named(self._checked(media), there))
            except OutputNotUsable as refused:
                # That it may not be written tells more than that it is not there.
                problem = refused if problem is None or problem.words["reason"] == NOT_HERE else problem
        if problem and not places:
            raise problem
        return places

    def _checked(self, media: str) -> str:
        """``media`` when it is a full path of this machine that may have an NFO beside it."""
        if ".." in media and ".." in re.split(r"[\\/]", media):  # a \ parts names on Windows, whatever came before it
            raise OutputNotUsable(path=media, reason=UPWARDS)
        if not os.path.isabs(media):  # noqa: PTH117
            raise OutputNotUsable(path=media, reason=NOT_HERE)
        allowed = self.choices.allowed
        if allowed is not None and not any(_lies_under(media, str(folder)) for folder in allowed):
            raise OutputNotUsable(path=media, reason=OUTSIDE)
        return media

    def _mirrored(self, there: str) -> str:
        """Where the media file would lie in the folder that mirrors theirs."""
        parts = split(there)
        if ".." in parts.names:
            raise OutputNotUsable(path=there, reason=UPWARDS)
        names = (parts.anchor[0], *parts.names) if parts.anchor.endswith(":") else parts.names
        if not parts.names or "\0" in there or any(not _writable(name) for name in names):
            raise OutputNotUsable(path=there, reason=NO_NAME)
        return below(self.to, *names)

    def _named(self, media: str, there: str) -> Place:
        folder, name = os.path.split(media)
        stem = os.path.splitext(name)[0]  # noqa: PTH122
        movie = self.choices.movie_nfo
        seen = _parent(there) or os.path.abspath(folder)  # noqa: PTH100
        place = Place(folder, MOVIE if movie else stem + ENDING, media, stem, "" if movie else stem, seen)
        if not stem:
            raise OutputNotUsable(path=media, reason=NO_NAME)
        if folded(name) == folded(place.name):
            raise OutputNotUsable(path=media, reason=IS_NFO)
        if not fits(place.name):
            raise OutputNotUsable(path=media, reason=TOO_LONG)
        return place


def below(folder: str, *names: str) -> str:
    """The path of ``names`` in ``folder``, as text: Path objects cost as much as the rest, many times a scene."""
    return os.path.join(folder, *names)  # noqa: PTH118


def fits(name: str) -> bool:
    """Whether a file can have this name: 255 bytes, on Windows 255 units of UTF-16."""
    if os.name == "nt":
        return len(name.encode("utf-16-le", "surrogatepass")) <= 2 * _LONGEST
    return len(name.encode("utf-8", "surrogateescape")) <= _LONGEST


def _writable(name: str) -> bool:
    return name != "." and not (os.name == "nt" and _NOT_ON_WINDOWS.search(name))


def _lies_under(path: str, folder: str) -> bool:
    """Whether ``path`` lies under ``folder`` by its text: links are the business of whoever made them."""
    inner, outer = os.path.normcase(path), os.path.normcase(folder)
    return inner.startswith(outer.rstrip(os.sep) + os.sep)


def _parent(path: str) -> str:
    r"""The folder of a full path of either world, written as it is: ``C:\films`` of ``C:\films\a.mkv``; "" for a
    relative path."""
    if path.startswith("/") and not path.startswith("//"):
        return path[: path.rfind("/")] or "/"
    return path[: max(path.rfind("/"), path.rfind("\\"))] if split(path).anchor else ""


class Claims:
    """Which scene has which place, of all scenes there are: the first that was added (the lowest id). Names that
    differ only in case or in how letters are composed are one, because on many disks they are. Keeps a number a
    place, some 70 bytes."""

    def __init__(self, places: Places) -> None:
        self._places = places
        self._taken: set[int] = set()
        self._shared: set[int] = set()
        self._late: set[tuple[int, str]] = set()
        self.scenes = 0
        self.unknown = 0
        """Of the scenes those whose place cannot be told, because the source does not say where their files lie."""

    @property
    def apart(self) -> bool:
        """Whether the places are in a folder of their own, not beside the media."""
        return not self._places.choices.beside

    def add(self, record: Record) -> None:
        """Enter all places that come into question for the files of a scene, whether written or not."""
        self.scenes += 1
        files = record.data.get("files")
        self.unknown += files is None or not all(file.get("path") for file in files)
        for key in set(self._keys(record)):
            if key in self._taken:
                self._shared.add(key)
                self._late.add((key, record.uid))
            else:
                self._taken.add(key)

    def check(self, uid: str, place: Place) -> None:
        """Raise OutputNotUsable unless the scene ``uid`` may have ``place``, which is its place from then on: it may
        have come to it since the scenes were added."""
        key = self._key(place.folder, place.name)
        if self._places.choices.movie_nfo and key in self._shared:
            raise OutputNotUsable(path=place.nfo, reason=SEVERAL)
        if (key, uid) in self._late:
            raise OutputNotUsable(path=place.nfo, reason=TAKEN)
        self._taken.add(key)

    def holds(self, folder: str, name: str) -> bool:
        """Whether the NFO ``name`` in ``folder`` is the place of some scene."""
        key = self._key(folder, name)
        return key in self._taken and not (self._places.choices.movie_nfo and key in self._shared)

    def _keys(self, record: Record) -> Iterator[int]:
        for file in record.data.get("files") or ():
            with suppress(OutputNotUsable):
                for place in self._places.candidates(file):
                    yield self._key(place.folder, place.name)

    def _key(self, folder: str, name: str) -> int:
        # One file reached by two paths, through a link, is one place.
        return hash((folded(self._places.disk.real(folder)), folded(name)))


def folded(name: str) -> str:
    """What names have in common that some disks take for one."""
    return name.casefold() if name.isascii() else normalize("NFC", normalize("NFC", name).casefold())
