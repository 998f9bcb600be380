"""What speaks against two records being the same although they share something: words for people,
"" for nothing. Pure.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..model import Data
from .prints import OWN_PRINTS, prints_of
from .rules import fold


def other_content(ours: Data, theirs: Data) -> str:
    """Fingerprints of one type are known of both, and none of any type is the same: other films, or other pictures."""
    one, other = _prints(ours), _prints(theirs)
    known = {type_ for type_, _ in one} & {type_ for type_, _ in other} & OWN_PRINTS
    return "their files hold something else" if known and not one & other else ""


def _prints(data: Data) -> set[tuple[str, Any]]:
    return {known for file in data.get("files") or () for known in prints_of(file).items()}


def other_ids(ours: Data, theirs: Data) -> str:
    """Both have stash ids of one endpoint, and other ones."""
    one, other = _stash_ids(ours), _stash_ids(theirs)
    both = one.keys() & other.keys()
    if any(one[endpoint] & other[endpoint] for endpoint in both):
        return ""
    return "their stash ids are others" if both else ""


def _stash_ids(data: Data) -> Mapping[Any, set[Any]]:
    found: dict[Any, set[Any]] = {}
    for entry in data.get("stash_ids") or ():
        found.setdefault(entry.get("endpoint"), set()).add(entry.get("stash_id"))
    return found


def other_disambiguation(ours: Data, theirs: Data) -> str:
    """One of two performers of a name has a disambiguation: there are others of that name."""
    return other_ids(ours, theirs) or "only one of them has a disambiguation"


def other_year(ours: Data, theirs: Data) -> str:
    """Both have a date, of other years."""
    years = [(data.get("date") or "")[:4] for data in (ours, theirs)]
    return "their years are others" if all(years) and years[0] != years[1] else ""


def other_name(ours: Data, theirs: Data) -> str:
    """They are called otherwise, and are not of one date: volumes of one series share its page."""
    if fold(ours.get("name")) == fold(theirs.get("name")) or (ours.get("date") and ours["date"] == theirs.get("date")):
        return ""
    return "their names are others"
