"""A reader of archives by somebody who knows docs/FORMAT.md and nothing else of this project."""

from __future__ import annotations

import hashlib
import json
import zipfile
from pathlib import Path


def read(path):
    """Every record by (kind, id), and every image by its digest, of the archive at ``path``."""
    if Path(path).is_dir():
        names = [file.relative_to(path).as_posix() for file in Path(path).rglob("*") if file.is_file()]
        members = {name: (Path(path) / name).read_bytes() for name in names}
    else:
        with zipfile.ZipFile(path) as file:
            members = {name: file.read(name) for name in file.namelist()}
    manifest = json.loads(members.pop("manifest.json"))
    assert manifest["format"] == "stash-portability archive"
    assert manifest["version"] == 1
    assert set(manifest.get("requires", [])) <= {"zstd"}
    assert {said["name"] for said in manifest["members"]} == set(members)
    records, images = {}, {}
    for said in sorted(manifest["members"], key=lambda said: said["name"]):
        content = members[said["name"]]
        assert len(content) == said["bytes"]
        assert hashlib.sha256(content).hexdigest() == said["sha256"]
        if "kind" in said:
            lines = unpacked(content, said).splitlines()
            assert len(lines) == said["records"]
            for line in lines:
                record = json.loads(line)
                records[record.pop("kind"), record.pop("id")] = record
        elif said["name"].startswith("blobs/"):
            images[said["name"].removeprefix("blobs/")] = content
    return records, images


def unpacked(content, said):
    if not said["name"].endswith(".zst"):
        return content
    import zstandard

    return zstandard.ZstdDecompressor().decompress(content, max_output_size=said["unpacked"])
