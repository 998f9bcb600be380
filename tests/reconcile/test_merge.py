"""The merge of one field: laws, strategies, and what tells members of a set apart."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stash_portability.model import BlobRef, Policy
from stash_portability.reconcile.coding import pack
from stash_portability.reconcile.merge import Sides, merge

WORDS = st.one_of(st.none(), st.sampled_from(["calm", "wild", "green"]))
LISTS = st.lists(st.sampled_from("abcd"), unique=True).map(sorted)
DAYS = st.lists(st.sampled_from([f"2024-05-0{day}T00:00:00Z" for day in (1, 2, 3)])).map(sorted)
SOURCE = Policy(prefer={"": "source"})
FILL = Policy()


def result(kind, field, values, policy=SOURCE):
    base, source, target = ({field: value} for value in values)
    merged = merge(Sides(kind, base, source, target), policy)
    return merged.changes.get(field, target[field]), [clash.chosen for clash in merged.clashes]


def without_base(kind, field, source, target, policy=SOURCE):
    merged = merge(Sides(kind, None, {field: source}, {field: target}), policy)
    return merged.changes.get(field, target), [clash.chosen for clash in merged.clashes]


@given(WORDS, WORDS, WORDS)
def test_a_value_that_one_side_changed_is_taken_and_two_changes_are_told(base, source, target):
    value, clashes = result("scene", "title", (base, source, target))
    if source in (target, base):
        assert (value, clashes) == (target, [])
    elif target == base:
        assert (value, clashes) == (source, [])
    else:
        assert (value, clashes) == (source, ["source"])


@given(LISTS, LISTS, LISTS)
def test_members_of_a_set_come_and_go_with_either_side(base, source, target):
    b, s, t = set(base), set(source), set(target)
    value, clashes = result("tag", "aliases", (base, source, target))
    assert (value, clashes) == (sorted((s | t) - (b - s) - (b - t)), [])


@given(LISTS, LISTS)
def test_a_set_becomes_the_source_when_the_base_is_the_target_and_a_union_without_base(source, target):
    assert result("tag", "aliases", (target, source, target))[0] == source
    assert without_base("tag", "aliases", source, target, FILL) == (sorted({*source, *target}), [])


@given(st.permutations("abcd"), st.permutations("abcd"))
def test_an_order_is_the_source_s_when_only_that_moved_and_else_the_target_s(source, target):
    assert result("scene", "urls", (target, source, target))[0] == source
    assert without_base("scene", "urls", source, target, FILL) == (target, [])
    assert without_base("scene", "urls", source, target)[0] == source


@given(DAYS, DAYS, DAYS)
def test_histories_are_multisets(base, source, target):
    value, clashes = result("scene", "play_history", (base, source, target))
    assert clashes == []
    for day, times in Counter([*base, *source, *target]).items():
        assert times
        b, s, t = (listed.count(day) for listed in (base, source, target))
        assert value.count(day) == (t if s == b else s if t == b else max(s, t))


@given(DAYS, DAYS)
def test_histories_without_a_base_lose_no_instant_and_double_none(source, target):
    value, _ = without_base("scene", "play_history", source, target, FILL)
    assert Counter(value) == Counter(source) | Counter(target)
    assert without_base("scene", "play_history", source, value, FILL)[0] == value


@pytest.mark.parametrize(
    ("how", "value", "chosen"),
    [("source", "a", "source"), ("target", "b", "target"), ("fill", "b", "target"), ("ask", "b", "ask")],
)
def test_a_strategy_decides_what_both_say(how, value, chosen):
    assert without_base("scene", "title", "a", "b", Policy(prefer={"scene.title": how})) == (value, [chosen])


def test_what_is_empty_in_the_target_stays_so_where_the_target_counts():
    policy = Policy(prefer={"": "target"})
    assert without_base("scene", "title", "a", None, policy) == (None, ["target"])
    assert without_base("scene", "organized", True, False, policy) == (False, ["target"])
    assert without_base("scene", "resume_time", 3.0, 0.0, policy) == (0.0, ["target"])
    assert without_base("scene", "title", None, "b", policy) == ("b", [])


@pytest.mark.parametrize("how", ["source", "fill", "newer", "ask"])
def test_what_is_empty_says_nothing_without_a_base(how):
    policy = Policy(prefer={"": how})
    assert without_base("scene", "title", "a", None, policy) == ("a", [])
    assert without_base("scene", "title", None, "b", policy) == ("b", [])
    assert without_base("tag", "favorite", True, False, policy) == (True, [])
    assert without_base("scene", "rating100", 0, None, policy) == (0, [])


def test_the_most_exact_strategy_counts():
    policy = Policy(prefer={"": "target", "scene": "ask", "scene.title": "source"})
    assert without_base("scene", "title", "a", "b", policy)[1] == ["source"]
    assert without_base("scene", "code", "a", "b", policy)[1] == ["ask"]
    assert without_base("tag", "description", "a", "b", policy)[1] == ["target"]


@pytest.mark.parametrize(
    ("ours", "skew", "chosen"), [("05", 0, "source"), ("01", 0, "target"), ("03", 0, "ask"), ("05", 9, "ask")]
)
def test_newer_asks_within_the_skew(ours, skew, chosen):
    source = {"title": "a", "updated_at": f"2024-05-01T00:00:{ours}Z"}
    target = {"title": "b", "updated_at": "2024-05-01T00:00:03Z"}
    merged = merge(Sides("scene", None, source, target), Policy(prefer={"": "newer"}, skew=float(skew)))
    assert [clash.chosen for clash in merged.clashes] == [chosen]


@pytest.mark.parametrize("name", ["", "scene", "scene.{}"])
@pytest.mark.parametrize(("field", "ours", "theirs"), [
    ("tags", ["1", "2"], ["3"]),
    ("urls", ["x", "y"], ["y", "z"]),
    ("play_history", ["2020-01-01T00:00:00Z"], ["2021-01-01T00:00:00Z"]),
    ("groups", [{"group": "4", "scene_index": 1}, {"group": "12", "scene_index": 2}],
     [{"group": "4", "scene_index": 3}]),
])  # fmt: skip
def test_a_word_for_one_side_counts_for_lists_and_histories(name, field, ours, theirs):
    for how, wanted in (("source", ours), ("target", theirs)):
        policy = Policy(prefer={"": "fill", name.format(field): how})
        assert without_base("scene", field, ours, theirs, policy) == (wanted, [how])
        assert without_base("scene", field, wanted, wanted, policy) == (wanted, [])
        assert without_base("scene", field, ours, [], policy) == ((ours, []) if how == "source" else ([], ["target"]))
        assert without_base("scene", field, [], theirs, policy) == (theirs, [])


@given(LISTS, LISTS, LISTS)
def test_with_a_base_a_set_needs_no_word(base, source, target):
    for how in ("source", "target", "fill"):
        value, clashes = result("scene", "tags", (base, source, target), Policy(prefer={"": how}))
        b, s, t = set(base), set(source), set(target)
        assert (set(value), clashes) == ((s | t) - (b - s) - (b - t), [])


def test_the_word_union_joins_whatever_the_kind_is_told():
    policy = Policy(prefer={"": "source", "scene.tags": "union", "scene.play_history": "union"})
    assert without_base("scene", "tags", ["1"], ["2"], policy) == (["1", "2"], [])
    assert without_base("scene", "play_history", ["2020"], ["2021"], policy) == (["2020", "2021"], [])


def test_references_are_not_told_because_of_their_order():
    ours = [{"group": "12", "scene_index": 2}, {"group": "4", "scene_index": 1}]
    assert without_base("scene", "groups", ours, ours[::-1]) == (ours[::-1], [])
    value, _ = without_base("scene", "groups", ours, [{"group": "5", "scene_index": 1}])
    assert value == ours[::-1]


def test_an_old_place_does_not_come_back_where_the_target_played_on():
    def place(played, policy=FILL, theirs=0.0):
        source = {"resume_time": 12.5, "play_history": ["2020-01-01T00:00:00Z"]}
        merged = merge(Sides("scene", None, source, {"resume_time": theirs, "play_history": played}), policy)
        return merged.changes.get("resume_time", theirs)

    assert (place([]), place(["2021-01-01T00:00:00Z"])) == (12.5, 0.0)
    assert place(["2021-01-01T00:00:00Z"], SOURCE) == 12.5
    assert place([], theirs=3.0) == 3.0


def test_no_and_nought_are_what_a_scan_leaves():
    assert without_base("scene", "organized", True, False, FILL) == (True, [])
    assert without_base("scene", "organized", False, True, SOURCE) == (True, [])


def test_a_scene_has_one_stash_id_an_endpoint_and_a_performer_may_have_several():
    one, other = {"endpoint": "e", "stash_id": "1"}, {"endpoint": "e", "stash_id": "2"}
    assert without_base("scene", "stash_ids", [one], [other]) == ([one], ["source"])
    assert without_base("performer", "stash_ids", [one], [other], FILL) == ([one, other], [])


def test_the_date_of_a_stash_id_is_no_reason_to_ask():
    one, other = ({"endpoint": "e", "stash_id": "1", "updated_at": f"2024-05-0{day}T00:00:00Z"} for day in (1, 2))
    assert without_base("scene", "stash_ids", [one], [other], Policy(prefer={"": "target"})) == ([other], [])


def test_what_one_side_does_not_know_stays():
    merged = merge(Sides("scene", None, {"title": "a"}, {"code": "b"}), SOURCE)
    assert merged.changes == {} and merged.clashes == ()
    short, long = {"endpoint": "e", "stash_id": "1"}, {"endpoint": "e", "stash_id": "1", "updated_at": "2024"}
    assert without_base("scene", "stash_ids", [short], [long]) == ([long], [])


def test_images_are_compared_by_digest():
    ours, theirs = (pack("tag", {"image": BlobRef("aa", size)}) for size in (1, 2))
    assert merge(Sides("tag", None, ours, theirs), SOURCE).changes == {}
    other = pack("tag", {"image": BlobRef("bb", 1)})
    assert merge(Sides("tag", None, other, theirs), SOURCE).changes == other


def test_a_cover_is_never_taken_away_because_stash_does_not():
    theirs = pack("scene", {"cover": BlobRef("aa", 1)})
    assert merge(Sides("scene", theirs, {"cover": None}, theirs), SOURCE).changes == {}


def test_a_union_of_aliases_leaves_out_the_own_name():
    source, target = {"name": "Woods", "aliases": ["Forest"]}, {"name": "Forest", "aliases": []}
    assert merge(Sides("tag", None, source, target), Policy(prefer={"": "target"})).changes == {}


def test_names_are_compared_as_stash_does():
    def aliases(kind, name, ours, theirs):
        sides = Sides(kind, None, {"name": name, "aliases": ours}, {"name": name, "aliases": theirs})
        return merge(sides, FILL).changes.get("aliases", theirs)

    assert aliases("tag", "Été", ["été"], ["Eté"]) == ["Eté", "été"]
    assert aliases("tag", "Sea", ["SEA"], []) == []
    assert aliases("performer", "Élan", ["élan"], []) == []
    assert aliases("performer", "Ada", ["ÉLAN", "Bea"], ["élan"]) == ["Bea", "élan"]


def test_a_switch_that_is_off_and_a_cleared_text_are_settings_like_any_other():
    ours = {"autoplay": False, "css": "", "languages": [], "never set": None}
    theirs = {"autoplay": True, "css": "a {}", "languages": ["de"], "never set": 3}
    value, chosen = without_base("config", "settings", ours, theirs)
    assert value == {**ours, "never set": 3}
    assert chosen == ["source"]
    assert without_base("config", "settings", ours, theirs, Policy(prefer={"": "target"}))[0] == theirs


@pytest.mark.parametrize(("ours", "theirs"), [(1200, 400), (400, 1200)])
def test_of_two_counts_the_higher_one_is_both(ours, theirs):
    """It is raised one by one: a run that was killed on the way to 1,200 has left 400, and the next one goes on."""
    assert without_base("image", "o_counter", ours, theirs, FILL) == (1200, [])
    assert without_base("image", "o_counter", ours, theirs, SOURCE) == (ours, ["source"])
