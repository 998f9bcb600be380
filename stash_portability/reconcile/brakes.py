"""Reasons to write nothing until a person says so. Pure: numbers in, brakes out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from ..kinds import plural
from ..model import Brake

Capability = Literal["restore merge", "restore replace", "import", "migrate", "migrate incremental", "sync", "undo"]

FEW = 5
"""So many deletes of a kind are never a brake."""


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What a plan is for, and what is known of both ends. ``base``: how many records of each kind there were when
    both agreed last (empty: never, or not remembered). ``same_instance``: both are one Stash. ``replaced``: one of them
    is not the Stash it was (restored, or set up anew)."""

    capability: Capability
    source: Mapping[str, int]
    target: Mapping[str, int]
    base: Mapping[str, int] = field(default_factory=dict)
    deletes: Mapping[str, int] = field(default_factory=dict)
    max_delete: float = 0.1
    conflicts: int = 0
    changed: int = 0
    same_instance: bool = False
    replaced: bool = False


def brakes(facts: Circumstances) -> tuple[Brake, ...]:
    """The brakes that hold, of those that count for the capability (DESIGN §8)."""
    found = []
    for name, (capabilities, check) in _BRAKES.items():
        if facts.capability in capabilities and (why := check(facts)):
            found.append(Brake(name, why))
    return tuple(found)


def _source_is_empty(facts: Circumstances) -> str:
    """When all is replaced, less than half of what there was is many deletes, and told as such; but not a kind that
    goes altogether: that is more likely an archive without it."""
    if facts.capability != "restore replace" or not sum(facts.source.values()):
        return _shrunk("source", facts.source, facts.base)
    gone = [f"no {plural(kind, 2)} (there are {facts.base[kind]:,})" for kind in _gone(facts)]
    return f"the source holds {', '.join(gone)}" if gone else ""


def _gone(facts: Circumstances) -> list[str]:
    """The kinds that there were, and of which the source holds none."""
    return [kind for kind, before in facts.base.items() if before and not facts.source.get(kind)]


def _target_is_empty(facts: Circumstances) -> str:
    return _shrunk("target", facts.target, facts.base) if facts.base else ""


def _shrunk(which: str, counts: Mapping[str, int], base: Mapping[str, int]) -> str:
    if not sum(counts.values()):
        return f"the {which} is empty"
    less = [kind for kind, before in base.items() if counts.get(kind, 0) * 2 < before]
    told = ", ".join(_some(counts.get(kind, 0), base[kind], kind) for kind in less)
    return f"the {which} holds less than half of what it held: {told}" if less else ""


def _many_deletes(facts: Circumstances) -> str:
    told = _gone(facts) if facts.capability == "restore replace" else ()  # why all of them go is told already
    many = [
        _some(count, facts.target.get(kind, 0), kind)
        for kind, count in facts.deletes.items()
        if kind not in told and count > max(FEW, facts.max_delete * facts.target.get(kind, 0))
    ]
    return f"it would delete {', '.join(many)}" if many else ""


def _some(count: int, of: int, kind: str) -> str:
    return f"{count:,} of {of:,} {plural(kind, of)}"


def _replaced(facts: Circumstances) -> str:
    return "one side was restored or replaced since the last time" if facts.replaced else ""


def _same(facts: Circumstances) -> str:
    return "both are the same Stash" if facts.same_instance else ""


def _many_conflicts(facts: Circumstances) -> str:
    if facts.conflicts * 5 <= facts.changed:
        return ""
    return f"{facts.conflicts} of {facts.changed} changed records are in conflict"


_ALL = frozenset(("restore merge", "restore replace", "import", "migrate", "migrate incremental", "sync"))

_BRAKES: Mapping[str, tuple[frozenset[str], Callable[[Circumstances], str]]] = {
    "source-empty": (_ALL, _source_is_empty),
    "target-empty": (frozenset(("migrate incremental", "sync")), _target_is_empty),
    "many-deletes": (frozenset(("restore replace", "migrate incremental", "sync")), _many_deletes),
    "replaced-instance": (frozenset(("migrate incremental", "sync")), _replaced),
    "same-instance": (frozenset(("migrate", "migrate incremental", "sync")), _same),
    "many-conflicts": (frozenset(("sync",)), _many_conflicts),
}
"""Brakes by the name that accepts them: for which capabilities they count, and what tells whether they hold."""
