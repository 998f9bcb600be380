"""Templates and records for the tests, and short ways to render one."""

from __future__ import annotations

from pathlib import Path

import yaml

from stash_portability.libraries.template.renderer import Limits, Renderer
from stash_portability.libraries.template.spec import parse_template
from stash_portability.libraries.template.view import Extras, view
from stash_portability.model import Record

EXAMPLES = Path(__file__).parents[3] / "examples" / "templates"
FILE = {"id": "7", "path": "/films/Tidal Flats.mkv", "size": 1_234_567_890, "width": 1920, "height": 1080}
SCENE = {
    "title": "Tidal Flats",
    "date": "2019-05",
    "details": "One\nTwo",
    "urls": ["https://marram.example/a"],
    "rating100": 90,
    "studio": "1",
    "performers": ["1", "2"],
    "tags": ["1"],
    "groups": [{"group": "1", "scene_index": 2}],
    "play_history": ["2024-01-01T00:00:00Z", "2024-02-01T00:00:00Z"],
    "custom_fields": {"year": 2019, "items": "own"},
    "files": [{**FILE, "duration": 3723.6}],
}
KNOWN = {
    ("studio", "1"): {"name": "Marram", "parent": "2"},
    ("studio", "2"): {"name": "Marram Holding"},
    ("performer", "1"): {"name": "Wren Hollis", "disambiguation": "presenter", "aliases": ["W"], "tags": ["1"]},
    ("performer", "2"): {"name": "Odd Sandvik"},
    ("tag", "1"): {"name": "Waders"},
    ("group", "1"): {"name": "Coasts"},
}
SHORT = Limits(memory=200 << 20, cpu=1, wall=30.0, output=1 << 20)


def names(kind, uid):
    return KNOWN.get((kind, uid))


def seen(data=SCENE, uid="12", kind="scene", extras=None):
    return view(Record(kind, uid, data), names, extras or Extras())


def template(record="{{ title }}", ending="txt", **more):
    return parse_template({"name": "mine", "record": record, "ending": ending, **more})


def example(name):
    return parse_template(yaml.safe_load((EXAMPLES / f"{name}.yaml").read_text("utf-8")), name)


def render(record, ending="txt", data=SCENE, limits=SHORT, **more):
    """What ``record`` makes of the scene."""
    with Renderer(template(record, ending, **more), limits) as renderer:
        return renderer.records([seen(data)])[0].text


def render_all(made, values):
    """What a template makes of scenes with these titles, one rendering each."""
    with Renderer(made) as renderer:
        return [one.text for one in renderer.records([seen({"title": value}) for value in values])]
