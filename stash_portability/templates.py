"""The templates a task may name: our own in the data folder, which the page can save, and those that came with the
plugin. A template is only ever data here; what it says is only run in a process of its own (libraries/template).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from . import runs
from .checking import document_of
from .desk import Desk
from .errors import BadTemplate, PortabilityError, UsageError, unknown
from .libraries.template.names import safe_name
from .libraries.template.spec import as_mapping, parse_template
from .places import find_documents
from .wholefile import write_whole

PARTS = ("templates",)
MOST_OWN = 200
"""Templates that can be saved: enough for people, and an end for a page that saves on and on."""
MOST_NAME = 100
ENDING = "json"
SECONDS = 3.0
"""For looking through a template, while somebody waits."""


def find(desk: Desk, name: str) -> Path:
    """The file of the template ``name``, with or without its ending: one of our own, or of those shipped. No path is
    taken, so that a task cannot have any other file read. Raises UnknownName, OutsideRoots."""
    found = find_documents(desk.places.templates, desk.shipped_templates)
    known = {**{path.name: path for path in found.values()}, **found}
    if name not in known:
        raise unknown("template", name, found)
    return _checked(desk, known[name])


def _checked(desk: Desk, path: Path) -> Path:
    """``path``, unless it is one of our own that leads elsewhere."""
    if path.parent == desk.shipped_templates:
        return path
    return desk.places.check_allowed(path, parts=PARTS)


def listed(desk: Desk) -> Iterator[dict[str, Any]]:
    """All templates for the page: ``name`` (by which an order names it), ``title``, ``description``, ``own``, and the
    ``template`` as a mapping (empty when it cannot be used now: whoever chooses it is told why)."""
    for name, path in sorted(find_documents(desk.places.templates, desk.shipped_templates).items()):
        mapping = _mapping(desk, path)
        description = str(mapping.get("description") or "").strip()
        yield {
            "name": name,
            "title": str(mapping.get("name") or name),
            "description": description.splitlines()[0] if description else "",
            "own": path.parent != desk.shipped_templates,
            "template": mapping,
        }


def _mapping(desk: Desk, path: Path) -> dict[str, Any]:
    with suppress(ValueError, RecursionError, PortabilityError):
        return as_mapping(parse_template(read_document(desk, _checked(desk, path)), path.stem))
    return {}


def read_document(desk: Desk, path: Path) -> Any:
    """What the JSON or YAML in a file says. Raises ValueError, RecursionError, UsageError, LibrariesMissing."""
    if path.suffix.lower() != ".json":
        desk.need("core", "yaml")  # what reads YAML lies beside what writes records
    return document_of(path, "profile or template")


def save(desk: Desk, name: Any, template: Any) -> str:
    """Keep a template of the page as one of our own, in place of our own of that name; give the name by which it is
    found, which is safe as a file's. Raises BadTemplate with everything that can be seen without a record,
    LibrariesMissing, UsageError, Locked, NoSpace, OutputNotUsable."""
    if not isinstance(name, str) or not name.strip() or len(name) > MOST_NAME:
        raise UsageError(f"name must be the name of a template, of at most {MOST_NAME} letters")
    checked = parse_template(template, name.strip())
    desk.need("templates")
    from .libraries.template.renderer import Limits, check  # noqa: PLC0415 - needs the libraries

    check(checked, Limits(wall=SECONDS, start=SECONDS, cpu=int(SECONDS) + 1))
    path = desk.places.templates / safe_name(name.strip(), ENDING)
    folder = desk.places.make().templates
    if path.parent != folder or path.suffix != f".{ENDING}" or path.name.startswith("."):
        raise BadTemplate(name=repr(name), reason="its name cannot be that of a file")
    with runs.told(folder), runs.alone(desk.places.data / "state" / "templates"):
        _check_number(folder, path)
        write_whole(path, as_mapping(checked), indent=2)
    return path.stem


def _check_number(folder: Path, path: Path) -> None:
    """Raise UsageError when a new template would be one too many."""
    own = set(find_documents(folder))
    if path.stem not in own and len(own) >= MOST_OWN:
        raise UsageError(f"there are {len(own)} templates in {folder} already, and there may be no more; remove some")
