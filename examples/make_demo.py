"""Writes examples/demo, a small invented library of nature films, as an archive folder.

``python examples/make_demo.py`` replaces it.
It holds a record or more of every kind and the oddities real libraries have: quotes, commas, newlines, emoji,
right-to-left text, a leading "=", partial dates, two people of one name, a rating of 0, several files a film.
The same script gives the same bytes; a test compares them with the folder in the repository.
"""

from __future__ import annotations

import hashlib
import io
import struct
import sys
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from stash_portability.kinds import KINDS, Field
from stash_portability.libraries.archive_write import ArchiveSink
from stash_portability.model import BlobRef, Record
from stash_portability.storage.container import open_output

PLACE = Path(__file__).parent / "demo"
HEADER = {
    "tool": "stash-portability demo",
    "source": {"product": "Stash", "version": "v0.31.0", "schema": None},
    "scope": "everything",
    "privacy": "full",
}
BOX = "https://box.nature-films.example/graphql"
DAY = "2024-03-0{}T06:30:00Z"

TAGS: list[dict[str, Any]] = [
    {"name": "Water", "description": "Anything wet", "image": (40, 90, 160)},
    {"name": "Coast", "parents": ["1"], "aliases": ["Seaside", "Shore"]},
    {"name": "Tidal flat", "parents": ["2", "4"], "description": "Child of both Coast and Mud"},
    {"name": "Mud"},
    {"name": "Birds", "favorite": True, "aliases": ["Avifauna"]},
    {"name": "Waders", "parents": ["5"], "sort_name": "birds, wading"},
    {"name": '"Golden hour"', "description": 'Called "golden", by most', "ignore_auto_tag": True},
    {"name": "=SUM(of parts)", "description": "A name a spreadsheet would run as a formula"},
    {"name": "Night, moonlit", "aliases": ["Moon; full", "back\\slash"]},
    {"name": "طيور مهاجرة", "description": "migrating birds, written from right to left", "aliases": ["ציפורים"]},
    {"name": "🐦 Song", "description": "First line\nSecond line\r\nThird line", "parents": ["5"]},
    {"name": "Time-lapse", "custom_fields": {"frames": 240, "note": "@dawn", "ratio": 2.5},
     "stash_ids": [{"endpoint": BOX, "stash_id": "7a1f3c52-0000-4000-8000-000000000012", "updated_at": DAY.format(4)}]},
]  # fmt: skip
STUDIOS: list[dict[str, Any]] = [
    {"name": "Marram Pictures", "urls": ["https://marram.example"], "rating100": 80, "image": (90, 140, 60)},
    {"name": "Marram Shorts", "parent": "1", "aliases": ["MS", "Marram, small"], "tags": ["12"]},
    {"name": "Fjord & Fell <Films>", "details": "Ampersands & angle brackets", "favorite": True, "organized": True},
    {"name": "Atelier Été", "rating100": 0, "details": "Rated zero, which is not the same as not rated",
     "stash_ids": [{"endpoint": BOX, "stash_id": "51d10000-0000-4000-8000-000000000004", "updated_at": None}]},
]  # fmt: skip
PERFORMERS: list[dict[str, Any]] = [
    {"name": "Wren Hollis", "disambiguation": "presenter", "birthdate": "1984-06-02", "gender": "FEMALE",
     "country": "IS", "height_cm": 171, "urls": ["https://wren.example/a", "https://wren.example/b"],
     "image": (200, 150, 110), "custom_fields": {"field notes": "reads water", "seasons": 3}},
    {"name": "Wren Hollis", "disambiguation": "sound, since 1999", "birthdate": "1971", "career_start": "1999"},
    {"name": "Odd Sandvik", "aliases": ["O. Sandvik", "The \"Tide\" Man"], "gender": "MALE", "eye_color": "grey",
     "rating100": 100, "favorite": True, "tags": ["3", "6"], "weight": 82, "career_length": "2001 - 2019"},
    {"name": "נעמי שחף", "birthdate": "1990-11", "details": "Right to left, with a 🎙️ and a tab\there"},
    {"name": "-Quill", "details": "Begins with a minus", "ignore_auto_tag": True, "death_date": "2020-01-31",
     "stash_ids": [{"endpoint": BOX, "stash_id": "b1bd0000-0000-4000-8000-000000000005", "updated_at": DAY.format(5)}]},
    {"name": "Ada Marsh", "image": (120, 120, 200)},
]  # fmt: skip
GROUPS: list[dict[str, Any]] = [
    {"name": "Coasts of the North", "date": "2019", "duration": 5400, "director": "Ilse Vang", "studio": "1",
     "synopsis": "Six films, one shore.\n\n“Slow”, said some.",
     "front_image": (20, 60, 90), "back_image": (10, 30, 45)},
    {"name": "Flats", "aliases": "Mud; and more mud", "studio": "2", "tags": ["3"], "rating100": 0,
     "containing_groups": [{"group": "1", "description": "first part"}]},
    {"name": "Flats at Night", "containing_groups": [{"group": "2", "description": None}], "date": "2021-10"},
    {"name": "Cliffs", "containing_groups": [{"group": "1", "description": "second part"}],
     "urls": ["https://marram.example/cliffs?part=2&cut=long"]},
]  # fmt: skip
GALLERIES: list[dict[str, Any]] = [
    {"title": "Stills: Tidal Flats", "date": "2019-04-12", "studio": "1", "performers": ["1"], "tags": ["3", "7"],
     "files": ["/media/films/stills/tidal-flats.zip"], "photographer": "Ilse Vang", "organized": True, "cover": "1"},
    {"title": None, "folder": "/media/films/stills/cliffs, east", "rating100": 60, "tags": ["2"]},
    {"title": "+Contact sheet", "code": "CS-007", "urls": ["https://marram.example/sheet"]},
]  # fmt: skip
CHAPTERS: list[dict[str, Any]] = [
    {"gallery": "1", "title": "Ebb", "image_index": 1},
    {"gallery": "1", "title": "Flood; and foam", "image_index": 12},
    {"gallery": "2", "title": "East, looking west", "image_index": 1},
]
SCENES: list[dict[str, Any]] = [
    {"title": "Tidal Flats at Dawn", "code": "TF-001", "date": "2019-04-12", "studio": "1", "performers": ["1", "3"],
     "tags": ["3", "6", "7"], "groups": [{"group": "1", "scene_index": 1}, {"group": "2", "scene_index": None}],
     "galleries": ["1"], "rating100": 95, "files": ["Tidal Flats at Dawn.mkv", "Tidal Flats at Dawn (small).mp4"],
     "play_history": ["2024-04-01T05:00:00Z", "2024-04-01T05:00:00Z", "2024-05-02T21:10:30.5Z"],
     "o_history": ["2024-05-02T21:12:00Z"], "resume_time": 61.25, "play_duration": 4000.0, "organized": True,
     "captions": [{"language_code": "de", "caption_type": "srt"}, {"language_code": "en", "caption_type": "vtt"}],
     "stash_ids": [{"endpoint": BOX, "stash_id": "5ce00000-0000-4000-8000-000000000001", "updated_at": DAY.format(6)}],
     "cover": (230, 160, 90), "director": "Ilse Vang", "urls": ["https://marram.example/dawn"]},
    {"title": "Tidal Flats, \"the long cut\"", "date": "2019-05",
     "details": "Line one,\nline two;\n\tindented line three",
     "studio": "2", "tags": ["3"], "groups": [{"group": "2", "scene_index": 2}], "files": ["long cut.mp4"]},
    {"title": "Moon over Mud", "date": "2021", "tags": ["4", "9"], "groups": [{"group": "3", "scene_index": 1}],
     "performers": ["2"], "rating100": 0, "files": ["moon.mp4"], "custom_fields": {"moon": "full", "nights": 4}},
    {"title": "=1+1, a film about counting geese", "code": "00042", "tags": ["5", "8"], "files": ["=geese.mp4"]},
    {"title": "هجرة الطيور", "details": "Left to right, then \u202bמימין לשמאל\u202c, then back.", "tags": ["10"],
     "performers": ["4"], "files": ["هجرة.mkv"]},
    {"title": "Dawn chorus 🐦🎶 (360°)", "tags": ["11", "12"], "interactive": True, "interactive_speed": 40,
     "files": ["chorus 🐦.mp4"], "cover": (120, 180, 220)},
    {"title": None, "files": ["untitled/2020-07-01 08.15.03.mov"], "details": None},
    {"title": "Cliffs <east> & west", "groups": [{"group": "4", "scene_index": None}], "studio": "3",
     "files": ["cliffs.mkv"], "urls": ["https://marram.example/cliffs?a=1&b=2", "ftp://archive.example/cliffs;type=i"],
     "galleries": ["2"]},
    {"title": "@Night, moonlit", "date": "2022-12-31", "tags": ["9"], "performers": ["5"], "studio": "4",
     "files": ["night.mp4"], "o_history": ["2023-01-01T00:00:00Z", "2023-01-02T00:00:00Z"]},
    {"title": "  Two spaces before, one after ", "details": "a\\backslash and a 'quote'", "files": ["spaces.mp4"]},
    {"title": "No file any more", "files": [], "play_history": ["1999-12-31T23:59:59Z"]},
]  # fmt: skip
MARKERS: list[dict[str, Any]] = [
    {"scene": "1", "title": "Sun clears the dunes", "seconds": 12.5, "end_seconds": 40.0, "primary_tag": "7"},
    {"scene": "1", "title": "Waders, first flock", "seconds": 95.0, "primary_tag": "6", "tags": ["5", "12"]},
    {"scene": "1", "title": "Waders, first flock", "seconds": 95.0, "primary_tag": "5"},
    {"scene": "3", "title": None, "seconds": 0.0, "primary_tag": "9"},
    {"scene": "6", "title": "🎶", "seconds": 3.333, "end_seconds": 4.0, "primary_tag": "11"},
]
IMAGES: list[dict[str, Any]] = [
    {"title": "Ebb, 1", "galleries": ["1"], "tags": ["3"], "rating100": 70,
     "files": ["stills/tidal-flats.zip/001.jpg"]},
    {"title": "Ebb, 2", "galleries": ["1"], "files": ["stills/tidal-flats.zip/002.jpg"], "o_counter": 2},
    {"title": None, "galleries": ["2"], "files": ["stills/cliffs, east/a.png"], "photographer": "Odd Sandvik"},
    {"title": "Gull; in flight", "date": "2020-08", "performers": ["6"], "studio": "3", "files": ["stills/gull.webp"],
     "urls": ["https://marram.example/gull"], "custom_fields": {"lens": "400 mm"}, "organized": True},
]  # fmt: skip
SAVED_FILTERS: list[dict[str, Any]] = [
    {"mode": "SCENES", "name": "Unrated, with waders", "find_filter": {"direction": "DESC", "sort": "date"},
     "object_filter": {"tags": {"modifier": "INCLUDES", "value": {"depth": -1, "excluded": [],
                       "items": [{"id": "6", "label": "Waders"}]}}}, "ui_options": {"display_mode": 0}},
    {"mode": "PERFORMERS", "name": "Favourites ★", "object_filter": {"filter_favorites": "true"}},
]  # fmt: skip
CONFIG: list[dict[str, Any]] = [
    {"group": "general", "settings": {"logLevel": "Info", "parallelTasks": 2,
     "stashes": [{"excludeImage": False, "excludeVideo": False, "path": "/media/films"}]}},
    {"group": "interface", "settings": {"language": "en-GB", "menuItems": ["scenes", "tags"], "soundOnPreview": False}},
    {"group": "ui", "settings": {"ratingSystemOptions": {"starPrecision": "half", "type": "stars"}}},
]  # fmt: skip
LIBRARY = {
    "scene": SCENES, "marker": MARKERS, "image": IMAGES, "gallery": GALLERIES, "chapter": CHAPTERS, "group": GROUPS,
    "performer": PERFORMERS, "studio": STUDIOS, "tag": TAGS, "saved_filter": SAVED_FILTERS, "config": CONFIG,
}  # fmt: skip


def png(colour: tuple[int, int, int], size: int = 8) -> bytes:
    """A small picture of one colour. Not compressed, so that every zlib makes the same bytes."""
    rows = (b"\0" + bytes(colour) * size) * size
    header = struct.pack(">IIBBBBB", size, size, 8, 2, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(rows, 0)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body)) for name, body in chunks
    )


def records() -> Iterator[tuple[Record, dict[str, bytes]]]:
    """Every record, with the images its fields name."""
    for kind in KINDS.values():
        for number, given in enumerate(LIBRARY[kind.name], 1):
            uid = str(given["group"]) if kind.name == "config" else str(number)
            images = {name: png(value) for name, value in given.items() if kind.field(name).type == "blob"}  # type: ignore[union-attr]
            data = {field.name: _value(kind.name, number, field, given) for field in kind.fields}
            yield Record(kind.name, uid, data), images


def _value(kind: str, number: int, field: Field, given: dict[str, Any]) -> Any:
    """The value of a field: as given, or what a field of its type has when nobody has touched it."""
    if field.name == "files":
        return [_file(kind, number, place, path, field) for place, path in enumerate(given.get("files", ()))]
    if field.name == "sub_groups":
        return _sub_groups(str(number))
    if field.name in ("created_at", "updated_at"):
        return DAY.format(1 + number % 8) if field.name == "created_at" else "2024-06-01T12:00:00Z"
    empty: Any = [] if field.many else {} if field.type == "map" else False if field.type == "bool" else None
    if field.name in ("o_counter", "resume_time", "play_duration"):
        empty = 0 if field.type == "int" else 0.0
    return given.get(field.name) or (given[field.name] if given.get(field.name) == 0 else empty)


def _sub_groups(uid: str) -> list[dict[str, Any]]:
    """The other end of containing_groups."""
    return [
        {"group": str(number), "description": link["description"]}
        for number, group in enumerate(GROUPS, 1)
        for link in group.get("containing_groups", ())
        if link["group"] == uid
    ]


def _file(kind: str, number: int, place: int, path: str, field: Field) -> dict[str, Any]:
    """A file with invented facts. The parts that its kind of file has not are left out."""
    seed = f"{kind}/{number}/{place}".encode()
    digest = hashlib.sha256(seed).hexdigest()
    zip_file, inside, _ = path.partition(".zip/")
    film = kind == "scene"
    facts: dict[str, Any] = {
        "id": str({"scene": 100, "image": 200, "gallery": 300}[kind] + number * 2 + place),
        "path": path if path.startswith("/") else f"/media/films/{path}",
        "zip_file": f"/media/films/{zip_file}.zip" if inside else None,
        "size": 1_000_000 * number + place,
        "mod_time": DAY.format(1 + place),
        "format": "matroska" if path.endswith(".mkv") else "mp4" if film else "jpeg",
        "width": 1920 if not place else 640,
        "height": 1080 if not place else 360,
        "fingerprints": [
            {"type": "oshash", "value": digest[:16]},
            {"type": "phash", "value": digest[16:31].lstrip("0")},
        ]
        if film
        else [{"type": "md5", "value": digest[:32]}],
        "created_at": DAY.format(1),
        "updated_at": DAY.format(2),
    }
    if film:
        facts |= {"duration": 1403.37 + number, "video_codec": "h264", "audio_codec": "aac", "frame_rate": 25.0}
        facts["bit_rate"] = 4_180_000
    if kind == "gallery":
        facts = {name: value for name, value in facts.items() if name not in ("format", "width", "height")}
    return {part.name: facts[part.name] for part in field.parts if part.name in facts}


def write(place: Path) -> None:
    """Write the library to ``place``, which is replaced when it is a demo already."""
    with ArchiveSink(open_output(place, "folder", overwrite=True), HEADER) as sink:
        for record, images in records():
            refs: dict[str, BlobRef] = {name: sink.put_blob(io.BytesIO(content)) for name, content in images.items()}
            sink.put(record._replace(data={**record.data, **{name: ref.sha256 for name, ref in refs.items()}}))


if __name__ == "__main__":
    write(PLACE)
