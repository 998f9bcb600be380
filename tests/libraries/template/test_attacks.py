"""F01 to F06: what a template cannot do, whoever wrote it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import psutil
import pytest

from stash_portability.errors import BadTemplate
from stash_portability.libraries.template import child, renderer
from stash_portability.libraries.template.names import Unique, safe_name
from stash_portability.libraries.template.renderer import Limits, Renderer
from stash_portability.libraries.template.spec import parse_template

from .making import SHORT, render, seen, template

ROOT = Path(__file__).parents[3]
LINUX = pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")

F01 = [
    "{{ ''.__class__.__mro__[1].__subclasses__() }}",
    "{{ ''['__class__'] }}",
    "{{ title['__' ~ 'class__'] }}",
    "{{ ()|attr('__class__') }}",
    "{{ title|attr('upper') }}",
    "{{ [performers]|map(attribute='__class__')|list }}",
    "{{ performers|map(attribute='label.__class__')|list }}",
    "{{ performers|map('attr', '__class__')|list }}",
    "{{ performers|selectattr('__class__')|list }}",
    "{{ performers|sum(attribute='__class__') }}",
    "{{ title.format }}",
    "{{ '{0.__class__}'.format(title) }}",
    "{{ '{0.__class__}'|format(title) }}",
    "{{ title|attr('format')(1) }}",
    "{{ '%s'|format(title) }}",
    "{{ '%s' % title }}",
    "{{ title.format_map({}) }}",
    "{{ title.encode() }}",
    "{{ title.translate({}) }}",
    "{{ cycler.__init__.__globals__ }}",
    "{{ cycler('a').next() }}",
    "{{ lipsum.__globals__['os'] }}",
    "{{ lipsum(n=10**6) }}",
    "{{ namespace.__init__ }}",
    "{{ namespace(a=1) }}",
    "{% set x = namespace(a=1) %}",
    "{{ joiner() }}",
    "{{ dict(a=1) }}",
    "{{ range.__class__ }}",
    "{{ (range(3)).__class__ }}",
    "{% for x in tags %}{{ loop.__init__ }}{% endfor %}",
    "{% for x in tags %}{{ loop._iterator }}{% endfor %}",
    "{% for x in tags %}{{ loop.cycle.__func__ }}{% endfor %}",
    "{{ title.upper.__self__ }}",
    "{{ title.upper.__call__() }}",
    "{{ custom_fields.update({'a': 1}) }}",
    "{{ custom_fields.pop('year') }}",
    "{{ custom_fields.setdefault('a', 1) }}",
    "{{ tags.append(1) }}",
    "{{ tags.clear() }}",
    "{{ title() }}",
    "{{ performers[0]() }}",
    "{{ none() }}",
    "{{ (1).__class__ }}",
    "{{ 1 .real }}",
    "{{ title|safe }}",
    "{{ title|e }}",
    "{{ title|forceescape }}",
    "{{ {'a': 1}|xmlattr }}",
    "{{ title|tojson }}",
    "{{ title|pprint }}",
    "{{ title|urlize }}",
    "{{ title|striptags }}",
    "{{ tags|groupby('name') }}",
    "{{ title is filter }}",
    "{{ title is callable }}",
    "{% macro m() %}{% endmacro %}{{ m() }}",
    "{% call title() %}{% endcall %}",
    "{% filter upper %}a{% endfilter %}",
    "{% set x %}a{% endset %}",
    "{% block b %}{% endblock %}",
    "{% autoescape false %}{% endautoescape %}",
    "{% do title %}",
    "{% raw %}{% endraw %}{{ _ }}",
    "{{ _context }}",
    "{{ environment }}",
    "{{ context.parent }}",
    "{{ varargs }}",
    "{{ caller() }}",
    "{{ super() }}",
    "{{ self.__init__ }}",
    "{{ self._TemplateReference__context }}",
    "{% set self = 1 %}{{ self }}",
    "{{ title ~ an address }}",
]


@pytest.mark.parametrize("text", F01)
def test_f01_no_way_out_of_the_values(text):
    if text == "{% set self = 1 %}{{ self }}":
        assert render(text) == "1"
        return
    with pytest.raises(BadTemplate, match="in record, line 1: "):
        render(text)


ENDLESS = (
    "{% for a in range(9999) %}{% for b in range(9999) %}{% for c in range(9999) %}{% endfor %}{% endfor %}{% endfor %}"
)
F02 = [
    ("{% for x in range(10**9) %}{% endfor %}", "10,000"),
    ("{% for x in range(0, 10**9) %}{% endfor %}", "10,000"),
    (ENDLESS, "more than 1 seconds of processor time"),
    ("{% if " + "(" * 60 + "title" + ")" * 60 + " %}{% endif %}" + ENDLESS, "more than 1 seconds"),
    ("{% for a in range(9999) %}{{ range(9999)|join }}{% endfor %}", "more than"),
    ("{{ 'A' * 10**10 }}", "10,000 characters"),
    ("{{ 'A' * 9999 * 9999 }}", "10,000 characters"),
    ("{{ 9999 * 'A' }}", "numbers"),
    ("{{ [1] * 10**10 }}", "numbers"),
    ("{{ tags * 1000000 }}", "numbers"),
    ("{{ 'A'.center(10**10) }}", "not a field"),
    ("{{ 'A'|center(10**10) }}", "no filter"),
    ("{{ 'A'.ljust(10**10) }}", "not a field"),
    ("{{ 'A'.zfill(10**10) }}", "not a field"),
    ("{{ 'A\t'.expandtabs(10**10) }}", "not a field"),
    ("{{ title.replace('a', 'b' * 9999) }}", "not a field"),
    ("{{ 'A'.join(range(9999)) }}", "not a field"),
    ("{{ '%1000000000d' % 1 }}", "does not format"),
    ("{{ '%*d' % (1000000000, 1) }}", "does not format"),
    ("{{ '%1000000000d'|format(1) }}", "no filter"),
    ("{{ 2**(10**10) }}", "small numbers"),
    ("{{ 10**64 * 10**64 * 10**64 }}", "huge"),
    ("{{ (10**64) ** 64 }}", "small numbers"),
    ("{{ 2.0 ** 5000 }}", "small numbers"),
    ("{{ 1 / 0 }}", "division by zero"),
    ("{{ " + "9" * 5000 + " }}", "line|read"),
    ("{{ 'a'|replace('', 'b' * 9999)|replace('b', 'b' * 9999)|length }}", "1,048,576"),
    ("{{ range(9999)|join('A' * 9999) }}", "1,048,576"),
    ("{{ ['A' * 9999] | list | join | batch(10**9) | list | join('x')|replace('A', 'A' * 9999) }}", "1,048,576"),
    ("{% set a = 'A' * 9999 %}" + "{% set a = a ~ a %}" * 40 + "{{ a }}", "1,048,576"),
    ("{% set a = 'A' * 9999 %}" + "{% set a = a + a %}" * 40 + "{{ a }}", "1,048,576"),
    ("{% set a = [1] %}" + "{% set a = a + a %}" * 40 + "{{ a|length }}", "1,048,576"),
    ("{% set a = ['A' * 9999] %}" + "{% set a = [a, a] %}" * 40 + "{{ a }}", "more than"),
    ("{% set a = ['A' * 9999] %}" + "{% set a = [a, a] %}" * 40 + "{{ a|join }}", "more than"),
    ("{{ title|batch(10**10)|list }}{{ title|batch(-5)|list|length }}" + "{{ 'A' * 9999 }}" * 200, "1,048,576"),
    ("{{ title|slice(10**9)|list }}", "no filter"),
    ("{{ title|wordwrap(1) }}", "no filter"),
    ("{% for a in range(9999) %}{{ 'A' * 9999 }}{% endfor %}", "it gives more than 1,048,576 characters"),
    ("{% for x in tags recursive %}{{ loop(tags) }}{% endfor %}", "recursive"),
    ("{% for x in tags %}{{ loop(tags) }}{% endfor %}", "called"),
    ("{% for x in range(2) %}" * 6 + "{% endfor %}" * 6, "more than 5 deep"),
    ("{{ " + "[" * 3000 + "]" * 3000 + " }}", "too deeply"),
    ("{{ " + "not " * 5000 + "title }}", "too deeply"),
    ("{{ title" + "|trim" * 5000 + " }}", "too deeply"),
    ("{{ title" + ".x" * 5000 + " }}", "too deeply"),
    ("{% if title %}" * 300 + "{% endif %}" * 300, "too deeply|cannot be read"),
]


@pytest.mark.parametrize(("text", "said"), F02, ids=[text[:40] for text, _ in F02])
def test_f02_what_costs_too_much_is_stopped(text, said):
    begun = time.monotonic()
    with pytest.raises(BadTemplate, match=said) as problem:
        render(text)
    assert "the template 'mine' cannot be used: " in str(problem.value)
    assert time.monotonic() - begun < 60


@pytest.mark.parametrize(
    ("text", "given"),
    [
        ("{{ 'a\nb'|indent(10**9) }}", "a\n" + " " * 40 + "b"),
        ("{{ 1.5|round(10**9) }}", "1.5"),
        ("{{ 1.5|fixed(10**9) }}", "1.500000000000"),
        ("{{ title|truncate(10**9) }}", "Tidal Flats"),
        ("{{ title|batch(10**9)|length }}", "1"),
        ("{{ '-' * 20 }}", "-" * 20),
        ("{{ 2 ** 10 * 3 % 1000 }}", "72"),
        ("{{ date|date('%1000000000d') }}", "%1000000000d"),
    ],
)
def test_f02_what_is_only_asked_for_too_largely_is_cut(text, given):
    assert render(text) == given


@LINUX
def test_f02_the_limit_of_memory_is_told():
    lists = "{% set a = range(9999)|list %}{% set b = a|map('string')|list %}"
    text = "{% set ns = [1] %}" + "".join(
        f"{{% set c{i} = range({9000 + i})|map('string')|list %}}" for i in range(900)
    )
    with pytest.raises(BadTemplate, match="it used more than 100 MB of memory"):
        render(lists + text, limits=Limits(memory=100 << 20, cpu=10))


def test_f02_a_template_that_waits_is_stopped_by_the_clock(monkeypatch, tmp_path):
    idle = tmp_path / "idle.py"
    idle.write_text("import time\ntime.sleep(60)\n", "utf-8")
    monkeypatch.setattr(renderer, "CHILD", idle)
    begun = time.monotonic()
    with pytest.raises(BadTemplate, match=r"it took more than 0\.5 seconds"), Renderer(template(), Limits(start=0.5)):
        pass
    assert time.monotonic() - begun < 5


def test_f02_the_clock_stops_a_template_that_the_system_does_not():
    endless = Renderer(template(ENDLESS), Limits(cpu=60, wall=0.5))
    begun = time.monotonic()
    with endless, pytest.raises(BadTemplate, match=r"it took more than 0\.5 seconds"):
        endless.records([seen()])
    assert time.monotonic() - begun < 5


def test_f02_time_between_requests_does_not_count():
    with Renderer(template(), Limits(wall=0.3)) as one:
        one.records([seen()])
        time.sleep(0.8)
        assert one.records([seen()])[0].text == "Tidal Flats"


def test_f02_many_small_requests_may_take_long_together():
    work = "{% for a in range(900) %}{% for b in range(900) %}{% endfor %}{% endfor %}."
    with Renderer(template(work), Limits(cpu=1, wall=10)) as one:
        begun = time.process_time()
        for _ in range(60):
            one.records([seen()])
        assert time.process_time() - begun < 10


def test_f02_a_template_of_64_kib_is_taken_and_a_longer_one_is_not():
    assert len(render("x" * 64 * 1024)) == 64 * 1024
    with pytest.raises(BadTemplate, match="longer than 64 KiB"):
        template("x" * (64 * 1024 + 1))


F03 = [
    "{% include 'etc/passwd' %}",
    "{% include title ignore missing %}",
    "{% import 'x' as y %}",
    "{% from 'x' import y %}",
    "{% extends 'x' %}",
    "{% extends title %}",
    "{{ open('/etc/passwd') }}",
    "{{ import('os') }}",
]


@pytest.mark.parametrize("text", F03)
def test_f03_nothing_is_read_or_included(text):
    with pytest.raises(BadTemplate, match=r"not part of this language|is not a field"):
        render(text)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("../../x", "x.html"),
        ("../..", "unnamed.html"),
        ("/etc/passwd", "etc passwd.html"),
        ("C:\\x", "C x.html"),
        ("\\\\srv\\share", "srv share.html"),
        ("", "unnamed.html"),
        ("...", "unnamed.html"),
        (" \t\n", "unnamed.html"),
        ("a\0b\x1fc", "a b c.html"),
        ("CON", "_CON.html"),
        ("nul.tar", "_nul.tar.html"),
        ("COM1", "_COM1.html"),
        ("LPT¹", "_LPT¹.html"),
        ("console", "console.html"),
        ("a. . .", "a.html"),
        (".hidden", "hidden.html"),
        ("e\u0301", "é.html"),
        ("evil\u202etxt", "evil txt.html"),
        ("~/x", "~ x.html"),
        ("a\ud800b", "a b.html"),
    ],
)
def test_f04_names_of_files_are_made_safe(text, name):
    assert safe_name(text, "html") == name


@pytest.mark.parametrize(
    "text", ["x" * 300, "é" * 300, "日" * 300, "🐦" * 300, "con" + "日" * 300, "x" * 195 + ". . ."]
)
def test_f04_names_are_short_and_whole_characters(text):
    name = safe_name(text, "html")
    assert len(name.encode()) <= 200
    assert name.endswith(".html")
    assert "\ufffd" not in name


def test_f04_names_are_made_unique_whatever_their_case():
    unique = Unique()
    given = ["a.txt", "A.txt", "a (2).txt", "a.txt", "é.txt", "e\u0301.txt", "Straße.txt", "STRASSE.txt"]
    made = [unique(name) for name in given]
    assert made[:3] == ["a.txt", "A (2).txt", "a (2) (2).txt"]
    assert len({name.casefold() for name in made}) == len(given)
    long = [unique("x" * 196 + ".txt") for _ in range(12)]
    assert len(set(long)) == 12
    assert max(len(name) for name in long) <= 200


def test_f05_an_unknown_field_is_told_with_its_line_and_the_nearest_name():
    with pytest.raises(BadTemplate, match="in record, line 3: 'performer' is not a field; did you mean 'performers'"):
        render("a\n\n{{ performer }}")


def test_f05_everything_wrong_is_told_at_once():
    with pytest.raises(BadTemplate) as problem:
        render("{{ titel }}\n{{ title|uper }}\n{{ title is defind }}", footer="\n{{ cuont }}", header="{% for %}")
    said = str(problem.value)
    assert "in header, line 1: " in said
    assert "in record, line 1: 'titel' is not a field; did you mean 'title'?" in said
    assert "in record, line 2: there is no filter named 'uper'; did you mean 'upper'?" in said
    assert "in record, line 3: there is no test named 'defind'; did you mean 'defined'?" in said
    assert "in footer, line 2: 'cuont' is not a field; did you mean 'count'?" in said


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "a\n{% for p in performers %}\n\n{{ p.nmae }}\n{% endfor %}",
            "line 4: 'nmae' is not a field; did you mean 'name'",
        ),
        ("a\n{{ studio.nmae }}", "line 2: 'nmae' is not a field; did you mean 'name'"),
        ("a\n{{ performers.nmae }}", "line 2: 'nmae' is not a field; did you mean 'name'"),
        (
            "{% for p in performers %}\n{% if p.name and\n   p.nothing %}x{% endif %}{% endfor %}",
            "line [23]: 'nothing'",
        ),
        ("{% if title %}\n{{ performers[7].name }}\n{% endif %}", "line 2: there is no entry number 7"),
        ("\n\n{{ title + 1 }}", "line 3: "),
        ("\n{{ code + 1 }}", "line 2: there is no value here"),
        ("\n{{ studio }}\n{{ files }}", "line 3: it has parts .* name the one to write"),
        ("{% set x = 1 %}\n{% for a in range(3) %}\n{{ a / (2 - a) }}\n{% endfor %}", "line 3: a division by zero"),
        ("{% if title", "line 1: "),
        ("\n{{ " + "[" * 3000 + "]" * 3000 + " }}", "line 2: it is nested too deeply"),
        ("\n{{ title" + ".x" * 5000 + " }}", "line 2: it is nested too deeply"),
        ("\n{% for a in range(9999) %}\n{{ 'A' * 9999 }}{% endfor %}", "line 3: it gives more than"),
        ("\n" + ENDLESS, r"line 2: it took more than 1 seconds of processor time \(scene 12\)"),
        ("\n{{ title|upper(1) }}", r"line 2: upper\(\) takes 1 "),
        ("\n{{ title is even }}", "line 2: this is for numbers, and here is a text"),
        ("\n{{ [studio.nmae]|join }}", "line 2: 'nmae' is not a field; did you mean 'name'"),
        ("\n{% set _x = 1 %}", "line 2: '_x' is not a field: no name begins with _"),
        ("\n{% autoescape true %}{% endautoescape %}", "line 2: autoescape is not part of this language"),
        ("a\n{% endif %}", "line 2: "),
        ("a\n{{ title\n\n}", "line"),
    ],
)
def test_f05_errors_name_part_line_and_record(text, said):
    with pytest.raises(BadTemplate, match=said) as problem:
        render(text)
    assert "in record, " in str(problem.value)


def test_f05_a_trouble_with_one_of_many_records_names_it():
    with Renderer(template("{{ 1 / rating100 }}")) as one, pytest.raises(BadTemplate, match=r"line 1: .* \(scene 13\)"):
        one.records([seen({"rating100": 5}, "12"), seen({"rating100": 0}, "13")])


def test_f05_a_trouble_with_the_name_of_a_file_names_the_record_too():
    made = template(one_file="record", file_name="{{ 1 / rating100 }}")
    with Renderer(made) as one, pytest.raises(BadTemplate, match=r"in file_name, line 1: .* \(scene 13\)"):
        one.records([seen({"rating100": 5}, "12"), seen({"rating100": 0}, "13")])


F06 = [
    "{{ self }}",
    "{{ config }}",
    "{{ environment }}",
    "{{ env }}",
    "{{ os.environ }}",
    "{{ request }}",
    "{{ settings }}",
    "{{ api_key }}",
    "{{ globals() }}",
    "{{ range }}",
    "{{ title.upper }}",
    "{% for x in tags %}{{ loop }}{% endfor %}",
    "{% for x in tags %}{{ loop.cycle }}{% endfor %}",
]


@pytest.mark.parametrize("text", F06)
def test_f06_there_is_nothing_to_print_but_records(text):
    with pytest.raises(BadTemplate, match="in record, line 1: "):
        render(text, kinds=["scene"])


def children():
    """The processes that render; others, such as a browser's of other tests, are not ours to count."""
    return [process for process in psutil.Process().children() if _renders(process)]


def _renders(process):
    try:
        return any("child.py" in argument for argument in process.cmdline())
    except psutil.Error:  # gone, or a zombie
        return False


@LINUX
def test_f06_the_child_has_nothing_of_ours(monkeypatch):
    monkeypatch.setenv("STASH_API_KEY", "planted-secret")
    with Renderer(template()) as one:
        one.records([seen()])
        [process] = children()
        assert "planted-secret" not in str(process.environ())
        assert process.environ() == {}
        assert "planted-secret" not in " ".join(process.cmdline())
        ours = {str(Path(f"/proc/self/fd/{number}").readlink()) for number in (0, 1, 2)}
        its = {place.name: str(place.readlink()) for place in Path(f"/proc/{process.pid}/fd").iterdir()}
        assert set(its) == {"0", "1", "2"}
        assert its["2"] == "/dev/null"
        assert its["0"].startswith("pipe:")
        assert its["1"].startswith("pipe:")
        assert not ours & {its["0"], its["1"]}


@LINUX
def test_f06_the_child_can_open_no_file_and_start_no_process():
    with Renderer(template(), Limits(memory=333 << 20)) as one:
        one.records([seen()])
        [process] = children()
        assert process.rlimit(psutil.RLIMIT_AS) == (333 << 20, 333 << 20)
        assert process.rlimit(psutil.RLIMIT_NOFILE) == (0, 0)
        assert process.rlimit(psutil.RLIMIT_NPROC) == (0, 0)
        assert process.rlimit(psutil.RLIMIT_FSIZE) == (0, 0)
        assert process.rlimit(psutil.RLIMIT_CORE) == (0, 0)
        assert 0 < process.rlimit(psutil.RLIMIT_CPU)[0] < 20


def test_the_child_is_gone_after_use_and_after_trouble():
    with Renderer(template()) as one:
        one.records([seen()])
    assert children() == []
    with pytest.raises(BadTemplate):
        render("{{ 1 / 0 }}")
    with pytest.raises(BadTemplate):
        render("{{ nothing }}")
    assert children() == []


PARENT = """
import sys
sys.path[:0] = {path!r}
from stash_portability.libraries.template.renderer import Limits, Renderer
from stash_portability.libraries.template.spec import parse_template
made = parse_template({{"name": "x", "record": {text!r}, "ending": "txt"}})
with Renderer(made, Limits(cpu=60, wall=60)) as one:
    print(one._child.pid, flush=True)
    one.records([{{"title": "a"}}])
    sys.stdin.read()
"""


@pytest.mark.parametrize("text", [ENDLESS, "idle"])
def test_the_child_dies_with_its_parent(text):
    path = [str(ROOT), *filter(os.path.isabs, sys.path)]
    script = textwrap.dedent(PARENT.format(path=path, text=text))
    parent = subprocess.Popen([sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert parent.stdout
    pid = int(parent.stdout.readline())
    time.sleep(0.5)
    assert psutil.pid_exists(pid)
    parent.send_signal(signal.SIGKILL)
    parent.wait()
    end = time.monotonic() + 5
    while time.monotonic() < end and psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE:
        time.sleep(0.05)
    assert not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    parent.communicate()


def test_a_child_that_dies_is_told():
    with Renderer(template()) as one:
        [process] = children()
        process.kill()
        with pytest.raises(BadTemplate, match="killed"):
            one.records([seen()])


def test_a_child_that_says_too_much_is_not_believed(monkeypatch, tmp_path):
    liar = tmp_path / "liar.py"
    liar.write_text("import os,struct,time\nos.write(1,struct.pack('>cI',b'D',2**32-1))\ntime.sleep(9)\n", "utf-8")
    monkeypatch.setattr(renderer, "CHILD", liar)
    with pytest.raises(BadTemplate), Renderer(template(), Limits(start=1.0)):
        pass


def test_without_jinja_it_is_told_what_is_missing(monkeypatch):
    from stash_portability.errors import LibrariesMissing

    own = [entry for entry in sys.path if Path(entry).is_absolute() and "site-packages" not in entry]
    monkeypatch.setattr(renderer.sys, "path", [entry for entry in own if not (Path(entry) / "jinja2").exists()])
    with pytest.raises(LibrariesMissing, match="jinja2"), Renderer(template()):
        pass


def test_the_limits_of_the_tests_are_shorter_than_the_real_ones():
    assert SHORT.memory < Limits().memory == 512 << 20
    assert Limits() == Limits(memory=512 << 20, cpu=10, wall=15.0, output=1 << 20)
    assert child.HEAD.size == 5
    assert parse_template({"record": "x", "ending": "txt"}).escape == "none"


LISTS = "{% set a = [1.5, 1] %}{% set b = [1.5, 1.0] %}" + "{% set a = [a, a] %}{% set b = [b, b] %}" * 60
"""After these, ``a == b`` takes longer than anybody lives, and Python cannot be interrupted meanwhile."""


@LINUX
def test_f02_what_python_cannot_interrupt_is_ended_by_the_system():
    with pytest.raises(BadTemplate, match=r"in record: it took more than 1 seconds of processor time \(scene 12\)"):
        render(LISTS + "{{ a == b }}", limits=Limits(cpu=1, wall=30))
    assert children() == []


def test_f02_what_python_cannot_interrupt_is_ended_by_the_clock():
    with pytest.raises(BadTemplate, match=r"in record: it took more than 0\.5 seconds \(scene 12\)"):
        render(LISTS + "{{ a == b }}", limits=Limits(cpu=60, wall=0.5))
    assert children() == []


@LINUX
def test_f02_a_thousand_small_records_have_their_time_together():
    work = "{% for a in range(300) %}{% for b in range(300) %}{% endfor %}{% endfor %}"
    with (
        Renderer(template(work), Limits(cpu=60, wall=0.5)) as one,
        pytest.raises(BadTemplate, match=r"in record, line 1: it took more than 0\.5 seconds \(scene \d+\)"),
    ):
        one.records([seen(uid=str(uid)) for uid in range(1, 1000)])
