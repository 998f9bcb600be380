"""A real Kodi for tests: without a screen, with a home of its own, and a film library read from NFO files alone.

It is spoken to by its raw JSON-RPC port, because that one listens on the loopback interface only; Kodi's web server
and its WS-Discovery cannot be kept from the other interfaces, so they stay off.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import sqlite3
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

from .stash_server import free_port

SECONDS_TO_START = 90
SECONDS_TO_SCAN = 120
PROPERTIES = """title genre year rating director trailer tagline plot plotoutline originaltitle lastplayed playcount
    writer studio mpaa cast country runtime set streamdetails top250 votes fanart thumbnail file sorttitle resume
    setid dateadded tag art userrating ratings premiered uniqueid""".split()
"""All that VideoLibrary.GetMovies gives, but for imdbnumber and showlink, which an NFO of ours never sets."""

LIFELINE = (
    'exec 3<&0; "$0" "$@" </dev/null 3<&- & child=$!; '
    "(cat <&3 >/dev/null; trap '' TERM; kill -TERM 0; sleep 3; kill -KILL 0) & watcher=$!; "
    "wait $child; code=$?; kill $watcher; exit $code"
)
"""Ends everything Kodi's script starts as soon as our end of its stdin closes."""

SETTINGS = {
    "services.webserver": "false", "services.wsdiscovery": "false", "services.zeroconf": "false",
    "services.upnp": "false", "services.airplay": "false", "services.esenabled": "true",
    "services.esallinterfaces": "false", "general.addonupdates": "2", "general.addonnotifications": "false",
    "lookandfeel.enablerssfeeds": "false", "videolibrary.showemptytvshows": "false",
}  # fmt: skip
"""Nothing but loopback, and no add-on updates (2: never)."""


class KodiFailed(Exception):
    """A Kodi did not start, did not answer, or answered with an error."""


def missing() -> str | None:
    """Why no Kodi can be started here, or None when one can."""
    lacking = [name for name in ("kodi", "xvfb-run") if shutil.which(name) is None]
    if lacking:
        return f"no real Kodi here ({' and '.join(lacking)} not on the PATH): what it reads of our NFO is NOT tested"
    return None


class KodiServer:
    """One Kodi and its home. Starts when made; ``stop`` (or leaving the ``with``) ends it and all it started."""

    def __init__(self, folder: Path, timezone: str = "UTC") -> None:
        self.folder = folder.resolve()
        self.timezone = timezone
        self.port = 0
        self._process: subprocess.Popen[bytes] | None = None
        self._talk: _Talk | None = None
        self.start()

    def __enter__(self) -> KodiServer:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def log(self) -> Path:
        """Kodi's own log."""
        return self.folder / ".kodi" / "temp" / "kodi.log"

    @property
    def database(self) -> Path:
        """The video library, whose number differs from one Kodi to the next."""
        (found,) = (self.folder / ".kodi" / "userdata" / "Database").glob("MyVideos*.db")
        return found

    @property
    def group(self) -> int | None:
        """The process group Kodi and its screen run in."""
        return self._process.pid if self._process else None

    def start(self) -> None:
        """Start the process and wait until it answers. Raises KodiFailed with the end of its log."""
        for _ in range(2):
            self.port = free_port()
            _write_settings(self.folder / ".kodi" / "userdata", self.port)
            self._process = self._launch()
            if self._wait():
                return
            self.stop()
        raise KodiFailed(f"kodi did not start:\n{_tail(self.folder / 'kodi.out')}\n{_tail(self.log)}")

    def stop(self) -> None:
        """Ask Kodi to quit, and end what is left. Safe to call twice."""
        process, self._process = self._process, None
        if process is None:
            return
        if self._talk:
            with suppress(KodiFailed, OSError):
                self._talk.call("Application.Quit", {}, 5)
            with suppress(subprocess.TimeoutExpired):
                process.wait(20)
            self._talk.close()
            self._talk = None
        _end_group(process)

    def rpc(self, method: str, **parameters: Any) -> Any:
        """Give the result of a JSON-RPC call. Raises KodiFailed when it is an error."""
        assert self._talk is not None
        return self._talk.call(method, parameters, 60)

    def add_source(self, folder: Path) -> None:
        """Make ``folder`` a source of films that are described by NFO files and by nothing else."""
        with closing(sqlite3.connect(self.database, timeout=30)) as database, database:
            database.execute(
                "insert into path (strPath, strContent, strScraper, strHash, scanRecursive, useFolderNames,"
                " noUpdate, exclude) values (?, 'movies', 'metadata.local', '', 2147483647, 0, 0, 0)",
                (f"{folder.resolve()}/",),
            )

    def scan(self, folder: Path) -> list[dict[str, Any]]:
        """Take ``folder`` into the library; give every film under it, with all properties, by its file's path."""
        self.add_source(folder)
        assert self._talk is not None
        self._talk.forget()
        self._talk.call("VideoLibrary.Scan", {"directory": f"{folder.resolve()}/", "showdialogs": False}, 60)
        self._talk.wait_for("VideoLibrary.OnScanFinished", SECONDS_TO_SCAN)
        return self.movies(folder)

    def movies(self, folder: Path) -> list[dict[str, Any]]:
        """Give the films under ``folder`` that are in the library, by path."""
        found = self.rpc("VideoLibrary.GetMovies", properties=PROPERTIES).get("movies", [])
        return sorted(
            (movie for movie in found if movie["file"].startswith(f"{folder.resolve()}/")),
            key=lambda movie: str(movie["file"]),
        )

    def listening(self) -> list[str]:
        """The addresses on which a process of Kodi's group takes connections or datagrams, as ``ss`` names them."""
        said = subprocess.run(["ss", "-Hlntup"], capture_output=True, text=True, timeout=30, check=True).stdout
        ours = {f"pid={pid}," for pid in self._processes()}
        return [line.split()[4] for line in said.splitlines() if any(mark in line for mark in ours)]

    def _processes(self) -> Iterator[int]:
        for entry in Path("/proc").iterdir():
            with suppress(OSError, ValueError):
                if os.getpgid(int(entry.name)) == self.group:
                    yield int(entry.name)

    def _launch(self) -> subprocess.Popen[bytes]:
        command = ["sh", "-c", LIFELINE, "xvfb-run", "-a", "-s", "-screen 0 640x480x24 -nolisten tcp"]
        (self.folder / "tmp").mkdir(exist_ok=True)
        env = {
            "HOME": str(self.folder), "PATH": os.environ["PATH"], "TZ": self.timezone, "LANG": "C.UTF-8",
            "TMPDIR": str(self.folder / "tmp"),
        }  # fmt: skip
        with (self.folder / "kodi.out").open("ab") as log:
            return subprocess.Popen(
                [*command, "kodi", "--standalone"],
                stdin=subprocess.PIPE, stdout=log, stderr=log, cwd=self.folder, env=env, start_new_session=True,
            )  # fmt: skip

    def _wait(self) -> bool:
        end = time.monotonic() + SECONDS_TO_START
        while time.monotonic() < end and self._process is not None and self._process.poll() is None:
            with suppress(OSError, KodiFailed):
                self._talk = _Talk(self.port)
                self._talk.call("JSONRPC.Ping", {}, 10)
                return bool(self.database)
            time.sleep(0.2)
        return False


class _Talk:
    """A connection to the raw JSON-RPC port: answers and announcements come one after the other, with nothing
    between them."""

    def __init__(self, port: int) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=10)
        self._text = b""
        self._number = 0
        self._announced: list[str] = []

    def close(self) -> None:
        self._socket.close()

    def call(self, method: str, parameters: dict[str, Any], seconds: float) -> Any:
        self._number += 1
        asked = {"jsonrpc": "2.0", "id": self._number, "method": method, "params": parameters}
        self._socket.sendall(json.dumps(asked).encode())
        for said in self._messages(seconds):
            if said.get("id") == self._number:
                if "error" in said:
                    raise KodiFailed(f"{method}: {said['error']}")
                return said["result"]
        raise KodiFailed(f"{method} was not answered in {seconds} s")

    def forget(self) -> None:
        self._announced.clear()

    def wait_for(self, announcement: str, seconds: float) -> None:
        messages = self._messages(seconds)
        while announcement not in self._announced:
            if next(messages, None) is None:
                raise KodiFailed(f"no {announcement} in {seconds} s")

    def _messages(self, seconds: float) -> Iterator[dict[str, Any]]:
        """Every message that comes within so many seconds; announcements are noted by the way."""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            message = self._take()
            if message is None:
                self._socket.settimeout(left)
                with suppress(TimeoutError):
                    if not (more := self._socket.recv(1 << 16)):
                        return
                    self._text += more
                continue
            if "id" not in message:
                self._announced.append(message["method"])
            yield message

    def _take(self) -> dict[str, Any] | None:
        """The first whole message of what has come so far."""
        try:
            message, end = json.JSONDecoder().raw_decode(self._text.decode("utf-8").lstrip())
        except ValueError:  # cut in the middle, perhaps of a character
            return None
        self._text = self._text.decode("utf-8").lstrip()[end:].encode()
        found: dict[str, Any] = message
        return found


def _write_settings(folder: Path, port: int) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    values = SETTINGS | {"services.esport": str(free_port())}
    lines = [f'<setting id="{name}">{value}</setting>' for name, value in values.items()]
    if not (folder / "guisettings.xml").exists():
        text = '<settings version="2">\n' + "\n".join(lines) + "\n</settings>\n"
        (folder / "guisettings.xml").write_text(text, encoding="utf-8")
    (folder / "advancedsettings.xml").write_text(
        f"<advancedsettings><jsonrpc><tcpport>{port}</tcpport></jsonrpc><videolibrary>"
        "<importwatchedstate>true</importwatchedstate><importresumepoint>true</importresumepoint>"
        "</videolibrary></advancedsettings>\n",
        encoding="utf-8",
    )


def _tail(path: Path) -> str:
    return path.read_text(encoding="utf-8", errors="replace")[-3000:] if path.exists() else ""


def _end_group(process: subprocess.Popen[bytes]) -> None:
    """End the group that ``process`` leads: gently, so that the screen takes its lock away, then by force."""
    for sign, seconds in ((signal.SIGTERM, 5.0), (signal.SIGKILL, 5.0)):
        with suppress(ProcessLookupError):
            os.killpg(process.pid, sign)
        with suppress(subprocess.TimeoutExpired):
            process.wait(seconds)
        if _gone(process.pid, seconds):
            break
    if process.stdin:
        process.stdin.close()


def _gone(group: int, seconds: float) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            os.killpg(group, 0)
        except ProcessLookupError:
            return True
        time.sleep(0.05)
    return False
