"""Bad input gets one clear line, the exit code of its family, and leaves nothing half-made."""

import json
import os
import shutil
import sqlite3
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from stash_portability.__main__ import main

DEMO = Path(__file__).parent.parent / "examples" / "demo"


@pytest.fixture
def attempt(tmp_path, capsys):
    """Run an export into ``out`` of an empty folder; give (exit code, what was said), having looked at what is left."""
    place = tmp_path / "place"
    place.mkdir()

    def run(*arguments, source=DEMO, to="out", keep=()):
        before = sorted(path.name for path in place.iterdir())
        code = main(["export", "--from", str(source), "--to", str(place / to), *arguments])
        said = capsys.readouterr().err.strip()
        if code > 1:
            assert sorted(path.name for path in place.iterdir()) == before, "something half-made was left"
            assert "\n" not in said
            assert "Traceback" not in said
        return code, said

    run.place = place
    return run


def serve(answer):
    """A server on the loopback that gives ``answer(handler)`` for every request."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            self.rfile.read(int(self.headers.get("content-length", 0)))
            answer(self)

        do_GET = do_POST  # noqa: N815 - the name http.server calls

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


def reply(status, body, **headers):
    def answer(handler):
        handler.send_response(status)
        for name, value in headers.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.send_header("content-length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)

    return answer


@pytest.fixture
def stash_that_says():
    servers = []

    def start(status, body, **headers):
        servers.append(serve(reply(status, body, **headers)))
        return f"http://127.0.0.1:{servers[-1].server_address[1]}"

    yield start
    for server in servers:
        server.shutdown()


def test_unreachable_stash(attempt):
    code, said = attempt(source="http://127.0.0.1:9")
    assert code == 14
    assert "127.0.0.1:9" in said


def test_wrong_key(attempt, stash_that_says):
    code, said = attempt(source=stash_that_says(401, b""))
    assert code == 14
    assert "STASH_API_KEY" in said


def test_login_page_with_status_200(attempt, stash_that_says):
    code, said = attempt(source=stash_that_says(200, b"<!DOCTYPE html><title>Login</title>", content_type="text/html"))
    assert code == 14
    assert said


def test_a_redirect_is_not_followed(attempt, stash_that_says):
    code, said = attempt(source=stash_that_says(302, b"", location="http://elsewhere.example/login"))
    assert code == 14
    assert "elsewhere.example" in said or "login" in said.lower()


def test_an_answer_that_is_not_json(attempt, stash_that_says):
    code, _ = attempt(source=stash_that_says(200, b'{"data": {', content_type="application/json"))
    assert code == 14


def test_a_stash_older_than_0_27(attempt, stash_that_says):
    movies = {"name": "findMovies", "args": [], "type": {"name": "FindMoviesResultType", "ofType": None}}
    old = {"data": {"t0": {"kind": "OBJECT", "name": "Query", "fields": [movies]}}}
    code, said = attempt(source=stash_that_says(200, json.dumps(old).encode(), content_type="application/json"))
    assert code == 5
    assert "0.27" in said


@pytest.mark.parametrize(
    ("arguments", "near"),
    [
        (["--kinds", "scen"], "scene"),
        (["--fields", "scene:titel"], "title"),
        (["--format", "jsonnl"], "jsonl"),
        (["--privacy", "pubic"], "public"),
    ],
)
def test_an_unknown_name_is_told_with_the_near_one(attempt, arguments, near):
    code, said = attempt(*arguments)
    assert code == 2
    assert f"did you mean {near!r}" in said


def test_a_malformed_filter_says_where(attempt):
    code, said = attempt("--filter", '{"title": }')
    assert code == 2
    assert "column 11" in said


@pytest.mark.parametrize("arguments", [["--filter", "{}"], ["--saved-filter", "mine"]])
def test_a_filter_without_a_server_is_a_usage_error(attempt, arguments):
    code, said = attempt(*arguments)
    assert code == 2
    assert "no running Stash" in said


def test_the_output_exists(attempt):
    (attempt.place / "out").mkdir()
    (attempt.place / "out" / "mine.txt").write_text("mine")
    code, said = attempt()
    assert code == 2
    assert "already exists" in said
    assert (attempt.place / "out" / "mine.txt").read_text() == "mine"


def test_overwrite_does_not_replace_a_folder_that_is_not_an_export(attempt):
    (attempt.place / "out").mkdir()
    (attempt.place / "out" / "mine.txt").write_text("mine")
    code, _ = attempt("--overwrite")
    assert code == 2
    assert (attempt.place / "out" / "mine.txt").read_text() == "mine"


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.zip", b"PK\x05\x06" + bytes(18)),
        ("a.json", b'{"settings": {"mine": true}}'),
        ("a.xml", b"<mine/>"),
        ("a.csv", b"SQLite format 3\0" + bytes(100)),
    ],
)
def test_overwrite_does_not_replace_a_file_that_is_not_an_export(attempt, name, content):
    (attempt.place / name).write_bytes(content)
    code, _ = attempt("--overwrite", to=name)
    assert code == 2
    assert (attempt.place / name).read_bytes() == content


def test_an_export_does_not_replace_what_it_is_read_from(attempt):
    first = attempt.place / "a.jsonl"
    assert main(["--quiet", "export", "--from", str(DEMO), "--to", str(first)]) == 0
    before = first.read_bytes()
    code, said = attempt("--overwrite", source=first, to="a.jsonl")
    assert code == 2
    assert "read from" in said
    assert first.read_bytes() == before


@pytest.mark.parametrize(("name", "exit_code"), [("x" * 300 + ".json", 2), ("x" * 300, 2)], ids=["a file", "a folder"])
def test_a_name_that_is_too_long(attempt, name, exit_code):
    code, _ = attempt(to=name)
    assert code == exit_code


@pytest.mark.parametrize("source", ["~no-such-user/library", "x" * 300])
def test_a_source_that_cannot_be(attempt, source):
    code, _ = attempt(source=source)
    assert code == 15


def test_a_data_folder_that_cannot_be(capsys):
    assert main(["--data", "~no-such-user/x", "doctor"]) == 2
    assert "Traceback" not in capsys.readouterr().err


def test_a_terminal_that_cannot_show_a_name_makes_no_failure(tmp_path):
    command = [
        sys.executable,
        "-m",
        "stash_portability",
        "export",
        "--from",
        str(DEMO),
        "--to",
        str(tmp_path / "日.json"),
    ]
    run = subprocess.run(
        command,
        check=False,
        env={**os.environ, "PYTHONIOENCODING": "cp1252"},
        capture_output=True,
        cwd=DEMO.parent.parent,
    )
    assert run.returncode == 0, run.stderr


def test_the_output_is_a_folder_where_a_file_is_meant(attempt):
    (attempt.place / "a.csv").mkdir()
    code, said = attempt(to="a.csv")
    assert code == 2
    assert "folder" in said


def test_the_folder_of_the_output_does_not_exist(attempt):
    code, said = attempt(to="no/such/out")
    assert code == 2
    assert "does not exist" in said


@pytest.mark.skipif(os.geteuid() == 0 if hasattr(os, "geteuid") else False, reason="root may write anywhere")
def test_the_output_is_not_writable(attempt):
    attempt.place.chmod(0o500)
    code, _ = attempt()
    attempt.place.chmod(0o700)
    assert code == 2


def test_no_room_is_told_before_anything_is_written(attempt, monkeypatch):
    monkeypatch.setattr(shutil, "disk_usage", lambda path: shutil._ntuple_diskusage(10, 10, 0))
    code, said = attempt()
    assert code == 13
    assert "room" in said


def test_no_room_in_the_middle_leaves_nothing(attempt, monkeypatch):
    if not Path("/dev/full").exists():
        pytest.skip("this system has no /dev/full")
    import stash_portability.storage.shapes as shapes

    def full(*_args, **_kwargs):
        return Path("/dev/full").open("wb", buffering=0)

    monkeypatch.setattr(shapes, "create", full)
    code, _ = attempt(to="a.jsonl")
    assert code == 13


@pytest.mark.parametrize(
    ("name", "content", "word"),
    [
        ("a.sqlite", b"<html>not a database</html>", "web page"),
        ("b.sqlite", b"", "empty"),
        ("c.sqlite", b"SQLite format 3\0" + b"\xff" * 4000, ""),
        ("d.zip", b"PK\x03\x04 broken", ""),
        ("e.jsonl", b'{"kind":"scene","id":"1"}\n{"kind":', "line 2"),
        ("f.json", b"{", ""),
        ("g.xml", b"<library", ""),
        ("h.yaml", b"[", ""),
    ],
)
def test_a_source_that_is_not_what_it_says(attempt, tmp_path, name, content, word):
    path = tmp_path / name
    path.write_bytes(content)
    code, said = attempt(source=path)
    assert code == 15
    assert name in said
    assert word in said


def test_a_database_that_is_not_stashs(attempt, tmp_path):
    path = tmp_path / "x.sqlite"
    with sqlite3.connect(path) as other:
        other.execute("create table notes(a)")
    code, said = attempt(source=path)
    assert code == 15
    assert "Stash" in said


@pytest.mark.parametrize(("schema", "word"), [(999, "newer"), (12, "older")])
def test_a_database_of_an_unknown_schema(attempt, tmp_path, schema, word):
    path = tmp_path / "x.sqlite"
    with sqlite3.connect(path) as other:
        other.execute("create table schema_migrations(version uint64, dirty bool)")
        other.execute("insert into schema_migrations values (?, 0)", (schema,))
    code, said = attempt(source=path)
    assert code == 5
    assert str(schema) in said


def test_a_source_that_is_not_there(attempt):
    code, said = attempt(source="/no/such/library")
    assert code == 15
    assert "no such file" in said


def test_ids_that_do_not_exist_are_told(attempt):
    code, _ = attempt("--kinds", "scene", "--ids", "999999")
    assert code == 1


def test_errors_as_json_are_one_object_a_line(capsys, tmp_path):
    code = main(["--json", "export", "--from", "/no/such", "--to", str(tmp_path / "x")])
    told = json.loads(capsys.readouterr().out)
    assert code == told["exit_code"] == 15
    assert told["code"] == "Unreadable"


def test_a_bug_of_ours_is_told_in_one_line(monkeypatch, capsys):
    import stash_portability.commands as commands

    def broken(*_):
        raise ZeroDivisionError("oops")

    monkeypatch.setattr(commands, "fields_text", broken)
    assert main(["fields"]) == 70
    said = capsys.readouterr().err
    assert "a bug of ours" in said
    assert "Traceback" not in said
