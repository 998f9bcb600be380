"""Small files, most of them JSON, that a reader, or a crash, finds whole: the old one or the new one. Standard library
only."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

PAUSE, TRIES = 0.02, 200
"""Seconds between two tries to replace a file that somebody reads (Windows refuses that), and how many tries."""


def write_whole(path: Path, value: Mapping[str, Any], indent: int = 1) -> None:
    """Write JSON so that a reader, or a crash, finds the old file or the new one; 0600. Raises OSError."""
    write_text(path, json.dumps(value, ensure_ascii=False, indent=indent) + "\n")


def write_text(path: Path, text: str) -> None:
    """As ``write_whole``, of any text."""
    half = path.with_name(f".{path.name}.{os.getpid()}")
    handle = os.open(half, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        with os.fdopen(handle, "w", encoding="utf-8", errors="backslashreplace") as stream:
            stream.write(text)
            stream.flush()
            os.fsync(stream.fileno())
        _replace(half, path)
    except BaseException:
        half.unlink(missing_ok=True)
        raise


def _replace(half: Path, path: Path) -> None:
    """Put a new file in the place of the old one. Windows refuses while somebody reads that, for a moment."""
    for _ in range(TRIES if os.name == "nt" else 0):
        with suppress(PermissionError):
            half.replace(path)
            return
        time.sleep(PAUSE)
    half.replace(path)
