"""What a template sees: each record as plain values with every field of its kind, whatever privacy left of it. Pure.

A reference is a mapping with ``id``, ``label`` and the simple fields of the record it leads to; the references of that
one have ``id``, ``label`` and ``name``. What a record lacks is None, or an empty list. Nothing else is there: no
object, no setting, no key.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from ...kinds import KINDS, Field, Kind
from ...model import Record
from ...transform.paths import LABEL, Column, Names, parse
from ...transform.redact import visible
from ...transform.walk import label

SIMPLE = frozenset(("text", "enum", "int", "float", "bool", "date", "time"))
FACTS: dict[str, str] = {
    "name": "the name of the template",
    "kind": "the kind of the records of this file; nothing when it holds several",
    "kinds": "the kinds that are exported, a list",
    "count": "how many records stand in this file: known in the footer, and in the header of a file of one record",
    "privacy": "how much is shown: full, share or public",
    "product": "what the records come from",
    "version": "its version",
    "tool": "the name and version of this program",
}
"""What header, between and footer may use, in words."""
FREE = tuple({one.name: None for kind in KINDS.values() for one in kind.fields if one.type in ("map", "json")})
"""Fields whose names within are the user's own."""
OWN: dict[str, tuple[str, bool]] = {
    "kind": ("the kind of the record: scene, performer …", False),
    "id": ("the id of the record", False),
    "label": ("what people call it: its title or name, or its path", False),
    "number": ("1 for the first record written, and so on", False),
    "picture": ("the file of its picture, beside the export; nothing when pictures are not exported", False),
}
"""Beside the fields: what every record has, in words, and whether it is a list."""
OF_FILES: dict[str, str] = {
    "path": "the path of its first file",
    "file": "the name of its first file",
    "duration": "seconds, of its first file",
    "width": "pixels, of its first file",
    "height": "pixels, of its first file",
    "size": "bytes, of its first file",
}
"""What a record with files also has, unless its kind has a field of that name."""
OF_HISTORY: dict[str, tuple[str, str]] = {
    "play_count": ("play_history", "how often it was played"),
    "last_played": ("play_history", "when it was played last"),
    "o_count": ("o_history", "how many entries its O history has"),
}


@dataclass(frozen=True, slots=True)
class Sight:
    """What can be seen: the privacy ``level``; the fields the source ``offers`` by kind (None: all); whether there are
    ``images``; the ``words`` of the template, for only what it names is read (None: everything)."""

    level: str = "full"
    offers: Mapping[str, Collection[str]] | None = None
    images: bool = False
    words: frozenset[str] | None = None

    def shows(self, kind: Kind, one: Field) -> bool:
        """Whether the source has the field ``one`` of ``kind`` and images are wanted where it is one."""
        offered = self.offers is None or one.name in self.offers.get(kind.name, ())
        return offered and (self.images or one.type != "blob")


@dataclass(frozen=True, slots=True)
class Extras:
    """What is not in a record: ``picture`` gives the file of an image by its digest, ``rewrite`` makes a path one for
    who reads the export, ``number`` counts the records. Of the record only the fields among ``words`` are shown, and of
    what lies within them the parts among ``inner`` (None: all), because a template can ask for no other."""

    picture: Callable[[str], str | None] = field(default=lambda _: None)
    rewrite: Callable[[str], str] = field(default=lambda path: path)
    number: int = 0
    words: frozenset[str] | None = None
    inner: frozenset[str] | None = None


def columns(kind: str, sight: Sight = Sight()) -> tuple[Column, ...]:
    """What has to be read for a template's view of ``kind``: paths as a sheet has them, so that what they step through
    is read and kept back the same way."""
    table = KINDS[kind]
    texts = ["id"]
    for one in table.fields:
        if sight.shows(table, one) and _wanted(table, one, sight.words):
            texts += [one.name, *_through(one, sight)]
    paths = (parse(table, text) for text in dict.fromkeys(texts))
    return tuple(Column(path.text, path) for path in paths if visible(path, sight.level))


def _wanted(kind: Kind, one: Field, words: frozenset[str] | None) -> bool:
    """Whether a template with these ``words`` can use the field: by its name, or by what is made of it."""
    if words is None or one.name in words or one.name in _label_fields(kind):
        return True
    made = [name for name, (source, _) in OF_HISTORY.items() if source == one.name]
    if one.name == "files":
        made += OF_FILES
    if one.type == "blob":
        made.append("picture")
    return not words.isdisjoint(made)


def _label_fields(kind: Kind) -> frozenset[str]:
    return frozenset(text.partition(".")[0] for text in kind.label)


def _through(one: Field, sight: Sight) -> Iterator[str]:
    """The paths through a reference, in ``one`` or in its parts."""
    for prefix, of in _references(one):
        yield f"{prefix}.{LABEL}"
        for inner in KINDS[of].fields:
            if not sight.shows(KINDS[of], inner) or not (sight.words is None or inner.name in sight.words):
                continue
            if inner.type in SIMPLE or inner.type == "map":
                yield f"{prefix}.{inner.name}"
            elif inner.type == "ref":
                yield f"{prefix}.{inner.name}.{LABEL}"


def _references(one: Field) -> list[tuple[str, str]]:
    """Where ``one`` refers to records: paths and kinds."""
    if one.type == "ref":
        return [(one.name, one.of)]
    return [(f"{one.name}.{part.name}", part.of) for part in one.parts if part.type == "ref"]


def view(record: Record, names: Names, extras: Extras) -> dict[str, Any]:
    """``record`` as a template sees it: plain values only."""
    data = record.data
    seen: dict[str, Any] = {
        "kind": record.kind,
        "id": record.uid,
        "label": label(record.kind, record.uid, data),
        "number": extras.number,
    }
    for one in _fields(record.kind, extras.words):
        seen[one.name] = _shown(one, data.get(one.name), names, extras)
    _add_made(KINDS[record.kind], seen)
    return seen


@lru_cache
def _fields(kind: str, words: frozenset[str] | None) -> tuple[Field, ...]:
    """The fields of ``kind`` that a template with these ``words`` can use."""
    return tuple(one for one in KINDS[kind].fields if _wanted(KINDS[kind], one, words))


def _shown(one: Field, value: Any, names: Names, extras: Extras) -> Any:
    """What a template sees of ``value``, that of the field ``one``."""
    if one.many:
        return [_shown_one(one, entry, names, extras) for entry in value or ()]
    return _shown_one(one, value, names, extras)


def _shown_one(one: Field, value: Any, names: Names, extras: Extras) -> Any:
    if one.type == "part":
        return _entry(one, value, names, extras)
    if one.type == "ref":
        return _referred(one.of, value, names, extras.inner)
    if one.type == "blob":
        return extras.picture(value) if isinstance(value, str) else None
    if one.type == "map":
        return value or {}
    if one.privacy == "path" and isinstance(value, str):
        return extras.rewrite(value)
    return value


def _entry(one: Field, value: Any, names: Names, extras: Extras) -> dict[str, Any] | None:
    """One entry of a composite field, with all its parts."""
    if not isinstance(value, Mapping):
        return None
    words = extras.inner
    return {
        part.name: _shown(part, value.get(part.name), names, extras)
        for part in one.parts
        if words is None or part.name in words or part.name in OF_FILES
    }


def _referred(kind: str, uid: Any, names: Names, words: frozenset[str] | None) -> dict[str, Any] | None:
    """The record a reference leads to, as far as it is known."""
    if uid is None:
        return None
    data = names(kind, uid)
    if data is None:
        return {**_blank(kind, words), "id": uid, "label": uid}
    seen = {**_blank(kind, words), "id": uid, "label": label(kind, uid, data)}
    for one in _inner(kind, words):
        value = data.get(one.name)
        if value is None:
            continue
        if one.type != "ref":
            seen[one.name] = value
        elif one.many:
            seen[one.name] = [_mentioned(one.of, other, names) for other in value]
        else:
            seen[one.name] = _mentioned(one.of, value, names)
    return seen


def _mentioned(kind: str, uid: str, names: Names) -> dict[str, Any]:
    """The record a referred record refers to."""
    data = names(kind, uid)
    called = uid if data is None else label(kind, uid, data)
    return {"id": uid, "label": called, "name": called}


@lru_cache
def _inner(kind: str, words: frozenset[str] | None = None) -> tuple[Field, ...]:
    """The fields of a record that is referred to, as far as they are among ``words``."""
    simple = (one for one in KINDS[kind].fields if one.type in SIMPLE or one.type in ("map", "ref"))
    return tuple(one for one in simple if words is None or one.name in words)


@lru_cache
def _blank(kind: str, words: frozenset[str] | None) -> Mapping[str, Any]:
    """A record that is referred to, with nothing in it. Not to be changed."""
    empty: dict[str, Any] = {
        one.name: [] if one.many else {} if one.type == "map" else None for one in _inner(kind, words)
    }
    return {"id": None, "label": None, "name": None, **empty}


def _add_made(kind: Kind, seen: dict[str, Any]) -> None:
    """Add what is made of other fields."""
    blobs = [one.name for one in kind.fields if one.type == "blob"]
    seen["picture"] = next((seen[name] for name in blobs if seen.get(name)), None)
    if "files" in seen:
        first = next(iter(seen["files"]), None) or {}
        path = first.get("path")
        made = {**first, "file": path.replace("\\", "/").rpartition("/")[2] if path else None}
        seen |= {name: made.get(name) for name in OF_FILES if kind.field(name) is None}
    for name, (source, _) in OF_HISTORY.items():
        if source in seen:
            history: Sequence[str] = seen[source]
            seen[name] = (history[-1] if history else None) if name == "last_played" else len(history)


def described(kind: str) -> list[dict[str, Any]]:
    """Every field a template may use of ``kind``: ``path``, what it is in ``words``, and whether it is a list
    (``many``: a path through a list gives the values of all its entries)."""
    table = KINDS[kind]
    lines = [_line(name, words, many) for name, (words, many) in OWN.items() if name != "picture" or _has_blob(table)]
    for one in table.fields:
        lines += _described(one)
    if table.field("files"):
        lines += [_line(name, words) for name, words in OF_FILES.items() if table.field(name) is None]
    return lines + [_line(name, words) for name, (source, words) in OF_HISTORY.items() if table.field(source)]


def _described(one: Field) -> Iterator[dict[str, Any]]:
    words = {"ref": f"what people call the {one.of}", "blob": "the file of this picture, beside the export"}
    many = ("the entries, each with its parts" if one.many else "its parts") if one.type == "part" else one.type
    note = "" if one.type == "blob" or not one.note else f": {one.note}"
    yield _line(one.name, words.get(one.type, many) + note, one.many)
    for part in one.parts:
        yield _line(f"{one.name}.{part.name}", words_of(part), one.many)
    for prefix, of in _references(one):
        for inner in _inner(of):
            yield _line(f"{prefix}.{inner.name}", f"of the {of}: {words_of(inner)}", one.many or inner.many)


def words_of(one: Field) -> str:
    """What a field is, in words."""
    said = f"what people call the {one.of}" if one.type == "ref" else one.type
    return f"{said}: {one.note}" if one.note else said


def _line(path: str, words: str, many: bool = False) -> dict[str, Any]:
    return {"path": path, "words": words, "many": many}


def _has_blob(kind: Kind) -> bool:
    return any(one.type == "blob" for one in kind.fields)


def fields_known(kinds: Sequence[str]) -> list[str]:
    """What a record may be asked for at its first step, in a template for ``kinds`` (none: any)."""
    listed = (line["path"].partition(".")[0] for kind in kinds or KINDS for line in described(kind))
    return list(dict.fromkeys((*listed, *OWN)))


def facts_known() -> list[str]:
    """What header, between and footer may use."""
    return list(FACTS)
