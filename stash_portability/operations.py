"""What the page asks, each answered within five seconds: ``{ok: true, …}``, or ``{ok: false, error: {code, message,
exit_code}}`` whatever goes wrong, because Stash logs the arguments of a call that ends in an error.

Nothing is installed here, and nothing long is done. Only what an operation needs is imported, when it is needed.
"""

from __future__ import annotations

import sys
import traceback
from collections.abc import Callable, Mapping
from threading import Thread
from typing import TYPE_CHECKING, Any

from . import __version__, dependencies, downloads, orders
from .call import Call
from .desk import Desk, bug_line, open_desk
from .errors import EXIT_BUG, PortabilityError, TookTooLong, UsageError
from .operations_archives import archive, archives, overview, plan
from .operations_runs import busy, cancel, latest, link, ordered, run, start
from .stashlog import StashLog

if TYPE_CHECKING:
    from .libraries.stash import StashSource

SECONDS = 4.3
"""Until an answer, whatever the rest still does: a fifth of a second is Python's start, and five are promised."""
MARGIN = 0.4
"""Seconds before that, at which a template is ended, so that there is time to say so."""

Operation = Callable[[Desk], dict[str, Any]]


def answer(call: Call, environment: Mapping[str, str], log: StashLog, seconds: float = SECONDS) -> dict[str, Any]:
    """Do the operation the call names; after ``seconds`` answer without it."""
    kept: list[dict[str, Any]] = []
    worker = Thread(target=lambda: kept.append(_attempt(call, environment, log)), daemon=True)
    worker.start()
    worker.join(seconds)
    if kept:
        return kept[0]
    return _refusal(TookTooLong(seconds=f"{seconds:g}"))


def _attempt(call: Call, environment: Mapping[str, str], log: StashLog) -> dict[str, Any]:
    try:
        return {"ok": True, **OPERATIONS[call.mode](open_desk(call, environment, log))}
    except PortabilityError as problem:
        return _refusal(problem)
    except Exception as problem:  # noqa: BLE001 - a bug of ours is told to the page as everything else is
        log.say("debug", traceback.format_exc())
        return {"ok": False, "error": {"code": "Bug", "message": bug_line(problem), "exit_code": EXIT_BUG}}


def _refusal(problem: PortabilityError) -> dict[str, Any]:
    return {"ok": False, "error": {"code": problem.code, "message": str(problem), "exit_code": problem.exit_code}}


def status(desk: Desk) -> dict[str, Any]:
    """Versions, the data folder, the dependency sets, the last runs, and which of them goes on."""
    downloads.sweep(desk.plugin_folder, desk.now())
    shelf = desk.shelf()
    sets = {name: {"gives": one.gives, "from": shelf.state(name)} for name, one in dependencies.SETS.items()}
    reports = latest(desk)
    return {
        "version": __version__,
        "python": ".".join(str(part) for part in sys.version_info[:3]),
        "data": str(desk.places.data),
        "plugin": desk.call.plugin_id,
        "sets": sets,
        "ready": sets["core"]["from"] != "missing",
        "busy": busy(reports),
        "runs": reports,
    }


def fields(desk: Desk) -> dict[str, Any]:
    """Everything that can be chosen: kinds and fields, privacy levels, formats, closures, profiles, defaults."""
    from .offers import offers  # noqa: PLC0415 - seldom asked, and it reads profiles

    return offers(desk)


def count(desk: Desk) -> dict[str, Any]:
    """How many records each of the ``scopes`` holds."""
    told = desk.call.arguments
    kind, scopes, narrow = told.get("kind"), told.get("scopes"), told.get("narrow")
    if not isinstance(kind, str) or not isinstance(scopes, Mapping):
        raise UsageError("count wants a kind and scopes")
    desk.need("core")
    from .look import count as look  # noqa: PLC0415 - needs the libraries

    counts, problems = look(own_stash(desk), kind, scopes, narrow)
    return {"counts": counts, "problems": problems}


def preview(desk: Desk) -> dict[str, Any]:
    """The first records as the order would write them."""
    end = desk.clock() + SECONDS - MARGIN
    desk.need("core")
    _, options = orders.export_order(ordered(desk))
    desk.need(*orders.sets_to_do(options))
    from .look import preview as look  # noqa: PLC0415 - needs the libraries
    from .means import Means  # noqa: PLC0415

    return dict(look(options, own_stash(desk), Means(), end - desk.clock()))


def own_stash(desk: Desk) -> StashSource:
    """The Stash that calls, asked in a way that does not wait long."""
    from .libraries.connection import Limits, from_plugin  # noqa: PLC0415 - needs the libraries
    from .libraries.stash import StashSource  # noqa: PLC0415

    return StashSource(from_plugin(desk.call.server, limits=Limits(connect=2.0, read=SECONDS, pauses=())))


def save_template(desk: Desk) -> dict[str, Any]:
    """Keep a template of the page as one of our own, if it is a good one; ``name`` is how an order names it."""
    from .templates import save  # noqa: PLC0415 - a status does without

    return {"name": save(desk, desk.call.arguments.get("name"), desk.call.arguments.get("template"))}


OPERATIONS: Mapping[str, Operation] = {
    "status": status, "fields": fields, "count": count, "preview": preview, "start": start, "run": run,
    "cancel": cancel, "link": link, "save_template": save_template,
    "overview": overview, "archives": archives, "archive": archive, "plan": plan,
}  # fmt: skip
