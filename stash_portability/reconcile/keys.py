"""By what records of two libraries are known to be the same thing: for each kind a ladder, the surest rung first. Pure.

A rung gives a record's keys; records of both sides that share one are candidates for each other.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from ..json_text import dumps
from ..model import Data
from .doubts import other_content, other_disambiguation, other_ids, other_name, other_year
from .rules import blob_fields, fold, reference_fields, written

Refer = Callable[[str, str], "str | None"]
"""Kind and id of what a record refers to → the target's id of it, or None when it has none there."""


class Look(NamedTuple):
    """A record as a rung looks at it: its data, whether it is of the source, and how to follow its references."""

    data: Data
    ours: bool
    refer: Refer


class Rung(NamedTuple):
    """``why`` is for people: what is shared. ``twins``: those that share a key are paired in their order, one by one,
    because alike parts of one thing are allowed; else a pair must be alone with its key. ``all``: records that are
    paired already count as candidates too, so that what several have is never enough; not for the same bytes, of which
    any is as good. ``but`` gives of two records what speaks against them being the same, "" for nothing: they are not
    paired, and with ``tells`` that is told. ``members``: their images must be the same too."""

    why: str
    keys: Callable[[Look], Iterable[tuple[Any, ...]]]
    twins: bool = False
    all: bool = True
    but: Callable[[Data, Data], str] | None = None
    tells: bool = True
    members: bool = False


def key_texts(rung: Rung, look: Look) -> set[str]:
    """A record's keys at ``rung``, as texts. A key with an empty part is none."""
    return {dumps(key).decode() for key in rung.keys(look) if all(part not in (None, "") for part in key)}


def likeness(kind: str, data: Data) -> bytes:
    """What two records share that hold the same but for what they refer to, and their images."""
    left_out = {field.name for field, _ in reference_fields(kind)} | set(blob_fields(kind))
    return dumps([data.get(field.name) for field in written(kind) if field.name not in left_out])


def _stash_ids(look: Look) -> Iterator[tuple[Any, ...]]:
    for entry in look.data.get("stash_ids") or ():
        yield entry.get("endpoint"), entry.get("stash_id")


def _of(*names: str, folded: bool = False) -> Callable[[Look], Iterator[tuple[Any, ...]]]:
    """The key of these fields; the first must not be empty."""

    def keys(look: Look) -> Iterator[tuple[Any, ...]]:
        first, *rest = (look.data.get(name) for name in names)
        if first not in (None, ""):
            yield (fold(first), [fold(value) for value in rest]) if folded else (first, rest)

    return keys


def _aliases(look: Look, flip: bool) -> Iterator[tuple[Any, ...]]:
    """The name on one side, the aliases on the other."""
    if look.ours is flip:
        yield (fold(look.data.get("name")),)
    else:
        yield from ((fold(alias),) for alias in look.data.get("aliases") or ())


def _own_aliases(look: Look) -> Iterator[tuple[Any, ...]]:
    return _aliases(look, False)


def _their_aliases(look: Look) -> Iterator[tuple[Any, ...]]:
    return _aliases(look, True)


def _name_alone(look: Look) -> Iterator[tuple[Any, ...]]:
    """A performer with a disambiguation on one side, one of that name without on the other."""
    has = bool(look.data.get("disambiguation"))
    yield fold(look.data.get("name")), "ours" if look.ours is has else "theirs"


def _print(*types: str) -> Callable[[Look], Iterator[tuple[Any, ...]]]:
    def keys(look: Look) -> Iterator[tuple[Any, ...]]:
        for file in look.data.get("files") or ():
            for one in file.get("fingerprints") or ():
                if one.get("type") in types:
                    yield one["type"], one.get("value")

    return keys


def _first_print(look: Look) -> Iterator[tuple[Any, ...]]:
    """Of the file that plays: after a scan alone, the other files of a scene are scenes of their own."""
    for file in (look.data.get("files") or ())[:1]:
        for one in file.get("fingerprints") or ():
            if one.get("type") in ("oshash", "md5"):
                yield one["type"], one.get("value")


def _size_and_name(look: Look) -> Iterator[tuple[Any, ...]]:
    for file in look.data.get("files") or ():
        duration, path = file.get("duration"), file.get("path") or ""
        name = re.split(r"[\\/]", path)[-1]
        yield file.get("size"), None if duration is None else round(duration), fold(name)


def _paths(look: Look) -> Iterator[tuple[Any, ...]]:
    for file in look.data.get("files") or ():
        yield (file.get("path"),)


def _folder(look: Look) -> Iterator[tuple[Any, ...]]:
    yield (look.data.get("folder"),)


def _folder_name(look: Look) -> Iterator[tuple[Any, ...]]:
    """What the folder is called, wherever it is now."""
    yield (re.split(r"[\\/]", look.data.get("folder") or "")[-1],)


def _urls(look: Look) -> Iterator[tuple[Any, ...]]:
    yield from ((url,) for url in look.data.get("urls") or ())


def _without_file(look: Look) -> Iterator[tuple[Any, ...]]:
    """Title, date and studio, of what has no file on its side."""
    data = look.data
    if not data.get("files") and not data.get("folder") and data.get("title"):
        studio = data.get("studio")
        yield data["title"], [data.get("date"), look.refer("studio", studio) if studio else None]


def _without_date(look: Look) -> Iterator[tuple[Any, ...]]:
    """Title and studio, of what has no file; a date on one side, none on the other: Stash 0.27 cannot hold each."""
    data = look.data
    if not data.get("files") and not data.get("folder") and data.get("title"):
        studio, has = data.get("studio"), bool(data.get("date"))
        place = look.refer("studio", studio) if studio else None
        yield data["title"], [place], "ours" if look.ours is has else "theirs"


def _part(owner: str, names: tuple[str, ...]) -> Callable[[Look], Iterator[tuple[Any, ...]]]:
    """A part's place in what it belongs to; and more fields of it, which may be empty."""

    def keys(look: Look) -> Iterator[tuple[Any, ...]]:
        data = look.data
        belongs = look.refer(owner, data[owner]) if data.get(owner) else None
        tag = data.get("primary_tag")
        place = data.get("image_index") if owner == "gallery" else round((data.get("seconds") or 0.0) * 1000)
        yield belongs, place, [look.refer("tag", tag) if tag else None, *(data.get(name) for name in names)]

    return keys


def _ladder_of_names(but: Callable[[Data, Data], str] | None = None) -> tuple[Rung, ...]:
    return (
        Rung("the same stash id", _stash_ids),
        Rung("the same name", _of("name"), but=but),
        Rung("the same name but for case", _of("name", folded=True), but=but),
        Rung("the name of one is an alias of the other", _own_aliases, but=but),
        Rung("the name of one is an alias of the other", _their_aliases, but=but),
    )


_WITHOUT_FILES = (
    Rung("the same title, date and studio, without files", _without_file),
    Rung("the same title and studio, without files, one of them without a date", _without_date),
)

LADDERS: Mapping[str, tuple[Rung, ...]] = {
    "tag": _ladder_of_names(),
    "studio": _ladder_of_names(other_ids),
    "performer": (
        Rung("the same stash id", _stash_ids),
        Rung("the same name and disambiguation", _of("name", "disambiguation"), but=other_ids),
        Rung(
            "the same name and disambiguation but for case", _of("name", "disambiguation", folded=True), but=other_ids
        ),
        Rung("the same name", _name_alone, but=other_disambiguation),
        *_ladder_of_names(other_ids)[3:],
    ),
    "group": (
        Rung("the same name and date", _of("name", "date")),
        Rung("the same URL", _urls, but=other_name, tells=False),
        Rung("the same name", _of("name"), but=other_year),
        Rung("the same name but for case", _of("name", folded=True), but=other_year),
    ),
    "gallery": (
        Rung("the same zip", _print("md5", "oshash"), all=False),
        Rung("the same path", _paths, but=other_content),
        Rung("the same folder", _folder),
        Rung("a folder of the same name", _folder_name, all=False, members=True),
        *_WITHOUT_FILES,
    ),
    "scene": (
        Rung("the same first file", _first_print, all=False),
        Rung("the same oshash", _print("oshash"), all=False),
        Rung("the same md5", _print("md5"), all=False),
        Rung("the same stash id", _stash_ids, but=other_content),
        Rung("a file of the same size, duration and name", _size_and_name, but=other_content),
        Rung("the same path", _paths, but=other_content),
        Rung("the same URL", _urls, but=other_content, tells=False),
        *_WITHOUT_FILES,
    ),
    "image": (
        Rung("the same md5", _print("md5"), all=False),
        Rung("the same path", _paths, but=other_content),
    ),
    "marker": (
        Rung("the same place, tag and title", _part("scene", ("title",)), twins=True),
        Rung("the same place and tag", _part("scene", ()), all=False),
    ),
    "chapter": (
        Rung("the same place and title", _part("gallery", ("title",)), twins=True),
        Rung("the same place", _part("gallery", ()), all=False),
    ),
    "saved_filter": (Rung("the same name", _of("name", "mode")),),
    "config": (Rung("the same group", _of("group")),),
}
"""For each kind the rungs, the surest first."""
