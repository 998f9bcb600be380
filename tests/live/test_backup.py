"""Backups of real Stashes: what they hold is what the readers see; verified, listed, compared with the Stash."""

import json
from pathlib import Path

import pytest

from stash_portability.__main__ import main
from stash_portability.kinds import KINDS
from stash_portability.libraries.archive import ArchiveSource
from stash_portability.libraries.database import DatabaseSource

from ..strangers_reader import read
from .stash_server import NEW


def back_up(server, folder, *arguments):
    """A backup by the command line; give its path."""
    assert main(["--quiet", "backup", "--from", server.url, "--to", str(folder), *arguments]) == 0
    (path,) = (entry for entry in folder.iterdir() if entry.is_dir() or entry.suffix == ".zip")
    return path


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
