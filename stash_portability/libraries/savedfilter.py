"""Saved filters of Stash's page, in the form Stash's GraphQL takes as criteria. Pure.

Stash keeps a filter as its page holds it: {criterion: {modifier, value}}, with labels and display words. The
rules are those of the page itself (ui/v2.5/src/models/list-filter, to 0.30), old forms of values included; where
the page would silently drop a value it does not know, this says so.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..errors import BadFilter, unknown
from ..kinds import KINDS
from ..model import Record


@dataclass(frozen=True, slots=True)
class Saved:
    """One saved criterion: its name, modifier (None when not kept), value, the second value old forms keep beside
    it, the kind it filters, and the page's rating system ("stars" or "decimal")."""

    name: str
    modifier: str | None
    value: Any
    value2: Any
    kind: str
    ratings: str


Convert = Callable[[Saved], Any]

KIND_OF_MODE: Mapping[str, str] = {mode: kind.name for kind in KINDS.values() for mode in kind.modes}
"""The kind each mode of a saved filter lists."""


def choose(name: str, saved: Iterable[Record]) -> Record:
    """The saved filter called ``name``, or "kind:name" where several kinds have one of that name; raises
    UnknownName with the nearest, or BadFilter when it is not clear which."""
    named: dict[str, list[Record]] = {}
    for record in saved:
        plain, mode = record.data["name"] or "", record.data["mode"]
        for key in {plain, f"{KIND_OF_MODE.get(mode, mode)}:{plain}"}:
            named.setdefault(key, []).append(record)
    if name not in named:
        plain_names = {record.data["name"] or "" for found in named.values() for record in found}
        raise unknown("saved filter", name, plain_names)
    if len(named[name]) > 1:
        kinds = sorted(KIND_OF_MODE.get(record.data["mode"], record.data["mode"]) for record in named[name])
        raise BadFilter(f"several kinds ({', '.join(kinds)}) have a saved filter {name!r}; give {kinds[0]}:{name}")
    return named[name][0]


def convert(record: Record, ratings: Callable[[], str]) -> tuple[str, dict[str, Any], str]:
    """Given a saved filter, return its kind, its criteria as GraphQL takes them, and its search text; raises
    BadFilter naming the criterion that is not known. ``ratings`` tells the page's rating system, when asked."""
    mode = str(record.data["mode"])
    if mode not in KIND_OF_MODE:
        raise BadFilter(f"it lists {mode}, which is not known here")
    kind, criteria = KIND_OF_MODE[mode], dict[str, Any]()
    for name, entry in (record.data.get("object_filter") or {}).items():
        target = _RENAMED.get(name, name)
        converter = _converter(name, kind)
        system = ratings() if name == "rating100" else ""
        criteria[target] = converter(_saved(name, entry, kind, system))
    query = (record.data.get("find_filter") or {}).get("q") or ""
    return kind, criteria, query


def _converter(name: str, kind: str) -> Convert:
    found = _BY_KIND.get((kind, name)) or _CONVERTERS.get(name)
    if found is None:
        raise BadFilter(f"the saved filter uses the criterion {name!r}, which is not known here")
    return found


def _saved(name: str, entry: Any, kind: str, ratings: str) -> Saved:
    if name == "custom_fields":
        return Saved(name, None, entry, None, kind, ratings)
    if not isinstance(entry, Mapping):
        raise BadFilter(f"the criterion {name!r} of the saved filter is not in the form Stash keeps")
    return Saved(name, entry.get("modifier"), entry.get("value"), entry.get("value2"), kind, ratings)


def _with(saved: Saved, **fields: Any) -> dict[str, Any]:
    return {**fields, "modifier": saved.modifier} if saved.modifier else fields


def _string(saved: Saved) -> Any:
    return _with(saved, value="" if saved.value is None else saved.value)


def _switch(saved: Saved) -> Any:
    return saved.value in ("true", True)


def _bare(saved: Saved) -> Any:
    if isinstance(saved.value, bool):
        return "true" if saved.value else "false"
    return "" if saved.value is None else str(saved.value)


def _duplicated(saved: Saved) -> Any:
    return {"duplicated": _switch(saved)}


def _range(saved: Saved) -> tuple[Any, Any]:
    """The two ends: {value, value2}, or in the old form a plain value with value2 beside it."""
    if isinstance(saved.value, Mapping):
        return saved.value.get("value"), saved.value.get("value2")
    return saved.value, saved.value2


def _number(saved: Saved) -> Any:
    low, high = _range(saved)
    return _ends(saved, 0 if low is None else low, high)


def _rating(saved: Saved) -> Any:
    low, high = _range(saved)
    if not isinstance(saved.value, Mapping):
        # The old form counts in what the page shows: five stars, or ten points.
        low, high = (None if end is None else _hundredths(end, saved.ratings) for end in (low, high))
    return _ends(saved, 0 if low is None else low, high)


def _hundredths(shown: float, ratings: str) -> int:
    return math.floor(shown * (10 if ratings == "decimal" else 20) + 0.5)


def _date(saved: Saved) -> Any:
    low, high = _range(saved)
    return _ends(saved, low or "", high)


def _ends(saved: Saved, low: Any, high: Any) -> Any:
    return _with(saved, value=low) if high is None else _with(saved, value=low, value2=high)


def _timestamp(saved: Saved) -> Any:
    low, high = _range(saved)
    return _with(saved, value=_instant(low or ""), value2=_instant(high) if high else None)


def _instant(text: Any) -> str:
    shown = str(text).strip()
    return shown.replace(" ", "T") if _INSTANT.fullmatch(shown) else ""


def _ids(values: Any) -> list[str]:
    """Ids of {id, label}; numbers in filters that an old migration of Stash rewrote."""
    return [str(value["id"] if isinstance(value, Mapping) else value) for value in values or ()]


def _labelled(saved: Saved) -> Any:
    return _with(saved, value=_ids(saved.value))


def _chosen(saved: Saved) -> tuple[str | None, list[str], list[str]]:
    """Modifier, items and excluded ones of a list with both (once a plain list, and "excludes" a modifier)."""
    value = saved.value if isinstance(saved.value, Mapping) else {"items": saved.value}
    items, excluded = _ids(value.get("items")), _ids(value.get("excluded"))
    if saved.modifier == "EXCLUDES" and saved.name not in _TAKES_EXCLUDES:
        return "INCLUDES", [], excluded + items
    if saved.modifier not in ("INCLUDES", "INCLUDES_ALL"):
        excluded = []
    return saved.modifier, items, excluded


def _performers(saved: Saved) -> Any:
    modifier, items, excluded = _chosen(saved)
    return {"value": items, "excludes": excluded, "modifier": modifier}


def _hierarchy(saved: Saved) -> Any:
    modifier, items, excluded = _chosen(saved)
    depth = saved.value.get("depth") or 0 if isinstance(saved.value, Mapping) else 0
    return {
        "value": items,
        "excludes": excluded,
        "modifier": modifier,
        "depth": 0 if modifier == "EQUALS" else depth,
    }


def _resolution(saved: Saved) -> Any:
    return _with(saved, value=_word(saved, saved.value, _RESOLUTIONS))


def _orientation(saved: Saved) -> Any:
    return {"value": [_word(saved, value, _ORIENTATIONS) for value in _list(saved.value)]}


def _gender(saved: Saved) -> Any:
    return _with(saved, value_list=[_word(saved, value, _GENDERS) for value in _list(saved.value)])


def _circumcised(saved: Saved) -> Any:
    return _with(saved, value=[_word(saved, value, _CIRCUMCISED) for value in _list(saved.value)])


def _captions(saved: Saved) -> Any:
    return _with(saved, value=_word(saved, saved.value, _LANGUAGES) if saved.value else "")


def _list(value: Any) -> Sequence[Any]:
    if value is None:
        return ()
    return [value] if isinstance(value, str) else list(value)


def _word(saved: Saved, shown: Any, words: Mapping[str, str]) -> str:
    """The value of GraphQL for a word of the page; a value of GraphQL stands for itself."""
    by_folded = {word.casefold(): value for word, value in words.items()}
    found = shown if shown in words.values() else by_folded.get(str(shown).casefold())
    if found is None:
        raise BadFilter(
            f"the criterion {saved.name!r} of the saved filter has the value {shown!r}, which is not known here"
        )
    return str(found)


def _stash_id(saved: Saved) -> Any:
    if isinstance(saved.value, Mapping):
        known = saved.value.get("stashID", saved.value.get("stash_id"))
        return _with(saved, endpoint=saved.value.get("endpoint") or "", stash_id=known or "")
    return _with(saved, endpoint="", stash_id=saved.value or "")


def _phash(saved: Saved) -> Any:
    if not isinstance(saved.value, Mapping):
        return _with(saved, value=saved.value or "")
    found = _with(saved, value=saved.value.get("value") or "")
    distance = saved.value.get("distance")
    return found if distance is None else {**found, "distance": distance}


def _as_is(saved: Saved) -> Any:
    return saved.value


_INSTANT = re.compile(r"\d{4}-\d{2}-\d{2}([ T]\d{2}:\d{2})?", re.ASCII)
_RENAMED = {"movies": "groups"}
_TAKES_EXCLUDES = frozenset(("groups", "movies", "containing_groups", "sub_groups"))

_STRINGS = (
    "title code details director photographer path oshash checksum video_codec audio_codec url name synopsis"
    " country ethnicity hair_color eye_color measurements fake_tits career_length tattoos piercings aliases"
    " disambiguation description sort_name"
)
_SWITCHES = "organized interactive performer_favorite filter_favorites favorite ignore_auto_tag"
_NUMBERS = (
    "o_counter framerate bitrate duration resume_time play_duration play_count tag_count performer_count"
    " performer_age interactive_speed file_count image_count scene_count gallery_count studio_count group_count"
    " marker_count parent_count child_count containing_group_count sub_group_count height_cm birth_year death_year"
    " age weight penis_length"
)
_HIERARCHIES = "tags performer_tags scene_tags studios groups movies containing_groups sub_groups parents children"

_CONVERTERS: Mapping[str, Convert] = {
    **dict.fromkeys(_STRINGS.split(), _string),
    **dict.fromkeys(_SWITCHES.split(), _switch),
    **dict.fromkeys(("has_markers", "has_chapters", "is_missing"), _bare),
    **dict.fromkeys(_NUMBERS.split(), _number),
    **dict.fromkeys(("date", "birthdate", "death_date", "scene_date"), _date),
    **dict.fromkeys(("created_at", "updated_at", "last_played_at", "scene_created_at", "scene_updated_at"), _timestamp),
    **dict.fromkeys(_HIERARCHIES.split(), _hierarchy),
    **dict.fromkeys(("galleries", "scenes"), _labelled),
    **dict.fromkeys(("resolution", "average_resolution"), _resolution),
    "rating100": _rating,
    "duplicated": _duplicated,
    "performers": _performers,
    "orientation": _orientation,
    "gender": _gender,
    "circumcised": _circumcised,
    "captions": _captions,
    "stash_id_endpoint": _stash_id,
    "phash_distance": _phash,
    "custom_fields": _as_is,
}
_BY_KIND: Mapping[tuple[str, str], Convert] = {("studio", "parents"): _labelled}

_RESOLUTIONS = {
    "144p": "VERY_LOW", "240p": "LOW", "360p": "R360P", "480p": "STANDARD", "540p": "WEB_HD", "720p": "STANDARD_HD",
    "1080p": "FULL_HD", "1440p": "QUAD_HD", "1920p": "VR_HD", "4k": "FOUR_K", "5k": "FIVE_K", "6k": "SIX_K",
    "7k": "SEVEN_K", "8k": "EIGHT_K", "Huge": "HUGE",
}  # fmt: skip
_ORIENTATIONS = {"Landscape": "LANDSCAPE", "Portrait": "PORTRAIT", "Square": "SQUARE"}
_GENDERS = {
    "Female": "FEMALE", "Male": "MALE", "Transgender Male": "TRANSGENDER_MALE",
    "Transgender Female": "TRANSGENDER_FEMALE", "Intersex": "INTERSEX", "Non-Binary": "NON_BINARY",
}  # fmt: skip
_CIRCUMCISED = {"Cut": "CUT", "Uncut": "UNCUT"}
_LANGUAGES = {
    "Deutsche": "de", "English": "en", "Español": "es", "Français": "fr", "Italiano": "it", "日本": "ja",
    "한국인": "ko", "Holandés": "nl", "Português": "pt", "Русский": "ru", "Unknown": "00",
}  # fmt: skip
