"""Where things lie: the data folder and its parts, and which paths a task may name.

Standard library only: the launcher needs the data folder before any library is there. The command line may
write anywhere; a task, which any page of the browser could start, only where someone on the server allows it.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from .errors import OutputNotUsable, OutsideRoots, Unreadable, UsageError

FOLDER_VARIABLE = "STASH_PORTABILITY_DATA"
PARTS = ("exports", "backups", "runs", "state", "profiles", "templates", "deps")
WRITABLE_PARTS = ("exports", "backups")
"""The parts of the data folder a task may be told to write to. The rest is ours: whoever could write there
could add roots, or modules for us to import."""
READABLE_PARTS = (*WRITABLE_PARTS, "profiles")
DOCUMENT_ENDINGS = (".yaml", ".yml", ".json")
ROOTS_FILE = "roots.json"
ROOTS_FORM = '{"version": 1, "roots": ["/a/folder"]}'


@dataclass(frozen=True, slots=True)
class Places:
    """The data folder and its parts."""

    data: Path

    @property
    def exports(self) -> Path:
        """Finished exports."""
        return self.data / "exports"

    @property
    def backups(self) -> Path:
        """Archives, with what lies beside them."""
        return self.data / "backups"

    @property
    def runs(self) -> Path:
        """One folder a run."""
        return self.data / "runs"

    @property
    def profiles(self) -> Path:
        """Export profiles that tasks may name."""
        return self.data / "profiles"

    @property
    def templates(self) -> Path:
        """Templates that tasks may name. The page can save one here (templates.py), and no export can write here."""
        return self.data / "templates"

    @property
    def deps(self) -> Path:
        """Python libraries the launcher installed."""
        return self.data / "deps"

    def make(self) -> Places:
        """Make the folder and its parts, for this user only; raises OutputNotUsable."""
        try:
            for folder in (self.data, *(self.data / part for part in PARTS)):
                folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        except (OSError, ValueError) as error:  # ValueError: a NUL in the path
            raise OutputNotUsable(path=self.data, reason=getattr(error, "strerror", None) or error) from error
        return self

    def roots(self) -> tuple[Path, ...]:
        """The folders outside the data folder that someone on the server has allowed in roots.json; raises
        Unreadable when that file is not as it should be."""
        path = self.data / ROOTS_FILE
        try:
            listed = json.loads(path.read_text("utf-8"))["roots"]
            return tuple(_root(entry) for entry in listed)
        except FileNotFoundError:
            return ()
        except (OSError, ValueError, KeyError, TypeError, RuntimeError) as error:  # ~ of no user
            raise Unreadable(path=path, reason=f"it must be {ROOTS_FORM} with full paths") from error

    def check_allowed(self, path: Path, *, parts: tuple[str, ...] = WRITABLE_PARTS, also: Iterable[Path] = ()) -> Path:
        """Give ``path`` with its symbolic links resolved; raises OutsideRoots unless it lies in one of
        ``parts`` of the data folder, under a root, or under one of the folders ``also``, which it may be itself;
        UsageError when it is no path. A relative path is taken from exports/. No root and no other folder opens the
        data folder."""
        try:
            real = (self.exports / path).expanduser().resolve()
        except (OSError, RuntimeError, ValueError) as error:  # too long; links in a circle; a NUL
            raise UsageError(f"{path} cannot be used: {getattr(error, 'strerror', None) or error}") from error
        data = self.data.resolve()
        own, others = [data / part for part in parts], [folder.resolve() for folder in also]
        inside = own if real.is_relative_to(data) else [*(root.resolve() for root in self.roots()), *others]
        if any(real.is_relative_to(folder) and (real != folder or folder in others) for folder in inside):
            return real
        shown = ", ".join(dict.fromkeys(str(folder) for folder in (*own, *self.roots(), *others)))
        raise OutsideRoots(path=path, allowed=shown)


def find_documents(*folders: Path) -> dict[str, Path]:
    """The profiles or templates in ``folders`` by their names (without the ending); the first of a name counts."""
    found: dict[str, Path] = {}
    for folder in folders:
        with suppress(OSError):  # a folder that is not there has none
            for path in sorted(folder.iterdir()):
                if path.suffix in DOCUMENT_ENDINGS and path.is_file():
                    found.setdefault(path.stem, path)
    return found


def _root(entry: object) -> Path:
    path = Path(str(entry)).expanduser()
    if not isinstance(entry, str) or not path.is_absolute():
        raise ValueError(entry)
    return path


def data_folder(
    given: str | None, environment: Mapping[str, str], setting: str = "", config_folder: str | None = None
) -> Path:
    """Choose the data folder: ``given`` (--data), else STASH_PORTABILITY_DATA, else the plugin's ``setting``,
    else ``portability`` beside Stash's config file, else in the user's data folder.

    Raises UsageError for the ~ of a user there is not.
    """
    named = given or environment.get(FOLDER_VARIABLE) or setting.strip()
    try:
        if named:
            return Path(named).expanduser().absolute()
        if config_folder:
            return Path(config_folder).absolute() / "portability"
        return _user_data(environment) / "stash-portability"
    except (OSError, RuntimeError) as error:
        raise UsageError(f"the data folder {named or ''} cannot be found: {error}; give --data") from error


def _user_data(environment: Mapping[str, str]) -> Path:
    if sys.platform == "win32":
        return Path(environment.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Application Support"
    return Path(environment.get("XDG_DATA_HOME") or Path.home() / ".local" / "share")


def config_folder_of(config_file: str) -> str | None:
    """The folder of the config file a Stash names (``configuration.general.configFilePath``), when it is on
    this machine: another machine's path leads nowhere here, or to somebody else's."""
    return str(Path(config_file).parent) if config_file and os.path.isfile(config_file) else None  # noqa: PTH113


def folder_of_stash(config_file: str, setting: str) -> Path | None:
    """The data folder that the plugin in a Stash on this machine uses, by the config file and the plugin's ``setting``
    that the Stash tells; None when it is not on this machine, or not ours to write to."""
    config_folder = config_folder_of(config_file)
    if config_folder is None:
        return None
    folder = data_folder(None, {}, setting, config_folder)
    there = folder if folder.is_dir() else folder.parent
    return folder if there.is_dir() and os.access(there, os.W_OK | os.X_OK) else None
