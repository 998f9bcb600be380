"""Everything an export can be told, for the page: kinds with their fields, privacy levels and what each keeps back,
formats, closures, profiles, and what the settings choose.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from .config import FORMATS
from .desk import Desk
from .errors import PortabilityError
from .kinds import KINDS, LEVEL_WORDS, LEVELS, Field, Kind, allowed
from .places import READABLE_PARTS, find_profiles
from .transform.narrow import narrows
from .transform.scope import CLOSURES

LABELS = {"config": "Configuration"}
MOST_BYTES = 1 << 18
"""Of a profile, when only its description is wanted."""


def offers(desk: Desk) -> dict[str, Any]:
    """The answer to the operation ``fields``."""
    settings = desk.settings
    return {
        "kinds": [_kind(kind) for kind in KINDS.values()],
        "levels": {level: _level(level) for level in LEVELS},
        "formats": FORMATS,
        "closures": dict(CLOSURES),
        "profiles": list(_profiles(desk)),
        "defaults": {
            "format": settings.get("format") or "json",
            "privacy": settings.get("privacy") or "full",
            "kinds": settings.get("kinds") or "",
        },
    }


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
    for name, path in sorted(find_profiles(desk.places.profiles, desk.shipped_profiles).items()):
        told = _read(desk, path)
        lines = str(told.get("description") or "").strip().splitlines()
        shown = {"name": name, "title": str(told.get("name") or name), "description": lines[0] if lines else ""}
        yield {**shown, "privacy": str(told.get("privacy") or "")}


def _read(desk: Desk, path: Path) -> dict[str, Any]:
    """A profile, or nothing when it cannot be read now: whoever chooses it is told why."""
    with suppress(OSError, ValueError, RecursionError, PortabilityError):
        if path.parent != desk.shipped_profiles:
            desk.places.check_allowed(path, parts=READABLE_PARTS)
        with path.open(encoding="utf-8") as stream:
            text = stream.read(MOST_BYTES)
        found = json.loads(text) if path.suffix == ".json" else _yaml(desk, text)
        return found if isinstance(found, dict) else {}
    return {}


def _yaml(desk: Desk, text: str) -> Any:
    desk.need("yaml")
    from .libraries.tables.yaml_form import parse_document  # noqa: PLC0415 - PyYAML is only needed here

    return parse_document(text)
