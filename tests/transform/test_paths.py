"""Paths, globs, profiles and what they read."""

import pytest

from stash_portability.errors import BadProfile, PortabilityError, UnknownName, UsageError
from stash_portability.kinds import KINDS
from stash_portability.libraries.memory import MemoryLibrary
from stash_portability.model import Record
from stash_portability.transform.names import Lookup, fields_through
from stash_portability.transform.paths import Column, expand, parse, sheet_columns
from stash_portability.transform.profile import fields_read, match_kinds, parse_fields, parse_profile
from stash_portability.transform.walk import value

SCENE = Record(
    "scene",
    "7",
    {
        "title": "Dawn",
        "studio": "1",
        "performers": ["1", "2"],
        "groups": [{"group": "4", "scene_index": 2}],
        "play_history": ["2026-01-01T00:00:00Z", "2026-02-01T00:00:00Z"],
        "stash_ids": [{"endpoint": "https://a.example", "stash_id": "x-1"}],
        "files": [
            {"path": "/m/a.mp4", "fingerprints": [{"type": "oshash", "value": "aa"}, {"type": "phash", "value": "f0"}]},
            {"path": "/m/b.mp4", "fingerprints": []},
        ],
        "custom_fields": {"place": "north"},
    },
)
KNOWN = {
    ("performer", "1"): {"name": "Ada Wren", "disambiguation": "camera", "tags": ["9"]},
    ("performer", "2"): {"name": "Bo Lark", "disambiguation": None, "tags": []},
    ("studio", "1"): {"name": "Tide House", "parent": None},
    ("tag", "9"): {"name": "Boat"},
    ("group", "4"): {"name": "Coasts"},
}


def names(kind, uid):
    return KNOWN.get((kind, uid))


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("id", "7"),
        ("title", "Dawn"),
        ("performers", ["1", "2"]),
        ("performers.name", ["Ada Wren", "Bo Lark"]),
        ("performers.label", ["Ada Wren (camera)", "Bo Lark"]),
        ("performers.id", ["1", "2"]),
        ("performers.tags.name", ["Boat"]),
        ("performers.count", 2),
        ("performers.first.name", "Ada Wren"),
        ("files.last.path", "/m/b.mp4"),
        ("studio.name", "Tide House"),
        ("studio.parent.name", None),
        ("groups.group.name", ["Coasts"]),
        ("groups.scene_index", [2]),
        ("files.path", ["/m/a.mp4", "/m/b.mp4"]),
        ("files.first.path", "/m/a.mp4"),
        ("files.fingerprints.phash", ["f0", None]),
        ("stash_ids.https://a", None),
        ("performers.tags.first.name", ["Boat", None]),
        ("performers.tags.count", 1),
        ("play_history.count", 2),
        ("play_history.last", "2026-02-01T00:00:00Z"),
        ("o_history.last", None),
        ("stash_ids.endpoint", ["https://a.example"]),
        ("custom_fields.place", "north"),
    ],
)
def test_a_path_gives_what_it_says(path, expected):
    assert value(parse(KINDS["scene"], path), SCENE, names) == expected


def test_a_reference_that_is_not_known_is_called_by_its_uid():
    assert value(parse(KINDS["scene"], "performers.label"), SCENE, lambda k, u: None) == ["1", "2"]


@pytest.mark.parametrize(
    ("path", "near"),
    [("titel", "title"), ("performers.nam", "name"), ("files.pth", "path"), ("studio.parent.nme", "name")],
)
def test_a_wrong_step_is_told_with_the_nearest_name(path, near):
    with pytest.raises(UnknownName, match=f"did you mean '{near}'"):
        parse(KINDS["scene"], path)


def test_nothing_follows_the_end_of_a_path():
    with pytest.raises(UnknownName):
        parse(KINDS["scene"], "play_history.count.more")


def test_globs_give_fields_and_parts_in_the_order_of_the_table():
    assert [path.text for path in expand(KINDS["scene"], "play_*")] == ["play_history", "play_duration"]
    assert "files.path" not in [path.text for path in expand(KINDS["scene"], "*")]
    assert "files.path" in [path.text for path in expand(KINDS["scene"], "files.*")]
    with pytest.raises(UnknownName):
        expand(KINDS["scene"], "zz*")


def test_every_column_of_every_sheet_is_a_path():
    for kind in KINDS.values():
        columns = sheet_columns(kind, kind.names())
        assert len({column.header for column in columns}) == len(columns)


def test_kinds_are_named_singular_plural_or_by_glob():
    assert match_kinds("tags, scene,g*") == ("scene", "gallery", "group", "tag")
    with pytest.raises(UnknownName, match="did you mean 'scene'"):
        match_kinds("scen")


def test_field_lists_tell_all_that_is_wrong_at_once():
    with pytest.raises(PortabilityError) as told:
        parse_fields(["scene:titel", "tgs:name", "scene"])
    assert "titel" in str(told.value)
    assert "tgs" in str(told.value)
    assert "KIND:FIELD" in str(told.value)


def test_field_lists_add_up():
    columns = parse_fields(["scene:title,date;tag:name", "scene:studio.name"])
    assert [column.header for column in columns["scene"]] == ["title", "date", "studio.name"]
    assert fields_read(columns["scene"]) == {"title", "date", "studio"}


def test_a_profile_picks_renames_orders_joins_and_formats():
    profile = parse_profile(
        {
            "kinds": {
                "scenes": {"columns": ["date", {"field": "performers.name", "name": "Cast", "join": ", "}]},
                "tag": None,
            },
            "privacy": "share",
        },
        "mine",
    )
    cast = Column("Cast", parse(KINDS["scene"], "performers.name"), ", ", "")
    assert profile.columns == {"scene": (Column("date", parse(KINDS["scene"], "date")), cast), "tag": ()}
    assert profile.options == {"privacy": "share"}


@pytest.mark.parametrize(
    "document",
    [
        [],
        {"kind": {}},
        {"kinds": []},
        {"kinds": {"scene": {"columns": "title"}}},
        {"kinds": {"scene": {"colums": ["title"]}}},
        {"kinds": {"scene": {"columns": [{"name": "x"}]}}},
        {"kinds": {"scene": {"columns": [{"field": "title", "sort": 1}]}}},
        {"kinds": {"scene": {"columns": [{"field": "play_*", "name": "x"}]}}},
        {"kinds": {"scene": {"columns": ["title", "title"]}}},
        {"kinds": {"scenery": None}},
    ],
)
def test_a_wrong_profile_is_refused(document):
    with pytest.raises((BadProfile, UsageError)):
        parse_profile(document, "mine")


def test_only_the_fields_that_are_looked_at_are_read_of_referred_records():
    paths = [
        parse(KINDS["scene"], text) for text in ("performers.tags.name", "studio.label", "title", "groups.group.id")
    ]
    assert fields_through(paths) == {
        "performer": frozenset({"tags"}),
        "tag": frozenset({"name"}),
        "studio": frozenset({"name"}),
    }


def test_lookup_reads_names_through_references_under_the_uid_they_are_written_with():
    library = MemoryLibrary([
        Record("performer", "1", {"name": "Ada Wren", "disambiguation": None, "tags": ["9"]}),
        Record("tag", "9", {"name": "Boat"}),
    ])  # fmt: skip
    columns = {"scene": [Column("x", parse(KINDS["scene"], "performers.tags.name"))]}

    def shout(kind):
        return lambda records: [Record(one.kind, f"new-{one.uid}", one.data) for one in records]

    lookup = Lookup(library, columns, shout)
    assert lookup.needed("scene")
    assert not lookup.needed("tag")
    lookup.prepare([SCENE])
    assert lookup("tag", "new-9") == {"name": "Boat"}
    assert lookup("tag", "9") is None
