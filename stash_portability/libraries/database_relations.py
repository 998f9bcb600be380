"""Reads fields that lie in tables of their own: tags, aliases, stash ids, histories, custom fields.

A relation is read for a whole span of records at once, as one value for each record that has any.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from .database_columns import all_utc, quoted, shown, time, time_sql
from .database_shape import Shape

Found = Mapping[int, Any]
"""The value of each record that has one, by the record's id."""


class Span(NamedTuple):
    """Which records: a condition on a column (``{}``) and its arguments."""

    condition: str
    arguments: tuple[Any, ...]

    def on(self, column: str) -> str:
        """The condition on ``column``."""
        return self.condition.format(column)


@dataclass(frozen=True, slots=True)
class Access:
    """What a relation needs to be read. ``copies`` names the ordered copies of tables that no index leads into."""

    connection: sqlite3.Connection
    span: Span
    copies: Mapping[tuple[str, str], str]

    def rows(self, sql: str) -> sqlite3.Cursor:
        """Run a statement whose only arguments are the span's."""
        return self.connection.execute(sql, self.span.arguments)

    def table(self, name: str, owner: str) -> str:
        """The table, as SQL, to read ``name`` from when looking for ``owner``."""
        return self.copies.get((name, owner)) or quoted(name)


class Relation(NamedTuple):
    """A table of values that belong to records: whose (``owner``), the columns read, their order within one
    record, and how rows become values."""

    table: str
    owner: str
    columns: tuple[str, ...]
    order: tuple[str, ...]
    gather: Callable[[Relation, Access], Found]

    def load(self, access: Access) -> Found:
        """The values of the records in the span."""
        return self.gather(self, access)

    def offered(self, shape: Shape) -> bool:
        """Whether the database has this relation."""
        return shape.has(self.table, self.owner, *self.columns, *self.order)

    def select(self, access: Access) -> str:
        """The statement that reads owner and columns, ordered by owner."""
        owner, table = quoted(self.owner), access.table(self.table, self.owner)
        columns = ", ".join((owner, *map(_sql, self.columns)))
        order = ", ".join(map(quoted, (self.owner, *self.order)))
        # Names only come from the tables below.
        return f"select {columns} from {table} where {access.span.on(owner)} order by {order}"  # noqa: S608


def joined(relation: Relation, access: Access) -> Found:
    """Rows become lists of ids (as text): SQLite joins them, which is far cheaper than a row for each."""
    inner = relation.select(access)
    owner, value = quoted(relation.owner), quoted(relation.columns[0])
    rows = access.rows(f"select {owner}, group_concat({value}) from ({inner}) group by 1")  # noqa: S608
    return {uid: text.split(",") for uid, text in rows if text is not None}


def listed(relation: Relation, access: Access) -> Found:
    """Rows become lists of text, empty text left out."""
    found: dict[int, list[str]] = {}
    for uid, value in access.rows(relation.select(access)):
        if text := _text(value):
            found.setdefault(uid, []).append(text)
    return found


def timed(relation: Relation, access: Access) -> Found:
    """Rows become sorted lists of times; no time has a comma in it."""
    owner, value = quoted(relation.owner), _sql(relation.columns[0])
    table = access.table(relation.table, relation.owner)
    rows = access.rows(
        f"select {owner}, group_concat({value}) from {table} where {access.span.on(owner)} group by 1"  # noqa: S608
    )
    return {uid: sorted(text.split(",") if all_utc(text) else map(time, text.split(","))) for uid, text in rows}


def mapped(relation: Relation, access: Access) -> Found:
    """Rows become mappings."""
    found: dict[int, dict[str, Any]] = {}
    for uid, name, value in access.rows(relation.select(access)):
        if isinstance(value, bytes):
            raise TypeError(name)
        found.setdefault(uid, {})[name] = shown(value) if isinstance(value, float) else value
    return found


def stash_ids(relation: Relation, access: Access) -> Found:
    """Rows become identities at other services, with the time each was set."""
    found: dict[int, list[dict[str, Any]]] = {}
    for uid, endpoint, stash_id, changed in access.rows(relation.select(access)):
        entry = {"endpoint": _text(endpoint), "stash_id": _text(stash_id), "updated_at": changed and time(changed)}
        found.setdefault(uid, []).append(entry)
    return found


def undated_stash_ids(relation: Relation, access: Access) -> Found:
    """The same, before schema 69."""
    found: dict[int, list[dict[str, Any]]] = {}
    for uid, endpoint, stash_id in access.rows(relation.select(access)):
        found.setdefault(uid, []).append({"endpoint": _text(endpoint), "stash_id": _text(stash_id)})
    return found


def scene_groups(relation: Relation, access: Access) -> Found:
    """Rows become the groups of a scene and its place in them."""
    found: dict[int, list[dict[str, Any]]] = {}
    for uid, group, index in access.rows(relation.select(access)):
        found.setdefault(uid, []).append({"group": str(group), "scene_index": index})
    return found


def group_groups(relation: Relation, access: Access) -> Found:
    """Rows become the groups that contain, or lie in, a group."""
    found: dict[int, list[dict[str, Any]]] = {}
    for uid, group, words in access.rows(relation.select(access)):
        found.setdefault(uid, []).append({"group": str(group), "description": _text(words)})
    return found


def captions(_relation: Relation, access: Access) -> Found:
    """Captions lie with the file: those of a scene are those of its primary file."""
    sql = (
        "select f.scene_id, c.language_code, c.caption_type from scenes_files f"  # noqa: S608
        f' join video_captions c on c.file_id = f.file_id where f."primary" and {access.span.on("f.scene_id")}'
        " order by 1, 2, 3"
    )
    found: dict[int, list[dict[str, Any]]] = {}
    for uid, language, form in access.rows(sql):
        found.setdefault(uid, []).append({"language_code": _text(language), "caption_type": _text(form)})
    return found


def _sql(column: str) -> str:
    """A column as it is read: the names of times end in "_at" or "_date"."""
    return time_sql(quoted(column)) if column.endswith(("_at", "_date")) else quoted(column)


def _text(value: Any) -> str | None:
    """Text, or None when it is empty; raises TypeError for anything else."""
    if not value:
        return None
    if not isinstance(value, str):
        raise TypeError(type(value).__name__)
    return value
