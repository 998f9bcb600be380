"""What an export of NFO files or by a template is told: checked as a whole, with defaults and mistakes."""

from pathlib import Path

import pytest

from stash_portability.config import export_options
from stash_portability.errors import PortabilityError

TEMPLATE = {"name": "Titles", "ending": "md", "record": "- {{ title }}\n"}


def options(**given):
    return export_options({"from": "http://localhost:9999", **given}, {})


def problem(**given):
    with pytest.raises(PortabilityError) as caught:
        options(**given)
    return str(caught.value)


def test_nfo_into_a_folder():
    chosen = options(format="nfo", to="/srv/nfo")
    assert (chosen.form, chosen.shape, chosen.to, chosen.kinds) == ("nfo", "folder", Path("/srv/nfo"), ("scene",))
    assert (chosen.nfo.profile, chosen.nfo.foreign, chosen.nfo.genres) == ("kodi", "keep", "all")
    assert (chosen.nfo.beside, chosen.nfo.allowed, chosen.blobs, chosen.closure) == (False, None, False, "none")


def test_beside_the_media_says_nfo():
    chosen = options(beside_media=True, artwork=True, nfo_profile="jellyfin", path=["/data=/media"])
    assert chosen.form == "nfo"
    assert chosen.nfo.beside
    assert chosen.blobs
    assert chosen.nfo.profile == "jellyfin"
    assert len(chosen.rules) == 1


def test_a_task_says_everything_as_text():
    chosen = options(format="nfo", to="/x", beside_media="false", artwork="true", movie_nfo="true", blobs="false")
    assert (chosen.nfo.beside, chosen.nfo.artwork, chosen.nfo.movie_nfo) == (False, True, True)


def test_nobody_can_say_where_a_task_may_write():
    assert options(format="nfo", to="/x", allowed=[Path("/")]).nfo.allowed is None


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"format": "nfo"}, "--to is missing"),
        ({"format": "nfo", "to": "all.zip"}, "go into a folder"),
        ({"format": "nfo", "to": "/x", "compress": "zip"}, "go into a folder"),
        ({"format": "nfo", "to": "/x", "beside_media": True}, "--beside-media and --to cannot be used together"),
        ({"format": "nfo", "to": "/x", "kinds": "tag,scene"}, "made of scenes only"),
        ({"format": "nfo", "to": "/x", "nfo_profile": "kodo"}, "did you mean 'kodi'"),
        ({"format": "nfo", "to": "/x", "foreign_nfo": "merg"}, "did you mean 'merge'"),
        ({"format": "nfo", "to": "/x", "closure": "full", "blobs": True}, "--closure, --blobs do not go with"),
        ({"format": "json", "to": "/x", "artwork": True}, "--artwork does not go with the format json"),
        ({"to": "x.json", "path": ["/a=/b"]}, "--path is for the formats nfo and template"),
        ({"format": "nfo", "to": "/x", "path": ["/a"]}, "OLD=NEW"),
        ({"format": "template", "to": "x.md"}, "--template is missing"),
        ({"to": "x.md"}, "does not end like jsonl"),
        ({"template": TEMPLATE, "to": "x.md", "fields": ["scene:title"]}, "--fields does not go with"),
        ({"template": {**TEMPLATE, "escap": "html"}, "to": "x.md"}, "escap"),
        ({"template": TEMPLATE, "to": "x.html"}, "does not end like md"),
        ({"template": {}, "format": "template", "to": "x.md"}, "record is missing"),
        ({"template": "/nowhere/t.yaml", "to": "x.md"}, "cannot be read"),
    ],
)
def test_mistakes_are_told(given, said):
    assert said in problem(**given)


def test_all_mistakes_are_told_at_once():
    told = problem(format="nfo", to="/x", nfo_profile="vlc", foreign_nfo="eat", kinds="tag")
    assert "vlc" in told
    assert "eat" in told
    assert "made of scenes only" in told


def test_a_template_makes_a_file_of_its_ending():
    chosen = options(template=TEMPLATE, to="list.md")
    assert (chosen.form, chosen.shape, chosen.kinds, chosen.closure) == ("template", "file", ("scene",), "none")
    assert chosen.template.name == "Titles"


def test_a_template_may_have_the_ending_of_a_format():
    chosen = options(template={**TEMPLATE, "ending": "json", "escape": "json"}, to="list.json")
    assert (chosen.form, chosen.shape) == ("template", "file")


def test_the_kinds_of_a_template():
    assert options(template={**TEMPLATE, "kinds": ["performer"]}, to="x.md").kinds == ("performer",)
    assert options(template=TEMPLATE, to="x.md", kinds="studio").kinds == ("studio",)


def test_a_file_for_each_record_needs_a_folder_or_a_zip():
    each = {**TEMPLATE, "one_file": "record", "file_name": "{{ title }}"}
    assert options(template=each, to="cards").shape == "folder"
    assert options(template=each, to="cards.zip").shape == "zip"
    assert "folder or a .zip" in problem(template=each, to="cards.md")


def test_pictures_of_a_template_lie_in_a_folder():
    pictured = {**TEMPLATE, "images": True}
    assert options(template=pictured, to="x").blobs
    assert not options(template=pictured, to="x.md").blobs


def test_a_template_from_a_file(tmp_path):
    path = tmp_path / "titles.yaml"
    path.write_text("name: Titles\nending: md\nrecord: |\n  - {{ title }}\n")
    assert options(template=str(path), to="x.md").template.record == "- {{ title }}\n"
    path.write_text("name: [")
    assert "titles.yaml" in problem(template=str(path), to="x.md")


def test_where_a_tasks_template_goes_without_a_place():
    def standing(template):
        return export_options({"from": "x", "template": template}, {}, {"format": "json", "stem": "/e/1-scenes"})

    assert standing(TEMPLATE).to == Path("/e/1-scenes.md")
    assert standing({**TEMPLATE, "one_file": "record", "file_name": "{{ title }}"}).shape == "folder"


def test_a_json_profile_needs_no_yaml(tmp_path, monkeypatch):
    path = tmp_path / "media.json"
    path.write_text('{"format": "nfo", "artwork": true, "nfo_profile": "emby"}')
    monkeypatch.setitem(__import__("sys").modules, "yaml", None)
    chosen = options(profile=str(path), to="/x")
    assert (chosen.form, chosen.nfo.profile, chosen.blobs) == ("nfo", "emby", True)


def test_the_media_server_profile():
    profile = Path(__file__).parent.parent / "examples" / "profiles" / "media-server.yaml"
    chosen = options(profile=str(profile))
    assert chosen.nfo.beside
    assert chosen.nfo.artwork
