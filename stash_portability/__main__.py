"""The command line: arguments in, text and an exit code out. All that is printed is printed here."""

from __future__ import annotations

import argparse
import io
import json
import os
import sys
import time
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from . import __version__
from .errors import EXIT_BUG, EXIT_CANCELLED, EXIT_CODES, EXIT_DONE, EXIT_WITH_REMARKS, PortabilityError
from .formats import FORMATS
from .kinds import KINDS, LEVEL_WORDS
from .libraries.nfo.choices import FOREIGN
from .libraries.nfo.dialects import DIALECTS
from .model import Progress, Report

DEBUG = "STASH_PORTABILITY_DEBUG"


def parser() -> argparse.ArgumentParser:
    """The whole command line, as argparse and the documentation test see it."""
    top = argparse.ArgumentParser(
        prog="stash-portability",
        description="Take what you typed into Stash out, in any format.",
        epilog="exit codes: " + "; ".join(f"{code} {meaning}" for code, meaning in EXIT_CODES.items()),
    )
    top.add_argument("--version", action="version", version=__version__)
    top.add_argument("--json", action="store_true", help="print one JSON object a line, for programs")
    top.add_argument("--quiet", action="store_true", help="print nothing but errors")
    top.add_argument(
        "--data", metavar="DIR", help="the data folder, instead of the usual one (an export goes where --to says)"
    )
    commands = top.add_subparsers(dest="command", required=True, metavar="COMMAND")
    _export_parser(commands.add_parser("export", help="write a library, or part of it, to files"))
    _backup_parser(commands.add_parser("backup", help="write everything into one archive, read back in full"))
    _archive_parsers(commands)
    fields = commands.add_parser("fields", help="list the kinds and fields, with their privacy class")
    fields.add_argument("kind", nargs="?", default="", metavar="KIND", help=f"one of {', '.join(KINDS)}")
    doctor = commands.add_parser("doctor", help="look whether everything needed is there")
    _address(doctor, required=False)
    return top


def _address(parser_: argparse.ArgumentParser, *, required: bool) -> None:
    parser_.add_argument(
        "--from",
        metavar="ADDRESS",
        required=required,
        help="a Stash (http://host:9999), its database file (stash-go.sqlite), or an export made before",
    )
    parser_.add_argument("--api-key-file", metavar="FILE", help="a file with the API key; else STASH_API_KEY is used")


def _export_parser(export: argparse.ArgumentParser) -> None:
    _address(export, required=False)
    add = export.add_argument
    add("--to", metavar="PATH", help="a file (scenes.csv, all.jsonl), a folder, or a .zip")
    add("--format", help=f"{', '.join(FORMATS)}; else what the ending of PATH says, else jsonl")
    add("--profile", metavar="FILE", help="columns, names and options from a YAML or JSON file")
    add("--kinds", metavar="a,b", help="only these kinds (and what they refer to)")
    add("--fields", action="append", metavar="KIND:A,B", help="only these fields: scene:title,date,performers.name")
    add("--filter", metavar="JSON", help="Stash's own filter (SceneFilterType, …) as JSON, or @FILE")
    add("--query", metavar="TEXT", help="only what Stash's own search for TEXT finds; also beside --filter")
    add(
        "--narrow",
        metavar="JSON",
        help="of what is chosen only some tags, performers, studios, dates or ratings, as JSON or @FILE:"
        ' {"tags": {"ids": ["7"], "depth": -1}, "date": {"from": "2020"}}',
    )
    add("--saved-filter", metavar="NAME", help="a filter saved in Stash")
    add("--ids", action="append", metavar="1,2", help="only these records")
    add("--since", metavar="TIME", help="only what Stash says was changed since (UTC)")
    add("--closure", metavar="HOW", help="what chosen records bring along: none, direct or full (the default)")
    add("--privacy", metavar="LEVEL", help="; ".join(f"{level}: {words}" for level, words in LEVEL_WORDS.items()))
    add("--blobs", action="store_true", help="with covers, portraits and logos")
    add("--csv-safe", action="store_true", help="quote every cell and disarm formulas (can be read back exactly)")
    add("--bom", action="store_true", help="begin csv and tsv with a byte order mark, for Excel")
    add("--compress", metavar="HOW", help="zip")
    add("--overwrite", action="store_true", help="replace the output when it is there")
    add(
        "--template",
        metavar="FILE",
        help="what each record looks like, in a YAML or JSON file (see examples/templates)",
    )
    add(
        "--path",
        action="append",
        metavar="OLD=NEW",
        help="of nfo and template: where Stash says OLD, another program or computer says NEW",
    )
    _nfo_arguments(export.add_argument_group("NFO files", "of --format nfo, which writes one for each file of a scene"))


def _backup_parser(backup: argparse.ArgumentParser) -> None:
    _address(backup, required=False)
    add = backup.add_argument
    add("--to", metavar="DIR", help="the folder the archive goes into, under a name of the time")
    add("--kinds", metavar="a,b", help="only these kinds (and what they refer to); else everything")
    add("--container", metavar="HOW", help="zip (the default) or folder")
    packing = backup.add_mutually_exclusive_group()
    packing.add_argument(
        "--deflate", action="store_true", help="pack the records of a zip so that all can read it (the default)"
    )
    packing.add_argument("--zstd", action="store_true", help="pack the records with zstd: faster and smaller")


def _archive_parsers(commands: Any) -> None:
    verify = commands.add_parser("verify", help="check an archive: its bytes, its members, its records")
    verify.add_argument("archive", metavar="ARCHIVE", help="what backup wrote")
    listed = commands.add_parser("list", help="what is in an archive, or which archives are in a folder")
    listed.add_argument("archive", metavar="ARCHIVE|DIR", help="an archive, or the folder backups go into")
    listed.add_argument("--selection", action="store_true", help="its records, one a line, as a list to be edited")
    diff = commands.add_parser("diff", help="how an archive differs from another, or from a Stash as it is now")
    diff.add_argument("first", metavar="ARCHIVE", help="what backup wrote")
    diff.add_argument("second", metavar="ARCHIVE|ADDRESS", help="another, or a Stash, or its database file")
    diff.add_argument("--images", action="store_true", help="compare covers, portraits and logos too, byte by byte")
    diff.add_argument("--api-key-file", metavar="FILE", help="a file with the API key; else STASH_API_KEY is used")


def _nfo_arguments(group: argparse._ArgumentGroup) -> None:
    add = group.add_argument
    add("--nfo-profile", metavar="SERVER", help=f"who reads them: {', '.join(DIALECTS)} (else kodi)")
    add("--beside-media", action="store_true", help="write each beside its film, instead of into the folder --to")
    add("--artwork", action="store_true", help="with poster, fanart and portraits as files")
    add("--foreign-nfo", metavar="HOW", help="; ".join(f"{name}: {words}" for name, words in FOREIGN.items()))
    add("--movie-nfo", action="store_true", help="name it movie.nfo, where a folder holds one film")
    add(
        "--nfo-genres", metavar="WHICH", help="tags that are genres too: all, none, or those under the tag of this name"
    )
    add("--remove-deleted", action="store_true", help="remove our files of scenes that are no longer in Stash")


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


def _say_report(options: argparse.Namespace, report: Report) -> int:
    from .report import as_data, as_text, exit_code  # noqa: PLC0415

    if options.json:
        _say_json({"type": "report", **as_data(report)})
    elif not options.quiet:
        print(as_text(report))
    return exit_code(report)


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
    "doctor": _doctor,
}  # fmt: skip


if __name__ == "__main__":
    run()
