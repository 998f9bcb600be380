"""The hook, as Stash starts it, and the log it writes."""

import json
import os
import re
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from stash_portability import hook, oslock, tombstones
from stash_portability.tombstones import Tombstone

ROOT = Path(__file__).parent.parent
LAUNCHER = ROOT / "stash_portability" / "launch.py"
NOW = "2026-05-01T12:00:00Z"
RUN_AS_ROOT = hasattr(os, "geteuid") and os.geteuid() == 0


@pytest.fixture
def stash(tmp_path):
    """The folders of a Stash with the plugin in it."""
    (tmp_path / "plugins" / "stash-portability").mkdir(parents=True)
    return tmp_path


def state(stash):
    return stash / "portability" / "state"


def given(stash, **context):
    server = {"Dir": str(stash), "PluginDir": str(stash / "plugins" / "stash-portability"), "Port": 9}
    return json.dumps({"server_connection": server, "args": {"mode": "hook", "hookContext": context}}).encode()


def run(text, **environment):
    """Run the launcher with a call; give what it answered and logged. It never fails."""
    variables = {**os.environ, **environment}
    done = subprocess.run([sys.executable, str(LAUNCHER)], input=text, capture_output=True, check=True, env=variables)
    return json.loads(done.stdout), done.stderr


def destroyed(kind="Tag", uid=7, **more):
    return {"id": uid, "type": f"{kind}.Destroy.Post", "input": {"id": str(uid)}, "inputFields": None, **more}


@pytest.mark.parametrize("kind", ["Tag", "Performer", "Studio", "Group"])
def test_what_is_deleted_is_noted(stash, kind):
    assert run(given(stash, **destroyed(kind))) == ({}, b"")
    (stone,) = tombstones.read(state(stash))
    assert stone[1:] == (kind.lower(), "7", "")
    assert re.fullmatch(r"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ", stone.at)


def test_a_merge_tells_what_each_tag_has_become(stash):
    context = {"id": 9, "type": "Tag.Merge.Post", "input": {"source": ["3", "4"], "destination": "9"}}
    run(given(stash, **context))
    assert [stone[1:] for stone in tombstones.read(state(stash))] == [("tag", "3", "9"), ("tag", "4", "9")]


def test_a_bulk_deletion_notes_the_one_it_is_run_for(stash):
    run(given(stash, **destroyed(uid=5, input=["4", "5", "6"])))
    assert [stone.uid for stone in tombstones.read(state(stash))] == ["5"]


@pytest.mark.parametrize("context", [{}, {"id": 1}, {"type": 5}, {"type": "Tag.Merge.Post", "input": None}])
def test_a_context_that_is_none_is_logged_and_harms_nothing(stash, context):
    answer, log = run(given(stash, **context))
    assert answer == {}
    assert log.startswith(b"\x01w\x02what was deleted could not be noted: ")
    assert log.count(b"\n") == 1
    assert not (state(stash) / tombstones.NAME).exists()


@pytest.mark.parametrize("what", ["Scene.Destroy.Post", "Tag.Update.Post"])
def test_what_is_none_of_our_business_is_not_noted(stash, what):
    assert run(given(stash, **{**destroyed(), "type": what})) == ({}, b"")
    assert not state(stash).exists()


def test_a_call_that_only_speaks_of_hooks_goes_to_the_plugin(stash):
    call = json.loads(given(stash))
    call["args"] = {"mode": "no such", "order": {"query": 'the word "hookContext"'}}
    text = json.dumps({**call, "args": {**call["args"], "hookContext": {}}}).encode()
    done = subprocess.run([sys.executable, str(LAUNCHER)], input=text, capture_output=True, check=False)
    assert "no such" in json.loads(done.stdout)["error"]


def test_the_data_folder_is_found_as_the_tasks_find_it(stash, tmp_path):
    plugin, other = stash / "plugins" / "stash-portability", tmp_path / "other"
    hook.point(plugin, str(other))
    assert hook.told(plugin) == str(other)
    run(given(stash, **destroyed()))
    assert len(tombstones.read(other / "state")) == 1
    run(given(stash, **destroyed()), STASH_PORTABILITY_DATA=str(tmp_path / "third"))
    assert len(tombstones.read(tmp_path / "third" / "state")) == 1
    hook.point(plugin, "")
    assert hook.told(plugin) == ""
    assert not state(stash).exists()
    for text in ("", "[]", "{}"):
        (plugin / hook.POINTER).write_text(text)
        assert hook.told(plugin) == ""


def test_a_disk_that_is_not_there_does_not_come_into_being(stash, tmp_path):
    answer, log = run(given(stash, **destroyed()), STASH_PORTABILITY_DATA=str(tmp_path / "disk" / "data"))
    assert (answer, log.startswith(b"\x01w\x02")) == ({}, True)
    assert not (tmp_path / "disk").exists()


@pytest.mark.skipif(RUN_AS_ROOT or os.name == "nt", reason="modes do not hold root or Windows back")
def test_a_folder_that_cannot_be_written_to_is_logged(stash):
    stash.chmod(0o500)
    answer, log = run(given(stash, **destroyed()))
    assert (answer, b"Permission denied" in log) == ({}, True)


def test_a_file_in_the_place_of_the_folder_is_logged(stash):
    """As a folder that cannot be written to, also for root."""
    (stash / "portability").write_text("")
    answer, log = run(given(stash, **destroyed()))
    assert (answer, log.startswith(b"\x01w\x02")) == ({}, True)
    assert log.count(b"\n") == 1


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs a pipe with a name")
def test_a_disk_that_hangs_ends_the_hook_in_time(stash):
    """Opening a pipe nobody reads waits for ever, as a file of a network disk that is gone does."""
    state(stash).mkdir(parents=True)
    os.mkfifo(state(stash) / tombstones.LOCK)
    os.mkfifo(stash / "plugins" / "stash-portability" / hook.POINTER)
    begun = time.monotonic()
    answer, log = run(given(stash, **destroyed()))
    assert time.monotonic() - begun < 5
    assert (answer, b"too slow" in log) == ({}, True)


def test_the_hook_needs_no_slow_module():
    code = f"import sys; sys.path.insert(0, {str(ROOT)!r}); import stash_portability.hook; print(*sys.modules)"
    said = subprocess.run([sys.executable, "-I", "-S", "-c", code], check=True, capture_output=True, text=True).stdout
    slow = {"http", "socket", "ssl", "logging", "argparse", "subprocess", "dataclasses", "datetime", "threading"}
    assert not slow & {name.split(".")[0] for name in said.split()}


def test_the_hook_is_quick(stash):
    """At most 150 ms of work, however busy the machine is."""
    times = []
    for _ in range(10):
        begun = os.times()
        run(given(stash, **destroyed()))
        ended = os.times()
        times.append(sum(ended[2:4]) - sum(begun[2:4]))
    assert min(times) < 0.15


# the log


def test_lines_that_are_cut_damaged_or_newer_are_passed_over(tmp_path):
    stones = [Tombstone(NOW, "tag", str(uid)) for uid in (1, 2, 3)]
    tombstones.append(tmp_path, stones[:1])
    path = tmp_path / tombstones.NAME
    with path.open("ab") as file:
        file.write(b'\n[]\n{}\nnull\n\xff\n{"v": 2, "at": "", "kind": "tag", "uid": "9", "into": ""}\n')
        file.write(b'{"v": 1, "at": "2026-')
    assert tombstones.read(tmp_path) == stones[:1]
    tombstones.append(tmp_path, stones[1:])
    assert tombstones.read(tmp_path) == stones
    whole = path.read_bytes()
    for end in range(len(whole)):
        path.write_bytes(whole[:end])
        assert tombstones.read(tmp_path) == stones[: len(tombstones.read(tmp_path))]


def test_a_log_that_has_grown_makes_room(tmp_path, monkeypatch):
    monkeypatch.setattr(tombstones, "MOST_BYTES", 500)
    for uid in range(100):
        tombstones.append(tmp_path, [Tombstone(NOW, "tag", str(uid))])
    kept = [int(stone.uid) for stone in tombstones.read(tmp_path)]
    assert kept == list(range(kept[0], 100))
    assert len(kept) > 5
    assert sum(path.stat().st_size for path in tmp_path.glob("*.jsonl")) < 1500


def test_many_at_once_lose_nothing(tmp_path, monkeypatch):
    monkeypatch.setattr(tombstones, "MOST_BYTES", 1 << 20)

    def some(first):
        for uid in range(first, first + 50):
            tombstones.append(tmp_path, [Tombstone(NOW, "tag", str(uid))])

    writers = [threading.Thread(target=some, args=(first,)) for first in range(0, 400, 50)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert sorted(int(stone.uid) for stone in tombstones.read(tmp_path)) == list(range(400))


def test_while_another_makes_room_lines_are_added_all_the_same(tmp_path):
    with oslock.held(tmp_path / tombstones.LOCK):
        tombstones.append(tmp_path, [Tombstone(NOW, "tag", "1")])
    assert len(tombstones.read(tmp_path)) == 1


@pytest.mark.skipif(os.name == "nt", reason="Windows has no modes")
def test_only_the_owner_can_read_the_log(stash):
    run(given(stash, **destroyed()))
    assert (state(stash) / tombstones.NAME).stat().st_mode & 0o777 == 0o600
    assert state(stash).stat().st_mode & 0o777 == 0o700


def test_since_gives_what_is_newer():
    stones = [Tombstone(f"2026-05-0{day}T00:00:00Z", "tag", str(day)) for day in (1, 2, 3)]
    assert tombstones.since(stones, "2026-05-02T00:00:00Z") == stones[1:]
    assert tombstones.since(stones, "2027") == []


def test_a_record_became_what_the_newest_line_says():
    def stone(uid, into="", kind="tag", at=NOW):
        return Tombstone(at, kind, uid, into)

    later = "2026-06-01T00:00:00Z"
    assert tombstones.became([], "tag", "1") is None
    assert tombstones.became([stone("1")], "performer", "1") is None
    assert tombstones.became([stone("1"), stone("1", at=later)], "tag", "1").at == later
    assert tombstones.became([stone("1", "2"), stone("2", "3")], "tag", "1").into == "3"
    assert tombstones.became([stone("1", "2"), stone("2")], "tag", "1").into == ""
    assert tombstones.became([stone("2", "3"), stone("1", "2")], "tag", "1").into == "2"
    assert tombstones.became([stone("1", "2"), stone("2", "5", "studio")], "tag", "1").into == "2"
