"""Archives that earlier versions wrote are read for ever after, by us and by a stranger."""

import json
import shutil
from pathlib import Path

import pytest

from stash_portability.__main__ import main
from stash_portability.kinds import KINDS
from stash_portability.libraries.chain import open_archive
from stash_portability.model import Blob, Want

from . import strangers_reader

FIXTURES = Path(__file__).parent / "fixtures"
FORMS = {"deflate": "zip", "zstd": "zip", "7z": "7z"}
OLD = [FIXTURES / f"archive-1-{how}" / f"20260501T200000Z-stash.{ending}" for how, ending in FORMS.items()]
PAIR = [FIXTURES / "archive-1-incremental" / f"2026050{day}T200000Z-stash.zip" for day in (1, 2)]
DEMO = Path(__file__).parent.parent / "examples" / "demo"


def content(path):
    """All that an archive holds, by our reader, in the form of the stranger's."""
    source, records, images = open_archive(path), {}, {}
    for kind in KINDS:
        for record in source.read(kind, Want(blobs=True)):
            data = dict(record.data)
            for name, value in data.items():
                if isinstance(value, Blob):
                    with source.open_blob(value) as stream:
                        images[value.key] = stream.read()
                    data[name] = value.key
            records[kind, record.uid] = data
    return records, images


@pytest.mark.parametrize("path", OLD, ids=list(FORMS))
def test_an_archive_of_version_1_is_read_and_holds_what_it_held(path):
    found = content(path)
    assert found == strangers_reader.read(path)
    assert len(found[0]) == 57
    assert found[0]["scene", "2"]["title"] == 'Tidal Flats, "the long cut"'
    assert found[0]["performer", "4"]["name"] == "נעמי שחף"
    assert found[0]["studio", "4"]["rating100"] == 0
    assert len(found[1]) == 8


@pytest.mark.parametrize("path", OLD, ids=list(FORMS))
def test_an_archive_of_version_1_verifies(path, tmp_path, capsys):
    beside = shutil.copytree(path.parent, tmp_path / "b")  # verify notes when it was done
    assert main(["--json", "verify", str(beside / path.name)]) == 0
    notes = [json.loads(line) for line in capsys.readouterr().out.splitlines()][-1]["notes"]
    assert any(note.startswith("L1: held") for note in notes)
    assert any(note.startswith("L2: held") for note in notes)


def test_all_forms_hold_the_same():
    assert content(OLD[0]) == content(OLD[1]) == content(OLD[2])


def test_a_stranger_reads_a_folder_too():
    assert strangers_reader.read(DEMO) == content(DEMO)


def test_an_incremental_archive_of_version_1_is_read_and_holds_what_it_held():
    before, after = map(content, PAIR)
    assert [before, after] == [strangers_reader.read(path) for path in PAIR]
    assert after == content(OLD[1])
    assert before[0]["scene", "5"]["title"] == "A working title"
    assert before[0].keys() ^ after[0].keys() == {("tag", "99"), ("scene", "7")}
    assert len(after[1]) - len(before[1]) == 2


def test_an_incremental_archive_of_version_1_verifies_and_names_its_parent(tmp_path, capsys):
    beside = shutil.copytree(PAIR[1].parent, tmp_path / "b")
    assert main(["--json", "verify", str(beside / PAIR[1].name)]) == 0
    notes = [json.loads(line) for line in capsys.readouterr().out.splitlines()][-1]["notes"]
    assert all(f"{rung}: held" in " ".join(notes) for rung in ("L1", "L2"))
    (beside / PAIR[0].name).unlink()
    assert main(["verify", str(beside / PAIR[1].name)]) == 4
    assert f"it is built on {PAIR[0].name}, which is not in" in capsys.readouterr().err
