"""What the target can hold of a record of the source. What it cannot is never planned, and counted: else a plan would
ask for it again and again. Pure.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

from ..kinds import CONFIG_GROUPS, KINDS, Field
from ..model import Data
from .merge import same
from .prints import OWN_PRINTS, pair_files, prints_of

Cannot = Mapping[str, Mapping[str, str]]
"""Kind → what it cannot be given there, with why: a field; a part of its entries ("stash_ids.updated_at"); a date that
is not whole ("date.partial"); more than one of a list ("urls.more"); emptying it ("cover.none"); a setting
("settings.general.stashes"); being deleted ("delete")."""

_PARTIAL = re.compile(r"\d{4}(-\d{2})?")


class Possible:
    """Cuts records to what the target can hold. ``lost`` counts, by "kind.field", what was cut and is not there."""

    def __init__(self, cannot: Cannot, clears: bool) -> None:
        self._cannot = cannot
        self._clears = clears
        self.lost: Counter[str] = Counter()

    def narrow(self, kind: str, source: Data, target: Data | None) -> dict[str, Any]:
        """``source`` without what ``target`` (None: a record to be made), as the same thing in the target, cannot be
        given. Both in the target's ids."""
        out, had = dict(source), target or {}
        if kind == "config":
            out["settings"] = self._settings(str(source.get("group")), source.get("settings") or {}, had)
            return out
        for limit in self._cannot.get(kind, ()):
            name, _, what = limit.partition(".")
            field = KINDS[kind].field(name)
            if field is None or name not in out:
                continue
            if _LIMITS.get(what, _without_part)(field, what, out, had if target is not None else None):
                self.lost[f"{kind}.{limit}"] += what != "none" or self._clears
        return out

    def cut(self, kind: str, changes: dict[str, Any], target: Data) -> dict[str, Any]:
        """``changes`` of a merge without members of lists that the target has no room for."""
        for limit in self._cannot.get(kind, ()):
            name, _, what = limit.partition(".")
            if what == "more" and name in changes:
                changes[name] = changes[name][:1]
                if changes[name] == target.get(name):
                    del changes[name]
        return changes

    def _settings(self, group: str, source: Mapping[str, Any], had: Data) -> dict[str, Any]:
        """The settings of a group as they can become: what only the target has stays."""
        held = had.get("settings") or {}
        wanted = dict(held)
        for name, value in source.items():
            limit = f"settings.{group}.{name}"
            if limit in self._cannot.get("config", ()) or (CONFIG_GROUPS.get(group) and name not in held):
                self.lost[f"config.{limit}"] += value not in (None, "", [], {}) and value != held.get(name)
            elif value is not None:
                wanted[name] = _with_own(held.get(name), value)
        self.lost += Counter()
        return dict(sorted(wanted.items()))


def _with_own(held: Any, value: Any) -> Any:
    """A map of settings with the keys that only the target has: nothing takes those away."""
    if not isinstance(held, Mapping) or not isinstance(value, Mapping):
        return value
    return dict(sorted({**held, **{key: _with_own(held.get(key), inner) for key, inner in value.items()}}.items()))


Limit = Callable[[Field, str, dict[str, Any], "Data | None"], bool]
"""Cuts a field of the data, by what the target has (None: the record is to be made); whether something is lost."""


def _whole(field: Field, what: str, out: dict[str, Any], target: Data | None) -> bool:
    del what
    value = out[field.name]
    if field.name == "files":
        return len(pair_files(value or (), (target or {}).get("files") or ())) < len(value or ())
    if field.writer:
        del out[field.name]
    held = (target or {}).get(field.name)
    return value not in (None, "", [], {}, False) and not (target is not None and same(field, value, held))


def _partial(field: Field, what: str, out: dict[str, Any], target: Data | None) -> bool:
    del what
    value = out[field.name]
    if not value or not _PARTIAL.fullmatch(value):
        return False
    del out[field.name]
    return bool(value != (target or {}).get(field.name))


def _more(field: Field, what: str, out: dict[str, Any], target: Data | None) -> bool:
    del what
    value, held = out[field.name] or [], (target or {}).get(field.name) or []
    out[field.name] = held[:1] if held[:1] and held[0] in value else value[:1]
    return len(value) > 1


def _none(field: Field, what: str, out: dict[str, Any], target: Data | None) -> bool:
    del what
    if out[field.name] not in (None, [], {}) or target is None:
        return False
    del out[field.name]
    return target.get(field.name) not in (None, [], {})


def _without_part(field: Field, what: str, out: dict[str, Any], target: Data | None) -> bool:
    if field.name == "files":
        return what == "fingerprints" and _prints_lost(out, target)
    entries, held = out[field.name] or [], (target or {}).get(field.name) or []
    known = [entry.get(what) for entry in held]
    out[field.name] = [{name: value for name, value in entry.items() if name != what} for entry in entries]
    return any(entry.get(what) is not None and entry[what] not in known for entry in entries)


def _prints_lost(out: dict[str, Any], target: Data | None) -> bool:
    """Fingerprints that nothing sets there. The files stay in ``out``: they tell what the record is."""
    files = out.pop("files") or []
    pairs = pair_files(files, (target or {}).get("files") or ())
    return any(
        value != prints_of(theirs).get(type_)
        for ours, theirs in pairs
        for type_, value in prints_of(ours).items()
        if type_ not in OWN_PRINTS
    )


_LIMITS: Mapping[str, Limit] = {"": _whole, "partial": _partial, "more": _more, "none": _none}
