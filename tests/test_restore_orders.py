"""What may be ordered to be applied and taken back: only runs, only those that can be, only brakes that hold."""

import json
from datetime import datetime, timezone

import pytest

from stash_portability import restore_orders, runs, traces
from stash_portability.backup import backup
from stash_portability.backup_options import BackupOptions
from stash_portability.errors import SeveralProblems, UnknownName, UsageError
from stash_portability.identity import REPLACED
from stash_portability.libraries.archive import ArchiveSource
from stash_portability.means import Means
from stash_portability.planfile import CHANGES
from stash_portability.points import ACCEPT
from stash_portability.progress import Quiet
from stash_portability.reconcile.journal import NAME as JOURNAL
from stash_portability.writing import BRAKES as BRAKES_THERE_ARE

from .test_plugin import DEMO, desk_of

NOON = datetime(2026, 5, 1, 12, 0, 0, tzinfo=timezone.utc)
BRAKES = [{"name": "many-deletes", "why": "it would delete 9 of 10 tag"}, {"name": "source-empty", "why": "it is"}]


def begun(desk, kind, token=b"abcd", state="finished", **facts):
    with runs.begin(desk.places.runs, kind, NOON, token) as run:
        run.write(state, **facts)
    return run


def wrote(run):
    (run.folder / traces.JOURNAL).write_text('{"intend": 0}\n')
    (run.folder / traces.WRITTEN).write_text("{}")
    return run


def previewed(run):
    (run.folder / traces.PLAN).write_text("{}\n")
    return run


def ordered(tmp_path, **order):
    return desk_of(tmp_path, order)


@pytest.fixture
def desk(tmp_path):
    return desk_of(tmp_path)


@pytest.fixture
def planned(desk):
    return previewed(begun(desk, "restore", report={"brakes": BRAKES}))


def test_a_preview_is_applied_with_the_brakes_that_are_accepted(tmp_path, planned):
    found = restore_orders.apply_order(ordered(tmp_path, plan=planned.name))
    assert found == (planned.name, planned.folder, ())
    accept = ["source-empty", "many-deletes", "source-empty", "no-restore-point"]
    found = restore_orders.apply_order(ordered(tmp_path, plan=planned.name, accept=accept))
    assert found.accept == ("source-empty", "many-deletes", "no-restore-point")


@pytest.mark.parametrize(
    ("accept", "error"),
    [("many-deletes", UsageError), ([5], UsageError), ({"many-deletes": True}, UsageError),
     (["same-instance"], UnknownName), (["many-deletes", "all"], UnknownName)],
)  # fmt: skip
def test_only_a_brake_that_holds_is_accepted(tmp_path, planned, accept, error):
    with pytest.raises(error):
        restore_orders.apply_order(ordered(tmp_path, plan=planned.name, accept=accept))


@pytest.mark.parametrize("name", [None, "", 5, "../x", "/etc", "20260501T120000.000Z-restore-00000000"])
def test_a_plan_and_what_is_undone_are_runs(tmp_path, planned, name):
    for order, given in (("apply_order", {"plan": name}), ("undo_order", {"run": name})):
        with pytest.raises((UsageError, UnknownName)):
            getattr(restore_orders, order)(ordered(tmp_path, **given))


def test_the_brakes_are_called_as_those_who_find_them_call_them():
    ours = {restore_orders.NO_POINT, restore_orders.UNKNOWN_CREATES, restore_orders.REPLACED}
    assert ours <= set(BRAKES_THERE_ARE)
    assert (restore_orders.NO_POINT, restore_orders.REPLACED) == (ACCEPT, REPLACED)
    assert (traces.JOURNAL, traces.PLAN) == (JOURNAL, CHANGES)


@pytest.mark.parametrize("order", ["apply_order", "undo_order", "verify_order"])
def test_other_words_are_refused(tmp_path, order):
    with pytest.raises(UnknownName, match="argument"):
        getattr(restore_orders, order)(ordered(tmp_path, to="http://elsewhere"))


# what may be ordered to be restored


@pytest.fixture
def name(desk):
    """A backup of the demo library in backups/."""
    means = Means(now=lambda: NOON)
    backup(BackupOptions("demo", desk.places.backups), Quiet(), means, ArchiveSource(DEMO))
    return "20260501T120000Z-stash.zip"


def test_a_restore_says_what_and_how(tmp_path, desk, name):
    order = {"archive": name, "kinds": ["scene"], "ids": {"scene": ["3", 1]}, "links": True, "mode": "replace"}
    found = restore_orders.restore_order(ordered(tmp_path, order=order))
    assert found.archive == desk.places.backups / name
    assert (found.target, found.mode, found.links) == ("this Stash", "replace", True)
    assert (found.kinds, found.ids) == (("scene",), {"scene": ("1", "3")})
    order = {"archive": name, "config": ["interface"], "prefer": {"": "source", "scene.title": "ask"}}
    found = restore_orders.restore_order(ordered(tmp_path, order=order))
    assert (found.kinds, found.config) == (("config",), ("interface",))
    assert found.prefer == {"": "source", "scene.title": "ask"}
    assert restore_orders.restore_order(ordered(tmp_path, archive=name)).kinds == ()


def test_what_a_plan_tells_of_its_options_can_be_ordered_anew(tmp_path, name):
    for order in ({"mode": "replace"}, {"config": ["ui"]}, {"kinds": ["tag"], "ids": {"tag": ["2"]}, "links": True}):
        first = restore_orders.restore_order(ordered(tmp_path, order={"archive": name, **order}))
        told = json.loads(json.dumps(first.as_data()))
        again = {key: told[key] for key in restore_orders.RESTORE_ARGUMENTS if told.get(key)}
        assert restore_orders.restore_order(ordered(tmp_path, order={**again, "archive": name})) == first


def test_a_selection_comes_as_text(tmp_path, name):
    order = {"archive": name, "selection": "# mine\nscene 3  # Geese\n\ntag 2\nscene 1"}
    found = restore_orders.restore_order(ordered(tmp_path, order=order))
    assert found.ids == {"scene": ("1", "3"), "tag": ("2",)}


@pytest.mark.parametrize(
    "order",
    [{"to": "http://elsewhere"}, {"target": "x"}, {"api_key_file": "/etc/passwd"}, {"kinds": ["scenery"]}, {"kinds": 5},
     {"kinds": [["tag"]]}, {"ids": {"scene": []}}, {"ids": ["1"]}, {"ids": {"scene": "1"}}, {"ids": {"config": ["ui"]}},
     {"ids": {"scene": ["x"]}}, {"ids": {"scene": [None]}}, {"ids": {"tag": ["1"]}, "selection": "tag 2"},
     {"selection": 5}, {"selection": "tag x"}, {"selection": "# nothing"}, {"selection": "\ud800"},
     {"selection": "tag 1\n" * 1_700_000}, {"config": ["secrets"]}, {"config": {"ui": True}}, {"mode": "wipe"},
     {"mode": ["merge"]}, {"prefer": {"": "best"}}, {"prefer": {"": ["ask"]}}, {"prefer": 5},
     {"prefer": {"x.y": "ask"}},
     {"kinds": ["config"]}, {"mode": "replace", "prefer": {"": "ask"}}, {"archive": "../x"}, {"archive": None}],
)  # fmt: skip
def test_a_restore_that_may_not_be_is_refused(tmp_path, name, order):
    with pytest.raises(UsageError):
        restore_orders.restore_order(ordered(tmp_path, order={"archive": name, **order}))


def test_all_mistakes_of_a_restore_are_told_at_once(tmp_path, name):
    order = {"archive": "no.zip", "kinds": ["scenery"], "colour": "red", "prefer": {"": "best"}, "ids": {"tag": []}}
    with pytest.raises(SeveralProblems) as caught:
        restore_orders.restore_order(ordered(tmp_path, order=order))
    for word in ("no.zip", "scenery", "colour", "best", "none of them empty"):
        assert word in str(caught.value)


@pytest.mark.parametrize("order", ["x", 5, ["archive"]])
def test_an_order_is_a_mapping(tmp_path, order):
    for check in (restore_orders.restore_order, restore_orders.archive_order):
        with pytest.raises(UsageError, match="mapping"):
            check(ordered(tmp_path, order=order))


@pytest.mark.parametrize(
    ("kind", "facts"),
    [("export", {}), ("restore", {"state": "failed"}), ("restore", {"state": "stopped"}), ("apply", {})],
)
def test_only_a_preview_that_was_made_to_its_end_can_be_applied(tmp_path, desk, kind, facts):
    run = previewed(begun(desk, kind, **facts))
    without = begun(desk, "restore", b"efgh")
    for name in (run.name, without.name):
        with pytest.raises(UsageError, match="no preview"):
            restore_orders.apply_order(ordered(tmp_path, plan=name))


def test_a_plan_is_written_once(tmp_path, desk, planned):
    order, apply = ordered(tmp_path, plan=planned.name), begun(desk, "apply", b"efgh", "stopped")
    (planned.folder / traces.APPLIED).write_text(json.dumps({"version": 1, "by": apply.name}))
    (apply.folder / traces.WRITTEN).write_text("{}")
    assert restore_orders.apply_order(order).run == planned.name  # it was ended before it wrote anything
    assert "applied" not in further(desk, planned)
    wrote(apply)
    with pytest.raises(UsageError, match=f"by {apply.name}: preview again"):
        restore_orders.apply_order(order)
    assert further(desk, planned)["applied"] == apply.name
    assert further(desk, apply)["undoable"]


@pytest.mark.parametrize("note", ["", "{", "[]", "{}"])
def test_a_note_that_is_damaged_is_no_reason_to_write_a_plan_twice(tmp_path, planned, note):
    (planned.folder / traces.APPLIED).write_text(note)
    with pytest.raises(UsageError, match="by another run"):
        restore_orders.apply_order(ordered(tmp_path, plan=planned.name))


def further(desk, run):
    return traces.told_further(desk.places.runs, runs.read(desk.places.runs, run.name))


@pytest.mark.parametrize("kind", ["apply", "undo"])
@pytest.mark.parametrize("state", ["finished", "failed", "cancelled", "stopped"])
def test_what_has_written_can_be_undone(tmp_path, desk, kind, state):
    run = wrote(begun(desk, kind, state=state))
    assert restore_orders.undo_order(ordered(tmp_path, run=run.name)) == (run.name, run.folder, ())
    found = restore_orders.undo_order(ordered(tmp_path, run=run.name, accept=["unknown-creates"]))
    assert found.accept == ("unknown-creates",)
    with pytest.raises(UnknownName):
        restore_orders.undo_order(ordered(tmp_path, run=run.name, accept=["many-deletes"]))


def test_it_is_undone_once(tmp_path, desk):
    run, undo, redo = wrote(begun(desk, "apply")), begun(desk, "undo", b"efgh"), begun(desk, "undo", b"ijkl")
    (run.folder / traces.UNDONE).write_text(json.dumps({"version": 1, "by": undo.name}))
    assert restore_orders.undo_order(ordered(tmp_path, run=run.name)).run == run.name  # it wrote nothing
    wrote(undo)
    with pytest.raises(UsageError, match=f"{undo.name} has done that"):
        restore_orders.undo_order(ordered(tmp_path, run=run.name))
    assert further(desk, run)["undone"] == undo.name
    (undo.folder / traces.UNDONE).write_text(json.dumps({"version": 1, "by": redo.name}))
    wrote(redo)
    assert "undone" not in further(desk, run)
    assert restore_orders.undo_order(ordered(tmp_path, run=run.name)).run == run.name


def test_what_goes_on_or_has_written_nothing_cannot_be_undone(tmp_path, desk, planned):
    with pytest.raises(UsageError, match="nothing into Stash"):
        restore_orders.undo_order(ordered(tmp_path, run=planned.name))
    empty = begun(desk, "apply", b"efgh")
    (empty.folder / traces.JOURNAL).touch()
    with pytest.raises(UsageError, match="written nothing"):
        restore_orders.undo_order(ordered(tmp_path, run=empty.name))
    with runs.begin(desk.places.runs, "apply", NOON, b"ijkl") as run:
        wrote(run)
        with pytest.raises(UsageError, match="running"):
            restore_orders.undo_order(ordered(tmp_path, run=run.name))
