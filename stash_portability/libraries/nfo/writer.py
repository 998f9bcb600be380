"""Writes the NFO files of scenes, one for each of their files, with their pictures, as the choices say.

What is not ours is not touched, or merged with its old bytes kept beside; what is the same is not written. Each file
comes into its place by one rename, pictures first, so that a run that was killed is finished by the next one.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import IO, Any
from xml.etree.ElementTree import Element

from ...errors import OutputNotUsable, PortabilityError, one_line
from ...model import Blob, Record, Report
from ...transform.paths import Names
from .artwork import Artwork, Hand, Pictures
from .dialects import DIALECTS
from .document import Look, document
from .keeper import TOO_LARGE, Found, Keeper, told
from .merge import MOST_BYTES, merge, open_nfo
from .places import Claims, Place, Places
from .portraits import Portraits
from .text import Mark, read_mark, serialise, untouched

FOREIGN = "a foreign NFO lies there, or ours was edited since; it was kept"
NOT_MERGED = "a foreign NFO lies there that cannot be merged with (it is no XML about one film); it was kept"


@dataclass(frozen=True, slots=True)
class Reading:
    """What the writer asks of the library: ``names`` gives what is referred to (performers and groups with the images
    that privacy lets out), ``open_blob`` the bytes of an image; ``paths``: whether paths may be told."""

    names: Names
    open_blob: Callable[[Blob], IO[bytes]]
    paths: bool = True


@dataclass(frozen=True, slots=True)
class Draft:
    """An NFO that could be written: where, and what would be in it."""

    place: str
    text: str


@dataclass(frozen=True, slots=True)
class _Old:
    """The NFO that is there: the file, its mark if it has one, and whether it is as we left it."""

    found: Found | None = None
    mark: Mark | None = None
    ours: bool = True


class NfoWriter:
    """A context manager: leaving it writes what was held back, also after an error. ``report`` gets "written",
    "unchanged", "skipped" and so on by NFO file, and every reason."""

    def __init__(self, places: Places, claims: Claims, reading: Reading, keeper: Keeper, report: Report) -> None:
        self._places, self._claims, self._reading = places, claims, reading
        self._keeper, self._report = keeper, report
        self._choices, self._dialect = places.choices, DIALECTS[places.choices.profile]
        pictures, hand = Pictures(reading.open_blob, report), Hand(keeper, report)
        self._artwork = Artwork(reading.names, pictures, hand)
        self._portraits = Portraits(reading.names, pictures, hand, report)

    def __enter__(self) -> NfoWriter:
        if not self._choices.beside:
            with told(self._places.to):
                os.makedirs(self._places.to, exist_ok=True)  # noqa: PTH103
        return self

    def __exit__(self, kind: Any, error: BaseException | None, trace: Any) -> None:
        try:
            self._portraits.close()
        except PortabilityError:
            if error is None:
                raise
        finally:
            self._keeper.settle()

    def put(self, raw: Record, shown: Record) -> None:
        """Write the NFO files of a scene: ``raw`` has the paths of its files whatever privacy says, ``shown`` what may
        be told. What cannot be written is skipped with its reason; raises NoSpace when the disk is full."""
        done: set[str] = set()
        for index, file in _files(raw):
            try:
                place = self._place(raw, file)
                if place.nfo not in done:
                    done.add(place.nfo)
                    self._put(place, shown, index)
            except OutputNotUsable as problem:
                self._report.tally("skipped")
                self._report.because(str(problem.words["reason"]), one_line(_where(problem, raw)))

    def drafts(self, raw: Record, shown: Record) -> Iterator[Draft]:
        """What ``put`` would write where nothing lies yet, without pictures; nothing is looked at on the disk."""
        for index, file in _files(raw):
            try:
                place = self._places.candidates(file)[0]
            except OutputNotUsable as problem:
                self._report.because(str(problem.words["reason"]), one_line(_where(problem, raw)))
                continue
            made = document(shown, self._reading.names, self._dialect, _file(shown, index), self._look(place, {}))
            yield Draft(place.nfo, serialise(made.element, self._mark(shown, {})).decode())

    def _place(self, raw: Record, file: Mapping[str, Any] | None) -> Place:
        place = self._places.find(file)
        self._claims.check(raw.uid, place)
        return place

    def _put(self, place: Place, shown: Record, index: int) -> None:
        old = self._old(place)
        if not old.ours and self._choices.foreign == "keep":
            raise OutputNotUsable(path=place.nfo, reason=FOREIGN)
        if not old.ours and (not old.found or open_nfo(old.found.content) is None):
            raise OutputNotUsable(path=place.nfo, reason=NOT_MERGED)
        if not self._choices.beside:
            self._keeper.make_folder(place.folder, self._places.to)
        art: Mapping[str, str] = old.mark.art if old.mark else {}
        portraits: Mapping[str, str] = {}
        if self._choices.artwork:
            art = self._artwork.put(shown, place, art)
            portraits = self._portraits.put(shown, place)
        look = self._look(place, portraits if self._reading.paths else {})
        made = document(shown, self._reading.names, self._dialect, _file(shown, index), look)
        content = _merged(made.element, self._mark(shown, art), old, place)
        self._replace(place, content, old)
        for change in made.changes:
            self._report.because(change, one_line(place.nfo))

    def _mark(self, shown: Record, art: Mapping[str, str]) -> Mark:
        return Mark(shown.uid, art=art, apart=not self._choices.beside)

    def _look(self, place: Place, portraits: Mapping[str, str]) -> Look:
        return Look(place.stem, self._choices.genres, portraits)

    def _old(self, place: Place) -> _Old:
        found = self._keeper.look(place.nfo)
        if found is None or found.blank:
            return _Old(found)
        if found.status.st_size > MOST_BYTES:
            raise OutputNotUsable(path=place.nfo, reason=TOO_LARGE)
        mark = read_mark(found.content)
        return _Old(found, mark, mark is not None and untouched(found.content, mark))

    def _replace(self, place: Place, content: bytes, old: _Old) -> None:
        if old.found and not old.ours and self._keeper.set_aside(old.found):
            self._report.tally("kept versions")
        self._report.tally(self._keeper.put(place.nfo, content, old.found))


def _merged(element: Element, mark: Mark, old: _Old, place: Place) -> bytes:
    """The bytes to write: with what stays of the file that is there. Raises OutputNotUsable when it cannot be read."""
    if not old.found or (old.ours and not (old.mark and old.mark.kept)):
        return serialise(element, mark)
    both = merge(element, old.found.content, old.mark.kept if old.mark else None)
    if both is None:
        raise OutputNotUsable(path=place.nfo, reason=NOT_MERGED)
    return serialise(both.element, replace(mark, kept=both.kept), both.after)


def _files(raw: Record) -> Iterator[tuple[int, Mapping[str, Any] | None]]:
    files = raw.data.get("files") or (None,)
    yield from enumerate(files)


def _file(shown: Record, index: int) -> Mapping[str, Any] | None:
    """The facts of the file ``index`` that may be told."""
    files = shown.data.get("files") or ()
    found: Mapping[str, Any] | None = files[index] if index < len(files) else None
    return found


def _where(problem: OutputNotUsable, raw: Record) -> str:
    return str(problem.words.get("path") or f"scene {raw.uid}")
