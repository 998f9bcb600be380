"""The bytes of an NFO file: XML whatever the text (catalogue D on export), the mark, and whether a file was edited."""

from __future__ import annotations

from xml.etree.ElementTree import Comment, Element, SubElement, fromstring

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from stash_portability.libraries.nfo.merge import open_nfo
from stash_portability.libraries.nfo.text import ALL_KEPT, HEAD_BYTES, Mark, clean, read_mark, serialise, untouched

from .films import ODD, altered, plain, written


def film(text, name="plot"):
    root = Element("movie")
    SubElement(root, name).text = text
    return root


def comes_back_as(text):
    content = serialise(film(text), Mark("1"))
    assert etree.fromstring(content).findtext("plot") == fromstring(content).findtext("plot")
    return fromstring(content).findtext("plot")


def test_a_file_is_utf_8_without_a_mark_of_byte_order():
    assert serialise(film("Möwe 🐦"), Mark("12", ("id",), {"-poster.jpg": "ab"})).decode().split("\n") == [
        '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>',
        "<!-- stash-portability nfo 1; scene 12; kept id; art -poster.jpg=ab; sha256"
        " 5462465b9ff00ccf3c988d01e473f882fc1a369096c1e7bae5d3a4699de8e5fd -->",
        "<movie>",
        "  <plot>Möwe 🐦</plot>",
        "</movie>",
        "",
    ]


@pytest.mark.parametrize("char", [*map(chr, range(9)), "\x0b", "\x0c", *map(chr, range(14, 32))])
def test_d07_control_characters_are_dropped(char):
    assert comes_back_as(f"a{char}b") == "ab"


@pytest.mark.parametrize("char", ["\ufffe", "\uffff"])
def test_d07_u_fffe_and_u_ffff_are_dropped(char):
    assert comes_back_as(f"a{char}b") == "ab"


@pytest.mark.parametrize("char", ["\ud800", "\udfff", "\udc41"])
def test_d07_lone_surrogates_are_dropped(char):
    assert comes_back_as(f"a{char}b🐦") == "ab🐦"


def test_d07_the_end_of_a_cdata_section_is_text():
    assert comes_back_as("a]]>b<![CDATA[c]]>&amp;") == "a]]>b<![CDATA[c]]>&amp;"


@pytest.mark.parametrize(
    ("text", "read"), [("a\r\nb", "a\nb"), ("a\rb", "a\nb"), ("a\r\r\nb", "a\n\nb"), ("\t\n", "\t\n")]
)
def test_d07_a_carriage_return_is_a_line_end(text, read):
    assert comes_back_as(text) == read


@pytest.mark.parametrize("char", ["\x7f", "\x85", "\u2028", "\u202e", "\ufeff", "\U0001fffe"])
def test_d07_what_xml_can_carry_stays(char):
    assert comes_back_as(f"a{char}b") == f"a{char}b"


@settings(max_examples=200, deadline=None)
@given(ODD)
def test_d07_any_text_is_xml(text):
    assert (comes_back_as(text) or "") == plain(text) == clean(text)
    root = Element("movie", {"a": text})
    assert fromstring(serialise(root, Mark(text))).get("a") == plain(text)


def test_d07_in_a_document_of_a_scene():
    content = written(altered(title="a\x00\ud800\ufffe]]>\r\nb", urls=["https://x.example/\x1f?a&b"]))
    root = etree.fromstring(content)
    assert root.findtext("title") == "a]]>\nb"
    assert root.findtext("url") == "https://x.example/?a&b"


def test_a_document_keeps_its_form():
    root = Element("movie")
    SubElement(root, "tagline")
    mixed = SubElement(root, "note")
    mixed.text = "one "
    SubElement(mixed, "b", {"q": '"\n<'}).tail = " two"
    mixed.append(Comment("a--b-"))
    assert serialise(root, Mark("1")).decode().partition("<movie>")[2] == (
        '\n  <tagline/>\n  <note>one <b q="&quot;&#10;&lt;"></b> two<!--a- -b- --></note>\n</movie>\n'
    )


def test_text_behind_the_root_is_the_last_of_the_file():
    content = serialise(film("x"), Mark("1"), "https://films.example/1")
    assert content.endswith(b"</movie>\nhttps://films.example/1\n")
    assert untouched(content, read_mark(content))


MARKS = st.builds(
    Mark,
    scene=ODD,
    kept=st.lists(st.sampled_from(["plot", "a:b", "x--y", "#after", "-", "é"]), max_size=3).map(tuple),
    art=st.dictionaries(ODD, st.just("0123456789abcdef"), max_size=2),
)


@settings(max_examples=200, deadline=None)
@given(MARKS, ODD)
def test_any_mark_comes_back(mark, text):
    content = serialise(film(text), mark)
    found = read_mark(content)
    assert found is not None
    assert (found.scene, found.kept) == (_encodable(mark.scene), mark.kept)
    assert dict(found.art) == {_encodable(name): digest for name, digest in mark.art.items()}
    assert untouched(content, found)
    comment = content.partition(b"<!--")[2].partition(b" -->")[0]
    assert b"--" not in comment
    assert serialise(film(text), found) == content


def _encodable(text):
    return text.encode("utf-8", "ignore").decode()


@settings(max_examples=100, deadline=None)
@given(st.data())
def test_any_edit_is_seen(data):
    content = written()
    at = data.draw(st.integers(0, len(content) - 1))
    edited = content[:at] + data.draw(st.sampled_from([b"", b"x", b"\n"])) + content[at + 1 :]
    mark = read_mark(edited)
    assert edited == content or mark is None or not untouched(edited, mark)


@pytest.mark.parametrize("edit", [lambda content: content + b" ", lambda content: content.replace(b"\n", b"\r\n")])
def test_an_edit_at_the_end_or_of_line_ends_is_seen(edit):
    mark = read_mark(edit(written()))
    assert mark is None or not untouched(edit(written()), mark)


def test_a_mark_of_another_is_none():
    content = written()
    assert read_mark(content[:HEAD_BYTES]) == read_mark(content)
    for other in (b"", content.replace(b"nfo 1;", b"nfo 2;"), content.partition(b"?>\n")[2], b" " + content):
        assert read_mark(other) is None
    assert read_mark(written(altered(title="<!-- stash-portability nfo 1; scene 9; -->"))).scene == "12"


def test_a_mark_stays_within_the_head_of_its_file():
    names = tuple(f"element-{number}" for number in range(1000))
    content = serialise(film("x"), Mark("1", names))
    assert content.index(b"<movie>") < HEAD_BYTES
    assert read_mark(content).kept == (ALL_KEPT,)
    assert open_nfo(content) is not None


def test_a_mark_tells_whether_its_file_lies_apart_from_the_media():
    marks = [Mark("12", ("trailer",), {"-poster.jpg": "ab"}, apart=apart) for apart in (True, False)]
    found = [read_mark(serialise(film("Otters"), mark)) for mark in marks]
    assert [mark.apart for mark in found] == [True, False]
    assert found[0].kept == found[1].kept == ("trailer",)
