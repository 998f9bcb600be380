"""Reading a running Stash, against real ones: pages, ids, images, searches."""

import time
from urllib.parse import urlsplit

import pytest
import requests

from stash_portability.errors import BadFilter, Refused
from stash_portability.kinds import KINDS
from stash_portability.libraries import savedfilter
from stash_portability.libraries.connection import connect, from_plugin
from stash_portability.libraries.stash import StashSource
from stash_portability.model import Blob, Record, Want

from .stash_server import Login, Options

WREN = Login("wren", "not-a-real-password")
QUESTION = "query V{version{version}}"
SHOWN = {
    savedfilter._string: "1", savedfilter._switch: "true", savedfilter._bare: "true", savedfilter._duplicated: "true",
    savedfilter._number: {"value": 1, "value2": 2}, savedfilter._rating: {"value": 1},
    savedfilter._date: {"value": "2020-01-01"}, savedfilter._timestamp: {"value": "2020-01-01 10:00"},
    savedfilter._hierarchy: {"items": [{"id": "1", "label": "x"}], "excluded": [{"id": 2}], "depth": 1},
    savedfilter._performers: {"items": [{"id": "1"}], "excluded": []}, savedfilter._labelled: [{"id": "1"}],
    savedfilter._resolution: "1080p", savedfilter._orientation: ["Landscape"], savedfilter._gender: ["Female"],
    savedfilter._circumcised: ["Cut"], savedfilter._captions: "English",
    savedfilter._stash_id: {"endpoint": "", "stashID": "x"}, savedfilter._phash: {"value": "f0", "distance": 1},
}  # fmt: skip
MISSING = {"group": "front_image", "performer": "image", "studio": "image", "tag": "image"}
TIMES = (savedfilter._timestamp,)
TEXTS = (savedfilter._string, savedfilter._number, savedfilter._rating, savedfilter._date, savedfilter._resolution,
         savedfilter._stash_id, savedfilter._phash)  # fmt: skip


@pytest.mark.parametrize("server", ["stash_030", "stash_027"])
@pytest.mark.parametrize("kind", list(KINDS))
def test_live_pages_ids_and_counts_agree(server, kind, request):
    url = request.getfixturevalue(server).url
    whole, small = StashSource(connect(url)), StashSource(connect(url), page=2)
    records = list(whole.read(kind, Want(blobs=True)))
    assert list(small.read(kind, Want(blobs=True))) == records
    assert whole.counts()[kind] == len(records)
    some = [record.uid for record in records[::2]]
    assert [record.uid for record in small.read(kind, Want(ids=[*reversed(some), "987654"]))] == some
    if KINDS[kind].criteria:
        assert list(whole.find_ids(kind, {})) == [record.uid for record in records]


@pytest.mark.parametrize("server", ["stash_030", "stash_027"])
def test_live_images_are_images(server, request):
    reader = StashSource(connect(request.getfixturevalue(server).url))
    for kind in KINDS:
        for record in reader.read(kind, Want(blobs=True)):
            for blob in (value for value in record.data.values() if isinstance(value, Blob)):
                assert reader.open_blob(blob).read(4)


@pytest.mark.parametrize("server", ["stash_030", "stash_027"])
def test_live_a_bad_filter_is_told(server, request):
    reader = StashSource(connect(request.getfixturevalue(server).url))
    with pytest.raises(BadFilter, match="unknown field, at bogus"):
        list(reader.find_ids("scene", {"bogus": 1}))
    with pytest.raises(BadFilter, match="missing closing"):
        list(reader.find_ids("scene", {"title": {"value": "[", "modifier": "MATCHES_REGEX"}}))


def shown(kind, name):
    converter = savedfilter._converter(name, kind)
    if name == "custom_fields":
        return [{"field": "river", "value": ["x"], "modifier": "EQUALS"}]
    value = MISSING.get(kind, "title") if name == "is_missing" else SHOWN[converter]
    modifier = "GREATER_THAN" if converter in TIMES else "EQUALS" if converter in TEXTS else "INCLUDES"
    return {"value": value, "modifier": modifier}


@pytest.mark.parametrize("server", ["stash_030", "stash_027"])
@pytest.mark.parametrize("kind", [name for name, kind in KINDS.items() if kind.modes])
def test_live_stash_takes_every_converted_criterion(server, kind, request):
    reader = StashSource(connect(request.getfixturevalue(server).url))
    taken = 0
    for name in savedfilter._CONVERTERS:
        if reader.schema.has(KINDS[kind].filter_type, savedfilter._RENAMED.get(name, name)):
            saved = Record(
                "saved_filter",
                "1",
                {"mode": KINDS[kind].modes[0], "name": "x", "object_filter": {name: shown(kind, name)}},
            )
            reader.count(*savedfilter.convert(saved, lambda: "stars"))
            taken += 1
    assert taken > 5


def plugin_of(server):
    """A connection as Stash gives its plugins, by logging in as the page does."""
    logged = requests.post(
        f"{server.url}/login", data={"username": WREN.username, "password": WREN.password}, timeout=9
    )
    parts = urlsplit(server.url)
    cookie = {"Name": "session", "Value": logged.cookies["session"]}
    return from_plugin({"Scheme": "http", "Host": parts.hostname, "Port": parts.port, "SessionCookie": cookie})


def test_live_a_plugin_outlives_its_session(new_stash):
    server = new_stash(options=Options(login=WREN, settings={"max_session_age": 3}))
    connection = plugin_of(server)
    assert connection.call_GQL(QUESTION)
    time.sleep(5)
    assert connection.call_GQL(QUESTION)


def test_live_a_session_is_renewed_where_there_is_no_key(new_stash):
    server = new_stash(options=Options(login=WREN, settings={"max_session_age": 4}))
    connection = plugin_of(server)
    server.graphql("mutation{generateAPIKey(input:{clear:true})}")
    for _ in range(4):
        assert connection.call_GQL(QUESTION)
        time.sleep(2)
    assert connection.call_GQL(QUESTION)
    time.sleep(6)
    with pytest.raises(Refused, match="it wants an API key"):
        connection.call_GQL(QUESTION)


def test_live_a_wrong_key_and_no_key_are_refused_and_an_open_stash_takes_any(new_stash, stash_030):
    server = new_stash(options=Options(login=WREN))
    with pytest.raises(Refused, match="the API key is wrong"):
        connect(server.url, "wrong").call_GQL(QUESTION)
    with pytest.raises(Refused, match="it wants an API key"):
        connect(server.url).call_GQL(QUESTION)
    assert connect(stash_030.url, "wrong").call_GQL(QUESTION)
