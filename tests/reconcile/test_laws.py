"""What holds for any two libraries: laws of the merge with its three bases, of crashes, and of the undo."""

import copy
import tempfile
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from stash_portability.reconcile.undo import undo_plan

from .films import libraries, memory, names, view, with_every_scene
from .running import FROM_SOURCE, MERGE, REPLACE, Breaking, BreaksOff, changes, planned, run, write

SOME = settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
FEW = settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
FEWER = settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck))
POLICIES = {"merge": MERGE, "from source": FROM_SOURCE, "replace": REPLACE}


def two(a, b):
    """Two libraries of the same media."""
    return memory(a), memory(with_every_scene(b, a))


def clean(applied):
    assert applied.failed == [] and applied.moved == [] and applied.differs == [] and applied.partly == []


@SOME
@given(libraries(), libraries(50))
def test_replace_makes_the_target_equal_to_the_source(a, b):
    source, target = two(a, b)
    with planned(source, target, REPLACE) as plan:
        unsure = list(plan.ambiguities)
    clean(run(source, target, REPLACE))
    if not unsure:
        assert view(target) == view(source)
    assert changes(source, target, REPLACE) == []


@SOME
@given(libraries(), libraries(50), st.sampled_from([MERGE, FROM_SOURCE]))
def test_merge_takes_nothing_away_and_a_second_run_is_empty(a, b, policy):
    source, target = two(a, b)
    before = [(kind, one) for kind in ("tag", "group", "scene", "marker") for one in memory(b).read(kind)]
    clean(run(source, target, policy))
    for kind, one in before:
        [now] = [record for record in target.read(kind) if record.uid == one.uid]
        for name, value in one.data.items():
            if isinstance(value, list) and name not in ("files", "aliases", "groups", "containing_groups", "stash_ids"):
                if policy is MERGE:
                    assert set(map(str, value)) <= set(map(str, now.data[name]))
                elif name != "parents":  # the source's word counts; nothing said takes nothing away
                    assert now.data[name] or not value
            elif value not in (None, [], {}, False) and name not in ("files",) and policy is MERGE:
                assert now.data[name], name
    assert changes(source, target, policy) == []


@SOME
@given(libraries(), st.sampled_from([MERGE, FROM_SOURCE, REPLACE]))
def test_a_library_and_itself_need_nothing(a, policy):
    assert changes(memory(a), memory(a), policy) == []


@SOME
@given(libraries(), libraries(50), st.sampled_from([MERGE, FROM_SOURCE, REPLACE]))
def test_what_is_applied_is_what_was_planned(a, b, policy):
    source, target = two(a, b)
    with tempfile.TemporaryDirectory() as folder, planned(source, target, policy) as plan:
        listed = list(plan.changes)
        assert listed == list(plan.changes)
        applied = write(plan, target, Path(folder))
        assert sum(applied.counts.values()) + applied.already == len(listed)


def crash_everywhere(a, b, policy):
    """Break off at every write, before it and after it; run again; the same end as without."""
    whole = two(a, b)
    counting = Breaking(whole[1])
    run(*whole, policy, writer=counting)
    want = view(whole[1])
    for at in range(1, counting.writes + 1):
        for after in (False, True):
            source, target = two(a, b)
            with pytest.raises(BreaksOff):
                run(source, target, policy, writer=Breaking(target, at, after))
            clean(run(source, target, policy))
            assert view(target) == want, (at, after)
            assert changes(source, target, policy) == []


@pytest.mark.parametrize("name", POLICIES)
@FEWER
@given(a=libraries(), b=libraries(50))
def test_a_crash_at_any_write_and_a_second_run_end_alike(name, a, b):
    crash_everywhere(a, b, POLICIES[name])


@pytest.mark.deep
@pytest.mark.parametrize("name", POLICIES)
@settings(max_examples=400, deadline=None, suppress_health_check=list(HealthCheck))
@given(a=libraries(), b=libraries(50))
def test_a_crash_at_any_write_of_many_libraries(name, a, b):
    crash_everywhere(a, b, POLICIES[name])


@SOME
@given(libraries(), libraries(50), st.sampled_from([MERGE, FROM_SOURCE, REPLACE]))
def test_undo_brings_back_what_was(a, b, policy):
    source, target = two(a, b)
    before = view(target)
    with tempfile.TemporaryDirectory() as folder, planned(source, target, policy) as plan:
        write(plan, target, Path(folder))
        undo = undo_plan(Path(folder))
        (Path(folder) / "undo").mkdir()
        told = list(undo.waiting)
        clean(write(undo, target, Path(folder) / "undo"))
    if not told:
        assert view(target) == before


@FEW
@given(libraries(), libraries(50), st.integers(1, 20), st.booleans())
def test_undo_of_a_run_that_broke_off(a, b, at, after):
    source, target = two(a, b)
    before, called = view(target), names(target)
    with tempfile.TemporaryDirectory() as folder, planned(source, target, FROM_SOURCE) as plan:
        with_undo = Path(folder) / "undo"
        with_undo.mkdir()
        with suppress(BreaksOff):
            write(plan, target, Path(folder), Breaking(target, at, after))
        undo = undo_plan(Path(folder))
        write(undo, target, with_undo)
        if not undo.brakes:
            assert view(target) == before
        assert set(called) <= set(names(target))


@SOME
@given(libraries(), libraries(50))
def test_planning_changes_neither_side(a, b):
    source, target = two(a, b)
    kept = copy.deepcopy((view(source), view(target)))
    changes(source, target, REPLACE)
    assert (view(source), view(target)) == kept
