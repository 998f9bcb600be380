"""Whether a plan still fits what it was made from. What it changes and deletes is compared record by record as it is
written; but what it makes might have been made meanwhile, by hand, by a scan or by another plan, and many kinds have no
name that only one record may have: it would be there twice.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from . import runs
from .errors import StalePlan
from .kinds import KINDS, plural
from .model import Want
from .target import Target
from .traces import JOURNAL, PLAN, WRITING, WRITTEN, has_written

_CREATE = " create"


def highest_ids(target: Target) -> dict[str, int]:
    """The highest id of each kind there is now, but of settings. Stash never gives one twice."""
    stash = getattr(target.writer(None), "source", None)
    if stash is not None:
        from .libraries.local import newest_ids  # noqa: PLC0415 - requests and what it brings

        return newest_ids(stash)
    found: dict[str, int] = {}
    for kind in KINDS:
        numbers = (int(one.uid) for one in target.reader.read(kind, Want(frozenset())) if one.uid.isdecimal())
        if highest := max(numbers, default=0):
            found[kind] = highest
    return found


def check_not_stale(header: Mapping[str, Any], planned: Path, folder: Path, target: Target) -> None:
    """Raise StalePlan when there is more of a kind that the plan in ``planned`` makes than when it was made, or when
    another run wrote to the same Stash since. ``folder`` is that of the run that is about to write."""
    makes = [name.removesuffix(_CREATE) for name in header["counts"] if name.endswith(_CREATE)]
    before = header.get("highest")
    if not makes or not isinstance(before, Mapping):
        return
    now = highest_ids(target)
    grown = [kind for kind in makes if now.get(kind, 0) > before.get(kind, 0)]
    if grown:
        more = " and ".join(_some(kind, now.get(kind, 0) - before.get(kind, 0)) for kind in grown)
        raise StalePlan(f"{more} {'was' if more.startswith('a ') and len(grown) == 1 else 'were'} added")
    if other := next(_writers_since(header, planned, folder), ""):
        raise StalePlan(f"{other} wrote to this Stash")


def _some(kind: str, more: int) -> str:
    return f"a {plural(kind, 1)}" if more == 1 else plural(kind, 2)


def _writers_since(header: Mapping[str, Any], planned: Path, folder: Path) -> Iterator[str]:
    """The runs that wrote to the Stash of the plan after it was begun."""
    for parent in dict.fromkeys((planned.parent, folder.parent)):
        for name in runs.names(parent):
            other = parent / name
            writes = runs.kind_of(name) in WRITING and name != folder.name and has_written(other)
            if writes and _is_later(other, planned) and _is_there(other, header):
                yield name


def _is_later(writer: Path, planned: Path) -> bool:
    """Whether a run wrote after the plan was begun: it was begun itself after that, or went on until then."""
    if writer.name > planned.name:
        return True
    return (writer / JOURNAL).stat().st_mtime > (planned / PLAN).stat().st_mtime


def _is_there(writer: Path, header: Mapping[str, Any]) -> bool:
    """Whether a run wrote into the Stash of a plan: by the oldest records of both, else by the address. One that does
    not tell is taken for such a one."""
    try:
        said = json.loads((writer / WRITTEN).read_text("utf-8"))
        one, other = _oldest(said.get("instance")), _oldest(header.get("instance"))
        return bool(one & other) if one and other else bool(said["target"] == header["target"])
    except (OSError, ValueError, KeyError, AttributeError, TypeError):
        return True


def _oldest(signs: Any) -> set[tuple[str, str, str]]:
    return {
        (kind, uid, made)
        for kind, said in (signs.items() if isinstance(signs, Mapping) else ())
        for uid, made in said["oldest"].items()
    }
