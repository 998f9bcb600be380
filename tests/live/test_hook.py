"""A real Stash runs the hook: at each way to delete or merge, with the oldest and the newest version."""

from __future__ import annotations

import subprocess
import sys
import time
from typing import Any

import pytest

from stash_portability import tombstones

from .stash_server import StashServer
from .test_plugin import data, install, log

MANY = 200
MOST_SECONDS = 0.15
"""For one record, with Stash's own work: what the hook may cost."""
MOST_STARTS = 8
"""The same on a machine that is busy, in starts of a Python that does nothing (on an idle one it is three)."""

KINDS = {
    "tag": ("tagCreate", "tagDestroy", "tagsDestroy"),
    "performer": ("performerCreate", "performerDestroy", "performersDestroy"),
    "studio": ("studioCreate", "studioDestroy", "studiosDestroy"),
    "group": ("groupCreate", "groupDestroy", "groupsDestroy"),
}


@pytest.fixture(scope="module", params=["0.30", "0.27"])
def hooked(request, tmp_path_factory):
    """An empty Stash with the plugin in it."""
    from .conftest import binary

    with StashServer(binary(request.param, request.config), tmp_path_factory.mktemp("hooked")) as server:
        install(server)
        yield server


def make(server: StashServer, kind: str, count: int, prefix: str) -> list[str]:
    """Make some records; give their ids."""
    mutation = KINDS[kind][0]
    parts = [f'r{number}: {mutation}(input: {{name: "{prefix} {number}"}}) {{ id }}' for number in range(count)]
    return [made["id"] for made in server.graphql("mutation { " + " ".join(parts) + " }").values()]


def noted(server: StashServer) -> list[tombstones.Tombstone]:
    return tombstones.read(data(server) / "state")


def timed(server: StashServer, query: str, variables: Any) -> float:
    begun = time.perf_counter()
    server.graphql(query, variables)
    return time.perf_counter() - begun


def a_start() -> float:
    """Seconds that a Python takes now to start and end."""
    begun = time.perf_counter()
    for _ in range(20):
        subprocess.run([sys.executable, "-c", "pass"], check=True)
    return (time.perf_counter() - begun) / 20


@pytest.mark.parametrize("kind", KINDS)
def test_each_deletion_is_noted_once(hooked, kind):
    _, one, many = KINDS[kind]
    ids = make(hooked, kind, 4, f"a {kind} to go")
    before = len(noted(hooked))
    hooked.graphql(f'mutation {{ {one}(input: {{id: "{ids[0]}"}}) }}')
    hooked.graphql(f"mutation($ids: [ID!]!) {{ {many}(ids: $ids) }}", {"ids": ids[1:]})
    stones = noted(hooked)[before:]
    assert [(stone.kind, stone.uid, stone.into) for stone in stones] == [(kind, uid, "") for uid in ids]
    assert tombstones.became(stones, kind, ids[2]) == stones[2]


def test_a_merge_is_noted_with_what_became_of_each_tag(hooked):
    ids = make(hooked, "tag", 3, "a tag to merge")
    before = len(noted(hooked))
    merge = "mutation($from: [ID!]!, $to: ID!) { tagsMerge(input: {source: $from, destination: $to}) { id } }"
    hooked.graphql(merge, {"from": ids[:2], "to": ids[2]})
    stones = noted(hooked)[before:]
    assert [(stone.uid, stone.into) for stone in stones] == [(ids[0], ids[2]), (ids[1], ids[2])]


def test_each_of_many_takes_little_time(hooked):
    ids = make(hooked, "tag", MANY, "one of many")
    before = len(noted(hooked))
    seconds = timed(hooked, "mutation($ids: [ID!]!) { tagsDestroy(ids: $ids) }", {"ids": ids}) / MANY
    assert [stone.uid for stone in noted(hooked)[before:]] == ids
    assert seconds < max(MOST_SECONDS, MOST_STARTS * a_start())


def test_a_folder_that_cannot_be_written_to_stops_nothing(hooked):
    (uid,) = make(hooked, "tag", 1, "noted nowhere")
    state = data(hooked) / "state"
    away = state.rename(state.with_name("state-away"))
    state.write_text("")
    try:
        hooked.graphql(f'mutation {{ tagDestroy(input: {{id: "{uid}"}}) }}')
    finally:
        state.unlink()
        away.rename(state)
    assert hooked.graphql(f'{{ findTag(id: "{uid}") {{ id }} }}')["findTag"] is None
    level, message = log(hooked)[-1]
    assert (level, "could not be noted" in message) == ("Warning", True)
    assert uid not in {stone.uid for stone in noted(hooked)}


def test_nothing_that_a_scan_makes_runs_it(hooked):
    before = len(noted(hooked))
    hooked.graphql('mutation { tagCreate(input: {name: "stays"}) { id } }')
    hooked.graphql('mutation { sceneCreate(input: {title: "The Otters"}) { id } }')
    assert len(noted(hooked)) == before
