"""NFO files of ours that no scene needs any more: listed, and on request removed with their pictures.

Ours is what has our mark, and was written in the same way (beside the media, or in a folder of its own). Removed is
only what is as we left it, and of the pictures only those whose digest stands in that mark. Where the places of some
scenes are not known, nothing is. On the way, unfinished files that dead runs left are cleared away.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator

from ...errors import OutputNotUsable, one_line
from ...model import Report
from .artwork import Hand, suffixes
from .keeper import Found, Keeper, is_partial
from .merge import MOST_BYTES
from .places import ENDING, MOVIE, Claims, below
from .text import Mark, read_mark, untouched

LEFT_OVER = "the scene of this NFO is not in Stash any more, or lies elsewhere"
EDITED = "the scene of this NFO is not in Stash any more, or lies elsewhere, but it was edited since; it was kept"
NO_SCENES = "no scene was found in Stash at all, so no NFO was taken for one that is left over"
NOT_ALL_KNOWN = "where some scenes lie is not known, so no NFO was taken for one that is left over"
NOT_LOOKED_IN = "this folder could not be looked into for NFO files that are left over"


class Orphans:
    """Looks for NFO files that are left over. Raises NoSpace."""

    def __init__(self, claims: Claims, keeper: Keeper, report: Report, *, remove: bool) -> None:
        self._claims, self._keeper, self._report, self._remove = claims, keeper, report, remove
        self._hand = Hand(keeper, report)

    def sweep(self, covered: Iterable[str]) -> None:
        """Look through the folders ``covered`` and all below them, but for links to folders."""
        doubt = NO_SCENES if not self._claims.scenes else NOT_ALL_KNOWN if self._claims.unknown else ""
        for top in outermost(covered):
            for folder, name in self._walk(top):
                if is_partial(name):
                    self._keeper.clear(below(folder, name))
                elif not doubt and not self._claims.holds(folder, name):
                    self._look_at(folder, name)
        if doubt:
            self._report.notes.append(doubt)

    def _walk(self, top: str) -> Iterator[tuple[str, str]]:
        """Every NFO and every unfinished file under ``top``: its folder and its name."""
        waiting = [top]
        while waiting:
            folder = waiting.pop()
            try:
                with os.scandir(folder) as entries:
                    names, inner = _sorted_out(entries)
            except FileNotFoundError:
                continue
            except (OSError, ValueError):
                self._report.because(NOT_LOOKED_IN, one_line(folder))
                continue
            yield from ((folder, name) for name in names)
            waiting += inner

    def _look_at(self, folder: str, name: str) -> None:
        """List, or remove, the NFO of which no scene has the place; if it is ours."""
        path = below(folder, name)
        try:
            found = self._keeper.look(path)
            mark = read_mark(found.content) if found and found.status.st_size <= MOST_BYTES else None
            if not found or not mark or mark.apart is not self._claims.apart:
                return
            if not untouched(found.content, mark):
                self._report.because(EDITED, one_line(path))
            elif not self._remove:
                self._report.because(LEFT_OVER, one_line(path))
            else:
                self._remove_all(folder, found, mark)
        except OutputNotUsable as problem:
            self._report.because(str(problem.words["reason"]), one_line(path))

    def _remove_all(self, folder: str, found: Found, mark: Mark) -> None:
        """The pictures first: as long as the NFO is there, its mark tells that they are ours."""
        name = os.path.basename(found.path)  # noqa: PTH119
        bases = (name.removesuffix(ENDING), "") if name == MOVIE else (name.removesuffix(ENDING),)
        for base in bases:
            for suffix in (one for ends in suffixes(base).values() for one in ends):
                if suffix in mark.art:
                    self._hand.remove(below(folder, base + suffix), mark.art[suffix])
        self._keeper.remove(found)
        self._report.tally("removed")


def outermost(folders: Iterable[str]) -> list[str]:
    """``folders`` without those that lie in another of them."""
    kept: list[str] = []
    for folder in sorted(map(os.path.abspath, folders)):
        if not any(folder == top or folder.startswith(top.rstrip(os.sep) + os.sep) for top in kept):
            kept.append(folder)
    return kept


def _sorted_out(entries: Iterable[os.DirEntry[str]]) -> tuple[list[str], list[str]]:
    """The names of ``entries`` that matter here, and the paths of the folders among them."""
    names: list[str] = []
    folders: list[str] = []
    for entry in entries:
        if entry.is_dir(follow_symlinks=False):
            folders.append(entry.path)
        elif entry.name.endswith(ENDING) or is_partial(entry.name):
            # A link is never ours. What is asked of an entry here costs no look at the disk.
            names += [entry.name] if entry.is_file(follow_symlinks=False) else []
    return sorted(names), sorted(folders, reverse=True)
