"""Narrowing: filters of our own on top of whatever was chosen, by tags, performers, studios, date and rating. Checked
here and turned into Stash's criteria, since only Stash evaluates filters. Pure.

Plain data: ``{"tags": {"ids": ["1"], "excludes": ["2"], "depth": -1, "all": true}, "date": {"from": "2020"}}``. Tags
and studios take ``depth``, how many levels below count too (-1: all of them); ``all`` asks for every one of the ids,
else any of them does. Both ends of dates and ratings count as within; what has no date or rating is outside.
"""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

from ..errors import PortabilityError, UsageError, several, unknown
from ..kinds import KINDS

CRITERIA: Mapping[str, str] = {
    "tags": "tags",
    "performers": "performers",
    "studios": "studios",
    "date": "date",
    "rating": "rating100",
}
"""Every narrowing, and the criterion of Stash's filters it becomes."""

KEYS: Mapping[str, tuple[str, ...]] = {
    "tags": ("ids", "excludes", "depth", "all"),
    "performers": ("ids", "excludes", "all"),
    "studios": ("ids", "excludes", "depth"),
    "date": ("from", "to"),
    "rating": ("from", "to"),
}

_ALL = tuple(CRITERIA)
NARROWS: Mapping[str, tuple[str, ...]] = {
    "scene": _ALL,
    "marker": ("tags", "performers"),
    "image": _ALL,
    "gallery": _ALL,
    "group": ("tags", "studios", "date", "rating"),
    "performer": ("tags", "rating"),
    "studio": ("tags", "rating"),
}
LEFT_OUT: Mapping[tuple[str, str], str] = {
    ("group", "performers"): "Stash passes over the excludes of this criterion",
    ("performer", "studios"): "Stash passes over the excludes of this criterion",
    ("performer", "performers"): "it asks who appeared together, which is another question",
}
"""What Stash has a criterion for and is not offered, and why."""

FIRST_DAY, LAST_DAY = "0001-01-01", "9999-12-31"
LOWEST, HIGHEST = 0, 100
EVERY_DEPTH = -1
MOST_DEPTH = 1000
MOST_IDS = 1000
"""Ids in one list: SQLite takes some tens of thousands of values, and nobody picks that many."""
_OPERATORS = ("AND", "OR", "NOT")
_JOINED = ("tags", "performers")
_SETS = ("INCLUDES", "INCLUDES_ALL", "EXCLUDES")
_OF_RECORDS = {"value", "excludes", "modifier", "depth"}
_ID_DIGITS = 18

Narrow = Mapping[str, Mapping[str, Any]]


def narrows(kind: str) -> tuple[str, ...]:
    """What records of ``kind`` can be narrowed by; nothing for kinds that Stash cannot filter."""
    return NARROWS.get(kind, ())


def parse_narrow(document: Any) -> dict[str, dict[str, Any]]:
    """Check a narrowing and give it in full, without what narrows nothing. Raises UsageError telling everything that
    is wrong."""
    if not isinstance(document, Mapping):
        raise _wrong("", 'must be a JSON object, such as {"rating": {"from": 60}}')
    problems: list[PortabilityError] = []
    parsed: dict[str, dict[str, Any]] = {}
    for name, value in document.items():
        if name not in KEYS:
            problems.append(unknown("narrowing", str(name), KEYS))
        elif value is not None:
            found = _PARSERS[name](_Part(name, value, problems))
            if found:
                parsed[name] = found
    if problems:
        raise several(problems)
    return parsed


def criteria(kind: str, narrow: Narrow) -> dict[str, Any]:
    """The criteria of Stash for a checked narrowing of ``kind``. Raises UnknownName for what it does not have."""
    for name in narrow:
        if name not in narrows(kind):
            raise unknown(f"narrowing of {KINDS[kind].plural.replace('_', ' ')}", name, narrows(kind))
    return {CRITERIA[name]: _MAKERS[name](value) for name, value in narrow.items()}


def merge(chosen: Mapping[str, Any], narrowing: Mapping[str, Any]) -> dict[str, Any] | None:
    """One filter that finds what both find, or None when there is none and the ids have to be compared.

    Criteria beside each other are joined by AND. Not so beside an AND, OR or NOT, whose tables Stash joins only once
    for all of them, nor beside a filter of related records (``performers_filter``), which shares its table with the
    criterion of the same name. Of two criteria of the same name, those of a column of the record (a date, a rating,
    a studio) can stand under an AND; those of a joined table (tags, performers) must become one.
    """
    shared = [name for name in narrowing if chosen.get(name) is not None]
    if not narrowing or not chosen:
        return {**chosen, **narrowing}
    if any(name in _OPERATORS or name.endswith("_filter") for name in chosen):
        return None
    under = {name: narrowing[name] for name in shared if name not in _JOINED}
    joined = {name: _together(chosen[name], narrowing[name]) for name in shared if name in _JOINED}
    if None in joined.values():
        return None
    free = {name: value for name, value in narrowing.items() if name not in shared}
    return {**chosen, **free, **joined, **({"AND": under} if under else {})}


def _together(one: Any, other: Mapping[str, Any]) -> dict[str, Any] | None:
    """One criterion of tags or performers that finds what both find; None when it cannot be said in one."""
    if not _is_plain(one) or (one.get("depth") or 0) != other.get("depth", 0):
        return None
    asked, excludes = _sides(one)
    if asked and other["value"] and not (_every(one, asked) and _every(other, other["value"])):
        return None
    only = one if asked else other
    made = {
        "value": list(dict.fromkeys((*asked, *other["value"]))),
        "excludes": list(dict.fromkeys((*excludes, *other["excludes"]))),
        "modifier": "INCLUDES_ALL" if asked and other["value"] else _included(only),
    }
    return {**made, "depth": other["depth"]} if "depth" in other else made


def _is_plain(criterion: Any) -> bool:
    """Whether a criterion of a user's filter is one we know all about. (Asked for all of the same id twice, Stash finds
    nothing.)"""
    if not isinstance(criterion, Mapping) or not criterion.keys() <= _OF_RECORDS:
        return False
    lists = [criterion.get(key) or [] for key in ("value", "excludes")]
    return criterion.get("modifier") in _SETS and all(
        isinstance(listed, list) and len(set(map(str, listed))) == len(listed) for listed in lists
    )


def _sides(criterion: Mapping[str, Any]) -> tuple[list[str], list[str]]:
    """What a criterion asks for and what it excludes."""
    value = [str(uid) for uid in criterion.get("value") or ()]
    excludes = [str(uid) for uid in criterion.get("excludes") or ()]
    return ([], excludes + value) if criterion["modifier"] == "EXCLUDES" else (value, excludes)


def _every(criterion: Mapping[str, Any], asked: list[str]) -> bool:
    """Whether all of what is asked for must be there."""
    return len(asked) == 1 or criterion["modifier"] == "INCLUDES_ALL"


def _included(criterion: Mapping[str, Any]) -> str:
    return "INCLUDES_ALL" if criterion["modifier"] == "INCLUDES_ALL" else "INCLUDES"


class _Part:
    """One narrowing as it was given, and where its mistakes go."""

    def __init__(self, name: str, value: Any, problems: list[PortabilityError]) -> None:
        self.name, self._problems = name, problems
        self.value: Mapping[str, Any] = {}
        if not isinstance(value, Mapping):
            self.wrong("", f"must be an object with {', '.join(KEYS[name])}")
            return
        self.value = value
        for key in value:
            if key not in KEYS[name]:
                problems.append(unknown(f"key of {name} in a narrowing", str(key), KEYS[name]))

    def wrong(self, key: str, why: str) -> None:
        """Keep a mistake."""
        self._problems.append(_wrong(f"{self.name}.{key}" if key else self.name, why))

    def take(self, key: str, good: Callable[[Any], bool], why: str, default: Any) -> Any:
        """The value of ``key`` when it is ``good``, ``default`` when it was not given or is wrong."""
        value = self.value.get(key)
        if value is None:
            return default
        if not good(value):
            self.wrong(key, why)
            return default
        return value

    def ids(self, key: str) -> list[str]:
        """The ids of ``key``, each once: Stash counts the ids it is given when it looks for all of them."""
        listed = self.take(key, _is_ids, f"must be a list of ids, at most {MOST_IDS:,}", ())
        return list(dict.fromkeys(str(int(uid)) for uid in listed))


def _wrong(where: str, why: str) -> UsageError:
    return UsageError(f"--narrow{f': {where}' if where else ''} {why}")


def _is_ids(value: Any) -> bool:
    return isinstance(value, list | tuple) and len(value) <= MOST_IDS and all(map(_is_id, value))


def _is_id(value: Any) -> bool:
    """Only digits: Stash writes some ids into its SQL as they are."""
    if isinstance(value, bool) or not isinstance(value, str | int):
        return False
    text = str(value)
    return text.isascii() and text.isdecimal() and len(text) <= _ID_DIGITS


def _records(part: _Part) -> dict[str, Any]:
    """tags, performers, studios."""
    found: dict[str, Any] = {"ids": part.ids("ids"), "excludes": part.ids("excludes")}
    if "depth" in KEYS[part.name]:
        found["depth"] = part.take("depth", _is_depth, "must be a number of levels, or -1 for all of them", 0)
    if "all" in KEYS[part.name]:
        found["all"] = part.take("all", _is_switch, "must be true or false", False)
    both = [uid for uid in found["ids"] if uid in found["excludes"]]
    if both:
        part.wrong("excludes", f"names {', '.join(both)}, which ids asks for")
    return found if found["ids"] or found["excludes"] else {}


def _is_depth(value: Any) -> bool:
    return _is_whole(value) and EVERY_DEPTH <= value <= MOST_DEPTH


def _is_switch(value: Any) -> bool:
    return isinstance(value, bool)


def _is_whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _rating(part: _Part) -> dict[str, Any]:
    words = f"must be a whole number from {LOWEST} to {HIGHEST}"
    ends = {key: part.take(key, _is_rating, words, None) for key in ("from", "to")}
    return _ordered(part, ends)


def _is_rating(value: Any) -> bool:
    return _is_whole(value) and LOWEST <= value <= HIGHEST


def _date(part: _Part) -> dict[str, Any]:
    """Days; a year or a month is its first day in ``from`` and its last in ``to``."""
    ends: dict[str, Any] = {}
    for key in ("from", "to"):
        text = part.value.get(key)
        days = ("", "") if text in (None, "") else _days(text)
        if days is None:
            part.wrong(key, f"{text!r} is not a date such as 2024-05-01, 2024-05 or 2024")
        else:
            ends[key] = days[key == "to"] or None
    return _ordered(part, ends)


def _days(text: Any) -> tuple[str, str] | None:
    """The first and the last day of a day, month or year; None when it is none of them."""
    numbers = text.split("-") if isinstance(text, str) else []
    if [len(number) for number in numbers] not in ([4], [4, 2], [4, 2, 2]) or not text.replace("-", "").isdecimal():
        return None
    try:
        year, month, day = (int(number) for number in (*numbers, "1", "1")[:3])
        first = date(year, month, day)
        last = {1: (12, 31), 2: (month, monthrange(year, month)[1]), 3: (month, day)}[len(numbers)]
    except ValueError:
        return None
    return first.isoformat(), date(year, *last).isoformat()


def _ordered(part: _Part, ends: Mapping[str, Any]) -> dict[str, Any]:
    """The ends that are there, in order."""
    found = {key: value for key, value in ends.items() if value is not None}
    if len(found) == len(KEYS["date"]) and found["from"] > found["to"]:
        part.wrong("", f"goes from {found['from']} to {found['to']}, which is backwards")
    return found


_PARSERS: Mapping[str, Callable[[_Part], dict[str, Any]]] = {
    **dict.fromkeys(("tags", "performers", "studios"), _records),
    "date": _date,
    "rating": _rating,
}


def _some(value: Mapping[str, Any]) -> dict[str, Any]:
    """The criterion for records that refer to others."""
    made = {
        "value": value["ids"],
        "excludes": value["excludes"],
        "modifier": "INCLUDES_ALL" if value.get("all") else "INCLUDES",
    }
    return {**made, "depth": value["depth"]} if "depth" in value else made


def _between(lowest: Any, highest: Any) -> Callable[[Mapping[str, Any]], dict[str, Any]]:
    """BETWEEN has both ends within; Stash's GREATER_THAN and LESS_THAN have not."""
    return lambda value: {
        "value": value.get("from", lowest),
        "value2": value.get("to", highest),
        "modifier": "BETWEEN",
    }


_MAKERS: Mapping[str, Callable[[Mapping[str, Any]], dict[str, Any]]] = {
    **dict.fromkeys(("tags", "performers", "studios"), _some),
    "date": _between(FIRST_DAY, LAST_DAY),
    "rating": _between(LOWEST, HIGHEST),
}
