"""The library in memory keeps the contract, and can be changed."""

import io

import pytest

from stash_portability.errors import PortabilityError
from stash_portability.libraries.archive import ArchiveSource
from stash_portability.libraries.memory import MemoryLibrary
from stash_portability.model import Blob, Record, Want

from ..contract import CHECKS, NAMES
from .test_round_trip import DEMO


@pytest.fixture(scope="module")
def source():
    demo = ArchiveSource(DEMO)
    found, blobs = [], {}
    for kind in demo.about().fields:
        for record in demo.read(kind, Want(blobs=True)):
            found.append(record)
            for value in record.data.values():
                if isinstance(value, Blob):
                    blobs[value.key] = demo.open_blob(value).read()
    return MemoryLibrary(found, blobs)


@pytest.mark.parametrize("check", CHECKS, ids=NAMES)
def test_contract(check, source):
    check(source)


def test_what_is_created_gets_the_next_id():
    library = MemoryLibrary([Record("tag", "9", {"name": "Coast"}), Record("tag", "10", {"name": "Mud"})])
    assert library.create("tag", {"name": "Dunes"}) == "11"
    assert library.create("studio", {"name": "Marram"}) == "1"
    assert [record.uid for record in library.read("tag")] == ["9", "10", "11"]


def test_an_update_sets_just_its_fields_and_a_delete_removes():
    library = MemoryLibrary([Record("tag", "1", {"name": "Coast", "favorite": True})])
    library.update("tag", "1", {"aliases": ["Shore"], "name": "Coasts"})
    assert list(library.read("tag")) == [Record("tag", "1", {"name": "Coasts", "aliases": ["Shore"], "favorite": True})]
    assert list(next(library.read("tag")).data) == ["name", "aliases", "favorite"]
    library.delete("tag", "1")
    assert not list(library.read("tag"))
    with pytest.raises(PortabilityError, match="there is no tag 1"):
        library.delete("tag", "1")


def test_images_are_kept_by_their_digest():
    library = MemoryLibrary()
    ref = library.put_blob(io.BytesIO(b"picture"))
    uid = library.create("tag", {"name": "Coast", "image": ref})
    blob = next(library.read("tag", Want(blobs=True))).data["image"]
    assert blob == Blob("tag", uid, "image", ref.sha256)
    assert library.open_blob(blob).read() == b"picture"
    with pytest.raises(PortabilityError, match="not there"):
        library.open_blob(blob._replace(key="other"))
