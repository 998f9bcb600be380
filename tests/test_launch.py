"""Starting on a Python that has nothing: what is there, what is missing, and getting it with the real pip."""

import ast
import base64
import hashlib
import importlib.util
import io
import json
import re
import subprocess
import sys
import zipfile
import zlib
from pathlib import Path

import pytest

from stash_portability import dependencies, installer, launch
from stash_portability.dependencies import SETS, Shelf, installed, lacking, numbers, read_lock, shelf
from stash_portability.errors import LibrariesMissing, Locked
from stash_portability.oslock import held

ROOT = Path(__file__).parent.parent
LAUNCHER = ROOT / "stash_portability" / "launch.py"
MODULES = {"core": "core_of_test", "yaml": "yaml_of_test", "xml": "xml_of_test"}


class Notes:
    """A Progress that keeps what it is told."""

    def __init__(self):
        self.notes, self.phases, self.count = [], [], 0

    def phase(self, name, total):
        self.phases.append((name, total))

    def advance(self, count):
        self.count += count

    def note(self, message):
        self.notes.append(message)

    def close(self):
        pass


@pytest.fixture
def progress():
    return Notes()


def make_wheel(folder, name):
    """Make a wheel with one module; give its line for the lock."""
    module, info = f"{name}.py", f"{name}-1.0.dist-info"
    metadata = f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n"
    wheel = "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    members = {module: "HERE = 1\n", f"{info}/METADATA": metadata, f"{info}/WHEEL": wheel}
    digests = (
        base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=") for text in members.values()
    )
    record = "".join(f"{path},sha256={digest.decode()},\n" for path, digest in zip(members, digests, strict=True))
    path = folder / f"{name}-1.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        for member, text in {**members, f"{info}/RECORD": record + f"{info}/RECORD,,\n"}.items():
            archive.writestr(member, text)
    return f"{name}==1.0 \\\n    --hash=sha256:{hashlib.sha256(path.read_bytes()).hexdigest()}\n"


@pytest.fixture
def wheels(tmp_path, monkeypatch):
    """Sets of one small module each, and a pip that looks for wheels in a folder only."""
    folder = tmp_path / "wheels"
    folder.mkdir()
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    monkeypatch.setenv("PIP_USER", "1")
    monkeypatch.setenv("PIP_REQUIRE_VIRTUALENV", "1")
    sets = {name: dependencies.Set(SETS[name].gives, (f"{module}>=1",), (module,)) for name, module in MODULES.items()}
    monkeypatch.setattr(dependencies, "SETS", sets)
    monkeypatch.setattr(installer, "SETS", sets)
    monkeypatch.setattr(sys, "path", list(sys.path))
    return {name: make_wheel(folder, module) for name, module in MODULES.items()}


def shelf_of(tmp_path, sections):
    return Shelf(tmp_path / "data" / "deps" / "0123-abi", sections, ())


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


def test_the_real_pip_installs_a_set(tmp_path, wheels, progress):
    where = shelf_of(tmp_path, wheels)
    assert where.state("core") == "missing"
    installer.provide(["core"], where, progress)
    assert where.state("core") == "data folder"
    assert (where.place("core") / "core_of_test.py").is_file()
    assert str(where.place("core")) in sys.path
    assert ("installing core", 1) in progress.phases
    assert not list(where.folder.glob(".installing-*"))
    assert progress.notes == []


def test_optional_sets_come_along_with_core_and_take_only_themselves_away(tmp_path, wheels, progress):
    where = shelf_of(tmp_path, {**wheels, "xml": "absent==1.0 --hash=sha256:" + "0" * 64})
    installer.provide(["core"], where, progress)
    assert where.missing(SETS) == ["xml"]
    (note,) = progress.notes
    assert "reading XML files back" in note
    assert "\n" not in note


def test_a_set_that_is_needed_and_cannot_be_had_is_one_line_that_says_what_to_run(tmp_path, wheels, progress):
    where = shelf_of(tmp_path, {**wheels, "core": "absent==1.0 --hash=sha256:" + "0" * 64})
    with pytest.raises(LibrariesMissing) as problem:
        installer.provide(["core"], where, progress)
    said = str(problem.value)
    assert "absent" in said
    assert "launch.py --setup --data" in said
    assert "\n" not in said
    assert [path.name for path in where.folder.parent.rglob("*") if path.is_file()] == ["lock"]


def test_another_file_under_the_same_name_is_refused(tmp_path, wheels, progress):
    pins = re.sub("sha256:[0-9a-f]{8}", "sha256:00000000", wheels["core"])
    with pytest.raises(LibrariesMissing, match=r"(?i)hash"):
        installer.provide(["core"], shelf_of(tmp_path, {**wheels, "core": pins}), progress)


def test_one_process_installs_at_a_time(tmp_path, wheels, progress):
    where = shelf_of(tmp_path, wheels)
    with held(where.folder.parent / "lock"), pytest.raises(Locked):
        installer.install("core", where, progress)


def test_what_a_killed_installation_left_is_swept(tmp_path, wheels, progress):
    where = shelf_of(tmp_path, wheels)
    (where.folder / ".installing-core" / "half").mkdir(parents=True)
    (where.folder / ".installing-yaml.txt").touch()
    installer.install("core", where, progress)
    assert [path.name for path in where.folder.iterdir()] == ["core"]


def test_set_up_mends_what_does_not_load_and_removes_older_sets(tmp_path, wheels, progress):
    where = shelf_of(tmp_path, wheels)
    old, other = where.folder.with_name("9999-abi"), where.folder.with_name("9999-other-abi")
    for folder in (where.place("core"), old, other):
        folder.mkdir(parents=True)
    (where.place("core") / "core_of_test.py").write_text("import nothing_of_the_kind")
    lines = installer.set_up(where, progress)
    assert lines[0] == "core (everything): ready, from data folder"
    assert installer.loads("core", where)
    assert not old.exists()
    assert other.exists()


def test_set_up_fails_when_core_cannot_be_had(tmp_path, wheels, progress):
    where = shelf_of(tmp_path, {**wheels, "core": "absent==1.0 --hash=sha256:" + "0" * 64})
    with pytest.raises(LibrariesMissing, match="absent") as problem:
        installer.set_up(where, progress)
    assert str(problem.value).count("could not be installed") == 1


def test_a_pip_that_breaks_is_told_by_its_last_line():
    assert installer._reason(["ERROR: Exception:", "Traceback", "OSError: no"], "OSError: no") == "OSError: no"
    assert installer._reason(["ERROR: no such thing", "[notice] new pip"], "[notice] new pip") == "no such thing"


def test_a_python_without_pip_uses_the_one_it_carries_or_says_what_to_install(tmp_path, monkeypatch, progress):
    find_spec = installer.importlib.util.find_spec
    monkeypatch.setattr(installer.importlib.util, "find_spec", lambda name: None if name == "pip" else find_spec(name))
    where = shelf_of(tmp_path, {})
    wheel = tmp_path / "pip-23.0-py3-none-any.whl"
    wheel.touch()
    monkeypatch.setattr(installer, "_wheel_folders", lambda: iter([tmp_path]))
    assert installer._pip_itself(where) == [sys.executable, f"{wheel}/pip"]
    (tmp_path / "debian").mkdir()
    (tmp_path / "debian" / "pip-99.0-py3-none-any.whl").touch()
    monkeypatch.setattr(installer, "_wheel_folders", lambda: iter([tmp_path, tmp_path / "debian"]))
    assert installer._pip_itself(where) == [sys.executable, f"{wheel}/pip"], "a Python's own pip fits it"
    monkeypatch.setattr(installer, "_wheel_folders", lambda: iter([tmp_path]))
    wheel.unlink()
    with pytest.raises(LibrariesMissing, match=r"has no pip.*apt-get install python3-pip"):
        installer._pip_itself(where)


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


@pytest.fixture
def package(tmp_path, monkeypatch):
    """The packaging tool, for a plugin made of two files and of what lies about where people edit."""
    spec = importlib.util.spec_from_file_location("package", ROOT / "tools" / "package.py")
    tool = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(tool)
    monkeypatch.setattr(tool, "ROOT", tmp_path)
    code = tmp_path / "stash_portability"
    code.mkdir()
    for name in (*tool.SINGLE, *(f"stash_portability/{name}" for name in LYING_ABOUT)):
        (tmp_path / name).write_text("".join(f"{number * 7919 % 1000} owls\n" for number in range(5000)))
    return tool


LYING_ABOUT = ("a.py", "a.py~", "a.py.orig", ".a.py.swp", ".#a.py", ".DS_Store", "b.yml", "a.pyc")


def test_only_known_files_are_packed_at_the_best_level_and_twice_the_same(package, tmp_path):
    for name in ("a.zip", "b.zip"):
        package.make_zip(tmp_path / name)
    assert (tmp_path / "a.zip").read_bytes() == (tmp_path / "b.zip").read_bytes()
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    best = packer.compress((tmp_path / "README.md").read_bytes()) + packer.flush()
    with zipfile.ZipFile(tmp_path / "a.zip") as archive:
        assert set(archive.namelist()) == {*package.SINGLE.values(), "stash_portability/a.py"}
        assert {info.compress_size for info in archive.infolist()} == {len(best)}
