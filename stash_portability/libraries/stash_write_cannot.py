"""What Stash cannot be given, and why: fields of kinds.py that no mutation sets, and settings that are not carried from
one Stash to another.
"""

from __future__ import annotations

from collections.abc import Mapping

from ..kinds import CONFIG_GROUPS, CONFIG_TYPES, Field
from ..model import Change

STAMPS = "Stash sets it itself"
_SCAN = "a fact of the scan"

CANNOT: Mapping[str, str] = {
    "created_at": STAMPS,
    "updated_at": STAMPS,
    "files": f"{_SCAN}; only fingerprints that Stash does not make itself are set",
    "folder": f"{_SCAN}; a gallery of one's own has none",
    "captions": _SCAN,
    "interactive": _SCAN,
    "interactive_speed": _SCAN,
    "group": "the name of the group of settings",
}
"""Fields (of every kind that has them, by name) that Stash cannot be given. Ids are never given either: Stash counts
them itself and uses none again."""

CANNOT_CLEAR: Mapping[str, str] = {"scene.cover": "Stash cannot take the cover of a scene away"}
"""Fields that Stash takes another value for, but not none."""

SHOWN_COVER: Mapping[str, str] = {"cover.none": "through GraphQL a cover that was chosen looks like one that was not"}
"""What besides cannot be done to galleries of a Stash that is only read through GraphQL."""

CANNOT_MAKE: Mapping[str, str] = {
    "image": "images come only from a scan",
    "config": "settings are always there, and are only changed",
}
"""Kinds of which Stash makes no record when asked."""

ZIP_GALLERY = "it is the gallery of a zip, with which Stash deletes the records of its images too"

KEPT_DELETE: Mapping[str, str] = {
    "tag": "it is the primary tag of a marker that stays; Stash refuses to delete it",
    "scene": "markers of it stay, which Stash would delete along with it",
    "gallery": f"{ZIP_GALLERY}; or chapters of it stay",
}
"""Kinds of which some records are not deleted, with why."""

_HOST = "belongs to the machine Stash runs on"
_SOURCES = "its address may hold a token, and is not exported"

SETTINGS_NOT_WRITTEN: Mapping[str, str] = {
    **{
        f"general.{name}": _HOST
        for name in (
            "stashes databasePath backupDirectoryPath deleteTrashPath generatedPath metadataPath scrapersPath"
            " pluginsPath cachePath blobsPath blobsStorage ffmpegPath ffprobePath logFile pythonPath"
            " customPerformerImageLocation"
        ).split()
    },
    "general.stashBoxes": "replaces the list, and with it the API keys, which are not exported",
    "general.scraperPackageSources": _SOURCES,
    "general.pluginPackageSources": _SOURCES,
    **{f"dlna.{name}": _HOST for name in ("port", "whitelistedIPs", "interfaces")},
}
"""Settings that are read and never written, by group and name."""


def why_not(field: Field) -> str:
    """Why Stash cannot be given ``field`` at all, or "" when it can."""
    return CANNOT.get(field.name, "") if not field.writer else ""


def settings(group: str) -> tuple[str, ...]:
    """The settings of ``group`` that are written; none listed for groups that are free maps."""
    type_ = CONFIG_GROUPS.get(group, "")
    names = CONFIG_TYPES[type_][0].split() if type_ else []
    return tuple(name for name in names if f"{group}.{name}" not in SETTINGS_NOT_WRITTEN)


def cannot_do(change: Change) -> str:
    """Why Stash cannot be asked to make, or to delete, the record of ``change``, or "" when it can."""
    if change.op == "create":
        return CANNOT_MAKE.get(change.kind, "")
    if change.op == "delete" and change.kind == "config":
        return CANNOT_MAKE["config"]
    if change.op == "delete" and change.kind == "gallery" and (change.before or {}).get("files"):
        return ZIP_GALLERY
    return ""
