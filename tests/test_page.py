"""What the page and the package must agree on, and what the page may weigh."""

import re
from pathlib import Path

import yaml

from stash_portability import __version__
from stash_portability.operations import OPERATIONS

ROOT = Path(__file__).parent.parent
UI = ROOT / "ui"
MAIN = (UI / "main.js").read_text("utf-8")
MANIFEST = yaml.safe_load((ROOT / "plugin.yml").read_text("utf-8"))
MODULES = sorted((UI / "page").glob("*.js"))
CODEMAP = (ROOT / "docs" / "CODEMAP.md").read_text("utf-8")


def test_the_address_of_the_modules_holds_the_version():
    """Stash sends no cache headers with assets: without it a browser mixes the modules of two versions."""
    assert MANIFEST["ui"]["assets"] == {f"/ui/{__version__}": "ui", "/downloads": "downloads"}
    assert f'const VERSION = "{__version__}";' in MAIN


def test_every_page_of_stash_loads_one_small_script():
    assert MANIFEST["ui"]["javascript"] == ["ui/main.js"]
    assert "css" not in MANIFEST["ui"]
    assert len(MAIN.encode()) <= 15_000


def test_the_modules_are_small_and_on_the_map():
    house = CODEMAP[: CODEMAP.index("## Which way")]
    for path in MODULES:
        assert len(path.read_text("utf-8").splitlines()) <= 300, path.name
        assert re.search(rf"\b{path.stem}\b", house), path.name


def test_the_page_asks_for_every_operation_and_no_other():
    api = (UI / "page" / "api.js").read_text("utf-8")
    assert set(re.findall(r"\boperation\(\"(\w+)\"", api)) == set(OPERATIONS)
