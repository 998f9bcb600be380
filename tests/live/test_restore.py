"""Restores into real Stashes by the command line: what a person does who deleted something, or lost all of it."""

from __future__ import annotations

import json
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from stash_portability.__main__ import main
from stash_portability.kinds import KINDS
from stash_portability.libraries.chain import open_archive
from stash_portability.libraries.database import DatabaseSource
from stash_portability.model import Want

from . import stash_server
from .conftest import StartStash
from .populate import scan
from .stash_server import NEW, OLD, Options, StashServer, free_port
from .test_backup import back_up, build_on

STAMPS = ("created_at", "updated_at", "id")
Capture = pytest.CaptureFixture[str]


class Person:
    """Somebody at the command line, with a data folder of their own."""

    def __init__(self, server: StashServer, folder: Path, capsys: Capture) -> None:
        self.server, self.folder, self._capsys = server, folder, capsys
        self.archive = back_up(server, folder / "backups")

    def run(self, *arguments: str | Path) -> tuple[int, list[dict[str, Any]]]:
        """The exit code, and the lines."""
        self._capsys.readouterr()
        code = main(["--json", "--data", str(self.folder / "data"), *map(str, arguments)])
        return code, [json.loads(line) for line in self._capsys.readouterr().out.splitlines()]

    def report(self, *arguments: str | Path) -> tuple[int, dict[str, Any]]:
        code, lines = self.run(*arguments)
        return code, next(line for line in reversed(lines) if line["type"] in ("report", "error"))

    def restore(self, *arguments: str, archive: Path | None = None, to: str = "") -> tuple[int, dict[str, Any]]:
        return self.report("restore", archive or self.archive, "--to", to or self.server.url, *arguments)

    def view(self, *left_out: str) -> dict[tuple[str, str], dict[str, Any]]:
        return view(self.server, *left_out)


def view(server: StashServer, *left_out: str) -> dict[tuple[str, str], dict[str, Any]]:
    """All that is in a Stash by the names of things: what has the same is the same for people."""
    with closing(DatabaseSource(server.database)) as source:
        found = {
            (one.kind, one.uid): one.data for kind in KINDS if kind != "config" for one in source.read(kind, Want())
        }
    names = {key: name_of(key, data, found) for key, data in found.items()}
    return {(key[0], names[key]): plain(data, names, set(left_out)) for key, data in found.items()}


def name_of(key: tuple[str, str], data: dict[str, Any], found: dict[tuple[str, str], dict[str, Any]]) -> str:
    kind, _ = key
    if kind in ("scene", "image") or (kind == "gallery" and data["files"]):
        return str(sorted(file["path"] for file in data["files"])) if data["files"] else str(data["title"])
    if kind == "marker":
        return f"{data['title']} {data['seconds']} {name_of(('scene', ''), found['scene', data['scene']], found)}"
    if kind == "chapter":
        return f"{data['title']} {data['image_index']} {data['created_at']}"
    told = [data.get(name) for name in ("name", "disambiguation", "title", "folder", "mode", "date")]
    return str(told)


def plain(data: dict[str, Any], names: dict[tuple[str, str], str], left_out: set[str]) -> dict[str, Any]:
    """A record with names in the place of ids, without what Stash cannot be given."""
    told = {}
    for name, value in data.items():
        if name not in (*STAMPS, "files", *left_out):
            told[name] = named(name, value, names)
    return told


PLURALS = {"parents": "tag", "parent": "studio", "containing_groups": "group", "sub_groups": "group",
           "primary_tag": "tag", "cover": "image"}  # fmt: skip


def named(field: str, value: Any, names: dict[tuple[str, str], str]) -> Any:
    kind = PLURALS.get(field) or (field if field in KINDS else field.removesuffix("s").replace("ie", "y"))
    kind = "gallery" if field == "galleries" else kind
    if kind not in KINDS or value is None:
        return value
    if isinstance(value, list):
        entries = [{**one, "group": names["group", one["group"]]} if isinstance(one, dict) else names[kind, one]
                   for one in value]  # fmt: skip
        return sorted(entries, key=str)
    return names[kind, value]


@pytest.fixture(params=[NEW, OLD])
def person(request: pytest.FixtureRequest, new_stash: StartStash, tmp_path: Path, capsys: Capture) -> Iterator[Person]:
    yield Person(new_stash(request.param, populated=True), tmp_path, capsys)


def tags_of(server: StashServer) -> list[dict[str, str]]:
    """The tags by id and name."""
    found = server.graphql("{ findTags(filter: {per_page: -1}) { tags { id name } } }")["findTags"]["tags"]
    return list(found)


def drop_tag(server: StashServer) -> str:
    """Delete a tag that many things have; give its name."""
    (found,) = (tag for tag in tags_of(server) if tag["name"] == "Water")
    server.graphql("mutation($id: ID!) { tagDestroy(input: {id: $id}) }", {"id": found["id"]})
    return str(found["name"])


def test_a_deleted_tag_comes_back_with_its_links_and_goes_again(person: Person) -> None:
    before = person.view()
    drop_tag(person.server)
    without = person.view()
    assert without != before
    code, preview = person.restore("--kinds", "tag", "--links")
    assert (code, preview["changes"]["tag create"]) == (0, 1)
    assert person.view() == without
    code, report = person.report("apply", preview["run"])
    assert (code, report["undoable"]) == (0, True)
    assert person.view() == before
    code, undone = person.report("undo", report["run"])
    assert code == 0
    assert "restore point" not in undone["point"]
    assert person.view() == without
    assert person.report("undo", undone["run"])[0] == 0
    assert person.view() == before


def test_into_the_same_stash_a_full_restore_has_nothing_to_do(person: Person) -> None:
    for mode in ("merge", "replace"):
        code, report = person.restore("--mode", mode)
        assert (code, report["changes"], report["brakes"]) == (0, {}, [])


def test_a_full_restore_into_a_stash_that_scanned_the_same_media(
    person: Person, new_stash: StartStash, tmp_path: Path
) -> None:
    stashes = person.server.graphql("{ configuration { general { stashes { path excludeVideo excludeImage } } } }")[
        "configuration"
    ]["general"]["stashes"]
    settings = [{"path": one["path"], "excludevideo": one["excludeVideo"], "excludeimage": one["excludeImage"]}
                for one in stashes]  # fmt: skip
    version = OLD if person.server.binary != new_binary(person) else NEW
    empty = new_stash(version, Options(settings={"stash": settings}))
    scan(empty)
    code, report = person.restore("--yes", to=empty.url)
    assert code in (0, 1), report
    assert report["decisions"]["failed"] == 0, report["skipped"]
    assert report["decisions"]["differ"] == 0, report["skipped"]
    assert "scene.created_at" in report["not_restored"]
    code, again = person.restore("--mode", "merge", to=empty.url)
    assert again["changes"] == {}
    ours, theirs = person.view("captions"), view(empty, "captions")
    for key in ours:
        if key[0] in ("tag", "studio", "performer", "group", "saved_filter") and key in theirs:
            assert theirs[key] == ours[key], key
    assert {key for key in ours if key[0] == "tag"} == {key for key in theirs if key[0] == "tag"}
    code, undone = person.report("undo", report["run"])
    assert undone["decisions"]["failed"] == 0, undone["skipped"]


def new_binary(person: Person) -> str:
    from .stash_server import find_binary

    return find_binary(NEW) or ""


def test_many_deletes_need_a_word_and_leave_a_way_back(person: Person) -> None:
    for number in range(8):
        person.server.graphql(f'mutation {{ tagCreate(input: {{name: "Mine {number}"}}) {{ id }} }}')
    before = person.view()
    code, preview = person.restore("--mode", "replace", "--yes")
    assert (code, preview["code"]) == (7, "Braked")
    assert person.view() == before
    code, lines = person.run("runs")
    planned = next(line["run"] for line in lines if line["kind"] == "restore")
    assert person.report("apply", planned)[0] == 7
    code, report = person.report("apply", planned, "--accept", "many-deletes")
    assert (code, report["changes"]) == (0, {"tag delete": 8})
    point = Path(report["point"].partition(", ")[0])
    with closing(sqlite3.connect(point)) as copy:
        assert copy.execute("SELECT count(*) FROM tags WHERE name LIKE 'Mine%'").fetchone() == (8,)
    assert not any(name.startswith("['Mine") for _, name in person.view())
    assert person.report("undo", report["run"])[0] == 0
    assert person.view() == before


def test_without_room_for_a_restore_point_nothing_is_written(person: Person) -> None:
    person.server.graphql('mutation { tagCreate(input: {name: "Mine"}) { id } }')
    wall = person.folder / "wall"
    wall.mkdir()
    person.server.graphql(
        "mutation($to: String) { configureGeneral(input: {backupDirectoryPath: $to}) { backupDirectoryPath } }",
        {"to": str(wall)},
    )
    wall.rmdir()
    wall.write_text("no folder")
    _, preview = person.restore("--mode", "replace")
    code, error = person.report("apply", preview["run"])
    assert (code, "no-restore-point" in error["message"]) == (7, True)
    code, report = person.report("apply", preview["run"], "--accept", "no-restore-point")
    assert (code, report["changes"], report["point"]) == (0, {"tag delete": 1}, "")


def test_an_edited_list_is_a_choice(person: Person, capsys: Capture) -> None:
    capsys.readouterr()
    main(["list", str(person.archive), "--selection"])
    lines = capsys.readouterr().out.splitlines()
    kept = [line for line in lines if line.startswith("tag ") and "Water" in line]
    chosen = person.folder / "chosen.txt"
    chosen.write_text("\n".join([lines[0], *kept]), encoding="utf-8")
    before = person.view()
    drop_tag(person.server)
    person.server.graphql('mutation { tagCreate(input: {name: "Mine"}) { id } }')
    code, report = person.restore("--selection", str(chosen), "--links", "--yes")
    assert (code, report["changes"]["tag create"]) == (0, 1)
    now = person.view()
    assert {key: data for key, data in now.items() if key[0] in ("image", "studio", "scene")} == {
        key: data for key, data in before.items() if key[0] in ("image", "studio", "scene")
    }


def test_images_come_back_byte_for_byte(person: Person) -> None:
    def bytes_of() -> dict[tuple[str, str, str], bytes]:
        found = {}
        with closing(DatabaseSource(person.server.database)) as source:
            for kind in ("tag", "performer", "studio", "group"):
                for record in source.read(kind, Want(blobs=True)):
                    for name, value in record.data.items():
                        if hasattr(value, "key"):
                            found[kind, record.uid, name] = source.open_blob(value).read()
        return found

    had = bytes_of()
    assert {kind for kind, _, _ in had} == {"tag", "performer", "studio", "group"}
    for kind, uid, name in had:
        type_ = f"{kind}Update(input: {{id: {uid}, {name}: null}}) {{ id }}"
        person.server.graphql(f"mutation {{ {type_} }}")
    without = bytes_of()
    assert not had.keys() & without.keys()
    code, report = person.restore("--yes")
    assert (code, bytes_of()) == (0, had)
    assert person.report("undo", report["run"])[0] == 0
    assert bytes_of() == without


def test_settings_come_back_by_name(person: Person) -> None:
    person.server.graphql('mutation { configureInterface(input: {language: "de-DE"}) { language } }')
    assert person.restore()[1]["changes"] == {}
    code, report = person.restore("--config", "interface", "--yes")
    assert (code, report["changes"]) == (0, {"config update": 1})
    said = person.server.graphql("{ configuration { interface { language } } }")
    assert said["configuration"]["interface"]["language"] != "de-DE"
    assert person.report("undo", report["run"])[0] == 0
    said = person.server.graphql("{ configuration { interface { language } } }")
    assert said["configuration"]["interface"]["language"] == "de-DE"


@pytest.mark.parametrize(
    ("break_it", "code"),
    [
        (lambda manifest: {**manifest, "version": 99}, 5),
        (lambda manifest: {**manifest, "requires": ["telepathy"]}, 5),
        (lambda manifest: {**manifest, "members": manifest["members"][1:]}, 15),
    ],
)
def test_an_archive_that_is_no_good_is_refused(
    stash_030: StashServer, tmp_path: Path, capsys: Capture, break_it: Callable[[Any], Any], code: int
) -> None:
    path = back_up(stash_030, tmp_path / "b", "--container", "folder")
    copy = shutil.copytree(path, tmp_path / "copy")
    manifest = json.loads((copy / "manifest.json").read_text())
    (copy / "manifest.json").write_text(json.dumps(break_it(manifest)))
    assert main(["--data", str(tmp_path / "data"), "restore", str(copy), "--to", stash_030.url]) == code
    said = capsys.readouterr().err.strip()
    assert len(said.splitlines()) == 1


def test_what_is_no_running_stash_is_told(stash_030: StashServer, tmp_path: Path, capsys: Capture) -> None:
    path = back_up(stash_030, tmp_path / "b")
    for address, code in ((f"http://127.0.0.1:{free_port()}", 14), (str(stash_030.database), 2)):
        assert main(["--data", str(tmp_path / "data"), "--quiet", "restore", str(path), "--to", address]) == code
        assert "Traceback" not in capsys.readouterr().err


def test_another_stash_behind_the_same_address_is_not_written_to(
    person: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    server, port = person.server, person.server.port
    drop_tag(server)
    _, preview = person.restore("--kinds", "tag", "--links")
    server.stop()
    database = server.database.rename(server.folder / "was.sqlite")
    for beside in server.folder.glob("stash-go.sqlite-*"):
        beside.unlink()
    monkeypatch.setattr(stash_server, "free_port", lambda: port)
    server.start()  # set up anew: its first tags have the ids of others
    for name in ("Fen", "Bog", "Heath"):
        server.graphql(f'mutation {{ tagCreate(input: {{name: "{name}"}}) {{ id }} }}')
    before = person.view()
    code, error = person.report("apply", preview["run"])
    assert (code, "replaced-instance" in error["message"], person.view()) == (7, True, before)
    server.stop()
    for beside in server.folder.glob("stash-go.sqlite*"):
        beside.unlink()
    database.rename(server.database)
    server.start()
    code, report = person.report("apply", preview["run"])
    assert (code, report["changes"]["tag create"]) == (0, 1)


# What archives there are


def test_one_that_builds_on_another_is_restored_whole(person: Person) -> None:
    server, folder = person.server, person.archive.parent
    server.graphql('mutation { tagCreate(input: {name: "Saltmarsh"}) { id } }')
    before = person.view()
    archive = build_on(server, folder)
    assert len(open_archive(archive).layers) == 2
    drop_tag(server)  # it is in the first of both
    saltmarsh = next(one for one in tags_of(server) if one["name"] == "Saltmarsh")
    server.graphql("mutation($id: ID!) { tagDestroy(input: {id: $id}) }", {"id": saltmarsh["id"]})
    code, report = person.restore("--kinds", "tag", "--links", "--yes", archive=archive)
    assert (code, report["changes"]["tag create"], person.view()) == (0, 2, before)
    person.archive.unlink()
    code, error = person.restore(archive=archive)
    assert (code, person.archive.name in error["message"]) == (15, True)


@pytest.mark.parametrize(
    "how", [("--container", "7z"), ("--include-database",), ("--container", "7z", "--include-database")]
)
def test_other_archives_are_restored_as_any(person: Person, tmp_path: Path, how: tuple[str, ...]) -> None:
    archive = back_up(person.server, tmp_path / "other", *how)
    before = person.view()
    drop_tag(person.server)
    code, report = person.restore("--yes", archive=archive)
    assert (code, report["changes"]["tag create"], person.view()) == (0, 1, before)
    assert person.report("undo", report["run"])[0] == 0
    assert "Water" not in [one["name"] for one in tags_of(person.server)]
