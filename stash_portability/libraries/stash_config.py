"""The configuration of a Stash, by allow-list (kinds.CONFIG_TYPES, UI_KEYS): a key nobody listed is never read.

Pure: builds the query and makes records of its answer.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ..kinds import CONFIG, CONFIG_GROUPS, CONFIG_TYPES, UI_KEYS
from ..model import Record
from .canonical import sort_keys
from .schema import Schema


def query(schema: Schema) -> str:
    """The query for every group the server has."""
    groups = (_group(name, type_, schema) for name, type_ in CONFIG_GROUPS.items())
    return f"query Config{{configuration{{{' '.join(group for group in groups if group)}}}}}"


def records(answer: Mapping[str, Any]) -> Iterator[Record]:
    """The records of the answer to ``query``, one a group."""
    configuration = answer["configuration"]
    for name in CONFIG_GROUPS:
        if name in configuration:
            settings = _FREE.get(name, dict)(configuration[name] or {})
            yield Record(CONFIG.name, name, {"group": name, "settings": sort_keys(settings)})


def _group(name: str, type_name: str, schema: Schema) -> str:
    if not schema.has("ConfigResult", name):
        return ""
    if not type_name:
        return name
    inner = _select(type_name, schema)
    return f"{name}{{{inner}}}" if inner else ""


def _select(type_name: str, schema: Schema) -> str:
    selected = []
    for name in CONFIG_TYPES[type_name][0].split():
        inner = schema.type_of(type_name, name)
        if inner in CONFIG_TYPES:
            selected.append(f"{name}{{{_select(inner, schema)}}}")
        elif inner:
            selected.append(name)
    return " ".join(selected)


def _ui(settings: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in settings.items() if key in UI_KEYS}


def _plugins(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Numbers and switches only: any text of a plugin may be a key or a password."""
    kept = {
        plugin: {key: value for key, value in own.items() if isinstance(value, (bool, int, float))}
        for plugin, own in settings.items()
        if isinstance(own, Mapping)
    }
    return {plugin: own for plugin, own in kept.items() if own}


_FREE = {"ui": _ui, "plugins": _plugins}
