"""What a task or an operation works with: the call, the data folder, our settings, the log and the clocks."""

from __future__ import annotations

import sys
import time
import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from . import dependencies, hook
from .call import Call, read_settings
from .places import Places, data_folder
from .stashlog import StashLog, StashProgress

PACKAGE = Path(__file__).resolve().parent


@dataclass(frozen=True, slots=True)
class Desk:
    """``clock`` gives seconds that never go back, ``now`` the time in UTC. ``download``: what is made has to be a
    file that a browser may be given. ``announce`` notes in the run's folder that what lies at the first path gets the
    second as its name, and the facts of the run once it has; ``folder`` is that of the run."""

    call: Call
    places: Places
    settings: Mapping[str, str]
    environment: Mapping[str, str]
    log: StashLog
    clock: Callable[[], float] = time.monotonic
    now: Callable[[], datetime] = lambda: datetime.now(timezone.utc)
    download: bool = False
    announce: Callable[[Path, Path, Mapping[str, Any]], None] = lambda *_: None
    folder: Path = Path()

    @property
    def plugin_folder(self) -> Path:
        """The folder Stash found our manifest in; our own when we were started by hand."""
        return Path(str(self.call.server.get("PluginDir") or PACKAGE.parent)).absolute()

    @property
    def shipped_profiles(self) -> Path:
        """The profiles that came with the plugin."""
        return self.plugin_folder / "profiles"

    @property
    def shipped_templates(self) -> Path:
        """The templates that came with the plugin; in a checkout, the examples that are packed as these."""
        packed = self.plugin_folder / "templates"
        return packed if packed.is_dir() else self.plugin_folder / "examples" / "templates"

    def shelf(self) -> dependencies.Shelf:
        """Where the dependency sets are."""
        return dependencies.shelf(self.places.deps, sys.path)

    def provide(self, names: Sequence[str]) -> None:
        """Make dependency sets importable, installing them if need be; raises LibrariesMissing."""
        shelf = self.shelf()
        if shelf.missing(names):
            from .installer import provide  # noqa: PLC0415 - seldom needed, and slow to import

            provide(names, shelf, StashProgress(self.log, self.clock))
        shelf.use()

    def need(self, *names: str) -> None:
        """Make dependency sets importable that are there; raises LibrariesMissing, and installs nothing: somebody
        waits for the answer."""
        shelf = self.shelf()
        if lacking := shelf.missing(names):
            from .installer import missing  # noqa: PLC0415

            raise missing(lacking[0], shelf, "nobody has asked for them yet")
        shelf.use()


def open_desk(call: Call, environment: Mapping[str, str], log: StashLog) -> Desk:
    """Find the data folder, asking Stash for our settings; raises Unreachable when it does not answer."""
    settings = read_settings(call) if call.server else {}
    folder = data_folder(call.data, environment, settings.get("dataFolder", ""), call.config_folder)
    desk = Desk(call, Places(folder), settings, environment, log)
    if call.server:
        hook.point(desk.plugin_folder, settings.get("dataFolder", ""))
    return desk


def bug_line(problem: Exception) -> str:
    """Tell a bug of ours in one line: what, and where."""
    last = traceback.extract_tb(problem.__traceback__)[-1]
    where = f"{Path(last.filename).name}:{last.lineno}"
    what = " ".join(f"{type(problem).__name__}: {problem}".split())
    return f"a bug of ours ({where}): {what}; please report it, with the lines of the log at level Debug"
