"""Backups and restores as the page drives them, on a real Stash: made, verified, listed, previewed, applied, undone."""

from __future__ import annotations

from typing import Any

from .stash_server import StashServer
from .test_operations import ask, get
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
