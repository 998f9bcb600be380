"""The plainest programs that read the scenes of a Stash: what an export is measured against.

``page_scenes`` pages findScenes by GraphQL; ``copy_scenes`` goes from SQLite to orjson in a bare loop, and writes
the very bytes of our JSONL. Both know only what the library of library.py holds, check nothing and report nothing.
"""

from __future__ import annotations

import json
import sqlite3
import urllib.request
from collections import defaultdict
from pathlib import Path
from typing import Any

import orjson

SPAN = 1000
QUERY = """query($page: Int!, $per_page: Int!) {
  findScenes(filter: {page: $page, per_page: $per_page, sort: "id", direction: ASC}) { scenes {
    id title code date details director urls rating100 organized studio { id } performers { id } tags { id }
    groups { group { id } scene_index } galleries { id } stash_ids { endpoint stash_id updated_at }
    play_history o_history resume_time play_duration
    files { id path zip_file { path } size mod_time format width height duration video_codec audio_codec frame_rate
            bit_rate fingerprints { type value } created_at updated_at }
    captions { language_code caption_type } interactive interactive_speed created_at updated_at } } }"""
"""The fields an export asks for."""

SCENES = """select s.id, s.title, s.code, s.date, s.details, s.director, s.rating, s.organized, s.studio_id,
    s.resume_time, s.play_duration, s.created_at, s.updated_at, v.interactive, v.interactive_speed
    from scenes s left join scenes_files p on p.scene_id = s.id and p."primary" = 1
    left join video_files v on v.file_id = p.file_id where s.id between ? and ? order by s.id"""
FILES = """select sf.scene_id, f.id, d.path || '/' || f.basename, f.size, f.mod_time, v.format, v.width, v.height,
    v.duration, v.video_codec, v.audio_codec, v.frame_rate, v.bit_rate, f.created_at, f.updated_at
    from scenes_files sf join files f on f.id = sf.file_id join folders d on d.id = f.parent_folder_id
    join video_files v on v.file_id = f.id
    where sf.scene_id between ? and ? order by sf.scene_id, sf."primary" desc, f.id"""
PRINTS = """select p.file_id, p.type, p.fingerprint from scenes_files sf join files_fingerprints p
    on p.file_id = sf.file_id where sf.scene_id between ? and ? order by p.file_id, p.type"""
RELATIONS = {
    "performers": "select scene_id, performer_id from performers_scenes where {} order by scene_id, performer_id",
    "tags": "select scene_id, tag_id from scenes_tags where {} order by scene_id, tag_id",
    "galleries": "select scene_id, gallery_id from scenes_galleries where {} order by scene_id, gallery_id",
    "urls": "select scene_id, url from scene_urls where {} order by scene_id, position",
    "plays": "select scene_id, view_date from scenes_view_dates where {} order by scene_id, view_date",
    "os": "select scene_id, o_date from scenes_o_dates where {} order by scene_id, o_date",
    "groups": "select scene_id, group_id, scene_index from groups_scenes where {} order by scene_id, group_id",
    "stash_ids": "select scene_id, endpoint, stash_id, updated_at from scene_stash_ids where {} order by 1, 2, 3",
}

Rows = dict[int, list[Any]]


def page_scenes(url: str, out: Path, first: int, pages: int, per_page: int = SPAN) -> int:
    """Write the scenes of some pages as they come, one a line; give how many."""
    written = 0
    with out.open("wb") as stream:
        for page in range(first, first + pages):
            body = json.dumps({"query": QUERY, "variables": {"page": page, "per_page": per_page}}).encode()
            request = urllib.request.Request(f"{url}/graphql", body, {"Content-Type": "application/json"})
            with urllib.request.urlopen(request, timeout=600) as response:
                scenes = orjson.loads(response.read())["data"]["findScenes"]["scenes"]
            stream.writelines(orjson.dumps(scene) + b"\n" for scene in scenes)
            written += len(scenes)
    return written


def copy_scenes(database: Path, out: Path) -> int:
    """Write every scene as our JSONL has it; give how many."""
    connection = sqlite3.connect(f"file:{database}?mode=ro", uri=True)
    connection.execute("begin")
    (last,) = connection.execute("select max(id) from scenes").fetchone()
    written = 0
    with out.open("wb") as stream:
        for start in range(1, last + 1, SPAN):
            lines = span(connection, (start, start + SPAN - 1))
            stream.write(b"".join(lines))
            written += len(lines)
    connection.close()
    return written


def span(connection: sqlite3.Connection, ends: tuple[int, int]) -> list[bytes]:
    """The lines of the scenes with ids between ``ends``."""
    prints = grouped(connection, PRINTS, ends)
    files: Rows = defaultdict(list)
    for row in connection.execute(FILES, ends):
        files[row[0]].append(file(row, prints[row[1]]))
    related = {
        name: grouped(connection, sql.format("scene_id between ? and ?"), ends) for name, sql in RELATIONS.items()
    }
    return [
        orjson.dumps(scene(row, related, files[row[0]]), option=orjson.OPT_APPEND_NEWLINE)
        for row in connection.execute(SCENES, ends)
    ]


def grouped(connection: sqlite3.Connection, sql: str, ends: tuple[int, int]) -> Rows:
    """The rows of ``sql`` by their first column: the second alone where there are two, else all the others."""
    found: Rows = defaultdict(list)
    for row in connection.execute(sql, ends):
        found[row[0]].append(row[1] if len(row) == 2 else row[1:])
    return found


def file(row: tuple[Any, ...], prints: list[tuple[str, Any]]) -> dict[str, Any]:
    """A file, as an export writes it."""
    _, uid, path, size, changed, form, width, height, duration, video, audio, rate, bits, created, updated = row
    return {
        "id": str(uid), "path": path, "zip_file": None, "size": size, "mod_time": changed, "format": form,
        "width": width, "height": height, "duration": duration, "video_codec": video, "audio_codec": audio,
        "frame_rate": rate, "bit_rate": bits,
        "fingerprints": [{"type": type_, "value": hexadecimal(value)} for type_, value in prints],
        "created_at": created, "updated_at": updated,
    }  # fmt: skip


def hexadecimal(value: Any) -> str:
    """A fingerprint as Stash shows it."""
    return value if isinstance(value, str) else format(value & 0xFFFF_FFFF_FFFF_FFFF, "x")


def scene(row: tuple[Any, ...], related: dict[str, Rows], files: list[dict[str, Any]]) -> dict[str, Any]:
    """A scene, as an export writes it."""
    uid, title, code, date, details, director, rating, organized, studio, resume, played, created, updated, *script = (
        row
    )
    return {
        "kind": "scene", "id": str(uid), "title": title, "code": code, "date": date, "details": details,
        "director": director, "urls": related["urls"][uid], "rating100": rating, "organized": bool(organized),
        "studio": str(studio), "performers": list(map(str, related["performers"][uid])),
        "tags": list(map(str, related["tags"][uid])),
        "groups": [{"group": str(group), "scene_index": index} for group, index in related["groups"][uid]],
        "galleries": list(map(str, related["galleries"][uid])),
        "stash_ids": [
            {"endpoint": box, "stash_id": uid_, "updated_at": at} for box, uid_, at in related["stash_ids"][uid]
        ],
        "play_history": related["plays"][uid], "o_history": related["os"][uid], "resume_time": resume,
        "play_duration": played, "files": files, "captions": [], "interactive": bool(script[0]),
        "interactive_speed": script[1], "created_at": created, "updated_at": updated,
    }  # fmt: skip
