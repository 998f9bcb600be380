"""What an incremental backup is built on, and which archives are needed by others: a chain is kept or removed whole.

An archive is taken as a parent when it is the newest of the same scope, was read back in full, still has the bytes of
its checksum, and is one of the library that is backed up now. Reads only.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from .errors import PortabilityError
from .kinds import KINDS
from .libraries.archive_lists import NAMED
from .libraries.chain import LONGEST, Archive, open_archive
from .listing import archives_in, by_age, parent_name, size_of
from .model import Record, Source, Want
from .storage import sidecar

INSTANCE = "instance"
"""Where an archive tells which library it is of."""
_OLDEST = 3


class Choice(NamedTuple):
    """The archive to build on, None for none; why that is so, in words, and whether it is no matter of course."""

    parent: Archive | None
    why: str
    odd: bool = False


class Signs:
    """Tells one library from another by what a library cannot change: the highest id of each kind, which is never
    given twice, and when the oldest records of it were made. Nothing has to be written into a Stash for that."""

    def __init__(self) -> None:
        self._kinds: dict[str, dict[str, Any]] = {}

    def see(self, record: Record) -> None:
        """Look at one more record; ids of a kind ascend."""
        if record.kind in NAMED:
            return
        found = self._kinds.setdefault(record.kind, {"highest": "", "oldest": {}})
        found["highest"] = record.uid
        made = record.data.get("created_at")
        if made is not None and len(found["oldest"]) < _OLDEST:
            found["oldest"][record.uid] = made

    def as_data(self) -> dict[str, Any]:
        """The signs by kind, for the manifest."""
        return {kind: self._kinds[kind] for kind in KINDS if kind in self._kinds}


def is_same(signs: Any, source: Source) -> bool:
    """Whether ``signs`` are those of the library ``source``: of the oldest records that are still there all were made
    when they say, and one is there at least. Without any it is taken for the same."""
    oldest = {kind: said["oldest"] for kind, said in _mapping(signs).items() if kind in KINDS and _oldest(said)}
    there = [
        record.data.get("created_at") == made[record.uid]
        for kind, made in oldest.items()
        for record in source.read(kind, Want(frozenset(("created_at",)), sorted(made, key=int)))
    ]
    return all(there) and bool(there or not oldest)


def choose_parent(folder: Path, header: Mapping[str, Any], source: Source, advance: Callable[[int], None]) -> Choice:
    """Find the archive in ``folder`` that a backup of ``source``, whose manifest will say ``header``, is built on.
    The bytes of the whole chain are read, and ``advance`` is told how many."""
    others, problem = 0, ""
    for path, facts in _candidates(folder, header):
        if not is_same(facts.get(INSTANCE), source):
            others += 1
            continue
        try:
            parent = open_archive(path)
            if len(parent.layers) >= LONGEST:
                return Choice(None, f"it holds everything, because {path.name} ends a chain of {LONGEST}")
            _check_bytes(parent, advance)
        except PortabilityError as bad:
            problem = problem or str(bad)
            continue
        return Choice(parent, problem, odd=bool(problem))
    if problem:
        return Choice(None, f"it holds everything, because {problem}", odd=True)
    if others:
        return Choice(None, f"it holds everything, because the archives in {folder} are of another library", odd=True)
    return Choice(None, f"it holds everything, because there is no verified archive of the same kinds in {folder} yet")


def chain_of(path: Path) -> list[Path]:
    """The archive at ``path`` and all it is built on, the newest first. Raises Unreadable when one is missing."""
    return [layer.path for layer in open_archive(path).layers]


def needed_by(folder: Path) -> dict[Path, set[Path]]:
    """For each archive in ``folder`` those that are built on it, directly or not: it must not be removed while one of
    them is kept. Of one that cannot be opened it counts what is written beside it."""
    need: dict[Path, set[Path]] = {path: set() for path in archives_in(folder)}
    for child in list(need):
        for parent in _needs(child):
            need.setdefault(parent, set()).add(child)
    return need


def _needs(child: Path) -> list[Path]:
    try:
        return chain_of(child)[1:]
    except PortabilityError:
        found: list[Path] = []
        while (name := parent_name(sidecar.facts_of(child))) and child.with_name(name) not in found:
            child = child.with_name(name)
            found.append(child)
        return found


def _candidates(folder: Path, header: Mapping[str, Any]) -> Iterator[tuple[Path, Mapping[str, Any]]]:
    """The verified archives of the same scope, the newest first, with what lies beside them."""
    found = ((path, sidecar.facts_of(path)) for path in archives_in(folder))
    told = [(path, facts) for path, facts in found if facts is not None and _fits(path, facts, header)]
    yield from sorted(told, key=lambda one: (str(one[1].get("created")), by_age(one[0])), reverse=True)


def _fits(path: Path, facts: Mapping[str, Any], header: Mapping[str, Any]) -> bool:
    same = all(facts.get(key) == header[key] for key in ("scope", "privacy"))
    return same and "L2" in _mapping(facts.get("verified")) and facts.get("bytes") == size_of(path)


def _check_bytes(parent: Archive, advance: Callable[[int], None]) -> None:
    """Raise Unreadable when an archive of the chain is not what its checksum says, or has none."""
    for layer in parent.layers:
        if not sidecar.check_bytes(layer.path, advance):
            raise PortabilityError(f"{layer.path} has no {sidecar.DIGESTS} beside it")


def _oldest(said: Any) -> bool:
    oldest = _mapping(said).get("oldest")
    return isinstance(oldest, dict) and bool(oldest) and all(uid.isdecimal() for uid in oldest)


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
