"""Inputs that cannot be looked at, or are damaged, are told as unreadable."""

import errno
import os
import random
import struct
from pathlib import Path

import pytest

from stash_portability.errors import Unreadable
from stash_portability.libraries.opening import Opening, open_library
from stash_portability.storage import names, reader
from stash_portability.storage.reader import manifest_format, open_input

OPENING = Opening("", random.Random(1), lambda note: None, lambda error: None)


def refuse(self, **_):
    raise PermissionError(errno.EACCES, "Permission denied")


@pytest.mark.parametrize("method", ["is_dir", "is_file"])
@pytest.mark.parametrize("read", [manifest_format, open_input])
def test_an_input_that_may_not_be_looked_at(read, method, tmp_path, monkeypatch):
    monkeypatch.setattr(Path, method, refuse)
    with pytest.raises(Unreadable, match="Permission denied"):
        read(tmp_path)


def test_a_zip_that_leads_to_nowhere(tmp_path):
    end64 = struct.pack("<4sLQL", b"PK\6\7", 0, 2**64 - 1, 1)
    end = struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, 0xFFFF, 0xFFFF, 0, 0, 0)
    (tmp_path / "a.zip").write_bytes(b"PK\3\4" + end64 + end)
    with pytest.raises(Unreadable):
        open_input(tmp_path / "a.zip")


def test_a13_a_folder_of_more_members_than_any_may_have(tmp_path, monkeypatch):
    """It is refused as soon as that is known, whatever else there is in it."""
    monkeypatch.setattr(reader, "MEMBER_LIMIT", 10)
    monkeypatch.setattr(names, "MEMBER_LIMIT", 10)
    looked_at = []
    real = Path.lstat
    monkeypatch.setattr(Path, "lstat", lambda path: looked_at.append(path) or real(path))
    for number in range(100):
        (tmp_path / f"{number}").write_bytes(b"")
    (tmp_path / "manifest.json").write_bytes(b"{}")
    looked_at.clear()
    with pytest.raises(Unreadable, match="more than 10 members"):
        open_input(tmp_path)
    assert len(looked_at) < 20


@pytest.mark.skipif(not hasattr(os, "O_NOFOLLOW"), reason="no O_NOFOLLOW here")
def test_a09_a_member_that_becomes_a_link_after_it_was_listed_is_not_followed(tmp_path):
    (tmp_path / "secret").write_bytes(b"not for you")
    folder = tmp_path / "archive"
    folder.mkdir()
    (folder / "manifest.json").write_bytes(b"{}")
    source = open_input(folder)
    (folder / "manifest.json").unlink()
    (folder / "manifest.json").symlink_to(tmp_path / "secret")
    with pytest.raises(OSError, match="symbolic links"):
        source.open("manifest.json")


@pytest.mark.parametrize("address", ["~nosuchuser/x.json", "x" * 300, "nul\0", "/no/such/file", "a:b"])
def test_an_address_that_names_nothing(address):
    with pytest.raises(Unreadable):
        open_library(address, OPENING)


def test_a_library_that_may_not_be_looked_at(tmp_path, monkeypatch):
    monkeypatch.setattr(Path, "stat", refuse)
    with pytest.raises(Unreadable, match="Permission denied"):
        open_library(str(tmp_path), OPENING)
