"""Paths through a record: ``title``, ``performers.name``, ``files.fingerprints.phash``, ``play_history.count``.

A path is checked once against kinds.py and then walked fast. A step through a reference leads to the record
it names, through a composite field to its parts, through a keyed list (fingerprints, stash_ids) to the entry
of that key. ``count`` ends a path at a list, ``first`` and ``last`` step to one of its entries; ``label`` ends it
at what people call a record. Walking reads nothing: referred records come from ``Names``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from ..errors import unknown
from ..kinds import KINDS, Field, Kind

LIST_STEPS = ("count", "first", "last")
LABEL = "label"

Names = Callable[[str, str], Mapping[str, Any] | None]
"""(kind, uid) → the data of that record (at least the fields asked for in advance), or None when it is not known."""


@dataclass(frozen=True, slots=True)
class Path:
    """A checked path: its text, the field it begins with, what it ends at, and whether it gives a list."""

    text: str
    kind: str
    steps: tuple[str, ...]
    field: Field
    end: Field
    many: bool
    last: str = ""

    @property
    def plain(self) -> bool:
        """Whether it is just a field of the record."""
        return len(self.steps) == 1


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a table: its header, where its value comes from, and how it is written (both may be "")."""

    header: str
    path: Path
    join: str = ""
    format: str = ""


ID = Field("id", "text", privacy="personal", sheet=("id",))
"""The record's own id, as a field that every kind has."""


def parse(kind: Kind, text: str) -> Path:
    """Check ``text`` against the fields of ``kind``. Raises UnknownName with the nearest name."""
    steps = tuple(text.split("."))
    first = ID if steps[0] == "id" else kind.field(steps[0])
    if first is None:
        raise unknown(f"field of {kind.name}", steps[0], ("id", *kind.names()))
    end, depth, last = first, int(first.many), ""
    for place, step in enumerate(steps[1:], start=2):
        if last in ("count", LABEL):
            raise unknown(f"step after {last} in {text}", step, ())
        if step in LIST_STEPS and depth:
            # At the end it is of all entries together, before the end of each list within the list.
            last, depth = step, 0 if place == len(steps) else depth - 1
            continue
        end, last, deeper = _step(end, step, text)
        depth += deeper
    return Path(text, kind.name, steps, first, end, depth > 0, last)


def _step(field: Field, step: str, text: str) -> tuple[Field, str, int]:
    """One step on from ``field``: the field it leads to, the end it is (label), how many lists deeper that is."""
    if field.type == "ref":
        return _into_record(field, step, text)
    if field.type == "part":
        part = field.part(step)
        if part is not None:
            return part, "", int(part.many)
        if field.key:
            return field.parts[1], "", -1
    if field.type in ("map", "json"):
        return Field(step, "json"), "", 0
    raise unknown(f"part of {field.name} in {text}", step, [part.name for part in field.parts])


def _into_record(field: Field, step: str, text: str) -> tuple[Field, str, int]:
    kind = KINDS[field.of]
    if step == LABEL:
        return Field(LABEL, "text"), LABEL, 0
    inner = ID if step == "id" else kind.field(step)
    if inner is None:
        raise unknown(f"field of {kind.name} in {text}", step, ("id", LABEL, *kind.names()))
    return inner, "", int(inner.many)


def expand(kind: Kind, pattern: str) -> list[Path]:
    """The paths that ``pattern`` means: itself, or every field (or part) a glob matches, in the table's order."""
    if not any(char in pattern for char in "*?["):
        return [parse(kind, pattern)]
    steps = pattern.split(".")
    found = [text for text in _all_paths(kind) if _matches(text.split("."), steps)]
    if not found:
        raise unknown(f"field of {kind.name} matching", pattern, kind.names())
    return [parse(kind, text) for text in found]


def _matches(steps: list[str], patterns: list[str]) -> bool:
    return len(steps) == len(patterns) and all(map(fnmatchcase, steps, patterns))


def _all_paths(kind: Kind) -> Iterator[str]:
    yield "id"
    for field in kind.fields:
        yield field.name
        yield from (f"{field.name}.{part.name}" for part in field.parts)


def sheet_columns(kind: Kind, fields: tuple[str, ...]) -> tuple[Column, ...]:
    """The columns of a one-sheet table of ``kind`` for people, of the ``fields`` at hand."""
    columns = [Column("id", parse(kind, "id"))]
    for name in fields:
        field = kind.field(name)
        for spec in field.sheet if field else ():
            header, _, text = spec.rpartition("=")
            columns.append(Column(header or text, parse(kind, text)))
    return tuple(columns)


def field_columns(kind: Kind, fields: tuple[str, ...]) -> tuple[Column, ...]:
    """One column a field: the table that can be read back exactly."""
    return tuple(Column(name, parse(kind, name)) for name in ("id", *fields))
