"""What was read from a file must be what kinds.py says: its names, its types. Anything else is refused."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ...errors import Unreadable
from ...kinds import KINDS, Field, Kind
from ...model import Record

DEEPEST = 64
"""Levels that the values of settings, filters and custom fields may have."""

Check = Callable[[Any], Any]
"""Gives the value in its canonical type; raises ValueError."""


class Checked:
    """Makes records of parsed mappings for one file, ``name``. A format may keep a check for each kind."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._checks: dict[str, Callable[[Mapping[str, Any]], dict[str, Any]]] = {}

    def record(self, raw: Any, kind: str | None, where: str) -> Record:
        """The record ``raw`` is; its kind and id are keys of it unless ``kind`` is given. Raises Unreadable,
        naming ``where``."""
        try:
            if not isinstance(raw, dict):
                raise ValueError("no record")  # noqa: TRY004, TRY301 - all that is wrong comes together below
            kind = kind or raw.pop("kind", None)
            if not isinstance(kind, str) or kind not in KINDS:
                raise ValueError(f"{kind!r} is no kind of record" if kind else "a record without its kind")  # noqa: TRY301
            return Record(kind, _uid(raw.pop("id", None)), self.data(kind, raw))
        except ValueError as error:
            raise Unreadable(path=self._name, reason=f"{where}: {error}") from error

    def data(self, kind: str, raw: Mapping[str, Any]) -> dict[str, Any]:
        """The fields ``raw``, in the order and the types of the table. Raises ValueError."""
        check = self._checks.get(kind)
        if check is None:
            check = self._checks[kind] = fields_check(KINDS[kind])
        return check(raw)


def _uid(uid: Any) -> str:
    if not isinstance(uid, str) or not uid:
        raise ValueError("a record without an id")
    return uid


def fields_check(owner: Kind | Field) -> Callable[[Mapping[str, Any]], dict[str, Any]]:
    """Compile the check of a kind's fields, or of a composite field's parts."""
    fields = owner.fields if isinstance(owner, Kind) else owner.parts
    checks = {field.name: field_check(field) for field in fields}

    def check(raw: Mapping[str, Any]) -> dict[str, Any]:
        if not raw.keys() <= checks.keys():
            raise ValueError(f"{owner.name} has no field {next(iter(raw.keys() - checks.keys()))!r}")
        return {name: _named(name, one, raw[name]) for name, one in checks.items() if name in raw}

    return check


def _named(name: str, check: Check, value: Any) -> Any:
    try:
        return check(value)
    except ValueError as error:
        raise ValueError(f"{name}: {error}") from None


def field_check(field: Field) -> Check:
    """Compile the check of one field."""
    if field.type == "part":
        one: Check = _part(field)
    else:
        one = _ref if field.type == "ref" and field.many else _CHECKS.get(field.type, _text)
    return _list_of(one) if field.many else one


def _part(field: Field) -> Check:
    parts, refs = fields_check(field), [part.name for part in field.parts if part.type == "ref"]

    def check(value: Any) -> dict[str, Any]:
        if not isinstance(value, dict):
            raise ValueError("parts are expected")  # noqa: TRY004
        missing = next((name for name in refs if value.get(name) is None), None)
        if missing is not None:
            raise ValueError(f"an entry without its {missing}")
        return parts(value)

    return check


def _list_of(one: Check) -> Check:
    def check(value: Any) -> list[Any]:
        if not isinstance(value, list):
            raise ValueError("a list is expected")  # noqa: TRY004
        return [one(item) for item in value]

    return check


def _text(value: Any) -> Any:
    if value is None or isinstance(value, str):
        return value
    raise ValueError("text is expected")


def _ref(value: Any) -> Any:
    if isinstance(value, str):
        return value
    raise ValueError("the id of a record is expected")


def _int(value: Any) -> Any:
    if value is None or (isinstance(value, int) and not isinstance(value, bool)):
        return value
    raise ValueError("a whole number is expected")


def _float(value: Any) -> Any:
    if value is None or isinstance(value, float):
        return value
    if isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    raise ValueError("a number is expected")


def _bool(value: Any) -> Any:
    if value is None or isinstance(value, bool):
        return value
    raise ValueError("true or false is expected")


def _map(value: Any) -> Any:
    if value is None or isinstance(value, dict):
        return _json(value)
    raise ValueError("a map is expected")


def _json(value: Any, left: int = DEEPEST) -> Any:
    if not left:
        raise ValueError(f"it is nested more than {DEEPEST} deep")
    for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        if isinstance(inner, (dict, list)):
            _json(inner, left - 1)
    return value


_CHECKS: dict[str, Check] = {"int": _int, "float": _float, "bool": _bool, "map": _map, "json": _json}
