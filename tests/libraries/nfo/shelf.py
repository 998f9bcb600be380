"""A shelf of films on a disk, the library that knows them, and a run that writes their NFO files."""

from __future__ import annotations

import io
import secrets
import time

from stash_portability.errors import Unreadable
from stash_portability.libraries.nfo.choices import NfoChoices
from stash_portability.libraries.nfo.keeper import Keeper
from stash_portability.libraries.nfo.orphans import Orphans
from stash_portability.libraries.nfo.places import Claims, Places
from stash_portability.libraries.nfo.writer import NfoWriter, Reading
from stash_portability.model import Blob, Record, Report
from stash_portability.transform.rewrite import parse_rules

JPEG, PNG, WEBP, GIF = b"\xff\xd8\xff\xe0", b"\x89PNG\r\n\x1a\n", b"RIFF\x10\0\0\0WEBPVP8 ", b"GIF89a"
FOREIGN = b'<?xml version="1.0"?>\n<movie><title>By hand</title><trailer>otter.mp4</trailer></movie>\n'


def blob(key, kind="scene", field="cover"):
    return Blob(kind, "1", field, key)


class Shelf:
    """``media`` is where the films lie, ``out`` the folder that mirrors theirs; ``records`` by kind and uid are the
    library, ``images`` its images."""

    def __init__(self, folder, **choices):
        self.media, self.out = folder / "media", folder / "out"
        self.media.mkdir(exist_ok=True)
        self.choices = {"beside": True, **choices}
        self.rules = None
        self.records = {}
        self.images = {"cover": JPEG + b"cover", "front": PNG + b"front", "anna": JPEG + b"anna"}
        self.opened = []

    def film(self, uid, *names, here=True, **data):
        """A scene with films of these names."""
        paths = [self.media / name for name in names]
        for path in paths if here else ():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch()
        files = [{"id": str(number), "path": str(path), "duration": 60.0} for number, path in enumerate(paths)]
        record = Record("scene", str(uid), {"title": f"Film {uid}", "files": files, **data})
        self.records["scene", str(uid)] = record.data
        return record

    def add(self, kind, uid, **data):
        self.records[kind, uid] = data

    def names(self, kind, uid):
        return self.records.get((kind, uid))

    def open_blob(self, wanted):
        self.opened.append(wanted.key)
        if wanted.key not in self.images:
            raise Unreadable(path=wanted.key, reason="it is not there")
        return io.BytesIO(self.images[wanted.key])

    def scenes(self):
        return [Record("scene", uid, data) for (kind, uid), data in self.records.items() if kind == "scene"]

    def run(self, scenes=None, now=time.time, **more):
        """Write, then look for what is left over; as an export does."""
        choices = NfoChoices(**{**self.choices, **more})
        places = Places(choices, parse_rules(self.rules), "" if choices.beside else str(self.out))
        claims, report = Claims(places), Report("export")
        for scene in self.scenes():
            claims.add(scene)
        keeper = Keeper(now, lambda: secrets.token_hex(8))
        with NfoWriter(places, claims, Reading(self.names, self.open_blob), keeper, report) as writer:
            for scene in self.scenes() if scenes is None else scenes:
                writer.put(scene, scene)
        covered = [str(self.media if choices.beside else self.out)]
        Orphans(claims, keeper, report, remove=choices.remove_deleted).sweep(covered)
        return report

    def state(self):
        """Everything on the shelf to the last bit and nanosecond."""
        return {path: (path.lstat().st_mtime_ns, path.lstat().st_ino, path.read_bytes()) for path in self.files()}

    def contents(self):
        """What lies there, but for when it was written."""
        return {path: path.read_bytes() for path in self.files()}

    def files(self):
        return sorted(
            path for top in (self.media, self.out) for path in top.rglob("*") if path.is_file() or path.is_symlink()
        )


def reasons(report):
    return {reason.text: reason.count for reason in report.reasons}


def listing(folder):
    """The names of what lies in a folder."""
    return sorted(path.name for path in folder.iterdir())
