"""A real Stash runs the plugin: its tasks, its operations, its cancel button."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from stash_portability.__main__ import main

from .stash_server import StashServer

ROOT = Path(__file__).parents[2]
PLUGIN = "stash-portability"
RUN = """mutation($name: String, $args: Map) {
    runPluginTask(plugin_id: "stash-portability", task_name: $name, args_map: $args) }"""
OPERATE = """mutation($args: Map) { runPluginOperation(plugin_id: "stash-portability", args: $args) }"""
LOGS = "{ logs { time level message } }"


def install(server: StashServer) -> None:
    """Copy the plugin as make install-dev does, and let Stash run it with the Python of the tests."""
    spec = importlib.util.spec_from_file_location("package", ROOT / "tools" / "package.py")
    assert spec and spec.loader
    package = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(package)
    package.copy_to(server.folder / "plugins")
    python = "mutation($path: String) { configureGeneral(input: {pythonPath: $path}) { pythonPath } }"
    server.graphql(python, {"path": sys.executable})
    server.graphql("mutation { reloadPlugins }")


def run_task(server: StashServer, name: str | None = None, **arguments: Any) -> str:
    """Start a task and wait for its end; give its job's id."""
    job: str = server.graphql(RUN, {"name": name, "args": arguments or None})["runPluginTask"]
    server.wait_for_job(job)
    return job


def operate(server: StashServer, mode: str) -> Any:
    return server.graphql(OPERATE, {"args": {"mode": mode}})["runPluginOperation"]


def log(server: StashServer) -> list[tuple[str, str]]:
    """What the plugin has logged, the oldest first, as (level, message)."""
    mark = "[Plugin / Stash Portability] "
    entries = server.graphql(LOGS)["logs"][::-1]
    return [(one["level"], one["message"].removeprefix(mark)) for one in entries if one["message"].startswith(mark)]


def data(server: StashServer) -> Path:
    return server.folder / "portability"


@pytest.fixture(scope="module")
def plugged(request, tmp_path_factory):
    """A populated Stash with the plugin in it, for the tests of one module."""
    from .conftest import binary

    seed = request.getfixturevalue("seed_030")
    folder = tmp_path_factory.mktemp("stash-with-plugin")
    with StashServer.copy_of(seed, folder, binary("0.30", request.config)) as server:
        install(server)
        yield server


def test_stash_shows_the_tasks_and_settings(plugged):
    query = "{ plugins { id name version description tasks { name description } settings { name type } } }"
    (found,) = plugged.graphql(query)["plugins"]
    assert (found["id"], found["name"]) == (PLUGIN, "Stash Portability")
    tasks = ["Export library", "Back up now", "Verify newest backup", "Set up dependencies"]
    assert [task["name"] for task in found["tasks"]] == tasks
    assert {setting["name"] for setting in found["settings"]} == {"dataFolder", "format", "kinds", "privacy"}


def test_the_task_backs_up_and_what_it_made_verifies(plugged):
    run_task(plugged, "Back up now")
    run = operate(plugged, "status")["runs"][0]
    assert (run["kind"], run["state"]) == ("backup", "finished"), run
    (output,) = run["report"]["outputs"]
    assert Path(output).parent == data(plugged) / "backups"
    assert [message.strip() for level, message in log(plugged) if level == "Info"][-1] == f"wrote {output}"
    assert main(["--quiet", "verify", output]) == 0
    assert main(["--quiet", "diff", output, plugged.url, "--images"]) == 0


def test_the_task_exports_the_library_and_names_the_file(plugged):
    run_task(plugged, "Export library")
    status = operate(plugged, "status")
    run = status["runs"][0]
    assert run["state"] == "finished", run
    (output,) = run["report"]["outputs"]
    assert Path(output).parent == data(plugged) / "exports"
    written = json.loads(Path(output).read_text("utf-8"))
    count = plugged.graphql("{ findScenes { count } }")["findScenes"]["count"]
    assert len(written["scenes"]) == count == run["report"]["counts"]["scene"]
    last = [message for level, message in log(plugged) if level == "Info"][-1].strip()
    assert last == f"wrote {output}"
    assert "database file" in run["report"]["how"]


def test_settings_of_the_plugin_are_used(plugged, tmp_path):
    configure = 'mutation($input: Map!) { configurePlugin(plugin_id: "stash-portability", input: $input) }'
    plugged.graphql(configure, {"input": {"dataFolder": str(tmp_path), "format": "csv", "privacy": "share"}})
    try:
        run_task(plugged, "Export library")
        run = operate(plugged, "status")["runs"][0]
        (output,) = run["report"]["outputs"]
        assert Path(output).parent == tmp_path / "exports"
        assert (Path(output) / "scenes.csv").is_file()
        assert run["report"]["privacy"] == "share"
    finally:
        plugged.graphql(configure, {"input": {}})


def test_a_task_that_fails_says_why_in_one_error_line(plugged):
    run_task(plugged, mode="export", kinds="scenes,performrs")
    errors = [message for level, message in log(plugged) if level == "Error" and "performrs" in message]
    assert len(errors) == 1
    run = operate(plugged, "status")["runs"][0]
    assert (run["state"], run["exit_code"]) == ("failed", 2)


def test_a_task_cannot_write_anywhere(plugged):
    run_task(plugged, mode="export", to=str(plugged.folder / "plugins" / "x.json"))
    assert operate(plugged, "status")["runs"][0]["error"]["code"] == "OutsideRoots"
    assert not (plugged.folder / "plugins" / "x.json").exists()


def test_operations_answer_at_once(plugged):
    fields = operate(plugged, "fields")
    assert "scene" in {kind["name"] for kind in fields["kinds"]}
    begun = time.monotonic()
    assert operate(plugged, "status")["ok"]
    assert time.monotonic() - begun < 2
    answer = plugged.raw(OPERATE, {"args": {"mode": "statsu"}})
    assert "did you mean 'status'" in answer["errors"][0]["message"]


def test_a_task_that_is_cancelled_leaves_nothing_under_the_final_name(plugged):
    """Stash's cancel button is SIGKILL: whenever it falls, there is a whole file or none."""
    for pause in (0.05, 0.15, 0.25, 0.35, 0.5):
        name = f"cancelled-{pause}.json"
        job = plugged.graphql(RUN, {"name": None, "args": {"mode": "export", "to": name}})["runPluginTask"]
        time.sleep(pause)
        plugged.graphql("mutation($id: ID!) { stopJob(job_id: $id) }", {"id": job})
        plugged.wait_for_job(job)
        time.sleep(0.3)
        path = data(plugged) / "exports" / name
        if path.exists():
            json.loads(path.read_text("utf-8"))
    runs = operate(plugged, "status")["runs"]
    assert {run["state"] for run in runs} <= {"finished", "stopped", "failed"}
    run_task(plugged, mode="export", to="after.json")
    assert (data(plugged) / "exports" / "after.json").is_file()


def test_secrets_of_the_session_are_nowhere(plugged):
    key = plugged.api_key
    config = plugged.config.read_text("utf-8")
    secrets = [
        line.split(": ", 1)[1] for line in config.splitlines() if line.startswith(("jwt_secret", "session_store"))
    ]
    for path in data(plugged).rglob("*"):
        if path.is_file() and "deps" not in path.parts:
            content = path.read_bytes()
            assert not any(secret.encode() in content for secret in [*secrets, key] if secret)


def test_a_stash_that_asks_for_a_login_lets_its_plugin_in(new_stash):
    from .stash_server import Login, Options

    server = new_stash("0.30", Options(login=Login("someone", "a-long-password")))
    install(server)
    run_task(server, "Export library")
    run = operate(server, "status")["runs"][0]
    assert run["state"] == "finished", run
    assert server.api_key.encode() not in Path(run["report"]["outputs"][0]).read_bytes()


@pytest.mark.deep
def test_a_python_that_has_nothing_gets_what_it_needs(new_stash, tmp_path):
    """A Python without pip or any library, which installs the pinned set from the package index."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(tmp_path / "bare")], check=True)
    server = new_stash("0.30")
    install(server)
    python = "mutation($path: String) { configureGeneral(input: {pythonPath: $path}) { pythonPath } }"
    server.graphql(python, {"path": str(tmp_path / "bare" / "bin" / "python")})
    job = run_task(server, "Set up dependencies")
    assert job
    status = operate(server, "status")
    if status["runs"][0]["state"] != "finished":
        pytest.skip(f"the libraries could not be had: {status['runs'][0]['error']['message']}")
    assert {one["from"] for one in status["sets"].values()} == {"data folder"}
    run_task(server, "Export library")
    assert operate(server, "status")["runs"][0]["state"] == "finished"
