"""Getting the libraries: with the real pip from wheels in a folder, and with pips that fail in the ways pips do."""

import base64
import errno
import hashlib
import importlib.util
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest

from stash_portability import dependencies, installer
from stash_portability.dependencies import SETS, Shelf
from stash_portability.errors import LibrariesMissing, Locked, NoSpace
from stash_portability.oslock import held

ROOT = Path(__file__).parent.parent
MODULES = {name: f"{name.replace('7', 'seven')}_of_test" for name in SETS}


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


FAKE_PIP = """
import os, sys
from pathlib import Path
given = dict(argument.lstrip("-").partition("=")[::2] for argument in sys.argv[1:])
target = Path(given["target"])
{body}
"""
"""A module or zip named pip that does what a test wants."""


@pytest.fixture
def pips(tmp_path, wheels, monkeypatch):
    """A function that lets the installer find pips that do what it is given, one after the other."""

    def find(*bodies):
        found = []
        for number, body in enumerate(bodies):
            path = tmp_path / f"pip{number}.py"
            path.write_text(FAKE_PIP.format(body=body), "utf-8")
            found.append([sys.executable, str(path)])
        monkeypatch.setattr(installer, "_pips", lambda: iter(found))

    return find


def failure(where, progress, error=LibrariesMissing):
    with pytest.raises(error) as problem:
        installer.install("core", where, progress)
    said = str(problem.value)
    assert "\n" not in said
    assert "Set up dependencies" in said, "what to do"
    assert not list(where.folder.glob("*")), "nothing half-made is left"
    return said


BROKEN = "WARNING: Retrying (Retry(total=0)) after connection broken by "
NOTHING_FOUND = "print('ERROR: No matching distribution found for orjson==3.13.0'); sys.exit(1)"
OUTAGES = {
    "NewConnectionError('<pip.HTTPSConnection object at 0x7f>: Failed to establish a new connection: [Errno -3]"
    " Temporary failure in name resolution')': /simple/orjson/": "([Errno -3] Temporary failure in name resolution)",
    "NameResolutionError(\"HTTPSConnection(host='pypi.example', port=443): Failed to resolve 'pypi.example' ([Errno"
    " -3] Temporary failure in name resolution)\")': /simple/": "([Errno -3] Temporary failure in name resolution)",
    "ProxyError('Cannot connect to proxy.', NewConnectionError('<>: [Errno 111] Connection refused'))'": "refused)",
    "ConnectTimeoutError(<>, 'Connection to pypi.example timed out. (connect timeout=15)')": "(timed out)",
    "SSLError(SSLCertVerificationError(1, '[SSL] certificate verify failed: self-signed certificate"
    " (_ssl.c:1006)'))'": "(certificate verify failed: self-signed certificate)",
    "Something(new)": "reached: see",
}


@pytest.mark.parametrize("line", OUTAGES)
def test_no_network_is_told_as_such_and_not_as_a_library_that_does_not_exist(line, tmp_path, wheels, pips, progress):
    pips(f"print({BROKEN + line!r}); {NOTHING_FOUND}", "(target / 'core_of_test.py').touch()")
    said = failure(shelf_of(tmp_path, wheels), progress)
    assert "the package index cannot be reached" in said
    assert OUTAGES[line] in said
    assert "HTTPS_PROXY" in said


def test_a_download_that_breaks_off_is_a_matter_of_the_network(tmp_path, wheels, pips, progress):
    pips("print('ERROR: Exception:'); print('urllib3.exceptions.ReadTimeoutError: Read timed out.'); sys.exit(2)")
    assert "cannot be reached (timed out)" in failure(shelf_of(tmp_path, wheels), progress)


def test_a_platform_without_a_wheel_is_told_with_what_to_do(tmp_path, wheels, pips, progress):
    pips(NOTHING_FOUND)
    said = failure(shelf_of(tmp_path, wheels), progress)
    assert "has no orjson==3.13.0 ready for this Python" in said
    assert "install core_of_test by other means" in said.replace(" for this one", "")


FULL_LINES = (
    "ERROR: Could not install packages due to an OSError: [Errno 28] No space left on device: '/tmp/x'",
    "shutil.Error: [('/tmp/a', '/data/a', \"[Errno 28] No space left on device: '/tmp/a' -> '/data/a'\")]",
    "OSError: [Errno 122] Disk quota exceeded",
)


@pytest.mark.parametrize("line", FULL_LINES)
def test_a_full_disk_is_told_with_its_folder(line, tmp_path, wheels, pips, progress):
    pips(f"print({line!r}); sys.exit(1)")
    where = shelf_of(tmp_path, wheels)
    said = failure(where, progress, NoSpace)
    assert said.startswith(f"not enough room for {where.folder.parent}: the libraries need some 20 MB")


def test_a_full_disk_is_told_when_it_is_we_who_find_out(tmp_path, wheels, pips, progress, monkeypatch):
    def full(*_, **__):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    pips("sys.exit(0)")
    monkeypatch.setattr(installer.Path, "write_text", full)
    failure(shelf_of(tmp_path, wheels), progress, NoSpace)


def test_a_folder_that_cannot_be_written_is_told(tmp_path, wheels, progress):
    where = shelf_of(tmp_path, wheels)
    where.folder.parent.parent.mkdir()
    where.folder.parent.write_text("a file where a folder should be")
    with pytest.raises(LibrariesMissing, match=r"deps.*exists"):
        installer.install("core", where, progress)


def test_a_pip_that_breaks_gives_way_to_the_next(tmp_path, wheels, pips, progress):
    works = "target.mkdir(); (target / 'core_of_test.py').touch()"
    pips("raise AttributeError('too old for this Python')", works)
    where = shelf_of(tmp_path, wheels)
    installer.install("core", where, progress)
    assert installer.loads("core", where)


def test_pips_that_all_break_are_told_by_the_last_line(tmp_path, wheels, pips, progress):
    pips("raise AttributeError('too old for this Python')")
    said = failure(shelf_of(tmp_path, wheels), progress)
    assert "has no pip that runs (AttributeError: too old for this Python): install it" in said


def test_a_python_without_pip_is_told_what_to_install(tmp_path, wheels, pips, progress):
    pips()
    assert "has no pip: install it (apt-get install python3-pip" in failure(shelf_of(tmp_path, wheels), progress)


def test_pip_is_the_pythons_own_then_the_one_it_carries_then_debians(tmp_path, monkeypatch):
    find_spec = installer.importlib.util.find_spec
    carried, debian = tmp_path / "carried" / "pip-23.0-py3-none-any.whl", tmp_path / "debian" / "pip-9.0-py3.whl"
    for wheel in (carried, debian):
        wheel.parent.mkdir()
        wheel.touch()
    monkeypatch.setattr(installer, "_wheel_folders", lambda: iter([carried.parent, debian.parent]))
    others = [[sys.executable, f"{wheel}/pip"] for wheel in (carried, debian)]
    there = [[sys.executable, "-m", "pip"]] if find_spec("pip") else []
    assert list(installer._pips()) == there + others
    monkeypatch.setattr(installer.importlib.util, "find_spec", lambda name: None if name == "pip" else find_spec(name))
    assert list(installer._pips()) == others


@pytest.mark.parametrize("body", ["target.mkdir(); (target / 'core_of_test.py').write_text('import absent')", "pass"])
def test_what_pip_says_it_installed_is_tried(body, tmp_path, wheels, pips, progress):
    """As with a pip.conf that says dry-run, or another Python's version."""
    pips(body)
    assert "what pip installed cannot be used" in failure(shelf_of(tmp_path, wheels), progress)


ELSEWHERE = {
    "PIP_TARGET": "{}/elsewhere", "PIP_PREFIX": "{}/elsewhere", "PIP_ROOT": "{}/elsewhere", "PIP_DRY_RUN": "1",
    "PIP_PYTHON": "/nowhere/python", "PIP_PYTHON_VERSION": "2.7", "PIP_PLATFORM": "linux_armv6l", "PIP_QUIET": "3",
    "PIP_NO_BINARY": ":all:", "PIP_REQUIREMENT": "/nowhere.txt", "PIP_CONSTRAINT": "/nowhere.txt",
}  # fmt: skip


def test_variables_of_pip_do_not_lead_it_elsewhere(tmp_path, wheels, progress, monkeypatch):
    """PIP_USER and PIP_REQUIRE_VIRTUALENV are set for every test here. The index' own variables are kept: the
    wheels are found by two of them."""
    for name, value in ELSEWHERE.items():
        monkeypatch.setenv(name, value.format(tmp_path))
    where = shelf_of(tmp_path, wheels)
    installer.install("core", where, progress)
    assert (where.place("core") / "core_of_test.py").is_file()
    assert not (tmp_path / "elsewhere").exists()


def test_pip_conf_does_not_lead_it_elsewhere_unseen(tmp_path, wheels, progress, monkeypatch):
    conf = tmp_path / "pip.conf"
    monkeypatch.setenv("PIP_CONFIG_FILE", str(conf))
    conf.write_text("[global]\nrequire-virtualenv = true\n[install]\nuser = true\nprefix = /nowhere\ndry-run = true\n")
    where = shelf_of(tmp_path, wheels)
    installer.install("core", where, progress)
    assert installer.loads("core", where)
    conf.write_text(f"[global]\nroot = {tmp_path}/elsewhere\n")
    with pytest.raises(LibrariesMissing):
        installer.install("yaml", where, progress)
    assert where.state("yaml") == "missing"


def test_pip_works_in_the_data_folder_and_imports_nothing_from_the_folder_stash_runs_in(
    tmp_path, wheels, progress, monkeypatch
):
    """A /tmp that is full or not there does not matter."""
    monkeypatch.setenv("TMPDIR", "/nowhere")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "json.py").write_text("raise SystemExit('the wrong json')")
    if sys.version_info < (3, 11):
        (tmp_path / "json.py").unlink()  # PYTHONSAFEPATH is newer
    installer.install("core", shelf_of(tmp_path, wheels), progress)


MANAGED = """if 1:
    import sys
    from pathlib import Path
    sys.path.insert(0, {root!r})
    from stash_portability import dependencies, installer
    dependencies.SETS = installer.SETS = {{"core": dependencies.Set("everything", ("x>=1",), ("core_of_test",))}}
    where = dependencies.Shelf(Path({folder!r}, "data/deps/0-abi"), {wheels!r}, ())
    class Quiet:
        phase = advance = note = lambda *_: None
    installer.provide(["core"], where, Quiet())
    import core_of_test
    print(core_of_test.__file__)
"""


def managed_python(folder):
    """Make a Python with a standard library of its own that bears the mark of Debian and Alpine (PEP 668)."""
    stdlib = Path(sysconfig.get_path("stdlib"))
    library, python = folder / "lib" / stdlib.name, folder / "bin" / "python3"
    library.mkdir(parents=True)
    python.parent.mkdir()
    pip = importlib.util.find_spec("pip")
    for packages in ("site-packages", "dist-packages"):
        (library / packages).mkdir()
        if pip:
            (library / packages / "pip").symlink_to(Path(pip.origin).parent)
    for path in stdlib.iterdir():
        if path.name not in ("site-packages", "dist-packages", "EXTERNALLY-MANAGED", "sitecustomize.py"):
            (library / path.name).symlink_to(path)
    (library / "EXTERNALLY-MANAGED").write_text("[externally-managed]\nError=use the packages of the system\n")
    shutil.copyfile(Path(sys.executable).resolve(), python)
    python.chmod(0o755)
    done = subprocess.run([str(python), "-c", "import sys; print(sys.prefix)"], check=False, capture_output=True)
    if done.stdout.decode().strip() != str(folder):
        pytest.skip("this Python cannot be moved to a folder of its own")
    return str(python)


@pytest.mark.skipif(os.name == "nt", reason="no system of Windows manages a Python")
def test_a_python_that_its_system_manages_can_be_used(tmp_path, wheels, monkeypatch):
    python = managed_python(tmp_path / "managed")
    pip = [python, *next(installer._pips())[1:]]
    monkeypatch.setenv("PIP_REQUIRE_VIRTUALENV", "0")
    refused = subprocess.run([*pip, "install", "core_of_test"], check=False, capture_output=True, text=True)
    assert "externally-managed" in refused.stderr, "pip minds the mark"
    code = MANAGED.format(root=str(ROOT), folder=str(tmp_path), wheels=wheels)
    done = subprocess.run([python, "-c", code], check=False, capture_output=True, text=True)
    assert done.stdout.strip() == str(tmp_path / "data" / "deps" / "0-abi" / "core" / "core_of_test.py"), done.stderr


def pythons(folder):
    """A managed Python of our making, and the system's own where that is managed."""
    yield managed_python(folder)
    system = Path("/usr/bin/python3")
    code = "import sys, sysconfig; print(sys.version_info >= (3, 10), sysconfig.get_path('stdlib'))"
    if system.exists():
        new, stdlib = subprocess.run([system, "-c", code], check=True, capture_output=True, text=True).stdout.split()
        if new == "True" and Path(stdlib, "EXTERNALLY-MANAGED").exists():
            yield str(system)


@pytest.mark.deep
@pytest.mark.skipif(os.name == "nt", reason="no system of Windows manages a Python")
def test_managed_pythons_get_the_pinned_libraries_from_the_package_index(tmp_path):
    """With variables of pip that point elsewhere, and a Python that has none of the libraries but Debian's."""
    launcher = ROOT / "stash_portability" / "launch.py"
    elsewhere = {name: value.format(tmp_path) for name, value in ELSEWHERE.items()}
    environment = {**os.environ, **elsewhere, "PIP_USER": "1", "PIP_REQUIRE_VIRTUALENV": "1"}
    for number, python in enumerate(pythons(tmp_path / "managed")):
        data = tmp_path / f"data{number}"
        command = [python, str(launcher), "--setup", "--data", str(data)]
        done = subprocess.run(command, check=False, capture_output=True, text=True, env=environment)
        if "package index cannot be reached" in done.stderr:
            pytest.skip(done.stderr.splitlines()[-1])
        assert done.returncode == 0, done.stderr
        (core,) = data.glob("deps/*/core")
        code = f"import sys; sys.path.insert(0, {str(core)!r}); import orjson, stashapi; print(orjson.__file__)"
        said = subprocess.run([python, "-c", code], check=True, capture_output=True, text=True).stdout
        assert Path(said.strip()).is_relative_to(core)
    assert not (tmp_path / "elsewhere").exists()
