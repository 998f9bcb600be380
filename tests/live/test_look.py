"""Counts, narrowings and previews against real Stashes: what Stash finds is what reading everything tells."""

import random
from itertools import chain

import pytest

from stash_portability.errors import BadFilter
from stash_portability.kinds import KINDS
from stash_portability.libraries import savedfilter
from stash_portability.libraries.connection import connect
from stash_portability.libraries.local import choose as open_fastest
from stash_portability.libraries.stash import StashSource
from stash_portability.libraries.tables.layout import FORMS
from stash_portability.look import count
from stash_portability.transform.choice import choose, chosen_ids, count_chosen
from stash_portability.transform.narrow import CRITERIA, LEFT_OUT, NARROWS, criteria, narrows, parse_narrow
from tests.test_look import check_agrees

from .test_stash_source import shown

TYPES = {"date": "DateCriterionInput", "rating": "IntCriterionInput", "performers": "MultiCriterionInput"}
EITHER = {"organized": True, "OR": {"title": {"value": "a", "modifier": "INCLUDES"}}}


@pytest.fixture
def stash(each_stash):
    return StashSource(connect(each_stash.url))


@pytest.mark.parametrize("kind", [kind for kind in KINDS.values() if kind.criteria], ids=lambda kind: kind.name)
def test_live_the_table_of_narrowings_is_what_the_server_has(stash, kind):
    offered = {
        name
        for name, criterion in CRITERIA.items()
        if stash.schema.type_of(kind.filter_type, criterion) == TYPES.get(name, "HierarchicalMultiCriterionInput")
    }
    left_out = {name for of, name in LEFT_OUT if of == kind.name}
    assert set(narrows(kind.name)) == offered - left_out
    assert left_out <= offered


class Library:
    """All records of a Stash, and what narrows them, computed by looking at each."""

    def __init__(self, stash):
        self.records = {kind: {record.uid: record.data for record in stash.read(kind)} for kind in KINDS}
        self.children = {"tags": {}, "studios": {}}
        for uid, tag in self.records["tag"].items():
            for parent in tag["parents"]:
                self.children["tags"].setdefault(parent, set()).add(uid)
        for uid, studio in self.records["studio"].items():
            if studio["parent"]:
                self.children["studios"].setdefault(studio["parent"], set()).add(uid)

    def below(self, name, uid, depth):
        found, level = {uid}, {uid}
        while level and depth:
            level = set(chain.from_iterable(self.children.get(name, {}).get(one, ()) for one in level))
            found |= level
            depth -= 1
        return found

    def of(self, kind, data, name):
        if kind == "marker":
            if name == "performers":
                return set(self.records["scene"][data["scene"]]["performers"])
            return {*data["tags"], data["primary_tag"]}
        return {data["studio"]} - {None} if name == "studios" else set(data[name])

    def passes(self, kind, data, name, wanted):
        if name in ("date", "rating"):
            value = data["date" if name == "date" else "rating100"]
            if name == "date" and value:
                value = f"{value}-01-01"[:10]
            lowest, highest = ("0", "9") if name == "date" else (0, 100)
            return value is not None and wanted.get("from", lowest) <= value <= wanted.get("to", highest)
        there, depth = self.of(kind, data, name), wanted.get("depth", 0)
        hits = [bool(there & self.below(name, uid, depth)) for uid in wanted["ids"]]
        misses = any(there & self.below(name, uid, depth) for uid in wanted["excludes"])
        return (not hits or (all if wanted.get("all") else any)(hits)) and not misses

    def narrowed(self, kind, narrow):
        parsed = parse_narrow(narrow)
        return {
            uid
            for uid, data in self.records[kind].items()
            if all(self.passes(kind, data, name, wanted) for name, wanted in parsed.items())
        }


def narrowings(library, ids, kind):
    """Narrowings of every sort, each alone and some together."""
    rivers, water, wild, formula = (ids[f"tag:{name}"] for name in ("rivers", "water", "wild", "formula"))
    full, twin = ids["performer:full"], ids["performer:twin"]
    parent, studio = ids["studio:parent"], ids["studio:full"]
    dates = sorted({data["date"] for data in library.records[kind].values() if data.get("date")})
    ratings = sorted(
        {data["rating100"] for data in library.records[kind].values() if data.get("rating100") is not None}
    )
    every = {
        "tags": [
            *({"ids": [uid], "depth": depth} for uid in (rivers, water) for depth in (0, 1, 2, -1)),
            {"ids": [rivers, wild]}, {"ids": [rivers, wild], "all": True},
            {"ids": [water, wild], "all": True, "depth": 1}, {"excludes": [rivers]},
            {"excludes": [water], "depth": -1}, {"ids": [wild], "excludes": [formula]},
            {"ids": [water], "excludes": [wild], "depth": -1}, {"ids": ["987654"]}, {"ids": ["987654"], "depth": 2},
        ],
        "performers": [
            {"ids": [full]}, {"ids": [full, twin]}, {"ids": [full, twin], "all": True}, {"excludes": [twin]},
            {"ids": [full], "excludes": [twin]}, {"ids": ["987654"]},
        ],
        "studios": [
            *({"ids": [parent], "depth": depth} for depth in (0, 1, -1)), {"ids": [parent, studio]},
            {"excludes": [studio]}, {"excludes": [parent], "depth": -1},
            {"ids": [parent], "excludes": [studio], "depth": 1},
        ],
        "date": [
            *({"from": day} for day in dates), *({"to": day} for day in dates),
            *({"from": day, "to": day} for day in dates),
            {"from": "2007-01-02"}, {"to": "2006-12-31"}, {"from": "1000"},
        ],
        "rating": [
            *({"from": one} for one in ratings), *({"to": one} for one in ratings),
            *({"from": one, "to": one} for one in ratings), {"from": 1}, {"to": 99}, {"from": 0, "to": 100},
        ],
    }  # fmt: skip
    alone = [{name: value} for name in narrows(kind) for value in every[name]]
    rng = random.Random(kind)
    together = [
        {name: rng.choice(every[name]) for name in rng.sample(narrows(kind), min(2 + number % 2, len(narrows(kind))))}
        for number in range(15)
    ]
    return alone, together


def listed(stash, choice):
    return set(chosen_ids(choice, stash))


@pytest.mark.parametrize("kind", NARROWS)
def test_live_a_narrowing_finds_what_looking_at_each_record_finds(each_stash, stash, kind):
    library = Library(stash)
    seen = set()
    for narrow in chain.from_iterable(narrowings(library, each_stash.ids, kind)):
        expected = library.narrowed(kind, narrow)
        choice = choose(kind, ({}, ""), None, parse_narrow(narrow))
        assert listed(stash, choice) == expected, narrow
        assert count(stash, kind, {"it": {}}, narrow) == ({"it": len(expected)}, {}), narrow
        seen.add(len(expected))
    assert len(seen) > 2, "all narrowings found the same"


def filters(stash, kind):
    """A filter of each criterion the server has for ``kind``, and some with OR, AND and NOT."""
    for name in savedfilter._CONVERTERS:
        target = savedfilter._RENAMED.get(name, name)
        if stash.schema.has(KINDS[kind].filter_type, target):
            converter = savedfilter._converter(name, kind)
            yield {target: converter(savedfilter._saved(name, shown(kind, name), kind, "stars"))}
    if stash.schema.has(KINDS[kind].filter_type, "OR"):
        text = "title" if stash.schema.has(KINDS[kind].filter_type, "title") else "name"
        found = {text: {"value": "a", "modifier": "INCLUDES"}}
        favourite = {text: {"value": "e", "modifier": "INCLUDES"}, "OR": {"tags": some("1")}}
        yield from (found, favourite, {"OR": found}, {"NOT": found}, {**found, "AND": {"tags": some("2")}})
        yield {**found, "OR": {"tags": {"value": ["1", "3"], "modifier": "INCLUDES_ALL"}}}


def some(*ids, modifier="INCLUDES"):
    return {"value": list(ids), "modifier": modifier}


def clashing(ids):
    """Filters that ask of tags, performers, studios, dates and ratings, as a narrowing does."""
    rivers, wild, water = (ids[f"tag:{name}"] for name in ("rivers", "wild", "water"))
    full, twin = ids["performer:full"], ids["performer:twin"]
    yield from ({"tags": some(rivers)}, {"tags": some(rivers, modifier="EXCLUDES")}, {"tags": some(water, wild)})
    yield from ({"tags": {**some(water), "depth": -1}}, {"tags": some(rivers, wild, modifier="INCLUDES_ALL")})
    yield from ({"tags": some(modifier="NOT_NULL")}, {"tags": some(modifier="IS_NULL")}, {"tags": some()})
    yield from (
        {"performers": some(full)},
        {"performers": some(full, twin)},
        {"performers": some(twin, modifier="EXCLUDES")},
    )
    yield {"performers": {**some(full), "excludes": [twin]}}
    yield from ({"studios": {**some(ids["studio:parent"]), "depth": 1}}, {"studios": some(modifier="NOT_NULL")})
    yield from ({"rating100": {"value": 50, "modifier": way}} for way in ("LESS_THAN", "GREATER_THAN", "NOT_NULL"))
    yield from ({"date": {"value": "2010-01-01", "modifier": way}} for way in ("LESS_THAN", "GREATER_THAN", "IS_NULL"))
    yield {"performers_filter": {"name": {"value": "Robin", "modifier": "INCLUDES"}}}
    yield {"rating100": {"value": 50, "modifier": "LESS_THAN"}, "tags": some(rivers), "performers": some(twin)}


def known(stash, kind, found):
    return all(stash.schema.has(KINDS[kind].filter_type, name) for name in found)


@pytest.mark.parametrize("kind", NARROWS)
def test_live_a_narrowing_on_top_of_any_filter_finds_what_both_find(each_stash, stash, kind):
    library = Library(stash)
    alone, together = narrowings(library, each_stash.ids, kind)
    own = [found for found in clashing(each_stash.ids) if known(stash, kind, found)]
    tried = joined = 0
    rng = random.Random(kind)
    for found in (*filters(stash, kind), *own):
        try:
            whole = set(stash.find_ids(kind, found))
        except BadFilter:
            continue
        for narrow in [*rng.sample(alone, min(8, len(alone))), *rng.sample(together, 4)]:
            choice = choose(kind, (found, ""), None, parse_narrow(narrow))
            both = whole & set(stash.find_ids(kind, criteria(kind, parse_narrow(narrow))))
            assert listed(stash, choice) == both, (found, narrow)
            assert count_chosen(choice, stash) == len(both), (found, narrow)
            tried, joined = tried + 1, joined + (len(choice.searches) == 1)
    assert 0 < joined < tried, "some filters can be joined with a narrowing, and some cannot"


def test_live_every_scope_can_be_narrowed(each_stash, stash):
    library, ids = Library(stash), each_stash.ids
    narrow = {"rating": {"from": 0, "to": 60}}
    wanted = library.narrowed("scene", narrow)
    either = set(stash.find_ids("scene", EITHER))
    query = set(stash.find_ids("scene", {}, "otters"))
    kind, found, text = stash.saved_filter("Rivers")
    assert kind == "scene"
    saved = set(stash.find_ids(kind, found, text))
    chosen = [ids["scene:full"], ids["scene:no file"], ids["scene:rtl"], "987654"]
    scopes = {
        "all": {},
        "either": {"filter": EITHER},
        "query": {"query": "otters"},
        "both": {"filter": {"organized": True}, "query": "otters"},
        "ids": {"ids": chosen},
        "saved": {"saved_filter": "Rivers"},
        "other": {"saved_filter": "My tags, =1"},
        "bad": {"filter": {"titel": {"value": "a", "modifier": "EQUALS"}}},
    }
    counts, problems = count(stash, "scene", scopes, narrow)
    assert counts == {
        "all": len(wanted),
        "either": len(wanted & either),
        "query": len(wanted & query),
        "both": len(wanted & query & set(stash.find_ids("scene", {"organized": True}))),
        "ids": len(wanted & set(chosen)),
        "saved": len(wanted & saved),
    }
    assert query and either and saved and counts["ids"] == 2
    assert "one of tags" in problems["other"] and "titel" in problems["bad"]
    assert count(stash, "scene", {"ids": {"ids": chosen}}) == ({"ids": 3}, {})


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("through", ["file", "server"])
def test_live_a_preview_is_the_beginning_of_the_export(each_stash, stash, tmp_path, form, through):
    source = stash
    if through == "file":
        source = open_fastest(stash, rng=random.Random(1), note=lambda _: None)
        assert source is not stash
    either = {"filter": EITHER, "narrow": {"rating": {"from": 0}}}
    cases = [{}, {"privacy": "share"}, {"privacy": "public"}, {"blobs": True}, {"kinds": "scene", **either},
             {"query": "otters"}, {"saved_filter": "Rivers"}, {"kinds": "performer", "narrow": {"rating": {"from": 0}}},
             {"kinds": "scene", "ids": "1", "closure": "none"}, {"kinds": "studio", "filter": {}}]  # fmt: skip
    for number, arguments in enumerate(cases):
        check_agrees(source, to=str(tmp_path / str(number)), format=form, **arguments)
    for kind in ("scene", "marker", "gallery", "group"):
        check_agrees(source, to=str(tmp_path / f"{kind}.{form}"), kinds=kind, closure="none")


@pytest.mark.parametrize("closure", ["none", "direct", "full"])
def test_live_a_chosen_part_of_every_kind_previews_as_it_is_written(each_stash, stash, tmp_path, closure):
    for kind in KINDS:
        ids = [record.uid for record in stash.read(kind)][1::2]
        if ids:
            shown_ = check_agrees(stash, to=str(tmp_path / kind), format="jsonl", kinds=kind, ids=ids, closure=closure)
            assert shown_["kind"] == kind


def test_live_an_export_takes_what_was_counted(each_stash, stash, tmp_path):
    narrow = {"tags": {"ids": [each_stash.ids["tag:water"]], "depth": -1}, "date": {"from": "2000"}}
    counted, _ = count(stash, "scene", {"it": {"filter": EITHER}}, narrow)
    shown_ = check_agrees(stash, to=str(tmp_path / "out"), kinds="scene", filter=EITHER, narrow=narrow)
    assert shown_["count"] == counted["it"] > 0


@pytest.mark.parametrize("kind", ["scene", "image", "gallery"])
def test_live_a_narrowing_on_top_of_ids_finds_those_of_them_it_takes(each_stash, stash, kind):
    library = Library(stash)
    alone, together = narrowings(library, each_stash.ids, kind)
    uids, found = sorted(library.records[kind], key=int), set()
    spread = [str(number) for number in range(5000, 5400, 3)]
    for narrow in (*alone, *together):
        for ids in (uids[:1], uids[-1:], uids[::2], [*uids, *spread, "odd"]):
            choice = choose(kind, ({}, ""), ids, parse_narrow(narrow))
            expected = library.narrowed(kind, narrow) & set(ids)
            assert listed(stash, choice) == expected, (narrow, ids)
            found.add(len(expected))
    assert len(found) > 1
