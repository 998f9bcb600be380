"""The elements of an NFO file: every rule of the four media servers, and every field of a scene accounted for."""

from __future__ import annotations

import time

import pytest

from stash_portability.kinds import KINDS
from stash_portability.libraries.nfo import dialects
from stash_portability.libraries.nfo.dialects import COLUMNS, DIALECTS, LOSSES, WRITTEN
from stash_portability.libraries.nfo.document import (
    COMMA_REWRITTEN,
    MONTH_LEFT_OUT,
    SETS_LEFT_OUT,
    SLASH_REWRITTEN,
    Look,
    box_type,
    document,
    split_names,
)
from stash_portability.libraries.nfo.text import Mark, serialise
from stash_portability.model import Record
from stash_portability.transform.names import fields_through
from stash_portability.transform.paths import parse

from .films import FILE, HERON, NAMES, SECOND, altered, made, without, written

SCENE = KINDS["scene"]


def texts(tag, record=HERON, dialect="kodi", **more):
    return [one.text for one in made(record, dialect, **more).element.iterfind(tag)]


def tags(record=HERON, dialect="kodi", **more):
    return {one.tag for one in made(record, dialect, **more).element if isinstance(one.tag, str)}


def test_every_field_of_a_scene_is_written_or_named_as_lost():
    unaccounted = [name for name in SCENE.names() if name not in WRITTEN and not LOSSES.get(name)]
    assert unaccounted == []
    assert {*WRITTEN, *LOSSES} <= set(SCENE.names())


@pytest.mark.parametrize("field", WRITTEN)
def test_each_field_is_written_as_the_table_says_and_only_when_it_is_there(field):
    before = {name for dialect in DIALECTS for name in tags(dialect=dialect)}
    assert set(WRITTEN[field]) <= before
    for dialect in DIALECTS:
        after = tags(without(field), dialect, file=None if field == "files" else FILE)
        lost = set(WRITTEN[field]) - {"title", "uniqueid"}  # a stand-in, and the scene's own id
        assert not lost & after or field == "captions"


def test_nothing_is_written_that_the_table_does_not_say():
    known = {name for names in WRITTEN.values() for name in names}
    assert {name for dialect in DIALECTS for name in tags(dialect=dialect)} == known
    assert known < dialects.KNOWN


def test_a_scene_without_fields_has_a_title_and_its_id():
    assert tags(HERON._replace(data={}), file=None) == {"title", "uniqueid"}
    empty = {name: [] if field.many else None for name, field in zip(SCENE.names(), SCENE.fields, strict=True)}
    assert tags(HERON._replace(data=empty), file=None) == {"title", "uniqueid"}


def test_the_columns_are_those_a_document_looks_at():
    paths = [parse(SCENE, path) for path in COLUMNS]
    assert {path.steps[0] for path in paths} == set(WRITTEN)
    needed = {kind: fields for kind, fields in fields_through(paths).items() if kind != "scene"}
    assert needed == {
        "studio": {"name"}, "performer": {"name", "disambiguation"}, "tag": {"name", "parents"},
        "group": {"name", "synopsis"},
    }  # fmt: skip
    seen = {name: set() for name in needed}
    for dialect in DIALECTS:
        watched = {key: _Watched(data, seen[key[0]]) for key, data in NAMES.items()}
        made(dialect=dialect, names=watched, genres="Genres")
    assert seen == needed


class _Watched(dict):
    """A mapping that notes what is looked at."""

    def __init__(self, data, seen):
        super().__init__(data)
        self._seen = seen

    def get(self, key, default=None):
        self._seen.add(key)
        return super().get(key, default)

    def __getitem__(self, key):
        self._seen.add(key)
        return super().__getitem__(key)


RATINGS = {
    None: [],
    0: ["0"],
    1: ["1"],
    4: ["1"],
    5: ["1"],
    14: ["1"],
    15: ["2"],
    75: ["8"],
    74: ["7"],
    95: ["10"],
    100: ["10"],
}


@pytest.mark.parametrize("rating", RATINGS)
def test_the_rating_is_a_whole_number_rounded_half_up(rating):
    assert texts("userrating", altered(rating100=rating)) == RATINGS[rating]


@pytest.mark.parametrize("dialect", DIALECTS)
def test_the_exact_rating_is_on_a_scale_of_ten(dialect):
    root = made(dialect=dialect).element
    (rating,) = root.iterfind("ratings/rating")
    assert rating.attrib == {"name": "stash", "max": "10", "default": "true"}
    assert rating.findtext("value") == "7.5"
    assert texts("rating", dialect=dialect) == (["7.5"] if dialect == "emby" else [])


DATES = {
    "2021-05-04": (["2021-05-04"], ["2021-05-04"], ["2021"]),
    "2021-05": ([], [], ["2021"]),
    "2021": ([], [], ["2021"]),
    None: ([], [], []),
}


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize("date", DATES)
def test_only_full_dates_are_premieres(date, dialect):
    record = altered(date=date)
    assert tuple(texts(tag, record, dialect) for tag in ("premiered", "releasedate", "year")) == DATES[date]
    assert texts("aired", record, dialect) == []
    assert (MONTH_LEFT_OUT in made(record, dialect).changes) == (date == "2021-05")


@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_name_with_a_slash_between_blanks(dialect):
    document = made(dialect=dialect)
    splits = dialect in ("kodi", "plex")
    assert texts("tag", dialect=dialect) == ["Birds", "Sea & Coast" if splits else "Sea / Coast", "AC/DC"]
    assert texts("genre", dialect=dialect) == (["Birds", "Sea & Coast", "AC/DC"] if splits else ["Birds"])
    assert (SLASH_REWRITTEN in document.changes) == splits
    names = {**NAMES, ("studio", "5"): {"name": "a / / b /"}}
    assert texts("studio", dialect=dialect, names=names) == ["a & & b /" if splits else "a / / b /"]


def test_a_slash_that_would_stand_between_blanks_once_cleaned():
    names = {**NAMES, ("tag", "2"): {"name": "Sea \x00/ Coast"}}
    assert texts("tag", names=names)[1] == "Sea & Coast"


@pytest.mark.parametrize(
    ("rule", "genres"),
    [("all", ["Birds", "AC/DC"]), ("none", []), ("genres", ["Birds", "AC/DC"]), ("Birds", ["AC/DC"]), ("x", [])],
)
def test_which_tags_are_genres(rule, genres):
    record = altered(tags=["1", "3"])
    assert texts("genre", record, genres=rule) == genres
    assert texts("genre", record, "jellyfin", genres=rule) == [genre for genre in genres if "/" not in genre]
    assert texts("tag", record, genres=rule) == ["Birds", "AC/DC"]


def test_names_that_are_not_known_are_left_out():
    record = altered(tags=["1", "99"], studio="99", performers=["99", "3"], groups=[{"group": "99", "scene_index": 1}])
    assert (texts("tag", record), texts("studio", record), texts("set", record)) == (["Birds"], [], [])
    assert texts("actor/name", record) == ["Ada Brook"]


@pytest.mark.parametrize("dialect", DIALECTS)
def test_one_set_but_for_emby(dialect):
    sets = texts("set/name", dialect=dialect)
    assert sets == (["The Long Shore", "Winter"] if dialect == "emby" else ["Winter"])
    assert (SETS_LEFT_OUT in made(dialect=dialect).changes) == (dialect != "emby")


def test_the_first_group_is_that_of_the_lowest_number_and_then_id():
    names = {("group", uid): {"name": uid} for uid in ("2", "10", "11")}

    def first(*entries):
        groups = [{"group": uid, "scene_index": index} for uid, index in entries]
        return texts("set/name", altered(groups=groups), names=names)

    assert first(("2", None), ("10", 5), ("11", 4)) == ["11"]
    assert first(("10", None), ("2", None)) == ["2"]
    assert first(("10", 1), ("11", 1)) == ["10"]


def test_a_set_says_what_it_is_about():
    record = altered(groups=[{"group": "7", "scene_index": 3}])
    assert [(one.tag, one.text) for one in made(record).element.find("set")] == [
        ("name", "The Long Shore"), ("overview", "Three films of one shore."), ("index", "3"),
    ]  # fmt: skip
    assert made(record).changes == (SLASH_REWRITTEN,)


DIRECTORS = {
    "Mo Reed": ["Mo Reed"],
    "Mo Reed, Al Fenn": ["Mo Reed", "Al Fenn"],
    "Al Fenn, Jr.": ["Al Fenn, Jr."],
    "Mo Reed,Al Fenn, jr ,Bo": ["Mo Reed", "Al Fenn, jr", "Bo"],
    "Al Fenn, III, Mo Reed, Sr.": ["Al Fenn, III", "Mo Reed, Sr."],
    ", ,": [],
    "Jr., Mo": ["Jr.", "Mo"],
    "": [],
}


@pytest.mark.parametrize("text", DIRECTORS)
def test_directors_are_parted_at_commas_but_for_junior(text):
    assert split_names(text) == DIRECTORS[text]
    assert texts("director", altered(director=text)) == DIRECTORS[text]


@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_comma_within_a_name(dialect):
    commas = dialect in ("jellyfin", "emby")
    assert texts("director", dialect=dialect) == ["Mo Reed", "Al Fenn Jr." if commas else "Al Fenn, Jr."]
    assert (COMMA_REWRITTEN in made(dialect=dialect).changes) == commas


def test_plays_and_the_place_to_go_on():
    assert [texts(tag) for tag in ("playcount", "watched", "lastplayed")] == [["2"], ["true"], ["2022-02-03 09:10:11"]]
    assert (texts("resume/position"), texts("resume/total")) == (["61.5"], ["754.6"])
    assert texts("dateadded") == ["2021-06-07 08:09:10"]
    fraction = altered(play_history=["2022-01-01T08:00:00.123456789Z"])
    assert texts("lastplayed", fraction) == ["2022-01-01 08:00:00"]
    assert not {"playcount", "watched", "lastplayed", "resume"} & tags(altered(play_history=[], resume_time=0.0))


def test_ids_are_those_of_the_scene_and_of_each_stash_box():
    assert [(one.attrib, one.text) for one in made().element.iterfind("uniqueid")] == [
        ({"type": "stash", "default": "true"}, "12"),
        ({"type": "box.example", "endpoint": "https://box.example/graphql"}, "b-1"),
        ({"type": "stashdb", "endpoint": "https://stashdb.org/graphql"}, "s-1"),
    ]


def test_two_boxes_never_share_a_type():
    endpoints = [
        "https://stashdb.org/graphql", "https://fansdb.cc/graphql", "https://theporndb.net/graphql",
        "https://box.example/graphql", "http://box.example/graphql", "https://box.example:9998/graphql",
        "https://box.example/other", "https://BOX.example/graphql", "https://stashdb/graphql", "https://stash/graphql",
        "https://imdb/graphql", "https://a b/graphql", "stashdb", "", "https://[", "https://é.example/graphql",
        "\ud800", "https://me@box.example/graphql",
    ]  # fmt: skip
    types = [box_type(endpoint) for endpoint in endpoints]
    assert types[:4] == ["stashdb", "fansdb", "tpdb", "box.example"]
    assert len({*types, "stash", "imdb", "tmdb", "tvdb"}) == len(types) + 4
    assert all(set(one) <= set("abcdefghijklmnopqrstuvwxyz0123456789.-") for one in types)


def test_the_facts_are_those_of_the_file():
    assert [(one.tag, one.text) for one in made().element.find("fileinfo/streamdetails/video")] == [
        ("codec", "h264"), ("aspect", "1.777778"), ("width", "1920"), ("height", "1080"), ("durationinseconds", "755"),
    ]  # fmt: skip
    assert texts("fileinfo/streamdetails/audio/codec") == ["aac"]
    assert texts("fileinfo/streamdetails/subtitle/language") == ["de", "und"]
    assert texts("fileinfo/streamdetails/video/width", file=SECOND) == ["640"]
    assert texts("fileinfo/streamdetails/subtitle/language", file=SECOND) == []
    assert not {"fileinfo", "runtime"} & tags(file=None)
    assert not {"fileinfo", "runtime"} & tags(file={"width": 0, "height": 0, "duration": 0.0, "video_codec": None})


@pytest.mark.parametrize(("seconds", "minutes"), [(0.4, "1"), (59.9, "1"), (119.0, "1"), (120.0, "2"), (754.6, "12")])
def test_the_runtime_is_in_whole_minutes(seconds, minutes):
    assert texts("runtime", file={"duration": seconds}) == [minutes]


PORTRAITS = {"3": "/films/.actors/Ada_Brook.jpg"}
ACTORS = {
    "kodi": [("name", "Ada Brook"), ("order", "0")],
    "jellyfin": [
        ("name", "Ada Brook"),
        ("type", "Actor"),
        ("order", "0"),
        ("sortorder", "0"),
        ("thumb", PORTRAITS["3"]),
    ],
    "plex": [("name", "Ada Brook"), ("order", "0"), ("thumb", PORTRAITS["3"])],
}
ACTORS["emby"] = ACTORS["jellyfin"]


@pytest.mark.parametrize("dialect", DIALECTS)
def test_actors(dialect):
    first, second = made(dialect=dialect, portraits=PORTRAITS).element.iterfind("actor")
    assert [(one.tag, one.text) for one in first] == ACTORS[dialect]
    assert second.findtext("name") == "Ada Brook (diver)"
    assert second.find("thumb") is None
    assert second.findtext("order") == "1"


def test_the_same_scene_gives_the_same_bytes():
    assert written() == written()
    assert b"\r" not in written()


@pytest.mark.deep
def test_eight_thousand_documents_are_made_and_written_in_a_few_seconds():
    begun = time.perf_counter()
    for _ in range(8_000):
        serialise(made(dialect="emby").element, Mark("12"))
    assert time.perf_counter() - begun < 10


@pytest.mark.parametrize(
    ("name", "file", "named"),
    [
        ("Ada Wren", "Ada_Wren.jpg", False),
        ("Ada Wren", "Ada_Wren.png", False),
        ("Ada Wren", "Ada_Wren.webp", True),
        ('Wren O\'Hara, "the quiet"', "Wren_O'Hara,_the_quiet-1f.jpg", True),
    ],
)
def test_for_kodi_a_portrait_is_named_where_it_would_not_be_found(name, file, named):
    record = Record("scene", "1", {"title": "Cliffs", "performers": ["5"]})
    look = Look("cliffs", portraits={"5": f"/films/.actors/{file}"})
    found = document(record, lambda *_: {"name": name}, DIALECTS["kodi"], None, look)
    assert (found.element.findtext("actor/thumb") is not None) == named
