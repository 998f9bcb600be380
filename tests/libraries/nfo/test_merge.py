"""Merging into a foreign NFO file: what we do not know stays, and merging again changes nothing."""

from __future__ import annotations

import time
from pathlib import Path
from xml.etree.ElementTree import Element, canonicalize, tostring

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stash_portability.libraries.nfo.dialects import DIALECTS, KNOWN
from stash_portability.libraries.nfo.merge import AFTER, merge, open_nfo
from stash_portability.libraries.nfo.text import Mark, read_mark, serialise, untouched
from stash_portability.model import Record

from .films import HERON, altered, made, without

SAMPLES = Path(__file__).parents[4] / "shared" / "samples"
REAL = sorted(SAMPLES.glob("*/nfo/*.nfo"))
REFUSED = ("tvshow", "mediaelch_episode", "multiroot", "artist", "url_only")
NO_SCENE = Record("scene", "12", {})


def merged_bytes(ours, theirs, kept=None):
    found = merge(ours, theirs, kept)
    return serialise(found.element, Mark("12", found.kept), found.after)


def again(ours, content):
    return merged_bytes(ours, content, read_mark(content).kept)


def merged(theirs, record=HERON, kept=None, dialect="kodi", **more):
    theirs = theirs if isinstance(theirs, bytes) else f"<movie>{theirs}</movie>".encode()
    ours = made(record, dialect, **more).element
    before = tostring(ours)
    content = merged_bytes(ours, theirs, kept)
    assert again(ours, content) == content
    assert untouched(content, read_mark(content))
    assert tostring(ours) == before
    return open_nfo(content)[0]


def texts(root, tag):
    return [one.text for one in root.iterfind(tag)]


def shape(element):
    return canonicalize(tostring(element, "unicode"), strip_text=True, with_comments=False)


@pytest.mark.skipif(not REAL, reason="the files of other programs are not there")
@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize("path", REAL, ids=lambda path: path.stem)
def test_real_files_keep_every_element_we_do_not_know(path, dialect):
    theirs = path.read_bytes()
    opened = open_nfo(theirs)
    assert (opened is None) == any(word in path.name for word in REFUSED)
    for record in (HERON, NO_SCENE):
        ours = made(record, dialect).element
        if opened is None:
            assert merge(ours, theirs, None) is None
            continue
        root = merged(theirs, record, dialect=dialect)
        unknown = [shape(one) for one in opened[0] if isinstance(one.tag, str) and one.tag not in KNOWN]
        assert [shape(one) for one in root if isinstance(one.tag, str) and one.tag not in KNOWN] == unknown
        assert root.tag == opened[0].tag
        assert texts(root, "uniqueid")[0] == "12"


@pytest.mark.skipif(not REAL, reason="the files of other programs are not there")
@pytest.mark.parametrize("path", REAL, ids=lambda path: path.stem)
def test_real_files_keep_what_stash_says_nothing_about(path):
    opened = open_nfo(path.read_bytes())
    if opened is None:
        return
    root = merged(path.read_bytes(), NO_SCENE, file=None)
    for name in KNOWN - {"uniqueid"}:
        had = [shape(one) for one in opened[0].iterfind(name) if len(one) or one.attrib or (one.text or "").strip()]
        assert [shape(one) for one in root.iterfind(name)] == had or (name == "title" and not had)


PIECES = st.sampled_from(
    [
        "<plot>theirs</plot>", "<plot/>", "<title>Theirs</title>", "<year>1999</year>", "<aired>1999-01-01</aired>",
        "<tag>x</tag>", "<mood>calm</mood>", "<a:b xmlns:a='u' a:c='1'>t</a:b>", "<note>one <b>two</b> three</note>",
        "<uniqueid type='imdb' default='true'>tt1</uniqueid>", "<uniqueid type='stash'>99</uniqueid>",
        "<uniqueid>1</uniqueid>", "<ratings><rating name='imdb' default='true'><value>8</value></rating></ratings>",
        "<ratings><rating name='stash'><value>1</value></rating></ratings>", "<!-- words -->", "  \n", "text",
        "<empty> </empty>", "<x><![CDATA[<&]]></x>", "<?go on?>", "<userrating>3</userrating>", "<id>&#10;7</id>",
        "<fanart><thumb>p.jpg</thumb><!-- kept --></fanart>", "<x y='&quot;&#10;&lt;'/>",
    ]
)  # fmt: skip


@settings(max_examples=200, deadline=None)
@given(st.lists(PIECES, max_size=8), st.sampled_from(["", "\nhttps://films.example/1", " & <"]), st.data())
def test_merging_again_gives_the_same_bytes(pieces, after, data):
    theirs = f"\ufeff<?xml version='1.0'?><!-- made elsewhere --><movie>{''.join(pieces)}</movie>{after}".encode()
    fields = data.draw(st.sets(st.sampled_from(sorted(HERON.data))))
    ours = made(without(*fields), data.draw(st.sampled_from(sorted(DIALECTS)))).element
    content = merged_bytes(ours, theirs)
    assert again(ours, content) == content


def test_what_stash_says_replaces_theirs_and_the_rest_stays():
    root = merged("<plot>theirs</plot><tag>x</tag><tag>y</tag><outline>short</outline><mpaa>PG</mpaa><code>c</code>")
    assert texts(root, "plot") == [HERON.data["details"]]
    assert texts(root, "tag") == ["Birds", "Sea & Coast", "AC/DC"]
    assert (texts(root, "outline"), texts(root, "mpaa")) == (["short"], ["PG"])


def test_what_stash_says_nothing_about_stays():
    record = without("details", "tags", "performers")
    root = merged("<plot>theirs</plot><tag>x</tag><tag>y</tag><actor><name>B</name><role>r</role></actor>", record)
    assert (texts(root, "plot"), texts(root, "tag"), texts(root, "actor/role")) == (["theirs"], ["x", "y"], ["r"])


def test_in_a_file_of_ours_a_field_cleared_since_goes():
    first = merged_bytes(made().element, b"<movie><outline>short</outline></movie>")
    assert read_mark(first).kept == ("outline",)
    second = again(made(altered(details=None)).element, first)
    assert b"<plot>" not in second
    assert b"<outline>short</outline>" in second


def test_in_a_file_of_ours_what_was_kept_stays_until_stash_knows_better():
    first = merged_bytes(made(without("details")).element, b"<movie><plot>theirs</plot></movie>")
    assert read_mark(first).kept == ("plot",)
    assert b"<plot>theirs</plot>" in again(made(without("details")).element, first)
    known = again(made().element, first)
    assert b"theirs" not in known
    assert read_mark(known).kept == ()


def test_elements_added_to_a_file_of_ours_by_hand_stay_when_we_do_not_know_them():
    mine = serialise(made().element, Mark("12"))
    edited = mine.replace(b"<movie>", b"<movie><mpaa>PG</mpaa>").replace(b"<code>TF-7</code>", b"<code>mine</code>")
    content = merged_bytes(made().element, edited, ())
    assert b"<mpaa>PG</mpaa>" in content
    assert b"<code>TF-7</code>" in content


def test_ids_of_other_types_stay_and_the_default_is_theirs():
    root = merged(
        "<id>tt1</id><uniqueid type='imdb' default='true'>tt1</uniqueid><uniqueid type='stashdb'>old</uniqueid>"
        "<uniqueid type='stash' default='true'>99</uniqueid><uniqueid type='x' endpoint='https://x/graphql'>1</uniqueid>"
    )
    assert [(one.get("type"), one.get("default"), one.text) for one in root.iterfind("uniqueid")] == [
        ("stash", None, "12"), ("box.example", None, "b-1"), ("stashdb", None, "s-1"), ("imdb", "true", "tt1"),
    ]  # fmt: skip
    assert texts(root, "id") == ["tt1"]


def test_the_ratings_of_others_stay_beside_ours():
    theirs = "<ratings><rating name='imdb' max='10' default='true'><value>6.1</value></rating></ratings>"
    for record, names in ((HERON, ["stash", "imdb"]), (without("rating100"), ["imdb"])):
        (ratings,) = merged(theirs, record).iterfind("ratings")
        assert [one.get("name") for one in ratings] == names
        assert [one.get("default") for one in ratings] == [None, "true"][-len(names) :]
    first = merged_bytes(made().element, f"<movie>{theirs}</movie>".encode())
    assert b'"stash" max' not in again(made(without("rating100")).element, first)


def test_dates_are_one_thing_together():
    theirs = "<premiered>1999-01-01</premiered><year>1999</year><aired>1999-01-01</aired>"
    root = merged(theirs, altered(date="2021"))
    assert [texts(root, name) for name in ("premiered", "aired", "year")] == [[], [], ["2021"]]
    root = merged(theirs, without("date"))
    assert [texts(root, name) for name in ("premiered", "aired", "year")] == [["1999-01-01"], ["1999-01-01"], ["1999"]]


def test_a_title_of_theirs_is_better_than_the_name_of_the_file():
    assert texts(merged("<title>Theirs</title>", without("title")), "title") == ["Theirs"]
    assert texts(merged("<title/>", without("title")), "title") == ["heron"]
    assert texts(merged("<title>Theirs</title>"), "title") == ["The Heron"]
    first = merged_bytes(made(without("title")).element, b"<movie><title>Theirs</title></movie>")
    assert b"no title in Stash" not in first
    assert texts(open_nfo(again(made().element, first))[0], "title") == ["The Heron"]


def test_addresses_behind_the_root_stay():
    content = merged_bytes(made().element, b"<movie><title>x</title></movie>\r\nhttps://films.example/1\r\n")
    assert content.endswith(b"</movie>\nhttps://films.example/1\n")
    assert read_mark(content).kept == (AFTER,)
    assert again(made().element, content) == content


def test_the_root_stays_theirs():
    assert merged(b"<musicvideo><artist>A</artist></musicvideo>").tag == "musicvideo"
    assert merged(b"<movie/>").tag == "movie"
    prefixed = merged(b"<movie xmlns:xsi='http://x'><ids xsi:type='t'>1</ids></movie>")
    assert prefixed.get("xmlns:xsi") == "http://x"
    assert prefixed.find("ids").get("xsi:type") == "t"


READABLE = {
    "mark of byte order": b"\xef\xbb\xbf<?xml version='1.0' encoding='utf-8'?><movie><note>M\xc3\xb6we</note></movie>",
    "latin-1": "<?xml version='1.0' encoding='ISO-8859-1'?><movie><note>Möwe</note></movie>".encode("latin-1"),
    "windows-1252": "<?xml version='1.0' encoding='windows-1252'?><movie><note>Möwe</note></movie>".encode("cp1252"),
    "utf-16": "<?xml version='1.0' encoding='utf-16'?><movie><note>Möwe</note></movie>".encode("utf-16"),
    "entity": b"<movie><note>M&ouml;we</note></movie>",
    "lone": b"<movie><x>a & b &nosuch; &lt; <![CDATA[&]]></x><note>M&#xF6;we</note></movie>",
    "control": b"<movie><note>M\xc3\xb6\x0bwe</note></movie>",
    "blanks": b"\n\n <movie><note>M\xc3\xb6we</note></movie>\n ",
}


@pytest.mark.parametrize("theirs", READABLE.values(), ids=READABLE)
def test_other_programs_files_are_read_as_they_meant_them(theirs):
    assert texts(merged(theirs), "note") == ["Möwe"]


def test_a_lone_and_is_kept_as_it_is_shown():
    root = merged(READABLE["lone"])
    assert texts(root, "x") == ["a & b &nosuch; < &"]
    assert texts(merged(b"<movie><x>&LT;b&GT; &</x></movie>"), "x") == ["<b> &"]


LEFT_ALONE = {
    "nothing": b"",
    "words": b"The Heron",
    "address": b"https://films.example/1",
    "cut": b"<movie><title>x</title>",
    "several roots": b"<movie/><movie></movie>",
    "another kind": b"<tvshow><title>x</title></tvshow>",
    "document type": b"<!DOCTYPE movie [<!ENTITY a 'b'>]><movie><title>&a;</title></movie>",
    "external": b"<!DOCTYPE movie SYSTEM 'http://127.0.0.1:9/x.dtd'><movie></movie>",
    "deep": b"<movie>" + b"<a>" * 300_000 + b"</movie>",
    "attributes": b"<movie><a " + b" ".join(b"a%d=''" % number for number in range(300)) + b"/></movie>",
    "not what it says": "<movie><title>Möwe</title></movie>".encode("latin-1"),
    "utf-7": b"<?xml version='1.0' encoding='utf-7'?><movie></movie>",
    "no text": b"<?xml version='1.0' encoding='unicode_escape'?><movie></movie>",
    "large": b"<movie><a>" + b"x" * (6 << 20) + b"</a></movie>",
    "nul": b"\0" * 100,
    "picture": b"\xff\xd8\xff\xe0<movie></movie>",
}


@pytest.mark.parametrize("theirs", LEFT_ALONE.values(), ids=LEFT_ALONE)
def test_what_cannot_be_read_is_left_alone(theirs):
    assert merge(made().element, theirs, None) is None


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=60), st.sampled_from([b"", b"<movie>", b"\xff\xfe", b"<?xml version='1.0'?>"]))
def test_any_bytes_are_read_or_left_alone(content, before):
    found = merge(made().element, before + content, None)
    assert found is None or isinstance(found.element, Element)


def test_sections_that_never_end_take_no_time():
    begun = time.process_time()
    assert open_nfo(b"<movie>&" + b"<![CDATA[" * 200_000 + b"</movie>") is None
    assert time.process_time() - begun < 5
