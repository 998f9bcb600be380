"""The brakes: each on its own, and only for the capabilities it is for."""

import pytest

from stash_portability.reconcile.brakes import Circumstances, brakes

FULL = {"scene": 100, "tag": 20}


def held(capability, **more):
    facts = {"source": FULL, "target": FULL, **more}
    return [brake.name for brake in brakes(Circumstances(capability, **facts))]


@pytest.mark.parametrize(
    "capability", ["restore merge", "restore replace", "import", "migrate", "migrate incremental", "sync"]
)
def test_nothing_holds_when_nothing_is_odd(capability):
    assert held(capability, base=FULL) == []


@pytest.mark.parametrize(
    "capability", ["restore merge", "restore replace", "import", "migrate", "migrate incremental", "sync"]
)
def test_an_empty_or_shrunken_source(capability):
    assert held(capability, source={}) == ["source-empty"]
    shrunken = [] if capability == "restore replace" else ["source-empty"]  # there it is many deletes
    assert held(capability, source={"scene": 49, "tag": 20}, base=FULL) == shrunken
    assert held(capability, source={"scene": 50, "tag": 20}, base=FULL) == []
    assert held(capability, source={"scene": 100}, base=FULL) == ["source-empty"]


def told(**more):
    facts = {"source": FULL, "target": FULL, "base": FULL, **more}
    return {brake.name: brake.why for brake in brakes(Circumstances("restore replace", **facts))}


def test_each_matter_of_a_replacement_is_told_once():
    assert told(source={}, deletes=FULL) == {"source-empty": "the source is empty"}
    assert told(source={"scene": 9, "tag": 8}, deletes={"scene": 91, "tag": 12}) == {
        "many-deletes": "it would delete 91 of 100 scenes, 12 of 20 tags"
    }
    assert told(source={"scene": 9}, deletes={"scene": 91, "tag": 20}) == {
        "source-empty": "the source holds no tags (there are 20)",
        "many-deletes": "it would delete 91 of 100 scenes",
    }


def test_kinds_are_told_as_people_call_them():
    one = {"saved_filter": 1}
    why = {"source-empty": "the source holds no saved filters (there are 1)"}
    assert told(source={"tag": 3}, target={"tag": 3, **one}, base={"tag": 3, **one}, deletes=one) == why
    [brake] = brakes(Circumstances("sync", {"tag": 3}, {"tag": 7}, base={"tag": 7}))
    assert brake.why == "the source holds less than half of what it held: 3 of 7 tags"


def test_an_empty_target_is_odd_only_if_it_was_not_empty():
    assert held("sync", target={}) == []
    assert held("sync", target={}, base=FULL) == ["target-empty"]
    assert held("restore replace", target={}, base=FULL) == []


@pytest.mark.parametrize(("count", "brake"), [(5, []), (10, []), (11, ["many-deletes"])])
def test_many_deletes(count, brake):
    assert held("restore replace", deletes={"scene": count}) == brake
    assert held("restore merge", deletes={"scene": count}) == []


def test_few_deletes_of_a_small_kind():
    assert held("restore replace", target={"tag": 6}, deletes={"tag": 5}) == []
    assert held("restore replace", target={"tag": 6}, deletes={"tag": 6}) == ["many-deletes"]


def test_instances_and_conflicts():
    assert held("sync", replaced=True, same_instance=True) == ["replaced-instance", "same-instance"]
    assert held("migrate", replaced=True, same_instance=True) == ["same-instance"]
    assert held("sync", conflicts=21, changed=100) == ["many-conflicts"]
    assert held("sync", conflicts=20, changed=100) == []
    assert held("import", conflicts=21, changed=100) == []
