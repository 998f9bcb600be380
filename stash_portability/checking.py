"""Checks of what a user said, one by one: texts, switches, paths, files with JSON or YAML in them. Reads only the files
the user names.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from .errors import PortabilityError, UsageError, unknown

MOST_BYTES = 1 << 20
"""Of a file the user names (a filter, a profile, a template, a key)."""


class Checker:
    """Runs checks one by one and keeps what they raise, so that all is told at once."""

    def __init__(self) -> None:
        self.problems: list[PortabilityError] = []

    def __call__(self, check: Callable[..., Any], *arguments: Any, default: Any = None) -> Any:
        """What ``check`` gives, or ``default`` when it raises one of our errors, which is kept."""
        try:
            return check(*arguments)
        except PortabilityError as problem:
            self.problems.append(problem)
            return default


def is_said(value: Any) -> bool:
    """Whether an option was given at all."""
    return value is not None and value is not False and value not in ("", [])


def is_on(value: Any) -> bool:
    """Stash gives every task argument as text."""
    return value is True or str(value).lower() in ("true", "yes", "1", "on")


def texts(value: Any) -> Sequence[str]:
    """An option that may be given several times, or once."""
    if value is None:
        return ()
    return (value,) if isinstance(value, str) else tuple(str(entry) for entry in value)


def user_path(value: Any, option: str) -> Path:
    """The path a user wrote, with ``~`` resolved. Raises UsageError."""
    try:
        return Path(str(value)).expanduser()
    except (RuntimeError, ValueError) as problem:
        raise UsageError(f"--{option} {value!r} is no path: {problem}") from problem


def one_of(what: str, value: str, known: Mapping[str, Any]) -> str:
    """``value`` when it is one of ``known``. Raises UnknownName with the nearest one."""
    if value not in known:
        raise unknown(what, value, known)
    return value


def json_object(value: Any, option: str, example: str) -> dict[str, Any]:
    """The object in JSON text, or in the file that @FILE names. Raises ValueError saying where it is wrong."""
    text = read_text(user_path(value[1:], option), option) if str(value).startswith("@") else str(value)
    try:
        parsed = json.loads(text)
    except json.JSONDecodeError as problem:
        raise ValueError(f"it is not JSON: {problem}") from problem
    except RecursionError as problem:
        raise ValueError("it is nested too deeply") from problem
    if not isinstance(parsed, dict):
        raise ValueError(f"it must be a JSON object, such as {example}")  # noqa: TRY004 - what is wrong is the text
    return parsed


def read_text(path: Path, what: str) -> str:
    """The text of a file the user names. Raises UsageError."""
    try:
        with path.open(encoding="utf-8") as stream:
            return stream.read(MOST_BYTES)
    except (OSError, UnicodeDecodeError) as problem:
        raise UsageError(f"the {what} file {path} cannot be read: {reason_of(problem)}") from problem


def document_of(path: Path, what: str) -> Any:
    """What the JSON or YAML in a file says. Raises UsageError when it cannot be read, ValueError when it is neither."""
    text = read_text(path, what)
    if path.suffix.lower() == ".json":
        return json.loads(text)
    from .libraries.tables.yaml_form import parse_document  # noqa: PLC0415 - PyYAML is only needed here

    return parse_document(text)


def reason_of(problem: Exception) -> str:
    """What the system says of a failure."""
    return getattr(problem, "strerror", None) or str(problem)
