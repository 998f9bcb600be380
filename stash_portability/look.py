"""Looking before exporting: how many records are chosen (``count``), and what the first of them will be like
(``preview``). Both write nothing, and are for people who wait: neither reads more of a library than it must.
"""

from __future__ import annotations

import csv
import io
import math
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, cast

from .commands import find_choice, find_roots, open_pipeline
from .config import ExportOptions, export_options
from .errors import UsageError, unknown
from .glass import SHOWN, Glass, open_glass
from .kinds import KINDS, PARTS_OF, references
from .libraries.tables.csv_form import FIELD_LIMIT
from .libraries.tables.layout import Layout
from .means import Means, Run
from .model import About, Record, Report, Searcher, Source, Want
from .planning import ExportPlan, asked_for, plan_export, room_of
from .progress import Quiet
from .transform.choice import Choice, Counter, chosen_ids, count_chosen, existing
from .transform.narrow import criteria, parse_narrow
from .transform.pipeline import Pipeline
from .transform.profile import find_kind
from .transform.scope import Roots

SAMPLE = 50
"""Records whose size tells that of all; with images only those that are shown."""
MOST_FOLLOWED = 2000
"""Records asked for of which the whole closure within their kind is followed, so that the first that are written are
the first that are shown. Of more, only that of the first so many."""
PATIENCE = 3.0
"""Seconds that ids are listed in order to count them."""
NOT_COUNTED = "too many records to count within seconds: Stash cannot join this choice with the filters on top of it"
MOST_TEXT, MOST_CELL = 20_000, 2000
CUT = " …"
"""What stands where a text or cell goes on."""
SCOPE_KEYS = ("filter", "query", "ids", "saved_filter")

SECONDS = 3.5
"""That a preview may take when nobody says how long."""
LEAST_SECONDS = 0.2

FILE_RATES = {
    "json": 11_000, "jsonl": 11_000, "csv": 9000, "tsv": 9000, "xml": 8000, "yaml": 1500, "nfo": 1000, "template": 2500,
}  # fmt: skip
GRAPHQL_RATE = 900
"""Records a second of an export from the database file, by format, and through GraphQL: measured on two processors
with 100,000 scenes that have all a scene can have (benchmarks/bench.py); nfo (without pictures) and template with 8,000
simpler ones, beside other work."""
_LOOK_EVERY = 1000


def count(
    source: Counter,
    kind: str,
    scopes: Mapping[str, Any],
    narrow: Any = None,
    clock: Callable[[], float] = time.monotonic,
) -> tuple[dict[str, int | None], dict[str, str]]:
    """How many records of ``kind`` each of ``scopes`` holds once it is narrowed, and what is wrong with those that
    cannot be counted, both by the name of the scope.

    A scope is a mapping with ``filter``, ``query``, ``ids`` or ``saved_filter`` (none of them: all records). One
    question to Stash a scope, but for a filter that cannot be joined with the narrowing (see narrow.merge): then
    the ids of both are listed, for ``PATIENCE`` seconds at most (``clock`` gives them; measured: Stash lists some
    20,000 ids a second). Raises UsageError when kind or narrowing are wrong.
    """
    name = find_kind(kind).name
    checked = parse_narrow(narrow or {})
    criteria(name, checked)
    if not isinstance(scopes, Mapping):
        raise UsageError("the scopes to count must be an object of scopes by name")
    counts: dict[str, int | None] = {}
    problems: dict[str, str] = {}
    end = clock() + PATIENCE
    for label, scope in scopes.items():
        patience = _Patience(clock, end)
        try:
            options = _scope({"kinds": name, "narrow": checked}, scope)
            choice = find_choice(source, options) if options.choosing else Choice(name)
            counts[str(label)] = count_chosen(choice, source, patience)
        except UsageError as problem:
            problems[str(label)] = str(problem)
        if patience.over:
            counts.pop(str(label), None)
            problems[str(label)] = NOT_COUNTED
    return counts, problems


class _Patience:
    """Ends the listing of ids at ``end`` (seconds of ``clock``), but for the first ones; ``over`` tells that it did."""

    def __init__(self, clock: Callable[[], float], end: float) -> None:
        self.over = False
        self._clock, self._end = clock, end

    def __call__(self, ids: Iterator[str]) -> Iterator[str]:
        for number, uid in enumerate(ids):
            if number and number % _LOOK_EVERY == 0 and self._clock() > self._end:
                self.over = True
                return
            yield uid


def _scope(given: Mapping[str, Any], scope: Any) -> ExportOptions:
    """The options of an export of one scope. Raises UsageError."""
    if not isinstance(scope, Mapping):
        raise UsageError(f"a scope must be an object with {', '.join(SCOPE_KEYS)}")
    for key in scope:
        if key not in SCOPE_KEYS:
            raise unknown("key of a scope", str(key), SCOPE_KEYS)
    if not isinstance(scope.get("filter") or {}, Mapping):
        raise UsageError("the filter of a scope must be an object")
    said = {key: value for key, value in scope.items() if value not in (None, "")}
    return export_options({"from": "this Stash", "to": "count.jsonl", **said, **given}, {})


def preview(options: ExportOptions, source: Source, means: Means, seconds: float = SECONDS) -> dict[str, Any]:
    """The first records of the first kind an export was asked for, just as it would write them; how many there are,
    and a guess at the size and time of the whole.

    ``kind``, ``form``, ``count`` (None: the source does not know), ``records`` (how many are shown), ``columns`` and
    ``rows`` of texts for csv and tsv, else ``text``; ``guess`` {bytes, seconds}; ``notes``, ``remarks``. A template has
    what is left of ``seconds``; BadTemplate is raised for what it makes of any record that is read. Reads
    ``SAMPLE`` records and what they refer to, and the ids of at most ``MOST_FOLLOWED``, but all that changed for
    ``--since``, all names of performers at the level ``public``, and the ids of both a filter and a narrowing that
    cannot be joined. Raises as the export would.
    """
    end = means.clock() + seconds
    report = Report(what="preview", privacy=options.privacy)
    about = source.about()
    asked = _asked(source, about, options, Run(about, Quiet(), report, means))
    plan = plan_export(about, asked.roots, options, report)
    kind = _first_kind(plan, about)
    pipeline = open_pipeline(source, options, plan, Run(about, Quiet(), report, means))
    records, found = _first_records(pipeline, kind)
    left = round(max(end - means.clock(), LEAST_SECONDS), 1)
    glass = open_glass(options, plan.layout, pipeline, left)
    glass.look(pipeline, kind, records)
    total = asked.count if asked.partly else about.counts.get(kind) if found is None else found
    return {
        "kind": kind,
        "form": options.form,
        "count": total,
        "records": min(glass.records, SHOWN),
        **_shown(glass, options, plan.layout, kind),
        "guess": _guess(glass, options, plan, _Extent(about, kind, total, _rate(source, about, options.form))),
        "notes": report.notes,
        "remarks": [*report.remarks, *report.skipped, *(reason.text for reason in report.reasons)],
    }


@dataclass(frozen=True, slots=True)
class _Asked:
    """The records asked for, by kind; when these are not all (``partly``), how many there are, or None where nobody
    could wait for the number."""

    roots: Roots
    partly: bool = False
    count: int | None = None


def _asked(source: Source, about: About, options: ExportOptions, run: Run) -> _Asked:
    """As many of the records asked for as what is shown can depend on."""
    if not options.choosing:
        return _Asked(find_roots(source, about, options, run.report))
    choice = find_choice(source, options)
    if choice.whole or not about.fields.get(choice.kind):
        return _Asked({choice.kind: None})
    most = MOST_FOLLOWED if _refers_to_itself(choice.kind) else SAMPLE
    patience = _Patience(run.means.clock, run.means.clock() + PATIENCE)
    ids = list(islice(_ids(choice, source, run.report, patience), most + 1))
    if len(ids) <= most and not patience.over:
        return _Asked({choice.kind: ids})
    total = count_chosen(choice, cast("Counter", source), patience)
    if patience.over:
        run.report.notes.append(NOT_COUNTED)
    return _Asked({choice.kind: ids[:most]}, partly=True, count=None if patience.over else total)


def _ids(choice: Choice, source: Source, report: Report, patience: _Patience) -> Iterator[str]:
    if choice.searches:
        return chosen_ids(choice, cast("Searcher", source), patience)
    there = [record.uid for record in existing(choice, source)]
    missing = len(choice.ids or ()) - len(there)
    if missing:
        report.remarks.append(f"{missing:,} of the {KINDS[choice.kind].plural} asked for do not exist")
    return iter(there)


def _refers_to_itself(kind: str) -> bool:
    """Whether a closure brings more records of ``kind`` than were asked for, or leaves references to them out."""
    return kind in PARTS_OF or any((part or field).of == kind for field, part in references(KINDS[kind]))


def _first_kind(plan: ExportPlan, about: About) -> str:
    """The first kind that was asked for and has records. (Scenes that are only brought along by their markers are
    written before these, but nobody asked for them.)"""
    asked = [kind for kind in plan.kinds if kind in plan.roots] or list(plan.kinds)
    filled = (kind for kind in asked if plan.roots.get(kind) != [] and about.counts.get(kind) != 0)
    return next(filled, asked[0])


def _first_records(pipeline: Pipeline, kind: str) -> tuple[list[Record], int | None]:
    """The first records of ``kind``, and how many there are of it, or None when all are taken."""
    source = pipeline.source
    pipeline.selection.expect_owners(source)
    ids = pipeline.settle(kind)
    most = SHOWN if pipeline.blobs else SAMPLE
    listed = _first_ids(source, kind, most) if ids is None else ids[:most]
    want = Want(pipeline.fields.get(kind), listed, pipeline.blobs)
    return list(islice(source.read(kind, want), most)), None if ids is None else len(ids)


def _first_ids(source: Source, kind: str, most: int) -> list[str] | None:
    """The first ids of ``kind``: a page of ids is cheaper than the page of records that reading would begin with.
    None where a source does not tell."""
    if not KINDS[kind].criteria or not hasattr(source, "find_ids"):
        return None
    return list(islice(cast("Searcher", source).find_ids(kind, {}), most))


def _shown(glass: Glass, options: ExportOptions, layout: Layout, kind: str) -> dict[str, Any]:
    """What is shown: ``columns`` and ``rows``, or ``text``."""
    text = glass.shown()
    if options.form not in ("csv", "tsv"):
        return {"text": _cut(text, MOST_TEXT)}
    csv.field_size_limit(FIELD_LIMIT)
    lines = csv.reader(io.StringIO(text, newline=""), delimiter="\t" if options.form == "tsv" else ",")
    rows = [[_cut(cell, MOST_CELL) for cell in line] for line in lines]
    return {"columns": rows[0] if rows else [column.header for column in layout.columns[kind]], "rows": rows[1:]}


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else text[:most] + CUT


@dataclass(frozen=True, slots=True)
class _Extent:
    """Of which library, which kind, how many records, and how many of any kind are written in a second."""

    about: About
    kind: str
    total: int | None
    rate: int


def _rate(source: Source, about: About, form: str) -> int:
    """Records a second. Where the database file of a Stash lies on this machine, an export will most likely read it,
    also when this preview did not."""
    rate = FILE_RATES[form]
    if "GraphQL" not in about.how:
        return rate
    status = getattr(source, "status", None)
    near = status is not None and Path(status().database or ".").is_file()
    return rate if near else min(rate, GRAPHQL_RATE)


def _guess(glass: Glass, options: ExportOptions, plan: ExportPlan, extent: _Extent) -> dict[str, Any]:
    """Bytes and seconds of the whole export, roughly: the sample tells the size of its kind, and how far that of the
    other kinds asked for may be from what planning holds ready for them. None where nothing is known. What a
    closure brings along is not counted."""
    if extent.total is None:
        return {"bytes": None, "seconds": None}
    each = glass.size(zipped=options.shape == "zip") / max(glass.records, 1)
    others = {kind: count for kind, count in asked_for(extent.about, plan.roots).items() if kind in plan.kinds}
    others.pop(extent.kind, None)
    room = sum(count * room_of(kind) for kind, count in others.items())
    return {
        "bytes": round(each * (extent.total + room / room_of(extent.kind))),
        "seconds": math.ceil((extent.total + sum(others.values())) / extent.rate),
    }
