"""What the database reader passes over, and what it refuses: damaged records, other files, databases at rest."""

from __future__ import annotations

import gzip
import os
from pathlib import Path

import pytest

from stash_portability.errors import RecordError, Unreadable, UnsupportedVersion
from stash_portability.libraries.database import DatabaseSource
from stash_portability.libraries.database_shape import _quiet

from .stash_database import STAMP, Make, Open, Tables, fill

DAMAGED = {
    "bad UTF-8 in the row": "update scenes set title = cast(X'FF41' as text) where id = 3",
    "bad UTF-8 in a relation": "insert into scene_urls values (3, 0, cast(X'FF41' as text))",
    "bad UTF-8 in a path": "insert into scenes_files values (3, 9, 1)",
    "bytes for text": "insert into scene_urls values (3, 0, X'4142')",
    "an impossible time": "update scenes set created_at = '2021-13-01T00:00:00Z' where id = 3",
    "February 31st": "update scenes set created_at = '2021-02-31T00:00:00Z' where id = 3",
    "February 31st in a zone": "update scenes set created_at = '2021-02-31T00:00:00+02:00' where id = 3",
    "hour 24": "update scenes set created_at = '2021-02-01T24:00:00Z' where id = 3",
    "no time": "update scenes set created_at = 'never' where id = 3",
    "no time at all": "update scenes set created_at = '' where id = 3",
    "a number for a time": "update scenes set created_at = X'00' where id = 3",
    "an impossible date": "update scenes set date = '2021-02-30' where id = 3",
    "no date": "update scenes set date = 'May' where id = 3",
    "an impossible play": "insert into scenes_view_dates values (3, 'yesterday')",
    "an impossible O": "insert into scenes_o_dates values (3, '2021-99-99T00:00:00Z')",
    "text for a number": "update scenes set rating = 'good' where id = 3",
    "a fraction for a number": "update scenes set rating = 5.5 where id = 3",
    "text for a float": "update scenes set resume_time = 'long' where id = 3",
    "text for a yes": "update scenes set organized = 'yes' where id = 3",
}


@pytest.mark.parametrize("damage", DAMAGED)
def test_a_damaged_record_is_passed_over_and_told_and_the_others_are_read(
    tables: Tables, reader: Open, damage: str
) -> None:
    fill(tables)
    tables("scenes", id=4, title="After it")
    tables("files", id=9, basename=b"", parent_folder_id=1, size=1, mod_time=STAMP)
    tables.run("update files set basename = cast(X'FF41' as text) where id = 9")
    tables.run(DAMAGED[damage])
    told: list[RecordError] = []
    source = reader(tables, on_error=told.append)
    assert [record.uid for record in source.read("scene")] == ["1", "4"]
    (error,) = told
    assert str(error).startswith("scene 3 is left out: ")
    assert "never" not in str(error), "values stay out of messages"
    with pytest.raises(RecordError):
        list(reader(tables).read("scene"))


@pytest.mark.parametrize("column", ["find_filter", "object_filter", "ui_options"])
@pytest.mark.parametrize("text", ["{bad", "[" * 100_000])
def test_a_saved_filter_that_is_no_json_is_passed_over(tables: Tables, reader: Open, column: str, text: str) -> None:
    tables("saved_filters", id=1, mode="TAGS", name="x", **{column: text})
    tables("saved_filters", id=2, mode="TAGS", name="y")
    told: list[RecordError] = []
    assert [record.uid for record in reader(tables, on_error=told.append).read("saved_filter")] == ["2"]
    assert len(told) == 1


@pytest.mark.parametrize("schema", [67, 87])
def test_an_unknown_schema_is_refused(make: Make, reader: Open, schema: int) -> None:
    with pytest.raises(UnsupportedVersion, match=f"schema {schema}"):
        reader(make(schema=schema))


def test_a_half_migrated_database_is_refused(tables: Tables, reader: Open) -> None:
    tables.run("update schema_migrations set dirty = 1")
    with pytest.raises(Unreadable, match="not finished"):
        reader(tables)


@pytest.mark.parametrize("missing", ["schema_migrations", "scenes", "files"])
def test_another_database_is_refused(make: Make, reader: Open, missing: str) -> None:
    with pytest.raises(Unreadable, match="not a Stash database"):
        reader(make(changed={missing: None}))


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "empty"),
        (b"<!DOCTYPE html><html>", "web page"),
        (b"\n <html>", "web page"),
        (gzip.compress(b"SQLite format 3\0"), "gzip"),
        (b"PK\x03\x04xxxx", "zip"),
        (b"7z\xbc\xaf\x27\x1c", "7z"),
        (b"age-encryption.org/v1\n", "encrypted"),
        (b'{"data":1}', "JSON"),
        (b"anything", "not an SQLite database"),
        (b"SQLite format 3\0" + b"x" * 4096, "damaged"),
    ],
)
def test_a_file_that_is_no_database_is_told_what_it_is(tmp_path: Path, content: bytes, words: str) -> None:
    path = tmp_path / "stash-go.sqlite"
    path.write_bytes(content)
    with pytest.raises(Unreadable, match=words):
        DatabaseSource(path)


def test_a_folder_and_nothing_are_refused(tmp_path: Path) -> None:
    with pytest.raises(Unreadable, match="folder"):
        DatabaseSource(tmp_path)
    with pytest.raises(Unreadable, match="No such file"):
        DatabaseSource(tmp_path / "nothing")
    assert list(tmp_path.iterdir()) == []


def test_a_torn_file_is_unreadable_and_nothing_else(tables: Tables) -> None:
    fill(tables)
    for uid in range(100, 3000):
        tables("tags", id=uid, name="reed " * 20)
    tables.close()
    whole = tables.path.read_bytes()
    for kept in (5000, len(whole) // 2, len(whole) - 5000):
        tables.path.write_bytes(whole[:kept])
        assert_unreadable(tables.path)
    tables.path.write_bytes(whole[: len(whole) // 2] + bytes(100_000) + whole[len(whole) // 2 + 100_000 :])
    assert_unreadable(tables.path)


def assert_unreadable(path: Path) -> None:
    with pytest.raises(Unreadable, match="damaged"):
        for record in DatabaseSource(path).read("tag"):
            assert record.data["name"]


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="needs a user whom permissions bind")
def test_a_database_at_rest_in_a_folder_of_another_user_is_read(tables: Tables, reader: Open) -> None:
    tables.run("pragma journal_mode = wal")
    tables("tags", id=1, name="reed")
    tables.close()
    tables.path.parent.chmod(0o500)
    try:
        source = reader(tables)
        assert source.at_rest
        assert [record.data["name"] for record in source.read("tag")] == ["reed"]
        assert list(tables.path.parent.iterdir()) == [tables.path]
    finally:
        tables.path.parent.chmod(0o700)


@pytest.mark.parametrize("how", ["opened", "written"])
def test_a_database_at_rest_is_watched(tables: Tables, how: str) -> None:
    quiet = _quiet(tables.path)
    assert quiet is not None
    quiet.check()
    if how == "opened":
        tables.path.with_name(tables.path.name + "-wal").write_bytes(b"")
    else:
        tables("tags", id=9, name="x" * 10_000)
    with pytest.raises(Unreadable, match="started on it"):
        quiet.check()


def test_a_database_of_another_user_is_opened_without_leaving_files_that_would_lock_its_stash_out(
    tables: Tables, reader: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    tables.run("pragma journal_mode = wal")
    tables("tags", id=1, name="reed")
    tables.close()
    monkeypatch.setattr(os, "geteuid", lambda: tables.path.stat().st_uid + 1, raising=False)
    source = reader(tables)
    assert source.at_rest
    assert [record.data["name"] for record in source.read("tag")] == ["reed"]
    assert list(tables.path.parent.iterdir()) == [tables.path]
