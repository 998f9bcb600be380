"""What the GraphQL of one Stash has: asked once a run, of just the types we use. Fields come and go between
releases, so every query is cut to this; version strings decide nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from ..errors import UnsupportedVersion
from ..kinds import CONFIG_TYPES, KINDS

OLDEST = "0.27"
_PARTS = (
    "StashID VideoCaption SceneGroup GroupDescription Folder BasicFile VideoFile ImageFile GalleryFile VisualFile"
    " Fingerprint ScenePathsType SavedFindFilterType"
).split()
_SERVER = ("Query", "SystemStatus", "Version", "ConfigResult")

_TYPE = (
    "fragment T on __Type{kind name possibleTypes{name} inputFields{name type{...R}}"
    " fields(includeDeprecated:true){name args{name} type{...R}}}"
    " fragment R on __Type{name ofType{name ofType{name ofType{name}}}}"
)


@dataclass(frozen=True, slots=True)
class SchemaField:
    """A field of a type: the name of its type without list and non-null, and the names of its arguments."""

    type: str
    arguments: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Schema:
    """The types of one server that we use: by name their fields, and what unions may hold."""

    types: Mapping[str, Mapping[str, SchemaField]]
    unions: Mapping[str, tuple[str, ...]]

    def has(self, type_name: str, field: str) -> bool:
        """Whether ``type_name`` is there and has ``field`` (an input type's fields count too)."""
        return field in self.types.get(type_name, {})

    def fields(self, type_name: str) -> Mapping[str, SchemaField]:
        """The fields of ``type_name`` by name; none when the server does not know the type."""
        return self.types.get(type_name, {})

    def type_of(self, type_name: str, field: str) -> str:
        """The name of the type of ``field``, or "" when it is not there."""
        found = self.types.get(type_name, {}).get(field)
        return found.type if found else ""

    def takes(self, query: str, argument: str) -> bool:
        """Whether the root ``query`` (findTags, …) takes ``argument``."""
        found = self.types.get("Query", {}).get(query)
        return found is not None and argument in found.arguments


def type_names() -> tuple[str, ...]:
    """The types that are asked for."""
    records = [kind.graphql for kind in KINDS.values()]
    filters = [kind.filter_type for kind in KINDS.values() if kind.filter_type]
    return tuple(dict.fromkeys((*_SERVER, *records, *filters, *_PARTS, *CONFIG_TYPES)))


def load(ask: Callable[[str], Mapping[str, Any]], address: str) -> Schema:
    """Ask the server at ``address`` (for messages) what it has; raises UnsupportedVersion for a Stash before 0.27."""
    schema = describe(ask, type_names())
    if not schema.has("Query", "findGroups"):
        raise UnsupportedVersion(
            address=address, version=f"a Stash before {OLDEST}", reason=f"update that Stash to {OLDEST} or newer"
        )
    return schema


def describe(ask: Callable[[str], Mapping[str, Any]], names: Iterable[str]) -> Schema:
    """Ask a server what the types called ``names`` have; those it does not know are left out."""
    aliases = " ".join(f't{number}:__type(name:"{name}"){{...T}}' for number, name in enumerate(names))
    answer = ask(f"query Types{{{aliases}}} {_TYPE}")
    return _read(entry for entry in answer.values() if entry)


def _read(entries: Iterable[Mapping[str, Any]]) -> Schema:
    types: dict[str, Mapping[str, SchemaField]] = {}
    unions: dict[str, tuple[str, ...]] = {}
    for entry in entries:
        listed = entry.get("fields") or entry.get("inputFields") or []
        types[entry["name"]] = {field["name"]: _field(field) for field in listed}
        unions[entry["name"]] = tuple(possible["name"] for possible in entry.get("possibleTypes") or ())
    return Schema(types, unions)


def _field(entry: Mapping[str, Any]) -> SchemaField:
    type_ = entry["type"]
    while type_.get("ofType"):
        type_ = type_["ofType"]
    return SchemaField(type_["name"] or "", frozenset(argument["name"] for argument in entry.get("args") or ()))
