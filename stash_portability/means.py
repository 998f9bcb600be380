"""What goes along with a run: what it takes from the outside, and where it tells what it does."""

from __future__ import annotations

import os
import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timezone
from pathlib import Path

from .model import About, Progress, Report


@dataclass(frozen=True, slots=True)
class Means:
    """What a run takes from the outside: seconds that never go back, the time in UTC, secret bytes, and a random
    generator. ``announce`` is told where the finished output lies just before it gets its name, and the report of the
    run that this ends: a run that is killed then has done its work."""

    clock: Callable[[], float] = time.monotonic
    now: Callable[[], datetime] = lambda: datetime.now(timezone.utc)
    secret: Callable[[int], bytes] = os.urandom
    rng: random.Random = field(default_factory=random.Random)
    announce: Callable[[Path, Report], None] = lambda *_: None


@dataclass(frozen=True, slots=True)
class Run:
    """What goes along with one export: what its library told of itself, where it tells how far it is and what it
    did, and its means."""

    about: About
    progress: Progress
    report: Report
    means: Means
