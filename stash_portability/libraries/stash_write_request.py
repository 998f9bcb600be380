"""Several mutations in one request, each with its own outcome.

Such a request is not atomic: Stash does each in a transaction of its own and goes on after one that fails (on 0.27
and on 0.30). It is never sent twice, but where Stash refused all of it before doing anything.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from .. import json_text
from .stash_answers import Mistake, Outcome

Change = Callable[[str, Mapping[str, Any]], Outcome]
"""Sends a request that changes something: Connection.change."""


class Argument(NamedTuple):
    """An argument of a mutation: its name, its GraphQL type ("TagCreateInput!") and its value."""

    name: str
    type: str
    value: Any


@dataclass(frozen=True, slots=True)
class Step:
    """One mutation. ``selection`` is asked of its answer ("" where that is no object); ``fields`` are those of the
    record that it writes, for messages; ``already`` is in what Stash says when there was nothing left to do."""

    mutation: str
    arguments: tuple[Argument, ...]
    selection: str = ""
    fields: tuple[str, ...] = ()
    already: str = ""


class Done(NamedTuple):
    """What came of a step: its answer (None also where another one's failure took it away), or Stash's words."""

    value: Any = None
    error: str = ""


def send(change: Change, steps: Sequence[Step]) -> list[Done]:
    """Do ``steps`` in their order; give the outcome of each. Raises what ``change`` does: then none is known."""
    outcomes: dict[int, Done] = {}
    waiting = list(range(len(steps)))
    while waiting:
        try:
            outcome = change(*_query([(number, steps[number]) for number in waiting]))
        except TypeError:
            refused = _no_json(steps, waiting)
            if not refused:
                raise
        else:
            refused = _refused(outcome, waiting) or {}
            if not refused:
                outcomes.update(_each(outcome, steps, waiting))
                break
        # Nothing of this was done: it goes again without those that Stash cannot read.
        outcomes.update(refused)
        waiting = [number for number in waiting if number not in refused]
    return [outcomes[number] for number in range(len(steps))]


def _query(steps: Sequence[tuple[int, Step]]) -> tuple[str, dict[str, Any]]:
    declared, calls, values = [], [], {}
    for number, step in steps:
        passed = []
        for argument in step.arguments:
            variable = f"a{number}_{argument.name}"
            declared.append(f"${variable}:{argument.type}")
            passed.append(f"{argument.name}:${variable}")
            values[variable] = argument.value
        selection = f"{{{step.selection}}}" if step.selection else ""
        calls.append(f"a{number}:{step.mutation}({','.join(passed)}){selection}")
    return f"mutation Write({','.join(declared)}){{{' '.join(calls)}}}", values


def _no_json(steps: Sequence[Step], waiting: Sequence[int]) -> dict[int, Done]:
    """Those that cannot be sent as JSON (numbers of over 64 bits, text that is no Unicode)."""
    found: dict[int, Done] = {}
    for number in waiting:
        try:
            json_text.dumps([argument.value for argument in steps[number].arguments])
        except TypeError as error:
            found[number] = Done(error=f"it cannot be sent: {error}")
    return found


def _refused(outcome: Outcome, waiting: Sequence[int]) -> dict[int, Done] | None:
    """Those Stash could not read, when it refused the request before doing any of it; None when it did it."""
    whole = [mistake for mistake in outcome.mistakes if _before(mistake)]
    if not whole or outcome.data:
        return None
    blamed = {_variable_of(mistake): Done(error=_words(mistake)) for mistake in whole}
    known = {number: done for number, done in blamed.items() if number in waiting}
    # Of one that names no variable nobody knows whose it is: all are told it, and none goes again.
    return known or dict.fromkeys(waiting, Done(error=_words(whole[0])))


def _before(mistake: Mistake) -> bool:
    return not mistake.path or mistake.path[0] == "variable"


def _variable_of(mistake: Mistake) -> int:
    name = str(mistake.path[1]) if len(mistake.path) > 1 else ""
    number = name[1:].partition("_")[0]
    return int(number) if number.isdigit() else -1


def _words(mistake: Mistake) -> str:
    place = ".".join(str(step) for step in mistake.path[2:])
    return f"{mistake.message} (at {place})" if place else mistake.message


def _each(outcome: Outcome, steps: Sequence[Step], waiting: Sequence[int]) -> dict[int, Done]:
    failed = {str(mistake.path[0]): mistake.message for mistake in outcome.mistakes if mistake.path}
    return {number: _one(outcome, steps[number], f"a{number}", failed) for number in waiting}


def _one(outcome: Outcome, step: Step, alias: str, failed: Mapping[str, str]) -> Done:
    error = failed.get(alias, "")
    if error and not (step.already and step.already in error):
        return Done(error=error)
    return Done(outcome.data.get(alias))
