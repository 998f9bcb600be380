"""How far a command is, on a terminal (a bar), for a program (one JSON line a step), or not at all."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, TextIO

from tqdm import tqdm


class Quiet:
    """Says nothing but notes, and those only to ``log`` when one is given."""

    def __init__(self, log: Callable[[str], None] | None = None) -> None:
        self._log = log

    def phase(self, name: str, total: int | None) -> None:
        """Nothing to show."""

    def advance(self, count: int) -> None:
        """Nothing to show."""

    def note(self, message: str) -> None:
        """Pass ``message`` on."""
        if self._log:
            self._log(message)

    def close(self) -> None:
        """Nothing to end."""


class Terminal:
    """A bar a phase, with rate and time left, on a terminal; only the notes where there is none."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._bar: tqdm[Any] | None = None

    def phase(self, name: str, total: int | None) -> None:
        """End the bar before and begin one for ``name``."""
        self.close()
        if self._stream.isatty():
            self._bar = tqdm(total=total, desc=name, unit=" records", file=self._stream, leave=False)

    def advance(self, count: int) -> None:
        """Move the bar."""
        if self._bar is not None:
            self._bar.update(count)

    def note(self, message: str) -> None:
        """Write ``message`` above the bar."""
        if self._bar is not None:
            self._bar.write(message, file=self._stream)
        else:
            self._stream.write(message + "\n")
            self._stream.flush()

    def close(self) -> None:
        """Take the bar away."""
        if self._bar is not None:
            self._bar.close()
            self._bar = None


class Lines:
    """One JSON object a line for each phase and note, and at most ten a second in between.

    ``clock`` gives seconds that never go back (time.monotonic).
    """

    EVERY = 0.1

    def __init__(self, stream: TextIO, clock: Callable[[], float]) -> None:
        self._stream = stream
        self._clock = clock
        self._phase: dict[str, Any] = {}
        self._last = 0.0

    def phase(self, name: str, total: int | None) -> None:
        """Say that a phase begins."""
        self.close()
        self._phase = {"phase": name, "total": total, "done": 0}
        self._say("phase", self._phase)

    def advance(self, count: int) -> None:
        """Say how far it is, if it is long enough since the last time."""
        self._phase["done"] = self._phase.get("done", 0) + count
        if self._clock() - self._last >= self.EVERY:
            self._say("progress", self._phase)

    def note(self, message: str) -> None:
        """Say ``message``."""
        self._say("note", {"message": message})

    def close(self) -> None:
        """Say how the phase ended."""
        if self._phase:
            self._say("done", self._phase)
            self._phase = {}

    def _say(self, what: str, words: dict[str, Any]) -> None:
        self._last = self._clock()
        self._stream.write(json.dumps({"type": what, **words}) + "\n")
        self._stream.flush()
