"""Which records of one kind were asked for, as something that can be counted, begun or listed: what several searches
all find, and ids. Stash evaluates every search; what no single one of them can say is where their ids meet.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Protocol

from ..kinds import KINDS
from ..model import Record, Searcher, Source, Want
from .narrow import Narrow, criteria, merge
from .scope import by_number

NUMBERED = ("scene", "image", "gallery")
"""The kinds whose filters have a criterion for the id: IntCriterionInput in the schemas of 0.27 and 0.30."""
MOST_RANGES = 10
"""Ranges of ids in a filter. Each OR of Stash's goes one deeper; measured: SQLite parses 20, and of 40 it says "parser
stack overflow"."""
MOST_NUMBER = (1 << 31) - 1
"""The largest Int of GraphQL."""

Search = tuple[Mapping[str, Any], str]
"""Stash's criteria, and its search text."""
Watch = Callable[[Iterator[str]], Iterator[str]]
"""What looks at ids while Stash lists them, and may end the list."""


class Counter(Source, Searcher, Protocol):
    """A source that counts what a search finds, without listing it."""

    def count(self, kind: str, criteria: Mapping[str, Any], query: str = "") -> int:
        """How many records ``find_ids`` would give."""
        ...


@dataclass(frozen=True, slots=True)
class Choice:
    """The records of ``kind`` that every one of ``searches`` finds and, unless None, ``ids`` (ascending) names.
    Neither: all of them."""

    kind: str
    searches: tuple[Search, ...] = ()
    ids: Sequence[str] | None = None

    @property
    def whole(self) -> bool:
        """Whether it is all records of the kind."""
        return self.ids is None and not self.searches


def choose(kind: str, search: Search, ids: Sequence[str] | None, narrow: Narrow) -> Choice:
    """Join what was asked for (a search, or ids) with a narrowing, which may be empty. Raises UnknownName when
    ``kind`` cannot be narrowed so."""
    found, query = search
    narrowing = criteria(kind, narrow)
    if ids is not None:
        listed = sorted(set(ids), key=by_number)
        return Choice(kind, (({**narrowing, **_near(kind, listed)}, ""),) if narrowing else (), listed)
    merged = merge(found, narrowing)
    if merged is None:
        return Choice(kind, ((found, query), (narrowing, "")))
    return Choice(kind, ((merged, query),) if merged or query else ())


def _near(kind: str, ids: Sequence[str]) -> dict[str, Any]:
    """A criterion for where ``ids`` (ascending) lie: beside a narrowing it spares Stash the list of all that is
    narrowed so. It asks for no table that a narrowing asks for, so it can stand under an AND beside one. Nothing where
    Stash has no such criterion."""
    numbers = [number for number, other in map(by_number, ids) if not other]
    if kind not in NUMBERED or not numbers or numbers[-1] > MOST_NUMBER:
        return {}
    widest = sorted(range(1, len(numbers)), key=lambda at: numbers[at - 1] - numbers[at])[: MOST_RANGES - 1]
    edges = [0, *sorted(widest), len(numbers)]
    named: dict[str, Any] = {}
    for begin, end in pairwise(edges):
        within = {"value": numbers[begin], "value2": numbers[end - 1], "modifier": "BETWEEN"}
        named = {"id": within, **({"OR": named} if named else {})}
    return {"AND": named}


def as_it_is(ids: Iterator[str]) -> Iterator[str]:
    """A watch that lets a list end by itself."""
    return ids


def chosen_ids(choice: Choice, searcher: Searcher, watch: Watch = as_it_is) -> Iterator[str]:
    """The ids of a choice that is not whole, ascending, as they are found. Ids asked for by themselves are given
    whether they exist or not."""
    streams = [watch(searcher.find_ids(choice.kind, found, query)) for found, query in choice.searches]
    first, *others = streams if choice.ids is None else [iter(choice.ids), *streams]
    for other in others:
        first = _both(first, other)
    return first


def _both(one: Iterator[str], other: Iterator[str]) -> Iterator[str]:
    """The ids that two ascending streams share; ends with the shorter one."""
    there = next(other, None)
    for uid in one:
        while there is not None and by_number(there) < by_number(uid):
            there = next(other, None)
        if there is None:
            return
        if there == uid:
            yield uid


def count_chosen(choice: Choice, source: Counter, watch: Watch = as_it_is) -> int | None:
    """How many records a choice holds: one question to Stash for one search, else by listing ids. None when a source
    does not know how many records it has."""
    if choice.whole and not KINDS[choice.kind].criteria:
        return source.about().counts.get(choice.kind)
    if choice.ids is None and len(choice.searches) <= 1:
        return source.count(choice.kind, *(choice.searches or [({}, "")])[0])
    if not choice.searches:
        return sum(1 for _ in existing(choice, source))
    return sum(1 for _ in chosen_ids(choice, source, watch))


def existing(choice: Choice, source: Source) -> Iterator[Record]:
    """The records, without fields, that the ids of a choice name and that exist."""
    return source.read(choice.kind, Want(frozenset(), choice.ids))
