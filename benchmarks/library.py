"""Makes a big library by writing rows into the database of a stopped scratch Stash, then starts that Stash on it.

A scan of as many real films would take days. Every scene has 8 tags, 2 performers, a studio, a URL, a stash id,
a file with two fingerprints, some 300 characters of details and a play or two; some have more.
"""

from __future__ import annotations

import sqlite3
from pathlib import Path

from tests.live.stash_server import NEW, StashServer, find_binary

PICKED = 50
"""Scenes with the code PICK, which the benchmark of filters asks for."""

WHEN = "'2024-0' || (i % 9 + 1) || '-1' || (i % 10) || 'T0' || (i % 10) || ':15:30Z'"
PHASH = "(i * 2654435761 % 4294967296 - 2147483648) * 2147483629 + i"
TAG, PERFORMER = "(i * 31 + k * 241) % :tags + 1", "(i * 17 + k * 499) % :performers + 1"
DETAILS = (
    "'Film ' || i || ' follows the river from its spring to the sea, past reed beds, weirs and a ruined mill. "
    'The narrator says: "nothing here is in a hurry"; herons, otters and a kingfisher do not agree. '
    "It was filmed in one autumn, mostly at dawn, with a lens of long focus, and ends where it began. The end.'"
)

ROWS: dict[str, tuple[str, str, str]] = {
    "folders": ("id, path, mod_time, created_at, updated_at", f"i, '/films/' || i, {WHEN}, {WHEN}, {WHEN}", "folders"),
    "tags": ("id, name, created_at, updated_at", f"i, 'Tag ' || i, {WHEN}, {WHEN}", "tags"),
    "tags_relations": ("parent_id, child_id", "i / 10, i", "tags where i >= 10"),
    "studios": ("id, name, created_at, updated_at", f"i, 'Studio ' || i, {WHEN}, {WHEN}", "studios"),
    "performers": ("id, name, created_at, updated_at", f"i, 'Person ' || i, {WHEN}, {WHEN}", "performers"),
    "groups": ("id, name, created_at, updated_at", f"i, 'Series ' || i, {WHEN}, {WHEN}", "groups"),
    "galleries": ("id, title, created_at, updated_at", f"i, 'Stills ' || i, {WHEN}, {WHEN}", "galleries"),
    "files": (
        "id, basename, parent_folder_id, size, mod_time, created_at, updated_at",
        f"i, 'film ' || i || '.mp4', i % :folders + 1, 1000000 + i * 7919, {WHEN}, {WHEN}, {WHEN}",
        "scenes",
    ),
    "video_files": (
        "file_id, duration, video_codec, format, audio_codec, width, height, frame_rate, bit_rate",
        "i, 600 + i % 3000 + 0.25, 'h264', 'mp4', 'aac', 1920, 1080, 25, 4000000 + i",
        "scenes",
    ),
    "files_fingerprints": (
        "file_id, type, fingerprint",
        "i, 'oshash', printf('%016x', i * 2654435761)",
        "scenes",
    ),
    "files_fingerprints ": ("file_id, type, fingerprint", f"i, 'phash', {PHASH}", "scenes"),
    "scenes": (
        "id, title, details, date, date_precision, rating, studio_id, organized, created_at, updated_at, code,"
        " director, resume_time, play_duration",
        f"i, 'Film ' || i, {DETAILS}, '2020-0' || (i % 9 + 1) || '-11', 0, nullif(i % 101, 100), i % :studios + 1,"
        f" i % 2, {WHEN}, {WHEN}, iif(i % :spread = 0 and i / :spread <= {PICKED}, 'PICK', 'F-' || i), 'Sedge Field',"
        " i % 7 * 1.5, i % 50",
        "scenes",
    ),
    "scenes_files": ("scene_id, file_id, `primary`", "i, i, 1", "scenes"),
    "scene_urls": ("scene_id, position, url", "i, 0, 'https://films.example/watch/' || i", "scenes"),
    "scene_stash_ids": (
        "scene_id, endpoint, stash_id, updated_at",
        f"i, 'https://boxes.example/graphql', printf('00000000-0000-4000-8000-%012d', i), {WHEN}",
        "scenes",
    ),
    "scenes_tags": ("scene_id, tag_id", f"i, {TAG}", "scenes, eight"),
    "performers_scenes": ("scene_id, performer_id", f"i, {PERFORMER}", "scenes, eight where k < 2"),
    "scenes_view_dates": ("scene_id, view_date", f"i, {WHEN}", "scenes"),
    "scenes_view_dates ": ("scene_id, view_date", "i, '2025-06-01T20:00:00Z'", "scenes where i % 2 = 0"),
    "scenes_o_dates": ("scene_id, o_date", f"i, {WHEN}", "scenes where i % 5 = 0"),
    "groups_scenes": (
        "group_id, scene_id, scene_index", "i % :groups + 1, i, nullif(i % 9, 8)", "scenes where i % 4 = 0"
    ),
    "scenes_galleries": ("scene_id, gallery_id", "i, i % :galleries + 1", "scenes where i % 10 = 0"),
    "scene_markers": (
        "title, seconds, primary_tag_id, scene_id, created_at, updated_at",
        f"'Moment ' || i, i % 500 + 0.5, i % :tags + 1, i, {WHEN}, {WHEN}",
        "scenes where i % 3 = 0",
    ),
}  # fmt: skip
"""Table → its columns, their values for number i (and k from 0 to 7), and how many numbers. A name with a space
at its end is the same table a second time."""


def sizes(scenes: int) -> dict[str, int]:
    """How many records of each kind a library with so many scenes has, and the spread of the picked ones."""
    return {
        "scenes": scenes, "performers": max(scenes // 10, 1000), "tags": max(scenes // 50, 500), "folders": 100,
        "studios": max(scenes // 500, 10), "groups": max(scenes // 100, 10), "galleries": max(scenes // 100, 10),
        "spread": max(scenes // (PICKED + 1), 1),
    }  # fmt: skip


def fill(database: Path, scenes: int) -> None:
    """Write a library of so many scenes into the empty ``database`` of a stopped Stash."""
    counts = sizes(scenes)
    connection = sqlite3.connect(database)
    connection.execute("pragma synchronous = off")
    with connection:
        for table, (columns, values, source) in ROWS.items():
            name, _, condition = source.partition(" where ")
            sql = f"""with recursive scenes(i) as (select 1 union all select i + 1 from scenes where i < :many),
                eight(k) as (select 0 union all select k + 1 from eight where k < 7)
                insert into "{table.strip()}" ({columns}) select {values} from scenes
                {"cross join eight" if "eight" in name else ""} where {condition or "true"}"""
            connection.execute(sql, {"many": counts[name.split(",")[0]], **counts})
    connection.execute("analyze")
    connection.execute("pragma wal_checkpoint(truncate)")
    connection.close()


def big_stash(folder: Path, scenes: int) -> StashServer:
    """Give a running Stash with so many scenes; one that lies in ``folder`` already is used again."""
    binary = find_binary(NEW)
    if binary is None:
        raise SystemExit("no Stash here: set STASH_BIN, or put stash on the PATH")
    server = StashServer(binary, folder)
    if server.graphql("{ stats { scene_count } }")["stats"]["scene_count"] == scenes:
        return server
    server.stop()
    if server.database.stat().st_size > 5_000_000:
        raise SystemExit(f"{folder} holds another library")
    fill(server.database, scenes)
    return StashServer(binary, folder)
