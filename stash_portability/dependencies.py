"""The third-party libraries the plugin needs, by set, and where they are.

Standard library only, and light, because it runs before anything else is there. A set lies in this Python
already, or in a folder of the data folder, put there from requirements.lock by installer.py. ``core`` is
needed for everything; a set that cannot be had takes only its own features away.
"""

from __future__ import annotations

import hashlib
import os
import re
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.machinery import EXTENSION_SUFFIXES
from pathlib import Path

from stash_portability.errors import LibrariesMissing

LOCK_FILE = Path(__file__).resolve().parent.parent / "requirements.lock"
SECTION_MARK = "# set: "


@dataclass(frozen=True, slots=True)
class Set:
    """A dependency set: what it is for, the lowest versions that do, and the modules that must load."""

    gives: str
    floors: tuple[str, ...]
    modules: tuple[str, ...]


SETS: Mapping[str, Set] = {
    "core": Set(
        "everything",
        ("stashapp-tools>=0.2.59", "requests>=2.31", "orjson>=3.9", "tqdm>=4.66"),
        ("stashapi", "requests", "orjson", "tqdm"),
    ),
    "yaml": Set("YAML files and export profiles", ("pyyaml>=6.0",), ("yaml",)),
    "xml": Set("reading XML files back", ("defusedxml>=0.7.1",), ("defusedxml",)),
    "templates": Set("exports shaped by a template", ("jinja2>=3.1.6",), ("jinja2",)),
    "zstd": Set("backups packed with zstd", ("zstandard>=0.22",), ("zstandard",)),
    "7z": Set("backups as .7z", ("py7zr>=1.1.3",), ("py7zr",)),
}


@dataclass(frozen=True, slots=True)
class Shelf:
    """Where the sets of one lock lie for one Python on one platform: ``deps/<lock hash>-<abi>-<platform>/``.
    ``sections`` are the parts of the lock by set; ``path`` is where this Python itself looks for modules."""

    folder: Path
    sections: Mapping[str, str]
    path: tuple[str, ...]

    def place(self, name: str) -> Path:
        """The folder of the set ``name``."""
        return self.folder / name

    def state(self, name: str) -> str:
        """Where the set is: ``data folder``, ``python`` (this Python has it), or ``missing``."""
        if self.place(name).is_dir():
            return "data folder"
        return "missing" if lacking(SETS[name].floors, self.path) else "python"

    def missing(self, names: Iterable[str]) -> list[str]:
        """Those of the sets ``names`` that are nowhere."""
        return [name for name in names if self.state(name) == "missing"]

    def use(self) -> None:
        """Let this process import from the shelf, before what this Python has itself."""
        for place in (str(self.place(name)) for name in SETS):
            if place not in sys.path and Path(place).is_dir():
                sys.path.insert(1, place)


def shelf(deps: Path, path: Sequence[str], lock_file: Path = LOCK_FILE) -> Shelf:
    """Find the shelf of this lock and this Python under ``deps``; raises LibrariesMissing without a good lock."""
    try:
        text = lock_file.read_text("utf-8")
    except OSError as error:
        raise LibrariesMissing(what="everything", reason=f"{lock_file}: {error.strerror}") from error
    digest = hashlib.sha256(text.encode()).hexdigest()[:12]
    return Shelf(deps / f"{digest}-{platform_tag()}", read_lock(text), tuple(entry for entry in path if entry))


def read_lock(text: str) -> dict[str, str]:
    """Split requirements.lock into its sections by set; raises LibrariesMissing when one is not there."""
    parts = re.split(rf"^{SECTION_MARK}(\w+)$\n", text, flags=re.MULTILINE)
    sections = dict(zip(parts[1::2], parts[2::2], strict=True))
    for name, wanted in SETS.items():
        if name not in sections:
            raise LibrariesMissing(what=wanted.gives, reason=f"requirements.lock has no set {name}")
    return sections


def platform_tag() -> str:
    """Name this Python's binary interface and platform, C library included ("cpython-312-x86_64-linux-musl")."""
    tag = EXTENSION_SUFFIXES[0].strip(".").rsplit(".", 1)[0]
    machine = os.uname().machine if hasattr(os, "uname") else ""
    return tag if machine in tag else f"{tag}-{machine}"


def lacking(floors: Iterable[str], path: Sequence[str]) -> list[str]:
    """Tell which of ``floors`` ("orjson>=3.9") are not installed in the folders ``path``."""
    there = dict(installed(path))
    wanted = (floor.split(">=") for floor in floors)
    return [name for name, low in wanted if there.get(name, ()) < numbers(low)]


def installed(path: Sequence[str]) -> Iterator[tuple[str, tuple[int, ...]]]:
    """List the packages in the folders ``path`` with their versions, the first folder last, by the names of
    their metadata folders: importlib.metadata says the same, but its import alone takes a third of the time
    a status may take."""
    for folder in reversed(path):
        for entry in _names(folder):
            found = re.fullmatch(r"([\w.]+)-([\w.+!]+?)(?:-py[\d.]+)?\.(?:dist|egg)-info", entry)
            if found:
                yield re.sub(r"[._]+", "-", found[1]).lower(), numbers(found[2])


def _names(folder: str) -> list[str]:
    try:
        return os.listdir(folder)  # noqa: PTH208 - names only, and some entries are zip files
    except OSError:
        return []


def numbers(version: str) -> tuple[int, ...]:
    """Give the leading numbers of a version, to compare by."""
    found = re.match(r"\d+(\.\d+)*", version)
    return tuple(int(part) for part in found[0].split(".")) if found else ()
