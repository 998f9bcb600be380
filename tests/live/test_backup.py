"""Backups of real Stashes: what they hold is what the readers see; verified, listed, compared with the Stash."""

import json
import shutil
import sqlite3
from pathlib import Path

import pytest
import zstandard

from stash_portability.__main__ import main
from stash_portability.kinds import KINDS
from stash_portability.libraries.archive import ArchiveSource
from stash_portability.libraries.chain import open_archive
from stash_portability.libraries.database import DatabaseSource
from stash_portability.model import Blob, Want

from ..strangers_reader import read
from .stash_server import NEW, OLD, Options, StashServer


def back_up(server, folder, *arguments):
    """A backup by the command line; give its path."""
    assert main(["--quiet", "backup", "--from", server.url, "--to", str(folder), *arguments]) == 0
    return max(entry for entry in folder.iterdir() if entry.is_dir() or entry.suffix in (".zip", ".7z"))


@pytest.mark.parametrize("how", [(), ("--zstd",), ("--container", "folder")], ids=["deflate", "zstd", "folder"])
def test_a_backup_holds_every_record_and_image(each_stash, tmp_path, how):
    path = back_up(each_stash, tmp_path / "b", *how)
    source, database = ArchiveSource(path), DatabaseSource(each_stash.database)
    for kind in KINDS:
        if kind != "config":
            assert list(source.read(kind)) == list(database.read(kind)), kind
    records, images = read(path)
    assert {kind for kind, _ in records} == set(KINDS)
    assert images
    assert main(["--quiet", "verify", str(path)]) == 0


def test_it_is_equal_to_the_stash_and_to_its_images(each_stash, tmp_path, capsys):
    path = back_up(each_stash, tmp_path / "b")
    assert main(["--json", "diff", str(path), each_stash.url, "--images"]) == 0
    told = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert told["equal"]
    assert told["counts"]["scene"]["equal"] > 0


def test_by_file_and_by_graphql_the_records_are_the_same(each_stash, tmp_path):
    by_server = back_up(each_stash, tmp_path / "server")
    assert main(["--quiet", "backup", "--from", str(each_stash.database), "--to", str(tmp_path / "file")]) == 0
    (by_file,) = (tmp_path / "file").glob("*.zip")
    with_config, without = read(by_server)[0], read(by_file)[0]
    assert {key: data for key, data in with_config.items() if key[0] != "config"} == without


def test_two_backups_of_the_same_state_have_the_same_members(stash_030, tmp_path):
    one, two = (back_up(stash_030, tmp_path / name) for name in "ab")
    assert ArchiveSource(one).members == ArchiveSource(two).members


def test_diff_tells_what_was_changed_since(new_stash, tmp_path, capsys):
    server = new_stash(NEW, populated=True)
    path = back_up(server, tmp_path / "b")
    tag = server.graphql("{ findTags(filter: {per_page: 1}) { tags { id name } } }")["findTags"]["tags"][0]
    server.graphql(f'mutation {{ tagUpdate(input: {{id: "{tag["id"]}", description: "Fog on the flats"}}) {{ id }} }}')
    server.graphql('mutation { tagCreate(input: {name: "A tag of tomorrow"}) { id } }')
    assert main(["--json", "diff", str(path), server.url]) == 1
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    found = [line for line in lines if line["type"] == "difference" and line["kind"] == "tag"]
    assert {line["what"] for line in found} == {"different", "only in the second"}
    changed = next(line for line in found if line["what"] == "different")
    assert (changed["id"], changed["fields"]["description"]["second"]) == (tag["id"], "Fog on the flats")
    assert {line["kind"] for line in lines if line["type"] == "difference"} == {"tag"}


def test_no_secret_is_in_it(each_stash, tmp_path):
    path = back_up(each_stash, tmp_path / "b", "--container", "folder")
    text = b"".join(file.read_bytes() for file in Path(path).rglob("*.jsonl"))
    for word in (b'"password"', b'"apiKey"', b'"stashBoxes":[{"api_key"'):
        assert word not in text


# ---- incremental


def build_on(server, folder, *arguments):
    """One more backup, built on the newest, in the same folder; give its path."""
    there = set(folder.iterdir())
    assert main(["--quiet", "backup", "--from", server.url, "--to", str(folder), "--incremental", *arguments]) == 0
    (path,) = (entry for entry in set(folder.iterdir()) - there if entry.is_dir() or entry.suffix == ".zip")
    return path


EDITS = {
    "an edit": 'tagUpdate(input: {id: "%(one)s", description: "Fog on the flats"}) { id }',
    "a delete": 'tagDestroy(input: {id: "%(mine)s"})',
    "a merge": 'tagsMerge(input: {source: ["%(one)s"], destination: "%(other)s"}) { id }',
    "a picture": 'tagUpdate(input: {id: "%(other)s", image: "data:image/gif;base64,R0lGODlhAQABAAAAACw="}) { id }',
}


@pytest.mark.parametrize("version", [NEW, OLD])
def test_incremental_backups_hold_what_full_ones_hold(version, new_stash, tmp_path, capsys):
    server, folder = new_stash(version, populated=True), tmp_path / "b"
    one, other = server.graphql("{ findTags(filter: {per_page: 2}) { tags { id } } }")["findTags"]["tags"]
    mine = server.graphql('mutation { tagCreate(input: {name: "For a day"}) { id } }')["tagCreate"]["id"]
    back_up(server, folder)
    for number, (what, edit) in enumerate(EDITS.items(), 2):
        server.graphql(f"mutation {{ {edit % {'mine': mine, 'one': one['id'], 'other': other['id']}} }}")
        path = build_on(server, folder, *(["--zstd"] if number % 2 else []))
        full = back_up(server, tmp_path / f"full {number}")
        assert len(open_archive(path).layers) == number
        assert read(path) == read(full), what
        assert len(ArchiveSource(path, alone=False).members) < len(ArchiveSource(full).members)
        assert main(["--quiet", "verify", str(path)]) == 0
        assert main(["--quiet", "diff", str(path), server.url, "--images"]) == 0
    capsys.readouterr()
    assert main(["list", str(folder)]) == 0
    assert capsys.readouterr().out.count("what changed since") == len(EDITS)


def test_an_archive_of_another_stash_is_not_built_on(each_stash, new_stash, tmp_path, capsys):
    other = new_stash(NEW)
    other.graphql('mutation { tagCreate(input: {name: "Coast"}) { id } }')
    folder = tmp_path / "b"
    back_up(each_stash, folder)
    assert main(["backup", "--from", other.url, "--to", str(folder), "--incremental"]) == 1
    assert "of another library" in capsys.readouterr().out


# ---- with the database


def unpacked(path, folder):
    """An archive with the database, unpacked as a person would; give the database."""
    shutil.unpack_archive(path, folder) if path.is_file() else shutil.copytree(path, folder)
    packed = folder / "db" / "stash.sqlite.zst"
    if packed.exists():
        with packed.open("rb") as source, (folder / "db" / "stash.sqlite").open("wb") as target:
            zstandard.ZstdDecompressor().copy_stream(source, target)
    return folder / "db" / "stash.sqlite"


def images_of(source):
    for kind in KINDS:
        for record in source.read(kind, Want(blobs=True)):
            for value in record.data.values():
                if isinstance(value, Blob):
                    with source.open_blob(value) as stream:
                        yield kind, record.uid, value.field, stream.read()


@pytest.mark.parametrize("how", [(), ("--zstd",), ("--container", "folder")], ids=["deflate", "zstd", "folder"])
def test_the_database_in_it_is_that_of_the_stash(each_stash, tmp_path, how):
    path = back_up(each_stash, tmp_path / "b", "--include-database", *how)
    assert main(["--quiet", "verify", str(path)]) == 0
    header = ArchiveSource(path).header["database"]
    copy, live = DatabaseSource(unpacked(path, tmp_path / "x")), DatabaseSource(each_stash.database)
    assert (header["schema"], header["images"]) == (live.schema, "database")
    for kind in KINDS:
        if kind != "config":
            assert list(copy.read(kind)) == list(live.read(kind)), kind
    assert list(images_of(copy)) == list(images_of(live))
    told = (tmp_path / "x" / "README.txt").read_text("utf-8")
    assert "How to put it back" in told
    assert "The images are in the database" in told
    assert len(list(path.parent.iterdir())) == 3


@pytest.mark.parametrize("version", [NEW, OLD])
def test_put_back_as_its_readme_says_it_is_the_stash_that_was(version, new_stash, tmp_path):
    """With images in files; after everything was lost."""
    server = new_stash(version, Options(files_for_blobs=True))
    picture = "data:image/gif;base64,R0lGODlhAQABAAAAACw="
    for name in ("Coast", "Fen"):
        server.graphql("mutation($i: TagCreateInput!) { tagCreate(input: $i) { id } }", {"i": {"name": name}})
    server.graphql(
        "mutation($i: TagUpdateInput!) { tagUpdate(input: $i) { id } }", {"i": {"id": "1", "image": picture}}
    )
    build = tmp_path / "b"
    build.mkdir()
    path = build_on(server, build, "--include-database")
    before = read(path)
    server.stop()
    database = unpacked(path, tmp_path / "x")
    for file in server.folder.glob("stash-go.sqlite*"):
        file.unlink()
    shutil.rmtree(server.folder / "blobs")
    shutil.copy(database, server.database)
    lines = (tmp_path / "x" / "db" / "images.tsv").read_text("utf-8").splitlines()
    assert lines
    for place, image in (line.split("\t") for line in lines):
        (server.folder / "blobs" / place).parent.mkdir(parents=True)
        shutil.copy(tmp_path / "x" / "blobs" / image, server.folder / "blobs" / place)
    with StashServer(server.binary, server.folder) as again:
        assert read(back_up(again, tmp_path / "after")) == before


def test_no_secret_is_in_the_database(each_stash, tmp_path):
    path = back_up(each_stash, tmp_path / "b", "--include-database")
    with sqlite3.connect(unpacked(path, tmp_path / "x")) as database:
        columns = [
            f"{table}.{name}"
            for (table,) in database.execute("select name from sqlite_master where type = 'table'").fetchall()
            for (name,) in database.execute("select name from pragma_table_info(?)", (table,))
        ]
    assert columns
    assert not [one for one in columns if any(word in one for word in ("api_key", "password", "token", "secret"))]


def test_a_database_file_has_no_stash_to_copy_it(each_stash, tmp_path, capsys):
    address, to = str(each_stash.database), str(tmp_path / "b")
    assert main(["backup", "--from", address, "--to", to, "--include-database"]) == 2
    assert "only a running Stash can copy its database" in capsys.readouterr().err
    assert list((tmp_path / "b").iterdir()) == []
