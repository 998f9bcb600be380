"""The manifest is one that Stash loads, and one that CommunityScripts would take.

Stash's reader refuses a manifest with an unknown key (pkg/plugin/config.go). CommunityScripts checks manifests
against validator/plugin.schema.json and builds its package source from lines it finds by their beginning
(build_site.sh); its rules are told here in our own words, and each is shown to find its mistake.
"""

import copy
import re
from pathlib import Path

import pytest
import yaml

from stash_portability import __version__
from stash_portability.call import USUAL_ID

ROOT = Path(__file__).parent.parent
TEXT = (ROOT / "plugin.yml").read_text("utf-8")
MANIFEST = yaml.safe_load(TEXT)

KEYS = set("name description version url interface exec errLog ui tasks hooks settings".split())
UI_KEYS = {"css", "javascript", "requires", "assets", "csp"}
HOOK_KEYS = {"name", "description", "triggeredBy", "defaultArgs"}
TRIGGER = re.compile(
    r"(Scene|SceneMarker|Image|Gallery|GalleryChapter|Movie|Group|Performer|Studio|Tag)\.(Create|Update|Destroy)\.Post"
    r"|Tag\.Merge\.Post"
)
"""What Stash runs hooks for (pkg/plugin/hook/hooks.go, the same in 0.27 and 0.30); others it loads and never runs."""
ONCE_A_FILE = re.compile(r"(Scene|Image|Gallery).*|.*\.(Create|Update)\.Post")
"""A scan makes these by the thousand, and Stash starts a process for each: no hook of ours may be run by one."""
TASK_KEYS = {"name", "description", "defaultArgs"}
"""Stash takes execArgs too, as a list; CommunityScripts only as a mapping: so there can be none."""
SETTING_KEYS = {"displayName", "description", "type"}
INTERFACES = {"raw", "rpc", "js"}
LEVELS = {"trace", "debug", "info", "warning", "error"}
TYPES = {"STRING", "NUMBER", "BOOLEAN"}
VERSION = re.compile(r"\d+(\.\d+)?(\.\d+)?")
ON_ONE_LINE = ("name", "description", "version")


def unknown(what, keys, known):
    return [f"{what} has the unknown key {key}" for key in keys if key not in known]


def problems(manifest):
    """Everything that is wrong with a manifest."""
    yield from unknown("the manifest", manifest, KEYS)
    if not isinstance(manifest.get("name"), str):
        yield "name must be a text"
    if not VERSION.fullmatch(str(manifest.get("version"))):
        yield "version must be one to three numbers with dots, without a suffix"
    if manifest.get("interface", "raw") not in INTERFACES:
        yield "interface must be one of Stash's"
    if manifest.get("errLog", "error") not in LEVELS:
        yield "errLog must be a level"
    if not all(isinstance(part, str) for part in manifest.get("exec", [])):
        yield "exec must be texts"
    yield from problems_of_parts(manifest)


def problems_of_parts(manifest):
    yield from problems_of_ui(manifest.get("ui"))
    for part, look in (("tasks", problems_of_task), ("hooks", problems_of_hook)):
        for one in manifest.get(part, []):
            yield from look(one)
    for name, setting in manifest.get("settings", {}).items():
        yield from problems_of_setting(name, setting)


def problems_of_ui(ui):
    if ui is None:
        return
    yield from unknown("ui", ui, UI_KEYS)
    if not ui.get("css") and not ui.get("javascript"):
        yield "ui needs css or javascript"
    for prefix, folder in ui.get("assets", {}).items():
        others = [other for other in ui["assets"] if other != prefix]
        if not prefix.startswith("/") or any(other.startswith(prefix) for other in others):
            yield f"asset {prefix} must begin with a slash, and no other may begin with it"
        if not isinstance(folder, str) or Path(folder).is_absolute() or ".." in Path(folder).parts or folder == ".":
            yield f"asset {prefix} must be a folder of the plugin, and not the whole"


def problems_of_task(task):
    yield from unknown("a task", task, TASK_KEYS)
    if not isinstance(task.get("name"), str):
        yield "a task needs a name"
    if not all(isinstance(value, str) for value in task.get("defaultArgs", {}).values()):
        yield "defaultArgs are texts: Stash makes texts of them anyway"


def problems_of_hook(hook):
    yield from unknown("a hook", hook, HOOK_KEYS)
    if not isinstance(hook.get("name"), str) or not hook.get("triggeredBy"):
        yield "a hook needs a name and what runs it"
    for trigger in hook.get("triggeredBy") or []:
        if not TRIGGER.fullmatch(trigger):
            yield f"Stash runs no hook for {trigger}"
        elif ONCE_A_FILE.fullmatch(trigger):
            yield f"{trigger} would run a process for every file of a scan"
    if not all(isinstance(value, str) for value in hook.get("defaultArgs", {}).values()):
        yield "a hook's defaultArgs are texts"


def problems_of_setting(name, setting):
    yield from unknown(f"setting {name}", setting, SETTING_KEYS)
    if not isinstance(setting.get("displayName"), str) or setting.get("type") not in TYPES:
        yield f"setting {name} needs a displayName and a type"


def test_the_manifest_keeps_every_rule():
    assert list(problems(MANIFEST)) == []


BROKEN = {
    "unknown key id": lambda m: m.update(id="x"),
    "unknown key requires": lambda m: m.update(requires=["x"]),
    "name must": lambda m: m.pop("name"),
    "version must": lambda m: m.update(version="1.0.0-rc1"),
    "interface": lambda m: m.update(interface="python"),
    "errLog": lambda m: m.update(errLog="warn"),
    "exec must": lambda m: m["exec"].append(1),
    "ui needs": lambda m: m["ui"].pop("javascript"),
    "begin with a slash": lambda m: m["ui"]["assets"].update({"here": "ui"}),
    "no other may": lambda m: m["ui"]["assets"].update({"/ui": "ui"}),
    "folder of the plugin": lambda m: m["ui"]["assets"].update({"/x": "../x"}),
    "unknown key execArgs": lambda m: m["tasks"][0].update(execArgs=["x"]),
    "a task needs": lambda m: m["tasks"][0].pop("name"),
    "defaultArgs": lambda m: m["tasks"][0]["defaultArgs"].update(number=1),
    "a hook needs a name": lambda m: m["hooks"][0].pop("name"),
    "a hook needs a name and what runs it": lambda m: m["hooks"][0].pop("triggeredBy"),
    "a hook has the unknown key execArgs": lambda m: m["hooks"][0].update(execArgs=["x"]),
    "no hook for Performer.Merge.Post": lambda m: m["hooks"][0]["triggeredBy"].append("Performer.Merge.Post"),
    "for every file of a scan": lambda m: m["hooks"][0]["triggeredBy"].append("Scene.Create.Post"),
    "a hook's defaultArgs": lambda m: m["hooks"][0]["defaultArgs"].update(number=1),
    "displayName": lambda m: m["settings"]["format"].pop("displayName"),
    "and a type": lambda m: m["settings"]["format"].update(type="LIST"),
    "unknown key default": lambda m: m["settings"]["format"].update(default="json"),
}


@pytest.mark.parametrize("words", BROKEN)
def test_each_rule_finds_its_mistake(words):
    manifest = copy.deepcopy(MANIFEST)
    BROKEN[words](manifest)
    assert any(words in problem for problem in problems(manifest))


@pytest.mark.parametrize("key", ON_ONE_LINE)
def test_what_package_sources_read_stands_plain_on_one_line(key):
    """build_site.sh takes what follows the first such line as it is: no quotes, no comment, no block."""
    found = re.findall(rf"^{key}: (.*)$", TEXT, re.MULTILINE)
    assert found == [str(MANIFEST[key])]


def test_the_manifest_gives_the_version_everywhere_it_must():
    assert MANIFEST["version"] == __version__
    assert f"/ui/{__version__}" in MANIFEST["ui"]["assets"]
    assert f'"{__version__}"' in (ROOT / "ui" / "main.js").read_text("utf-8")


def test_what_the_manifest_names_is_there():
    assert all((ROOT / path).is_file() for path in MANIFEST["ui"]["javascript"])
    program = MANIFEST["exec"][1].replace("{pluginDir}", str(ROOT))
    assert Path(program).is_file()


def test_the_manifests_name_makes_an_id_that_is_checked():
    """The validator skips files with "config" in their names; the id is the name, and a package must have it too."""
    assert "config" not in USUAL_ID
    assert re.fullmatch(r"[A-Za-z0-9_-]+", USUAL_ID)
    assert "#pkgignore" not in TEXT
    assert not re.findall(r"^# *requires:", TEXT, re.MULTILINE)
