"""The parent's end of the process that reads a .7z: starts it, asks it, reads its answer, and ends it when it must."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any

from .room import translated
from .shapes import BUFFER, create

CHILD = Path(__file__).with_name("sevenzip_child.py")
ROOT = Path(__file__).parent.parent.parent
MEMORY = 1 << 30
"""Bytes the child may use: a dictionary of 256 MB, as 7-Zip's highest level has, and what is around it."""
SECONDS = 30
"""How long the list of an archive may take; and a block, beyond a second for each ``_PACE`` bytes of it."""
_PACE = 1 << 20
_INDEX_LIMIT = 64 << 20


def index(path: Path) -> Any:
    """What the child tells of the archive. Raises ValueError."""
    with _child(path, SECONDS, {}) as answer:
        told = answer.read(_INDEX_LIMIT + 1)
    if len(told) > _INDEX_LIMIT:
        raise ValueError("its list of members is too long")
    return json.loads(told)


def unpack(path: Path, block: int, size: int, place: Path) -> None:
    """Unpack a block into the file ``place``. Raises ValueError, NoSpace."""
    left = size
    request = {"block": block, "size": size}
    with _child(path, SECONDS + size // _PACE, request) as answer, translated(place), create(place) as file:
        while chunk := answer.read(BUFFER):
            left -= len(chunk)
            if left < 0:
                break
            file.write(chunk)
    if left:
        raise ValueError("a block of it unpacks to more or less than it says")


@contextmanager
def _child(path: Path, seconds: int, request: Mapping[str, Any]) -> Iterator[IO[bytes]]:
    """Have the child do what is asked, and give its answer to read. Raises ValueError when the child fails, which is
    known once the answer is read, or when it takes longer than ``seconds``."""
    kept = {name: os.environ[name] for name in ("SYSTEMROOT",) if os.name == "nt" and name in os.environ}
    pipe = subprocess.PIPE
    child = subprocess.Popen(  # noqa: S603 - our own script
        [sys.executable, "-I", "-S", "-B", str(CHILD)], env=kept, stdin=pipe, stdout=pipe, stderr=pipe, close_fds=True
    )
    assert child.stdin and child.stdout and child.stderr  # noqa: S101 - pipes
    timer = threading.Timer(seconds * 2, child.kill)
    try:
        timer.start()
        limits = {"memory": MEMORY, "seconds": seconds, "path": [str(ROOT), *filter(os.path.isabs, sys.path)]}
        with suppress(BrokenPipeError):  # why it is gone is told by what it said
            child.stdin.write(json.dumps({**limits, "file": os.fspath(path.absolute()), **request}).encode())
            child.stdin.close()
        yield child.stdout
        child.stdout.close()
        said = child.stderr.read().decode("ascii", "replace")
        if child.wait():
            raise ValueError(_reason(child.returncode, said, seconds))
    finally:
        timer.cancel()
        child.kill()
        child.wait()
        for stream in (child.stdin, child.stdout, child.stderr):
            with suppress(BrokenPipeError):
                stream.close()


def _reason(code: int, said: str, seconds: int) -> str:
    """Why the child failed, in words."""
    kind, _, words = said.partition(": ")
    if kind == "PasswordRequired":
        return "it is encrypted"
    if kind == "MemoryError":
        return f"reading it takes more than {MEMORY >> 20} MB of memory"
    if code < 0 or not said:
        return f"it cannot be read within {seconds} seconds, or the process that reads it was killed"
    return f"it is damaged: {words or kind}"
