"""Make the plugin as Stash installs it: the zip ``dist/stash-portability.zip``, or a copy in a plugins folder.

The same files give the same bytes: members are sorted, and their times and modes are fixed.
"""

from __future__ import annotations

import shutil
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
NAME = "stash-portability"
FOLDERS = ("stash_portability", "ui")
SINGLE = {"plugin.yml": f"{NAME}.yml", "README.md": "README.md", "requirements.lock": "requirements.lock"}
"""A plugin's id is the name of its manifest file, so the manifest gets ours."""
ENDINGS = {".py", ".lock", ".md", ".js", ".css", ".txt", ".json", ".yaml"}
"""What is packed of the folders: no editor's backups, no .DS_Store, and no second manifest."""
LONG_AGO = (1980, 1, 1, 0, 0, 0)


def members() -> Iterator[tuple[str, Path]]:
    """The plugin's files: where each lies in the plugin's folder, and here."""
    found = {there: ROOT / here for here, there in SINGLE.items()}
    for folder in FOLDERS:
        for path in (ROOT / folder).rglob("*"):
            if path.is_file() and path.suffix in ENDINGS and not path.name.startswith("."):
                found[path.relative_to(ROOT).as_posix()] = path
    yield from sorted(found.items())


def make_zip(target: Path) -> None:
    """Write the zip."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, path in members():
            entry = zipfile.ZipInfo(name, LONG_AGO)
            entry.external_attr = 0o100644 << 16
            entry.create_system = 3
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, path.read_bytes(), compresslevel=9)  # an entry does not take the archive's


def copy_to(plugins: Path) -> Path:
    """Copy the plugin into a folder of its own in Stash's plugins folder, in place of an older copy."""
    target = plugins / NAME
    if target.exists() and not (target / f"{NAME}.yml").is_file():
        raise SystemExit(f"{target} is there and is not this plugin; move it away first")
    for folder in FOLDERS:
        shutil.rmtree(target / folder, ignore_errors=True)
    for name, path in sorted(members(), key=lambda member: member[0] != f"{NAME}.yml"):
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, target / name)
    return target


def main(arguments: list[str]) -> None:
    """``zip FILE`` or ``copy PLUGINS_FOLDER``."""
    what, where = arguments
    if what == "zip":
        make_zip(Path(where))
        sys.stdout.write(f"made {where}\n")
        return
    plugins = Path(where).expanduser()
    if not plugins.is_dir():
        raise SystemExit(f"{plugins} is not a folder: give Stash's plugins folder as DIR=…")
    sys.stdout.write(f"copied to {copy_to(plugins)}; now press Settings → Plugins → Reload plugins in Stash\n")


if __name__ == "__main__":
    main(sys.argv[1:])
