"""The documentation that is made from the code: docs/FIELDS.md, docs/ERRORS.md, docs/export.xsd, docs/NFO.md,
docs/TEMPLATES.md, docs/RESTORE.md, and the tables between ``<!-- begin NAME -->`` and ``<!-- end NAME -->`` in
README.md and docs/COMMANDS.md.

``python -m stash_portability.docs`` writes it; with ``--check`` it tells what is out of date and fails.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from .arguments import parser
from .docs_media import nfo_page, templates_page
from .docs_restore import restore_page
from .errors import EXIT_CODES, all_errors
from .kinds import CONFIG_TYPES, KINDS, LEFT_OUT, LEFT_OUT_COUNTS, LEVEL_WORDS, LEVELS, UI_KEYS, Field, Kind
from .libraries.tables.xsd import schema

ROOT = Path(__file__).resolve().parent.parent
MADE = "<!-- Made by `make docs` from stash_portability/{source}; do not edit. -->\n\n"
PRIVACY_WORDS = {
    "public": "leaves at every level",
    "identifying": "leaves at `full` and `share`: it tells which film or person this is",
    "personal": "leaves only at `full`: it tells about you",
    "path": "leaves only at `full`: it tells where your files lie",
    "secret": "never leaves",
}
FAMILIES = ("PortabilityError", "UsageError", "RecordError", "FatalError", "TransientError")


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table in Markdown."""
    lines = [head, ["---"] * len(head), *rows]
    return "".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |\n" for line in lines)


def fields_page() -> str:
    """docs/FIELDS.md."""
    parts = [
        MADE.format(source="kinds.py") + "# Kinds and fields\n\n",
        "Every kind of record and every field an export can hold. References are ids of other records; times are"
        " UTC (`2026-05-01T20:00:00Z`); dates may be partial (`2026`, `2026-05`). `since` is the first version of"
        " Stash that has the field.\n\n## Privacy\n\n",
        table(("class", "what it means"), PRIVACY_WORDS.items()) + "\n",
        *(f"## {kind.name}\n\n{_kind_words(kind)}{_kind_table(kind)}\n" for kind in KINDS.values()),
        _left_out(),
        _configuration(),
    ]
    return "".join(parts)


def _kind_words(kind: Kind) -> str:
    levels = [level for level in LEVELS if kind.privacy in LEVELS[level]]
    held = (
        "" if len(levels) == len(LEVELS) else f" Only at the privacy level {', '.join(f'`{name}`' for name in levels)}."
    )
    return f"In files: `{kind.plural}`. In Stash: `{kind.graphql}`.{held}\n\n"


def _kind_table(kind: Kind) -> str:
    return table(("field", "type", "privacy", "since", "note"), _rows(kind.fields))


def _rows(fields: Iterable[Field], before: str = "") -> Iterator[tuple[str, ...]]:
    for field in fields:
        yield (f"`{before}{field.name}`", _type(field), field.privacy, field.since, field.note)
        yield from _rows(field.parts, f"{before}{field.name}.")


def _type(field: Field) -> str:
    one = f"{field.of} id" if field.type == "ref" else field.type
    return f"list of {one}" if field.many else one


def _left_out() -> str:
    rows = [(f"`{kind}.{field}`", reason) for kind, fields in LEFT_OUT.items() for field, reason in fields.items()]
    words = f"What Stash shows and no export holds, and why. Counts (`*_count` with a depth) are {LEFT_OUT_COUNTS}.\n\n"
    return f"## Left out\n\n{words}{table(('GraphQL', 'reason'), rows)}\n"


def _configuration() -> str:
    rows = ((f"`{name}`", _quoted(listed.split()), _reasons(out)) for name, (listed, out) in CONFIG_TYPES.items())
    exported = table(("type", "exported", "left out"), rows)
    return f"## Configuration\n\n{exported}\nOf the page's own settings: {_quoted(sorted(UI_KEYS))}.\n"


def _quoted(names: Iterable[str]) -> str:
    return " ".join(f"`{name}`" for name in names)


def _reasons(left_out: Mapping[str, str]) -> str:
    return "; ".join(f"`{name}`: {reason}" for name, reason in left_out.items())


def errors_page() -> str:
    """docs/ERRORS.md."""
    named = [(name, error) for name, error in sorted(all_errors().items()) if name not in FAMILIES]
    rows = ((f"`{name}`", str(error.exit_code), _meaning(error)) for name, error in named)
    return (
        MADE.format(source="errors.py")
        + "# Errors and exit codes\n\nThe name is the `code` in `--json` output and in the report of a run.\n\n"
        + table(("error", "exit code", "when"), rows)
        + "\n## Exit codes\n\n"
        + exit_codes()
    )


def _meaning(error: type[Exception]) -> str:
    return " ".join((error.__doc__ or "").split())


def exit_codes() -> str:
    """The table of exit codes."""
    return table(("exit code", "meaning"), ((str(code), meaning) for code, meaning in EXIT_CODES.items()))


def levels() -> str:
    """The table of privacy levels."""
    return table(("level", "what leaves"), ((f"`{level}`", words) for level, words in LEVEL_WORDS.items()))


def options() -> str:
    """The whole command line, a table a command."""
    top = parser()
    found = next(action for action in top._actions if isinstance(action, argparse._SubParsersAction))
    helps = {choice.dest: choice.help or "" for choice in found._choices_actions}
    blocks = ["`stash-portability [--json] [--quiet] [--data DIR] COMMAND`\n\n" + _option_table(top)]
    for name, command in found.choices.items():
        blocks.append(f"**`{name}`**: {helps.get(name, '')}\n\n{_option_table(command)}")
    return "\n".join(blocks)


def _option_table(command: argparse.ArgumentParser) -> str:
    actions = [action for action in command._actions if not isinstance(action, argparse._SubParsersAction)]
    rows = ((_invocation(action), action.help or "") for action in actions if action.dest != "help")
    return table(("option", "what it does"), rows)


def _invocation(action: argparse.Action) -> str:
    names = " ".join(action.option_strings[:1])
    takes = "" if action.nargs == 0 else action.metavar or action.dest.upper()
    return f"`{f'{names} {takes}'.strip()}`"


BLOCKS: Mapping[str, Mapping[str, Callable[[], str]]] = {
    "README.md": {"privacy levels": levels},
    "docs/COMMANDS.md": {"options": options, "exit codes": exit_codes},
}
"""Which made tables stand in which page that is otherwise written by hand."""


def with_blocks(page: str) -> str:
    """The page with its made tables made anew."""
    text = (ROOT / page).read_text("utf-8")
    for name, make in BLOCKS[page].items():
        begin, end = f"<!-- begin {name} -->\n", f"<!-- end {name} -->"
        before, _, rest = text.partition(begin)
        text = f"{before}{begin}{make()}{end}{rest.partition(end)[2]}"
    return text


def pages() -> dict[Path, str]:
    """Every made page, by its place."""
    return {
        ROOT / "docs" / "FIELDS.md": fields_page(),
        ROOT / "docs" / "ERRORS.md": errors_page(),
        ROOT / "docs" / "export.xsd": schema(),
        ROOT / "docs" / "NFO.md": nfo_page(table),
        ROOT / "docs" / "TEMPLATES.md": templates_page(table),
        ROOT / "docs" / "RESTORE.md": restore_page(table),
        **{ROOT / page: with_blocks(page) for page in BLOCKS},
    }


def stale() -> list[str]:
    """The made pages that are not what the code makes now."""
    return [str(path.relative_to(ROOT)) for path, text in pages().items() if _now(path) != text]


def _now(path: Path) -> str:
    return path.read_text("utf-8") if path.is_file() else ""


def main(arguments: Sequence[str]) -> int:
    """Write the pages, or with ``--check`` tell which are out of date."""
    old = stale()
    if "--check" not in arguments:
        for path, text in pages().items():
            path.parent.mkdir(exist_ok=True)
            path.write_text(text, "utf-8")
    elif old:
        sys.stderr.write(f"out of date: {', '.join(old)}; run make docs\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
