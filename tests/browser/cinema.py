"""A library of films with files of their own, which tests may write beside."""

from __future__ import annotations

import struct
from pathlib import Path

from ..live.media import data_url, film
from ..live.stash_server import StashServer

FILMS = 40
FOREIGN = b'<?xml version="1.0"?>\n<movie><title>By hand</title><plot>Not ours.</plot></movie>\n'
CREATE_TAG = "mutation($i: TagCreateInput!) { tagCreate(input: $i) { id } }"
CREATE_PERFORMER = "mutation($i: PerformerCreateInput!) { performerCreate(input: $i) { id } }"
UPDATE_SCENE = "mutation($i: SceneUpdateInput!) { sceneUpdate(input: $i) { id } }"
UPDATE_SCENES = "mutation($i: BulkSceneUpdateInput!) { bulkSceneUpdate(input: $i) { id } }"


def fill(server: StashServer, count: int = FILMS) -> None:
    """Make ``count`` films, ten to a folder, scan them, and give all a cover, a tag and a performer with a picture."""
    first = server.media / "first.mp4"
    film(first, "testsrc2")
    content = first.read_bytes()
    first.unlink()
    for number in range(1, count + 1):
        place = server.media / f"Season {(number - 1) // 10 + 1}" / f"Reed bed {number:02}.mp4"
        place.parent.mkdir(exist_ok=True)
        # an empty box of its own at its end makes each another film to Stash
        place.write_bytes(content + struct.pack(">I4sQ", 16, b"free", number))
    job = server.graphql("mutation { metadataScan(input: {}) }")["metadataScan"]  # no covers made, which take long
    server.wait_for_job(job)
    tag = server.graphql(CREATE_TAG, {"i": {"name": "Wetland"}})["tagCreate"]["id"]
    performer = {"name": "Heron", "image": data_url(7)}
    heron = server.graphql(CREATE_PERFORMER, {"i": performer})["performerCreate"]["id"]
    found = server.graphql("{ findScenes(filter: {per_page: -1}) { scenes { id } } }")["findScenes"]["scenes"]
    assert len(found) == count
    for scene in found:
        server.graphql(UPDATE_SCENE, {"i": {"id": scene["id"], "cover_image": data_url(int(scene["id"]))}})
    added = {"tag_ids": {"ids": [tag], "mode": "ADD"}, "performer_ids": {"ids": [heron], "mode": "ADD"}}
    server.graphql(UPDATE_SCENES, {"i": {"ids": [one["id"] for one in found], **added}})


def contents(folder: Path) -> dict[str, tuple[bytes, int]]:
    """What lies beside the films: content and time of change, by path."""
    found = (path for path in folder.rglob("*") if path.is_file() and path.suffix != ".mp4")
    return {str(path.relative_to(folder)): (path.read_bytes(), path.stat().st_mtime_ns) for path in found}
