"""Answers of the backend that are hard to bring about on a real Stash: a preview with everything in it that can be, and
what becomes of applying it. The page, and Stash, are real."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from playwright.sync_api import Route

    from .harness import Tab

PLAN = "20260501T200000.000Z-restore-0000000a"
ARCHIVE = "20260501T200000Z-stash.zip"
LONG = "Reed bed at the northern shore, from the first thaw to the last migration " * 4
DETAILS = "Herons wade, otters dive, and the marsh goes on. " * 12
HEADER: dict[str, Any] = {
    "plan": 1,
    "what": "restore replace",
    "archive": f"/data/backups/{ARCHIVE}",
    "options": {"archive": f"/data/backups/{ARCHIVE}", "kinds": ["tag"], "ids": {}, "links": True, "mode": "replace"},
    "counts": {"tag create": 1, "scene update": 900, "performer delete": 12, "conflicts": 2},
    "brakes": [{"name": "many-deletes", "why": "it would delete 12 of 40 performer"}],
    "decisions": {"conflicts": 1, "ambiguities": 1, "waiting": 3},
    "not_restored": {"scene.created_at": [31, "Stash sets it itself"]},
}
CHANGES = [
    {"op": "create", "kind": "tag", "uid": "new:tag:1", "label": "Wetland", "fields": [
        {"name": "name", "before": None, "after": "Wetland"},
        {"name": "aliases", "added": ["Fen", "Marsh"], "removed": []},
        {"name": "image", "image": True, "before": False, "after": True}]},
    {"op": "update", "kind": "scene", "uid": "12", "label": LONG, "fields": [
        {"name": "tags", "added": ["Wetland"], "removed": ["Season 0"]},
        {"name": "details", "before": "Short.", "after": DETAILS}]},
    {"op": "delete", "kind": "performer", "uid": "3", "label": "Heron", "fields": [
        {"name": "name", "before": "Heron", "after": None}]},
]  # fmt: skip
FOUND = {
    "conflicts": [{"kind": "scene", "uid": "12", "label": "Otter", "field": "title", "base": None, "source": "Otters",
                   "target": "Otter at play", "chosen": "ask"}],
    "ambiguities": [{"kind": "performer", "uid": "7", "label": "Heron", "why": "two are called so",
                     "candidates": ["Heron (12)", "Heron (14)"]}],
    "waiting": [{"kind": "image", "uid": str(one), "label": f"reed {one}.jpg", "why": "only a scan can make it",
                 "candidates": []} for one in range(3)],
}  # fmt: skip
MORE = 4711
"""The cursor of the second page of changes."""


def run_of(task: str, count: int) -> str:
    """The name of the run that the ``count``-th start has made."""
    return f"20260501T200100.000Z-{task}-{count:08x}"


@dataclass
class Canned:
    """Serves the answers above to one tab; ``started`` are the orders it was given, by their task."""

    outcome: dict[str, Any] = field(default_factory=dict)
    """What the run of ``apply`` reports."""
    started: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    asked: list[dict[str, Any]] = field(default_factory=list)

    def serve(self, tab: Tab) -> Canned:
        """Answer in place of the backend from now on, where there is an answer."""
        tab.page.context.route("**/graphql", self._answer)
        return self

    def _answer(self, route: Route) -> None:
        told = (json.loads(route.request.post_data or "{}").get("variables") or {}).get("args") or {}
        answers = {"plan": self._plan, "start": self._start, "run": self._run, "overview": self._overview}
        found = answers[told["mode"]](told) if told.get("mode") in answers else None
        if found is None:
            route.fallback()
        else:
            route.fulfill(json={"data": {"runPluginOperation": {"ok": True, **found}}})

    def _plan(self, told: dict[str, Any]) -> dict[str, Any]:
        self.asked.append(told)
        if told["what"] != "changes":
            return {"header": HEADER, "rows": FOUND[told["what"]], "cursor": None}
        rows = [row for row in CHANGES if all(told.get(key, row[key]) == row[key] for key in ("kind", "op"))]
        further = len(rows) == len(CHANGES) and not told.get("cursor")
        return {"header": HEADER, "rows": rows[: told["most"]], "cursor": MORE if further else None}

    def _start(self, told: dict[str, Any]) -> dict[str, Any]:
        self.started.append((told["task"], told["order"]))
        return {"run": run_of(told["task"], len(self.started)), "job": None}

    def _run(self, told: dict[str, Any]) -> dict[str, Any] | None:
        kind = told["run"].split("-")[1]
        report = {"changes": HEADER["counts"], "decisions": {"moved": 1}, "undoable": kind == "apply"}
        done = {"run": told["run"], "kind": kind, "state": "finished", "exit_code": 0, "report": report}
        return {"run": {**done, **(self.outcome if kind == "apply" else {})}}

    def _overview(self, _: dict[str, Any]) -> dict[str, Any]:
        waits = {"run": PLAN, "brakes": ["many-deletes"], "conflicts": 1, "ambiguities": 1, "waiting": 3}
        return {"backup": None, "going": None, "decisions": [waits], "runs": []}
