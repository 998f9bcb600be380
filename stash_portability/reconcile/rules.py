"""What the write engine knows of kinds beyond the table: in which order they are written, which fields wait for other
records, what only a scan makes. Data and small look-ups; no I/O.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from string import ascii_lowercase, ascii_uppercase

from ..kinds import KINDS, Field, Kind
from ..model import Data

ORDER = (
    "tag", "studio", "performer", "group", "gallery", "scene", "image", "marker", "chapter", "saved_filter", "config",
)  # fmt: skip
"""Kinds in the order they are matched and written: each after those it refers to, chapters after the images they
count. Deletes go the other way, so that parts go before what they belong to."""

MATCHED: tuple[str, ...] = (
    "tag", "studio", "performer", "group", "image", "gallery", "scene", "marker", "chapter", "saved_filter", "config",
)  # fmt: skip
"""Kinds in the order they are matched: galleries of folders are known by their images too."""

RANK: Mapping[str, int] = {kind: rank for rank, kind in enumerate(ORDER)}

LINKS: Mapping[str, tuple[str, ...]] = {
    "tag": ("parents",),
    "studio": ("parent",),
    "group": ("containing_groups", "sub_groups"),
    "gallery": ("cover",),
}
"""Fields that refer to records written later or to the same kind: they are set when all records are there."""

HIERARCHY: Mapping[str, str] = {"tag": "parents", "studio": "parent", "group": "containing_groups"}
"""Of these Stash refuses circles: what is to go is taken away before anything is added."""

TWO_ENDS: Mapping[str, tuple[str, ...]] = {"group": ("containing_groups", "sub_groups")}
"""Two ends of one relation: writing one moves the other, which is nobody else's doing."""

NEVER_CLEARED: Mapping[str, tuple[str, ...]] = {"scene": ("cover",)}
"""Fields that Stash sets and never takes away: that the source has none is no change."""

UNIQUE_NAMES: Mapping[str, tuple[str, ...]] = {
    "tag": ("name", "aliases"),
    "studio": ("name", "aliases"),
    "performer": ("name", "disambiguation"),
}
"""Kinds in which Stash wants names to be unique, and the fields that matter
(https://github.com/stashapp/stash, pkg/tag, pkg/studio and pkg/performer: validate.go)."""

_SMALL = str.maketrans(ascii_uppercase, ascii_lowercase)
_MOVING = " (moving {uid})"


def fold(text: str | None) -> str:
    """``text`` as Stash compares names: SQLite's LIKE and NOCASE take only the letters of ASCII for the same in both
    cases, so that "Été" and "été" are two names."""
    return (text or "").translate(_SMALL)


@cache
def written(kind: str) -> tuple[Field, ...]:
    """The fields of ``kind`` that a plan may change: those that something writes."""
    return tuple(field for field in KINDS[kind].fields if field.writer)


@cache
def reference_fields(kind: str) -> tuple[tuple[Field, Field | None], ...]:
    """The written fields of ``kind`` that refer to records, each with its part that does if it is composite."""
    return tuple(_references(KINDS[kind]))


def _references(kind: Kind) -> Iterator[tuple[Field, Field | None]]:
    for field in written(kind.name):
        if field.type == "ref":
            yield field, None
        for part in field.parts:
            if part.type == "ref":
                yield field, part


@cache
def blob_fields(kind: str) -> tuple[str, ...]:
    """The fields of ``kind`` that hold images."""
    return tuple(field.name for field in KINDS[kind].fields if field.type == "blob")


def only_a_scan_makes(kind: str, data: Data) -> str:
    """Why the record cannot be made by a write, or "" when it can."""
    if kind == "image":
        return "images come only from a scan of their files"
    if kind == "config":
        return "the target has no such group of settings"
    if kind == "gallery" and (data.get("files") or data.get("folder")):
        return "a gallery of a zip or a folder comes only from a scan"
    if kind == "scene" and data.get("files"):
        return "its file is not in the target; a scene made without it would not find it later"
    if kind == "scene" and "files" not in data:
        return "whether it has a file is not known"
    return ""


def parked(name: str, uid: str) -> str:
    """The name a record of the target has while another takes its own."""
    return name + _MOVING.format(uid=uid)


def unparked(name: str | None, uid: str) -> str | None:
    """The name a record had before it was parked by a run that did not end."""
    return name.removesuffix(_MOVING.format(uid=uid)) if name else name
