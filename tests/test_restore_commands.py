"""restore, apply, undo, runs and conflicts, as somebody at the command line sees them."""

import json
from pathlib import Path
from types import SimpleNamespace

import pytest

from stash_portability import restore, restore_commands
from stash_portability.__main__ import main
from stash_portability.errors import Braked, Refused
from stash_portability.libraries.memory import MemoryLibrary
from stash_portability.model import Record
from stash_portability.oslock import held
from stash_portability.writing import lock_of

from .reconcile.targets import memory_target
from .restoring import DEMO, Bench, breaking_off

STASH = "http://localhost:9999"


@pytest.fixture
def bench(tmp_path, monkeypatch):
    """A library at the address of a Stash, which takes the key "sesame"."""
    bench = Bench(tmp_path / "data")

    def open_target(address, opening):
        if opening.api_key != "sesame":
            raise Refused(address=address, reason="it asks for a key")
        return bench.target

    monkeypatch.setenv("STASH_API_KEY", "sesame")
    monkeypatch.setenv("STASH_PORTABILITY_DATA", str(tmp_path / "data"))
    for module in (restore, restore_commands):
        monkeypatch.setattr(module, "open_target", open_target)
    bench.runs.mkdir(parents=True)
    return bench


def run(capsys, *arguments):
    """The exit code, what was said, and the run it names last."""
    capsys.readouterr()
    code = main([*map(str, arguments)])
    said = capsys.readouterr()
    names = [line.split()[-1] for line in said.out.splitlines() if line.startswith("  run ")]
    return code, said.out + said.err, names[-1] if names else ""


def test_preview_apply_undo(bench, capsys):
    bench.drop("tag", "3")
    before = bench.everything()
    code, said, planned = run(capsys, "restore", DEMO, "--to", STASH, "--kinds", "tag", "--links")
    assert (code, f"apply {planned}" in said, bench.everything() == before) == (0, True, True)
    code, said, done = run(capsys, "apply", planned)
    assert (code, "create 1 tag" in said, len(bench.named("tag", "Tidal flat"))) == (0, True, 1)
    code, said, _ = run(capsys, "undo", done, "--preview")
    assert (code, "delete 1 tag" in said, len(bench.named("tag", "Tidal flat"))) == (0, True, 1)
    code, said, undone = run(capsys, "undo", bench.runs / done)
    assert (code, bench.named("tag", "Tidal flat")) == (0, {})
    code, said, _ = run(capsys, "runs")
    assert [line.split()[0] for line in said.splitlines()] == [undone, done, planned]
    code, said, _ = run(capsys, "runs", done)
    assert (code, "create 1 tag" in said) == (0, True)
    code, said, _ = run(capsys, "--json", "runs", done)
    assert json.loads(said)["report"]["changes"]["tag create"] == 1


def test_yes_writes_at_once_but_not_through_a_brake(bench, capsys):
    bench.drop("tag", "3")
    code, said, _ = run(capsys, "restore", DEMO, "--to", STASH, "--yes")
    assert len(bench.named("tag", "Tidal flat")) == 1
    for number in range(8):
        bench.library.create("tag", {"name": f"Mine {number}", "aliases": []})
    code, said, _ = run(capsys, "restore", DEMO, "--to", STASH, "--mode", "replace", "--yes")
    assert (code, "--accept many-deletes" in said) == (7, True)
    assert len(bench.named("tag", "Mine 3")) == 1


def test_yes_says_it_once(bench, capsys):
    bench.drop("tag", "3")
    code, said, done = run(capsys, "restore", DEMO, "--to", STASH, "--yes")
    assert (code, said.count("create 1 tag"), said.count("changes in")) == (0, 1, 1)
    assert "-apply-" in done
    assert "+" not in said  # samples belong to a preview
    bench.drop("studio", "2")
    code, said, _ = run(capsys, "--json", "restore", DEMO, "--to", STASH, "--yes")
    reports = [line for line in map(json.loads, said.splitlines()) if line["type"] == "report"]
    assert [(one["what"], one["samples"]) for one in reports] == [("apply restore merge", [])]


def test_when_there_is_nothing_to_write_nothing_is_proposed(bench, capsys):
    for more in ((), ("--yes",)):
        code, said, _ = run(capsys, "restore", DEMO, "--to", STASH, *more)
        assert (code, "there is nothing to write" in said, "apply" in said) == (0, True, False)
    bench.library.update("scene", "1", {"title": "By hand"})
    code, said, planned = run(capsys, "restore", DEMO, "--to", STASH)
    assert (code, "there is nothing to write" in said, "-restore-" in planned) == (1, True, True)


def test_runs_are_called_after_what_they_do(bench, capsys):
    bench.drop("tag", "3")
    planned = run(capsys, "restore", DEMO, "--to", STASH)[2]
    done = run(capsys, "apply", planned)[2]
    undone = run(capsys, "undo", done)[2]
    redone = run(capsys, "undo", undone)[2]
    told = {one["run"]: one for one in map(json.loads, run(capsys, "--json", "runs")[1].splitlines())}
    assert {name: told[name]["title"] for name in (planned, done, undone, redone)} == {
        planned: "Preview a restore from demo", done: "Restore demo (merge)",
        undone: "Undo: restore of demo (merge)", redone: "Undo: undo of restore of demo (merge)",
    }  # fmt: skip
    assert (told[done]["plan"], told[done]["archive"], told[undone]["undid"]) == (planned, "demo", done)
    assert (told[planned]["applied"], told[undone]["undone"]) == (done, redone)
    assert "undone" not in told[done]


def test_each_run_leaves_a_page_of_its_own(bench, capsys):
    bench.drop("tag", "3")
    planned = run(capsys, "restore", DEMO, "--to", STASH)[2]
    done = run(capsys, "apply", planned)[2]
    run(capsys, "apply", planned)
    undone = run(capsys, "undo", done)[2]
    pages = {path.parent: path for path in bench.runs.glob("*/report.html")}
    assert len(pages) == len(list(bench.runs.iterdir())) == 4
    assert {path.stat().st_mode & 0o777 for path in pages.values()} == {0o600}
    for name, title in ((planned, "Preview a restore"), (done, "Restore demo"), (undone, "Undo: restore of demo")):
        assert f"<h1>{title}" in pages[bench.runs / name].read_text("utf-8")
    assert sum("was applied before" in page.read_text("utf-8") for page in pages.values()) == 1


def test_what_failed_before_it_wrote_can_be_applied_again(bench, capsys, monkeypatch):
    bench.drop("tag", "3")
    bench.library.create("tag", {"name": "Mine", "aliases": []})
    planned = run(capsys, "restore", DEMO, "--to", STASH, "--mode", "replace")[2]

    def no_point(*_):
        raise Braked("no-restore-point: there is no room")

    monkeypatch.setattr("stash_portability.writing.make_point", no_point)
    assert run(capsys, "apply", planned)[0] == 7
    monkeypatch.setenv("STASH_API_KEY", "")
    assert run(capsys, "apply", planned)[0] == 14
    monkeypatch.undo()
    failed = [one for one in restore_commands.runs.latest(bench.runs, 9) if one["kind"] == "apply"]
    assert [(one["state"], one["plan"], one["archive"]) for one in failed] == [("failed", planned, "demo")] * 2


def test_a_plan_is_applied_again_after_a_failure_that_wrote_nothing(bench, capsys):
    bench.drop("tag", "3")
    planned = run(capsys, "restore", DEMO, "--to", STASH)[2]
    with held(lock_of(bench.runs)):
        assert run(capsys, "apply", planned)[0] == 11
    assert run(capsys, "apply", planned)[0] == 0
    assert run(capsys, "apply", planned)[0] == 2


def test_decisions_are_listed(bench, capsys):
    bench.library.update("scene", "1", {"title": "By hand"})
    code, said, planned = run(capsys, "restore", DEMO, "--to", STASH)
    assert code == 1
    code, said, _ = run(capsys, "conflicts", planned)
    assert said == (
        "conflict: scene 1 (By hand) title: archive 'Tidal Flats at Dawn', Stash 'By hand'; taken: target\n"
    )
    code, said, _ = run(capsys, "--json", "conflicts", planned)
    assert json.loads(said)["field"] == "title"


def test_what_is_no_run_is_told(bench, capsys):
    for command in ("apply", "undo", "runs", "conflicts"):
        code, said, _ = run(capsys, command, "yesterday")
        assert (code, "there is no run named 'yesterday'" in said) == (2, True)
    planned = run(capsys, "restore", DEMO, "--to", STASH)[2]
    assert run(capsys, "undo", planned)[0] == 2


def test_no_key_is_in_what_a_run_leaves(bench, capsys):
    bench.drop("tag", "3")
    run(capsys, "restore", DEMO, "--to", STASH, "--yes")
    for path in bench.runs.rglob("*"):
        assert not path.is_file() or b"sesame" not in path.read_bytes()


def test_another_writer_is_told(bench, capsys):
    bench.drop("tag", "3")
    planned = run(capsys, "restore", DEMO, "--to", STASH)[2]
    with held(lock_of(bench.runs)):
        code, said, _ = run(capsys, "apply", planned)
    assert (code, "another run" in said) == (11, True)


@pytest.mark.parametrize("stop", [KeyboardInterrupt(), Refused(address=STASH, reason="the key was changed")])
def test_a_run_that_is_cut_short_says_how_to_take_it_back(bench, capsys, stop):
    bench.drop("tag", "3")
    planned = run(capsys, "restore", DEMO, "--to", STASH)[2]
    bench.writer = breaking_off(2, stop)
    code, said, _ = run(capsys, "apply", planned)
    [done] = (path.name for path in bench.runs.glob("*-apply-*"))
    assert (code, f"undo {done}" in said) == (130 if isinstance(stop, KeyboardInterrupt) else 14, True)
    state = json.loads((bench.runs / done / "report.json").read_text())["state"]
    assert state == ("cancelled" if isinstance(stop, KeyboardInterrupt) else "failed")
    bench.writer = Bench.writer_of_its_own
    code, said, _ = run(capsys, "undo", done, "--accept", "unknown-creates")
    assert (code, bench.named("tag", "Tidal flat")) == (0, {})


@pytest.fixture
def beside(bench, tmp_path, monkeypatch):
    """Nothing says where the data folder is, and the Stash is on this machine: gives the folder beside its config."""
    config = tmp_path / "stash" / "config.yml"
    config.parent.mkdir()
    config.touch()
    monkeypatch.delenv("STASH_PORTABILITY_DATA")
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "home"))
    told = {"configuration": {"general": {"configFilePath": str(config)}, "plugins": {}}}
    monkeypatch.setattr(
        "stash_portability.libraries.stash.open_stash",
        lambda *_: SimpleNamespace(connection=SimpleNamespace(call_GQL=lambda _: told)),
    )
    return config.parent / "portability"


def test_runs_lie_beside_the_stash_where_the_page_sees_them(bench, beside, capsys):
    bench.drop("tag", "3")
    said = run(capsys, "restore", DEMO, "--to", STASH)[1]
    [planned] = (beside / "runs").iterdir()
    assert f"stash-portability apply {planned}\n" in said
    for command in ("apply", "undo", "runs", "conflicts"):
        assert run(capsys, command, planned.name)[0] == 2  # not in the folder that is looked in
    with held(lock_of(beside / "runs")):
        assert run(capsys, "apply", planned)[0] == 11
    code, said, done = run(capsys, "apply", planned)
    assert (code, Path(done).parent) == (0, beside / "runs")
    assert run(capsys, "undo", done, "--preview")[0] == 0
    done = Path(done).name
    assert done in run(capsys, "runs", "--to", STASH)[1]
    assert done not in run(capsys, "runs")[1]
    assert "nothing to decide" in run(capsys, "conflicts", planned.name, "--to", STASH)[1]
    assert run(capsys, "undo", done, "--to", STASH)[0] == 0
    assert {path.parent for path in bench.runs.parent.parent.rglob("*Z-*-*") if path.is_dir()} == {beside / "runs"}


def test_a_brake_names_the_run_so_that_it_is_found(bench, beside, capsys):
    for number in range(8):
        bench.library.create("tag", {"name": f"Mine {number}", "aliases": []})
    run(capsys, "restore", DEMO, "--to", STASH, "--mode", "replace")
    [planned] = (beside / "runs").iterdir()
    code, said, _ = run(capsys, "apply", planned)
    assert (code, f"apply {planned} --accept many-deletes" in said) == (7, True)
    code, said, _ = run(capsys, "restore", DEMO, "--to", STASH, "--mode", "replace", "--yes")
    assert (code, f"apply {beside / 'runs'}" in said) == (7, True)


def test_a_stash_at_another_address_is_still_the_one(bench, capsys, monkeypatch):
    asked = []
    monkeypatch.setattr(restore_commands, "open_target", lambda address, _: asked.append(address) or bench.target)
    bench.drop("tag", "3")
    planned = run(capsys, "restore", DEMO, "--to", STASH)[2]
    moved = "http://localhost:9998"
    code, _, done = run(capsys, "apply", planned, "--to", moved)
    assert (code, run(capsys, "undo", done, "--to", moved)[0]) == (0, 0)
    assert asked == [moved, moved]


def test_another_stash_at_the_address_that_is_named_is_none(bench, capsys, monkeypatch):
    bench.drop("tag", "3")
    planned = run(capsys, "restore", DEMO, "--to", STASH)[2]
    other = [Record("tag", "1", {"name": "Other", "aliases": [], "created_at": "2001-01-01T00:00:00Z"})]
    monkeypatch.setattr(restore_commands, "open_target", lambda *_: memory_target(MemoryLibrary(other)))
    code, said, _ = run(capsys, "apply", planned, "--to", "http://localhost:9998")
    assert (code, "replaced-instance" in said) == (7, True)


def test_where_nothing_is_left_to_decide_that_is_said(bench, capsys):
    bench.drop("tag", "3")
    planned = run(capsys, "restore", DEMO, "--to", STASH)[2]
    assert run(capsys, "conflicts", planned)[:2] == (0, f"{planned} leaves nothing to decide\n")
    assert run(capsys, "--json", "conflicts", planned)[:2] == (0, "")


def test_what_was_written_until_it_was_cancelled_is_told(bench, capsys):
    bench.drop("tag", "3")
    bench.drop("group", "1")
    planned = run(capsys, "restore", DEMO, "--to", STASH)[2]
    bench.writer = breaking_off(2, KeyboardInterrupt())
    code, said, _ = run(capsys, "apply", planned)
    [done] = (path for path in bench.runs.glob("*-apply-*"))
    assert (code, "final name" in said, f"in its journal, and can be taken back: undo {done.name}" in said) == (
        130, False, True,
    )  # fmt: skip
    report = json.loads((done / "report.json").read_text())
    assert (report["report"]["changes"], report["report"]["undoable"]) == ({"tag create": 1}, True)
    assert report["report"]["remarks"] == ["of the last changes (1) nobody told whether they were written"]
    assert (report["report"]["what"], "undo" in report["error"]["message"]) == ("apply restore merge", False)
    assert "create 1 tag" in run(capsys, "runs", done.name)[1]
    assert "<td>1</td>" in (done / "report.html").read_text()


@pytest.mark.parametrize("where", ["plan_restore", "apply_plan"])
def test_what_was_cancelled_before_it_wrote_says_so_and_which_run_it_was(bench, capsys, monkeypatch, where):
    bench.drop("tag", "3")
    planned = run(capsys, "restore", DEMO, "--to", STASH)[2]

    def cancelled(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(restore_commands, where, cancelled)
    command = ("apply", planned) if where == "apply_plan" else ("restore", DEMO, "--to", STASH)
    code, said, _ = run(capsys, *command)
    last = restore_commands.runs.names(bench.runs)[0]
    assert (code, said) == (130, f"stash-portability: cancelled; nothing was written: the run was {last}\n")
    assert json.loads((bench.runs / last / "report.json").read_text())["error"]["message"] == (
        "cancelled; nothing was written"
    )
