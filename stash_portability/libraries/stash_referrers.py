"""How many records of a Stash refer to others: what a delete would take their links from."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import Any

from ..kinds import KINDS, Kind
from .schema import Schema
from .stash_pages import Search

_COUNTS: Mapping[str, tuple[str, ...]] = {
    "tag": ("scene_count", "scene_marker_count", "image_count", "gallery_count", "performer_count", "studio_count",
            "group_count"),
    "performer": ("scene_count", "image_count", "gallery_count"),
    "studio": ("scene_count", "image_count", "gallery_count", "group_count"),
    "group": ("scene_count",),
    "gallery": ("image_count",),
}  # fmt: skip
"""Fields that count what refers to a record itself; of what lies below it they count nothing unless asked to
(https://github.com/stashapp/stash, graphql/schema/types)."""

_LISTS: Mapping[str, Mapping[str, str]] = {
    "tag": {"children": "{id}"},
    "studio": {"child_studios": "{id}"},
    "group": {"sub_groups": "{group{id}}", "containing_groups": "{group{id}}"},
    "gallery": {"scenes": "{id}", "chapters": "{id}", "folder": "{id}"},
    "scene": {"scene_markers": "{id}"},
}
_OF_ITS_KIND = ("tag", "studio", "group")
"""Kinds whose lists hold records of the same kind."""


def referrers(
    schema: Schema, rows: Callable[[Search, Sequence[str]], Iterator[list[Any]]], which: tuple[str, Sequence[str]],
    besides: Collection[str],
) -> dict[str, int]:  # fmt: skip
    """How many records refer to each of ``which`` (a kind, and ids); those of the kind in ``besides`` do not count.
    ``rows`` asks for records by ids."""
    kind, uids = KINDS[which[0]], which[1]
    names = [name for name in _COUNTS.get(kind.name, ()) if schema.has(kind.graphql, name)]
    lists = {name: of for name, of in _LISTS.get(kind.name, {}).items() if schema.has(kind.graphql, name)}
    if not names and not lists:
        return {}
    selection = " ".join(["id", *names, *(f"{name}{of}" for name, of in lists.items())])
    found = {}
    for page in rows(Search(kind, selection), uids):
        for row in page:
            found[str(row["id"])] = _count(kind, row, names, frozenset(besides))
    return found


def _count(kind: Kind, row: Mapping[str, Any], names: Collection[str], besides: frozenset[str]) -> int:
    """The images of a gallery that is a folder are in it because they lie there: no link that could be lost."""
    count = sum(row[name] or 0 for name in names if not (kind.name == "gallery" and row.get("folder")))
    for name in _LISTS.get(kind.name, {}):
        if name == "folder":
            continue
        uids = {str((entry.get("group") or entry)["id"]) for entry in row.get(name) or ()}
        count += len(uids - besides if kind.name in _OF_ITS_KIND else uids)
    return count
