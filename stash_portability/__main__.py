"""The command line: arguments in, text and an exit code out. All that is printed is printed here."""

from __future__ import annotations

import argparse
import io
import json
import os
import sys
import time
import traceback
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from .arguments import parser
from .errors import EXIT_BUG, EXIT_CANCELLED, EXIT_DONE, EXIT_WITH_REMARKS, PortabilityError
from .kinds import KINDS
from .model import Progress, Report

DEBUG = "STASH_PORTABILITY_DEBUG"


def run() -> None:
    """The entry point: run the command line and leave with its exit code."""
    for stream in (sys.stdout, sys.stderr):
        # A name that the terminal or a Windows pipe cannot show must not make a failure of a finished export.
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    sys.exit(main(sys.argv[1:]))


def main(arguments: Sequence[str]) -> int:
    """Run the command ``arguments`` give; give the exit code."""
    options = parser().parse_args(arguments)
    try:
        return COMMANDS[options.command](options)
    except PortabilityError as problem:
        return _say_error(options, problem.code, str(problem), problem.exit_code)
    except KeyboardInterrupt:
        return _say_error(options, "Cancelled", "cancelled; nothing was left under the final name", EXIT_CANCELLED)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return EXIT_DONE
    except Exception as problem:  # noqa: BLE001 - the one place where a bug of ours is told in a line
        if os.environ.get(DEBUG):
            traceback.print_exc()
        told = f"a bug of ours: {type(problem).__name__}: {problem}; set {DEBUG}=1 to see where, and please report it"
        return _say_error(options, "Bug", told, EXIT_BUG)


def _say_error(options: argparse.Namespace, code: str, message: str, exit_code: int) -> int:
    if options.json:
        _say_json({"type": "error", "code": code, "message": message, "exit_code": exit_code})
    else:
        print(f"stash-portability: {message}", file=sys.stderr)
    return exit_code


def _say_json(words: dict[str, Any]) -> None:
    print(json.dumps(words), flush=True)


def _progress(options: argparse.Namespace) -> Progress:
    from .progress import Lines, Quiet, Terminal  # noqa: PLC0415 - the bar's library is only loaded for a run

    if options.json:
        return Lines(sys.stdout, time.monotonic)
    return Quiet() if options.quiet else Terminal(sys.stderr)


def _export(options: argparse.Namespace) -> int:
    from .commands import export  # noqa: PLC0415 - fields and --help need none of it
    from .config import export_options  # noqa: PLC0415
    from .means import Means  # noqa: PLC0415

    return _say_report(options, export(export_options(vars(options), os.environ), _progress(options), Means()))


def _backup(options: argparse.Namespace) -> int:
    from .backup import backup  # noqa: PLC0415
    from .backup_options import backup_options  # noqa: PLC0415
    from .means import Means  # noqa: PLC0415

    return _say_report(options, backup(backup_options(vars(options), os.environ), _progress(options), Means()))


def _verify(options: argparse.Namespace) -> int:
    from .backup import verify  # noqa: PLC0415
    from .checking import user_path  # noqa: PLC0415
    from .means import Means  # noqa: PLC0415

    return _say_report(options, verify(user_path(options.archive, "archive"), _progress(options), Means()))


def _list(options: argparse.Namespace) -> int:
    from .checking import user_path  # noqa: PLC0415
    from .listing import listings, selection  # noqa: PLC0415

    path = user_path(options.archive, "archive")
    if options.selection:
        for line in selection(path):
            print(line)
        return EXIT_DONE
    for one in listings(path):
        if options.json:
            _say_json({"type": "archive", **one.as_data()})
        else:
            print(one.as_text())
    return EXIT_DONE


def _diff(options: argparse.Namespace) -> int:
    from .commands import library  # noqa: PLC0415
    from .compare import Comparison  # noqa: PLC0415

    first, second = (
        library({"from": address, "api_key_file": options.api_key_file}, os.environ)
        for address in (options.first, options.second)
    )
    comparison = Comparison(first, second, options.images, _progress(options))
    for found in comparison.run():
        if options.json:
            _say_json({"type": "difference", **found.as_data()})
        elif not options.quiet:
            print(found.as_text())
    tally = comparison.tally
    if options.json:
        _say_json({"type": "summary", "equal": tally.equal, "counts": tally.counts, "notes": tally.notes})
    elif not options.quiet:
        print(tally.as_text())
    return EXIT_DONE if tally.equal else EXIT_WITH_REMARKS


def _say_report(options: argparse.Namespace, report: Report, run: str = "", named: str = "") -> int:
    from .report import as_data, as_text, exit_code  # noqa: PLC0415

    if options.json:
        _say_json({"type": "report", **({"run": run} if run else {}), **as_data(report)})
    elif not options.quiet:
        print(as_text(report) + (f"\n  run {named or run}" if run else ""))
    return exit_code(report)


def _restore(options: argparse.Namespace) -> int:
    from . import restore_commands as doing  # noqa: PLC0415
    from .restore_options import restore_options  # noqa: PLC0415
    from .writing import Asked  # noqa: PLC0415

    chosen = restore_options(vars(options), os.environ)
    stash = doing.Stash(chosen.target, chosen.api_key)
    with_ = doing.hands(options.data, os.environ, _progress(options), stash)
    run, report = doing.restore(chosen, with_)
    if options.yes and (report.changes or report.brakes):
        done, report = doing.apply(Asked(run, named=with_.names(run)), stash, with_)
        return _say_report(options, report, done.name, with_.names(done))
    code = _say_report(options, report, run.name, with_.names(run))
    if not (options.json or options.quiet):
        waits = f"nothing is written yet; to write it: stash-portability apply {with_.names(run)}"
        print(f"  {waits if report.changes else 'there is nothing to write'}")
    return code


def _with_run(options: argparse.Namespace, named: str) -> tuple[Any, Any, Any]:
    """The run that is named, the Stash it is about if one is, and the means for what is done with it."""
    from . import restore_commands as doing  # noqa: PLC0415
    from .config import api_key  # noqa: PLC0415

    stash = doing.Stash(options.to or "", api_key(options.api_key_file, os.environ))
    with_ = doing.hands(options.data, os.environ, _progress(options), stash)
    run = doing.find_run(named, with_)
    return run, stash, doing.beside(run, with_)


def _apply(options: argparse.Namespace) -> int:
    from . import restore_commands as doing  # noqa: PLC0415
    from .writing import Asked  # noqa: PLC0415

    run, stash, with_ = _with_run(options, options.plan)
    done, report = doing.apply(Asked(run, options.accept or (), with_.names(run)), stash, with_)
    return _say_report(options, report, done.name, with_.names(done))


def _undo(options: argparse.Namespace) -> int:
    from . import restore_commands as doing  # noqa: PLC0415
    from .undoing import undo_preview  # noqa: PLC0415
    from .writing import Asked  # noqa: PLC0415

    run, stash, with_ = _with_run(options, options.run)
    if options.preview:
        return _say_report(options, undo_preview(run))
    done, report = doing.take_back(Asked(run, options.accept or (), with_.names(run)), stash, with_)
    return _say_report(options, report, done.name, with_.names(done))


def _runs(options: argparse.Namespace) -> int:
    from . import restore_commands as doing  # noqa: PLC0415
    from .config import api_key  # noqa: PLC0415

    if options.run:
        run, *_ = _with_run(options, options.run)
        report = doing.report_of(run)
        _say_lines(options, "run", report, doing.lines_of(report))
        return EXIT_DONE
    stash = doing.Stash(options.to or "", api_key(options.api_key_file, os.environ))
    for report in doing.listed(doing.hands(options.data, os.environ, _progress(options), stash)):
        _say_lines(options, "run", report, [doing.line_of(report)])
    return EXIT_DONE


def _conflicts(options: argparse.Namespace) -> int:
    from . import restore_commands as doing  # noqa: PLC0415

    run, *_ = _with_run(options, options.run)
    found = False
    for what, row in doing.decisions(run):
        found = True
        _say_lines(options, what, row, [doing.decision_text(what, row)])
    if not (found or options.json or options.quiet):
        print(f"{run.name} leaves nothing to decide")
    return EXIT_DONE


def _say_lines(options: argparse.Namespace, what: str, data: dict[str, Any], lines: Iterable[str]) -> None:
    if options.json:
        _say_json({"type": what, **data})
    else:
        print("\n".join(lines))


def _fields(options: argparse.Namespace) -> int:
    from .commands import fields_text  # noqa: PLC0415

    told = fields_text(options.kind)
    if options.json:
        kinds = [KINDS[options.kind]] if options.kind else KINDS.values()
        for kind in kinds:
            fields = {
                field.name: {"type": field.type, "privacy": field.privacy, "note": field.note} for field in kind.fields
            }
            _say_json({"type": "kind", "name": kind.name, "plural": kind.plural, "fields": fields})
    else:
        print(told)
    return EXIT_DONE


def _doctor(options: argparse.Namespace) -> int:
    from . import doctor, places  # noqa: PLC0415
    from .commands import library  # noqa: PLC0415

    address = getattr(options, "from") or ""
    data = places.data_folder(options.data, os.environ)
    well = True
    for finding in doctor.examine(Path(data), address, lambda: library(vars(options), os.environ)):
        well = well and finding.well
        if options.json:
            _say_json({"type": "finding", "what": finding.what, "well": finding.well, "said": finding.said})
        elif not (options.quiet and finding.well):
            print(f"{'ok ' if finding.well else 'BAD'}  {finding.what}: {finding.said}")
    return EXIT_DONE if well else EXIT_WITH_REMARKS


COMMANDS: dict[str, Callable[[argparse.Namespace], int]] = {
    "export": _export, "backup": _backup, "verify": _verify, "list": _list, "diff": _diff, "fields": _fields,
    "doctor": _doctor, "restore": _restore, "apply": _apply, "undo": _undo, "runs": _runs, "conflicts": _conflicts,
}  # fmt: skip


if __name__ == "__main__":
    run()
