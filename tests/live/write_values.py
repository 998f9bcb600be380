"""What the tests that write give each field of each kind: values that differ from what populate.py put there, the last
one as empty as Stash lets it be. "@tag:rivers" is the id of that record; bytes are those of an image."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from stash_portability.kinds import Field
from stash_portability.libraries.canonical import sort_keys, sorted_ids

from .media import png
from .populate import BOX, ODD, OTHER_BOX, stash_id

TEXTS = ['Other "words", =1; שלום 🦦\nline two\t—', None]
NAMES = ['Renamed, "twice"; שלום 🦦', "Again"]
FLAGS = [False, True, False]
RATINGS = [0, 100, 37, None]
URLS = [["https://z.example/?a=1&b=2", "https://a.example/"], ["https://a.example/", "https://z.example/?a=1&b=2"], []]
STASH_IDS = [
    [stash_id(BOX, 901), stash_id(OTHER_BOX, 902)],
    [{"endpoint": BOX, "stash_id": "00000000-1111-4222-8333-000000000903", "updated_at": "1999-12-31T23:59:59Z"}],
    [],
]
IMAGES = [png(71, "one"), png(72, "two"), None]
DATES = ["2001-02-03", "1999-12", "1998", None]
HISTORY = [
    ["2001-01-01T00:00:00Z", "2001-01-01T00:00:00Z", "2024-02-29T23:59:59Z"],
    ["1960-06-06T06:06:06Z", "2001-01-01T00:00:00Z", "2024-02-29T23:59:59Z", "2024-02-29T23:59:59Z"],
    ["2001-01-01T00:00:00Z"],
    [],
]
CUSTOM = [
    {
        "Notebook": "page 8\n🦦",
        "count": 0,
        "lens": 1.5,
        "big": 9007199254740993,
        "far": 1e300,
        "near": 2.5e-9,
        "e": 1e-7,
    },
    {"one": "1"},
    {},
]

IN_FOLDERS = ["@gallery:media", "@gallery:river"]
"""The galleries of folders that the image lies in, which Stash does not let it leave."""

RECORDS: dict[str, str] = {
    "tag": "tag:rivers",
    "studio": "studio:full",
    "performer": "performer:full",
    "group": "group:full",
    "gallery": "gallery:own",
    "chapter": "chapter:own 2",
    "scene": "scene:full",
    "marker": "marker:full",
    "image": "image:reed bed.png",
    "saved_filter": "saved_filter:SCENES",
}
"""The records that are written to."""

VALUES: dict[str, dict[str, list[Any]]] = {
    "tag": {
        "name": NAMES,
        "sort_name": TEXTS,
        "description": TEXTS,
        "aliases": [["+sum", 'a "b"; c', "נחל"], ["one"], []],
        "parents": [["@tag:0", "@tag:1"], ["@tag:0"], []],
        "favorite": FLAGS,
        "ignore_auto_tag": FLAGS,
        "stash_ids": STASH_IDS,
        "image": IMAGES,
    },
    "studio": {
        "name": NAMES,
        "aliases": [["Other, Pond", "OP"], ["one"], []],
        "parent": [None, "@studio:parent", None],
        "details": TEXTS,
        "urls": URLS,
        "rating100": RATINGS,
        "favorite": FLAGS,
        "ignore_auto_tag": FLAGS,
        "tags": [["@tag:0", "@tag:emoji"], []],
        "stash_ids": STASH_IDS,
        "image": IMAGES,
    },
    "performer": {
        "name": NAMES,
        "disambiguation": TEXTS,
        "aliases": [["=wren", "רן", "W; O"], []],
        "gender": ["FEMALE", "TRANSGENDER_MALE", "TRANSGENDER_FEMALE", "INTERSEX", "MALE", None],
        "birthdate": ["1950-12-31", "1951", "1952-03", None],
        "death_date": ["2021-01-31", "2021", "2022-03", None],
        "ethnicity": TEXTS,
        "country": ["NP", None],
        "eye_color": TEXTS,
        "hair_color": TEXTS,
        "height_cm": [0, 201, None],
        "weight": [0, 81, None],
        "measurements": TEXTS,
        "fake_tits": TEXTS,
        "penis_length": [0.0, 17.25, None],
        "circumcised": ["UNCUT", None],
        "career_length": TEXTS,
        "tattoos": TEXTS,
        "piercings": TEXTS,
        "details": TEXTS,
        "urls": URLS,
        "rating100": RATINGS,
        "favorite": FLAGS,
        "ignore_auto_tag": FLAGS,
        "tags": [["@tag:0", "@tag:rivers"], []],
        "stash_ids": STASH_IDS,
        "custom_fields": CUSTOM,
        "image": IMAGES,
    },
    "group": {
        "name": NAMES,
        "aliases": TEXTS,
        "date": DATES,
        "duration": [0, 61, None],
        "rating100": RATINGS,
        "director": TEXTS,
        "synopsis": TEXTS,
        "urls": URLS,
        "studio": ["@studio:parent", None],
        "tags": [["@tag:1"], []],
        "containing_groups": [[{"group": "@group:outer", "description": 'told "so"'}],
                              [{"group": "@group:outer", "description": None}], []],
        "sub_groups": [[{"group": "@group:Summer", "description": None}, {"group": "@group:Autumn", "description": "2"},
                        {"group": "@group:Spring", "description": "third"}],
                       [{"group": "@group:Spring", "description": None}], []],
        "front_image": IMAGES,
        "back_image": IMAGES,
    },
    "gallery": {
        "title": NAMES,
        "code": TEXTS,
        "date": DATES,
        "details": TEXTS,
        "photographer": TEXTS,
        "urls": URLS,
        "rating100": RATINGS,
        "organized": FLAGS,
        "studio": ["@studio:parent", None],
        "performers": [["@performer:bare"], []],
        "tags": [["@tag:2", "@tag:0"], []],
        "cover": ["@image:marsh.png", "@image:reed bed.png", None],
    },
    "chapter": {"gallery": ["@gallery:pond.zip", "@gallery:own"], "title": TEXTS, "image_index": [3, 1]},
    "scene": {
        "title": TEXTS,
        "code": TEXTS,
        "date": DATES,
        "details": TEXTS,
        "director": TEXTS,
        "urls": URLS,
        "rating100": RATINGS,
        "organized": FLAGS,
        "studio": ["@studio:parent", None],
        "performers": [["@performer:bare", "@performer:twin"], []],
        "tags": [["@tag:emoji"], []],
        "groups": [[{"group": "@group:Autumn", "scene_index": None}, {"group": "@group:Spring", "scene_index": 0}],
                   [{"group": "@group:Spring", "scene_index": 12}], []],
        "galleries": [["@gallery:empty", "@gallery:own"], []],
        "stash_ids": STASH_IDS,
        "play_history": HISTORY,
        "o_history": HISTORY,
        "resume_time": [0.75, 12.5, 0.0],
        "play_duration": [0.0, 99.125, 0.0],
        "cover": IMAGES[:2],
    },
    "marker": {
        "scene": ["@scene:beaver dam.mkv", "@scene:full"],
        "title": TEXTS,
        "seconds": [0.0, 0.125, 0.5],
        "end_seconds": [0.9, None],
        "primary_tag": ["@tag:1", "@tag:water"],
        "tags": [["@tag:0"], []],
    },
    "image": {
        "title": TEXTS,
        "code": TEXTS,
        "date": DATES,
        "details": TEXTS,
        "photographer": TEXTS,
        "urls": URLS,
        "rating100": RATINGS,
        "organized": FLAGS,
        "studio": ["@studio:parent", None],
        "performers": [["@performer:twin"], []],
        "tags": [["@tag:rivers"], []],
        "galleries": [[*IN_FOLDERS, "@gallery:empty"], [*IN_FOLDERS, "@gallery:own", "@gallery:empty"], IN_FOLDERS],
        "o_counter": [4, 1, 2, 0],
    },
    "saved_filter": {
        "mode": ["IMAGES", "SCENES"],
        "name": NAMES,
        "find_filter": [{"q": ODD, "page": 2, "per_page": 20, "sort": "random_777", "direction": "ASC"}, None],
        "object_filter": [{"title": {"modifier": "EQUALS", "value": ODD}, "n": {"value": {"value": 0.5}}}, {}, None],
        "ui_options": [{"display_mode": 2, "zoom_index": 0}, None],
    },
}  # fmt: skip


def resolved(value: Any, ids: Mapping[str, str]) -> Any:
    """``value`` with the ids of the records it names."""
    if isinstance(value, str) and value.startswith("@"):
        return ids[value[1:]]
    if isinstance(value, dict):
        return {key: resolved(inner, ids) for key, inner in value.items()}
    return [resolved(inner, ids) for inner in value] if isinstance(value, list) else value


def canonical(field: Field, value: Any, *, lacking: frozenset[str] = frozenset()) -> Any:
    """``value`` in the form readers give it; ``lacking`` are parts this server does not have."""
    if field.type == "ref" and field.many:
        return sorted_ids(value)
    if field.parts:
        entries = [{name: part for name, part in entry.items() if name not in lacking} for entry in value]
        if field.ordered:
            return entries
        first, second = (part.name for part in field.parts[:2])
        number = field.parts[0].type == "ref"
        return sorted(entries, key=lambda one: (int(one[first]), "") if number else (one[first], one[second]))
    if field.many and not field.ordered:
        return sorted(value)
    return sort_keys(value)
