"""The tasks that restore: a preview of what would change, writing that, and taking it back. Each works on the Stash
that runs us, and no other; what it is to do is named by an archive's or a run's name (restore_orders.py).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from . import restore_orders, runs
from .desk import Desk
from .errors import UsageError
from .providing import provide_for
from .stashlog import StashProgress

NOTHING_TO_WRITE = "there is nothing to write"

if TYPE_CHECKING:
    from .means import Means
    from .model import Report
    from .target import Target

SHARES_OF_PLANNING = {"checking the bytes of the archive": 0.1, "checking the archive": 0.3, "reading the Stash": 0.3}
SHARES_OF_WRITING = {"restore point": 0.05, "writing": 0.95}
"""How long the phases take, compared with each other."""


class Ends:
    """What a task that restores works with: our Stash, opened, and where it tells how far it is."""

    def __init__(self, desk: Desk, shares: Mapping[str, float]) -> None:
        from .libraries.opening import Opening  # noqa: PLC0415 - needs the libraries just provided
        from .means import Means  # noqa: PLC0415
        from .target import own_target  # noqa: PLC0415

        self.progress = StashProgress(desk.log, desk.clock, dict(shares))
        self.means: Means = Means(now=desk.now)
        self.skipped: list[str] = []
        opening = Opening("", self.means.rng, self.progress.note, lambda problem: self.skipped.append(str(problem)))
        self.target: Target = own_target(desk.call.server, opening)
        self.address = self.target.reader.about().address

    def check(self, told: Mapping[str, Any], what: str) -> None:
        """Raise UsageError for what was done with another Stash: the command line may work on any. ``told``: its
        address ("target") and what tells it from others ("instance"), which counts where there is any."""
        from .incremental import is_same  # noqa: PLC0415 - needs the libraries just provided

        signs, address = told.get("instance"), told.get("target")
        if address != self.address and not (signs and is_same(signs, self.target.reader)):
            raise UsageError(f"{what} is of {address}, and this is {self.address}: use the command line for it")

    def facts(self, report: Report, last: str) -> dict[str, Any]:
        """The facts of the run; ``last`` is the last line of the log. What records are called stays out of that."""
        from .report import as_data, as_text  # noqa: PLC0415

        report.skipped += self.skipped
        report.samples = []
        data = as_data(report)
        return {"exit_code": data["exit_code"], "said": [*as_text(report).splitlines(), last], "report": data}


def restore(desk: Desk) -> dict[str, Any]:
    """Preview a restore: the plan lies in the run's folder then, and Stash is as it was."""
    archive = restore_orders.archive_order(desk)
    runs.note(desk.places.runs, desk.folder.name, archive=archive.name)
    provide_for(desk, archive)
    options = restore_orders.restore_order(desk)
    from .restore import plan_restore  # noqa: PLC0415 - needs the libraries just provided

    ends = Ends(desk, SHARES_OF_PLANNING)
    options = replace(options, target=ends.address)
    report = plan_restore(options, desk.folder, ends.progress, ends.means, ends.target)
    waits = "nothing is written yet: the page Portability shows what would be changed, and can do it"
    last = waits if report.changes else NOTHING_TO_WRITE
    return {**ends.facts(report, last), "planned": True}


def apply(desk: Desk) -> dict[str, Any]:
    """Write what a preview has found."""
    runs.note(desk.places.runs, desk.folder.name, **restore_orders.named(desk))
    desk.provide(["core"])
    order = restore_orders.apply_order(desk)
    from .planfile import read_header  # noqa: PLC0415 - needs the libraries just provided
    from .restore import apply_plan  # noqa: PLC0415
    from .writing import Asked  # noqa: PLC0415

    header = read_header(order.folder)
    provide_for(desk, Path(header["archive"]))
    ends = Ends(desk, SHARES_OF_WRITING)
    ends.check(header, f"the plan of {order.run}")
    asked = Asked(order.folder, order.accept)
    report = apply_plan(asked, desk.folder, ends.progress, ends.means, ends.target)
    return ends.facts(report, _end(desk, report))


def undo(desk: Desk) -> dict[str, Any]:
    """Take back what a run has written."""
    runs.note(desk.places.runs, desk.folder.name, **restore_orders.named(desk))
    desk.provide(["core"])
    order = restore_orders.undo_order(desk)
    from .undoing import undo as take_back  # noqa: PLC0415 - needs the libraries just provided
    from .undoing import written_by  # noqa: PLC0415
    from .writing import Asked  # noqa: PLC0415

    ends = Ends(desk, SHARES_OF_WRITING)
    ends.check(written_by(order.folder), f"what {order.run} wrote")
    report = take_back(Asked(order.folder, order.accept), desk.folder, ends.progress, ends.means, ends.target)
    return ends.facts(report, _end(desk, report))


def _end(desk: Desk, report: Report) -> str:
    return f"{desk.folder.name} can be undone" if report.undoable else "nothing was changed"
