"""Databases and readers of them, closed after each test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from stash_portability.libraries.database import DatabaseSource

from .stash_database import Make, Open, Tables, fill


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Make]:
    made: list[Tables] = []

    def start(**how: Any) -> Tables:
        made.append(Tables(tmp_path / "stash go?#%.sqlite", **how))
        return made[-1]

    yield start
    for tables in made:
        tables.close()


@pytest.fixture
def tables(make: Make) -> Tables:
    return make()


@pytest.fixture
def reader() -> Iterator[Open]:
    opened: list[DatabaseSource] = []

    def start(tables: Tables, **how: Any) -> DatabaseSource:
        opened.append(DatabaseSource(tables.path, **how))
        return opened[-1]

    yield start
    for source in opened:
        source.close()


@pytest.fixture
def full(tables: Tables, reader: Open) -> DatabaseSource:
    fill(tables)
    return reader(tables)
