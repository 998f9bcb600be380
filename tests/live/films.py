"""Films for the tests of NFO files: a populated Stash with media of its own, richer in what media servers show, and
what a Kodi ought to show of it, worked out from Stash's own answers and from what a real Kodi does with an NFO."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from . import media
from .hand import Hand
from .populate import BOX, OTHER_BOX, populate, scan, stash_id
from .stash_server import StashServer

DETAILS = 'Dams & "lodges" <wood>,\nseen at dawn.\n\nPart two: 🦫 שלום -- ]]> end'
ASKED = """{ findScenes(filter: {per_page: -1, sort: "id", direction: ASC}) { scenes {
    id title details date director rating100 resume_time play_history
    studio { name } performers { id name disambiguation image_path } tags { name }
    groups { scene_index group { id name synopsis front_image_path } }
    stash_ids { endpoint stash_id } files { path basename duration width height video_codec audio_codec }
    paths { screenshot } } } }"""

Scene = dict[str, Any]


def make_films(server: StashServer) -> dict[str, str]:
    """Populate ``server``, whose media folder is its own, and make three of its scenes whole in another way each."""
    ids = populate(server)
    (server.media / "deep" / "pool").mkdir(parents=True)
    media.film(server.media / "deep" / "heron #1 🪶.mp4", "smptebars")
    media.film(server.media / "deep" / "pool" / "toad.mp4", "pal75bars")
    scan(server)
    hand = Hand(server)
    for scene in scenes(server):
        if scene["files"]:
            ids.setdefault(f"scene:{scene['files'][0]['basename']}", scene["id"])
    tags = [hand.make("tag", name=name) for name in ("Reeds / Rushes", "Day/Night", "wet, cold; wild | free")]
    hand.edit("scene", ids["scene:beaver dam.mkv"], **_beavers(ids, tags))
    hand.do("sceneAddPlay", id=ids["scene:beaver dam.mkv"], times=["2024-03-09T23:30:00Z", "2022-01-02T03:04:05Z"])
    hand.do("sceneSaveActivity", id=ids["scene:beaver dam.mkv"], resume_time=12.75)
    hand.edit("performer", ids["performer:other twin"], image=media.data_url(9))
    year = "2007" if hand.schema.partial_dates else "2007-08-09"
    hand.edit(
        "scene", ids["scene:toad.mp4"], title="Toad", date=year, rating100=84, performer_ids=[ids["performer:bare"]]
    )
    return ids


def _beavers(ids: dict[str, str], tags: list[str]) -> dict[str, Any]:
    people = ("full", "twin", "other twin", "bare")
    return {
        "title": 'Beavers & "dams" 🦫', "details": DETAILS, "date": "2021-05-07", "director": "Sedge Field, Moss Green",
        "rating100": 75, "studio_id": ids["studio:full"], "performer_ids": [ids[f"performer:{one}"] for one in people],
        "tag_ids": [*tags, ids["tag:rivers"], ids["tag:rtl"], ids["tag:emoji"]],
        "groups": [{"group_id": ids["group:inner"], "scene_index": 3}],
        "stash_ids": [stash_id(BOX, 41), stash_id(OTHER_BOX, 42)], "cover_image": media.data_url(8),
    }  # fmt: skip


def scenes(server: StashServer) -> list[Scene]:
    """Every scene, as Stash tells it."""
    found: list[Scene] = server.graphql(ASKED)["findScenes"]["scenes"]
    return found


def expected(scene: Scene, file: dict[str, Any]) -> dict[str, Any]:
    """What Kodi's GetMovies ought to give for one file of ``scene``, in the form of ``shown``."""
    date, plays, rating = scene["date"] or "", sorted(scene["play_history"]), scene["rating100"] or 0
    whole = re.fullmatch(r"\d{4}-\d\d-\d\d", date) is not None
    seconds = round(file["duration"])
    resume = scene["resume_time"] or 0
    return {
        "title": scene["title"] or file["basename"].rpartition(".")[0],
        "plot": (scene["details"] or "").strip(),
        "premiered": date if whole else "",
        "year": int(date[:4] or 0),
        "userrating": max((rating + 5) // 10, rating > 0),
        "ratings": {"stash": rating / 10} if rating else {},
        "studio": [scene["studio"]["name"]] if scene["studio"] else [],
        "director": [one.strip() for one in (scene["director"] or "").split(",") if one.strip()],
        "cast": [label(one) for one in sorted(scene["performers"], key=lambda one: int(one["id"]))],
        "tag": {_unsplit(tag["name"]) for tag in scene["tags"]},
        "set": _first(scene["groups"]),
        "uniqueid": {"stash": scene["id"]},
        "boxes": {one["stash_id"] for one in scene["stash_ids"]},
        "playcount": len(plays),
        "lastplayed": plays[-1][:10] if plays else "",
        "resume": (int(resume), seconds) if resume else (0, 0),
        "runtime": seconds,
    }


def shown(movie: dict[str, Any]) -> dict[str, Any]:
    """What Kodi shows of a film, in the same form."""
    plain = {"title", "plot", "premiered", "year", "userrating", "studio", "director", "playcount", "runtime"}
    return {name: movie[name] for name in plain} | {
        "ratings": {name: round(one["rating"], 4) for name, one in movie["ratings"].items()},
        "cast": [one["name"] for one in movie["cast"]],
        "tag": set(movie["tag"]),
        "set": movie["set"],
        "uniqueid": {"stash": movie["uniqueid"].get("stash")},
        "boxes": {value for name, value in movie["uniqueid"].items() if name != "stash"},
        "lastplayed": movie["lastplayed"][:10],
        "resume": (int(movie["resume"]["position"]), int(movie["resume"]["total"])),
    }


def label(performer: dict[str, Any]) -> str:
    """A performer as people tell two of one name apart."""
    extra = performer["disambiguation"]
    return f"{performer['name']} ({extra})" if extra else str(performer["name"])


def _first(groups: list[dict[str, Any]]) -> str:
    """The group a film is a part of to Kodi, which takes one: that of the lowest number."""
    placed = [
        (one["scene_index"] is None, one["scene_index"], int(one["group"]["id"]), one["group"]["name"])
        for one in groups
    ]
    return str(min(placed)[3]) if placed else ""


def _unsplit(name: str) -> str:
    """Kodi takes a tag apart at " / "; we write another sign there."""
    return name.replace(" / ", " & ").strip()


def mirrored(to: Path, file: dict[str, Any]) -> Path:
    """Where the NFO of ``file`` belongs under the folder ``to``."""
    return (to / file["path"].lstrip("/")).with_suffix(".nfo")


def put_videos(to: Path, server: StashServer) -> None:
    """Put an empty video beside each place of an NFO, so that a Kodi has something to scan."""
    for scene in scenes(server):
        for file in scene["files"]:
            video = mirrored(to, file).with_name(file["basename"])
            video.parent.mkdir(parents=True, exist_ok=True)
            video.touch()
