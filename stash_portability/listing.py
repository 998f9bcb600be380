"""What archives there are, and what is in one: by its sidecar where it has one, else by its manifest."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .errors import PortabilityError, Unreadable, UsageError, one_line
from .kinds import KINDS
from .libraries.archive import ArchiveSource, is_archive
from .model import Record
from .report import plural, size
from .storage import sidecar
from .storage.blobs import FOLDER
from .storage.container import DAMAGED

_DAMAGED = re.compile(rf"{re.escape(DAMAGED)}\d*\Z")
SELECTION_HEAD = """\
# What {name} holds, one record a line: the kind, the id, and after # what it is called.
# Take out the lines (or put a # before them) of what is not wanted.
"""


@dataclass(frozen=True, slots=True)
class Listing:
    """One archive as a list shows it. ``verified`` are the times by rung; ``problem`` is why it cannot be read."""

    path: Path
    bytes: int
    created: str = ""
    source: str = ""
    counts: Mapping[str, int] = field(default_factory=dict)
    images: int | None = None
    verified: Mapping[str, str] = field(default_factory=dict)
    problem: str = ""

    def as_data(self) -> dict[str, Any]:
        """The listing as a JSON-ready mapping."""
        told = {name: getattr(self, name) for name in ("bytes", "created", "source", "images", "problem")}
        return {"path": str(self.path), **told, "counts": dict(self.counts), "verified": dict(self.verified)}

    def as_text(self) -> str:
        """The listing in lines for people."""
        made = " ".join(filter(None, (self.created, self.source)))
        counts = ", ".join(f"{count:,} {plural(kind, count)}" for kind, count in self.counts.items() if count)
        images = f", {self.images:,} image{'' if self.images == 1 else 's'} of theirs" if self.images else ""
        rungs = ", ".join(f"{rung} {when}" for rung, when in sorted(self.verified.items()))
        state = f"cannot be read: {self.problem}" if self.problem else f"verified: {rungs or 'not yet'}"
        lines = (f"{self.path.name}  {size(self.bytes)}  {made}".rstrip(), f"  {counts}{images}" if counts else "")
        return "\n".join((*filter(None, lines), f"  {state}"))


def listings(path: Path) -> Iterator[Listing]:
    """The archive at ``path``, opened; or the archives in the folder ``path``, the newest name last. Raises Unreadable
    when ``path`` is neither."""
    if _is_archive(path):
        yield _opened(path, ArchiveSource(path))
    elif path.is_dir():
        yield from (_listed(entry) for entry in _archives(path))
    else:
        raise Unreadable(path=path, reason="it is no archive, and no folder")


def selection(path: Path) -> Iterator[str]:
    """Stream the records of an archive, one a line, as a list to be edited. Raises UsageError for a folder of them."""
    if path.is_dir() and not _is_archive(path):
        raise UsageError(f"--selection lists the records of one archive, and {path} is a folder: name one in it")
    source = ArchiveSource(path)
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


def _archives(folder: Path) -> list[Path]:
    """What in ``folder`` is, or should be, an archive."""
    try:
        return [entry for entry in sorted(folder.iterdir()) if _looks_like_one(entry)]
    except OSError as error:
        raise Unreadable(path=folder, reason=error.strerror or error) from error


def _looks_like_one(entry: Path) -> bool:
    if _DAMAGED.search(entry.name):
        return True
    if entry.name.startswith(".") or not (entry.is_dir() or entry.suffix.lower() == ".zip"):
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
    if facts is not None and facts.get("bytes") == total:
        return _by_facts(path, total, facts, facts)
    try:
        return _opened(path, ArchiveSource(path))
    except PortabilityError as problem:
        return Listing(path, total, problem=str(problem.words.get("reason") or problem))


def _opened(path: Path, source: ArchiveSource) -> Listing:
    counts = {kind: count for kind, count in source.about().counts.items() if count}
    images = sum(name.startswith(FOLDER) for name in source.members)
    facts = {**source.header, "counts": counts, "images": images}
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
        verified={one_line(rung): one_line(when) for rung, when in _mapping(beside.get("verified")).items()},
    )


def _is_count(kind: Any, count: Any) -> bool:
    return kind in KINDS and isinstance(count, int)


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
