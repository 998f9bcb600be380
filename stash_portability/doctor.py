"""``doctor``: is everything there that this program needs, and how will a library be read?"""

from __future__ import annotations

import importlib.metadata
import platform
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from . import __version__
from .errors import PortabilityError
from .model import Source

LIBRARIES = {
    "stashapp-tools": "talking to Stash",
    "requests": "talking to Stash",
    "orjson": "reading and writing records",
    "tqdm": "the progress bar",
    "PyYAML": "profiles, and the format yaml",
    "defusedxml": "reading the format xml back",
    "Jinja2": "exports shaped by a template",
    "zstandard": "backups packed with zstd",
    "py7zr": "backups as .7z",
}


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at: what it is, whether it is as it should be, and what was seen or what to do."""

    what: str
    well: bool
    said: str


def examine(data: Path, address: str, open_source: Callable[[], Source]) -> Iterator[Finding]:
    """Look at Python, the libraries, the data folder and, when ``address`` names one, a library."""
    yield Finding(
        "program", True, f"stash-portability {__version__}, Python {platform.python_version()}, {sys.platform}"
    )
    yield from (_library(name, use) for name, use in LIBRARIES.items())
    yield _folder(data)
    if address:
        yield from _source(address, open_source)


def _library(name: str, use: str) -> Finding:
    try:
        return Finding(name, True, f"{importlib.metadata.version(name)}, for {use}")
    except importlib.metadata.PackageNotFoundError:
        return Finding(name, False, f"missing; needed for {use}: pip install {name}")


def _folder(data: Path) -> Finding:
    nearest = next((folder for folder in (data, *data.parents) if folder.is_dir()), Path("/"))
    writable = _can_write(nearest)
    said = f"{data}" if data.is_dir() else f"{data} (will be made)"
    return Finding("data folder", writable, said if writable else f"{nearest} is not writable; give --data")


def _can_write(folder: Path) -> bool:
    import os  # noqa: PLC0415 - only here

    return os.access(folder, os.W_OK | os.X_OK)


def _source(address: str, open_source: Callable[[], Source]) -> Iterator[Finding]:
    try:
        about = open_source().about()
    except PortabilityError as problem:
        yield Finding("library", False, str(problem))
        return
    schema = f", schema {about.schema}" if about.schema else ""
    yield Finding("library", True, f"{about.product} {about.version}{schema} at {address}")
    yield Finding("reading", True, about.how or "straight through")
    yield Finding("records", True, _counts(about.counts))


def _counts(counts: Mapping[str, int | None]) -> str:
    return ", ".join(f"{kind} {'?' if count is None else f'{count:,}'}" for kind, count in counts.items())
