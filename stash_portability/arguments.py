"""The arguments of the command line: every command and option, as argparse and the documentation test see them."""

from __future__ import annotations

import argparse
from typing import Any

from . import __version__
from .errors import EXIT_CODES
from .formats import FORMATS
from .kinds import CONFIG_GROUPS, KINDS, LEVEL_WORDS
from .libraries.nfo.choices import FOREIGN
from .libraries.nfo.dialects import DIALECTS
from .restoring import MODES, STRATEGIES


def parser() -> argparse.ArgumentParser:
    """The whole command line."""
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
    _restore_parser(commands.add_parser("restore", help="put an archive, or part of it, back into a Stash"))
    _run_parsers(commands)
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
    add("--container", metavar="HOW", help="zip (the default), 7z or folder")
    add(
        "--incremental",
        action="store_true",
        help="only what changed since the newest verified archive in DIR, which is then needed to read this one",
    )
    add("--include-database", action="store_true", help="with the database file, as Stash copies it")
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


def _restore_parser(restore: argparse.ArgumentParser) -> None:
    add = restore.add_argument
    add("archive", metavar="ARCHIVE", help="what backup wrote")
    add("--to", metavar="ADDRESS", help="the Stash (http://host:9999) that it is put into")
    add("--api-key-file", metavar="FILE", help="a file with the API key; else STASH_API_KEY is used")
    add("--kinds", metavar="a,b", help="only these kinds (and what they refer to); else everything but settings")
    add("--ids", action="append", metavar="KIND:1,2", help="only these records of the archive, and what they refer to")
    add("--selection", metavar="FILE", help="only the records that are left in what list --selection printed")
    add("--links", action="store_true", help="also set again what other records had of these: a tag on its scenes")
    groups = ", ".join(CONFIG_GROUPS)
    alone = "and nothing else, if no kinds are named"
    add("--config", action="append", metavar="GROUP", help=f"these settings ({alone}): {groups}")
    add("--mode", metavar="HOW", help="; ".join(f"{name}: {words}" for name, words in MODES.items()))
    add(
        "--prefer",
        action="append",
        metavar="[KIND.FIELD=]STRATEGY",
        help=f"what counts when both say something else: {', '.join(STRATEGIES)}; else fill, which keeps what is there"
        " (and takes no and 0, which a scan leaves, for nothing said). Lists and histories are joined, unless it says"
        " source or target: then that side's stays as a whole",
    )
    go = restore.add_mutually_exclusive_group()
    go.add_argument("--preview", action="store_true", help="only show what would be changed (the default)")
    go.add_argument("--yes", action="store_true", help="write it without being asked again, if no brake holds it")


def _run_parsers(commands: Any) -> None:
    apply = commands.add_parser("apply", help="write a plan that was previewed")
    apply.add_argument("plan", metavar="PLAN", help="the run that made it: its name, or its folder")
    undo = commands.add_parser("undo", help="take back what a run wrote")
    undo.add_argument("run", metavar="RUN", help="the run that wrote: its name, or its folder")
    undo.add_argument("--preview", action="store_true", help="only show how much would be changed")
    for one in (apply, undo):
        one.add_argument("--accept", action="append", metavar="BRAKE", help="go on although this brake holds it")
    listed = commands.add_parser("runs", help="what was run, and what became of it")
    listed.add_argument("run", nargs="?", default="", metavar="RUN", help="only this one, with its report")
    conflicts = commands.add_parser("conflicts", help="what a plan leaves to a person")
    conflicts.add_argument("run", metavar="RUN", help="the run that made the plan: its name, or its folder")
    for one in (apply, undo, listed, conflicts):
        moved = "where that Stash is now, when it has moved" if one in (apply, undo) else "a Stash on this machine"
        one.add_argument("--to", metavar="ADDRESS", help=f"{moved}: runs are looked for beside it, too")
        one.add_argument("--api-key-file", metavar="FILE", help="a file with the API key; else STASH_API_KEY is used")


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
