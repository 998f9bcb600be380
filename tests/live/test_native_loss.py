"""What Stash's own export and import lose of a library, and a backup and its restore do not."""

from __future__ import annotations

import ast
import json
import urllib.request
from pathlib import Path
from typing import Any, NamedTuple

from stash_portability.__main__ import main

from .conftest import StartStash, binary
from .hand import Hand
from .populate import BOX, stash_id
from .restoring import target_of, view
from .stash_server import NEW, StashServer
from .test_backup import back_up
from .test_restore_engine import NOT_RESTORED

DIGITS = "aa10e708bf0aff2a"
"""A phash of more digits than a number of JSON keeps."""
EVERYTHING = {kind: {"all": True} for kind in "scenes images studios performers tags groups galleries".split()}
EDGE = "----edge----"


class Kept(NamedTuple):
    """What a library holds of all that one way or another is lost."""

    galleries: list[str]
    chapters: int
    otters: int
    scenes_of_twin: list[str]
    filters: list[str]
    phash: list[str]
    dated: list[str]
    rated_nought: list[str]


def kept_in(server: StashServer) -> Kept:
    found = {kind: [ast.literal_eval(one) for one in held.elements()] for kind, held in _held(server).items()}
    galleries = [one["title"] or one["files"][0]["path"].rpartition("/")[2] for one in found["gallery"]
                 if one["title"] or one["files"]]  # fmt: skip
    rivers = [json.dumps(one["object_filter"], sort_keys=True) for one in found["saved_filter"]
              if one["name"] == "Rivers"]  # fmt: skip
    dam = [scene for scene in found["scene"] if scene["files"] and scene["files"][0]["path"].endswith("beaver dam.mkv")]
    return Kept(
        sorted(galleries),
        len(found["chapter"]),
        sum(scene["title"] == 'Otters, "playing"' for scene in found["scene"]),
        [name for scene in found["scene"] if scene["date"] == "2007" for name in scene["performers"]],
        [f"{len(found['saved_filter'])} filters", *rivers],
        [one["value"] for scene in dam for one in scene["files"][0]["fingerprints"] if one["type"] == "phash"],
        [entry["updated_at"] for scene in dam for entry in scene["stash_ids"]],
        sorted(f"{kind} {one['name']}" for kind in ("studio", "performer", "group") for one in found[kind]
               if one["rating100"] == 0),
    )  # fmt: skip


def _held(server: StashServer) -> Any:
    return view(target_of(server).source, frozenset(NOT_RESTORED))


def by_objects(server: StashServer, into: StashServer) -> None:
    """What "Export all" and "Import" of the page do."""
    query = "mutation($i: ExportObjectsInput!) { exportObjects(input: $i) }"
    link = server.graphql(query, {"i": {**EVERYTHING, "includeDependencies": True}})["exportObjects"]
    with urllib.request.urlopen(link, timeout=60) as answer:
        content = answer.read()
    asked = {"file": None, "duplicateBehaviour": "OVERWRITE", "missingRefBehaviour": "FAIL"}
    query = "mutation($i: ImportObjectsInput!) { importObjects(input: $i) }"
    parts = {"operations": json.dumps({"query": query, "variables": {"i": asked}}), "map": '{"0":["variables.i.file"]}'}
    body = b"".join(_part(f'"{name}"', text.encode()) for name, text in parts.items())
    body += _part('"0"; filename="export.zip"', content) + f"--{EDGE}--\r\n".encode()
    headers = {"Content-Type": f"multipart/form-data; boundary={EDGE}"}
    with urllib.request.urlopen(urllib.request.Request(f"{into.url}/graphql", body, headers), timeout=60) as answer:
        into.wait_for_job(json.load(answer)["data"]["importObjects"])


def _part(named: str, content: bytes) -> bytes:
    return f"--{EDGE}\r\nContent-Disposition: form-data; name={named}\r\n\r\n".encode() + content + b"\r\n"


def by_metadata(server: StashServer) -> None:
    """What the tasks "Full export" and "Full import" do, which empties the library in between."""
    for mutation in ("metadataExport", "metadataImport"):
        server.wait_for_job(server.graphql(f"mutation {{ {mutation} }}")[mutation])


def ours(server: StashServer, into: StashServer, folder: Path) -> None:
    archive = back_up(server, folder / "backups")
    restore = ["restore", str(archive), "--to", into.url, "--mode", "replace", "--yes"]
    assert main(["--quiet", "--data", str(folder / "data"), *restore]) in (0, 1)


def test_what_stash_loses_on_the_way_comes_back_with_us(
    new_stash: StartStash, scanned_030: Path, request: Any, tmp_path: Path
) -> None:
    server = new_stash(NEW, populated=True)
    hand, ids = Hand(server), server.ids
    hand.edit("scene", ids["scene:beaver dam.mkv"], stash_ids=[stash_id(BOX, 41)])
    prints = [{"type": "phash", "value": DIGITS}]
    hand.do("fileSetFingerprints", input={"id": ids["file:beaver dam.mkv"], "fingerprints": prints})
    had, path = kept_in(server), binary(NEW, request.config)
    assert (len(had.galleries), had.chapters, had.otters, len(had.scenes_of_twin)) == (3, 3, 1, 1)
    assert (had.phash, len(had.rated_nought)) == ([DIGITS], 3)
    with StashServer.copy_of(scanned_030, tmp_path / "ours", path) as into:
        ours(server, into, tmp_path)
        assert kept_in(into) == had
    with StashServer.copy_of(scanned_030, tmp_path / "objects", path) as into:
        by_objects(server, into)
        objects = kept_in(into)
    by_metadata(server)
    metadata = kept_in(server)
    for theirs in (objects, metadata):
        # A gallery with chapters is not imported, and no scene that is in it.
        assert set(had.galleries) - set(theirs.galleries) == (
            {"Reeds at dawn\n(second line)"} if theirs is objects else {"Reeds at dawn\n(second line)", "pond.zip"}
        )
        assert (theirs.chapters, theirs.otters) == (0, 0)
        assert theirs.scenes_of_twin == ["Robin Marsh the diver; deep", "Robin Marsh the painter"]
        assert theirs.dated == ["1970-01-01T00:00:00Z"]
        assert theirs.rated_nought == []
    assert (objects.filters, objects.phash) == (["0 filters"], [])
    assert metadata.phash == ["aa10e708bf0b00e0"]
    assert "Rivers" not in json.loads(metadata.filters[1])["tags"]["value"]["items"][0]["id"]
