"""The parent's end of the fenced process that renders a template: starts it, asks it, and ends it when it must.

The child (``child.py``) limits its own memory and processor time; here stands the clock, which also stops one that does
nothing, and the limit of what it may answer. Its stdin is its life-line: it ends when this process is gone.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Any, NamedTuple

from ... import json_text
from ...errors import BadTemplate, LibrariesMissing, PortabilityError
from .child import DONE, FAULT, HEAD, NAME, TEXT
from .spec import MARKUP_ENDINGS, Template
from .view import FREE, facts_known, fields_known

CHILD = Path(__file__).with_name("child.py")
ROOT = Path(__file__).parent.parent.parent.parent
_LOOK = 0.05
"""Seconds between two looks at the clock."""
_KILLED = -getattr(signal, "SIGKILL", 9)
_CPU = -getattr(signal, "SIGXCPU", 24)


@dataclass(frozen=True, slots=True)
class Limits:
    """What a template may cost: bytes of memory; seconds of processor time and of the clock for each 1,000 records, or
    for fewer that are asked for at once; characters one record may give; seconds to start and compile."""

    memory: int = 512 << 20
    cpu: int = 10
    wall: float = 15.0
    output: int = 1 << 20
    start: float = 30.0


class Rendered(NamedTuple):
    """What a template made of a record: its text and, where each has a file of its own, the file's name (raw)."""

    text: str
    file_name: str


class Renderer:
    """A template at work; a context manager. Entering it compiles the template.

    Raises BadTemplate, in words that name part and line, from entering it (everything that can be seen without
    records) and from rendering; it cannot be used after that. Raises LibrariesMissing when there is no Jinja.
    """

    def __init__(
        self, template: Template, limits: Limits | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._template, self._limits, self._clock = template, limits or Limits(), clock
        self._child: subprocess.Popen[bytes] | None = None
        self._deadline: float | None = None
        self._allowed = 0.0
        self._over = ""
        self._doing: tuple[str, bytes] = ("", b"{}")
        self._ended = threading.Event()

    def __enter__(self) -> Renderer:
        self._child = _start()
        threading.Thread(target=self._watch, args=(self._child,), daemon=True).start()
        try:
            self._compile()
        except BaseException:
            self._end()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._end()

    def header(self, facts: Mapping[str, Any]) -> str:
        """The header of a file."""
        return self._of_file("header", facts)

    def between(self, facts: Mapping[str, Any]) -> str:
        """What stands between two records."""
        return self._of_file("between", facts)

    def footer(self, facts: Mapping[str, Any]) -> str:
        """The footer of a file."""
        return self._of_file("footer", facts)

    def records(self, views: Sequence[Mapping[str, Any]]) -> list[Rendered]:
        """Render ``views`` (see view.py), all at once."""
        return list(self.encoded([json_text.dumps(view) for view in views]))

    def encoded(self, views: Sequence[bytes]) -> Iterator[Rendered]:
        """Render ``views``, which are JSON already, one after another. To be read to its end before anything else is
        asked for."""
        named = self._template.one_file == "record"
        parts = b'["record","file_name"]' if named else b'["record"]'
        self._ask(parts, views)
        for view in views:
            self._doing = ("record", view)
            text = self._text(TEXT, views)
            self._doing = ("file_name", view)
            yield Rendered(text, self._text(NAME, views) if named else "")
        self._expect(DONE, views)

    def _of_file(self, part: str, facts: Mapping[str, Any]) -> str:
        if not self._template.parts[part]:
            return ""
        self._doing = (part, b"{}")
        self._ask(json_text.dumps([part]), [json_text.dumps(dict(facts))])
        text = self._text(TEXT, ())
        self._expect(DONE, ())
        return text

    def _compile(self) -> None:
        template = self._template
        record = fields_known(template.kinds)
        names = {part: record if part in ("record", "file_name") else facts_known() for part in template.parts}
        job = {
            "parts": template.parts,
            "escape": template.escape,
            "markup": template.escape == "html" or template.ending in MARKUP_ENDINGS,
            "names": names,
            "free": FREE,
            "most": self._limits.output,
        }
        first = {"path": [str(ROOT), *filter(os.path.isabs, sys.path)], "job": job, "limits": asdict(self._limits)}
        self._allow(self._limits.start)
        self._send(json_text.dumps(first))
        self._expect(DONE, ())

    def _ask(self, parts: bytes, views: Sequence[bytes]) -> None:
        self._allow(self._limits.wall * max(1, -(-len(views) // 1000)))
        self._send(b'{"parts":' + parts + b',"records":[' + b",".join(views) + b"]}")

    def _allow(self, seconds: float) -> None:
        self._allowed, self._deadline = seconds, self._clock() + seconds

    def _send(self, message: bytes) -> None:
        assert self._child and self._child.stdin  # noqa: S101 - entered
        with suppress(BrokenPipeError):  # why it is gone is told by what it answered, or did not
            self._child.stdin.write(HEAD.pack(b"?", len(message)) + message)
            self._child.stdin.flush()

    def _text(self, kind: bytes, views: Sequence[bytes]) -> str:
        return self._expect(kind, views).decode("utf-8", "replace")

    def _expect(self, kind: bytes, views: Sequence[bytes]) -> bytes:
        """The next answer, which must be of ``kind``; ``views`` are what was asked about, to name one in trouble."""
        assert self._child and self._child.stdout  # noqa: S101 - entered
        head = self._child.stdout.read(HEAD.size)
        if len(head) < HEAD.size:
            raise self._died(len(views))
        found, size = HEAD.unpack(head)
        content = self._child.stdout.read(size) if size <= self._limits.output * 4 else b""
        if len(content) < size:
            raise self._died(len(views))
        if found == FAULT:
            raise self._fault(json_text.loads(content), views)
        if found != kind:
            raise PortabilityError(f"a bug: {found!r} came from the renderer instead of {kind!r}")
        if kind == DONE:
            self._deadline = None
        return content

    def _fault(self, fault: Mapping[str, Any], views: Sequence[bytes]) -> PortabilityError:
        if "missing" in fault:
            return LibrariesMissing(
                what="templates", reason=fault["missing"], command="python -m pip install -r requirements.lock"
            )
        if "memory" in fault:
            return self._bad(self._during(self._memory()))
        index = fault.get("index")
        about = _named(views[index]) if isinstance(index, int) and index < len(views) else ""
        reasons = dict.fromkeys(_told(part, line, reason) for part, line, reason in fault["troubles"])
        return self._bad("; ".join(reasons) + about)

    def _died(self, count: int) -> PortabilityError:
        """Why there was no answer."""
        assert self._child  # noqa: S101 - entered
        self._child.kill() if self._over else None
        code = self._child.wait()
        if self._over:
            return self._bad(self._during(self._over))
        if code == _CPU:
            seconds = self._limits.cpu * max(1, -(-count // 1000))
            return self._bad(self._during(f"it took more than {seconds:g} seconds of processor time"))
        if code == _KILLED:
            why = f"the process that renders it was killed; {self._memory()}, or somebody killed it"
            return self._bad(self._during(why))
        return self._bad(self._during(f"the process that renders it ended ({code}); most likely {self._memory()}"))

    def _during(self, reason: str) -> str:
        """``reason`` with the part and the record that were being rendered; which line it was nobody can say."""
        part, view = self._doing
        return _told(part, 0, reason) + _named(view) if part else reason

    def _memory(self) -> str:
        return f"it used more than {self._limits.memory >> 20} MB of memory"

    def _bad(self, reason: str) -> BadTemplate:
        return BadTemplate(name=repr(self._template.name), reason=reason)

    def _watch(self, child: subprocess.Popen[bytes]) -> None:
        """End a child that does not answer in its time. Between requests there is no deadline."""
        while not self._ended.wait(_LOOK):
            deadline = self._deadline
            if deadline is not None and self._clock() > deadline:
                self._over = f"it took more than {self._allowed:g} seconds"
                child.kill()
                return

    def _end(self) -> None:
        self._ended.set()
        if self._child:
            self._child.kill()
            for pipe in (self._child.stdin, self._child.stdout):
                _close(pipe)
            self._child.wait()


def check(template: Template, limits: Limits | None = None) -> None:
    """Compile ``template`` and forget it. Raises BadTemplate with everything that is wrong in its parts."""
    with Renderer(template, limits):
        pass


def _start() -> subprocess.Popen[bytes]:
    """Start a child that has nothing of ours: no environment, no open file, not our stdin, stdout or stderr."""
    kept = {name: os.environ[name] for name in ("SYSTEMROOT",) if os.name == "nt" and name in os.environ}
    command = [sys.executable, "-I", "-S", "-B", str(CHILD)]
    return subprocess.Popen(  # noqa: S603 - our own script
        command, env=kept, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, close_fds=True
    )


def _close(pipe: IO[bytes] | None) -> None:
    with suppress(OSError):
        if pipe:
            pipe.close()


def _told(part: str, line: int, reason: str) -> str:
    where = f"in {part}, line {line}" if line else f"in {part}"
    return f"{where}: {reason}"


def _named(view: bytes) -> str:
    """Which record it was."""
    found = json_text.loads(view)
    return f" ({found['kind']} {found['id']})" if isinstance(found, dict) and "kind" in found and "id" in found else ""
