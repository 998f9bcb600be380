"""Strategies for records of every kind, full of text that formats trip over; and an output that stays in memory."""

from __future__ import annotations

import hashlib
import io
from typing import Any

from hypothesis import strategies as st

from stash_portability.kinds import KINDS, Field, Kind
from stash_portability.model import Record
from stash_portability.storage.container import Member

PIECES = [
    '"', '""', "'", ",", ";", "; ", "\\", "\\\\", "\\N",
    "\\e", "\\;", "\n", "\r", "\r\n", "\t", "\0", "\x0b", "\x1f",
    "\x7f", "\x85", "\u2028", "\u2029", "\ufffe", "\uffff", "\ufeff", "\xa0",
    " ", "  ", "=", "+", "-", "@", "＝", "|", "#",
    "<", ">", "&", "]]>", "<!--", "&amp;", "é", "e\u0301",
    "日本", "🐦", "👩‍🔬", "\U0010ffff", "שלום", "\u202e", "طائر", "null",
    "true", "~", "---", "...", "- ", ": ", "{", "[", "]",
    "%", "!", "*a", "&a", "0x1F", "1e5", "007", "2023-01-05", "\\u000B",
]  # fmt: skip
TEXTS = st.one_of(
    st.lists(st.sampled_from(PIECES), min_size=1, max_size=4).map("".join),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=8),
)
DATES = st.sampled_from(["2020", "2020-02", "2020-02-29", "1899-12-31", "9999"])
TIMES = st.sampled_from(["2020-01-01T00:00:00Z", "1970-01-01T00:00:00.5Z", "2038-01-19T03:14:08Z"])
INTS = st.integers(-(2**63), 2**63 - 1)
FLOATS = st.floats(allow_nan=False, allow_infinity=False)
JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(-9, 9), TEXTS),
    lambda inner: st.one_of(st.lists(inner, max_size=2), st.dictionaries(TEXTS, inner, max_size=2)),
    max_leaves=4,
)
_BY_TYPE: dict[str, st.SearchStrategy[Any]] = {
    "text": TEXTS,
    "enum": st.sampled_from(["MALE", "NON_BINARY"]),
    "int": INTS,
    "float": FLOATS,
    "bool": st.booleans(),
    "date": DATES,
    "time": TIMES,
    "ref": st.integers(1, 99).map(str),
    "map": st.dictionaries(TEXTS, st.one_of(TEXTS, st.integers(-9, 9), FLOATS), max_size=2),
    "json": JSON,
}


def values(field: Field) -> st.SearchStrategy[Any]:
    """Values of ``field``."""
    if field.type == "part":
        one: st.SearchStrategy[Any] = _in_order({part.name: _part_values(part) for part in field.parts})
    else:
        one = _BY_TYPE[field.type]
    if field.many:
        return st.lists(one, max_size=2)
    return one if field.type == "map" else st.none() | one


def _part_values(part: Field) -> st.SearchStrategy[Any]:
    """Values of ``part``: an entry that refers to a record always does."""
    return _BY_TYPE["ref"] if part.type == "ref" else values(part)


def _in_order(fields: dict[str, st.SearchStrategy[Any]]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries(fields).map(lambda drawn: {name: drawn[name] for name in fields})


def records(kind: Kind) -> st.SearchStrategy[Record]:
    """Records of ``kind``: some fields are missing, all others are anything they may be."""
    fields = {field.name: values(field) for field in kind.fields if field.type != "blob"}
    missing = st.sets(st.sampled_from(list(fields)), max_size=2)
    whole = st.tuples(st.integers(1, 10**6).map(str), missing, _in_order(fields))
    return whole.map(
        lambda drawn: Record(kind.name, drawn[0], {name: drawn[2][name] for name in drawn[2] if name not in drawn[1]})
    )


def libraries() -> st.SearchStrategy[list[Record]]:
    """A few records of a few kinds, kind after kind."""
    chosen = st.lists(st.sampled_from(list(KINDS)), min_size=1, max_size=2, unique=True)
    return chosen.flatmap(
        lambda kinds: st.tuples(*(st.lists(records(KINDS[kind]), max_size=2) for kind in KINDS if kind in kinds))
    ).map(lambda lists: [record for part in lists for record in part])


class MemoryContainer:
    """An output whose members stay in memory."""

    def __init__(self, shape: str = "file") -> None:
        self.shape, self.path = shape, "memory"
        self.contents: dict[str, bytes] = {}
        self.busy = False

    def __enter__(self) -> MemoryContainer:
        return self

    def __exit__(self, *error: object) -> None:
        pass

    @property
    def members(self) -> dict[str, Member]:
        return {
            name: Member(len(content), hashlib.sha256(content).hexdigest()) for name, content in self.contents.items()
        }

    def open(self, member: str = "") -> io.BytesIO:
        contents = self.contents

        class File(io.BytesIO):
            def close(self) -> None:
                contents[member] = self.getvalue()
                super().close()

        return File()

    def write(self, member: str, content: bytes) -> None:
        self.contents[member] = content
