"""Every format gives back what it was given, and then the same bytes again, whatever the text is."""

from __future__ import annotations

import importlib.util
import io
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from stash_portability.kinds import KINDS
from stash_portability.libraries.archive import ArchiveSource
from stash_portability.libraries.tables import FORMS, Layout, TableSink, TableSource
from stash_portability.libraries.tables.source import _READERS
from stash_portability.libraries.tables.table_read import read_rows
from stash_portability.libraries.tables.values import guard, read_list, read_text, unguard, write_list, write_text
from stash_portability.model import Blob, Want
from stash_portability.storage.container import open_output
from stash_portability.transform.paths import field_columns, sheet_columns

from ..hostile import TEXTS, MemoryContainer, libraries, records

ROOT = Path(__file__).parents[2]
DEMO = ROOT / "examples" / "demo"
TABLES = ("csv", "tsv")
DOCUMENTS = [form for form in FORMS if form not in TABLES]
QUICK = settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    phases=(Phase.explicit, Phase.reuse, Phase.generate),  # a record is too large to shrink in good time
)


def plain(kinds, **more):
    fields = {kind: [field.name for field in KINDS[kind].fields if field.type != "blob"] for kind in kinds}
    return Layout({kind: field_columns(KINDS[kind], tuple(fields[kind])) for kind in kinds}, **more)


def written(form, layout, given_records):
    container = MemoryContainer()
    with TableSink(container, form, layout) as sink:
        for record in given_records:
            sink.put(record)
    return container.contents[""]


@pytest.mark.parametrize("form", DOCUMENTS)
@QUICK
@given(libraries())
def test_documents_give_everything_back(form, library):
    layout = plain(KINDS, header={"tool": "test <&> \\"})
    document = written(form, layout, library)
    again = list(_READERS[form](io.BytesIO(document), "document", None))
    assert again == library
    assert [list(record.data) for record in again] == [list(record.data) for record in library]
    assert written(form, layout, again) == document
    for kind in {record.kind for record in library}:
        only = list(_READERS[form](io.BytesIO(document), "document", kind))
        assert only == [record for record in library if record.kind == kind]


@pytest.mark.parametrize("form", TABLES)
@pytest.mark.parametrize("safe", [False, True])
@QUICK
@given(
    st.sampled_from(list(KINDS)).flatmap(lambda kind: st.lists(records(KINDS[kind]), min_size=1, max_size=2)),
    st.booleans(),
)
def test_tables_give_everything_back(form, safe, rows, bom):
    kind = KINDS[rows[0].kind]
    layout = plain([kind.name], csv_safe=safe, bom=bom)
    table = written(form, layout, rows)
    again = list(read_rows(io.BytesIO(table), "table", kind, "\t" if form == "tsv" else ""))
    assert [record.uid for record in again] == [record.uid for record in rows]
    for one, other in zip(again, rows, strict=True):
        for field in kind.fields:
            if field.type != "blob":
                assert one.data[field.name] == other.data.get(field.name, [] if field.many else None), field.name
    assert written(form, layout, again) == table


@pytest.mark.parametrize("safe", [False, True])
@QUICK
@given(st.sampled_from(list(KINDS)).flatmap(lambda kind: st.lists(records(KINDS[kind]), min_size=1, max_size=2)))
def test_a_sheet_gives_the_same_sheet_again(safe, rows):
    kind = KINDS[rows[0].kind]
    layout = Layout({kind.name: sheet_columns(kind, kind.names())}, sheet=True, csv_safe=safe)
    sheet = written("csv", layout, rows)
    again = list(read_rows(io.BytesIO(sheet), "sheet", kind))
    assert written("csv", layout, again) == sheet


@settings(max_examples=500, deadline=None)
@given(TEXTS, st.lists(st.none() | TEXTS, max_size=4))
def test_cells_are_reversible(text, items):
    assert read_text(write_text(text)) == text
    assert read_list(write_list(items)) == items
    assert unguard(guard(text, text=True)) == text
    assert "\n" not in write_list(items)
    assert "\0" not in write_text(text) + write_list(items)


def copy(source, target, form, single):
    """Write all of ``source`` as ``form``; images too where there is room for them."""
    about = source.about()
    columns = {}
    for kind, names in about.fields.items():
        fields = tuple(name for name in names if not single or KINDS[kind].field(name).type != "blob")
        columns[kind] = field_columns(KINDS[kind], fields)
    shape = "file" if single else "zip" if target.suffix == ".zip" else "folder"
    with TableSink(open_output(target, shape), form, Layout(columns, single=single, header={"a": 1})) as sink:
        for kind in columns:
            for record in source.read(kind, Want(blobs=not single)):
                data = {}
                for name, value in record.data.items():
                    data[name] = sink.put_blob(source.open_blob(value)) if isinstance(value, Blob) else value
                sink.put(record._replace(data=data))
    return target


def content(path):
    if path.is_file():
        return path.read_bytes()
    return {str(file.relative_to(path)): file.read_bytes() for file in sorted(path.rglob("*")) if file.is_file()}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("name", ["folder", "archive.zip"])
def test_the_demo_goes_through_every_format(form, name, tmp_path):
    demo = ArchiveSource(DEMO)
    first = copy(demo, tmp_path / f"1-{name}", form, single=False)
    source = TableSource(first)
    for kind in demo.about().fields:
        assert list(source.read(kind)) == list(demo.read(kind)), kind
    second = copy(source, tmp_path / f"2-{name}", form, single=False)
    assert content(second) == content(first)
    assert source.header == {"a": 1}


@pytest.mark.parametrize("form", DOCUMENTS)
def test_the_demo_goes_through_one_document(form, tmp_path):
    demo = ArchiveSource(DEMO)
    first = copy(demo, tmp_path / f"1.{form}", form, single=True)
    source = TableSource(first)
    for kind in demo.about().fields:
        assert list(source.read(kind)) == list(demo.read(kind))
    assert content(copy(source, tmp_path / f"2.{form}", form, single=True)) == content(first)


def test_the_demo_is_what_its_script_makes(tmp_path):
    spec = importlib.util.spec_from_file_location("make_demo", ROOT / "examples" / "make_demo.py")
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    script.write(tmp_path / "demo")
    assert content(tmp_path / "demo") == content(DEMO)
