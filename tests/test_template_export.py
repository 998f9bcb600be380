"""Exports by a template as a whole, through commands.export; and the shipped ones over the demo library."""

import csv
import io
import json
import zipfile
from pathlib import Path

import pytest

from stash_portability.commands import export
from stash_portability.config import export_options
from stash_portability.errors import BadTemplate, OutputNotUsable, Unreadable
from stash_portability.means import Means
from stash_portability.progress import Quiet

ROOT = Path(__file__).parent.parent
DEMO = str(ROOT / "examples" / "demo")
SHIPPED = ROOT / "examples" / "templates"


def make(to, template, **more):
    options = export_options({"from": DEMO, "to": str(to), "template": template, **more}, {})
    return export(options, Quiet(), Means())


def made(tmp_path, template, ending="txt", **more):
    path = tmp_path / f"out.{ending}"
    make(path, {"name": "t", "ending": ending, **template}, **more)
    return path.read_text("utf-8")


def test_references_are_shown_by_name_though_their_records_are_not_exported(tmp_path):
    record = "{{ title }}|{{ studio.name }}|{{ performers.name|join(', ') }}|{{ tags|length }}\n"
    first = made(tmp_path, {"record": record}).splitlines()[0]
    assert first == "Tidal Flats at Dawn|Marram Pictures|Wren Hollis, Odd Sandvik|3"
    report = make(tmp_path / "again.txt", {"ending": "txt", "record": record})
    assert report.references_left_out == 0
    assert report.counts == {"scene": 11}


def test_path_rules_hold_in_templates(tmp_path):
    text = made(tmp_path, {"record": "{{ path }}\n"}, path=["/media/films=M:\\films"])
    assert "M:\\films\\Tidal Flats at Dawn.mkv" in text


def test_a_sheet_of_ones_own(tmp_path):
    template = {"record": "{{ title }},{{ rating100 }},{{ tags.name|join('; ') }}\r\n", "escape": "csv"}
    path = tmp_path / "a.csv"
    make(path, {"ending": "csv", **template})
    rows = list(csv.reader(io.StringIO(path.read_text("utf-8"), newline="")))
    assert len(rows) == 11
    assert all(len(row) == 3 for row in rows)


def test_json_of_ones_own(tmp_path):
    template = {"header": "[", "record": '{"t": {{ title }}, "r": {{ rating100 }}}', "between": ",", "footer": "]"}
    assert len(json.loads(made(tmp_path, template, "json"))) == 11


def test_a_file_for_each_record_in_a_zip(tmp_path):
    template = {"ending": "md", "record": "# {{ name }}\n", "one_file": "record", "file_name": "{{ name }}"}
    make(tmp_path / "cards.zip", template, kinds="performer")
    with zipfile.ZipFile(tmp_path / "cards.zip") as cards:
        assert "Odd Sandvik.md" in cards.namelist()
        assert len(set(map(str.casefold, cards.namelist()))) == len(cards.namelist())


def test_a_file_for_each_kind(tmp_path):
    make(tmp_path / "out", {"ending": "txt", "record": "{{ label }}\n", "one_file": "kind", "kinds": ["tag", "studio"]})
    assert {path.name for path in (tmp_path / "out").iterdir()} == {"tags.txt", "studios.txt", "manifest.json"}


@pytest.mark.parametrize("to", ["out", "out.zip", "out.txt"])
def test_an_export_is_replaced_by_the_next_and_nothing_else_is(tmp_path, to):
    template = {"ending": "txt", "record": "{{ label }}\n"}
    make(tmp_path / to, template)
    make(tmp_path / to, template, overwrite=True)
    foreign = tmp_path / "foreign"
    foreign.mkdir()
    (foreign / "letter.txt").write_text("mine")
    with pytest.raises(OutputNotUsable):
        make(foreign, template, overwrite=True)
    assert (foreign / "letter.txt").read_text() == "mine"


def test_what_a_template_made_is_no_library(tmp_path):
    make(tmp_path / "out", {"ending": "txt", "record": "{{ label }}\n"})
    options = export_options({"from": str(tmp_path / "out"), "to": str(tmp_path / "b.json")}, {})
    with pytest.raises(Unreadable):
        export(options, Quiet(), Means())


def test_a_mistake_leaves_nothing(tmp_path):
    with pytest.raises(BadTemplate, match=r"in record, line 2: .*'titel'.*did you mean 'title'"):
        made(tmp_path, {"record": "{{ date }}\n{{ titel }}\n"})
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("path", sorted(SHIPPED.glob("*.yaml")), ids=lambda path: path.stem)
@pytest.mark.parametrize("privacy", ["full", "share", "public"])
def test_the_shipped_templates_work_at_every_level(tmp_path, path, privacy):
    report = make(tmp_path / "out", str(path), privacy=privacy)
    assert report.counts["scene"] == 11
    assert not report.skipped
    text = "".join(found.read_text("utf-8") for found in (tmp_path / "out").glob("*.[hm]*"))
    assert ("/media/films" in text) <= (privacy == "full")
    assert ("Wren Hollis" in text) == (privacy != "public" and ("playlist" not in path.stem or privacy == "full"))


def test_the_gallery_has_its_pictures_beside(tmp_path):
    make(tmp_path / "gallery", str(SHIPPED / "gallery-html.yaml"))
    page = (tmp_path / "gallery" / "index.html").read_text("utf-8")
    pictures = [f"pictures/{path.name}" for path in (tmp_path / "gallery" / "pictures").glob("*")]
    assert pictures
    assert any(f'"{name}"' in page for name in pictures)
    assert "Wren Hollis" in page


def test_the_playlist_has_names_and_paths(tmp_path):
    make(tmp_path / "list.m3u8", str(SHIPPED / "playlist-m3u.yaml"))
    lines = (tmp_path / "list.m3u8").read_text("utf-8").splitlines()
    assert lines[:3] == [
        "#EXTM3U",
        "#EXTINF:1404,Wren Hollis, Odd Sandvik - Tidal Flats at Dawn",
        "/media/films/Tidal Flats at Dawn.mkv",
    ]
