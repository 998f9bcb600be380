"""The capabilities, each a composition. The command line and the plugin call only this.

Time and randomness come in through ``Means``; what a run did goes out as a Report.
"""

from __future__ import annotations

import gc
import random
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

from .config import ExportOptions, api_key
from .errors import FilterNeedsServer, OutputNotUsable, RecordError, UsageError, unknown
from .kinds import KINDS, Kind, plural
from .libraries.opening import Opening, open_library, open_own
from .means import Means, Run
from .media import write_media
from .model import About, Progress, Report, Searcher, Source, Transform, Want
from .outputs import open_sink
from .planning import ExportPlan, plan_export, room_needed
from .storage.container import Container, check_room, open_output
from .transform.choice import Choice, choose, chosen_ids
from .transform.names import Lookup
from .transform.pipeline import Pipeline
from .transform.redact import NameReplacer, Salt, learn_names, redactor
from .transform.scope import Roots, Selection, by_number

FREE_TEXT = {
    "share": "what titles, details and other free text say was not checked",
    "public": "in titles, details and other free text only the names and aliases of performers were replaced,"
    " as they are spelt; what else these texts say was not checked",
}


def export(options: ExportOptions, progress: Progress, means: Means, source: Source | None = None) -> Report:
    """Write what ``options`` choose of a library to a file, folder or zip, and tell what was done.

    ``source`` is given when it is open already (the plugin's own Stash). Nothing stands under the final name
    before all of it is written. Raises the errors of errors.py.
    """
    report = Report(what="export", privacy=options.privacy)
    container = None if options.nfo else _output(options)
    source = source or open_source(options, progress, means, report)
    about = source.about()
    report.source, report.how = f"{about.product} {about.version} at {about.address}", about.how or "read through"
    plan = plan_export(about, find_roots(source, about, options, report), options, report)
    pipeline = open_pipeline(source, options, plan, Run(about, progress, report, means))
    with calm_collector():
        if container is None:
            write_media(pipeline, options)
            _tell_left_out(report)
        else:
            check_room(options.to, room_needed(about, plan.roots))
            container.about_to_commit = lambda at: means.announce(at, _completed(report, container))
            with open_sink(container, options, plan.layout, pipeline.lookup) as sink:
                pipeline.run(sink, plan.kinds)
    progress.close()
    return report


def _completed(report: Report, container: Container) -> Report:
    """The report with what is known of the output just before it gets its name."""
    report.outputs, report.bytes = [str(container.path)], container.bytes
    _tell_left_out(report)
    tell_durability(report, container)
    return report


def tell_durability(report: Report, container: Container) -> None:
    """Note when the disk cannot say that it keeps what was written."""
    if not container.durable:
        report.notes.append(
            f"durability unknown: the disk of {container.path.name} cannot be told to keep what is written (no fsync);"
            " after a power cut, look whether it is whole"
        )


def _tell_left_out(report: Report) -> None:
    if report.references_left_out:
        report.notes.append(f"{report.references_left_out:,} references to records outside this export were left out")


def _output(options: ExportOptions) -> Container:
    """Where the export goes, checked. Raises OutputExists, OutputNotUsable."""
    _check_not_the_source(options)
    return open_output(options.to, options.shape, overwrite=options.overwrite)


def _check_not_the_source(options: ExportOptions) -> None:
    """Raise OutputNotUsable when the output would replace what is read, or one would lie in the other."""
    try:
        source = Path(options.source).expanduser().resolve(strict=True)
        to = options.to.resolve()
    except (OSError, ValueError, RuntimeError):
        return
    if source == to:
        raise OutputNotUsable(path=options.to, reason="it is what the export is read from")
    if to.is_relative_to(source):
        raise OutputNotUsable(path=options.to, reason="it lies in what the export is read from")
    if source.is_relative_to(to) and options.shape == "folder":
        raise OutputNotUsable(path=options.to, reason="what the export is read from lies in it")


@contextmanager
def calm_collector() -> Iterator[None]:
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
    return open_library(options.source, Opening(options.api_key, means.rng, progress.note, _into(report.skipped)))


def own_library(server: Mapping[str, Any], means: Means, note: Callable[[str], None], skipped: list[str]) -> Source:
    """Open the Stash that runs us as its plugin; records it cannot read are told in ``skipped``."""
    return open_own(server, Opening("", means.rng, note, _into(skipped)))


def _into(skipped: list[str]) -> Callable[[RecordError], None]:
    """What tells in ``skipped`` of a record that cannot be read."""

    told: set[str] = set()

    def tell(problem: RecordError) -> None:
        if str(problem) not in told:  # NFO files take two looks at each scene
            told.add(str(problem))
            skipped.append(str(problem))

    return tell


def library(arguments: Mapping[str, Any], environment: Mapping[str, str]) -> Source:
    """Open the library that ``--from`` names, for a look at it."""
    quiet = Opening(api_key(arguments.get("api_key_file"), environment), random.Random(), _ignore, _ignore)  # noqa: S311
    return open_library(str(arguments["from"]), quiet)


def _ignore(_: object) -> None:
    return None


def find_roots(source: Source, about: About, options: ExportOptions, report: Report) -> Roots:
    """The records asked for, by kind, ids in ascending order. Filters are evaluated by Stash. Raises
    FilterNeedsServer, BadFilter or UnknownName."""
    kinds = [kind for kind in options.kinds if about.fields.get(kind)]
    if options.choosing:
        choice = find_choice(source, options)
        if choice.whole:
            return {choice.kind: None}
        return {choice.kind: list(chosen_ids(choice, cast("Searcher", source)))} if kinds else {}
    if options.since:
        dated = [kind for kind in kinds if "updated_at" in about.fields[kind]]
        undated = [plural(kind, 2) for kind in kinds if kind not in dated]
        report.notes += [f"--since leaves out {name}, which have no date of change" for name in undated]
        return {kind: sorted(_since(source, kind, options.since), key=by_number) for kind in dated}
    return dict.fromkeys(kinds)


def find_choice(source: Source, options: ExportOptions) -> Choice:
    """Which records of one kind were asked for. Raises FilterNeedsServer, BadFilter or UnknownName."""
    if not (options.ids and not options.narrow) and not hasattr(source, "find_ids"):
        raise FilterNeedsServer(address=options.source)
    kind, criteria, query = options.kinds[0], options.criteria or {}, options.query
    if options.saved_filter:
        kind, criteria, query = cast("Searcher", source).saved_filter(options.saved_filter)
        if options.kinds not in (tuple(KINDS), (kind,)):
            raise UsageError(f"the saved filter {options.saved_filter!r} is one of {KINDS[kind].plural}")
    return choose(kind, (criteria, query), options.ids or None, options.narrow)


def _since(source: Source, kind: str, since: str) -> list[str]:
    """The ids of ``kind`` changed at ``since`` or later. Stash does not touch updated_at for everything (play
    history, markers of a scene); README says so."""
    if hasattr(source, "find_ids_since"):
        return list(source.find_ids_since(kind, since))
    changed = source.read(kind, Want(frozenset(("updated_at",))))
    return [record.uid for record in changed if (record.data.get("updated_at") or "") >= since]


def open_pipeline(source: Source, options: ExportOptions, plan: ExportPlan, run: Run) -> Pipeline:
    """What carries the records of ``plan`` from ``source`` into a sink, with what privacy needs to know."""
    # No id is written into NFO files but at the level full; what is only compared must be the same in every run.
    salt, names = Salt(b"" if options.nfo else run.means.secret(32)), NameReplacer()
    if options.privacy == "public":
        _learn(source, salt, names, run)
    if options.privacy != "full":
        run.report.notes.append(FREE_TEXT[options.privacy])
    if options.blobs and options.privacy == "public":
        run.report.remarks.append("kept back by privacy public: all images")
    transforms = redactor(options.privacy, salt, names)
    compiled: dict[str, Transform] = {kind: transforms(kind) for kind in KINDS}
    return Pipeline(
        source=source,
        selection=Selection(options.closure, plan.roots, plan.written, plan.shaped),
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


def _learn(source: Source, salt: Salt, names: NameReplacer, run: Run) -> None:
    """Learn the names that texts may not show; say so when the library does not tell them."""
    if not {"name", "aliases"} <= set(run.about.fields.get("performer", ())) or run.about.counts.get("performer") == 0:
        run.report.remarks.append("this library holds no performers, so no name of theirs in a text was replaced")
        return
    learn_names(source.read("performer", Want(frozenset(("name", "aliases")))), salt, names)


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
