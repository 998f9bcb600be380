"""docs/RESTORE.md tells everything a restore does not give back, and is what the code makes."""

import re
from pathlib import Path

import pytest

from stash_portability.docs import table
from stash_portability.docs_restore import restore_page
from stash_portability.libraries.stash_write_cannot import CANNOT, CANNOT_CLEAR, SETTINGS_NOT_WRITTEN

from .live.test_restore_engine import NOT_ON_OLD, NOT_RESTORED

PAGE = restore_page(table)
NAMES = set(re.findall(r"`([\w.]+)`", PAGE))


def test_the_page_is_what_the_code_makes():
    assert (Path(__file__).parent.parent / "docs" / "RESTORE.md").read_text("utf-8") == PAGE


def test_what_the_writer_is_never_asked_for_is_told():
    assert (CANNOT.keys() - {"group"}) | CANNOT_CLEAR.keys() | SETTINGS_NOT_WRITTEN.keys() <= NAMES


@pytest.mark.parametrize("name", [*NOT_RESTORED, *NOT_ON_OLD])
def test_what_the_round_trips_leave_out_is_told(name):
    """The live tests compare everything but these."""
    kind, _, field = name.partition(".")
    if name == "scene.files.1":
        assert "several films" in PAGE
    elif kind == "*":
        assert any(told == field or told.endswith(f".{field}") for told in NAMES)
    else:
        assert name in NAMES
