"""The .7z: made of blocks, read by a child within limits, and refused when it is hostile (catalogue A)."""

from __future__ import annotations

import gc
import io
import json
import lzma
import os
import shutil
import stat
import struct
import subprocess
import sys
import tempfile
import time
import zlib
from pathlib import Path

import py7zr
import pytest

from stash_portability.errors import LibrariesMissing, NoSpace, OutputNotUsable, Unreadable
from stash_portability.storage import quarantine, sevenzip_body, sevenzip_input, sevenzip_outside
from stash_portability.storage.container import open_output
from stash_portability.storage.quarantine import Quarantine, clear_dead
from stash_portability.storage.reader import open_input, open_member, read_manifest

PROGRAM = shutil.which("7z") or shutil.which("7zz")
LINES = b'{"kind":"tag","id":"1","name":"Coast"}\n' * 50
FORMAT = "stash-portability archive"


@pytest.fixture(autouse=True)
def temporary(tmp_path, monkeypatch):
    """Quarantine lies in a folder of the test's own."""
    place = tmp_path / "temporary"
    place.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(place))
    return place


def adopt(output, name, content):
    place, known = output.keep(io.BytesIO(content))
    output.adopt(place, name, known)


def write(path, members, images=()):
    with open_output(path, "7z") as output:
        for name, content in images:
            adopt(output, name, content)
        for name, content in members:
            with output.open(name) as file:
                file.write(content)
        listed = [
            {"name": name, "bytes": known.bytes, "sha256": known.sha256} for name, known in output.members.items()
        ]
        output.write("manifest.json", json.dumps({"format": FORMAT, "version": 1, "members": listed}).encode())
    return path


@pytest.fixture
def path(tmp_path):
    members = [("records/tag/0001.jsonl", LINES), ("records/tag/0002.jsonl", LINES + LINES)]
    return write(tmp_path / "a.7z", members, [("blobs/1", b"one"), ("blobs/2", b"two" * 1000)])


def everything(path):
    source = open_input(path)
    found = {}
    for name in source.sizes:
        with source.open(name) as stream:
            found[name] = stream.read()
    return found


def refused(path, words):
    with pytest.raises(Unreadable, match=words) as caught:
        everything_checked(path)
    assert "\n" not in str(caught.value)
    assert str(path) in str(caught.value)


def everything_checked(path):
    listed = read_manifest(path, FORMAT, 1)
    for name in listed.members:
        with open_member(path, listed, name) as stream:
            stream.read()


def foreign(path, members, filters=None, change=lambda entry: None):
    """A .7z by the library itself; ``change`` may say something else of each member than what it is."""
    with py7zr.SevenZipFile(path, "w", filters=filters) as archive:
        for name, content in members.items():
            archive.writef(io.BytesIO(content), "neutral")
            entry = archive.files.files_list[-1]
            entry["filename"] = name
            change(entry)
    return path


def with_header(path, header, packed=b""):
    """A .7z that has exactly these bytes of a header, behind these packed bytes."""
    rest = struct.pack("<2QL", len(packed), len(header), zlib.crc32(header))
    path.write_bytes(b"7z\xbc\xaf\x27\x1c\0\4" + struct.pack("<L", zlib.crc32(rest)) + rest + packed + header)
    return path


def number(value):
    """A number as a header holds it."""
    return b"\xff" + struct.pack("<Q", value)


def packed_header(path, header):
    """A .7z whose header is ``header``, packed as 7-Zip packs it: a little file can have a huge one."""
    filters = [{"id": lzma.FILTER_LZMA2, "preset": 1}]
    packed = lzma.compress(header, lzma.FORMAT_RAW, filters=filters)
    properties = lzma._encode_filter_properties(filters[0])
    outer = b"\x17\x06" + number(0) + number(1) + b"\x09" + number(len(packed)) + b"\0"
    outer += b"\x07\x0b" + number(1) + b"\0" + number(1) + b"\x21\x21" + number(len(properties)) + properties
    outer += b"\x0c" + number(len(header)) + b"\x0a\1" + struct.pack("<L", zlib.crc32(header)) + b"\0\0"
    return with_header(path, outer, packed)


# ---- what we write


def test_what_is_written_is_read(path):
    found = everything(path)
    assert found["blobs/1"] == b"one"
    assert found["records/tag/0002.jsonl"] == LINES + LINES
    assert sorted(found) == ["blobs/1", "blobs/2", "manifest.json", "records/tag/0001.jsonl", "records/tag/0002.jsonl"]
    everything_checked(path)


def test_it_is_its_owners_only_and_whole_or_not_there(path, tmp_path):
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    with pytest.raises(ZeroDivisionError), open_output(tmp_path / "b.7z", "7z") as output:
        adopt(output, "blobs/1", b"one")
        file = output.open("records/tag/0001.jsonl")
        file.write(LINES)
        raise ZeroDivisionError
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["a.7z", "temporary"]


def test_the_same_members_give_the_same_bytes(path, tmp_path):
    members = [("records/tag/0001.jsonl", LINES), ("records/tag/0002.jsonl", LINES + LINES)]
    again = write(tmp_path / "b.7z", members, [("blobs/1", b"one"), ("blobs/2", b"two" * 1000)])
    assert again.read_bytes() == path.read_bytes()


@pytest.mark.parametrize("members", [[], [("records/tag/0001.jsonl", b"")], [("a", b""), ("b", b"x"), ("c", b"")]])
def test_members_without_content(members, tmp_path):
    path = write(tmp_path / "a.7z", members, [("blobs/0", b"")])
    assert {name: content for name, content in everything(path).items() if name != "manifest.json"} == {
        "blobs/0": b"",
        **dict(members),
    }
    everything_checked(path)


@pytest.mark.parametrize("images", [0, 1, 2])
@pytest.mark.parametrize("records", [0, 1, 2])
def test_blocks_of_one_member_and_of_several(images, records, tmp_path):
    kept = [(f"blobs/{number}", bytes([number]) * 100 * number) for number in range(1, images + 1)]
    members = [(f"records/{number}", LINES * number) for number in range(1, records + 1)]
    path = write(tmp_path / "a.7z", members, kept)
    found = everything(path)
    del found["manifest.json"]
    assert found == dict(kept + members)
    if PROGRAM:
        assert "Everything is Ok" in seven("t", path)


def test_records_are_a_block_of_their_own(path):
    """Images and the manifest lie there as they are, so that they can be read without unpacking anything."""
    with py7zr.SevenZipFile(path) as archive:
        folders = archive.header.main_streams.unpackinfo.folders
        assert [[coder["method"] for coder in folder.coders] for folder in folders] == [[b"\0"], [b"!"], [b"\0"]]


def test_what_lies_there_as_it_is_brings_nothing_into_quarantine(path, temporary):
    source = open_input(path)
    assert source.open("blobs/2").read() == b"two" * 1000
    assert source.open("manifest.json").read().startswith(b"{")
    assert list(temporary.iterdir()) == []
    source.open("records/tag/0001.jsonl").read()
    (folder,) = temporary.iterdir()
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {stat.S_IMODE(file.stat().st_mode) for file in folder.iterdir() if file.name != "lock"} == {0o600}
    assert sorted(file.name for file in folder.iterdir()) == ["1", "lock"]
    del source
    gc.collect()
    assert list(temporary.iterdir()) == []


def test_more_members_than_could_be_read_back_are_not_written(tmp_path, monkeypatch):
    monkeypatch.setattr(sevenzip_body, "MEMBER_LIMIT", 3)
    with pytest.raises(OutputNotUsable, match="choose a zip"):
        write(tmp_path / "a.7z", [(f"{count}", b"x") for count in range(4)])
    assert [entry.name for entry in tmp_path.iterdir()] == ["temporary"]


def test_without_py7zr_it_is_said_before_anything_is_written(path, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "py7zr", None)
    with pytest.raises(LibrariesMissing, match="pip install py7zr"):
        write(tmp_path / "b.7z", [])
    with pytest.raises(LibrariesMissing, match="pip install py7zr"):
        open_input(path)
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["a.7z", "temporary"]


def test_a_disk_that_fails_while_it_packs(tmp_path, monkeypatch):
    def fail(*_args, **_words):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "utime", fail)
    with pytest.raises(NoSpace):
        write(tmp_path / "a.7z", [("a", b"x")])
    assert [entry.name for entry in tmp_path.iterdir()] == ["temporary"]


# ---- 7-Zip itself

needs_program = pytest.mark.skipif(
    not PROGRAM, reason="7z (p7zip-full, or 7zip) is NOT on the PATH: 7-Zip is not tested"
)


def seven(*arguments, folder="."):
    return subprocess.run(
        [PROGRAM, *map(str, arguments)], cwd=folder, check=True, capture_output=True, text=True
    ).stdout


@needs_program
def test_7_zip_lists_tests_and_extracts_ours(path, tmp_path):
    assert "records/tag/0002.jsonl" in seven("l", path)
    assert "Everything is Ok" in seven("t", path)
    seven("x", path, f"-o{tmp_path / 'out'}")
    for name, content in everything(path).items():
        assert (tmp_path / "out" / name).read_bytes() == content


FROM_7_ZIP = "-mx1 -mx9 -ms=off -m0=LZMA -m0=Deflate -m0=BZip2 -m0=Copy -mhc=off -mf=BCJ".split()


@needs_program
@pytest.mark.parametrize("option", FROM_7_ZIP)
def test_what_7_zip_wrote_is_read(option, path, tmp_path):
    seven("x", path, f"-o{tmp_path / 'out'}")
    seven("a", tmp_path / "b.7z", option, ".", folder=tmp_path / "out")
    there = {name: (tmp_path / "out" / name).read_bytes() for name in open_input(path).sizes}
    assert everything(tmp_path / "b.7z") == there
    everything_checked(tmp_path / "b.7z")


@needs_program
@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["-m0=PPMd"], "packed by PPMd"),
        (["-m0=Deflate64"], "packed by Deflate64"),
        (["-m0=BCJ2", "-m1=LZMA", "-m2=LZMA", "-m3=LZMA", "-mb0:1", "-mb0s1:2", "-mb0s2:3"], "BCJ2"),
        (["-psecret"], "AES, that is encrypted"),
        (["-psecret", "-mhe=on"], "it is encrypted"),
    ],
)
def test_a23_methods_that_are_not_read_are_named(options, words, path, tmp_path):
    seven("x", path, f"-o{tmp_path / 'out'}")
    seven("a", tmp_path / "b.7z", *options, ".", folder=tmp_path / "out")
    refused(tmp_path / "b.7z", words)


# ---- hostile input


def test_a23_an_unknown_method(path):
    refused(foreign(path, {"manifest.json": b"x" * 100}, [{"id": py7zr.FILTER_ZSTD}]), "packed by zstd")


@pytest.mark.parametrize(
    "name",
    [
        pytest.param("../../etc/x", id="A01"),
        pytest.param("/etc/x", id="A02"),
        pytest.param("C:\\x", id="A03 drive"),
        pytest.param("\\\\srv\\share", id="A03 share"),
        pytest.param("a/../../x", id="A04"),
        pytest.param("a\\..\\../x", id="A05"),
        pytest.param("a\x07b", id="A06"),
        pytest.param("", id="A06 empty"),
        pytest.param("CON", id="A11"),
        pytest.param("x/nul.json", id="A11 ending"),
        pytest.param("dot.", id="A11 dot"),
        pytest.param("n" * 5000, id="A12"),
        pytest.param("d/" * 300 + "x", id="A12 depth"),
    ],
)
def test_a01_to_a12_names_that_are_refused(name, tmp_path, temporary):
    refused(foreign(tmp_path / "a.7z", {"manifest.json": b"{}", name: b"x"}), "is refused")
    assert list(temporary.iterdir()) == []


@pytest.mark.parametrize("mode", [stat.S_IFLNK, stat.S_IFIFO, stat.S_IFCHR, stat.S_IFSOCK])
def test_a07_a08_links_and_devices(mode, tmp_path):
    def change(entry):
        entry["attributes"] = 0x8000 | (mode | 0o644) << 16

    refused(foreign(tmp_path / "a.7z", {"manifest.json": b"/etc/passwd"}, change=change), "a link or a device")


def test_a07_a_link_of_windows(tmp_path):
    def change(entry):
        entry["attributes"] = 0x400

    refused(foreign(tmp_path / "a.7z", {"manifest.json": b"C:/x"}, change=change), "a link or a device")


@pytest.mark.parametrize("twin", ["MANIFEST.json", "manifest.json"])
def test_a10_twins(twin, tmp_path):
    members = {"manifest.json": b"{}", "other": b"x"}
    path = foreign(tmp_path / "a.7z", members, change=lambda entry: entry.update(filename=twin))
    refused(path, "there twice")


def test_a13_a_million_empty_members(tmp_path):
    """100,001 of them do: the list is refused before any is looked at."""
    names = b"".join(f"{count}\0".encode("utf-16-le") for count in range(100_001))
    empty = number(len(bytes(12501))) + b"\xff" * 12501
    header = b"\1\5" + number(100_001) + b"\x0e" + empty + b"\x11" + number(len(names) + 1) + b"\0" + names + b"\0\0"
    begun = time.monotonic()
    refused(packed_header(tmp_path / "a.7z", header), "100,001 members; 100,000 is the limit")
    assert time.monotonic() - begun < 20


def test_a16_a_block_that_unpacks_to_far_more(tmp_path, temporary):
    path = foreign(tmp_path / "a.7z", {"manifest.json": bytes(20 << 20)})
    assert path.stat().st_size < 20_000
    refused(path, "more than 200 times")
    assert list(temporary.iterdir()) == []


def test_a16_more_than_there_is_room_for_is_not_unpacked(path, temporary, monkeypatch):
    source = open_input(path)
    monkeypatch.setattr(shutil, "disk_usage", lambda place: shutil._ntuple_diskusage(10, 10, 0))
    with pytest.raises(NoSpace, match="temporary"):
        source.open("records/tag/0001.jsonl")
    assert not [file for file in temporary.rglob("*") if file.is_file() and file.name != "lock"]


def test_a16_what_comes_out_stops_at_what_was_declared(path, tmp_path, monkeypatch):
    """A child that tells of fewer bytes, or of more, than it then gives."""
    for more in (-1, 1):
        place = tmp_path / f"out{more}"
        size = 3 * len(LINES)
        with pytest.raises(ValueError, match=r"more or less|damaged"):
            sevenzip_outside.unpack(path, 1, size + more, place)
        assert place.stat().st_size <= size + 1


def test_a17_a_size_that_is_smaller_than_the_stream(tmp_path):
    """The sizes of the members do not fill their block."""
    path = tmp_path / "a.7z"
    with py7zr.SevenZipFile(path, "w") as archive:
        archive.writef(io.BytesIO(LINES), "manifest.json")
        archive.writef(io.BytesIO(LINES), "other")
        archive.header.main_streams.substreamsinfo.unpacksizes[0] -= 1
    refused(path, "damaged|larger or smaller")


@pytest.mark.parametrize("part", [1e-9, 0.1, 0.5, 0.9, 1])
def test_a19_an_archive_that_is_cut(part, path):
    content = path.read_bytes()
    path.write_bytes(content[: max(1, min(int(len(content) * part), len(content) - 1))])
    refused(path, "truncated|looks like")


@pytest.mark.parametrize(("before", "after"), [(b"", b"x"), (b"MZ stub", b""), (b"", b"7z\xbc\xaf\x27\x1c")])
def test_a20_something_before_or_after(before, after, path):
    path.write_bytes(before + path.read_bytes() + after)
    refused(path, "something was added|looks like")


def test_a21_a_member_that_nobody_listed(path, tmp_path):
    members = everything(path)
    refused(foreign(tmp_path / "b.7z", {**members, "stranger": b"x"}), "stranger is not listed")
    del members["blobs/1"]
    refused(foreign(tmp_path / "c.7z", members), "blobs/1 is missing")


def test_a22_other_bytes(path, tmp_path):
    members = everything(path)
    refused(foreign(tmp_path / "b.7z", {**members, "blobs/1": b"0ne"}), "differs from its digest")
    refused(foreign(tmp_path / "c.7z", {**members, "blobs/1": b"ones"}), "another size")


def test_a24_counts_that_no_file_could_hold(tmp_path):
    for count in (2**62, 2**31, 10**6):
        refused(with_header(tmp_path / "a.7z", b"\1\5" + number(count) + b"\0\0"), "damaged")


def test_a24_a_small_file_with_a_huge_header_is_stopped_by_memory(tmp_path):
    """8 million members in a few KB: the library would take 2 GB for them."""
    path = packed_header(tmp_path / "a.7z", b"\1\5" + number(8_000_000) + bytes(9_000_000))
    assert path.stat().st_size < 20_000
    begun = time.monotonic()
    refused(path, "MB of memory|within 30 seconds|damaged")
    assert time.monotonic() - begun < 60


def test_a24_a_header_that_takes_too_long_is_stopped_by_time(tmp_path, monkeypatch):
    monkeypatch.setattr(sevenzip_outside, "SECONDS", 1)
    names = b"".join(f"{count}\0".encode("utf-16-le") for count in range(700_000))
    header = b"\1\5" + number(700_000) + b"\x11" + number(len(names) + 1) + b"\0" + names + b"\0\0"
    begun = time.monotonic()
    refused(packed_header(tmp_path / "a.7z", header), "within 1 second")
    assert time.monotonic() - begun < 20


def test_a24_an_encoded_header_larger_than_any(tmp_path):
    path = packed_header(tmp_path / "a.7z", bytes(300 << 20))
    refused(path, "damaged|memory")


@pytest.mark.parametrize("body", [b"", b"<!DOCTYPE html>", b"\x1f\x8b\x08", b"SQLite format 3\0", b"PK\3\4"])
def test_a25_a26_what_is_no_7z(body, tmp_path):
    (tmp_path / "a.7z").write_bytes(body)
    refused(tmp_path / "a.7z", "it is empty|looks like (HTML|gzip|an SQLite|a zip)")


def test_an_empty_7z(tmp_path):
    py7zr.SevenZipFile(tmp_path / "a.7z", "w").close()
    refused(tmp_path / "a.7z", r"damaged|no manifest\.json")


# ---- the child


def test_the_child_has_nothing_of_ours(path, monkeypatch):
    monkeypatch.setenv("STASH_API_KEY", "canary")
    seen = []
    real = subprocess.Popen
    monkeypatch.setattr(subprocess, "Popen", lambda *args, **words: seen.append(words["env"]) or real(*args, **words))
    open_input(path)
    assert [set(env) - {"SYSTEMROOT"} for env in seen] == [set()]


def test_a_child_that_is_killed_is_told(path, monkeypatch):
    monkeypatch.setattr(sevenzip_outside, "CHILD", Path("/nowhere/child.py"))
    with pytest.raises(Unreadable, match="cannot be read"):
        open_input(path)


# ---- quarantine


def test_what_a_dead_run_left_is_removed_and_nothing_else(temporary):
    dead, young, other = (temporary / f".stash-portability-{name}.reading" for name in "abc")
    for folder in (dead, young, other):
        folder.mkdir(mode=0o700)
    (dead / "lock").write_bytes(b"")
    (dead / "1").write_bytes(b"records")
    live = Quarantine()
    (temporary / "somebodys.reading").mkdir()
    (temporary / ".stash-portability-link.reading").symlink_to(temporary / "somebodys.reading")
    clear_dead(temporary)
    left = {entry.name for entry in temporary.iterdir()}
    assert left == {live.folder.name, "somebodys.reading", ".stash-portability-link.reading"}


@pytest.mark.skipif(not hasattr(os, "getuid"), reason="no users here")
def test_what_another_user_left_is_not_touched(temporary, monkeypatch):
    folder = temporary / ".stash-portability-a.reading"
    folder.mkdir()
    monkeypatch.setattr(os, "getuid", lambda: folder.stat().st_uid + 1)
    clear_dead(temporary)
    assert folder.is_dir()


def test_a_folder_that_is_cleared_while_it_is_made_is_made_again(temporary, monkeypatch):
    real, times = quarantine.hold, []

    def late(lock):
        times.append(lock)
        if len(times) == 1:
            shutil.rmtree(Path(lock.name).parent)
        return real(lock)

    monkeypatch.setattr(quarantine, "hold", late)
    assert Quarantine().folder.is_dir()
    assert len(times) == 2


def test_no_place_for_quarantine_is_told(path, tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "nowhere"))
    source = open_input(path)
    assert source.open("blobs/1").read() == b"one"
    with pytest.raises(OutputNotUsable, match="nowhere"):
        source.open("records/tag/0001.jsonl")


def test_it_is_known_by_its_first_bytes_unless_it_is_called_a_zip(path, tmp_path):
    assert sevenzip_input.is_sevenzip(path.rename(tmp_path / "out"))
    assert not sevenzip_input.is_sevenzip((tmp_path / "out").rename(tmp_path / "a.zip"))
