"""Portraits of performers, in the folder ``.actors`` beside their films, where Kodi looks for them by name.

Which of them are ours stands in a list in that folder: the name of the file, and its digest as in the marks of NFO
files. A portrait that is not in it, or not as noted, is somebody else's, unless it holds just what we would write.
"""

from __future__ import annotations

import json
from collections import OrderedDict
from dataclasses import dataclass, field
from hashlib import sha256
from unicodedata import normalize

from ...errors import OutputNotUsable, one_line
from ...model import Blob, Record, Report
from ...transform.paths import Names
from ...transform.rewrite import split
from ..pictures import ENDINGS
from ..template.names import safe_name
from .artwork import Hand, Picture, Pictures
from .document import actor_name
from .keeper import Found
from .places import Place, below, folded

FOLDER, LIST = ".actors", ".stash-portability.json"
SAME_NAME = "another performer's portrait has this name in this folder"
_MOST_FOLDERS = 2048


@dataclass(slots=True)
class _Folder:
    """One ``.actors``: the ``list`` as ``found``, by file name the digest of ours; and of this run, by the name as
    disks compare it, which performer (``taken``) has which file ("" for none). Nothing is done in one that is
    ``closed``."""

    path: str
    found: Found | None = None
    ours: dict[str, str] = field(default_factory=dict)
    taken: dict[str, tuple[str, str]] = field(default_factory=dict)
    changed: bool = False
    closed: bool = False


class Portraits:
    """Writes the portraits of scenes' performers. Keeps the state of the folders it was in last; ``close`` writes
    the lists of those."""

    def __init__(self, names: Names, pictures: Pictures, hand: Hand, report: Report) -> None:
        self._names, self._pictures, self._hand, self._report = names, pictures, hand, report
        self._folders: OrderedDict[str, _Folder] = OrderedDict()

    def put(self, shown: Record, place: Place) -> dict[str, str]:
        """Write the portraits of a scene's performers, and give by their uids where a media server finds them. Raises
        NoSpace."""
        found: dict[str, str] = {}
        for uid in shown.data.get("performers") or ():
            data = self._names("performer", uid)
            if not data or not data.get("name") or "image" not in data:
                continue
            name = self._put(uid, actor_name(data), data["image"], place.folder)
            if name:
                found[uid] = _seen_at(place.seen, FOLDER, name)
        return found

    def close(self) -> None:
        """Write the lists that changed. Raises NoSpace."""
        while self._folders:
            self._save(self._folders.popitem()[1])

    def _put(self, uid: str, label: str, blob: Blob | None, above: str) -> str:
        """Write one portrait; give the name of its file, "" for none."""
        folder = self._folder(below(above, FOLDER))
        if folder.closed:
            return ""
        stem = file_stem(label)
        owner, name = folder.taken.get(folded(stem), ("", ""))
        if owner and owner != uid:
            self._report.because(SAME_NAME, one_line(f"{folder.path}: {label}"))
            return ""
        if not owner:
            try:
                name = self._write(folder, stem, blob, above)
            except OutputNotUsable as problem:  # it may be the media server's own: no reason to go without the NFO
                self._report.because(str(problem.words["reason"]), one_line(folder.path))
                folder.closed = True
            folder.taken[folded(stem)] = uid, name
        return name

    def _write(self, folder: _Folder, stem: str, blob: Blob | None, above: str) -> str:
        picture = self._pictures.read(blob, below(folder.path, stem)) if blob else None
        if not picture:
            if not blob:
                self._clear(folder, stem, "")
            return next((name for name in _names(stem) if name in folder.ours), "")
        name = f"{stem}.{picture.ending}"
        rivals = {below(folder.path, other): folder.ours.get(other) for other in _names(stem) if other != name}
        self._hand.keeper.make_folder(folder.path, above)
        outcome = self._hand.put(below(folder.path, name), picture, folder.ours.get(name), rivals)
        if outcome == "ours":
            self._note(folder, name, picture)
            self._clear(folder, stem, name)
        return "" if outcome == "none" else name

    def _note(self, folder: _Folder, name: str, picture: Picture) -> None:
        folder.changed |= folder.ours.get(name) != picture.digest
        folder.ours[name] = picture.digest

    def _clear(self, folder: _Folder, stem: str, but: str) -> None:
        """Remove our portraits of this performer, ``but`` for one."""
        for name in _names(stem):
            if name != but and name in folder.ours:
                self._hand.remove(below(folder.path, name), folder.ours.pop(name))
                folder.changed = True

    def _folder(self, path: str) -> _Folder:
        if path in self._folders:
            self._folders.move_to_end(path)
            return self._folders[path]
        if len(self._folders) >= _MOST_FOLDERS:
            self._save(self._folders.popitem(last=False)[1])
        self._folders[path] = folder = self._opened(path)
        return folder

    def _opened(self, path: str) -> _Folder:
        keeper = self._hand.keeper
        try:
            found = keeper.look(below(path, LIST)) if keeper.is_folder(path) else None
            return _Folder(path, found, read_list(found.content if found else b""))
        except OutputNotUsable as problem:
            self._report.because(str(problem.words["reason"]), one_line(path))
            return _Folder(path, closed=True)

    def _save(self, folder: _Folder) -> None:
        if not folder.changed:
            return
        path = below(folder.path, LIST)
        content = json.dumps(folder.ours, ensure_ascii=False, indent=1, sort_keys=True).encode() + b"\n"
        try:
            self._hand.keeper.put(path, content, folder.found)
        except OutputNotUsable as problem:
            self._report.because(str(problem.words["reason"]), one_line(path))


def read_list(content: bytes) -> dict[str, str]:
    """The digests of our portraits by their names, from the list in a folder; none when it is damaged."""
    try:
        found = json.loads(content or b"{}")
    except (ValueError, RecursionError):
        return {}
    if not isinstance(found, dict):
        return {}
    return {name: digest for name, digest in found.items() if isinstance(digest, str)}


def file_stem(label: str) -> str:
    """What the portrait of a performer is called: the name with ``_`` for blanks, as Kodi looks for it; with a digest
    where it holds what no file name can, so that two such names are two files."""
    safe = safe_name(label, "jpg").removesuffix(".jpg")
    digest = "" if safe == normalize("NFC", label) else f"-{sha256(label.encode('utf-8', 'replace')).hexdigest()[:8]}"
    return safe.replace(" ", "_") + digest


def _names(stem: str) -> list[str]:
    return [f"{stem}.{ending}" for ending in ENDINGS]


def _seen_at(folder: str, *names: str) -> str:
    """A path in ``folder``, which may be of another system, with its separator."""
    windows = split(folder).windows and "/" not in folder
    separator = "\\" if windows else "/"
    return separator.join((folder.rstrip("/\\" if windows else "/"), *names))
