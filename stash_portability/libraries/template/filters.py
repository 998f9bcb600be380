"""The filters templates may use that are our own: none makes much out of little. Pure.

Whatever a filter gives is at most ``MOST`` characters or entries, because Jinja's sandbox does not look after sizes;
the limits of the process are the second fence.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from itertools import islice
from typing import Any
from urllib.parse import quote

from .escape import Unwritable, text

MOST = 1 << 20
MOST_NUMBERS = 10_000
_MONTHS = "January February March April May June July August September October November December".split()
_TOKEN = re.compile(r"%(-?[A-Za-z%])")
_MOMENT = re.compile(r"(\d{4})(?:-(\d\d)(?:-(\d\d)(?:T(\d\d):(\d\d):(\d\d))?)?)?")
_UNITS = ("bytes", "kB", "MB", "GB", "TB", "PB")
_SCHEME = re.compile(r"https?://[^\s/]", re.IGNORECASE)


def within(size: int) -> None:
    """Raise Unwritable when ``size`` characters or entries are more than any value may have."""
    if size > MOST:
        raise Unwritable(f"a value may have at most {MOST:,} characters")


def entries(value: Any) -> list[Any]:
    """``value`` as a list: the characters of a text, the keys of a mapping, nothing for None."""
    found = [] if value is None else list(islice(iter(value), MOST + 1))
    within(len(found))
    return found


def join(value: Any, between: Any = "", attribute: str | None = None) -> str:
    """The entries of a list as one text."""
    listed = [value] if isinstance(value, (str, Mapping)) else entries(value)
    texts = [text(entry.get(attribute) if attribute and isinstance(entry, Mapping) else entry) for entry in listed]
    within(sum(map(len, texts)) + len(text(between)) * len(texts))
    return text(between).join(texts)


def default(value: Any, other: Any = "", otherwise: bool = True) -> Any:
    """``value``, or ``other`` when there is none: undefined, None, and (unless told otherwise) empty or 0."""
    return (value or other) if otherwise else other if value is None else value


def cut(value: Any, start: int | None = None, stop: int | None = None, step: int | None = None) -> Any:
    """``value[start:stop:step]``; of nothing, nothing."""
    return None if value is None else value[start:stop:step]


def length(value: Any) -> int:
    """How many entries or characters."""
    return len(value) if hasattr(value, "__len__") else len(entries(value))


def first(value: Any) -> Any:
    """The first entry, or None."""
    return next(iter(value), None) if value is not None else None


def last(value: Any) -> Any:
    """The last entry, or None."""
    return entries(value)[-1] if value else None


def _rank(value: Any) -> tuple[int, Any]:
    """Where a value stands among others of any type: numbers, texts, nothing last."""
    if value is None:
        return 2, ""
    return (0, value) if isinstance(value, (int, float)) else (1, text(value).casefold())


def _chosen(attribute: str | None) -> Callable[[Any], Any]:
    """What of an entry counts: itself, or what lies at a dotted path in it."""

    def find(entry: Any) -> Any:
        for step in (attribute or "").split("."):
            entry = entry.get(step) if isinstance(entry, Mapping) and step else entry
        return entry

    return find


def sort(value: Any, reverse: bool = False, attribute: str | None = None) -> list[Any]:
    """The entries in order, without regard to case."""
    find = _chosen(attribute)
    return sorted(entries(value), key=lambda entry: _rank(find(entry)), reverse=bool(reverse))


def unique(value: Any, attribute: str | None = None) -> list[Any]:
    """The entries, each once, without regard to case."""
    find, seen, kept = _chosen(attribute), set(), []
    for entry in entries(value):
        rank = _rank(find(entry))
        if rank not in seen:
            seen.add(rank)
            kept.append(entry)
    return kept


def reverse(value: Any) -> Any:
    """A text or list from its end."""
    return value[::-1] if isinstance(value, str) else entries(value)[::-1]


def batch(value: Any, size: int) -> list[list[Any]]:
    """The entries in lists of ``size``."""
    listed, step = entries(value), max(int(size), 1)
    return [listed[start : start + step] for start in range(0, len(listed), step)]


def total(value: Any) -> float:
    """The sum of the numbers in a list."""
    return sum(entry for entry in entries(value) if isinstance(entry, (int, float)))


def smallest(value: Any) -> Any:
    """The smallest entry, or None."""
    return min(entries(value), key=_rank, default=None)


def largest(value: Any) -> Any:
    """The largest entry, or None."""
    return max((entry for entry in entries(value) if entry is not None), key=_rank, default=None)


def pairs(value: Any) -> list[tuple[Any, Any]]:
    """The names and values of a mapping (custom_fields)."""
    return list(value.items()) if isinstance(value, Mapping) else []


def truncate(value: Any, size: int = 255, end: Any = "…") -> str:
    """A text of at most ``size`` characters, cut at a word where that is near."""
    said, most = text(value), max(int(size), 1)
    if len(said) <= most:
        return said
    cut = said[: max(most - len(text(end)), 0)]
    space = cut.rfind(" ")
    return (cut[:space] if space > len(cut) * 2 // 3 else cut).rstrip() + text(end)


def replace(value: Any, old: Any, new: Any) -> str:
    """A text with ``new`` for every ``old``."""
    said, was, becomes = text(value), text(old), text(new)
    within(len(said) + (said.count(was) * max(len(becomes) - len(was), 0)))
    return said.replace(was, becomes)


def indent(value: Any, width: int = 4) -> str:
    """A text whose lines but the first begin with ``width`` spaces, 40 at most."""
    said, space = text(value), " " * min(max(int(width), 0), 40)
    within(len(said) + said.count("\n") * len(space))
    return said.replace("\n", "\n" + space)


def trim(value: Any) -> str:
    """A text without white space around it."""
    return text(value).strip()


def number(value: Any, other: Any = None) -> int | None:
    """A whole number, or ``other`` when it is none."""
    try:
        return int(float(value)) if isinstance(value, str) else int(value)
    except (TypeError, ValueError, OverflowError):
        return None if other is None else int(other)


def rounded(value: Any, digits: int = 0) -> Any:
    """A number with so many digits after the point, 12 at most."""
    if not isinstance(value, (int, float)):
        return value
    places = min(max(int(digits), 0), 12)
    return round(value, places) if places else round(value)


def fixed(value: Any, digits: int = 2) -> Any:
    """A number with always so many digits after the point, 12 at most."""
    return f"{value:.{min(max(int(digits), 0), 12)}f}" if isinstance(value, (int, float)) else value


def duration(value: Any) -> str | None:
    """Seconds as ``h:mm:ss``, or ``m:ss`` under an hour."""
    if not isinstance(value, (int, float)):
        return None
    minutes, seconds = divmod(max(round(value), 0), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"


def size(value: Any) -> str | None:
    """Bytes in the unit that suits, by thousands."""
    if not isinstance(value, (int, float)):
        return None
    left, unit = float(value), 0
    while abs(left) >= 999.95 and unit < len(_UNITS) - 1:
        left, unit = left / 1000, unit + 1
    return f"{left:.1f} {_UNITS[unit]}" if unit else f"{round(left)} {_UNITS[0]}"


def date(value: Any, form: str = "%Y-%m-%d") -> str | None:
    """A date or time in another form: %Y %y %m %d %-m %-d %B %b %H %M %S. What a partial date ("2020-05") does not
    tell is left out together with what stands after it in the form."""
    found = _MOMENT.match(text(value))
    if found is None:
        return text(value) or None
    known = {name: part for name, part in zip("YmdHMS", found.groups(), strict=True) if part}
    before, *tokens = _TOKEN.split(text(form))
    parts = [(_piece(token, known), after) for token, after in zip(tokens[::2], tokens[1::2], strict=True)]
    said = before + "".join(piece + after for piece, after in parts if piece is not None)
    return said if not parts or parts[-1][0] is not None else said.rstrip(" -./:,T")


def _piece(sign: str, known: Mapping[str, str]) -> str | None:
    """What ``%`` and ``sign`` stand for, or None when the date does not tell."""
    if sign == "%":
        return "%"
    part = {"B": "m", "b": "m", "y": "Y"}.get(sign, sign.lstrip("-"))
    if part not in "YmdHMS":
        raise Unwritable(f"%{sign} is no part of a date: there is %Y %y %m %d %-m %-d %B %b %H %M %S")
    said = known.get(part)
    if said is None:
        return None
    shapes: dict[str, Callable[[str], str]] = {
        "B": lambda month: _MONTHS[(int(month) - 1) % 12],
        "b": lambda month: _MONTHS[(int(month) - 1) % 12][:3],
        "y": lambda year: year[2:],
    }
    return str(int(said)) if sign.startswith("-") else shapes.get(sign, str)(said)


def percent(value: Any) -> str:
    """A text percent-encoded for an address; slashes stay."""
    return quote(text(value).encode("utf-8", "replace"), safe="/")


def link(value: Any) -> str | None:
    """An address of the web (http, https), without white space, or None when it is anything else."""
    said = re.sub(r"\s+", "%20", text(value).strip())
    return said if _SCHEME.match(said) else None


def web_address(value: Any) -> str:
    """For an address in HTML that begins with this value: one of http or https, or a relative one; else ``#``, so
    that nothing else can be called (``javascript:``). Control characters are taken out, as browsers do."""
    said = re.sub("[\x00-\x20\x7f]+", lambda found: "" if found[0].strip(" ") else "%20", text(value).strip())
    if _SCHEME.match(said) or not said:
        return said
    before = re.split(r"[/?#]", said, maxsplit=1)[0]
    relative = ":" not in before and "\\" not in said and not said.startswith("//")
    return said if relative else "#"


def basename(value: Any) -> str:
    """The last part of a path, with ``/`` or ``\\``."""
    return re.split(r"[/\\]", text(value))[-1]


def folder(value: Any) -> str:
    """A path without its last part."""
    said = text(value)
    return said[: len(said) - len(basename(said))].rstrip("/\\")


def stem(value: Any) -> str:
    """The last part of a path without its ending."""
    name = basename(value)
    dot = name.rfind(".")
    return name[:dot] if dot > 0 else name


def numbers(*bounds: int) -> range:
    """``range``, of at most ``MOST_NUMBERS``."""
    made = range(*bounds)
    if len(made) > MOST_NUMBERS:
        raise Unwritable(f"range has more than {MOST_NUMBERS:,} numbers")
    return made


def as_list(value: Any) -> list[Any]:
    """A list of the entries."""
    return entries(value)


def _of_text(method: Callable[[str], str]) -> Callable[[Any], str]:
    def use(value: Any) -> str:
        return method(text(value))

    use.__qualname__ = getattr(method, "__name__", "title")  # as Python calls it when it is given too much
    return use


FILTERS: dict[str, Callable[..., Any]] = {
    "abs": abs,
    "basename": basename,
    "batch": batch,
    "bytes": size,
    "capitalize": _of_text(str.capitalize),
    "count": length,
    "d": default,
    "date": date,
    "default": default,
    "duration": duration,
    "first": first,
    "fixed": fixed,
    "folder": folder,
    "indent": indent,
    "int": number,
    "items": pairs,
    "join": join,
    "last": last,
    "length": length,
    "link": link,
    "list": as_list,
    "lower": _of_text(str.lower),
    "max": largest,
    "min": smallest,
    "replace": replace,
    "reverse": reverse,
    "round": rounded,
    "sort": sort,
    "stem": stem,
    "string": text,
    "sum": total,
    "title": _of_text(lambda said: re.sub(r"[^\W_]+(?:['’][^\W_]+)?", lambda word: word[0].capitalize(), said)),
    "trim": trim,
    "truncate": truncate,
    "unique": unique,
    "upper": _of_text(str.upper),
    "url": percent,
}
"""By name. ``map``, ``select``, ``reject``, ``selectattr`` and ``rejectattr`` are Jinja's own; ``paragraphs`` depends
on how values are escaped."""

TEXT_METHODS = frozenset(
    "startswith endswith split rsplit splitlines partition rpartition strip lstrip rstrip lower upper title"
    " capitalize removeprefix removesuffix find rfind count isdigit".split()
)
"""What may be called on a text: nothing that can make a long one."""
MAPPING_METHODS = frozenset(("items", "keys", "values", "get"))


def add(left: Any, right: Any) -> Any:
    """``+``"""
    if isinstance(left, (str, list, tuple)) and isinstance(right, (str, list, tuple)):
        within(len(left) + len(right))
    return left + right


def multiply(left: Any, right: Any) -> Any:
    """``*`` of numbers, and of a short text for a line (``"-" * 20``)."""
    if isinstance(left, str) and isinstance(right, int):
        if len(left) * right > MOST_NUMBERS:
            raise Unwritable(f"a repeated text may have at most {MOST_NUMBERS:,} characters")
        return left * right
    for value in (left, right):
        if not isinstance(value, (int, float)) or (isinstance(value, int) and value.bit_length() > 128):
            raise Unwritable("* is for numbers, and not for huge ones")
    return left * right


def power(left: Any, right: Any) -> Any:
    """``**`` of small numbers."""
    for value in (left, right):
        if not isinstance(value, (int, float)) or abs(value) > 1_000_000:
            raise Unwritable("** is for small numbers")
    if abs(right) > 64:
        raise Unwritable("** is for small numbers")
    return left**right


def remainder(left: Any, right: Any) -> Any:
    """``%`` of numbers; it does not format texts."""
    if not isinstance(left, (int, float)):
        raise Unwritable("% is for numbers; it does not format texts")
    return left % right


OPERATORS: dict[str, Callable[[Any, Any], Any]] = {"+": add, "*": multiply, "**": power, "%": remainder}
