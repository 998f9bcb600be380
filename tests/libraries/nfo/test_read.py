"""Our NFO files back: what was written is read, but for the declared losses."""

from __future__ import annotations

import os
import random

import pytest
from hypothesis import HealthCheck, given, settings

from stash_portability.errors import Unreadable
from stash_portability.libraries.nfo.dialects import DIALECTS
from stash_portability.libraries.nfo.merge import merge
from stash_portability.libraries.nfo.read import read
from stash_portability.libraries.nfo.source import NfoSource
from stash_portability.libraries.nfo.text import Mark, serialise
from stash_portability.libraries.opening import Opening, open_library
from stash_portability.model import Record, Want

from .films import HERON, LIBRARIES, NAMES, SCENES, altered, expected, made, without, written


@pytest.mark.parametrize("dialect", DIALECTS)
@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
@given(record=SCENES, names=LIBRARIES)
def test_any_scene_comes_back(dialect, record, names):
    content = written(record, dialect, names)
    found = read(content)
    assert found.record == Record("scene", "12", expected(record, names, DIALECTS[dialect]))
    assert found.record.uid == read(content.replace(b"stash-portability nfo 1", b"somebody else's")).record.uid


@pytest.mark.parametrize("dialect", DIALECTS)
def test_the_whole_scene_comes_back(dialect):
    found = read(written(dialect=dialect))
    assert found.record.data == expected(HERON, NAMES, DIALECTS[dialect])
    assert list(found.record.data) == [name for name in HERON.data if name in found.record.data]
    assert found.record.data["groups"][-1] == {"group": "Winter", "scene_index": 2}
    assert found.named["tag", "Birds"] == {"name": "Birds"}


@pytest.mark.parametrize("rating", range(101))
def test_every_rating_comes_back(rating):
    assert read(written(altered(rating100=rating))).record.data["rating100"] == rating


def test_a_missing_title_is_the_name_of_the_file_and_reads_back_as_none():
    for record in (altered(title=None), without("title")):
        content = written(record, stem="Heron -- a film")
        assert b"<title>Heron -- a film</title>" in content
        assert "title" not in read(content).record.data


def test_what_was_kept_of_another_file_is_not_read_back():
    theirs = b"<movie><plot>theirs</plot><uniqueid type='imdb'>tt1</uniqueid><mood>calm</mood></movie>"
    merged = merge(made(without("details")).element, theirs, None)
    found = read(serialise(merged.element, Mark("12", merged.kept))).record.data
    assert found == {name: value for name, value in read(written()).record.data.items() if name != "details"}


def test_a_file_that_a_media_server_wrote_anew_is_known_by_its_id():
    content = (
        b"\xef\xbb\xbf<movie><title>Heron</title><userrating>8</userrating><uniqueid type='stash'>7</uniqueid></movie>"
    )
    assert read(content).record == Record("scene", "7", {"title": "Heron", "rating100": 80})


@pytest.mark.parametrize("content", [b"", b"just words", b"<movie><title>x</title></movie>", b"\xff\xfe\0"])
def test_other_files_are_none_of_ours(content):
    assert read(content) is None


def test_values_that_were_spoilt_by_hand_are_passed_over():
    content = written().replace(b"<value>7.5<", b"<value>many<").replace(b"<position>61.5<", b"<position>?<")
    content = content.replace(b"<lastplayed>2022-02-03 09:10:11<", b"<lastplayed>2022-02-03<")
    assert not {"rating100", "resume_time", "play_history"} & set(read(content).record.data)


@pytest.fixture
def folder(tmp_path):
    below = tmp_path / "films" / "b"
    below.mkdir(parents=True)
    (tmp_path / "films" / "heron.nfo").write_bytes(written())
    (below / "heron-small.NFO").write_bytes(written(altered(title="the second file")))
    (below / "otter.nfo").write_bytes(written(altered(HERON._replace(uid="3"), title="Otter", tags=["1"])))
    (below / "other.nfo").write_bytes(b"<movie><title>not ours</title></movie>")
    (below / "words.nfo").write_bytes(b"some words")
    return tmp_path / "films"


def opened(folder, problems):
    return open_library(f"nfo:{folder}", Opening("", random.Random(1), print, problems.append))


def test_a_folder_of_nfo_files_is_a_library(folder):
    source = opened(folder, problems := [])
    about = source.about()
    assert (about.counts["scene"], about.counts["tag"], about.counts["image"]) == (2, None, 0)
    assert "2 NFO files" in about.how
    assert "2 others" in about.how
    assert [(one.uid, one.data["title"]) for one in source.read("scene")] == [("3", "Otter"), ("12", "The Heron")]
    assert list(source.read("scene", Want(frozenset(("code",)), ["12", "99"]))) == [
        Record("scene", "12", {"code": "TF-7"})
    ]
    assert problems == []


def test_what_the_scenes_name_is_there_too(folder):
    source = opened(folder, [])
    assert [one.uid for one in source.read("performer")] == ["Ada Brook", "Ada Brook (diver)"]
    assert list(source.read("studio")) == [Record("studio", "Tideline Films", {"name": "Tideline Films"})]
    assert [one.data for one in source.read("group")] == [{"name": "Winter"}]
    assert [one.uid for one in source.read("tag", Want(ids=["Birds"]))] == ["Birds"]
    assert list(source.read("image")) == []


def test_a_damaged_file_of_ours_is_told_and_left_out(folder):
    (folder / "heron.nfo").write_bytes(written()[:900])
    (folder / "b" / "heron-small.NFO").unlink()
    (folder / "id.nfo").write_bytes(b"<movie><uniqueid type='stash'>9</movie>")
    source = opened(folder, problems := [])
    assert [one.uid for one in source.read("scene")] == ["3"]
    assert sorted(str(one).rpartition("/")[2] for one in problems) == [
        "heron.nfo is left out: it is no XML about one video",
        "id.nfo is left out: it is no XML about one video",
    ]


def test_only_a_folder_can_be_one(folder):
    with pytest.raises(Unreadable, match="it is not a folder"):
        NfoSource(folder / "heron.nfo")
    with pytest.raises(Unreadable, match="no such"):
        opened(folder / "nowhere", [])


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="Windows has no pipes in folders")
def test_a_pipe_by_the_name_of_an_nfo_is_passed_over(tmp_path):
    os.mkfifo(tmp_path / "otter.nfo")
    assert NfoSource(tmp_path).about().counts["scene"] == 0
