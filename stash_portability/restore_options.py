"""What the user asked a restore to be, checked as a whole."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Literal

from .checking import Checker, is_on, one_of, reason_of, texts, user_path
from .config import api_key
from .errors import PortabilityError, UsageError, several, unknown
from .kinds import CONFIG_GROUPS, KINDS
from .model import Strategy
from .restoring import MODES, STRATEGIES
from .transform.profile import match_kinds

MOST_SELECTED = 256 << 20
"""Bytes of a list of records: several millions of them."""
RECORDS = tuple(kind for kind in KINDS if kind != "config")
"""The kinds that are restored when nothing is said: settings are only restored by name."""

Ids = Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class RestoreOptions:
    """One restore, checked. ``kinds`` () is everything but settings, ``ids`` {} all records of them; ``links`` also
    sets what other records had of them; ``config`` are groups of settings, which are restored
    alone when no kind and no record is named (``kinds`` is "config" then)."""

    archive: Path
    target: str
    kinds: tuple[str, ...] = ()
    ids: Ids = field(default_factory=dict)
    links: bool = False
    config: tuple[str, ...] = ()
    mode: Literal["merge", "replace"] = "merge"
    prefer: Mapping[str, Strategy] = field(default_factory=lambda: {"": "fill"})
    api_key: str = field(default="", repr=False)

    def as_data(self) -> dict[str, Any]:
        """The options as a plan keeps them, JSON-ready: all but the key."""
        data = {one.name: getattr(self, one.name) for one in fields(self) if one.name != "api_key"}
        return {**data, "archive": str(self.archive), "ids": {kind: list(ids) for kind, ids in self.ids.items()}}

    @classmethod
    def from_data(cls, data: Mapping[str, Any], key: str = "") -> RestoreOptions:
        """The options a plan kept, with the ``key`` for the Stash."""
        return cls(
            **{
                **data,
                "archive": Path(data["archive"]),
                "kinds": tuple(data["kinds"]),
                "config": tuple(data["config"]),
                "ids": {kind: tuple(ids) for kind, ids in data["ids"].items()},
                "api_key": key,
            }
        )


def restore_options(arguments: Mapping[str, Any], environment: Mapping[str, str]) -> RestoreOptions:
    """Check the arguments of ``restore``: a mapping of the long option names with ``_`` for ``-``; ``ids`` may also be
    a mapping of kinds to ids, and ``prefer`` one of what to strategies. Raises UsageError telling everything that is
    wrong."""
    check = Checker()
    config = check(_groups, arguments.get("config"), default=())
    kinds = check(_kinds, arguments.get("kinds"), config, default=())
    ids = check(parse_ids, arguments.get("ids"), kinds, default={})
    listed = check(_listed, arguments.get("selection"), default={})
    check(_agree, arguments, kinds, (ids, listed))
    options = RestoreOptions(
        archive=check(_archive, arguments.get("archive"), default=Path()),
        target=check(_address, arguments.get("to"), default=""),
        kinds=_of(ids or listed) or kinds or (("config",) if config else ()),
        ids=ids or listed,
        links=is_on(arguments.get("links")),
        config=config,
        mode=check(_mode, arguments.get("mode") or "merge", default="merge"),
        prefer=check(parse_prefer, arguments.get("prefer"), default={"": "fill"}),
        api_key=check(api_key, arguments.get("api_key_file"), environment, default=""),
    )
    if check.problems:
        raise several(check.problems)
    return options


def _of(ids: Ids) -> tuple[str, ...]:
    return tuple(kind for kind in KINDS if kind in ids)


def _agree(arguments: Mapping[str, Any], kinds: tuple[str, ...], chosen: tuple[Ids, Ids]) -> None:
    """Raise for options that cannot be had together."""
    problems: list[PortabilityError] = []
    ids, listed = chosen
    if ids and listed:
        problems.append(UsageError("--ids and --selection cannot be used together"))
    without = [kind for kind in kinds if kind != "config" and kind not in (ids or listed)]
    if (ids or listed) and without:
        problems.append(UsageError(f"--kinds names {', '.join(without)}, of which no record was chosen"))
    if arguments.get("mode") == "replace" and arguments.get("prefer"):
        problems.append(UsageError("--prefer cannot be used with --mode replace, which takes all from the archive"))
    if problems:
        raise several(problems)


def _archive(named: Any) -> Path:
    if not named or "\0" in str(named):
        raise UsageError("ARCHIVE is missing: the path of what backup wrote")
    return user_path(named, "archive").absolute()


def _address(named: Any) -> str:
    if not named or not isinstance(named, str):
        raise UsageError("--to is missing: the address of the Stash to restore into")
    return named


def _groups(named: Any) -> tuple[str, ...]:
    names = [name for text in texts(named) for name in map(str.strip, text.split(",")) if name]
    return _all_checked(names, lambda name: one_of("group of settings", name, CONFIG_GROUPS))


def _kinds(named: Any, config: tuple[str, ...]) -> tuple[str, ...]:
    """The kinds asked for; settings alone when only groups of them were named."""
    text = ",".join(texts(named))
    kinds = match_kinds(text) if text else ()
    if "config" in kinds and not config:
        raise UsageError(f"settings are restored by group: name them with --config ({', '.join(CONFIG_GROUPS)})")
    return kinds


def parse_ids(said: Any, kinds: tuple[str, ...]) -> dict[str, tuple[str, ...]]:
    """Chosen records by kind, from ``scene:1,2``, or ``1,2`` where there is one kind only, or a mapping. Raises
    UsageError."""
    if isinstance(said, Mapping):
        pairs = [(kind, str(uid)) for kind, uids in said.items() for uid in texts(uids)]
    else:
        pairs = [pair for text in texts(said) for pair in _pairs(text, kinds)]
    problems: list[PortabilityError] = [
        unknown("kind", kind, RECORDS) for kind in dict(pairs) if kind not in RECORDS
    ] + [UsageError(f"--ids holds {uid!r}, which is no id") for _, uid in pairs if not _is_id(uid)]
    if problems:
        raise several(problems)
    found: dict[str, dict[str, None]] = {}
    for kind, uid in pairs:
        found.setdefault(kind, {})[uid] = None
    return {kind: tuple(sorted(uids, key=int)) for kind, uids in found.items()}


def _pairs(text: str, kinds: tuple[str, ...]) -> list[tuple[str, str]]:
    kind, colon, rest = text.partition(":")
    if not colon:
        if len(kinds) != 1:
            raise UsageError(f"--ids {text!r} does not say of which kind: write KIND:1,2, or name one kind by --kinds")
        kind, rest = kinds[0], text
    named = [part.strip() for part in rest.split(",") if part.strip()]
    if not named:
        raise UsageError(f"--ids {text!r} names no id")
    return [(kind.strip(), uid) for uid in named]


def _is_id(uid: str) -> bool:
    return uid.isascii() and uid.isdecimal() and len(uid) < 19


def _listed(named: Any) -> dict[str, tuple[str, ...]]:
    if not named:
        return {}
    path = user_path(named, "selection")
    try:
        with path.open(encoding="utf-8-sig") as stream:
            return parse_selection(stream.read(MOST_SELECTED).splitlines())
    except (OSError, UnicodeDecodeError) as problem:
        raise UsageError(f"the selection file {path} cannot be read: {reason_of(problem)}") from problem


def parse_selection(lines: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """Chosen records from the lines ``list --selection`` prints, as somebody left them. Settings in it are passed over:
    they are restored by ``--config``. Raises UsageError with the first line that is none of ours."""
    found: dict[str, dict[str, None]] = {}
    for number, line in enumerate(lines, 1):
        words = line.partition("#")[0].split()
        if not words or words[0] == "config":
            continue
        if len(words) != 2 or not _is_id(words[1]):
            raise UsageError(f"line {number} of the selection is not a kind and an id: {line.strip()[:80]!r}")
        if words[0] not in RECORDS:
            raise UsageError(f"line {number} of the selection: {unknown('kind', words[0], RECORDS)}")
        found.setdefault(words[0], {})[words[1]] = None
    if not found:
        raise UsageError("the selection names no record")
    return {kind: tuple(sorted(uids, key=int)) for kind, uids in found.items()}


def _mode(named: str) -> str:
    return one_of("mode", str(named), MODES)


def parse_prefer(said: Any) -> dict[str, Strategy]:
    """Strategies by "kind.field", "kind" or "" (all), from ``scene.title=newer`` and the like, or a mapping. Raises
    UsageError."""
    pairs = list(said.items()) if isinstance(said, Mapping) else [_preference(text) for text in texts(said)]
    checked = _all_checked(pairs, _checked_preference)
    return {"": "fill", **dict(checked)}


def _preference(text: str) -> tuple[str, str]:
    what, equals, strategy = text.rpartition("=")
    return (what.strip(), strategy.strip()) if equals else ("", text.strip())


def _checked_preference(pair: tuple[str, str]) -> tuple[str, str]:
    what, strategy = pair
    kind, dot, name = what.partition(".")
    if kind:
        one_of("kind", kind, KINDS)
    if dot:
        one_of(f"field of {kind}", name, dict.fromkeys(KINDS[kind].names()))
    one_of("strategy", strategy, dict.fromkeys(STRATEGIES))
    return what, strategy


def _all_checked(values: Iterable[Any], check: Callable[[Any], Any]) -> tuple[Any, ...]:
    """Each of ``values`` as ``check`` gives it. Raises all that it raises, together."""
    checker = Checker()
    found = tuple(checker(check, value) for value in values)
    if checker.problems:
        raise several(checker.problems)
    return found
