"""Changes on their way to a Stash: a draft of each, and how many go to one request."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import TypeVar

from ..errors import FatalError, NotAllWritten, PortabilityError, RecordError, StashSaidNo, Stopped
from ..model import Change, Written
from .stash_write_request import Done, Step

T = TypeVar("T")

MOST_BYTES = 16 << 20
"""The most bytes of images and texts in a request, if it holds more than one change."""
FIRST = 25
SLOW, QUICK = 10.0, 4.0
"""Seconds. Plugins that listen to changes run once for each: a request they make slow must end long before the time
limits of the connection (120) and of proxies before Stash (60 are usual), or nobody knows what was done."""


@dataclass(slots=True)
class Draft:
    """One change: the mutation that makes, updates or destroys its record (None: there is nothing for it to do), and
    what is known of its outcome."""

    change: Change
    step: Step | None = None
    told: dict[str, str] = field(default_factory=dict)
    error: PortabilityError | None = None
    uid: str = ""

    def __post_init__(self) -> None:
        self.uid = uid_of(self.change)

    @property
    def alone(self) -> bool:
        """Whether it goes in a request of its own: one saved filter that fails takes the ids of the others away."""
        return self.change.kind == "saved_filter" and self.change.op == "create"

    @property
    def weight(self) -> int:
        """About how many bytes it sends."""
        values = [argument.value for argument in self.step.arguments] if self.step else []
        texts = (text for value in values if isinstance(value, dict) for text in value.values())
        return sum(len(text) for text in texts if isinstance(text, str))

    def note(self, step: Step, done: Done) -> None:
        """Take up the outcome of one of its steps."""
        change = self.change
        if step is not self.step:
            self.told |= dict.fromkeys(step.fields, done.error) if done.error else {}
        elif done.error:
            self.error = RecordError(kind=change.kind, uid=change.uid, reason=done.error)
        elif change.op == "create":
            self._made(done)

    def _made(self, done: Done) -> None:
        if isinstance(done.value, dict) and done.value.get("id"):
            self.uid = done.value["id"]
        else:
            self.error = StashSaidNo(f"it did not tell the id of a {self.change.kind} it was asked to make")

    def stop(self, why: FatalError) -> None:
        """Take up that its other steps are not sent."""
        self.error = self.error or not_sent(why)

    def written(self) -> Written:
        """What is told of it."""
        if self.error is not None or not self.told:
            return Written(self.uid, self.error)
        reason = "; ".join(f"{name} ({why})" for name, why in self.told.items())
        fields = tuple(self.told)
        return Written(self.uid, NotAllWritten(kind=self.change.kind, uid=self.uid, reason=reason, fields=fields))


class Pace:
    """How many mutations go to a request: fewer while requests are slow, and at most ``most``."""

    def __init__(self, most: int, clock: Callable[[], float]) -> None:
        self.most = most
        self.size = min(FIRST, most)
        self._clock = clock

    def timed(self, request: Callable[[], T]) -> T:
        """Make ``request`` and learn from how long it took."""
        start = self._clock()
        answer = request()
        seconds = self._clock() - start
        if seconds > SLOW:
            self.size = max(1, self.size // 2)
        elif seconds < QUICK:
            self.size = min(self.most, self.size * 2)
        return answer


def chunks(drafts: Iterable[Draft], pace: Pace) -> Iterator[list[Draft]]:
    """Put ``drafts`` together to requests, in their order, as they come."""
    chunk: list[Draft] = []
    weight = 0
    for draft in drafts:
        full = len(chunk) >= pace.size or weight + draft.weight > MOST_BYTES
        if chunk and (full or draft.alone):
            yield chunk
            chunk, weight = [], 0
        chunk.append(draft)
        weight += draft.weight
    if chunk:
        yield chunk


def uid_of(change: Change) -> str:
    """The target's id of what ``change`` is about: of a new record none yet."""
    return "" if change.op == "create" else change.uid


def not_sent(why: FatalError) -> Stopped:
    """The error of what was not sent, because it is not known what became of what went before."""
    return Stopped(f"not sent, because of what came before: {why}")
