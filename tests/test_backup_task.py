"""The task *Back up now*, with the demo library in the place of a Stash."""

import json

import pytest

from stash_portability import backup_orders, operations_runs, plugin, runs
from stash_portability.errors import OutsideRoots, PortabilityError, SeveralProblems

from .strangers_reader import read
from .test_manifest import MANIFEST
from .test_plugin import DEMO, call, desk_of, stash  # noqa: F401 - fixtures


def test_everything_is_backed_up_and_the_last_log_line_names_the_file(call, stash):  # noqa: F811
    answer, log = call(mode="backup")
    folder = stash.folder / "portability" / "backups"
    (path,) = folder.glob("*.zip")
    assert answer["output"]["state"] == "finished"
    assert [line for level, line in log if level == "i"][-1] == f"wrote {path}"
    assert ("p", "1.0000") in log
    assert read(path) == read(DEMO)
    report = runs.read(stash.folder / "portability" / "runs", answer["output"]["run"])
    assert (report["kind"], report["state"], report["exit_code"]) == ("backup", "finished", 0)
    assert report["report"]["outputs"] == [str(path)]
    assert report["report"]["counts"]["scene"] == 11


def test_a_task_may_say_how(call, stash):  # noqa: F811
    call(mode="backup", kinds=["tag"], container="folder", zstd="true", to="monthly")
    (folder,) = (entry for entry in (stash.folder / "portability" / "backups" / "monthly").iterdir() if entry.is_dir())
    assert json.loads((folder / "manifest.json").read_text("utf-8"))["requires"] == ["zstd"]
    assert {kind for kind, _ in read(folder)[0]} == {"tag"}


def test_a_task_may_build_on_the_newest(call, stash):  # noqa: F811
    for _ in range(2):
        assert call(mode="backup", incremental=True)[0]["output"]["state"] == "finished"
    newest = max((stash.folder / "portability" / "backups").glob("*.zip"), key=lambda path: len(path.name))
    assert newest.stat().st_size < 9_000
    assert read(newest) == read(DEMO)


def test_a_task_may_ask_for_the_database(tmp_path):
    desk = desk_of(tmp_path, {"mode": "backup", "include_database": True, "incremental": "true"})
    order = backup_orders.backup_order(desk)
    assert (order.include_database, order.incremental) == (True, True)


@pytest.mark.parametrize("to", ["/somewhere/else", "../deps", "../../config", "../runs/x"])
def test_a_task_cannot_back_up_outside_its_folders(to, tmp_path):
    with pytest.raises(OutsideRoots):
        backup_orders.backup_order(desk_of(tmp_path, {"mode": "backup", "to": to}))


@pytest.mark.parametrize(
    "arguments",
    [{"filter": "{}"}, {"to": 5}, {"container": "tar"}, {"kinds": "x"}, {"zstd": "true", "deflate": "true"}],
)
def test_what_a_task_may_not_say(arguments, tmp_path):
    with pytest.raises(PortabilityError):
        backup_orders.backup_order(desk_of(tmp_path, {"mode": "backup", **arguments}))


def test_all_mistakes_of_a_task_are_told_at_once(tmp_path):
    with pytest.raises(SeveralProblems, match="colour") as caught:
        backup_orders.backup_order(desk_of(tmp_path, {"colour": "x", "to": "/etc", "container": "tar"}))
    assert "tar" in str(caught.value)
    assert "/etc" in str(caught.value)


def test_backups_itself_and_folders_in_it_will_do(tmp_path):
    desk = desk_of(tmp_path, {})
    assert backup_orders.backup_order(desk).to == desk.places.backups
    assert backup_orders.backup_order(desk_of(tmp_path, {"to": "a"})).to == desk.places.backups / "a"


@pytest.mark.parametrize(("arguments", "sets"), [({}, ["core"]), ({"zstd": "true"}, ["core", "zstd"])])
def test_a_task_provides_what_it_needs(arguments, sets):
    assert backup_orders.sets_to_do(arguments) == sets


def test_every_task_of_the_manifest_is_one_and_every_task_is_in_it():
    told = {task["defaultArgs"]["mode"]: task["name"] for task in MANIFEST["tasks"]}
    assert {mode: task.title for mode, task in plugin.TASKS.items()} == operations_runs.TASKS
    listed = {mode: title for mode, title in operations_runs.TASKS.items() if mode not in operations_runs.BY_ORDER}
    assert told == listed
