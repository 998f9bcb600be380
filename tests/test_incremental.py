"""Incremental backups: equal in everything to a full one of the same state, whatever was edited and deleted between,
and useless without what they are built on, which is said."""

import hashlib
import json
import shutil
import zipfile
from collections import Counter
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from stash_portability import incremental
from stash_portability.__main__ import main
from stash_portability.backup import backup, verify
from stash_portability.backup_options import BackupOptions
from stash_portability.compare import Comparison
from stash_portability.errors import PortabilityError, Unreadable, VerificationFailed
from stash_portability.incremental import chain_of, is_same, needed_by
from stash_portability.kinds import KINDS
from stash_portability.libraries import archive_lists, archive_write, chain
from stash_portability.libraries.archive import ArchiveSource
from stash_portability.libraries.chain import ChainSource, open_archive
from stash_portability.libraries.memory import MemoryLibrary
from stash_portability.listing import listings, selection
from stash_portability.means import Means
from stash_portability.model import Blob, Record, Want
from stash_portability.progress import Quiet

from . import strangers_reader
from .contract import CHECKS, NAMES

DEMO = Path(__file__).parent.parent / "examples" / "demo"
NOON = datetime(2026, 5, 1, 12, 0, tzinfo=timezone.utc)
MADE = "2026-01-01T00:00:00Z"
PICTURES = {hashlib.sha256(text).hexdigest(): text for text in (b"reeds", b"otter", b"heron")}
REEDS, OTTER, _ = PICTURES


def make(folder, source, hours=0, **options):
    """A backup so many hours after noon; give its report."""
    given = BackupOptions("memory", folder, **{"incremental": True, **options})
    return backup(given, Quiet(), Means(now=lambda: NOON + timedelta(hours=hours)), source)


def path_of(report):
    (path,) = report.outputs
    return Path(path)


def check(path):
    return verify(path, Quiet(), Means(now=lambda: NOON))


def content(source):
    """All that an archive holds: records, and images by their digest."""
    records, images = {}, {}
    for kind in KINDS:
        for record in source.read(kind, Want(blobs=True)):
            data = dict(record.data)
            for name, value in record.data.items():
                if isinstance(value, Blob):
                    with source.open_blob(value) as stream:
                        images[value.key] = stream.read()
                    data[name] = value.key
            records[kind, record.uid] = data
    return records, images


def tag(number, name, **more):
    return Record("tag", str(number), {"name": name, **more, "created_at": MADE})


def library(*records):
    return MemoryLibrary(records, PICTURES)


@pytest.fixture
def three(tmp_path):
    """A full backup and two that are built on it; the paths, and the library at the end."""
    states = [
        library(tag(1, "Coast"), tag(2, "Fen"), tag(3, "Marsh", image=REEDS)),
        library(tag(1, "Coast"), tag(2, "Fenland"), tag(3, "Marsh", image=REEDS)),
        library(tag(1, "Coast"), tag(3, "Marsh", image=OTTER), tag(4, "Weir", image=REEDS)),
    ]
    paths = [path_of(make(tmp_path / "b", state, hours)) for hours, state in enumerate(states)]
    return paths, states[-1]


def test_it_holds_what_changed_and_reads_as_all(three):
    paths, _ = three
    assert [bool(ArchiveSource(path, alone=False).parent) for path in paths] == [False, True, True]
    assert [one.uid for one in open_archive(paths[1]).read("tag")] == ["1", "2", "3"]
    records, images = content(open_archive(paths[2]))
    assert records.keys() == {("tag", "1"), ("tag", "3"), ("tag", "4")}
    assert images.keys() == {REEDS, OTTER}
    names = [name for name in ArchiveSource(paths[2], alone=False).members if name.startswith("blobs/")]
    assert names == [f"blobs/{OTTER}"]


@pytest.mark.parametrize("name", ["first", "second"])
def test_it_is_equal_to_a_full_backup_of_the_same_state(name, three, tmp_path):
    paths, state = three
    full = path_of(make(tmp_path / "full", state, incremental=False, container="folder" if name == "first" else "zip"))
    assert content(open_archive(paths[2])) == content(open_archive(full))
    assert open_archive(paths[2]).about().counts == open_archive(full).about().counts
    assert open_archive(paths[2]).about().fields == open_archive(full).about().fields
    comparison = Comparison(open_archive(paths[2]), open_archive(full), True, Quiet())
    assert list(comparison.run()) == []
    assert comparison.tally.equal


def test_a_stranger_reads_it_too(three):
    for path in three[0]:
        assert strangers_reader.read(path) == content(open_archive(path))


@pytest.mark.parametrize("check_", CHECKS, ids=NAMES)
def test_contract(check_, tmp_path):
    demo = ArchiveSource(DEMO)
    without = library(*(record for kind in KINDS for record in demo.read(kind) if record.uid not in ("3", "interface")))
    make(tmp_path / "b", without)
    check_(open_archive(path_of(make(tmp_path / "b", demo, 1))))


def test_a_chain_verifies_and_says_how_long_it_is(three):
    report = check(three[0][2])
    assert "those of the 2 it is built on" in report.notes[0]
    assert "in it and the 2 it is built on" in report.notes[1]
    assert report.counts == {"tag": 3}


FORMS = [{"zstd": True}, {"container": "folder"}, {"container": "folder", "zstd": True}, {"container": "7z"}]


@pytest.mark.parametrize("options", FORMS)
@pytest.mark.usefixtures("three")
def test_containers_may_differ_along_a_chain(options, tmp_path):
    if options.get("container") == "7z":
        pytest.importorskip("py7zr")
    state = library(tag(1, "Shore"), tag(4, "Weir"))
    path = path_of(make(tmp_path / "b", state, 5, **options))
    assert len(chain_of(path)) == 4
    assert content(open_archive(path))[0] == content(state)[0]
    check(path)
    again = path_of(make(tmp_path / "b", library(tag(1, "Shore"), tag(4, "Weir, low")), 6))
    assert len(chain_of(again)) == 5
    assert [one.data["name"] for one in open_archive(again).read("tag")] == ["Shore", "Weir, low"]


def test_the_same_state_on_the_same_parent_gives_the_same_bytes(three, tmp_path):
    paths, state = three
    beside = shutil.copytree(paths[0].parent, tmp_path / "again")
    for ending in ("", ".json", ".sha256"):
        (beside / (paths[2].name + ending)).unlink()
    again = path_of(make(beside, state, 2))
    assert again.read_bytes() == paths[2].read_bytes()


def test_nothing_changed_is_a_small_archive(three, tmp_path):
    paths, state = three
    report = make(tmp_path / "b", state, 5)
    assert any("0 records were new or changed" in note for note in report.notes)
    source = ArchiveSource(path_of(report), alone=False)
    assert not [name for name in source.members if name.startswith(("records/", "blobs/"))]
    assert report.counts == {"tag": 3}
    assert content(open_archive(path_of(report))) == content(open_archive(paths[2]))


def test_all_deleted_of_a_kind_is_known(tmp_path):
    studio = Record("studio", "1", {"name": "Sedge Field", "created_at": MADE})
    make(tmp_path / "b", library(tag(1, "Coast"), studio))
    path = path_of(make(tmp_path / "b", library(tag(1, "Coast")), 1))
    assert list(open_archive(path).read("studio")) == []
    assert open_archive(path).about().counts["studio"] == 0


def test_lists_and_parts_are_cut(tmp_path, monkeypatch):
    monkeypatch.setattr(archive_lists, "MOST", 3)
    monkeypatch.setattr(archive_write, "PART_RECORDS", 2)
    make(tmp_path / "b", library(*(tag(number, f"Tag {number}") for number in range(1, 12))))
    state = library(*(tag(number, f"Tag {number}" + "!" * (number % 3)) for number in range(2, 14)))
    path = path_of(make(tmp_path / "b", state, 1))
    names = Counter(name.split("/")[0] for name in ArchiveSource(path, alone=False).members)
    assert (names["ids"], names["records"]) == (4, 5)
    assert content(open_archive(path))[0] == content(state)[0]
    assert strangers_reader.read(path)[0] == content(state)[0]


NAMES_OF_TAGS = st.sampled_from(["Coast", "Fen", "Marsh", 'say "reed"', "\\", "é", "a\nb"])
EDITS = st.dictionaries(
    st.tuples(st.sampled_from(["tag", "studio", "config"]), st.integers(1, 12)),
    st.none() | st.tuples(NAMES_OF_TAGS, st.none() | st.sampled_from(sorted(PICTURES))),
    max_size=10,
)


def state_of(known):
    for (kind, number), (name, image) in known.items():
        if kind == "config":
            yield Record("config", ["ui", "interface"][number % 2], {"group": "ui", "settings": {"word": name}})
        else:
            yield Record(kind, str(number), {"name": name, "image": image, "created_at": MADE})


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(edits=st.lists(EDITS, min_size=1, max_size=4), zipped=st.booleans())
def test_any_edits_and_deletes_over_any_levels(edits, zipped, tmp_path_factory):
    folder = tmp_path_factory.mktemp("chain")
    known = {("tag", 20): ("Water", None), ("studio", 20): ("Sedge", None), ("config", 20): ("Reed", None)}
    for hours, edit in enumerate([{}, *edits]):
        known = {**known, **{key: value for key, value in edit.items() if value}}
        known = {key: value for key, value in known.items() if key not in edit or edit[key]}
        library_ = library(*state_of(known))
        path = path_of(make(folder / "b", library_, hours, container="zip" if zipped else "folder"))
        full = path_of(make(folder / "full", library_, hours, incremental=False))
        assert len(chain_of(path)) == hours + 1
        assert content(open_archive(path)) == content(open_archive(full)) == content(library_)
        assert strangers_reader.read(path) == strangers_reader.read(full)
    check(path)


# ---- which archive it is built on


def notes_of(report):
    return " ".join([*report.notes, *report.remarks])


def test_without_any_archive_it_is_a_full_one_and_that_is_told(tmp_path):
    report = make(tmp_path / "b", library(tag(1, "Coast")))
    assert "no verified archive of the same kinds" in notes_of(report)
    assert report.remarks == []
    assert isinstance(open_archive(path_of(report)), ArchiveSource)


def test_an_archive_of_other_kinds_is_no_parent(tmp_path):
    demo = ArchiveSource(DEMO)
    make(tmp_path / "b", demo, kinds=("tag",))
    report = make(tmp_path / "b", demo, 1)
    assert "no verified archive of the same kinds" in notes_of(report)
    assert make(tmp_path / "b", demo, 2, kinds=("tag",)).remarks == []
    assert len(chain_of(tmp_path / "b" / "20260501T140000Z-stash.zip")) == 2


def test_an_archive_of_another_library_is_no_parent(tmp_path):
    make(tmp_path / "b", library(tag(1, "Coast")))
    other = library(Record("tag", "1", {"name": "Coast", "created_at": "2020-01-01T00:00:00Z"}))
    report = make(tmp_path / "b", other, 1)
    assert any("of another library" in remark for remark in report.remarks)
    assert len(chain_of(path_of(report))) == 1
    assert len(chain_of(path_of(make(tmp_path / "b", library(tag(1, "Shore")), 2)))) == 2


def test_the_signs_of_a_library():
    signs = {"tag": {"highest": "9", "oldest": {"1": MADE, "2": MADE}}}
    assert is_same(signs, library(tag(2, "Fen"), tag(9, "Weir")))
    assert not is_same(signs, library(tag(9, "Weir")))
    assert not is_same(signs, library(tag(1, "Fen"), Record("tag", "2", {"created_at": "2020-01-01T00:00:00Z"})))
    assert is_same({}, library(tag(9, "Weir")))
    for odd in (None, 5, {"tag": 5}, {"tag": {"oldest": {"x": 5}}}, {"scenery": {"oldest": {"1": MADE}}}):
        assert is_same(odd, library(tag(9, "Weir")))


def test_the_signs_are_in_the_manifest(three):
    signs = open_archive(three[0][2]).header["instance"]
    assert signs == {"tag": {"highest": "4", "oldest": {"1": MADE, "3": MADE, "4": MADE}}}


def rot(path):
    """Change one byte in the middle of a file."""
    victim = path if path.is_file() else next(path.rglob("0001.jsonl"))
    changed = bytearray(victim.read_bytes())
    changed[len(changed) // 2] ^= 1
    victim.write_bytes(changed)


def test_nothing_is_built_on_an_archive_that_rotted(three, tmp_path):
    paths, state = three
    rot(paths[2])
    report = make(tmp_path / "b", state, 5)
    assert any(paths[2].name in remark and "cannot be read" in remark for remark in report.remarks)
    assert chain_of(path_of(report))[1:] == [paths[1], paths[0]]
    rot(paths[0])
    report = make(tmp_path / "b", state, 6)
    assert any("it holds everything, because" in remark for remark in report.remarks)
    assert len(chain_of(path_of(report))) == 1


def test_an_archive_without_its_checksum_is_no_parent(tmp_path):
    path = path_of(make(tmp_path / "b", library(tag(1, "Coast"))))
    Path(f"{path}.sha256").unlink()
    report = make(tmp_path / "b", library(tag(1, "Coast")), 1)
    assert any("has no .sha256 beside it" in remark for remark in report.remarks)


def test_of_several_of_one_second_the_last_is_the_newest(tmp_path):
    reports = [make(tmp_path / "b", library(tag(1, f"Coast {number}"))) for number in range(12)]
    assert [len(chain_of(path_of(report))) for report in reports] == list(range(1, 13))
    assert [one.path for one in listings(tmp_path / "b")] == [path_of(report) for report in reports]


def test_a_chain_ends(tmp_path, monkeypatch):
    monkeypatch.setattr(incremental, "LONGEST", 3)
    reports = [make(tmp_path / "b", library(tag(1, f"Coast {hours}")), hours) for hours in range(5)]
    assert [len(chain_of(path_of(report))) for report in reports] == [1, 2, 3, 1, 2]
    assert "ends a chain of 3" in notes_of(reports[3])
    assert reports[3].remarks == []


def test_a_chain_that_is_too_long_is_not_read(three, monkeypatch):
    monkeypatch.setattr(chain, "LONGEST", 2)
    with pytest.raises(Unreadable, match="built on more than 1 others"):
        open_archive(three[0][2])


# ---- what is missing or damaged


def test_alone_it_is_not_read_as_if_it_were_whole(three):
    with pytest.raises(Unreadable, match=r"is built on 20260501T120000Z-stash\.zip"):
        ArchiveSource(three[0][1])


def test_a_missing_parent_is_named(three):
    paths, _ = three
    paths[0].unlink()
    with pytest.raises(Unreadable, match=f"{paths[1].name} cannot be read: it is built on {paths[0].name}, which is"):
        open_archive(paths[2])
    with pytest.raises(VerificationFailed, match=f"{paths[1].name}: it is built on {paths[0].name}, which is not in"):
        check(paths[2])


def test_a_parent_under_another_name_is_found(three):
    paths, _ = three
    before = content(open_archive(paths[2]))
    paths[0].rename(paths[0].with_name("first.zip"))
    assert content(open_archive(paths[2])) == before
    with zipfile.ZipFile(paths[0].with_name("first.zip")) as file:
        file.extractall(paths[0].with_name("unpacked"))
    paths[0].with_name("first.zip").unlink()
    assert content(open_archive(paths[2])) == before


def test_another_archive_under_the_name_of_the_parent_is_told(three, tmp_path):
    paths, _ = three
    shutil.copy(path_of(make(tmp_path / "other", library(tag(1, "Coast")), incremental=False)), paths[0])
    with pytest.raises(Unreadable, match=f"it is built on another {paths[0].name} than the one in"):
        open_archive(paths[2])


def test_a_damaged_parent_is_named(three):
    paths, _ = three
    with zipfile.ZipFile(paths[0]) as file:
        start = file.getinfo("records/tag/0001.jsonl").header_offset
    changed = bytearray(paths[0].read_bytes())
    changed[start + 80] ^= 1
    paths[0].write_bytes(changed)
    name = paths[0].name
    with pytest.raises(VerificationFailed, match=rf"L1 failed: {name}: .*L2 failed: {name}: records/tag"):
        check(paths[2])
    with pytest.raises(Unreadable, match=paths[0].name):
        list(open_archive(paths[2]).read("tag"))


def folder_chain(tmp_path):
    states = library(tag(1, "Coast"), tag(2, "Fen")), library(tag(1, "Coast"), tag(2, "Fenland"))
    return [path_of(make(tmp_path / "b", state, hours, container="folder")) for hours, state in enumerate(states)]


def rewrite(path, member, change, manifest_change=lambda _: None):
    """Change a member, with a manifest that agrees with it."""
    manifest = json.loads((path / "manifest.json").read_text("utf-8"))
    changed = change((path / member).read_bytes())
    (path / member).write_bytes(changed)
    said = next(one for one in manifest["members"] if one["name"] == member)
    said.update(bytes=len(changed), sha256=hashlib.sha256(changed).hexdigest())
    manifest_change(manifest)
    (path / "manifest.json").write_text(json.dumps(manifest))


IDS = "ids/tag/0001.jsonl"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda text: text.replace(b'"1"', b'"7"'), "comes twice, or after|is in none of the archives"),
        (lambda text: text.replace(b'"2"', b'"7"'), "the tag 7 is in none of the archives it is built on"),
        (lambda text: text.replace(b'"sha256":"', b'"sha256":"f', 1), "the tag 1 is not the one that"),
        (lambda text: text.replace(b'{"id":"1"', b'{"id":1', 1), "no id with its digest"),
        (lambda text: text.replace(b"\n", b"\n\n", 1), "3 records, the manifest says 2"),
        (lambda text: b"\n".join(reversed(text.split(b"\n")[:2])) + b"\n", "is in none of|comes twice, or after"),
    ],
)
def test_a_list_that_is_wrong_is_found(change, words, tmp_path):
    path = folder_chain(tmp_path)[1]
    rewrite(path, IDS, change)
    with pytest.raises(VerificationFailed, match=f"L2 failed: .*({words})"):
        check(path)


@pytest.mark.parametrize(
    "parent", [None, 5, {}, {"name": "x"}, {"name": "../x", "manifest": "0"}, {"name": "..", "manifest": "0"}]
)
def test_a_parent_that_is_no_name_is_refused(parent, tmp_path):
    path = folder_chain(tmp_path)[1]
    rewrite(path, IDS, lambda text: text, lambda manifest: manifest.update(parent=parent))
    with pytest.raises(Unreadable, match="where it says what it is built on"):
        open_archive(path)


def test_an_older_program_refuses_it(three, monkeypatch):
    monkeypatch.setattr("stash_portability.libraries.archive.FEATURES", frozenset(["zstd"]))
    with pytest.raises(PortabilityError, match="an archive that needs incremental") as caught:
        open_archive(three[0][1])
    assert caught.value.exit_code == 5


def test_what_does_not_read_back_is_no_backup(three, tmp_path, monkeypatch):
    def forget(self, kind, uid, digest):
        return uid == "9" or real(self, kind, uid, digest)

    real = chain.Since.same
    monkeypatch.setattr(chain.Since, "same", forget)
    with pytest.raises(VerificationFailed, match="the tag 9 is in none of the archives"):
        make(tmp_path / "b", library(tag(1, "Coast"), tag(9, "Lost")), 5)
    assert [entry.name for entry in (tmp_path / "b").iterdir() if "17" in entry.name] == [
        "20260501T170000Z-stash.zip.damaged"
    ]


# ---- lists, selections, retention


def test_a_list_shows_the_parent(three, capsys):
    paths, _ = three
    assert [one.parent for one in listings(paths[0].parent)] == ["", paths[0].name, paths[1].name]
    for file in paths[0].parent.glob("*.json"):
        file.unlink()
    told = list(listings(paths[0].parent))
    assert [one.parent for one in told] == ["", paths[0].name, paths[1].name]
    assert [(one.counts, one.images) for one in told] == [({"tag": 3}, 1), ({"tag": 3}, 1), ({"tag": 3}, 2)]
    assert main(["list", str(paths[0].parent)]) == 0
    assert f"what changed since {paths[0].name}" in capsys.readouterr().out


def test_a_list_tells_that_a_parent_is_missing(three):
    paths, _ = three
    paths[0].unlink()
    assert [bool(one.problem) for one in listings(paths[1].parent)] == [True, True]


@pytest.mark.parametrize("name", ["20260501T130000Z-stash.zip", "20260501T140000Z-stash.zip"])
def test_descriptions_that_go_round_in_circles_do_no_harm(name, three):
    paths, _ = three
    facts = Path(f"{paths[1]}.json")
    told = json.loads(facts.read_text("utf-8"))
    facts.write_text(json.dumps({**told, "parent": {"name": name, "manifest": "0"}}))
    assert len(list(listings(paths[0].parent))) == 3
    assert needed_by(paths[0].parent)[paths[0]]


def test_a_selection_is_of_all_records(three):
    assert [line for line in selection(three[0][2]) if not line.startswith("#")] == [
        "tag 1  # Coast",
        "tag 3  # Marsh",
        "tag 4  # Weir",
    ]


def test_who_is_needed_by_whom(three):
    paths, _ = three
    assert chain_of(paths[2]) == [paths[2], paths[1], paths[0]]
    assert needed_by(paths[0].parent) == {paths[0]: {paths[1], paths[2]}, paths[1]: {paths[2]}, paths[2]: set()}
    rot(paths[2])
    assert needed_by(paths[0].parent)[paths[0]] == {paths[1], paths[2]}


def test_the_command_line(tmp_path, capsys):
    for _ in range(2):
        assert main(["backup", "--from", str(DEMO), "--to", str(tmp_path / "b"), "--incremental"]) == 0
    assert "0 records were new or changed" in capsys.readouterr().out
    paths = sorted((tmp_path / "b").glob("*.zip"), key=lambda path: len(path.name))
    assert isinstance(open_archive(paths[-1]), ChainSource)
    assert main(["verify", str(paths[-1])]) == 0
    assert main(["diff", str(paths[-1]), str(DEMO)]) == 0
