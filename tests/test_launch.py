"""Starting on a Python that has nothing: what is there, what is missing, and what the launcher says."""

import ast
import io
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from stash_portability import launch
from stash_portability.dependencies import SETS, installed, lacking, numbers, read_lock, shelf
from stash_portability.errors import LibrariesMissing

ROOT = Path(__file__).parent.parent
LAUNCHER = ROOT / "stash_portability" / "launch.py"


def test_the_lock_pins_every_set_with_hashes():
    sections = read_lock((ROOT / "requirements.lock").read_text("utf-8"))
    assert list(sections) == list(SETS)
    for name, text in sections.items():
        pins = {found[0].lower(): found[1] for found in re.findall(r"^([\w.-]+)==([\w.]+)", text, re.MULTILINE)}
        for floor in SETS[name].floors:
            library, low = floor.split(">=")
            assert numbers(pins[library]) >= numbers(low)
        assert text.count("--hash=sha256:") >= len(pins)
        assert all("--hash" in rest for rest in re.split(r"^[\w.-]+==", text, flags=re.MULTILINE)[1:])


def test_the_sets_are_the_dependencies_of_the_package():
    listed = re.search(r"^dependencies = \[(.*?)^\]", (ROOT / "pyproject.toml").read_text("utf-8"), re.M | re.S)
    floors = [floor for one in SETS.values() for floor in one.floors]
    assert sorted(re.findall(r'"(.*?)"', listed[1])) == sorted(floors)


def test_a_damaged_lock_is_told(tmp_path):
    with pytest.raises(LibrariesMissing, match="no set core"):
        read_lock("nothing")
    with pytest.raises(LibrariesMissing, match=r"nowhere\.lock"):
        shelf(tmp_path, [], tmp_path / "nowhere.lock")


def test_the_shelf_belongs_to_this_lock_and_this_python(tmp_path):
    where = shelf(tmp_path, ["", "/somewhere"])
    version = f"{sys.version_info[0]}{sys.version_info[1]}"
    assert re.fullmatch(rf"[0-9a-f]{{12}}-.*{version}.*", where.folder.name)
    assert where.path == ("/somewhere",)


def test_what_is_installed_is_known_by_the_names_of_its_metadata(tmp_path):
    names = ("orjson-3.13.0.dist-info", "Stashapp_Tools-0.2.59.dist-info", "requests-2.28.1.egg-info")
    for name in (*names, "tqdm-4.66.post1-py3.11.egg-info", "idna"):
        (tmp_path / name).mkdir()
    expected = {"orjson": (3, 13, 0), "stashapp-tools": (0, 2, 59), "requests": (2, 28, 1), "tqdm": (4, 66)}
    assert dict(installed([str(tmp_path), "/nowhere"])) == expected
    assert lacking(SETS["core"].floors, [str(tmp_path)]) == ["requests"]


def test_the_first_folder_of_the_path_counts(tmp_path):
    for folder, version in (("first", "1.0"), ("second", "9.0")):
        (tmp_path / folder / f"orjson-{version}.dist-info").mkdir(parents=True)
    assert lacking(["orjson>=3.9"], [str(tmp_path / "first"), str(tmp_path / "second")]) == ["orjson"]


def run(arguments=(), given=b"", environment=None):
    command = [sys.executable, "-I", "-S", str(LAUNCHER), *arguments]
    return subprocess.run(command, check=False, input=given, capture_output=True, env=environment or {}, timeout=60)


def test_the_launcher_answers_with_one_line_of_json_and_nothing_else(tmp_path):
    done = run(given=b"no json")
    answer = json.loads(done.stdout)
    assert "this is started by Stash" in answer["error"]
    assert done.stderr.startswith(b"\x01e\x02")
    assert done.returncode == 2


def test_on_a_terminal_the_launcher_speaks_plainly(tmp_path, monkeypatch):
    done = run(["--setup", "--data", str(tmp_path / "data")], environment={"PIP_NO_INDEX": "1", "PIP_RETRIES": "0"})
    assert b"\x01" not in done.stderr
    assert done.returncode == 2
    assert b"libraries for everything" in done.stderr.splitlines()[-1]


def test_an_old_python_can_read_the_launcher():
    ast.parse(LAUNCHER.read_text("utf-8"), feature_version=(3, 6))


def test_an_old_python_is_told_in_one_line(monkeypatch):
    answers = io.StringIO()
    monkeypatch.setattr(launch.sys, "version_info", (3, 8, 1))
    monkeypatch.setattr(launch.sys, "stdout", answers)
    assert launch.main() == 2
    said = json.loads(answers.getvalue())["error"]
    assert re.search(r"needs Python 3\.10 or newer, and this is \d", said)
    assert "\n" not in said
