"""What refers to records of a real Stash, which a delete would take the links from."""

import pytest

from stash_portability.libraries.stash import open_stash

from .hand import Hand
from .stash_server import NEW, OLD


@pytest.mark.parametrize("version", [NEW, OLD])
def test_what_refers_to_records_is_counted(new_stash, version):
    server = new_stash(version)
    make = Hand(server).make
    tag = make("tag", name="Reeds")
    below = make("tag", name="Sedge", parent_ids=[tag])
    studio = make("studio", name="Pond", tag_ids=[tag])
    make("studio", name="Brook", parent_id=studio)
    performer = make("performer", name="Robin", tag_ids=[tag])
    group = make("group", name="Marsh", tag_ids=[tag], studio_id=studio)
    gallery = make("gallery", title="Album", tag_ids=[tag], studio_id=studio, performer_ids=[performer])
    links = {"tag_ids": [tag], "studio_id": studio, "performer_ids": [performer], "gallery_ids": [gallery]}
    scene = make("scene", title="Owl", groups=[{"group_id": group}], **links)
    make("sceneMarker", scene_id=scene, title="m", seconds=1, primary_tag_id=tag)
    library = open_stash(server.url)
    wanted = {"tag": (tag, 7), "studio": (studio, 4), "performer": (performer, 2), "group": (group, 1),
              "gallery": (gallery, 1), "scene": (scene, 1)}  # fmt: skip
    found = {kind: library.referrers(kind, [uid]) for kind, (uid, _) in wanted.items()}
    assert found == {kind: {uid: count} for kind, (uid, count) in wanted.items()}
    assert library.referrers("tag", [tag, below], [below]) == {tag: 6, below: 0}
    assert library.referrers("tag", ["99999"]) == library.referrers("marker", ["1"]) == {}
