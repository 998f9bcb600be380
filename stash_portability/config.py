"""What the user asked for, checked as a whole: arguments, settings and profiles become frozen options.

Every mistake is reported at once. Reads only the files the user names (profile, filter, key).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, Literal

from .checking import Checker, document_of, is_on, is_said, json_object, one_of, read_text, texts, user_path
from .errors import BadFilter, BadProfile, NotIncluded, PortabilityError, UsageError, several, unknown
from .formats import FORMATS
from .kinds import KINDS, LEVELS
from .libraries.nfo.choices import NfoChoices
from .libraries.template.spec import Template
from .special import find_template, nfo_choices, said_format, special_kinds, special_problems, template_ending
from .transform.narrow import Narrow, criteria, parse_narrow
from .transform.paths import Column
from .transform.profile import Profile, match_kinds, parse_fields, parse_profile
from .transform.rewrite import Rules, parse_rules
from .transform.scope import CLOSURES

Shape = Literal["file", "folder", "zip"]
OTHER_ENDINGS: dict[str, tuple[str, ...]] = {"yaml": (".yml",), "jsonl": (".ndjson",), "tsv": (".txt",)}
FILE_ENDINGS = frozenset(
    (
        *(f".{form}" for form in FORMATS),
        ".yml",
        ".ndjson",
        ".txt",
        ".xlsx",
        ".xls",
        ".ods",
        ".gz",
        ".7z",
        ".tar",
        ".html",
        ".htm",
        ".md",
        ".m3u",
        ".m3u8",
    )
)
"""Endings by which people mean a file: a folder of that name would be a surprise."""
LISTS = ("ids", "fields", "path")
TEXTS = (
    "from", "to", "format", "profile", "kinds", "filter", "query", "narrow", "saved_filter", "since", "closure",
    "privacy", "compress", "api_key_file", "template", "nfo_profile", "foreign_nfo", "nfo_genres", *LISTS,
)  # fmt: skip
MAPPINGS = ("filter", "narrow", "profile", "template")
"""Options that may come as what their text would say."""
CHOOSING = ("filter", "query", "narrow", "saved_filter", "ids")
"""Options that choose records of one kind."""
FILTER_EXAMPLE = '{"rating100": {"value": 80, "modifier": "GREATER_THAN"}}'
NARROW_EXAMPLE = '{"tags": {"ids": ["7"], "depth": -1}, "date": {"from": "2020"}}'


@dataclass(frozen=True, slots=True)
class ExportOptions:
    """One export, checked. ``columns`` are the columns by kind that were asked for (empty: all fields);
    ``shape`` is what ``to`` becomes: one file, a folder or a zip; ``since`` is UTC."""

    source: str
    to: Path
    form: str
    shape: Shape
    kinds: tuple[str, ...]
    columns: Mapping[str, tuple[Column, ...]] = field(default_factory=dict)
    criteria: Mapping[str, Any] | None = None
    query: str = ""
    narrow: Narrow = field(default_factory=dict)
    saved_filter: str = ""
    ids: tuple[str, ...] = ()
    since: str = ""
    closure: str = "full"
    privacy: str = "full"
    blobs: bool = False
    csv_safe: bool = False
    bom: bool = False
    overwrite: bool = False
    nfo: NfoChoices | None = None
    template: Template | None = None
    rules: Rules = ()
    api_key: str = field(default="", repr=False)

    @property
    def sheet(self) -> bool:
        """Whether this is one sheet of one kind for people, with names instead of references."""
        return self.form in ("csv", "tsv") and self.shape == "file"

    @property
    def choosing(self) -> bool:
        """Whether records of one kind are chosen: by ids, a filter, a search, or a narrowing."""
        return self.criteria is not None or bool(self.query or self.narrow or self.saved_filter or self.ids)


def export_options(
    arguments: Mapping[str, Any], environment: Mapping[str, str], standing: Mapping[str, Any] | None = None
) -> ExportOptions:
    """Check the arguments of ``export``: a mapping of the long option names with ``_`` for ``-``. A profile stands
    behind them, and ``standing`` (settings; ``stem``, the output's path without its ending) behind both. Raises
    UsageError telling everything that is wrong."""
    check = Checker()
    arguments = _well_formed(arguments, check.problems)
    profile = check(_profile, arguments.get("profile"), default=Profile("", {}))
    said = {key: value for key, value in arguments.items() if is_said(value)}
    given = {**(standing or {}), **profile.options, **said}
    given["narrow"] = check(_narrow, given.get("narrow")) or None
    template = check(find_template, given.get("template"))
    otherwise = said_format(profile.options) or (standing or {}).get("format")
    given["format"] = said_format(said) or otherwise
    to = check(_output, given, profile, template, default=Path())
    form = check(_format, said_format(said), to, otherwise, default="jsonl")
    shape, to = check(_shape, to, template_ending(form, template), given.get("compress"), default=("file", to))
    asked = check(parse_fields, texts(given.get("fields")), default={})
    columns = {**profile.columns, **asked}
    kinds = check(_all_kinds, form, template, given, columns, default=tuple(KINDS))
    sheet = form in ("csv", "tsv") and shape == "file"
    options = {
        "source": str(given.get("from") or check(_no_source, default="")),
        "kinds": check(_sheet_kind, kinds, columns, given, default=kinds) if sheet else kinds,
        "columns": {kind: listed for kind, listed in columns.items() if listed},
        "nfo": check(nfo_choices, given) if form == "nfo" else None,
        "template": template if form == "template" else None,
        **_plain_options(check, given, environment),
    }
    result = ExportOptions(to=to, form=form, shape=shape, **options)
    check(_agree, result, given)
    check(special_problems, form, template, {**profile.options, **said, "privacy": result.privacy})
    if len(result.kinds) == 1 and not result.saved_filter:
        check(criteria, result.kinds[0], result.narrow)
    if check.problems:
        raise several(check.problems)
    return _special(result)


def _plain_options(check: Checker, given: Mapping[str, Any], environment: Mapping[str, str]) -> dict[str, Any]:
    """The options that depend on no other."""
    return {
        "criteria": check(_filter, given.get("filter")),
        "query": str(given.get("query") or ""),
        "narrow": given["narrow"] or {},
        "saved_filter": str(given.get("saved_filter") or ""),
        "ids": check(_ids, given.get("ids"), default=()),
        "since": check(_since, given.get("since"), default=""),
        "closure": check(one_of, "closure", str(given.get("closure") or "full"), CLOSURES),
        "privacy": check(one_of, "privacy level", str(given.get("privacy") or "full"), LEVELS),
        "api_key": check(api_key, given.get("api_key_file"), environment, default=""),
        "rules": check(parse_rules, given.get("path"), default=()),
        **{name: is_on(given.get(name)) for name in ("blobs", "csv_safe", "bom", "overwrite")},
    }


def _special(options: ExportOptions) -> ExportOptions:
    """The options, with what follows from the format: NFO files and templates show single records, with what these
    refer to by name, and have a way of their own with pictures."""
    if options.form not in ("nfo", "template"):
        return options
    return replace(options, closure="none", blobs=_with_pictures(options))


def _with_pictures(options: ExportOptions) -> bool:
    """Whether an export of NFO files or by a template reads pictures."""
    if options.nfo:
        return options.nfo.artwork
    return bool(options.template and options.template.images and options.shape != "file")


def _well_formed(arguments: Mapping[str, Any], problems: list[PortabilityError]) -> dict[str, Any]:
    """The arguments without those that are empty (a script whose variable was not set would export everything), or
    that are no text where text is meant (tasks may be given any JSON); what is wrong with these goes into
    ``problems``. Raises at once where nothing can be checked without one of them."""
    wrong = {name: why for name in TEXTS if (why := _ill_formed(name, arguments.get(name)))}
    problems += [UsageError(f"--{name.replace('_', '-')} {why}") for name, why in wrong.items()]
    if wrong.keys() & {"from", "to"}:
        raise several(problems)
    return {name: value for name, value in arguments.items() if name not in wrong}


def _ill_formed(name: str, value: Any) -> str:
    """What is wrong with the form of an argument, or ""."""
    if isinstance(value, Mapping) and name in MAPPINGS:
        return ""
    texts = value if isinstance(value, list) and name in LISTS else [value]
    if any(text is not None and not isinstance(text, str) for text in texts):
        return "must be text"
    if ("" in texts and name not in ("from", "to")) or (name == "ids" and value == []):
        return "is empty"
    return "holds a NUL character" if any(text and "\0" in text for text in texts) else ""


def _no_source() -> str:
    raise UsageError("--from is missing: the address of a Stash, its database file, or an export")


def _output(given: Mapping[str, Any], profile: Profile, template: Template | None) -> Path:
    """Where the output goes: ``to``, or the stem with the ending that suits the format; nowhere for NFO files beside
    the media."""
    if is_on(given.get("beside_media")) and not given.get("to"):
        return Path()
    if given.get("to") == "-":
        raise UsageError("--to - is not possible: an export is a file, a folder or a .zip")
    if given.get("to"):
        return user_path(given["to"], "to")
    if not given.get("stem"):
        raise UsageError("--to is missing: the file, folder or .zip to write")
    form = template_ending(str(given.get("format") or "json"), template)
    if form == "nfo" or (template and (template.one_file != "all" or template.images)):
        return Path(str(given["stem"]))
    table = form in ("csv", "tsv") and len(profile.columns) != 1
    ending = "" if table or given.get("compress") or is_on(given.get("blobs")) else f".{form}"
    return Path(f"{given['stem']}{ending}")


def _format(said: Any, to: Path, standing: Any) -> str:
    """What was said on the command line; else what the ending of the output says; else profile and settings."""
    suffix = to.suffix.lower()
    guessed = next((form for form in FORMATS if suffix in (f".{form}", *OTHER_ENDINGS.get(form, ()))), "")
    form = str(said or guessed or standing or "jsonl")
    if form not in FORMATS:
        raise unknown("format", form, FORMATS)
    return form


def _shape(to: Path, form: str, compress: Any) -> tuple[Shape, Path]:
    """What ``to`` becomes: a zip when it says so, a file when it ends like the format, else a folder. ``form`` is the
    format, or the ending of what a template makes."""
    if form == "nfo" and (compress or to.suffix.lower() in FILE_ENDINGS | {".zip"}):
        raise UsageError("NFO files go into a folder: name one with --to, or say --beside-media")
    if compress not in (None, "", "zip"):
        if compress == "7z":
            raise NotIncluded(what="--compress 7z")
        raise unknown("compression", str(compress), ("zip",))
    suffix = to.suffix.lower()
    if compress == "zip" or suffix == ".zip":
        return "zip", to if suffix == ".zip" else to.with_name(to.name + ".zip")
    if suffix in (f".{form}", *OTHER_ENDINGS.get(form, ())):
        return "file", to
    if suffix in FILE_ENDINGS and form != "template":  # else the template is not known, and that is told
        raise UsageError(f"{to.name} does not end like {form}: name it {to.stem}.{form}, a folder, or a .zip")
    return "folder", to


def _all_kinds(
    form: str, template: Template | None, given: Mapping[str, Any], columns: Mapping[str, Any]
) -> tuple[str, ...]:
    if form in ("nfo", "template"):
        return special_kinds(form, template, given)
    return _kinds(given, columns)


def _kinds(given: Mapping[str, Any], columns: Mapping[str, Any]) -> tuple[str, ...]:
    named = given.get("kinds")
    if isinstance(named, str):
        return match_kinds(named) or tuple(KINDS)
    if columns:
        return tuple(kind for kind in KINDS if kind in columns)
    return ("scene",) if _filtered(given) and not given.get("saved_filter") else tuple(KINDS)


def _filtered(given: Mapping[str, Any]) -> bool:
    return any(is_said(given.get(name)) for name in CHOOSING)


def _sheet_kind(kinds: tuple[str, ...], columns: Mapping[str, Any], given: Mapping[str, Any]) -> tuple[str, ...]:
    if not isinstance(given.get("kinds"), str) and not columns:
        return ("scene",)
    if len(kinds) == 1:
        return kinds
    raise UsageError(
        "one sheet holds one kind: name it with --kinds, or give a folder or a .zip as --to for one table a kind"
    )


def _filter(value: Any) -> Mapping[str, Any] | None:
    """The filter: a mapping, JSON text, or @FILE with JSON in it. Raises BadFilter saying where it is wrong."""
    if value is None or isinstance(value, Mapping):
        return value
    try:
        return json_object(value, "filter", FILTER_EXAMPLE)
    except ValueError as problem:
        raise BadFilter(problem) from problem


def _narrow(value: Any) -> Narrow:
    """The narrowing, given as a filter is. Raises UsageError telling everything that is wrong."""
    try:
        text = value is not None and not isinstance(value, Mapping)
        return parse_narrow(json_object(value, "narrow", NARROW_EXAMPLE) if text else value or {})
    except ValueError as problem:
        raise UsageError(f"--narrow cannot be used: {problem}") from problem


def _ids(value: Any) -> tuple[str, ...]:
    ids = tuple(part.strip() for text in texts(value) for part in text.split(",") if part.strip())
    if value is not None and not ids:
        raise UsageError("--ids names no id")
    return tuple(dict.fromkeys(ids))


def _since(value: Any) -> str:
    """A date or time as UTC "YYYY-MM-DDTHH:MM:SSZ"; one without a zone is taken as UTC."""
    if not value:
        return ""
    try:
        moment = datetime.fromisoformat(str(value).strip().replace("Z", "+00:00"))
        aware = moment.replace(tzinfo=timezone.utc) if moment.tzinfo is None else moment.astimezone(timezone.utc)
    except (ValueError, OverflowError) as problem:
        raise UsageError(
            f"--since {str(value)!r} is not a date or time such as 2026-05-01 or 2026-05-01T20:00Z"
        ) from problem
    return aware.strftime("%Y-%m-%dT%H:%M:%SZ")


def api_key(path: Any, environment: Mapping[str, str]) -> str:
    """The key for Stash: from the file ``path``, else from STASH_API_KEY, else none. Raises UsageError."""
    if path:
        return read_text(user_path(path, "api-key-file"), "key").strip()
    return environment.get("STASH_API_KEY", "").strip()


def _profile(value: Any) -> Profile:
    """The profile named on the command line: a path, or a mapping already read."""
    if not value:
        return Profile("", {})
    if isinstance(value, Mapping):
        return parse_profile(value, "given")
    path = user_path(value, "profile")
    try:
        return parse_profile(document_of(path, "profile"), path.name)
    except (ValueError, RecursionError) as problem:
        raise BadProfile(name=path.name, reason=problem) from problem


def _agree(options: ExportOptions, given: Mapping[str, Any]) -> None:
    """Raise for options that cannot be had together."""
    ways = [name for name in CHOOSING if is_said(given.get(name))]
    problems = [message for wrong, message in _disagreements(options, ways) if wrong]
    if problems:
        raise UsageError("; ".join(problems))


def _disagreements(options: ExportOptions, ways: list[str]) -> list[tuple[bool, str]]:
    tables = options.form in ("csv", "tsv")
    scopes = [name for name in ways if name in ("filter", "saved_filter", "ids")]
    many = len(options.kinds) != 1 and "saved_filter" not in scopes
    apart = "query" in ways and scopes not in ([], ["filter"])
    many_files = options.template and options.template.one_file != "all" and options.shape == "file"
    return [
        (bool(many_files), "a template that makes several files needs a folder or a .zip as --to"),
        (len(scopes) > 1, f"{_named(scopes)} cannot be used together"),
        (apart, f"--query goes beside --filter or alone, not with {_named(scopes)}"),
        (bool(ways) and many, f"{_named(ways)} chooses records of one kind: name it with --kinds"),
        (bool(ways) and bool(options.since), f"--since does not go with {_named(ways)}: put updated_at into a filter"),
        (options.blobs and options.shape == "file", "--blobs needs a folder or a .zip as --to"),
        (options.csv_safe and not tables, f"--csv-safe is for csv and tsv, not {options.form}"),
        (options.bom and not tables, f"--bom is for csv and tsv, not {options.form}"),
    ]


def _named(ways: Iterable[str]) -> str:
    return " and ".join(f"--{name.replace('_', '-')}" for name in ways)
