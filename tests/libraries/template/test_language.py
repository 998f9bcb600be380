"""The language of templates: what its filters give, and what a template is as data."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stash_portability.errors import BadTemplate
from stash_portability.libraries.template.filters import FILTERS, date
from stash_portability.libraries.template.spec import ESCAPE_OF_ENDING, ESCAPES, as_mapping, parse_template

from .making import EXAMPLES, example, render, template


@pytest.mark.parametrize(
    ("text", "given"),
    [
        ("{{ duration|duration }}", "1:02:04"),
        ("{{ 59.6|duration }} {{ 0|duration }} {{ code|duration }}", "1:00 0:00 "),
        ("{{ size|bytes }} {{ 999|bytes }} {{ 1000|bytes }} {{ code|bytes }}", "1.2 GB 999 bytes 1.0 kB "),
        ("{{ date|date('%B %Y') }}", "May 2019"),
        ("{{ last_played|date('%-d %b %y, %H:%M') }}", "1 Feb 24, 00:00"),
        ("{{ performers.name|join(' & ') }}", "Wren Hollis & Odd Sandvik"),
        ("{{ performers|join(', ', attribute='name') }}", "Wren Hollis, Odd Sandvik"),
        ("{{ performers|map(attribute='name')|join('/') }}", "Wren Hollis/Odd Sandvik"),
        ("{{ performers|map(attribute='name')|map('upper')|list|first }}", "WREN HOLLIS"),
        ("{{ performers|selectattr('disambiguation')|map(attribute='name') }}", "Wren Hollis"),
        ("{{ performers|rejectattr('disambiguation', 'none')|list|length }}", "1"),
        ("{{ [3, none, 1, 'b', 'A']|sort }}", "1, 3, A, b, "),
        ("{{ ['a', 'A', 'b']|unique }}", "a, b"),
        ("{{ performers|sort(attribute='name')|first }}", "Odd Sandvik"),
        ("{{ [1, 2, 3]|batch(2)|length }} {{ [1, 2]|sum }} {{ [2, 1]|min }} {{ [2, none]|max }}", "2 3 1 2"),
        ("{{ 'a b'|title }} {{ \"don't\"|title }} {{ 'aB'|upper }} {{ 'aB'|lower }} {{ 'ab'|capitalize }}",
         "A B Don't AB ab Ab"),
        ("{{ 'one two three'|truncate(9) }}|{{ 'abc'|truncate(2, '') }}", "one two…|ab"),
        ("{{ code|default('none') }}{{ code|default }}{{ 0|default('x', false) }}", "none0"),
        ("{{ custom_fields.year }} {{ custom_fields.nothing|default('-') }} {{ custom_fields.items }}", "2019 - own"),
        ("{% if custom_fields.nothing %}x{% endif %}{{ custom_fields['no such'] }}", ""),
        ("{{ performers[0].custom_fields.a }}{{ custom_fields.a.b }}", ""),
        ("{% for key, entry in custom_fields|items %}{{ key }}={{ entry }};{% endfor %}", "year=2019;items=own;"),
        ("{% for key, entry in {'a': 1}.items() %}{{ key }}{{ entry }}{% endfor %}", "a1"),
        ("{{ path|basename }} {{ path|stem }} {{ path|folder }} {{ 'C:\\\\a\\\\b.c'|stem }}",
         "Tidal Flats.mkv Tidal Flats /films b"),
        ("{{ path|url }}", "/films/Tidal%20Flats.mkv"),
        ("{{ urls|map('link')|first }}{{ 'javascript:x'|link }}", "https://marram.example/a"),
        ("{{ 2.345|round(1) }} {{ 2.5|round }} {{ 2|fixed(2) }} {{ '7'|int }} {{ 'x'|int(0) }} {{ code|int }}",
         "2.3 2 2.00 7 0 "),
        ("{{ studio }} {{ studio.parent.name }} {{ studio.parent.nothing is defined }}", "Marram Marram Holding false"),
        ("{{ code.anything }}{{ code[0] }}{{ code[:2] }}", ""),
        ("{{ title[:5] }} {{ title[0] }} {{ title[-1] }} {{ title.split(' ')|last }}", "Tidal T s Flats"),
        ("{{ title ~ 1 ~ none ~ tags }}", "Tidal Flats1Waders"),
        ("{% for tag in tags %}{{ loop.index }}{{ loop.last }}{{ loop.cycle('a', 'b') }}{% endfor %}", "1truea"),
        ("{% for x in range(3) if x != 1 %}{{ x }}{% endfor %}", "02"),
        ("{% with x = 1, y = 2 %}{{ x + y }}{% endwith %}{% set z = 'a' %}{{ z }}", "3a"),
        ("{{ 'a' if organized }}|{{ 'b' if title }}|{{ 'c' if 0 }}", "|b|"),
        ("{{ 'yes' if title is defined and 'Flats' in title and 3 is odd else 'no' }}", "yes"),
        ("{{ title.startswith('T') }} {{ title.find('F') }}", "true 6"),
        ("{# nothing #}{% if organized %}x{% else %}y{% endif %}\n", "y"),
        ("{% if title %}\n  {{ title }}\n  {% endif %}\nend", "  Tidal Flats\nend"),
        ("{{ '\\ud800' }}", "?"),
    ],
)  # fmt: skip
def test_what_the_language_gives(text, given):
    assert render(text) == given


@pytest.mark.parametrize(
    ("moment", "form", "said"),
    [
        ("2020-05-03", "%d.%m.%Y", "03.05.2020"),
        ("2020-05", "%d.%m.%Y", "05.2020"),
        ("2020", "%-d %B %Y", "2020"),
        ("2020", "%Y-%m-%d", "2020"),
        ("2020-05-03T04:05:06Z", "%Y%m%d %H:%M:%S %%", "20200503 04:05:06 %"),
        (None, "%Y", None),
        ("soon", "%Y", "soon"),
        ("2020", "no tokens", "no tokens"),
    ],
)
def test_dates(moment, form, said):
    assert date(moment, form) == said


def test_a_date_form_with_an_unknown_sign_is_told():
    with pytest.raises(BadTemplate, match="%Q is no part of a date"):
        render("{{ date|date('%Q') }}")


@given(
    st.sampled_from(sorted(set(FILTERS) - {"abs"})),
    st.one_of(st.none(), st.text(max_size=5), st.lists(st.text())),
)
def test_filters_take_what_records_hold(name, value):
    more = {"batch": (2,), "replace": ("a", "b")}.get(name, ())
    if not (name in ("count", "length") and value is None):
        FILTERS[name](value, *more)


def test_a_template_is_data_and_comes_back_the_same():
    made = template("{{ id }}", "html", kinds="scenes, tag", images=True, one_file="record", header="<p>", footer="x")
    assert parse_template(as_mapping(made)) == made
    assert made.kinds == ("scene", "tag")
    assert made.escape == "html"
    assert {"id", "label"} <= made.words


@pytest.mark.parametrize(
    ("mapping", "said"),
    [
        ([], "not a mapping"),
        ({}, "record is missing; ending is missing"),
        ({"record": "x"}, "ending is missing"),
        ({"record": 7, "ending": "txt"}, "record is not a text"),
        ({"record": "x", "ending": "../x"}, "ending"),
        ({"record": "x", "ending": "x" * 13}, "ending"),
        ({"record": "x", "ending": 7}, "ending is not a text"),
        ({"record": "x", "ending": "txt", "escape": "htm"}, "did you mean 'html'"),
        ({"record": "x", "ending": "txt", "one_file": "each"}, "one_file"),
        ({"record": "x", "ending": "txt", "images": "yes"}, "images"),
        ({"record": "x", "ending": "txt", "kinds": ["scnee"]}, "did you mean 'scene'"),
        ({"record": "x", "ending": "txt", "kinds": 7}, "kinds is not a list"),
        ({"record": "x", "ending": "txt", "kinds": [["a"]]}, "there is no kind"),
        ({"record": "x", "ending": "txt", "fotter": "x"}, "did you mean 'footer'"),
        ({"record": "x", "ending": "txt", "fotter": "x", "escape": "y", "header": []}, "fotter.*header is not.*escape"),
    ],
)
def test_everything_wrong_with_a_template_is_told(mapping, said):
    with pytest.raises(BadTemplate, match=said):
        parse_template(mapping, "x")


def test_escapes_by_ending():
    assert set(ESCAPE_OF_ENDING.values()) <= set(ESCAPES)
    assert template("x", ".HTML").ending == "html"
    assert template("x", "m3u").escape == "line"
    assert template("x", "txt").escape == "none"


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*.yaml")), ids=lambda path: path.stem)
def test_shipped_templates_are_good(path):
    made = example(path.stem)
    assert made.description
    assert made.kinds == ("scene",)
    assert made.escape != "none"
