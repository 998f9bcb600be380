"""The database reader on small databases made here: canonical records of every kind and schema."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from stash_portability.errors import RecordError, UnknownName
from stash_portability.kinds import KINDS
from stash_portability.libraries.database import DatabaseSource
from stash_portability.model import Blob, Record, Want

from .stash_database import COVER, STAMP_UTC, STAMPS, TABLES, Make, Open, Tables, fill, one

IN_DATABASE = [kind for kind in KINDS if kind != "config"]


def test_a_scene_is_read_whole(full: DatabaseSource) -> None:
    first = {
        "id": "2", "path": "/films/heron long.mp4", "zip_file": None, "size": 11, "mod_time": STAMP_UTC,
        "format": "mp4", "width": 4, "height": 3, "duration": 5.5, "video_codec": "h264", "audio_codec": "aac",
        "frame_rate": 25.0, "bit_rate": 900, "fingerprints": [{"type": "phash", "value": "ff"}],
        "created_at": STAMP_UTC, "updated_at": STAMP_UTC,
    }  # fmt: skip
    prints = [{"type": "oshash", "value": "00ff"}, {"type": "phash", "value": "fffffffffffffffe"}]
    second = {**first, "id": "1", "path": "/films/heron.mp4", "size": 10, "duration": 5.0, "audio_codec": None,
              "fingerprints": prints}  # fmt: skip
    expected = {
        "title": "The heron", "code": None, "date": "2019-05-06", "details": "Quiet.\n", "director": None,
        "urls": ["https://two", "https://one"], "rating100": 0, "organized": True, "studio": "2",
        "performers": ["1", "2"], "tags": ["1", "2", "10"],
        "groups": [{"group": "2", "scene_index": 0}, {"group": "10", "scene_index": None}], "galleries": ["2"],
        "stash_ids": [
            {"endpoint": "https://a", "stash_id": "y", "updated_at": STAMP_UTC},
            {"endpoint": "https://b", "stash_id": "x", "updated_at": "2020-01-02T03:04:05Z"},
        ],
        "play_history": ["2020-01-01T00:00:00Z", "2021-01-01T00:00:00Z", "2021-01-01T00:00:00Z"],
        "o_history": ["1960-01-01T00:00:00Z"], "resume_time": 1.5, "play_duration": 2.0, "files": [first, second],
        "captions": [{"language_code": "de", "caption_type": "srt"}, {"language_code": "en", "caption_type": "srt"},
                     {"language_code": "en", "caption_type": "vtt"}],
        "interactive": True, "interactive_speed": 7, "created_at": STAMP_UTC, "updated_at": STAMP_UTC,
    }  # fmt: skip
    read = one(full, "scene")
    assert read == expected
    assert repr(read) == repr(expected), "the order of fields and parts, and types: 2 is not 2.0"


def test_what_is_empty_is_none_or_an_empty_list(full: DatabaseSource) -> None:
    scene = one(full, "scene", "3")
    assert {name for name, value in scene.items() if value is None} == {
        "title", "code", "date", "details", "director", "rating100", "studio", "interactive_speed",
    }  # fmt: skip
    lists = {field.name for field in KINDS["scene"].fields if field.many} - {"custom_fields"}
    assert {name for name, value in scene.items() if value == []} == lists
    assert (scene["interactive"], scene["organized"], scene["resume_time"]) == (False, False, 0.0)


def test_a_tag_and_a_studio_are_read_whole(full: DatabaseSource) -> None:
    tag = one(full, "tag", "2")
    assert tag["aliases"] == ["Rushes", "sedge", "Ähre"], "by code point"
    assert (tag["parents"], tag["sort_name"], tag["description"], tag["favorite"]) == (["1", "10"], None, "Reeds", True)
    assert [(entry["endpoint"], entry["stash_id"]) for entry in tag["stash_ids"]] == [
        ("https://a", "y"), ("https://a", "z"), ("https://b", "x"),
    ]  # fmt: skip
    studio = one(full, "studio", "2")
    assert (studio["parent"], studio["rating100"], studio["tags"]) == ("1", 0, ["2", "10"])
    assert studio["urls"] == ["https://z", "https://a"], "in their order"


def test_a_performer_has_partial_dates_and_custom_fields(full: DatabaseSource) -> None:
    wren = one(full, "performer")
    assert (wren["birthdate"], wren["death_date"], wren["height_cm"], wren["penis_length"]) == (
        "1990-02",
        "2020",
        170,
        None,
    )
    assert repr(wren["custom_fields"]) == "{'a': 3, 'b': 'text', 'half': 0.5, 'whole': 2}"
    assert one(full, "performer", "2")["custom_fields"] == {}


def test_groups_know_their_containers_by_id_and_their_members_in_order(full: DatabaseSource) -> None:
    river = one(full, "group")
    assert river["sub_groups"] == [{"group": "10", "description": None}, {"group": "2", "description": "last"}]
    assert (river["date"], river["duration"], river["synopsis"], river["tags"]) == ("2019-08-07", 0, "Water.", ["2"])
    assert [entry["group"] for entry in one(full, "group", "10")["containing_groups"]] == ["1", "2"]


def test_galleries_have_a_folder_or_files_and_the_chosen_cover(full: DatabaseSource) -> None:
    meadow, zipped = one(full, "gallery"), one(full, "gallery", "2")
    assert (meadow["folder"], meadow["cover"], meadow["files"]) == ("/pictures", "2", [])
    assert (zipped["folder"], zipped["cover"], zipped["title"], zipped["organized"]) == (None, None, None, True)
    assert list(zipped["files"][0]) == [
        "id", "path", "zip_file", "size", "mod_time", "fingerprints", "created_at", "updated_at",
    ]  # fmt: skip


def test_an_image_is_a_picture_or_a_clip_and_may_lie_in_a_zip(full: DatabaseSource) -> None:
    (picture,), (clip,) = one(full, "image")["files"], one(full, "image", "2")["files"]
    assert (picture["path"], picture["zip_file"]) == ("/pictures/meadow.zip/inner/a.png", "/pictures/meadow.zip")
    assert (picture["format"], picture["width"]) == ("png", 2)
    assert "duration" not in picture
    assert (clip["duration"], clip["width"], clip["audio_codec"]) == (1.0, 4, None)
    assert one(full, "image")["galleries"] == ["1", "2"]


def test_markers_and_chapters_name_their_owner(full: DatabaseSource) -> None:
    marker = one(full, "marker", "2")
    assert (marker["scene"], marker["seconds"], marker["end_seconds"]) == ("1", 0.5, 2.0)
    assert (marker["primary_tag"], marker["tags"], marker["title"]) == ("1", ["2", "10"], "Lift-off")
    assert one(full, "chapter")["gallery"] == "2"


def test_a_saved_filter_is_parsed_json(full: DatabaseSource) -> None:
    saved = one(full, "saved_filter")
    assert repr(saved["object_filter"]) == "{'a': [1], 'tags': {'modifier': 'INCLUDES', 'value': 1}}"
    assert (saved["find_filter"], saved["ui_options"]) == ({"page": 2, "sort": "date"}, None)


@pytest.mark.parametrize("kind", IN_DATABASE)
def test_records_have_the_fields_they_are_said_to_have_in_the_order_of_the_table(
    full: DatabaseSource, kind: str
) -> None:
    names = full.about().fields[kind]
    for record in full.read(kind, Want(blobs=True)):
        assert tuple(record.data) == names == tuple(name for name in KINDS[kind].names() if name in names)
        for field in KINDS[kind].fields:
            for part in record.data.get(field.name, ()) if field.parts else ():
                assert list(part) == [known.name for known in field.parts if known.name in part], field.name


def test_it_tells_what_it_is(full: DatabaseSource) -> None:
    about = full.about()
    assert (about.product, about.schema, about.counts["scene"], about.counts["config"]) == (
        "Stash database",
        75,
        2,
        None,
    )
    assert about.fields["config"] == ()
    assert list(full.read("config")) == []
    with pytest.raises(UnknownName, match="did you mean 'scene'"):
        next(full.read("scenes"))


@pytest.mark.parametrize("kind", IN_DATABASE)
def test_some_fields_are_those_of_the_whole_record(full: DatabaseSource, kind: str) -> None:
    whole = list(full.read(kind))
    for name in full.about().fields[kind]:
        some = list(full.read(kind, Want(fields=frozenset((name, "nonsense")))))
        assert [record.data for record in some] == [
            {name: record.data[name]} if name in record.data else {} for record in whole
        ]
    assert [record.uid for record in full.read(kind, Want(fields=frozenset()))] == [record.uid for record in whole]


def test_only_the_tables_of_the_asked_fields_are_read(tables: Tables, reader: Open) -> None:
    fill(tables)
    tables.many("scenes_o_dates", (1, "never"))
    assert one(reader(tables), "scene", fields=frozenset(("title", "play_history")))["title"] == "The heron"


def test_ids_come_ascending_and_what_is_none_is_passed_over(full: DatabaseSource) -> None:
    asked = ["10", "2", "2", "99", "-1", "01", "²", "x", "", "1" * 30]
    assert [record.uid for record in full.read("tag", Want(ids=asked))] == ["2", "10"]
    assert list(full.read("tag", Want(ids=[]))) == []


def test_more_records_than_are_read_at_once(tables: Tables, reader: Open) -> None:
    ids = [*range(1, 1200), 5000, 5001, 900_000]
    tables("groups", id=1, name="River")
    for uid in ids:
        tables("scenes", id=uid, title=f"Film {uid}")
        tables.many("groups_scenes", (1, uid, uid))
        tables("scene_markers", id=uid + 7, scene_id=uid, seconds=1, primary_tag_id=1)
    source = reader(tables)
    want = Want(fields=frozenset(("title", "groups")))
    by_all = list(source.read("scene", want))
    assert [record.uid for record in by_all] == [str(uid) for uid in ids]
    assert all(record.data["groups"] == [{"group": "1", "scene_index": int(record.uid)}] for record in by_all)
    assert by_all == list(source.read("scene", Want(fields=want.fields, ids=[str(uid) for uid in reversed(ids)])))
    assert [record.uid for record in source.read_parts("marker", [str(uid) for uid in ids])] == [
        str(uid + 7) for uid in ids
    ]


def test_parts_of_owners(full: DatabaseSource) -> None:
    assert [record.uid for record in full.read_parts("marker", ["3", "1", "77"])] == ["1", "2"]
    (chapter,) = full.read_parts("chapter", ["1"], Want(fields=frozenset(("title",))))
    assert chapter == Record("chapter", "2", {"title": "Dawn"})


def test_it_stays_at_one_point_in_time_while_stash_writes(tables: Tables, reader: Open) -> None:
    tables.run("pragma journal_mode = wal")
    tables("tags", id=1, name="before")
    source = reader(tables)
    tables.run("update tags set name = 'after'")
    tables("tags", id=2, name="later")
    assert [record.data["name"] for record in source.read("tag")] == ["before"]
    assert [record.data["name"] for record in reader(tables).read("tag")] == ["after", "later"]


def test_nothing_is_written_to_the_file(full: DatabaseSource, tables: Tables) -> None:
    before = tables.path.read_bytes()
    for kind in IN_DATABASE:
        list(full.read(kind))
    with pytest.raises(sqlite3.OperationalError, match="readonly"):
        full._connection.execute("delete from scenes")
    full.close()
    assert tables.path.read_bytes() == before


@pytest.mark.parametrize(
    ("stored", "shown"),
    [
        ("2021-05-06T07:08:09Z", "2021-05-06T07:08:09Z"),
        ("2021-05-06T07:08:09+05:30", "2021-05-06T01:38:09Z"),
        ("2021-01-01T00:15:00+05:45", "2020-12-31T18:30:00Z"),
        ("2024-02-29T23:00:00-03:30", "2024-03-01T02:30:00Z"),
        ("2021-05-06 07:08:09", "2021-05-06T07:08:09Z"),
        ("2021-05-06T07:08:09.120Z", "2021-05-06T07:08:09.12Z"),
        ("2021-05-06T07:08:09.1200Z", "2021-05-06T07:08:09.12Z"),
        ("2021-05-06T07:08:09.000000000+02:00", "2021-05-06T05:08:09Z"),
        ("2021-05-06", "2021-05-06T00:00:00Z"),
        ("2021-05-06T07:08", "2021-05-06T07:08:00Z"),
    ],
)
def test_times_are_utc(tables: Tables, reader: Open, stored: str, shown: str) -> None:
    tables("scenes", id=1, created_at=stored)
    tables("files", id=1, basename="a", mod_time=stored)
    tables.many("scenes_files", (1, 1, 1))
    tables.many("scenes_view_dates", (1, stored), (1, "1999-01-01T00:00:00Z"))
    tables.many("scene_stash_ids", (1, "https://a", "x", stored))
    scene = one(reader(tables), "scene")
    assert (scene["created_at"], scene["play_history"]) == (shown, ["1999-01-01T00:00:00Z", shown])
    assert (scene["stash_ids"][0]["updated_at"], scene["files"][0]["mod_time"]) == (shown, shown)


@pytest.mark.parametrize(
    ("stored", "precision", "shown"),
    [
        ("2021-05-06", None, "2021-05-06"),
        ("2021-05-06", 0, "2021-05-06"),
        ("2021-05-01", 1, "2021-05"),
        ("2021-01-01", 2, "2021"),
        ("2021-05-06T00:00:00Z", 0, "2021-05-06"),
        ("0000-02-29", 0, "0000-02-29"),
        ("", None, None),
        (None, 2, None),
    ],
)
def test_dates_are_as_long_as_they_are_known(
    tables: Tables, reader: Open, stored: str, precision: int, shown: str
) -> None:
    tables("scenes", id=1, date=stored, date_precision=precision)
    assert one(reader(tables), "scene")["date"] == shown


@pytest.mark.parametrize(
    ("stored", "shown"),
    [(-1, "f" * 16), (-(2**63), "8" + "0" * 15), (2**63 - 1, "7" + "f" * 15), (0, "0"), (255, "ff"), ("00FF", "00FF")],
)
def test_a_phash_is_hexadecimal_text(tables: Tables, reader: Open, stored: object, shown: str) -> None:
    fill(tables)
    tables.run("delete from files_fingerprints")
    tables.many("files_fingerprints", (2, "phash", stored))
    assert one(reader(tables), "scene")["files"][0]["fingerprints"] == [{"type": "phash", "value": shown}]


def test_fingerprints_of_one_type_are_in_the_order_of_what_is_shown(tables: Tables, reader: Open) -> None:
    fill(tables)
    tables.many("files_fingerprints", (2, "phash", -5), (2, "phash", 16), (2, "a", "x"))
    prints = one(reader(tables), "scene")["files"][0]["fingerprints"]
    assert [entry["value"] for entry in prints] == ["x", "10", "ff", "fffffffffffffffb"]


@pytest.mark.parametrize(
    ("folder", "path"),
    [
        ("/films", "/films/heron.mp4"),
        ("/", "/heron.mp4"),
        ("/odd\\name", "/odd\\name/heron.mp4"),
        ("C:\\films", "C:\\films\\heron.mp4"),
        ("d:\\", "d:\\heron.mp4"),
        ("\\\\nas\\films", "\\\\nas\\films\\heron.mp4"),
        ("films", "films/heron.mp4"),
        (None, "heron.mp4"),
    ],
)
def test_paths_are_those_of_the_system_stash_runs_on(
    tables: Tables, reader: Open, folder: str | None, path: str
) -> None:
    fill(tables)
    tables.run("delete from folders where id = 1")
    if folder is not None:
        tables("folders", id=1, path=folder)
    assert one(reader(tables), "scene")["files"][1]["path"] == path


def test_text_is_kept_to_the_letter(tables: Tables, reader: Open) -> None:
    odd = 'a\0b "c"\r\n\t=1;\\ 🦦 \u202e\ufeff'
    tables("scenes", id=1, title=odd)
    tables.many("scene_urls", (1, 0, odd))
    scene = one(reader(tables), "scene")
    assert (scene["title"], scene["urls"]) == (odd, [odd])


def test_schema_68_has_less(make: Make, reader: Open) -> None:
    without_precision = {
        name: columns.replace(" date_precision int,", "")
        for name, columns in TABLES.items() if name in ("scenes", "images", "galleries", "groups")
    }  # fmt: skip
    changed = {
        **without_precision,
        "studios": TABLES["studios"] + ", url text",
        "studio_urls": None,
        "tag_stash_ids": None,
        "performer_custom_fields": None,
        "scene_markers": TABLES["scene_markers"].replace(" end_seconds real,", ""),
        "tags": TABLES["tags"].replace(" sort_name text,", ""),
        "scene_stash_ids": "scene_id int, endpoint text, stash_id text",
    }
    tables = make(schema=68, changed=changed)
    tables("studios", id=1, name="Brook", url="https://brook")
    tables("studios", id=2, name="Beck", url="")
    tables("scenes", id=1, date="2020-01-02")
    tables.many("scene_stash_ids", (1, "https://a", "x"))
    source = reader(tables)
    fields = source.about().fields
    assert not {"stash_ids", "sort_name"} & set(fields["tag"])
    assert "end_seconds" not in fields["marker"]
    assert "custom_fields" not in fields["performer"]
    assert [record.data["urls"] for record in source.read("studio")] == [["https://brook"], []]
    scene = one(source, "scene")
    assert (scene["date"], scene["stash_ids"]) == ("2020-01-02", [{"endpoint": "https://a", "stash_id": "x"}])


@pytest.mark.parametrize(
    ("columns", "stored", "shown"),
    [("career_start int", 2003, "2003"), ("career_start date, career_start_precision int", "2003-04-01", "2003-04-01")],
)
def test_schema_86_has_more(make: Make, reader: Open, columns: str, stored: object, shown: str) -> None:
    plain = TABLES["performers"].replace(" career_length text,", "")
    custom = {f"{kind}_custom_fields": f"{kind}_id int, field text, value blob" for kind in ("scene", "studio", "tag")}
    tables = make(
        schema=86,
        changed={"performers": f"{plain}, {columns}", "studios": TABLES["studios"] + ", organized int", **custom},
    )
    tables("performers", id=1, name="Wren", career_start=stored)
    tables("studios", id=1, name="Brook", organized=1)
    tables("scenes", id=1)
    tables.many("scene_custom_fields", (1, "lens", "wide"), (1, "iso", 100))
    source = reader(tables)
    performer = one(source, "performer")
    assert performer["career_start"] == shown
    assert "career_length" not in performer
    assert one(source, "studio")["organized"] is True
    assert one(source, "scene")["custom_fields"] == {"iso": 100, "lens": "wide"}
    assert "custom_fields" not in source.about().fields["image"]


def test_images_come_from_the_file(full: DatabaseSource) -> None:
    cover = one(full, "scene", blobs=True)["cover"]
    assert cover == Blob("scene", "1", "cover", COVER)
    assert full.open_blob(cover).read() == b"\x89PNG"
    assert one(full, "scene", "3", blobs=True)["cover"] is None
    assert "cover" not in one(full, "scene")
    assert one(full, "scene", fields=frozenset(("cover",))) == {}


def test_images_come_from_the_folder_of_images(tables: Tables, reader: Open, tmp_path: Path) -> None:
    fill(tables)
    tables.run("update blobs set blob = null")
    folder = tmp_path / "blobs" / "ab" / "ab"
    folder.mkdir(parents=True)
    (folder / (COVER)).write_bytes(b"GIF89a")
    source = reader(tables, blobs_path=tmp_path / "blobs")
    cover = one(source, "scene", blobs=True)["cover"]
    with source.open_blob(cover) as stream:
        assert stream.read() == b"GIF89a"
    (folder / (COVER)).unlink()
    with pytest.raises(RecordError, match="scene 1 is left out: its cover is not in the folder of images"):
        source.open_blob(cover)
    with pytest.raises(RecordError, match="not in the database"):
        reader(tables).open_blob(cover)


def test_an_image_never_leads_out_of_the_folder_of_images(tables: Tables, reader: Open, tmp_path: Path) -> None:
    tables("blobs", checksum="../../secret", blob=None)
    (tmp_path / "secret").write_bytes(b"no")
    with pytest.raises(RecordError):
        reader(tables, blobs_path=tmp_path / "x" / "y").open_blob(Blob("scene", "1", "cover", "../../secret"))


def test_the_stamps_of_the_small_tables_are_there() -> None:
    assert all(STAMPS in TABLES[KINDS[kind].table] for kind in IN_DATABASE if KINDS[kind].field("updated_at"))
