"""What runs in the child process: renders parts of one template, fenced by limits of the system.

Started as a script with ``-I -S -B`` and an empty environment; reads requests on stdin and writes answers on stdout,
both framed (``renderer.py`` is the other end). It gets 512 MB of memory, seconds of processor time a request, no file
but those it has, and no other process; and it ends when stdin closes, which is when its parent is gone, whatever it is
doing then. On Windows, which has no such limits, only the parent's clock and the limit of output hold; on macOS the
limit of memory does not either.
"""

from __future__ import annotations

import codecs
import importlib
import json
import os
import queue
import struct
import sys
import threading
from contextlib import suppress
from typing import Any, NoReturn

try:
    import resource
except ImportError:  # Windows
    resource = None  # type: ignore[assignment]

HEAD = struct.Struct(">cI")
"""Before each frame: its kind, and how many bytes follow."""
TEXT, NAME, FAULT, DONE = b"T", b"N", b"F", b"D"
_AT_ONCE = 1 << 16


def main() -> None:
    """Answer requests until stdin closes."""
    first = _read_frame()
    limits = first["limits"]
    _limit(limits["memory"], limits["cpu"])
    sys.path[:] = first["path"]
    requests: queue.SimpleQueue[dict[str, Any]] = queue.SimpleQueue()
    try:
        engine = importlib.import_module("stash_portability.libraries.template.engine")
        threading.Thread(target=_listen, args=(requests,), daemon=True).start()
        codecs.lookup("unicode-escape")  # Jinja wants it for every text in a template, and Python has it in a file
        _no_more_files()
        _serve(engine, first["job"], requests, limits["cpu"])
    except ImportError as error:
        _end(missing=str(error))
    except MemoryError:
        _end(memory=True)


def _serve(engine: Any, job: dict[str, Any], requests: queue.SimpleQueue[dict[str, Any]], cpu: int) -> None:
    compiled = engine.Engine(engine.Job(**job))
    if compiled.troubles:
        _end(troubles=[[trouble.part, trouble.line, trouble.reason] for trouble in compiled.troubles])
    _write(DONE)
    while True:
        request = requests.get()
        _more_time(cpu * max(1, -(-len(request["records"]) // 1000)))
        _answer(engine, compiled, request)


def _answer(engine: Any, compiled: Any, request: dict[str, Any]) -> None:
    """Render what ``request`` asks for, each record as soon as it is done."""
    for index, variables in enumerate(request["records"]):
        for part in request["parts"]:
            try:
                text = compiled.render(part, variables)
            except engine.Trouble as trouble:
                _end(index=index, troubles=[[trouble.part, trouble.line, trouble.reason]])
            _write(NAME if part == "file_name" else TEXT, text.encode("utf-8", "replace"))
    _write(DONE)


def _listen(requests: queue.SimpleQueue[dict[str, Any]]) -> None:
    """Take in requests; end this process when there can be no more."""
    while True:
        requests.put(_read_frame())


def _read_frame() -> dict[str, Any]:
    _, size = HEAD.unpack(_read(HEAD.size))
    found: dict[str, Any] = json.loads(_read(size))
    return found


def _read(size: int) -> bytes:
    pieces: list[bytes] = []
    while size:
        piece = os.read(0, min(size, _AT_ONCE))
        if not piece:
            os._exit(0)
        pieces.append(piece)
        size -= len(piece)
    return b"".join(pieces)


def _write(kind: bytes, content: bytes = b"") -> None:
    waiting = memoryview(HEAD.pack(kind, len(content)) + content)
    while waiting:
        waiting = waiting[os.write(1, waiting) :]


def _end(**fault: Any) -> NoReturn:
    """Say what is wrong, and end."""
    _write(FAULT, json.dumps(fault).encode())
    os._exit(1)


def _limit(memory: int, cpu: int) -> None:
    """Fence this process in for good. What a system does not know, it does not know."""
    if resource is None:
        return
    _set("RLIMIT_AS", memory, memory)
    _set("RLIMIT_CORE", 0, 0)
    _set("RLIMIT_FSIZE", 0, 0)
    _more_time(cpu)


def _no_more_files() -> None:
    """From now on open no file and start no process."""
    if resource is not None:
        _set("RLIMIT_NOFILE", 0, 0)
        _set("RLIMIT_NPROC", 0, 0)


def _more_time(seconds: int) -> None:
    """Allow ``seconds`` of processor time from now on; who needs more is ended by the system."""
    if resource is not None:
        used = resource.getrusage(resource.RUSAGE_SELF)
        hard = resource.getrlimit(resource.RLIMIT_CPU)[1]
        _set("RLIMIT_CPU", int(used.ru_utime + used.ru_stime) + 1 + seconds, hard)


def _set(name: str, soft: int, hard: int) -> None:
    """Set a limit, where the system has it and allows it."""
    which = getattr(resource, name, None)
    if which is not None:
        with suppress(ValueError, OSError):
            resource.setrlimit(which, (soft, hard))


if __name__ == "__main__":
    main()
