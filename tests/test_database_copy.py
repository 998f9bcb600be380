"""The database in a backup: fetched whole, checked, for its owner only, and never left lying about."""

import hashlib
import io
import sqlite3
from pathlib import Path
from types import SimpleNamespace

import pytest

from stash_portability.backup import backup
from stash_portability.backup_options import BackupOptions
from stash_portability.database_copy import SECONDS
from stash_portability.errors import NoSpace, Unreachable, UsageError, VerificationFailed
from stash_portability.incremental import chain_of
from stash_portability.libraries.archive import ArchiveSource
from stash_portability.libraries.chain import open_archive
from stash_portability.libraries.connection import Limits
from stash_portability.libraries.database import DatabaseSource
from stash_portability.listing import listings
from stash_portability.means import Means
from stash_portability.progress import Quiet

from .libraries.stash_database import Tables, fill
from .test_incremental import NOON

IMAGE = b"a reed bed"
MD5, SHA256 = hashlib.md5(IMAGE, usedforsecurity=False).hexdigest(), hashlib.sha256(IMAGE).hexdigest()


class Connection:
    """A Stash that copies ``database`` and serves it in pieces; ``spoil`` changes what it serves."""

    def __init__(self, database, spoil=lambda content: content):
        self._database, self._spoil = database, spoil
        self.limits, self.seen = Limits(), []

    def call_GQL(self, query):  # noqa: N802
        self.seen.append((query.split("{")[0], self.limits.read))
        if "querySQL" in query:
            return {"querySQL": {"rows": [[str(self._database.stat().st_size)]]}}
        return {"backupDatabase": "https://elsewhere.example/prefix/downloads/ab12/stash-go.sqlite.75.20260501"}

    def download(self, path):
        self.seen.append((path, self.limits.read))
        content = self._spoil(self._database.read_bytes())
        for start in range(0, len(content), 1000):
            yield content[start : start + 1000]


class Stash:
    """A source that is a running Stash, as far as a copy of its database goes."""

    address = "http://films.example:9999"

    def __init__(self, database, blobs="", spoil=lambda content: content, schema=75):
        self._source = DatabaseSource(database, Path(blobs) if blobs else None)
        self.connection = Connection(database, spoil)
        self.about, self.read = self._source.about, self._source.read
        self._blobs, self._schema, self._database = blobs, schema, database

    @property
    def server(self):
        return self

    def status(self):
        return SimpleNamespace(blobs=self._blobs, schema=self._schema, database=str(self._database))

    def open_blob(self, blob):
        return io.BytesIO(IMAGE)


@pytest.fixture
def database(tmp_path):
    path = tmp_path / "stash-go.sqlite"
    tables = Tables(path)
    fill(tables)
    tables.close()
    return path


def make(folder, stash, **options):
    given = BackupOptions("http://films.example:9999", folder, include_database=True, **options)
    return backup(given, Quiet(), Means(now=lambda: NOON), stash)


def path_of(report):
    return Path(report.outputs[0])


@pytest.mark.parametrize("options", [{}, {"zstd": True}, {"container": "folder"}])
def test_it_is_in_the_archive_byte_by_byte(options, database, tmp_path):
    stash = Stash(database)
    path = path_of(make(tmp_path / "b", stash, **options))
    source = ArchiveSource(path)
    name = "db/stash.sqlite" + (".zst" if options.get("zstd") else "")
    with source.open(name) as stream:
        assert stream.read() == database.read_bytes()
    assert source.header["database"] == {"schema": 75, "bytes": database.stat().st_size, "images": "database"}
    assert [one.database for one in listings(path.parent)] == [True]
    assert len(list(path.parent.iterdir())) == 3


def test_it_is_asked_for_with_patience_and_fetched_from_the_address_we_know(database, tmp_path):
    stash = Stash(database)
    make(tmp_path / "b", stash)
    assert stash.connection.seen[1:] == [
        ("mutation Copy", SECONDS),
        ("/downloads/ab12/stash-go.sqlite.75.20260501", SECONDS),
    ]
    assert stash.connection.limits == Limits()


def keep_in_files(database, *names):
    """A Stash that keeps its images in files, by these names."""
    with sqlite3.connect(database) as connection:
        connection.execute("delete from blobs")
        connection.executemany("insert into blobs values (?, null)", [(name,) for name in names])
    return Stash(database, blobs="/films/blobs")


@pytest.fixture
def in_files(database):
    return keep_in_files(database, MD5)


@pytest.mark.parametrize("zstd", [False, True])
def test_where_images_in_files_belong_is_in_it(zstd, in_files, tmp_path):
    report = make(tmp_path / "b", in_files, zstd=zstd)
    source = ArchiveSource(path_of(report))
    assert source.header["database"]["images"] == "files"
    with source.open("db/images.tsv") as stream:
        assert stream.read().decode() == f"{MD5[:2]}/{MD5[2:4]}/{MD5}\t{SHA256}\n"
    assert source.has_blob(SHA256)
    assert report.remarks == []
    with source.open("README.txt") as stream:
        assert b"db/images.tsv" in stream.read()


def test_an_image_of_no_record_is_told(database, tmp_path):
    report = make(tmp_path / "b", keep_in_files(database, MD5, "cd" * 16))
    assert report.remarks == ["images that its database names and no record in this archive has: 1"]


def test_an_incremental_archive_holds_the_whole_database_and_not_the_images(in_files, tmp_path):
    make(tmp_path / "b", in_files)
    path = path_of(make(tmp_path / "b", in_files, incremental=True))
    assert len(chain_of(path)) == 2
    source = open_archive(path)
    assert {"db/stash.sqlite", "db/images.tsv"} <= source.members.keys()
    assert f"blobs/{SHA256}" not in source.members
    with source.open("README.txt") as stream:
        text = stream.read()
    assert b"or in those of the archives this one is built on" in text
    assert b"20260501T120000Z-stash.zip" in text


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda content: content[:-3000], "malformed|not a|missing|page"),
        (lambda content: b"<html>", "not a database"),
        (lambda content: b"", "schema|not a|no such table|not a Stash"),
        (lambda content: content[:4096] + b"\xff" * 3000 + content[7096:], "malformed|not a|page|btree|cell"),
    ],
)
def test_a_copy_that_is_damaged_is_no_backup(spoil, words, database, tmp_path):
    with pytest.raises(VerificationFailed, match=words):
        make(tmp_path / "b", Stash(database, spoil=spoil))
    assert list((tmp_path / "b").iterdir()) == []


def test_a_copy_of_another_schema_is_no_backup(database, tmp_path):
    with pytest.raises(VerificationFailed, match="its schema is 75, that of Stash 74"):
        make(tmp_path / "b", Stash(database, schema=74))
    assert list((tmp_path / "b").iterdir()) == []


def test_a_stash_that_goes_away_leaves_nothing(database, tmp_path, monkeypatch):
    def cut(_):
        yield b"SQLite format 3\0"
        raise Unreachable(address="http://films.example:9999", reason="the connection was cut")

    stash = Stash(database)
    monkeypatch.setattr(stash.connection, "download", cut)
    with pytest.raises(Unreachable):
        make(tmp_path / "b", stash)
    assert list((tmp_path / "b").iterdir()) == []
    assert stash.connection.limits == Limits()


def test_what_is_fetched_is_for_its_owner_only(database, tmp_path, monkeypatch):
    modes = []
    real = sqlite3.connect

    def look(address, **more):
        modes.append([entry.stat().st_mode & 0o777 for entry in (tmp_path / "b").rglob("spare-*")])
        return real(address, **more)

    stash = Stash(database)
    monkeypatch.setattr("stash_portability.database_copy.sqlite3.connect", look)
    make(tmp_path / "b", stash)
    assert modes == [[0o600]]


def test_no_room_is_told_before_anything_is_copied(database, tmp_path, monkeypatch):
    monkeypatch.setattr("shutil.disk_usage", lambda _: SimpleNamespace(free=database.stat().st_size))
    stash = Stash(database)
    with pytest.raises(NoSpace):
        make(tmp_path / "b", stash)
    assert len(stash.connection.seen) == 1
    assert list((tmp_path / "b").iterdir()) == []


def test_only_a_running_stash_can_do_it(database, tmp_path):
    with pytest.raises(UsageError, match="only a running Stash"):
        make(tmp_path / "b", DatabaseSource(database))
    assert list((tmp_path / "b").iterdir()) == []
