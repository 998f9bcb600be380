"""The page of a run: whatever records are called, nothing in it runs, and it says what the report says."""

from html.parser import HTMLParser

from hypothesis import example, given

from stash_portability.model import Brake, Reason, Report
from stash_portability.report import as_data
from stash_portability.report_html import as_html

from .hostile import TEXTS

MAY_BE = set("html head meta title style body main h1 h2 p table tr th td ul li bdi".split())


class Page(HTMLParser):
    """What is in a page: its elements with their attributes, and its text."""

    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.elements, self.attributes, self.text = [], set(), []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.elements.append(tag)
        self.attributes |= {name for name, _ in attrs}

    def handle_data(self, data):
        self.text.append(data)

    def handle_comment(self, data):
        raise AssertionError(data)


def run_of(name, **more):
    report = Report("apply restore merge", source=f"the plan of {name}", how=name)
    report.changes = {"tag create": 2, "scene update": 1200}
    report.brakes, report.decisions = [Brake("many-deletes", name)], {"moved": 3, "failed": 0}
    report.skipped, report.remarks, report.notes, report.point = [name], [name], [name], name
    report.reasons = [Reason(name, 7, [name])]
    report.not_restored = {"scene.created_at": {"count": 4, "why": name}}
    facts = {"run": "20260501T120000.000Z-apply-00000000", "state": "finished", "exit_code": 1, "title": name}
    return {
        **facts,
        "started": "2026-05-01T12:00:00Z",
        "ended": "2026-05-01T12:01:00Z",
        "report": as_data(report),
        **more,
    }


@given(TEXTS)
@example("</bdi></title></style><script>alert(1)</script><img src=x onerror='x'>")
@example('" onload="x')
@example("<!-- \ud800 \0 \x1b[2J \u202e")
def test_names_are_only_text(name):
    text = as_html(run_of(name, error={"code": "RecordError", "message": name}))
    page = Page(text)
    assert set(page.elements) <= MAY_BE
    assert page.attributes <= {"lang", "charset", "http-equiv", "content", "name", "class"}
    assert text.encode("utf-8").decode("utf-8") == text
    assert not set(text) & {chr(code) for code in (*range(9), 11, 12, *range(14, 32), *range(127, 160))}


def test_it_says_what_the_report_says():
    page = Page(as_html(run_of("Reed & Sedge")))
    said = "".join(page.text)
    times, moved = "2026-05-01T12:00:00Z to 2026-05-01T12:01:00Z", "3 records were changed by somebody meanwhile"
    for words in ("Reed & Sedge", "finished, exit code 1", times, "many-deletes", moved, "created_at of 4 scenes"):
        assert words in said
    assert "changes failed" not in said
    rows = [line for line in as_html(run_of("x")).splitlines() if line.startswith("<tr>")]
    assert rows == [
        "<tr><th></th><th>made</th><th>changed</th></tr>",
        "<tr><th>scenes</th><td></td><td>1,200</td></tr>",
        "<tr><th>tags</th><td>2</td><td></td></tr>",
    ]


def test_a_run_that_failed_says_why():
    run = {"run": "r", "state": "failed", "exit_code": 7, "title": "Restore x", "error": {"message": "many-deletes: 9"}}
    said = "".join(Page(as_html(run)).text)
    assert "many-deletes: 9" in said
    assert "exit code 7 (" in said


def test_it_fetches_nothing():
    text = as_html(run_of("x"))
    assert "default-src 'none'" in text
    assert "prefers-color-scheme: dark" in text
    for word in ("http:", "https:", "url(", "@import", "<script", "src="):
        assert word not in text
