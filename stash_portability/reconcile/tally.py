"""How many records were made, changed and deleted, each counted once: the links of a record are written apart from it,
and what is made and linked later is still one that was made.
"""

from __future__ import annotations

from collections import defaultdict

from ..kinds import KINDS
from ..model import Op

_OPS: tuple[Op, ...] = ("create", "update", "delete")
_HIGHEST = 100_000_000
"""Numbers above it are kept one by one: a row of bits for them would be larger than they are."""


class Tally:
    """Notes records by their kind, id and op. Of a million records with numbers for ids it keeps a million bits."""

    def __init__(self) -> None:
        self._numbers: dict[tuple[str, str, Op], bytearray] = defaultdict(bytearray)
        self._others: dict[tuple[str, str, Op], set[str]] = defaultdict(set)

    def note(self, kind: str, uid: str, op: Op) -> bool:
        """One more change of a record; ``uid`` as the plan has it (``new:tag:7`` of what it makes). Give whether it is
        the first of this record."""
        family, _, number = uid.rpartition(":")
        if not (number.isascii() and number.isdecimal()) or int(number) > _HIGHEST:
            before = any(uid in self._others.get((kind, family, one), ()) for one in _OPS)
            self._others[kind, family, op].add(uid)
            return not before
        place, bit = divmod(int(number), 8)
        rows = [self._numbers.get((kind, family, one), b"") for one in _OPS]
        before = any(place < len(row) and row[place] >> bit & 1 for row in rows)
        row = self._numbers[kind, family, op]
        if place >= len(row):
            row.extend(bytes(max(place + 1 - len(row), len(row))))
        row[place] |= 1 << bit
        return not before

    def counts(self) -> dict[str, int]:
        """By "kind op", how many records: what was made or deleted is not counted as changed besides."""
        families = {(kind, family) for kind, family, _ in (*self._numbers, *self._others)}
        found: dict[str, int] = defaultdict(int)
        for kind, family in sorted(families, key=lambda one: (list(KINDS).index(one[0]), one[1])):
            for op, count in self._of(kind, family).items():
                found[f"{kind} {op}"] += count
        return {name: count for name, count in found.items() if count}

    def _of(self, kind: str, family: str) -> dict[Op, int]:
        bits = {op: int.from_bytes(self._numbers.get((kind, family, op), b""), "little") for op in _OPS}
        others = {op: self._others.get((kind, family, op), set()) for op in _OPS}
        bits["update"] &= ~(bits["create"] | bits["delete"])
        others["update"] = others["update"] - others["create"] - others["delete"]
        return {op: bits[op].bit_count() + len(others[op]) for op in _OPS}
