"""Reading long lists from Stash page by page, so that nothing is missed or read twice while it is being changed.

Rows come in ascending order of id. Knows GraphQL's find queries, and no fields.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from queue import SimpleQueue
from threading import Thread
from typing import Any, TypeVar

from ..errors import StashSaidNo
from ..kinds import Kind
from .canonical import real_ids
from .schema import Schema
from .stash_shape import BARE, Row

T = TypeVar("T")

Ask = Callable[[str, Mapping[str, Any]], Mapping[str, Any]]

_GONE = re.compile(r"with id (\d+) not found")
_COVER_CHUNK = 200


@dataclass(frozen=True, slots=True)
class Search:
    """What to list: a kind, what to select of each row, Stash's criteria and search text, rows a page, and
    whether to mark scenes without a cover."""

    kind: Kind
    selection: str = "id"
    criteria: Mapping[str, Any] = field(default_factory=dict)
    query: str = ""
    size: int = 1000
    covers: bool = False


class Pager:
    """Lists rows of one Stash."""

    def __init__(self, ask: Ask, schema: Schema) -> None:
        self._ask = ask
        self._schema = schema

    def pages(self, search: Search) -> Iterator[list[Row]]:
        """Every row of ``search``, in pages.

        Criteria are sent as they are: put under an AND, beside a criterion for the id, Stash finds other records
        for some (its joins for OR and AND mix).
        """
        if self._schema.has(search.kind.filter_type, "id") and not search.criteria:
            return self._after_ids(search)
        return self._by_offset(search)

    def of_ids(self, search: Search, ids: Sequence[str]) -> Iterator[list[Row]]:
        """The rows with these ids (each once, ascending); ids that do not exist are passed over.

        The criteria of ``search`` play no part: Stash ignores them beside ids.
        """
        wanted = real_ids(ids)
        if not self._schema.takes(search.kind.find, "ids"):
            yield from self._picked(search, wanted)
            return
        size = _COVER_CHUNK if search.covers else search.size
        for start in range(0, len(wanted), size):
            yield self._chunk(search, wanted[start : start + size])

    def count(self, search: Search) -> int:
        """How many rows ``search`` gives."""
        kind = search.kind
        found = self._ask(_query(kind, "count"), {"filter": {"per_page": 0, **_text(search)}, **_criteria(search)})
        return int(found[kind.find]["count"])

    def newest(self, search: Search) -> Iterator[list[Row]]:
        """The rows of ``search`` by the time of their last change, the latest first, in pages."""
        kind = search.kind
        page = 1
        while True:
            filter_ = {"page": page, "per_page": search.size, "sort": "updated_at", "direction": "DESC"}
            answer = self._ask(_query(kind, _rows(search)), {"filter": filter_, **_criteria(search)})
            rows: list[Row] = answer[kind.find][kind.found]
            yield rows
            if len(rows) < search.size:
                return
            page += 1

    def _after_ids(self, search: Search) -> Iterator[list[Row]]:
        """Pages by "id greater than the last": rows that come or go meanwhile cannot move the others."""
        kind, last = search.kind, 0
        query = _query(kind, _rows(search), bare=search.covers)
        while True:
            criteria = {"id": {"value": last, "modifier": "GREATER_THAN"}}
            variables: dict[str, Any] = {"filter": _filter(search, 1), "criteria": criteria}
            if search.covers:
                variables["bare"] = {**criteria, "is_missing": "cover"}
            answer = self._ask(query, variables)
            rows: list[Row] = answer[kind.find][kind.found]
            _mark(rows, answer, kind)
            yield rows
            if len(rows) < search.size:
                return
            last = int(rows[-1]["id"])

    def _by_offset(self, search: Search) -> Iterator[list[Row]]:
        """Numbered pages. With each comes the row that should be the last seen: when that is a later one, rows
        before it were deleted and unseen ones slid back, so a page is stepped back and what was seen skipped."""
        kind, last, page = search.kind, 0, 1
        first, later = _query(kind, _rows(search)), _query(kind, _rows(search), mark=True)
        while True:
            variables = {"filter": _filter(search, page), **_criteria(search)}
            if page > 1:
                variables["mark"] = {**variables["filter"], "page": (page - 1) * search.size, "per_page": 1}
            answer = self._ask(later if page > 1 else first, variables)
            rows: list[Row] = answer[kind.find][kind.found]
            if page > 1 and _slid(answer["mark"][kind.found], last):
                page -= 1
                continue
            fresh = [row for row in rows if int(row["id"]) > last]
            if search.covers:
                self._mark_each(kind, fresh)
            last = int(fresh[-1]["id"]) if fresh else last
            yield fresh
            if len(rows) < search.size:
                return
            page += 1

    def _chunk(self, search: Search, ids: list[int]) -> list[Row]:
        """The rows with these ids. Stash answers nothing at all when one does not exist, and names that one."""
        kind = search.kind
        query = f"query ByIds($ids:[ID!]){{{kind.find}(ids:$ids){{{_rows(search)}}}}}"
        left = list(ids)
        while left:
            try:
                rows: list[Row] = self._ask(query, {"ids": left})[kind.find][kind.found]
            except StashSaidNo as error:
                left.remove(_missing(error, left))
                continue
            if search.covers:
                self._mark_each(kind, rows)
            return sorted(rows, key=lambda row: int(row["id"]))
        return []

    def _mark_each(self, kind: Kind, rows: list[Row]) -> None:
        one = '%s(%s:{is_missing:"cover",id:{modifier:EQUALS,value:%s}},filter:{per_page:0}){count}'
        aliases = " ".join(f"c{row['id']}:{one % (kind.find, kind.criteria, row['id'])}" for row in rows)
        answer = self._ask(f"query Bare{{{aliases}}}", {}) if rows else {}
        for row in rows:
            row[BARE] = answer[f"c{row['id']}"]["count"] > 0

    def _picked(self, search: Search, wanted: list[int]) -> Iterator[list[Row]]:
        """The rows with these ids of a query that takes no ids (markers before 0.28): all are read."""
        ids = {str(uid) for uid in wanted}
        for rows in self.pages(search) if ids else ():
            yield [row for row in rows if row["id"] in ids]
            if rows and int(rows[-1]["id"]) >= wanted[-1]:
                return


def ahead(pages: Iterator[T]) -> Iterator[T]:
    """Give ``pages``, always making the next one in a thread while this one is used. Closing the generator lets
    the thread end after what it is at; the program does not wait for it."""
    asked: SimpleQueue[bool] = SimpleQueue()
    made: SimpleQueue[tuple[bool, Any]] = SimpleQueue()

    def work() -> None:
        while asked.get():
            try:
                made.put((True, next(pages)))
            except BaseException as error:  # noqa: BLE001  raised again where the page is waited for
                made.put((False, error))
                return

    Thread(target=work, name="next-page", daemon=True).start()
    asked.put(True)
    try:
        while True:
            good, page = made.get()
            if not good:
                if isinstance(page, StopIteration):
                    return
                raise page
            asked.put(True)
            yield page
    finally:
        asked.put(False)


def _slid(mark: list[Row], last: int) -> bool:
    return not mark or int(mark[0]["id"]) > last


def _missing(error: StashSaidNo, ids: list[int]) -> int:
    """The id that Stash says does not exist; raises ``error`` when it says something else."""
    path = error.words.get("path")
    found = _GONE.search(str(error))
    if not found or not isinstance(path, tuple) or len(path) != 1 or int(found[1]) not in ids:
        raise error
    return int(found[1])


def _mark(rows: list[Row], answer: Mapping[str, Any], kind: Kind) -> None:
    """Mark the rows without cover: of all those without one after the last page, a page's worth was asked for."""
    if "bare" in answer:
        bare = {row["id"] for row in answer["bare"][kind.found]}
        for row in rows:
            row[BARE] = row["id"] in bare


def _query(kind: Kind, selection: str, *, bare: bool = False, mark: bool = False) -> str:
    type_, argument = kind.filter_type, kind.criteria
    head = f"$filter:FindFilterType,$criteria:{type_}"
    more = ""
    if bare:
        head += f",$bare:{type_}"
        more = f" bare:{kind.find}(filter:$filter,{argument}:$bare){{{kind.found}{{id}}}}"
    if mark:
        head += ",$mark:FindFilterType"
        more = f" mark:{kind.find}(filter:$mark,{argument}:$criteria){{{kind.found}{{id}}}}"
    return f"query Find({head}){{{kind.find}(filter:$filter,{argument}:$criteria){{{selection}}}{more}}}"


def _rows(search: Search) -> str:
    return f"{search.kind.found}{{{search.selection}}}"


def _filter(search: Search, page: int) -> dict[str, Any]:
    return {"page": page, "per_page": search.size, "sort": "id", "direction": "ASC", **_text(search)}


def _text(search: Search) -> dict[str, str]:
    return {"q": search.query} if search.query else {}


def _criteria(search: Search) -> dict[str, Any]:
    return {"criteria": search.criteria} if search.criteria else {}
