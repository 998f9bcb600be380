"""The capabilities, each a composition. The command line and the plugin call only this.

Time and randomness come in through ``Means``; what a run did goes out as a Report.
"""

from __future__ import annotations

import gc
import os
import random
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from . import __version__
from .config import ExportOptions, api_key
from .errors import FilterNeedsServer, RecordError, UsageError, unknown
from .kinds import KINDS, LEVELS, PARTS_OF, Kind, allowed
from .libraries.opening import Opening, open_library, open_own
from .libraries.tables.layout import Layout
from .libraries.tables.sink import TableSink
from .model import About, Progress, Report, Source, Transform, Want
from .report import plural
from .storage.container import check_room, open_output
from .transform.names import Lookup
from .transform.paths import Column, field_columns, sheet_columns
from .transform.pipeline import Pipeline
from .transform.profile import fields_read
from .transform.redact import NameReplacer, Salt, learn_names, redactor, visible
from .transform.scope import Roots, Selection, reach

ROOM_PER_RECORD = {"scene": 3000, "image": 1200, "performer": 1200, "config": 20_000}
"""Bytes a record may take in the wordiest format, for the look at the disk before an export begins."""
ROOM_PER_OTHER = 600
FREE_TEXT = {
    "share": "what titles, details and other free text say was not checked",
    "public": "in titles, details and other free text only the names and aliases of performers were replaced,"
    " as they are spelt; what else these texts say was not checked",
}


@dataclass(frozen=True, slots=True)
class Means:
    """What a run takes from the outside: seconds that never go back, secret bytes, and a random generator."""

    clock: Callable[[], float] = time.monotonic
    secret: Callable[[int], bytes] = os.urandom
    rng: random.Random = field(default_factory=random.Random)


def export(options: ExportOptions, progress: Progress, means: Means, source: Source | None = None) -> Report:
    """Write what ``options`` choose of a library to a file, folder or zip, and tell what was done.

    ``source`` is given when it is open already (the plugin's own Stash). Nothing stands under the final name
    before all of it is written. Raises the errors of errors.py.
    """
    report = Report(what="export", privacy=options.privacy)
    container = open_output(options.to, options.shape, overwrite=options.overwrite)
    source = source or open_source(options, progress, means, report)
    about = source.about()
    report.source, report.how = f"{about.product} {about.version} at {about.address}", about.how or "read through"
    plan = _plan(about, find_roots(source, about, options, report), options, report)
    check_room(options.to, _room(about, plan.roots))
    pipeline = _pipeline(source, options, plan, _Run(about, progress, report, means))
    with _calm_collector(), TableSink(container, options.form, plan.layout, pipeline.lookup) as sink:
        pipeline.run(sink, plan.kinds)
    progress.close()
    report.outputs, report.bytes = [str(options.to)], container.bytes
    if report.references_left_out:
        report.notes.append(f"{report.references_left_out:,} references to records outside this export were left out")
    return report


@contextmanager
def _calm_collector() -> Iterator[None]:
    """Let the garbage collector look less often: records hold no cycles, and it would walk millions of them in vain
    (measured: 5 to 8 % of an export)."""
    before = gc.get_threshold()
    gc.set_threshold(100_000, 50, 100)
    try:
        yield
    finally:
        gc.set_threshold(*before)


def open_source(options: ExportOptions, progress: Progress, means: Means, report: Report) -> Source:
    """Open the library an export reads from; records it cannot read go into the report."""

    def skip(problem: RecordError) -> None:
        report.skipped.append(str(problem))

    return open_library(options.source, Opening(options.api_key, means.rng, progress.note, skip))


def own_library(server: Mapping[str, Any], means: Means, note: Callable[[str], None], skipped: list[str]) -> Source:
    """Open the Stash that runs us as its plugin; records it cannot read are told in ``skipped``."""

    def skip(problem: RecordError) -> None:
        skipped.append(str(problem))

    return open_own(server, Opening("", means.rng, note, skip))


def library(arguments: Mapping[str, Any], environment: Mapping[str, str]) -> Source:
    """Open the library that ``--from`` names, for a look at it."""
    quiet = Opening(api_key(arguments.get("api_key_file"), environment), random.Random(), _ignore, _ignore)  # noqa: S311
    return open_library(str(arguments["from"]), quiet)


def _ignore(_: object) -> None:
    return None


def find_roots(source: Source, about: About, options: ExportOptions, report: Report) -> Roots:
    """The records asked for, by kind. Filters are evaluated by Stash. Raises FilterNeedsServer or BadFilter."""
    kinds = [kind for kind in options.kinds if about.fields.get(kind)]
    if options.saved_filter or options.criteria is not None:
        return _filtered(source, options)
    if options.ids:
        return {kinds[0]: list(options.ids)} if kinds else {}
    if options.since:
        dated = [kind for kind in kinds if "updated_at" in about.fields[kind]]
        undated = [plural(kind, 2) for kind in kinds if kind not in dated]
        report.notes += [f"--since leaves out {name}, which have no date of change" for name in undated]
        return {kind: _since(source, kind, options.since) for kind in dated}
    return dict.fromkeys(kinds)


def _filtered(source: Source, options: ExportOptions) -> Roots:
    if not hasattr(source, "find_ids"):
        raise FilterNeedsServer(address=options.source)
    if not options.saved_filter:
        return {options.kinds[0]: list(source.find_ids(options.kinds[0], options.criteria or {}))}
    kind, criteria, query = source.saved_filter(options.saved_filter)  # type: ignore[attr-defined]
    if options.kinds not in (tuple(KINDS), (kind,)):
        raise UsageError(f"the saved filter {options.saved_filter!r} is one of {KINDS[kind].plural}")
    return {kind: list(source.find_ids(kind, criteria, query))}


def _since(source: Source, kind: str, since: str) -> list[str]:
    """The ids of ``kind`` changed at ``since`` or later. Stash does not touch updated_at for everything (play
    history, markers of a scene); README says so."""
    if hasattr(source, "find_ids_since"):
        return list(source.find_ids_since(kind, since))
    changed = source.read(kind, Want(frozenset(("updated_at",))))
    return [record.uid for record in changed if (record.data["updated_at"] or "") >= since]


@dataclass(frozen=True, slots=True)
class _Plan:
    """Which kinds are written, how, which fields are read for it, and which references stay references."""

    kinds: tuple[str, ...]
    layout: Layout
    fields: Mapping[str, frozenset[str]]
    shaped: Mapping[str, frozenset[str]]
    roots: Roots


@dataclass(frozen=True, slots=True)
class _Run:
    about: About
    progress: Progress
    report: Report
    means: Means


def _plan(about: About, roots: Roots, options: ExportOptions, report: Report) -> _Plan:
    offered = [kind for kind in KINDS if about.fields.get(kind) and KINDS[kind].privacy in LEVELS[options.privacy]]
    columns = {kind: _columns(KINDS[kind], about, options, report) for kind in offered}
    shaped_kinds = [kind for kind in offered if options.sheet or kind in options.columns]
    shaped = {kind: frozenset(_written_references(columns[kind])) for kind in shaped_kinds}
    within = frozenset(roots) if options.sheet else reach(roots, options.closure, shaped)
    kinds = tuple(kind for kind in offered if kind in within)
    _check_not_empty(kinds, columns, about, options)
    read = {kind: fields_read(columns[kind]) for kind in kinds}
    layout = Layout(
        columns={kind: columns[kind] for kind in kinds},
        single=options.shape == "file",
        sheet=options.sheet,
        csv_safe=options.csv_safe,
        bom=options.bom,
        header=_header(about, options),
    )
    return _Plan(kinds, layout, {kind: _with_owner(kind, names) for kind, names in read.items()}, shaped, roots)


def _check_not_empty(kinds: tuple[str, ...], columns: Mapping[str, Any], about: About, options: ExportOptions) -> None:
    """Raise UsageError when nothing can come out: an empty export is no answer to somebody who wants something."""
    if not kinds:
        asked = ", ".join(KINDS[kind].plural for kind in options.kinds)
        why = f"{about.product} has no {asked} to give, or privacy {options.privacy} keeps them back"
        raise UsageError(f"there is nothing to export: {why}")
    bare = [KINDS[kind].plural for kind in kinds if not columns[kind]]
    if bare:
        raise UsageError(
            f"no column is left of {', '.join(bare)}: privacy {options.privacy} keeps back what was asked for"
        )


def _with_owner(kind: str, names: frozenset[str]) -> frozenset[str]:
    return names | {PARTS_OF[kind][1]} if kind in PARTS_OF else names


def _columns(kind: Kind, about: About, options: ExportOptions, report: Report) -> tuple[Column, ...]:
    """The columns of ``kind``: those asked for, or all the source has, less what privacy keeps back."""
    asked = options.columns.get(kind.name)
    if asked:
        shown = tuple(column for column in asked if visible(column.path, options.privacy))
        _tell_hidden(asked, shown, report)
        return tuple(column for column in shown if _offered(column, about, report))
    at_hand = set(about.fields[kind.name])
    fields = tuple(
        field.name
        for field in allowed(kind, options.privacy)
        if field.name in at_hand and (options.blobs or field.type != "blob")
    )
    columns = sheet_columns(kind, fields) if options.sheet else field_columns(kind, fields)
    return tuple(column for column in columns if visible(column.path, options.privacy))


def _tell_hidden(asked: tuple[Column, ...], shown: tuple[Column, ...], report: Report) -> None:
    hidden = [column.path.text for column in asked if column not in shown]
    if hidden:
        report.remarks.append(f"kept back by privacy {report.privacy}: {', '.join(hidden)}")


def _offered(column: Column, about: About, report: Report) -> bool:
    name = column.path.steps[0]
    if name == "id" or name in about.fields[column.path.kind]:
        return True
    report.remarks.append(f"{about.product} {about.version} has no {column.path.kind} {name}; the column is left out")
    return False


def _written_references(columns: tuple[Column, ...]) -> list[str]:
    """The fields whose references are written as references, and so must not lead nowhere."""
    return [
        column.path.steps[0]
        for column in columns
        if column.path.end.type == "ref" or any(part.type == "ref" for part in column.path.end.parts)
    ]


def _header(about: About, options: ExportOptions) -> dict[str, Any]:
    """What an export says of itself. No time in it: the same library gives the same bytes."""
    full = options.privacy == "full"
    return {
        "tool": f"stash-portability {__version__}",
        "source": {"product": about.product, "version": about.version, "schema": about.schema} if full else {},
        "privacy": options.privacy,
        "closure": options.closure,
    }


def _room(about: About, roots: Roots) -> int:
    """Bytes the export may need, guessed high from the number of records."""
    counts = ((kind, about.counts.get(kind) or 0) for kind in about.fields)
    asked = {kind: len(ids) for kind, ids in roots.items() if ids is not None}
    return sum(
        asked.get(kind, count) * ROOM_PER_RECORD.get(kind, ROOM_PER_OTHER) for kind, count in counts if kind in roots
    )


def _pipeline(source: Source, options: ExportOptions, plan: _Plan, run: _Run) -> Pipeline:
    salt, names = Salt(run.means.secret(32)), NameReplacer()
    if options.privacy == "public" and "performer" in run.about.fields:
        learn_names(source.read("performer", Want(frozenset(("name", "aliases")))), salt, names)
    if options.privacy != "full":
        run.report.notes.append(FREE_TEXT[options.privacy])
    transforms = redactor(options.privacy, salt, names)
    compiled: dict[str, Transform] = {kind: transforms(kind) for kind in KINDS}
    return Pipeline(
        source=source,
        selection=Selection(options.closure, plan.roots, plan.shaped),
        transform=compiled.__getitem__,
        lookup=Lookup(
            source,
            {kind: plan.layout.columns[kind] for kind in plan.kinds if kind in plan.shaped},
            compiled.__getitem__,
        ),
        fields=plan.fields,
        counts=run.about.counts,
        blobs=options.blobs,
        progress=run.progress,
        report=run.report,
        clock=run.means.clock,
    )


def fields_text(name: str) -> str:
    """The fields of one kind, or of every kind, as a table for the terminal. Raises UnknownName."""
    if name and name not in KINDS:
        raise unknown("kind", name, KINDS)
    chosen = [KINDS[name]] if name else list(KINDS.values())
    return "\n\n".join(_kind_text(kind) for kind in chosen)


def _kind_text(kind: Kind) -> str:
    lines = [f"{kind.name} ({kind.plural})"]
    for one in kind.fields:
        shape = f"list of {one.of or one.type}" if one.many else one.of or one.type
        since = "" if one.since == "0.27" else f", since {one.since}"
        note = f": {one.note}" if one.note else ""
        lines.append(f"  {one.name:<20} {shape}, {one.privacy}{since}{note}")
        lines += [f"    .{part.name:<17} {part.of or part.type}, {part.privacy}" for part in one.parts]
    return "\n".join(lines)
