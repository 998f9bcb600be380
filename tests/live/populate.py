"""Fills a real Stash with a small nature library in which every field of every kind is set at least once, and
left empty at least once. What a Stash does not have is left out, by introspection.

``populate`` gives the ids it made by name ("tag:rivers"), so that tests can speak of them; ``StashServer.ids``
has them too.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from .canaries import Canary, plant_canaries
from .hand import Hand
from .media import caption, data_url, make_library
from .settings import configure
from .stash_server import StashServer

__all__ = ["Canary", "Ids", "plant_canaries", "populate", "scan"]

Ids = dict[str, str]

ODD = 'He said "reeds, rushes; sedge"\nand wrote:\t=SUM(A1) \\ 🦦 שלום <b>&amp;</b> — é'
BOX, OTHER_BOX = "https://boxes.example/graphql", "https://other-boxes.example/graphql"


def populate(server: StashServer) -> Ids:
    """Make the media, scan it, and write a record of every sort."""
    make_library(server.media, server.clips)
    scan(server)
    caption(server.media)
    scan(server)
    hand = Hand(server)
    ids = _scanned(hand)
    for write in (_tags, _studios, _performers, _groups, _galleries, _chapters, _scenes, _histories, _markers, _images,
                  _fingerprints, _saved_filters):  # fmt: skip
        write(hand, ids)
    configure(hand, ids)
    (server.folder / "ids.json").write_text(json.dumps(ids), encoding="utf-8")
    return ids


def scan(server: StashServer) -> None:
    """Let Stash find its media, with covers, and wait until it has. Perceptual hashes are left out: Stash asks for a
    frame after the last one of so short a film, and finds out after dozens of runs of ffmpeg that there is none."""
    wanted = {"scanGenerateCovers": True}
    job = server.graphql("mutation($input: ScanMetadataInput!) { metadataScan(input: $input) }", {"input": wanted})
    server.wait_for_job(job["metadataScan"])
    script = server.graphql("mutation { metadataGenerate(input: {interactiveHeatmapsSpeeds: true}) }")
    server.wait_for_job(script["metadataGenerate"])


def stash_id(box: str, number: int) -> dict[str, str]:
    """A stash id, with the time it was taken over."""
    return {
        "endpoint": box,
        "stash_id": f"00000000-1111-4222-8333-{number:012d}",
        "updated_at": f"2024-03-0{number % 9 + 1}T04:05:06Z",
    }


def _day(hand: Hand, partial: str, whole: str) -> str:
    return partial if hand.schema.partial_dates else whole


def _scanned(hand: Hand) -> Ids:
    """The ids of what the scan made: scenes and images by file name, galleries by zip or folder."""
    ids: Ids = {}
    scenes = hand.ask("{ findScenes(filter: {per_page: -1}) { scenes { id files { id basename } } } }")["scenes"]
    for scene in scenes:
        ids[f"scene:{scene['files'][0]['basename']}"] = scene["id"]
        ids[f"file:{scene['files'][0]['basename']}"] = scene["files"][0]["id"]
    query = "{ findImages(filter: {per_page: -1}) { images { id visual_files { ... on %s { id basename } } } } }"
    for file in ("ImageFile", "VideoFile"):
        for image in hand.ask(query % file)["images"]:
            ids.update({f"image:{one['basename']}": image["id"] for one in image["visual_files"] if one})
    query = "{ findGalleries(filter: {per_page: -1}) { galleries { id files { basename } folder { path } } } }"
    for gallery in hand.ask(query)["galleries"]:
        for file in gallery["files"]:
            ids[f"gallery:{file['basename']}"] = gallery["id"]
        if gallery["folder"]:
            ids[f"gallery:{gallery['folder']['path'].rsplit('/', 1)[-1]}"] = gallery["id"]
    return ids


def _tags(hand: Hand, ids: Ids) -> None:
    """A hierarchy with a shared child, a bare tag, and odd names."""
    ids["tag:water"] = hand.make("tag", name="Water")
    ids["tag:wild"] = hand.make("tag", name='Wild, untamed & "free"', favorite=True)
    ids["tag:rivers"] = hand.make(
        "tag", name="Rivers", sort_name="0 rivers", description=ODD, aliases=["streams", "Brooks", "נהרות", "a; b\\c"],
        favorite=True, ignore_auto_tag=True, image=data_url(1), parent_ids=[ids["tag:water"], ids["tag:wild"]],
        stash_ids=[stash_id(OTHER_BOX, 2), stash_id(BOX, 1)],
    )  # fmt: skip
    ids["tag:formula"] = hand.make("tag", name="=1+1", parent_ids=[ids["tag:rivers"]])
    ids["tag:emoji"] = hand.make("tag", name="Otters 🦦", aliases=["+lutra", "@otter"])
    ids["tag:rtl"] = hand.make("tag", name="ציפורים")
    for number in range(3):
        ids[f"tag:{number}"] = hand.make("tag", name=f"Season {number}")


def _studios(hand: Hand, ids: Ids) -> None:
    ids["studio:parent"] = hand.make("studio", name="Heron House")
    urls = ["https://pond.example/b", "https://pond.example/a"]
    ids["studio:full"] = hand.make(
        "studio", name="Pond Pictures", aliases=["PP", "Pond, Pictures"], parent_id=ids["studio:parent"], details=ODD,
        **({"urls": urls} if "urls" in hand.schema.keys("StudioCreateInput") else {"url": urls[0]}),
        rating100=0, favorite=True, ignore_auto_tag=True, tag_ids=[ids["tag:rivers"], ids["tag:water"]],
        stash_ids=[stash_id(BOX, 11)], image=data_url(2),
    )  # fmt: skip
    hand.make("studio", name="Rated Reeds", rating100=100)


def _performers(hand: Hand, ids: Ids) -> None:
    """One with everything, two who share a name, and a bare one."""
    ids["performer:full"] = hand.make("performer", **_whole_performer(hand, ids))
    ids["performer:twin"] = hand.make(
        "performer", name="Robin Marsh", disambiguation="the painter", gender="MALE", circumcised="UNCUT", rating100=1,
        birthdate=_day(hand, "1950", "1950-01-01"),
    )  # fmt: skip
    ids["performer:other twin"] = hand.make(
        "performer", name="Robin Marsh", disambiguation="the diver; deep", birthdate="1951-12-31"
    )
    ids["performer:bare"] = hand.make("performer", name="Ash")


def _whole_performer(hand: Hand, ids: Ids) -> dict[str, Any]:
    return {
        "name": "Wren O'Hara, \"the quiet\"", "disambiguation": "narrator", "alias_list": ["W. O'Hara", "רן", "=wren"],
        "gender": "NON_BINARY", "birthdate": _day(hand, "1971-05", "1971-05-02"), "death_date": "2020-02-29",
        "ethnicity": "islander", "country": "IE", "eye_color": "green, grey", "hair_color": "sand", "height_cm": 171,
        "weight": 64, "measurements": "90-60-90", "fake_tits": "No", "penis_length": 12.5, "circumcised": "CUT",
        "career_length": "1990 - 2020", "tattoos": "a heron\non the arm", "piercings": "left ear", "details": ODD,
        "urls": ["https://wren.example/z", "https://wren.example/a?x=1&y=2"], "rating100": 0, "favorite": True,
        "ignore_auto_tag": True, "tag_ids": [ids["tag:wild"], ids["tag:emoji"]], "image": data_url(3),
        "stash_ids": [stash_id(BOX, 21), stash_id(BOX, 22), stash_id(OTHER_BOX, 23)],
        "custom_fields": {"Notebook": "page 7, \"left\"\n🦦", "sightings": 12, "weight of lens": 1.25, "zero": 0,
                          "whole": 3.0, "big": 9007199254740993},
    }  # fmt: skip


def _groups(hand: Hand, ids: Ids) -> None:
    """Groups in groups, in an order that is not that of their ids, with descriptions."""
    for name in ("Spring", "Summer", "Autumn"):
        ids[f"group:{name}"] = hand.make("group", name=name)
    subs = [
        {"group_id": ids["group:Autumn"], "description": "comes first; =here"},
        {"group_id": ids["group:Spring"], "description": None},
        {"group_id": ids["group:Summer"], "description": 'third, "warm"'},
    ]
    ids["group:full"] = hand.make(
        "group", name="A Year at the Pond", aliases="The Year, Pond year", date=_day(hand, "2007", "2007-01-01"),
        duration=5400, rating100=55, director="Sedge Field", synopsis=ODD, studio_id=ids["studio:full"],
        urls=["https://year.example/2", "https://year.example/1"], tag_ids=[ids["tag:rivers"], ids["tag:0"]],
        sub_groups=subs, front_image=data_url(4), back_image=data_url(5),
    )  # fmt: skip
    ids["group:outer"] = hand.make("group", name="Everything", rating100=0)
    parents = [{"group_id": ids["group:outer"], "description": "volume 1"}, {"group_id": ids["group:full"]}]
    ids["group:inner"] = hand.make("group", name="Winter", containing_groups=parents, front_image=data_url(6))


def _galleries(hand: Hand, ids: Ids) -> None:
    """A gallery of the user's own with everything, a zip with some, a folder with nothing."""
    values = {
        "code": "GAL-01", "date": _day(hand, "2021-05", "2021-05-01"), "details": ODD, "photographer": "Sedge Field",
        "urls": ["https://gallery.example/b", "https://gallery.example/a"], "rating100": 0,
        "studio_id": ids["studio:full"], "tag_ids": [ids["tag:rivers"], ids["tag:rtl"]],
        "performer_ids": [ids["performer:full"], ids["performer:twin"]],
    }  # fmt: skip
    ids["gallery:own"] = hand.make("gallery", title="Reeds at dawn\n(second line)", **values)
    hand.edit("gallery", ids["gallery:pond.zip"], rating100=77, date="2019-09-09")
    hand.edit("gallery", ids["gallery:own"], organized=True)
    pictures = [ids["image:marsh.png"], ids["image:reed bed.png"], ids["image:heron, grey.jpg"]]
    hand.do("addGalleryImages", input={"gallery_id": ids["gallery:own"], "image_ids": pictures})
    hand.do("setGalleryCover", input={"gallery_id": ids["gallery:own"], "cover_image_id": ids["image:heron, grey.jpg"]})
    ids["gallery:empty"] = hand.make("gallery", title="=Empty")


def _chapters(hand: Hand, ids: Ids) -> None:
    for gallery, title, index in (("own", 'Mist, "early"', 2), ("own", "", 1), ("pond.zip", "צפרדע", 3)):
        key = f"chapter:{gallery} {index}"
        ids[key] = hand.make("galleryChapter", gallery_id=ids[f"gallery:{gallery}"], title=title, image_index=index)


def _scenes(hand: Hand, ids: Ids) -> None:
    """One with everything and two files, one scanned and untouched, some without a file."""
    hand.do("sceneMerge", input={"source": [ids["scene:kingfisher.mp4"]], "destination": ids["scene:otter.mp4"]})
    ids["scene:full"] = ids.pop("scene:otter.mp4")
    del ids["scene:kingfisher.mp4"]
    hand.edit("scene", ids["scene:full"], **_whole_scene(hand, ids))
    hand.do("sceneSaveActivity", id=ids["scene:full"], resume_time=0.25, playDuration=0.5)
    ids["scene:no file"] = hand.make(
        "scene", title='=HYPERLINK("https://x.example")', date=_day(hand, "2007", "2007-01-01"), rating100=100,
        urls=["https://only.example/"], performer_ids=[ids["performer:other twin"]],
    )  # fmt: skip
    ids["scene:rtl"] = hand.make("scene", title="נחל 🦦; a\\b", rating100=1, studio_id=ids["studio:parent"])


def _whole_scene(hand: Hand, ids: Ids) -> dict[str, Any]:
    return {
        "title": "Otters, \"playing\"", "code": "OTT-001", "date": _day(hand, "2021-05", "2021-05-01"), "details": ODD,
        "director": "Sedge Field; Moss Green", "rating100": 0, "organized": True, "studio_id": ids["studio:full"],
        "urls": ["https://otters.example/second", "https://otters.example/first"],
        "performer_ids": [ids["performer:twin"], ids["performer:full"]],
        "tag_ids": [ids[f"tag:{name}"] for name in ("2", "rivers", "0", "formula", "wild")],
        "groups": [{"group_id": ids["group:Summer"], "scene_index": 0}, {"group_id": ids["group:full"]},
                   {"group_id": ids["group:Spring"], "scene_index": 7}],
        "gallery_ids": [ids["gallery:own"], ids["gallery:pond.zip"]],
        "stash_ids": [stash_id(OTHER_BOX, 32), stash_id(BOX, 31)], "cover_image": data_url(7), "play_duration": 42.75,
    }  # fmt: skip


def _histories(hand: Hand, ids: Ids) -> None:
    """Past, zoned, doubled and old instants."""
    plays = ["2024-02-29T23:59:59Z", "1999-12-31T23:00:00+02:00", "2024-02-29T23:59:59Z", "2024-07-01T12:00:00-05:00"]
    hand.do("sceneAddPlay", id=ids["scene:full"], times=plays)
    hand.do("sceneAddO", id=ids["scene:full"], times=["2024-03-01T00:00:00Z", "2023-01-01T10:00:00Z"])
    hand.do("sceneAddPlay", id=ids["scene:no file"], times=["1960-06-06T06:06:06Z"])


def _markers(hand: Hand, ids: Ids) -> None:
    scene, rivers = ids["scene:full"], ids["tag:rivers"]
    ids["marker:full"] = hand.make(
        "sceneMarker", scene_id=scene, title="Dive, \"deep\"\n2", seconds=0.25, end_seconds=0.75, primary_tag_id=rivers,
        tag_ids=[ids["tag:2"], ids["tag:emoji"]],
    )  # fmt: skip
    ids["marker:bare"] = hand.make("sceneMarker", scene_id=scene, title="", seconds=0, primary_tag_id=ids["tag:wild"])
    other = ids["scene:beaver dam.mkv"]
    ids["marker:other"] = hand.make("sceneMarker", scene_id=other, title="=dam", seconds=1, primary_tag_id=rivers)


def _images(hand: Hand, ids: Ids) -> None:
    """One with everything, a short film with some, the others untouched."""
    full = ids["image:reed bed.png"]
    hand.edit(
        "image", full, title="Reed bed, \"morning\"", code="IMG-1", date=_day(hand, "2020", "2020-01-01"), details=ODD,
        photographer="Moss Green", urls=["https://reed.example/b", "https://reed.example/a"], rating100=0,
        organized=True, studio_id=ids["studio:full"], performer_ids=[ids["performer:full"], ids["performer:bare"]],
        tag_ids=[ids["tag:water"], ids["tag:1"]],
    )  # fmt: skip
    for _ in range(3):
        hand.do("imageIncrementO", id=full)
    hand.edit("image", ids["image:splash.mp4"], title="Splash", rating100=66)


def _fingerprints(hand: Hand, ids: Ids) -> None:
    """A perceptual hash with zeros in front, and a type that Stash does not know."""
    if hand.can("fileSetFingerprints"):
        prints = [{"type": "phash", "value": "00ab54a98ceb1f0a"}, {"type": "survey", "value": "otter, 7"}]
        hand.do("fileSetFingerprints", input={"id": ids["file:kingfisher.mp4"], "fingerprints": prints})


def _saved_filters(hand: Hand, ids: Ids) -> None:
    """In the form Stash's page keeps them, one of every mode."""
    for mode, criteria in _criteria(ids).items():
        find = {"q": 'reed, "bed"', "page": 1, "per_page": 40, "sort": "date", "direction": "DESC"}
        options = {"display_mode": 1, "zoom_index": 2}
        values = {"mode": mode, "name": f"My {mode.lower()}, =1", "find_filter": find, "object_filter": criteria,
                  "ui_options": options}  # fmt: skip
        ids[f"saved_filter:{mode}"] = hand.do("saveFilter", input=values)
    ids["saved_filter:bare"] = hand.do("saveFilter", input={"mode": "SCENES", "name": "Plain"})
    ids["saved_filter:random"] = hand.do("saveFilter", input={
        "mode": "SCENES", "name": "Rivers", "find_filter": {"sort": "random_12345", "per_page": 20},
        "object_filter": {"tags": _some("INCLUDES_ALL", [(ids["tag:rivers"], "Rivers")], depth=-1)},
    })  # fmt: skip


def _some(modifier: str, items: list[tuple[str, str]], depth: int = 0) -> dict[str, Any]:
    labelled = [{"id": uid, "label": label} for uid, label in items]
    return {"modifier": modifier, "value": {"items": labelled, "excluded": [], "depth": depth}}


def _criteria(ids: Mapping[str, str]) -> dict[str, dict[str, Any]]:
    tags = _some("INCLUDES", [(ids["tag:rivers"], "Rivers")], depth=1)
    return {
        "SCENES": {"tags": tags, "title": {"modifier": "INCLUDES", "value": "otter"},
                   "organized": {"modifier": "EQUALS", "value": "true"},
                   "rating100": {"modifier": "LESS_THAN", "value": {"value": 50}},
                   "performers": {"modifier": "INCLUDES_ALL", "value": {
                       "items": [{"id": ids["performer:full"], "label": "Wren"}], "excluded": []}}},
        "PERFORMERS": {"gender": {"modifier": "INCLUDES", "value": ["Non-Binary"]}, "tags": tags},
        "STUDIOS": {"parents": {"modifier": "INCLUDES",
                                "value": [{"id": ids["studio:parent"], "label": "Heron House"}]}},
        "GALLERIES": {"has_chapters": {"modifier": "EQUALS", "value": "true"}},
        "SCENE_MARKERS": {"scene_tags": tags},
        "GROUPS": {"containing_groups": _some("INCLUDES", [(ids["group:full"], "A Year at the Pond")], depth=-1)},
        "TAGS": {"favorite": {"modifier": "EQUALS", "value": "true"},
                 "is_missing": {"modifier": "EQUALS", "value": "image"}},
        "IMAGES": {"resolution": {"modifier": "EQUALS", "value": "240p"}},
    }  # fmt: skip
