"""The archive: its layout, its contract, and that nothing damaged or hostile is taken for one (catalogue A)."""

from __future__ import annotations

import hashlib
import io
import json
import shutil
import stat
import struct
import time
import zipfile

import pytest

from stash_portability.errors import PortabilityError, RecordError, Unreadable, UnsupportedVersion
from stash_portability.libraries import archive_write
from stash_portability.libraries.archive import ArchiveSource, is_archive
from stash_portability.libraries.archive_write import ArchiveSink
from stash_portability.libraries.memory import MemoryLibrary
from stash_portability.model import Blob, Record, Want
from stash_portability.storage.container import open_output

from ..contract import CHECKS, NAMES
from .test_round_trip import DEMO, content


def copy(source, path):
    shape = "zip" if path.suffix == ".zip" else "folder"
    with ArchiveSink(open_output(path, shape), {"tool": "test", "schema": 75}) as sink:
        for kind in source.about().fields:
            for record in source.read(kind, Want(blobs=True)):
                kept = {
                    name: sink.put_blob(source.open_blob(value)) if isinstance(value, Blob) else value
                    for name, value in record.data.items()
                }
                sink.put(record._replace(data=kept))
    return path


@pytest.fixture(scope="module", params=["folder", "archive.zip"])
def path(request, tmp_path_factory):
    return copy(ArchiveSource(DEMO), tmp_path_factory.mktemp("archive") / request.param)


@pytest.fixture
def zipped(tmp_path):
    return copy(ArchiveSource(DEMO), tmp_path / "archive.zip")


@pytest.fixture
def folder(tmp_path):
    return shutil.copytree(DEMO, tmp_path / "folder")


@pytest.mark.parametrize("check", CHECKS, ids=NAMES)
def test_contract(check, path):
    check(ArchiveSource(path))


def test_it_says_what_it_is(path):
    about = ArchiveSource(path).about()
    assert (about.product, about.schema) == ("archive", 75)
    assert about.counts["scene"] == 11
    assert ArchiveSource(path).header == {"tool": "test", "schema": 75}
    assert is_archive(path)
    assert not is_archive(path.parent)


def test_the_same_records_give_the_same_archive(path, tmp_path):
    again = copy(ArchiveSource(path), tmp_path / path.name)
    assert content(again) == content(path)


def test_a_kind_is_cut_into_parts(tmp_path, monkeypatch):
    monkeypatch.setattr(archive_write, "PART_RECORDS", 4)
    records = [Record("tag", str(number), {"name": f"Tag {number}"}) for number in range(1, 11)]
    path = copy(MemoryLibrary(records), tmp_path / "cut")
    assert sorted(file.name for file in (path / "records" / "tag").iterdir()) == [
        "0001.jsonl",
        "0002.jsonl",
        "0003.jsonl",
    ]
    assert list(ArchiveSource(path).read("tag")) == records
    monkeypatch.setattr(archive_write, "PART_BYTES", 1)
    assert len(list((copy(MemoryLibrary(records), tmp_path / "small") / "records" / "tag").iterdir())) == 10


def test_text_that_is_no_unicode_is_one_record_less(tmp_path):
    with ArchiveSink(open_output(tmp_path / "a", "folder"), {}) as sink:
        with pytest.raises(RecordError, match="tag 1 is left out"):
            sink.put(Record("tag", "1", {"name": "\ud800"}))
        sink.put(Record("tag", "2", {"name": "Coast"}))
    assert [record.uid for record in ArchiveSource(tmp_path / "a").read("tag")] == ["2"]


def test_an_error_leaves_nothing(tmp_path):
    with pytest.raises(ZeroDivisionError), ArchiveSink(open_output(tmp_path / "a.zip", "zip"), {}) as sink:
        sink.put(Record("tag", "1", {"name": "Coast"}))
        raise ZeroDivisionError
    assert not list(tmp_path.iterdir())


def read_all(path):
    source = ArchiveSource(path)
    for kind in source.about().fields:
        for record in source.read(kind, Want(blobs=True)):
            for value in record.data.values():
                if isinstance(value, Blob):
                    source.open_blob(value).read()


def refused(path, words, error=Unreadable):
    with pytest.raises(error, match=words) as caught:
        read_all(path)
    assert "\n" not in str(caught.value)


def rezip(path, change):
    """Write a zip again, each member as ``change(info, content)`` gives it; None leaves it out."""
    with zipfile.ZipFile(path) as old:
        members = [(info, old.read(info)) for info in old.infolist()]
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as new:
        for info, body in members:
            changed = change(info, body)
            if changed:
                new.writestr(*changed)


def add(path, name, mode=0, body=b"x", method=zipfile.ZIP_STORED):
    info = zipfile.ZipInfo(name)
    info.external_attr = mode << 16
    info.compress_type = method
    with zipfile.ZipFile(path, "a") as file:
        file.writestr(info, body)


BAD_NAMES = {
    "A01": "../../etc/x",
    "A02": "/etc/x",
    "A03 drive": "C:\\x",
    "A03 share": "\\\\srv\\share",
    "A03 device": "\\\\?\\x",
    "A04": "a/../../x",
    "A05": "records\\tag/0001.jsonl",
    "A06 control": "a\x01b",
    "A06 newline": "a\nb",
    "A10 case": "Manifest.JSON",
    "A11 reserved": "blobs/nul.json",
    "A11 dot": "records/tag./x",
    "A11 space": "records /x",
    "A12 long": "x" * 5000,
    "A12 deep": "/".join("d" * 300),
    "empty step": "a//b",
}


@pytest.mark.parametrize("name", BAD_NAMES.values(), ids=BAD_NAMES)
def test_names_that_lead_elsewhere_refuse_the_whole_archive(name, zipped):
    add(zipped, name)
    refused(zipped, "is refused")


@pytest.mark.parametrize("mode", [stat.S_IFLNK, stat.S_IFIFO, stat.S_IFCHR], ids=["A07 link", "A08 pipe", "A08 device"])
def test_a07_a08_links_and_devices_in_a_zip(mode, zipped):
    add(zipped, "blobs/link", mode=mode | 0o777)
    refused(zipped, "link or a device")


def test_a07_a_link_in_a_folder(folder):
    blob = next((folder / "blobs").iterdir())
    blob.rename(folder.parent / "elsewhere")
    blob.symlink_to(folder.parent / "elsewhere")
    refused(folder, "link or a device")


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a10_two_members_of_one_name(zipped):
    add(zipped, "README.txt")
    refused(zipped, "twice")


def test_a10_names_that_differ_in_their_unicode_form(zipped):
    add(zipped, "blobs/\u00e9")
    add(zipped, "blobs/e\u0301")
    refused(zipped, "twice")


@pytest.mark.parametrize("keep", [1, 0.5, -1], ids=["one byte", "half", "all but one"])
def test_a19_a_zip_that_is_cut(keep, zipped):
    whole = zipped.read_bytes()
    zipped.write_bytes(whole[: int(len(whole) * keep) if isinstance(keep, float) else keep])
    refused(zipped, "truncated|not a zip")


@pytest.mark.parametrize("before", [True, False])
def test_a20_something_before_or_after_a_zip(before, zipped):
    whole = zipped.read_bytes()
    zipped.write_bytes(b"stub" + whole if before else whole + b"garbage")
    refused(zipped, "not a zip|something was added")


def test_a21_a_member_that_nobody_listed(zipped, folder):
    add(zipped, "blobs/more")
    refused(zipped, "blobs/more is not listed")
    (folder / "extra.txt").write_text("x")
    refused(folder, "extra.txt is not listed")


def test_a21_a_member_that_is_missing(zipped, folder):
    rezip(zipped, lambda info, body: None if info.filename.endswith("tag/0001.jsonl") else (info, body))
    refused(zipped, "records/tag/0001.jsonl is missing")
    (folder / "records" / "tag" / "0001.jsonl").unlink()
    refused(folder, "records/tag/0001.jsonl is missing")


def test_a22_other_bytes_or_another_size(zipped, folder):
    rezip(zipped, lambda info, body: (info, body.replace(b"Coast", b"Coask") if "/tag/" in info.filename else body))
    refused(zipped, "tag/0001.jsonl differs from its digest")
    part = folder / "records" / "tag" / "0001.jsonl"
    part.write_bytes(part.read_bytes() + b"\n")
    refused(folder, "another size")


def test_a22_another_count(folder):
    manifest = json.loads((folder / "manifest.json").read_text())
    next(member for member in manifest["members"] if member["name"] == "records/tag/0001.jsonl")["records"] = 99
    (folder / "manifest.json").write_text(json.dumps(manifest))
    refused(folder, "12 records, its manifest says 99")


def test_a22_a_damaged_image(folder):
    blob = next((folder / "blobs").iterdir())
    blob.write_bytes(blob.read_bytes()[:-1] + b"?")
    refused(folder, "differs from its digest")


def test_a23_an_unknown_method(zipped):
    add(zipped, "blobs/x", body=b"x" * 100, method=zipfile.ZIP_LZMA)
    refused(zipped, "unknown method")


@pytest.mark.parametrize(
    "body", [b"", b"<!DOCTYPE html>", b"\x1f\x8b\x08", b"SQLite format 3\0", b"7z\xbc\xaf\x27\x1c"]
)
def test_a25_a26_what_is_no_zip(body, tmp_path):
    (tmp_path / "a.zip").write_bytes(body)
    refused(tmp_path / "a.zip", "it is empty|looks like (HTML|gzip|an SQLite|7z)")


def test_a16_a_zip_that_unpacks_to_far_more(zipped):
    add(zipped, "blobs/bomb", body=bytes(17 << 20), method=zipfile.ZIP_DEFLATED)
    refused(zipped, "200 times")


def test_a_newer_version_is_told_apart_from_damage(folder):
    manifest = json.loads((folder / "manifest.json").read_text())
    (folder / "manifest.json").write_text(json.dumps({**manifest, "version": 2}))
    refused(folder, "version 2", UnsupportedVersion)


@pytest.mark.parametrize("manifest", [b"", b"[]", b"{}", b'{"format":"stash-portability archive"}', b"\xff"])
def test_a_manifest_that_is_none(manifest, folder):
    (folder / "manifest.json").write_bytes(manifest)
    with pytest.raises(Unreadable):
        ArchiveSource(folder)


@pytest.mark.parametrize("fields", [[], {"scene": 5}, {"scene": [5]}, "title", None])
def test_a_manifest_with_odd_fields(fields, folder):
    manifest = json.loads((folder / "manifest.json").read_text())
    (folder / "manifest.json").write_text(json.dumps({**manifest, "fields": fields}))
    refused(folder, "damaged where it lists the fields")


def test_a_manifest_with_a_kind_that_is_no_text(folder):
    manifest = json.loads((folder / "manifest.json").read_text())
    members = [{**member, "kind": ["tag"]} for member in manifest["members"]]
    (folder / "manifest.json").write_text(json.dumps({**manifest, "members": members}))
    refused(folder, "damaged where it lists")


def test_a_field_that_is_not_in_the_table_is_never_written(tmp_path):
    with ArchiveSink(open_output(tmp_path / "a", "folder"), {}) as sink:
        sink.put(Record("tag", "1", {"name": "Coast", "colour": "blue"}))
    assert list(ArchiveSource(tmp_path / "a").read("tag")) == [Record("tag", "1", {"name": "Coast"})]


def test_an_image_of_a_digest_that_is_no_digest(folder):
    source = ArchiveSource(folder)
    with pytest.raises(PortabilityError, match=r"it has no blobs/\.\./manifest\.json"):
        source.open_blob(Blob("tag", "1", "image", "../manifest.json"))


def test_an_image_is_kept_once(tmp_path):
    with ArchiveSink(open_output(tmp_path / "a.zip", "zip"), {}) as sink:
        refs = {sink.put_blob(io.BytesIO(b"one")) for _ in range(3)}
    assert len(refs) == 1
    with zipfile.ZipFile(tmp_path / "a.zip") as file:
        assert [name for name in file.namelist() if name.startswith("blobs/")] == [f"blobs/{refs.pop().sha256}"]


def patched(path, place, form, value):
    """Write ``value`` over what stands at ``place`` of the file."""
    content = bytearray(path.read_bytes())
    struct.pack_into(form, content, place, value)
    path.write_bytes(content)


def central(path, name):
    """Where the central directory of a zip tells of the member ``name``."""
    with zipfile.ZipFile(path) as file:
        place = file.start_dir
        for info in file.infolist():
            if info.filename == name:
                return place
            place += 46 + len(info.filename.encode()) + len(info.extra) + len(info.comment)
    raise KeyError(name)


def local(path, name):
    """Where the member itself begins."""
    with zipfile.ZipFile(path) as file:
        return file.getinfo(name).header_offset


TAGS = "records/tag/0001.jsonl"


def test_a06_a_name_that_is_empty(zipped):
    add(zipped, "")
    refused(zipped, "leads out of its place")


def test_a13_a_million_members(tmp_path):
    """An end that promises more members than any input may have; nothing of it is read."""
    end64 = struct.pack("<4sQ2H2L4Q", b"PK\6\6", 44, 45, 45, 0, 0, 10**6, 10**6, 0, 0)
    locator = struct.pack("<4sLQL", b"PK\6\7", 0, 0, 1)
    end = struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, 0xFFFF, 0xFFFF, 0xFFFFFFFF, 0xFFFFFFFF, 0)
    (tmp_path / "a.zip").write_bytes(end64 + locator + end)
    refused(tmp_path / "a.zip", "1,000,000 members")


def test_a13_a_directory_that_holds_more_than_its_end_says(zipped):
    """The end says one member, the directory tells of many: they are not even counted."""
    content = bytearray(zipped.read_bytes())
    struct.pack_into("<2H", content, len(content) - 22 + 8, 1, 1)
    zipped.write_bytes(content)
    refused(zipped, "different numbers of members")
    long = b"PK\1\2" + bytes(42)
    end = struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, 1, 1, len(long) * 10**6, 0, 0)
    zipped.write_bytes(b"PK\3\4" + long * 10**6 + end)
    begun = time.monotonic()
    refused(zipped, "directory is too long for 1 members")
    assert time.monotonic() - begun < 2


@pytest.mark.parametrize(
    ("place", "form", "value"),
    [(6, "<H", 8), (8, "<H", 0), (14, "<L", 5), (18, "<L", 7), (22, "<L", 7), (30, "<B", ord("R"))],
    ids=["flags", "method", "checksum", "packed size", "size", "name"],
)
def test_a14_a_member_described_in_two_ways(place, form, value, zipped):
    rezip(zipped, lambda info, body: (info, body))
    patched(zipped, local(zipped, TAGS) + place, form, value)
    refused(zipped, "described in two ways|differ")


def test_a15_members_that_share_their_bytes(zipped):
    other = local(zipped, "records/studio/0001.jsonl")
    patched(zipped, central(zipped, TAGS) + 42, "<L", other)
    refused(zipped, "overlaps another")


def test_a17_a_size_that_is_smaller_than_the_stream(zipped):
    """Manifest and zip agree on ten bytes; the stream has more, which are never read as records."""

    def shrink(info, body):
        if info.filename == "manifest.json":
            told = json.loads(body)
            next(said for said in told["members"] if said["name"] == TAGS)["bytes"] = 10
            body = json.dumps(told).encode()
        return info, body

    rezip(zipped, shrink)
    patched(zipped, central(zipped, TAGS) + 24, "<L", 10)
    patched(zipped, local(zipped, TAGS) + 22, "<L", 10)
    refused(zipped, TAGS)


def test_a18_an_archive_within_an_archive_is_never_opened(folder):
    inner = b"PK\3\4 not opened"
    digest = hashlib.sha256(inner).hexdigest()
    (folder / "blobs" / digest).write_bytes(inner)
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["members"].append({"name": f"blobs/{digest}", "bytes": len(inner), "sha256": digest})
    (folder / "manifest.json").write_text(json.dumps(manifest))
    read_all(folder)
    assert ArchiveSource(folder).open_blob(Blob("tag", "1", "image", digest)).read() == inner


def test_a25_a_folder_that_is_no_archive(tmp_path):
    refused(tmp_path, "has no manifest.json")
