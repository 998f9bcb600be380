"""docs/RESTORE.md: what a restore cannot give back, and why; made from the tables by which it is never asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

from .kinds import KINDS, Field
from .libraries.stash_write_cannot import (
    CANNOT,
    CANNOT_CLEAR,
    CANNOT_MAKE,
    SETTINGS_NOT_WRITTEN,
    SHOWN_COVER,
    ZIP_GALLERY,
    why_not,
)
from .libraries.stash_write_inputs import ONE_URL, WHOLE_DATES

Table = Callable[[Sequence[str], Iterable[Sequence[str]]], str]

MADE = (
    "<!-- Made by `make docs` from stash_portability/libraries/stash_write_cannot.py and kinds.py; do not edit. -->\n\n"
)
OLDEST = "0.27"
NO_PLACE = "has no place for it"
AFTER_A_SCAN = (
    ("`files.id`, `files.created_at`, `files.updated_at`, `files.mod_time`", "the new Stash's own, of its own scan"),
    ("`files.fingerprints`", "those that the scan makes (oshash, md5) are its own; a phash and others come back"),
    ("a scene that several films were put together to",
     "the scan makes a scene of each; what you typed goes to that of the first"),
    ("`scene.captions`", "Stash takes captions up when it scans a film a second time: scan once more"),
    ("`scene.cover`",
     "a scan makes one; `--mode merge` keeps it, and `conflicts` lists it: `--prefer scene.cover=source` brings yours"),
    ("ids inside of saved filters", "are those of the same tags, performers … in the new Stash"),
    ("ids inside of settings", "stay as they were: choose the filters of the front page and the tags of tasks anew"),
)  # fmt: skip
"""What is otherwise after a restore into a Stash that scanned the same media, and how so."""
NATIVE = (
    ("a gallery with chapters, and the scenes and images in it", "not imported", "come back"),
    ("scenes of one of two performers of the same name", "get both", "get theirs"),
    ("saved filters", "not in the file of *Export*; of a full import they name other records", "name the same"),
    ("digits of a phash", "wrong, or not in it", "as they were"),
    ("dates of the stash ids of a scene", "1970", "as they were (Stash 0.28 and later)"),
    ("a rating of 0", "none", "0"),
    ("settings", "not in it", "by name (`--config`)"),
    ("times of creation", "as they were", "those of the restore"),
)
"""What, by Stash's own export and import, by ours. tests/live/test_native_loss.py has both on one library."""


def restore_page(table: Table) -> str:
    """docs/RESTORE.md."""
    parts = [
        MADE + "# What a restore cannot give back\n\n",
        "Everything in [FIELDS.md](FIELDS.md) comes back, but for what is here. All of it stays in the archive, and the"
        " report of every restore counts what it left there. The copy of the database in a backup with"
        " `--include-database` has it too, for the same Stash as a whole.\n\n",
        "## What Stash cannot be given\n\n",
        table(("what", "of", "why"), [("ids", "everything", "Stash counts them itself"), *_never()]) + "\n",
        "## What only a scan makes\n\n",
        "Stash makes no image, no scene with a file and no gallery of a zip or folder when it is asked to. Such records"
        " *wait for a scan*, and so do their markers and chapters: let Stash scan the media, then restore again.\n\n",
        "## What is otherwise after a scan\n\n",
        "With the same media under the same paths, scanned with the same settings:\n\n",
        table(("what", "how"), AFTER_A_SCAN) + "\n",
        "## What cannot be taken away\n\n",
        table(("what", "why"), _stays()) + "\n",
        "## In an older Stash\n\n",
        "Nothing of this is lost on the way into a Stash of the version named, or a later one.\n\n",
        table(("what", "since", "before that"), _since()) + "\n",
        "## Settings\n\n",
        "Settings are restored by name only. These never are:\n\n",
        table(("why", "settings"), _settings()) + "\n",
        "API keys, passwords and tokens are in no backup.\n\n",
        "## Beside Stash's own export\n\n",
        table(("what", "by Stash's export and import", "by a backup and its restore"), NATIVE),
    ]
    return "".join(parts)


def _never() -> Iterator[Sequence[str]]:
    """Fields no mutation sets, with the kinds that have them."""
    for name, why in CANNOT.items():
        kinds = [kind.name for kind in KINDS.values() if (field := kind.field(name)) is not None and why_not(field)]
        if name != "group":
            yield f"`{name}`", ", ".join(kinds), why


def _stays() -> Iterator[Sequence[str]]:
    for name, why in CANNOT_CLEAR.items():
        yield f"`{name}`", why
    for name, why in SHOWN_COVER.items():
        yield f"`gallery.{name.partition('.')[0]}`, of a Stash on another machine", why
    yield "the gallery of a zip (`--mode replace`)", ZIP_GALLERY
    yield "`settings`", CANNOT_MAKE["config"]


def _since() -> Iterator[Sequence[str]]:
    for kind in KINDS.values():
        for name, field in _with_parts(kind.fields):
            if field.since != OLDEST and not name.startswith("files."):
                yield f"`{kind.name}.{name}`", field.since, _plainly(ONE_URL) if name == "urls" else NO_PLACE
    dated = [f"`{kind.name}.{field.name}`" for kind in KINDS.values() for field in kind.fields
             if field.type == "date" and field.since == OLDEST]  # fmt: skip
    yield f"a year or a month in {', '.join(dated)}", "0.30", _plainly(WHOLE_DATES)
    yield "`files.zip_file`", "0.28", "does not tell it"


def _plainly(why: str) -> str:
    """What a report says of the Stash at hand, said of any."""
    return why.partition(";")[0].removeprefix("this Stash ")


def _with_parts(fields: Iterable[Field]) -> Iterator[tuple[str, Field]]:
    for field in fields:
        yield field.name, field
        yield from ((f"{field.name}.{part.name}", part) for part in field.parts if field.since == OLDEST)


def _settings() -> Iterator[Sequence[str]]:
    for why in dict.fromkeys(SETTINGS_NOT_WRITTEN.values()):
        yield why, ", ".join(f"`{name}`" for name, told in SETTINGS_NOT_WRITTEN.items() if told == why)
