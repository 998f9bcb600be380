r"""Path rules: where another machine finds what lies at a path of Stash's. Pure.

A rule is ``OLD=NEW``: a path under the folder OLD lies under the folder NEW there. Paths of both worlds are known by
how they begin: ``C:\films``, ``\\server\share`` (or with ``/``) are of Windows, where ``/`` and ``\`` both part the
names and case does not count; all others are of POSIX, where only ``/`` does and case counts.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple
from unicodedata import normalize

from ..errors import PortabilityError, UsageError, several

_WINDOWS = re.compile(r"[A-Za-z]:(?=[\\/]|\Z)|[\\/]{2}(?=[^\\/])")
_EQUALS = re.compile(r"(?<!\\)=")
_FORM = r"it must be OLD=NEW (\= for an = within a path; without a slash at the end)"


class Parts(NamedTuple):
    r"""A path taken apart: its anchor (``C:``, ``\\`` for a share, ``/``, or "" for a relative path) and its names."""

    anchor: str
    names: tuple[str, ...]

    @property
    def windows(self) -> bool:
        """Whether it is a full path of Windows."""
        return self.anchor not in ("", "/")


class Rule(NamedTuple):
    """What lies under the folder ``old`` lies under ``new`` there; ``separator`` parts the names there."""

    old: Parts
    new: str
    separator: str


Rules = tuple[Rule, ...]
"""The rules, those of the deepest folders first."""


def split(path: str) -> Parts:
    """Take ``path`` apart. Empty names, as between two slashes, are passed over."""
    found = _WINDOWS.match(path)
    if found is None:
        return Parts("/" if path.startswith("/") else "", tuple(filter(None, path.split("/"))))
    anchor = found.group().upper() if found.group()[1] == ":" else "\\\\"
    return Parts(anchor, tuple(filter(None, re.split(r"[\\/]", path[found.end() :]))))


def parse_rules(values: Any) -> Rules:
    """The rules in ``values``: a text OLD=NEW, a mapping of OLD to NEW, one ``{"old": …, "new": …}``, or a list of
    these; None for none. Raises UsageError, or SeveralProblems that tells everything wrong at once."""
    rules: dict[tuple[str, ...], Rule] = {}
    problems: list[PortabilityError] = []
    for shown, old, new in _pairs(values):
        reason = _wrong(old, new)
        rule = Rule(split(old), _without_end(new), _separator(new)) if not reason else None
        if rule and rules.setdefault(_key(rule.old), rule) != rule:
            reason = "another rule is for the same folder"
        if reason:
            problems.append(UsageError(f"the path rule {shown!r} cannot be used: {reason}"))
    if problems:
        raise several(problems)
    return tuple(sorted(rules.values(), key=lambda rule: -len(rule.old.names)))


def _pairs(values: Any) -> Iterator[tuple[str, Any, Any]]:
    """Each rule in ``values``: how it was written, and its two sides; None where it has none."""
    if isinstance(values, str):
        sides = [side.replace("\\=", "=") for side in _EQUALS.split(values, maxsplit=1)]
        yield values, sides[0], sides[1] if len(sides) == 2 else None
    elif isinstance(values, Mapping):
        pairs = [(values["old"], values["new"])] if set(values) == {"old", "new"} else list(values.items())
        yield from ((f"{old}={new}", old, new) for old, new in pairs)
    elif isinstance(values, (list, tuple)):
        for value in values:
            yield from _pairs(value) if not isinstance(value, (list, tuple)) else [(str(value), None, None)]
    elif values is not None:
        yield str(values), None, None


def _wrong(old: Any, new: Any) -> str:
    """Why a rule of these two sides cannot be used; "" when it can."""
    if not isinstance(old, str) or not isinstance(new, str) or not old:
        return _FORM
    if "\0" in old + new:
        return "a NUL in it"
    if ".." in (*re.split(r"[\\/]", new), *split(old).names):
        return "no .. can be followed"
    return ""


def _separator(new: str) -> str:
    windows = split(new).windows or ("\\" in new and "/" not in new)
    return "\\" if windows and not ("/" in new and "\\" not in new) else "/"


def _without_end(new: str) -> str:
    """``new`` without slashes at its end, but for the root of POSIX, where nothing else would be left."""
    ends = "\\/" if _separator(new) == "\\" or split(new).windows else "/"
    return new.rstrip(ends) or new[:1]


def rewrite(path: str, rules: Rules) -> str:
    """``path`` by the rule of the deepest folder it lies under, its names parted as in NEW; else as it is."""
    if not rules:
        return path
    parts = split(path)
    key = _key(parts)
    for rule in rules:
        if (old := _key(rule.old)) == key[: len(old)]:
            rest = parts.names[len(rule.old.names) :]
            return _join(rule, rest)
    return path


def folders_within(folder: str, rules: Rules) -> list[str]:
    """Where the parts of ``folder`` lie that have a rule of their own."""
    key = _key(split(folder))
    return [rule.new for rule in rules if len(old := _key(rule.old)) > len(key) and old[: len(key)] == key]


def _join(rule: Rule, rest: tuple[str, ...]) -> str:
    begin = (rule.new,) if rule.new not in ("", "/") else ()
    joined = rule.separator.join((*begin, *rest))
    return f"/{joined}" if rule.new == "/" else joined


def _key(parts: Parts) -> tuple[str, ...]:
    """What two spellings of one path have in common: composed letters, and on Windows no case."""
    if not parts.windows:
        return (parts.anchor, *(normalize("NFC", name) for name in parts.names))
    return (parts.anchor, *(normalize("NFC", name).casefold() for name in parts.names))
