"""Packing the plugin: the same bytes from the same files, an index for Stash, a copy that spares what is not ours."""

import hashlib
import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
import time
import zipfile
import zlib
from datetime import datetime, timezone
from pathlib import Path

import pytest
import yaml

from stash_portability import __version__
from stash_portability.call import USUAL_ID

ROOT = Path(__file__).parent.parent
TOOL = ROOT / "tools" / "package.py"
MANIFEST = "name: Owls\nversion: 1.2.3\ndescription: Owls, one by one – ‘as they are’ 🦉\n"
LYING_ABOUT = (
    "plugin.yml~ stash_portability/a.py~ stash_portability/a.py.orig stash_portability/.a.py.swp"
    " stash_portability/.#a.py stash_portability/b.yml stash_portability/__pycache__/a.pyc"
    " stash_portability/__pycache__/a.py"
    " ui/.DS_Store ui/package.json ui/node_modules/x/index.js ui/c.yml examples/profiles/d.yml examples/demo/e.yaml"
    " examples/templates/d.yml examples/templates/e.html"
).split()
PACKED = {
    "LICENSE": "LICENSE",
    "README.md": "README.md",
    "examples/profiles/p.yaml": "profiles/p.yaml",
    "examples/templates/t.yaml": "templates/t.yaml",
    "plugin.yml": f"{USUAL_ID}.yml",
    "requirements.lock": "requirements.lock",
    "stash_portability/a.py": "stash_portability/a.py",
    "stash_portability/deep/b.py": "stash_portability/deep/b.py",
    "ui/main.js": "ui/main.js",
    "ui/page/x.css": "ui/page/x.css",
}
MARCH = 1_772_323_200
"""2026-03-01 00:00:00 UTC."""


def load():
    spec = importlib.util.spec_from_file_location("package", TOOL)
    tool = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(tool)
    return tool


@pytest.fixture(scope="module")
def real():
    """The packaging tool, for the plugin itself."""
    return load()


def plant(root):
    """Make a small plugin, and what lies about where people edit."""
    for name in (*PACKED, *LYING_ABOUT):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text("".join(f"{number * 7919 % 1000} owls\n" for number in range(5000)))
    (root / "plugin.yml").write_text(MANIFEST, "utf-8")
    (root / "tools").mkdir()
    shutil.copyfile(TOOL, root / "tools" / "package.py")
    return root


@pytest.fixture
def tree(tmp_path):
    return plant(tmp_path / "tree")


@pytest.fixture
def package(tree, monkeypatch):
    """The packaging tool, for the small plugin."""
    tool = load()
    monkeypatch.setattr(tool, "ROOT", tree)
    monkeypatch.delenv("SOURCE_DATE_EPOCH", raising=False)
    return tool


def index_beside(path):
    return json.loads((path.parent / "index.yml").read_text("utf-8"))[0]


def test_only_known_files_are_packed_and_at_the_best_level(package, tree, tmp_path):
    package.make_zip(tmp_path / "a.zip")
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    best = packer.compress((tree / "README.md").read_bytes()) + packer.flush()
    with zipfile.ZipFile(tmp_path / "a.zip") as archive:
        assert archive.namelist() == sorted(PACKED.values())
        assert archive.getinfo("README.md").compress_size == len(best)


def test_a_licence_and_a_readme_may_miss_but_not_what_the_plugin_needs(package, tree):
    (tree / "LICENSE").unlink()
    assert "LICENSE" not in dict(package.members())
    (tree / "requirements.lock").unlink()
    with pytest.raises(FileNotFoundError):
        package.pack()


def test_every_file_of_the_plugin_is_packed(real):
    """A file of a new kind must be thought of, or the plugin lacks it only where it is installed."""
    packed = {path for _, path in real.members()}
    left_out = {
        path.relative_to(ROOT).as_posix()
        for folder in real.FOLDERS
        for path in (ROOT / folder).rglob("*")
        if path.is_file() and path not in packed and not {"__pycache__", "node_modules"} & set(path.parts)
    }
    pictures = {name for name in left_out if name.startswith("docs/pictures/")}
    assert left_out - pictures <= {"ui/package.json", "docs/export.xsd"}


def test_the_plugin_is_packed_under_its_own_name(real, tmp_path):
    real.make_zip(tmp_path / "plugin.zip")
    with zipfile.ZipFile(tmp_path / "plugin.zip") as archive:
        names = archive.namelist()
    assert [name for name in names if name.endswith(".yml")] == [f"{USUAL_ID}.yml"]
    for name in ("stash_portability/launch.py", "requirements.lock", "profiles/everything.yaml"):
        assert name in names
    assert {name.rpartition(".")[2] for name in names} <= {"py", "js", "css", "yaml", "yml", "lock", "md", "LICENSE"}
    assert index_beside(tmp_path / "plugin.zip")["version"] == __version__


def make(tree, target, mask, zone):
    environment = {**os.environ, "TZ": zone, "SOURCE_DATE_EPOCH": str(MARCH)}
    command = [sys.executable, str(tree / "tools" / "package.py"), "zip", str(target)]
    if os.name == "posix":
        command = ["sh", "-c", f'umask {mask}; exec "$0" "$@"', *command]
    subprocess.run(command, check=True, env=environment, capture_output=True)
    return {path.name: path.read_bytes() for path in target.parent.iterdir()}


def test_the_same_files_give_the_same_bytes(tmp_path):
    """Whoever packs them, where and when: with another umask, time zone, folder, and other times of the files."""
    first, second = plant(tmp_path / "first"), plant(tmp_path / "other" / "folder")
    for number, path in enumerate(sorted(second.rglob("*"))):
        os.utime(path, (number * 1e6, number * 1e6))
        if path.is_file():
            path.chmod(0o700)
    one = make(first, tmp_path / "a" / "plugin.zip", "022", "UTC")
    other = make(second, tmp_path / "b" / "plugin.zip", "077", "Asia/Kathmandu")
    assert set(one) == {"plugin.zip", "index.yml"}
    assert one == other


def test_the_packager_needs_nothing_but_python(tree, tmp_path):
    command = [sys.executable, "-I", "-S", str(tree / "tools" / "package.py"), "zip", str(tmp_path / "new" / "a.zip")]
    subprocess.run(command, check=True, capture_output=True, env={"PATH": "/nowhere"})
    assert index_beside(tmp_path / "new" / "a.zip")["name"] == "Owls"


def test_the_index_says_what_stash_needs(package, tmp_path, monkeypatch):
    monkeypatch.setenv("SOURCE_DATE_EPOCH", str(MARCH))
    package.make_zip(tmp_path / "owls.zip")
    text = (tmp_path / "index.yml").read_text("utf-8")
    expected = {
        "id": USUAL_ID,
        "name": "Owls",
        "version": "1.2.3",
        "date": "2026-03-01 00:00:00",
        "path": "owls.zip",
        "sha256": hashlib.sha256((tmp_path / "owls.zip").read_bytes()).hexdigest(),
        "metadata": {"description": "Owls, one by one – ‘as they are’ 🦉"},
        "requires": [],
    }
    assert json.loads(text) == [expected]
    assert yaml.safe_load(text) == [expected], "Stash reads it as YAML"


@pytest.mark.parametrize("key", ["name", "version", "description"])
def test_a_manifest_that_does_not_say_it_on_one_line_is_told(key, package, tree, tmp_path):
    (tree / "plugin.yml").write_text(re.sub(rf"^{key}: ", f"{key}:\n  ", MANIFEST, flags=re.M), "utf-8")
    with pytest.raises(SystemExit, match=f"no {key} on a line"):
        package.make_zip(tmp_path / "a.zip")


def git(tree, *arguments, at=MARCH):
    stamp = f"{at} +0545"
    who = {f"GIT_{role}_{what}": "owl@example.org" for role in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
    own = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
    environment = {**os.environ, **own, **who, "GIT_AUTHOR_DATE": stamp, "GIT_COMMITTER_DATE": stamp}
    subprocess.run(["git", *arguments], cwd=tree, check=True, capture_output=True, env=environment)


@pytest.fixture
def committed(tree):
    if not shutil.which("git"):
        pytest.skip("no git here")
    git(tree, "init", "--quiet")
    git(tree, "add", "--all", "--force")
    git(tree, "commit", "--quiet", "--message=first")
    return tree


def when(seconds):
    return datetime.fromtimestamp(seconds, timezone.utc)


def test_the_date_is_that_of_the_newest_commit_of_what_is_packed(package, committed):
    assert package.date() == when(MARCH)
    (committed / "other.txt").write_text("not packed")
    git(committed, "add", "--all", "--force")
    git(committed, "commit", "--quiet", "--message=second", at=MARCH + 100)
    assert package.date() == when(MARCH)
    (committed / "stash_portability" / "a.py").unlink()
    git(committed, "commit", "--quiet", "--all", "--message=third", at=MARCH + 200)
    assert package.date() == when(MARCH + 200)
    (committed / "README.md").write_text("a clock that was wrong")
    git(committed, "commit", "--quiet", "--all", "--message=fourth", at=MARCH + 50)
    assert package.date() == when(MARCH + 200), "it never goes back"


def test_the_date_moves_with_changes_that_are_not_committed(package, committed):
    new = committed / "stash_portability" / "new.py"
    new.write_text("")
    os.utime(new, (MARCH + 3e8, MARCH + 3e8))
    assert package.date() == when(MARCH + 3e8)
    for name in PACKED:
        os.utime(committed / name, (MARCH - 500, MARCH - 500))
    os.utime(new, (MARCH - 400, MARCH - 400))
    assert package.date() == when(MARCH), "never older than what is committed"


def test_without_git_the_date_is_that_of_the_newest_file(package, tree, monkeypatch):
    for name in PACKED:
        os.utime(tree / name, (MARCH, MARCH))
    os.utime(tree / "ui" / "main.js", (MARCH + 60, MARCH + 60))
    monkeypatch.setenv("PATH", "")
    assert package.date() == when(MARCH + 60)


def test_source_date_epoch_decides(package, committed, monkeypatch):
    monkeypatch.setenv("SOURCE_DATE_EPOCH", str(MARCH + 7))
    assert package.date() == when(MARCH + 7)
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "yesterday")
    with pytest.raises(SystemExit, match="yesterday"):
        package.date()


def test_packing_changes_nothing_in_the_tree(package, committed, tmp_path):
    before = {path: path.stat().st_mtime_ns for path in committed.rglob("*")}
    time.sleep(0.01)
    package.make_zip(tmp_path / "a.zip")
    assert {path: path.stat().st_mtime_ns for path in committed.rglob("*")} == before


@pytest.fixture
def plugins(tmp_path):
    folder = tmp_path / "plugins"
    folder.mkdir()
    return folder


def files(folder):
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


OTHERS = (
    "downloads/index.html",
    "downloads/0a/x.csv",
    "profiles/mine.yaml",
    "notes.txt",
    "ui/mine.js",
    "stash_portability/x.py",
)


def test_a_copy_removes_what_an_older_copy_had_and_nothing_else(package, tree, plugins):
    copied = package.copy_to(plugins)
    assert files(copied) == {*PACKED.values(), "copied-files.txt"}
    cache = copied / "stash_portability" / "deep" / "__pycache__"
    cache.mkdir()
    (cache / "b.cpython-311.pyc").touch()
    for name in OTHERS:
        (copied / name).parent.mkdir(parents=True, exist_ok=True)
        (copied / name).touch()
    shutil.rmtree(tree / "stash_portability" / "deep")
    (tree / "examples" / "profiles" / "p.yaml").rename(tree / "examples" / "profiles" / "q.yaml")
    package.copy_to(plugins)
    gone = {"stash_portability/deep/b.py", "profiles/p.yaml"}
    assert files(copied) == {*PACKED.values(), "copied-files.txt", "profiles/q.yaml", *OTHERS} - gone
    assert not (copied / "stash_portability" / "deep").exists()


def test_a_copy_that_was_broken_off_is_mended_by_the_next(package, tree, plugins, monkeypatch):
    package.copy_to(plugins)
    (tree / "ui" / "main.js").rename(tree / "ui" / "new.js")
    copyfile, done = shutil.copyfile, []

    def breaks(source, target):
        done.append(target)
        if len(done) == 5:
            raise KeyboardInterrupt
        return copyfile(source, target)

    monkeypatch.setattr(package.shutil, "copyfile", breaks)
    with pytest.raises(KeyboardInterrupt):
        package.copy_to(plugins)
    copied = package.copy_to(plugins)
    assert files(copied) == ({*PACKED.values(), "copied-files.txt", "ui/new.js"} - {"ui/main.js"})


def test_a_record_cannot_lead_out_of_the_folder(package, plugins):
    copied = package.copy_to(plugins)
    mine = plugins / "mine.txt"
    mine.touch()
    (copied / "copied-files.txt").write_text(f"../mine.txt\n{mine}\n\n.\n..\nnot/there.py\n")
    package.copy_to(plugins)
    assert mine.exists()


def test_a_folder_that_is_not_ours_to_change_is_left_alone(package, plugins):
    target = plugins / package.NAME
    target.mkdir()
    with pytest.raises(SystemExit, match="not this plugin"):
        package.copy_to(plugins)
    target.rmdir()
    package.copy_to(plugins)
    (target / "manifest").write_text("id: stash-portability")
    with pytest.raises(SystemExit, match="uninstall it there first"):
        package.copy_to(plugins)
