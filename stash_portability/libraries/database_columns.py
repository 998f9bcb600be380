"""Columns of a kind's own table: the SQL expression that reads one, and how a batch of its values becomes canonical.

Values are converted a column at a time, because a call for each value would take most of the time of an export.
Every converter raises ValueError for what cannot be right, and so does not guess.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from datetime import date
from decimal import Decimal
from typing import Any, NamedTuple

from ..kinds import Field, Kind
from .canonical import sort_keys, utc
from .database_shape import Shape

Values = Sequence[Any]

_FIND_FILTER = frozenset(("q", "page", "per_page", "sort", "direction"))
_NONE = type(None)
_REST_OF_DATE = {4: "-01-01", 7: "-01"}
_WHOLE_BELOW = 2.0**63
_EXACT_DIGITS = 15
_TIME_LENGTH = len("2006-01-02T15:04:05Z")
_MARK = "!" * (_TIME_LENGTH + 1)
"""Before a stored time that SQLite has not turned into UTC; longer than any that it has."""
_DAY = "(?:(?:0[1-9]|1[0-2])-(?:0[1-9]|1[0-9]|2[0-8])|(?:0[13-9]|1[0-2])-(?:29|30)|(?:0[13578]|1[02])-31)"
_UTC = re.compile(f"(?:[0-9]{{4}}-{_DAY}T(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]Z,?)*")
"""Canonical times one after another, with or without commas between: one look instead of one for each. February
29th is not among them, because of the years that have none."""


Convert = Callable[[Values], Values]


class Column(NamedTuple):
    """One value of a kind's row: its SQL (``t`` is the kind's table), its converter, and the join it needs."""

    expression: str
    convert: Convert
    join: str = ""


def column_of(kind: Kind, field: Field, shape: Shape) -> Column | None:
    """How ``field`` is read from the row of ``kind``; None when this database does not have it there."""
    if (kind.name, field.name) in _LOOKED_UP:
        column, needs = _LOOKED_UP[kind.name, field.name]
        return column if all(shape.has(*need) for need in needs) else None
    if not field.column or field.many or not shape.has(kind.table, field.column):
        return None
    name = f"t.{quoted(field.column)}"
    if field.type == "date":
        return Column(_date_sql(kind.table, field.column, shape), dates)
    if field.type == "time":
        return Column(time_sql(name), times)
    return Column(_EXPRESSIONS.get(field.type, "{}").format(name), _CONVERTERS[field.type])


def quoted(name: str) -> str:
    """``name`` as an SQL name."""
    return f'"{name}"'


def text_sql(name: str) -> str:
    """The SQL that makes empty text NULL."""
    return f"nullif({name}, '')"


def time_sql(name: str) -> str:
    """The SQL that gives the time in ``name`` in UTC: as it is stored when it ends like one (``times`` looks closer),
    or the stored text after a mark when SQLite must not be asked: it drops fractions, and takes February 31st for
    March 3rd and hour 24 for the next day's first.

    SQLite reckons the zone in half the time Python needs, whatever the zone.
    """
    shape = f"length({name}) in (20, 25) and substr({name}, 20, 1) in ('Z', '+', '-') and substr({name}, 12, 2) < '24'"
    day = f"substr({name}, 9, 2) < '29' or date(substr({name}, 1, 10), '+0 days') = substr({name}, 1, 10)"
    marked = f"'{_MARK}' || {name}"
    return (
        f"case when substr({name}, 20) = 'Z' then {name}"
        f" when {shape} and ({day}) then coalesce(strftime('%Y-%m-%dT%H:%M:%SZ', {name}), {marked}) else {marked} end"
    )


def _date_sql(table: str, column: str, shape: Shape) -> str:
    name, precision = f"t.{quoted(column)}", f"{column}_precision"
    if not shape.has(table, precision):
        # Schemas 78 to 84 keep the years of a career as numbers.
        return f"case typeof({name}) when 'integer' then printf('%04d', {name}) else substr({name}, 1, 10) end"
    return f"substr({name}, 1, case t.{quoted(precision)} when 2 then 4 when 1 then 7 else 10 end)"


def texts(values: Values) -> Values:
    """Text or None; the SQL has made empty text None."""
    return _checked(values, {str, _NONE})


def ints(values: Values) -> Values:
    """Numbers or None."""
    return _checked(values, {int, _NONE})


def floats(values: Values) -> Values:
    """Floats or None."""
    if {float, _NONE}.issuperset(map(type, values)):
        return values
    return [None if value is None else float(value) for value in _checked(values, {int, float, _NONE})]


def bools(values: Values) -> Values:
    """True or False; none is False."""
    return list(map(bool, _checked(values, {int, _NONE})))


def times(values: Values) -> Values:
    """UTC or None, of what ``time_sql`` gives."""
    if _UTC.fullmatch("".join(filter(None, _checked(values, {str, _NONE})))):
        return values
    return [None if value is None else time(value) for value in values]


def time(text: str) -> str:
    """One time of what ``time_sql`` gives."""
    if all_utc(text):
        return text
    # Stash also takes a day, and hours and minutes, for a time.
    stored = text.removeprefix(_MARK)
    stored += {10: "T00:00:00", 16: ":00"}.get(len(stored), "")
    # canonical.utc believes a text that ends in "Z"; with a zone it looks.
    return utc(stored[:-1] + "+00:00" if stored[-1:] in ("Z", "z") else stored)


def all_utc(text: str) -> bool:
    """Whether ``text`` is canonical times and commas between them."""
    return _UTC.fullmatch(text) is not None


def dates(values: Values) -> Values:
    """Whole or partial dates or None, as the SQL has cut them."""
    return [_date(value) if value else None for value in _checked(values, {str, _NONE})]


def _date(text: str) -> str:
    # Go knows a year 0, Python does not; 2000 is a leap year too.
    year = "2000" if text[:4] == "0000" else text[:4]
    date.fromisoformat(year + text[4:] + _REST_OF_DATE.get(len(text), ""))
    return text


def json_values(values: Values) -> Values:
    """Parsed JSON with sorted keys, or None."""
    return [_json(value) for value in _checked(values, {str, bytes, _NONE})]


def find_filters(values: Values) -> Values:
    """Parsed JSON of a saved filter's page, sort and search text; only what GraphQL has, and no nulls."""
    return [
        None if found is None else {key: found[key] for key in found if key in _FIND_FILTER and found[key] is not None}
        for found in json_values(values)
    ]


def _json(value: str | bytes | None) -> Any:
    if not value:
        return None
    try:
        return sort_keys(json.loads(value, parse_float=_number, parse_int=_number))
    except RecursionError as error:
        raise ValueError("nested too deep") from error


def _number(text: str) -> int | float:
    """A number in JSON: to Stash all of them are floats of 64 bits."""
    return int(text) if len(text) <= _EXACT_DIGITS and text.lstrip("-").isdigit() else shown(float(text))


def shown(number: float) -> int | float:
    """A number as Stash shows it: a float without a fraction as a whole number, if 64 bits can hold that."""
    if not number.is_integer() or abs(number) >= _WHOLE_BELOW:
        return number
    return int(Decimal(repr(number)))


def _checked(values: Values, types: set[type]) -> Values:
    if not types.issuperset(map(type, values)):
        raise ValueError("of another type than it should be")
    return values


_EXPRESSIONS = {
    "text": text_sql("{}"),
    "enum": text_sql("{}"),
    "blob": text_sql("{}"),
    "ref": "cast({} as text)",
}
_CONVERTERS: dict[str, Convert] = {
    "text": texts,
    "enum": texts,
    "blob": texts,
    "ref": texts,
    "int": ints,
    "float": floats,
    "bool": bools,
    "json": json_values,
}
_PRIMARY_VIDEO = (
    ' left join scenes_files o on o.scene_id = t.id and o."primary" left join video_files v on v.file_id = o.file_id'
)
_PRIMARY_NEEDS = (
    ("scenes_files", "scene_id", "file_id", "primary"),
    ("video_files", "file_id", "interactive", "interactive_speed"),
)
_LOOKED_UP: dict[tuple[str, str], tuple[Column, tuple[tuple[str, ...], ...]]] = {
    ("scene", "interactive"): (Column("v.interactive", bools, _PRIMARY_VIDEO), _PRIMARY_NEEDS),
    ("scene", "interactive_speed"): (Column("v.interactive_speed", ints, _PRIMARY_VIDEO), _PRIMARY_NEEDS),
    ("gallery", "folder"): (
        Column("nullif((select path from folders where id = t.folder_id), '')", texts),
        (("galleries", "folder_id"), ("folders", "path")),
    ),
    ("gallery", "cover"): (
        Column("(select cast(image_id as text) from galleries_images where gallery_id = t.id and cover = 1)", texts),
        (("galleries_images", "gallery_id", "image_id", "cover"),),
    ),
    ("saved_filter", "find_filter"): (Column("t.find_filter", find_filters), (("saved_filters", "find_filter"),)),
}
"""Fields that look into other tables, or are read in a way of their own, and what must be there for it."""
