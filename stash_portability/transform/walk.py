"""Walking paths: the value of a path in a record. Pure; referred records come from ``Names``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..kinds import KINDS, Field
from ..model import Record
from .paths import ID, LABEL, LIST_STEPS, Names, Path


def value(path: Path, record: Record, names: Names) -> Any:
    """The value of ``path`` in ``record``: a list when ``path.many``, else one value or None."""
    return _walk(path.field, path.steps[1:], _first(path, record), names)


def _first(path: Path, record: Record) -> Any:
    return record.uid if path.steps[0] == "id" else record.data.get(path.steps[0])


def _walk(field: Field, steps: tuple[str, ...], here: Any, names: Names) -> Any:
    if not steps:
        return here
    if isinstance(here, list):
        if steps[0] in LIST_STEPS:
            return _walk(field, steps[1:], _of_list(steps[0], here), names)
        return _walk_list(field, steps, here, names)
    return _walk_one(field, steps, here, names)


def _walk_list(field: Field, steps: tuple[str, ...], here: list[Any], names: Names) -> Any:
    if field.key and field.part(steps[0]) is None:
        return _keyed(field, steps[0], here)
    inner = steps[:-1] if steps[-1] in LIST_STEPS else steps
    gathered: list[Any] = []
    for entry in here:
        found = _walk_one(field, inner, entry, names)
        gathered.extend(found) if isinstance(found, list) else gathered.append(found)
    return gathered if inner is steps else _of_list(steps[-1], gathered)


def _keyed(field: Field, key: str, entries: list[Any]) -> Any:
    """The value of the entry called ``key`` in a keyed list ({type, value}, {endpoint, stash_id})."""
    key_name, value_name = field.parts[0].name, field.parts[1].name
    return next((entry[value_name] for entry in entries if entry.get(key_name) == key), None)


def _walk_one(field: Field, steps: tuple[str, ...], here: Any, names: Names) -> Any:
    if here is None:
        return None
    step, rest = steps[0], steps[1:]
    if field.type == "ref":
        return _through(field, step, rest, here, names)
    if not isinstance(here, Mapping):
        return None
    part = field.part(step) or Field(step, "json")
    return _walk(part, rest, here.get(step), names)


def _through(field: Field, step: str, rest: tuple[str, ...], uid: str, names: Names) -> Any:
    """Step through a reference. A record that is not known is called by its uid, so that a sheet that was
    read back (whose references are the labels) gives the same sheet."""
    if step == "id":
        return uid
    data = names(field.of, uid)
    if step == LABEL:
        return uid if data is None else label(field.of, uid, data)
    if data is None:
        return None
    inner = KINDS[field.of].field(step) or ID
    return _walk(inner, rest, data.get(step), names)


def _of_list(step: str, values: list[Any]) -> Any:
    if step == "count":
        return len(values)
    return (values[0] if step == "first" else values[-1]) if values else None


def label(kind: str, uid: str, data: Mapping[str, Any]) -> str:
    """What people call a record: its name (with the disambiguation that keeps two performers apart), its
    title, or the path of its first file; its uid when it has none."""
    for name in KINDS[kind].label:
        field, _, part = name.partition(".")
        found = data.get(field)
        if part and found:
            found = found[0].get(part)
        if found:
            extra = data.get("disambiguation")
            return f"{found} ({extra})" if extra else str(found)
    return uid


def label_fields(kind: str) -> frozenset[str]:
    """The fields ``label`` looks at."""
    names = {name.partition(".")[0] for name in KINDS[kind].label}
    return frozenset(names | ({"disambiguation"} if kind == "performer" else set()))
