"""What a task or the page orders to export, checked as a whole: what may be said, which paths may be named, what a
new export is called, and what makes of it a file that a browser may be given. Writes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from . import runs
from .desk import Desk
from .downloads import AS_THEY_ARE
from .errors import PortabilityError, UsageError, several, unknown
from .places import READABLE_PARTS, find_profiles

if TYPE_CHECKING:
    from .config import ExportOptions

ARGUMENTS = (
    "to format profile kinds fields filter query narrow saved_filter ids since closure privacy blobs csv_safe bom"
    " compress overwrite"
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
    """The same, and what comes of it; raises UsageError telling everything that is wrong at once."""
    from .config import export_options  # noqa: PLC0415 - a status does without

    arguments, problems = _checked(desk)
    options = None
    try:
        options = export_options(arguments, {}, standing(desk))
        if desk.download and "to" not in arguments:
            arguments = {**arguments, **_as_download(desk, options)}
            options = export_options(arguments, {}, standing(desk, options))
    except PortabilityError as problem:
        problems.append(problem)
    if problems or options is None:
        raise several(problems)
    return arguments, options


def _checked(desk: Desk) -> tuple[dict[str, Any], list[PortabilityError]]:
    """The arguments that can be used, and what is wrong with the others."""
    told = {key: value for key, value in desk.call.arguments.items() if key != "mode" and value not in (None, "")}
    problems: list[PortabilityError] = [unknown("argument", key, ARGUMENTS) for key in told if key not in ARGUMENTS]
    checks = {"filter": _not_a_file, "narrow": _not_a_file, "kinds": _listed, "profile": _profile, "to": _target}
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
    return str(desk.places.check_allowed(Path(to)))


def _replaces_elsewhere(desk: Desk, told: Mapping[str, Any]) -> bool:
    """Whether a task is to replace what is not in our own folder: any page of the browser can start a task."""
    return bool(told.get("overwrite")) and not Path(told["to"]).is_relative_to(desk.places.data.resolve())


def _profile(desk: Desk, name: Any) -> Any:
    """The path of the profile ``name``; a name without a path is one of our own profiles, or of those shipped."""
    if not isinstance(name, str):
        return name
    found = find_profiles(desk.places.profiles, desk.shipped_profiles)
    known = {**{path.name: path for path in found.values()}, **found}
    if name in known and known[name].parent == desk.shipped_profiles:
        return str(known[name])
    if name not in known and known and Path(name).name == name and not (desk.places.profiles / name).exists():
        raise unknown("profile", name, sorted(found))
    path = known.get(name, desk.places.profiles / name)
    return str(desk.places.check_allowed(path, parts=READABLE_PARTS))


def standing(desk: Desk, options: ExportOptions | None = None) -> dict[str, Any]:
    """What holds when neither the task's arguments nor a profile say otherwise: our settings, and where a new
    export goes, which is named by the kind when ``options`` have one."""
    kept = {key: desk.settings[key] for key in SETTINGS if desk.settings.get(key)}
    return {"format": "json", **kept, "stem": str(_new_stem(desk, _what(options)))}


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
    kind, a zip for what would be a folder or another kind of file."""
    table = options.form in ("csv", "tsv")
    if options.shape == "folder" and table and len(options.kinds) == 1 and not options.blobs:
        return {"to": f"{_new_stem(desk, _what(options))}.{options.form}", "format": options.form}
    if options.shape == "zip" or (options.shape == "file" and options.to.suffix in AS_THEY_ARE):
        return {}
    return {"compress": "zip"}


def title(options: ExportOptions) -> str:
    """What an export is called for people: "Export scenes"."""
    from .kinds import KINDS  # noqa: PLC0415

    if len(options.kinds) == len(KINDS) and not options.saved_filter:
        return "Export library"
    if options.saved_filter:
        return "Export by a saved filter"
    return f"Export {', '.join(KINDS[kind].plural for kind in options.kinds).replace('_', ' ')}"


def needs_yaml(arguments: Mapping[str, Any], settings: Mapping[str, str]) -> bool:
    """Whether an export needs the YAML library."""
    ends = str(arguments.get("to", "")).endswith((".yaml", ".yml"))
    return ends or "yaml" in (arguments.get("format"), settings.get("format")) or needs_yaml_to_check(arguments)


def needs_yaml_to_check(arguments: Mapping[str, Any]) -> bool:
    """Whether checking an order needs the YAML library, because it names a profile."""
    return isinstance(arguments.get("profile"), str) and bool(arguments["profile"])


def shares(counts: Mapping[str, int | None], arguments: Mapping[str, Any]) -> dict[str, float]:
    """How much each phase of an export is of the whole, by its name: by the number of records, or alike when
    only some are exported."""
    from .config import CHOOSING  # noqa: PLC0415 - a status does without
    from .kinds import KINDS  # noqa: PLC0415

    some = any(arguments.get(key) for key in (*CHOOSING, "since", "kinds"))
    return {KINDS[kind].plural: 1.0 if some else float(count or 0) for kind, count in counts.items()}
