"""What every Source promises, as checks that take one: memory, archive, tables, and a real Stash.

``pytest.mark.parametrize("check", CHECKS, ids=NAMES)`` runs them; each takes an open source.
"""

from __future__ import annotations

import re
from itertools import pairwise

from stash_portability.kinds import KINDS, Field, Kind
from stash_portability.model import Blob, Record, Source, Want

TIME = re.compile(r"\d{4,}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d*[1-9])?Z")
DATE = re.compile(r"\d{4}(-\d\d(-\d\d)?)?")
ABSENT = "987654321"


def kinds_of(source: Source) -> list[Kind]:
    return [KINDS[kind] for kind in source.about().fields]


def counts_agree_with_what_is_read(source: Source) -> None:
    counts = source.about().counts
    for kind in KINDS:
        if counts.get(kind) is not None:
            assert len(list(source.read(kind))) == counts[kind], kind


def ids_are_text_ascending_and_once_each(source: Source) -> None:
    for kind in kinds_of(source):
        uids = [record.uid for record in source.read(kind.name, Want(frozenset()))]
        assert all(isinstance(uid, str) and uid for uid in uids)
        assert len(set(uids)) == len(uids)
        if all(uid.isdigit() for uid in uids):
            assert all(int(one) < int(other) for one, other in pairwise(uids)), kind.name


def reading_twice_gives_the_same(source: Source) -> None:
    for kind in kinds_of(source):
        assert list(source.read(kind.name)) == list(source.read(kind.name))


def ids_that_are_wanted_come_and_missing_ones_are_passed_over(source: Source) -> None:
    for kind in kinds_of(source):
        records = list(source.read(kind.name))
        wanted = records[::2]
        ids = [record.uid for record in reversed(wanted)] + ([ABSENT] if kind.name != "config" else [])
        assert list(source.read(kind.name, Want(ids=ids))) == wanted
        assert list(source.read(kind.name, Want(ids=[]))) == []


def only_wanted_fields_come(source: Source) -> None:
    for kind in kinds_of(source):
        fields = [name for name in source.about().fields[kind.name] if _type(kind, name) != "blob"][::3]
        whole = list(source.read(kind.name))
        cut = list(source.read(kind.name, Want(frozenset(fields))))
        expected = [
            Record(kind.name, uid, {name: data[name] for name in data if name in fields}) for _, uid, data in whole
        ]
        assert cut == expected


def fields_are_those_of_the_table_in_its_order(source: Source) -> None:
    fields = source.about().fields
    for kind in kinds_of(source):
        order = kind.names()
        assert set(fields[kind.name]) <= set(order)
        for record in source.read(kind.name, Want(blobs=True)):
            assert record.kind == kind.name
            assert set(record.data) <= set(fields[kind.name])
            assert list(record.data) == [name for name in order if name in record.data]


def values_are_canonical(source: Source) -> None:
    for kind in kinds_of(source):
        for record in source.read(kind.name):
            for name, value in record.data.items():
                field = kind.field(name)
                assert field is not None
                problem = trouble(field, value)
                assert not problem, f"{kind.name} {record.uid} {name}: {problem}: {value!r}"


def blobs_come_only_when_wanted_and_their_bytes_are_there(source: Source) -> None:
    for kind in kinds_of(source):
        names = [field.name for field in kind.fields if field.type == "blob"]
        assert not any(name in record.data for record in source.read(kind.name) for name in names)
        for record in source.read(kind.name, Want(blobs=True)):
            for name in names:
                blob = record.data.get(name)
                if blob is not None:
                    assert isinstance(blob, Blob)
                    assert (blob.kind, blob.uid, blob.field) == (kind.name, record.uid, name)
                    with source.open_blob(blob) as stream:
                        assert stream.read()


CHECKS = (
    counts_agree_with_what_is_read,
    ids_are_text_ascending_and_once_each,
    reading_twice_gives_the_same,
    ids_that_are_wanted_come_and_missing_ones_are_passed_over,
    only_wanted_fields_come,
    fields_are_those_of_the_table_in_its_order,
    values_are_canonical,
    blobs_come_only_when_wanted_and_their_bytes_are_there,
)
NAMES = [check.__name__ for check in CHECKS]


def _type(kind: Kind, name: str) -> str:
    field = kind.field(name)
    return field.type if field else ""


def trouble(field: Field, value: object) -> str:
    """What is wrong with a value of ``field``; "" when nothing is."""
    if not field.many:
        return _trouble_of_one(field, value)
    if not isinstance(value, list):
        return "no list"
    for item in value:
        if item is None:
            return "None in a list"
        problem = _trouble_of_one(field, item)
        if problem:
            return problem
    return _trouble_of_order(field, value)


def _trouble_of_one(field: Field, value: object) -> str:
    if field.type == "part":
        if not isinstance(value, dict):
            return "no parts"
        known = [part.name for part in field.parts if part.name in value]
        if list(value) != known:
            return f"parts {list(value)}, not {known}"
        return next(
            (said for part in field.parts if part.name in value and (said := trouble(part, value[part.name]))), ""
        )
    if value is None:
        return "None instead of a map" if field.type == "map" else ""
    return "" if _FITS[field.type](value) else f"no {field.type}"


def _trouble_of_order(field: Field, value: list) -> str:
    if field.type == "ref" and value != [str(number) for number in sorted({int(uid) for uid in value})]:
        return "references not in order, or twice"
    if field.type == "time" and value != sorted(value):
        return "times not in order"
    if field.type == "text" and not field.ordered and value != sorted(set(value)):
        return "texts not in order, or twice"
    if field.key and not field.ordered and field.parts[0].type == "text":
        keys = [tuple(entry[part.name] for part in field.parts[:2]) for entry in value]
        return "" if keys == sorted(keys) else "entries not in order"
    return ""


_FITS = {
    "text": lambda value: isinstance(value, str) and value != "",
    "enum": lambda value: isinstance(value, str) and value.replace("_", "").isalnum(),
    "int": lambda value: isinstance(value, int) and not isinstance(value, bool),
    "float": lambda value: isinstance(value, float),
    "bool": lambda value: isinstance(value, bool),
    "date": lambda value: isinstance(value, str) and DATE.fullmatch(value),
    "time": lambda value: isinstance(value, str) and TIME.fullmatch(value),
    "ref": lambda value: isinstance(value, str) and value.isdigit(),
    "map": lambda value: isinstance(value, dict) and list(value) == sorted(value),
    "json": lambda value: True,
}
