"""What ``--overwrite`` may replace: only what an export made, as far as that can be seen."""

from __future__ import annotations

import json
import os
import re
import zipfile
import zlib
from collections.abc import Iterable
from pathlib import Path

from ..errors import OutputNotUsable

MANIFEST = "manifest.json"
OURS = "stash-portability"
"""What the ``format`` of every manifest begins with: how a folder or a zip is known to be one of ours."""

_HEAD = 4096
_MANIFEST_LIMIT = 256 << 20
_SIGNS = {
    ".json": re.compile(rb'\s*\{\s*"(format"\s*:\s*"stash-portability|kind"\s*:\s*")'),  # JSONL can be named so too
    ".xml": re.compile(rb".*urn:stash-portability:", re.DOTALL),
}
"""How the files begin that can be known as ours. Tables, lines and YAML carry no mark."""
_DAMAGED = (
    OSError, ValueError, KeyError, TypeError, AttributeError, RuntimeError, EOFError, zipfile.BadZipFile, zlib.error
)  # fmt: skip


def check_replaceable(path: Path, shape: str) -> None:
    """Raise OutputNotUsable when what is at ``path`` holds anything that no export made; a file by its first bytes,
    a folder or a zip by the members its manifest lists. Raises OSError."""
    if path.is_dir():
        strange = _stranger_in_folder(path)
        if strange:
            raise OutputNotUsable(path=path, reason=f"it holds what no export made ({strange}), and is not replaced")
    elif not path.is_file():
        raise OutputNotUsable(path=path, reason="it is no ordinary file")
    elif path.stat().st_size and (_stranger_in_zip(path) if shape == "zip" else _is_strange(path)):
        raise OutputNotUsable(path=path, reason="no export made it, and it is not replaced")


def _is_strange(file: Path) -> bool:
    with file.open("rb") as stream:
        head = stream.read(_HEAD)
    sign = _SIGNS.get(file.suffix.lower())
    # No format of ours holds a NUL: a database, a film or a zip named by mistake does.
    return b"\0" in head or (sign is not None and not sign.match(head))


def _stranger_in_folder(folder: Path) -> str:
    try:
        manifest = (folder / MANIFEST).read_bytes()
    except OSError:
        return f"no {MANIFEST} of ours"
    files = (Path(base) / name for base, _, names in os.walk(folder) for name in names)
    return _stranger(manifest, (file.relative_to(folder).as_posix() for file in files))


def _stranger_in_zip(path: Path) -> str:
    try:
        with zipfile.ZipFile(path) as file, file.open(MANIFEST) as manifest:
            return _stranger(manifest.read(_MANIFEST_LIMIT), file.namelist())
    except _DAMAGED:
        return f"no {MANIFEST} of ours"


def _stranger(manifest: bytes, members: Iterable[str]) -> str:
    """The first of ``members`` the manifest does not list, or what is wrong with the manifest; "" when all is ours."""
    try:
        said = json.loads(manifest)
        if not said["format"].startswith(OURS):
            return MANIFEST
        known = {MANIFEST, *(member["name"] for member in said["members"])}
    except _DAMAGED:
        return f"no {MANIFEST} of ours"
    return next((name for name in members if name not in known), "")
