"""From a scene to the elements of its NFO file. Pure.

One form that all four servers read, with what differs in dialects.py (whose docstring names the sources of the rules):

- ``userrating`` is a whole number, because Kodi cuts it (``GetInt``); the exact value is a rating on a scale of 10,
  because Jellyfin takes the value of any scale as one of 10. Any rating above 0 is at least 1, since 0 is none to Kodi.
- ``premiered`` only holds full dates: Jellyfin parses nothing else, and a made-up first of January would be read back.
- ``lastplayed``, ``dateadded``: UTC without a zone, as Jellyfin writes them; Kodi takes the day.
- ``uniqueid`` "stash" outlives Jellyfin's rewriting (it copies elements it does not know). Beside it is one for each
  stash-box, whose address is in ``endpoint``.
- ``set`` with ``name``, ``overview`` and ``index`` (the last is read by Stash's nfoSceneParser, by no server).
- ``url`` and ``code`` are read by nfoSceneParser and Kodi; the others pass over them.

A field that is missing in the record (privacy took it, or the source has none) has no elements.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any
from urllib.parse import urlsplit
from xml.etree.ElementTree import Comment, Element, SubElement

from ...model import Record
from ...transform.paths import Names
from ...transform.walk import label
from .dialects import STANDS_IN, Dialect
from .text import clean

SLASH_REWRITTEN = "a name with ' / ' was written with ' & ', because it would be split there"
COMMA_REWRITTEN = "the comma in a director's name was left out, because it would be split there"
SETS_LEFT_OUT = "only the first of several groups was written, because one set is read"
MONTH_LEFT_OUT = "a date without its day was written as its year"

_SLASH = re.compile(r"\s/(?=\s)")
_SUFFIX = re.compile(r"(?i)(jr|sr|esq|ph\.?d|ii|iii|iv)\.?\Z").match
_NOT_NAME = re.compile(r"[^a-z0-9.-]")
_FULL_DATE = re.compile(r"\d{4}-\d\d-\d\d\Z").match
_UNKNOWN_LANGUAGE = "00"
_BOXES = {
    "https://stashdb.org/graphql": "stashdb",
    "https://fansdb.cc/graphql": "fansdb",
    "https://theporndb.net/graphql": "tpdb",
}


@dataclass(frozen=True, slots=True)
class Look:
    """What a document depends on besides its scene: the ``stem`` of the file, for a missing title; which tags are also
    ``genres`` ("all", "none", or the name of the tag whose direct sub-tags are); and by the uid of a performer what is
    written as the place of the ``portraits``."""

    stem: str
    genres: str = "all"
    portraits: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Document:
    """The root ``element`` (``movie``), and in words the ``changes``: what had to be written otherwise or left out."""

    element: Element
    changes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Work:
    """One document in the making."""

    record: Record
    names: Names
    dialect: Dialect
    file: Mapping[str, Any] | None
    look: Look
    root: Element
    changes: dict[str, None]

    def add(self, tag: str, text: str) -> None:
        """Add an element right below the root."""
        SubElement(self.root, tag).text = text

    def known(self, kind: str, uids: Iterable[str]) -> Iterator[tuple[str, Mapping[str, Any]]]:
        """Those of the records ``uids`` that are known and have a name."""
        for uid in uids:
            data = self.names(kind, uid)
            if data and data.get("name"):
                yield uid, data

    def item(self, text: str) -> str:
        """``text`` as an item of a list that the server may split."""
        if not self.dialect.splits or (written := _SLASH.sub(" &", clean(text))) == clean(text):
            return text
        return self.changed(SLASH_REWRITTEN, written)

    def changed(self, why: str, text: str = "") -> str:
        """Note why ``text`` is not as it was."""
        self.changes[why] = None
        return text


def document(record: Record, names: Names, dialect: Dialect, file: Mapping[str, Any] | None, look: Look) -> Document:
    """The NFO of ``file`` (one of ``record.data["files"]``, or None) of a scene, whatever fields it has."""
    work = _Work(record, names, dialect, file, look, Element("movie"), {})
    for write in _WRITERS:
        write(work)
    return Document(work.root, tuple(work.changes))


def actor_name(data: Mapping[str, Any]) -> str:
    """What a performer is called in an NFO file, which Kodi also looks for in ``.actors/``: the name, with the
    disambiguation, because to a media server one name is one person."""
    return label("performer", "", data)


def box_type(endpoint: str) -> str:
    """The type of a stash-box's ids: its short name, its host, or its host with a digest of the whole address, so that
    two boxes never share one (Kodi and Jellyfin keep one id of a type), and always a name XML can have."""
    if endpoint in _BOXES:
        return _BOXES[endpoint]
    host = _NOT_NAME.sub("-", _host(endpoint))
    if endpoint == f"https://{host}/graphql" and "." in host:
        return host
    return f"{host or 'box'}-{sha256(endpoint.encode('utf-8', 'replace')).hexdigest()[:8]}"


def _host(endpoint: str) -> str:
    try:
        return urlsplit(endpoint).hostname or ""
    except ValueError:
        return ""


def _title(work: _Work) -> None:
    title = work.record.data.get("title")
    if not title:
        work.root.append(Comment(STANDS_IN))
    work.add("title", title or work.look.stem)


def _rating(work: _Work) -> None:
    rating = work.record.data.get("rating100")
    if rating is None:
        return
    exact = f"{rating // 10}.{rating % 10}"
    one = SubElement(SubElement(work.root, "ratings"), "rating", {"name": "stash", "max": "10", "default": "true"})
    SubElement(one, "value").text = exact
    work.add("userrating", str(max((rating + 5) // 10, int(rating > 0))))
    if work.dialect.rating:
        work.add("rating", exact)


def _plot(work: _Work) -> None:
    if details := work.record.data.get("details"):
        work.add("plot", details)


def _runtime(work: _Work) -> None:
    if duration := (work.file or {}).get("duration"):
        work.add("runtime", str(max(1, int(duration // 60))))


def _plays(work: _Work) -> None:
    if plays := work.record.data.get("play_history"):
        work.add("playcount", str(len(plays)))
        work.add("watched", "true")  # Jellyfin throws at True
        work.add("lastplayed", _moment(plays[-1]))


def _moment(time: str) -> str:
    return f"{time[:10]} {time[11:19]}"


def _ids(work: _Work) -> None:
    if work.record.uid:
        SubElement(work.root, "uniqueid", {"type": "stash", "default": "true"}).text = work.record.uid
    for entry in work.record.data.get("stash_ids") or ():
        endpoint, found = entry.get("endpoint"), entry.get("stash_id")
        if endpoint and found:
            SubElement(work.root, "uniqueid", {"type": box_type(endpoint), "endpoint": endpoint}).text = found


def _tags(work: _Work) -> None:
    tags = list(work.known("tag", work.record.data.get("tags") or ()))
    for _, data in tags:
        if _is_genre(data, work):
            work.add("genre", work.item(data["name"]))
    for _, data in tags:
        work.add("tag", work.item(data["name"]))


def _is_genre(data: Mapping[str, Any], work: _Work) -> bool:
    rule = work.look.genres
    if rule == "none" or (work.dialect.whole_genres and "/" in data["name"]):
        return False
    if rule == "all":
        return True
    above = work.known("tag", data.get("parents") or ())
    return any(parent["name"].casefold() == rule.casefold() for _, parent in above)


def _groups(work: _Work) -> None:
    entries = {entry["group"]: entry.get("scene_index") for entry in work.record.data.get("groups") or ()}
    groups = list(work.known("group", entries))
    if len(groups) > 1 and not work.dialect.several_sets:
        groups = [min(groups, key=lambda group: _place(entries[group[0]], group[0]))]
        work.changed(SETS_LEFT_OUT)
    for uid, data in groups:
        one = SubElement(work.root, "set")
        SubElement(one, "name").text = data["name"]
        if data.get("synopsis"):
            SubElement(one, "overview").text = data["synopsis"]
        if entries[uid] is not None:
            SubElement(one, "index").text = str(entries[uid])


def _place(index: int | None, uid: str) -> tuple[bool, int, tuple[int, str]]:
    return index is None, index or 0, (int(uid), "") if uid.isascii() and uid.isdigit() else (0, uid)


def _directors(work: _Work) -> None:
    for name in split_names(work.record.data.get("director") or ""):
        if work.dialect.commas and "," in name:
            work.add("director", work.changed(COMMA_REWRITTEN, name.replace(",", "")))
        else:
            work.add("director", work.item(name))


def split_names(text: str) -> list[str]:
    """The people in a text that Stash keeps as one: parted by commas, but for the one before Jr."""
    names: list[str] = []
    for piece in filter(None, map(str.strip, text.split(","))):
        if names and _SUFFIX(piece):
            names[-1] += f", {piece}"
        else:
            names.append(piece)
    return names


def _date(work: _Work) -> None:
    date = work.record.data.get("date")
    if not date:
        return
    if _FULL_DATE(date):
        work.add("premiered", date)
        work.add("releasedate", date)
    elif len(date) > len("2006"):
        work.changed(MONTH_LEFT_OUT)
    work.add("year", date[:4])


def _code(work: _Work) -> None:
    if code := work.record.data.get("code"):
        work.add("code", code)


def _studio(work: _Work) -> None:
    studio = work.record.data.get("studio")
    for _, data in work.known("studio", (studio,) if studio else ()):
        work.add("studio", work.item(data["name"]))


def _urls(work: _Work) -> None:
    for url in work.record.data.get("urls") or ():
        work.add("url", url)


def _streams(work: _Work) -> None:
    facts = work.file or {}
    found = Element("streamdetails")
    _leaves(found, "video", _video(facts))
    _leaves(found, "audio", {"codec": facts.get("audio_codec")})
    for language in _languages(work):
        _leaves(found, "subtitle", {"language": language})
    if len(found):
        SubElement(work.root, "fileinfo").append(found)


def _video(facts: Mapping[str, Any]) -> dict[str, str | None]:
    width, height, duration = facts.get("width"), facts.get("height"), facts.get("duration")
    return {
        "codec": facts.get("video_codec"),
        "aspect": f"{width / height:.6f}" if width and height else None,
        "width": str(width) if width else None,
        "height": str(height) if height else None,
        "durationinseconds": str(max(1, round(duration))) if duration else None,
    }


def _languages(work: _Work) -> list[str]:
    """The languages of the captions, which are those of the primary file; ``und`` is ISO 639-2's word for unknown."""
    files = work.record.data.get("files")
    if not files or work.file != files[0]:
        return []
    codes = {entry.get("language_code") for entry in work.record.data.get("captions") or ()}
    return sorted({"und" if code == _UNKNOWN_LANGUAGE else code for code in codes if code})


def _leaves(parent: Element, tag: str, texts: Mapping[str, str | None]) -> None:
    if any(texts.values()):
        element = SubElement(parent, tag)
        for name, text in texts.items():
            if text:
                SubElement(element, name).text = text


def _actors(work: _Work) -> None:
    typed, portraits = work.dialect.typed_actors, work.look.portraits
    for order, (uid, data) in enumerate(work.known("performer", work.record.data.get("performers") or ())):
        actor = SubElement(work.root, "actor")
        SubElement(actor, "name").text = actor_name(data)
        if typed:
            SubElement(actor, "type").text = "Actor"
        SubElement(actor, "order").text = str(order)
        if typed:
            SubElement(actor, "sortorder").text = str(order)
        if uid in portraits and (work.dialect.portraits or not _found_by_name(portraits[uid], actor_name(data))):
            SubElement(actor, "thumb").text = portraits[uid]


def _found_by_name(portrait: str, name: str) -> bool:
    """Whether Kodi finds the picture of an actor in ``.actors/`` itself: its name is the actor's with ``_`` for every
    blank, and it ends in .jpg or .png (measured with Kodi 20.1)."""
    stem, _, ending = re.split(r"[/\\]", portrait)[-1].rpartition(".")
    return stem == name.replace(" ", "_") and ending.lower() in ("jpg", "png")


def _resume(work: _Work) -> None:
    position, total = work.record.data.get("resume_time"), (work.file or {}).get("duration")
    if position:
        resume = SubElement(work.root, "resume")
        SubElement(resume, "position").text = repr(position)
        if total:
            SubElement(resume, "total").text = repr(total)


def _added(work: _Work) -> None:
    if created := work.record.data.get("created_at"):
        work.add("dateadded", _moment(created))


_WRITERS: tuple[Callable[[_Work], None], ...] = (
    _title, _rating, _plot, _runtime, _plays, _ids, _tags, _groups, _directors, _date, _code, _studio, _urls,
    _streams, _actors, _resume, _added,
)  # fmt: skip
