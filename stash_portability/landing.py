"""What a run is about to put under its final name, noted in the run's folder before it does.

A run that is killed after that rename and before its last report has done its work: whoever finds it dead looks
whether what it noted stands under the final name, and then gives the report it would have given. Standard library
only.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from .wholefile import write_whole

NOTE = "landing.json"
_INSIDE = "manifest.json"


def announce(folder: Path, at: Path, final: Path, facts: Mapping[str, Any]) -> None:
    """Note in a run's ``folder`` that what lies ``at`` one path gets the name ``final`` in the next moment (or has it
    already), and what the run reports when it has. On the disk when this returns. Raises OSError."""
    write_whole(folder / NOTE, {"final": str(final.absolute()), "is": _identity(at), "facts": dict(facts)})
    if os.name != "nt":
        handle = os.open(folder, os.O_RDONLY)
        with suppress(OSError):  # a disk that cannot: a kill is survived all the same, a power cut perhaps not
            os.fsync(handle)
        os.close(handle)


def landed(folder: Path) -> dict[str, Any]:
    """What the run in ``folder`` would have reported, if what it had announced stands under its final name; else
    nothing."""
    with suppress(OSError, ValueError, KeyError, TypeError):
        note = json.loads((folder / NOTE).read_text("utf-8"))
        if _identity(Path(note["final"])) == note["is"]:
            return dict(note["facts"])
    return {}


def _identity(path: Path) -> list[int]:
    """What a rename leaves as it is, and what another output of the same name does not share. A folder is known by
    its manifest. Raises OSError."""
    inside = path / _INSIDE
    found = (inside if inside.is_file() else path).lstat()
    return [found.st_ino, found.st_mtime_ns, 0 if path.is_dir() and not inside.is_file() else found.st_size]
