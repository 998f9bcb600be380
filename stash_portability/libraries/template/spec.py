"""What a template is: checked data, never code. Knows nothing of the language its parts are written in.

A template is a mapping (YAML or JSON). ``record`` is written for every record, ``between`` between two of them,
``header`` and ``footer`` once a file. How values are escaped is said once for the whole template, so that nobody who
writes one can forget it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from typing import Any

from ...errors import BadTemplate, PortabilityError, UsageError, unknown
from ...kinds import KINDS
from ...transform.profile import find_kind

ESCAPES: dict[str, str] = {
    "html": "for HTML: no text can become markup, an attribute or a link to anything but http and https",
    "xml": "for XML, in text and quoted attributes: markup is escaped, characters XML does not know are left out",
    "json": "each value is written as JSON with its quotes, null for nothing; a studio or tag with all of its fields",
    "csv": "each value is one cell, texts in quotes; a sheet may calculate a text that begins with =",
    "markdown": "for Markdown: signs with a meaning are escaped, line breaks become spaces (but see paragraphs)",
    "line": "line breaks and control characters become spaces, so that a value never ends a line",
    "none": "values are written as they are",
}
"""How values are written, by mode, in words."""

ESCAPE_OF_ENDING = {
    "html": "html",
    "htm": "html",
    "shtml": "html",
    "xhtml": "xml",
    "xht": "xml",
    "svg": "xml",
    "xml": "xml",
    "json": "json",
    "jsonl": "json",
    "csv": "csv",
    "tsv": "csv",
    "md": "markdown",
    "m3u": "line",
    "m3u8": "line",
}
ONE_FILE: dict[str, str] = {
    "all": "one file for everything",
    "kind": "one file for each kind",
    "record": "one file for each record",
}
PARTS = ("header", "record", "between", "footer", "file_name")
"""The parts that are rendered."""

MARKUP_ENDINGS = frozenset(("html", "htm", "shtml", "xhtml", "xht", "svg"))
"""Files in which a browser runs scripts: never written without escaping."""
MOST_BYTES = 64 * 1024
"""Of all parts of a template together."""
_ENDING = re.compile(r"[a-z0-9]{1,12}\Z").match
_WORD = re.compile(r"[A-Za-z_]\w*")


@dataclass(frozen=True, slots=True)
class Template:
    """A checked template. ``kinds`` are what it is for (none: any), ``images``: pictures are written beside,
    ``one_file``: a key of ONE_FILE, ``escape``: a key of ESCAPES. The parts are texts in Jinja's language;
    ``file_name`` names the file of a record where each has its own (without the ending)."""

    name: str
    record: str
    ending: str
    description: str = ""
    escape: str = "none"
    one_file: str = "all"
    file_name: str = "{{ label }}"
    kinds: tuple[str, ...] = ()
    images: bool = False
    header: str = ""
    between: str = ""
    footer: str = ""

    @property
    def parts(self) -> dict[str, str]:
        """The texts that are rendered, by part; that of file names only where there is a file a record."""
        return {part: getattr(self, part) for part in PARTS if part != "file_name" or self.one_file == "record"}

    @property
    def words(self) -> frozenset[str]:
        """Every word of its parts: a field whose name is not among them is not needed."""
        return frozenset(word for text in self.parts.values() for word in _WORD.findall(text))


TEXTS = ("name", "description", "escape", "ending", "one_file", *PARTS)
KEYS = tuple(field.name for field in fields(Template))


def parse_template(mapping: Any, name: str = "") -> Template:
    """Check a template. ``name`` is what it is called when it does not say. Raises BadTemplate telling everything
    that is wrong; what is written in its parts is only checked when a Renderer is opened with it."""
    if not isinstance(mapping, Mapping):
        raise BadTemplate(name=repr(name), reason="it is not a mapping of keys like record and ending")
    said = {str(key): value for key, value in mapping.items() if value is not None}
    title = said.get("name") if isinstance(said.get("name"), str) and said.get("name") else name
    problems = list(_problems(said))
    if problems:
        raise BadTemplate(name=repr(title), reason="; ".join(problems))
    ending = _plain_ending(said["ending"])
    made = {
        **said,
        "name": title,
        "ending": ending,
        "kinds": _kinds(said.get("kinds", ())),
        "escape": said.get("escape") or ESCAPE_OF_ENDING.get(ending, "none"),
    }
    return Template(**made)


def as_mapping(template: Template) -> dict[str, Any]:
    """``template`` as data, without what it leaves at its default: parsing it gives the same template."""
    said = {field.name: getattr(template, field.name) for field in fields(Template)}
    defaults = {field.name: field.default for field in fields(Template)}
    shown = {key: value for key, value in said.items() if key == "escape" or value != defaults[key]}
    return {key: list(value) if isinstance(value, tuple) else value for key, value in shown.items()}


def _problems(said: Mapping[str, Any]) -> Iterator[str]:
    """Everything that is wrong with the values of a template, in words."""
    yield from (str(unknown("key of a template", key, KEYS)) for key in said if key not in KEYS)
    wrong = [key for key in TEXTS if not isinstance(said.get(key, ""), str)]
    yield from (f"{key} is not a text" for key in wrong)
    yield from (f"{key} is missing" for key in ("record", "ending") if not said.get(key))
    yield from _wrong_choices({key: value for key, value in said.items() if value and key not in wrong})
    if not isinstance(said.get("images", False), bool):
        yield "images is neither true nor false"
    try:
        _kinds(said.get("kinds", ()))
    except UsageError as problem:
        yield str(problem)
    size = sum(len(said[part].encode("utf-8", "replace")) for part in PARTS if isinstance(said.get(part), str))
    if size > MOST_BYTES:
        yield f"it is longer than {MOST_BYTES // 1024} KiB"


def _wrong_choices(said: Mapping[str, Any]) -> Iterator[str]:
    """What is wrong with the ending, and with what is one of a few."""
    ending = _plain_ending(said.get("ending", "txt"))
    if not _ENDING(ending):
        yield f"ending {said['ending']!r} is not up to 12 letters and digits like html"
    for key, known in (("escape", ESCAPES), ("one_file", ONE_FILE)):
        if key in said and said[key] not in known:
            yield str(unknown(key, said[key], known))
    if ending in MARKUP_ENDINGS and said.get("escape", "html") not in ("html", "xml"):
        yield f"escape {said['escape']} does not do for what a browser reads: it has to be html or xml"


def _plain_ending(ending: str) -> str:
    return ending.lower().removeprefix(".")


def _kinds(listed: Any) -> tuple[str, ...]:
    """The kinds ``listed``, in the order an export writes them. Raises UsageError."""
    if isinstance(listed, str):
        listed = [part.strip() for part in listed.split(",") if part.strip()]
    if not isinstance(listed, (list, tuple)):
        raise UsageError("kinds is not a list of kinds")
    try:
        chosen = {find_kind(str(kind)).name for kind in listed}
    except PortabilityError as problem:
        raise UsageError(str(problem)) from problem
    return tuple(kind for kind in KINDS if kind in chosen)
