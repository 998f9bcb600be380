"""Imports point one way, the modules the launcher starts with need no library, and each library has one module."""

import ast
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "stash_portability"
MODULES = sorted(PACKAGE.rglob("*.py"))

CORE = {"errors", "json_text", "kinds", "model"}
MAY_IMPORT = {
    "errors": set(),
    "json_text": set(),
    "kinds": set(),
    "model": {"errors"},
    "oslock": {"errors"},
    "places": {"errors"},
    "wholefile": set(),
    "tombstones": {"errors", "oslock"},
    "hook": {"tombstones", "wholefile"},
    "landing": {"wholefile"},
    "runs": {"errors", "landing", "oslock", "traces", "wholefile"},
    "traces": set(),
    "dependencies": {"errors"},
    "stashlog": set(),
    "call": {"errors", "libraries"},
    "installer": {"dependencies", "errors", "model", "oslock"},
    "transform": CORE,
    "storage": CORE | {"oslock"},
    "libraries": CORE | {"transform", "storage"},
    "reconcile": CORE,
    "progress": CORE,
    "report": CORE,
    "report_html": CORE | {"report"},
    "doctor": CORE,
    "formats": set(),
    "means": CORE,
    "checking": {"errors", "libraries"},
    "special": CORE | {"checking", "libraries", "transform"},
    "config": CORE | {"checking", "formats", "special", "transform", "libraries"},
    "planning": CORE | {"config", "libraries", "transform"},
    "outputs": CORE | {"config", "libraries", "storage", "transform"},
    "media": CORE | {"config", "libraries", "transform"},
    "commands": CORE
    | {"config", "libraries", "means", "media", "outputs", "planning", "report", "storage", "transform"},
    "backup_options": CORE | {"checking", "config", "transform"},
    "listing": CORE | {"libraries", "report", "storage"},
    "incremental": CORE | {"libraries", "listing", "storage"},
    "database_copy": CORE | {"libraries", "storage"},
    "backup": CORE
    | {"backup_options", "commands", "database_copy", "incremental", "libraries", "listing", "means", "planning"}
    | {"storage"},
    "compare": CORE | {"libraries", "listing", "transform"},
    "glass": CORE | {"config", "libraries", "media", "outputs", "storage", "transform"},
    "look": CORE | {"commands", "config", "glass", "libraries", "means", "planning", "progress", "transform"},
    "desk": {"call", "hook", "dependencies", "installer", "places", "stashlog"},
    "downloads": {"errors"},
    "jobs": {"call", "desk", "errors", "runs", "storage"},
    "mediafolders": {"call", "config", "desk", "errors", "places"},
    "templates": {"checking", "desk", "errors", "libraries", "places", "runs", "wholefile"},
    "offers": CORE | {"desk", "formats", "libraries", "mediafolders", "places", "templates", "transform"},
    "orders": CORE
    | {"checking", "config", "desk", "downloads", "libraries", "mediafolders", "places", "runs", "templates"},
    "backup_orders": CORE | {"backup_options", "checking", "desk"},
    "archives_shown": {"errors", "libraries", "listing", "restoring", "storage"},
    "restore_orders": {"archives_shown", "checking", "desk", "errors", "restore_options", "runs", "traces"},
    "operations_runs": {"archives_shown", "backup_orders", "config", "desk", "downloads", "errors", "jobs"}
    | {"mediafolders", "orders", "restore_orders", "runs", "storage", "traces", "wholefile"},
    "operations_archives": {
        "archives_shown",
        "desk",
        "errors",
        "operations_runs",
        "planfile",
        "restore_orders",
        "runs",
    },
    "operations": CORE
    | {"call", "dependencies", "desk", "downloads", "libraries", "look", "means", "offers", "operations_archives"}
    | {"operations_runs", "orders", "stashlog", "templates"},
    "target": CORE | {"libraries"},
    "providing": {"archives_shown", "desk", "libraries", "storage"},
    "restore_tasks": CORE
    | {"desk", "incremental", "libraries", "means", "planfile", "providing", "report", "restore", "restore_orders"}
    | {"runs", "stashlog", "target", "undoing", "writing"},
    "tasks": CORE
    | {"backup", "backup_orders", "commands", "dependencies", "desk", "installer", "means", "operations_runs"}
    | {"orders", "providing", "report", "restore_orders", "restore_tasks", "runs", "stashlog"},
    "plugin": CORE
    | {"call", "desk", "downloads", "operations", "operations_runs", "orders", "report_html", "runs", "stashlog"}
    | {"tasks"},
    "restoring": CORE,
    "restore_options": CORE | {"checking", "config", "restoring", "transform"},
    "planrows": CORE | {"reconcile"},
    "planfile": CORE | {"planrows", "reconcile", "report", "runs"},
    "labels": CORE | {"listing", "reconcile"},
    "points": CORE | {"libraries", "reconcile", "target"},
    "identity": CORE | {"incremental", "target"},
    "writing": CORE | {"identity", "means", "oslock", "points", "reconcile", "runs", "target", "traces", "wholefile"},
    "restore_source": CORE | {"libraries", "means", "reconcile", "restore_options", "transform"},
    "restore": CORE
    | {"identity", "labels", "libraries", "means", "planfile", "planrows", "points", "reconcile"}
    | {"restore_options", "restore_source", "runs", "stale", "storage", "target", "traces", "wholefile", "writing"},
    "stale": CORE | {"libraries", "runs", "target", "traces"},
    "undoing": CORE
    | {"identity", "libraries", "means", "reconcile", "runs", "target", "traces", "wholefile", "writing"},
    "restore_commands": CORE
    | {"libraries", "means", "places", "planfile", "report", "restore", "report_html", "restore_options", "runs"}
    | {"target", "traces", "undoing", "writing"},
    "arguments": CORE | {"formats", "libraries", "restoring"},
    "__main__": CORE
    | {"arguments", "backup", "backup_options", "checking", "compare", "listing"}
    | {"commands", "config", "doctor", "formats", "libraries", "means", "places", "progress", "report"}
    | {"restore_commands", "restore_options", "undoing", "writing"},
    "docs_media": CORE | {"libraries"},
    "docs_restore": CORE | {"libraries"},
    "docs": CORE | {"arguments", "docs_media", "docs_restore", "libraries"},
    "launch": {"hook", "plugin"},
    "__init__": set(),
}
"""Each module or package of stash_portability, and what of it it may import."""

NO_INPUT_OUTPUT = ("errors.py", "kinds.py", "model.py", "transform")
SPEAKS_TO_THE_WORLD = {"os", "io", "pathlib", "socket", "sqlite3", "subprocess", "tempfile", "shutil", "urllib", "http"}


def imports(path):
    """The modules ``path`` imports, absolute: "json", "stash_portability.errors"."""
    package = path.relative_to(ROOT).parent.parts
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else ()
            stem = ".".join((*base, *([node.module] if node.module else ())))
            yield from (f"{stem}.{alias.name}" for alias in node.names) if not node.module else (stem,)


def ours(path):
    for name in imports(path):
        parts = name.split(".")
        if parts[0] == "stash_portability" and len(parts) > 1 and parts[1] != "__version__":
            yield parts[1]


def owner(path):
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_point_one_way(path):
    allowed = MAY_IMPORT[owner(path)] | {owner(path)}
    assert set(ours(path)) <= allowed


def test_the_table_of_imports_names_what_is_there():
    assert {owner(path) for path in MODULES} == set(MAY_IMPORT)


def test_the_table_of_imports_has_no_circle():
    waiting = dict(MAY_IMPORT)
    while waiting:
        free = {name for name, needs in waiting.items() if not needs & set(waiting)}
        assert free, f"these import each other: {sorted(waiting)}"
        waiting = {name: needs for name, needs in waiting.items() if name not in free}


def test_the_core_does_no_input_or_output():
    for name in NO_INPUT_OUTPUT:
        for path in [PACKAGE / name, *(PACKAGE / name).rglob("*.py")]:
            if path.suffix == ".py":
                tops = {found.split(".")[0] for found in imports(path)}
                assert not tops & SPEAKS_TO_THE_WORLD, path


def test_each_library_is_imported_in_one_module():
    users = defaultdict(set)
    for path in MODULES:
        for name in imports(path):
            top = name.split(".")[0]
            if top not in sys.stdlib_module_names and top != "stash_portability":
                users[top].add(str(path.relative_to(PACKAGE)))
    assert {name: sorted(where) for name, where in users.items() if len(where) > 1} == {}


def test_the_launcher_and_the_plugin_start_without_any_library():
    modules = ("plugin", "operations", "offers", "installer", "call", "launch")
    code = f"import sys; sys.path.insert(0, {str(ROOT)!r}); " + "; ".join(
        f"import stash_portability.{name}" for name in modules
    )
    subprocess.run([sys.executable, "-I", "-S", "-c", code], check=True)


def test_a_status_imports_nothing_slow():
    code = f"import sys; sys.path.insert(0, {str(ROOT)!r}); import stash_portability.plugin; print(*sys.modules)"
    said = subprocess.run([sys.executable, "-I", "-S", "-c", code], check=True, capture_output=True, text=True).stdout
    slow = {"requests", "orjson", "subprocess", "argparse", "importlib.metadata", "asyncio", "stash_portability.kinds"}
    assert not slow & set(said.split())


@pytest.mark.parametrize(
    "arguments",
    [("--to", "a.json"), ("--to", "b", "--format", "csv"), ("--to", "c.xml"), ("--to", "d", "--format", "nfo")],
)
def test_an_export_needs_no_library_of_another_format(tmp_path, arguments):
    """The set ``core`` alone does for the formats that need no more; a set that is missing takes its own away."""
    code = (
        "import sys\n"
        "for name in ('yaml', 'defusedxml', 'jinja2', 'markupsafe'): sys.modules[name] = None\n"
        f"sys.path.insert(0, {str(ROOT)!r})\n"
        "from stash_portability.__main__ import main\n"
        f"sys.exit(main(['--quiet', 'export', '--from', {str(ROOT / 'examples' / 'demo')!r}, *{arguments!r}]))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode in (0, 1), done.stderr
