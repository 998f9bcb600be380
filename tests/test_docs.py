"""The documentation says what is so: every name in it is real, and every real name is in it."""

import argparse
import re
import shlex
from pathlib import Path

import pytest

from stash_portability import docs
from stash_portability.arguments import parser
from stash_portability.errors import EXIT_CODES, all_errors
from stash_portability.formats import FORMATS
from stash_portability.kinds import CONFIG_TYPES, KINDS, LEVELS
from stash_portability.operations_runs import BY_ORDER
from stash_portability.plugin import ARGUMENTS, OPERATIONS, SETTINGS, TASKS

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text("utf-8")
PLUGIN = (ROOT / "docs" / "PLUGIN.md").read_text("utf-8")
COMMANDS = (ROOT / "docs" / "COMMANDS.md").read_text("utf-8")
BACKUPS = (ROOT / "docs" / "BACKUPS.md").read_text("utf-8")
MEDIA = (ROOT / "docs" / "MEDIA.md").read_text("utf-8")
FORMAT = (ROOT / "docs" / "FORMAT.md").read_text("utf-8")
FIELDS = (ROOT / "docs" / "FIELDS.md").read_text("utf-8")
ERRORS = (ROOT / "docs" / "ERRORS.md").read_text("utf-8")
CODEMAP = (ROOT / "docs" / "CODEMAP.md").read_text("utf-8")
MAKEFILE = (ROOT / "Makefile").read_text("utf-8")
MANIFEST = (ROOT / "plugin.yml").read_text("utf-8")
GUIDE = README + PLUGIN + COMMANDS + BACKUPS + MEDIA
"""What tells people how it is used."""
ALL = GUIDE + FORMAT + CODEMAP
OF_OTHERS = {"-m"}


def commands():
    found = next(action for action in parser()._actions if isinstance(action, argparse._SubParsersAction))
    return found.choices


def options():
    for command in (parser(), *commands().values()):
        for action in command._actions:
            yield from (name for name in action.option_strings if name.startswith("--") and name != "--help")


def test_what_is_made_from_code_is_up_to_date():
    assert docs.stale() == []


def test_every_option_is_told_and_the_reverse():
    assert set(re.findall(r"^\| `(--[a-z-]+)", COMMANDS, re.M)) == set(options())
    said = set(re.findall(r"(?<![\w-])--[a-z][a-z-]*", ALL)) - {"--setup"}
    assert said == set(options())


def test_every_command_is_told_and_the_reverse():
    assert re.findall(r"^\*\*`(\w+)`\*\*: ", COMMANDS, re.M) == list(commands())
    said = set(re.findall(r"stash-portability (?:--\w+ )*([a-z]+)\b", GUIDE)) | set(
        re.findall(r"\*\*`(\w+)`\*\*", GUIDE)
    )
    assert said == set(commands())


def example_lines():
    fences = re.split(r"^```.*$", GUIDE.replace("\\\n", " "), flags=re.M)[1::2]
    lines = (line.partition("  #")[0] for fence in fences for line in fence.splitlines())
    return [line for line in lines if line.startswith("stash-portability ")]


@pytest.mark.parametrize("line", example_lines())
def test_the_examples_can_be_run(line, monkeypatch):
    from stash_portability.config import export_options

    monkeypatch.chdir(ROOT)
    given = parser().parse_args(shlex.split(line)[1:])
    if given.command == "export":
        export_options(vars(given), {})


def test_every_field_is_in_the_table_and_the_reverse():
    known = {(kind.name, name) for kind in KINDS.values() for name in names(kind.fields)}
    said = set()
    for kind, body in re.findall(r"^## (\w+)$(.*?)(?=^## )", FIELDS, re.M | re.S):
        said |= {(kind, name) for name in re.findall(r"^\| `([\w.]+)` \|", body, re.M)}
    assert said == known


def names(fields, before=""):
    for field in fields:
        yield before + field.name
        yield from names(field.parts, f"{before}{field.name}.")


def test_every_error_and_exit_code_is_listed_and_the_reverse():
    assert set(re.findall(r"^\| `(\w+)` \|", ERRORS, re.M)) == set(all_errors()) - set(docs.FAMILIES)
    for page in (COMMANDS, ERRORS):
        table = page[page.index("| exit code | meaning |") :]
        assert {int(code) for code in re.findall(r"^\| (\d+) \|", table, re.M)} == set(EXIT_CODES)


def test_every_format_level_and_configuration_type_is_told():
    for name in FORMATS:
        assert f"`{name}`" in COMMANDS
        assert name.upper() in FORMAT
    assert all(f"`{level}`" in README for level in LEVELS)
    assert all(f"`{name}`" in FIELDS for name in CONFIG_TYPES)


def test_the_manifest_offers_what_the_plugin_does():
    tasks = MANIFEST.split("\ntasks:\n")[1].split("\nhooks:\n")[0]
    listed = {mode: task.title for mode, task in TASKS.items() if mode not in BY_ORDER}
    assert re.findall(r"mode: (\w+)", tasks) == list(listed)
    assert re.findall(r"^  - name: (.+)$", tasks, re.M) == list(listed.values())
    assert set(re.findall(r"^  (\w+):$", MANIFEST.split("\nsettings:\n")[1], re.M)) == {*SETTINGS, "dataFolder"}
    assert all(f'`{{mode: "{mode}"}}`' in PLUGIN for mode in OPERATIONS)
    for title in re.findall(r"displayName: (.+)", MANIFEST):
        assert f"| {title} |" in PLUGIN


def test_a_task_takes_the_options_of_export_but_those_for_the_source():
    flags = {option.lstrip("-").replace("-", "_") for option in long_options(commands()["export"])}
    assert set(ARGUMENTS) == flags - {"from", "api_key_file"}


def long_options(command):
    return [name for action in command._actions for name in action.option_strings if name not in ("-h", "--help")]


def test_versions_agree():
    from stash_portability import __version__

    assert f"version: {__version__}\n" in MANIFEST
    assert f'version = "{__version__}"' in (ROOT / "pyproject.toml").read_text("utf-8")


def test_make_targets_that_are_told_are_there():
    targets = set(re.findall(r"^([a-z-]+):", MAKEFILE, re.M))
    assert set(re.findall(r"\bmake ([a-z-]+)\b", "\n".join(re.findall(r"`[^`]*`|^make \w+", GUIDE, re.M)))) <= targets
    assert README.index("make run") < README.index("make test") < 400


def heading_anchors(text):
    """What GitHub calls the headings of a page in a link."""
    heads = re.findall(r"^#+ (.+)$", re.sub(r"^```.*?^```$", "", text, flags=re.M | re.S), re.M)
    return {re.sub(r"[^\w -]", "", head.lower()).replace(" ", "-") for head in heads}


@pytest.mark.parametrize("page", ["README.md", *sorted(f"docs/{path.name}" for path in (ROOT / "docs").glob("*.md"))])
def test_what_is_linked_to_is_there(page):
    text = (ROOT / page).read_text("utf-8")
    for path, anchor in re.findall(r"\]\(([\w/.]*)(?:#([\w-]+))?\)", text):
        place = (ROOT / page).parent / path if path else ROOT / page
        assert place.exists(), path
        assert not anchor or anchor in heading_anchors(place.read_text("utf-8")), (path, anchor)


def test_every_page_is_found_from_the_readme():
    linked = set(re.findall(r"\]\(docs/(\w+\.md)", README))
    assert linked == {path.name for path in (ROOT / "docs").glob("*.md")}


def test_the_map_names_every_module():
    house = CODEMAP[: CODEMAP.index("## Which way")]
    for path in (ROOT / "stash_portability").iterdir():
        if path.suffix == ".py" and path.name != "__init__.py":
            assert path.name in house, path.name
        elif (path / "__init__.py").is_file():
            assert f"{path.name}/" in house, path.name
