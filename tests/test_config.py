"""Arguments become options, and every mistake is told at once."""

from pathlib import Path

import pytest

from stash_portability.config import export_options
from stash_portability.errors import BadFilter, NotIncluded, PortabilityError, UsageError
from stash_portability.kinds import KINDS


def options(**arguments):
    return export_options({"from": "http://localhost:9999", "to": "out", **arguments}, {})


@pytest.mark.parametrize(
    ("arguments", "form", "shape", "to"),
    [
        ({}, "jsonl", "folder", "out"),
        ({"to": "a.csv"}, "csv", "file", "a.csv"),
        ({"to": "a.yml"}, "yaml", "file", "a.yml"),
        ({"to": "a.zip"}, "jsonl", "zip", "a.zip"),
        ({"to": "a.zip", "format": "xml"}, "xml", "zip", "a.zip"),
        ({"to": "a", "compress": "zip"}, "jsonl", "zip", "a.zip"),
        ({"to": "scenes.ndjson"}, "jsonl", "file", "scenes.ndjson"),
    ],
)
def test_the_output_decides_format_and_shape(arguments, form, shape, to):
    checked = options(**arguments)
    assert (checked.form, checked.shape, checked.to) == (form, shape, Path(to))


def test_a_sheet_without_a_kind_is_one_of_scenes():
    assert options(to="a.csv").kinds == ("scene",)
    assert options(to="a.csv").sheet
    assert not options(to="folder", format="csv").sheet


def test_everything_is_the_default():
    checked = options()
    assert checked.kinds == tuple(KINDS)
    assert (checked.closure, checked.privacy) == ("full", "full")


def test_a_filter_without_a_kind_is_one_of_scenes():
    assert options(filter='{"title": {"value": "a", "modifier": "INCLUDES"}}').kinds == ("scene",)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"format": "jsonn"}, "did you mean 'json'"),
        ({"kinds": "scenes,tgs"}, "'tgs'; did you mean 'tag"),
        ({"fields": ["scene:titel"]}, "did you mean 'title'"),
        ({"privacy": "shared"}, "did you mean 'share'"),
        ({"closure": "ful"}, "did you mean 'full'"),
        ({"compress": "rar"}, "there is zip"),
        ({"filter": "{"}, "line 1 column 2"),
        ({"filter": "[1]"}, "must be a JSON object"),
        ({"filter": "[" * 100_000}, "nested too deeply"),
        ({"filter": "@/no/such/file"}, "cannot be read"),
        ({"since": "yesterday"}, "is not a date"),
        ({"to": "a.csv", "kinds": "scene,tag"}, "one sheet holds one kind"),
        ({"ids": "1", "filter": "{}"}, "cannot be used together"),
        ({"ids": "1", "kinds": "scene,tag"}, "chooses records of one kind"),
        ({"ids": "1", "since": "2026-01-01"}, "does not go with"),
        ({"blobs": True, "to": "a.csv"}, "--blobs needs a folder"),
        ({"csv_safe": True, "format": "xml"}, "--csv-safe is for csv"),
        ({"bom": True, "format": "json"}, "--bom is for csv"),
        ({"to": ""}, "--to is missing"),
        ({"from": ""}, "--from is missing"),
        ({"profile": "/no/such/profile.yaml"}, "profile file"),
        ({"to": "a.csv", "format": "jsonl"}, "does not end like jsonl"),
        ({"to": "a.xlsx"}, "does not end like jsonl"),
        ({"to": "-"}, "is not possible"),
        ({"to": "~no-such-user/a"}, "is no path"),
        ({"ids": ","}, "names no id"),
        ({"ids": [""]}, "--ids is empty"),
        ({"filter": ""}, "--filter is empty"),
        ({"saved_filter": ""}, "--saved-filter is empty"),
        ({"kinds": ""}, "--kinds is empty"),
        ({"privacy": ""}, "--privacy is empty"),
        ({"since": ""}, "--since is empty"),
        ({"kinds": ["scene"]}, "--kinds must be text"),
        ({"ids": 7}, "--ids must be text"),
        ({"to": "a\0b"}, "NUL"),
        ({"since": "0001-01-01T00:00+05:00"}, "is not a date"),
        ({"fields": ["scene:title,title"]}, "names scene:title twice"),
        ({"api_key_file": "/no/such/key"}, "key file"),
        ({"ids": []}, "--ids is empty"),
        ({"query": ""}, "--query is empty"),
        ({"query": 7}, "--query must be text"),
        ({"narrow": ""}, "--narrow is empty"),
        ({"narrow": "{"}, "--narrow cannot be used: it is not JSON: Expecting"),
        ({"narrow": "[1]"}, '--narrow cannot be used: it must be a JSON object, such as {"tags"'),
        ({"narrow": "[" * 100_000}, "nested too deeply"),
        ({"narrow": ["a"]}, "--narrow must be text"),
        ({"narrow": "@/no/such/file"}, "the narrow file /no/such/file cannot be read"),
        ({"narrow": {"tag": {}}}, "did you mean 'tags'"),
        ({"narrow": {"date": {"from": "2024"}}, "kinds": "performer"}, "no narrowing of performers named 'date'"),
        ({"narrow": {"rating": {"from": 1}}, "kinds": "scene,tag"}, "--narrow chooses records of one kind"),
        ({"narrow": {"rating": {"from": 1}}, "since": "2026-01-01"}, "--since does not go with --narrow"),
        ({"query": "reed", "kinds": "scene,tag"}, "--query chooses records of one kind"),
        ({"query": "reed", "ids": "1"}, "--query goes beside --filter or alone, not with --ids"),
        ({"query": "reed", "saved_filter": "mine"}, "not with --saved-filter"),
    ],
)
def test_a_mistake_is_told_in_one_line(arguments, message):
    with pytest.raises(UsageError) as told:
        options(**arguments)
    assert message in str(told.value)
    assert "\n" not in str(told.value)
    assert told.value.exit_code == 2


def test_all_mistakes_are_told_at_once():
    with pytest.raises(PortabilityError) as told:
        options(format="jsonn", kinds="tgs", privacy="none", since="x")
    assert all(word in str(told.value) for word in ("jsonn", "tgs", "none", "--since"))


def test_what_is_empty_or_no_text_does_not_hide_the_other_mistakes():
    with pytest.raises(PortabilityError) as told:
        options(format="jsonn", ids=[], query=7, privacy="none", since="")
    words = ("'jsonn'", "--ids is empty", "--query must be text", "'none'", "--since is empty")
    assert [str(told.value).count(word) for word in words] == [1] * 5


def test_what_comes_later_is_said_to_come_later():
    with pytest.raises(NotIncluded):
        options(to="a", compress="7z")


def test_a_filter_can_lie_in_a_file(tmp_path):
    path = tmp_path / "f.json"
    path.write_text('{"organized": true}', encoding="utf-8")
    assert options(filter=f"@{path}").criteria == {"organized": True}
    path.write_bytes(b"\xff\xfe")
    with pytest.raises((BadFilter, UsageError)):
        options(filter=f"@{path}")


def test_a_search_or_a_narrowing_without_a_kind_is_one_of_scenes(tmp_path):
    assert options(query="reed bed").kinds == ("scene",)
    path = tmp_path / "n.json"
    path.write_text('{"rating": {"from": 60}}', encoding="utf-8")
    for narrow in ('{"rating": {"from": 60}}', {"rating": {"from": 60}}, f"@{path}"):
        checked = options(narrow=narrow)
        assert (checked.kinds, checked.narrow, checked.choosing) == (("scene",), {"rating": {"from": 60}}, True)
    assert options(filter={}, query="reed", narrow={"date": {"to": "2024"}}).query == "reed"


@pytest.mark.parametrize("narrow", [None, {}, "{}", {"tags": {"ids": []}, "date": {}}])
def test_a_narrowing_that_narrows_nothing_is_none(narrow):
    checked = options(narrow=narrow)
    assert (checked.kinds, checked.narrow, checked.choosing) == (tuple(KINDS), {}, False)


def test_a_saved_filter_brings_its_own_kind_to_a_narrowing():
    checked = options(saved_filter="mine", narrow={"date": {"from": "2024"}})
    assert (checked.kinds, checked.narrow) == (tuple(KINDS), {"date": {"from": "2024-01-01"}})


@pytest.mark.parametrize(
    ("given", "utc"),
    [
        ("2026-05-01", "2026-05-01T00:00:00Z"),
        ("2026-05-01T20:00:00Z", "2026-05-01T20:00:00Z"),
        ("2026-05-01T20:00:00+02:00", "2026-05-01T18:00:00Z"),
    ],
)
def test_since_is_utc(given, utc):
    assert options(since=given).since == utc


def test_the_key_comes_from_a_file_or_the_environment_and_is_never_shown(tmp_path):
    path = tmp_path / "key"
    path.write_text("SECRETKEY\n", encoding="utf-8")
    checked = options(api_key_file=str(path))
    assert checked.api_key == "SECRETKEY"
    assert "SECRETKEY" not in repr(checked)
    assert export_options({"from": "x", "to": "y"}, {"STASH_API_KEY": "K"}).api_key == "K"


def test_a_profile_sets_what_the_command_line_does_not(tmp_path):
    path = tmp_path / "p.yaml"
    path.write_text("privacy: share\nformat: json\nkinds: {scene: {columns: [title]}}\n", encoding="utf-8")
    assert options(profile=str(path)).privacy == "share"
    assert options(profile=str(path), privacy="public").privacy == "public"
    assert options(profile=str(path)).form == "json"
    assert options(profile=str(path)).kinds == ("scene",)
    assert options(profile=str(path), to="a.csv").form == "csv", "the ending says more than the profile"


def test_settings_stand_behind_a_profile_and_a_profile_behind_the_arguments(tmp_path):
    path = tmp_path / "p.yaml"
    path.write_text("privacy: share\nformat: csv\nkinds: {scene: {columns: [title]}}\n", encoding="utf-8")
    settings = {"privacy": "full", "format": "json", "stem": "exports/now"}

    def checked(**arguments):
        return export_options({"from": "x", **arguments}, {}, settings)

    assert (checked().privacy, checked().to) == ("full", Path("exports/now.json"))
    assert (checked(profile=str(path)).privacy, checked(profile=str(path)).to) == ("share", Path("exports/now.csv"))
    assert checked(profile=str(path), privacy="public").privacy == "public"
    assert (checked(blobs="true").shape, checked(blobs="false").to) == ("folder", Path("exports/now.json"))
    assert checked(format="csv").shape == "folder"


@pytest.mark.parametrize(
    "text", ["kinds: [", "- 1", "kinds: {scene: {columns: [{field: title, nam: x}]}}", "!!python/object:os.x {}"]
)
def test_a_broken_profile_is_refused(tmp_path, text):
    path = tmp_path / "p.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(UsageError):
        options(profile=str(path))


def test_stash_gives_switches_as_text():
    assert options(blobs="true").blobs
    assert not options(blobs="false").blobs


@pytest.mark.parametrize("name", ["spreadsheet", "sharing", "everything"])
def test_the_example_profiles_are_right(name):
    examples = Path(__file__).parent.parent / "examples" / "profiles"
    to = "a.csv" if name == "spreadsheet" else "out"
    assert options(profile=str(examples / f"{name}.yaml"), to=to)


def test_of_a_template_that_is_no_good_only_that_is_told():
    with pytest.raises(UsageError) as problem:
        export_options({"from": "x", "to": "a.csv", "template": {"record": "x", "ending": "txt", "escape": "htm"}}, {})
    assert "there is no escape named 'htm'" in str(problem.value)
    assert "does not end like" not in str(problem.value)
