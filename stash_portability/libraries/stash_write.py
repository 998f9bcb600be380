"""A running Stash that is written to: changes of one kind go as aliased mutations, many to a request, and each one's
outcome is told apart.

Nothing is decided here, and nothing is sent twice: whoever calls compares what is there before and after, and
writes changes in an order in which what they refer to is there. What a Stash cannot be given is told, not sent.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import IO, Any

from ..errors import FatalError, RecordError, UsageError
from ..kinds import KINDS
from ..model import Blob, BlobRef, Change, Data, Written
from . import schema
from .schema import Schema
from .stash import StashSource
from .stash_write_batch import Draft, Pace, chunks, not_sent, uid_of
from .stash_write_cannot import CANNOT_CLEAR, KEPT_DELETE, SETTINGS_NOT_WRITTEN, cannot_do, why_not
from .stash_write_inputs import NO_PLACE, Inputs, destroy_step, input_type, is_plain, main_step
from .stash_write_later import Later, later
from .stash_write_request import Step, send
from .stash_write_settings import input_types, settings

OpenImage = Callable[[Blob | BlobRef], IO[bytes]]

_PARTS = "Mutation Studio StashIDInput SceneGroupInput GroupDescriptionInput CustomFieldsInput".split()
MOST = 100
"""The most mutations to a request: beyond, Stash gets no faster, and a lost answer leaves more unknown."""


class StashWriter:
    """Writes to the Stash behind ``source``.

    ``open_image`` opens the images that changes name (of an archive or another library); an image that it cannot
    open is told, and the rest of its record written. ``most`` mutations go to a request at most; ``clock`` gives
    seconds.
    """

    def __init__(
        self,
        source: StashSource,
        open_image: OpenImage | None = None,
        *,
        most: int = MOST,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.source = source
        self._open_image = open_image
        self._pace = Pace(most, clock)

    @cached_property
    def schema(self) -> Schema:
        """What this server's mutations take."""
        types = [input_type(kind, op) for kind in KINDS.values() for op in ("create", "update")]
        return schema.describe(self.source.connection.call_GQL, dict.fromkeys((*types, *_PARTS, *input_types())))

    @cached_property
    def _inputs(self) -> Inputs:
        return Inputs(self.schema, self._image)

    def cannot(self, kind: str) -> dict[str, str]:
        """The fields of ``kind`` that this Stash cannot be given, each with why; also parts ("stash_ids.updated_at"),
        dates that are not whole ("date.partial"), more than one of a list ("urls.more"), emptying one ("cover.none"),
        settings ("settings.general.stashes") and being deleted ("delete"). In a change they are not told again, but
        for those that only this version lacks and that hold something."""
        table = KINDS[kind]
        found: dict[str, str] = {f"{name}.none": why for name, why in _never_emptied(kind)}
        found |= self._inputs.limits(table)
        if kind == "config":
            found |= {f"settings.{name}": why for name, why in SETTINGS_NOT_WRITTEN.items()}
        if kind in KEPT_DELETE:
            found["delete"] = KEPT_DELETE[kind]
        if KINDS[kind].field("files") and not self.schema.has("Mutation", "fileSetFingerprints"):
            found["files.fingerprints"] = NO_PLACE
        for field in table.fields:
            if why := why_not(field):
                found[field.name] = why
            elif is_plain(field) and not self._inputs.takes(table, "update", field):
                found[field.name] = NO_PLACE
            found |= {f"{field.name}.{part}": NO_PLACE for part in self._inputs.lacks(table, field)}
        return found

    def write(self, changes: Sequence[Change]) -> list[Written]:
        """Write ``changes``, all of one kind and op; give for each, in order, its id and what went wrong.

        RecordError: it was not done, in Stash's words. NotAllWritten: done, but for fields it names. Stopped: it was
        not sent. Any other FatalError: whether it was done is not known, and it is to be read.
        """
        written: list[Written] = []
        for chunk in chunks(self._drafts(changes), self._pace):
            written += self._do(chunk)
            if lost := _lost(written[-len(chunk) :]):
                written += [Written(uid_of(change), not_sent(lost)) for change in changes[len(written) :]]
                break
        return written

    def _drafts(self, changes: Sequence[Change]) -> Iterator[Draft]:
        saved = self._saved_filters(changes)
        for change in changes:
            try:
                yield self._draft(change, saved)
            except RecordError as error:
                yield Draft(change, error=error)

    def _draft(self, change: Change, saved: dict[str, Data]) -> Draft:
        kind = KINDS[change.kind]
        if why := cannot_do(change):
            raise RecordError(kind=kind.name, uid=change.uid, reason=why)
        if change.op == "delete":
            return Draft(change, destroy_step(kind, change.uid))
        if kind.name == "config":
            return Draft(change)
        data = _whole(change, saved)
        filled = self._inputs.fill(kind, change.op, data)
        if change.op == "create":
            return Draft(change, main_step(kind, "create", filled.values, filled.fields), filled.told)
        # An update of nothing would still move updated_at.
        values = {"id": change.uid, **filled.values}
        return Draft(change, main_step(kind, "update", values, filled.fields) if filled.values else None, filled.told)

    def _saved_filters(self, changes: Sequence[Change]) -> dict[str, Data]:
        """What the saved filters hold now: an update of one replaces all of it."""
        if not any(change.kind == "saved_filter" and change.op == "update" for change in changes):
            return {}
        return {record.uid: record.data for record in self.source.read("saved_filter")}

    def _do(self, chunk: list[Draft]) -> list[Written]:
        """Make or change the records of ``chunk``, then what takes a mutation of its own, of those that are there."""
        lost = self._send([(draft, draft.step) for draft in chunk if draft.step is not None])
        follow = [(draft, step) for draft in chunk if draft.error is None for step in self._follow(draft)]
        for start in range(0, len(follow), self._pace.most):
            part = follow[start : start + self._pace.most]
            if lost is None:
                lost = self._send(part)
            else:
                for draft, _ in part:
                    draft.stop(lost)
        return [draft.written() for draft in chunk]

    def _send(self, steps: list[tuple[Draft, Step]]) -> FatalError | None:
        """Do the steps and note what came of each at its draft; give the error when that is not known."""
        if not steps:
            return None
        try:
            outcomes = self._pace.timed(lambda: send(self.source.connection.change, [step for _, step in steps]))
        except FatalError as error:
            for draft, _ in steps:
                draft.error = error
            return error
        for (draft, step), done in zip(steps, outcomes, strict=True):
            draft.note(step, done)
        return None

    def _follow(self, draft: Draft) -> list[Step]:
        change = draft.change
        if change.op == "delete":
            return []
        before = None if change.op == "create" else change.before or {}
        plan = Later(KINDS[change.kind], draft.uid, before, change.after or {})
        if change.kind == "config":
            settings(plan, self.schema, self._plugins)
        else:
            later(plan)
        draft.told |= plan.told
        for step in plan.steps:
            if not self.schema.has("Mutation", step.mutation):
                draft.told |= dict.fromkeys(step.fields, NO_PLACE)
        return [step for step in plan.steps if self.schema.has("Mutation", step.mutation)]

    def _plugins(self) -> dict[str, Any]:
        """The settings of all plugins as they are: those of one are only replaced as a whole."""
        return self.source.connection.call_GQL(_PLUGINS)["configuration"]["plugins"] or {}

    def _image(self, value: Blob | BlobRef) -> bytes:
        if self._open_image is None:
            raise UsageError("nothing was given to read images with")
        with self._open_image(value) as stream:
            content = stream.read()
        if not content:
            raise UsageError("it is empty")
        return content


def _never_emptied(kind: str) -> Iterator[tuple[str, str]]:
    for name, why in CANNOT_CLEAR.items():
        if name.startswith(f"{kind}."):
            yield name.partition(".")[2], why


def _whole(change: Change, saved: Mapping[str, Data]) -> Data:
    after = change.after or {}
    if change.kind != "saved_filter" or change.op == "create":
        return after
    if change.uid not in saved:
        raise RecordError(kind=change.kind, uid=change.uid, reason="it is gone")
    return {**saved[change.uid], **after}


def _lost(written: Sequence[Written]) -> FatalError | None:
    return next((one.error for one in written if isinstance(one.error, FatalError)), None)


_PLUGINS = "query Plugins{configuration{plugins}}"
