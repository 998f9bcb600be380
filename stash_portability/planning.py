"""What an export will write, decided before anything is written: which kinds, which columns, which fields are read
for them, and which references stay references. Reads nothing; what cannot be had is told in the report.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from . import __version__
from .config import ExportOptions
from .errors import UsageError
from .kinds import KINDS, LEVELS, PARTS_OF, Kind, allowed
from .libraries.nfo.dialects import COLUMNS
from .libraries.tables.layout import Layout
from .libraries.template.view import Sight
from .libraries.template.view import columns as columns_of
from .model import About, Report
from .transform.paths import Column, field_columns, parse, sheet_columns
from .transform.profile import fields_read
from .transform.redact import visible
from .transform.scope import Roots, Written, reach, referred

ROOM_PER_RECORD = {"scene": 3000, "image": 1200, "performer": 1200, "config": 20_000}
"""Bytes a record may take in the wordiest format, for the look at the disk before an export begins."""
ROOM_PER_OTHER = 600
Columns = Mapping[str, tuple[Column, ...]]


@dataclass(frozen=True, slots=True)
class ExportPlan:
    """Which kinds are written, how, which fields are read for it, which references stay references, and of which
    kinds only some columns were asked for."""

    kinds: tuple[str, ...]
    layout: Layout
    fields: Mapping[str, frozenset[str]]
    written: Written
    shaped: frozenset[str]
    roots: Roots


def plan_export(about: About, roots: Roots, options: ExportOptions, report: Report) -> ExportPlan:
    """Plan an export of ``roots`` from the library ``about`` tells of. Raises UsageError when nothing comes of it."""
    offered = [kind for kind in KINDS if about.fields.get(kind) and KINDS[kind].privacy in LEVELS[options.privacy]]
    columns = {kind: _columns(KINDS[kind], about, options, report) for kind in offered}
    named = options.form in ("nfo", "template")
    apart = options.sheet or named
    shaped = frozenset(kind for kind in offered if apart or kind in options.columns)
    # What is shown by name leads nowhere: no reference has to be left out because its record is not exported.
    written = {kind: frozenset(() if named else _written_references(columns[kind])) for kind in offered}
    within = frozenset(roots) if apart else reach(roots, options.closure, written, shaped)
    kinds = tuple(kind for kind in offered if kind in within)
    _check_not_empty(kinds, columns, about, options)
    _tell_nameless(kinds, columns, written, report)
    read = {kind: fields_read(columns[kind]) for kind in kinds}
    layout = Layout(
        columns={kind: columns[kind] for kind in kinds},
        single=options.shape == "file",
        sheet=options.sheet,
        csv_safe=options.csv_safe,
        bom=options.bom,
        header=_header(about, options),
    )
    fields = {kind: _with_owner(kind, names) for kind, names in read.items()}
    return ExportPlan(kinds, layout, fields, written, shaped, roots)


def _check_not_empty(kinds: tuple[str, ...], columns: Columns, about: About, options: ExportOptions) -> None:
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


def _tell_nameless(kinds: tuple[str, ...], columns: Columns, written: Written, report: Report) -> None:
    """Remark on kinds that others refer to by an id that is not among their columns."""
    for kind in kinds:
        if all(column.path.text != "id" for column in columns[kind]):
            users = [other for other in kinds if kind in referred(other, written)]
            if users:
                names = ", ".join(KINDS[other].plural for other in users)
                report.remarks.append(f"{KINDS[kind].plural} are written without id, by which {names} refer to them")


def _with_owner(kind: str, names: frozenset[str]) -> frozenset[str]:
    return names | {PARTS_OF[kind][1]} if kind in PARTS_OF else names


def _columns(kind: Kind, about: About, options: ExportOptions, report: Report) -> tuple[Column, ...]:
    """The columns of ``kind``: those asked for, or all the source has, less what privacy keeps back."""
    asked = options.columns.get(kind.name)
    if options.form in ("nfo", "template"):
        if asked:
            _tell_asked(kind, options, asked, report)
        return _read_for(kind, about, options, asked)
    if asked:
        shown = tuple(column for column in asked if visible(column.path, options.privacy))
        _tell_hidden(asked, shown, report)
        return tuple(column for column in shown if _offered(column, about, options, report))
    at_hand = set(about.fields[kind.name])
    fields = tuple(
        field.name
        for field in allowed(kind, options.privacy)
        if field.name in at_hand and (options.blobs or field.type != "blob")
    )
    columns = sheet_columns(kind, fields) if options.sheet else field_columns(kind, fields)
    return tuple(column for column in columns if visible(column.path, options.privacy))


def _read_for(kind: Kind, about: About, options: ExportOptions, asked: Sequence[Column] | None) -> tuple[Column, ...]:
    """What an NFO file or a template may say of a record of ``kind``, as far as the source has it and privacy lets it
    out; of NFO files only what was asked for."""
    if options.template:
        return columns_of(kind.name, Sight(options.privacy, about.fields, options.blobs, options.template.words))
    if kind.name != "scene":
        return ()
    fields = {column.path.steps[0] for column in asked or ()}
    names = (name for name in ("id", *COLUMNS, *(["cover"] if options.blobs else ())))
    told = (Column(name, parse(kind, name)) for name in names if visible(parse(kind, name), options.privacy))
    there = {"id", "files", *about.fields["scene"]}
    return tuple(
        column
        for column in told
        if column.path.steps[0] in there and (not fields or column.path.steps[0] in fields | {"id", "files"})
    )


def _tell_asked(kind: Kind, options: ExportOptions, asked: Sequence[Column], report: Report) -> None:
    """Remark on columns that were asked for and are not written: NFO files know scenes only."""
    if kind.name != "scene":
        report.remarks.append(f"NFO files are made of scenes: the columns of {kind.plural} were passed over")
        return
    _tell_hidden(asked, tuple(column for column in asked if visible(column.path, options.privacy)), report)
    known = {name.partition(".")[0] for name in ("id", *COLUMNS, *(["cover"] if options.blobs else ()))}
    strange = [column.path.text for column in asked if column.path.steps[0] not in known]
    if strange:
        report.remarks.append(f"not in NFO files: {', '.join(strange)}")


def _tell_hidden(asked: Sequence[Column], shown: tuple[Column, ...], report: Report) -> None:
    hidden = [column.path.text for column in asked if column not in shown]
    if hidden:
        report.remarks.append(f"kept back by privacy {report.privacy}: {', '.join(hidden)}")


def _offered(column: Column, about: About, options: ExportOptions, report: Report) -> bool:
    name = column.path.steps[0]
    if column.path.end.type == "blob" and not options.blobs:
        report.remarks.append(f"{column.path.text} is an image and needs --blobs; the column is left out")
        return False
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


def room_needed(about: About, roots: Roots) -> int:
    """Bytes the export may need, guessed high from the number of records."""
    return sum(count * room_of(kind) for kind, count in asked_for(about, roots).items())


def asked_for(about: About, roots: Roots) -> dict[str, int]:
    """How many records of each kind of ``roots`` were asked for, as far as is known."""
    return {
        kind: (about.counts.get(kind) or 0) if ids is None else len(ids)
        for kind, ids in roots.items()
        if kind in about.fields
    }


def room_of(kind: str) -> int:
    """Bytes one record of ``kind`` may take."""
    return ROOM_PER_RECORD.get(kind, ROOM_PER_OTHER)
