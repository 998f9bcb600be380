"""Our own NFO file back: the scene, and the names it uses. Pure but for parsing.

What cannot come back is in dialects.LOSSES. What was taken over from somebody else's file (``Mark.kept``) is not
Stash's and is passed over. References are names, since a media server knows no others.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from xml.etree.ElementTree import Element

from ...errors import Unreadable
from ...model import Record
from .dialects import STANDS_IN
from .merge import open_nfo
from .text import ALL_KEPT, Mark, read_mark

SCENE_FIELDS = (
    "title", "code", "date", "details", "director", "urls", "rating100", "studio", "performers", "tags", "groups",
    "stash_ids", "play_history", "resume_time", "created_at",
)  # fmt: skip
"""The fields of a scene that come back, as far as they were written."""
NAMED_FIELDS: dict[str, tuple[str, ...]] = {
    "group": ("name", "synopsis"),
    "performer": ("name",),
    "studio": ("name",),
    "tag": ("name",),
}
"""The fields of the things that scenes name."""

_OURS = re.compile(rb"""type=["']stash["']""").search
_MOMENT = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\Z").match
_JOINED = frozenset(("uniqueid", "ratings"))
"""Elements that may hold both ours and theirs; ours are known by themselves."""


@dataclass(frozen=True, slots=True)
class Read:
    """The scene of a file, and the data of what it names, by kind and name."""

    record: Record
    named: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict)


def scene_of(content: bytes) -> str | None:
    """The uid of the scene a file is of; None when it is none of ours. Raises Unreadable."""
    mark = read_mark(content)
    if mark:
        return mark.scene
    return _uid(_root(content)) if _OURS(content) else None


def read(content: bytes) -> Read | None:
    """What one of our files (or one that names a scene of Stash as its id) says; None when it is none. Raises
    Unreadable when it cannot be read."""
    mark = read_mark(content)
    if mark is None and not _OURS(content):
        return None
    found = _Found(_root(content), mark or Mark(""))
    uid = mark.scene if mark else _uid(found.root)
    if not uid:
        return None
    values = {name: value for name, one in _READERS.items() if (value := one(found)) not in (None, [])}
    return Read(Record("scene", uid, values), found.named)


def _root(content: bytes) -> Element:
    opened = open_nfo(content)
    if opened is None:
        raise Unreadable(path="it", reason="it is no XML about one video")
    return opened[0]


def _uid(root: Element) -> str | None:
    return next((one.text for one in root.iterfind("uniqueid") if one.get("type") == "stash" and one.text), None)


class _Found:
    """The elements of a file that are ours, and the names met in them."""

    def __init__(self, root: Element, mark: Mark) -> None:
        self.root = root
        self.named: dict[tuple[str, str], dict[str, Any]] = {}
        self._kept = frozenset(mark.kept) - _JOINED

    def all(self, tag: str) -> list[Element]:
        """Our elements called ``tag``."""
        return [] if tag in self._kept or ALL_KEPT in self._kept else self.root.findall(tag)

    def texts(self, tag: str) -> list[str]:
        """Their texts."""
        return [one.text for one in self.all(tag) if one.text]

    def text(self, tag: str) -> str | None:
        """The first of them."""
        return next(iter(self.texts(tag)), None)

    def name(self, kind: str, name: str, **more: str) -> str:
        """Note that ``name`` is met; it is its own uid."""
        data = self.named.setdefault((kind, name), {"name": name})
        for key, value in more.items():
            data.setdefault(key, value)
        return name

    def names(self, kind: str, names: list[str]) -> list[str]:
        """Note that ``names`` are met; give them as references."""
        return sorted({self.name(kind, name) for name in names})


def _title(found: _Found) -> str | None:
    stands_in = any(not isinstance(one.tag, str) and one.text == STANDS_IN for one in found.root)
    return None if stands_in else found.text("title")


def _date(found: _Found) -> str | None:
    return found.text("premiered") or found.text("year")


def _rating(found: _Found) -> int | None:
    for rating in found.root.iterfind("ratings/rating"):
        if rating.get("name") == "stash":
            return _tenfold(rating.findtext("value"))
    return _tenfold(found.text("userrating")) or None  # 0 is none to a server that has no more than this


def _tenfold(text: str | None) -> int | None:
    value = _number(text)
    return None if value is None or not 0 <= value <= 10 else round(value * 10)


def _number(text: str | None) -> float | None:
    try:
        return float(text or "")
    except ValueError:
        return None


def _studio(found: _Found) -> str | None:
    name = found.text("studio")
    return found.name("studio", name) if name else None


def _performers(found: _Found) -> list[str]:
    names = [name for actor in found.all("actor") if (name := actor.findtext("name"))]
    return found.names("performer", names)


def _groups(found: _Found) -> list[dict[str, Any]]:
    groups: dict[str, int | None] = {}
    for one in found.all("set"):
        name, overview, index = one.findtext("name"), one.findtext("overview"), _number(one.findtext("index"))
        if name and name not in groups:
            found.name("group", name, **({"synopsis": overview} if overview else {}))
            groups[name] = None if index is None else int(index)
    return [{"group": name, "scene_index": groups[name]} for name in sorted(groups)]


def _stash_ids(found: _Found) -> list[dict[str, str]]:
    ids = {(one.get("endpoint", ""), one.text) for one in found.all("uniqueid") if one.get("endpoint") and one.text}
    return [{"endpoint": endpoint, "stash_id": uid} for endpoint, uid in sorted(ids)]


def _plays(found: _Found) -> list[str]:
    last = _moment(found.text("lastplayed"))
    return [last] if last else []


def _moment(text: str | None) -> str | None:
    return f"{text[:10]}T{text[11:]}Z" if text and _MOMENT(text) else None


def _resume(found: _Found) -> float | None:
    return next((_number(one.findtext("position")) for one in found.all("resume")), None)


_READERS: dict[str, Callable[[_Found], Any]] = {
    "title": _title,
    "code": lambda found: found.text("code"),
    "date": _date,
    "details": lambda found: found.text("plot"),
    "director": lambda found: ", ".join(found.texts("director")) or None,
    "urls": lambda found: found.texts("url"),
    "rating100": _rating,
    "studio": _studio,
    "performers": _performers,
    "tags": lambda found: found.names("tag", found.texts("tag")),
    "groups": _groups,
    "stash_ids": _stash_ids,
    "play_history": _plays,
    "resume_time": _resume,
    "created_at": lambda found: _moment(found.text("dateadded")),
}
