"""What lies beside an archive: ``NAME.sha256``, which ``sha256sum -c`` reads, and ``NAME.json``, which tells what is in
it without opening it, and when which rung of its verification was done.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from ..errors import PortabilityError, Unreadable
from .container import open_output

DIGESTS, FACTS = ".sha256", ".json"
FORMAT, VERSION = "stash-portability sidecar", 1
_BUFFER = 1 << 20
_LIMIT = 256 << 20


def digests(archive: Path, name: str, advance: Callable[[int], None]) -> dict[str, str]:
    """The SHA-256 of the file ``archive``, or of each file of that folder, by its path from beside it; the archive is
    called ``name`` there. ``advance`` is told how many bytes were read. Raises Unreadable."""
    files = sorted(_files(archive)) if archive.is_dir() else [archive]
    return {f"{name}{_below(archive, file)}": _digest(file, advance) for file in files}


def write(archive: Path, found: Mapping[str, str], facts: Mapping[str, Any]) -> list[Path]:
    """Write both sidecars of ``archive``; give their paths. Raises NoSpace, OutputNotUsable."""
    lines = "".join(f"{digest}  {name}\n" for name, digest in found.items())
    _put(beside(archive, DIGESTS), lines)
    write_facts(archive, facts)
    return [beside(archive, DIGESTS), beside(archive, FACTS)]


def write_facts(archive: Path, facts: Mapping[str, Any]) -> None:
    """Write ``NAME.json`` alone. Raises NoSpace, OutputNotUsable."""
    said = {"format": FORMAT, "version": VERSION, **facts}
    _put(beside(archive, FACTS), json.dumps(said, ensure_ascii=False, indent=1) + "\n")


def facts_of(archive: Path) -> dict[str, Any] | None:
    """What ``NAME.json`` tells; None when there is none, or none of ours."""
    try:
        text = beside(archive, FACTS).read_text("utf-8")[:_LIMIT]
        said = json.loads(text)
    except (OSError, ValueError, RecursionError):
        return None
    ours = isinstance(said, dict) and said.get("format") == FORMAT and said.get("version") == VERSION
    return {key: value for key, value in said.items() if key not in ("format", "version")} if ours else None


def note_verified(archive: Path, rungs: Iterable[str], when: str) -> bool:
    """Write down that ``rungs`` held at ``when``, where there is a ``NAME.json``; give whether it was done."""
    facts = facts_of(archive)
    if facts is None:
        return False
    before = facts.get("verified")
    verified = {**(before if isinstance(before, dict) else {}), **dict.fromkeys(rungs, when)}
    try:
        write_facts(archive, {**facts, "verified": verified})
    except PortabilityError:
        return False  # a disk that cannot be written: what was found holds all the same
    return True


def check_bytes(archive: Path, advance: Callable[[int], None]) -> bool:
    """Compare ``archive`` with its ``NAME.sha256``, byte by byte; False when it has none. Raises Unreadable."""
    listed = beside(archive, DIGESTS)
    try:
        lines = listed.read_text("utf-8").splitlines()
    except FileNotFoundError:
        return False
    except (OSError, ValueError) as error:
        raise Unreadable(path=listed, reason=getattr(error, "strerror", None) or "it is no text") from error
    expected = {name: digest for digest, _, name in (line.partition("  ") for line in lines)}
    found = digests(archive, archive.name, advance)
    if found != expected:
        wrong = next((name for name in (*found, *expected) if found.get(name) != expected.get(name)), listed.name)
        raise Unreadable(path=archive, reason=f"{wrong} is not what {listed.name} says")
    return True


def beside(archive: Path, ending: str) -> Path:
    """The sidecar of ``archive`` with the ``ending``."""
    return archive.with_name(archive.name + ending)


def _put(path: Path, text: str) -> None:
    with open_output(path, "file", overwrite=True) as container, container.open() as file:
        file.write(text.encode())


def _files(folder: Path) -> list[Path]:
    return [Path(base) / name for base, _, names in os.walk(folder) for name in names]


def _below(archive: Path, file: Path) -> str:
    return "" if file == archive else f"/{file.relative_to(archive).as_posix()}"


def _digest(file: Path, advance: Callable[[int], None]) -> str:
    digest = hashlib.sha256()
    try:
        with file.open("rb", buffering=0) as stream:
            while chunk := stream.read(_BUFFER):
                digest.update(chunk)
                advance(len(chunk))
    except OSError as error:
        raise Unreadable(path=file, reason=error.strerror or error) from error
    return digest.hexdigest()
