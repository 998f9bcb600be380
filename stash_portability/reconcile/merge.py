"""The three-way merge of one record, field by field. Pure; everything is in the target's ids.

With base b, source s, target t: ``s==t or s==b → t; t==b → s``; else the strategy decides, and the loser is told.
Sets: ``(s ∪ t) − (b ∖ s) − (b ∖ t)``. Histories are multisets of instants. Without a base, what is empty says nothing:
it loses to anything, and nothing is taken away; only with the strategy "target" what is empty in the target stays so.
With "source" or "target" (for the field, its kind or all) that side's list or history counts as a whole. "No" and
nought of what is counted are empty too, as after a scan; a place to resume at is not filled into what the target has
played since.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ..kinds import Field
from ..model import Data, Policy, Strategy
from .coding import image_digest
from .rules import NEVER_CLEARED, fold, written

_COUNTED = frozenset(("resume_time", "play_duration", "o_counter"))
"""Numbers whose nought says that nothing happened yet."""

_GROWING = frozenset(("o_counter",))
"""Numbers that are raised one by one: the higher one holds the lower, as a history does, and as what a run that was
killed half-way left does."""

_NO_RECORD: Data = {}


@dataclass(frozen=True, slots=True)
class Clash:
    """A field both sides say something else of, and whose value was taken: "source", "target" or "ask"."""

    field: str
    base: Any
    source: Any
    target: Any
    chosen: str


@dataclass(frozen=True, slots=True)
class Merged:
    """``changes``: the fields whose value is no longer the target's, with the new one."""

    changes: dict[str, Any]
    clashes: tuple[Clash, ...]


@dataclass(frozen=True, slots=True)
class Sides:
    """One record of ``kind`` as base (None: there is none), source and target have it."""

    kind: str
    base: Data | None
    source: Data
    target: Data


@dataclass(frozen=True, slots=True)
class _Three:
    """One field's values. ``base`` counts only if ``has_base``."""

    base: Any
    source: Any
    target: Any
    has_base: bool


def merge(sides: Sides, policy: Policy) -> Merged:
    """Merge the fields both sides know. A field one of them does not know stays as it is."""
    changes: dict[str, Any] = {}
    clashes: list[Clash] = []
    ours, theirs = sides.source, sides.target
    for field in written(sides.kind):
        name = field.name
        if name not in ours or name not in theirs or ours[name] == theirs[name]:
            continue
        if same(field, ours[name], theirs[name]) or (ours[name] is None and name in NEVER_CLEARED.get(sides.kind, ())):
            continue
        value, clash = _merge_field(field, sides, policy)
        if clash is not None:
            clashes.append(clash)
        if not same(field, value, sides.target[name]):
            changes[name] = value
    _drop_own_name(sides, changes)
    return Merged(changes, tuple(clashes))


def same(field: Field, one: Any, other: Any) -> bool:
    """Whether two values of a field mean the same; parts only one of them knows do not count."""
    if one == other:
        return True
    if field.type == "blob":
        return bool(image_digest(one) == image_digest(other))
    if field.many and field.role != "log":
        return _same_many(field, one or (), other or ())
    return False


def strategy(policy: Policy, kind: str, field: str) -> Strategy:
    """The strategy for a field: the most exact one there is."""
    for name in (f"{kind}.{field}", kind, ""):
        if name in policy.prefer:
            return policy.prefer[name]
    return "fill"


def _merge_field(field: Field, sides: Sides, policy: Policy) -> tuple[Any, Clash | None]:
    kind, name = sides.kind, field.name
    base = sides.base or _NO_RECORD
    three = _Three(base.get(name), sides.source[name], sides.target[name], name in base)
    how, exact = strategy(policy, kind, name), policy.prefer.get(f"{kind}.{name}", "union")
    told = three.target or how == "target"
    if field.many and how in ("source", "target") and three.source and told and not three.has_base:
        return _one_side(field, three, how) if field.role == "log" else _merge_entries(field, three, how, sides, True)
    if field.role == "log" and (exact == "union" or three.has_base):
        return _merge_log(three), None
    if (field.many or _by_key(field)) and exact == "union":
        return _merge_entries(field, three, strategy(policy, kind, ""), sides)
    return _merge_value(field, three, how, sides, policy.skew)


def _one_side(field: Field, three: _Three, how: Strategy) -> tuple[Any, Clash]:
    """All that one side says; the other one is told."""
    value = three.source if how == "source" else three.target
    return value, Clash(field.name, three.base, three.source, three.target, how)


def _merge_value(
    field: Field, three: _Three, how: Strategy, sides: Sides, skew: float = 0.0
) -> tuple[Any, Clash | None]:
    source, target = three.source, three.target
    if same(field, source, target):
        return target, None
    if three.has_base:
        for one, other in ((source, target), (target, source)):
            if same(field, one, three.base):
                return other, None
    elif said := _alone(field, three, how, sides):
        return said[0], None
    chosen = _choose(field, three, how, sides, skew)
    value = source if chosen == "source" else target
    return value, Clash(field.name, three.base, source, target, chosen)


def _alone(field: Field, three: _Three, how: Strategy, sides: Sides) -> tuple[Any] | None:
    """Without a base: what there is when only one side says something, or both say the same of a count."""
    source, target = three.source, three.target
    if _empty(field, source):
        return (target,)
    if _empty(field, target) and how != "target":
        since = how != "source" and field.name == "resume_time" and sides.target.get("play_history")
        return (target if since else source,)
    return (max(source, target),) if field.name in _GROWING and how == "fill" else None


def _choose(field: Field, three: _Three, how: Strategy, sides: Sides, skew: float) -> str:
    if how in ("fill", "union"):
        return "source" if _empty(field, three.target) else "target"
    if how == "newer":
        return _newer(sides.source.get("updated_at"), sides.target.get("updated_at"), skew)
    return how


def _newer(source: Any, target: Any, skew: float) -> str:
    if not source or not target:
        return "ask"
    seconds = (_instant(source) - _instant(target)).total_seconds()
    if abs(seconds) <= skew:
        return "ask"
    return "source" if seconds > 0 else "target"


def _instant(text: str) -> datetime:
    """A canonical time. Fractions of a second beyond microseconds are cut, which Python 3.10 does not read."""
    whole, _, fraction = text.removesuffix("Z").partition(".")
    return datetime.fromisoformat(f"{whole}.{fraction[:6]:0<6}+00:00")


def _merge_log(three: _Three) -> list[Any]:
    """A multiset of instants; each one's number is merged."""
    source, target, base = Counter(three.source or ()), Counter(three.target or ()), Counter(three.base or ())
    found: list[Any] = []
    for instant in sorted({*source, *target}):
        ours, theirs, before = source[instant], target[instant], base[instant]
        if not three.has_base or before not in (ours, theirs):
            times = max(ours, theirs)
        else:
            times = theirs if ours == before else ours
        found += [instant] * times
    return found


def _merge_entries(
    field: Field, three: _Three, how: Strategy, sides: Sides, whole: bool = False
) -> tuple[Any, Clash | None]:
    """A set: its members by their keys, and what both say of a member by parts. ``whole``: the members of one side."""
    source, target, base = (_keyed(field, value, sides) for value in (three.source, three.target, three.base))
    kept = (source.keys() | target.keys()) - (base.keys() - source.keys()) - (base.keys() - target.keys())
    found, clash = {}, None
    if whole:
        kept = set(source if how == "source" else target)
        _, clash = _one_side(field, three, how) if _differ(field, source, target) else (None, None)
    order = _order(field, three, (source, target), kept, whole and how == "source")
    for key in order:
        if key in source and key in target:
            values = _Three(base.get(key), source[key], target[key], three.has_base and key in base)
            found[key], differs = _merge_entry(field, values, how, sides)
            clash = clash or differs
        else:
            found[key] = source[key] if key in source else target[key]
    if clash is not None:
        clash = Clash(field.name, three.base, three.source, three.target, clash.chosen)
    return (found if _by_key(field) else list(found.values())), clash


def _merge_entry(field: Field, three: _Three, how: Strategy, sides: Sides) -> tuple[Any, Clash | None]:
    """A member both sides have. Parts of times are facts of when it was set: no reason to call for a decision."""
    if not field.parts:
        return (three.target, None) if three.source == three.target else _merge_value(field, three, how, sides)
    merged, clash = dict(three.target), None
    for part in field.parts:
        name = part.name
        if name not in three.source or name not in three.target:
            continue
        base = three.base or _NO_RECORD
        values = _Three(base.get(name), three.source[name], three.target[name], three.has_base and name in base)
        merged[name], differs = _merge_value(part, values, how, sides)
        if part.type != "time":
            clash = clash or differs
    return merged, clash


def _differ(field: Field, source: Mapping[Any, Any], target: Mapping[Any, Any]) -> bool:
    return list(source) != list(target) if field.ordered else source.keys() != target.keys()


def _by_key(field: Field) -> bool:
    """Whether the value maps keys to values that are merged each for itself."""
    return field.type == "map" or field.name == "settings"


def _keyed(field: Field, value: Any, sides: Sides) -> dict[Any, Any]:
    if _by_key(field):
        return dict(value or {})
    return {_key(field, entry, sides.kind): entry for entry in value or ()}


def _key(field: Field, entry: Any, kind: str) -> Any:
    """What a member is told by. A scene has one stash id an endpoint; others may have several."""
    if field.name == "stash_ids":
        return entry.get("endpoint") if kind == "scene" else (entry.get("endpoint"), entry.get("stash_id"))
    return entry.get(field.key) if field.parts else entry


def _order(field: Field, three: _Three, known: Sequence[Mapping[Any, Any]], kept: set[Any], ours: bool) -> list[Any]:
    """Members of ordered fields stand as in the target, then those the source has more; but as in the source with
    ``ours``, and when only that moved them since the base. Others stand in the canonical order."""
    source, target = known
    first, then = (target, source)
    if ours or (three.has_base and three.target == three.base):
        first, then = (source, target)
    listed = [key for key in dict.fromkeys((*first, *then)) if key in kept]
    return listed if field.ordered else sorted(listed, key=_canonical)


def _canonical(key: Any) -> tuple[int, int, str]:
    """Ids by number, texts by code point, keys of several parts part by part."""
    text = "\0".join(str(part) for part in key) if isinstance(key, tuple) else str(key)
    return (0, int(text), "") if text.isascii() and text.isdigit() else (1, 0, text)


def _same_many(field: Field, one: Sequence[Any], other: Sequence[Any]) -> bool:
    if len(one) != len(other) or not field.parts:
        return False
    return all(left.keys() & right.keys() == _equal_parts(left, right) for left, right in zip(one, other, strict=True))


def _equal_parts(left: Mapping[str, Any], right: Mapping[str, Any]) -> set[str]:
    return {name for name in left.keys() & right.keys() if left[name] == right[name]}


def _empty(field: Field, value: Any) -> bool:
    if field.name == "settings":  # a switch that is off, or a text that was cleared, was set so
        return value is None
    return value is None or value in ("", [], {}) or value is False or (field.name in _COUNTED and not value)


def _drop_own_name(sides: Sides, changes: dict[str, Any]) -> None:
    """Stash refuses a record whose alias is its own name, and a performer with an alias twice (which a union can bring
    about); in one performer all letters count alike in both cases
    (https://github.com/stashapp/stash, pkg/performer/validate.go: ValidateAliases)."""
    name, aliases = changes.get("name", sides.target.get("name")), changes.get("aliases")
    if not name or not isinstance(aliases, list):
        return
    held = sides.target.get("aliases") or []
    alike, once = (str.lower, True) if sides.kind == "performer" else (fold, False)
    seen, kept = {alike(name)}, set()
    for alias in sorted(aliases, key=lambda one: one not in held):
        if alike(alias) not in seen:
            kept.add(alias)
            seen |= {alike(alias)} if once else set()
    changes["aliases"] = [alias for alias in aliases if alias in kept]
    if changes["aliases"] == sides.target.get("aliases"):
        del changes["aliases"]
