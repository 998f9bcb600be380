"""Small databases shaped like Stash's: tables of our own with the columns that are read, and rows put in by name."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from stash_portability.libraries.database import DatabaseSource
from stash_portability.model import Want

STAMP = "2024-05-06T07:08:09+02:00"
STAMP_UTC = "2024-05-06T05:08:09Z"
COVER = "ab" * 16
STAMPS = "created_at text, updated_at text"

TABLES: dict[str, str] = {
    "schema_migrations": "version integer, dirty boolean",
    "blobs": "checksum text primary key, blob blob",
    "folders": "id integer primary key, path text",
    "files": "id integer primary key, basename text, zip_file_id int, parent_folder_id int,"
    f" size int, mod_time text, {STAMPS}",
    "video_files": "file_id integer primary key, duration real, video_codec text, format text, audio_codec text,"
    " width int, height int, frame_rate real, bit_rate int, interactive int default 0, interactive_speed int",
    "image_files": "file_id integer primary key, format text, width int, height int",
    "video_captions": "file_id int, language_code text, filename text, caption_type text",
    "files_fingerprints": "file_id int, type text, fingerprint, primary key (file_id, type, fingerprint)",
    "tags": "id integer primary key, name text, sort_name text, description text, favorite int default 0,"
    f" ignore_auto_tag int default 0, image_blob text, {STAMPS}",
    "tag_aliases": "tag_id int, alias text",
    "tag_stash_ids": "tag_id int, endpoint text, stash_id text, updated_at text",
    "tags_relations": "parent_id int, child_id int, primary key (parent_id, child_id)",
    "studios": "id integer primary key, name text, parent_id int, details text, rating int, favorite int default 0,"
    f" ignore_auto_tag int default 0, image_blob text, {STAMPS}",
    "studio_aliases": "studio_id int, alias text",
    "studio_urls": "studio_id int, position int, url text",
    "studio_stash_ids": "studio_id int, endpoint text, stash_id text, updated_at text",
    "studios_tags": "studio_id int, tag_id int, primary key (studio_id, tag_id)",
    "performers": "id integer primary key, name text, disambiguation text, gender text, birthdate date,"
    " birthdate_precision int, death_date date, death_date_precision int, height int, penis_length real,"
    f" career_length text, rating int, favorite int default 0, image_blob text, {STAMPS}",
    "performer_aliases": "performer_id int, alias text",
    "performer_urls": "performer_id int, position int, url text",
    "performer_stash_ids": "performer_id int, endpoint text, stash_id text, updated_at text",
    "performers_tags": "performer_id int, tag_id int, primary key (performer_id, tag_id)",
    "performer_custom_fields": "performer_id int, field text, value blob, primary key (performer_id, field)",
    "groups": "id integer primary key, name text, aliases text, date date, date_precision int, duration int,"
    " rating int, director text, description text, studio_id int,"
    f" front_image_blob text, back_image_blob text, {STAMPS}",
    "group_urls": "group_id int, position int, url text",
    "groups_tags": "group_id int, tag_id int, primary key (group_id, tag_id)",
    "groups_relations": "containing_id int, sub_id int, order_index int, description text,"
    " primary key (containing_id, sub_id)",
    "galleries": "id integer primary key, title text, code text, date date, date_precision int, details text,"
    f" photographer text, rating int, organized int default 0, studio_id int, folder_id int, {STAMPS}",
    "gallery_urls": "gallery_id int, position int, url text",
    "galleries_files": "gallery_id int, file_id int, `primary` int, primary key (gallery_id, file_id)",
    "galleries_images": "gallery_id int, image_id int, cover int default 0, primary key (gallery_id, image_id)",
    "galleries_tags": "gallery_id int, tag_id int, primary key (gallery_id, tag_id)",
    "performers_galleries": "gallery_id int, performer_id int, primary key (gallery_id, performer_id)",
    "galleries_chapters": f"id integer primary key, title text, image_index int, gallery_id int, {STAMPS}",
    "scenes": "id integer primary key, title text, code text, date date, date_precision int, details text,"
    " director text, rating int, organized int default 0, studio_id int, resume_time real default 0,"
    f" play_duration real default 0, cover_blob text, {STAMPS}",
    "scene_urls": "scene_id int, position int, url text",
    "scenes_files": "scene_id int, file_id int, `primary` int, primary key (scene_id, file_id)",
    "scenes_tags": "scene_id int, tag_id int, primary key (scene_id, tag_id)",
    "performers_scenes": "performer_id int, scene_id int, primary key (scene_id, performer_id)",
    "groups_scenes": "group_id int, scene_id int, scene_index int, primary key (group_id, scene_id)",
    "scenes_galleries": "scene_id int, gallery_id int, primary key (scene_id, gallery_id)",
    "scene_stash_ids": "scene_id int, endpoint text, stash_id text, updated_at text, primary key (scene_id, endpoint)",
    "scenes_view_dates": "scene_id int, view_date text",
    "scenes_o_dates": "scene_id int, o_date text",
    "scene_markers": "id integer primary key, title text, seconds real, end_seconds real, primary_tag_id int,"
    f" scene_id int, {STAMPS}",
    "scene_markers_tags": "scene_marker_id int, tag_id int, primary key (scene_marker_id, tag_id)",
    "images": "id integer primary key, title text, code text, date date, date_precision int, details text,"
    f" photographer text, rating int, organized int default 0, studio_id int, o_counter int default 0, {STAMPS}",
    "image_urls": "image_id int, position int, url text",
    "images_files": "image_id int, file_id int, `primary` int, primary key (image_id, file_id)",
    "images_tags": "image_id int, tag_id int, primary key (image_id, tag_id)",
    "performers_images": "image_id int, performer_id int, primary key (image_id, performer_id)",
    "saved_filters": "id integer primary key, mode text, name text, find_filter blob, object_filter blob,"
    " ui_options blob",
}


class Tables:
    """A database being made at ``path``: call with a table's name and values to put in a row."""

    def __init__(self, path: Path, schema: int = 75, changed: Mapping[str, str | None] | None = None) -> None:
        """``changed``: other columns for a table, None for a table that is not there."""
        self.path = path
        self.connection = sqlite3.connect(path, isolation_level=None)
        self.connection.execute("pragma synchronous = off")
        for name, columns in {**TABLES, **(changed or {})}.items():
            if columns is not None:
                self.connection.execute(f'create table "{name}" ({columns})')
        if (changed or {}).get("schema_migrations", "") is not None:
            self("schema_migrations", version=schema, dirty=0)

    def __call__(self, table: str, **values: Any) -> None:
        stamped = [row[1] for row in self.connection.execute(f'pragma table_info("{table}")')]
        values = {**{name: STAMP for name in ("created_at", "updated_at") if name in stamped}, **values}
        names, marks = ", ".join(f'"{name}"' for name in values), ", ".join("?" * len(values))
        self.connection.execute(f'insert into "{table}" ({names}) values ({marks})', tuple(values.values()))

    def many(self, table: str, *rows: tuple[Any, ...]) -> None:
        self.connection.executemany(f'insert into "{table}" values ({", ".join("?" * len(rows[0]))})', rows)

    def run(self, sql: str) -> None:
        self.connection.execute(sql)

    def close(self) -> None:
        self.connection.close()


Make = Callable[..., Tables]
Open = Callable[..., DatabaseSource]


def one(source: DatabaseSource, kind: str, uid: str = "1", **want: Any) -> dict[str, Any]:
    (record,) = source.read(kind, Want(ids=[uid], **want))
    assert (record.kind, record.uid) == (kind, uid)
    return record.data


def fill(tables: Tables) -> None:
    """One record or more of every kind, with something in every relation."""
    for some in (_files, _facts_of_files, _tags, _studios, _performers, _groups, _galleries, _images, _scenes, _parts):
        some(tables)


def _files(tables: Tables) -> None:
    tables("blobs", checksum=COVER, blob=b"\x89PNG")
    tables.many("folders", (1, "/films"), (2, "/pictures/meadow.zip/inner"), (3, "/pictures"))
    tables("files", id=1, basename="heron.mp4", parent_folder_id=1, size=10, mod_time=STAMP)
    tables("files", id=2, basename="heron long.mp4", parent_folder_id=1, size=11, mod_time=STAMP)
    tables("files", id=3, basename="meadow.zip", parent_folder_id=3, size=12, mod_time=STAMP)
    tables("files", id=4, basename="a.png", parent_folder_id=2, zip_file_id=3, size=13, mod_time=STAMP)
    tables("files", id=5, basename="b.gif", parent_folder_id=3, size=14, mod_time=STAMP)


def _facts_of_files(tables: Tables) -> None:
    video = {"video_codec": "h264", "format": "mp4", "width": 4, "height": 3, "frame_rate": 25, "bit_rate": 900}
    tables("video_files", file_id=1, duration=5, audio_codec="", interactive=0, **video)
    tables("video_files", file_id=2, duration=5.5, audio_codec="aac", interactive=1, interactive_speed=7, **video)
    tables("video_files", file_id=5, duration=1, audio_codec=None, **video)
    tables("image_files", file_id=4, format="png", width=2, height=1)
    tables.many("video_captions", (2, "en", "x", "vtt"), (2, "en", "x", "srt"), (2, "de", "x", "srt"))
    tables.many("video_captions", (1, "fr", "x", "srt"))
    tables.many("files_fingerprints", (1, "phash", -2), (1, "oshash", "00ff"), (2, "phash", 255), (3, "md5", "aa"))


def _tags(tables: Tables) -> None:
    tables("tags", id=1, name="tag 1")
    tables("tags", id=2, name="tag 2", sort_name="", description="Reeds", favorite=1, image_blob=COVER)
    tables("tags", id=10, name="tag 10")
    tables.many("tag_aliases", (2, "sedge"), (2, "Rushes"), (2, "Ähre"))
    tables.many("tags_relations", (10, 2), (1, 2))
    boxes = [(2, "https://b", "x", STAMP), (2, "https://a", "z", STAMP), (2, "https://a", "y", STAMP)]
    tables.many("tag_stash_ids", *boxes)


def _studios(tables: Tables) -> None:
    tables("studios", id=1, name="Brook Films")
    tables("studios", id=2, name="Brook Shorts", parent_id=1, rating=0)
    tables.many("studio_urls", (2, 1, "https://a"), (2, 0, "https://z"))
    tables.many("studios_tags", (2, 10), (2, 2))


def _performers(tables: Tables) -> None:
    dates = {"birthdate": "1990-02-01", "birthdate_precision": 1, "death_date": "2020-01-01", "death_date_precision": 2}
    tables("performers", id=1, name="Wren", gender="FEMALE", height=170, penis_length=None, **dates)
    tables.many("performer_custom_fields", (1, "b", "text"), (1, "a", 3), (1, "half", 0.5), (1, "whole", 2.0))
    tables("performers", id=2, name="Wren", disambiguation="the other")


def _groups(tables: Tables) -> None:
    tables("groups", id=1, name="River", date="2019-08-07", date_precision=0, duration=0, description="Water.")
    tables("groups", id=2, name="Delta")
    tables("groups", id=10, name="Sea")
    tables.many("groups_relations", (1, 10, 1, ""), (1, 2, 2, "last"), (2, 10, 1, "first"))
    tables.many("groups_tags", (1, 2))


def _galleries(tables: Tables) -> None:
    tables("galleries", id=1, title="Meadow", folder_id=3)
    tables("galleries", id=2, title="", organized=1)
    tables.many("galleries_files", (2, 3, 1))
    tables.many("galleries_images", (1, 1, 0), (1, 2, 1), (2, 1, 0))


def _images(tables: Tables) -> None:
    tables("images", id=1, title="A", o_counter=2)
    tables("images", id=2)
    tables.many("images_files", (1, 4, 1), (2, 5, 1))


def _scenes(tables: Tables) -> None:
    facts = {"code": "", "date": "2019-05-06", "date_precision": None, "details": "Quiet.\n", "cover_blob": COVER}
    activity = {"rating": 0, "organized": 1, "resume_time": 1.5, "play_duration": 2}
    tables("scenes", id=1, title="The heron", studio_id=2, **facts, **activity)
    tables("scenes", id=3)
    tables.many("scene_urls", (1, 1, "https://one"), (1, 0, "https://two"))
    tables.many("scenes_files", (1, 1, 0), (1, 2, 1))
    tables.many("scenes_tags", (1, 10), (1, 2), (1, 1))
    tables.many("performers_scenes", (2, 1), (1, 1))
    tables.many("groups_scenes", (10, 1, None), (2, 1, 0))
    tables.many("scenes_galleries", (1, 2))
    tables.many("scene_stash_ids", (1, "https://b", "x", "2020-01-02T03:04:05Z"), (1, "https://a", "y", STAMP))
    twice = (1, "2021-01-01T00:00:00Z")
    tables.many("scenes_view_dates", twice, (1, "2020-01-01T00:00:00Z"), twice)
    tables.many("scenes_o_dates", (1, "1960-01-01T00:00:00Z"))


def _parts(tables: Tables) -> None:
    tables("galleries_chapters", id=1, title="", image_index=1, gallery_id=2)
    tables("galleries_chapters", id=2, title="Dawn", image_index=2, gallery_id=1)
    tables("scene_markers", id=1, title="", seconds=1, primary_tag_id=2, scene_id=3)
    tables("scene_markers", id=2, title="Lift-off", seconds=0.5, end_seconds=2, primary_tag_id=1, scene_id=1)
    tables.many("scene_markers_tags", (2, 10), (2, 2))
    page, criteria = '{"sort":"date","q":null,"odd":1,"page":2}', '{"tags":{"value":1.0,"modifier":"INCLUDES"},"a":[1]}'
    saved = {"find_filter": page, "object_filter": criteria, "ui_options": b""}
    tables("saved_filters", id=1, mode="SCENES", name="Herons", **saved)
