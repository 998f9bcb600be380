"""CSV and TSV: catalogue E, and what a spreadsheet must not do to the data."""

from __future__ import annotations

import io
import tracemalloc

import pytest

from stash_portability.errors import OutputNotUsable, Unreadable
from stash_portability.kinds import KINDS
from stash_portability.libraries.tables import Layout, TableSink, TableSource
from stash_portability.libraries.tables.table_read import read_rows
from stash_portability.model import Record
from stash_portability.transform.paths import Column, field_columns, parse, sheet_columns

from ..hostile import MemoryContainer

FORMULAS = ["=1+1", "+1", "-1", "@SUM(A1)", "\tx", "\rx", "\nx", "'x", "＝1", "＋1", "－1", "＠a"]


def write(columns, *records, form="csv", names=None, **more):
    container = MemoryContainer()
    with TableSink(container, form, Layout(columns, **more), names) as sink:
        for record in records:
            sink.put(record)
    return container.contents[""]


def tags(*fields):
    return {"tag": field_columns(KINDS["tag"], fields)}


def tag(uid, **data):
    return Record("tag", uid, data)


def read(text, kind="tag", delimiter=""):
    body = text if isinstance(text, bytes) else text.encode()
    return list(read_rows(io.BytesIO(body), "tags.csv", KINDS[kind], delimiter))


def refused(text, words, kind="tag"):
    with pytest.raises(Unreadable, match=words) as caught:
        read(text, kind)
    assert "tags.csv" in str(caught.value)


@pytest.mark.parametrize("text", FORMULAS)
def test_e01_formulas_are_defused_in_the_safe_profile_and_exact_in_the_default_one(text):
    record = tag("1", name=text)
    safe = write(tags("name"), record, csv_safe=True).decode()
    assert f'"\'{text}"' in safe
    assert read(safe) == [record]
    default = write(tags("name"), record)
    assert "'" + text not in default.decode()
    assert read(default) == [record]


def test_e01_an_apostrophe_that_guards_nothing_stays():
    foreign = '"id","name"\r\n"1","\'tis the sea"\r\n"2","\'=1"\r\n"3","\'"\r\n'
    assert [record.data["name"] for record in read(foreign)] == ["'tis the sea", "=1", "'"]
    kept = [tag("1", name="'tis"), tag("2", name="''"), tag("3", name="'"), tag("4", name="'=1")]
    assert read(write(tags("name"), *kept, csv_safe=True).decode()) == kept


def test_e01_headers_are_defused_too():
    columns = {"tag": (Column("=cmd", parse(KINDS["tag"], "name")),)}
    assert write(columns, csv_safe=True) == b'"\'=cmd"\r\n'


@pytest.mark.parametrize("text", ["a,=1+1", 'a"=1+1', 'a";=1', "a\r\n=1+1", "a;=1", "a\t=1"])
def test_e02_no_formula_can_begin_behind_a_delimiter_because_every_cell_is_quoted(text):
    table = write(tags("name", "description"), tag("1", name=text, description=None), csv_safe=True)
    first, body = table.decode().split("\r\n", 1)
    assert first == '"id","name","description"'
    assert body == f'"1","{text.replace(chr(34), chr(34) * 2)}",""\r\n'
    assert read(table)[0].data["name"] == text


@pytest.mark.parametrize("text", ["a\rb", "a\nb", "a\r\nb", "\r", "\n", "\r\n"])
@pytest.mark.parametrize("safe", [False, True])
def test_e03_line_ends_inside_cells_are_quoted_and_kept(text, safe):
    table = write(tags("name"), tag("1", name=text), csv_safe=safe)
    assert read(table)[0].data["name"] == text


def test_e03_nul_is_escaped_in_what_is_written_and_refused_in_what_is_read():
    table = write(tags("name", "aliases"), tag("1", name="a\0b", aliases=["c\0"]))
    assert b"\0" not in table
    assert read(table) == [tag("1", name="a\0b", aliases=["c\0"])]
    refused("id,name\r\n1,a\r\n2,a\0b\r\n", "line 3 holds NUL")


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("bom", ["", "\ufeff"])
def test_e04_delimiter_and_byte_order_mark_are_found_out(delimiter, bom):
    text = bom + delimiter.join(["id", "name", "description"]) + "\n" + delimiter.join(["1", "Coast", "wet"]) + "\n"
    assert read(text) == [tag("1", name="Coast", description="wet")]


def test_e04_a_delimiter_can_be_given_and_a_decimal_comma_is_no_number():
    assert read("id|name\n1|a,b\n", delimiter="|") == [tag("1", name="a,b")]
    refused('id,scene,seconds\n1,2,"1,5"\n', "line 2: seconds: a number is expected", kind="marker")


def test_e05_columns_in_another_order_or_missing_are_fine():
    assert read("name,id\nCoast,7\n") == [tag("7", name="Coast")]
    assert read("name\nCoast\nMud\n") == [tag("1", name="Coast"), tag("2", name="Mud")]


def test_e05_a_column_twice_is_refused_and_an_unknown_one_reported(tmp_path):
    refused("id,name,name\n1,a,b\n", "line 1: the column 'name' is there twice")
    (tmp_path / "tags.csv").write_text("id,name,Colour\n1,Coast,blue\n")
    source = TableSource(tmp_path / "tags.csv")
    assert list(source.read("tag")) == [tag("1", name="Coast")]
    assert source.about().how.endswith("no field of tag is called so: Colour")


def test_e06_ragged_rows_are_refused_with_their_line():
    refused('id,name\n1,"a\nb"\n2\n', "line 4 has 1 cells, the header 2")
    refused("id,name\n1,a,b\n", "line 2 has 3 cells, the header 2")


def test_e06_an_unclosed_quote_is_refused_with_its_line():
    refused('id,name\n1,a\n2,"b\nc\n', "line 4: a quote is opened and never closed")
    refused('id,name\n1,"a"b\n', "line 2: ")


@pytest.mark.parametrize("text", ["", "\n", "\r\n", "\ufeff"])
def test_e06_no_header(text):
    refused(text, "no header")


def test_e06_text_that_is_not_utf_8():
    refused(b"id,name\n1,\xe9\n", "line 2 is not UTF-8")


class Endless:
    """A file whose one field never ends."""

    def __init__(self):
        self.given = 0

    def readline(self, limit):
        self.given += 1
        assert self.given < 20, "read on and on"
        return b"id,name\n" if self.given == 1 else (b'1,"' if self.given == 2 else b"") + b"x" * (limit - 3)


def test_e07_a_field_of_200_mb_is_refused_at_16():
    tracemalloc.start()
    with pytest.raises(Unreadable, match=r"line 2.*16 MiB"):
        list(read_rows(Endless(), "tags.csv", KINDS["tag"]))
    assert tracemalloc.get_traced_memory()[1] < 128 << 20
    tracemalloc.stop()


def test_e07_a_field_over_many_lines_is_refused_at_16_mib():
    refused('id,name\n1,"' + ("x" * 65535 + "\n") * 260 + '"\n', "line [0-9]+: a field is longer than 16 MiB")


@pytest.mark.parametrize(
    "items",
    [
        ["a; b", "c"],
        [";"],
        ["a;", ";b"],
        ["\\"],
        ["\\;"],
        ["\\N"],
        [""],
        ["", ""],
        ["a", ""],
        ["\n"],
        [" a ", " "],
        ["[x"],
    ],
)
def test_e08_list_cells_that_hold_the_separator(items):
    table = write(tags("aliases"), tag("1", aliases=items))
    assert read(table) == [tag("1", aliases=items)]
    assert table.count(b"\n") == 2


def test_e08_a_plain_list_is_good_to_read():
    assert (
        write(tags("aliases"), tag("1", aliases=["Seaside", "Shore, wet"]))
        == b'id,aliases\r\n1,"Seaside; Shore, wet"\r\n'
    )


@pytest.mark.parametrize("cell", ["a;b", "a\\", "a\\x"])
def test_e08_a_broken_list_is_refused(cell):
    refused(f"id,aliases\n1,{cell}\n", "line 2: aliases: ")


@pytest.mark.parametrize("text", ["00123", "123456789012345", "1e10234567890123", "2023-01-05", "1/2", "3-4", "12:30"])
def test_e09_text_a_spreadsheet_would_change_is_exact_by_default_and_guarded_in_the_safe_profile(text):
    default, safe = write(tags("name"), tag("1", name=text)), write(tags("name"), tag("1", name=text), csv_safe=True)
    assert default == f"id,name\r\n1,{text}\r\n".encode()
    assert safe == f'"id","name"\r\n"1","\'{text}"\r\n'.encode()
    assert read(default) == read(safe) == [tag("1", name=text)]


def test_e09_a_date_is_a_date_and_not_guarded():
    record = Record("group", "1", {"name": "Coasts", "date": "2019-04-12"})
    table = write({"group": field_columns(KINDS["group"], ("name", "date"))}, record, csv_safe=True)
    assert table.endswith(b'"1","Coasts","2019-04-12"\r\n')


def test_empty_text_is_not_no_text():
    table = write(tags("name", "description"), tag("1", name="", description=None))
    assert table == b'id,name,description\r\n1,"\\""""",\r\n'
    assert read(table) == [tag("1", name="", description=None)]


def test_a_rating_of_0_is_not_no_rating():
    columns = {"studio": field_columns(KINDS["studio"], ("name", "rating100"))}
    rows = [
        Record("studio", "1", {"name": "A", "rating100": 0}),
        Record("studio", "2", {"name": "B", "rating100": None}),
    ]
    table = write(columns, *rows)
    assert table == b"id,name,rating100\r\n1,A,0\r\n2,B,\r\n"
    assert read(table, "studio") == rows


def names(kind, uid):
    return {"performer": {"name": f"Wren {uid}", "disambiguation": "presenter"}}.get(kind)


def test_a_sheet_shows_labels_and_reads_them_back(tmp_path):
    kind = KINDS["scene"]
    fields = ("title", "performers", "tags", "play_history", "files")
    record = Record(
        "scene",
        "7",
        {
            "title": "Dawn",
            "performers": ["1", "2"],
            "tags": ["5"],
            "play_history": ["2024-01-01T00:00:00Z", "2024-02-01T00:00:00Z"],
            "files": [
                {"path": "/a;b.mkv", "size": 5, "fingerprints": [{"type": "phash", "value": "1e5"}]},
                {"path": "/c.mkv", "size": None, "fingerprints": []},
            ],
        },
    )
    columns = {"scene": sheet_columns(kind, fields)}
    table = write(columns, record, names=names, sheet=True, bom=True)
    header, row, _ = table.decode("utf-8-sig").split("\r\n")
    cells = dict(zip(header.split(","), row.split(","), strict=True))
    assert cells["performers"] == "Wren 1 (presenter); Wren 2 (presenter)"
    assert (cells["tags"], cells["play_count"], cells["last_played_at"]) == ("5", "2", "2024-02-01T00:00:00Z")
    assert (cells["path"], cells["size"], cells["phash"]) == ("/a\\;b.mkv; /c.mkv", "5; \\N", "1e5; \\N")
    (tmp_path / "anything.csv").write_bytes(table)
    source = TableSource(tmp_path / "anything.csv")
    assert source.about().fields == {"scene": fields}
    assert write(columns, *source.read("scene"), sheet=True, bom=True) == table


def test_a_table_is_of_the_kind_its_name_says_or_of_the_one_given(tmp_path):
    (tmp_path / "studios.csv").write_text("id,name\n1,Marram\n")
    (tmp_path / "mine.tsv").write_text("id\tname\n1\tMarram\n")
    assert list(TableSource(tmp_path / "studios.csv").read("studio"))
    assert list(TableSource(tmp_path / "mine.tsv", kind="studio").read("studio"))


def test_one_table_holds_one_kind():
    columns = {"tag": tags("name")["tag"], "studio": field_columns(KINDS["studio"], ("name",))}
    with pytest.raises(OutputNotUsable, match="one table holds one kind"):
        write(columns, tag("1", name="a"), Record("studio", "1", {"name": "b"}))


def test_a_kind_without_records_is_a_header():
    assert write(tags("name")) == b"id,name\r\n"
