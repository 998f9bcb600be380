"""Everything an export can be told, for the page: kinds with their fields, privacy levels and what each keeps back,
formats, closures, profiles, what there is for media servers and templates, and what the settings choose.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from . import mediafolders, templates
from .desk import Desk
from .errors import PortabilityError
from .formats import FORMATS
from .kinds import KINDS, LEVEL_WORDS, LEVELS, Field, Kind, allowed
from .libraries.nfo.choices import FOREIGN
from .libraries.nfo.dialects import NAMES
from .libraries.template.spec import ESCAPES
from .libraries.template.view import described
from .places import READABLE_PARTS, find_documents
from .transform.narrow import narrows
from .transform.scope import CLOSURES

LABELS = {"config": "Configuration"}


def offers(desk: Desk) -> dict[str, Any]:
    """The answer to the operation ``fields``."""
    settings = desk.settings
    return {
        "kinds": [_kind(kind) for kind in KINDS.values()],
        "levels": {level: _level(level) for level in LEVELS},
        "formats": FORMATS,
        "closures": dict(CLOSURES),
        "profiles": list(_profiles(desk)),
        "media": _media(desk),
        "templates": list(templates.listed(desk)),
        "escapes": dict(ESCAPES),
        "template_fields": {kind: described(kind) for kind in KINDS},
        "defaults": {
            "format": settings.get("format") or "json",
            "privacy": settings.get("privacy") or "full",
            "kinds": settings.get("kinds") or "",
        },
    }


def _media(desk: Desk) -> dict[str, Any]:
    """Media servers, the folders NFO files may be written to, and what is done with those of others."""
    return {
        "profiles": dict(NAMES),
        "libraries": _told(lambda: mediafolders.libraries(desk)),
        "roots": _told(desk.places.roots),
        "folder": str(mediafolders.usual_folder(desk.places)),
        "foreign": dict(FOREIGN),
    }


def _told(find: Callable[[], Iterable[Path]]) -> list[str]:
    """The folders that are found; none when they cannot be told now: whoever writes to one is told why."""
    with suppress(PortabilityError):
        return [str(folder) for folder in find()]
    return []


def _kind(kind: Kind) -> dict[str, Any]:
    return {
        "name": kind.name,
        "plural": kind.plural,
        "label": LABELS.get(kind.name) or kind.plural.replace("_", " ").capitalize(),
        "filterable": bool(kind.criteria),
        "mode": kind.modes[0] if kind.modes else "",
        "narrows": list(narrows(kind.name)),
        "fields": [_field(field) for field in kind.fields],
    }


def _field(field: Field) -> dict[str, Any]:
    facts = {"name": field.name, "type": field.type, "many": field.many, "of": field.of, "note": field.note}
    more = {"privacy": field.privacy, "since": field.since, "parts": [_field(part) for part in field.parts]}
    more["sheet"] = list(field.sheet)
    return {**facts, **more}


def _level(level: str) -> dict[str, Any]:
    """What a privacy level keeps back: whole kinds, and fields of the others (``files.path``: a part of a field)."""
    whole = [kind.name for kind in KINDS.values() if kind.privacy not in LEVELS[level]]
    hides = {kind.name: _hidden(kind, level) for kind in KINDS.values() if kind.name not in whole}
    hides = {name: hidden for name, hidden in hides.items() if hidden}
    return {"words": LEVEL_WORDS[level], "hides": hides, "whole": whole}


def _hidden(kind: Kind, level: str) -> list[str]:
    shown, classes = allowed(kind, level), LEVELS[level]
    hidden = [field.name for field in kind.fields if field not in shown]
    parts = [f"{field.name}.{part.name}" for field in shown for part in field.parts if part.privacy not in classes]
    return hidden + parts


def _profiles(desk: Desk) -> Iterator[dict[str, str]]:
    for name, path in sorted(find_documents(desk.places.profiles, desk.shipped_profiles).items()):
        told = _read(desk, path)
        lines = str(told.get("description") or "").strip().splitlines()
        shown = {"name": name, "title": str(told.get("name") or name), "description": lines[0] if lines else ""}
        yield {**shown, "privacy": str(told.get("privacy") or "")}


def _read(desk: Desk, path: Path) -> dict[str, Any]:
    """A profile, or nothing when it cannot be read now: whoever chooses it is told why."""
    with suppress(ValueError, RecursionError, PortabilityError):
        if path.parent != desk.shipped_profiles:
            desk.places.check_allowed(path, parts=READABLE_PARTS)
        found = templates.read_document(desk, path)
        return found if isinstance(found, dict) else {}
    return {}
