"""What runs in the child process that reads a .7z of unknown origin, fenced by limits of the system.

Started as a script with ``-I -S -B`` and no environment of ours. The request is one JSON object on stdin; the answer
goes to stdout: the index as JSON, or the bytes of a block. Trouble is told in one line on stderr, and by the exit code.
It writes no file, and ends with its parent, because nobody reads its answer then. On Windows, which has no such limits,
only the parent's clock holds; on macOS the limit of memory does not either.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
from contextlib import suppress
from types import TracebackType
from typing import Any

try:
    import resource
except ImportError:  # Windows
    resource = None  # type: ignore[assignment]

_TOLD = 300


def main() -> None:
    """Do what is asked for on stdin, once."""
    sys.excepthook = _tell
    request = json.load(sys.stdin.buffer)
    _limit("RLIMIT_CPU", request["seconds"])
    for name in ("RLIMIT_AS", "RLIMIT_DATA"):
        _limit(name, request["memory"])
    for name in ("RLIMIT_FSIZE", "RLIMIT_CORE"):
        _limit(name, 0)
    sys.path[:] = request["path"]
    sevenzip = importlib.import_module("stash_portability.storage.sevenzip")
    with open(request["file"], "rb") as file:  # noqa: PTH123 - a path may be no text
        _do(sevenzip, request, file)


def _do(sevenzip: Any, request: dict[str, Any], file: Any) -> None:
    if "block" in request:
        sevenzip.unpack(file, request["block"], request["size"], sys.stdout.buffer)
    else:
        sys.stdout.buffer.write(json.dumps(sevenzip.index(file)).encode())
    sys.stdout.buffer.flush()


def _tell(kind: type[BaseException], error: BaseException, _: TracebackType | None) -> None:
    """Say in one line what went wrong, and end."""
    words = f"{kind.__name__}: {str(error)[:_TOLD]}".encode("ascii", "backslashreplace")
    with suppress(OSError):
        os.write(2, words)


def _limit(name: str, value: int) -> None:
    """Set a limit for good, where the system has it and allows it."""
    which = getattr(resource, name, None)
    if which is not None:
        with suppress(ValueError, OSError):
            resource.setrlimit(which, (value, value))


if __name__ == "__main__":
    main()
