"""Reading a running Stash, against real ones: pages, ids, images, searches."""

import pytest

from stash_portability.errors import BadFilter
from stash_portability.kinds import KINDS
from stash_portability.libraries.connection import connect
from stash_portability.libraries.stash import StashSource
from stash_portability.model import Blob, Want


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
