"""Looking before exporting: a preview is what the export then writes, and counts are what it then holds."""

import csv
import io
import random
import zipfile
from itertools import count as numbers

import pytest

from stash_portability import look
from stash_portability.commands import Means, export
from stash_portability.config import export_options
from stash_portability.errors import FilterNeedsServer, UsageError
from stash_portability.kinds import KINDS, LEVELS
from stash_portability.libraries.archive import ArchiveSource
from stash_portability.libraries.memory import MemoryLibrary
from stash_portability.libraries.stash import StashSource
from stash_portability.libraries.tables.layout import FORMS
from stash_portability.look import SHOWN, count, preview
from stash_portability.model import Blob, Record, Want
from stash_portability.progress import Quiet

from .libraries.test_round_trip import DEMO
from .stub_stash import StubStash

STILL = Means(secret=lambda many: b"s" * many, rng=random.Random(7))
"""The same pseudonyms in a preview and in the export after it."""


def member(options, kind):
    """The bytes an export wrote of ``kind``."""
    name = f"{KINDS[kind].plural}.{options.form}"
    if options.shape == "zip":
        with zipfile.ZipFile(options.to) as archive:
            return archive.read(name)
    return (options.to / name if options.shape == "folder" else options.to).read_bytes()


def check_agrees(source, **arguments):
    """Preview, export, and compare what both say; give what the preview said."""
    options = export_options({"from": "memory", **arguments}, {})
    shown = preview(options, source, STILL)
    assert not options.to.exists()
    report = export(options, Quiet(), STILL, source)
    kind = shown["kind"]
    assert shown["form"] == options.form
    assert shown["count"] == report.counts.get(kind, 0)
    assert shown["records"] == min(SHOWN, shown["count"])
    text = member(options, kind).decode("utf-8-sig")
    if options.form in ("csv", "tsv"):
        delimiter = "\t" if options.form == "tsv" else ","
        lines = list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter))
        assert [shown["columns"], *shown["rows"]] == lines[: SHOWN + 1]
    else:
        assert text.startswith(shown["text"])
        assert bool(shown["text"]) == bool(shown["records"])
    return shown


@pytest.fixture(scope="module")
def demo():
    source = ArchiveSource(DEMO)
    found, blobs = [], {}
    for kind in source.about().fields:
        for record in source.read(kind, Want(blobs=True)):
            found.append(record)
            for value in record.data.values():
                if isinstance(value, Blob):
                    blobs[value.key] = source.open_blob(value).read()
    return MemoryLibrary(found, blobs)


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("ending", ["", ".zip", ".{}"])
def test_a_preview_is_the_beginning_of_the_export(demo, tmp_path, form, level, ending):
    to = tmp_path / f"out{ending.format(form)}"
    shown = check_agrees(demo, to=str(to), format=form, privacy=level)
    assert shown["kind"] == "scene"
    assert shown["guess"]["bytes"] > 0 and shown["guess"]["seconds"] > 0


@pytest.mark.parametrize("closure", ["none", "direct", "full"])
@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "config"])
def test_every_kind_can_be_looked_at_alone(demo, tmp_path, kind, closure):
    ids = [record.uid for record in demo.read(kind)]
    for numbered, chosen in enumerate((None, ids[1::2], ids[-1:])):
        arguments = {} if chosen is None else {"ids": chosen}
        to = tmp_path / f"{closure}{numbered}"
        if chosen != []:
            assert check_agrees(demo, to=str(to), kinds=kind, closure=closure, **arguments)["kind"] == kind


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "config"])
def test_every_sheet_can_be_looked_at(demo, tmp_path, kind):
    check_agrees(demo, to=str(tmp_path / "a.csv"), kinds=kind, csv_safe=True, bom=True)


def test_fields_asked_for_are_those_shown(demo, tmp_path):
    shown = check_agrees(demo, to=str(tmp_path / "a.csv"), fields=["scene:title,performers.name,rating100"])
    assert shown["columns"] == ["title", "performers.name", "rating100"]
    hidden = check_agrees(demo, to=str(tmp_path / "b.csv"), fields=["scene:title,rating100"], privacy="share")
    assert hidden["columns"] == ["title"]
    assert any("rating100" in remark for remark in hidden["remarks"])
    assert any("free text" in note for note in hidden["notes"])


def test_images_are_named_by_their_digest_and_counted_in_the_guess(demo, tmp_path):
    bare = check_agrees(demo, to=str(tmp_path / "bare"), format="jsonl", kinds="performer")
    full = check_agrees(demo, to=str(tmp_path / "full"), format="jsonl", kinds="performer", blobs=True)
    assert full["guess"]["bytes"] > bare["guess"]["bytes"]


def test_ids_that_are_not_there_are_told(demo, tmp_path):
    shown = check_agrees(demo, to=str(tmp_path / "out"), kinds="tag", ids=["1", "987654"], closure="none")
    assert shown["remarks"] == ["1 of the tags asked for do not exist"]


def tags(many, **more):
    return [Record("tag", str(number), {"name": f"Reed {number}", **more}) for number in range(1, many + 1)]


def test_what_was_changed_since_can_be_looked_at(tmp_path):
    library = MemoryLibrary(tags(7, updated_at="2026-01-01T00:00:00Z") + tags(3, updated_at="2020-01-01T00:00:00Z"))
    shown = check_agrees(library, to=str(tmp_path / "out"), since="2025-01-01", kinds="tag")
    assert shown["count"] == 4


def test_an_empty_kind_gives_way_to_one_with_records(tmp_path):
    assert check_agrees(MemoryLibrary(tags(3)), to=str(tmp_path / "out"), format="csv")["kind"] == "tag"


def test_nothing_chosen_is_shown_as_nothing(tmp_path):
    library = MemoryLibrary(tags(3))
    shown = preview(export_options({"from": "x", "to": "o.csv", "kinds": "tag", "ids": "9"}, {}), library, STILL)
    assert (shown["count"], shown["records"], shown["rows"]) == (0, 0, [])
    assert shown["columns"] == ["id", "name"]
    assert shown["guess"] == {"bytes": 0, "seconds": 0}


def test_long_texts_and_cells_are_cut():
    library = MemoryLibrary(tags(9, description="x" * 200_000))
    shown = preview(export_options({"from": "x", "to": "o.jsonl", "kinds": "tag"}, {}), library, STILL)
    assert len(shown["text"]) == look.MOST_TEXT + len(look.CUT) and shown["text"].endswith(look.CUT)
    shown = preview(export_options({"from": "x", "to": "o.csv", "kinds": "tag"}, {}), library, STILL)
    assert [len(cell) for cell in shown["rows"][0]] == [1, 6, look.MOST_CELL + len(look.CUT)]


def test_a_guess_of_a_zip_is_smaller_and_grows_with_the_library():
    def bytes_of(many, **arguments):
        options = export_options({"from": "x", "to": "out", **arguments}, {})
        return preview(options, MemoryLibrary(tags(many, description="reed bed " * 99)), STILL)["guess"]["bytes"]

    assert bytes_of(1000, compress="zip") < bytes_of(1000) / 2
    assert 18 < bytes_of(1000) / bytes_of(50) < 22


class Counting(MemoryLibrary):
    """A library that notes what is read of it."""

    def read(self, kind, want=None):
        for record in super().read(kind, want or Want()):
            self.seen = getattr(self, "seen", 0) + 1
            yield record


def test_a_preview_reads_only_a_few_records_of_many():
    library = Counting(tags(20_000))
    preview(export_options({"from": "x", "to": "out", "kinds": "tag"}, {}), library, STILL)
    assert library.seen <= look.SAMPLE


# Through GraphQL


def stash(many=30, **more):
    scenes = [{"id": str(number), "title": f"Pond {number}"} for number in range(1, many + 1)]
    stub = StubStash(scene=scenes, tag=[{"id": "1", "name": "Reed"}], **more)
    return StashSource(stub), stub


def test_a_preview_through_graphql_asks_for_no_page_of_records(tmp_path):
    source, stub = stash(3000)
    shown = check_agrees(source, to=str(tmp_path / "out"), format="jsonl", kinds="scene")
    assert shown["count"] == 3000
    looked = [variables for query, variables in stub.asked if "ids" in variables]
    assert len(looked[0]["ids"]) == look.SAMPLE


def test_counts_of_scopes_and_what_is_wrong_with_others():
    source, _ = stash()
    counts, problems = count(
        source,
        "scenes",
        {
            "all": {},
            "selected": {"ids": ["3", "4", "99", "nonsense"]},
            "filter": {"filter": {}, "query": "", "ids": None},
            "none": {"ids": []},
            "typo": {"fliter": {}},
            "file": {"filter": "@/etc/hostname"},
            "both": {"ids": ["1"], "filter": {"organized": True}},
            "unknown": {"filter": {"titel": {"value": "a"}}},
            "saved": {"saved_filter": "mine"},
            "text": "all",
        },
    )
    assert counts == {"all": 30, "selected": 2, "filter": 30}
    assert set(problems) == {"none", "typo", "file", "both", "unknown", "saved", "text"}
    assert "did you mean 'filter'" in problems["typo"]
    assert "must be an object" in problems["file"] and "must be an object" in problems["text"]
    assert "titel" in problems["unknown"]


def test_a_kind_without_a_filter_is_counted_whole():
    source, _ = stash()
    counts, problems = count(source, "config", {"all": {}, "some": {"query": "a"}})
    assert counts == {"all": 7}
    assert "no filter for config" in problems["some"]


def test_one_question_a_scope():
    source, stub = stash()
    source.schema  # noqa: B018 - asks once
    before = len(stub.asked)
    narrow = {"tags": {"ids": ["1"]}}
    count(source, "scene", {"all": {}, "filter": {"filter": {"organized": True}, "query": "reed"}}, narrow)
    asked = [variables for _, variables in stub.asked[before:]]
    tag = {"value": ["1"], "excludes": [], "modifier": "INCLUDES", "depth": 0}
    assert asked == [
        {"filter": {"per_page": 0}, "criteria": {"tags": tag}},
        {"filter": {"per_page": 0, "q": "reed"}, "criteria": {"organized": True, "tags": tag}},
    ]


@pytest.mark.parametrize(
    ("kind", "scopes", "narrow", "message"),
    [
        ("scnee", {}, None, "did you mean 'scene'"),
        ("scene", [], None, "must be an object of scopes"),
        ("scene", {"all": {}}, {"tag": {}}, "did you mean 'tags'"),
        ("performer", {"all": {}}, {"date": {"from": "2024"}}, "no narrowing of performers"),
    ],
)
def test_what_no_scope_can_help_is_refused(kind, scopes, narrow, message):
    with pytest.raises(UsageError, match=message):
        count(stash()[0], kind, scopes, narrow)


def test_nobody_waits_for_a_count_that_takes_too_long():
    scopes = {
        "apart": {"filter": {"organized": True, "OR": {"organized": False}}},
        "plain": {"filter": {"organized": True}},
        "all": {},
    }
    source, _ = stash(4000)
    narrow = {"tags": {"ids": ["1"]}}
    assert count(source, "scene", scopes, narrow)[0] == {"apart": 4000, "plain": 4000, "all": 4000}
    clock = numbers()
    counts, problems = count(source, "scene", scopes, narrow, lambda: float(next(clock) * 2))
    assert counts == {"plain": 4000, "all": 4000}
    assert problems == {"apart": look.NOT_COUNTED}


def test_nobody_waits_for_the_count_of_a_preview():
    source, _ = stash(4000)
    clock = numbers()
    means = Means(clock=lambda: float(next(clock) * 2))
    arguments = {"filter": {"organized": True, "OR": {"organized": False}}, "narrow": {"tags": {"ids": ["1"]}}}
    shown = preview(export_options({"from": "x", "to": "out", **arguments}, {}), source, means)
    assert (shown["count"], shown["records"]) == (None, SHOWN)
    assert shown["guess"] == {"bytes": None, "seconds": None}
    assert look.NOT_COUNTED in shown["notes"]


@pytest.mark.parametrize("arguments", [{"query": "reed"}, {"narrow": {"rating": {"from": 1}}}])
def test_a_search_needs_a_server(demo, arguments, tmp_path):
    options = export_options({"from": "x", "to": str(tmp_path / "out"), **arguments}, {})
    with pytest.raises(FilterNeedsServer):
        preview(options, demo, STILL)
    with pytest.raises(FilterNeedsServer):
        export(options, Quiet(), STILL, demo)
