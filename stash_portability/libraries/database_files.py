"""Files of scenes, images and galleries, with their paths, facts and fingerprints.

The names of the parts are those of kinds.py, and a test compares them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from stash_portability.libraries.database_columns import Clock, Values, floats, ints, texts, times
from stash_portability.libraries.database_relations import Access, Found, Relation

_PATH = (
    "case when {folder}.path is null then {file}.basename else {folder}.path ||"
    " case when {folder}.path glob '*[/\\]' then ''"
    " when {folder}.path glob '[A-Za-z]:\\*' or substr({folder}.path, 1, 2) = '\\\\' then '\\' else '/' end"
    " || {file}.basename end"
)
"""A folder's path as its system writes it: a drive or a share means Windows, whose separator is a backslash."""

_Convert = Callable[[Values, Clock], Values]
_Parts = tuple[tuple[str, str, _Convert], ...]

_BASE: _Parts = (
    ("id", "cast(f.id as text)", texts),
    ("path", _PATH.format(folder="d", file="f"), texts),
    ("zip_file", f"case when z.id is null then null else {_PATH.format(folder='y', file='z')} end", texts),
    ("size", "f.size", ints),
    ("mod_time", "f.mod_time", times),
)
_STAMPS: _Parts = (("created_at", "f.created_at", times), ("updated_at", "f.updated_at", times))
_VIDEO: _Parts = (
    ("format", "nullif(v.format, '')", texts),
    ("width", "v.width", ints),
    ("height", "v.height", ints),
    ("duration", "v.duration", floats),
    ("video_codec", "nullif(v.video_codec, '')", texts),
    ("audio_codec", "nullif(v.audio_codec, '')", texts),
    ("frame_rate", "v.frame_rate", floats),
    ("bit_rate", "v.bit_rate", ints),
)
_IMAGE: _Parts = (
    ("format", "nullif(coalesce(i.format, v.format), '')", texts),
    ("width", "coalesce(i.width, v.width)", ints),
    ("height", "coalesce(i.height, v.height)", ints),
    *_VIDEO[3:],
)
_JOINS = (
    " join files f on f.id = o.file_id left join folders d on d.id = f.parent_folder_id"
    " left join files z on z.id = f.zip_file_id left join folders y on y.id = z.parent_folder_id"
)
_VIDEO_JOIN = " left join video_files v on v.file_id = f.id"
_IMAGE_JOIN = " left join image_files i on i.file_id = f.id"
_STILL = "case when i.file_id is not null then 'image' when v.file_id is not null then 'video' end"


def files_of_scenes(relation: Relation, access: Access) -> Found:
    """Video files, the primary one first."""
    names, rows = _read(relation, access, _BASE + _VIDEO + _STAMPS, _VIDEO_JOIN)
    found: dict[int, list[dict[str, Any]]] = {}
    for uid, values in rows:
        found.setdefault(uid, []).append(dict(zip(names, values)))
    return found


def files_of_galleries(relation: Relation, access: Access) -> Found:
    """Zip files, which have no facts of a picture or video."""
    names, rows = _read(relation, access, _BASE + _STAMPS, "")
    found: dict[int, list[dict[str, Any]]] = {}
    for uid, values in rows:
        found.setdefault(uid, []).append(dict(zip(names, values)))
    return found


def files_of_images(relation: Relation, access: Access) -> Found:
    """Image files and clips; a part an image cannot have is left out of it."""
    what: tuple[str, str, _Convert] = ("what", _STILL, texts)
    names, rows = _read(relation, access, (what, *_BASE, *_IMAGE, *_STAMPS), _VIDEO_JOIN + _IMAGE_JOIN)
    found: dict[int, list[dict[str, Any]]] = {}
    for uid, values in rows:
        file = dict(zip(names, values))
        for name in _NOT_IN[file.pop("what")]:
            del file[name]
        found.setdefault(uid, []).append(file)
    return found


_NOT_IN: dict[str | None, tuple[str, ...]] = {
    "video": (),
    "image": tuple(name for name, _, _ in _VIDEO[3:]),
    None: tuple(name for name, _, _ in _VIDEO),
}


def _read(
    relation: Relation, access: Access, parts: _Parts, joins: str
) -> tuple[tuple[str, ...], Sequence[tuple[int, tuple[Any, ...]]]]:
    """The names of the parts, and for each file its owner and the parts' values, the primary file first."""
    owner = f"o.{relation.owner}"
    columns = ", ".join((owner, "f.id", *(expression for _, expression, _ in parts)))
    rows = access.rows(
        f"select {columns} from {relation.table} o {_JOINS} {joins} where {access.span.on(owner)}"  # noqa: S608
        f' order by {owner}, o."primary" desc, f.id'
    ).fetchall()
    names = [name for name, _, _ in parts]
    names.insert(-len(_STAMPS), "fingerprints")
    if not rows:
        return tuple(names), []
    owners, ids, *columns_read = zip(*rows)
    values: list[Any] = [
        convert(column, access.clock) for column, (_, _, convert) in zip(columns_read, parts)
    ]
    prints = _fingerprints(relation, access)
    values.insert(-len(_STAMPS), [prints.get(uid) or [] for uid in ids])
    return tuple(names), list(zip(owners, zip(*values)))


def _fingerprints(relation: Relation, access: Access) -> Found:
    """By file. A number (phash, a signed 64-bit one) becomes hexadecimal text as Stash prints it."""
    rows = access.rows(
        "select file_id, type, case typeof(fingerprint) when 'integer' then printf('%x', fingerprint)"
        " else cast(fingerprint as text) end as value from files_fingerprints where file_id in"
        f" (select file_id from {relation.table} where {access.span.on(relation.owner)})"  # noqa: S608
        " order by 1, 2, 3"
    )
    found: dict[int, list[dict[str, str]]] = {}
    for uid, kind, value in rows:
        found.setdefault(uid, []).append({"type": kind, "value": value})
    return found
