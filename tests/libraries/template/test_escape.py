"""What a template writes is read back as the text it was, by the readers of each format; and values stay values."""

from __future__ import annotations

import csv
import io
import json
import re
import string
import xml.etree.ElementTree as ET
from html.parser import HTMLParser

import lxml.html
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stash_portability.errors import BadTemplate
from stash_portability.libraries.template.escape import MODES, Ready, finalizer, paragraphs, text
from stash_portability.libraries.template.filters import web_address
from stash_portability.libraries.template.spec import ESCAPES
from tests.hostile import TEXTS

from .making import render, render_all, seen, template

HOSTILE = [
    "<script>alert(1)</script>",
    "</title><script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "' onmouseover='alert(1)",
    "javascript:alert(1)",
    "JaVa\tScRiPt:alert(1)",
    " \x01javascript:alert(1)",
    "data:text/html,<script>alert(1)</script>",
    "vbscript:x",
    "//evil.example/x",
    "\\\\evil.example\\x",
    "--><script>",
    "]]><x/>",
    "&#60;script&#62;",
    "{{ 7 * 7 }}",
    "{% include 'x' %}",
    "\x00<\x00script>",
    "\u2028",
    "a\r\nb\tc",
]
NOT_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
ALL = st.one_of(TEXTS, st.sampled_from(HOSTILE), st.text(st.sampled_from(string.punctuation + " \n1a"), max_size=12))


class Texts(HTMLParser):
    def __init__(self):
        super().__init__(convert_charrefs=True)
        self.text, self.tags, self.values = "", [], []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.values += attrs

    def handle_data(self, data):
        self.text += data


@given(ALL)
def test_html_is_read_back_as_the_same_text(value):
    said = f"<p title=\"{MODES['html'](value)}\" lang='{MODES['html'](value)}'>{MODES['html'](value)}</p>"
    reader = Texts()
    reader.feed(said)
    reader.close()
    expected = NOT_XML.sub("", value)
    assert reader.tags == ["p"]
    assert reader.text == expected
    assert reader.values == [("title", expected), ("lang", expected)]


@given(ALL)
def test_xml_is_read_back_as_the_same_text(value):
    said = MODES["xml"](value)
    root = ET.fromstring(f"<p a=\"{said}\" b='{said}'>{said}</p>".encode())
    expected = NOT_XML.sub("", value)
    assert (root.text or "") == root.get("a") == root.get("b") == expected


@given(st.lists(ALL, min_size=1, max_size=4), st.sampled_from(",;\t|"))
def test_csv_is_read_back_as_the_same_cells(values, delimiter):
    said = delimiter.join(map(MODES["csv"], values)) + "\r\n"
    [row] = csv.reader(io.StringIO(said, newline=""), delimiter=delimiter, strict=True)
    assert row == [value.replace("\0", "") for value in values]


@given(st.one_of(ALL, st.none(), st.booleans(), st.integers(), st.lists(ALL), st.dictionaries(ALL, ALL)))
def test_json_is_read_back_as_the_same_value(value):
    assert json.loads(MODES["json"](value)) == value


@given(ALL)
def test_line_is_one_line(value):
    said = MODES["line"](value)
    assert len(said.splitlines()) <= 1
    assert not re.search("[\x00-\x1f\x7f-\x9f\u2028\u2029]", said)


SPECIAL = set("\\`*_[]<>|~#!{}^$")


@given(ALL)
def test_markdown_shows_the_literal_text(value):
    said = MODES["markdown"](value)
    shown = re.sub(r"\\([!-/:-@\[-`{-~])", r"\1", said)
    assert shown == re.sub("[\x00-\x20\x7f-\x9f\u2028\u2029]+", " ", value).strip(" ")
    bare = re.sub(r"\\[!-/:-@\[-`{-~]", " ", said)
    assert not SPECIAL & set(bare)
    assert not re.search(r"&#?[A-Za-z0-9]+;", bare)
    assert not re.match(r"[-+=]|\d{1,9}[.)]", said)
    assert "\n" not in said


@given(ALL)
def test_paragraphs_keep_lines_and_nothing_else(value):
    made = finalizer("html")(paragraphs("html")(value))
    reader = Texts()
    reader.feed(made)
    reader.close()
    assert set(reader.tags) <= {"br"}
    said = finalizer("markdown")(paragraphs("markdown")(value))
    assert not SPECIAL & set(re.sub(r"\\[!-/:-@\[-`{-~]", "", said))
    assert paragraphs("csv")(value) is value


@given(ALL)
def test_an_address_is_one_of_the_web_or_a_relative_one(value):
    said = web_address(value)
    [link] = lxml.html.fragment_fromstring(f'<p><a href="{MODES["html"](said)}">x</a></p>').xpath("//a")
    href = re.sub("[\x00-\x20]", "", link.get("href")).lower()
    scheme = re.match(r"[a-z][a-z0-9+.-]*:", href)
    assert scheme is None or scheme[0] in ("http:", "https:")
    assert not href.startswith(("//", "\\", "/\\"))


def test_every_mode_is_there_and_has_words():
    assert set(MODES) == set(ESCAPES)


@pytest.mark.parametrize("mode", [mode for mode in ESCAPES if mode not in ("none", "json")])
def test_every_mode_escapes_without_being_asked(mode):
    value = HOSTILE[0] + "|\n*"
    ending = {"line": "m3u", "markdown": "md"}.get(mode, mode)
    [said] = render_all(template("{{ title }}", ending), [value])
    assert said == MODES[mode](value) != value


def test_values_as_people_read_them():
    assert [text(value) for value in (None, True, False, 3, 3.0, 3.5, 1e300, [1, None, "a"], (1, 2))] == [
        "", "true", "false", "3", "3", "3.5", "1e+300", "1, , a", "1, 2",
    ]  # fmt: skip
    assert text({"label": "Wren", "name": "W"}) == "Wren"
    assert text(Ready("a")) == "a"


def test_in_json_nothing_is_null_and_records_are_whole():
    said = render('{"a": {{ title }}, "b": {{ code }}, "c": {{ tags.name }}, "d": {{ studio.parent }}}', "json")
    assert json.loads(said) == {
        "a": "Tidal Flats",
        "b": None,
        "c": ["Waders"],
        "d": {"id": "2", "label": "Marram Holding", "name": "Marram Holding"},
    }


@pytest.mark.parametrize(
    ("record", "said"),
    [
        ("<a href={{ title }}>", "without quotes"),
        ("<a href= {{ title }} >", "without quotes"),
        ("<a {{ title }}>", "within a tag"),
        ("<{{ title }}>", "within a tag|leaves a tag"),
        ("<p{{ title }}>", "within a tag"),
        ("<a {{ title }}='x'>", "within a tag"),
        ("<a data-{{ title }}='x'>", "within a tag"),
        ("<p onclick=\"f('{{ title }}')\">", "onclick"),
        ("<p ONCLICK='{{ title }}'>", "onclick"),
        ("<p style='{{ title }}'>", "style"),
        ("<iframe srcdoc='{{ title }}'></iframe>", "srcdoc"),
        ("<img srcset='{{ title }}'>", "srcset"),
        ("<script>x = '{{ title }}'</script>", "script"),
        ("<script type=x>\n{{ title }}</script>", "script"),
        ("<SCRIPT>{{ title }}</SCRIPT >", "script"),
        ("<style>{{ title }}</style>", "style"),
        ("<!-- {{ title }} -->", "comment"),
        ("<!doctype {{ title }}>", "within a tag"),
        ("<a href='javascript:{{ title }}'>", "whole one"),
        ("<a href=' JavaScript:/**/{{ title }}'>", "whole one"),
        ("<a href='java{{ title }}'>", "whole one"),
        ("<a href='{{ title }}://{{ code }}'>", "scheme"),
        ("<a href='{{ title }}x{{ code }}'>", "whole one"),
        ("<a href='{% for x in tags %}{{ x }}{% endfor %}'>", "loop"),
        ("<p {% if title %}title='{% endif %}'>", "different places|leaves"),
        ("{% for x in tags %}<p{% endfor %}>", "different places|leaves"),
        ("<p title='", "leaves a tag"),
        ("<!-- ", "leaves a tag"),
        ("<svg><a><animate attributeName='href' to='{{ title }}'/></a></svg>", "animate"),
        ("<svg><a><set attributeName='href' values='{{ title }}'/></a></svg>", "values of set"),
        ("<meta http-equiv='refresh' content='0; url={{ title }}'>", "http-equiv"),
        ("<!--><script>--> {{ title }}</script>", "script"),
        ("<!-- --!><a onclick='{{ title }}'>-->", "onclick"),
    ],
)
def test_html_where_a_value_could_become_script_is_refused(record, said):
    with pytest.raises(BadTemplate, match=said):
        render(record, "html")


@pytest.mark.parametrize(
    "record",
    [
        "<p title='{{ title }}' data-x=\"{{ code }}\" {% if date %}lang='{{ date }}'{% endif %}>{{ title }}</p>",
        "{% for url in urls %}<a href='{{ url }}'>{{ url }}</a>{% else %}<i>none</i>{% endfor %}",
        "<a href='#s{{ id }}'>x</a><a href='pages/{{ id }}.html'>x</a><a href='https://x.example/{{ id|url }}'>x</a>",
        "<a href='{{ code }}{{ urls|first }}'>x</a>",
        "<a href='{% if code %}{{ code }}{% else %}{{ title }}{% endif %}'>x</a>",
        "<script>if (1 < 2) { '<p>' }</script><style>p > a {}</style><!-- a > b --><br/><p>1 < 2 {{ title }}</p>",
        "<meta name='description' content='{{ title }}'><!-- a --!><!--> {{ title }} <!--->{{ title }}",
        "<title>{{ title }}</title><textarea>{{ details }}</textarea><input value='{{ title }}' disabled>",
    ],
)
def test_html_where_a_value_stays_a_value_is_taken(record):
    assert render(record, "html")


def test_parts_of_html_begin_where_the_one_before_ended():
    assert template("{{ title }}", "html", header="<p title='", footer="'>")
    with pytest.raises(BadTemplate, match=r"record.*script"):
        render("{{ title }}", "html", header="<script>", footer="</script>")
    with pytest.raises(BadTemplate, match=r"footer.*script"):
        render("x", "html", header="<script>", footer="{{ count }}</script>")


@pytest.mark.parametrize("ending", ["html", "htm", "xhtml", "xht", "shtml", "svg"])
def test_what_a_browser_runs_is_never_written_without_escaping(ending):
    with pytest.raises(BadTemplate, match="browser"):
        template("{{ title }}", ending, escape="none")


def test_hostile_text_through_a_real_parser():
    made = template(
        "<div><h2 title='{{ title }}'>{{ title }}</h2><a href='{{ title }}'>{{ title|upper }}</a>"
        "<p>{{ title|paragraphs }}</p><p>{{ title ~ '<i>' }}</p><p>{{ [title, title]|join('<b>') }}</p></div>",
        "html",
    )
    for value, said in zip(HOSTILE, render_all(made, HOSTILE), strict=True):
        tree = lxml.html.document_fromstring(said)
        tags = [element.tag for element in tree.iter() if element.tag not in ("html", "body", "br")]
        assert tags == ["div", "h2", "a", "p", "p", "p"], value
        assert all(set(element.attrib) <= {"title", "href"} for element in tree.iter())
        [link] = tree.xpath("//a/@href")
        assert (
            not re.sub(r"[\x00-\x20]", "", link).lower().startswith(("javascript", "data", "vbscript", "//", "\\"))
        ), value


def test_a_record_is_never_read_as_a_template():
    assert render("{{ title }}", data={"title": "{{ 7 * 7 }}{% if %}"}) == "{{ 7 * 7 }}{% if %}"
    assert seen({"title": "{{ x }}"})["title"] == "{{ x }}"


HOSTILE_LINK = {"title": "javascript:alert(1)", "details": "\" onerror='alert(1)", "urls": ["https://a.example/x y"]}


@pytest.mark.parametrize(
    ("record", "said"),
    [
        ("[x]({{ title }})", r"[x](\#)"),
        ("[x]( {% if title %}{{ title }}{% endif %})", r"[x]( \#)"),
        ("[x]({{ 'java' }}{{ 'script:alert(1)' }})", r"[x](java\#)"),
        ("[x][1]\n\n[1]: {{ title }}\n", "[x][1]\n\n[1]: \\#\n"),
        ("[x]({{ urls|first }}) {{ title }}", "[x](https://a.example/x%20y) javascript:alert(1)"),
        ("[x](https://a.example/{{ title }})", "[x](https://a.example/javascript:alert(1))"),
        ("<img src='{{ title }}' alt='{{ details }}'>", "<img src='#' alt='&quot; onerror=&#39;alert(1)'>"),
        ("<https://a.example/> 1 < 2 `<b>` {{ title }}", "<https://a.example/> 1 < 2 `<b>` javascript:alert(1)"),
    ],
)
def test_links_and_html_within_markdown_hold_no_script(record, said):
    assert render(record, "md", data=HOSTILE_LINK) == said


@pytest.mark.parametrize("record", ["<{{ title }}>", "<b {{ title }}>x</b>", "<script>{{ title }}</script>"])
def test_markdown_where_a_value_could_become_html_is_refused(record):
    with pytest.raises(BadTemplate, match="in record, line 1: a value cannot stand within"):
        render(record, "md", data=HOSTILE_LINK)
