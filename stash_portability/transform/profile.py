"""Profiles and field lists: which columns of which kind, under which header, joined and formatted how.

A profile is data (YAML or JSON), never code, so that the same file can later map an import. This module checks
it against kinds.py and gives columns; it reads no file and knows no format.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any

from ..errors import BadProfile, PortabilityError, UsageError, several, unknown
from ..kinds import KINDS, Kind, by_plural
from .paths import Column, expand

COLUMN_KEYS = ("field", "name", "join", "format")
PROFILE_KEYS = (
    "name", "description", "kinds", "format", "privacy", "closure", "csv_safe", "bom", "blobs", "nfo_profile",
    "beside_media", "artwork", "foreign_nfo", "movie_nfo", "nfo_genres", "path",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Profile:
    """A checked profile: the columns by kind (an empty tuple: all fields), and the options it sets by name."""

    name: str
    columns: Mapping[str, tuple[Column, ...]]
    options: Mapping[str, Any] = field(default_factory=dict)


def find_kind(name: str) -> Kind:
    """The kind called ``name``, singular or plural. Raises UnknownName."""
    kind = KINDS.get(name) or by_plural().get(name)
    if kind is None:
        raise unknown("kind", name, KINDS)
    return kind


def match_kinds(text: str) -> tuple[str, ...]:
    """The kinds a comma-separated list with globs names, in the order of kinds.py. Raises UnknownName."""
    chosen: set[str] = set()
    for name in filter(None, (part.strip() for part in text.split(","))):
        globbed = {kind for kind in KINDS if any(char in name for char in "*?[") and fnmatchcase(kind, name)}
        chosen |= globbed or {find_kind(name).name}
    return tuple(kind for kind in KINDS if kind in chosen)


def parse_fields(specs: Iterable[str]) -> dict[str, tuple[Column, ...]]:
    """Columns from ``scene:title,date,performers.name`` and the like, several separated by ``;`` or given one by
    one. Raises UsageError telling everything that is wrong."""
    columns: dict[str, tuple[Column, ...]] = {}
    problems: list[PortabilityError] = []
    for spec in (part.strip() for text in specs for part in text.split(";")):
        if not spec:
            continue
        try:
            kind, found = _one_spec(spec)
            columns[kind.name] = columns.get(kind.name, ()) + found
        except UsageError as problem:
            problems.append(problem)
    twice = [(kind, name) for kind, listed in columns.items() if (name := _twice(listed))]
    problems += [UsageError(f"--fields names {kind}:{name} twice") for kind, name in twice]
    if problems:
        raise several(problems)
    return columns


def _one_spec(spec: str) -> tuple[Kind, tuple[Column, ...]]:
    name, colon, fields = spec.partition(":")
    if not colon:
        raise UsageError(f"--fields wants KIND:FIELD,FIELD (scene:title,date), not {spec!r}")
    kind = find_kind(name.strip())
    patterns = [pattern.strip() for pattern in fields.split(",") if pattern.strip()]
    if not patterns:
        raise UsageError(f"--fields {spec!r} names no field")
    return kind, tuple(Column(path.text, path) for pattern in patterns for path in expand(kind, pattern))


def parse_profile(document: Any, name: str) -> Profile:
    """Check a profile. Its form: ``kinds: {scene: {columns: [title, {field: performers.name, name: Cast,
    join: ", "}]}}``; a kind whose value is null or has no columns keeps all its fields. Other keys are options of
    ``export``. Raises BadProfile or UnknownName, telling everything that is wrong."""
    if not isinstance(document, Mapping):
        raise BadProfile(name=name, reason="it is not a mapping")
    problems: list[PortabilityError] = [
        unknown("profile key", str(key), PROFILE_KEYS) for key in document if key not in PROFILE_KEYS
    ]
    columns: dict[str, tuple[Column, ...]] = {}
    kinds = {} if document.get("kinds") is None else document["kinds"]
    if not isinstance(kinds, Mapping):
        raise BadProfile(name=name, reason="kinds is not a mapping of kind to columns")
    for kind_name, wanted in kinds.items():
        try:
            kind = find_kind(str(kind_name))
            columns[kind.name] = _columns(kind, wanted, name)
        except UsageError as problem:
            problems.append(problem)
    if problems:
        raise several(problems)
    options = {key: document[key] for key in PROFILE_KEYS[3:] if key in document}
    return Profile(str(document.get("name", name)), columns, options)


def _columns(kind: Kind, wanted: Any, name: str) -> tuple[Column, ...]:
    for key in wanted if isinstance(wanted, Mapping) else ():
        if key != "columns":
            raise unknown(f"key of {kind.name}", str(key), ("columns",))
    listed = wanted.get("columns") if isinstance(wanted, Mapping) else wanted
    if listed is None:
        return ()
    if not isinstance(listed, list):
        raise BadProfile(name=name, reason=f"the columns of {kind.name} are not a list")
    columns = tuple(column for entry in listed for column in _column(kind, entry, name))
    if twice := _twice(columns):
        raise BadProfile(name=name, reason=f"{kind.name} has two columns named {twice!r}")
    return columns


def _twice(columns: Iterable[Column]) -> str:
    """A header that stands over two columns, or "" when there is none."""
    headers = [column.header for column in columns]
    return next((header for header in headers if headers.count(header) > 1), "")


def _column(kind: Kind, entry: Any, name: str) -> list[Column]:
    if isinstance(entry, str):
        return [Column(path.text, path) for path in expand(kind, entry)]
    if not isinstance(entry, Mapping) or not isinstance(entry.get("field"), str):
        raise BadProfile(name=name, reason=f"a column of {kind.name} names no field: {entry!r}")
    for key in entry:
        if key not in COLUMN_KEYS:
            raise unknown("key of a column", str(key), COLUMN_KEYS)
    paths = expand(kind, entry["field"])
    header = entry.get("name")
    if header is not None and len(paths) > 1:
        raise BadProfile(name=name, reason=f"{entry['field']!r} is several fields and cannot have one name")
    join, form = str(entry.get("join") or ""), str(entry.get("format") or "")
    return [Column(str(header or path.text), path, join, form) for path in paths]


def fields_read(columns: Iterable[Column]) -> frozenset[str]:
    """The fields of the record itself that ``columns`` begin with."""
    return frozenset(column.path.steps[0] for column in columns if column.path.steps[0] != "id")
