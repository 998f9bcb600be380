"""What a template sees of a record, whatever privacy and the source left of it; and what has to be read for it."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stash_portability import json_text
from stash_portability.kinds import KINDS, LEVELS
from stash_portability.libraries.memory import MemoryLibrary
from stash_portability.libraries.template.renderer import Renderer
from stash_portability.libraries.template.view import (
    FACTS,
    Extras,
    Sight,
    columns,
    described,
    facts_known,
    fields_known,
    view,
)
from stash_portability.model import Record
from stash_portability.transform.names import Lookup
from stash_portability.transform.redact import NameReplacer, Salt, redactor
from stash_portability.transform.walk import value
from tests.hostile import records

from .making import KNOWN, SCENE, names, render, seen, template


def steps(found, path):
    """Walk a documented path; lists stand for their entries."""
    for step in path.split("."):
        entries = found if isinstance(found, list) else [found]
        found = [entry[step] for entry in entries if entry is not None]
        found = [inner for one in found for inner in (one if isinstance(one, list) else [one])]
    return found


@pytest.mark.parametrize("kind", list(KINDS))
def test_every_documented_field_is_there_even_in_an_empty_record(kind):
    found = view(Record(kind, "1", {}), names, Extras())
    for line in described(kind):
        top = line["path"].partition(".")[0]
        assert top in found
        if line["path"] == top:
            assert isinstance(found[top], list) == line["many"]
    assert {line["path"].partition(".")[0] for line in described(kind)} >= set(found) - {"picture"}


@settings(max_examples=60)
@given(st.sampled_from(list(KINDS)).flatmap(lambda kind: records(KINDS[kind])))
def test_any_record_is_plain_json_with_every_documented_path(record):
    found = json_text.loads(json_text.dumps(view(record, names, Extras())))
    for line in described(record.kind):
        steps(found, line["path"])
        assert line["words"]


def test_references_are_what_they_lead_to():
    found = seen()
    assert found["studio"]["label"] == "Marram"
    assert found["studio"]["parent"] == {"id": "2", "label": "Marram Holding", "name": "Marram Holding"}
    assert [one["label"] for one in found["performers"]] == ["Wren Hollis (presenter)", "Odd Sandvik"]
    assert found["performers"][0]["tags"] == [{"id": "1", "label": "Waders", "name": "Waders"}]
    assert found["groups"][0]["group"]["name"] == "Coasts"
    assert found["groups"][0]["scene_index"] == 2
    assert found["performers"][1]["birthdate"] is None
    unknown = seen({"studio": "99"})["studio"]
    assert (unknown["id"], unknown["label"], unknown["name"]) == ("99", "99", None)


def test_what_is_made_of_other_fields():
    found = seen()
    assert (found["path"], found["file"]) == ("/films/Tidal Flats.mkv", "Tidal Flats.mkv")
    assert (found["duration"], found["width"], found["height"]) == (3723.6, 1920, 1080)
    assert (found["play_count"], found["last_played"], found["o_count"]) == (2, "2024-02-01T00:00:00Z", 0)
    assert (found["kind"], found["id"], found["label"], found["number"]) == ("scene", "12", "Tidal Flats", 0)
    assert view(Record("group", "1", {"duration": 60}), names, Extras())["duration"] == 60


def test_paths_are_rewritten_and_pictures_named():
    extras = Extras({"aa": "pictures/aa.jpg"}.get, lambda path: path.replace("/films", "/mnt"), 7)
    found = view(Record("scene", "1", {**SCENE, "cover": "aa"}), names, extras)
    assert found["path"] == found["files"][0]["path"] == "/mnt/Tidal Flats.mkv"
    assert found["cover"] == found["picture"] == "pictures/aa.jpg"
    assert found["number"] == 7
    assert view(Record("scene", "1", {"cover": "bb"}), names, extras)["picture"] is None


def paths(kind, sight):
    return {column.path.text for column in columns(kind, sight)}


def test_only_what_is_offered_and_named_is_read():
    assert paths("scene", Sight(words=frozenset(("title",)))) == {"id", "title", "files"}
    few = paths("scene", Sight(words=frozenset(("performers", "name", "picture")), images=True))
    assert {"performers", "performers.name", "performers.label", "cover"} <= few
    assert "performers.birthdate" not in few
    assert "cover" not in paths("scene", Sight())
    assert paths("scene", Sight(offers={"scene": ("title", "studio"), "studio": ("name",)})) == {
        "id",
        "title",
        "studio",
        "studio.label",
        "studio.name",
    }


@pytest.mark.parametrize("level", list(LEVELS))
def test_nothing_is_read_that_privacy_keeps_back(level):
    for kind in KINDS:
        found = paths(kind, Sight(level, images=True))
        assert ("files.path" in found) is False
        for hidden in ("play_history", "rating100", "custom_fields"):
            assert hidden not in found or level == "full"


@pytest.mark.parametrize("level", list(LEVELS))
def test_a_template_works_at_every_level_of_privacy(level):
    """Fields that are kept back are empty, never an error; and names come through no side door."""
    library = MemoryLibrary(
        [Record("scene", "12", dict(SCENE)), *(Record(kind, uid, dict(data)) for (kind, uid), data in KNOWN.items())]
    )
    salt, replacer = Salt(b"x" * 32), NameReplacer()
    transforms = {kind: redactor(level, salt, replacer)(kind) for kind in KINDS}
    lookup = Lookup(library, {"scene": columns("scene", Sight(level))}, transforms.__getitem__)
    raw = list(library.read("scene"))
    lookup.prepare(raw)
    [shown] = transforms["scene"](raw)
    text = "".join(f"{{{{ {line['path']}|list if true else '' }}}}" for line in described("scene") if line["many"])
    text += "{{ title }}|{{ studio.name }}|{{ performers }}|{{ path }}|{{ rating100 }}|{{ performers.aliases }}"
    with Renderer(template(text.replace("|list if true else ''", "|length"))) as one:
        said = one.records([view(shown, lookup, Extras())])[0].text
    end = said[said.index("Tidal") :]
    if level == "full":
        assert end == "Tidal Flats|Marram|Wren Hollis (presenter), Odd Sandvik|/films/Tidal Flats.mkv|90|W"
    elif level == "share":
        assert end.replace("Odd Sandvik, Wren Hollis (presenter)", "Wren Hollis (presenter), Odd Sandvik") == (
            "Tidal Flats|Marram|Wren Hollis (presenter), Odd Sandvik|||W"
        )
    else:
        assert end.startswith("Tidal Flats|Marram|Performer ")
        assert "Wren" not in said


def test_documented_paths_can_be_written_in_a_template():
    lines = described("scene")
    text = "".join(f"{{{{ {line['path']}|length }}}}" for line in lines if line["many"])
    text += "".join(f"{{% if {line['path']} %}}{{% endif %}}" for line in lines)
    assert render(text)


def test_names_for_headers():
    assert facts_known() == list(FACTS)
    assert {"title", "birthdate", "settings", "label"} <= set(fields_known(()))
    assert "birthdate" not in fields_known(("tag",))


def test_labels_are_those_of_the_tables():
    [path] = [column.path for column in columns("scene", Sight()) if column.path.text == "performers.label"]
    record = Record("scene", "12", SCENE)
    assert value(path, record, names) == [one["label"] for one in seen()["performers"]]
