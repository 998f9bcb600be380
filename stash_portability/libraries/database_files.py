"""Files of scenes, images and galleries, with their paths, facts and fingerprints.

The names of the parts are those of kinds.py, and a test compares them.
"""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from .database_columns import (
    Convert,
    floats,
    ints,
    text_sql,
    texts,
    time_sql,
    times,
)
from .database_relations import Access, Found, Relation

_PATH = (
    "case when substr({folder}.path, 1, 1) = '/' then rtrim({folder}.path, '/') || '/' || {file}.basename"
    " when {folder}.path is null then {file}.basename"
    " when {folder}.path glob '[A-Za-z]:*' or substr({folder}.path, 1, 2) = '\\\\'"
    " then rtrim({folder}.path, '\\') || '\\' || {file}.basename"
    " else {folder}.path || '/' || {file}.basename end"
)
"""A folder's path as its system writes it: a drive or a share means Windows, whose separator is a backslash."""

_Parts = tuple[tuple[str, str, Convert], ...]

_BASE: _Parts = (
    ("id", "cast(f.id as text)", texts),
    ("path", _PATH.format(folder="d", file="f"), texts),
    ("zip_file", f"case when z.id is not null then {_PATH.format(folder='y', file='z')} end", texts),
    ("size", "f.size", ints),
    ("mod_time", time_sql("f.mod_time"), times),
)
_END: _Parts = (
    # The place of the fingerprints, which are rows of their own.
    ("fingerprints", "null", ints),
    ("created_at", time_sql("f.created_at"), times),
    ("updated_at", time_sql("f.updated_at"), times),
)
_VIDEO: _Parts = (
    ("format", text_sql("v.format"), texts),
    ("width", "v.width", ints),
    ("height", "v.height", ints),
    ("duration", "v.duration", floats),
    ("video_codec", text_sql("v.video_codec"), texts),
    ("audio_codec", text_sql("v.audio_codec"), texts),
    ("frame_rate", "v.frame_rate", floats),
    ("bit_rate", "v.bit_rate", ints),
)
_IMAGE: _Parts = (
    ("format", text_sql("coalesce(i.format, v.format)"), texts),
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
_WHAT: _Parts = (
    ("what", "case when i.file_id is not null then 'image' when v.file_id is not null then 'video' end", texts),
)
_NOT_IN: dict[str | None, tuple[str, ...]] = {
    "video": (),
    "image": tuple(name for name, _, _ in _VIDEO[3:]),
    None: tuple(name for name, _, _ in _VIDEO),
}
"""The parts a file has not."""


def files_of_scenes(relation: Relation, access: Access) -> Found:
    """Video files, the primary one first."""
    return _by_owner(_read(relation, access, _BASE + _VIDEO + _END, _VIDEO_JOIN))


def files_of_galleries(relation: Relation, access: Access) -> Found:
    """Zip files, which have no facts of a picture or video."""
    return _by_owner(_read(relation, access, _BASE + _END, ""))


def files_of_images(relation: Relation, access: Access) -> Found:
    """Image files and clips; a part an image cannot have is left out of it."""
    files = _read(relation, access, _BASE + _IMAGE + _END + _WHAT, _VIDEO_JOIN + _IMAGE_JOIN)
    for _, file in files:
        for name in _NOT_IN[file.pop("what")]:
            del file[name]
    return _by_owner(files)


def _by_owner(files: list[tuple[int, dict[str, Any]]]) -> Found:
    found: dict[int, list[dict[str, Any]]] = {}
    for owner, file in files:
        found.setdefault(owner, []).append(file)
    return found


def _read(relation: Relation, access: Access, parts: _Parts, joins: str) -> list[tuple[int, dict[str, Any]]]:
    """Each file with its owner, the primary file first and the others by id."""
    owner, names = f"o.{relation.owner}", [name for name, _, _ in parts]
    # Owner and id come last, where making a mapping of names and values does not see them.
    columns = ", ".join((*(expression for _, expression, _ in parts), owner, "f.id"))
    rows = access.rows(
        f"select {columns} from {relation.table} o {_JOINS} {joins} where {access.span.on(owner)}"  # noqa: S608
        f' order by {owner}, o."primary" desc, f.id'
    ).fetchall()
    rows = _converted(rows, parts)
    prints, files = _fingerprints(relation, access), []
    for row in rows:
        file = dict(zip(names, row, strict=False))
        file["fingerprints"] = prints.get(row[-1]) or []
        files.append((row[-2], file))
    return files


def _converted(rows: list[Any], parts: _Parts) -> list[Any]:
    """The rows with every value canonical; the rows themselves when they are, as nearly always."""
    if not rows:
        return rows
    *columns, owners, ids = zip(*rows, strict=True)
    values = [convert(column) for column, (_, _, convert) in zip(columns, parts, strict=True)]
    if all(new is old for new, old in zip(values, columns, strict=True)):
        return rows
    return list(zip(*values, owners, ids, strict=True))


def _fingerprints(relation: Relation, access: Access) -> Found:
    """By file. A number (phash, a signed 64-bit one) becomes hexadecimal text as Stash prints it."""
    owned = f"select file_id from {relation.table} where {access.span.on(relation.owner)}"  # noqa: S608
    rows = access.rows(
        "select file_id, type, case typeof(fingerprint) when 'integer' then printf('%x', fingerprint)"  # noqa: S608
        f" else cast(fingerprint as text) end from files_fingerprints where file_id in ({owned}) order by 1, 2, 3"
    )
    found: dict[int, list[dict[str, str]]] = defaultdict(list)
    for uid, kind, value in rows:
        found[uid].append({"type": kind, "value": value})
    return found
