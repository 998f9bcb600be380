"""The two ways to read a Stash, by GraphQL and from its database file, give the same records, of a library in
which every field is filled somewhere and empty somewhere."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from stash_portability.kinds import KINDS, Field, Kind
from stash_portability.libraries.database import DatabaseSource
from stash_portability.libraries.local import choose
from stash_portability.libraries.stash import StashSource, open_stash
from stash_portability.model import Blob, Record, Source, Want

from ..contract import CHECKS, NAMES
from .stash_server import NEW, OLD, Login, Options, StashServer

IN_DATABASE = [kind for kind in KINDS if kind != "config"]
NEVER_EMPTY = {
    "tag": "name favorite ignore_auto_tag created_at updated_at",
    "studio": "name favorite ignore_auto_tag created_at updated_at",
    "performer": "name favorite ignore_auto_tag created_at updated_at",
    "group": "name created_at updated_at",
    "gallery": "organized created_at updated_at",
    "chapter": "gallery image_index created_at updated_at",
    "scene": "organized resume_time play_duration interactive created_at updated_at",
    "marker": "scene seconds primary_tag created_at updated_at",
    "image": "organized o_counter files galleries created_at updated_at",
    "saved_filter": "mode name",
}
"""Fields that always have a value; instead of an empty one they show two."""
NO_PART = {"scene.files.zip_file", "gallery.files.zip_file"}
"""Films and zips inside a zip are not found by a scan."""


@pytest.fixture
def graphql(each_stash: StashServer) -> StashSource:
    return open_stash(each_stash.url)


@pytest.fixture
def database(each_stash: StashServer) -> Iterator[DatabaseSource]:
    source = DatabaseSource(each_stash.database)
    yield source
    source.close()


def as_told(by_graphql: Record, by_file: Record) -> Record:
    """The record of the file, without what GraphQL cannot tell: which cover is chosen and which is only the first
    picture; on 0.27, some facts of files."""
    told, data = by_graphql.data, dict(by_file.data)
    if "cover" in data and by_graphql.kind == "gallery" and data["cover"] is None:
        data["cover"] = told["cover"]
    if "files" in told:
        data["files"] = [
            {name: value for name, value in file.items() if name in other}
            for file, other in zip(data["files"], told["files"], strict=True)
        ]
    return by_file._replace(data=data)


def records(source: Source, kind: str, **want: Any) -> list[Record]:
    return list(source.read(kind, Want(**want)))


@pytest.mark.parametrize("check", CHECKS, ids=NAMES)
@pytest.mark.parametrize("way", ["graphql", "database", "local"])
def test_every_reader_keeps_the_contract(
    way: str, check: Callable[[Source], None], each_stash: StashServer, request: pytest.FixtureRequest
) -> None:
    check(chosen(each_stash)[0] if way == "local" else request.getfixturevalue(way))


@pytest.mark.parametrize("kind", IN_DATABASE)
def test_every_record_is_equal_both_ways(graphql: StashSource, database: DatabaseSource, kind: str) -> None:
    by_graphql, by_file = records(graphql, kind), records(database, kind)
    assert by_graphql
    by_file = [as_told(*pair) for pair in zip(by_graphql, by_file, strict=True)]
    assert by_file == by_graphql
    assert [list(one.data) for one in by_file] == [list(one.data) for one in by_graphql], "order of fields"
    assert repr(by_file) == repr(by_graphql), "types: 1 is not 1.0 is not True"


@pytest.mark.parametrize("kind", IN_DATABASE)
def test_images_are_the_same_bytes_both_ways(graphql: StashSource, database: DatabaseSource, kind: str) -> None:
    blobs = [field.name for field in KINDS[kind].fields if field.type == "blob"]
    ways = [records(source, kind, blobs=True) for source in (graphql, database)]
    for first, second in zip(*ways, strict=True):
        for name in blobs:
            assert read_blob(graphql, first.data[name]) == read_blob(database, second.data[name]), (first.uid, name)
        assert list(first.data) == list(second.data)
    assert not blobs or any(record.data[name] for record in ways[0] for name in blobs)


def read_blob(source: Source, blob: Blob | None) -> bytes | None:
    if blob is None:
        return None
    with source.open_blob(blob) as stream:
        return stream.read()


@pytest.mark.parametrize("kind", IN_DATABASE)
def test_some_ids_and_some_fields_are_equal_both_ways(
    graphql: StashSource, database: DatabaseSource, kind: str
) -> None:
    uids = [record.uid for record in records(graphql, kind)]
    names = graphql.about().fields[kind]
    some = frozenset(name for name in names[::2] if KINDS[kind].field(name).type != "blob")  # type: ignore[union-attr]
    want = {"ids": [uids[-1], "999999", uids[0]], "fields": some | {"files"} & set(names)}
    pairs = zip(records(graphql, kind, **want), records(database, kind, **want), strict=True)
    assert all(as_told(first, second) == first for first, second in pairs)
    assert {record.uid for record in records(graphql, kind, **want)} == {uids[-1], uids[0]}


def test_both_ways_tell_the_same_fields_and_counts(graphql: StashSource, database: DatabaseSource) -> None:
    first, second = graphql.about(), database.about()
    assert first.schema == second.schema
    for kind in IN_DATABASE:
        assert first.fields[kind] == second.fields[kind], kind
        assert first.counts[kind] == second.counts[kind] == len(records(graphql, kind)), kind


def test_records_have_the_fields_they_are_said_to_have(graphql: StashSource) -> None:
    fields = graphql.about().fields
    for kind in IN_DATABASE:
        for record in records(graphql, kind, blobs=True):
            assert tuple(record.data) == fields[kind]


def empty(value: object) -> bool:
    return value is None or value == [] or value == {}


def never_filled(kind: Kind, found: list[Record], names: tuple[str, ...]) -> list[str]:
    return [f"{kind.name}.{name}" for name in names if all(empty(record.data[name]) for record in found)]


def never_empty(kind: Kind, found: list[Record], names: tuple[str, ...]) -> list[str]:
    always = NEVER_EMPTY[kind.name].split()
    shown = {name: {repr(record.data[name]) for record in found} for name in names}
    return [
        f"{kind.name}.{name}"
        for name in names
        if not any(empty(record.data[name]) for record in found)
        and not (name in always and (len(shown[name]) > 1 or name.endswith("_at")))
    ]


def test_the_library_fills_and_leaves_empty_every_field(graphql: StashSource) -> None:
    """Else the tests above prove less than they say."""
    missing: list[str] = []
    for name in IN_DATABASE:
        kind, found = KINDS[name], records(graphql, name, blobs=True)
        fields = graphql.about().fields[name]
        missing += never_filled(kind, found, fields) + never_empty(kind, found, fields)
    assert not missing


def parts_never_filled(kind: Kind, field: Field, found: list[Record]) -> list[str]:
    parts = [part for record in found for part in record.data.get(field.name) or ()]
    names = {name for part in parts for name in part}
    return [f"{kind.name}.{field.name}.{name}" for name in names if all(empty(part.get(name)) for part in parts)]


def test_the_library_fills_every_part(graphql: StashSource) -> None:
    missing: list[str] = []
    for name in IN_DATABASE:
        found = records(graphql, name)
        for field in KINDS[name].fields:
            if field.parts:
                missing += parts_never_filled(KINDS[name], field, found)
    assert set(missing) <= NO_PART


def test_settings_are_read_by_the_server(graphql: StashSource) -> None:
    groups = {record.data["group"]: record.data["settings"] for record in records(graphql, "config")}
    assert set(groups) == {"general", "interface", "dlna", "scraping", "defaults", "ui", "plugins"}
    assert groups["ui"]["title"] == 'Pond, "quiet"'
    assert "pondPlugin" not in groups["ui"]
    assert groups["plugins"]["pond"]["on"] is True
    assert "words" not in groups["plugins"]["pond"]
    assert "not-a-real" not in repr(groups)


@pytest.mark.parametrize("version", [NEW, OLD])
def test_empty_aliases_and_addresses_are_none_both_ways(new_stash: Any, version: str) -> None:
    """Stash keeps them, and shows them."""
    server = new_stash(version)
    server.graphql('mutation { tagCreate(input: {name: "Reeds", aliases: ["", "sedge"]}) { id } }')
    server.graphql(
        'mutation { performerCreate(input: {name: "Wren", alias_list: ["", "W"], urls: ["", "https://a.example"]})'
        " { id } }"
    )
    server.graphql('mutation { groupCreate(input: {name: "Year", urls: ["https://b.example", ""]}) { id } }')
    database = DatabaseSource(server.database)
    for kind in ("tag", "performer", "group"):
        (by_graphql,) = records(open_stash(server.url), kind)
        assert [by_graphql] == records(database, kind)
        lists = [by_graphql.data[name] for name in ("aliases", "urls") if isinstance(by_graphql.data.get(name), list)]
        assert any(lists)
        assert all("" not in values for values in lists)
    database.close()


def test_images_in_files_are_the_same_bytes_both_ways(new_stash: Any) -> None:
    server = new_stash(options=Options(files_for_blobs=True))
    image = "data:image/png;base64,iVBORw0KGgo="
    server.graphql(
        'mutation($image: String) { tagCreate(input: {name: "Reeds", image: $image}) { id } }', {"image": image}
    )
    source = DatabaseSource(server.database, server.folder / "blobs")
    (by_file,) = records(source, "tag", blobs=True)
    (by_graphql,) = records(open_stash(server.url), "tag", blobs=True)
    assert read_blob(source, by_file.data["image"]) == b"\x89PNG\r\n\x1a\n"
    assert read_blob(open_stash(server.url), by_graphql.data["image"]) == b"\x89PNG\r\n\x1a\n"


def chosen(server: StashServer, *, seed: int = 1) -> tuple[Source, list[str]]:
    notes: list[str] = []
    key = server.api_key or None
    return choose(open_stash(server.url, key), rng=random.Random(seed), note=notes.append), notes


def test_a_local_stash_is_read_from_its_file(each_stash: StashServer, graphql: StashSource) -> None:
    source, _ = chosen(each_stash)
    assert not isinstance(source, StashSource)
    assert "equal" in source.about().how
    for kind in KINDS:
        pairs = zip(records(graphql, kind), records(source, kind), strict=True)
        assert all(as_told(first, second) == first for first, second in pairs), kind


def test_a_stash_that_asks_for_a_key_is_read_from_its_file(new_stash: Any) -> None:
    server = new_stash(options=Options(login=Login("wren", "not-a-real-password")))
    server.graphql('mutation { tagCreate(input: {name: "Reeds"}) { id } }')
    source, notes = chosen(server)
    assert not isinstance(source, StashSource), notes
    assert [record.data["name"] for record in records(source, "tag")] == ["Reeds"]


def told_another_path(server: StashServer, path: Path) -> StashSource:
    """A Stash that says its database lies at ``path``, as behind a tunnel or in a container."""
    source = open_stash(server.url)
    status = replace(source.status(), database=str(path))
    source.status = lambda: status  # type: ignore[method-assign]
    return source


@pytest.mark.parametrize("other", ["another version", "a title was changed", "one more", "nothing there"])
def test_another_database_under_the_same_path_is_refused(
    stash_030: StashServer, new_stash: Any, tmp_path: Path, other: str
) -> None:
    path = tmp_path / "stash-go.sqlite"
    if other != "nothing there":
        twin = new_stash(OLD if other == "another version" else "0.30", populated=True)
        change(twin, other)
        path = twin.database
    notes: list[str] = []
    source = choose(told_another_path(stash_030, path), rng=random.Random(1), note=notes.append)
    assert isinstance(source, StashSource), source
    assert any("GraphQL" in note for note in notes), notes


def change(twin: StashServer, how: str) -> None:
    """Make the twin differ in every record of one kind, or by one record."""
    if how == "one more":
        twin.graphql('mutation { tagCreate(input: {name: "One more"}) { id } }')
    if how == "a title was changed":
        for uid in [twin.ids[name] for name in twin.ids if name.startswith("scene:")]:
            twin.graphql('mutation($id: ID!) { sceneUpdate(input: {id: $id, title: "Changed"}) { id } }', {"id": uid})


def test_one_that_is_being_written_to_is_read_whole(new_stash: Any) -> None:
    """What is in the write-ahead log counts: a record made a moment ago is there."""
    server = new_stash(populated=True)
    for number in range(50):
        server.graphql(
            "mutation($name: String!) { tagCreate(input: {name: $name}) { id } }", {"name": f"Fresh {number}"}
        )
        source = DatabaseSource(server.database)
        newest = records(source, "tag")[-1].data["name"]
        source.close()
        assert newest == f"Fresh {number}"
