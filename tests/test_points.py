"""Restore points: when there is one, where it is, and that it is looked at."""

import sqlite3
from contextlib import closing
from types import SimpleNamespace

import pytest

from stash_portability import points
from stash_portability.errors import Braked, Unreachable
from stash_portability.libraries.connection import Limits
from stash_portability.model import Change, Plan


def plan(**counts):
    return Plan((), (), (), (), {name.replace("_", " "): count for name, count in counts.items()})


def test_deletes_and_many_changes_deserve_one():
    assert not points.wants_point(plan(tag_create=1, scene_update=999, records_in_conflict=5000))
    assert points.wants_point(plan(tag_create=2, scene_update=999))
    assert points.wants_point(plan(tag_delete=1))


def database(path, schema=75):
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript("CREATE TABLE schema_migrations (version, dirty); CREATE TABLE tags (id, name)")
        connection.execute("INSERT INTO schema_migrations VALUES (?, 0)", (schema,))
        connection.commit()
    return path


class Stash:
    """A Stash on this machine that copies its database as it is told to."""

    def __init__(self, folder, copy=None, mistakes=(), configured="", here=True):
        self.file = database(folder / "stash-go.sqlite")
        self._here, self._mistakes, self._configured = here, mistakes, configured
        self._copy = copy or database
        self.folder = folder / configured if configured else folder
        self.limits = Limits()
        self.waited = 0.0

    connection = property(lambda self: self)

    def status(self):
        database = str(self.file) if self._here else "/elsewhere/stash-go.sqlite"
        return SimpleNamespace(database=database, schema=75, working_dir=str(self.file.parent))

    def call_GQL(self, query):  # noqa: N802
        return {"configuration": {"general": {"backupDirectoryPath": self._configured}}}

    def change(self, query):
        self.waited = self.limits.read
        self.folder.mkdir(exist_ok=True)
        if not self._mistakes:
            self._copy(self.folder / "stash-go.sqlite.75.20260501_120000")
        return SimpleNamespace(mistakes=[SimpleNamespace(message=one) for one in self._mistakes])


def target(stash):
    return SimpleNamespace(writer=lambda _: SimpleNamespace(source=stash))


@pytest.mark.parametrize("configured", ["", "copies"])
def test_it_is_found_where_stash_puts_it(tmp_path, configured):
    stash = Stash(tmp_path, configured=configured)
    said = points.make_point(target(stash), accept=False)
    assert said.startswith(f"{stash.folder / 'stash-go.sqlite.75.20260501_120000'}, ")
    assert f"in the place of {stash.file}" in said
    assert (stash.waited, stash.limits) == (points.LONGEST, Limits())


def test_a_stash_elsewhere_has_none(tmp_path):
    assert points.make_point(target(Stash(tmp_path, here=False)), accept=False) == ""
    assert points.make_point(target(None), accept=False) == ""


def half(path):
    database(path)
    path.write_bytes(path.read_bytes()[:5000])


def unreachable(path):
    raise Unreachable(address="x", reason="gone")


@pytest.mark.parametrize(
    "more",
    [
        {"mistakes": ["disk is full"]},
        {"copy": lambda path: None},
        {"copy": lambda path: path.write_bytes(b"")},
        {"copy": lambda path: path.write_bytes(b"no database" * 900)},
        {"copy": half},
        {"copy": lambda path: database(path, 74)},
        {"copy": unreachable},
    ],
)
def test_without_a_good_one_nothing_goes_on_unless_that_is_said(tmp_path, more):
    stash = Stash(tmp_path, **more)
    with pytest.raises(Braked, match="no-restore-point"):
        points.make_point(target(stash), accept=False)
    for path in tmp_path.glob("*.75.*"):
        path.unlink()
    assert points.make_point(target(stash), accept=True) == ""


def test_a_name_that_is_taken_within_the_second_is_tried_once_more(tmp_path):
    slept = []
    stash = Stash(tmp_path, mistakes=["error vacuuming database: output file already exists"])

    def wait(seconds):
        slept.append(seconds)
        stash._mistakes = ()

    assert points.make_point(target(stash), accept=False, sleep=wait)
    assert slept == [points.SECOND]
    for copy in tmp_path.glob("*.75.*"):
        copy.unlink()
    stash._mistakes = ["output file already exists"]
    with pytest.raises(Braked, match="already exists"):
        points.make_point(target(stash), accept=False, sleep=slept.append)
    assert len(slept) == 2


def test_what_only_a_scan_makes_is_beyond_an_undo():
    changes = [
        Change("delete", "scene", "1", {"files": [{"path": "/a"}]}, None),
        Change("delete", "scene", "2", {"files": []}, None),
        Change("delete", "image", "3", {}, None),
        Change("delete", "tag", "4", {}, None),
    ]
    whole = Plan(changes, (), (), (), {"scene delete": 2, "image delete": 1, "tag delete": 1})
    assert points.beyond_undo(whole) == "1 scene, 1 image"
    assert points.beyond_undo(plan(scene_update=3)) == ""
