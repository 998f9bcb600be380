"""The command line against real Stashes: scope, closure, filters, sheets, interruption."""

import csv
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from stash_portability.__main__ import main
from stash_portability.kinds import KINDS, references
from stash_portability.libraries.tables.layout import FORMS

from .stash_server import NEW


def export(server, out, *arguments):
    return main(["--quiet", "export", "--from", server.url, "--to", str(out), *arguments])


def load(folder: Path) -> dict[tuple[str, str], dict]:
    records = {}
    for path in folder.glob("*.jsonl"):
        for line in path.read_text(encoding="utf-8").splitlines():
            record = json.loads(line)
            records[record["kind"], record["id"]] = record
    return records


def dangling(records):
    found = []
    for (kind, uid), record in records.items():
        for field, part in references(KINDS[kind]):
            value = record.get(field.name)
            for entry in value if isinstance(value, list) else [value] if value else []:
                if ((part or field).of, entry[part.name] if part else entry) not in records:
                    found.append((kind, uid, field.name, entry))
    return found


def test_everything_comes_out_and_nothing_dangles(each_stash, tmp_path):
    assert export(each_stash, tmp_path / "out") == 0
    records = load(tmp_path / "out")
    assert {kind for kind, _ in records} == set(KINDS)
    assert dangling(records) == []


@pytest.mark.parametrize("form", FORMS)
def test_every_format_reads_back_and_comes_out_again_the_same(each_stash, tmp_path, form):
    assert export(each_stash, tmp_path / "one", "--format", form) == 0
    code = main(["--quiet", "export", "--from", str(tmp_path / "one"), "--to", str(tmp_path / "two"), "--format", form])
    assert code == 0
    for kind in KINDS.values():
        name = f"{kind.plural}.{form}"
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes(), name


def test_both_readers_write_the_same_bytes(each_stash, tmp_path):
    assert export(each_stash, tmp_path / "server") == 0
    code = main(["--quiet", "export", "--from", str(each_stash.database), "--to", str(tmp_path / "file")])
    assert code == 0
    for kind in KINDS.values():
        if kind.name != "config":
            name = f"{kind.plural}.jsonl"
            assert (tmp_path / "server" / name).read_bytes() == (tmp_path / "file" / name).read_bytes(), name


@pytest.mark.parametrize("closure", ["none", "direct", "full"])
def test_a_filtered_export_refers_to_nothing_outside_it(each_stash, tmp_path, closure):
    criteria = json.dumps({"tags": {"value": [], "modifier": "NOT_NULL"}})
    assert export(each_stash, tmp_path / "out", "--filter", criteria, "--closure", closure) in (0, 1)
    records = load(tmp_path / "out")
    assert any(kind == "scene" for kind, _ in records)
    assert dangling(records) == []
    if closure == "none":
        assert {kind for kind, _ in records} == {"scene"}


@pytest.mark.parametrize(
    ("kind", "criteria"),
    [
        ("scene", {"rating100": {"value": 0, "modifier": "EQUALS"}}),
        ("scene", {"organized": True, "NOT": {"title": {"value": "zzz", "modifier": "EQUALS"}}}),
        ("scene", {"date": {"value": "1900-01-01", "modifier": "GREATER_THAN"}, "OR": {"organized": False}}),
        ("performer", {"name": {"value": "a", "modifier": "INCLUDES"}}),
        ("studio", {"name": {"value": "", "modifier": "NOT_NULL"}}),
        ("tag", {"name": {"value": "e", "modifier": "INCLUDES"}}),
        ("group", {"name": {"value": "", "modifier": "NOT_NULL"}}),
        ("gallery", {"organized": False}),
        ("image", {"organized": False}),
        ("marker", {"tags": {"value": [], "modifier": "NOT_NULL"}}),
    ],
)
def test_filters_of_every_kind_choose_what_stash_chooses(each_stash, tmp_path, kind, criteria):
    table = KINDS[kind]
    call = f"{table.find}({table.criteria}: $f, filter: {{per_page: -1}})"
    asked = f"query($f: {table.filter_type}) {{ {call} {{ {table.found} {{ id }} }} }}"
    expected = {one["id"] for one in each_stash.graphql(asked, {"f": criteria})[table.find][table.found]}
    code = export(each_stash, tmp_path / "out", "--kinds", kind, "--filter", json.dumps(criteria), "--closure", "none")
    assert code in (0, 1)
    assert {uid for found, uid in load(tmp_path / "out") if found == kind} == expected


def test_every_saved_filter_can_be_exported_by_its_name(each_stash, tmp_path):
    saved = each_stash.graphql("{ findSavedFilters { name mode } }")["findSavedFilters"]
    assert saved
    names = [one["name"] for one in saved]
    for number, name in enumerate(names):
        if names.count(name) == 1:
            assert export(each_stash, tmp_path / str(number), "--saved-filter", name) in (0, 1), name


def test_an_unknown_saved_filter_is_told_with_the_near_name(each_stash, tmp_path, capsys):
    name = each_stash.graphql("{ findSavedFilters { name } }")["findSavedFilters"][0]["name"]
    assert export(each_stash, tmp_path / "out", "--saved-filter", name + "x") == 2
    assert "did you mean" in capsys.readouterr().err


def test_a_filter_stash_does_not_take_says_where(each_stash, tmp_path, capsys):
    assert export(each_stash, tmp_path / "out", "--filter", '{"titel": {"value": "a"}}') == 2
    assert "titel" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_since_takes_what_changed(new_stash, tmp_path):
    server = new_stash(NEW, populated=True)
    time.sleep(1.1)
    now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    made = server.graphql('mutation { tagCreate(input: {name: "Just now"}) { id } }')["tagCreate"]["id"]
    assert export(server, tmp_path / "out", "--since", now, "--closure", "none") in (0, 1)
    assert set(load(tmp_path / "out")) == {("tag", made)}


def test_one_sheet_has_names_and_opens_with_a_csv_reader(each_stash, tmp_path):
    out = tmp_path / "scenes.csv"
    assert export(each_stash, out, "--bom", "--csv-safe") == 0
    assert out.read_bytes().startswith(b"\xef\xbb\xbf")
    with out.open(encoding="utf-8-sig", newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert len(rows) == len({row["id"] for row in rows}) > 0
    names = {
        one["name"]
        for one in each_stash.graphql("{ findTags(filter: {per_page: -1}) { tags { name } } }")["findTags"]["tags"]
    }
    assert any(set(filter(None, row["tags"].lstrip("'").split("; "))) & names for row in rows)


def test_images_come_out_as_they_went_in(each_stash, tmp_path):
    assert export(each_stash, tmp_path / "out", "--blobs") in (0, 1)
    records = load(tmp_path / "out")
    blobs = {path.name for path in (tmp_path / "out" / "blobs").iterdir()}
    named = {
        record[field.name]
        for (kind, _), record in records.items()
        for field in KINDS[kind].fields
        if field.type == "blob" and record.get(field.name)
    }
    assert named == blobs != set()


def test_killing_an_export_leaves_nothing_under_its_name(stash_030, tmp_path):
    out = tmp_path / "out.zip"
    command = [
        sys.executable,
        "-m",
        "stash_portability",
        "export",
        "--from",
        stash_030.url,
        "--to",
        str(out),
        "--blobs",
    ]
    for pause in (0.15, 0.3, 0.45, 0.6):
        child = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(pause)
        child.send_signal(signal.SIGKILL)
        child.wait()
        if out.exists():  # the kill came after the rename, or not at all: then it is whole
            assert main(["--quiet", "export", "--from", str(out), "--to", str(tmp_path / "again")]) in (0, 1)
            shutil.rmtree(tmp_path / "again")
            out.unlink()
    assert main(["--quiet", "export", "--from", stash_030.url, "--to", str(out), "--blobs", "--overwrite"]) in (0, 1)
    assert [path.name for path in tmp_path.iterdir()] == ["out.zip"]


def test_files_are_for_their_owner_alone(stash_030, tmp_path):
    before = os.umask(0)
    try:
        assert export(stash_030, tmp_path / "out") == 0
    finally:
        os.umask(before)
    assert (tmp_path / "out").stat().st_mode & 0o777 == 0o700
    assert {path.stat().st_mode & 0o777 for path in (tmp_path / "out").iterdir()} == {0o600}
