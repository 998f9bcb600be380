"""What the page asks, with a Stash that only has a queue of jobs, and the demo library in its place."""

import io
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from stash_portability import __version__, commands, downloads, jobs, operations, orders, runs
from stash_portability.call import Call
from stash_portability.desk import Desk, open_desk
from stash_portability.libraries.archive import ArchiveSource
from stash_portability.oslock import held
from stash_portability.places import Places
from stash_portability.stashlog import StashLog

from .calling_stash import listening, serving

ROOT = Path(__file__).parent.parent
DEMO = ROOT / "examples" / "demo"
NOON = datetime(2026, 5, 1, 12, 0, 0, tzinfo=timezone.utc)


class Stash:
    """Settings, and a queue of jobs whose tasks nobody does but the test."""

    def __init__(self, folder):
        self.folder, self.settings, self.pause, self.refuses, self.libraries = folder, {}, 0.0, "", []
        self.jobs, self.asked, self.on_stop = {}, [], lambda job: None
        self.plugin = folder / "plugins" / "ours"
        (self.plugin / "profiles").mkdir(parents=True)
        (self.plugin / "our-name.yml").touch()

    def answer(self, query, variables):
        self.asked.append((query, variables))
        if "stashes" in query:
            return {"configuration": {"general": {"stashes": [{"path": str(path)} for path in self.libraries]}}}
        if "configuration" in query:
            return {"configuration": {"plugins": {"our-name": self.settings}}}
        time.sleep(self.pause)
        if self.refuses:
            raise ValueError(self.refuses)
        if "runPluginTask" in query:
            assert variables["id"] == "our-name"
            job = str(len(self.jobs) + 1)
            description = f"Running plugin task: {variables['said']}"
            self.jobs[job] = {"id": job, "status": "READY", "description": description, "args": variables["args"]}
            return {"runPluginTask": job}
        if "stopJob" in query:
            job = self.jobs[variables["id"]]
            job["status"] = "CANCELLED"
            self.on_stop(job)
            return {"stopJob": True}
        queue = [job for job in self.jobs.values() if job["status"] in ("READY", "RUNNING", "STOPPING")]
        return {"jobQueue": queue, "findJob": self.jobs.get(variables["id"])}

    def restart(self):
        self.jobs = {}

    def reply(self, _, body):
        try:
            return 200, {"data": self.answer(body["query"], body["variables"])}
        except ValueError as problem:
            return 200, {"errors": [{"message": str(problem)}]}


@pytest.fixture
def stash(tmp_path):
    with listening(Stash(tmp_path / "stash")) as stub:
        yield stub


@pytest.fixture
def call(stash, monkeypatch):
    """Serve one call as Stash makes it; give its answer. ``call.log`` is what it logged."""
    monkeypatch.setattr(commands, "own_library", lambda *_: ArchiveSource(DEMO))
    monkeypatch.setattr(operations, "own_stash", lambda *_: ArchiveSource(DEMO))
    with serving(stash, monkeypatch) as serve:

        def told(**arguments):
            answer, log = serve(**arguments)
            told.log = log.decode()
            return answer

        yield told


@pytest.fixture
def ask(call):
    """Do an operation; give its answer, which is never an error of GraphQL."""

    def operate(mode, **arguments):
        answer = call(mode=mode, **arguments)
        assert "error" not in answer
        return answer["output"]

    return operate


@pytest.fixture
def do(stash, call):
    """Let Stash do the task of a job."""

    def work(job):
        found = stash.jobs[job]
        found["status"] = "RUNNING"
        answer = call(**found["args"])
        if found["status"] == "RUNNING":
            found["status"] = "FINISHED"
        return answer

    return work


def folder_of(stash):
    return stash.folder / "portability" / "runs"


def exports(stash):
    return sorted(path.name for path in (stash.folder / "portability" / "exports").iterdir())


def error_of(answer):
    assert answer["ok"] is False
    assert set(answer["error"]) == {"code", "message", "exit_code"}
    return answer["error"]


def desk_of(stash, **more):
    desk = open_desk(Call({}, stash.server), {}, StashLog(io.BytesIO()))
    return Desk(desk.call, desk.places, desk.settings, {}, desk.log, **more)


# from start to link


def test_an_order_is_kept_queued_done_and_linked(ask, do, stash):
    started = ask("start", order={"format": "csv", "kinds": "scene", "fields": ["scene:title,date"], "bom": True})
    assert started["ok"] is True
    name, job = started["run"], started["job"]
    assert stash.jobs[job]["args"] == {"mode": "export", "run": name}
    assert stash.jobs[job]["description"] == f"Running plugin task: Stash Portability: export scenes ({name})"
    waiting = ask("run", run=name)["run"]
    assert (waiting["state"], waiting["job"], waiting["title"]) == ("queued", job, "Export scenes")
    assert ask("status")["busy"] == {"run": name, "kind": "export", "state": "queued"}
    do(job)
    report = ask("run", run=name)["run"]
    assert (report["state"], report["job"], report["kind"], report["exit_code"]) == ("finished", job, "export", 0)
    assert report["started"] <= report["ended"]
    (output,) = report["report"]["outputs"]
    assert output.endswith("-scenes.csv")
    found = ask("link", run=name)
    linked = stash.plugin / found["path"]
    assert linked.read_bytes() == Path(output).read_bytes()
    assert found["bytes"] == linked.stat().st_size
    assert found["name"] == Path(output).name
    assert found["until"] > report["ended"]
    assert ask("status")["busy"] is None


def test_only_the_owner_can_read_an_order(ask, stash):
    name = ask("start", order={"kinds": "tag"})["run"]
    order = folder_of(stash) / name / "order.json"
    assert json.loads(order.read_text("utf-8"))["arguments"] == {"kinds": "tag"}
    if sys.platform != "win32":
        assert order.stat().st_mode & 0o777 == 0o600
        assert order.parent.stat().st_mode & 0o777 == 0o700


def test_an_order_is_told_neither_to_the_queue_nor_to_the_log(ask, do, call, stash):
    order = {"kinds": "scene", "ids": ["4711"], "fields": ["scene:title"]}
    job = ask("start", order=order)["job"]
    assert "4711" not in json.dumps([variables for _, variables in stash.asked])
    do(job)
    assert "4711" not in call.log


@pytest.mark.parametrize(
    ("order", "ends", "shape"),
    [
        ({}, "-library.json", "file"),
        ({"kinds": "performer", "format": "jsonl"}, "-performers.jsonl", "file"),
        ({"kinds": "performer", "format": "csv"}, "-performers.csv", "file"),
        ({"kinds": ["performer"], "format": "tsv"}, "-performers.tsv", "file"),
        ({"format": "csv"}, "-library.zip", "zip"),
        ({"kinds": "scene,tag", "format": "csv"}, "-library.zip", "zip"),
        ({"format": "xml"}, "-library.zip", "zip"),
        ({"kinds": "tag", "format": "yaml"}, "-tags.zip", "zip"),
        ({"kinds": "tag", "blobs": True}, "-tags.zip", "zip"),
        ({"kinds": "tag", "format": "csv", "blobs": "true"}, "-tags.zip", "zip"),
        ({"kinds": "tag", "compress": "zip"}, "-tags.zip", "zip"),
        ({"to": "mine.xml"}, "mine.xml", "file"),
        ({"to": "mine", "format": "csv"}, "mine", "folder"),
    ],
)
def test_what_is_made_from_the_page_can_be_downloaded(tmp_path, order, ends, shape):
    places = Places(tmp_path / "data").make()
    desk = Desk(Call(order), places, {}, {}, StashLog(io.BytesIO()), now=lambda: NOON, download=True)
    _, options = orders.export_order(desk)
    assert options.shape == shape
    assert options.to.name == ("20260501T120000Z" if ends.startswith("-") else "") + ends
    assert options.to.parent == (places.exports.resolve() if "to" in order else places.exports)


def test_two_exports_within_one_second_have_two_names(tmp_path):
    places = Places(tmp_path / "data").make()
    desk = Desk(Call({"kinds": "tag"}), places, {}, {}, StashLog(io.BytesIO()), now=lambda: NOON, download=True)
    names = []
    for _ in range(3):
        _, options = orders.export_order(desk)
        options.to.touch()
        names.append(options.to.name)
    assert names == [f"20260501T120000Z-tags{more}.json" for more in ("", "-2", "-3")]


def test_all_mistakes_are_told_at_once_and_nothing_is_queued(ask, stash):
    order = {"format": "cvs", "to": "/etc/x.csv", "kinds": "scene", "profle": "x", "privacy": "fulll"}
    error = error_of(ask("start", order=order))
    assert error["code"] == "SeveralProblems"
    for word in ("'csv'", "/etc/x.csv", "'profile'", "'full'"):
        assert word in error["message"]
    assert stash.jobs == {}
    assert runs.names(folder_of(stash)) == []


@pytest.mark.parametrize(
    ("order", "code"),
    [
        ({"to": "/somewhere/else.csv"}, "OutsideRoots"),
        ({"to": "../roots.json"}, "OutsideRoots"),
        ({"filter": "@/etc/passwd"}, "UsageError"),
        ({"narrow": "@/etc/passwd"}, "UsageError"),
        ({"profile": "/etc/passwd"}, "OutsideRoots"),
        ({"profile": "../../config.json"}, "OutsideRoots"),
        ({"from": "http://elsewhere"}, "UnknownName"),
        ({"api_key_file": "/etc/passwd"}, "UnknownName"),
        ({"kinds": "scene", "ids": []}, "UsageError"),
        ("all", "UsageError"),
    ],
)
def test_an_order_that_may_not_be_is_refused(ask, stash, order, code):
    assert error_of(ask("start", order=order))["code"] == code
    assert stash.jobs == {}


def test_an_output_that_is_there_is_told_before_anything_is_queued(ask, do, stash):
    do(ask("start", order={"to": "mine.json", "kinds": "tag"})["job"])
    assert error_of(ask("start", order={"to": "mine.json", "kinds": "tag"}))["code"] == "OutputExists"
    assert ask("start", order={"to": "mine.json", "kinds": "tag", "overwrite": True})["ok"]


def test_a_folder_that_is_not_there_is_told_before_anything_is_queued(ask, stash):
    error = error_of(ask("start", order={"to": "no/such/mine.json"}))
    assert error["code"] == "OutputNotUsable"
    assert "its folder does not exist" in error["message"]
    assert stash.jobs == {}
    assert ask("start", order={"to": "../backups/mine.json"})["ok"]


def test_settings_that_are_changed_while_an_order_waits_do_not_change_it(ask, do, stash):
    stash.settings = {"privacy": "share"}
    started = ask("start", order={"kinds": "tag"})
    stash.settings = {"privacy": "full", "format": "csv"}
    do(started["job"])
    report = ask("run", run=started["run"])["run"]["report"]
    assert report["privacy"] == "share"
    assert report["outputs"][0].endswith("-tags.json")


def test_a_run_that_stash_refuses_has_failed(ask, stash):
    stash.refuses = "no such plugin"
    error = error_of(ask("start", order={"kinds": "tag"}))
    assert (error["code"], error["exit_code"]) == ("StashSaidNo", 14)
    (report,) = ask("status")["runs"]
    assert report["state"] == "failed"
    assert "no such plugin" in report["error"]["message"]


def test_a_task_that_fails_is_told_by_its_run(ask, do, stash, monkeypatch):
    def fail(*_):
        raise KeyError("nobody thought of this")

    started = ask("start", order={"kinds": "tag"})
    monkeypatch.setattr(commands, "own_library", fail)
    do(started["job"])
    report = ask("run", run=started["run"])["run"]
    assert (report["state"], report["error"]["code"], report["job"]) == ("failed", "Bug", started["job"])
    assert error_of(ask("link", run=started["run"]))["code"] == "UsageError"


# setting up


def test_setting_up_is_asked_for_once(ask, stash):
    first = ask("start", task="setup")
    assert first["ok"] is True
    assert ask("start", task="setup") == first
    assert ask("status")["busy"]["kind"] == "setup"
    stash.restart()
    assert ask("start", task="setup")["run"] != first["run"]


def test_two_that_ask_at_once_to_set_up_get_one_run(stash):
    found = []
    desk = [desk_of(stash) for _ in range(4)]
    asking = [Desk(Call({"task": "setup"}, one.call.server), one.places, {}, {}, one.log) for one in desk]
    threads = [threading.Thread(target=lambda one=one: found.append(operations.start(one))) for one in asking]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({one["run"] for one in found}) == 1
    assert len({one["job"] for one in found}) == 1
    assert len(stash.jobs) == 1


def test_a_setting_up_that_goes_on_is_given_to_who_asks(ask, stash):
    places = Places(stash.folder / "portability").make()
    with runs.begin(places.runs, "setup", datetime.now(timezone.utc), b"abcd", "Set up dependencies") as going:
        assert ask("start", task="setup") == {"ok": True, "run": going.name, "job": None}
        assert ask("status")["busy"] == {"run": going.name, "kind": "setup", "state": "running"}
        going.write("finished")


def test_an_unknown_task_is_told(ask):
    assert "'setup'" in error_of(ask("start", task="setpu"))["message"]


# tasks that are given a run


@pytest.mark.parametrize("name", ["../../x", "", 5, ["x"], "20260501T120000.000Z-export-01020304"])
def test_a_task_takes_only_a_run_that_is_there(call, stash, name):
    answer = call(mode="export", run=name)
    assert "error" in answer
    assert "there is no run" in answer["error"]
    assert runs.names(folder_of(stash)) == []


def test_a_run_is_done_once_and_as_what_it_was_asked_for(ask, do, call, stash):
    started = ask("start", order={"kinds": "tag"})
    assert "cannot be begun as setup" in call(mode="setup", run=started["run"])["error"]
    assert "its own order" in call(mode="export", run=started["run"], to="x.json")["error"]
    do(started["job"])
    assert "finished" in call(mode="export", run=started["run"])["error"]
    assert len(exports(stash)) == 1


def test_an_order_is_checked_again_when_it_is_done(ask, do, stash):
    started = ask("start", order={"kinds": "tag"})
    path = folder_of(stash) / started["run"] / "order.json"
    order = json.loads(path.read_text("utf-8"))
    path.write_text(json.dumps({**order, "arguments": {"to": "/etc/x.json"}}), "utf-8")
    assert do(started["job"])["output"]["error"]["code"] == "OutsideRoots"


def test_a_damaged_order_is_told(ask, do, stash):
    started = ask("start", order={"kinds": "tag"})
    (folder_of(stash) / started["run"] / "order.json").write_text("[]", "utf-8")
    assert do(started["job"])["output"]["error"]["code"] == "Unreadable"


# what becomes of a run


def test_a_run_whose_job_stash_has_forgotten_is_stopped(ask, stash):
    started = ask("start", order={"kinds": "tag"})
    stash.restart()
    report = ask("run", run=started["run"])["run"]
    assert (report["state"], report["error"]["code"]) == ("stopped", "Stopped")
    assert "run it again" in report["error"]["message"]
    assert ask("status")["runs"][0]["state"] == "stopped"


def test_a_job_of_the_same_number_is_not_the_job_of_the_run(ask, call, stash):
    first = ask("start", order={"kinds": "tag"})
    stash.restart()
    second = ask("start", order={"kinds": "tag"})
    assert first["job"] == second["job"]
    assert ask("run", run=first["run"])["run"]["state"] == "stopped"
    assert ask("run", run=second["run"])["run"]["state"] == "queued"
    assert "error" in call(mode="export", run=first["run"])


@pytest.mark.parametrize(
    ("status", "error", "state"),
    [("CANCELLED", None, "cancelled"), ("FAILED", "no plugin with ID x", "failed"), ("FINISHED", None, "failed")],
)
def test_a_job_that_ended_before_its_run_began_is_told(ask, stash, status, error, state):
    started = ask("start", order={"kinds": "tag"})
    stash.jobs[started["job"]].update(status=status, error=error)
    report = ask("run", run=started["run"])["run"]
    assert report["state"] == state
    assert (error or "") in report["error"]["message"]


def test_a_run_that_is_being_asked_for_is_left_alone(stash):
    desk = desk_of(stash)
    desk.places.make()
    run = runs.queue(desk.places.runs, "export", desk.now(), b"abcd", {"title": "Export tags"})
    report = runs.read(desk.places.runs, run.name)
    assert jobs.settled(desk, report)["state"] == "queued"
    late = desk_of(stash, now=lambda: datetime.now(timezone.utc) + timedelta(minutes=1))
    assert jobs.settled(late, report)["state"] == "stopped"


KILLED = """
import sys, json; sys.path.insert(0, {root!r})
from datetime import datetime; from pathlib import Path; from stash_portability import runs
with runs.take(Path({runs!r}), {name!r}, "export", datetime(2026, 5, 1)):
    print("begun", flush=True); sys.stdin.read()
"""


def begun_elsewhere(stash, name):
    """The task of a run in a process of its own, which goes on until it is killed."""
    code = KILLED.format(root=str(ROOT), runs=str(folder_of(stash)), name=name)
    child = subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    child.stdout.readline()
    return child


def kill(child):
    child.kill()
    child.communicate()


def test_a_run_that_was_killed_is_stopped_and_says_what_to_do(ask, stash):
    started = ask("start", order={"kinds": "tag"})
    child = begun_elsewhere(stash, started["run"])
    stash.jobs[started["job"]]["status"] = "RUNNING"
    assert ask("run", run=started["run"])["run"]["state"] == "running"
    kill(child)
    stash.restart()
    report = ask("run", run=started["run"])["run"]
    assert report["state"] == "stopped"
    assert "run it again" in report["error"]["message"]
    assert report["ended"]
    kept = json.loads((folder_of(stash) / started["run"] / "report.json").read_text("utf-8"))
    assert kept == report


def test_a_run_that_was_stopped_in_stashs_own_list_is_cancelled(ask, stash):
    started = ask("start", order={"kinds": "tag"})
    kill(begun_elsewhere(stash, started["run"]))
    stash.jobs[started["job"]]["status"] = "CANCELLED"
    assert ask("run", run=started["run"])["run"]["state"] == "cancelled"


@pytest.mark.parametrize("name", ["../x", "", None, 7, "20260501T120000.000Z-export-01020304"])
@pytest.mark.parametrize("mode", ["run", "cancel", "link"])
def test_a_run_that_is_not_there_is_told(ask, mode, name):
    assert error_of(ask(mode, run=name))["exit_code"] == 2


# cancelling


def test_a_run_that_waits_is_cancelled_and_its_task_does_nothing(ask, do, call, stash):
    started = ask("start", order={"kinds": "tag"})
    report = ask("cancel", run=started["run"])["run"]
    assert (report["state"], report["error"]["code"], report["exit_code"]) == ("cancelled", "Cancelled", 130)
    assert stash.jobs[started["job"]]["status"] == "CANCELLED"
    answer = do(started["job"])
    assert answer["output"]["state"] == "cancelled"
    assert "nothing is done" in call.log
    assert exports(stash) == []
    assert ask("run", run=started["run"])["run"] == report


def test_a_run_that_goes_on_is_killed_and_cancelled(ask, stash):
    started = ask("start", order={"kinds": "tag"})
    child = begun_elsewhere(stash, started["run"])
    stash.jobs[started["job"]]["status"] = "RUNNING"
    left = stash.folder / "portability" / "exports" / ".stash-portability-x.partial"
    left.mkdir()
    (left / "lock").touch()
    (left / "out").touch()
    stash.on_stop = lambda job: kill(child)
    report = ask("cancel", run=started["run"])["run"]
    assert report["state"] == "cancelled"
    assert report["job"] == started["job"]
    assert ask("run", run=started["run"])["run"] == report
    assert exports(stash) == []


def test_a_run_that_finishes_while_it_is_cancelled_has_finished(ask, stash):
    started = ask("start", order={"kinds": "tag"})
    stash.jobs[started["job"]]["status"] = "RUNNING"
    with runs.take(folder_of(stash), started["run"], "export", datetime.now(timezone.utc)) as going:
        ended = threading.Event()

        def finish(_job):
            threading.Timer(0.2, lambda: (going.write("finished", exit_code=0), ended.set())).start()

        stash.on_stop = finish
        release = threading.Thread(target=ended.wait)
        release.start()
        answers = []
        asking = threading.Thread(target=lambda: answers.append(ask("cancel", run=started["run"])))
        asking.start()
        release.join()
    asking.join()
    assert answers[0]["run"]["state"] == "finished"
    assert ask("run", run=started["run"])["run"]["exit_code"] == 0


def test_a_task_that_cannot_be_ended_in_time_is_still_running(ask, stash, monkeypatch):
    monkeypatch.setattr(jobs, "ENOUGH", 0.5)
    started = ask("start", order={"kinds": "tag"})
    stash.jobs[started["job"]]["status"] = "RUNNING"
    child = begun_elsewhere(stash, started["run"])
    assert ask("cancel", run=started["run"])["run"]["state"] == "running"
    kill(child)
    assert ask("run", run=started["run"])["run"]["state"] == "cancelled"


def test_a_run_begun_in_settings_is_cancelled_by_its_title(ask, stash):
    places = Places(stash.folder / "portability").make()
    begun = runs.begin(places.runs, "export", datetime.now(timezone.utc), b"abcd", "Export library")
    with begun as going:
        assert "ends by itself" in error_of(ask("cancel", run=going.name))["message"]
        stash.jobs["7"] = {"id": "7", "status": "RUNNING", "description": "Running plugin task: Export library"}
        stash.on_stop = lambda _: going.write("failed", exit_code=70)
        report = runs.read(places.runs, going.name)
        assert jobs.find(desk_of(stash), report)["id"] == "7"


def test_a_run_that_is_over_stays_as_it_is(ask, do, stash):
    started = ask("start", order={"kinds": "tag"})
    do(started["job"])
    asked = len(stash.asked)
    assert ask("cancel", run=started["run"])["run"]["state"] == "finished"
    assert not any("stopJob" in query for query, _ in stash.asked[asked:])


# links


def test_a_link_is_given_again(ask, do, stash):
    started = ask("start", order={"kinds": "tag"})
    do(started["job"])
    first = ask("link", run=started["run"])
    assert ask("link", run=started["run"]) == first
    (stash.plugin / first["path"]).unlink()
    second = ask("link", run=started["run"])
    assert second["path"] != first["path"]
    assert (stash.plugin / second["path"]).is_file()
    kept = folder_of(stash) / started["run"] / "link.json"
    for text in ("", "[]", "{}", '{"until": 5}', '{"until": "2999-01-01T00:00:00Z", "of": 1, "path": "../x"}'):
        kept.write_text(text)
        assert (stash.plugin / ask("link", run=started["run"])["path"]).is_file()


def test_only_what_a_run_made_where_it_may_is_linked(ask, do, stash):
    started = ask("start", order={"kinds": "tag"})
    do(started["job"])
    path = folder_of(stash) / started["run"] / "report.json"
    report = json.loads(path.read_text("utf-8"))
    secret = stash.folder / "config.json"
    secret.write_text("secret")
    output = Path(report["report"]["outputs"][0])
    for outputs, code in (([str(secret)], "OutsideRoots"), ([], "UsageError"), ([str(output), "x"], "UsageError")):
        path.write_text(json.dumps({**report, "report": {**report["report"], "outputs": outputs}}))
        assert error_of(ask("link", run=started["run"]))["code"] == code
    path.write_text(json.dumps(report))
    output.unlink()
    error = error_of(ask("link", run=started["run"]))
    assert error["code"] == "NoLink"
    assert str(output) in error["message"]
    output.symlink_to(secret)
    assert error_of(ask("link", run=started["run"]))["code"] == "OutsideRoots"
    output.unlink()
    (output.parent / "other.json").touch()
    output.symlink_to(output.parent / "other.json")
    assert error_of(ask("link", run=started["run"]))["code"] == "NoLink"
    assert sorted(entry.name for entry in (stash.plugin / "downloads").rglob("*")) == []


def test_a_status_and_a_task_remove_links_that_are_over(ask, do, stash):
    place = stash.plugin / downloads.FOLDER / ("ab" * 16)
    for mode in (lambda: ask("status"), lambda: do(ask("start", order={"kinds": "tag"})["job"])):
        place.mkdir(parents=True)
        (place / "index.html").touch()
        os.utime(place, (0, 0))
        mode()
        assert not place.exists()


# status and fields


def test_status_tells_whether_all_is_ready(ask, stash):
    found = ask("status")
    assert (found["ok"], found["version"], found["plugin"], found["ready"]) == (True, __version__, "our-name", True)
    assert found["busy"] is None
    assert not (stash.folder / "portability").exists()


def test_fields_tells_everything_that_can_be_chosen(ask, stash):
    stash.settings = {"format": "csv", "privacy": "share", "kinds": "scene"}
    own = stash.folder / "portability" / "profiles"
    own.mkdir(parents=True)
    (own / "mine.json").write_text('{"name": "My list", "description": "One\\nTwo", "privacy": "share"}')
    (own / "odd.yaml").write_text("- : [")
    (own / "notes.txt").touch()
    (stash.plugin / "profiles" / "shipped.yaml").write_text("description: Came along")
    (stash.plugin / "profiles" / "mine.yaml").write_text("description: Not this one")
    (own / "far.json").symlink_to(stash.folder / "elsewhere.json")
    (stash.folder / "elsewhere.json").write_text('{"description": "secret"}')
    found = ask("fields")
    kinds = {kind["name"]: kind for kind in found["kinds"]}
    scene = kinds["scene"]
    assert (scene["label"], scene["plural"], scene["mode"], scene["filterable"]) == ("Scenes", "scenes", "SCENES", True)
    assert (kinds["chapter"]["filterable"], kinds["chapter"]["mode"]) == (False, "")
    assert kinds["saved_filter"]["label"] == "Saved filters"
    assert {"tags", "performers", "studios", "date", "rating"} == set(scene["narrows"])
    assert any(field["name"] == "files" and field["parts"] for field in scene["fields"])
    assert {"full", "share", "public"} == set(found["levels"])
    assert found["levels"]["full"]["whole"] == []
    assert {"saved_filter", "config"} == set(found["levels"]["share"]["whole"])
    assert "rating100" in found["levels"]["share"]["hides"]["scene"]
    assert "files.path" in found["levels"]["share"]["hides"]["scene"]
    assert {"csv", "json", "xml"} <= set(found["formats"])
    assert {"none", "direct", "full"} == set(found["closures"])
    assert found["defaults"] == {"format": "csv", "privacy": "share", "kinds": "scene"}
    profiles = {profile["name"]: profile for profile in found["profiles"]}
    assert set(profiles) == {"mine", "odd", "shipped", "far"}
    assert profiles["mine"] == {"name": "mine", "title": "My list", "description": "One", "privacy": "share"}
    assert profiles["shipped"]["description"] == "Came along"
    assert profiles["far"]["description"] == ""


def test_a_profile_nested_too_deeply_is_refused_and_hides_nothing(ask, stash):
    own = stash.folder / "portability" / "profiles"
    own.mkdir(parents=True)
    for name in ("deep.json", "deep.yaml"):
        (own / name).write_text("[" * 100_000)
    (own / "mine, ünï 😀.json").write_text('{"description": "One", "kinds": {"tag": ["name"]}}')
    told = {profile["name"]: profile["description"] for profile in ask("fields")["profiles"]}
    assert told == {"deep": "", "mine, ünï 😀": "One"}
    for name in ("deep", "deep.yaml"):
        assert error_of(ask("preview", order={"profile": name}))["code"] == "BadProfile"
    assert ask("preview", order={"profile": "mine, ünï 😀"})["kind"] == "tag"


def test_a_profile_is_found_by_its_name(ask, stash, tmp_path):
    own = stash.folder / "portability" / "profiles"
    own.mkdir(parents=True)
    (own / "mine.json").write_text('{"kinds": {"tag": {"columns": ["name"]}}, "format": "csv"}')
    (stash.plugin / "profiles" / "shipped.yaml").write_text("privacy: public")
    (stash.plugin / "profiles" / "mine.yaml").write_text("privacy: nonsense")
    desk = desk_of(stash)
    for name, path in (
        ("mine", own / "mine.json"),
        ("mine.json", own / "mine.json"),
        ("shipped", stash.plugin / "profiles" / "shipped.yaml"),
        ("shipped.yaml", stash.plugin / "profiles" / "shipped.yaml"),
    ):
        given = Desk(Call({"profile": name}, stash.server), desk.places, {}, {}, desk.log)
        assert orders.export_arguments(given)["profile"] == str(path)
    assert ask("start", order={"profile": "mine"})["ok"]
    assert ask("start", order={"profile": "shipped"})["ok"]


def test_libraries_that_are_not_there_are_told_and_not_installed(ask, stash, monkeypatch):
    monkeypatch.setattr("stash_portability.dependencies.Shelf.state", lambda *_: "missing")
    monkeypatch.setattr("stash_portability.installer.install", lambda *_, **__: pytest.fail("installs"))
    found = ask("status")
    assert (found["ok"], found["ready"]) == (True, False)
    assert {profile["description"] for profile in ask("fields")["profiles"]} <= {""}
    for mode, arguments in (("count", {"kind": "scene", "scopes": {}}), ("preview", {"order": {}})):
        error = error_of(ask(mode, **arguments))
        assert (error["code"], error["exit_code"]) == ("LibrariesMissing", 2)
        assert "Set up dependencies" in error["message"]
    (stash.plugin / "profiles" / "shipped.yaml").write_text("privacy: public")
    assert error_of(ask("start", order={"profile": "shipped"}))["code"] == "LibrariesMissing"
    assert ask("start", order={"kinds": "tag"})["ok"]


# count and preview


def test_preview_shows_what_start_would_make(ask):
    found = ask("preview", order={"kinds": "scene", "format": "csv", "fields": ["scene:title,date"], "closure": "none"})
    assert found["ok"] is True
    assert (found["kind"], found["form"], found["count"]) == ("scene", "csv", 11)
    assert found["columns"] == ["title", "date"]
    assert len(found["rows"]) == found["records"] <= 5
    assert "text" in ask("preview", order={"kinds": "tag", "format": "yaml"})
    assert error_of(ask("preview", order={"to": "/etc/x.csv"}))["code"] == "OutsideRoots"


def test_count_asks_for_each_scope(ask, monkeypatch):
    monkeypatch.setattr("stash_portability.look.count", lambda *given: ({"all": 3}, {"odd": str(given[1:])}))
    found = ask("count", kind="scene", scopes={"all": {}}, narrow={"rating": {"from": 60}})
    assert found["counts"] == {"all": 3}
    assert found["problems"] == {"odd": "('scene', {'all': {}}, {'rating': {'from': 60}})"}
    assert error_of(ask("count", kind=None, scopes={}))["code"] == "UsageError"
    assert error_of(ask("count", kind="scene"))["code"] == "UsageError"


# whatever goes wrong


def test_a_bug_is_told_and_its_traceback_is_for_debug(ask, call, monkeypatch):
    def fail(_):
        raise RuntimeError("nobody thought of this")

    monkeypatch.setattr(operations, "OPERATIONS", {**operations.OPERATIONS, "status": fail})
    error = error_of(ask("status"))
    assert (error["code"], error["exit_code"]) == ("Bug", 70)
    assert error["message"].startswith("a bug of ours (test_operations.py:")
    lines = [line for line in call.log.splitlines() if line]
    assert lines
    assert all(line.startswith("\x01d\x02") for line in lines)


def test_an_answer_is_there_in_time_whatever_stash_does(ask, stash, monkeypatch):
    monkeypatch.setattr(jobs, "SECONDS", 0.3)
    stash.pause = 1.0
    begun = time.monotonic()
    error = error_of(ask("start", order={"kinds": "tag"}))
    assert time.monotonic() - begun < 0.9
    assert error["code"] == "Unreachable"
    assert "took more than 0.3 seconds" in error["message"]
    (report,) = runs.latest(folder_of(stash), 5)
    assert report["state"] == "failed"


def test_an_answer_is_there_in_time_whatever_we_do(stash, monkeypatch):
    over = threading.Event()
    monkeypatch.setattr(operations, "OPERATIONS", {"status": lambda _: over.wait(10) and {}})
    begun = time.monotonic()
    answer = operations.answer(Call({"mode": "status"}, stash.server), {}, StashLog(io.BytesIO()), 0.2)
    over.set()
    assert time.monotonic() - begun < 1
    assert error_of(answer)["code"] == "TookTooLong"
    assert "took more than 0.2 seconds" in answer["error"]["message"]


def test_the_plugin_as_stash_starts_it_ends_in_time(stash):
    """A Stash that takes the question and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as mute:
        server = {**stash.server, "Port": mute.getsockname()[1]}
        given = json.dumps({"server_connection": server, "args": {"mode": "run", "run": "x"}}).encode()
        begun = time.monotonic()
        command = [sys.executable, str(ROOT / "stash_portability" / "launch.py")]
        said = subprocess.run(command, input=given, capture_output=True, timeout=30, check=True)
        assert time.monotonic() - begun < 5
    answer = json.loads(said.stdout)
    assert error_of(answer["output"])["code"] == "TookTooLong"
    assert "took more than" in answer["output"]["error"]["message"]
    assert said.stderr == b""


def test_a_lock_nobody_lets_go_is_told(ask, stash, monkeypatch):
    monkeypatch.setattr(runs, "TRIES", 3)
    started = ask("start", order={"kinds": "tag"})
    with held(folder_of(stash) / started["run"] / runs.WRITING):
        assert error_of(ask("cancel", run=started["run"]))["code"] == "Locked"


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="Windows ends processes otherwise")
def test_whoever_is_killed_while_asking_leaves_a_run_that_is_told(ask, stash):
    """Killed after the run's folder is made, and before Stash has been asked."""
    code = (
        f"import sys, os, signal; sys.path.insert(0, {str(ROOT)!r})\n"
        "from datetime import datetime, timezone; from pathlib import Path; from stash_portability import runs\n"
        f"runs.queue(Path({str(folder_of(stash))!r}), 'export', datetime(2026, 5, 1), b'abcd', {{'title': 'x'}})\n"
        "os.kill(os.getpid(), signal.SIGKILL)"
    )
    subprocess.run([sys.executable, "-c", code], check=False)
    (report,) = ask("status")["runs"]
    assert report["state"] == "stopped"
    half = folder_of(stash) / "20260501T120001.000Z-export-01020304"
    half.mkdir()
    found = ask("status")["runs"]
    assert [one["state"] for one in found] == ["stopped", "stopped"]
    assert error_of(ask("run", run=half.name))["code"] == "Unreadable"


def test_a_profile_that_is_not_there_is_told_with_those_that_are(ask, stash):
    profiles = folder_of(stash).parent / "profiles"
    profiles.mkdir(parents=True)
    (profiles / "yearly.json").write_text("{}")
    error = error_of(ask("start", order={"profile": "yaerly"}))
    assert error["code"] == "UnknownName"
    assert "'yearly'" in error["message"]


def test_a_backup_is_started_from_the_page_too(ask, do, stash):
    started = ask("start", task="backup", order={"kinds": "tag", "to": "weekly"})
    assert ask("run", run=started["run"])["run"]["title"] == "Back up now"
    do(started["job"])
    report = ask("run", run=started["run"])["run"]
    assert (report["state"], report["kind"], report["exit_code"]) == ("finished", "backup", 0)
    (output,) = report["report"]["outputs"]
    assert Path(output).parent == stash.folder / "portability" / "backups" / "weekly"
    assert "colour" in error_of(ask("start", task="backup", order={"colour": "x"}))["message"]
