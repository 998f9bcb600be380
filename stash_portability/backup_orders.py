"""What a task or the page orders to back up, checked as a whole. Writes nothing."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .checking import is_on
from .desk import Desk
from .errors import PortabilityError, UsageError, several, unknown

if TYPE_CHECKING:
    from .backup_options import BackupOptions

ARGUMENTS = ("to", "kinds", "container", "deflate", "zstd", "incremental", "include_database")
"""What a task may be told: the long options of ``backup``, but for the source and its key."""


def backup_order(desk: Desk) -> BackupOptions:
    """The options of the backup; it goes into backups/ of the data folder, or where else tasks may write. Raises
    UsageError telling everything that is wrong at once, OutsideRoots."""
    from .backup_options import backup_options  # noqa: PLC0415 - a status does without

    told = {key: value for key, value in desk.call.arguments.items() if key != "mode" and value not in (None, "")}
    problems: list[PortabilityError] = [unknown("argument", key, ARGUMENTS) for key in told if key not in ARGUMENTS]
    given: dict[str, Any] = {key: told[key] for key in ARGUMENTS if key in told}
    try:
        given["to"] = str(_folder(desk, given.get("to")))
    except PortabilityError as problem:
        problems.append(problem)
        given["to"] = "."
    if isinstance(given.get("kinds"), list):
        given["kinds"] = ",".join(map(str, given["kinds"]))
    try:
        options = backup_options({**given, "from": "this Stash"}, {})
    except PortabilityError as problem:
        problems.append(problem)
    if problems:
        raise several(problems)
    return options


def sets_to_do(arguments: Mapping[str, Any]) -> list[str]:
    """The dependency sets that are needed to do a backup."""
    zstd, sevenzip = is_on(arguments.get("zstd")), arguments.get("container") == "7z"
    return ["core", *(["zstd"] if zstd else []), *(["7z"] if sevenzip else [])]


def _folder(desk: Desk, to: Any) -> Path:
    """The folder a task was told to back up into: backups/ itself, or one that tasks may write to."""
    if to is None:
        return desk.places.backups
    if not isinstance(to, str):
        raise UsageError("to must be the path of a folder")
    return desk.places.check_allowed(desk.places.backups / to, also=(desk.places.backups,))
