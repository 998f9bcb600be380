"""A reader of archives by somebody who knows docs/FORMAT.md and nothing else of this project."""

from __future__ import annotations

import hashlib
import json
import tempfile
import zipfile
from pathlib import Path


def read(path):
    """Every record by (kind, id), and every image that one of them has, of the archive at ``path``."""
    lines, images, manifest = {}, {}, {}
    for members, manifest in reversed(chain(Path(path))):
        for said in sorted(manifest["members"], key=lambda said: said["name"]):
            content = members[said["name"]]
            if "kind" in said:
                found = unpacked(content, said).splitlines()
                assert len(found) == said["records"]
                lines.update(((said["kind"], json.loads(line)["id"]), line) for line in found)
            elif said["name"].startswith("blobs/"):
                images[said["name"].removeprefix("blobs/")] = content
    if "incremental" in manifest.get("requires", []):
        lines = listed(members, manifest, lines)
    records = {key: json.loads(line) for key, line in lines.items()}
    for key, record in records.items():
        assert (record.pop("kind"), record.pop("id")) == key
    used = {value for record in records.values() for value in record.values() if isinstance(value, str)}
    return records, {digest: content for digest, content in images.items() if digest in used}


def chain(path):
    """The members of the archive and of those it is built on, the newest first, each with its manifest."""
    found = [open_(path)]
    while "incremental" in found[-1][1].get("requires", []):
        parent = found[-1][1]["parent"]
        path = path.parent / parent["name"]
        found.append(open_(path, parent["manifest"]))
    return found


def open_(path, digest=None):
    """The members of one archive, checked, and its manifest."""
    if path.is_dir():
        names = [file.relative_to(path).as_posix() for file in path.rglob("*") if file.is_file()]
        members = {name: (path / name).read_bytes() for name in names}
    elif path.suffix == ".7z":
        members = of_sevenzip(path)
    else:
        with zipfile.ZipFile(path) as file:
            members = {name: file.read(name) for name in file.namelist()}
    assert digest in (None, hashlib.sha256(members["manifest.json"]).hexdigest())
    manifest = json.loads(members.pop("manifest.json"))
    assert manifest["format"] == "stash-portability archive"
    assert manifest["version"] == 1
    assert set(manifest.get("requires", [])) <= {"zstd", "incremental"}
    assert {said["name"] for said in manifest["members"]} == set(members)
    for said in manifest["members"]:
        assert len(members[said["name"]]) == said["bytes"]
        assert hashlib.sha256(members[said["name"]]).hexdigest() == said["sha256"]
    return members, manifest


def of_sevenzip(path):
    import py7zr

    with tempfile.TemporaryDirectory() as folder, py7zr.SevenZipFile(path) as file:
        file.extractall(folder)
        return {name: (Path(folder) / name).read_bytes() for name in file.namelist()}


def listed(members, manifest, lines):
    """Those of ``lines`` that the newest archive lists."""
    found = {}
    for said in manifest["members"]:
        if "lists" in said:
            for one in map(json.loads, unpacked(members[said["name"]], said).splitlines()):
                line = lines[said["lists"], one["id"]]
                assert hashlib.sha256(line).hexdigest()[:32] == one["sha256"]
                found[said["lists"], one["id"]] = line
    return found


def unpacked(content, said):
    if not said["name"].endswith(".zst"):
        return content
    import zstandard

    return zstandard.ZstdDecompressor().decompress(content, max_output_size=said["unpacked"])
