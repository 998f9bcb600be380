"""Real Stash processes for tests and benchmarks, each on a free loopback port with a folder of its own.

Only the standard library is used, so that what is tested never tests itself. Nothing here knows what is in a
library: populate.py fills one.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

NEW, OLD = "0.30", "0.27"
SECONDS_TO_START = 60
SHARED = ("media", "clips")
FOLDERS = (*SHARED, "generated", "metadata", "cache", "blobs", "plugins", "scrapers")
LIFELINE = (
    'exec 3<&0; "$0" "$@" </dev/null 3<&- & child=$!; '
    "(cat <&3 >/dev/null; kill $child 2>/dev/null) & watcher=$!; wait $child; code=$?; kill $watcher; exit $code"
)
"""Runs Stash until our end of its stdin closes, so that a killed test run leaves no server behind."""


class StashFailed(Exception):
    """A Stash did not start, or answered with errors."""


@dataclass(frozen=True)
class Login:
    """Credentials a server shall ask for."""

    username: str
    password: str


@dataclass(frozen=True)
class Options:
    """How a Stash is started: where image bytes lie, its time zone, and settings put into config.yml as they are."""

    files_for_blobs: bool = False
    login: Login | None = None
    timezone: str = "UTC"
    settings: Mapping[str, Any] = field(default_factory=dict)


def find_binary(version: str) -> str | None:
    """Give the path of the Stash for ``version`` (NEW or OLD), or None when there is none."""
    if version == OLD:
        return _existing(os.environ.get("STASH_BIN_027"))
    return _existing(os.environ.get("STASH_BIN") or shutil.which("stash"))


def _existing(path: str | None) -> str | None:
    return path if path and Path(path).is_file() else None


def binary_version(binary: str) -> str:
    """Give what the binary says it is, such as "0.30.1"."""
    said = subprocess.run([binary, "--version"], capture_output=True, text=True, timeout=30, check=True).stdout
    return said.split()[0].lstrip("v").split("-")[0]


def free_port() -> int:
    """Give a loopback port nothing listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class StashServer:
    """One Stash and its folder. Starts when made; ``stop`` (or leaving the ``with``) ends it.

    Making a second one on the same folder starts the same library again. ``media`` is where its films lie;
    a copy keeps its original's, because the database names every file by its full path.
    """

    def __init__(self, binary: str, folder: Path, options: Options | None = None) -> None:
        options = options or Options()
        self.timezone = options.timezone
        self.binary = binary
        self.folder = folder.resolve()
        self.port = 0
        self._process: subprocess.Popen[bytes] | None = None
        for name in FOLDERS:
            (self.folder / name).mkdir(parents=True, exist_ok=True)
        if not self.config.exists():
            # Stash's YAML takes no \u escapes of half a character.
            text = json.dumps(_settings(self.folder, options), indent=1, ensure_ascii=False)
            self.config.write_text(text, encoding="utf-8")
        self.api_key = _key_in(self.config)
        self.start()
        if options.login and not self.api_key:
            self._ask_for_login(options.login)

    @classmethod
    def copy_of(cls, original: Path, folder: Path, binary: str, options: Options | None = None) -> StashServer:
        """Start a copy of the stopped instance in ``original``, which stays as it is."""
        copy_instance(original.resolve(), folder.resolve())
        return cls(binary, folder, options)

    def __enter__(self) -> StashServer:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def config(self) -> Path:
        """The config file."""
        return self.folder / "config.yml"

    @property
    def database(self) -> Path:
        """The database file."""
        return self.folder / "stash-go.sqlite"

    @property
    def media(self) -> Path:
        """The folder of the library's films, if this is not a copy."""
        return self.folder / "media"

    @property
    def clips(self) -> Path:
        """The folder whose short films Stash takes as images."""
        return self.folder / "clips"

    @property
    def log(self) -> Path:
        """Everything Stash has printed."""
        return self.folder / "stash.out"

    @property
    def url(self) -> str:
        """The address, without a slash at its end."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def ids(self) -> dict[str, str]:
        """The ids of what populate.py put into this library, by name; empty when it did not."""
        kept = self.folder / "ids.json"
        found: dict[str, str] = json.loads(kept.read_text(encoding="utf-8")) if kept.exists() else {}
        return found

    @property
    def running(self) -> bool:
        """Whether the process is there."""
        return self._process is not None and self._process.poll() is None

    def start(self) -> None:
        """Start the process and wait until it answers. Raises StashFailed with the end of its log."""
        for _ in range(3):
            self.port = free_port()
            self._process = self._launch()
            if self._wait():
                return
            self.stop()
        raise StashFailed(f"{self.binary} did not start:\n{self._last_words()}")

    def stop(self) -> None:
        """End the process and all it started. Safe to call twice."""
        process, self._process = self._process, None
        if process is None:
            return
        if process.stdin:
            process.stdin.close()
        with suppress(subprocess.TimeoutExpired):
            process.wait(15)
        _end_group(process)

    def graphql(self, query: str, variables: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Give the data of the answer. Raises StashFailed when Stash answers with errors or not at all."""
        answer = self.raw(query, variables)
        if answer.get("errors"):
            said = "; ".join(error["message"] for error in answer["errors"])
            raise StashFailed(f"{said} for {query[:500]} {variables}"[:2000])
        data: dict[str, Any] = answer["data"]
        return data

    def raw(self, query: str, variables: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Give the whole answer, errors and all."""
        body = json.dumps({"query": query, "variables": variables or {}}).encode()
        headers = {"Content-Type": "application/json"} | ({"ApiKey": self.api_key} if self.api_key else {})
        request = urllib.request.Request(f"{self.url}/graphql", body, headers)
        try:
            with urllib.request.urlopen(request, timeout=300) as response:
                answer: dict[str, Any] = json.load(response)
                return answer
        except urllib.error.HTTPError as error:
            raise StashFailed(f"HTTP {error.code}: {error.read()[:1000]!r} for {query[:300]}") from error

    def wait_for_job(self, job: str, seconds: float = 120) -> None:
        """Wait until the job with that id is over."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            found = self.graphql("query($id: ID!) { findJob(input: {id: $id}) { status } }", {"id": job})["findJob"]
            if found is None or found["status"] in ("FINISHED", "CANCELLED", "FAILED"):
                return
            time.sleep(0.05)
        raise StashFailed(f"job {job} took more than {seconds} s")

    def _launch(self) -> subprocess.Popen[bytes]:
        command = [self.binary, "--config", str(self.config), "--host", "127.0.0.1", "--port", str(self.port)]
        if os.name == "posix":
            command = ["sh", "-c", LIFELINE, *command]
        env = {name: value for name, value in os.environ.items() if not name.startswith("STASH_")}
        env["TZ"] = self.timezone
        with self.log.open("ab") as log:
            return subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=log, stderr=log, cwd=self.folder, env=env, start_new_session=True
            )

    def _wait(self) -> bool:
        end = time.monotonic() + SECONDS_TO_START
        while time.monotonic() < end and self.running:
            if self._answers():
                return True
            time.sleep(0.05)
        return False

    def _answers(self) -> bool:
        try:
            return bool(self.raw("{ systemStatus { status } }")["data"]["systemStatus"]["status"] == "OK")
        except (OSError, StashFailed, KeyError, TypeError, ValueError):
            return False

    def _ask_for_login(self, login: Login) -> None:
        query = """mutation($input: ConfigGeneralInput!) {
            configureGeneral(input: $input) { username } generateAPIKey(input: {}) }"""
        self.api_key = self.graphql(query, {"input": {"username": login.username, "password": login.password}})[
            "generateAPIKey"
        ]

    def _last_words(self) -> str:
        return self.log.read_text(encoding="utf-8", errors="replace")[-3000:] if self.log.exists() else ""


def copy_instance(original: Path, folder: Path) -> None:
    """Copy a stopped instance: all but its films, which the copy shares."""
    shutil.copytree(original, folder, ignore=_not_to_copy(original), dirs_exist_ok=True)
    config = folder / "config.yml"
    text = config.read_text(encoding="utf-8").replace(str(original), str(folder))
    for name in SHARED:
        text = text.replace(str(folder / name), str(original / name))
    config.write_text(text, encoding="utf-8")


def _not_to_copy(original: Path) -> Any:
    def ignore(directory: str, names: list[str]) -> set[str]:
        return {*SHARED, "stash.out"} & set(names) if Path(directory) == original else set()

    return ignore


def _settings(folder: Path, options: Options) -> dict[str, Any]:
    """The config file Stash is given; JSON is YAML."""
    return {
        "host": "127.0.0.1",
        "nobrowser": True,
        "notifications_enabled": False,
        "database": str(folder / "stash-go.sqlite"),
        "generated": str(folder / "generated"),
        "metadata": str(folder / "metadata"),
        "cache": str(folder / "cache"),
        "blobs_path": str(folder / "blobs"),
        "blobs_storage": "FILESYSTEM" if options.files_for_blobs else "DATABASE",
        "plugins_path": str(folder / "plugins"),
        "scrapers_path": str(folder / "scrapers"),
        "create_galleries_from_folders": True,
        "parallel_tasks": 1,
        "create_image_clip_from_videos": True,
        "stash": [
            {"path": str(folder / "media"), "excludevideo": False, "excludeimage": False},
            {"path": str(folder / "clips"), "excludevideo": True, "excludeimage": False},
        ],
        **options.settings,
    }


def _key_in(config: Path) -> str:
    """The API key that Stash wrote into its config file, or ""."""
    found = re.search(r"^api_key: (\S+)$", config.read_text(encoding="utf-8"), re.MULTILINE)
    return found[1] if found else ""


def _end_group(process: subprocess.Popen[bytes]) -> None:
    """Kill what is left of the process group that ``process`` leads."""
    if sys.platform == "win32":
        process.kill()
    else:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
    process.wait()
