"""The archives of backups/ as the page shows them: found by name, told by what lies beside them, the newest first.

Standard library only, but for an archive that has to be opened because nothing of ours lies beside it: what a task or
the page names is the name of a file there, never a path.
"""

from __future__ import annotations

import re
import stat
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from .errors import PortabilityError, UsageError, unknown

ENDINGS = (".zip", ".7z")
FORMAT = "stash-portability archive"
"""As libraries/archive.py has it, which needs libraries."""
_DAMAGED = re.compile(r"\.damaged\d*\Z")
_STAMP = re.compile(r"(\d{4})(\d{2})(\d{2})T(\d{2})(\d{2})(\d{2})Z")
_SHOWN = 16
"""Names that a refusal lists."""


def paths(backups: Path) -> list[Path]:
    """What in the folder is, or should be, an archive, the newest first by its name. Raises UsageError."""
    try:
        found = [entry for entry in backups.iterdir() if _looks_like_one(entry)]
    except FileNotFoundError:
        return []
    except OSError as error:
        raise UsageError(f"{backups} cannot be listed: {error.strerror or error}") from error
    return sorted(found, key=lambda path: (_stamp(path.name), path.name), reverse=True)


def find(backups: Path, name: Any) -> Path:
    """The archive called ``name``, which is the name of a file or folder in ``backups`` and nothing else. Raises
    UsageError, UnknownName."""
    if not isinstance(name, str) or not name:
        raise UsageError("archive is missing: the name of one in backups/")
    there = {path.name: path for path in paths(backups)}
    if name not in there:
        raise unknown("archive", name[:200], list(there)[:_SHOWN])
    return there[name]


def newest(backups: Path) -> Path:
    """The newest archive that is not known to be damaged. Raises UsageError when there is none."""
    for path in paths(backups):
        if not _DAMAGED.search(path.name):
            return path
    raise UsageError(f"there is no backup in {backups} yet: Back up now makes one")


def shown(backups: Path, go_on: Callable[[], bool], most: int | None = None) -> tuple[list[dict[str, Any]], int]:
    """The archives as ``described`` tells them, ``most`` of them at the most, while ``go_on`` says so; and how many
    are left."""
    found = paths(backups)
    rows: list[dict[str, Any]] = []
    for path in found[:most]:
        if rows and not go_on():
            break
        rows.append(described(path))
    return rows, len(found) - len(rows)


def last(backups: Path, go_on: Callable[[], bool]) -> tuple[dict[str, Any] | None, dict[str, Any] | None]:
    """The newest archive that can be read, and the newest one that is newer and cannot be, each as ``described`` tells
    it, or None. They are looked at while ``go_on`` says so."""
    broken = None
    for path in paths(backups):
        found = described(path)
        if found["whole"]:
            return found, broken
        broken = broken or found
        if not go_on():
            break
    return None, broken


def described(path: Path) -> dict[str, Any]:
    """One archive: ``name, bytes, created, source, counts, images, verified, container, parent, database``; whether
    it is ``whole`` (it can be read, and what it builds on is there), or ``damaged`` (it did not read back when it was
    written); and the ``problem`` in words."""
    damaged = bool(_DAMAGED.search(path.name))
    facts = {} if damaged else _facts(path)
    problem = "it did not read back when it was written" if damaged else str(facts.get("problem") or "")
    parent = parent_of(facts)
    if parent and not problem and not _looks_like_one(path.with_name(parent)):
        problem = f"it builds on {parent}, which is not here"
    return {
        "name": path.name,
        "bytes": _bytes(path, facts),
        "created": _text(facts.get("created")) or _stamp(path.name),
        "source": _source(facts.get("source")),
        "counts": {_text(kind): count for kind, count in _mapping(facts.get("counts")).items() if _whole_number(count)},
        "images": facts.get("images") if _whole_number(facts.get("images")) else None,
        "verified": {_text(rung): _text(when) for rung, when in _mapping(facts.get("verified")).items()},
        "container": "folder" if path.is_dir() else "7z" if path.suffix.lower() == ".7z" else "zip",
        "parent": parent or None,
        "database": bool(facts.get("database")),
        "whole": not problem,
        "damaged": damaged,
        "problem": problem,
    }


def _facts(path: Path) -> Mapping[str, Any]:
    """What the sidecar tells of an archive; where there is none, or it is that of another file, what the archive
    tells."""
    from .storage import sidecar  # noqa: PLC0415 - a status does without

    facts = sidecar.facts_of(path)
    if facts is not None and (path.is_dir() or facts.get("bytes") == _size(path)):
        return facts
    try:
        from .listing import listings  # noqa: PLC0415 - needs the libraries

        return next(listing.as_data() for listing in listings(path))
    except PortabilityError as problem:
        return {"problem": str(problem.words.get("reason") or problem)}
    except ImportError:
        return {"problem": "the Python libraries to look into it are missing"}


def _looks_like_one(entry: Path) -> bool:
    """Whether an entry of the folder should be an archive. No link is one: it may lead anywhere."""
    if entry.name.startswith(".") or entry.is_symlink():
        return False
    if _DAMAGED.search(entry.name):
        return True
    if entry.is_dir():
        return (entry / "manifest.json").is_file()
    return entry.suffix.lower() in ENDINGS and _size(entry) is not None and _is_no_other(entry)


def _is_no_other(file: Path) -> bool:
    """Whether a zip is none of somebody else. One that cannot be read may be ours: the list tells of it."""
    from .storage import sidecar  # noqa: PLC0415 - a status does without

    if sidecar.facts_of(file) is not None:
        return True
    try:
        from .storage.reader import manifest_format  # noqa: PLC0415 - needs the libraries

        return manifest_format(file) == FORMAT
    except (PortabilityError, ImportError):
        return True


def _size(path: Path) -> int | None:
    """The bytes of an ordinary file."""
    with suppress(OSError):
        found = path.lstat()
        return found.st_size if stat.S_ISREG(found.st_mode) else None
    return None


def _bytes(path: Path, facts: Mapping[str, Any]) -> int | None:
    """The size of the archive: of a folder what the sidecar says, because its files may be many."""
    told = facts.get("bytes")
    return _size(path) if not path.is_dir() else told if _whole_number(told) else None


def _stamp(name: str) -> str:
    """The time in a name that we gave, as data carries it; else ""."""
    found = _STAMP.match(name)
    return "{}-{}-{}T{}:{}:{}Z".format(*found.groups()) if found else ""


def parent_of(facts: Mapping[str, Any]) -> str:
    """The name of the archive this one builds on, if it is but a name."""
    told = facts.get("parent")
    name = _text(told.get("name") if isinstance(told, Mapping) else told)
    return name if Path(name).name == name else ""


def _source(told: Any) -> str:
    parts = [_text(told.get(key)) for key in ("product", "version")] if isinstance(told, Mapping) else [_text(told)]
    return " ".join(filter(None, parts))


def _text(value: Any) -> str:
    return " ".join(str(value).split()) if isinstance(value, str | int) else ""


def _mapping(value: Any) -> Mapping[Any, Any]:
    return value if isinstance(value, Mapping) else {}


def _whole_number(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def holds(path: Path) -> dict[str, Any]:
    """What is in an archive and can be restored, by its manifest and its settings: ``counts``, the groups of
    ``config``, and the ``strategies`` and ``modes`` of a restore. Raises Unreadable, UnsupportedVersion,
    LibrariesMissing."""
    from .libraries.chain import open_archive  # noqa: PLC0415 - needs the libraries
    from .restoring import MODES, STRATEGIES  # noqa: PLC0415

    source = open_archive(path)
    counts = {kind: count for kind, count in source.about().counts.items() if count}
    groups = [record.uid for record in source.read("config")]
    return {"counts": counts, "config": groups, "strategies": list(STRATEGIES), "modes": list(MODES)}
