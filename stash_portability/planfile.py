"""A plan on disk, for the time between the preview and the writing: ``plan.jsonl`` (what it is for, then one line a
change) and ``conflicts.jsonl`` (what waits for a decision, or was decided). Each is there whole or not at all, and both
are streamed: nobody holds all changes.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from .errors import Unreadable, UnsupportedVersion, UsageError, unknown
from .json_text import dumps, loads
from .model import Ambiguity, Blob, Brake, Change, Conflict, Data, Plan, Waiting
from .planrows import change_row, found_row, references_of
from .reconcile.coding import Digest, Digests, change_from_json, change_to_json, pack, unpack
from .report import called
from .runs import told

VERSION = 1
CHANGES, FOUND = "plan.jsonl", "conflicts.jsonl"
WHAT: Mapping[str, str] = {
    "changes": "change", "conflicts": "conflict", "ambiguities": "ambiguity", "waiting": "waiting",
}  # fmt: skip
"""What can be paged through, and under which key its lines have it."""
MOST_READ = 20 << 20
"""Bytes one page looks at, at most: a filter that finds little must not read all of a big plan at once."""
_REMEMBERED = 1000
_BLOCK = 1 << 20
_AFTER, _IMAGE = b',"after":', b'"blob":'
_OF_AN_IMAGE = 100_000
"""Bytes: what covers and portraits take at least."""
_NEW = re.compile(r"\b(\w+) (new:\w+:\d+)")

Names = Mapping[str, Mapping[str, str]]


class Labels(Protocol):
    """What records are called: of the target by their ids (``new:…`` for those to be made), or of the source."""

    def target(self, kind: str, uid: str) -> str:
        """What a record of the target is called, "" when it has no name."""
        ...

    def source(self, kind: str, uid: str) -> str:
        """What a record of the source is called."""
        ...


class Wanted(NamedTuple):
    """Which lines of a plan to show; "" is any."""

    kind: str = ""
    op: str = ""
    field: str = ""


def write_plan(folder: Path, plan: Plan, header: Mapping[str, Any], labels: tuple[Labels, Digests]) -> None:
    """Write ``plan`` into ``folder``, under ``header``. ``labels``: what records are called, and what tells images
    apart. Raises NoSpace, OutputNotUsable."""
    names, digests = labels
    with told(folder):
        _write_whole(folder / FOUND, _found_lines(plan, names, digests.target))
        _write_whole(folder / CHANGES, _change_lines(plan, header, names, digests))


def _change_lines(plan: Plan, header: Mapping[str, Any], labels: Labels, digests: Digests) -> Iterator[bytes]:
    yield dumps({"plan": VERSION, **header})
    for change in plan.changes:
        label = labels.target(change.kind, change.uid)
        names = _names(change.kind, (change.before, change.after), labels)
        yield dumps({"change": change_to_json(change, digests), "label": label, "names": names})


def _found_lines(plan: Plan, labels: Labels, digest: Digest) -> Iterator[bytes]:
    for conflict in plan.conflicts:
        label, field = labels.target(conflict.kind, conflict.uid), conflict.field
        values = [conflict.base, conflict.source, conflict.target]
        packed = [pack(conflict.kind, {field: value}, digest)[field] for value in values] if field else values
        said = conflict._replace(base=packed[0], source=packed[1], target=packed[2])
        names = _names(conflict.kind, [{field: value} for value in values], labels) if field else {}
        yield dumps({"conflict": list(said), "label": label, "names": names})
    for one in plan.ambiguities:
        names = {one.kind: {uid: labels.target(one.kind, uid) for uid in one.candidates}}
        yield dumps({"ambiguity": list(one), "label": labels.source(one.kind, one.uid), "names": names})
    for waiting in plan.waiting:
        yield dumps({"waiting": list(waiting), "label": labels.source(waiting.kind, waiting.uid), "names": {}})


def _names(kind: str, datas: Any, labels: Labels) -> Names:
    """What the records are called that the values refer to."""
    found: dict[str, dict[str, str]] = {}
    for data in datas:
        for of, uid in references_of(kind, data or {}):
            if uid not in found.setdefault(of, {}):
                found[of][uid] = labels.target(of, uid)
    return found


def _write_whole(path: Path, lines: Iterator[bytes]) -> None:
    """Write ``lines`` so that a crash leaves all of them or none. Raises OSError."""
    half = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
        # A buffer that a full disk leaves behind is written again when it is forgotten, and then Python prints why not.
        with os.fdopen(os.open(half, flags, 0o600), "wb", buffering=0) as file:
            for content in _joined(lines):
                rest = memoryview(content)
                while rest:
                    rest = rest[file.write(rest) :]
            os.fsync(file.fileno())
        half.replace(path)
    except BaseException:
        half.unlink(missing_ok=True)
        raise


def _joined(lines: Iterator[bytes]) -> Iterator[bytes]:
    """Lines in blocks."""
    block = bytearray()
    for line in lines:
        block += line + b"\n"
        if len(block) >= _BLOCK:
            yield bytes(block)
            block.clear()
    yield bytes(block)


def room_for_journal(folder: Path) -> int:
    """About how many bytes the journal of whoever writes the plan will take: each change before and after it is made,
    and the images that go. Raises Unreadable."""
    path = folder / CHANGES
    try:
        with path.open("rb") as stream:
            images = sum(line.partition(_AFTER)[0].count(_IMAGE) for line in stream)
        return 2 * path.stat().st_size + images * _OF_AN_IMAGE
    except OSError as error:
        raise Unreadable(path=path, reason=error.strerror or error) from error


def read_header(folder: Path) -> dict[str, Any]:
    """What a plan is for. Raises UsageError when there is none in ``folder``, Unreadable, UnsupportedVersion."""
    path = folder / CHANGES
    try:
        with path.open("rb") as stream:
            header = loads(stream.readline())
    except FileNotFoundError as error:
        raise UsageError(f"there is no plan in {folder}: only a restore that was previewed leaves one") from error
    except (OSError, ValueError) as error:
        raise Unreadable(path=path, reason="its first line is damaged") from error
    if not isinstance(header, dict) or not isinstance(header.get("plan"), int):
        raise Unreadable(path=path, reason="it is no plan")
    if header["plan"] > VERSION:
        raise UnsupportedVersion(address=path, version=f"a plan of version {header['plan']}", reason="it is newer")
    return header


def read_plan(folder: Path) -> tuple[Plan, Callable[[Blob], str | None]]:
    """The plan as it was written, streamed; and what it knows of the digests of images it named lately (of the target
    as it was by then). Raises as ``read_header``; its iterables raise Unreadable."""
    header, known = read_header(folder), _Known()
    brakes = tuple(Brake(one["name"], one["why"]) for one in header["brakes"])
    lost = {name: count for name, (count, _) in header["not_restored"].items()}
    plan = Plan(
        _Changes(folder, known), _Found(folder, Conflict), _Found(folder, Ambiguity), _Found(folder, Waiting),
        header["counts"], brakes, lost,
    )  # fmt: skip
    return plan, known.digest


def with_names(folder: Path, lines: list[str]) -> list[str]:
    """``lines`` of a report with the names of records where a plan's own stand for those it makes: "tag new:tag:5"
    becomes "tag Water". Raises Unreadable."""
    wanted = {uid for line in lines for _, uid in _NEW.findall(line)}
    labels: dict[str, str] = {}
    if wanted:
        for _, said in _lines(folder / CHANGES, 0):
            if said.get("change", {}).get("uid") in wanted:
                labels.setdefault(said["change"]["uid"], said["label"])
    return [_NEW.sub(lambda found: called(found[1], found[2], labels.get(found[2], "")), line) for line in lines]


class _Known:
    """Digests of the images that were read last from a plan."""

    def __init__(self) -> None:
        self._digests: dict[Blob, str] = {}

    def learn(self, data: Mapping[str, Any] | None) -> None:
        """Remember the images of ``data`` as it stands in a plan."""
        for value in (data or {}).values():
            if isinstance(value, dict) and "blob" in value and "sha256" in value:
                self._digests[Blob(*value["blob"])] = value["sha256"]
        while len(self._digests) > _REMEMBERED:
            del self._digests[next(iter(self._digests))]

    def digest(self, blob: Blob) -> str | None:
        """The digest of an image, if it is known."""
        return self._digests.get(blob)


@dataclass(frozen=True, slots=True)
class _Changes:
    folder: Path
    known: _Known

    def __iter__(self) -> Iterator[Change]:
        for _, said in _lines(self.folder / CHANGES, 0):
            if "change" in said:
                self.known.learn(said["change"]["before"])
                yield change_from_json(said["change"])


@dataclass(frozen=True, slots=True)
class _Found:
    folder: Path
    type: Any

    def __iter__(self) -> Iterator[Any]:
        key = self.type.__name__.lower()
        for _, said in _lines(self.folder / FOUND, 0):
            if key in said:
                yield _found(self.type, said[key])


def _found(type_: Any, values: list[Any]) -> Any:
    if type_ is Ambiguity:
        kind, uid, candidates, why = values
        return Ambiguity(kind, uid, tuple(candidates), why)
    if type_ is Conflict and values[2]:
        values[3:6] = [unpack(values[0], {values[2]: value})[values[2]] for value in values[3:6]]
    return type_(*values)


def _lines(path: Path, start: int) -> Iterator[tuple[int, dict[str, Any]]]:
    """The lines from ``start`` on, each with where the next begins."""
    try:
        with path.open("rb") as stream:
            if start:
                stream.seek(start - 1)
                if stream.read(1) != b"\n":
                    raise UsageError(f"cursor {start} is none that a page gave")
            for line in stream:
                start += len(line)
                yield start, loads(line)
    except (OSError, ValueError) as error:
        raise Unreadable(path=path, reason=getattr(error, "strerror", None) or "a line of it is damaged") from error


def page(folder: Path, what: str, wanted: Wanted, cursor: int, most: int) -> tuple[list[dict[str, Any]], int | None]:
    """At most ``most`` rows of a plan as a person reads them, from ``cursor`` (0: from the beginning) on, and the
    cursor of the next page, or None at the end. ``what`` is one of WHAT. One call looks at 20 MB at most, so that a
    page may be short, or empty, and still have a next one. Raises UsageError, Unreadable, UnsupportedVersion."""
    if what not in WHAT:
        raise unknown("part of a plan", str(what), WHAT)
    read_header(folder)
    key, rows = WHAT[what], []
    limit = cursor + MOST_READ
    size = _size(folder / (CHANGES if key == "change" else FOUND))
    for after, said in _lines(folder / (CHANGES if key == "change" else FOUND), cursor):
        cursor = after
        if key in said and _is_wanted(said[key], key, wanted):
            rows.append(change_row(said) if key == "change" else found_row(key, said))
        if len(rows) >= most or cursor >= limit:
            break
    return rows, cursor if cursor < size else None


def _size(path: Path) -> int:
    with suppress(OSError):
        return path.stat().st_size
    return 0


def _is_wanted(said: Any, key: str, wanted: Wanted) -> bool:
    if key != "change":
        fields = [said[2]] if key == "conflict" else []
        return wanted.kind in ("", said[0]) and (not wanted.field or wanted.field in fields)
    if wanted.kind not in ("", said["kind"]) or wanted.op not in ("", said["op"]):
        return False
    data: Data = {**(said["before"] or {}), **(said["after"] or {})}
    return not wanted.field or wanted.field in data
