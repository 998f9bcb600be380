"""What a restore can be told, and how mistakes are told: all at once."""

import pytest

from stash_portability.errors import UsageError
from stash_portability.restore_options import RestoreOptions, parse_selection, restore_options

ASKED = {"archive": "a.zip", "to": "http://localhost:9999"}


def options(**given):
    return restore_options({**ASKED, **given}, {})


def test_nothing_said_is_everything_but_settings_merged():
    found = options()
    assert (found.kinds, found.ids, found.links, found.config, found.mode) == ((), {}, False, (), "merge")
    assert found.prefer == {"": "fill"}
    assert found.archive.is_absolute()


def test_kinds_records_and_strategies():
    found = options(
        ids=["scene:2,1", "scene:10", "tag:7"], prefer=["source", "scene.title=newer", "tag=union"], mode="merge",
        links=True,
    )  # fmt: skip
    assert found.ids == {"scene": ("1", "2", "10"), "tag": ("7",)}
    assert found.kinds == ("scene", "tag")
    assert found.prefer == {"": "source", "scene.title": "newer", "tag": "union"}
    assert options(kinds="tags", ids=["7,8"]).ids == {"tag": ("7", "8")}
    assert options(ids={"tag": ["7"]}, prefer={"scene": "source"}).kinds == ("tag",)


def test_settings_are_named_one_by_one():
    assert options(config=["ui,interface", "dlna"]).config == ("ui", "interface", "dlna")
    assert options(config=["ui"]).kinds == ("config",)
    assert options(config=["ui"], kinds="tag").kinds == ("tag",)


def test_options_come_back_from_a_plan_without_the_key():
    found = options(ids=["scene:1"], config=["ui"])
    keyed = restore_options({**ASKED, "ids": ["scene:1"], "config": ["ui"]}, {"STASH_API_KEY": "sesame"})
    assert "sesame" not in repr(keyed) + repr(keyed.as_data())
    assert RestoreOptions.from_data(keyed.as_data()) == found


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"archive": ""}, "ARCHIVE is missing"),
        ({"archive": "a\0b"}, "ARCHIVE is missing"),
        ({"to": None}, "--to is missing"),
        ({"kinds": "tagg"}, "did you mean 'tag'"),
        ({"kinds": "config"}, "name them with --config"),
        ({"config": ["uii"]}, "did you mean 'ui'"),
        ({"ids": ["1,2"]}, "does not say of which kind"),
        ({"ids": ["scene:"]}, "names no id"),
        ({"ids": ["scene:x"]}, "'x', which is no id"),
        ({"ids": ["scene:-1"]}, "is no id"),
        ({"ids": ["scen:1"]}, "did you mean 'scene'"),
        ({"ids": ["config:1"]}, "no kind named 'config'"),
        ({"ids": ["tag:1"], "kinds": "tag,scene"}, "--kinds names scene, of which no record was chosen"),
        ({"mode": "mirror"}, "there is merge, replace"),
        ({"prefer": ["sourc"]}, "did you mean 'source'"),
        ({"prefer": ["scen=source"]}, "did you mean 'scene'"),
        ({"prefer": ["scene.titel=source"]}, "did you mean 'title'"),
        ({"prefer": ["source"], "mode": "replace"}, "cannot be used with --mode replace"),
        ({"selection": "nowhere.txt"}, "cannot be read"),
        ({"api_key_file": "nowhere.key"}, "cannot be read"),
    ],
)
def test_a_mistake_is_told(given, told):
    with pytest.raises(UsageError, match=told.replace("(", r"\(")):
        options(**given)


def test_all_mistakes_are_told_at_once():
    with pytest.raises(UsageError) as caught:
        restore_options({"kinds": "tagg", "mode": "mirror", "prefer": ["x", "scene.y=source"], "config": ["z"]}, {})
    for word in ("ARCHIVE", "--to", "tagg", "mirror", "'x'", "'y'", "'z'"):
        assert word in str(caught.value)


def test_an_edited_selection_is_read():
    lines = ["# a heading", "", "tag 7  # Water # 2", "#tag 8", "scene 12", "tag 10 # b", "config ui # ui", "tag 7"]
    assert parse_selection(lines) == {"tag": ("7", "10"), "scene": ("12",)}


@pytest.mark.parametrize(
    ("lines", "told"),
    [
        (["tag 1", "tag"], "line 2"),
        (["tag x"], "line 1"),
        (["tag 1 2"], "line 1"),
        (["tagg 1"], "did you mean 'tag'"),
        (["# tag 1"], "names no record"),
        (["config ui"], "names no record"),
    ],
)
def test_a_selection_that_is_none_is_told(lines, told):
    with pytest.raises(UsageError, match=told):
        parse_selection(lines)


def test_a_selection_of_another_program_may_begin_with_a_mark(tmp_path):
    path = tmp_path / "chosen.txt"
    path.write_bytes("\ufefftag 7\r\nscene 1\r\n".encode())
    assert options(selection=str(path)).ids == {"tag": ("7",), "scene": ("1",)}
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(UsageError, match="cannot be read"):
        options(selection=str(path))
    with pytest.raises(UsageError, match="cannot be used together"):
        path.write_text("tag 7\n")
        options(selection=str(path), ids=["tag:7"])
