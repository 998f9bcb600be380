"""Every error this program raises on purpose, grouped by what the caller does next.

A class carries its message template and its exit code (DESIGN §8), so a caller only names the things
involved. ``UsageError``: the user must change something. ``RecordError``: this record is left out and
reported, the run goes on. ``TransientError``: a read may be tried again. ``FatalError``: stop; nothing
half-made is left looking whole. Nothing here does I/O.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from string import Formatter

EXIT_DONE = 0
EXIT_WITH_REMARKS = 1
EXIT_USAGE = 2
EXIT_SOME_FAILED = 3
EXIT_VERIFICATION = 4
EXIT_VERSION = 5
EXIT_BRAKE = 7
EXIT_LOCKED = 11
EXIT_WRONG_KEY = 12
EXIT_NO_SPACE = 13
EXIT_UNREACHABLE = 14
EXIT_UNREADABLE = 15
EXIT_BUG = 70
EXIT_CANCELLED = 130

EXIT_CODES: dict[int, str] = {
    EXIT_DONE: "done",
    EXIT_WITH_REMARKS: "done, with decisions or skips in the report (success for a scheduler)",
    EXIT_USAGE: "usage: something asked for must change (the output exists, a filter is wrong, …)",
    EXIT_SOME_FAILED: "some records failed; the others are done",
    EXIT_VERIFICATION: "verification failed",
    EXIT_VERSION: "unsupported version",
    EXIT_BRAKE: "a brake stopped it; nothing was written",
    EXIT_LOCKED: "another run holds the lock",
    EXIT_WRONG_KEY: "wrong key",
    EXIT_NO_SPACE: "no space left",
    EXIT_UNREACHABLE: "Stash or a peer is unreachable or refused",
    EXIT_UNREADABLE: "the source is unreadable, corrupt or not what it says",
    EXIT_BUG: "a bug of ours",
    EXIT_CANCELLED: "cancelled",
}


class PortabilityError(Exception):
    """The base of all: a message from ``template`` and the words given, an exit code, and no traceback."""

    exit_code = EXIT_BUG
    template = "{reason}"

    def __init__(self, reason: object = "", **words: object) -> None:
        self.words = {"reason": reason, **words}
        names = [name for _, name, _, _ in Formatter().parse(self.template) if name]
        super().__init__(self.template.format(**{name: one_line(self.words.get(name, "")) for name in names}))

    @property
    def code(self) -> str:
        """The stable name of this error, for the page, ``--json`` and tests."""
        return type(self).__name__


class UsageError(PortabilityError):
    """Something asked for must change before this can run."""

    exit_code = EXIT_USAGE


class RecordError(PortabilityError):
    """One record cannot be taken; it is skipped and reported, and the run goes on."""

    exit_code = EXIT_SOME_FAILED
    template = "{kind} {uid} is left out: {reason}"


class NotAllWritten(RecordError):
    """A record was written, but for some fields, which stay as they were."""

    template = "{kind} {uid} is written, but for {reason}"


class FatalError(PortabilityError):
    """The run cannot go on."""


class TransientError(PortabilityError):
    """A read that may succeed when it is tried again."""

    exit_code = EXIT_UNREACHABLE
    template = "{address} did not answer well ({reason}); tried again and gave up"


class SeveralProblems(UsageError):
    """Several things asked for are wrong; all are told at once, one a line."""


class UnknownName(UsageError):
    """A kind, field, format, level or saved filter that does not exist."""

    template = "there is no {what} named {name}{hint}"


class BadFilter(UsageError):
    """The filter is not JSON, or Stash does not take it."""

    template = "the filter cannot be used: {reason}"


class FilterNeedsServer(UsageError):
    """Filters are evaluated by Stash; a file has none."""

    template = (
        "{address} has no running Stash behind it, so it cannot be filtered: give --from the address"
        " of the Stash, or use --ids, --since or --kinds"
    )


class BadProfile(UsageError):
    """The export profile cannot be used."""

    template = "the profile {name} cannot be used: {reason}"


class BadTemplate(UsageError):
    """The template cannot be used: how it is written, what it says of a record, or what it costs."""

    template = "the template {name} cannot be used: {reason}"


class OutputExists(UsageError):
    """The output is already there."""

    template = "{path} already exists; give another --to, or --overwrite"


class OutputNotUsable(UsageError):
    """The output cannot be written where it is asked for."""

    template = "{path} cannot be written: {reason}"


class OutsideRoots(UsageError):
    """A task may only name paths under the data folder and the roots listed on the server."""

    template = (
        "{path} lies outside the folders a task may name for this ({allowed}); put it under one of them, or"
        " add its folder to roots.json in the data folder"
    )


class StalePlan(UsageError):
    """What a plan was made from is not what is there any more: what it makes might be there already."""

    template = "nothing was written: {reason} since this preview was made; make it again"


class NoLink(UsageError):
    """A finished export cannot be offered as a download."""

    template = "{path} on the server cannot be offered for download: {reason}"


class LibrariesMissing(UsageError):
    """The Python libraries a feature needs are not there and could not be installed."""

    template = (
        "the Python libraries for {what} are missing and could not be installed: {reason}; then press"
        " Settings → Tasks → Set up dependencies, or run {command}"
    )


class NotIncluded(UsageError):
    """Something that is to come, but is not part of this version."""

    template = "{what} is not part of this version"


class NoSpace(FatalError):
    """The disk is full, or would be."""

    exit_code = EXIT_NO_SPACE
    template = "not enough room for {path}: {reason}"


class Unreachable(FatalError):
    """Nothing answers at the address, or what answers is no Stash."""

    exit_code = EXIT_UNREACHABLE
    template = "no Stash at {address}: {reason}"


class TookTooLong(FatalError):
    """What the page asked did not end in the time a page may wait; a task may take its time."""

    exit_code = EXIT_UNREACHABLE
    template = "this took more than {seconds} seconds and was given up; try again, or export without looking first"


class Refused(FatalError):
    """Stash asks for a key, or the key is wrong."""

    exit_code = EXIT_UNREACHABLE
    template = (
        "Stash at {address} refused: {reason}; give its API key (Settings → Security) in STASH_API_KEY"
        " or --api-key-file"
    )


class StashSaidNo(FatalError):
    """Stash answered a query with GraphQL errors (they come with HTTP 200)."""

    exit_code = EXIT_UNREACHABLE
    template = "Stash could not answer: {reason}"


class UnsupportedVersion(FatalError):
    """A Stash older than 0.27, or a database or archive of an unknown version."""

    exit_code = EXIT_VERSION
    template = "{address} is {version}; {reason}"


class Unreadable(FatalError):
    """The source is not what it says, or is damaged."""

    exit_code = EXIT_UNREADABLE
    template = "{path} cannot be read: {reason}"


class VerificationFailed(FatalError):
    """What was written, or is kept, is not what it must be."""

    exit_code = EXIT_VERIFICATION
    template = "{path} failed its verification: {reason}"


class Braked(FatalError):
    """A plan looks wrong enough that a person must say so first."""

    exit_code = EXIT_BRAKE
    template = "nothing was written, because {reason}"


class Locked(FatalError):
    """Another run holds the lock."""

    exit_code = EXIT_LOCKED
    template = "another run is using {path}; wait for it or cancel it"


class Cancelled(FatalError):
    """The user stopped the run."""

    exit_code = EXIT_CANCELLED
    template = "cancelled; {reason}"

    def __init__(self, reason: object = "nothing was left under the final name", **words: object) -> None:
        super().__init__(reason, **words)


class Stopped(FatalError):
    """The run ended before it was done, or never began, and nobody had asked for that here."""

    exit_code = EXIT_CANCELLED


def one_line(value: object) -> str:
    """Give ``value`` as one printable line: an error never carries a newline out of somebody's data."""
    text = value if isinstance(value, str) else str(value)
    return "".join(char if char.isprintable() else " " for char in text)


def unknown(what: str, name: str, known: Iterable[str]) -> UnknownName:
    """Build the error for an unknown name, with the nearest known one, or the list when it is short."""
    names = sorted(known)
    near = difflib.get_close_matches(name, names, n=1, cutoff=0.6)
    if near:
        return UnknownName(what=what, name=repr(name), hint=f"; did you mean {near[0]!r}?")
    hint = f"; there is {', '.join(names)}" if 0 < len(names) <= 16 else ""
    return UnknownName(what=what, name=repr(name), hint=hint)


def several(problems: list[PortabilityError]) -> PortabilityError:
    """Give the one problem itself, or all of them in one error."""
    if len(problems) == 1:
        return problems[0]
    return SeveralProblems("; ".join(str(problem) for problem in problems))


def all_errors() -> dict[str, type[PortabilityError]]:
    """Every error class by its code, for the documentation and its test."""
    found: dict[str, type[PortabilityError]] = {}
    waiting: list[type[PortabilityError]] = [PortabilityError]
    while waiting:
        family = waiting.pop()
        found[family.__name__] = family
        waiting.extend(family.__subclasses__())
    return found
