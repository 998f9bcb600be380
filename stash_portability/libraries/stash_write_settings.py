"""The settings of a Stash, written group by group: only those that differ, and never what belongs to a machine or needs
a secret (stash_write_cannot.py). Pure, but for what the server's plugins have now, which is asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ..kinds import CONFIG_GROUPS, UI_KEYS
from .schema import Schema
from .stash_write_cannot import settings as writable
from .stash_write_inputs import NO_PLACE, with_points
from .stash_write_later import Later
from .stash_write_request import Argument

_WRITERS: Mapping[str, tuple[str, str]] = {
    "general": ("configureGeneral", "ConfigGeneralInput"),
    "interface": ("configureInterface", "ConfigInterfaceInput"),
    "dlna": ("configureDLNA", "ConfigDLNAInput"),
    "scraping": ("configureScraping", "ConfigScrapingInput"),
    "defaults": ("configureDefaults", "ConfigDefaultSettingsInput"),
}

_INSIDE = (
    "ConfigImageLightboxInput ConfigDisableDropdownCreateInput ScanMetadataInput IdentifyMetadataInput"
    " IdentifySourceInput ScraperSourceInput IdentifyMetadataOptionsInput IdentifyFieldOptionsInput"
    " AutoTagMetadataInput GenerateMetadataInput GeneratePreviewOptionsInput"
).split()


def input_types() -> tuple[str, ...]:
    """The input types that settings are cut to."""
    return (*(type_ for _, type_ in _WRITERS.values()), *_INSIDE)


def settings(plan: Later, schema: Schema, plugins: Callable[[], Mapping[str, Any]]) -> None:
    """Find the steps that set what differs in ``plan.after``'s settings from what there was."""
    group, wanted = plan.uid, plan.after.get("settings") or {}
    had = (plan.before or {}).get("settings") or {}
    changed = {name: value for name, value in wanted.items() if name not in had or had[name] != value}
    if group == "ui":
        _ui(plan, changed)
    elif group == "plugins":
        _plugins(plan, changed, plugins)
    elif group in CONFIG_GROUPS:
        _typed(plan, changed, schema)


def _typed(plan: Later, changed: Mapping[str, Any], schema: Schema) -> None:
    mutation, type_ = _WRITERS[plan.uid]
    missing: list[str] = []
    ours = {name: value for name, value in changed.items() if name in writable(plan.uid)}
    values = _cut(schema, type_, ours, missing)
    if missing:
        plan.told["settings"] = f"{', '.join(missing)}: {NO_PLACE}"
    if values:
        plan.add(mutation, (Argument("input", f"{type_}!", values),), "settings", "__typename")


def _cut(schema: Schema, type_: str, value: Any, missing: list[str]) -> Any:
    """``value`` with just the keys that this server's inputs have, and without nulls, which are what was never set;
    the keys it does not have are added to ``missing``."""
    if isinstance(value, list):
        return [_cut(schema, type_, entry, missing) for entry in value]
    known = schema.fields(type_)
    if not isinstance(value, Mapping) or not known:
        return value
    filled = {key: inner for key, inner in value.items() if inner is not None}
    missing += [key for key in filled if key not in known]
    return {key: _cut(schema, known[key].type, inner, missing) for key, inner in filled.items() if key in known}


def _ui(plan: Later, changed: Mapping[str, Any]) -> None:
    values = {key: value for key, value in changed.items() if key in UI_KEYS}
    if values:
        plan.add("configureUI", (Argument("partial", "Map", with_points(values)),), "settings")


def _plugins(plan: Later, changed: Mapping[str, Any], plugins: Callable[[], Mapping[str, Any]]) -> None:
    """Each plugin's settings with what it has besides (texts are not exported), because Stash replaces them all."""
    had = plugins() if changed else {}
    for plugin, values in changed.items():
        whole = {**(had.get(plugin) or {}), **values}
        arguments = (Argument("plugin_id", "ID!", plugin), Argument("input", "Map!", with_points(whole)))
        plan.add("configurePlugin", arguments, "settings")
