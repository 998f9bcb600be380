"""What a run has written, line by line on disk before and after each batch: for the undo and the report. To go on after
a crash it is not needed: planning again finds what is left to do.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from itertools import repeat
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple

from ..errors import NotAllWritten, Unreadable
from ..model import Blob, BlobRef, Change, Data, Written
from .coding import EACH_ITSELF, Digests, change_from_json, change_to_json, decode, encode
from .images import KeptImages, OpenImage

NAME = "journal.jsonl"


class Entry(NamedTuple):
    """A change as it was asked for, with the target's ids, and what came of it; ``written`` None: not known, the run
    ended before that was told. ``dark``: it is not known whether it was written. A create that is not done and has a
    uid was made, but what was to follow is missing, or not known. ``left_out``: the fields that were not written.
    ``name``: what the plan calls the record."""

    change: Change
    written: Written | None
    done: bool
    dark: bool = False
    left_out: frozenset[str] = frozenset()
    name: str = ""


class Journal:
    """Writes ``journal.jsonl`` in the folder of a run. A context manager. ``now`` gives the time (UTC) as text;
    ``open_image`` opens images of the target, which are kept before they are replaced (None: there are none)."""

    def __init__(
        self,
        folder: Path,
        now: Callable[[], str],
        digests: Digests = EACH_ITSELF,
        open_image: OpenImage | None = None,
    ) -> None:
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND
        self._file = os.fdopen(os.open(folder / NAME, flags, 0o600), "ab", buffering=0)
        self._now = now
        self._digests = digests
        self._images = KeptImages(folder)
        self._open_image = open_image
        self._next = sum(1 for _ in _lines(folder / NAME))

    def __enter__(self) -> Journal:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()

    def intend(self, changes: Sequence[Change], names: Sequence[str] = ()) -> list[int]:
        """Note what is about to be written, with the ``names`` the plan has for it; give each one's number. What the
        disk has no room for is not noted at all: it will not be written either. Raises OSError."""
        numbers = [self._next + place for place in range(len(changes))]
        self._next += len(changes)
        at = self._now()
        begun = os.fstat(self._file.fileno()).st_size
        try:
            self._write(
                {"intend": number, "at": at, "name": name, **change_to_json(self._with_kept_images(change))}
                for number, change, name in zip(numbers, changes, names or repeat(""), strict=False)
            )
        except OSError:
            with suppress(OSError):
                self._file.truncate(begun)
            raise
        return numbers

    def outcome(self, numbers: Sequence[int], written: Sequence[Written]) -> None:
        """Note what came of it."""
        at = self._now()
        self._write(
            {"done": number, "at": at, "uid": one.uid, "error": one.error and one.error.code,
             "message": one.error and str(one.error), "left_out": _left_out(one)}
            for number, one in zip(numbers, written, strict=True)
        )  # fmt: skip

    def _with_kept_images(self, change: Change) -> Change:
        """Images by digest alone; those that are replaced are kept."""
        return change._replace(before=self._kept(change.before), after=self._named(change.after))

    def _kept(self, data: Data | None) -> Data | None:
        if data is None or self._open_image is None:
            return data
        out = dict(data)
        for name, value in data.items():
            if isinstance(value, Blob):
                with self._open_image(value) as stream:
                    out[name] = self._images.keep(stream)
        return out

    def _named(self, data: Data | None) -> Data | None:
        """How long it is does not matter: it is only compared."""
        if data is None:
            return None
        return {
            name: BlobRef(self._digests.source(value), 0) if isinstance(value, Blob) else value
            for name, value in data.items()
        }

    def _write(self, lines: Iterator[dict[str, Any]]) -> None:
        content = memoryview(b"".join(encode(line) + b"\n" for line in lines))
        while content:
            content = content[self._file.write(content) :]
        os.fsync(self._file.fileno())


def read_back(folder: Path) -> Iterator[Entry]:
    """What a run wrote, the last first. A last line that is cut off is passed over. Raises Unreadable."""
    path = folder / NAME
    intents: list[int] = []
    outcomes: dict[int, _Outcome] = {}
    numbers: list[int] = []
    for start, said in _lines(path):
        if "intend" in said:
            intents.append(start)
            numbers.append(said["intend"])
        else:
            outcomes[said["done"]] = _Outcome(said["uid"], said["error"], said["left_out"])
    with path.open("rb") as file:
        for number, start in zip(reversed(numbers), reversed(intents), strict=True):
            file.seek(start)
            said = decode(file.readline())
            yield _entry(change_from_json(said), outcomes.get(number))._replace(name=said.get("name") or "")


class _Outcome(NamedTuple):
    uid: str
    error: str | None
    left_out: list[str]


def _left_out(one: Written) -> list[str]:
    """The fields that could not be written of a record that was: parts of fields are named, too."""
    names = one.error.words.get("fields", ()) if isinstance(one.error, NotAllWritten) else ()
    return sorted({str(name).partition(".")[0] for name in names})  # type: ignore[attr-defined]


def _entry(change: Change, outcome: _Outcome | None) -> Entry:
    if outcome is None:
        return Entry(change, None, False, dark=True)
    uid, error, left_out = outcome
    if change.op == "create":
        dark = not uid and error not in ("RecordError", "Stopped")
    else:
        # Stopped: the record itself may have been written, and only what follows was not sent.
        dark = error not in (None, "NotAllWritten", "RecordError")
    return Entry(change, Written(uid), error in (None, "NotAllWritten"), dark, frozenset(left_out))


def _lines(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """The lines of a journal, each with where it begins."""
    start = 0
    with path.open("rb") as file:
        for number, line in enumerate(file, 1):
            if not line.endswith(b"\n"):
                return
            try:
                yield start, decode(line)
            except ValueError as error:
                raise Unreadable(path=path.name, reason=f"line {number} is damaged") from error
            start += len(line)
