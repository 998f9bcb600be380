"""From fields of kinds.py to Stash's mutation inputs, cut to what one server takes. Pure, but for the bytes of images,
which come from the function it is given.

A missing key is left alone by Stash, and null clears; a create leaves empty fields out.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from .. import json_text
from ..errors import PortabilityError
from ..kinds import Field, Kind
from ..model import Blob, BlobRef
from .schema import Schema
from .stash_write_cannot import CANNOT_CLEAR
from .stash_write_request import Argument, Step

Image = Callable[[Blob | BlobRef], bytes]
"""Gives the bytes of an image, or raises what says why they cannot be had."""

_NEEDS_TEXT = {("chapter", "title"), ("marker", "title"), ("gallery", "title"), ("tag", "name"), ("studio", "name"),
               ("performer", "name"), ("group", "name")}  # fmt: skip
"""Texts that Stash does not take null for: it fails, or leaves the text as it is; "" it takes, or refuses in words."""
_PARTIAL = re.compile(r"\d{4}(-\d{2})?")


@dataclass(frozen=True, slots=True)
class Filled:
    """An input: its keys and values, the fields of the record in it, and those that cannot be given, with why."""

    values: dict[str, Any]
    fields: tuple[str, ...]
    told: dict[str, str]


def input_type(kind: Kind, op: str) -> str:
    """The name of the input that creates or updates ("create", "update") records of ``kind``."""
    if kind.name == "saved_filter":
        return "SaveFilterInput"
    return f"{kind.graphql}{op.capitalize()}Input"


def mutation(kind: Kind, op: str) -> str:
    """The name of the mutation that creates, updates or destroys records of ``kind``."""
    if kind.name == "saved_filter":
        return "destroySavedFilter" if op == "destroy" else "saveFilter"
    return f"{kind.graphql[0].lower()}{kind.graphql[1:]}{op.capitalize()}"


def main_step(kind: Kind, op: str, values: Mapping[str, Any], fields: tuple[str, ...]) -> Step:
    """The mutation that creates or updates a record with the input ``values``."""
    argument = Argument("input", f"{input_type(kind, op)}!", dict(values))
    return Step(mutation(kind, op), (argument,), "id", fields)


def destroy_step(kind: Kind, uid: str) -> Step:
    """The mutation that takes a record away. Files, of media or generated, are never deleted."""
    name = mutation(kind, "destroy")
    if kind.name in ("marker", "chapter"):
        return Step(name, (Argument("id", "ID!", uid),))
    if kind.name == "saved_filter":
        return Step(name, (Argument("input", "DestroyFilterInput!", {"id": uid}),))
    values: dict[str, Any] = {"ids": [uid]} if kind.name == "gallery" else {"id": uid}
    if kind.name in ("scene", "image", "gallery"):
        values |= {"delete_file": False, "delete_generated": False}
    return Step(name, (Argument("input", f"{kind.graphql}DestroyInput!", values),))


class Inputs:
    """Makes inputs for the server that ``schema`` describes (its input types among them)."""

    def __init__(self, schema: Schema, image: Image) -> None:
        self._schema = schema
        self._image = image

    def takes(self, kind: Kind, op: str, field: Field) -> bool:
        """Whether the mutation ``op`` of ``kind`` takes ``field`` on this server."""
        return bool(self._key(kind, op, field))

    def lacks(self, kind: Kind, field: Field) -> tuple[str, ...]:
        """The parts of ``field`` that this server's inputs do not have."""
        type_ = self._schema.type_of(input_type(kind, "update"), field.write)
        known = self._schema.fields(type_)
        return tuple(part.name for part in field.parts if known and part_key(part) not in known)

    def limits(self, kind: Kind) -> dict[str, str]:
        """What of fields this server takes it does not take in full: "date.partial", "urls.more"."""
        found: dict[str, str] = {}
        for field in filter(is_plain, kind.fields):
            if field.type == "date" and not self._partial_dates:
                found[f"{field.name}.partial"] = WHOLE_DATES
            if self._key(kind, "update", field) == "url":
                found[f"{field.name}.more"] = ONE_URL
        return found

    @property
    def _partial_dates(self) -> bool:
        """Stash takes a year, or a month, for a date since studios have several URLs."""
        return self._schema.has("Studio", "urls")

    def fill(self, kind: Kind, op: str, data: Mapping[str, Any]) -> Filled:
        """The input that gives a record of ``kind`` those of the fields ``data`` that the mutation ``op`` itself
        writes."""
        values: dict[str, Any] = {}
        told: dict[str, str] = {}
        fields = [field for field in map(kind.field, data) if field is not None and is_plain(field)]
        fields = [field for field in fields if op == "create" or (kind.name, field.name) not in BY_DIFFERENCE]
        for field in fields:
            self._put(values, told, (kind, op, field), data[field.name])
        return Filled(values, tuple(field.name for field in fields if field.name not in told), told)

    def _put(self, values: dict[str, Any], told: dict[str, str], place: tuple[Kind, str, Field], value: Any) -> None:
        kind, op, field = place
        key = self._key(kind, op, field)
        why = self._refusal(place, key, value)
        if why:
            told[field.name] = why
        elif key and not (op == "create" and is_empty(value) and (kind.name, field.name) not in _NEEDS_TEXT):
            try:
                values[key] = self._value(place, key, value)
            except PortabilityError as error:
                told[field.name] = f"its image cannot be had: {error.words['reason'] or error}"

    def _key(self, kind: Kind, op: str, field: Field) -> str:
        """The key of ``field`` in the input, or "" when this server has none: studios had one URL before 0.30."""
        type_ = input_type(kind, op)
        if self._schema.has(type_, field.write):
            return field.write
        return "url" if field.name == "urls" and self._schema.has(type_, "url") else ""

    def _refusal(self, place: tuple[Kind, str, Field], key: str, value: Any) -> str:
        """Why ``value`` cannot be given, or ""."""
        kind, op, field = place
        if not key:
            return "" if is_empty(value) or _comes_later(kind, op, field) else NO_PLACE
        if key == "url" and len(value or ()) > 1:
            return ONE_URL
        if op == "update" and is_empty(value) and (why := CANNOT_CLEAR.get(f"{kind.name}.{field.name}")):
            return why
        if field.type == "date" and value and _PARTIAL.fullmatch(value) and not self._partial_dates:
            return WHOLE_DATES
        return ""

    def _value(self, place: tuple[Kind, str, Field], key: str, value: Any) -> Any:
        kind, op, field = place
        if key == "url":
            return value[0] if value else None
        if field.role == "blob":
            return None if value is None else data_url(self._image(value))
        if field.type == "map":
            full = self._schema.type_of(input_type(kind, op), key) == "CustomFieldsInput"
            return {"full": with_points(value or {})} if full else with_points(value or {})
        if field.parts:
            return [self._parts(kind, op, field, entry) for entry in value or ()]
        return plain(kind, field, value)

    def _parts(self, kind: Kind, op: str, field: Field, entry: Mapping[str, Any]) -> dict[str, Any]:
        known = self._schema.fields(self._schema.type_of(input_type(kind, op), field.write))
        keys = ((part_key(part), part.name) for part in field.parts if part.name in entry)
        return {key: entry[name] for key, name in keys if key in known}


NO_PLACE = "this Stash has no place for it; a newer one may"
ONE_URL = "this Stash keeps one URL of a studio; 0.30 and later keep several"
WHOLE_DATES = "this Stash only takes whole dates; 0.30 and later take a year or a month"


BY_DIFFERENCE = frozenset((("image", "galleries"), ("group", "containing_groups")))
"""References of which an update sends what comes and what goes (stash_write_later.py). Set as a whole, Stash makes them
anew, and forgets which image is the cover of the gallery, and the group's place among those beside it."""


def is_plain(field: Field) -> bool:
    """Whether the update (or create) mutation of its kind itself writes ``field``."""
    return field.writer in ("update", "create") and bool(field.write)


def is_empty(value: Any) -> bool:
    """Whether there is nothing to give. A zero and False are something."""
    return value is None or value in ("", [], {})


def part_key(part: Field) -> str:
    """The key of a part in Stash's inputs."""
    return f"{part.name}_id" if part.type == "ref" else part.name


def plain(kind: Kind, field: Field, value: Any) -> Any:
    """A value without parts as Stash's inputs take it."""
    if field.many:
        return list(value or ())
    if value is None and (kind.name, field.name) in _NEEDS_TEXT:
        return ""
    if value is None and field.type == "bool":
        return False
    if value is None and field.name == "play_duration":
        return 0.0
    return value


def with_points(value: Any) -> Any:
    """``value`` with a point in every number that is no integer: Stash takes 1e300, or 1e-7, for a 0."""
    if isinstance(value, float) and "e" in (text := repr(value)) and "." not in text:
        return json_text.raw(text.replace("e", ".0e"))
    if isinstance(value, Mapping):
        return {key: with_points(inner) for key, inner in value.items()}
    return [with_points(inner) for inner in value] if isinstance(value, list) else value


def data_url(content: bytes) -> str:
    """Image bytes as Stash's inputs take them. What kind of image it is Stash finds out when it shows it."""
    return f"data:image/unknown;base64,{base64.b64encode(content).decode('ascii')}"


def _comes_later(kind: Kind, op: str, field: Field) -> bool:
    """Whether a step after the create writes it."""
    return (kind.name, op, field.name) == ("scene", "create", "play_duration")
