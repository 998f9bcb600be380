"""Make the plugin as Stash installs it: ``dist/stash-portability.zip`` with its index, or a copy in a plugins folder.

The same files give the same bytes (with the same zlib): members are sorted, and their times and modes are fixed.
Standard library only, because it runs on the Python the tree is found with.

``index.yml`` is a package source of Stash: the list of packages that Settings → Plugins → Available Plugins shows.
It lies beside the zip and never in it, because Stash takes every .yml under its plugins folder for a plugin, and it
holds the zip's SHA-256. It is written as JSON, which is YAML too.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import re
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import suppress
from datetime import datetime, timezone
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
NAME = "stash-portability"
SINGLE = {
    "plugin.yml": f"{NAME}.yml",
    "README.md": "README.md",
    "requirements.lock": "requirements.lock",
    "LICENSE": "LICENSE",
}
"""A plugin's id is the name of its manifest file, so the manifest gets ours."""
NEEDED = ("plugin.yml", "requirements.lock")
FOLDERS: Mapping[str, tuple[str, frozenset[str]]] = {
    "stash_portability": ("stash_portability", frozenset({".py"})),
    "ui": ("ui", frozenset({".js", ".css"})),
    "examples/profiles": ("profiles", frozenset({".yaml"})),
    "examples/templates": ("templates", frozenset({".yaml"})),
    "docs": ("docs", frozenset({".md"})),
}
"""What is packed of which folder, and where to: no editor's backups, no package.json of the page's modules, and no
second manifest."""
NOT_OURS = ("node_modules", "__pycache__")
LONG_AGO = (1980, 1, 1, 0, 0, 0)
INDEX = "index.yml"
OF_STASH = "manifest"
"""Stash's own record of what it installed."""
COPIED = "copied-files.txt"
"""Our record of what ``copy`` has put into the plugin's folder."""


def members() -> Iterator[tuple[str, Path]]:
    """The plugin's files: where each lies in the plugin's folder, and here."""
    found = {there: ROOT / here for here, there in SINGLE.items() if here in NEEDED or (ROOT / here).is_file()}
    for folder, (there, endings) in FOLDERS.items():
        for path in (ROOT / folder).rglob("*"):
            inside = path.relative_to(ROOT / folder)
            if path.is_file() and path.suffix in endings and not any(map(_foreign, inside.parts)):
                found[f"{there}/{inside.as_posix()}"] = path
    yield from sorted(found.items())


def _foreign(part: str) -> bool:
    return part.startswith(".") or part in NOT_OURS


def pack() -> bytes:
    """The zip."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, path in members():
            entry = zipfile.ZipInfo(name, LONG_AGO)
            entry.external_attr = 0o100644 << 16
            entry.create_system = 3
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, path.read_bytes(), compresslevel=9)  # an entry does not take the archive's
    return packed.getvalue()


def make_zip(target: Path) -> None:
    """Write the zip, and beside it the index that offers it."""
    packed = pack()
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(packed)
    entry = {
        "id": NAME,
        "name": said("name"),
        "version": said("version"),
        "date": date().strftime("%Y-%m-%d %H:%M:%S"),
        "path": target.name,
        "sha256": hashlib.sha256(packed).hexdigest(),
        "metadata": {"description": said("description")},
        "requires": [],
    }
    # No \u escapes: YAML does not join the halves of a surrogate pair.
    text = json.dumps([entry], indent=2, ensure_ascii=False) + "\n"
    target.with_name(INDEX).write_bytes(text.encode())


def said(key: str) -> str:
    """What plugin.yml says at its top: a plain value on one line, as the builders of package sources read it."""
    found = re.search(rf"^{key}: *(\S.*?) *$", (ROOT / "plugin.yml").read_text("utf-8"), re.MULTILINE)
    if not found:
        raise SystemExit(f"plugin.yml has no {key} on a line of its own")
    return found[1]


def date() -> datetime:
    """When what is packed was last changed, in UTC. Stash offers an update when this is newer than what it has
    installed, and never looks at the version.

    SOURCE_DATE_EPOCH when it is set; else the time of the newest commit that touched anything packed, or this tool;
    else, with changes that are not committed or without git, the newest time of a file (an unpacked tarball of git's
    has the commit's). A shallow clone knows the newest commit only.
    """
    given = os.environ.get("SOURCE_DATE_EPOCH", "")
    if given:
        if not given.isdecimal():
            raise SystemExit(f"SOURCE_DATE_EPOCH must be seconds since 1970, and is {given!r}")
        return _utc(int(given))
    ours = [*SINGLE, *FOLDERS, "tools/package.py"]
    commits = [int(line) for line in _git("log", "--format=%ct", "--", *ours)]
    if commits and not _git("status", "--porcelain", "--", *ours):
        return _utc(max(commits))
    files = [path.stat().st_mtime for _, path in members()]
    return _utc(int(max([*commits, *files])))


def _utc(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, timezone.utc)


def _git(*arguments: str) -> list[str]:
    """The lines git answers; none without git, or where it knows nothing of this tree."""
    command = ["git", "--no-optional-locks", *arguments]
    try:
        done = subprocess.run(command, cwd=ROOT, capture_output=True, encoding="utf-8", check=True)  # noqa: S603
    except (OSError, subprocess.CalledProcessError):
        return []
    return done.stdout.splitlines()


def copy_to(plugins: Path) -> Path:
    """Copy the plugin into a folder of its own in Stash's plugins folder, in place of an older copy. Removes what
    an older copy had and this one has not, and nothing else."""
    target = plugins / NAME
    if target.exists() and not (target / f"{NAME}.yml").is_file():
        raise SystemExit(f"{target} is there and is not this plugin; move it away first")
    if (target / OF_STASH).is_file():
        raise SystemExit(f"Stash has installed {target}: uninstall it there first (Settings → Plugins)")
    ours, before = dict(members()), _copied_before(target)
    target.mkdir(exist_ok=True)
    # The manifest first, so that a copy that is broken off is known as ours; the record before the rest.
    shutil.copyfile(ours[f"{NAME}.yml"], target / f"{NAME}.yml")
    _note(target, before | set(ours))
    for name, path in ours.items():
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, target / name)
    for name in before - set(ours):
        _remove(target, name)
    _note(target, set(ours))
    return target


def _copied_before(target: Path) -> set[str]:
    """What the record says, without anything that leads out of the folder."""
    with suppress(FileNotFoundError):
        names = (target / COPIED).read_text("utf-8").splitlines()
        return {name for name in names if name and target.resolve() in (target / name).resolve().parents}
    return set()


def _note(target: Path, names: set[str]) -> None:
    (target / COPIED).write_text("".join(f"{name}\n" for name in sorted(names)), "utf-8")


def _remove(target: Path, name: str) -> None:
    """Remove a file, what Python compiled of it, and the folders that are empty then."""
    path = target / name
    for gone in (path, *path.parent.glob(f"__pycache__/{path.stem}.*.pyc")):
        gone.unlink(missing_ok=True)
    with suppress(OSError):  # the first that is not empty ends it
        for folder in (path.parent / "__pycache__", *path.parents):
            if folder == target:
                break
            if folder.is_dir():
                folder.rmdir()


def main(arguments: list[str]) -> None:
    """``zip FILE`` or ``copy PLUGINS_FOLDER``."""
    what, where = arguments
    if what == "zip":
        make_zip(Path(where))
        sys.stdout.write(f"made {where} and {Path(where).with_name(INDEX)}\n")
        return
    plugins = Path(where).expanduser()
    if not plugins.is_dir():
        raise SystemExit(f"{plugins} is not a folder: give Stash's plugins folder as DIR=…")
    sys.stdout.write(f"copied to {copy_to(plugins)}; now press Settings → Plugins → Reload plugins in Stash\n")


if __name__ == "__main__":
    main(sys.argv[1:])
