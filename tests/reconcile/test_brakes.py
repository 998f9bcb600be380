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
    assert held(capability, source={"scene": 49, "tag": 20}, base=FULL) == ["source-empty"]
    assert held(capability, source={"scene": 50, "tag": 20}, base=FULL) == []


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
