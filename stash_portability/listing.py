"""What archives there are, and what is in one: by its sidecar where it has one, else by its manifest."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .errors import PortabilityError, Unreadable, UsageError, one_line
from .kinds import KINDS, plural
from .libraries.archive import is_archive
from .libraries.chain import LONGEST, Archive, open_archive
from .model import Record
from .report import size
from .storage import sidecar
from .storage.container import DAMAGED
from .storage.reader import ENDINGS

_DAMAGED = re.compile(rf"{re.escape(DAMAGED)}\d*\Z")
_NUMBERS = re.compile(r"([0-9]+)")
SELECTION_HEAD = """\
# What {name} holds, one record a line: the kind, the id, and after # what it is called.
# Take out the lines (or put a # before them) of what is not wanted.
"""


@dataclass(frozen=True, slots=True)
class Listing:
    """One archive as a list shows it. ``verified`` are the times by rung; ``problem`` is why it cannot be read;
    ``parent`` is the name of the archive it is built on, "" for none; ``database``: Stash's own is in it too."""

    path: Path
    bytes: int
    created: str = ""
    source: str = ""
    counts: Mapping[str, int] = field(default_factory=dict)
    images: int | None = None
    verified: Mapping[str, str] = field(default_factory=dict)
    problem: str = ""
    parent: str = ""
    database: bool = False

    def as_data(self) -> dict[str, Any]:
        """The listing as a JSON-ready mapping."""
        names = ("bytes", "created", "source", "images", "problem", "parent", "database")
        told = {name: getattr(self, name) for name in names}
        return {"path": str(self.path), **told, "counts": dict(self.counts), "verified": dict(self.verified)}

    def as_text(self) -> str:
        """The listing in lines for people."""
        made = " ".join(filter(None, (self.created, self.source)))
        counts = ", ".join(f"{count:,} {plural(kind, count)}" for kind, count in self.counts.items() if count)
        images = f", {self.images:,} image{'' if self.images == 1 else 's'} of theirs" if self.images else ""
        rungs = ", ".join(f"{rung} {when}" for rung, when in sorted(self.verified.items()))
        state = f"cannot be read: {self.problem}" if self.problem else f"verified: {rungs or 'not yet'}"
        database = ", and Stash's database" if self.database else ""
        lines = (
            f"{self.path.name}  {size(self.bytes)}  {made}".rstrip(),
            f"  {counts}{images}{database}" if counts else "",
            f"  what changed since {self.parent}" if self.parent else "",
        )
        return "\n".join((*filter(None, lines), f"  {state}"))


def listings(path: Path) -> Iterator[Listing]:
    """The archive at ``path``, opened; or the archives in the folder ``path``, the newest name last. Raises Unreadable
    when ``path`` is neither."""
    if _is_archive(path):
        yield _opened(path, open_archive(path))
    elif path.is_dir():
        yield from (_listed(entry) for entry in archives_in(path))
    else:
        raise Unreadable(path=path, reason="it is no archive, and no folder")


def selection(path: Path) -> Iterator[str]:
    """Stream the records of an archive, one a line, as a list to be edited. Raises UsageError for a folder of them."""
    if path.is_dir() and not _is_archive(path):
        raise UsageError(f"--selection lists the records of one archive, and {path} is a folder: name one in it")
    source = open_archive(path)
    yield SELECTION_HEAD.format(name=one_line(path.name)).rstrip("\n")
    for kind in KINDS:
        for record in source.read(kind):
            called = label(record)
            yield f"{kind} {one_line(record.uid)}" + (f"  # {one_line(called)}" if called else "")


def label(record: Record) -> str:
    """What people call the record: its name, its title, or the path of its first file."""
    for name in KINDS[record.kind].label:
        step, _, part = name.partition(".")
        value = record.data.get(step)
        if part and isinstance(value, list):
            value = value[0].get(part) if value else None
        if isinstance(value, str) and value:
            return value
    return ""


def size_of(archive: Path) -> int:
    """Bytes of a file, or of all files of a folder. Raises Unreadable."""
    try:
        if not archive.is_dir():
            return archive.stat().st_size
        files = (Path(base) / name for base, _, names in os.walk(archive) for name in names)
        return sum(file.lstat().st_size for file in files)
    except OSError as error:
        raise Unreadable(path=archive, reason=error.strerror or error) from error


def archives_in(folder: Path) -> list[Path]:
    """What in ``folder`` is, or should be, an archive, the newest name last. Raises Unreadable."""
    try:
        return [entry for entry in sorted(folder.iterdir(), key=by_age) if _looks_like_one(entry)]
    except OSError as error:
        raise Unreadable(path=folder, reason=error.strerror or error) from error


def by_age(path: Path) -> tuple[object, ...]:
    """Sort key for archives named by us: by time, then by the number that those of one second have."""
    stem = path.stem if path.suffix.lower() in ENDINGS else path.name
    return tuple(int(part) if part.isdigit() else part for part in _NUMBERS.split(stem))


def _looks_like_one(entry: Path) -> bool:
    if _DAMAGED.search(entry.name):
        return True
    if entry.name.startswith(".") or not (entry.is_dir() or entry.suffix.lower() in ENDINGS):
        return False
    try:
        return sidecar.facts_of(entry) is not None or is_archive(entry)
    except PortabilityError:
        return True  # a zip that cannot be read, of which the list must tell


def _is_archive(path: Path) -> bool:
    """Whether there is, or should be, one archive at ``path``."""
    return path.is_file() or (path.is_dir() and is_archive(path))


def _listed(path: Path) -> Listing:
    """One of many: by its sidecar, if that is of this very size, without opening it."""
    facts = sidecar.facts_of(path)
    total = size_of(path)
    if _DAMAGED.search(path.name):
        return Listing(path, total, problem="it did not read back when it was written")
    if facts is not None and facts.get("bytes") == total and _has_parents(path, facts):
        return _by_facts(path, total, facts, facts)
    try:
        return _opened(path, open_archive(path))
    except PortabilityError as problem:
        return Listing(path, total, problem=str(problem.words.get("reason") or problem))


def _has_parents(path: Path, facts: Mapping[str, Any]) -> bool:
    """Whether what an archive is built on lies beside it, as far as can be told without opening it."""
    told: Mapping[str, Any] | None = facts
    for _ in range(LONGEST):
        if told is None or not path.exists():
            return False
        if not (parent := parent_name(told)):
            return True
        path = path.with_name(parent)
        told = sidecar.facts_of(path)
    return False


def parent_name(facts: Mapping[str, Any] | None) -> str:
    """The name of the archive that one is built on, by what is told of it; "" for one that stands alone."""
    name = _mapping(_mapping(facts).get("parent")).get("name")
    return name if isinstance(name, str) and Path(name).name == name else ""


def _opened(path: Path, source: Archive) -> Listing:
    counts = {kind: count for kind, count in source.about().counts.items() if count}
    facts = {**source.header, "counts": counts, "images": source.images}
    return _by_facts(path, size_of(path), facts, sidecar.facts_of(path) or {})


def _by_facts(path: Path, total: int, facts: Mapping[str, Any], beside: Mapping[str, Any]) -> Listing:
    source, images = _mapping(facts.get("source")), facts.get("images")
    return Listing(
        path,
        total,
        created=one_line(facts.get("created") or ""),
        source=one_line(" ".join(str(source[key]) for key in ("product", "version") if source.get(key))),
        counts={kind: count for kind, count in _mapping(facts.get("counts")).items() if _is_count(kind, count)},
        images=images if isinstance(images, int) else None,
        parent=one_line(parent_name(facts)),
        database=bool(facts.get("database")),
        verified={one_line(rung): one_line(when) for rung, when in _mapping(beside.get("verified")).items()},
    )


def _is_count(kind: Any, count: Any) -> bool:
    return kind in KINDS and isinstance(count, int)


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
