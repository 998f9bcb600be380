"""The lists of an incremental archive: every id of a kind, with the digest of its record, whether that record lies in
this archive or in one it is built on. What is not in the list was deleted.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import IO, Generic, TypeVar

from .. import json_text
from ..errors import Unreadable
from ..transform.scope import by_number
from .tables.json_form import lines, parse_line

T = TypeVar("T")

FOLDER = "ids/"
DIGITS = 32
"""Hexadecimal digits of the SHA-256 of a line that a list keeps: 128 bits tell all records of a library apart."""
MOST = 50_000
"""Records one member lists: some 3 MB, held in memory until the part that is being written is done."""
NAMED = frozenset(("config",))
"""Kinds whose ids are names, in no order."""
_END = (1 << 64, "")


def digest_of(line: bytes) -> str:
    """The digest of a record by its line, the line feed at its end left out."""
    return hashlib.sha256(line.rstrip(b"\n")).hexdigest()[:DIGITS]


class ListWriter:
    """The list of one kind as it grows, in pieces."""

    def __init__(self) -> None:
        # One buffer: orjson's small answers keep much more memory than they need.
        self._lines, self._count = bytearray(), 0

    @property
    def full(self) -> bool:
        """Whether it is time to ``take`` what there is."""
        return self._count >= MOST

    def add(self, uid: str, digest: str) -> None:
        """Add a record."""
        self._lines += json_text.dumps({"id": uid, "sha256": digest}, None, json_text.APPEND_NEWLINE)
        self._count += 1

    def take(self) -> tuple[int, bytes]:
        """How many records were added since it was last asked, and the content of the member that lists them."""
        taken = self._count, bytes(self._lines)
        self._lines, self._count = bytearray(), 0
        return taken


def read_list(stream: IO[bytes], where: str) -> Iterator[tuple[str, str]]:
    """The ids and digests of one member. Raises Unreadable."""
    for number, line in lines(stream, where):
        found = parse_line(line, where, number)
        uid, digest = found.get("id"), found.get("sha256")
        if not isinstance(uid, str) or not uid or not isinstance(digest, str):
            raise Unreadable(path=where, reason=f"line {number} is no id with its digest")
        yield uid, digest


class Cursor(Generic[T]):
    """Goes once through what is known by id, beside another stream of ids: both ascend, but for kinds of which the
    ids are names. ``records`` are ids with what is known of each."""

    def __init__(self, kind: str, records: Iterator[tuple[str, T]]) -> None:
        self._named = dict(records) if kind in NAMED else None
        self._records = records
        self._key, self._at = _END, None
        self._step()

    def take(self, uid: str) -> T | None:
        """What is known of ``uid``; None when there is nothing."""
        if self._named is not None:
            return self._named.get(uid)
        key = by_number(uid)
        while self._key < key:
            self._step()
        return self._at[1] if self._at and self._at[0] == uid else None

    def drain(self) -> None:
        """Read what is left, so that whoever checks it at its end has seen it all."""
        for _ in self._records:
            pass

    _at: tuple[str, T] | None

    def _step(self) -> None:
        self._at = next(self._records, None)
        self._key = _END if self._at is None else by_number(self._at[0])
