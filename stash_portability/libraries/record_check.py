"""What a record may not hold, although its types are right: a date that is none, a rating of 101, a name of nothing but
spaces. Such a value is left out and told, and the rest of the record is kept; so it is not known, and nothing is
changed by it. Circles of parents are refused. Pure.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ..kinds import KINDS, Field
from ..model import Blob, Record

MOST_IMAGE = 32 << 20
"""Bytes of an image: what a browser could still be asked to show, and Stash keeps in its database."""
HEAD = 32
_HUGE = 1.7e308
_RANGES: Mapping[str, tuple[float, float]] = {
    "rating100": (0, 100),
    "image_index": (1, _HUGE),
    **dict.fromkeys(
        ("duration", "height_cm", "weight", "penis_length", "o_counter", "seconds", "end_seconds", "resume_time",
         "play_duration"),
        (0, _HUGE),
    ),
}  # fmt: skip
"""By the names of fields, in whatever kind."""
_NAMED = ("tag", "studio", "performer", "group", "saved_filter")
"""Kinds that Stash makes with a name only."""
_LEAST, _MOST = -(1 << 63), (1 << 63) - 1
NUL = "it holds a NUL"
_MOST_DATES = 50_000
"""Dates that are remembered as good ones: all the days of a century are fewer."""

Look = Callable[[Any], str]
"""Says what is wrong with a value that is not empty; "" when nothing is."""


@dataclass(frozen=True, slots=True)
class _Looks:
    """What is looked at in the records of a kind. Most of it is done without a call for each value, because a
    library has millions of them."""

    numbers: tuple[tuple[str, float, float], ...]
    texts: tuple[str, ...]
    dates: tuple[str, ...]
    others: tuple[tuple[str, Look], ...]
    named: bool


class Values:
    """Looks at the values of records, kind by kind. ``image`` says what is wrong with the image of a digest."""

    def __init__(self, image: Callable[[str], str] = lambda _: "") -> None:
        self._image = image
        self._looks: dict[str, _Looks] = {}
        self._dates: set[str] = set()

    def problems(self, record: Record) -> dict[str, str]:
        """What is wrong, by the name of the field; mostly nothing."""
        looks = self._looks.get(record.kind)
        if looks is None:
            looks = self._looks[record.kind] = _looks(record.kind, self._look_at_image)
        found = _wrong_numbers(looks, record.data)
        get, dates = record.data.get, self._dates
        for name in looks.dates:
            date = get(name)
            if date is not None and date not in dates and (problem := self._look_at_date(date)):
                found[name] = problem
        for name, look in looks.others:
            value = get(name)
            if value and (problem := look(value)):
                found[name] = problem
        if looks.named and not (get("name", "unknown") or "").strip():
            found["name"] = "a name is missing"
        return found

    def cleaned(self, record: Record, tell: Callable[[str, str], None]) -> Record:
        """``record`` without the values that are wrong; each is told: what, and where."""
        found = self.problems(record)
        for name, problem in found.items():
            tell(f"{name}: {problem}", f"{record.kind} {record.uid}")
        if not found:
            return record
        return Record(record.kind, record.uid, {key: value for key, value in record.data.items() if key not in found})

    def _look_at_date(self, date: str) -> str:
        problem = _date(date)
        if not problem and len(self._dates) < _MOST_DATES:
            self._dates.add(date)
        return problem

    def _look_at_image(self, image: Any) -> str:
        digest = image.key if isinstance(image, Blob) else image
        return self._image(digest) if isinstance(digest, str) else ""


def _looks(kind: str, image: Look) -> _Looks:
    fields = [field for field in KINDS[kind].fields if field.writer]
    plain = [field for field in fields if not field.many]
    others = {field.name: _other(field, image) for field in fields}
    return _Looks(
        tuple((field.name, *_range(field)) for field in plain if field.type in ("int", "float")),
        tuple(field.name for field in plain if field.type in ("text", "enum")),
        tuple(field.name for field in plain if field.type == "date"),
        tuple((name, look) for name, look in others.items() if look),
        kind in _NAMED,
    )


def _wrong_numbers(looks: _Looks, data: Mapping[str, Any]) -> dict[str, str]:
    """And texts with a NUL, which are looked at in the same way."""
    found: dict[str, str] = {}
    for name, least, most in looks.numbers:
        number = data.get(name)
        if number is not None and not least <= number <= most:
            found[name] = _out_of(number, name)
    for name in looks.texts:
        text = data.get(name)
        if text and "\0" in text:
            found[name] = NUL
    return found


def _range(field: Field) -> tuple[float, float]:
    return _RANGES.get(field.name, (_LEAST, _MOST) if field.type == "int" else (-_HUGE, _HUGE))


def _other(field: Field, image: Look) -> Look | None:
    if field.type == "blob":
        return image
    if field.type == "map":
        return _map
    if field.type == "part":
        return _parts(field)
    return _texts if field.many and field.type == "text" else None


def _parts(field: Field) -> Look:
    numbers = [(part.name, *_range(part)) for part in field.parts if part.type in ("int", "float")]
    texts = [part.name for part in field.parts if part.type == "text"]

    def look(values: Any) -> str:
        for value in values:
            for name in texts:
                if (text := value.get(name)) and "\0" in text:
                    return f"{name}: {NUL}"
            for name, least, most in numbers:
                number = value.get(name)
                if number is not None and not least <= number <= most:
                    return f"{name}: {_out_of(number, name)}"
        return ""

    return look


def _out_of(number: float, name: str) -> str:
    if name not in _RANGES:
        return f"{number} is no number that Stash can hold"
    least, most = _RANGES[name]
    return f"{number} is not {least} to {most}" if most < _HUGE else f"{number} is less than {least}"


def _texts(values: Any) -> str:
    return NUL if "\0" in "".join(value for value in values if value) else ""


def _date(value: str) -> str:
    """A year, a month or a day: ``2023``, ``2023-01``, ``2023-01-31``."""
    try:
        whole = value + "0001-01-01"[len(value) :]
        if len(value) in (4, 7, 10) and value[:4].isdigit() and whole[4] == whole[7] == "-":
            datetime.fromisoformat(whole)
            return ""
    except (ValueError, IndexError):
        pass
    return f"{value[:32]!r} is no date"


def _map(value: Any) -> str:
    for key, inner in value.items():
        if "\0" in key or (isinstance(inner, str) and "\0" in inner):
            return NUL
        if isinstance(inner, int) and not _LEAST <= inner <= _MOST:
            return f"{key}: {inner} is no number that Stash can hold"
    return ""


def image_problem(size: int, content: Callable[[int], bytes]) -> str:
    """What is wrong with an image of ``size`` bytes; ``content`` gives its first bytes. "" for what browsers show,
    and for an SVG that only draws."""
    if size > MOST_IMAGE:
        return f"an image of {size:,} bytes, and {MOST_IMAGE:,} is the most"
    head = content(HEAD)
    if head.startswith(_MAGIC) or (head[:4] == b"RIFF" and head[8:12] == b"WEBP") or head[4:8] == b"ftyp":
        return ""
    whole = content(size).lower()
    if b"<svg" not in whole[:4096]:
        return "what is kept as its image is none"
    return "its image is an SVG with a script" if any(sign in whole for sign in _SCRIPTS) else ""


_MAGIC = (
    b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"GIF87a", b"GIF89a", b"BM", b"II*\0", b"MM\0*", b"\xff\x0a",
    b"\0\0\0\x0cJXL ",
)  # fmt: skip
"""JPEG, PNG, GIF, BMP, TIFF, JPEG XL; by their 5th byte AVIF and HEIC, by their 9th WebP."""
_SCRIPTS = (
    b"<script", b"javascript:", b"<foreignobject", b"<iframe", b"<!entity", b" onload", b" onclick", b" onerror",
    b" onmouse", b" onbegin", b" onfocus",
)  # fmt: skip


def circle(parents: Mapping[str, Iterable[str]]) -> list[str]:
    """Ids that are each other's parents in a circle, the first again at the end; [] when there is none. Without
    recursion: hierarchies may be deep."""
    done: set[str] = set()
    for start in parents:
        way, inside = [(start, iter(parents[start]))], {start}
        while way:
            uid, rest = way[-1]
            above = next(rest, None)
            if above is None:
                way.pop()
                inside.discard(uid)
                done.add(uid)
            elif above in inside:
                ids = [step for step, _ in way]
                return [*ids[ids.index(above) :], above]
            elif above in parents and above not in done:
                inside.add(above)
                way.append((above, iter(parents[above])))
    return []
