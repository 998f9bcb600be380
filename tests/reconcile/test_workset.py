"""The working file of a plan, when the disk has no room for it or refuses it: told as what it is."""

import sqlite3

import pytest

from stash_portability.errors import NoSpace, OutputNotUsable
from stash_portability.reconcile.workset import Workset


class Refusing:
    """A connection that says what a disk says, at a statement or at a row of it."""

    def __init__(self, said, at_a_row):
        self._said, self._at_a_row = said, at_a_row

    def execute(self, *_):
        if not self._at_a_row:
            raise sqlite3.OperationalError(self._said)
        return self._rows()

    executemany = executescript = execute

    def _rows(self):
        yield (1,)
        raise sqlite3.OperationalError(self._said)

    def close(self):
        pass


DOINGS = {
    "rows": lambda workset: list(workset.rows("SELECT 1")),
    "run": lambda workset: workset.run("DELETE FROM record"),
    "one": lambda workset: workset.one("SELECT 1"),
    "count": lambda workset: workset.count("source", "tag"),
}


@pytest.mark.parametrize("said, error", [
    ("database or disk is full", NoSpace), ("disk I/O error", OutputNotUsable),
    ("no such table: heron", sqlite3.OperationalError),
])  # fmt: skip
@pytest.mark.parametrize("doing", DOINGS)
def test_each_statement_tells_it(tmp_path, monkeypatch, doing, said, error):
    workset = Workset(tmp_path / "work.sqlite")
    monkeypatch.setattr(workset, "_connection", Refusing(said, at_a_row=False))
    with pytest.raises(error):
        DOINGS[doing](workset)


def test_so_does_a_row_and_the_schema(tmp_path, monkeypatch):
    workset = Workset(tmp_path / "work.sqlite")
    monkeypatch.setattr(workset, "_connection", Refusing("database or disk is full", at_a_row=True))
    with pytest.raises(NoSpace):
        list(workset.rows("SELECT 1"))
    monkeypatch.setattr(sqlite3, "connect", lambda *_, **__: Refusing("database or disk is full", at_a_row=False))
    with pytest.raises(NoSpace):
        Workset(tmp_path / "other.sqlite")


def test_a_folder_that_is_not_there_is_told(tmp_path):
    with pytest.raises(OutputNotUsable):
        Workset(tmp_path / "gone" / "work.sqlite")
