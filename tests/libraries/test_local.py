"""Choosing between the database file and GraphQL: the file is only taken when it is proved to be the server's."""

from __future__ import annotations

import io
import random
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import IO, Any

import pytest

from stash_portability.errors import RecordError, StashSaidNo, Unreachable
from stash_portability.kinds import KINDS
from stash_portability.libraries.database import DatabaseSource
from stash_portability.libraries.local import LocalStash, choose, same
from stash_portability.libraries.stash import Status
from stash_portability.model import Blob, Record, Want

from .stash_database import Tables, fill


class FakeStash:
    """Stands for the GraphQL reader: it shows what lay in the file when it was made, changed as a test wants."""

    address = "http://stash.example:9999"

    def __init__(self, path: Path) -> None:
        source = DatabaseSource(path, on_error=lambda error: None)
        self.records = {kind: list(source.read(kind)) for kind in KINDS}
        source.close()
        self.connection = self
        self.asked: list[str] = []
        self.told = Status("v0.30.1", 75, str(path), "", "DATABASE", "linux", "/", "OK")

    def status(self) -> Status:
        return self.told

    def call_GQL(self, query: str) -> dict[str, Any]:  # noqa: N802 - its name in stashapp-tools
        self.asked.append("extent")
        answer: dict[str, Any] = {}
        for kind in KINDS.values():
            ids = sorted((record.uid for record in self.records[kind.name]), key=int)
            if kind.found:
                answer[kind.name] = {"count": len(ids), kind.found: [{"id": uid} for uid in ids[-1:]]}
        chapters = self.records["chapter"]
        answer["chapter"] = {"galleries": [{"chapters": [{"id": record.uid}]} for record in chapters]}
        answer["saved_filter"] = [{"id": record.uid} for record in self.records["saved_filter"]]
        return answer

    def read(self, kind: str, want: Want) -> Iterator[Record]:
        self.asked.append(kind)
        if kind == "config":
            return iter([Record("config", "ui", {"group": "ui", "settings": {}})])
        if want.blobs:
            return iter([Record(kind, "1", {"cover": Blob(kind, "1", "cover", "http://stash/cover")})])
        return (record for record in self.records[kind] if want.ids is None or record.uid in want.ids)

    def read_parts(self, kind: str, owners: Sequence[str], want: Want) -> Iterator[Record]:
        return self.read(kind, want)

    def open_blob(self, blob: Blob) -> IO[bytes]:
        return io.BytesIO(blob.key.encode())

    def find_ids(self, kind: str, criteria: Any, query: str = "") -> Iterator[str]:
        return iter(["3"])

    def count(self, kind: str, criteria: Any, query: str = "") -> int:
        return 1

    def find_ids_since(self, kind: str, since: str) -> Iterator[str]:
        return iter(["1"])

    def saved_filter(self, name: str) -> Any:
        return "scene", {}, name

    def edit(self, kind: str, at: int = 0, **values: Any) -> None:
        record = self.records[kind][at]
        self.records[kind][at] = record._replace(data={**record.data, **values})


@pytest.fixture
def tables(tmp_path: Path) -> Iterator[Tables]:
    made = Tables(tmp_path / "stash-go.sqlite")
    fill(made)
    yield made
    made.close()


@pytest.fixture
def stash(tables: Tables) -> FakeStash:
    return FakeStash(tables.path)


def chosen(stash: Any, **more: Any) -> tuple[Any, str]:
    notes: list[str] = []
    source = choose(stash, rng=random.Random(4), note=notes.append, **more)
    (note,) = notes
    return source, note


def test_the_servers_own_file_is_taken(stash: FakeStash) -> None:
    source, note = chosen(stash)
    assert isinstance(source, LocalStash)
    assert "records read both ways were equal" in note
    assert source.about().how in note
    source.close()


def test_few_requests_are_made(stash: FakeStash) -> None:
    chosen(stash)
    assert sorted(stash.asked) == sorted(["extent", *(kind for kind in KINDS if kind != "config")])


def refused(stash: FakeStash, words: str) -> None:
    source, note = chosen(stash)
    assert source is stash
    assert "GraphQL" in note
    assert words in note


@pytest.mark.parametrize("path", ["", "stash-go.sqlite", "/nowhere/stash-go.sqlite", "C:\\stash\\stash-go.sqlite"])
def test_without_the_file_graphql_is_taken(stash: FakeStash, path: str) -> None:
    stash.told = replace(stash.told, database=path)
    refused(stash, "not on this machine")


def test_a_file_that_is_no_database_is_not_taken(stash: FakeStash, tmp_path: Path) -> None:
    (tmp_path / "other").write_bytes(b"<html>")
    stash.told = replace(stash.told, database=str(tmp_path / "other"))
    refused(stash, "web page")


def test_an_unknown_schema_is_not_read_from_the_file(stash: FakeStash, tables: Tables) -> None:
    tables.run("update schema_migrations set version = 99")
    refused(stash, "only schemas 68")


def test_a_file_of_another_schema_is_not_taken(stash: FakeStash) -> None:
    stash.told = replace(stash.told, schema=74)
    refused(stash, "schema 75")


def test_a_file_with_another_number_of_records_is_not_taken(stash: FakeStash) -> None:
    stash.records["tag"].pop(0)
    refused(stash, "other tags")


def test_a_file_with_another_newest_record_is_not_taken(stash: FakeStash) -> None:
    record = stash.records["performer"][-1]
    stash.records["performer"][-1] = record._replace(uid="77")
    refused(stash, "other performers")


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "config"])
def test_a_file_whose_newest_record_is_another_is_not_taken(stash: FakeStash, kind: str) -> None:
    name = next(iter(stash.records[kind][-1].data))
    stash.edit(kind, -1, **{name: "something else"})
    refused(stash, f"a {kind} in the file is not the one")


def test_a_record_the_server_does_not_show_is_not_taken(stash: FakeStash) -> None:
    read = stash.read
    stash.read = lambda kind, want: iter(()) if kind == "scene" else read(kind, want)  # type: ignore[method-assign]
    refused(stash, "a scene in the file")


def test_a_server_that_cannot_show_a_sample_is_not_believed(stash: FakeStash) -> None:
    def fail(kind: str, want: Want) -> Iterator[Record]:
        raise StashSaidNo("null")

    stash.read = fail  # type: ignore[method-assign]
    refused(stash, "could not be compared")


def test_an_edit_between_the_two_readings_does_not_matter(stash: FakeStash, tables: Tables) -> None:
    def edited_meanwhile(kind: str, want: Want) -> Iterator[Record]:
        if not tables.connection.execute("select 1 from tags where name = 'edited'").fetchone():
            tables.run("update tags set name = 'edited' where id = 10")
            stash.edit("tag", -1, name="edited")
        return FakeStash.read(stash, kind, want)

    tables.run("pragma journal_mode = wal")
    stash.read = edited_meanwhile  # type: ignore[method-assign]
    source, _ = chosen(stash)
    assert isinstance(source, LocalStash)
    (tag,) = source.read("tag", Want(ids=["10"]))
    assert tag.data["name"] == "edited"


def test_a_server_that_is_gone_is_an_error(stash: FakeStash) -> None:
    def gone() -> Status:
        raise Unreachable(address="x", reason="y")

    stash.status = gone  # type: ignore[method-assign]
    with pytest.raises(Unreachable):
        chosen(stash)


def test_damaged_records_are_told_when_they_are_read_and_not_before(tables: Tables) -> None:
    tables.run("update tags set created_at = 'never' where id = 10")
    stash, told = FakeStash(tables.path), []
    stash.records["tag"].append(Record("tag", "10", {}))
    source, _ = chosen(stash, on_error=told.append)
    assert told == []
    assert [record.uid for record in source.read("tag")] == ["1", "2"]
    assert [str(error)[:6] for error in told] == ["tag 10"]


def test_the_file_is_let_go_when_anything_fails(stash: FakeStash, monkeypatch: pytest.MonkeyPatch) -> None:
    closed: list[DatabaseSource] = []
    close = DatabaseSource.close

    def closing(source: DatabaseSource) -> None:
        closed.append(source)
        close(source)

    def lost(kind: str, want: Want) -> Iterator[Record]:
        raise Unreachable(address="x", reason="y")

    monkeypatch.setattr(DatabaseSource, "close", closing)
    stash.read = lost  # type: ignore[method-assign]
    with pytest.raises(Unreachable):
        chosen(stash)
    assert len(closed) == 1


def test_what_is_not_in_the_file_comes_from_the_server(stash: FakeStash, tables: Tables) -> None:
    source, _ = chosen(stash)
    assert [record.uid for record in source.read("config")] == ["ui"]
    assert list(source.find_ids("scene", {})) == ["3"]
    assert list(source.find_ids_since("scene", "2020-01-01T00:00:00Z")) == ["1"]
    assert source.count("scene", {}) == 1
    assert source.saved_filter("x") == ("scene", {}, "x")
    about = source.about()
    assert (about.product, about.version, about.schema, about.address) == ("Stash", "v0.30.1", 75, FakeStash.address)
    assert (about.fields["config"], about.counts["scene"]) == (KINDS["config"].names(), 2)
    assert [record.uid for record in source.read_parts("marker", ["3"])] == ["1"]


def test_an_image_that_is_not_in_the_file_comes_from_the_server(stash: FakeStash, tables: Tables) -> None:
    source, _ = chosen(stash)
    (scene,) = source.read("scene", Want(ids=["1"], blobs=True))
    assert source.open_blob(scene.data["cover"]).read() == b"\x89PNG"
    assert source.open_blob(scene.data["cover"]._replace(key="gone")).read() == b"http://stash/cover"
    stash.read = lambda kind, want: iter(())  # type: ignore[method-assign]
    with pytest.raises(RecordError):
        source.open_blob(scene.data["cover"]._replace(key="gone"))


def image(**data: Any) -> Record:
    return Record("image", "1", data)


def test_what_only_one_reader_can_tell_does_not_matter() -> None:
    files = [{"path": "/a/b.png", "zip_file": None}]
    assert same(image(title="b.png", files=files), image(title=None, files=[{"path": "/a/b.png"}]))
    assert not same(image(title=None, files=files), image(title="b.png", files=files))
    assert not same(image(title="c.png", files=files), image(title=None, files=files))
    assert not same(image(title="x", files=files), image(title="b.png", files=files))
    assert not same(image(files=files), image(files=[]))
    assert not same(image(files=files), image(files=[{"path": "/a/c.png"}]))
    assert not same(image(tags=["1"]), image(tags=["2"]))
    assert same(Record("gallery", "1", {"cover": None}), Record("gallery", "1", {"cover": "3"}))
