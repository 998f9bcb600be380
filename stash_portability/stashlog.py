"""How a plugin talks to Stash's log and shows its progress: framed lines on stderr.

A line of 64 KiB or more ends Stash's reading of the log for good, and breaks our pipe (pkg/logger/plugin.go);
so every line is cut well before. Nothing here may fail because nobody listens.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping
from typing import BinaryIO

MOST_BYTES = 60_000
CUT = " … (cut)"
LEVELS = {"trace": b"t", "debug": b"d", "info": b"i", "warning": b"w", "error": b"e"}
PER_SECOND = 4
"""Progress lines a second; Stash drops those it is too busy for."""


class StashLog:
    """Writes lines at a level, and the progress. ``secrets`` are blotted out wherever they turn up."""

    def __init__(self, stream: BinaryIO, secrets: Iterable[str] = ()) -> None:
        self._stream = stream
        self._secrets = [secret for secret in secrets if len(secret) > 3]

    def hide(self, secret: str) -> None:
        """Blot ``secret`` out from now on."""
        if len(secret) > 3:
            self._secrets.append(secret)

    def say(self, level: str, message: str) -> None:
        """Write ``message``, a line for each of its lines."""
        for line in self._clean(message).splitlines():
            self._write(LEVELS[level], fit(line))

    def progress(self, done: float) -> None:
        """Show how much is done, 0 to 1."""
        self._write(b"p", f"{min(max(done, 0.0), 1.0):.4f}".encode())

    def _clean(self, message: str) -> str:
        for secret in self._secrets:
            message = message.replace(secret, "***")
        return message.replace("\x01", " ").replace("\x02", " ")

    def _write(self, code: bytes, text: bytes) -> None:
        try:
            self._stream.write(b"\x01" + code + b"\x02" + text + b"\n")
            self._stream.flush()
        except (OSError, ValueError):
            """Stash is gone or has stopped listening; the run goes on, and its report tells the rest."""


class TerminalLog(StashLog):
    """The same for somebody who runs the launcher by hand: plain lines, without debug and progress."""

    def progress(self, done: float) -> None:
        """Nothing to show."""

    def _write(self, code: bytes, text: bytes) -> None:
        if code not in (b"t", b"d"):
            self._stream.write(text + b"\n")
            self._stream.flush()


def fit(line: str) -> bytes:
    """``line`` in UTF-8, cut to what Stash can take."""
    text = line.encode("utf-8", "replace")
    if len(text) <= MOST_BYTES:
        return text
    return text[:MOST_BYTES].decode("utf-8", "ignore").encode() + CUT.encode()


class Handler(logging.Handler):
    """Passes what our modules log on to Stash's log."""

    def __init__(self, log: StashLog) -> None:
        super().__init__()
        self._log = log

    def emit(self, record: logging.LogRecord) -> None:
        """Say one record; a traceback only at debug."""
        self._log.say(_level(record.levelno), record.getMessage())
        if record.exc_info:
            self._log.say("debug", logging.Formatter().formatException(record.exc_info))


def _level(number: int) -> str:
    if number >= logging.ERROR:
        return "error"
    if number >= logging.WARNING:
        return "warning"
    return "info" if number >= logging.INFO else "debug"


class StashProgress:
    """Progress of a task: a percentage over all phases, and one log line a phase with its count and seconds
    (none for a phase that had nothing to do).

    ``shares`` says how much each phase is of the whole, by name (records, or any unit); a phase that is not in it
    moves nothing. ``clock`` gives seconds that never go back.
    """

    def __init__(self, log: StashLog, clock: Callable[[], float], shares: Mapping[str, float] | None = None) -> None:
        self._log, self._clock = log, clock
        self.shares = dict(shares or {})
        self._before = 0.0
        self._name, self._total, self._done = "", 0, 0
        self._begun = self._said = clock()
        self._shown = 0.0

    def phase(self, name: str, total: int | None) -> None:
        """End the phase before, with its log line, and begin ``name``."""
        self.close()
        self._name, self._total, self._done, self._begun = name, total or 0, 0, self._clock()

    def advance(self, count: int) -> None:
        """Show how far the whole is, at most some times a second."""
        self._done += count
        now = self._clock()
        if now - self._said >= 1 / PER_SECOND:
            self._said = now
            self._show(self._before + self._share() * self._part())

    def note(self, message: str) -> None:
        """A log line."""
        self._log.say("info", message)

    def close(self) -> None:
        """End the phase with its log line."""
        if not self._name:
            return
        seconds = self._clock() - self._begun
        if self._done:
            self._log.say("info", f"{self._name}: {self._done:,} in {seconds:.1f} s")
        self._before += self._share()
        self._show(self._before)
        self._name = ""

    def _share(self) -> float:
        return self.shares.get(self._name, 0.0)

    def _part(self) -> float:
        return min(self._done / self._total, 1.0) if self._total else 0.0

    def _show(self, done: float) -> None:
        """Show ``done`` of all shares, never less than before."""
        self._shown = max(self._shown, done / (sum(self.shares.values()) or 1.0))
        self._log.progress(self._shown)
