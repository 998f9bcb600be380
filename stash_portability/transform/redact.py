"""Privacy: what leaves, decided field by field from the allow-list in kinds.py, before any sink sees a record.

``full`` lets out everything but secrets, ``share`` and ``public`` less (``kinds.LEVELS``). At ``share`` and
``public`` the ids of this Stash are replaced by ids made with a salt of the export's own, the same for the same
record all through it; at ``public`` performers get pseudonyms the same way, and their names are replaced in every
text. At every level the value of an ``apikey=`` in a URL or a text is taken out.
"""

from __future__ import annotations

import re
from bisect import insort
from collections.abc import Callable, Iterable, Mapping, Sequence
from hashlib import blake2b
from typing import Any
from unicodedata import normalize

from ..errors import unknown
from ..kinds import KINDS, LEVELS, Field, Kind, allowed
from ..model import Record, Transform
from .paths import Path, parse

KEY_IN_TEXT = re.compile(r"(?i)(api[_-]?key(?:\s*=\s*|%3D|\"?\s*:\s*\"?))[^&\s\"'<>\\;,)]+")
_NAMES_KEY = re.compile(r"(?i)api[_-]?key\Z").match
KEY_REMOVED = r"\1REMOVED"

Change = Callable[[Any], Any]


class Salt:
    """Makes ids and pseudonyms that are the same for the same record within one export and tell nothing outside it."""

    def __init__(self, secret: bytes) -> None:
        self._secret = secret

    def uid(self, kind: str, uid: str) -> str:
        """16 hexadecimal digits for the record ``uid`` of ``kind``: 64 bits, so that a million records do not clash."""
        return blake2b(f"{kind}:{uid}".encode(), key=self._secret, digest_size=8).hexdigest()

    def pseudonym(self, uid: str) -> str:
        """What the performer ``uid`` is called."""
        return f"Performer {self.uid('performer', uid)[:8]}"


class NameReplacer:
    """Replaces the names of people in texts, whole words, longest first, whatever their case and composition.

    Names are found by their first word, or by their first letter where words are not parted by spaces, so that the
    cost is that of reading the text once, however many names there are.
    """

    def __init__(self) -> None:
        self._by_first: dict[str, list[tuple[tuple[str, ...], str]]] = {}

    def add(self, name: str, replacement: str) -> None:
        """Replace ``name`` by ``replacement`` from now on. Names without a letter or digit are passed over."""
        words = tuple(word for word, _, _ in _words(normalize("NFC", name)))
        if not words:
            return
        insort(self._by_first.setdefault(words[0], []), (words, replacement), key=lambda entry: -len(entry[0]))

    def replace(self, text: str) -> str:
        """``text`` with every known name replaced; a text without one is given back as it is."""
        composed = normalize("NFC", text)
        words = _words(composed)
        pieces: list[str] = []
        done = index = 0
        while index < len(words):
            found = self._match(words, index)
            if found is None:
                index += 1
                continue
            length, replacement = found
            pieces += [composed[done : words[index][1]], replacement]
            done = words[index + length - 1][2]
            index += length
        return "".join(pieces) + composed[done:] if pieces else text

    def _match(self, words: list[tuple[str, int, int]], index: int) -> tuple[int, str] | None:
        for name, replacement in self._by_first.get(words[index][0], ()):
            if tuple(word for word, _, _ in words[index : index + len(name)]) == name:
                return len(name), replacement
        return None


def _words(text: str) -> list[tuple[str, int, int]]:
    """The words of ``text``, case folded, with where they begin and end."""
    return [(match.group().casefold(), match.start(), match.end()) for match in _WORD.finditer(text)]


_UNSPACED = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af\uf900-\ufaff"
"""Scripts that do not part their words by spaces: there each letter counts as a word."""
_MARKS = (
    "\u0300-\u036f\u0483-\u0489\u0591-\u05bd\u05bf-\u05c7\u0610-\u061a\u064b-\u065f\u0670\u06d6-\u06ed\u0900-\u0903"
    "\u093a-\u094f\u0962\u0963\u0981-\u0983\u09bc-\u09cd\u0a01-\u0a4d\u0a81-\u0acd\u0b01-\u0b4d\u0b82-\u0bcd\u0c00-\u0c4d"
    "\u0c81-\u0ccd\u0d00-\u0d4d"
)
"""Marks that belong to the letter before them; Python does not count them as letters."""
_WORD = re.compile(f"[{_UNSPACED}][{_MARKS}]*|(?:[^\\W_{_UNSPACED}][{_MARKS}]*)+")


def without_keys(value: Any) -> Any:
    """``value`` with the value of every ``apikey=`` in its texts removed. Gives ``value`` itself when there is none."""
    if isinstance(value, str):
        return KEY_IN_TEXT.sub(KEY_REMOVED, value)
    if isinstance(value, list):
        return [without_keys(entry) for entry in value]
    if isinstance(value, dict):
        return {
            without_keys(key): "REMOVED" if _NAMES_KEY(key) else without_keys(entry) for key, entry in value.items()
        }
    return value


def scrub(records: Sequence[Record]) -> Sequence[Record]:
    """``records`` of one kind without keys in their texts. Looking for the word in all their texts at once is many
    times cheaper than in each, and hardly any record holds it."""
    if not records or not _suspicious(KINDS[records[0].kind], records):
        return records
    return [record._replace(data=without_keys(record.data)) for record in records]


def _suspicious(kind: Kind, records: Sequence[Record]) -> bool:
    """Whether a text of ``records`` may hold a key."""
    found: list[Any] = []
    _gather(kind.fields, [record.data for record in records], found)
    try:
        text = "\n".join(filter(None, found)).lower()
    except TypeError:  # something else where a text should be: look into it closely
        return True
    return "apikey" in text or "api_key" in text or "api-key" in text


def _gather(fields: Iterable[Field], values: Sequence[Mapping[str, Any]], found: list[Any]) -> None:
    """Add the texts in ``fields`` of ``values`` to ``found``."""
    for field in fields:
        if field.type not in _MAY_HOLD_TEXT:
            continue
        name = field.name
        if field.many:
            entries = [entry for value in values for entry in value.get(name) or ()]
        else:
            entries = [value.get(name) for value in values]
        if field.type == "part":
            _gather(field.parts, entries, found)
        else:
            found += entries if field.type == "text" else [str(entry) for entry in entries if entry]


_MAY_HOLD_TEXT = frozenset(("text", "part", "map", "json"))


def redactor(level: str, salt: Salt, names: NameReplacer) -> Callable[[str], Transform]:
    """Give what makes the transform of each kind at the privacy ``level``. Raises UnknownName for the level."""
    if level not in LEVELS:
        raise unknown("privacy level", level, LEVELS)
    if level == "full":
        return lambda _: scrub
    return lambda kind: _reducer(KINDS[kind], level, salt, names)


def visible(path: Path, level: str) -> bool:
    """Whether the privacy ``level`` lets out what ``path`` shows: every field it steps through has to be allowed.
    Ids are always shown, since at ``share`` and ``public`` they are not those of this Stash."""
    kind = KINDS[path.kind]
    if kind.privacy not in LEVELS[level]:
        return False
    prefixes = (parse(kind, ".".join(path.steps[: count + 1])) for count in range(len(path.steps)))
    return all(_is_uid(prefix) or prefix.end.privacy in LEVELS[level] for prefix in prefixes)


def _is_uid(path: Path) -> bool:
    """Whether ``path`` ends at the id of a record, and not of a file."""
    if path.steps[-1] != "id":
        return False
    return len(path.steps) == 1 or parse(KINDS[path.kind], ".".join(path.steps[:-1])).end.type == "ref"


def _reducer(kind: Kind, level: str, salt: Salt, names: NameReplacer) -> Transform:
    changes = {field.name: _change(field, level, salt, names) for field in allowed(kind, level)}

    def reduce(record: Record) -> Record:
        data = {
            name: value if (change := changes[name]) is None or value is None else change(value)
            for name, value in record.data.items()
            if name in changes
        }
        if kind.name == "performer" and level == "public" and "name" in data:
            data["name"] = salt.pseudonym(record.uid)
        return Record(record.kind, salt.uid(record.kind, record.uid), data)

    return lambda records: scrub([reduce(record) for record in records]) if changes else ()


def _change(field: Field, level: str, salt: Salt, names: NameReplacer) -> Change | None:
    """What happens to the value of ``field`` (one entry of it, for a list); None when nothing."""
    one = _change_one(field, level, salt, names)
    if one is None or not field.many:
        return one
    ordered = field.ordered or field.role == "log"

    def each(values: list[Any]) -> list[Any]:
        changed = [one(value) for value in values]
        return changed if ordered or field.type == "part" else sorted(changed)

    return each


def _change_one(field: Field, level: str, salt: Salt, names: NameReplacer) -> Change | None:
    if field.type == "ref":
        return lambda uid: salt.uid(field.of, uid)
    if field.type == "part":
        return _parts(field, level, salt, names)
    if field.type == "text" and level == "public":
        return names.replace
    return None


def _parts(field: Field, level: str, salt: Salt, names: NameReplacer) -> Change:
    kept = {part.name: _change(part, level, salt, names) for part in field.parts if part.privacy in LEVELS[level]}

    def reduce(value: Mapping[str, Any]) -> dict[str, Any]:
        return {
            name: entry if (change := kept[name]) is None or entry is None else change(entry)
            for name, entry in value.items()
            if name in kept
        }

    return reduce


def learn_names(performers: Iterable[Record], salt: Salt, names: NameReplacer) -> None:
    """Teach ``names`` the names and aliases of ``performers``: each is replaced by the performer's pseudonym."""
    for record in performers:
        pseudonym = salt.pseudonym(record.uid)
        for name in (record.data.get("name"), *record.data.get("aliases", ())):
            if name:
                names.add(name, pseudonym)
