"""Plans that are stale: what they make was made meanwhile, by hand or by another run. Nothing is written then."""

import json
from types import SimpleNamespace

import pytest

from stash_portability.errors import EXIT_USAGE, StalePlan
from stash_portability.stale import check_not_stale
from stash_portability.traces import has_written

from .restoring import Bench


@pytest.fixture
def bench(tmp_path):
    bench = Bench(tmp_path)
    bench.drop("group", "1")
    return bench


def test_two_previews_cannot_both_be_applied(bench):
    one, two = bench.plan()[0], bench.plan()[0]
    bench.apply(one)
    before = bench.everything()
    with pytest.raises(StalePlan, match="a group was added since this preview was made; make it again") as stale:
        bench.apply(two, accept=("replaced-instance",))
    assert (bench.everything(), stale.value.exit_code) == (before, EXIT_USAGE)
    bench.restore()
    assert bench.everything() == before


def test_what_was_made_by_hand_since_is_not_made_again(bench):
    planned, _ = bench.plan()
    for _ in range(2):
        bench.library.create("group", {"name": "By hand"})
    bench.library.create("tag", {"name": "Of no concern", "aliases": []})
    with pytest.raises(StalePlan, match="groups were added since"):
        bench.apply(planned)


def test_of_what_it_does_not_make_there_may_be_more(bench):
    planned, _ = bench.plan()
    bench.library.create("tag", {"name": "Of no concern", "aliases": []})
    assert bench.apply(planned)[1].changes["group create"] == 1


def test_a_run_that_only_changed_something_makes_plans_that_make_something_stale(bench):
    bench.library.update("performer", "1", {"country": None})
    creating, changing = bench.plan()[0], bench.plan(kinds=("performer",))[0]
    done, _ = bench.apply(changing)
    with pytest.raises(StalePlan, match=f"{done.name} wrote to this Stash since"):
        bench.apply(creating)
    assert not [one for one in bench.runs.glob("*-apply-*") if one != done and has_written(one)]


def test_a_run_that_wrote_elsewhere_is_of_no_concern(bench):
    planned, _ = bench.plan()
    other = bench.folder("apply")
    (other / "journal.jsonl").write_text("{}\n")
    signs = {"tag": {"oldest": {"1": "2001-01-01T00:00:00Z"}}}
    (other / "written.json").write_text(json.dumps({"target": "memory", "instance": signs}))
    header = {"counts": {"tag create": 1}, "highest": {}, "target": "memory"}
    nowhere = SimpleNamespace(writer=lambda _: None, reader=SimpleNamespace(read=lambda *_: ()))
    check_not_stale({**header, "instance": {"tag": {"oldest": {"1": "2002-02-02T00:00:00Z"}}}}, planned,
                    bench.folder("apply"), nowhere)  # fmt: skip
    with pytest.raises(StalePlan):
        check_not_stale(header, planned, bench.folder("apply"), nowhere)


def test_plans_that_make_nothing_are_compared_record_by_record(bench):
    bench.restore()
    bench.library.update("performer", "1", {"country": None})
    planned, _ = bench.plan(kinds=("performer",))
    bench.library.create("performer", {"name": "By hand", "aliases": []})
    assert bench.apply(planned)[1].changes == {"performer update": 1}
