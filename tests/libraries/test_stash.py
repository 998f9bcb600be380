"""Reading a running Stash, against a stand-in that checks every query."""

import threading
import time

import pytest

from stash_portability.errors import (
    BadFilter,
    RecordError,
    StashSaidNo,
    UnknownName,
    Unreachable,
    Unreadable,
    UsageError,
)
from stash_portability.kinds import KINDS
from stash_portability.libraries.stash import StashSource, open_stash
from stash_portability.libraries.stash_pages import ahead
from stash_portability.model import Blob, Want
from tests.stub_stash import TIME, StubStash

IDS = tuple(name for name, kind in KINDS.items() if kind.found)


def source(stub, page=1000):
    return StashSource(stub, page=page)


def many(count, **more):
    return [{"id": str(number), "name": f"n{number}", **more} for number in range(1, count + 1)]


def full_scene():
    return {
        "id": "7", "title": "River", "code": "", "date": "2020-05", "details": "", "director": None,
        "urls": ["https://z.example", "https://a.example"], "rating100": 0, "organized": True,
        "interactive": True, "interactive_speed": 3, "studio": {"id": "4"},
        "captions": [{"language_code": "en", "caption_type": "vtt"}, {"language_code": "de", "caption_type": "srt"},
                     {"language_code": "en", "caption_type": "srt"}],
        "resume_time": 3, "play_duration": 0,
        "play_history": ["2024-01-02T03:04:05+02:00", "2023-01-01T00:00:00Z", "2024-01-02T01:04:05Z"],
        "o_history": [], "galleries": [{"id": "10"}, {"id": "9"}], "tags": [{"id": "10"}, {"id": "9"}, {"id": "9"}],
        "performers": [{"id": "3"}], "groups": [{"group": {"id": "10"}, "scene_index": 1},
                                                 {"group": {"id": "9"}, "scene_index": None}],
        "stash_ids": [{"endpoint": "https://b", "stash_id": "1", "updated_at": TIME},
                      {"endpoint": "https://a", "stash_id": "2", "updated_at": "2024-01-02T03:04:05.120Z"}],
        "files": [file("9"), file("10", zip_file={"id": "1", "path": "/films/a.zip"}), file("2")],
        "created_at": "2024-01-02T03:04:05-05:00", "updated_at": TIME,
    }  # fmt: skip


def file(uid, **more):
    prints = [{"type": "phash", "value": "f0"}, {"type": "oshash", "value": "0a"}]
    return {
        "__typename": "VideoFile", "id": uid, "path": f"/films/{uid}.mp4", "size": 2**40, "mod_time": TIME,
        "fingerprints": prints, "format": "mp4", "width": 1, "height": 2, "duration": 60, "video_codec": "h264",
        "audio_codec": "", "frame_rate": 25, "bit_rate": 9, "created_at": TIME, "updated_at": TIME, **more,
    }  # fmt: skip


# Records


def test_a_scene_comes_in_canonical_form():
    record = next(source(StubStash(scene=[full_scene()])).read("scene"))
    data = record.data
    assert (record.kind, record.uid) == ("scene", "7")
    assert data["code"] is None and data["details"] is None and data["date"] == "2020-05" and data["rating100"] == 0
    assert data["urls"] == ["https://z.example", "https://a.example"]
    assert data["tags"] == ["9", "10"] and data["studio"] == "4" and data["performers"] == ["3"]
    assert data["groups"] == [{"group": "9", "scene_index": None}, {"group": "10", "scene_index": 1}]
    assert data["play_history"] == ["2023-01-01T00:00:00Z", "2024-01-02T01:04:05Z", "2024-01-02T01:04:05Z"]
    assert [entry["endpoint"] for entry in data["stash_ids"]] == ["https://a", "https://b"]
    assert data["stash_ids"][0]["updated_at"] == "2024-01-02T03:04:05.12Z"
    assert [(entry["language_code"], entry["caption_type"]) for entry in data["captions"]] == [
        ("de", "srt"), ("en", "srt"), ("en", "vtt"),
    ]  # fmt: skip
    assert isinstance(data["resume_time"], float) and isinstance(data["play_duration"], float)
    assert data["created_at"] == "2024-01-02T08:04:05Z"


def test_files_keep_their_primary_first_and_parts_in_the_order_of_the_table():
    files = next(source(StubStash(scene=[full_scene()])).read("scene")).data["files"]
    assert [entry["id"] for entry in files] == ["9", "2", "10"]
    assert [entry["zip_file"] for entry in files] == [None, None, "/films/a.zip"]
    assert list(files[0]) == [part.name for part in KINDS["scene"].field("files").parts]
    assert files[0]["audio_codec"] is None and isinstance(files[0]["duration"], float)
    assert files[0]["fingerprints"] == [{"type": "oshash", "value": "0a"}, {"type": "phash", "value": "f0"}]


def test_empty_texts_in_a_list_are_left_out():
    stub = StubStash(
        performer=[{"id": "1", "name": "a", "alias_list": ["wren", "", "reed"], "urls": ["", "https://a.example"]}]
    )
    data = next(source(stub).read("performer")).data
    assert (data["aliases"], data["urls"]) == (["reed", "wren"], ["https://a.example"])


def test_an_answer_of_the_wrong_sort_is_named():
    stub = StubStash()
    stub.saved = [{"id": "4", "mode": "TAGS", "name": "a"}]
    source_ = source(stub)
    assert [record.uid for record in source_.read("saved_filter")] == ["4"]
    stub.call_GQL = lambda *_: {"findTags": {"tags": [{"id": "4", "name": "a", "aliases": 7}]}}
    with pytest.raises(Unreadable, match="tag 4 holds"):
        list(source_.read("tag", Want(fields=frozenset(("name", "aliases")))))


def untitled(version, title, want):
    picture = {**file("3"), "path": "/my films/Wren at home.png", "__typename": "ImageFile"}
    stub = StubStash(version, image=[{"id": "1", "title": title, "visual_files": [picture]}])
    return next(source(stub).read("image", want)).data


@pytest.mark.parametrize("want", [Want(), Want(fields=frozenset(("title",)))])
def test_the_name_of_a_file_is_no_title(want):
    name = "Wren at home.png"
    assert untitled("0.27", name, want)["title"] is None
    assert untitled("0.27", "Wren", want)["title"] == "Wren"
    assert untitled("0.30", name, want)["title"] == name
    assert want.fields is None or list(untitled("0.27", name, want)) == ["title"]


NO_IDS = ("9223372036854775808123", "007", "٣", "-1", "", "x", "²")


@pytest.mark.parametrize("version", ["0.27", "0.30"])
@pytest.mark.parametrize("kind", ["tag", "marker"])
def test_what_cannot_be_an_id_is_passed_over(version, kind):
    stub = StubStash(version, **{kind: [{"id": "3", "name": "a"}, {"id": "7", "name": "b"}]})
    source_ = source(stub)
    time_only = frozenset(("created_at",))
    assert [record.uid for record in source_.read(kind, Want(fields=time_only, ids=[*NO_IDS, "7"]))] == ["7"]
    asked = len(stub.asked)
    assert list(source_.read(kind, Want(ids=NO_IDS))) == []
    assert len(stub.asked) == asked, "no ids is not all ids"


@pytest.mark.parametrize("kind", ["marker", "chapter"])
def test_parts_of_what_cannot_be_an_id_are_none(kind):
    stub = StubStash(marker=[{"id": "1", "scene": {"id": "1"}}])
    source_ = source(stub)
    assert list(source_.read_parts(kind, NO_IDS)) == []
    assert all("Types" in query for query, _ in stub.asked)


def test_fields_come_in_the_order_of_the_table():
    record = next(source(StubStash(scene=[full_scene()])).read("scene"))
    names = [name for name in KINDS["scene"].names() if name in record.data]
    assert list(record.data) == names
    assert "custom_fields" not in record.data and "cover" not in record.data


def test_an_image_file_has_no_parts_of_a_film():
    picture = {key: value for key, value in file("3").items() if key not in ("duration", "video_codec", "audio_codec")}
    picture["__typename"] = "ImageFile"
    stub = StubStash(image=[{"id": "1", "visual_files": [picture, file("2")]}])
    first, second = next(source(stub).read("image")).data["files"]
    assert "duration" not in first and first["format"] == "mp4" and second["duration"] == 60.0


@pytest.mark.parametrize("version", ["0.27", "0.30", "0.31"])
@pytest.mark.parametrize("kind", list(KINDS))
def test_every_query_is_one_the_server_knows(version, kind):
    source_ = source(StubStash(version))
    assert list(source_.read(kind, Want(blobs=True))) == [] or kind == "config"
    assert list(source_.read(kind, Want(ids=[]))) == []


def test_an_old_studio_has_its_one_url():
    stub = StubStash("0.27", studio=[{"id": "1", "name": "a", "url": "https://a"}, {"id": "2", "name": "b", "url": ""}])
    assert [record.data["urls"] for record in source(stub).read("studio")] == [["https://a"], []]


def test_newer_fields_come_where_the_server_has_them():
    stub = StubStash("0.31", tag=[{"id": "1", "name": "a", "custom_fields": {"z": 1, "a": "x"}}])
    assert list(next(source(stub).read("tag")).data["custom_fields"].items()) == [("a", "x"), ("z", 1)]
    assert "custom_fields" not in source(StubStash("0.30")).fields("tag")
    assert "image" in source(StubStash("0.27")).fields("tag")


def test_only_wanted_fields_are_asked_for():
    stub = StubStash(tag=many(1))
    record = next(source(stub).read("tag", Want(fields=frozenset(("name", "parents", "no such field", "image")))))
    assert list(record.data) == ["name", "parents"]
    assert "tags{id name parents{id}}" in stub.asked[-1][0]


def test_sub_groups_keep_their_order_and_containing_groups_go_by_number():
    links = [{"group": {"id": "10"}, "description": ""}, {"group": {"id": "9"}, "description": "x"}]
    stub = StubStash(group=[{"id": "1", "name": "a", "sub_groups": links, "containing_groups": links}])
    data = next(source(stub).read("group")).data
    assert [entry["group"] for entry in data["sub_groups"]] == ["10", "9"]
    assert data["containing_groups"] == [{"group": "9", "description": "x"}, {"group": "10", "description": None}]


def test_a_value_stash_cannot_have_given_is_named():
    with pytest.raises(Unreadable, match=r"http://stub\.example:9999 cannot be read: tag 1 holds"):
        list(source(StubStash(tag=[{"id": "1", "name": "a", "updated_at": "yesterday"}])).read("tag"))


# Images


def test_images_come_only_when_wanted_and_placeholders_never():
    stub = StubStash(
        performer=[
            {"id": "1", "name": "a", "image_path": "http://elsewhere/proxy/performer/1/image?t=1&default=true"},
            {"id": "2", "name": "b", "image_path": "http://elsewhere/proxy/performer/2/image?t=1"},
        ]
    )
    assert "image" not in next(source(stub).read("performer")).data
    images = [record.data["image"] for record in source(stub).read("performer", Want(blobs=True))]
    assert images == [None, Blob("performer", "2", "image", "/performer/2/image")]


def test_a_group_may_have_a_back_and_no_front():
    stub = StubStash(group=[{"id": "1", "name": "a", "front_image_path": "x?default=true", "back_image_path": "x"}])
    data = next(source(stub).read("group", Want(blobs=True))).data
    assert data["front_image"] is None and data["back_image"].key == "/group/1/backimage"


@pytest.mark.parametrize("ids", [None, ["1", "2", "3", "4", "5"]])
def test_scenes_without_a_cover_have_none(ids):
    stub = StubStash(scene=[{"id": str(number)} for number in range(1, 6)])
    stub.bare = {"2", "5"}
    records = source(stub, page=2).read("scene", Want(blobs=True, ids=ids))
    assert [record.data["cover"] is None for record in records] == [False, True, False, False, True]


def test_an_image_is_opened_by_its_blob():
    stub = StubStash()
    stub.blobs["/tag/1/image"] = b"png"
    assert source(stub).open_blob(Blob("tag", "1", "image", "/tag/1/image")).read() == b"png"


def test_an_image_whose_record_is_gone_is_an_error_of_that_record():
    stub = StubStash()

    def gone(path):
        raise Unreachable(address="x", reason="404", status=404)

    stub.open = gone
    with pytest.raises(RecordError, match="tag 1 is left out"):
        source(stub).open_blob(Blob("tag", "1", "image", "/tag/1/image"))


# Pages


@pytest.mark.parametrize("kind", IDS)
@pytest.mark.parametrize("count", [0, 1, 2, 3, 4, 7])
def test_every_record_is_read_once_and_ascending(kind, count):
    rows = [{"id": str(number), "name": "x", "scene": {"id": "1"}} for number in (11, 2, 9, 30, 1, 5, 10)[:count]]
    uids = [record.uid for record in source(StubStash(**{kind: rows}), page=2).read(kind)]
    assert uids == sorted((row["id"] for row in rows), key=int)


@pytest.mark.parametrize("kind", ["tag", "scene"])
@pytest.mark.parametrize("gone", [{"1"}, {"1", "2", "3"}, {"4"}, {"5"}, {"1", "2", "3", "4"}, set("1234567")])
@pytest.mark.parametrize("asks", [1, 2, 3])
def test_a_deletion_meanwhile_hides_no_other_record(kind, gone, asks):
    stub = StubStash(**{kind: many(9)} if kind == "tag" else {kind: [{"id": row["id"]} for row in many(9)]})
    reader = source(stub, page=2)
    _ = reader.schema
    left = {"asks": asks}

    def delete(stub):
        left["asks"] -= 1
        if left["asks"] == -1:
            stub.rows[kind] = [row for row in stub.rows[kind] if row["id"] not in gone]

    stub.before = delete
    uids = [record.uid for record in reader.read(kind)]
    assert uids == sorted(set(uids), key=int)
    assert set(uids) >= {row["id"] for row in many(9)} - gone


@pytest.mark.parametrize("kind", ["tag", "scene"])
def test_a_new_record_meanwhile_hides_no_other(kind):
    stub = StubStash(
        **{kind: [{"id": row["id"], "name": "x"} for row in many(5)]}
        if kind == "tag"
        else {kind: [{"id": row["id"]} for row in many(5)]}
    )
    reader = source(stub, page=2)

    def add(stub):
        stub.rows[kind].append(
            {**stub.rows[kind][0], "id": str(len(stub.rows[kind]) + 100)}
            if len(stub.rows[kind]) < 9
            else stub.rows[kind][0]
        )

    stub.before = add
    uids = [record.uid for record in reader.read(kind)]
    assert uids[:5] == ["1", "2", "3", "4", "5"] and len(uids) == len(set(uids))


def test_ids_are_taken_in_chunks_ascending_and_missing_ones_passed_over():
    stub = StubStash(tag=many(7))
    uids = [record.uid for record in source(stub, page=2).read("tag", Want(ids=["6", "99", "2", "6", "5", "x", "88"]))]
    assert uids == ["2", "5", "6"]
    assert all(variables["ids"] for _, variables in stub.asked[1:])  # an empty list would mean all


def test_an_error_about_something_else_is_not_taken_for_a_missing_id():
    stub = StubStash(tag=many(3))
    stub._of_ids = lambda name, ids: [{"id": "1", "name": None}]
    with pytest.raises(StashSaidNo):
        list(source(stub).read("tag", Want(ids=["1", "2"])))


def test_markers_of_an_old_server_are_picked_from_all():
    stub = StubStash("0.27", marker=[{"id": str(number), "scene": {"id": "1"}} for number in range(1, 8)])
    uids = [record.uid for record in source(stub, page=2).read("marker", Want(ids=["4", "2", "99"]))]
    assert uids == ["2", "4"]


def test_a_generator_that_is_closed_early_leaves_no_thread():
    reader = source(StubStash(tag=many(9)), page=2)
    before = threading.active_count()
    records = reader.read("tag")
    next(records)
    records.close()
    deadline = time.monotonic() + 5
    while threading.active_count() > before and time.monotonic() < deadline:
        time.sleep(0.01)
    assert threading.active_count() == before


def test_one_page_is_made_ahead_and_no_more():
    made = []

    def pages():
        for number in range(5):
            made.append(number)
            yield number

    stream = ahead(pages())
    assert next(stream) == 0
    time.sleep(0.05)
    assert made == [0, 1]
    assert list(stream) == [1, 2, 3, 4]


def test_an_error_in_the_thread_comes_where_its_page_was_due():
    def pages():
        yield 1
        raise StashSaidNo("broken")

    stream = ahead(pages())
    assert next(stream) == 1
    with pytest.raises(StashSaidNo, match="broken"):
        next(stream)


# Parts of others


def chapter(uid, gallery):
    return {
        "id": uid,
        "title": f"c{uid}",
        "image_index": 1,
        "gallery": {"id": gallery},
        "created_at": TIME,
        "updated_at": TIME,
    }


@pytest.fixture
def galleries():
    return StubStash(gallery=[{"id": "1", "chapters": [chapter("5", "1"), chapter("2", "1")]}, {"id": "2"},
                              {"id": "3", "chapters": [chapter("3", "3")]}])  # fmt: skip


def test_chapters_are_read_from_their_galleries(galleries):
    records = list(source(galleries, page=1).read("chapter"))
    assert [(record.uid, record.data["gallery"]) for record in records] == [("2", "1"), ("3", "3"), ("5", "1")]
    assert [record.uid for record in source(galleries).read("chapter", Want(ids=["5", "9"]))] == ["5"]


def test_chapters_of_galleries(galleries):
    assert [record.uid for record in source(galleries).read_parts("chapter", ["1", "2", "99"])] == ["2", "5"]
    assert [record.uid for record in source(galleries).read_parts("chapter", ["1"], Want(ids=["5"]))] == ["5"]
    assert list(source(galleries).read_parts("chapter", [])) == []


def test_markers_of_scenes():
    stub = StubStash(marker=[{"id": str(number), "scene": {"id": str(number % 3)}} for number in range(1, 8)])
    assert [record.uid for record in source(stub, page=2).read_parts("marker", ["1", "2"])] == ["1", "2", "4", "5", "7"]
    assert list(next(source(stub).read_parts("marker", ["1"], Want(fields=frozenset(("title",))))).data) == ["title"]


# Searches


def test_ids_are_found_and_counted():
    stub = StubStash(scene=[{"id": str(number)} for number in range(1, 6)])
    criteria = {"id": {"value": 2, "modifier": "GREATER_THAN"}}
    assert list(source(stub).find_ids("scene", criteria)) == ["3", "4", "5"]
    assert source(stub).count("scene", criteria) == 3


def test_criteria_are_sent_as_they_are_with_the_search_text():
    stub = StubStash(scene=[{"id": "1"}])
    list(source(stub).find_ids("scene", {"organized": True}, "river"))
    variables = stub.asked[-1][1]
    assert variables["criteria"] == {"organized": True} and variables["filter"]["q"] == "river"


@pytest.mark.parametrize(
    ("criteria", "words"),
    [
        ({"bogus": 1}, "bogus"),
        ({"title": {"value": "[", "modifier": "EQUALS"}}, "missing closing"),
        ({"title": {"value": "x", "modifier": "LIKE"}}, "LIKE"),
    ],
)
def test_a_filter_stash_refuses_is_told_with_its_reason(criteria, words):
    with pytest.raises(BadFilter, match=words):
        list(source(StubStash()).find_ids("scene", criteria))
    with pytest.raises(BadFilter, match=words):
        source(StubStash()).count("scene", criteria)


def test_the_place_in_the_filter_is_told_as_the_user_wrote_it():
    stub = StubStash()
    reader = source(stub)
    _ = reader.schema
    stub.answer = lambda query, variables: {
        "data": None, "errors": [{"message": "unknown field", "path": ["variable", "criteria", "AND", "bogus"]}],
    }  # fmt: skip
    with pytest.raises(BadFilter, match=r"^the filter cannot be used: unknown field, at AND\.bogus$"):
        list(reader.find_ids("scene", {"AND": {"bogus": 1}}))


@pytest.mark.parametrize("kind", ["chapter", "saved_filter", "config"])
def test_kinds_without_a_filter_say_so(kind):
    with pytest.raises(BadFilter, match="Stash has no filter for"):
        list(source(StubStash()).find_ids(kind, {}))


def test_what_changed_since_is_found_across_zones():
    times = ["2024-05-01T23:00:00-05:00", "2024-05-02T03:59:59Z", "2024-05-02T06:00:00+02:00", "2020-01-01T00:00:00Z"]
    stub = StubStash(tag=[{"id": str(number), "name": "x", "updated_at": text} for number, text in enumerate(times, 1)])
    assert sorted(source(stub).find_ids_since("tag", "2024-05-02T04:00:00Z")) == ["1", "3"]
    assert list(source(stub).find_ids_since("tag", "2030-01-01T00:00:00Z")) == []


def test_what_changes_while_changes_are_read_is_found_too(monkeypatch):
    monkeypatch.setattr("stash_portability.libraries.stash_changes._PAGE", 2)
    stub = StubStash(
        tag=[{"id": str(day), "name": "x", "updated_at": f"2024-05-{day:02}T00:00:00Z"} for day in range(1, 10)]
    )
    reader = source(stub)
    _ = reader.schema
    left = {"asks": 2}

    def touch(stub):
        left["asks"] -= 1
        if left["asks"] == 0:  # between the first page and the second
            stub.rows["tag"][5]["updated_at"] = "2024-06-01T00:00:00Z"

    stub.before = touch
    found = list(reader.find_ids_since("tag", "2024-05-04T00:00:00Z"))
    assert sorted(found) == ["4", "5", "6", "7", "8", "9"]


def test_kinds_without_times_are_given_whole(galleries):
    galleries.saved = [{"id": "4", "mode": "TAGS", "name": "a"}]
    assert list(source(galleries).find_ids_since("saved_filter", "2030-01-01T00:00:00Z")) == ["4"]
    assert list(source(galleries).find_ids_since("chapter", "2030-01-01T00:00:00Z")) == []
    assert list(source(galleries).find_ids_since("chapter", TIME)) == ["2", "3", "5"]


def test_a_since_that_is_no_time_is_refused():
    with pytest.raises(UsageError, match="'yesterday' is no time"):
        source(StubStash()).find_ids_since("tag", "yesterday")


# Saved filters


SAVED = [
    {"id": "10", "mode": "TAGS", "name": "Rivers", "find_filter": None, "object_filter": None, "ui_options": None},
    {"id": "9", "mode": "SCENES", "name": "Rivers", "find_filter": {"q": "x", "page": 1, "sort": "date"},
     "object_filter": {"organized": {"value": "true", "modifier": "EQUALS"}}, "ui_options": {"z": 1, "a": [2, 1]}},
    {"id": "1", "mode": "SCENES", "name": "Birds", "find_filter": {}, "object_filter": {}, "ui_options": {}},
]  # fmt: skip


def saved_stub():
    stub = StubStash()
    stub.saved = SAVED
    return stub


def test_saved_filters_are_records():
    records = list(source(saved_stub()).read("saved_filter"))
    assert [record.uid for record in records] == ["1", "9", "10"]
    assert records[1].data["find_filter"] == {"page": 1, "q": "x", "sort": "date"}
    assert list(records[1].data["ui_options"]) == ["a", "z"]
    assert records[2].data["object_filter"] is None
    assert [record.uid for record in source(saved_stub()).read("saved_filter", Want(ids=["9", "77"]))] == ["9"]


def test_a_saved_filter_is_found_by_name():
    assert source(saved_stub()).saved_filter("scene:Rivers") == ("scene", {"organized": True}, "x")
    assert source(saved_stub()).saved_filter("Birds") == ("scene", {}, "")


def test_a_saved_filter_of_several_kinds_must_name_its_kind():
    with pytest.raises(BadFilter, match="several kinds"):
        source(saved_stub()).saved_filter("Rivers")


def test_an_unknown_saved_filter_is_told_with_the_nearest():
    with pytest.raises(UnknownName, match="did you mean 'Birds'"):
        source(saved_stub()).saved_filter("Brids")


def test_an_old_rating_in_a_saved_filter_is_read_in_the_pages_rating_system():
    stub = StubStash()
    stub.configuration["ui"] = {"ratingSystemOptions": {"type": "decimal"}}
    stub.saved = [
        {
            "id": "1",
            "mode": "SCENES",
            "name": "Good",
            "object_filter": {"rating100": {"value": 4, "modifier": "EQUALS"}},
        }
    ]
    assert source(stub).saved_filter("Good")[1] == {"rating100": {"value": 40, "modifier": "EQUALS"}}


# The server


def test_the_configuration_holds_only_what_is_listed():
    stub = StubStash()
    stub.configuration["general"].update(
        apiKey="canary", username="canary", password="canary", parallelTasks=2,
        stashBoxes=[{"endpoint": "https://box.example", "api_key": "canary", "name": "b"}],
        stashes=[{"path": "/films", "excludeVideo": False, "excludeImage": True}],
    )  # fmt: skip
    stub.configuration["interface"] = {"language": "en-GB", "javascript": "canary", "handyKey": "canary"}
    stub.configuration["ui"] = {"vrTag": "3D", "advancedMode": True, "somePlugin": "canary", "title": "Films"}
    stub.configuration["plugins"] = {
        "one": {"token": "canary", "count": 3, "on": False, "deep": {"x": 1}}, "two": {"key": "canary"}, "odd": None,
    }  # fmt: skip
    records = {record.uid: record.data for record in source(stub).read("config")}
    assert "canary" not in str(records)
    assert list(records) == ["general", "interface", "ui", "plugins"]
    general = records["general"]["settings"]
    assert list(general) == sorted(general) and general["parallelTasks"] == 2
    assert general["stashes"] == [{"excludeImage": True, "excludeVideo": False, "path": "/films"}]
    assert records["ui"] == {"group": "ui", "settings": {"advancedMode": True, "title": "Films", "vrTag": "3D"}}
    assert records["plugins"]["settings"] == {"one": {"count": 3, "on": False}}
    assert [record.uid for record in source(stub).read("config", Want(ids=["ui"]))] == ["ui"]


def test_about_tells_what_it_is(galleries):
    galleries.saved = SAVED
    about = source(galleries).about()
    assert (about.address, about.product, about.version, about.schema) == (
        "http://stub.example:9999", "Stash", "v0.30.1", 75,
    )  # fmt: skip
    assert about.counts == {name: 0 for name in KINDS} | {"gallery": 3, "chapter": 3, "saved_filter": 3, "config": 7}
    assert set(about.fields) == set(KINDS) and "cover" in about.fields["scene"]


@pytest.mark.parametrize(
    ("status", "database"),
    [
        ({}, "/srv/stash/stash-go.sqlite"),
        ({"databasePath": "/data/x.sqlite"}, "/data/x.sqlite"),
        ({"os": "windows", "workingDir": "C:\\Stash", "databasePath": "x.sqlite"}, "C:\\Stash\\x.sqlite"),
        ({"os": "windows", "workingDir": "C:\\Stash", "databasePath": "D:\\x.sqlite"}, "D:\\x.sqlite"),
    ],
)
def test_paths_of_the_server_are_made_absolute(status, database):
    stub = StubStash()
    stub.status.update(status)
    assert source(stub).status().database == database


def test_the_folder_of_images_is_told_when_they_lie_in_files():
    stub = StubStash()
    assert source(stub).status().blobs == ""
    stub.configuration["general"].update(blobsPath="blobs", blobsStorage="FILESYSTEM")
    assert source(stub).status().blobs == "/srv/stash/blobs"


@pytest.mark.parametrize(("state", "words"), [("SETUP", "not set up"), ("NEEDS_MIGRATION", "migration")])
def test_a_server_that_is_not_ready_says_what_to_do(state, words):
    stub = StubStash()
    stub.status["status"] = state
    with pytest.raises(Unreachable, match=words):
        source(stub).about()


def test_nothing_is_sent_before_something_is_asked():
    assert open_stash("http://nowhere.example:1", None).address == "http://nowhere.example:1"
