"""What a task or the page orders to export, checked as a whole: what may be said, which paths may be named, what a
new export is called, which libraries it needs, and what makes of it a file that a browser may be given. Writes
nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from . import mediafolders, runs
from .checking import is_on
from .desk import Desk
from .downloads import AS_THEY_ARE
from .errors import BadTemplate, PortabilityError, UsageError, several, unknown
from .places import READABLE_PARTS, find_documents

if TYPE_CHECKING:
    from .config import ExportOptions

ARGUMENTS = (
    "to format profile kinds fields filter query narrow saved_filter ids since closure privacy blobs csv_safe bom"
    " compress overwrite template nfo_profile beside_media artwork path foreign_nfo movie_nfo nfo_genres"
    " remove_deleted"
).split()
"""What a task may be told: the long options of ``export``, but for the source and its key."""
SETTINGS = ("format", "privacy", "kinds")


def export_arguments(desk: Desk) -> dict[str, Any]:
    """The options of the export: the task's arguments before the plugin's settings, paths checked; raises
    UsageError for what a task may not say, OutsideRoots for where it may not write, several at once."""
    arguments, problems = _checked(desk)
    if problems:
        raise several(problems)
    return arguments


def export_order(desk: Desk) -> tuple[dict[str, Any], ExportOptions]:
    """The same, and what comes of it; raises UsageError telling everything that is wrong at once, LibrariesMissing
    when a profile or template cannot be read for want of a library."""
    arguments, problems = _checked(desk)
    desk.need(*sets_to_check(arguments))
    options = None
    try:
        arguments, options = _settled(desk, arguments)
    except PortabilityError as problem:
        problems.append(problem)
    if problems or options is None:
        raise several(problems)
    return arguments, options


def _settled(desk: Desk, arguments: dict[str, Any]) -> tuple[dict[str, Any], ExportOptions]:
    """What comes of arguments that were checked one by one. Raises PortabilityError."""
    from .config import export_options  # noqa: PLC0415 - a status does without

    options = export_options(arguments, {}, standing(desk))
    if "to" not in arguments and (desk.download or options.nfo):
        arguments = {**arguments, **_as_download(desk, options)}
        options = export_options(arguments, {}, standing(desk, options))
    elif "to" in arguments and not options.nfo:
        desk.places.check_allowed(Path(arguments["to"]))  # NFO files would have been allowed in more places
    return arguments, mediafolders.bounded(desk, options)


def _checked(desk: Desk) -> tuple[dict[str, Any], list[PortabilityError]]:
    """The arguments that can be used, and what is wrong with the others."""
    told = {key: value for key, value in desk.call.arguments.items() if key != "mode" and value not in (None, "")}
    problems: list[PortabilityError] = [unknown("argument", key, ARGUMENTS) for key in told if key not in ARGUMENTS]
    checks = {
        "filter": _not_a_file, "narrow": _not_a_file, "kinds": _listed, "profile": _profile, "template": _template,
        "to": _target,
    }  # fmt: skip
    checked: dict[str, Any] = {}
    for key, value in told.items():
        try:
            checked[key] = checks[key](desk, value) if key in checks else value
        except PortabilityError as problem:
            problems.append(problem)
    if "to" in checked and _replaces_elsewhere(desk, checked):
        problems.append(UsageError("a task replaces only what lies in the data folder; give another to"))
    return {**{key: checked[key] for key in checked if key in ARGUMENTS}, "from": "this Stash"}, problems


def _not_a_file(_: Desk, value: Any) -> Any:
    if str(value).startswith("@"):
        raise UsageError("a task takes filter and narrow themselves, not the name of a file")
    return value


def _listed(_: Desk, value: Any) -> Any:
    return ",".join(map(str, value)) if isinstance(value, list) else value


def _target(desk: Desk, to: Any) -> str:
    """Where a task was told to write."""
    if not isinstance(to, str) or "\0" in to:
        raise UsageError("to must be the path of a file or folder")
    return str(mediafolders.check_target(desk, Path(to)) if _may_be_nfo(desk) else desk.places.check_allowed(Path(to)))


def _may_be_nfo(desk: Desk) -> bool:
    """Whether NFO files are ordered, as far as this can be told before a profile is read."""
    told = desk.call.arguments
    if told.get("format"):
        return bool(told["format"] == "nfo")
    return bool(told.get("profile")) or desk.settings.get("format") == "nfo"


def _replaces_elsewhere(desk: Desk, told: Mapping[str, Any]) -> bool:
    """Whether a task is to replace what is not in our own folder: any page of the browser can start a task."""
    return bool(told.get("overwrite")) and not Path(told["to"]).is_relative_to(desk.places.data.resolve())


def _profile(desk: Desk, name: Any) -> Any:
    """The path of the profile ``name``; a name without a path is one of our own profiles, or of those shipped."""
    if not isinstance(name, str):
        return name
    found = find_documents(desk.places.profiles, desk.shipped_profiles)
    known = {**{path.name: path for path in found.values()}, **found}
    if name in known and known[name].parent == desk.shipped_profiles:
        return str(known[name])
    if name not in known and known and Path(name).name == name and not (desk.places.profiles / name).exists():
        raise unknown("profile", name, sorted(found))
    path = known.get(name, desk.places.profiles / name)
    return str(desk.places.check_allowed(path, parts=READABLE_PARTS))


def _template(desk: Desk, name: Any) -> Any:
    """The path of the template ``name``: one of our own, or of those shipped. A template itself stays as it is."""
    if name == {}:
        raise BadTemplate(name="given", reason="it is empty")
    if not isinstance(name, str):
        return name
    from .templates import find  # noqa: PLC0415 - a status does without

    return str(find(desk, name))


def standing(desk: Desk, options: ExportOptions | None = None) -> dict[str, Any]:
    """What holds when neither the task's arguments nor a profile say otherwise: our settings, but for those that
    do not go with what is ordered, and where a new export goes, which is named by the kind when ``options`` have
    one."""
    told = desk.call.arguments
    special = bool(told.get("template")) or is_on(told.get("beside_media"))
    kept = {"format": "json", **{key: desk.settings[key] for key in SETTINGS if desk.settings.get(key)}}
    if special:
        del kept["format"]
    if special or told.get("format") in ("nfo", "template"):
        kept.pop("kinds", None)
    nfo = options is not None and options.nfo is not None
    stem = mediafolders.usual_folder(desk.places) if nfo else _new_stem(desk, _what(options))
    return {**kept, "stem": str(stem)}


def _what(options: ExportOptions | None) -> str:
    from .kinds import KINDS  # noqa: PLC0415 - a status does without

    return KINDS[options.kinds[0]].plural if options and len(options.kinds) == 1 else "library"


def _new_stem(desk: Desk, what: str) -> Path:
    """A path in exports/ without its ending, which nothing has yet: two exports may begin within one second."""
    name = stem = f"{runs.stamp(desk.now())}-{what}"
    there = {entry.name for entry in desk.places.exports.glob(f"{stem}*")}
    count = 1
    while any(found == name or found.startswith(f"{name}.") for found in there):
        count += 1
        name = f"{stem}-{count}"
    return desk.places.exports / name


def _as_download(desk: Desk, options: ExportOptions) -> dict[str, Any]:
    """What has to be said so that a file comes out that can be given to a browser: one sheet for a table of one
    kind, a zip for what would be a folder or another kind of file. NFO files stay a folder, which the next run brings
    up to date; what a template makes is zipped whatever its ending is, because it may be anything."""
    if options.nfo:
        return {}
    table = options.form in ("csv", "tsv")
    if options.shape == "folder" and table and len(options.kinds) == 1 and not options.blobs:
        return {"to": f"{_new_stem(desk, _what(options))}.{options.form}", "format": options.form}
    plain = options.shape == "file" and options.to.suffix in AS_THEY_ARE and not options.template
    if options.shape == "zip" or plain:
        return {}
    return {"compress": "zip"}


def title(options: ExportOptions) -> str:
    """What an export is called for people: "Export scenes", "Export scenes for Kodi", "Export scenes by a template"."""
    return f"{_title(options)}{_way(options)}"


def _way(options: ExportOptions) -> str:
    if options.nfo:
        from .libraries.nfo.dialects import DIALECTS  # noqa: PLC0415 - a status does without

        return f" for {DIALECTS[options.nfo.profile].title}"
    return " by a template" if options.template else ""


def _title(options: ExportOptions) -> str:
    from .kinds import KINDS  # noqa: PLC0415

    if len(options.kinds) == len(KINDS) and not options.saved_filter:
        return "Export library"
    if options.saved_filter:
        return "Export by a saved filter"
    return f"Export {', '.join(KINDS[kind].plural for kind in options.kinds).replace('_', ' ')}"


def sets_to_check(arguments: Mapping[str, Any]) -> list[str]:
    """The dependency sets that are needed to check an order whose paths are checked: YAML, if its profile or
    template lies in such a file."""
    files = [arguments[key] for key in ("profile", "template") if isinstance(arguments.get(key), str)]
    return ["yaml"] if any(not path.lower().endswith(".json") for path in files) else []


def sets_to_do(options: ExportOptions) -> list[str]:
    """The dependency sets that are needed to do an export."""
    of_form = {"yaml": ["yaml"], "nfo": ["xml"], "template": ["templates"]}
    return ["core", *of_form.get(options.form, [])]


SHARES_OF_MEDIA = {"places": 1.0, "scenes": 25.0, "leftovers": 0.2}
"""How long the phases of an export of NFO files take, compared with each other: measured with 8,000 scenes."""


def shares(
    counts: Mapping[str, int | None], arguments: Mapping[str, Any], options: ExportOptions | None = None
) -> dict[str, float]:
    """How much each phase of an export is of the whole, by its name: by the number of records, or alike when
    only some are exported."""
    if options and options.nfo:
        return dict(SHARES_OF_MEDIA)
    from .config import CHOOSING  # noqa: PLC0415 - a status does without
    from .kinds import KINDS  # noqa: PLC0415

    some = any(arguments.get(key) for key in (*CHOOSING, "since", "kinds"))
    return {KINDS[kind].plural: 1.0 if some else float(count or 0) for kind, count in counts.items()}
