"""Pictures as local files: poster and fanart of a scene beside its NFO.

Only bytes that are a picture by how they begin, never an address. A picture is ours when its digest stands in the mark
of the NFO beside it (portraits: portraits.py), or when it is what we would write; every other one is somebody else's,
and kept. Pictures are put in place before the NFO that names them: a run that is killed in between
knows them again by what they hold.
"""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import IO, Literal, NamedTuple

from ...errors import EXIT_UNREADABLE, OutputNotUsable, PortabilityError, RecordError, one_line
from ...model import Blob, Record, Report
from ...transform.paths import Names
from ..pictures import ENDINGS, ending_of
from .keeper import Found, Keeper, is_shut
from .places import Place

POSTER, FANART = "poster", "fanart"
FOREIGN = "a picture of somebody else, or one of ours that was edited since, lies there; it was kept"
NO_PICTURE = "what Stash has is no JPEG, PNG, WebP or GIF; it was left out"
UNREADABLE = "the picture cannot be read from Stash; it was left out"

_LARGEST = 64 << 20
_KEPT = 16 << 20
_DIGITS = 16

Outcome = Literal["ours", "theirs", "none"]
"""What lies at a picture's place now: ours, somebody else's, or nothing."""


class Picture(NamedTuple):
    """The bytes of a picture, the ending its file must have, and its digest as marks write it."""

    content: bytes
    ending: str
    digest: str


def digest_of(content: bytes) -> str:
    """The first 16 hexadecimal digits of the SHA-256."""
    return hashlib.sha256(content).hexdigest()[:_DIGITS]


def is_ours(found: Found, digest: str | None) -> bool:
    """Whether ``found`` is the picture of which ``digest`` was noted. Raises OutputNotUsable."""
    return digest is not None and digest_of(found.content) == digest


def suffixes(base: str) -> dict[str, tuple[str, ...]]:
    """By role, the ends of names its picture may have beside an NFO: "-poster.jpg" and so on; without the dash beside
    movie.nfo, where ``base`` is empty."""
    dash = "-" if base else ""
    return {role: tuple(f"{dash}{role}.{ending}" for ending in ENDINGS) for role in (POSTER, FANART)}


class Pictures:
    """Reads pictures from the library, and keeps the last few: one performer is in many folders, and poster and
    fanart are often one cover. What cannot be used is told in ``report``, and is None."""

    def __init__(self, open_blob: Callable[[Blob], IO[bytes]], report: Report) -> None:
        self._open_blob, self._report = open_blob, report
        self._kept: OrderedDict[Blob, Picture] = OrderedDict()
        self._bytes = 0

    def read(self, blob: Blob, example: str) -> Picture | None:
        """The picture ``blob``, which is to be a file called ``example`` or so."""
        if blob in self._kept:
            self._kept.move_to_end(blob)
            return self._kept[blob]
        content = self._read(blob, example)
        if content is None:
            return None
        ending = ending_of(content)
        if not ending:
            self._report.because(NO_PICTURE, one_line(example))
            return None
        picture = Picture(content, ending, digest_of(content))
        self._keep(blob, picture)
        return picture

    def _read(self, blob: Blob, example: str) -> bytes | None:
        try:
            with self._open_blob(blob) as stream:
                content = stream.read(_LARGEST + 1)
        except PortabilityError as problem:
            if not isinstance(problem, RecordError) and problem.exit_code != EXIT_UNREADABLE:
                raise
            content = b""
        if 0 < len(content) <= _LARGEST:
            return content
        self._report.because(UNREADABLE, one_line(example))
        return None

    def _keep(self, blob: Blob, picture: Picture) -> None:
        self._kept[blob] = picture
        self._bytes += len(picture.content)
        while self._bytes > _KEPT:
            _, gone = self._kept.popitem(last=False)
            self._bytes -= len(gone.content)


class Hand:
    """Puts one picture at a time in its place, and takes ours away again. What is kept is told in ``report``."""

    def __init__(self, keeper: Keeper, report: Report) -> None:
        self.keeper, self._report = keeper, report

    def put(self, path: str, picture: Picture, noted: str | None, rivals: Mapping[str, str | None]) -> Outcome:
        """Put ``picture`` at ``path``, unless somebody else has one there, or (under another ending) at one of
        ``rivals``, for which stands what was noted of them. Raises NoSpace, and OutputNotUsable when nothing can be
        written in the folder."""
        with self._told(path):
            found = self.keeper.look(path)
            if found and not (found.holds(picture.content) or found.blank or is_ours(found, noted)):
                self._report.because(FOREIGN, one_line(path))
                return "theirs"
            rival = None if found else next((at for at, digest in rivals.items() if self._is_theirs(at, digest)), None)
            if rival:
                self._report.because(FOREIGN, one_line(rival))
                return "none"
            self._report.tally(f"pictures {self.keeper.put(path, picture.content, found)}")
            return "ours"
        return "none"

    def _is_theirs(self, path: str, noted: str | None) -> bool:
        found = self.keeper.look(path)
        return found is not None and not is_ours(found, noted)

    def remove(self, path: str, noted: str) -> None:
        """Remove the picture at ``path`` if it is ours by ``noted``. Raises as ``put`` does."""
        with self._told(path):
            found = self.keeper.look(path)
            if found and is_ours(found, noted):
                self.keeper.remove(found)
                self._report.tally("pictures removed")
            elif found:
                self._report.because(FOREIGN, one_line(path))

    @contextmanager
    def _told(self, path: str) -> Iterator[None]:
        try:
            yield
        except OutputNotUsable as problem:
            if is_shut(problem):
                raise
            self._report.because(str(problem.words["reason"]), one_line(path))


class Artwork:
    """Poster and fanart of scenes."""

    def __init__(self, names: Names, pictures: Pictures, hand: Hand) -> None:
        self._names, self._pictures, self._hand = names, pictures, hand

    def put(self, shown: Record, place: Place, noted: Mapping[str, str]) -> dict[str, str]:
        """Write the pictures of a scene beside the NFO at ``place``, in whose mark ``noted`` stands, and give what has
        to stand there now. Raises NoSpace, and OutputNotUsable when nothing can be written in the folder."""
        art: dict[str, str] = {}
        for (role, known), blob in zip(suffixes(place.base).items(), self._wanted(shown), strict=True):
            ours = {suffix: noted[suffix] for suffix in known if suffix in noted}
            picture = self._pictures.read(blob, place.picture(f"-{role}")) if isinstance(blob, Blob) else None
            if picture:
                ours = self._put(place, picture, known, ours)
            elif blob is None:
                ours = self._clear(place, ours)
            art.update(ours)
        return art

    def _wanted(self, shown: Record) -> tuple[Blob | bool | None, ...]:
        """The pictures for poster and fanart: None where there is none (any more), False where that is not known."""
        cover = shown.data.get("cover", False)
        entries = shown.data.get("groups") or ()
        fronts = ((self._names("group", entry["group"]) or {}).get("front_image") for entry in entries)
        return next((front for front in fronts if isinstance(front, Blob)), cover), cover

    def _put(self, place: Place, picture: Picture, known: tuple[str, ...], ours: dict[str, str]) -> dict[str, str]:
        suffix = next(one for one in known if one.endswith(picture.ending))
        rivals = {place.picture(other): ours.get(other) for other in known if other != suffix}
        outcome = self._hand.put(place.picture(suffix), picture, ours.get(suffix), rivals)
        if outcome != "ours":
            return ours
        self._clear(place, {other: digest for other, digest in ours.items() if other != suffix})
        return {suffix: picture.digest}

    def _clear(self, place: Place, ours: Mapping[str, str]) -> dict[str, str]:
        for suffix, digest in ours.items():
            self._hand.remove(place.picture(suffix), digest)
        return {}
