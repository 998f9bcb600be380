"""Columns compiled into functions of a record. What ``transform.walk`` gives for any path, the shapes that sheets
are full of give faster; joining and formatting come on top. No I/O."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime, timezone
from typing import Any

from ...errors import BadProfile
from ...model import Record
from ...transform.paths import LABEL, LIST_STEPS, Column, Names, Path
from ...transform.walk import label
from ...transform.walk import value as walk

Get = Callable[[Record], Any]
_KEPT_LABELS = 20_000
_MOMENT = re.compile(r"(\d{4}-\d\d-\d\d)(?:(T\d\d:\d\d:\d\d)(?:\.(\d+))?Z)?\Z", re.ASCII)
_SAMPLES: dict[str, Any] = {"int": 1, "float": 1.0, "bool": True}


def getter(column: Column, names: Names) -> Get:
    """Compile ``column``: its value in a record, joined and formatted as it says. Raises BadProfile for a format
    that does not fit its type."""
    get, shape = path_getter(column.path, names), shaper(column)
    return get if shape is None else lambda record: shape(get(record))


def path_getter(path: Path, names: Names) -> Get:
    """Compile the walk of ``path``."""
    name = path.steps[0]
    if path.text == "id":
        return lambda record: record.uid
    if path.plain:
        return lambda record: record.data.get(name)
    inner = _of_list(path) if path.field.many else _label_of(path.field.of, path.steps[1:], names)
    if path.field.many and inner is None:
        inner = _of_entries(path, names)
    if inner is None:
        return lambda record: walk(path, record, names)
    step = inner
    return lambda record: None if (here := record.data.get(name)) is None else step(here)


def _of_list(path: Path) -> Callable[[Any], Any] | None:
    """``play_history.count`` and the like."""
    if len(path.steps) != 2 or path.last not in LIST_STEPS:
        return None
    if path.last == "count":
        return len
    at = 0 if path.last == "first" else -1
    return lambda values: values[at] if values else None


def _of_entries(path: Path, names: Names) -> Callable[[Any], Any] | None:
    """``tags.label``, ``files.path``, ``groups.group.label``, ``files.fingerprints.oshash``."""
    steps = path.steps[1:]
    one = _label_of(path.field.of, steps, names) if path.field.type == "ref" else _of_entry(path, steps, names)
    if one is None:
        return None
    each = one
    return lambda entries: [each(entry) for entry in entries]


def _of_entry(path: Path, steps: tuple[str, ...], names: Names) -> Callable[[Any], Any] | None:
    part = path.field.part(steps[0])
    if part is None or (part.many and not part.key):
        return None
    name = part.name
    if len(steps) == 1:
        return None if part.many else lambda entry: entry.get(name)
    if part.key and len(steps) == 2 and part.part(steps[1]) is None and steps[1] not in LIST_STEPS:
        return _keyed(name, part.parts[0].name, part.parts[1].name, steps[1])
    shown = _label_of(part.of, steps[1:], names)
    return None if shown is None else lambda entry: None if (uid := entry.get(name)) is None else shown(uid)


def _keyed(name: str, key: str, value: str, wanted: str) -> Callable[[Any], Any]:
    def find(entry: Any) -> Any:
        for one in entry.get(name) or ():
            if one.get(key) == wanted:
                return one[value]
        return None

    return find


def _label_of(kind: str, steps: tuple[str, ...], names: Names) -> Callable[[str], Any] | None:
    """The label of a referred record, remembered while it is used again and again."""
    if steps != (LABEL,) or not kind:
        return None
    known: dict[str, str] = {}

    def show(uid: str) -> str:
        found = known.get(uid)
        if found is not None:
            return found
        data = names(kind, uid)
        if data is None:
            return uid
        if len(known) >= _KEPT_LABELS:
            known.clear()
        known[uid] = shown = label(kind, uid, data)
        return shown

    return show


def shaper(column: Column) -> Callable[[Any], Any] | None:
    """What ``join`` and ``format`` of a column make of its value; None when it has neither. Raises BadProfile."""
    one = _formatter(column) if column.format else None
    if not column.join or not column.path.many:
        return (lambda value: _each(value, one)) if one else None
    join = column.join
    return lambda value: join.join(as_text(one(item) if one else item) for item in value or ())


def _each(value: Any, one: Callable[[Any], Any]) -> Any:
    return [one(item) for item in value] if isinstance(value, list) else one(value)


def _formatter(column: Column) -> Callable[[Any], Any]:
    """Compile a format: a strftime pattern for dates and times (partial dates stay as they are), a format
    specification for numbers and text."""
    spec, type_ = column.format, column.path.end.type
    timed = type_ in ("date", "time") and column.path.last != "count"
    sample = datetime(2000, 1, 1, tzinfo=timezone.utc) if timed else _sample(column)
    try:
        format(sample, spec)
    except ValueError as error:
        raise BadProfile(name=column.header, reason=f"the format {spec!r}: {error}") from error
    if timed:
        return lambda value: _instant(value, spec)
    return lambda value: None if value is None else format(value, spec)


def _sample(column: Column) -> Any:
    return 1 if column.path.last == "count" else _SAMPLES.get(column.path.end.type, "")


def _instant(text: str | None, pattern: str) -> str | None:
    found = _MOMENT.match(text or "")
    if found is None:
        return text
    day, seconds, fraction = found.groups()
    try:
        moment = datetime.fromisoformat(day + (seconds or "")).replace(tzinfo=timezone.utc)
    except ValueError:
        return text
    return moment.replace(microsecond=int(f"{fraction or '0':0<6.6}")).strftime(pattern)


def as_text(value: Any) -> str:
    """A value as people read it in a joined cell."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return value if isinstance(value, str) else str(value)
