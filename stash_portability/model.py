"""The values that travel between libraries, transforms and sinks: immutable, and without any I/O."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import IO, Any, Literal, NamedTuple, Protocol

from .errors import PortabilityError

Data = Mapping[str, Any]
"""A record's fields by their name in kinds.py. A missing key was not asked for or is not known to the
source; None is known to be empty. Lists are lists, parts are mappings, references are uids (text)."""


class Record(NamedTuple):
    """One thing of a library. ``uid`` is the source's own id as text; references in ``data`` are uids."""

    kind: str
    uid: str
    data: dict[str, Any]


class Blob(NamedTuple):
    """Image bytes a record carries, not yet read. ``key`` is only understood by the source that made it."""

    kind: str
    uid: str
    field: str
    key: str


class BlobRef(NamedTuple):
    """Image bytes that lie in a sink or an archive: named by digest (SHA-256, hexadecimal)."""

    sha256: str
    bytes: int


@dataclass(frozen=True, slots=True)
class Want:
    """What to read of a kind: ``fields`` (None: all but blobs), ``ids`` (None: all), and whether blob
    fields come as ``Blob`` values."""

    fields: frozenset[str] | None = None
    ids: Sequence[str] | None = None
    blobs: bool = False


EVERYTHING = Want()


@dataclass(frozen=True, slots=True)
class About:
    """What a library is: ``product`` ("Stash", "Stash database", "archive", "tables", "memory"), its version
    and schema as it gives them, the fields it can give by kind, and how many records it holds by kind (None: not
    known)."""

    address: str
    product: str
    version: str
    schema: int | None
    fields: Mapping[str, tuple[str, ...]]
    counts: Mapping[str, int | None]
    how: str = ""
    """How it is read and why, in one sentence for the log ("database file: 40 records read both ways were equal")."""


class Source(Protocol):
    """A library that can be read."""

    def about(self) -> About:
        """Tell what this is."""
        ...

    def read(self, kind: str, want: Want = EVERYTHING) -> Iterator[Record]:
        """Stream the records of ``kind``, in ascending order of id where ids are numbers. Ids that do
        not exist are passed over."""
        ...

    def open_blob(self, blob: Blob) -> IO[bytes]:
        """Open the bytes of ``blob`` for reading."""
        ...


class Searcher(Protocol):
    """A source with a running Stash behind it, which evaluates filters."""

    def find_ids(self, kind: str, criteria: Mapping[str, Any], query: str = "") -> Iterator[str]:
        """Stream the ids of ``kind`` that Stash's own filter ``criteria`` (and its search text) give."""
        ...

    def find_ids_since(self, kind: str, since: str) -> Iterator[str]:
        """Stream the ids of ``kind`` changed at ``since`` (UTC) or later, as far as Stash's updated_at tells."""
        ...

    def saved_filter(self, name: str) -> tuple[str, Mapping[str, Any], str]:
        """Find the saved filter ``name``; give its kind, its criteria as GraphQL takes them, its search text."""
        ...


class PartsReader(Protocol):
    """A source that finds the parts of records (markers of scenes, chapters of galleries) without reading all."""

    def read_parts(self, kind: str, owners: Sequence[str], want: Want = EVERYTHING) -> Iterator[Record]:
        """Stream the records of ``kind`` whose owner is one of ``owners``."""
        ...


class Sink(Protocol):
    """Something records are written to once. A context manager: leaving it cleanly commits, an error
    aborts, and an aborted sink leaves nothing under its final name."""

    def __enter__(self) -> Sink: ...

    def __exit__(self, kind: Any, error: Any, trace: Any) -> None: ...

    def put(self, record: Record) -> None:
        """Write one record. Records of one kind come one after another."""
        ...

    def put_blob(self, stream: IO[bytes]) -> BlobRef:
        """Keep the bytes of ``stream`` (once each) and give their digest."""
        ...


class Target(Source, Protocol):
    """A library that can be changed."""

    def create(self, kind: str, data: Data) -> str:
        """Make a record; give its id."""
        ...

    def update(self, kind: str, uid: str, data: Data) -> None:
        """Set just the fields in ``data``."""
        ...

    def delete(self, kind: str, uid: str) -> None:
        """Remove a record."""
        ...


Op = Literal["create", "update", "delete"]
Base = Literal["nothing", "target", "state"]
Strategy = Literal["ask", "source", "target", "fill", "newer", "union"]


class Change(NamedTuple):
    """One write. ``uid`` is the target's id; of a create it is ``new:<kind>:<n>`` in a plan (what others refer to it
    by) and "" when it is handed to a writer. ``before`` and ``after`` hold just the fields that change (create and
    delete: all of them); references in them are ids of the target, or ``new:<kind>:<n>`` for a record the same plan
    creates. The inverse of a change swaps ``before`` and ``after``."""

    op: Op
    kind: str
    uid: str
    before: Data | None
    after: Data | None


class Conflict(NamedTuple):
    """Both sides say something else of a field: the values, and ``chosen``, "source", "target" or "ask" (it waits
    for a decision, and the target stays as it is). ``field`` is "" when a whole record is in question."""

    kind: str
    uid: str
    field: str
    base: Any
    source: Any
    target: Any
    chosen: str


class Ambiguity(NamedTuple):
    """A record of the source that could be several of the target (``candidates``, their ids), or that several of
    the source could be. It is not guessed: the record is left out."""

    kind: str
    uid: str
    candidates: tuple[str, ...]
    why: str


class Waiting(NamedTuple):
    """A record of the source that only a scan of the target can make; a later run takes it up."""

    kind: str
    uid: str
    why: str


class Brake(NamedTuple):
    """A reason to write nothing: its ``name`` (what ``--accept`` takes), and what was found, in words."""

    name: str
    why: str


@dataclass(frozen=True, slots=True)
class Policy:
    """How two libraries are brought together (DESIGN §1, §8). ``base``: what both are compared with. ``prefer``: the
    strategy by "kind.field", "kind" or "" (all), the most exact counts. ``allow``: the operations a plan may hold.
    ``max_delete``: the share of a kind (0 to 1) whose deletion is a brake, beyond five records."""

    base: Base = "nothing"
    prefer: Mapping[str, Strategy] = field(default_factory=lambda: {"": "fill"})
    allow: frozenset[Op] = frozenset(("create", "update"))
    max_delete: float = 0.1
    skew: float = 0.0
    """Seconds by which the clocks of both may differ: within them "newer" asks."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What would be written, in the order of writing, and what was found on the way. The iterables may be walked
    again and again; they come from disk. ``counts``: by "kind op", how many changes there are; ``brakes``: reasons
    to write nothing until each is accepted by name."""

    changes: Iterable[Change]
    conflicts: Iterable[Conflict]
    ambiguities: Iterable[Ambiguity]
    waiting: Iterable[Waiting]
    counts: Mapping[str, int]
    brakes: tuple[Brake, ...] = ()
    not_restored: Mapping[str, int] = field(default_factory=dict)
    """By "kind.field" (as what the target cannot be given is named), in how many records of the source stands
    something there that the target does not have."""


class Written(NamedTuple):
    """What became of one change: the target's id of it ("" when there is none), and why it failed, or None."""

    uid: str
    error: PortabilityError | None = None


class Writer(Protocol):
    """A library that takes changes in batches."""

    def write(self, changes: Sequence[Change]) -> list[Written]:
        """Make ``changes``, all of one kind and op; give one outcome for each, in their order. A batch is never
        atomic: when this raises, any of them may have been made. References in them are the target's ids."""
        ...


class Progress(Protocol):
    """Where a capability tells how far it is."""

    def phase(self, name: str, total: int | None) -> None:
        """A new phase begins; ``total`` records are expected, if known."""
        ...

    def advance(self, count: int) -> None:
        """``count`` more records are done."""
        ...

    def note(self, message: str) -> None:
        """Something worth a log line."""
        ...

    def close(self) -> None:
        """The last phase is done."""
        ...


@dataclass(slots=True)
class Reason:
    """Why something was not done, or done otherwise: in words, how often, and where for the first few times."""

    text: str
    count: int = 0
    examples: list[str] = field(default_factory=list)


MOST_EXAMPLES = 5


@dataclass(slots=True)
class Report:
    """What a run did. Counts are records by kind, seconds wall time by phase, bytes those of the finished output,
    ``files`` how many files were "written", "unchanged", "skipped" and so on where a run makes many. ``notes`` tell;
    ``remarks``, ``reasons`` and ``skipped`` (records, each with its reason) also make the exit code 1."""

    what: str
    source: str = ""
    how: str = ""
    privacy: str = ""
    outputs: list[str] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)
    bytes: int = 0
    references_left_out: int = 0
    notes: list[str] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)
    files: dict[str, int] = field(default_factory=dict)
    reasons: list[Reason] = field(default_factory=list)
    changes: dict[str, int] = field(default_factory=dict)
    """By "kind op": how many changes of a Stash are planned, or were written."""
    brakes: list[Brake] = field(default_factory=list)
    decisions: dict[str, int] = field(default_factory=dict)
    """How many "conflicts" (but for those the source was to win), "ambiguities" and records "waiting" there are; of a
    run that wrote, also how many changes somebody else had "moved" meanwhile, "failed", were "partly" made, or "differ"
    from what was asked for."""
    point: str = ""
    """What Stash can be put back from as a whole, and how."""
    not_restored: dict[str, dict[str, Any]] = field(default_factory=dict)
    """By "kind.field", in how many records ("count") something stays in the archive that Stash cannot be given, and
    "why"."""
    undoable: bool = False
    samples: list[dict[str, Any]] = field(default_factory=list)
    """The first changes, as planrows shows them."""

    def tally(self, what: str, count: int = 1) -> None:
        """Count ``count`` more files as ``what``."""
        self.files[what] = self.files.get(what, 0) + count

    def because(self, text: str, example: str) -> None:
        """Note one more time that ``text`` is the reason, at ``example``."""
        reason = next((one for one in self.reasons if one.text == text), None)
        if reason is None:
            self.reasons.append(reason := Reason(text))
        reason.count += 1
        if len(reason.examples) < MOST_EXAMPLES:
            reason.examples.append(example)


Transform = Callable[[Sequence[Record]], Sequence[Record]]
"""Some records of one kind in, in order; those that go on, changed, out."""
