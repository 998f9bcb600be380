"""The census: every field a live Stash shows of every type an export meets is in kinds.py, or left out there with
a reason; and every name in kinds.py is one the Stash has."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import pytest

from stash_portability.kinds import CONFIG_GROUPS, CONFIG_TYPES, KINDS, LEFT_OUT, Field, Kind

from .hand import Schema, named
from .stash_server import StashServer, binary_version

COUNTED = ("Tag", "Studio", "Performer", "Group")
NEWER_LEFT_OUT = {
    ("Folder", "basename"),
    ("Folder", "parent_folders"),
    ("ConfigInterfaceResult", "disableCustomizations"),
}
"""What LEFT_OUT and CONFIG_TYPES name for releases newer than any that was tried."""
RECORDS = [kind for kind in KINDS.values() if kind.name != "config"]
WRITES_OF = {"saved_filter": ("SaveFilterInput", "SaveFilterInput")}
ONLY_UPDATED = {("scene", "play_duration"), ("image", "")}

Version = tuple[int, ...]
Reads = dict[str, set[str]]


@pytest.fixture
def schema(each_stash: StashServer) -> Schema:
    return Schema(each_stash)


@pytest.fixture
def version(each_stash: StashServer) -> Version:
    return as_version(binary_version(each_stash.binary))


def as_version(text: str) -> Version:
    return tuple(map(int, text.split(".")[:2]))


def steps(field: Field) -> list[str]:
    return (field.read or field.name).split(".")


def possible(schema: Schema, type_: str) -> list[str]:
    """The object types behind a union, or the type itself."""
    if schema.types[type_]["kind"] == "UNION":
        return [name for name in schema.types if name in ("VideoFile", "ImageFile")]
    return [type_]


def walk(schema: Schema, type_: str, fields: Iterable[Field], reads: Reads) -> None:
    """Note in ``reads`` what kinds.py reads of ``type_`` and of the types behind its composite fields."""
    reads.setdefault(type_, {"id"})
    for field in fields:
        reached = list(path(schema, type_, steps(field)))
        for owner, name in reached:
            if name not in LEFT_OUT.get(owner, {}):
                reads.setdefault(owner, {"id"}).add(name)
        if field.parts and len(reached) == len(steps(field)):
            owner, name = reached[-1]
            for inner in possible(schema, named(schema.fields(owner)[name]["type"])):
                walk(schema, inner, field.parts, reads)


def path(schema: Schema, type_: str, names: list[str]) -> Iterator[tuple[str, str]]:
    """Each (type, field) on the way of a dotted read, as far as the server has it; an address we only take the
    bytes behind ends the way."""
    for name in names:
        found = schema.fields(type_).get(name)
        if found is None:
            return
        yield type_, name
        if name in LEFT_OUT.get(type_, {}):
            return
        type_ = named(found["type"])


def all_reads(schema: Schema) -> Reads:
    reads: Reads = {}
    for kind in RECORDS:
        walk(schema, kind.graphql, kind.fields, reads)
        if kind.inside:
            reads[KINDS[kind.inside[0]].graphql].add(kind.inside[1])
    return reads


def is_count(schema: Schema, type_: str, name: str) -> bool:
    arguments = [arg["name"] for arg in schema.fields(type_)[name]["args"]]
    return name.endswith("_count") and ("depth" in arguments or type_ in COUNTED)


def test_every_field_stash_shows_is_exported_or_left_out_with_a_reason(schema: Schema) -> None:
    reads = all_reads(schema)
    unknown = [
        f"{type_}.{name}"
        for type_, known in sorted(reads.items())
        for name in schema.fields(type_)
        if name not in known and name not in LEFT_OUT.get(type_, {}) and not is_count(schema, type_, name)
    ]
    assert not unknown


def test_no_field_is_both_exported_and_left_out_but_addresses_of_blobs(schema: Schema) -> None:
    blobs = {(kind.graphql, steps(field)[0]) for kind in RECORDS for field in kind.fields if field.type == "blob"}
    both = [
        (kind.graphql, steps(field)[0])
        for kind in RECORDS
        for field in kind.fields
        if steps(field)[0] in LEFT_OUT.get(kind.graphql, {})
    ]
    assert set(both) <= blobs


def dated(schema: Schema, type_: str, fields: Iterable[Field]) -> Iterator[tuple[str, str, bool]]:
    """(name, since, whether the server has it) of each field and, where it is there, of its parts."""
    for field in fields:
        names = steps(field)
        reached = list(path(schema, type_, names))
        there = len(reached) == len(names) or (bool(reached) and reached[-1][1] in LEFT_OUT.get(reached[-1][0], {}))
        yield f"{type_}.{'.'.join(names)}", field.since, there
        if field.parts and there:
            owner, name = reached[-1]
            yield from inner_dated(schema, possible(schema, named(schema.fields(owner)[name]["type"])), field.parts)


def inner_dated(schema: Schema, types: list[str], parts: tuple[Field, ...]) -> Iterator[tuple[str, str, bool]]:
    """A part is there when one of the types behind a union has it."""
    found = [list(dated(schema, type_, parts)) for type_ in types]
    for several in zip(*found, strict=True):
        yield several[0][0], several[0][1], any(one[2] for one in several)


def test_every_name_in_the_table_is_there_from_the_release_it_says(schema: Schema, version: Version) -> None:
    wrong = [
        f"{name}: since {since}, but {'there' if there else 'not there'}"
        for kind in RECORDS
        for name, since, there in dated(schema, kind.graphql, kind.fields)
        if there != (as_version(since) <= version)
    ]
    assert not wrong


def test_everything_left_out_exists_somewhere(stash_030: StashServer, stash_027: StashServer) -> None:
    schemas = [Schema(stash_030), Schema(stash_027)]
    tables = {**LEFT_OUT, **{type_: left for type_, (_, left) in CONFIG_TYPES.items()}}
    gone = [
        (type_, name)
        for type_, names in tables.items()
        for name in names
        if not any(name in schema.fields(type_) for schema in schemas)
    ]
    assert set(gone) <= NEWER_LEFT_OUT


def inputs(kind: Kind) -> tuple[str, str]:
    return WRITES_OF.get(kind.name, (f"{kind.graphql}CreateInput", f"{kind.graphql}UpdateInput"))


def test_every_written_name_is_one_that_inputs_have(schema: Schema, version: Version) -> None:
    missing = []
    for kind in RECORDS:
        create, update = inputs(kind)
        for field in kind.fields:
            if field.writer not in ("create", "update") or not field.write or as_version(field.since) > version:
                continue
            if field.writer == "update" and field.write not in schema.keys(update):
                missing.append(f"{update}.{field.write}")
            if (
                schema.keys(create)
                and (kind.name, field.name) not in ONLY_UPDATED
                and field.write not in schema.keys(create)
            ):
                missing.append(f"{create}.{field.write}")
    assert not missing


def test_every_field_stash_takes_has_its_writer(schema: Schema) -> None:
    """An exported field that an input of Stash takes is not marked as one that cannot be given."""
    wrong = [
        f"{kind.name}.{field.name}"
        for kind in RECORDS
        for field in kind.fields
        if not field.writer and field.name in schema.keys(inputs(kind)[1])
    ]
    assert not wrong


def test_every_odd_writer_is_a_mutation(schema: Schema) -> None:
    writers = {field.writer for kind in RECORDS for field in kind.fields} - {"", "create", "update"}
    writers |= {part.writer for kind in RECORDS for field in kind.fields for part in field.parts} - {
        "",
        "create",
        "update",
    }
    assert writers <= set(schema.mutations)


def test_queries_filters_and_modes_are_those_of_stash(schema: Schema) -> None:
    queries = schema.fields("Query")
    modes = {one["name"] for one in schema.types["FilterMode"]["enumValues"]}
    for kind in RECORDS:
        if kind.find:
            arguments = {arg["name"] for arg in queries[kind.find]["args"]}
            assert not kind.criteria or kind.criteria in arguments, kind.name
            assert not kind.found or kind.found in schema.fields(named(queries[kind.find]["type"])), kind.name
        assert not kind.filter_type or schema.keys(kind.filter_type), kind.name
        assert set(kind.modes) <= modes, kind.name
    assert modes == {mode for kind in RECORDS for mode in kind.modes}


def config_types(schema: Schema, type_: str, seen: set[str]) -> set[str]:
    """The object types that exported settings of ``type_`` lead to."""
    seen.add(type_)
    for name, field in schema.fields(type_).items():
        inner = named(field["type"])
        kept = type_ not in CONFIG_TYPES or name in CONFIG_TYPES[type_][0].split()
        if kept and schema.fields(inner) and inner not in seen:
            config_types(schema, inner, seen)
    return seen


def test_every_setting_is_exported_or_left_out_with_a_reason(schema: Schema) -> None:
    assert set(CONFIG_GROUPS) == set(schema.fields("ConfigResult"))
    reached = {type_ for group in CONFIG_GROUPS.values() if group for type_ in config_types(schema, group, set())}
    assert reached == set(CONFIG_TYPES)
    for type_ in reached:
        kept, left = CONFIG_TYPES[type_]
        assert set(schema.fields(type_)) <= set(kept.split()) | set(left), type_
        assert not set(kept.split()) & set(left), type_


def test_every_setting_of_the_table_is_one_of_the_newest_stash(stash_030: StashServer) -> None:
    schema = Schema(stash_030)
    for type_, (kept, _) in CONFIG_TYPES.items():
        assert set(kept.split()) <= set(schema.fields(type_)), type_
