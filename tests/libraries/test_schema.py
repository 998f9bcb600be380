"""What a server has, asked once."""

import pytest
from graphql import build_schema

from stash_portability.errors import UnsupportedVersion
from stash_portability.kinds import KINDS
from stash_portability.libraries import schema
from tests.stub_stash import StubStash


def test_one_request_tells_what_the_server_has():
    stub = StubStash()
    found = schema.load(stub.call_GQL, "http://stub.example")
    assert len(stub.asked) == 1
    assert found.has("Scene", "title") and not found.has("Scene", "custom_fields") and not found.has("Nothing", "x")
    assert found.type_of("Scene", "files") == "VideoFile" and found.type_of("Scene", "nothing") == ""
    assert found.unions["VisualFile"] == ("VideoFile", "ImageFile")


def test_input_types_and_arguments_are_told():
    found = schema.load(StubStash().call_GQL, "")
    assert found.has("SceneFilterType", "id") and not found.has("TagFilterType", "id")
    assert found.takes("findSceneMarkers", "ids") and not found.takes("findNothing", "ids")


def test_an_older_server_has_less():
    found = schema.load(StubStash("0.27").call_GQL, "")
    assert not found.has("Tag", "sort_name") and not found.takes("findSceneMarkers", "ids")
    assert dict(found.fields("BasicFile"))  # a type that is there, though nothing refers to it


def test_a_newer_server_has_more():
    found = schema.load(StubStash("0.31").call_GQL, "")
    assert found.has("Scene", "custom_fields") and found.has("Studio", "organized")


def test_a_stash_before_groups_is_not_supported():
    stub = StubStash()
    stub.schema = build_schema("type Query { findMovies: Int }")
    with pytest.raises(UnsupportedVersion, match=r"http://old.example is a Stash before 0.27; update"):
        schema.load(stub.call_GQL, "http://old.example")


def test_every_kind_and_its_filter_is_asked_for():
    names = schema.type_names()
    assert len(names) == len(set(names))
    for kind in KINDS.values():
        assert kind.graphql in names
        assert not kind.filter_type or kind.filter_type in names
