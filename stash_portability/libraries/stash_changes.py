"""Which records changed since a moment, as Stash's ``updated_at`` tells it (many changes do not move it: plays,
markers of a scene, links from the other side)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from ..kinds import Kind
from .canonical import utc
from .stash_pages import Pager, Search

SLACK = timedelta(hours=26)
"""How wrong the order of times can be: Stash sorts them as text, in its local zone, which may have changed."""
_PAGE = 5000


def changed_ids(pager: Pager, kind: Kind, since: datetime) -> Iterator[str]:
    """The ids of the records of ``kind`` changed at ``since`` or later, each once.

    Reads from the latest back. A record that changes meanwhile moves to the front, so the front is read again
    until it shows nothing new.
    """
    seen: set[str] = set()
    fresh, again = True, False
    while fresh:
        fresh = False
        for uid in _one_pass(pager, kind, since, seen, again):
            fresh = True
            yield uid
        again = True


def _one_pass(pager: Pager, kind: Kind, since: datetime, seen: set[str], again: bool) -> Iterator[str]:
    for rows in pager.newest(Search(kind, "id updated_at", size=_PAGE)):
        moments = [moment(row["updated_at"]) for row in rows]
        found = [row["id"] for row, at in zip(rows, moments, strict=True) if at >= since and row["id"] not in seen]
        seen.update(found)
        yield from found
        if all(at < since - SLACK for at in moments) or (again and not found):
            return


def moment(text: str) -> datetime:
    """A time to compare, to the microsecond (Python 3.10 reads three or six digits of a fraction, Stash writes up
    to nine); raises ValueError for what is no time."""
    whole, _, fraction = utc(text)[:-1].partition(".")
    return datetime.fromisoformat(f"{whole}.{fraction[:6].ljust(6, '0')}+00:00")
