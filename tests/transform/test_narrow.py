"""Narrowing: what is refused, which criteria of Stash it becomes, and when two filters can be one."""

from datetime import date
from itertools import chain

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stash_portability.errors import UsageError
from stash_portability.kinds import KINDS
from stash_portability.transform.choice import Choice, choose, chosen_ids, count_chosen
from stash_portability.transform.narrow import (
    CRITERIA,
    KEYS,
    LEFT_OUT,
    NARROWS,
    criteria,
    merge,
    narrows,
    parse_narrow,
)


def narrowed(kind="scene", **narrow):
    return criteria(kind, parse_narrow(narrow))


@pytest.mark.parametrize(
    ("narrow", "expected"),
    [
        ({}, {}),
        ({"tags": {"ids": []}, "date": {}, "rating": {}, "studios": None}, {}),
        (
            {"tags": {"ids": ["1", 2, "1"], "excludes": ["3"], "depth": -1}},
            {"tags": {"value": ["1", "2"], "excludes": ["3"], "modifier": "INCLUDES", "depth": -1}},
        ),
        (
            {"performers": {"ids": ["1", "2"], "all": True}},
            {"performers": {"value": ["1", "2"], "excludes": [], "modifier": "INCLUDES_ALL"}},
        ),
        (
            {"studios": {"excludes": ["4"]}},
            {"studios": {"value": [], "excludes": ["4"], "modifier": "INCLUDES", "depth": 0}},
        ),
        ({"date": {"from": "2024"}}, {"date": {"value": "2024-01-01", "value2": "9999-12-31", "modifier": "BETWEEN"}}),
        ({"date": {"to": "2024-02"}}, {"date": {"value": "0001-01-01", "value2": "2024-02-29", "modifier": "BETWEEN"}}),
        (
            {"date": {"from": "2024-05-06", "to": "2024-05-06"}},
            {"date": {"value": "2024-05-06", "value2": "2024-05-06", "modifier": "BETWEEN"}},
        ),
        ({"rating": {"from": 60}}, {"rating100": {"value": 60, "value2": 100, "modifier": "BETWEEN"}}),
        ({"rating": {"to": 0}}, {"rating100": {"value": 0, "value2": 0, "modifier": "BETWEEN"}}),
    ],
)
def test_a_narrowing_becomes_criteria_of_stash(narrow, expected):
    assert narrowed(**narrow) == expected


@pytest.mark.parametrize(
    ("narrow", "message"),
    [
        ([], "must be a JSON object"),
        ({"tag": {}}, "did you mean 'tags'"),
        ({"tags": ["1"]}, "tags must be an object with ids, excludes, depth, all"),
        ({"tags": {"id": ["1"]}}, "did you mean 'ids'"),
        ({"studios": {"ids": ["1"], "all": True}}, "key of studios"),
        ({"performers": {"ids": ["1"], "depth": 1}}, "key of performers"),
        ({"tags": {"ids": "1"}}, "tags.ids must be a list of ids"),
        ({"tags": {"ids": ["1) or (1"]}}, "tags.ids must be a list of ids"),
        ({"tags": {"ids": [True]}}, "tags.ids must be a list of ids"),
        ({"tags": {"ids": ["-1"]}}, "tags.ids must be a list of ids"),
        ({"tags": {"ids": ["٣"]}}, "tags.ids must be a list of ids"),
        ({"tags": {"ids": ["9" * 40]}}, "tags.ids must be a list of ids"),
        ({"tags": {"ids": [str(number) for number in range(2000)]}}, "at most 1,000"),
        ({"tags": {"ids": ["1"], "excludes": [1]}}, "names 1, which ids asks for"),
        ({"tags": {"ids": ["1"], "depth": -2}}, "tags.depth must be a number of levels"),
        ({"tags": {"ids": ["1"], "depth": 1.5}}, "tags.depth must be a number of levels"),
        ({"tags": {"ids": ["1"], "all": "yes"}}, "tags.all must be true or false"),
        ({"date": {"from": "2023-02-30"}}, "is not a date"),
        ({"date": {"from": "24"}}, "is not a date"),
        ({"date": {"from": "2024-5"}}, "is not a date"),
        ({"date": {"from": "yesterday"}}, "is not a date"),
        ({"date": {"from": 2024}}, "is not a date"),
        ({"date": {"from": "0000"}}, "is not a date"),
        ({"date": {"since": "2024"}}, "key of date"),
        ({"date": {"from": "2024", "to": "2023"}}, "backwards"),
        ({"rating": {"from": 101}}, "rating.from must be a whole number from 0 to 100"),
        ({"rating": {"from": -1}}, "rating.from must be a whole number from 0 to 100"),
        ({"rating": {"to": "5"}}, "rating.to must be a whole number from 0 to 100"),
        ({"rating": {"from": True}}, "rating.from must be a whole number"),
        ({"rating": {"from": 60, "to": 40}}, "backwards"),
    ],
)
def test_a_mistake_in_a_narrowing_is_told(narrow, message):
    with pytest.raises(UsageError) as told:
        parse_narrow(narrow)
    assert message in str(told.value)
    assert "\n" not in str(told.value)


def test_all_mistakes_are_told_at_once():
    with pytest.raises(UsageError) as told:
        parse_narrow({"tag": {}, "rating": {"from": 101}, "date": {"to": "x"}, "studios": {"ids": ["a"], "dept": 1}})
    assert all(word in str(told.value) for word in ("'tags'", "0 to 100", "'x'", "studios.ids", "'depth'"))


def test_what_was_checked_can_be_checked_again():
    narrow = parse_narrow({"tags": {"ids": ["1"], "all": True}, "date": {"from": "2024"}, "rating": {"to": 5}})
    assert parse_narrow(narrow) == narrow


def test_the_table_names_kinds_that_have_a_filter_and_narrowings_that_are_known():
    assert all(KINDS[kind].criteria and set(listed) <= set(CRITERIA) for kind, listed in NARROWS.items())
    assert set(KEYS) == set(CRITERIA)
    assert all(name not in narrows(kind) for kind, name in LEFT_OUT)
    assert narrows("config") == ()


def test_a_kind_is_narrowed_only_by_what_it_has():
    with pytest.raises(UsageError, match="no narrowing of performers named 'date'"):
        narrowed("performer", date={"from": "2024"})
    with pytest.raises(UsageError, match="no narrowing of tags named 'tags'"):
        narrowed("tag", tags={"ids": ["1"]})


TITLE = {"title": {"value": "a", "modifier": "INCLUDES"}}
TAG = {"value": ["1"], "excludes": [], "modifier": "INCLUDES", "depth": 0}
RATED = {"value": 60, "value2": 100, "modifier": "BETWEEN"}


@pytest.mark.parametrize(
    ("chosen", "narrowing", "expected"),
    [
        ({}, {"tags": TAG}, {"tags": TAG}),
        (TITLE, {}, TITLE),
        ({**TITLE, "OR": {}}, {}, {**TITLE, "OR": {}}),
        (TITLE, {"tags": TAG}, {**TITLE, "tags": TAG}),
        ({"tags": None}, {"tags": TAG}, {"tags": TAG}),
        ({**TITLE, "OR": {"organized": True}}, {"tags": TAG}, None),
        ({"AND": TITLE}, {"rating100": RATED}, None),
        ({"NOT": TITLE}, {"rating100": RATED}, None),
        ({"performers_filter": {}}, {"performers": TAG}, None),
        ({"rating100": {"value": 1, "modifier": "EQUALS"}}, {"rating100": RATED},
         {"rating100": {"value": 1, "modifier": "EQUALS"}, "AND": {"rating100": RATED}}),
        ({"tags": {"value": [2], "modifier": "INCLUDES"}}, {"tags": TAG},
         {"tags": {"value": ["2", "1"], "excludes": [], "modifier": "INCLUDES_ALL", "depth": 0}}),
        ({"tags": {"value": ["2"], "modifier": "EXCLUDES"}}, {"tags": TAG},
         {"tags": {"value": ["1"], "excludes": ["2"], "modifier": "INCLUDES", "depth": 0}}),
        ({"tags": {"value": ["2", "3"], "modifier": "INCLUDES"}}, {"tags": TAG}, None),
        ({"tags": {"value": ["2", "2"], "modifier": "INCLUDES_ALL"}}, {"tags": TAG}, None),
        ({"tags": {"value": ["2"], "modifier": "INCLUDES", "depth": 1}}, {"tags": TAG}, None),
        ({"tags": {"value": "12", "modifier": "INCLUDES"}}, {"tags": TAG}, None),
        ({"tags": {"value": [], "modifier": "IS_NULL"}}, {"tags": TAG}, None),
        ({"tags": {"value": ["2"], "modifier": "EQUALS"}}, {"tags": TAG}, None),
        ({"tags": {"value": ["2"], "modifier": "INCLUDES", "new": 1}}, {"tags": TAG}, None),
        ({"tags": "nonsense"}, {"tags": TAG}, None),
    ],
)  # fmt: skip
def test_two_filters_become_one_where_that_is_the_same(chosen, narrowing, expected):
    assert merge(chosen, narrowing) == expected


TAGS = st.lists(st.sampled_from("123"), unique=True, max_size=3)


@st.composite
def tag_criteria(draw, modifiers):
    made = {"value": draw(TAGS), "excludes": draw(TAGS), "modifier": draw(st.sampled_from(modifiers))}
    return {**made, "depth": draw(st.sampled_from((0, 0, 0, 1)))}


def finds(criterion, tags):
    """What Stash's criterion finds, with every tag n also under the tag n + 1, one level deep."""

    def reached(uid):
        return tags & ({uid, str(int(uid) - 1)} if criterion["depth"] else {uid})

    value, excludes = criterion["value"], criterion["excludes"]
    if criterion["modifier"] == "EXCLUDES":
        value, excludes = [], [*value, *excludes]
    some = all if criterion["modifier"] == "INCLUDES_ALL" else any
    return (not value or some(map(reached, value))) and not any(map(reached, excludes))


@given(
    tag_criteria(("INCLUDES", "INCLUDES_ALL", "EXCLUDES")),
    tag_criteria(("INCLUDES", "INCLUDES_ALL")),
    st.sets(st.sampled_from("123")),
)
def test_one_filter_finds_what_both_find(one, other, tags):
    merged = merge({"tags": one}, {"tags": other})
    if merged is not None:
        assert finds(merged["tags"], tags) == (finds(one, tags) and finds(other, tags))


@given(st.dates(min_value=date(1, 1, 1)))
def test_a_partial_date_holds_all_its_days(day):
    text = day.isoformat()
    for partial in (text, text[:7], text[:4]):
        found = narrowed(date={"from": partial, "to": partial})["date"]
        assert found["value"] <= text <= found["value2"]


class Searching:
    """A searcher that finds what the search text lists."""

    def __init__(self):
        self.read = 0

    def find_ids(self, kind, criteria, query=""):
        for uid in query.split():
            self.read += 1
            yield uid

    def count(self, kind, criteria, query=""):
        return len(query.split())


IDS = st.lists(st.integers(1, 120), unique=True).map(sorted)


@given(IDS, IDS, st.none() | IDS)
def test_where_ids_meet(one, other, ids):
    texts = [" ".join(map(str, listed)) for listed in (one, other)]
    choice = Choice("scene", tuple(({}, text) for text in texts), None if ids is None else list(map(str, ids)))
    expected = set(one) & set(other) & (set(one) if ids is None else set(ids))
    assert list(chosen_ids(choice, Searching())) == [str(uid) for uid in sorted(expected)]
    assert count_chosen(choice, Searching()) == len(expected)


def test_a_list_is_read_only_as_far_as_ids_can_meet():
    searcher = Searching()
    many = " ".join(map(str, range(1, 1000)))
    assert list(chosen_ids(Choice("scene", (({}, many),), ["2", "7"]), searcher)) == ["2", "7"]
    assert searcher.read < 10


def test_ids_and_a_search_are_chosen_in_order_of_number():
    assert choose("scene", ({}, ""), ["10", "9", "9"], {}).ids == ["9", "10"]
    assert choose("scene", ({}, ""), None, {}).whole
    assert not choose("scene", ({}, "reed"), None, {}).whole
    assert len(choose("scene", ({"OR": TITLE}, "reed"), None, parse_narrow({"rating": {"from": 1}})).searches) == 2


def within(found):
    """The numbers that the criterion of the ids takes, and how deep it is."""
    ranges, inner = [], found["AND"]
    while inner:
        assert inner["id"]["modifier"] == "BETWEEN"
        ranges.append(range(inner["id"]["value"], inner["id"]["value2"] + 1))
        inner = inner.get("OR")
    return set(chain.from_iterable(ranges)), len(ranges)


@pytest.mark.parametrize("many", [1, 3, 10, 11, 500])
def test_of_a_few_ids_stash_is_not_asked_for_all_that_is_narrowed_so(many):
    ids = [str(number * number) for number in range(1, many + 1)]
    choice = choose("scene", ({}, ""), [*ids, "odd", "9" * 5000], parse_narrow({"rating": {"from": 1}}))
    ((found, query),) = choice.searches
    taken, deep = within(found)
    assert {int(uid) for uid in ids} <= taken
    assert len(taken) == many or deep == 10
    assert deep <= 10
    assert (found["rating100"]["value"], query) == (1, "")


def test_where_stash_cannot_be_asked_for_ids_it_is_not():
    for kind, ids in (("performer", ["1"]), ("scene", ["odd"]), ("scene", ["1", str(1 << 31)])):
        ((found, _),) = choose(kind, ({}, ""), ids, parse_narrow({"rating": {"from": 1}})).searches
        assert list(found) == ["rating100"]
    assert choose("scene", ({}, ""), ["1"], {}).searches == ()
