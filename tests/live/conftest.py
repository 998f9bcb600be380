"""Fixtures that start real Stashes: populated ones for the whole run, to be read only, and fresh ones or copies
for tests that write. A library is populated once a run and copied, because a scan is slow."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from . import kodi_server, media
from .kodi_server import KodiServer
from .populate import populate, scan
from .restoring import same_media
from .stash_server import NEW, OLD, Options, StashServer, binary_version, find_binary

HERE = Path(__file__).parent
ZONE = "Asia/Kathmandu"
"""A time zone that is not UTC and not on the hour: Stash keeps its stamps in the server's zone."""

StartStash = Callable[..., StashServer]
USED: pytest.StashKey[dict[str, str]] = pytest.StashKey()
"""The versions the binaries gave, and what was asked for."""
NO_KODI: pytest.StashKey[str] = pytest.StashKey()
"""Why no Kodi could be asked, if one was wanted."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark every test of this folder as live."""
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.live)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Say which Stashes were used, and when one is not of the version the tests were written for."""
    for found, wanted in config.stash.get(USED, {}).items():
        if found.startswith(f"{wanted}."):
            terminalreporter.write_line(f"live tests used Stash {found}")
        else:
            line = f"!!! live tests wanted Stash {wanted} and were given {found}: look at STASH_BIN and STASH_BIN_027"
            terminalreporter.write_line(line, yellow=True, bold=True)
    if why := config.stash.get(NO_KODI, ""):
        terminalreporter.write_line(f"!!! {why}", yellow=True, bold=True)


def binary(version: str, config: pytest.Config) -> str:
    """Give the Stash to use for ``version``, or skip the test, and note which it is for the end of the run."""
    found = find_binary(version)
    if found is None:
        name = "STASH_BIN_027" if version == OLD else "STASH_BIN, or stash on the PATH"
        pytest.skip(f"no Stash {version} here ({name})")
    is_ = binary_version(found)
    config.stash.setdefault(USED, {})[is_] = version
    return found


def _seed(version: str, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = binary(version, request.config)
    if not media.available():
        pytest.skip("no ffmpeg here, which makes the films of the live tests")
    folder = tmp_path_factory.mktemp(f"stash-{version}-seed")
    with StashServer(path, folder, Options(timezone=ZONE)) as server:
        populate(server)
    return folder


@pytest.fixture(scope="session")
def seed_030(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a stopped, populated instance of the newest Stash."""
    return _seed(NEW, request, tmp_path_factory)


@pytest.fixture(scope="session")
def seed_027(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a stopped, populated instance of the oldest Stash."""
    return _seed(OLD, request, tmp_path_factory)


def _running(version: str, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> StashServer:
    seed = request.getfixturevalue("seed_027" if version == OLD else "seed_030")
    folder = tmp_path_factory.mktemp(f"stash-{version}")
    return StashServer.copy_of(seed, folder, binary(version, request.config), Options(timezone=ZONE))


@pytest.fixture(scope="session")
def stash_030(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[StashServer]:
    """The newest Stash, populated. To be read only; ``new_stash(populated=True)`` gives one to write to."""
    with _running(NEW, request, tmp_path_factory) as server:
        yield server


@pytest.fixture(scope="session")
def stash_027(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[StashServer]:
    """The oldest Stash, populated. To be read only."""
    with _running(OLD, request, tmp_path_factory) as server:
        yield server


@pytest.fixture(scope="session")
def scanned_030(
    stash_030: StashServer, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """The folder of a stopped Stash that scanned the films of ``stash_030``, and holds nothing else. To be copied."""
    folder = tmp_path_factory.mktemp("scanned")
    with StashServer(binary(NEW, request.config), folder, same_media(stash_030)) as server:
        scan(server)
    return folder


@pytest.fixture(params=[NEW, OLD])
def each_stash(request: pytest.FixtureRequest) -> StashServer:
    """Both populated Stashes, one after the other. To be read only."""
    server: StashServer = request.getfixturevalue("stash_027" if request.param == OLD else "stash_030")
    return server


@pytest.fixture
def new_stash(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[StartStash]:
    """A function that starts a Stash for this test alone: ``new_stash(NEW, Options(...), populated=False)``."""
    started: list[StashServer] = []

    def start(version: str = NEW, options: Options | None = None, *, populated: bool = False) -> StashServer:
        path, folder = binary(version, request.config), tmp_path_factory.mktemp("stash")
        if populated:
            seed = request.getfixturevalue("seed_027" if version == OLD else "seed_030")
            started.append(StashServer.copy_of(seed, folder, path, options))
        else:
            started.append(StashServer(path, folder, options))
        return started[-1]

    yield start
    for server in started:
        server.stop()


@pytest.fixture(scope="session")
def real_kodi(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[KodiServer]:
    """A Kodi with an empty library, for the whole run: each test gives it a folder of its own to scan."""
    if why := kodi_server.missing():
        request.config.stash[NO_KODI] = why
        pytest.skip(why)
    with KodiServer(tmp_path_factory.mktemp("kodi")) as server:
        yield server
