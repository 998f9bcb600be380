"""What Stash runs when a tag, performer, studio or group is deleted, or tags are merged: one line for the tombstones.

Stash starts it once for each record and waits for its end, inside the request of whoever deletes. So it needs the
standard library only, asks nobody anything, never fails the request, and gives up when its disk hangs.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from io import BufferedWriter
from typing import Any

from .tombstones import KINDS, Tombstone, append

MODE = "hook"
SECONDS = 0.11
"""For a disk that hangs. It takes 2 ms where none does; a machine that is busy with a scan is given some more."""
VARIABLE = "STASH_PORTABILITY_DATA"
POINTER = "data-folder.json"
"""In the plugin's folder: where the data folder is, when a setting says so. The hook asks no Stash for the setting."""
DESTROYED, MERGED = "Destroy.Post", "Merge.Post"
SAID = b"\x01w\x02"
"""How a line begins that Stash logs as a warning."""


def main(given: bytes, answer: BufferedWriter, environment: Mapping[str, str]) -> bool:
    """Serve the call ``given`` if a hook made it; tell whether that was so. Nothing is raised, and the answer says
    nothing, from the beginning on."""
    try:
        call = json.loads(given)
        arguments, server = call["args"], call["server_connection"]
        if arguments["mode"] != MODE:
            return False
    except (ValueError, KeyError, TypeError):
        return False
    _limit_time()
    try:
        answer.write(b"{}\n")
        answer.flush()
        now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        if stones := list(tombstones(arguments["hookContext"], now)):
            append(_state(server, environment), stones)
    except Exception as problem:  # noqa: BLE001 - whatever goes wrong here, the record is deleted all the same
        _say(f"what was deleted could not be noted: {type(problem).__name__}: {problem}")
    return True


def tombstones(context: Mapping[str, Any], now: str) -> list[Tombstone]:
    """What a hook's context tells. A bulk deletion runs the hook for each of its records, and a merge once for all
    that are merged. Raises KeyError, TypeError, AttributeError for a context that is none."""
    kind, _, what = context["type"].partition(".")
    kind = kind.lower()
    if kind not in KINDS:
        return []
    if what == DESTROYED:
        return [Tombstone(now, kind, str(context["id"]))]
    if what == MERGED:
        merged = context["input"]
        return [Tombstone(now, kind, str(uid), str(merged["destination"])) for uid in merged["source"]]
    return []


def _state(server: Mapping[str, Any], environment: Mapping[str, str]) -> Any:
    """The folder for the log, which is made if need be, but no folder above the data folder: that of a disk which is
    not there now must not come into being. Raises OSError, RuntimeError."""
    from pathlib import Path  # noqa: PLC0415 - slow to import, and most calls are not for us

    named = environment.get(VARIABLE) or told(Path(server["PluginDir"]))
    data = Path(named).expanduser() if named else Path(server["Dir"]).absolute() / "portability"
    state = data / "state"
    for folder in (data, state):
        folder.mkdir(mode=0o700, exist_ok=True)
    return state


def told(plugin_folder: Any) -> str:
    """The data folder that the pointer names; "" when there is none."""
    with suppress(OSError, ValueError, KeyError, TypeError):
        return str(json.loads((plugin_folder / POINTER).read_text("utf-8"))["folder"])
    return ""


def point(plugin_folder: Any, setting: str) -> None:
    """Leave the pointer to the data folder of the plugin's ``setting``, where it is not so already. A plugin's folder
    that cannot be written to is no matter: then the hook writes into the usual data folder."""
    with suppress(OSError):
        if setting == told(plugin_folder):
            return
        if not setting:
            (plugin_folder / POINTER).unlink(missing_ok=True)
            return
        from .wholefile import write_whole  # noqa: PLC0415

        write_whole(plugin_folder / POINTER, {"version": 1, "folder": setting})


def _limit_time() -> None:
    """End the process after SECONDS, whatever it waits for (a disk of the network), as if all were well."""
    if hasattr(signal, "setitimer"):
        signal.signal(signal.SIGALRM, _give_up)
        signal.setitimer(signal.ITIMER_REAL, SECONDS)


def _give_up(*_: object) -> None:
    _say("what was deleted could not be noted: the data folder is too slow")
    os._exit(0)


def _say(message: str) -> None:
    """Log a line; a path in it may hold anything."""
    text = " ".join(message.replace("\x01", " ").replace("\x02", " ").split())
    with suppress(OSError, ValueError):
        os.write(2, SAID + text.encode("utf-8", "replace")[:4000] + b"\n")
    sys.stderr.flush()
