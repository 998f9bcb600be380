"""From kinds.py to GraphQL and back: what to select for each field on one server, and how its answer becomes a
record in canonical form (canonical.py). Pure.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath, PureWindowsPath
from typing import Any

from ..kinds import Field, Kind
from ..model import Blob, Record, Want
from .canonical import sort_keys, sorted_ids, utc
from .schema import Schema

Row = dict[str, Any]
"""An object as GraphQL answers it."""
Take = Callable[[Any], Any]

BARE = "\0bare"
"""The key under which the pager marks a row of a scene that has no cover of the user's own."""


@dataclass(frozen=True, slots=True)
class Reading:
    """How one field is read: ``selection`` is asked for ("" when the pager knows), ``take`` makes its value of
    the row."""

    name: str
    selection: str
    take: Callable[[Row], Any]


@dataclass(frozen=True, slots=True)
class Shape:
    """How records of a kind are read."""

    kind: Kind
    readings: tuple[Reading, ...]

    @property
    def selection(self) -> str:
        """What to select of each row."""
        return " ".join(("id", *(reading.selection for reading in self.readings if reading.selection)))

    @property
    def covers(self) -> bool:
        """Whether rows must be marked with ``BARE``."""
        return any(not reading.selection for reading in self.readings)

    def record(self, row: Row) -> Record:
        """Make the record of ``row``; raises ValueError or TypeError for a value Stash cannot have given."""
        return Record(self.kind.name, row["id"], {reading.name: reading.take(row) for reading in self.readings})


def shape(kind: Kind, schema: Schema, want: Want) -> Shape:
    """How to read what ``want`` asks of ``kind`` on this server; fields it does not have are left out."""
    readings = (
        _reading(kind, field, schema)
        for field in kind.fields
        if (want.fields is None or field.name in want.fields) and (want.blobs or field.role != "blob")
    )
    return Shape(kind, tuple(reading for reading in readings if reading is not None))


def _reading(kind: Kind, field: Field, schema: Schema) -> Reading | None:
    if field.role == "blob":
        return _blob(kind, field, schema)
    steps = tuple((field.read or field.name).split("."))
    if not schema.has(kind.graphql, steps[0]):
        return _old_url(kind, field, schema)
    selection = _selection(field, schema, schema.type_of(kind.graphql, steps[0]), steps)
    if kind.name == "image" and field.name == "title" and not schema.has("SceneMarker", "end_seconds"):
        return _old_title(field, schema)
    return Reading(field.name, selection, _reach(steps, _taker(field)))


def _old_url(kind: Kind, field: Field, schema: Schema) -> Reading | None:
    """Studios had one ``url`` before 0.30."""
    if field.name != "urls" or not schema.has(kind.graphql, "url"):
        return None
    return Reading(field.name, "url", lambda row: [row["url"]] if row.get("url") else [])


def _old_title(field: Field, schema: Schema) -> Reading:
    """Before 0.28 an image without a title shows the name of its file, which is no title and may be private."""
    names = schema.unions.get("VisualFile", ())
    files = f"visual_files{{{' '.join(f'... on {name}{{path}}' for name in names)}}}"

    def take(row: Row) -> Any:
        title = _text(row.get("title"))
        return None if title in _basenames(row.get("visual_files")) else title

    return Reading(field.name, f"title {files}", take)


def _basenames(files: Any) -> set[str]:
    paths = [file["path"] for file in files or () if file]
    return {pure(path).name for path in paths for pure in (PurePosixPath, PureWindowsPath)}


def _blob(kind: Kind, field: Field, schema: Schema) -> Reading | None:
    step, _, inner = field.read.partition(".")
    if not schema.has(kind.graphql, step):
        return None
    name, segment = field.name, "screenshot" if inner else field.read.removesuffix("_path").replace("_", "")

    def of_path(row: Row) -> Blob | None:
        path = row.get(step)
        if not path or "default=true" in path:
            return None
        return Blob(kind.name, row["id"], name, f"/{kind.name}/{row['id']}/{segment}")

    def of_cover(row: Row) -> Blob | None:
        return None if row[BARE] else Blob(kind.name, row["id"], name, f"/{kind.name}/{row['id']}/{segment}")

    # A scene's address does not tell a cover from a placeholder.
    return Reading(name, "", of_cover) if inner else Reading(name, step, of_path)


def _selection(field: Field, schema: Schema, type_name: str, steps: tuple[str, ...]) -> str:
    if field.parts:
        return f"{steps[0]}{{{_parts(field, schema, type_name)}}}"
    if field.type == "ref":
        return f"{steps[0]}{{id}}"
    if len(steps) > 1:
        return f"{steps[0]}{{{steps[1]}}}"
    if schema.fields(type_name):
        return f"{steps[0]}{{{' '.join(schema.fields(type_name))}}}"
    return steps[0]


def _parts(field: Field, schema: Schema, type_name: str) -> str:
    union = schema.unions.get(type_name)
    if union:
        return " ".join(f"... on {name}{{{_parts(field, schema, name)}}}" for name in union)
    selections = []
    for part in field.parts:
        steps = tuple((part.read or part.name).split("."))
        if schema.has(type_name, steps[0]):
            selections.append(_selection(part, schema, schema.type_of(type_name, steps[0]), steps))
    return " ".join(selections)


def _reach(steps: tuple[str, ...], take: Take) -> Callable[[Row], Any]:
    if len(steps) == 1:
        name = steps[0]
        return lambda row: take(row.get(name))
    outer, inner = steps

    def reach(row: Row) -> Any:
        holder = row.get(outer)
        return take(holder.get(inner) if holder else None)

    return reach


def _taker(field: Field) -> Take:
    """How the value of ``field`` is made canonical."""
    if field.type == "ref":
        return _refs if field.many else _ref
    if field.parts:
        return _parts_taker(field)
    if field.many:
        return _list_taker(field)
    return _PLAIN[field.name] if field.name in _PLAIN else _BY_TYPE[field.type]


def _ref(value: Any) -> Any:
    return value["id"] if value else None


def _refs(values: Any) -> Any:
    return sorted_ids(value["id"] for value in values or ())


def _list_taker(field: Field) -> Take:
    one = _BY_TYPE[field.type]

    def filled(values: Any) -> list[Any]:
        # Stash keeps empty aliases and addresses, and shows them.
        return [found for value in values or () if (found := one(value)) is not None]

    return filled if field.ordered else lambda values: sorted(filled(values))


def _parts_taker(field: Field) -> Take:
    readers = [(part.name, _first(part), _part_reach(part)) for part in field.parts]
    order = _order(field)

    def take(values: Any) -> Any:
        entries = [{name: reach(value) for name, first, reach in readers if first in value} for value in values or ()]
        return order(entries) if len(entries) > 1 else entries

    return take


def _first(part: Field) -> str:
    return (part.read or part.name).partition(".")[0]


def _part_reach(part: Field) -> Callable[[Row], Any]:
    return _reach(tuple((part.read or part.name).split(".")), _taker(part))


def _order(field: Field) -> Callable[[list[Row]], list[Row]]:
    """The order of a list of parts: files keep their first (the primary), groups go by number, keyed lists by
    their first two parts (endpoint and id, language and type, type and value)."""
    if field.name == "files":
        return lambda entries: [entries[0], *sorted(entries[1:], key=lambda entry: int(entry["id"]))]
    if field.ordered:
        return lambda entries: entries
    one, two = field.parts[0].name, field.parts[1].name
    if field.parts[0].type == "ref":
        return lambda entries: sorted(entries, key=lambda entry: int(entry[one]))
    return lambda entries: sorted(entries, key=lambda entry: (entry[one] or "", entry[two] or ""))


def _text(value: Any) -> Any:
    return value or None


def _time(value: Any) -> Any:
    return utc(value) if value else None


def _float(value: Any) -> Any:
    return None if value is None else float(value)


def _same(value: Any) -> Any:
    return value


def _map(value: Any) -> Any:
    return sort_keys(value or {})


def _find_filter(value: Any) -> Any:
    if value is None:
        return None
    return sort_keys({key: entry for key, entry in value.items() if entry is not None})


_BY_TYPE: Mapping[str, Take] = {
    "text": _text,
    "enum": _text,
    "date": _text,
    "int": _same,
    "float": _float,
    "bool": bool,
    "time": _time,
    "json": sort_keys,
    "map": _map,
}
_PLAIN: Mapping[str, Take] = {"find_filter": _find_filter}
