"""Was everything written? Plan again, from what is there now, and expect nothing."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice

from ..errors import VerificationFailed
from ..model import Change, Plan

MOST_SHOWN = 10


@dataclass(frozen=True, slots=True)
class Remaining:
    """What a second plan still wants to write: by "kind op" how much, and the first few changes. What waits for a scan
    or a decision is not counted: no write can settle it."""

    counts: dict[str, int]
    first: tuple[Change, ...]

    @property
    def nothing(self) -> bool:
        """Whether the target is what it was to become."""
        return not self.first


def remaining(plan: Plan) -> Remaining:
    """Look at a plan made after a run."""
    counts = {name: count for name, count in plan.counts.items() if name.split()[-1] in ("create", "update", "delete")}
    return Remaining(counts, tuple(islice(plan.changes, MOST_SHOWN)))


def expect_nothing(plan: Plan, path: str) -> None:
    """Raise VerificationFailed when ``plan``, made after a run, still wants to write something."""
    left = remaining(plan)
    if not left.nothing:
        told = ", ".join(f"{count} {name}" for name, count in left.counts.items())
        raise VerificationFailed(path=path, reason=f"a second plan still has {told}")
