"""Whether the Stash behind an address is still the one it was when a plan was made, or when a run wrote: told by its
oldest records and when they were made, which nobody can change, and of which no two libraries have the same.
"""

from __future__ import annotations

from collections.abc import Collection, Generator, Mapping
from itertools import islice
from typing import Any

from .errors import Braked
from .incremental import is_same
from .kinds import KINDS
from .model import Source, Want
from .target import Target

REPLACED = "replaced-instance"
"""The brake, and what ``--accept`` takes to write all the same."""
OLDEST = 3
"""Records of each kind that are remembered."""
_MADE = frozenset(("created_at",))
_TELLING = tuple(kind.name for kind in KINDS.values() if kind.field("created_at") and kind.name not in ("chapter",))
"""Kinds that tell when their records were made. Chapters are left out: a Stash only gives them with all galleries."""


def signs_of(source: Source) -> dict[str, Any]:
    """What tells ``source`` from another library, by kind, as ``incremental.is_same`` takes it: {"oldest": {id: time}}.
    Raises as reading does."""
    found: dict[str, Any] = {}
    for kind in _TELLING:
        records = source.read(kind, Want(_MADE))
        oldest = {one.uid: one.data["created_at"] for one in islice(records, OLDEST) if one.data.get("created_at")}
        if isinstance(records, Generator):  # it holds what it reads from
            records.close()
        if oldest:
            found[kind] = {"oldest": oldest}
    return found


def check_same(signs: Any, target: Target, accept: Collection[str], how: str) -> None:
    """Raise Braked when ``target`` is not the library ``signs`` are of, unless that is accepted; ``how`` it can be."""
    if REPLACED in accept or not isinstance(signs, Mapping) or is_same(signs, target.reader):
        return
    raise Braked(
        f"{REPLACED}: {target.reader.about().address} is another Stash now, or was set up anew: its oldest records are"
        f" not those it had. When that is meant: {how} --accept {REPLACED}"
    )
