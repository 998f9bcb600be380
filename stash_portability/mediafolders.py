"""Where a task may write NFO files: any page of the browser can start one. Beside the media that is under Stash's
libraries and the folders of roots.json; else also in exports/ and backups/ of the data folder.
"""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from .call import address_of, ask
from .desk import Desk
from .errors import OutputNotUsable, OutsideRoots, Unreachable, UsageError
from .places import Places

if TYPE_CHECKING:
    from .config import ExportOptions

LIBRARIES = "{ configuration { general { stashes { path } } } }"
SECONDS = 2.5
"""To wait for Stash's answer."""
NAME = "media-server"


def usual_folder(places: Places) -> Path:
    """Where NFO files go when nobody says where: always the same folder, so that running again brings it up to date."""
    return places.exports / NAME


def libraries(desk: Desk) -> tuple[Path, ...]:
    """The folders of Stash's libraries. Raises Unreachable, StashSaidNo."""
    if not desk.call.server:  # started by hand
        return ()
    try:
        listed = ask(desk.call, LIBRARIES, {}, SECONDS)["configuration"]["general"]["stashes"] or ()
        paths = [Path(str(entry["path"])) for entry in listed]
    except (AttributeError, KeyError, TypeError) as error:
        raise Unreachable(address=address_of(desk.call), reason="what answers is no Stash") from error
    return tuple(path for path in paths if path.is_absolute())


def check_target(desk: Desk, path: Path) -> Path:
    """Give the folder ``path`` with its symbolic links resolved, if NFO files may be written to it. Raises
    OutsideRoots, UsageError, and what asking Stash raises."""
    try:
        return desk.places.check_allowed(path)
    except OutsideRoots:
        return desk.places.check_allowed(path, also=(*libraries(desk), *desk.places.roots()))


def bounded(desk: Desk, options: ExportOptions) -> ExportOptions:
    """The options with the folders in which their NFO files may lie, as Stash names them and with links resolved.
    Raises UsageError when there is none, Unreadable for a wrong roots.json, and what asking Stash raises."""
    if options.nfo is None:
        return options
    folders = (*libraries(desk), *desk.places.roots()) if options.nfo.beside else (options.to,)
    if not folders:
        raise UsageError("there are no media to write beside: Stash has no library, and roots.json names no folder")
    both = (*folders, *(folder.resolve() for folder in folders))
    return replace(options, nfo=replace(options.nfo, allowed=tuple(dict.fromkeys(both))))


def check_usable(options: ExportOptions) -> None:
    """Raise OutputNotUsable when the folder for NFO files is none, or cannot be made or written. Beside the media each
    file is looked at when it is written."""
    if options.nfo is None or options.nfo.beside:
        return
    try:
        there = next(path for path in (options.to, *options.to.parents) if path.exists())
    except OSError as error:  # a name that is too long
        raise OutputNotUsable(path=options.to, reason=error.strerror or error) from error
    if not there.is_dir():
        raise OutputNotUsable(path=there, reason="it is not a folder")
    if not os.access(there, os.W_OK | os.X_OK):
        raise OutputNotUsable(path=there, reason="it cannot be written")
