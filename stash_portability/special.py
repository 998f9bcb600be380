"""What an export of NFO files or by a template is told, beside what every export is told. Reads only the template the
user names.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .checking import Checker, document_of, is_on, is_said, one_of, user_path
from .errors import BadTemplate, UsageError, several
from .kinds import KINDS
from .libraries.nfo.choices import FOREIGN, NfoChoices
from .libraries.nfo.dialects import DIALECTS
from .libraries.template.spec import Template, parse_template
from .transform.profile import match_kinds

NFO_OPTIONS = ("nfo_profile", "beside_media", "artwork", "foreign_nfo", "movie_nfo", "nfo_genres", "remove_deleted")
NOT_FOR_NFO = ("closure", "blobs", "template")
NOT_FOR_TEMPLATES = ("closure", "blobs", "fields", *NFO_OPTIONS)


def said_format(given: Mapping[str, Any]) -> str:
    """The format that was said: by its name, or by what only it takes ("" for neither)."""
    if given.get("format"):
        return str(given["format"])
    if is_said(given.get("template")):
        return "template"
    return "nfo" if is_on(given.get("beside_media")) else ""


def template_ending(form: str, template: Template | None) -> str:
    """The ending a file of the format has (without its dot)."""
    return template.ending if form == "template" and template else form


def find_template(value: Any) -> Template | None:
    """The template that was named: the path of a YAML or JSON file, or a mapping already read. Raises BadTemplate."""
    if value is None or value == "":
        return None
    if isinstance(value, Mapping):
        return parse_template(value, str(value.get("name") or "given"))
    path = user_path(value, "template")
    try:
        return parse_template(document_of(path, "template"), path.name)
    except (ValueError, RecursionError) as problem:
        raise BadTemplate(name=path.name, reason=problem) from problem


def nfo_choices(given: Mapping[str, Any]) -> NfoChoices:
    """How NFO files are written. Raises UnknownName, or SeveralProblems."""
    check = Checker()
    choices = NfoChoices(
        profile=check(one_of, "media server", str(given.get("nfo_profile") or "kodi"), DIALECTS, default="kodi"),
        beside=is_on(given.get("beside_media")),
        artwork=is_on(given.get("artwork")),
        foreign=check(
            one_of, "way with NFO files of others", str(given.get("foreign_nfo") or "keep"), FOREIGN, default="keep"
        ),
        movie_nfo=is_on(given.get("movie_nfo")),
        genres=str(given.get("nfo_genres") or "all"),
        remove_deleted=is_on(given.get("remove_deleted")),
    )
    if check.problems:
        raise several(check.problems)
    return choices


def special_kinds(form: str, template: Template | None, given: Mapping[str, Any]) -> tuple[str, ...]:
    """The kinds that are written: of NFO files only scenes, by a template those it is for. Raises UsageError."""
    named = given.get("kinds")
    asked = match_kinds(named) if isinstance(named, str) else ()
    if form == "nfo" and asked not in ((), ("scene",)):
        raise UsageError(f"NFO files are made of scenes only, not of {', '.join(KINDS[kind].plural for kind in asked)}")
    return asked or (template.kinds if form == "template" and template else ()) or ("scene",)


def special_problems(form: str, template: Template | None, said: Mapping[str, Any]) -> None:
    """Raise UsageError for options that do not go with the format."""
    told = [f"--{name.replace('_', '-')}" for name in _not_for(form) if _says_something(said.get(name))]
    verb = "does" if len(told) == 1 else "do"
    problems = [f"{', '.join(told)} {verb} not go with the format {form}"] if told else []
    if form == "template" and template is None and not is_said(said.get("template")):
        problems.append("--template is missing: the file that says how each record is written")
    if form == "nfo" and is_on(said.get("beside_media")) and said.get("to"):
        problems.append("--beside-media and --to cannot be used together")
    if form == "nfo" and said.get("privacy") == "public":
        problems.append("privacy public cannot be had of NFO files: their names are those of your files; take share")
    if form not in ("nfo", "template") and is_said(said.get("path")):
        problems.append("--path is for the formats nfo and template")
    if problems:
        raise UsageError("; ".join(problems))


def _not_for(form: str) -> tuple[str, ...]:
    if form == "nfo":
        return NOT_FOR_NFO
    return NOT_FOR_TEMPLATES if form == "template" else (*NFO_OPTIONS, "template")


def _says_something(value: Any) -> bool:
    """Whether an option was given; a task gives a switch that is off as the text "false"."""
    return is_said(value) and str(value).lower() not in ("false", "no", "0", "off")
