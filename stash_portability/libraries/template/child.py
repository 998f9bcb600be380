"""What runs in the child process: renders parts of one template, fenced by limits of the system.

Started as a script with ``-I -S -B`` and an empty environment; reads requests on stdin and writes answers on stdout,
both framed (``renderer.py`` is the other end). It gets 512 MB of memory, seconds of processor time a request, no file
but those it has, and no other process; and it ends when stdin closes, which is when its parent is gone, whatever it is
doing then (or with its seconds of processor time, while Python itself cannot be interrupted, as in comparing lists
within lists). On Windows, which has no such limits, only the parent's clock and the limit of output hold; on macOS the
limit of memory does not either.
"""

from __future__ import annotations

import codecs
import importlib
import json
import os
import queue
import signal
import struct
import sys
import threading
from collections.abc import Callable
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
_EARLIER = 0.25
"""Seconds before its time is over that a template is stopped here, where its line is known; who does not stop then,
because nothing of Python's runs meanwhile, is ended by the system or by the parent."""


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
        _serve(engine, first["job"], requests, limits)
    except ImportError as error:
        _end(missing=str(error))
    except MemoryError:
        _end(memory=True)


def _serve(
    engine: Any, job: dict[str, Any], requests: queue.SimpleQueue[dict[str, Any]], limits: dict[str, Any]
) -> None:
    clock = _Clock(engine.Unwritable)
    compiled = engine.Engine(engine.Job(**job))
    if compiled.troubles:
        _end(troubles=[[trouble.part, trouble.line, trouble.reason] for trouble in compiled.troubles])
    _write(DONE)
    while True:
        request = requests.get()
        times = max(1, -(-len(request["records"]) // 1000))
        _more_time(limits["cpu"] * times)
        clock.begin(limits["cpu"] * times, limits["wall"] * times)
        _answer(engine, compiled, request, clock)


def _answer(engine: Any, compiled: Any, request: dict[str, Any], clock: _Clock) -> None:
    """Render what ``request`` asks for, each record as soon as it is done."""
    for index, variables in enumerate(request["records"]):
        for part in request["parts"]:
            try:
                with clock:
                    text = compiled.render(part, variables)
            except engine.Trouble as trouble:
                _end(index=index, troubles=[[trouble.part, trouble.line, trouble.reason]])
            _write(NAME if part == "file_name" else TEXT, text.encode("utf-8", "replace"))
    clock.stop()
    _write(DONE)


class _Clock:
    """Raises ``error`` in what is rendered (while it is entered) when its time is over. Systems without such timers
    (Windows) do without."""

    def __init__(self, error: Callable[[str], Exception]) -> None:
        self._error, self._running = error, False
        self._seconds: dict[str, str] = {}
        self._timers = [getattr(signal, name, None) for name in ("ITIMER_PROF", "ITIMER_REAL")]
        if None not in self._timers:
            signal.signal(signal.SIGPROF, self._over)
            signal.signal(signal.SIGALRM, self._over)

    def begin(self, cpu: float, wall: float) -> None:
        """From now on there are so many seconds of processor time, and so many of the clock."""
        self._seconds = {"SIGPROF": f"{cpu:g} seconds of processor time", "SIGALRM": f"{wall:g} seconds"}
        self._set(cpu, max(wall - _EARLIER, wall / 2))

    def stop(self) -> None:
        """There is all the time in the world."""
        self._set(0, 0)

    def _set(self, *seconds: float) -> None:
        for timer, value in zip(self._timers, seconds, strict=True):
            if timer is not None:
                signal.setitimer(timer, value, 0.05 if value else 0)

    def __enter__(self) -> None:
        self._running = True

    def __exit__(self, *_: object) -> None:
        self._running = False

    def _over(self, number: int, _frame: object) -> None:
        if self._running:
            self._running = False
            raise self._error(f"it took more than {self._seconds[signal.Signals(number).name]}")


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
