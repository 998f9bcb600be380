"""Saved filters name records by id inside their criteria, as Stash's page keeps them: {criterion: {modifier, value}},
the value a list of {id, label} or {items, excluded, depth} of such lists (ui/v2.5/src/models/list-filter/criteria). In
another Stash these are other ids: left as they are, a filter would find the wrong things. Pure.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

Follow = Callable[[str, str], "str | None"]
"""Kind and id of what is named → its id in the target, or None when it has none there."""

_KINDS: Mapping[str, str] = {
    **dict.fromkeys(("tags", "performer_tags", "scene_tags"), "tag"),
    **dict.fromkeys(("groups", "movies", "containing_groups", "sub_groups"), "group"),
    "studios": "studio",
    "performers": "performer",
    "galleries": "gallery",
    "scenes": "scene",
}
NAMED = frozenset(_KINDS.values())
"""The kinds whose records saved filters name."""
_SAME_KIND = frozenset(("parents", "children"))
"""Of tags for a filter of tags, of studios for one of studios."""


def translate_filter(mode: Any, criteria: Any, follow: Follow) -> Any:
    """``criteria`` of a saved filter that lists ``mode`` ("SCENES"), in other ids; what has none there is left out."""
    if not isinstance(criteria, Mapping):
        return criteria
    own = "studio" if mode == "STUDIOS" else "tag"
    return {name: _criterion(_KINDS.get(name, own if name in _SAME_KIND else ""), said, follow)
            for name, said in criteria.items()}  # fmt: skip


def named_in(mode: Any, criteria: Any) -> list[tuple[str, str]]:
    """The kinds and ids that ``criteria`` of a saved filter name."""
    found: dict[tuple[str, str], None] = {}

    def follow(kind: str, uid: str) -> str:
        found[kind, uid] = None
        return uid

    translate_filter(mode, criteria, follow)
    return list(found)


def emptied(mode: Any, criteria: Any, follow: Follow) -> set[str]:
    """The kinds of which a criterion names records, but none that ``follow`` finds."""
    found = set()
    for name, said in criteria.items() if isinstance(criteria, Mapping) else ():
        named = named_in(mode, {name: said})
        if named and all(follow(*one) is None for one in named):
            found.add(named[0][0])
    return found


def _criterion(kind: str, said: Any, follow: Follow) -> Any:
    if not kind or not isinstance(said, Mapping) or "value" not in said:
        return said
    value = said["value"]
    if isinstance(value, Mapping):
        lists = {name: _listed(kind, value[name], follow) for name in ("items", "excluded") if name in value}
        return {**said, "value": {**value, **lists}}
    return {**said, "value": _listed(kind, value, follow)}


def _listed(kind: str, entries: Any, follow: Follow) -> Any:
    if not isinstance(entries, list):
        return entries
    found = []
    for entry in entries:
        labelled = isinstance(entry, Mapping)
        goes = follow(kind, str(entry.get("id") if labelled else entry))
        if goes is not None:
            found.append({**entry, "id": goes} if labelled else goes)
    return found
