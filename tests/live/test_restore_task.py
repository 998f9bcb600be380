"""Backups and restores as the page drives them, on a real Stash: made, verified, listed, previewed, applied, undone."""

from __future__ import annotations

import json
import os
import shutil
import signal
import time
from typing import Any

from .stash_server import StashServer
from .test_operations import ask, cancelled, get
from .test_plugin import data, install, log, plugged, run_task

__all__ = ["plugged"]


def started(server: StashServer, task: str, **order: Any) -> Any:
    """The report of a task that was done, whatever came of it."""
    answer = ask(server, "start", task=task, order=order)
    assert answer["ok"], answer
    server.wait_for_job(answer["job"])
    return ask(server, "run", run=answer["run"])["run"]


def back_up(server: StashServer, **order: Any) -> str:
    """A backup made by the task; its name."""
    report = started(server, "backup", **order)
    assert report["state"] == "finished", report
    name: str = ask(server, "archives")["archives"][0]["name"]
    assert report["report"]["outputs"][0].endswith(name)
    return name


def test_a_backup_is_listed_verified_and_downloaded(plugged):
    name = back_up(plugged)
    row = ask(plugged, "archives")["archives"][0]
    assert (row["name"], row["whole"], row["container"]) == (name, True, "zip")
    assert row["counts"]["scene"] == plugged.graphql("{ findScenes { count } }")["findScenes"]["count"]
    assert ask(plugged, "overview")["backup"] == row
    held = ask(plugged, "archive", name=name)
    assert held["counts"] == row["counts"]
    assert {"interface", "ui"} <= set(held["config"])
    report = started(plugged, "verify")
    assert (report["state"], report["archive"]) == ("finished", name)
    link = ask(plugged, "link", archive=name)
    status, body = get(plugged, link["path"])
    assert (status, body) == (200, (data(plugged) / "backups" / name).read_bytes())


def test_the_task_of_the_settings_page_says_whether_the_newest_is_whole(plugged):
    name = back_up(plugged, container="folder")
    run_task(plugged, "Verify newest backup")
    assert [message.strip() for level, message in log(plugged) if level == "Info"][-1] == f"{name} is whole"
    image = next((data(plugged) / "backups" / name / "blobs").iterdir())
    image.write_bytes(b"")
    run_task(plugged, "Verify newest backup")
    level, message = log(plugged)[-1]
    assert (level, "L2 failed" in message) == ("Error", True)
    image.unlink()


def preview(server: StashServer, archive: str, **order: Any) -> Any:
    """The report of a preview that was made."""
    report = started(server, "restore", archive=archive, **order)
    assert report["state"] == "finished", report
    assert report["planned"]
    return report


def rows(server: StashServer, run: str, **wanted: Any) -> list[Any]:
    """All rows of a plan, page by page."""
    found, cursor = [], 0
    while cursor is not None:
        answer = ask(server, "plan", run=run, cursor=cursor, most=7, **wanted)
        assert answer["ok"], answer
        found, cursor = found + answer["rows"], answer["cursor"]
    return found


def tags(server: StashServer) -> dict[str, str]:
    """The descriptions of all tags by their names."""
    found = server.graphql("{ findTags(filter: {per_page: -1}) { tags { name description } } }")["findTags"]["tags"]
    return {tag["name"]: tag["description"] or "" for tag in found}


def change_tags(server: StashServer) -> None:
    """Describe one tag, make one, and delete one."""
    found = server.graphql('{ findTags(filter: {per_page: -1, sort: "id"}) { tags { id name } } }')["findTags"]["tags"]
    update = 'mutation($id: ID!) { tagUpdate(input: {id: $id, description: "Fog on the flats"}) { id } }'
    server.graphql(update, {"id": found[0]["id"]})
    server.graphql("mutation($id: ID!) { tagDestroy(input: {id: $id}) }", {"id": found[-1]["id"]})
    server.graphql('mutation { tagCreate(input: {name: "A tag of tomorrow"}) { id } }')


def test_a_backup_is_previewed_applied_and_undone(new_stash):
    server = new_stash("0.30", populated=True)
    install(server)
    before = tags(server)
    name = back_up(server)
    change_tags(server)
    changed = tags(server)
    planned = preview(server, name, kinds=["tag"], mode="replace")
    assert tags(server) == changed
    counts = planned["report"]["changes"]
    assert (counts["tag create"], counts["tag update"], counts["tag delete"]) == (1, counts["tag update"], 1)
    shown = rows(server, planned["run"])
    assert len(shown) == sum(counts.values())
    assert {row["op"] for row in rows(server, planned["run"], kind="tag", op="create")} == {"create"}
    assert any(row["label"] == "A tag of tomorrow" for row in shown if row["op"] == "delete")
    assert ask(server, "overview")["runs"][0]["run"] == planned["run"]
    applied = started(server, "apply", plan=planned["run"])
    assert applied["state"] == "finished", applied
    assert tags(server) == before
    assert (applied["report"]["undoable"], applied["plan"]) == (True, planned["run"])
    again = ask(server, "start", task="apply", order={"plan": planned["run"]})
    assert "applied before" in again["error"]["message"]
    undone = started(server, "undo", run=applied["run"])
    assert undone["state"] == "finished", undone
    assert tags(server) == changed
    assert ask(server, "run", run=applied["run"])["run"]["undone"] == undone["run"]
    again = ask(server, "start", task="undo", order={"run": applied["run"]})
    assert "has done that" in again["error"]["message"]
    redone = started(server, "undo", run=undone["run"])
    assert redone["state"] == "finished", redone
    assert tags(server) == before


def make_tags(server: StashServer, names: list[str]) -> None:
    """Make tags, many in one request."""
    asked = " ".join(f'a{number}: tagCreate(input: {{name: "{name}"}}) {{ id }}' for number, name in enumerate(names))
    server.graphql(f"mutation {{ {asked} }}")


def destroy_tags(server: StashServer, prefix: str) -> None:
    """Delete the tags whose names begin so."""
    found = server.graphql("{ findTags(filter: {per_page: -1}) { tags { id name } } }")["findTags"]["tags"]
    ids = [tag["id"] for tag in found if tag["name"].startswith(prefix)]
    server.graphql("mutation($ids: [ID!]!) { tagsDestroy(ids: $ids) }", {"ids": ids})


def test_a_brake_holds_until_it_is_accepted(new_stash):
    server = new_stash("0.30", populated=True)
    install(server)
    name = back_up(server)
    before = tags(server)
    make_tags(server, [f"Tern {number}" for number in range(12)])
    planned = preview(server, name, kinds=["tag"], mode="replace")
    brakes = [brake["name"] for brake in planned["report"]["brakes"]]
    assert "many-deletes" in brakes
    assert ask(server, "overview")["decisions"][0]["brakes"] == brakes
    refused = started(server, "apply", plan=planned["run"])
    assert (refused["state"], refused["error"]["code"], refused["undoable"]) == ("failed", "Braked", False)
    assert len(tags(server)) == len(before) + 12
    assert not ask(server, "start", task="apply", order={"plan": planned["run"], "accept": ["all"]})["ok"]
    applied = started(server, "apply", plan=planned["run"], accept=brakes)
    assert applied["state"] == "finished", applied
    assert tags(server) == before
    assert applied["report"]["point"]
    assert ask(server, "overview")["decisions"] == []


def held_while_writing(server: StashServer, run: str) -> None:
    """Hold the process of a run once it has begun to write."""
    folder = data(server) / "runs" / run
    end = time.monotonic() + 60
    while time.monotonic() < end:
        journal = folder / "journal.jsonl"
        if journal.is_file() and journal.read_bytes().count(b'"done"') > 0:
            os.kill(json.loads((folder / "report.json").read_text("utf-8"))["pid"], signal.SIGSTOP)
            return
        time.sleep(0.002)
    raise AssertionError("the run did not begin to write")


def test_one_that_is_cancelled_while_it_writes_is_undone_or_done_again(new_stash):
    server = new_stash("0.30", populated=True)
    install(server)
    make_tags(server, [f"Plover {number}" for number in range(300)])
    whole = tags(server)
    name = back_up(server)
    destroy_tags(server, "Plover")
    without = tags(server)
    planned = preview(server, name)
    going = ask(server, "start", task="apply", order={"plan": planned["run"]})
    held_while_writing(server, going["run"])
    report = cancelled(server, going["run"])
    assert (report["state"], report["exit_code"]) == ("cancelled", 130)
    told = ask(server, "run", run=going["run"])["run"]
    assert (told["undoable"], told["plan"]) == (True, planned["run"])
    written = tags(server)
    assert len(without) < len(written) < len(whole)
    again = ask(server, "start", task="apply", order={"plan": planned["run"]})
    assert "preview again" in again["error"]["message"]
    undone = started(server, "undo", run=going["run"])
    if undone["state"] != "finished":  # a batch whose outcome was not learnt: somebody has to say so
        assert (undone["error"]["code"], undone["exit_code"]) == ("Braked", 7)
        undone = started(server, "undo", run=going["run"], accept=["unknown-creates"])
    assert undone["state"] == "finished", undone
    assert len(tags(server)) - len(without) in (0, 100)
    rest = preview(server, name)
    applied = started(server, "apply", plan=rest["run"])
    assert applied["state"] == "finished", applied
    assert tags(server) == whole


def test_an_archive_that_cannot_be_restored_is_told_in_words(plugged):
    name = back_up(plugged, container="folder")
    folder = data(plugged) / "backups"
    newer = folder / "20991231T000000Z-stash"
    shutil.copytree(folder / name, newer)
    manifest = json.loads((newer / "manifest.json").read_text("utf-8"))
    (newer / "manifest.json").write_text(json.dumps({**manifest, "version": 99}), "utf-8")
    try:
        assert ask(plugged, "archive", name=newer.name)["error"]["code"] == "UnsupportedVersion"
        report = started(plugged, "restore", archive=newer.name)
        assert (report["state"], report["exit_code"]) == ("failed", 5)
        row = ask(plugged, "archives")["archives"][0]
        assert (row["name"], row["whole"]) == (newer.name, False)
    finally:
        shutil.rmtree(newer)
    for wrong in ("../config.yml", "no-such.zip", str(folder / name)):
        assert not ask(plugged, "start", task="restore", order={"archive": wrong})["ok"]
        assert not ask(plugged, "archive", name=wrong)["ok"]


def test_the_oldest_stash_does_it_too(new_stash):
    server = new_stash("0.27", populated=True)
    install(server)
    name = back_up(server)
    before = tags(server)
    change_tags(server)
    planned = preview(server, name, mode="replace")
    accept = [brake["name"] for brake in planned["report"]["brakes"]]
    applied = started(server, "apply", plan=planned["run"], accept=accept)
    assert applied["state"] == "finished", applied
    assert tags(server) == before
