"""What the page asks about templates: which there are, saving one, a preview, and the way to a download."""

import json
import sys
import time
import zipfile

import pytest

from stash_portability import operations, templates
from stash_portability.errors import LibrariesMissing

from .test_operations import ask, call, do, error_of, stash

__all__ = ["ask", "call", "do", "stash"]

PAGE = {
    "name": "Ponds",
    "description": "A list of ponds\nand more",
    "ending": "html",
    "kinds": ["scene"],
    "header": "<ul>\n",
    "record": "<li>{{ title }}</li>\n",
    "between": "<!-- -->\n",
    "footer": "</ul>\n",
}
HOSTILE = (
    "{% for a in range(9999) %}{% for b in range(9999) %}{% for c in range(9999) %}{% endfor %}{% endfor %}{% endfor %}"
)


def own(stash):
    return stash.folder / "portability" / "templates"


def keep(stash, name, template):
    own(stash).mkdir(parents=True, exist_ok=True)
    (own(stash) / name).write_text(template if isinstance(template, str) else json.dumps(template), "utf-8")


def shipped(stash, name, text):
    (stash.plugin / "templates").mkdir(exist_ok=True)
    (stash.plugin / "templates" / name).write_text(text, "utf-8")


# which there are


def test_fields_tells_the_templates_with_all_the_editor_needs(ask, stash):
    keep(stash, "mine.json", PAGE)
    keep(stash, "both.json", {"record": "our own", "ending": "txt"})
    shipped(stash, "both.yaml", "record: shipped\nending: txt\n")
    shipped(stash, "gallery.yaml", "name: Gallery\ndescription: With pictures\nrecord: x\nending: html\nimages: true\n")
    found = {one["name"]: one for one in ask("fields")["templates"]}
    assert set(found) == {"both", "gallery", "mine"}
    assert found["mine"] == {
        "name": "mine",
        "title": "Ponds",
        "description": "A list of ponds",
        "own": True,
        "template": {**PAGE, "escape": "html"},
    }
    assert (found["both"]["own"], found["both"]["title"]) == (True, "both")
    assert found["both"]["template"]["record"] == "our own"
    gallery = found["gallery"]
    assert (gallery["title"], gallery["description"], gallery["own"]) == ("Gallery", "With pictures", False)
    assert gallery["template"]["images"] is True


def test_fields_tells_what_a_template_can_use(ask):
    found = ask("fields")
    assert found["escapes"]["html"]
    scene = {one["path"]: one for one in found["template_fields"]["scene"]}
    assert set(scene["title"]) == {"path", "words", "many"}
    assert scene["performers.name"]["many"] is True
    assert {"scene", "tag", "performer"} <= set(found["template_fields"])


def test_a_template_that_cannot_be_used_hides_nothing(ask, stash):
    keep(stash, "deep.json", "[" * 100_000)
    keep(stash, "none.json", "[]")
    keep(stash, "wrong.json", {"record": 5})
    keep(stash, "mine.json", PAGE)
    (stash.folder / "elsewhere.json").write_text(json.dumps({**PAGE, "name": "secret"}))
    (own(stash) / "far.json").symlink_to(stash.folder / "elsewhere.json")
    found = {one["name"]: one for one in ask("fields")["templates"]}
    assert {name for name, one in found.items() if one["template"] == {}} == {"deep", "far", "none", "wrong"}
    assert found["mine"]["template"]
    for name in ("deep", "none", "wrong"):
        assert error_of(ask("preview", order={"template": name}))["code"] == "BadTemplate"
    assert error_of(ask("preview", order={"template": "far"}))["code"] == "OutsideRoots"


# saving


def test_a_template_is_saved_used_and_saved_again(ask, stash):
    assert ask("save_template", name=" My ponds ", template=PAGE) == {"ok": True, "name": "My ponds"}
    path = own(stash) / "My ponds.json"
    assert json.loads(path.read_text("utf-8")) == {**PAGE, "escape": "html"}
    assert '\n  "name"' in path.read_text("utf-8")
    if sys.platform != "win32":
        assert path.stat().st_mode & 0o777 == 0o600
        assert own(stash).stat().st_mode & 0o777 == 0o700
    assert ask("preview", order={"template": "My ponds"})["text"].startswith("<ul>")
    ask("save_template", name="My ponds", template={**PAGE, "name": "Lakes"})
    assert [one["title"] for one in ask("fields")["templates"]] == ["Lakes"]
    assert [entry.name for entry in own(stash).iterdir()] == ["My ponds.json"]


@pytest.mark.parametrize(
    "name",
    ["../../config", "..", ".hidden", "/etc/passwd", "a/b", "a\\b", "C:\\x", "con", "x.yml", "x\ny", "ä 😀 #1",
     "x" * 100, "ä" * 100, "\ud800", "\u202eexe.json", "a" * 50 + "." * 50, "-rf", "name.json"],
)  # fmt: skip
def test_whatever_a_template_is_called_it_is_saved_in_its_folder(ask, stash, name):
    answer = ask("save_template", name=name, template=PAGE)
    made = [
        path for path in (stash.folder / "portability").rglob("*") if path.is_file() and path.parent.name != "state"
    ]
    assert [path.parent for path in made] == [own(stash)]
    assert made[0].name == f"{answer['name']}.json"
    assert not made[0].name.startswith(".")
    assert ask("preview", order={"template": answer["name"]})["ok"]
    assert [one["name"] for one in ask("fields")["templates"]] == [answer["name"]]


@pytest.mark.parametrize("name", [None, "", "  ", 5, ["x"], "x" * 101])
def test_a_template_without_a_name_is_not_saved(ask, stash, name):
    assert error_of(ask("save_template", name=name, template=PAGE))["code"] == "UsageError"
    assert not own(stash).exists()


@pytest.mark.parametrize(
    ("template", "words"),
    [
        (None, "not a mapping"),
        ("record", "not a mapping"),
        ({}, "record is missing"),
        ({**PAGE, "record": "x" * 70_000}, "KiB"),
        ({**PAGE, "run": "rm"}, "'run'"),
        ({**PAGE, "record": "{{ title"}, "line 1"),
        ({**PAGE, "record": "a\n{% include 'b' %}"}, "line 2"),
        ({**PAGE, "record": "{{ ''.__class__ }}"}, "record"),
    ],
)
def test_only_good_templates_are_saved(ask, stash, template, words):
    error = error_of(ask("save_template", name="x", template=template))
    assert error["code"] == "BadTemplate"
    assert words in error["message"]
    assert not own(stash).exists()


def test_there_is_an_end_to_templates(ask, stash, monkeypatch):
    monkeypatch.setattr(templates, "MOST_OWN", 3)
    for name in ("a", "b"):
        assert ask("save_template", name=name, template=PAGE)["ok"]
    keep(stash, "c.yaml", "record: x\nending: txt\n")
    assert "no more" in error_of(ask("save_template", name="d", template=PAGE))["message"]
    assert ask("save_template", name="a", template={**PAGE, "name": "again"})["ok"]


def test_a_link_in_the_place_of_a_template_is_replaced_and_not_followed(ask, stash):
    own(stash).mkdir(parents=True)
    (stash.folder / "config.json").write_text("precious")
    (own(stash) / "x.json").symlink_to(stash.folder / "config.json")
    assert ask("save_template", name="x", template=PAGE)["ok"]
    assert (stash.folder / "config.json").read_text() == "precious"
    assert not (own(stash) / "x.json").is_symlink()


def test_a_folder_that_cannot_be_written_is_told(ask, stash):
    own(stash).parent.mkdir(parents=True)
    own(stash).write_text("a file")
    assert error_of(ask("save_template", name="x", template=PAGE))["code"] == "OutputNotUsable"


# preview


def test_a_preview_shows_the_header_and_five_records(ask):
    found = ask("preview", order={"template": PAGE})
    assert (found["kind"], found["form"], found["records"]) == ("scene", "template", 5)
    assert found["text"].startswith("<ul>\n<li>")
    assert found["text"].count("<li>") == 5
    assert found["text"].count("<!-- -->") == 4
    assert "</ul>" not in found["text"]
    assert found["guess"]["bytes"] > 0
    assert found["count"] == 11


def test_a_preview_of_a_file_a_record_names_the_files(ask):
    one = {"record": "{{ name }}\n", "ending": "md", "one_file": "record", "file_name": "{{ name }}", "kinds": ["tag"]}
    text = ask("preview", order={"template": one})["text"]
    assert text.count("# ") == 5
    assert text.startswith("# ")
    first, second = text.splitlines()[:2]
    assert first.endswith(".md")
    assert second


@pytest.mark.parametrize(
    ("part", "text", "words"),
    [
        ("record", "a\nb\n{{ performer }}", ("record", "line 3", "'performers'")),
        ("header", "{{ titel }}", ("header", "line 1")),
        ("footer", "{% if %}", ("footer", "line 1")),
        ("record", "{{ title.__class__ }}", ("record", "line 1")),
    ],
)
def test_a_mistake_in_a_template_is_told_with_part_and_line(ask, part, text, words):
    error = error_of(ask("preview", order={"template": {**PAGE, part: text}}))
    assert (error["code"], error["exit_code"]) == ("BadTemplate", 2)
    for word in words:
        assert word in error["message"]


def test_a_template_that_takes_forever_is_told_in_time(ask):
    begun = time.monotonic()
    error = error_of(ask("preview", order={"template": {**PAGE, "record": HOSTILE}}))
    assert time.monotonic() - begun < operations.SECONDS + 0.5
    assert error["code"] == "BadTemplate"


def test_a_preview_of_records_with_pictures_names_their_files(ask):
    pictured = {"record": "{{ name }}|{{ image }}\n", "ending": "txt", "kinds": ["performer"], "images": True}
    found = ask("preview", order={"template": pictured})
    named = [line.partition("|")[2] for line in found["text"].splitlines()]
    assert any(name.startswith("pictures/") for name in named)


def test_without_their_library_templates_are_told_and_the_rest_goes_on(ask, stash, monkeypatch):
    def lacks(_, *names):
        if "templates" in names:
            raise LibrariesMissing(what="templates", reason="not there", command="x")

    monkeypatch.setattr("stash_portability.desk.Desk.need", lacks)
    for mode, arguments in (
        ("preview", {"order": {"template": PAGE}}),
        ("save_template", {"name": "x", "template": PAGE}),
    ):
        assert error_of(ask(mode, **arguments))["code"] == "LibrariesMissing"
    assert ask("start", order={"template": PAGE})["ok"], "the task installs it"


# from start to link


def test_a_page_comes_as_a_zip(ask, do, stash):
    started = ask("start", order={"template": PAGE})
    job = stash.jobs[started["job"]]
    assert job["description"].startswith("Running plugin task: Stash Portability: export scenes by a template (")
    do(started["job"])
    report = ask("run", run=started["run"])["run"]
    assert report["state"] == "finished", report
    assert report["title"] == "Export scenes by a template"
    link = ask("link", run=started["run"])
    assert link["name"].endswith("-scenes.zip")
    with zipfile.ZipFile(stash.plugin / link["path"]) as archive:
        (name,) = [name for name in archive.namelist() if name.endswith(".html")]
        text = archive.read(name).decode()
    assert text.startswith("<ul>") and text.endswith("</ul>\n")
    assert text.startswith(ask("preview", order={"template": PAGE})["text"])


@pytest.mark.parametrize("ending", ["csv", "tsv", "json", "jsonl", "html", "svg"])
def test_no_template_makes_a_page_on_the_address_of_stash(ask, do, stash, ending):
    escape = {} if ending in ("html", "svg") else {"escape": "none"}
    page = {"header": "<script>alert(1)</script>", "record": "x", "ending": ending, **escape}
    for order in ({"template": page}, {"template": page, "to": f"mine.{ending}"}):
        started = ask("start", order=order)
        do(started["job"])
        link = ask("link", run=started["run"])
        assert link["path"].endswith(".zip"), order


def test_a_template_that_was_changed_to_a_wrong_one_fails_its_task(ask, do, stash):
    ask("save_template", name="mine", template=PAGE)
    started = ask("start", order={"template": "mine"})
    keep(stash, "mine.json", {**PAGE, "record": "{{ titel }}"})
    do(started["job"])
    report = ask("run", run=started["run"])["run"]
    assert (report["state"], report["error"]["code"]) == ("failed", "BadTemplate")
    assert list((stash.folder / "portability" / "exports").iterdir()) == []
