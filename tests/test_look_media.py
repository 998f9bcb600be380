"""A preview of NFO files or of a template is what the export then writes."""

import random
import zipfile

import pytest

from stash_portability import glass, look
from stash_portability.commands import export
from stash_portability.config import export_options
from stash_portability.errors import BadTemplate
from stash_portability.kinds import KINDS, LEVELS
from stash_portability.libraries.memory import MemoryLibrary
from stash_portability.libraries.nfo.dialects import DIALECTS
from stash_portability.look import preview
from stash_portability.means import Means
from stash_portability.model import Record
from stash_portability.progress import Quiet

from .test_look import STILL, Counting, demo, tags

__all__ = ["demo"]

LIST = {
    "ending": "txt",
    "header": "{{ privacy }} {{ kind }}:\n",
    "record": "{{ number }} {{ label }}\n",
    "between": "--\n",
    "footer": "that is all\n",
}


def written(options):
    """The texts an export wrote, by member."""
    if options.shape == "file":
        return {"": options.to.read_text("utf-8")}
    if options.shape == "zip":
        with zipfile.ZipFile(options.to) as archive:
            return {name: archive.read(name).decode("utf-8", "replace") for name in archive.namelist()}
    return {str(path.relative_to(options.to)): path.read_text("utf-8", "replace") for path in options.to.rglob("*.txt")}


def looked(source, **arguments):
    options = export_options({"from": "memory", **arguments}, {})
    shown = preview(options, source, STILL)
    assert not options.to.exists()
    report = export(options, Quiet(), STILL, source)
    assert shown["form"] == options.form
    assert shown["count"] == report.counts[shown["kind"]]
    assert shown["records"] == min(glass.SHOWN, shown["count"])
    return shown, options


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("ending", ["", ".zip", ".txt"])
def test_what_a_template_shows_is_the_beginning_of_what_it_writes(demo, tmp_path, level, ending):
    shown, options = looked(demo, to=str(tmp_path / f"out{ending}"), template=LIST, privacy=level)
    (text,) = [
        text for name, text in written(options).items() if name != "manifest.json" and not name.startswith("pictures/")
    ]
    assert text.startswith(shown["text"])
    assert shown["text"].count("--\n") == 4
    assert shown["guess"]["bytes"] >= len(text.encode()) // 2


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "config"])
def test_every_kind_can_be_shown_by_a_template(demo, tmp_path, kind):
    shown, options = looked(demo, to=str(tmp_path / "a.txt"), template=LIST, kinds=kind)
    assert shown["kind"] == kind
    assert written(options)[""].startswith(shown["text"])


def test_files_of_their_own_are_shown_one_after_another(demo, tmp_path):
    one = {**LIST, "one_file": "record", "file_name": "{{ title }}", "between": ""}
    shown, options = looked(demo, to=str(tmp_path / "out"), template=one)
    made = written(options)
    first = shown["text"].split("\n# ")
    assert len(first) == glass.SHOWN
    for part in first:
        name, _, text = part.removeprefix("# ").partition("\n")
        assert made[name].rstrip("\n") == text.rstrip("\n")


def test_pictures_are_named_as_they_are_written(demo, tmp_path):
    pictured = {**LIST, "record": "{{ image }}\n", "between": "", "header": "", "kinds": ["performer"], "images": True}
    shown, options = looked(demo, to=str(tmp_path / "out.zip"), template=pictured)
    named = [line for line in shown["text"].splitlines() if line.startswith("pictures/")]
    assert named
    assert set(named) <= set(written(options))


def test_a_mistake_in_any_record_that_is_read_is_told():
    template = {**LIST, "record": "{{ 1 // (number - 20) }}"}
    options = export_options({"from": "x", "to": "out.txt", "template": template, "kinds": "tag"}, {})
    with pytest.raises(BadTemplate, match="record, line 1"):
        preview(options, MemoryLibrary(tags(30)), STILL)
    assert preview(options, MemoryLibrary(tags(9)), STILL)["records"] == 5


def test_a_template_has_what_is_left_of_the_time():
    loops = "{% for a in range(9999) %}{% for b in range(9999) %}{% endfor %}{% endfor %}"
    options = export_options({"from": "x", "to": "out.txt", "template": {**LIST, "record": loops}, "kinds": "tag"}, {})
    with pytest.raises(BadTemplate, match="more than 1 seconds"):
        preview(options, MemoryLibrary(tags(3)), STILL, 1.0)


def test_nothing_chosen_is_shown_as_nothing():
    for arguments in ({"template": LIST, "to": "a.txt"}, {"format": "nfo", "to": "a"}):
        options = export_options({"from": "x", "kinds": "scene", "ids": "9", **arguments}, {})
        shown = preview(options, MemoryLibrary([Record("scene", "1", {"title": "Heron", "files": []})]), STILL)
        assert (shown["count"], shown["records"], shown["text"]) == (0, 0, "")
        assert shown["guess"] == {"bytes": 0, "seconds": 0}


@pytest.mark.parametrize("level", ["full", "share"])
@pytest.mark.parametrize("profile", DIALECTS)
def test_nfo_files_are_shown_as_they_are_written(demo, tmp_path, profile, level):
    shown, options = looked(demo, to=str(tmp_path / "out"), format="nfo", nfo_profile=profile, privacy=level)
    for part in shown["text"].split("\n# "):
        place, _, text = part.removeprefix("# ").partition("\n")
        with open(place, encoding="utf-8") as file:  # noqa: PTH123 - the place is a text
            assert file.read().rstrip("\n") == text.rstrip("\n")
    assert len(list(options.to.rglob("*.nfo"))) > 10


def test_rules_are_seen_in_the_places(demo):
    arguments = {"format": "nfo", "beside_media": True, "path": ["/media/films=/elsewhere"]}
    shown = preview(export_options({"from": "x", **arguments}, {}), demo, STILL)
    assert shown["text"].startswith("# /elsewhere/Tidal Flats at Dawn.nfo\n")


def test_what_has_no_place_is_told_by_its_reason():
    scenes = [Record("scene", str(number), {"title": "Heron", "files": []}) for number in (1, 2)]
    shown = preview(export_options({"from": "x", "to": "a", "format": "nfo"}, {}), MemoryLibrary(scenes), STILL)
    assert shown["text"] == ""
    assert shown["remarks"] == ["the scene has no file"]


@pytest.mark.parametrize("arguments", [{"format": "nfo", "to": "a"}, {"template": LIST, "to": "a.txt"}])
def test_only_a_few_records_of_many_are_read(arguments):
    library = Counting([Record("scene", str(number), {"title": "Heron", "files": []}) for number in range(1, 3001)])
    preview(export_options({"from": "x", **arguments}, {}), library, Means(rng=random.Random(7)))
    assert library.seen <= look.SAMPLE
