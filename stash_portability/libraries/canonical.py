"""The one form of values that every reader of Stash gives, so that two readers of one library agree to the
letter: times in UTC, references in order, JSON with sorted keys. Pure.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timezone
from typing import Any

_SECONDS = len("2006-01-02T15:04:05")
_ID_DIGITS = 19


def utc(text: str) -> str:
    """Given an RFC 3339 time (Stash writes its server's local zone), return it in UTC as
    "YYYY-MM-DDTHH:MM:SSZ", with a fraction only when it is not zero; raises ValueError for anything else.

    A space for the "T" is taken, and a time without a zone is one in UTC, as Stash itself reads them.
    """
    if text[-1:] == "Z" and len(text) == _SECONDS + 1 and text[10] == "T":
        return text
    whole, fraction, zone = _split(text)
    moment = datetime.fromisoformat(whole + zone)
    try:
        moment = moment.astimezone(timezone.utc)
    except OverflowError as error:
        raise ValueError(text) from error
    return moment.strftime("%Y-%m-%dT%H:%M:%S").rjust(_SECONDS, "0") + fraction + "Z"


def _split(text: str) -> tuple[str, str, str]:
    """Seconds, fraction (with its point, without closing zeros) and zone: datetime keeps only six digits."""
    whole, rest = text[:_SECONDS], text[_SECONDS:]
    if len(whole) < _SECONDS:
        raise ValueError(text)
    digits = 1
    while rest[:1] == "." and digits < len(rest) and rest[digits].isdigit():
        digits += 1
    fraction = rest[:digits].rstrip("0") if rest[:1] == "." else ""
    zone = rest[digits:] if rest[:1] == "." else rest
    return whole, "" if fraction == "." else fraction, "+00:00" if zone in ("Z", "z", "") else zone


def sorted_ids(ids: Iterable[Any]) -> list[str]:
    """The ids (text or numbers) as text, each once, in the order of their numbers; raises ValueError for one
    that is no number."""
    return [str(number) for number in sorted({int(uid) for uid in ids})]


def sort_keys(value: Any) -> Any:
    """``value`` (parsed JSON) with the keys of every mapping in it sorted by code point; lists keep their order."""
    if isinstance(value, Mapping):
        return {key: sort_keys(value[key]) for key in sorted(value)}
    if isinstance(value, list):
        return [sort_keys(entry) for entry in value]
    return value


def real_ids(uids: Iterable[str]) -> list[int]:
    """The ids as numbers, ascending, each once. What cannot be an id of Stash's (64 bits, no leading zero) does not
    exist, and is passed over."""
    possible = (uid for uid in uids if uid.isascii() and uid.isdigit() and len(uid) < _ID_DIGITS)
    return sorted({int(uid) for uid in possible if uid == str(int(uid))})
