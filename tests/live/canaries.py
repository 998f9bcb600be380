"""Plants a secret of its own in every text a Stash keeps, so that a test can look for each of them in every byte
an export writes. Which texts there are comes from kinds.py, so a new field gets its canary by itself.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, NamedTuple

from stash_portability.kinds import KINDS, Field, Kind, Privacy

from . import media
from .hand import Hand
from .stash_server import StashServer

LONG_TEXTS = ("details", "description", "synopsis")
KEY_URL = "http://127.0.0.1:9999/scene/1/stream?apikey={}&t=1"
GRAPHQL_NAMES = {"chapter": "galleryChapter", "marker": "sceneMarker"}
NOT_KEPT = ("folder", "config.password")
"""Texts that no file holds as they are: Stash keeps only the hash of a password."""


class Canary(NamedTuple):
    """A planted text, and the privacy class of where it was planted: it may only leave at a level that lets
    that class out. ``secret`` never leaves."""

    text: str
    privacy: Privacy


Canaries = dict[str, Canary]


def plant_canaries(server: StashServer) -> Canaries:
    """Make a record of every kind in an empty Stash, with a canary in every text, and one in every secret of the
    configuration; give them by name, such as "scene.title". From then on the server asks for its key, which
    ``server.api_key`` holds."""
    canaries: Canaries = {"folder": Canary(str(server.folder), "path")}
    _plant_media(server, canaries)
    hand = Hand(server)
    ids: dict[str, str] = {}
    for name in ("tag", "studio", "performer", "group", "gallery", "chapter", "scene", "marker", "image"):
        ids[name] = _plant_record(hand, KINDS[name], ids, canaries)
    _plant_fingerprint(hand, canaries)
    _plant_filter(hand, canaries)
    _plant_settings(hand, canaries)
    _plant_credentials(server, canaries)
    return _planted(server, canaries)


def _planted(server: StashServer, canaries: Canaries) -> Canaries:
    """Leave out those this Stash has no field for: what it keeps lies in its database and beside it."""
    names = ("stash-go.sqlite", "stash-go.sqlite-wal", "config.yml", "custom.css", "custom.js")
    files = [server.folder / name for name in names]
    kept = b"".join(file.read_bytes() for file in files if file.exists())
    return {name: one for name, one in canaries.items() if one.text.encode() in kept or name in NOT_KEPT}


def key_canary(name: str, canaries: Canaries) -> str:
    """Plant an API key, as it stands in addresses of streams that people copy into texts."""
    text = "CANARYKEY" + re.sub(r"[^a-z]", "", name) + "Z"
    canaries[f"{name}?apikey"] = Canary(text, "secret")
    return KEY_URL.format(text)


def text_canary(name: str, privacy: Privacy, canaries: Canaries) -> str:
    """Plant a text."""
    canaries[name] = Canary(f"CANARY-{name.replace('.', '-')}-Z", privacy)
    return canaries[name].text


def _plant_media(server: StashServer, canaries: Canaries) -> None:
    """A film, a zip and a folder of pictures whose names are canaries."""
    from .populate import scan

    media.film(server.media / f"{text_canary('path.film', 'path', canaries)}.mp4", "testsrc2")
    media.zipped(server.media / f"{text_canary('path.zip', 'path', canaries)}.zip", 1)
    folder = server.media / text_canary("path.folder", "path", canaries)
    folder.mkdir()
    media.picture(folder / f"{text_canary('path.picture', 'path', canaries)}.png", 9)
    scan(server)


def _plant_record(hand: Hand, kind: Kind, ids: dict[str, str], canaries: Canaries) -> str:
    """Write a record with a canary in every text it takes; give its id."""
    values = dict(_values(kind, canaries)) | _links(kind, ids)
    name = GRAPHQL_NAMES.get(kind.name, kind.name)
    if kind.name == "image":
        found = hand.ask('{ findImages(filter: {per_page: 1, sort: "id"}) { images { id } } }')["images"][0]["id"]
        hand.edit(name, found, **values)
        return str(found)
    uid = hand.make(name, **values)
    if kind.name == "gallery":
        pictures = [one["id"] for one in hand.ask("{ findImages { images { id } } }")["images"]]
        hand.do("addGalleryImages", input={"gallery_id": uid, "image_ids": pictures})
    return uid


def _values(kind: Kind, canaries: Canaries) -> Iterator[tuple[str, Any]]:
    for field in kind.fields:
        if field.write and field.type in ("text", "blob", "map", "part"):
            value = _value(kind, field, canaries)
            if value is not None:
                yield field.write, value


def _value(kind: Kind, field: Field, canaries: Canaries) -> Any:
    name = f"{kind.name}.{field.name}"
    privacy = "identifying" if name == "performer.name" else field.privacy
    if field.type == "blob":
        return media.data_url(len(canaries), text_canary(name, privacy, canaries))
    if field.type == "map":
        return {text_canary(f"{name}.name", privacy, canaries): text_canary(f"{name}.value", privacy, canaries)}
    if field.type == "part":
        return _stash_id(name, privacy, canaries) if field.name == "stash_ids" else None
    return _text(name, field, privacy, canaries)


def _text(name: str, field: Field, privacy: Privacy, canaries: Canaries) -> Any:
    text = text_canary(name, privacy, canaries)
    if field.name == "urls":
        return [f"https://films.example/{text}", key_canary(name, canaries)]
    if field.name in LONG_TEXTS:
        return f"{text}, narrated by CANARY-performer-name-Z; see {key_canary(name, canaries)}"
    if name == "scene.title":
        return f"{text} with CANARY-performer-name-Z"
    return [text] if field.many else text


def _stash_id(name: str, privacy: Privacy, canaries: Canaries) -> list[dict[str, str]]:
    endpoint = "https://" + text_canary(f"{name}.endpoint", privacy, canaries) + ".example/graphql"
    return [{"endpoint": endpoint, "stash_id": text_canary(f"{name}.stash_id", privacy, canaries)}]


def _links(kind: Kind, ids: dict[str, str]) -> dict[str, Any]:
    """What ties the records together, so that a closure reaches all of them."""
    links: dict[str, dict[str, Any]] = {
        "studio": {"tag_ids": [ids.get("tag")]},
        "performer": {"tag_ids": [ids.get("tag")]},
        "group": {"tag_ids": [ids.get("tag")], "studio_id": ids.get("studio")},
        "chapter": {"gallery_id": ids.get("gallery"), "image_index": 1},
        "scene": {"groups": [{"group_id": ids.get("group")}], "gallery_ids": [ids.get("gallery")]},
        "marker": {"scene_id": ids.get("scene"), "primary_tag_id": ids.get("tag"), "seconds": 0},
    }
    people = {"performer_ids": [ids.get("performer")], "tag_ids": [ids.get("tag")], "studio_id": ids.get("studio")}
    return links.get(kind.name, {}) | (people if kind.name in ("gallery", "scene", "image") else {})


def _plant_fingerprint(hand: Hand, canaries: Canaries) -> None:
    if hand.can("fileSetFingerprints"):
        query = (
            '{ findScenes(scene_filter: {path: {value: "CANARY", modifier: INCLUDES}}) { scenes { files { id } } } }'
        )
        (scene,) = hand.ask(query)["scenes"]
        prints = [{"type": "survey", "value": text_canary("file.fingerprint", "identifying", canaries)}]
        hand.do("fileSetFingerprints", input={"id": scene["files"][0]["id"], "fingerprints": prints})


def _plant_filter(hand: Hand, canaries: Canaries) -> None:
    texts = {
        name: text_canary(f"saved_filter.{name}", "personal", canaries) for name in ("name", "query", "value", "ui")
    }
    value = f"{texts['value']} {key_canary('saved_filter.value', canaries)}"
    hand.do("saveFilter", input={
        "mode": "SCENES", "name": texts["name"], "find_filter": {"q": texts["query"]},
        "object_filter": {"title": {"modifier": "INCLUDES", "value": value}}, "ui_options": {"note": texts["ui"]},
    })  # fmt: skip


def _plant_settings(hand: Hand, canaries: Canaries) -> None:
    def kept(name: str) -> str:
        return text_canary(f"config.{name}", "personal", canaries)

    def secret(name: str) -> str:
        return text_canary(f"config.{name}", "secret", canaries)

    box = {"endpoint": "https://box.example/graphql", "name": kept("box_name"), "api_key": secret("box_key")}
    source = {"name": kept("source"), "url": f"https://a:{secret('source_url')}@x.example/i.yml", "local_path": "own"}
    hand.do("configureGeneral", input={"stashBoxes": [box], "pluginPackageSources": [source],
                                       "scraperPackageSources": [source], "excludes": [kept("excludes")]})  # fmt: skip
    css = f"/* {kept('css')} */ a {{ background: url({key_canary('config.css', canaries)}) }}"
    page = {"handyKey": secret("handyKey"), "javascript": f"let key = '{secret('javascript')}'", "css": css}
    hand.do("configureInterface", input=page)
    scraping = {"scraperCDPPath": f"http://u:{secret('cdp')}@127.0.0.1:9/", "scraperUserAgent": kept("agent")}
    hand.do("configureScraping", input=scraping)
    hand.do("configureUI", input={
        "title": f"{kept('title')} {key_canary('config.title', canaries)}", "taggerConfig": {"note": secret("tagger")},
        "otherPlugin": {"token": secret("ui_other")},
    })  # fmt: skip
    hand.do("configurePlugin", plugin_id="pond", input={"token": secret("plugin"), "list": [secret("plugin_list")],
                                                        "map": {"in": secret("plugin_map")}, "count": 3})  # fmt: skip


def _plant_credentials(server: StashServer, canaries: Canaries) -> None:
    """Last, because from here on the server asks for its key."""
    login = {"username": "CANARY-username", "password": "CANARY-password"}
    answer = server.graphql(
        """mutation($input: ConfigGeneralInput!) {
        configureGeneral(input: $input) { password } generateAPIKey(input: {}) }""",
        {"input": login},
    )
    server.api_key = answer["generateAPIKey"]
    canaries["config.username"] = Canary(login["username"], "secret")
    canaries["config.password"] = Canary(login["password"], "secret")
    canaries["config.password_hash"] = Canary(answer["configureGeneral"]["password"], "secret")
    canaries["config.api_key"] = Canary(server.api_key, "secret")
    for name in ("jwt_secret_key", "session_store_key"):
        found = re.search(rf"^{name}: (\S+)$", server.config.read_text(encoding="utf-8"), re.MULTILINE)
        if found:
            canaries[f"config.{name}"] = Canary(found[1], "secret")
