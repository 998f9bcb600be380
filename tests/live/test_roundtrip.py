"""Everything is lost, and comes back: a backup, then a Stash that holds nothing but what a scan of the same media
gives, then a restore; all by the command line, as a person does it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from stash_portability.kinds import CONFIG_GROUPS
from stash_portability.libraries.stash_write_cannot import SETTINGS_NOT_WRITTEN
from stash_portability.model import Want

from .conftest import StartStash, binary
from .hand import Hand
from .populate import scan
from .restoring import same_media, target_of
from .stash_server import NEW, OLD, StashServer
from .test_restore import Capture, Person
from .test_restore_engine import differences, held

ERASED = (("scenes", "delete_file"), ("images", "delete_file"), ("galleries", "delete_file"), ("groups", ""),
          ("performers", ""), ("studios", ""), ("tags", ""))  # fmt: skip
"""Mutations that delete all they are given, parts before what they belong to, and what keeps them off the files."""


def scanned_again(version: str, server: StashServer, new_stash: StartStash) -> StashServer:
    """A new Stash of that version that has scanned the films of ``server``."""
    found = new_stash(version, same_media(server))
    scan(found)
    return found


def settled(code: int, report: dict[str, Any]) -> dict[str, Any]:
    """All that was planned was written, and is there."""
    assert code in (0, 1), report
    wrong = {name: report["decisions"][name] for name in ("moved", "failed", "partly", "differ", "ambiguities")}
    assert not any(wrong.values()), (wrong, report["skipped"])
    return report


def expect_the_same(like: Any, server: StashServer) -> None:
    """Every record is as it was, but for what the documentation lists. The two films that were put together to one
    scene are two again, because a scan makes a scene of each file, and no mutation takes one away from it."""
    found = differences(like, held(server))
    assert [line.split(":")[0] for line in found] == ["only in the second scene"], found
    assert "kingfisher.mp4" in found[0]


@pytest.mark.parametrize("version", [NEW, OLD])
def test_into_a_new_stash_that_scanned_the_same_media(
    version: str, request: Any, new_stash: StartStash, tmp_path: Path, capsys: Capture
) -> None:
    lost = request.getfixturevalue("stash_030" if version == NEW else "stash_027")
    person = Person(lost, tmp_path, capsys)
    found = scanned_again(version, lost, new_stash)
    settled(*person.restore("--mode", "replace", "--yes", to=found.url))
    expect_the_same(held(lost), found)
    assert person.restore("--mode", "replace", to=found.url)[1]["changes"] == {}


def test_a_merge_keeps_the_covers_of_the_scan_and_says_so(
    stash_030: StashServer, scanned_030: Path, request: Any, tmp_path: Path, capsys: Capture
) -> None:
    person = Person(stash_030, tmp_path, capsys)
    with StashServer.copy_of(scanned_030, tmp_path / "stash", binary(NEW, request.config)) as found:
        _, preview = person.restore(to=found.url)
        _, lines = person.run("conflicts", preview["run"])
        told = [line for line in lines if line["type"] == "conflicts"]
        assert [(line["kind"], line["field"], line["chosen"]) for line in told] == [("scene", "cover", "target")], lines
        settled(*person.report("apply", preview["run"]))
        rest = settled(*person.restore("--prefer", "scene.cover=source", "--yes", to=found.url))
        assert rest["changes"] == {"scene update": 1}
        expect_the_same(held(stash_030), found)


def empty(server: StashServer) -> None:
    """Delete everything that can be deleted, but no file."""
    hand = Hand(server)
    for name, keep in ERASED:
        one = name[0].upper() + name[1:]
        found = hand.ask(f"{{ find{one}(filter: {{per_page: -1}}) {{ {name} {{ id }} }} }}")[name]
        ids = [one["id"] for one in found]
        if keep:
            hand.do(f"{name}Destroy" if name != "galleries" else "galleryDestroy", input={"ids": ids, keep: False})
        else:
            hand.do(f"{name}Destroy", ids=ids)
    for one in hand.ask("{ findSavedFilters { id } }"):
        hand.do("destroySavedFilter", input={"id": one["id"]})


def test_into_the_same_stash_after_everything_in_it_was_deleted(
    new_stash: StartStash, tmp_path: Path, capsys: Capture
) -> None:
    server = new_stash(NEW, populated=True)
    before, person = held(server), Person(server, tmp_path, capsys)
    empty(server)
    Hand(server).do("configureGeneral", input={"calculateMD5": False})  # as it was when the films were scanned
    assert not any(held(server).values())
    scan(server)
    settled(*person.restore("--mode", "replace", "--yes"))
    expect_the_same(before, server)


def test_what_waits_for_a_scan_is_taken_up_by_the_next_run(
    stash_030: StashServer, new_stash: StartStash, tmp_path: Path, capsys: Capture
) -> None:
    person = Person(stash_030, tmp_path, capsys)
    bare = new_stash(NEW, same_media(stash_030))
    _, first = person.restore("--mode", "replace", "--yes", to=bare.url)
    settled(1, first)
    waiting = first["decisions"]["waiting"]
    scan(bare)
    second = settled(*person.restore("--mode", "replace", "--yes", to=bare.url))
    assert (waiting > 0, second["decisions"]["waiting"]) == (True, 0)
    expect_the_same(held(stash_030), bare)


def settings(server: StashServer) -> dict[str, Any]:
    """All settings that are written, by group and name."""
    found = {one.data["group"]: one.data["settings"] for one in target_of(server).reader.read("config", Want())}
    return {
        f"{group}.{name}": value
        for group, values in found.items()
        for name, value in values.items()
        if f"{group}.{name}" not in SETTINGS_NOT_WRITTEN
    }


def test_settings_come_back_by_group(
    stash_030: StashServer, scanned_030: Path, request: Any, tmp_path: Path, capsys: Capture
) -> None:
    person = Person(stash_030, tmp_path, capsys)
    with StashServer.copy_of(scanned_030, tmp_path / "stash", binary(NEW, request.config)) as found:
        settled(*person.restore("--mode", "replace", "--yes", to=found.url))
        settled(*person.restore("--config", ",".join(CONFIG_GROUPS), "--yes", to=found.url))
        ours, theirs = settings(stash_030), settings(found)
        assert {name: (ours[name], theirs.get(name)) for name in ours if ours[name] != theirs.get(name)} == {}
