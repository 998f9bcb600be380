"""What leaves at each privacy level."""

import pytest

from stash_portability.errors import UnknownName
from stash_portability.kinds import KINDS
from stash_portability.model import Record
from stash_portability.transform.paths import parse
from stash_portability.transform.redact import NameReplacer, Salt, learn_names, redactor, scrub, visible

SCENE = Record(
    "scene",
    "7",
    {
        "title": "Ada Wren at the reef",
        "urls": ["https://example.org/1?apikey=SECRET&x=1"],
        "rating100": 80,
        "performers": ["3", "1"],
        "groups": [{"group": "5", "scene_index": 2}],
        "play_history": ["2026-01-01T00:00:00Z"],
        "files": [
            {"id": "9", "path": "/media/films/a.mp4", "width": 1920, "fingerprints": [{"type": "phash", "value": "f0"}]}
        ],
        "created_at": "2026-01-01T00:00:00Z",
    },
)


def transform(level, names=None):
    return single(redactor(level, Salt(b"s" * 32), names or NameReplacer()))


def single(transforms):
    """The transform of one record instead of many: what it becomes, or None."""
    return lambda kind: lambda record: next(iter(transforms(kind)([record])), None)


def test_full_keeps_everything_but_keys_in_addresses():
    shown = transform("full")("scene")(SCENE)
    assert shown.data["urls"] == ["https://example.org/1?apikey=REMOVED&x=1"]
    assert {**shown.data, "urls": SCENE.data["urls"]} == SCENE.data


def test_share_leaves_out_paths_histories_ratings_and_the_ids_of_this_stash():
    shown = transform("share")("scene")(SCENE)
    assert set(shown.data) == {"title", "urls", "performers", "groups", "files"}
    assert shown.uid != "7"
    assert shown.data["files"] == [{"width": 1920, "fingerprints": [{"type": "phash", "value": "f0"}]}]
    assert shown.data["groups"][0]["scene_index"] == 2
    assert "5" not in shown.data["groups"][0]["group"].split()


def test_public_leaves_out_addresses_and_fingerprints_too():
    shown = transform("public")("scene")(SCENE)
    assert set(shown.data) == {"title", "performers", "groups", "files"}
    assert shown.data["files"] == [{"width": 1920}]


def test_references_stay_together_and_differ_from_export_to_export():
    one = transform("share")
    performer = one("performer")(Record("performer", "3", {"name": "Ada Wren"}))
    assert performer.uid in one("scene")(SCENE).data["performers"]
    other = single(redactor("share", Salt(b"t" * 32), NameReplacer()))("performer")(Record("performer", "3", {}))
    assert other.uid != performer.uid


def test_public_performers_get_pseudonyms_that_stand_for_them_in_texts_too():
    salt, names = Salt(b"s" * 32), NameReplacer()
    ada = Record("performer", "3", {"name": "Ada Wren", "aliases": ["Wren", "A. Wren"]})
    learn_names([ada], salt, names)
    transforms = single(redactor("public", salt, names))
    called = transforms("performer")(ada)
    assert called.data == {"name": salt.pseudonym("3")}
    assert transforms("scene")(SCENE).data["title"] == f"{salt.pseudonym('3')} at the reef"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("ADA  WREN's garden", "P's garden"),
        ("#ada_wren", "#P"),
        ("Adam Wrenley", "Adam Wrenley"),
        ("Wren and Ada Wren.", "P and P."),
        ("", ""),
        ("空の森下さん", "空のQさん"),
        ("山田花子 film, 山田 film", "R film, S film"),
        ("Jose\u0301 at sea", "T at sea"),
        ("सीता, सेतु", "U, सेतु"),
    ],
)
def test_names_are_found_however_they_are_written(text, expected):
    names = NameReplacer()
    names.add("Ada Wren", "P")
    names.add("Wren", "P")
    names.add("森下", "Q")
    names.add("山田", "S")
    names.add("山田花子", "R")
    names.add("Jos\u00e9", "T")
    names.add("सीता", "U")
    names.add("---", "never")
    assert names.replace(text) == expected


def test_whole_kinds_are_held_back():
    saved = Record("saved_filter", "1", {"name": "mine"})
    assert transform("share")("saved_filter")(saved) is None
    assert transform("full")("saved_filter")(saved) == saved


@pytest.mark.parametrize(
    "text",
    [
        "https://h/x?apikey=SECRET",
        "ApiKey: SECRET",
        "https://h/?a=1&API_KEY=SECRET&b",
        "x apikey%3DSECRET y",
        '{"apiKey":"SECRET"}',
    ],
)
def test_no_key_stays_in_any_text(text):
    for kind, data in {
        "scene": {"details": text},
        "performer": {"custom_fields": {text: 1}},
        "gallery": {"urls": ["https://h.example", text]},
        "config": {"settings": {"css": text}},
        "group": {"containing_groups": [{"group": "1", "description": text}]},
        "image": {"files": [{"path": text, "fingerprints": [{"type": "own", "value": text}]}]},
    }.items():
        assert "SECRET" not in str(scrub([Record(kind, "1", {}), Record(kind, "2", data)]))


def test_an_unknown_level_is_named_with_the_nearest():
    with pytest.raises(UnknownName, match="did you mean 'public'"):
        transform("publik")


@pytest.mark.parametrize(
    ("path", "levels"),
    [
        ("title", ["full", "share", "public"]),
        ("rating100", ["full"]),
        ("files.path", ["full"]),
        ("files.width", ["full", "share", "public"]),
        ("performers.birthdate", ["full", "share"]),
        ("performers.label", ["full", "share", "public"]),
        ("performers.tags.name", ["full", "share"]),
        ("files.id", ["full"]),
        ("performers.id", ["full", "share", "public"]),
        ("play_history.count", ["full"]),
        ("files.fingerprints.phash", ["full", "share"]),
    ],
)
def test_a_column_is_shown_only_where_every_step_is_let_out(path, levels):
    checked = parse(KINDS["scene"], path)
    assert [level for level in ("full", "share", "public") if visible(checked, level)] == levels
