"""The data folder, and which paths a task may name."""

import json
import os
import sys
from pathlib import Path

import pytest

from stash_portability.errors import OutputNotUsable, OutsideRoots, Unreadable, UsageError
from stash_portability.places import (
    PARTS,
    READABLE_PARTS,
    Places,
    config_folder_of,
    data_folder,
    find_documents,
    folder_of_stash,
)


@pytest.fixture
def places(tmp_path):
    return Places(tmp_path / "data").make()


def allow(places, *roots):
    (places.data / "roots.json").write_text(json.dumps({"version": 1, "roots": [str(root) for root in roots]}))


def test_the_data_folder_is_the_first_that_is_named(tmp_path):
    environment = {"STASH_PORTABILITY_DATA": str(tmp_path / "by variable")}
    setting, config = str(tmp_path / "by setting"), str(tmp_path)
    assert data_folder(str(tmp_path / "given"), environment, setting, config) == tmp_path / "given"
    assert data_folder(None, environment, setting, config) == tmp_path / "by variable"
    assert data_folder(None, {}, setting, config) == tmp_path / "by setting"
    assert data_folder(None, {}, "  ", config) == tmp_path / "portability"


@pytest.mark.skipif(sys.platform != "linux", reason="the place is another on Windows and macOS")
def test_without_a_stash_the_data_folder_is_the_users(tmp_path):
    assert data_folder(None, {"XDG_DATA_HOME": str(tmp_path)}) == tmp_path / "stash-portability"
    assert data_folder(None, {}) == Path.home() / ".local" / "share" / "stash-portability"


def test_the_data_folder_of_a_stash_is_beside_its_config_file_when_that_is_here_and_ours(tmp_path):
    config = tmp_path / "config.yml"
    assert folder_of_stash(str(config), "") is None  # of another machine
    config.touch()
    assert folder_of_stash(str(config), "") == tmp_path / "portability"
    assert folder_of_stash(str(config), str(tmp_path / "by setting")) == tmp_path / "by setting"
    assert folder_of_stash(str(config), str(tmp_path / "not" / "mounted")) is None
    assert folder_of_stash("", str(tmp_path)) is None
    (tmp_path / "portability").mkdir(mode=0o500)
    assert (folder_of_stash(str(config), "") is None) == (os.geteuid() != 0)


def test_a_config_file_of_another_machine_is_no_place(tmp_path):
    assert config_folder_of(str(tmp_path / "config.yml")) is None
    assert config_folder_of("") is None
    (tmp_path / "config.yml").touch()
    assert config_folder_of(str(tmp_path / "config.yml")) == str(tmp_path)


def test_the_folders_are_made_for_their_owner_only(places):
    assert sorted(path.name for path in places.data.iterdir()) == sorted(PARTS)
    if sys.platform != "win32":
        assert {path.stat().st_mode & 0o777 for path in (places.data, *places.data.iterdir())} == {0o700}
    places.make()


def test_a_data_folder_that_cannot_be_made_is_told(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(OutputNotUsable, match="file"):
        Places(tmp_path / "file" / "data").make()


def test_a_name_is_taken_from_the_exports_folder(places):
    assert places.check_allowed(Path("new.json")) == places.exports.resolve() / "new.json"
    assert places.check_allowed(places.data / "backups" / "b.zip").name == "b.zip"


@pytest.mark.parametrize(
    "name", ["..", ".", "../roots.json", "../deps/x.py", "../runs/x", "../../x", "/etc/x", "../profiles/p"]
)
def test_a_task_may_not_leave_its_folders(places, name):
    with pytest.raises(OutsideRoots, match=r"roots\.json"):
        places.check_allowed(Path(name))


def test_a_task_may_read_profiles(places):
    path = places.profiles / "mine.yaml"
    assert places.check_allowed(path, parts=READABLE_PARTS) == path.resolve()


def test_the_server_can_allow_folders(places, tmp_path):
    root = tmp_path / "wide"
    root.mkdir()
    allow(places, root)
    assert places.check_allowed(root / "deep" / "x.csv") == root.resolve() / "deep" / "x.csv"
    with pytest.raises(OutsideRoots):
        places.check_allowed(tmp_path / "wide-but-not-it" / "x.csv")


def test_a_root_around_the_data_folder_does_not_open_it(places):
    allow(places, places.data.parent)
    places.check_allowed(places.data.parent / "x.csv")
    with pytest.raises(OutsideRoots):
        places.check_allowed(places.data / "roots.json")


def test_links_are_followed_before_they_are_judged(places, tmp_path):
    (tmp_path / "elsewhere").mkdir()
    try:
        (places.exports / "link").symlink_to(tmp_path / "elsewhere")
    except OSError:
        pytest.skip("no symbolic links here")
    with pytest.raises(OutsideRoots):
        places.check_allowed(Path("link/x.csv"))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        '{"roots": 5}',
        '{"roots": ["relative"]}',
        '{"roots": [5]}',
        '{"roots": ["~nosuchuser/x"]}',
        "\xff",
    ],
)
def test_a_wrong_list_of_roots_is_told_and_allows_nothing(places, text):
    (places.data / "roots.json").write_text(text, "latin-1")
    with pytest.raises(Unreadable, match=r"roots\.json.*full paths"):
        places.check_allowed(Path("/etc/x"))


def test_the_home_of_a_user_there_is_not():
    with pytest.raises(UsageError, match="~nosuchuser"):
        data_folder("~nosuchuser/data", {})


def test_a_data_folder_with_a_nul(tmp_path):
    with pytest.raises(OutputNotUsable):
        Places(tmp_path / "nul\0").make()


def test_profiles_are_found_by_their_names_the_first_folder_first(places, tmp_path):
    for path in (places.profiles / "a.json", tmp_path / "a.yaml", tmp_path / "b.yml", tmp_path / "c.txt"):
        path.touch()
    (tmp_path / "d.yaml").mkdir()
    found = find_documents(places.profiles, tmp_path, tmp_path / "nowhere")
    assert found == {"a": places.profiles / "a.json", "b": tmp_path / "b.yml"}


@pytest.mark.parametrize("name", ["nul\0", "circle/x"])
def test_what_is_no_path_is_told(places, name):
    (places.exports / "circle").symlink_to(places.exports / "circle")
    with pytest.raises(UsageError):
        places.check_allowed(Path(name))
