"""docs/NFO.md and docs/TEMPLATES.md, made from the tables of the code."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from .kinds import KINDS
from .libraries.nfo.choices import FOREIGN
from .libraries.nfo.dialects import DIALECTS, LOSSES, WRITTEN, Dialect
from .libraries.template.engine import BORROWED, TESTS
from .libraries.template.escape import paragraphs
from .libraries.template.filters import FILTERS
from .libraries.template.spec import ESCAPES, MOST_BYTES, ONE_FILE
from .libraries.template.view import FACTS, described

Table = Callable[[Sequence[str], Iterable[Sequence[str]]], str]

MADE = "<!-- Made by `make docs` from stash_portability/{source}; do not edit. -->\n\n"
RULES: dict[str, Callable[[Dialect], bool]] = {
    "its lists are split at ` / `, which is written as ` & `": lambda one: one.splits,
    "a tag that holds a `/` is no genre": lambda one: one.whole_genres,
    "a comma in a director's name is left out": lambda one: one.commas,
    "every group of a scene is a set": lambda one: one.several_sets,
    "actors have `type` and `sortorder`": lambda one: one.typed_actors,
    "a portrait is always named in `thumb`, by its full path (else only where its name would not tell)": lambda one: (
        one.portraits
    ),
    "the rating is also a plain `rating`": lambda one: one.rating,
}
UNSAID = {
    "abs": "A number without its sign.",
    "capitalize": "A text with a capital letter at its beginning only.",
    "d": "The same as default.",
    "lower": "A text in small letters.",
    "paragraphs": "A text whose line breaks are kept: `<br>` in HTML, two blanks and a line break in Markdown.",
    "title": "A text in which every word begins with a capital letter.",
    "upper": "A text in capital letters.",
}
"""Filters that are somebody else's functions, or none by themselves."""


def nfo_page(table: Table) -> str:
    """docs/NFO.md."""
    names = [dialect.title for dialect in DIALECTS.values()]
    rules = ([words, *("yes" if holds(one) else "" for one in DIALECTS.values())] for words, holds in RULES.items())
    written = ([f"`{field}`", ", ".join(f"`{name}`" for name in found)] for field, found in WRITTEN.items())
    parts = [
        MADE.format(source="libraries/nfo/dialects.py") + "# NFO files\n\n",
        "UTF-8 without a byte order mark, the root `movie`, real XML. Each begins with a comment by which we know our"
        " own file, whether it was edited since, and which pictures beside it are ours. `uniqueid` is"
        " `stash` with the id of the scene, and one for each stash-box (its address in `endpoint`).\n\n",
        "## What each field becomes\n\n",
        table(("field of the scene", "elements"), written) + "\n",
        "`userrating` is a whole number from 1 to 10, because Kodi cuts the rest off; `ratings` has the exact one,"
        " out of 10. A date without its day is only a `year`. A scene without a title has the name of its file.\n\n",
        "## Who reads them\n\n",
        table(("rule", *names), rules) + "\n",
        "## Pictures (`--artwork`)\n\n",
        "`film-poster.jpg` is the front of the scene's group when it has one, else the scene's cover; `film-fanart.jpg`"
        " the cover; `.actors/First_Last.jpg` the portraits. The ending is that of the picture (jpg, png, webp, gif);"
        " what is none of these is left out. Never an address.\n\n",
        "## An NFO file that is not ours (`--foreign-nfo`)\n\n",
        table(("", "what happens"), ([f"`{name}`", words] for name, words in FOREIGN.items())) + "\n",
        "## What a reader cannot have back\n\n",
        "`--from nfo:FOLDER` reads our own files. Everything else comes back as it was.\n\n",
        table(("field", "what is lost"), ([f"`{field}`", words] for field, words in LOSSES.items())),
    ]
    return "".join(parts)


def templates_page(table: Table) -> str:
    """docs/TEMPLATES.md."""
    keys = {
        "name, description": "what it is called, and what for",
        "ending": "of the file it makes: `html`",
        "escape": "how values are written (below); else as the ending says",
        "one_file": "; ".join(f"`{name}`: {words}" for name, words in ONE_FILE.items()),
        "file_name": "of each file, where there is one a record: `{{ title }}`, less what no disk can have in it",
        "kinds": "what it is for: `[scene]`",
        "images": "true: pictures are written beside, in `pictures/` (to a folder or a `.zip`)",
        "header, footer": "what stands before and after, once a file",
        "record": "what each record becomes",
        "between": "what stands between two of them",
    }
    filters = {**FILTERS, "paragraphs": paragraphs("none")}
    parts = [
        MADE.format(source="libraries/template") + "# Templates\n\n",
        f"A YAML or JSON mapping, at most {MOST_BYTES // 1024} KiB. `record` and `ending` are needed.\n\n",
        table(("key", "what it is"), ([f"`{key}`", words] for key, words in keys.items())) + "\n",
        "The texts are in the language of [Jinja](https://jinja.palletsprojects.com/en/stable/templates/):"
        " `{{ title }}`, `{% if date %}…{% endif %}`, `{% for tag in tags %}…{% endfor %}`, `{% set n = 1 %}`."
        " There are no macros, includes, imports or blocks, and no filters but those below."
        " `{{ performers.name|join(', ') }}` takes the names of all entries of a list. A line break after `%}` is left"
        " out, and so are blanks before a `{%` that begins its line.\n\n",
        "The texts of a record see its fields; header, between and footer see only what is listed for them below.\n\n",
        "## Escaping\n\n",
        table(("escape", "what it does"), ([f"`{name}`", words] for name, words in ESCAPES.items())) + "\n",
        "## Limits\n\n",
        "A template runs in a process of its own: 512 MB of memory, 10 seconds of processor and 15 seconds in all for"
        " every 1,000 records, 1 MiB for each record, five loops within each other. What goes beyond ends the export,"
        " and nothing is left of it. On Windows and macOS the system does not limit the memory of a process.\n\n",
        "## Filters\n\n",
        table(
            ("filter", "what it gives"),
            ([f"`{name}`", UNSAID.get(name) or _first_line(made)] for name, made in sorted(filters.items())),
        ),
        f"\nAlso {', '.join(f'`{name}`' for name in BORROWED)} as in Jinja, and the tests"
        f" {', '.join(f'`{name}`' for name in TESTS if name.isalpha())}.\n\n",
        "## In header, between and footer\n\n",
        table(("name", "what it is"), ([f"`{name}`", words] for name, words in FACTS.items())) + "\n",
        "## Fields\n\nA field the library does not have, or privacy keeps back, is empty.\n",
        *(f"\n### {kind}\n\n{table(('field', 'what it is'), _fields(kind))}" for kind in KINDS),
    ]
    return "".join(parts)


def _fields(kind: str) -> Iterable[Sequence[str]]:
    for line in described(kind):
        yield f"`{line['path']}`", ("list: " if line["many"] else "") + line["words"]


def _first_line(made: Callable[..., object]) -> str:
    """What the documentation of a filter says first."""
    said = (made.__doc__ or "").strip().split("\n\n")[0]
    return " ".join(said.replace("``", "`").split())
