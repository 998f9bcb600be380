"""The life of a run as the page drives it, on a real Stash: ordered, queued, done or cancelled, downloaded."""

from __future__ import annotations

import csv
import io
import json
import os
import signal
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from .stash_server import Login, Options, StashServer
from .test_plugin import PLUGIN, data, install, plugged

__all__ = ["plugged"]

OPERATE = """mutation($args: Map) { runPluginOperation(plugin_id: "stash-portability", args: $args) }"""
STOP = "mutation($id: ID!) { stopJob(job_id: $id) }"


def ask(server: StashServer, mode: str, **arguments: Any) -> Any:
    """Do an operation; it answers within five seconds, and never with an error of GraphQL."""
    begun = time.monotonic()
    answer = server.raw(OPERATE, {"args": {"mode": mode, **arguments}})
    assert time.monotonic() - begun < 5
    assert "errors" not in answer, answer
    return answer["data"]["runPluginOperation"]


def cancelled(server: StashServer, run: str) -> Any:
    """Cancel a run, and give what has become of it: a process that waits for a busy disk may outlive the answer."""
    answer = ask(server, "cancel", run=run)
    assert answer["ok"], answer
    end = time.monotonic() + 30
    while answer["run"]["state"] == "running" and time.monotonic() < end:
        answer = ask(server, "run", run=run)
    return answer["run"]


def done(server: StashServer, **order: Any) -> Any:
    """The report of an order that was done."""
    started = ask(server, "start", order=order)
    assert started["ok"], started
    server.wait_for_job(started["job"])
    report: Any = ask(server, "run", run=started["run"])["run"]
    return report


def get(server: StashServer, path: str, **headers: str) -> tuple[int, bytes]:
    """What the server gives for an asset of the plugin: status and body. Redirects are followed by nobody."""

    class Stay(urllib.request.HTTPRedirectHandler):
        def redirect_request(self, *_: Any) -> None:
            return None

    request = urllib.request.Request(f"{server.url}/plugin/{PLUGIN}/assets/{path}", headers=headers)
    try:
        with urllib.request.build_opener(Stay).open(request, timeout=30) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as problem:
        return problem.code, problem.read()


def busy_queue(server: StashServer, name: str = "blocker.json") -> str:
    """Let Stash do a task that does not end, so that those after it wait; give its job."""
    started = ask(server, "start", order={"to": name})
    pause(server, started["run"])
    job: str = started["job"]
    return job


def pause(server: StashServer, run: str) -> None:
    """Hold the process of a run as soon as it has begun: a long export, made of a short one."""
    report = data(server) / "runs" / run / "report.json"
    end = time.monotonic() + 30
    while time.monotonic() < end:
        found = json.loads(report.read_text("utf-8"))
        if found["state"] == "running":
            os.kill(found["pid"], signal.SIGSTOP)
            return
        assert found["state"] == "queued", found
        time.sleep(0.002)
    raise AssertionError("the run did not begin")


def test_an_order_is_downloaded_as_the_server_has_it(plugged):
    report = done(plugged, format="csv", kinds="scene", fields=["scene:id,title"], filter={"organized": False})
    assert report["state"] == "finished", report
    link = ask(plugged, "link", run=report["run"])
    status, body = get(plugged, link["path"])
    assert (status, len(body)) == (200, link["bytes"])
    query = """{ findScenes(scene_filter: {organized: false}, filter: {per_page: -1, sort: "id"}) {
        scenes { id title } } }"""
    scenes = plugged.graphql(query)["findScenes"]["scenes"]
    rows = list(csv.DictReader(io.StringIO(body.decode("utf-8"))))
    assert [row["id"] for row in rows] == [scene["id"] for scene in scenes]
    assert len(rows) > 1
    assert sum(row["title"] == scene["title"] for row, scene in zip(rows, scenes, strict=True)) > len(rows) / 2
    assert get(plugged, link["path"], Range="bytes=3-9") == (206, body[3:10])
    assert ask(plugged, "link", run=report["run"])["path"] == link["path"]


def test_nobody_can_list_downloads(plugged):
    report = done(plugged, kinds="tag")
    link = ask(plugged, "link", run=report["run"])
    folder, token, _ = link["path"].split("/")
    for path in (f"{folder}/", folder, f"{folder}/{token}/", f"{folder}/{token}", f"{folder}/index.html"):
        status, body = get(plugged, path)
        assert token.encode() not in body, path
        assert b"tags" not in body, path
        assert status in (200, 301, 404), path
    assert get(plugged, f"{folder}/../README.md")[0] == 404
    assert get(plugged, f"{folder}/%2e%2e/README.md")[0] == 404


@pytest.mark.parametrize("order", [{"format": "xml"}, {"format": "csv"}, {"kinds": "tag", "blobs": True}])
def test_what_a_browser_would_show_comes_as_a_zip(plugged, order):
    report = done(plugged, **order)
    link = ask(plugged, "link", run=report["run"])
    assert link["name"].endswith(".zip")
    assert get(plugged, link["path"])[1].startswith(b"PK")


def test_a_folder_is_zipped_for_download(plugged):
    report = done(plugged, to="Odd näme #1", format="csv")
    link = ask(plugged, "link", run=report["run"])
    assert link["name"] == "Odd näme #1.zip"
    assert get(plugged, link["path"])[1].startswith(b"PK")


def test_counts_and_preview_are_those_of_the_export(plugged):
    narrow = {"rating": {"from": 1}}
    found = ask(plugged, "count", kind="scene", scopes={"all": {}, "some": {"filter": {"organized": True}}})
    assert found["ok"], found
    assert found["counts"]["all"] == plugged.graphql("{ findScenes { count } }")["findScenes"]["count"]
    count = ask(plugged, "count", kind="scene", scopes={"all": {}}, narrow=narrow)["counts"]["all"]
    order = {"format": "jsonl", "kinds": "scene", "narrow": narrow, "closure": "none"}
    preview = ask(plugged, "preview", order=order)
    assert preview["ok"], preview
    report = done(plugged, **order)
    assert preview["count"] == count == report["report"]["counts"]["scene"]
    written = Path(report["report"]["outputs"][0]).read_text("utf-8")
    assert written.startswith(preview["text"][:200])


def test_an_order_that_may_not_be_is_refused_at_once(plugged):
    answer = ask(plugged, "start", order={"to": "/etc/passwd", "format": "cvs"})
    assert not answer["ok"]
    assert "/etc/passwd" in answer["error"]["message"]
    assert "'csv'" in answer["error"]["message"]
    for mode in ("run", "cancel", "link"):
        assert not ask(plugged, mode, run="../../config")["ok"]
    assert not ask(plugged, "count", kind="scene", scopes={"odd": {}}, narrow={"height": 5})["ok"]
    odd = ask(plugged, "count", kind="scene", scopes={"odd": {"filter": {"no_such": 1}}})
    assert odd["problems"]["odd"]


def test_a_run_is_cancelled_while_it_goes_on(plugged):
    started = ask(plugged, "start", order={"to": "cancelled.json"})
    pause(plugged, started["run"])
    assert ask(plugged, "status")["busy"]["run"] == started["run"]
    report = cancelled(plugged, started["run"])
    assert (report["state"], report["exit_code"]) == ("cancelled", 130)
    assert ask(plugged, "run", run=started["run"])["run"] == report
    left = [path.name for path in (data(plugged) / "exports").iterdir()]
    assert "cancelled.json" not in left
    assert not any(name.endswith(".partial") for name in left)
    assert done(plugged, to="after.json")["state"] == "finished"


def test_a_run_is_cancelled_while_it_waits(plugged):
    job = busy_queue(plugged)
    started = ask(plugged, "start", order={"to": "waited.json"})
    assert ask(plugged, "run", run=started["run"])["run"]["state"] == "queued"
    assert cancelled(plugged, started["run"])["state"] == "cancelled"
    plugged.graphql(STOP, {"id": job})
    plugged.wait_for_job(job)
    assert done(plugged, to="after-it.json")["state"] == "finished"
    assert not (data(plugged) / "exports" / "waited.json").exists()
    assert ask(plugged, "run", run=started["run"])["run"]["state"] == "cancelled"


def test_a_run_stopped_in_stashs_own_list_is_told_as_cancelled(plugged):
    started = ask(plugged, "start", order={"to": "stopped.json"})
    pause(plugged, started["run"])
    waiting = ask(plugged, "start", order={"to": "waiting.json"})
    for job in (waiting["job"], started["job"]):
        plugged.graphql(STOP, {"id": job})
        plugged.wait_for_job(job)
    time.sleep(0.3)
    for run in (started["run"], waiting["run"]):
        assert ask(plugged, "run", run=run)["run"]["state"] == "cancelled"


def test_a_task_of_the_settings_page_is_cancelled_too(plugged):
    def names():
        return {path.name for path in (data(plugged) / "runs").iterdir()}

    run_task = 'mutation { runPluginTask(plugin_id: "stash-portability", task_name: "Export library") }'
    before = names()
    plugged.graphql(run_task)
    name = ""
    while not name:
        name = next(iter(names() - before), "")
    report = data(plugged) / "runs" / name / "report.json"
    while not report.exists():
        time.sleep(0.002)
    pause(plugged, name)
    assert cancelled(plugged, name)["state"] == "cancelled"


def test_runs_that_are_cancelled_at_any_moment_are_cancelled_or_whole(plugged):
    for pause_ in (0.0, 0.1, 0.2, 0.3, 0.45, 0.6):
        name = f"moment-{pause_}.json"
        started = ask(plugged, "start", order={"to": name})
        time.sleep(pause_)
        report = cancelled(plugged, started["run"])
        plugged.wait_for_job(started["job"])
        path = data(plugged) / "exports" / name
        assert report["state"] in ("cancelled", "finished"), report
        assert path.exists() == (report["state"] == "finished")
        assert not path.exists() or json.loads(path.read_bytes())["format"] == "stash-portability"
        assert ask(plugged, "run", run=started["run"])["run"] == report


AFTER_THE_RENAME = """import os, signal, sys
def kill(event, arguments):  # whatever is opened first once the output has its name
    if event == "open" and os.path.lexists({final!r}):
        os.kill(os.getpid(), signal.SIGKILL)
sys.addaudithook(kill)
"""
"""Stash lets Python look for modules in the folder of the plugins: so this one is part of every plugin's start."""


@pytest.mark.parametrize("name", ["just-named.jsonl", "just-named.zip", "just-named"])
def test_a_run_that_is_killed_when_its_output_has_its_name_is_finished(plugged, name):
    final = data(plugged) / "exports" / name
    customize = plugged.folder / "plugins" / "sitecustomize.py"
    form = "jsonl" if final.suffix == ".jsonl" else "csv"
    customize.write_text(AFTER_THE_RENAME.format(final=str(final)), "utf-8")
    try:
        started = ask(plugged, "start", order={"to": name, "format": form, "kinds": "tag,scene"})
        plugged.wait_for_job(started["job"])
    finally:
        customize.unlink()
    assert final.exists()
    kept = json.loads((data(plugged) / "runs" / started["run"] / "report.json").read_text("utf-8"))
    assert kept["state"] == "running"
    report = ask(plugged, "run", run=started["run"])["run"]
    assert (report["state"], report["exit_code"]) == ("finished", 0)
    again = done(plugged, to=f"again-{name}", format=form, kinds="tag,scene")
    assert report.keys() == again.keys()
    assert report["report"]["counts"] == again["report"]["counts"]
    assert report["report"]["outputs"] == [str(final)]
    assert ask(plugged, "cancel", run=started["run"])["run"] == report
    assert get(plugged, ask(plugged, "link", run=started["run"])["path"])[0] == 200


def test_setting_up_is_started_once_and_does_no_harm(plugged):
    job = busy_queue(plugged, "blocks-setup.json")
    first = ask(plugged, "start", task="setup")
    assert ask(plugged, "start", task="setup")["run"] == first["run"]
    assert cancelled(plugged, first["run"])["state"] == "cancelled"
    plugged.graphql(STOP, {"id": job})


def test_a_stash_that_starts_anew_leaves_a_run_that_says_what_to_do(new_stash):
    server = new_stash("0.30")
    install(server)
    blocker = ask(server, "start", order={"to": "blocker.json"})
    pause(server, blocker["run"])
    started = ask(server, "start", order={"to": "waiting.json"})
    assert ask(server, "run", run=started["run"])["run"]["state"] == "queued"
    pid = json.loads((data(server) / "runs" / blocker["run"] / "report.json").read_text("utf-8"))["pid"]
    server.stop()
    os.kill(pid, signal.SIGKILL)
    server.start()
    report = ask(server, "run", run=started["run"])["run"]
    assert report["state"] == "stopped"
    assert "run it again" in report["error"]["message"]
    assert ask(server, "run", run=blocker["run"])["run"]["state"] == "stopped"
    again = ask(server, "start", order={"to": "waiting.json"})
    assert again["job"] in (started["job"], blocker["job"])
    server.wait_for_job(again["job"])
    assert ask(server, "run", run=again["run"])["run"]["state"] == "finished"
    assert ask(server, "run", run=started["run"])["run"] == report


def test_a_link_asks_for_the_login_of_the_server(new_stash):
    server = new_stash("0.30", Options(login=Login("someone", "a-long-password")))
    install(server)
    report = done(server, kinds="tag,config")
    assert report["state"] == "finished", report
    link = ask(server, "link", run=report["run"])
    status, body = get(server, link["path"])
    assert status in (302, 401)
    assert b"stash-portability" not in body
    status, body = get(server, link["path"], ApiKey=server.api_key)
    assert (status, len(body)) == (200, link["bytes"])
    assert json.loads(body)["format"] == "stash-portability"


def test_a_stash_in_a_folder_of_odd_letters(request, tmp_path):
    from .conftest import binary

    with StashServer(binary("0.30", request.config), tmp_path / "Stäsh, 😀 #1") as server:
        install(server)
        report = done(server, kinds="config", to="näme, 😀.json")
        assert report["state"] == "finished", report
        link = ask(server, "link", run=report["run"])
        assert link["name"] == "näme, 😀.json"
        assert get(server, link["path"]) == (200, (data(server) / "exports" / link["name"]).read_bytes())


def test_a_status_is_quick(plugged):
    times = []
    for _ in range(5):
        begun = time.monotonic()
        assert ask(plugged, "status")["ok"]
        times.append(time.monotonic() - begun)
    assert min(times) < 1


def test_fields_tells_what_there_is(plugged):
    fields = ask(plugged, "fields")
    assert fields["ok"]
    assert {"scene", "tag"} <= {kind["name"] for kind in fields["kinds"]}


def test_the_oldest_stash_does_it_too(new_stash):
    server = new_stash("0.27")
    install(server)
    report = done(server, kinds="tag,config", format="xml")
    assert report["state"] == "finished", report
    link = ask(server, "link", run=report["run"])
    assert get(server, link["path"])[1].startswith(b"PK")
    started = ask(server, "start", order={"to": "cancelled.json"})
    pause(server, started["run"])
    assert ask(server, "cancel", run=started["run"])["run"]["state"] == "cancelled"
