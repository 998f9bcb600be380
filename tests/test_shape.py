"""The rules of size and tidiness that a machine can count."""

import ast
import os
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
CODE = sorted(path for folder in ("stash_portability", "tools") for path in (ROOT / folder).rglob("*.py"))
MOST_LINES, MOST_LINES_OF_A_FUNCTION, MOST_PARAMETERS = 400, 45, 5
LONG_ON_PURPOSE = {"kinds.py"}
NOT_OURS = {".git", "node_modules", ".venv", "out", "dist", "build", "__pycache__", ".hypothesis"}
NOT_OURS_ENDS = ("_cache", ".egg-info")


def files():
    """Every file of the project, but for what is made."""
    for folder, folders, names in os.walk(ROOT):
        folders[:] = [name for name in folders if name not in NOT_OURS and not name.endswith(NOT_OURS_ENDS)]
        yield from (Path(folder) / name for name in names)


def functions(path):
    tree = ast.parse(path.read_text("utf-8"))
    return [node for node in ast.walk(tree) if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))]


def named(path):
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("path", CODE, ids=named)
def test_modules_are_short(path):
    if path.name not in LONG_ON_PURPOSE:
        assert len(path.read_text("utf-8").splitlines()) <= MOST_LINES


@pytest.mark.parametrize("path", CODE, ids=named)
def test_functions_are_short_and_take_few_parameters(path):
    for function in functions(path):
        lines = function.end_lineno - function.lineno + 1
        assert lines <= MOST_LINES_OF_A_FUNCTION, f"{function.name} has {lines} lines"
        every = function.args.posonlyargs + function.args.args + function.args.kwonlyargs
        parameters = [argument.arg for argument in every if argument.arg not in ("self", "cls")]
        assert len(parameters) <= MOST_PARAMETERS, f"{function.name} takes {len(parameters)} parameters"


@pytest.mark.parametrize("path", CODE, ids=named)
def test_modules_say_what_they_are_for(path):
    assert ast.get_docstring(ast.parse(path.read_text("utf-8")))


def test_nothing_is_left_to_do():
    marks = re.compile(r"\b(TO" r"DO|FIX" r"ME|XX" r"X)\b")
    found = [named(path) for path in files() if path.suffix == ".py" and marks.search(path.read_text("utf-8"))]
    assert found == []


def test_the_manifest_is_the_only_yml():
    """Stash takes every .yml under its plugins folder for a plugin."""
    assert [named(path) for path in files() if path.suffix == ".yml"] == ["plugin.yml"]


def test_locks_name_no_host():
    for name in ("requirements.lock", "requirements-dev.lock"):
        assert "://" not in (ROOT / name).read_text("utf-8")
