"""Tables in general: the contract, layouts and profiles, and JSON, JSONL and YAML that are not what they should be."""

from __future__ import annotations

import json
import shutil

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from stash_portability.errors import BadProfile, PortabilityError, RecordError, Unreadable, UnsupportedVersion
from stash_portability.kinds import KINDS
from stash_portability.libraries.archive import ArchiveSource
from stash_portability.libraries.tables import FORMS, Layout, TableSink, TableSource
from stash_portability.libraries.tables.getters import getter, path_getter
from stash_portability.libraries.tables.yaml_form import parse_document
from stash_portability.model import Record
from stash_portability.storage.container import open_output
from stash_portability.transform.paths import Column, field_columns, parse, sheet_columns
from stash_portability.transform.walk import value as walk

from ..contract import CHECKS, NAMES
from ..hostile import MemoryContainer, records
from .test_round_trip import DEMO, DOCUMENTS, copy, written


@pytest.fixture(scope="module", params=[f"{form} {shape}" for form in FORMS for shape in ("folder", "zip")])
def exported(request, tmp_path_factory):
    form, shape = request.param.split()
    place = tmp_path_factory.mktemp("tables") / ("all.zip" if shape == "zip" else "all")
    return TableSource(copy(ArchiveSource(DEMO), place, form, single=False))


@pytest.fixture(scope="module", params=DOCUMENTS)
def document(request, tmp_path_factory):
    place = tmp_path_factory.mktemp("documents") / f"all.{request.param}"
    return TableSource(copy(ArchiveSource(DEMO), place, request.param, single=True))


@pytest.mark.parametrize("check", CHECKS, ids=NAMES)
def test_contract_of_a_folder_or_zip(check, exported):
    check(exported)


@pytest.mark.parametrize("check", CHECKS, ids=NAMES)
def test_contract_of_one_document(check, document):
    check(document)


def test_a_folder_says_what_it_holds(exported):
    about = exported.about()
    assert about.product == "tables"
    assert (about.counts["scene"], about.counts["tag"]) == (11, 12)
    assert about.fields["tag"] == KINDS["tag"].names()


def names(kind, uid):
    known = {
        "name": f"{kind} {uid}",
        "title": None,
        "files": [{"path": f"/m/{uid}"}],
        "disambiguation": None,
        "tags": [uid],
    }
    return known if int(uid) % 3 else None


@settings(
    max_examples=100,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    phases=(Phase.explicit, Phase.reuse, Phase.generate),
)
@given(st.sampled_from(list(KINDS)).flatmap(lambda kind: records(KINDS[kind])))
def test_compiled_columns_give_what_walking_gives(record):
    kind = KINDS[record.kind]
    more = (
        "files.count files.first.path files.fingerprints.value files.fingerprints.count tags.name tags.first"
        " tags.first.label studio.name performers.tags performers.tags.label stash_ids.https://a groups.group"
        " groups.group.name groups.scene_index custom_fields.x urls.last"
    ).split()
    paths = [column.path for column in sheet_columns(kind, kind.names())]
    for text in more:
        if kind.field(text.split(".")[0]):
            paths.append(parse(kind, text))
    for path in (path for path in paths if not path.plain):
        assert path_getter(path, names)(record) == walk(path, record, names), path.text


def scene(**data):
    return Record("scene", "1", data)


def column(path, header="", kind="scene", **more):
    return Column(header or path, parse(KINDS[kind], path), **more)


FILM = scene(
    title="Dawn",
    date="2019-04-12",
    rating100=7,
    tags=["1", "2"],
    play_history=["2024-05-02T21:10:30.5Z"],
    resume_time=61.25,
    organized=True,
    files=[],
)
SHAPED = (
    column("title", "Film"),
    column("date", "On", format="%d.%m.%Y"),
    column("play_history", "Seen", format="%d %b", join=" / "),
    column("tags.name", "Tags", join="|"),
    column("resume_time", "At", format=".1f"),
    column("rating100", "Stars", format="03d"),
    column("tags", "Ids"),
    column("files.path", "Paths", join=", "),
)


def test_a_profile_shapes_every_format():
    layout = Layout({"scene": SHAPED})
    expected = {
        "Film": "Dawn", "On": "12.04.2019", "Seen": "02 May", "Tags": "tag 1|tag 2", "At": "61.2", "Stars": "007",
        "Ids": ["1", "2"], "Paths": "",
    }  # fmt: skip
    for form in [*DOCUMENTS, "csv"]:
        container = MemoryContainer()
        with TableSink(container, form, layout, names) as sink:
            sink.put(FILM)
        text = container.contents[""].decode()
        if form == "jsonl":
            assert json.loads(text) == expected
        if form == "json":
            assert json.loads(text)["scenes"] == [expected]
        if form == "yaml":
            assert parse_document(text) == expected
        if form == "csv":
            assert text.split("\r\n")[1] == "Dawn,12.04.2019,02 May,tag 1|tag 2,61.2,007,1; 2,"
        if form == "xml":
            assert '<cell name="Tags">tag 1|tag 2</cell>' in text
            assert '<cell name="Ids"><v>1</v><v>2</v></cell>' in text


def test_a_partial_date_is_not_formatted():
    get = getter(column("date", format="%d.%m.%Y"), names)
    assert [get(scene(date=text)) for text in ("2019", "2019-04", "0000-00-00", None)] == [
        "2019",
        "2019-04",
        "0000-00-00",
        None,
    ]
    get = getter(column("created_at", format="%H:%M:%S.%f"), names)
    assert get(scene(created_at="2024-05-02T21:10:30.125Z")) == "21:10:30.125000"


@pytest.mark.parametrize(("path", "spec"), [("rating100", "%d"), ("resume_time", "d"), ("title", "d")])
def test_a_format_that_does_not_fit_is_refused_before_anything_is_written(path, spec):
    with pytest.raises(BadProfile, match=path):
        getter(column(path, format=spec), names)


def test_rows_of_several_kinds_in_one_file_name_their_kind():
    layout = Layout({"scene": SHAPED[:1], "tag": (column("name", "Tag", kind="tag"),)})
    text = written("jsonl", layout, [FILM, Record("tag", "1", {"name": "Coast"})])
    assert text == b'{"kind":"scene","Film":"Dawn"}\n{"kind":"tag","Tag":"Coast"}\n'


@pytest.mark.parametrize("form", FORMS)
def test_only_what_a_column_names_is_written(form):
    layout = Layout({"scene": field_columns(KINDS["scene"], ("title",))})
    assert b"2019" not in written(form, layout, [FILM])


def test_text_that_is_no_unicode_leaves_the_record_out(tmp_path):
    for form in FORMS:
        with TableSink(open_output(tmp_path / f"a.{form}", "file"), form, Layout({"scene": SHAPED[:1]})) as sink:
            sink.put(scene(title="before"))
            with pytest.raises(RecordError, match="scene 1 is left out"):
                sink.put(scene(title="lone \udc80 surrogate"))
            sink.put(scene(title="after"))
        assert (tmp_path / f"a.{form}").read_bytes().count(b"e") >= 2


def test_a_kind_nobody_asked_for_or_that_comes_twice_is_a_bug():
    with pytest.raises(PortabilityError, match="unasked"):
        written("jsonl", Layout({"scene": SHAPED}), [Record("tag", "1", {})])
    columns = {"scene": SHAPED, "tag": (column("name", kind="tag"),)}
    with pytest.raises(PortabilityError, match="twice"):
        written("json", Layout(columns), [FILM, Record("tag", "1", {}), FILM])


def test_kinds_without_records_are_there_and_empty(tmp_path):
    kinds = {kind: field_columns(KINDS[kind], ("name",)) for kind in ("tag", "studio")}
    for form in FORMS:
        with TableSink(open_output(tmp_path / form, "folder"), form, Layout(kinds, single=False)) as sink:
            sink.put(Record("studio", "1", {"name": "Marram"}))
        about = TableSource(tmp_path / form).about()
        assert (about.counts["tag"], about.counts["studio"]) == (0, 1)
        assert about.fields == {"tag": ("name",), "studio": ("name",)}
        assert (tmp_path / form / f"tags.{form}").is_file()


def test_documents_are_framed_one_record_a_line():
    kinds = {kind: field_columns(KINDS[kind], ("name",)) for kind in ("performer", "studio", "tag")}
    tags = [Record("tag", str(number), {"name": f"T{number}"}) for number in (1, 2)]
    text = written("json", Layout(kinds, header={"tool": "t"}), tags)
    assert text.decode().split("\n") == [
        '{"format":"stash-portability","version":1,"tool":"t","tags":[',
        '{"id":"1","name":"T1"},',
        '{"id":"2","name":"T2"}',
        '],"performers":[],"studios":[]}',
        "",
    ]
    assert json.loads(text)["performers"] == []


def read_file(path, text, kind="tag"):
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    source = TableSource(path)
    source.about()
    return list(source.read(kind))


def test_a_document_that_people_laid_out_anew_is_read_as_well(tmp_path):
    whole = {"format": "stash-portability", "version": 1, "tags": [{"id": "1", "name": "Coast"}], "studios": []}
    for text in (json.dumps(whole, indent=2), json.dumps(whole)):
        assert read_file(tmp_path / "a.json", text) == [Record("tag", "1", {"name": "Coast"})]


LINE = '{"kind":"tag","id":"1","name":"Coast"}\n'
FRAME = '{"format":"stash-portability","version":1,"tags":[\n{"id":"1","name":"a"},\n{"id":"2","name":"b"}\n]}\n'
BAD = {
    "half a line": ("jsonl", LINE + LINE[:20], "line 2 is not JSON"),
    "no record": ("jsonl", "[]\n", "line 1 is no record"),
    "no kind": ("jsonl", '{"id":"1"}\n', "line 1: a record without its kind"),
    "other kind": ("jsonl", '{"kind":"planet","id":"1"}\n', "line 1: 'planet' is no kind"),
    "kind that is no text": ("jsonl", '{"id":"1","kind":["tag"]}\n', r"line 1: \['tag'\] is no kind"),
    "entry without its ref": (
        "jsonl", '{"kind":"scene","id":"1","groups":[{"scene_index":1}]}\n', "groups: an entry without its group"
    ),
    "entry of no ref": ("jsonl", '{"kind":"scene","id":"1","groups":[{"group":null}]}\n', "without its group"),
    "no ref in a list": ("jsonl", '{"kind":"scene","id":"1","tags":["1",null]}\n', "tags: the id of a record"),
    "no id": ("jsonl", '{"kind":"tag","name":"a"}\n', "line 1: a record without an id"),
    "number as id": ("jsonl", '{"kind":"tag","id":1}\n', "without an id"),
    "field": ("jsonl", LINE.replace("name", "nome"), "line 1: tag has no field 'nome'"),
    "type": ("jsonl", LINE.replace('"Coast"', "7"), "line 1: name: text is expected"),
    "list": ("jsonl", '{"kind":"tag","id":"1","aliases":"x"}\n', "aliases: a list is expected"),
    "part": ("jsonl", '{"kind":"tag","id":"1","stash_ids":["x"]}\n', "stash_ids: parts are expected"),
    "part name": ("jsonl", '{"kind":"tag","id":"1","stash_ids":[{"x":1}]}\n', "stash_ids has no field 'x'"),
    "not utf-8": ("jsonl", LINE.encode().replace(b"Coast", b"\xff"), "line 1 is not JSON"),
    "utf-16": ("jsonl", LINE.encode("utf-16"), "line 1 is not JSON"),
    "long line": ("jsonl", LINE + '"' + "x" * (16 << 20), "line 2 is longer than 16 MiB"),
    "deep": ("jsonl", "[" * 100_000, "line 1 is not JSON"),
    "cut document": ("json", FRAME[: FRAME.index(']}')], "truncated"),
    "cut record": ("json", FRAME[: FRAME.index('"b"')], "line 3 is not JSON"),
    "bad boundary": ("json", FRAME.replace("]}", "],?"), "line 4 is not JSON"),
    "bad record": ("json", FRAME.replace('"name":"b"', '"name":7'), "line 3: name: text is expected"),
    "more after": ("json", FRAME + FRAME, "line 5: a record outside any section"),
    "other json": ("json", '{"a": 1}', "it is no export"),
    "empty": ("json", "", "it is not JSON"),
    "bad whole": ("json", FRAME.replace("\n", " ").replace('"a"', "7"), "tags number 1: name: text"),
    "yaml": ("yaml", "---\nkind: tag\nid: '1'\n---\nkind: [\n", "line [56] is not YAML"),
    "yaml no record": ("yaml", "just text\n", "line 1: no record"),
    "yaml alias": ("yaml", "---\nkind: tag\nid: '1'\naliases: [&a x, *a]\n", "has aliases"),
    "yaml object": ("yaml", "---\nkind: !!python/object/apply:os.getcwd []\n", "is not YAML"),
    "yaml date": ("yaml", "---\nkind: group\nid: '1'\ndate: 2020-01-01\n", "date: text is expected"),
}  # fmt: skip


@pytest.mark.parametrize(("form", "text", "words"), BAD.values(), ids=BAD)
def test_bad_input_is_named_with_its_line(form, text, words, tmp_path):
    with pytest.raises(Unreadable, match=words) as caught:
        read_file(tmp_path / f"bad.{form}", text)
    assert f"bad.{form}" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_line_of_another_kind_is_not_parsed_but_a_foreign_layout_is(tmp_path):
    other = '{"id": "2", "name": "Mud", "kind": "tag"}\n'
    assert [record.uid for record in read_file(tmp_path / "a.jsonl", LINE + other)] == ["1", "2"]


@pytest.mark.parametrize(("name", "text"), [("a.jsonl", LINE), ("a.json", FRAME), ("b.json", FRAME.replace("\n", " "))])
def test_a_byte_order_mark_is_passed_over(name, text, tmp_path):
    assert read_file(tmp_path / name, "\ufeff" + text) == read_file(tmp_path / name, text)


def test_names_that_are_no_export(tmp_path):
    (tmp_path / "a.txt").write_text("x")
    for name, words in (
        ("a.txt", "its name ends in none of"),
        ("no.csv", "there is no such file"),
        ("", "no manifest.json"),
    ):
        with pytest.raises(Unreadable, match=words):
            TableSource(tmp_path / name)


@pytest.fixture
def folder(tmp_path):
    return copy(ArchiveSource(DEMO), tmp_path / "folder", "jsonl", single=False)


def test_a_folder_that_was_changed_is_refused(folder):
    manifest = json.loads((folder / "manifest.json").read_text())
    for change, error in (
        ({"version": 9}, UnsupportedVersion),
        ({"form": "toml"}, Unreadable),
        ({"format": "x"}, Unreadable),
        ({"form": ["jsonl"]}, Unreadable),
        ({"members": [{**member, "kind": ["tag"]} for member in manifest["members"]]}, Unreadable),
    ):
        (folder / "manifest.json").write_text(json.dumps({**manifest, **change}))
        with pytest.raises(error):
            TableSource(folder)
    (folder / "manifest.json").write_text(json.dumps(manifest))
    tags = folder / "tags.jsonl"
    tags.write_bytes(tags.read_bytes().replace(b"Coast", b"Coask"))
    with pytest.raises(Unreadable, match=r"tags\.jsonl differs from its digest"):
        list(TableSource(folder).read("tag"))
    shutil.rmtree(folder / "blobs")
    with pytest.raises(Unreadable, match=r"blobs/[0-9a-f]+ is missing"):
        TableSource(folder)


def test_a_shaped_folder_is_not_read_back_but_from_tables(tmp_path):
    for form in ("jsonl", "csv"):
        with TableSink(
            open_output(tmp_path / form, "folder"), form, Layout({"scene": SHAPED}, single=False), names
        ) as sink:
            sink.put(FILM)
    assert list(TableSource(tmp_path / "csv").read("scene"))
    with pytest.raises(Unreadable, match="shaped by a profile"):
        TableSource(tmp_path / "jsonl")


def test_a_profile_document_is_plain_data():
    assert parse_document("a: [1, x]\n") == {"a": [1, "x"]}
    for text, words in (
        ("a: [", "line 2"),
        ("a: &x 1\nb: *x\n", "aliases"),
        ("a: !!python/name:os.system x", "line 1"),
    ):
        with pytest.raises(ValueError, match=words):
            parse_document(text)


@pytest.mark.parametrize(
    ("begin", "end"), [("[", "]"), ("{a: ", "}"), ("- ", "1"), ("? ", "1")], ids=["list", "map", "dashes", "keys"]
)
def test_a_document_that_is_nested_too_deeply_is_refused(tmp_path, begin, end):
    deep = begin * 100_000 + (end if end == "1" else "1" + end * 100_000)
    with pytest.raises(ValueError, match="more than 100 levels"):
        parse_document(deep)
    path = tmp_path / "scenes.yaml"
    path.write_text(f"---\nkind: scene\nid: '1'\ntitle:\n  {deep}\n")
    with pytest.raises(Unreadable, match="line 1 has more than 100 levels"):
        list(TableSource(path).read("scene"))


def test_a_document_with_many_brackets_is_not_thereby_deep():
    assert parse_document("a: [" + "[], " * 500 + "{}]\n")["a"][-2:] == [[], {}]
    assert parse_document("a: |\n  x\n" + " " * 80 + "y & * z\n")
