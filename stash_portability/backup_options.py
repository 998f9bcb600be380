"""What the user asked a backup to be, checked as a whole."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from .checking import Checker, is_on, user_path
from .config import ExportOptions, api_key
from .errors import NotIncluded, UsageError, several, unknown
from .kinds import KINDS
from .transform.profile import match_kinds

CONTAINERS = ("zip", "7z", "folder")
TEXTS = ("from", "to", "kinds", "container", "api_key_file")


@dataclass(frozen=True, slots=True)
class BackupOptions:
    """One backup, checked. ``to`` is the folder it goes into; ``zstd`` packs the records by that; ``incremental``:
    only what changed since the newest archive there; ``include_database``: Stash's own database, too."""

    source: str
    to: Path
    kinds: tuple[str, ...] = tuple(KINDS)
    container: Literal["zip", "7z", "folder"] = "zip"
    zstd: bool = False
    incremental: bool = False
    include_database: bool = False
    api_key: str = field(default="", repr=False)

    def as_export(self, path: Path) -> ExportOptions:
        """The export that reads what this backup holds, to ``path``: all fields and images, with everything the
        records refer to."""
        return ExportOptions(
            source=self.source,
            to=path,
            form="jsonl",
            shape="folder" if self.container == "folder" else "zip",
            kinds=self.kinds,
            blobs=True,
            api_key=self.api_key,
        )


def backup_options(arguments: Mapping[str, Any], environment: Mapping[str, str]) -> BackupOptions:
    """Check the arguments of ``backup``: a mapping of the long option names with ``_`` for ``-``. Raises UsageError
    telling everything that is wrong."""
    check = Checker()
    given = {name: check(_text, name, arguments.get(name), default="") for name in TEXTS}
    options = BackupOptions(
        source=given["from"] or check(_missing, "from", "the address of a Stash, or its database file", default=""),
        to=check(_folder, given["to"], default=Path()),
        kinds=check(_kinds, given["kinds"], default=tuple(KINDS)),
        container=check(_container, given["container"], default="zip"),
        zstd=check(_zstd, arguments, default=False),
        incremental=is_on(arguments.get("incremental")),
        include_database=is_on(arguments.get("include_database")),
        api_key=check(api_key, given["api_key_file"], environment, default=""),
    )
    if check.problems:
        raise several(check.problems)
    return options


def _text(name: str, value: Any) -> str:
    option = f"--{name.replace('_', '-')}"
    if value is None:
        return ""
    if not isinstance(value, str):
        raise UsageError(f"{option} must be text")
    if "\0" in value:
        raise UsageError(f"{option} holds a NUL character")
    if not value:
        raise UsageError(f"{option} is empty")
    return value


def _missing(name: str, words: str) -> str:
    raise UsageError(f"--{name} is missing: {words}")


def _folder(to: str) -> Path:
    if not to:
        _missing("to", "the folder the backup goes into")
    if to.startswith("rclone:"):
        raise NotIncluded(what="--to rclone:")
    return user_path(to, "to")


def _kinds(named: str) -> tuple[str, ...]:
    return match_kinds(named) or tuple(KINDS) if named else tuple(KINDS)


def _container(named: str) -> str:
    if named and named not in CONTAINERS:
        raise unknown("container", named, CONTAINERS)
    return named or "zip"


def _zstd(arguments: Mapping[str, Any]) -> bool:
    if is_on(arguments.get("zstd")) and is_on(arguments.get("deflate")):
        raise UsageError("--deflate and --zstd cannot be used together")
    if is_on(arguments.get("zstd")) and arguments.get("container") == "7z":
        raise UsageError("--zstd is not for --container 7z, which packs the records itself")
    return is_on(arguments.get("zstd"))
