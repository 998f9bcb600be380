"""Columns of a kind's own table: the SQL expression that reads one, and how a batch of its values becomes canonical.

Values are converted a column at a time, because a call for each value would take most of the time of an export.
Every converter raises ValueError for what cannot be right, and so does not guess.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from datetime import date
from typing import Any, NamedTuple

from stash_portability.kinds import Field, Kind
from stash_portability.libraries.canonical import sort_keys, utc
from stash_portability.libraries.database_shape import Shape

Values = Sequence[Any]

_REST = frozenset(f"{minute:02}:{second:02}" for minute in range(60) for second in range(60))
_DAYS_KEPT = 20_000
_FIND_FILTER = frozenset(("q", "page", "per_page", "sort", "direction"))
_NONE = type(None)


class Clock:
    """Turns stored times into UTC. All times of one day and zone differ by the same whole hours in nearly every
    zone, so a day is looked up and not reckoned again: 0.4 µs a time in place of 5."""

    def __init__(self) -> None:
        self._days: dict[str, dict[str, str]] = {}

    def utc(self, text: str) -> str:
        """``text`` as canonical.utc gives it; raises ValueError also for a time that ends in "Z" and cannot be."""
        hours = self._days.get(text[:11] + text[19:])
        if hours and (hour := hours.get(text[11:14])) and (rest := text[14:19]) in _REST:
            return hour + rest + "Z"
        return self._learn(text)

    def _learn(self, text: str) -> str:
        # canonical.utc believes a text that ends in "Z"; with a zone it looks.
        zone = "+00:00" if text[-1:] in ("Z", "z") else text[-6:]
        moment = utc(text[:-1] + zone if text[-1:] in ("Z", "z") else text)
        if text[10:11] == "T" and len(text) - len(text[19:]) == 19 and len(moment) == 20 and zone[-3:] == ":00":
            if len(self._days) >= _DAYS_KEPT:
                self._days.clear()
            self._days[text[:11] + text[19:]] = {f"{hour:02}:": utc(f"{text[:11]}{hour:02}:00:00{zone}")[:14] for hour in range(24)}
        return moment


Convert = Callable[[Values, Clock], Values]


class Column(NamedTuple):
    """One value of a kind's row: its SQL (``t`` is the kind's table) and its converter."""

    expression: str
    convert: Convert


def column_of(kind: Kind, field: Field, shape: Shape) -> Column | None:
    """How ``field`` is read from the row of ``kind``; None when this database does not have it there."""
    if (kind.name, field.name) in _LOOKED_UP:
        expression, convert, needs = _LOOKED_UP[kind.name, field.name]
        return Column(expression, convert) if all(shape.has(*need) for need in needs) else None
    if not field.column or field.many or not shape.has(kind.table, field.column):
        return None
    if field.type == "date":
        return Column(_date_expression(kind.table, field.column, shape), dates)
    return Column(_EXPRESSIONS.get(field.type, "t.{}").format(quoted(field.column)), _CONVERTERS[field.type])


def quoted(name: str) -> str:
    """``name`` as an SQL name."""
    return f'"{name}"'


def _date_expression(table: str, column: str, shape: Shape) -> str:
    name, precision = f"t.{quoted(column)}", f"{column}_precision"
    if not shape.has(table, precision):
        # Schemas 78 to 84 keep the years of a career as numbers.
        return f"case typeof({name}) when 'integer' then printf('%04d', {name}) else substr({name}, 1, 10) end"
    return f"substr({name}, 1, case t.{quoted(precision)} when 2 then 4 when 1 then 7 else 10 end)"


def texts(values: Values, _clock: Clock) -> Values:
    """Text or None; the SQL has made empty text None."""
    return _checked(values, {str, _NONE})


def ints(values: Values, _clock: Clock) -> Values:
    """Numbers or None."""
    return _checked(values, {int, _NONE})


def floats(values: Values, _clock: Clock) -> Values:
    """Floats or None."""
    return [None if value is None else float(value) for value in _checked(values, {int, float, _NONE})]


def bools(values: Values, _clock: Clock) -> Values:
    """True or False; none is False."""
    return list(map(bool, _checked(values, {int, _NONE})))


def times(values: Values, clock: Clock) -> Values:
    """UTC or None."""
    utc_of = clock.utc
    return [None if value is None else utc_of(value) for value in _checked(values, {str, _NONE})]


def dates(values: Values, _clock: Clock) -> Values:
    """Whole or partial dates or None, as the SQL has cut them."""
    return [_date(value) if value else None for value in _checked(values, {str, _NONE})]


def _date(text: str) -> str:
    date.fromisoformat(text + "-01-01"[: 10 - len(text)] if len(text) != 7 else text + "-01")
    return text


def json_values(values: Values, _clock: Clock) -> Values:
    """Parsed JSON with sorted keys, or None."""
    return [_json(value) for value in _checked(values, {str, bytes, _NONE})]


def find_filters(values: Values, clock: Clock) -> Values:
    """Parsed JSON of a saved filter's page, sort and search text; only what GraphQL has, and no nulls."""
    return [
        None if found is None else {key: found[key] for key in found if key in _FIND_FILTER and found[key] is not None}
        for found in json_values(values, clock)
    ]


def _json(value: str | bytes | None) -> Any:
    if not value:
        return None
    try:
        return sort_keys(json.loads(value))
    except RecursionError as error:
        raise ValueError("nested too deep") from error


def _checked(values: Values, types: set[type]) -> Values:
    if not types.issuperset(map(type, values)):
        raise ValueError("of another type than it should be")
    return values


_EXPRESSIONS = {
    "text": "nullif(t.{}, '')",
    "enum": "nullif(t.{}, '')",
    "blob": "nullif(t.{}, '')",
    "ref": "cast(t.{} as text)",
}
_CONVERTERS: dict[str, Convert] = {
    "text": texts,
    "enum": texts,
    "blob": texts,
    "ref": texts,
    "int": ints,
    "float": floats,
    "bool": bools,
    "time": times,
    "json": json_values,
}
_PRIMARY_VIDEO = (
    '(select v.{} from scenes_files f join video_files v on v.file_id = f.file_id where f.scene_id = t.id and f."primary")'
)
_PRIMARY_NEEDS = (("scenes_files", "scene_id", "file_id", "primary"), ("video_files", "interactive", "interactive_speed"))
_LOOKED_UP: dict[tuple[str, str], tuple[str, Convert, tuple[tuple[str, ...], ...]]] = {
    ("scene", "interactive"): (_PRIMARY_VIDEO.format("interactive"), bools, _PRIMARY_NEEDS),
    ("scene", "interactive_speed"): (_PRIMARY_VIDEO.format("interactive_speed"), ints, _PRIMARY_NEEDS),
    ("gallery", "folder"): (
        "nullif((select path from folders where id = t.folder_id), '')",
        texts,
        (("galleries", "folder_id"), ("folders", "path")),
    ),
    ("gallery", "cover"): (
        "cast((select image_id from galleries_images where gallery_id = t.id and cover = 1) as text)",
        texts,
        (("galleries_images", "gallery_id", "image_id", "cover"),),
    ),
    ("saved_filter", "find_filter"): ("t.find_filter", find_filters, (("saved_filters", "find_filter"),)),
}
"""Fields that look into other tables, or are read in a way of their own: SQL, converter, what must be there."""
