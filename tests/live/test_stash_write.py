"""What is written to a real Stash is what both readers then read: every field of every kind that can be written."""

from __future__ import annotations

import io
import itertools
import sqlite3
import threading
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from stash_portability.errors import NotAllWritten, RecordError, Stopped, Unreachable
from stash_portability.kinds import KINDS
from stash_portability.libraries.database import DatabaseSource
from stash_portability.libraries.stash import StashSource, open_stash
from stash_portability.libraries.stash_write import StashWriter
from stash_portability.libraries.stash_write_cannot import SETTINGS_NOT_WRITTEN
from stash_portability.libraries.stash_write_cannot import settings as writable
from stash_portability.libraries.stash_write_inputs import NO_PLACE, ONE_URL, WHOLE_DATES
from stash_portability.model import Blob, Change, Want, Written

from .conftest import ZONE, binary
from .stash_server import NEW, OLD, Options, StashServer, binary_version
from .write_values import RECORDS, VALUES, canonical, resolved

WRITTEN = [kind for kind in KINDS if kind != "config"]
LACKING = {
    NEW: {
        "tag": {"custom_fields"}, "studio": {"custom_fields", "organized"}, "group": {"custom_fields"},
        "performer": {"career_start", "career_end"}, "gallery": {"custom_fields"}, "scene": {"custom_fields"},
        "image": {"custom_fields"},
    },
    OLD: {
        "tag": {"custom_fields", "sort_name", "stash_ids"},
        "studio": {"custom_fields", "organized", "stash_ids.updated_at"},
        "group": {"custom_fields"}, "gallery": {"custom_fields"}, "image": {"custom_fields"},
        "performer": {"career_start", "career_end", "custom_fields", "stash_ids.updated_at"},
        "scene": {"custom_fields", "stash_ids.updated_at"}, "marker": {"end_seconds"},
    },
}  # fmt: skip
"""Fields and parts that are in no input of that version."""


class Desk:
    """A Stash of its own, both its readers, and its writer."""

    def __init__(self, server: StashServer, version: str) -> None:
        self.server = server
        self.version = version
        self.source: StashSource = open_stash(server.url)
        self.images: dict[str, bytes] = {}
        self.writer = StashWriter(self.source, lambda blob: io.BytesIO(self.images[blob.key]))  # type: ignore[union-attr]

    def uid(self, name: str) -> str:
        return self.server.ids[name]

    def given(self, kind: str, uid: str, name: str, value: Any) -> Any:
        """``value`` as a change holds it."""
        if not isinstance(value, bytes):
            return resolved(value, self.server.ids)
        self.images[f"{kind} {name}"] = value
        return Blob(kind, uid, name, f"{kind} {name}")

    def both(self, kind: str, uid: str) -> list[dict[str, Any]]:
        """The record as the server tells it, and as the file has it; images as bytes."""
        file = DatabaseSource(self.server.database)
        try:
            found = []
            for source in (self.source, file):
                (record,) = source.read(kind, Want(ids=[uid], blobs=True))
                found.append({name: told(source, value) for name, value in record.data.items()})
            return found
        finally:
            file.close()

    def now(self, kind: str, uid: str) -> dict[str, Any]:
        return self.both(kind, uid)[0]

    def there(self, kind: str) -> list[str]:
        return [record.uid for record in self.source.read(kind)]

    def update(self, kind: str, uid: str, name: str, value: Any) -> Written:
        before = {name: self.now(kind, uid)[name]}
        (written,) = self.writer.write([Change("update", kind, uid, before, {name: value})])
        return written

    def create(self, kind: str, data: Mapping[str, Any]) -> Written:
        (written,) = self.writer.write([Change("create", kind, "", None, data)])
        return written


def told(source: Any, value: Any) -> Any:
    if not isinstance(value, Blob):
        return value
    with source.open_blob(value) as stream:
        return stream.read()


@pytest.fixture(scope="module", params=[NEW, OLD])
def desk(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    version = request.param
    seed = request.getfixturevalue("seed_027" if version == OLD else "seed_030")
    folder = tmp_path_factory.mktemp(f"write-{version}")
    with StashServer.copy_of(seed, folder, binary(version, request.config), Options(timezone=ZONE)) as server:
        yield Desk(server, version)


def lacking(desk: Desk, kind: str) -> set[str]:
    return LACKING[desk.version].get(kind, set())


def parts_lacking(desk: Desk, kind: str, name: str) -> frozenset[str]:
    return frozenset(one.partition(".")[2] for one in lacking(desk, kind) if one.startswith(f"{name}."))


def test_the_values_are_of_every_field_that_is_written() -> None:
    """But for those that no Stash here has, which wait for one, and files, whose fingerprints have a test."""
    for kind in WRITTEN:
        fields = {field.name for field in KINDS[kind].fields if field.writer}
        assert set(VALUES[kind]) == fields - {name for name in LACKING[NEW].get(kind, set()) if "." not in name}


@pytest.mark.parametrize("kind", WRITTEN)
def test_what_a_version_lacks_is_known_beforehand(desk: Desk, kind: str) -> None:
    told = {name for name, why in desk.writer.cannot(kind).items() if why == NO_PLACE}
    assert told == lacking(desk, kind)


@pytest.mark.parametrize("kind", WRITTEN)
def test_every_field_is_read_back_by_both_readers(desk: Desk, kind: str) -> None:
    """Each is set, set again, emptied, and put back; at the end the record is what it was."""
    uid = desk.uid(RECORDS[kind])
    whole = desk.now(kind, uid)
    for name, values in VALUES[kind].items():
        if name not in lacking(desk, kind):
            for value in [*values, whole[name]]:
                wrote(desk, kind, uid, name, value)
    changed = {"updated_at", "files"}
    after = desk.now(kind, uid)
    assert {name: value for name, value in after.items() if name not in changed} == {
        name: value for name, value in whole.items() if name not in changed
    }


def wrote(desk: Desk, kind: str, uid: str, name: str, value: Any) -> None:
    given = desk.given(kind, uid, name, value)
    written = desk.update(kind, uid, name, given)
    if why := refused(desk, kind, name, value):
        assert isinstance(written.error, NotAllWritten)
        assert written.error.words["fields"] == (name,)
        assert why in str(written.error)
        return
    assert written == Written(uid, None), (name, value)
    want = value if isinstance(value, bytes) else expected(desk, kind, name, given)
    by_graphql, by_file = desk.both(kind, uid)
    assert by_file[name] == want, name
    # GraphQL shows the first image of a gallery whose cover was not chosen.
    assert by_graphql[name] == want or (kind, name, value) == ("gallery", "cover", None), name


def expected(desk: Desk, kind: str, name: str, value: Any) -> Any:
    field = KINDS[kind].field(name)
    assert field is not None
    return canonical(field, value, lacking=parts_lacking(desk, kind, name))


def refused(desk: Desk, kind: str, name: str, value: Any) -> str:
    """What this version is expected to say of ``value``."""
    if desk.version == OLD and isinstance(value, str) and name in ("date", "birthdate", "death_date"):
        return WHOLE_DATES if len(value) < 10 else ""
    if desk.version == OLD and (kind, name) == ("studio", "urls") and len(value) > 1:
        return ONE_URL
    return ""


NATURAL = {
    "tag": {"name": "Made anew", "aliases": ["made"]}, "studio": {"name": "Made anew", "aliases": ["made"]},
    "performer": {"name": "Made anew"}, "group": {}, "gallery": {}, "scene": {}, "marker": {}, "chapter": {},
    "saved_filter": {"name": "Made anew"},
}  # fmt: skip
"""What a second record like an old one must have otherwise, for Stash to take it."""
MADE_WITHOUT = {"gallery": {"cover"}}
"""Fields a new record cannot have yet: a gallery's cover must be one of its images, and those come later."""


@pytest.mark.parametrize("kind", list(NATURAL))
def test_a_new_record_has_every_field(desk: Desk, kind: str) -> None:
    data = desk.now(kind, desk.uid(RECORDS[kind])) | NATURAL[kind]
    given = {name: desk.given(kind, "", name, value) for name, value in data.items()}
    for name in MADE_WITHOUT.get(kind, ()):
        del given[name]
    written = desk.create(kind, given)
    assert written.error is None
    cannot = set(desk.writer.cannot(kind)) | MADE_WITHOUT.get(kind, set())
    want = {name: value for name, value in data.items() if name not in cannot}
    for found in desk.both(kind, written.uid):
        assert {name: found[name] for name in want} == want


@pytest.mark.parametrize("kind", list(NATURAL))
def test_a_new_record_may_have_next_to_nothing(desk: Desk, kind: str) -> None:
    whole = desk.now(kind, desk.uid(RECORDS[kind]))
    least = {"tag": "name", "studio": "name", "performer": "name", "group": "name", "gallery": "title",
             "scene": "title", "marker": "scene seconds primary_tag", "chapter": "gallery image_index",
             "saved_filter": "mode name"}[kind].split()  # fmt: skip
    data: dict[str, Any] = dict.fromkeys(whole) | {name: whole[name] for name in least} | NATURAL[kind]
    data |= {"name": f"Bare {kind}"} if "name" in least else {}
    data |= {"aliases": None} if "aliases" in data else {}
    written = desk.create(kind, data)
    assert written.error is None
    for found in desk.both(kind, written.uid):
        full = [name for name, value in found.items() if value not in (None, [], {}, False, 0, 0.0, "")]
        assert set(full) - set(least) <= {"created_at", "updated_at"}
    (gone,) = desk.writer.write([Change("delete", kind, written.uid, None, None)])
    assert gone == Written(written.uid, None)
    assert written.uid not in desk.there(kind)


def test_images_and_settings_are_not_made(desk: Desk) -> None:
    for kind in ("image", "config"):
        written = desk.create(kind, {"title": "Reeds"})
        assert isinstance(written.error, RecordError)
        assert written.uid == ""


def test_each_of_a_batch_has_its_own_outcome(desk: Desk) -> None:
    """Stash goes on after one that fails, and says of each what is wrong with it."""
    names = ["Sedge", "RIVERS", "Brooks", "Moss", "sedge", None, "Fern"]
    changes = [Change("create", "tag", "", None, {"name": name}) for name in names]
    written = desk.writer.write(changes)
    assert [bool(one.uid) for one in written] == [True, False, False, True, False, False, True]
    words = [str(one.error) for one in written]
    assert "tag with name 'RIVERS' already exists" in words[1]
    assert "is used as alias for 'Rivers'" in words[2]
    assert "already exists" in words[4]
    assert all(type(one.error) is RecordError for one in written if one.error)
    made = {record.uid: record.data["name"] for record in desk.source.read("tag")}
    assert [made[one.uid] for one in written if one.uid] == ["Sedge", "Moss", "Fern"]
    gone = desk.writer.write([Change("delete", "tag", one.uid or "999999", None, None) for one in written])
    assert [one.error is None for one in gone] == [True, False, False, True, False, False, True]


def test_one_that_stash_cannot_read_keeps_no_other_back(desk: Desk) -> None:
    """A value of a type Stash does not know makes it refuse the whole request, before anything is done."""
    uids = [desk.uid(f"performer:{name}") for name in ("full", "twin", "other twin", "bare")]
    values: list[dict[str, Any]] = [{"gender": "HERON"}, {"country": "NP"}, {"weight": "much"}, {"country": "NP"}]
    changes = [Change("update", "performer", uid, {}, value) for uid, value in zip(uids, values, strict=True)]
    written = desk.writer.write(changes)
    assert [one.error is None for one in written] == [False, True, False, True]
    assert "HERON is not a valid GenderEnum (at gender)" in str(written[0].error)
    assert desk.now("performer", uids[1])["country"] == "NP"


def test_a_field_that_fails_after_the_record_was_made_is_told_alone(desk: Desk) -> None:
    """One bad time of a history takes neither the record nor the other histories with it."""
    data = {"title": "Two halves", "play_history": ["2001-13-01T00:00:00Z"], "o_history": ["2001-01-01T00:00:00Z"]}
    changes = [Change("create", "scene", "", None, one) for one in (data, {"title": "Whole", "resume_time": 3.0})]
    first, second = desk.writer.write(changes)
    assert isinstance(first.error, NotAllWritten)
    assert first.error.words["fields"] == ("play_history",)
    found = desk.now("scene", first.uid)
    assert (found["title"], found["play_history"], found["o_history"]) == ("Two halves", [], data["o_history"])
    assert second.error is None
    assert desk.now("scene", second.uid)["resume_time"] == 3.0


def test_fields_of_a_newer_stash_are_told_and_the_others_written(desk: Desk) -> None:
    uid = desk.uid("tag:0")
    value = {"custom_fields": {"a": 1}, "description": "written"}
    (written,) = desk.writer.write([Change("update", "tag", uid, {}, value)])
    assert isinstance(written.error, NotAllWritten)
    assert written.error.words["fields"] == ("custom_fields",)
    assert desk.now("tag", uid)["description"] == "written"


def test_a_cover_of_a_scene_is_not_taken_away(desk: Desk) -> None:
    uid = desk.uid("scene:full")
    written = desk.update("scene", uid, "cover", None)
    assert "cannot take the cover" in str(written.error)
    assert desk.now("scene", uid)["cover"] is not None


def test_times_are_added_once_for_each_more_and_taken_once_for_each_less(desk: Desk) -> None:
    uid = desk.uid("scene:beaver dam.mkv")
    one, two = "2020-01-01T00:00:00Z", "2021-01-01T00:00:00Z"
    for times in ([one, one, two], [one, two, two], [one], [one, one, one], []):
        assert desk.update("scene", uid, "play_history", times).error is None
        assert [found["play_history"] for found in desk.both("scene", uid)] == [times, times]


def test_a_history_is_not_written_when_nobody_knows_what_there_was(desk: Desk) -> None:
    uid = desk.uid("scene:full")
    before = desk.now("scene", uid)["o_history"]
    (written,) = desk.writer.write([Change("update", "scene", uid, {}, {"o_history": ["2020-01-01T00:00:00Z"]})])
    assert isinstance(written.error, NotAllWritten)
    assert desk.now("scene", uid)["o_history"] == before


@pytest.mark.parametrize("kind", ["scene", "image", "gallery"])
def test_fingerprints_are_set_on_files(desk: Desk, kind: str) -> None:
    uid = desk.uid({"scene": "scene:full", "image": "image:marsh.png", "gallery": "gallery:pond.zip"}[kind])
    files = desk.now(kind, uid)["files"]
    scanned = [entry for entry in files[0]["fingerprints"] if entry["type"] in ("oshash", "md5")]
    for own in ([("phash", "ab54a98ceb1f0a"), ("survey", "otter, 7")], [("phash", "ffab54a98ceb1f0b")], []):
        prints = sorted(scanned + [{"type": name, "value": value} for name, value in own], key=lambda one: one["type"])
        wanted = [{**files[0], "fingerprints": prints}, *files[1:]]
        assert desk.update(kind, uid, "files", wanted).error is None
        for found in desk.both(kind, uid):
            assert found["files"][0]["fingerprints"] == prints
    assert desk.update(kind, uid, "files", files).error is None


def test_the_fingerprint_of_a_scan_is_told_and_kept(desk: Desk) -> None:
    uid = desk.uid("scene:full")
    files = desk.now("scene", uid)["files"]
    prints = [{"type": "oshash", "value": "00"} if one["type"] == "oshash" else one for one in files[0]["fingerprints"]]
    written = desk.update("scene", uid, "files", [{**files[0], "fingerprints": prints}, *files[1:]])
    assert "facts of the file" in str(written.error)
    assert desk.now("scene", uid)["files"] == files


def test_a_saved_filter_keeps_what_a_change_does_not_name(desk: Desk) -> None:
    uid = desk.uid("saved_filter:TAGS")
    before = desk.now("saved_filter", uid)
    assert desk.update("saved_filter", uid, "name", "Another name").error is None
    assert desk.now("saved_filter", uid) == before | {"name": "Another name"}


def test_saved_filters_that_clash_are_told_apart(desk: Desk) -> None:
    data = [{"mode": "TAGS", "name": name} for name in ("Clash", "Clash", "No clash")]
    written = desk.writer.write([Change("create", "saved_filter", "", None, one) for one in data])
    assert [bool(one.uid) for one in written] == [True, False, True]
    assert "UNIQUE" in str(written[1].error)


def test_a_hierarchy_that_bites_its_tail_is_told(desk: Desk) -> None:
    water, rivers = desk.uid("tag:water"), desk.uid("tag:rivers")
    assert "cannot apply tag" in str(desk.update("tag", water, "parents", [rivers]).error)
    parent, full = desk.uid("studio:parent"), desk.uid("studio:full")
    assert "ancestor" in str(desk.update("studio", parent, "parent", full).error)
    whole = [{"group": desk.uid("group:inner"), "description": None}]
    assert "contained" in str(desk.update("group", desk.uid("group:full"), "containing_groups", whole).error)


def test_an_image_does_not_leave_the_gallery_of_its_folder(desk: Desk) -> None:
    uid = desk.uid("image:reed bed.png")
    assert "cannot change contents" in str(desk.update("image", uid, "galleries", []).error)


def test_the_cover_of_a_gallery_stays_when_images_come_and_go(desk: Desk) -> None:
    """Set as a whole, the galleries of an image are made anew, and whether it is the cover is forgotten."""
    gallery, cover, other = (desk.uid(name) for name in ("gallery:own", "image:heron, grey.jpg", "image:reed bed.png"))
    assert desk.both("gallery", gallery)[1]["cover"] == cover
    for uid in (cover, other):
        here = desk.now("image", uid)["galleries"]
        there = sorted({*here, desk.uid("gallery:empty")}, key=int)
        assert desk.update("image", uid, "galleries", there).error is None
        assert [found["galleries"] for found in desk.both("image", uid)] == [there, there]
        assert desk.update("image", uid, "galleries", here).error is None
        assert [found["galleries"] for found in desk.both("image", uid)] == [here, here]
    assert desk.both("gallery", gallery)[1]["cover"] == cover


def test_a_group_keeps_its_place_when_it_comes_under_one_more(desk: Desk) -> None:
    year, autumn = desk.uid("group:full"), desk.uid("group:Autumn")
    order = desk.now("group", year)["sub_groups"]
    here = desk.now("group", autumn)["containing_groups"]
    more = {"group": desk.uid("group:outer"), "description": "once more"}
    there = sorted([*here, more], key=lambda one: int(one["group"]))
    assert desk.update("group", autumn, "containing_groups", there).error is None
    assert desk.now("group", autumn)["containing_groups"] == there
    assert desk.update("group", autumn, "containing_groups", here).error is None
    assert [found["sub_groups"] for found in desk.both("group", year)] == [order, order]


def test_a_group_may_be_named_from_both_ends(desk: Desk) -> None:
    outer, year = desk.uid("group:outer"), desk.uid("group:full")
    there = {uid: desk.now("group", uid) for uid in (outer, year)}
    inside = [*there[outer]["sub_groups"], {"group": year, "description": "2"}]
    around = [{"group": outer, "description": "2"}]
    changes = [
        Change("update", "group", outer, there[outer], {"sub_groups": inside}),
        Change("update", "group", year, there[year], {"containing_groups": around}),
    ]
    assert [one.error for one in desk.writer.write(changes)] == [None, None]
    assert desk.now("group", outer)["sub_groups"] == inside
    assert desk.now("group", year)["containing_groups"] == around
    back = [Change("update", "group", one.uid, one.after, {name: there[one.uid][name] for name in one.after or ()})
            for one in changes]  # fmt: skip
    assert [one.error for one in desk.writer.write(back)] == [None, None]
    assert desk.now("group", outer)["sub_groups"] == there[outer]["sub_groups"]


def test_the_gallery_of_a_zip_is_not_deleted(desk: Desk) -> None:
    """Stash would take the records of its images with it, and no mutation makes them again."""
    uid = desk.uid("gallery:pond.zip")
    (written,) = desk.writer.write([Change("delete", "gallery", uid, desk.now("gallery", uid), None)])
    assert "its images too" in str(written.error)
    assert uid in desk.there("gallery")


def test_deleting_a_record_deletes_no_file(new_stash: Any) -> None:
    server = new_stash(populated=True)
    source = open_stash(server.url)
    files = [Path(record.data["files"][0]["path"]) for record in source.read("scene") if record.data["files"]]
    for kind in ("scene", "image"):
        changes = [Change("delete", record.kind, record.uid, record.data, None) for record in source.read(kind)]
        assert changes
        assert [one.error for one in StashWriter(source).write(changes)] == [None] * len(changes)
        assert not list(source.read(kind))
    assert all(file.exists() for file in files)


def test_a_group_with_only_a_back_has_no_front(desk: Desk) -> None:
    back = desk.given("group", "", "back_image", VALUES["group"]["back_image"][0])
    written = desk.create("group", {"name": "Only a back", "front_image": None, "back_image": back})
    assert written.error is None
    for found in desk.both("group", written.uid):
        assert (found["front_image"], bool(found["back_image"])) == (None, True)


def test_nothing_moves_the_stamp_of_a_record_when_only_its_histories_change(desk: Desk) -> None:
    uid = desk.uid("scene:full")
    before = desk.now("scene", uid)["updated_at"]
    assert desk.update("scene", uid, "resume_time", 0.5).error is None
    assert desk.now("scene", uid)["updated_at"] == before


def test_many_changes_go_in_several_requests_in_their_order(desk: Desk) -> None:
    changes = [Change("create", "tag", "", None, {"name": f"Drop {number}"}) for number in range(260)]
    written = desk.writer.write(changes)
    assert all(one.error is None for one in written)
    uids = [int(one.uid) for one in written]
    assert uids == sorted(set(uids))
    assert all(one.error is None for one in desk.writer.write([Change("delete", "tag", one.uid, None, None)
                                                                for one in written]))  # fmt: skip


def settings_of(source: StashSource) -> dict[str, dict[str, Any]]:
    return {record.data["group"]: record.data["settings"] for record in source.read("config")}


def carried(group: str, settings: Mapping[str, Any]) -> dict[str, Any]:
    """What of a group is carried over; in the free groups everything, in the others what is listed and was set."""
    if group in ("ui", "plugins"):
        return dict(settings)
    return {name: settings[name] for name in writable(group) if settings.get(name) is not None}


def test_settings_are_carried_to_another_stash(each_stash: StashServer, new_stash: Any) -> None:
    """Every setting that may be, and no other."""
    version = NEW if binary_version(each_stash.binary).startswith(NEW) else OLD
    target = open_stash(new_stash(version).url)
    wanted, had = settings_of(open_stash(each_stash.url)), settings_of(target)
    changes = [Change("update", "config", group, {"settings": had[group]}, {"settings": settings})
               for group, settings in wanted.items()]  # fmt: skip
    assert [written.error for written in StashWriter(target).write(changes)] == [None] * len(changes)
    found = settings_of(target)
    for group, settings in wanted.items():
        assert carried(group, found[group]) == carried(group, settings), group
        assert carried(group, had[group]) != carried(group, settings), "else this proves nothing"
        kept = [name.partition(".")[2] for name in SETTINGS_NOT_WRITTEN if name.startswith(f"{group}.")]
        assert [found[group].get(name) for name in kept] == [had[group].get(name) for name in kept]


def test_settings_of_a_newer_stash_are_told_and_the_others_set(stash_030: StashServer, new_stash: Any) -> None:
    target = open_stash(new_stash(OLD).url)
    wanted = settings_of(open_stash(stash_030.url))
    changes = [Change("update", "config", group, {}, {"settings": wanted[group]}) for group in wanted]
    told = {one.uid: str(one.error) for one in StashWriter(target).write(changes) if one.error}
    assert set(told) == {"general", "interface"}
    assert "logFileMaxSize" in told["general"]
    assert "disableAnimation" in told["interface"]
    found = settings_of(target)
    lightbox = {key: value for key, value in wanted["interface"]["imageLightbox"].items() if key != "disableAnimation"}
    assert found["interface"]["imageLightbox"] == lightbox
    assert found["general"]["parallelTasks"] == wanted["general"]["parallelTasks"]


def test_settings_of_a_plugin_keep_what_is_not_exported(new_stash: Any) -> None:
    server = new_stash()
    source = open_stash(server.url)
    set_plugin = 'mutation($input: Map!) { configurePlugin(plugin_id: "pond", input: $input) }'
    server.graphql(set_plugin, {"input": {"words": "kept", "on": False, "depth": 1}})
    change = Change("update", "config", "plugins", {}, {"settings": {"pond": {"on": True, "depth": 2}}})
    assert StashWriter(source).write([change]) == [Written("plugins", None)]
    found = server.graphql("{ configuration { plugins } }")["configuration"]["plugins"]
    assert found["pond"] == {"words": "kept", "on": True, "depth": 2}


@pytest.mark.parametrize("version", [NEW, OLD])
def test_a_stash_that_dies_leaves_known_what_was_done(new_stash: Any, version: str) -> None:
    """What is told as done is there, what is told as not sent is not, and only one request's worth is not known."""
    server = new_stash(version)
    count, most = 3000, 50
    clock, killer = itertools.count(), threading.Thread(target=server.stop)

    def ticks() -> float:
        # Two looks at the clock to a request: it dies some time after the fourth.
        if next(clock) == 8:
            killer.start()
        return 0.0

    writer = StashWriter(open_stash(server.url), most=most, clock=ticks)
    written = writer.write([Change("create", "scene", "", None, {"title": f"Tide {n}"}) for n in range(count)])
    killer.join()
    server.start()
    there = {record.data["title"] for record in open_stash(server.url).read("scene")}
    done = {f"Tide {number}" for number, one in enumerate(written) if one.error is None}
    not_sent = {f"Tide {number}" for number, one in enumerate(written) if isinstance(one.error, Stopped)}
    assert done
    assert done <= there
    assert not there & not_sent
    assert 0 < count - len(done) - len(not_sent) <= most
    assert all(isinstance(one.error, (type(None), Stopped, Unreachable)) for one in written)


def test_a_database_that_is_locked_is_told_of_each(new_stash: Any) -> None:
    server = new_stash()
    writer = StashWriter(open_stash(server.url))
    changes = [Change("create", "tag", "", None, {"name": name}) for name in ("Sedge", "Moss")]
    with closing(sqlite3.connect(server.database, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        locked = writer.write(changes)
        other.execute("ROLLBACK")
    assert ["locked" in str(one.error) and type(one.error) is RecordError for one in locked] == [True, True]
    assert [one.error for one in writer.write(changes)] == [None, None]
