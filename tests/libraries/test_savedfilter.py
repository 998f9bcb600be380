"""Saved filters: every row of what Stash's page converts, and what it does not say."""

import pytest

from stash_portability.errors import BadFilter, UnknownName
from stash_portability.kinds import KINDS
from stash_portability.libraries import savedfilter
from stash_portability.model import Record

MODE = {kind.name: kind.modes[0] for kind in KINDS.values() if kind.modes}


def record(criteria, mode="SCENES", name="Saved", find_filter=None):
    return Record(
        "saved_filter", "1", {"mode": mode, "name": name, "find_filter": find_filter, "object_filter": criteria}
    )


def stars():
    return "stars"


def converted(name, entry, kind="scene", ratings=stars):
    found_kind, criteria, _ = savedfilter.convert(record({name: entry}, MODE[kind]), ratings)
    assert found_kind == kind
    return criteria


def labels(*ids):
    return [{"id": uid, "label": f"label {uid}"} for uid in ids]


# Rows of the table


@pytest.mark.parametrize(
    ("name", "kind"),
    [("title", "scene"), ("path", "scene"), ("url", "group"), ("name", "tag"), ("country", "performer"),
     ("sort_name", "tag"), ("photographer", "gallery"), ("oshash", "scene"), ("video_codec", "scene")],
)  # fmt: skip
def test_texts_stay_as_they_are(name, kind):
    entry = {"value": "river", "modifier": "INCLUDES"}
    assert converted(name, entry, kind) == {name: entry}


def test_a_text_that_must_be_empty_has_an_empty_value():
    assert converted("title", {"modifier": "IS_NULL"}) == {"title": {"value": "", "modifier": "IS_NULL"}}


@pytest.mark.parametrize("shown", ["true", "false"])
@pytest.mark.parametrize(
    ("name", "kind"),
    [("organized", "scene"), ("interactive", "scene"), ("performer_favorite", "scene"),
     ("filter_favorites", "performer"), ("favorite", "tag"), ("favorite", "studio"), ("ignore_auto_tag", "tag")],
)  # fmt: skip
def test_switches_become_bare_booleans(name, kind, shown):
    assert converted(name, {"value": shown, "modifier": "EQUALS"}, kind) == {name: shown == "true"}


@pytest.mark.parametrize(("name", "kind"), [("has_markers", "scene"), ("has_chapters", "gallery")])
@pytest.mark.parametrize("shown", ["true", "false"])
def test_has_markers_and_has_chapters_become_bare_texts(name, kind, shown):
    assert converted(name, {"value": shown, "modifier": "EQUALS"}, kind) == {name: shown}


def test_is_missing_becomes_a_bare_text():
    assert converted("is_missing", {"value": "cover", "modifier": "EQUALS"}) == {"is_missing": "cover"}


@pytest.mark.parametrize("shown", ["true", "false"])
def test_duplicated_becomes_an_object(shown):
    assert converted("duplicated", {"value": shown, "modifier": "EQUALS"}) == {
        "duplicated": {"duplicated": shown == "true"}
    }


@pytest.mark.parametrize(
    ("name", "kind"),
    [("o_counter", "scene"), ("duration", "scene"), ("duration", "marker"), ("rating100", "scene"),
     ("age", "performer"),
     ("penis_length", "performer"), ("child_count", "tag"), ("sub_group_count", "group"), ("bitrate", "scene")],
)  # fmt: skip
def test_numbers_are_flattened(name, kind):
    entry = {"value": {"value": 10, "value2": 20}, "modifier": "BETWEEN"}
    assert converted(name, entry, kind) == {name: {"value": 10, "value2": 20, "modifier": "BETWEEN"}}


def test_a_number_with_one_end_has_no_second():
    entry = {"value": {"value": 10, "value2": None}, "modifier": "EQUALS"}
    assert converted("o_counter", entry) == {"o_counter": {"value": 10, "modifier": "EQUALS"}}


def test_a_missing_number_is_zero():
    zero = {"o_counter": {"value": 0, "modifier": "IS_NULL"}}
    assert converted("o_counter", {"value": {}, "modifier": "IS_NULL"}) == zero
    assert converted("o_counter", {"modifier": "IS_NULL"}) == zero


def test_an_old_number_is_a_plain_value_with_its_second_beside_it():
    entry = {"value": 10, "value2": 20, "modifier": "BETWEEN"}
    assert converted("duration", entry) == {"duration": {"value": 10, "value2": 20, "modifier": "BETWEEN"}}


@pytest.mark.parametrize(("system", "hundredths"), [("stars", 70), ("decimal", 35)])
def test_an_old_rating_counts_in_what_the_page_shows(system, hundredths):
    entry = {"value": 3.5, "modifier": "GREATER_THAN"}
    assert converted("rating100", entry, ratings=lambda: system) == {
        "rating100": {"value": hundredths, "modifier": "GREATER_THAN"}
    }


def test_the_rating_system_is_asked_only_when_needed():
    def never():
        raise AssertionError

    assert converted("o_counter", {"value": {"value": 1}, "modifier": "EQUALS"}, ratings=never)


@pytest.mark.parametrize(("name", "kind"), [("date", "scene"), ("birthdate", "performer"), ("scene_date", "marker")])
def test_dates_are_flattened(name, kind):
    entry = {"value": {"value": "2020-01-01", "value2": "2021-01-01"}, "modifier": "BETWEEN"}
    assert converted(name, entry, kind) == {
        name: {"value": "2020-01-01", "value2": "2021-01-01", "modifier": "BETWEEN"}
    }


def test_an_old_date_is_a_plain_value():
    assert converted("date", {"value": "2020-01-01", "modifier": "LESS_THAN"}) == {
        "date": {"value": "2020-01-01", "modifier": "LESS_THAN"}
    }
    assert converted("date", {"modifier": "IS_NULL"}) == {"date": {"value": "", "modifier": "IS_NULL"}}


@pytest.mark.parametrize(
    ("name", "kind"),
    [("created_at", "scene"), ("updated_at", "tag"), ("last_played_at", "scene"), ("scene_created_at", "marker"),
     ("scene_updated_at", "marker")],
)  # fmt: skip
def test_times_get_a_t_for_their_space(name, kind):
    entry = {"value": {"value": "2020-01-01 10:30", "value2": "2021-01-01"}, "modifier": "BETWEEN"}
    assert converted(name, entry, kind) == {
        name: {"value": "2020-01-01T10:30", "value2": "2021-01-01", "modifier": "BETWEEN"}
    }


@pytest.mark.parametrize("shown", ["", "yesterday", "2020-01-01 10:30:15", "2020-1-1", None])
def test_times_in_any_other_form_are_empty(shown):
    entry = {"value": {"value": shown}, "modifier": "GREATER_THAN"}
    assert converted("created_at", entry) == {"created_at": {"value": "", "value2": None, "modifier": "GREATER_THAN"}}


def test_an_old_time_is_a_plain_value_with_its_second_beside_it():
    entry = {"value": " 2020-01-01 10:30 ", "value2": "2021-01-01", "modifier": "BETWEEN"}
    assert converted("created_at", entry)["created_at"]["value"] == "2020-01-01T10:30"
    assert converted("created_at", entry)["created_at"]["value2"] == "2021-01-01"


@pytest.mark.parametrize(
    ("name", "kind"),
    [("tags", "scene"), ("performer_tags", "scene"), ("scene_tags", "marker"), ("studios", "scene"),
     ("groups", "scene"), ("containing_groups", "group"), ("sub_groups", "group"), ("parents", "tag"),
     ("children", "tag")],
)  # fmt: skip
def test_trees_lose_their_labels_and_keep_their_depth(name, kind):
    entry = {"value": {"items": labels("1", "2"), "excluded": labels("3"), "depth": -1}, "modifier": "INCLUDES_ALL"}
    assert converted(name, entry, kind) == {
        name: {"value": ["1", "2"], "excludes": ["3"], "modifier": "INCLUDES_ALL", "depth": -1}
    }


def test_a_tree_that_must_be_equal_has_no_depth():
    entry = {"value": {"items": labels("1"), "excluded": [], "depth": 2}, "modifier": "EQUALS"}
    assert converted("tags", entry)["tags"]["depth"] == 0


def test_excluded_ones_count_only_beside_included_ones():
    entry = {"value": {"items": labels("1"), "excluded": labels("2"), "depth": 0}, "modifier": "IS_NULL"}
    assert converted("tags", entry) == {"tags": {"value": ["1"], "excludes": [], "modifier": "IS_NULL", "depth": 0}}


def test_an_old_excludes_becomes_includes_with_all_excluded():
    entry = {"value": {"items": labels("1"), "excluded": labels("2"), "depth": 1}, "modifier": "EXCLUDES"}
    expected = {"value": [], "excludes": ["2", "1"], "modifier": "INCLUDES", "depth": 1}
    assert converted("tags", entry) == {"tags": expected}
    assert converted("studios", entry) == {"studios": expected}


@pytest.mark.parametrize(
    ("name", "kind"), [("groups", "scene"), ("containing_groups", "group"), ("sub_groups", "group")]
)
def test_excludes_stays_where_the_page_offers_it(name, kind):
    entry = {"value": {"items": labels("1"), "excluded": labels("2"), "depth": 0}, "modifier": "EXCLUDES"}
    assert converted(name, entry, kind) == {name: {"value": ["1"], "excludes": [], "modifier": "EXCLUDES", "depth": 0}}


def test_a_tree_without_value_is_empty():
    assert converted("tags", {"modifier": "NOT_NULL"}) == {
        "tags": {"value": [], "excludes": [], "modifier": "NOT_NULL", "depth": 0}
    }


def test_performers_have_no_depth():
    entry = {"value": {"items": labels("1"), "excluded": labels("2")}, "modifier": "INCLUDES"}
    assert converted("performers", entry) == {"performers": {"value": ["1"], "excludes": ["2"], "modifier": "INCLUDES"}}


def test_old_performers_are_a_plain_list():
    assert converted("performers", {"value": labels("1"), "modifier": "INCLUDES_ALL"}) == {
        "performers": {"value": ["1"], "excludes": [], "modifier": "INCLUDES_ALL"}
    }
    assert converted("performers", {"value": labels("1"), "modifier": "EXCLUDES"}) == {
        "performers": {"value": [], "excludes": ["1"], "modifier": "INCLUDES"}
    }


@pytest.mark.parametrize(
    ("name", "kind"), [("galleries", "image"), ("scenes", "gallery"), ("scenes", "marker"), ("parents", "studio")]
)
def test_lists_lose_their_labels(name, kind):
    entry = {"value": labels("1", "2"), "modifier": "INCLUDES"}
    assert converted(name, entry, kind) == {name: {"value": ["1", "2"], "modifier": "INCLUDES"}}


def test_ids_that_are_numbers_become_text():
    entry = {"value": {"items": [{"id": 1, "label": "a"}], "excluded": [{"id": 2}], "depth": 0}, "modifier": "INCLUDES"}
    assert converted("tags", entry)["tags"]["value"] == ["1"]
    assert converted("tags", entry)["tags"]["excludes"] == ["2"]


@pytest.mark.parametrize(
    ("shown", "value"),
    [("144p", "VERY_LOW"), ("240p", "LOW"), ("360p", "R360P"), ("480p", "STANDARD"), ("540p", "WEB_HD"),
     ("720p", "STANDARD_HD"), ("1080p", "FULL_HD"), ("1440p", "QUAD_HD"), ("4k", "FOUR_K"), ("4K", "FOUR_K"),
     ("5k", "FIVE_K"), ("6k", "SIX_K"), ("7k", "SEVEN_K"), ("8k", "EIGHT_K"), ("Huge", "HUGE"), ("FULL_HD", "FULL_HD")],
)  # fmt: skip
@pytest.mark.parametrize(("name", "kind"), [("resolution", "scene"), ("average_resolution", "gallery")])
def test_resolutions_become_their_enum(name, kind, shown, value):
    assert converted(name, {"value": shown, "modifier": "EQUALS"}, kind) == {
        name: {"value": value, "modifier": "EQUALS"}
    }


def test_orientations_become_their_enums():
    assert converted("orientation", {"value": ["Landscape", "Square"], "modifier": "EQUALS"}) == {
        "orientation": {"value": ["LANDSCAPE", "SQUARE"]}
    }


@pytest.mark.parametrize("shown", [["Female", "Non-Binary"], ["FEMALE", "NON_BINARY"]])
def test_genders_become_a_list_of_enums(shown):
    assert converted("gender", {"value": shown, "modifier": "INCLUDES"}, "performer") == {
        "gender": {"value_list": ["FEMALE", "NON_BINARY"], "modifier": "INCLUDES"}
    }


def test_an_old_gender_is_one_text():
    assert converted("gender", {"value": "Transgender Male", "modifier": "INCLUDES"}, "performer") == {
        "gender": {"value_list": ["TRANSGENDER_MALE"], "modifier": "INCLUDES"}
    }
    assert converted("gender", {"modifier": "IS_NULL"}, "performer") == {
        "gender": {"value_list": [], "modifier": "IS_NULL"}
    }


def test_circumcised_becomes_its_enums():
    assert converted("circumcised", {"value": ["Cut", "Uncut"], "modifier": "INCLUDES"}, "performer") == {
        "circumcised": {"value": ["CUT", "UNCUT"], "modifier": "INCLUDES"}
    }


@pytest.mark.parametrize(("shown", "code"), [("English", "en"), ("日本", "ja"), ("Unknown", "00"), ("Deutsche", "de")])
def test_captions_become_the_code_of_their_language(shown, code):
    assert converted("captions", {"value": shown, "modifier": "INCLUDES"}) == {
        "captions": {"value": code, "modifier": "INCLUDES"}
    }


def test_captions_that_must_be_missing_have_no_language():
    assert converted("captions", {"value": "", "modifier": "IS_NULL"}) == {
        "captions": {"value": "", "modifier": "IS_NULL"}
    }


def test_a_stash_id_is_flattened():
    entry = {"value": {"endpoint": "https://box.example", "stashID": "x"}, "modifier": "EQUALS"}
    assert converted("stash_id_endpoint", entry) == {
        "stash_id_endpoint": {"endpoint": "https://box.example", "stash_id": "x", "modifier": "EQUALS"}
    }


def test_an_old_stash_id_is_one_text():
    assert converted("stash_id_endpoint", {"value": "x", "modifier": "EQUALS"}) == {
        "stash_id_endpoint": {"endpoint": "", "stash_id": "x", "modifier": "EQUALS"}
    }


def test_a_phash_is_flattened():
    entry = {"value": {"value": "f00d", "distance": 4}, "modifier": "EQUALS"}
    assert converted("phash_distance", entry) == {
        "phash_distance": {"value": "f00d", "distance": 4, "modifier": "EQUALS"}
    }
    assert converted("phash_distance", {"value": {"value": "f00d"}, "modifier": "EQUALS"}) == {
        "phash_distance": {"value": "f00d", "modifier": "EQUALS"}
    }


def test_custom_fields_stay_as_they_are():
    fields = [{"field": "river", "value": ["x", 1], "modifier": "EQUALS"}]
    assert converted("custom_fields", fields, "performer") == {"custom_fields": fields}


def test_movies_are_groups_now():
    entry = {"value": {"items": labels("1"), "excluded": [], "depth": 0}, "modifier": "INCLUDES"}
    assert converted("movies", entry) == {
        "groups": {"value": ["1"], "excludes": [], "modifier": "INCLUDES", "depth": 0}
    }


# The whole filter


@pytest.mark.parametrize(("mode", "kind"), [
    ("SCENES", "scene"), ("PERFORMERS", "performer"), ("STUDIOS", "studio"), ("GALLERIES", "gallery"),
    ("SCENE_MARKERS", "marker"), ("MOVIES", "group"), ("GROUPS", "group"), ("TAGS", "tag"), ("IMAGES", "image"),
])  # fmt: skip
def test_every_mode_lists_a_kind(mode, kind):
    assert savedfilter.convert(record({}, mode), stars)[0] == kind


def test_the_search_text_comes_along():
    assert savedfilter.convert(record(None, find_filter={"q": "river", "page": 3}), stars) == ("scene", {}, "river")
    assert savedfilter.convert(record(None, find_filter=None), stars) == ("scene", {}, "")


def test_several_criteria_are_all_converted():
    criteria = {
        "organized": {"value": "true", "modifier": "EQUALS"},
        "title": {"value": "x", "modifier": "INCLUDES"},
    }
    assert savedfilter.convert(record(criteria), stars)[1] == {
        "organized": True, "title": {"value": "x", "modifier": "INCLUDES"},
    }  # fmt: skip


def test_an_unknown_criterion_is_named():
    with pytest.raises(BadFilter, match="the criterion 'shoe_size', which is not known here"):
        converted("shoe_size", {"value": 1, "modifier": "EQUALS"})


def test_an_unknown_mode_is_named():
    with pytest.raises(BadFilter, match="it lists SHOES"):
        savedfilter.convert(record({}, "SHOES"), stars)


@pytest.mark.parametrize(
    ("name", "value", "kind"),
    [("resolution", "9k", "scene"), ("gender", ["Robot"], "performer"), ("captions", "Klingon", "scene"),
     ("orientation", ["Round"], "scene"), ("circumcised", ["?"], "performer")],
)  # fmt: skip
def test_an_unknown_word_is_named(name, value, kind):
    with pytest.raises(BadFilter, match=f"the criterion '{name}' of the saved filter has the value"):
        converted(name, {"value": value, "modifier": "EQUALS"}, kind)


@pytest.mark.parametrize("entry", ["true", 3, None, ["x"]])
def test_a_criterion_in_another_form_is_named(entry):
    with pytest.raises(BadFilter, match="'organized' of the saved filter is not in the form"):
        converted("organized", entry)


# Finding one


def test_a_filter_is_chosen_by_name():
    saved = [record({}, "TAGS", "Rivers"), record({}, "SCENES", "Birds")]
    assert savedfilter.choose("Birds", saved) is saved[1]
    assert savedfilter.choose("tag:Rivers", saved) is saved[0]


def test_a_name_with_a_colon_is_still_a_name():
    saved = [record({}, "TAGS", "scene:Rivers")]
    assert savedfilter.choose("scene:Rivers", saved) is saved[0]


def test_a_name_of_several_kinds_asks_for_the_kind():
    saved = [record({}, "TAGS", "Rivers"), record({}, "SCENES", "Rivers")]
    with pytest.raises(
        BadFilter, match=r"several kinds \(scene, tag\) have a saved filter 'Rivers'; give scene:Rivers"
    ):
        savedfilter.choose("Rivers", saved)


def test_a_wrong_name_is_told_with_the_nearest():
    with pytest.raises(UnknownName, match=r"there is no saved filter named 'Rivesr'; did you mean 'Rivers'\?"):
        savedfilter.choose("Rivesr", [record({}, "TAGS", "Rivers")])
