"""XML: catalogue D, the schema, and characters that XML cannot carry."""

from __future__ import annotations

import io

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from lxml import etree

from stash_portability.errors import Unreadable, UnsupportedVersion
from stash_portability.kinds import KINDS
from stash_portability.libraries.archive import ArchiveSource
from stash_portability.libraries.tables import Layout, TableSource, xsd
from stash_portability.libraries.tables.xml_read import read_xml
from stash_portability.model import Record
from stash_portability.transform.paths import Column, parse

from ..hostile import TEXTS, libraries
from .test_round_trip import DEMO, copy, plain, written

HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n<library xmlns="urn:stash-portability:1" version="1">\n'
FOOT = "</library>\n"


@pytest.fixture(scope="module")
def schema():
    return etree.XMLSchema(etree.parse(str(xsd.PLACE)))


def read(body):
    text = body if isinstance(body, bytes) else (HEAD + body + FOOT).encode()
    return list(read_xml(io.BytesIO(text), "tags.xml"))


def refused(body, words, error=Unreadable):
    with pytest.raises(error, match=words) as caught:
        read(body)
    assert "tags.xml" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_the_schema_in_docs_is_made_from_the_table():
    assert xsd.PLACE.read_text() == xsd.schema()


@settings(
    max_examples=30,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    phases=(Phase.explicit, Phase.reuse, Phase.generate),
)
@given(library=libraries())
def test_what_is_written_is_valid(library, schema):
    schema.assertValid(etree.fromstring(written("xml", plain(KINDS, header={"tool": "<&>"}), library)))


def test_the_demo_is_valid(schema, tmp_path):
    schema.assertValid(etree.parse(str(copy(ArchiveSource(DEMO), tmp_path / "demo.xml", "xml", single=True))))


def test_rows_of_a_profile_are_valid_and_not_read_back(schema):
    kind = KINDS["scene"]
    columns = tuple(
        Column(header, parse(kind, path))
        for header, path in [
            ('The "title" & more', "title"),
            ("Tags", "tags"),
            ("Seen", "play_history.count"),
            ("F", "files"),
        ]
    )
    record = Record(
        "scene", "1", {"title": "a\x0bb", "tags": ["1", "2"], "play_history": [], "files": [{"path": "/a"}]}
    )
    document = written("xml", Layout({"scene": columns}), [record])
    schema.assertValid(etree.fromstring(document))
    assert b'<cell name="The &quot;title&quot; &amp; more" esc="1">a\\u000Bb</cell>' in document
    with pytest.raises(Unreadable, match="shaped by a profile"):
        read(document)


@pytest.mark.parametrize("header", ["a\\b", "a\tb"])
def test_an_odd_header_and_an_odd_value_are_flagged_apart(header, schema):
    columns = (Column(header, parse(KINDS["scene"], "title")),)
    document = written("xml", Layout({"scene": columns}), [Record("scene", "1", {"title": "a\x0bb"})])
    root = etree.fromstring(document)
    schema.assertValid(root)
    assert dict(root[0][0].attrib) == {
        "name": header.replace("\\", "\\\\").replace("\t", "\\u0009"), "name-esc": "1", "esc": "1",
    }  # fmt: skip


@pytest.mark.parametrize("char", ["\0", "\x01", "\x08", "\x0b", "\x0c", "\x1f", "\r", "\ufffe", "\uffff"])
def test_d07_control_characters_are_escaped_and_come_back(char):
    for text in (char, f"a{char}\\b", f"\\u000B{char}", f"{char}\r\n\t<&>"):
        record = Record("tag", "1", {"name": text, "aliases": [text]})
        document = written("xml", plain(["tag"]), [record])
        assert b'esc="1"' in document
        assert etree.fromstring(document) is not None
        assert read(document) == [record]


def test_d07_a_backslash_alone_is_just_one():
    document = written("xml", plain(["tag"]), [Record("tag", "1", {"name": "a\\u000B\\b"})])
    assert b"<name>a\\u000B\\b</name>" in document
    assert read(document)[0].data["name"] == "a\\u000B\\b"


@settings(max_examples=200, deadline=None)
@given(TEXTS)
def test_d07_any_text_comes_back(text):
    record = Record("tag", text or "1", {"name": text, "custom_fields": {text: text}})
    document = written("xml", plain(["tag"]), [record])
    assert read(document) == [record]
    assert etree.fromstring(document)[0].get("id") is not None


LAUGHS = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
DOCTYPES = {
    "D01 billion laughs": f'<!DOCTYPE library [<!ENTITY l0 "ha">{LAUGHS}]>',
    "D02 quadratic": f'<!DOCTYPE library [<!ENTITY a "{"a" * 100_000}">]>',
    "D03 file": '<!DOCTYPE library [<!ENTITY x SYSTEM "file:///etc/passwd">]>',
    "D03 http": '<!DOCTYPE library [<!ENTITY x SYSTEM "http://127.0.0.1:9/x">]>',
    "D04 external": '<!DOCTYPE library SYSTEM "http://127.0.0.1:9/x.dtd">',
    "D04 none": "<!DOCTYPE library>",
}


@pytest.mark.parametrize("doctype", DOCTYPES.values(), ids=DOCTYPES)
def test_d01_to_d04_document_types_are_refused(doctype):
    body = HEAD.replace("?>\n", "?>\n" + doctype) + '<tag id="1"><name>x</name></tag>' + FOOT
    refused(body.encode(), "document type")


def test_d05_deep_nesting_is_refused():
    refused("<a>" * 300_000, "nested deeper than 32")


def test_d06_many_attributes_are_refused():
    refused("<tag " + " ".join(f'a{number}=""' for number in range(200_000)) + "/>", "too many attributes")


def test_d06_a_record_without_end_is_refused():
    refused('<tag id="1"><name>' + "x" * (17 << 20), "larger than 16 MiB")


@pytest.mark.parametrize("encoding", ["UTF-7", "ISO-8859-1", "UTF-16", "cp1252"])
def test_d08_other_encodings_are_refused(encoding):
    refused(HEAD.replace("UTF-8", encoding).encode() + FOOT.encode(), "not in UTF-8")


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-32"])
def test_d08_utf_16_is_refused(encoding):
    refused((HEAD + FOOT).encode(encoding), "not in UTF-8")


def test_d08_a_declaration_that_lies():
    refused(HEAD.encode() + '<tag id="1"><name>é</name></tag>'.encode("latin-1") + FOOT.encode(), "line 3 is not XML")


def test_d09_instructions_and_locations_are_ignored_and_never_fetched():
    body = (
        '<?xml-stylesheet href="http://127.0.0.1:9/x.xsl"?><!-- comment -->'
        '<tag id="1" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:schemaLocation="x http://127.0.0.1:9/x">'
        "<name>Coast</name></tag>"
    )
    assert read(body) == [Record("tag", "1", {"name": "Coast"})]
    refused('<x:include xmlns:x="http://www.w3.org/2001/XInclude" href="file:///etc/passwd"/>', "no kind of record")


WRONG = {
    "field": ("<tag id='1'><colour>blue</colour></tag>", "record 1 .tag 1.: there is no field 'colour'"),
    "kind": ("<planet id='1'/>", "'planet' is no kind"),
    "id": ("<tag><name>x</name></tag>", "without an id"),
    "twice": ("<tag id='1'><name>x</name><name>y</name></tag>", "name is there twice"),
    "number": ("<studio id='1'><rating100>high</rating100></studio>", "a whole number is expected"),
    "truth": ("<tag id='1'><favorite>yes</favorite></tag>", "true or false"),
    "json": ("<tag id='1'><custom_fields>{</custom_fields></tag>", "record 1"),
    "list": ("<tag id='1'><aliases><w>x</w></aliases></tag>", "aliases holds 'w'"),
    "cut": ("<tag id='1'><name>x", "line 3 is not XML|line 4 is not XML"),
}


@pytest.mark.parametrize(("body", "words"), WRONG.values(), ids=WRONG)
def test_what_is_wrong_is_named(body, words):
    refused(body, words)


def test_another_root_or_a_newer_version():
    refused(b"<html/>", "its root is not")
    refused((HEAD + FOOT).replace("portability:1", "portability:2").encode(), "version 2", UnsupportedVersion)
    refused(b"", "not XML")


def test_a_document_says_what_it_is(tmp_path):
    path = tmp_path / "x.xml"
    path.write_bytes(
        written("xml", plain(["tag"], header={"tool": "t", "n": [1]}), [Record("tag", "1", {"name": "a"})])
    )
    assert TableSource(path).header == {"tool": "t", "n": [1]}
    assert list(TableSource(path).read("tag")) == [Record("tag", "1", {"name": "a"})]
