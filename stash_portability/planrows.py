"""Lines of a plan as a person reads them: names in the place of ids, what a list gains and loses, texts on both sides.
Pure.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from .json_text import dumps
from .kinds import KINDS, Field
from .model import Data
from .reconcile.resolve import NEW
from .reconcile.rules import reference_fields

MOST_TEXT = 400
"""Characters of a value that are shown."""
MOST_MEMBERS = 50
"""Members a list gains or loses that are shown one by one."""

Names = Mapping[str, Mapping[str, str]]


def references_of(kind: str, data: Data) -> Iterator[tuple[str, str]]:
    """The kinds and ids that a record's data refers to."""
    for field, part in reference_fields(kind):
        value = data.get(field.name)
        of = (part or field).of
        if isinstance(value, list):
            yield from ((of, entry[part.name] if part else entry) for entry in value)
        elif value:
            yield of, value


def change_row(said: Mapping[str, Any]) -> dict[str, Any]:
    """One change, field by field in the order of the table."""
    change, names = said["change"], said["names"]
    before, after = change["before"] or {}, change["after"] or {}
    fields = [
        shown
        for field in KINDS[change["kind"]].fields
        if field.name in before or field.name in after
        if change["op"] == "update" or any(_says(field, data.get(field.name)) for data in (before, after))
        for shown in _shown(change, field, names)
    ]
    told = {name: change[name] for name in ("op", "kind", "uid")}
    return {**told, "label": said["label"], "fields": fields}


def _says(field: Field, value: Any) -> bool:
    """Whether a value of a record that is made or deleted is worth a line. Only a rating of 0 says something."""
    return value not in (None, "", [], {}, False, 0) or (field.name == "rating100" and value is not None)


def _shown(change: Mapping[str, Any], field: Field, names: Names) -> Iterator[dict[str, Any]]:
    """The lines of a field: of settings and filters one for each key that is another."""
    before, after = ((change[side] or {}).get(field.name) for side in ("before", "after"))
    if field.type == "json" and _are_keys(before, after):
        within = change["uid"] if change["kind"] == "config" else field.name
        keys = list(_keys(before, after))
        for key, one, other in keys[:MOST_MEMBERS]:
            yield {"name": f"{within}.{key}", "before": one, "after": other}
        if len(keys) > MOST_MEMBERS:
            yield {"name": within, "before": None, "after": f"… and {len(keys) - MOST_MEMBERS:,} more"}
    elif shown := _field(field, before, after, names):
        yield shown


def _are_keys(before: Any, after: Any) -> bool:
    """Whether both are objects, or one is and there is no other."""
    return all(value is None or isinstance(value, Mapping) for value in (before, after)) and bool(before or after)


def _keys(before: Any, after: Any, within: str = "") -> Iterator[tuple[str, str | None, str | None]]:
    """The keys, at any depth, of which two objects hold something else, with both values as text."""
    one, other = before or {}, after or {}
    for key in dict.fromkeys((*one, *other)):
        had, has = one.get(key), other.get(key)
        if had == has:
            continue
        if _are_keys(had, has):
            yield from _keys(had, has, f"{within}{key}.")
        else:
            yield f"{within}{key}", _plain_or_none(had), _plain_or_none(has)


def _field(field: Field, before: Any, after: Any, names: Names) -> dict[str, Any] | None:
    if field.type == "blob":
        return {"name": field.name, "image": True, "before": before is not None, "after": after is not None}
    if field.many or field.type == "map":
        had, has = _members(field, before, names), _members(field, after, names)
        added, removed = list((has - had).elements()), list((had - has).elements())
        if added or removed:
            return {"name": field.name, "added": _some(added), "removed": _some(removed)}
    one, other = text(field, before, names), text(field, after, names)
    return None if one == other else {"name": field.name, "before": one, "after": other}


def _some(members: list[str]) -> list[str]:
    more = len(members) - MOST_MEMBERS
    return members if more <= 0 else [*members[:MOST_MEMBERS], f"… and {more:,} more"]


def _members(field: Field, value: Any, names: Names) -> Counter[str]:
    if isinstance(value, Mapping):
        return Counter(f"{key}: {_plain(entry)}" for key, entry in value.items())
    return Counter(_member(field, entry, names) for entry in value or ())


def _member(field: Field, entry: Any, names: Names) -> str:
    if not isinstance(entry, Mapping):
        return _named(field, entry, names)
    told = (_named(part, entry.get(part.name), names) for part in field.parts if entry.get(part.name) is not None)
    return _cut(", ".join(told)) if field.parts else _plain(entry)


def _named(field: Field, value: Any, names: Names) -> str:
    if field.type == "ref" and value is not None:
        plain = f"a new {field.of}" if value.startswith(NEW) else f"{field.of} {value}"
        return names.get(field.of, {}).get(value) or plain
    return _plain(value)


def text(field: Field, value: Any, names: Names) -> str | None:
    """A value as one text; None for nothing."""
    if value is None or value in ([], {}):
        return None
    if field.type == "blob":
        return "an image"
    if isinstance(value, list):
        return _cut("; ".join(_member(field, entry, names) for entry in value))
    return _named(field, value, names)


def _plain_or_none(value: Any) -> str | None:
    return None if value is None else _plain(value)


def _plain(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return _cut(value if isinstance(value, str) else dumps(value).decode())


def _cut(said: str) -> str:
    return said if len(said) <= MOST_TEXT else said[: MOST_TEXT - 1] + "…"


def found_row(key: str, said: Mapping[str, Any]) -> dict[str, Any]:
    """One conflict, or one record that is not certain, or waits."""
    values, names = said[key], said["names"]
    row = {"kind": values[0], "uid": values[1], "label": said["label"]}
    if key == "waiting":
        return {**row, "why": values[2], "candidates": []}
    if key == "ambiguity":
        called = names.get(values[0], {})
        candidates = [f"{called[uid]} ({uid})" if called.get(uid) else uid for uid in values[2]]
        return {**row, "why": values[3], "candidates": candidates}
    field = KINDS[values[0]].field(values[2])
    shown = [text(field, value, names) if field else _whole(value) for value in values[3:6]]
    if field and field.type == "json" and all(isinstance(value, Mapping) for value in values[4:6]):
        keys = list(_keys(*values[4:6]))
        shown[1:] = [_listed((key, one) for key, one, _ in keys), _listed((key, other) for key, _, other in keys)]
    return {**row, "field": values[2], **dict(zip(("base", "source", "target"), shown, strict=True)),
            "chosen": values[6]}  # fmt: skip


def _listed(keys: Iterator[tuple[str, str | None]]) -> str:
    return _cut("; ".join(f"{key}: {value or '(nothing)'}" for key, value in keys))


def _whole(value: Any) -> str | None:
    """A record that one side has, in a line."""
    return None if value is None else _plain(value)
