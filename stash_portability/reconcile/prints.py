"""Fingerprints of files: those that Stash does not take of the file itself (phash, types of the user's own) can be set
on a file that is there. Pure.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

OWN_PRINTS = frozenset(("oshash", "md5"))
"""What Stash finds out by itself; a file that shares one with another has the same bytes."""


def prints_of(file: Mapping[str, Any]) -> dict[str, Any]:
    """The fingerprints of a file by their type."""
    return {entry["type"]: entry["value"] for entry in file.get("fingerprints") or ()}


def pair_files(ours: Iterable[Mapping[str, Any]], theirs: Iterable[Mapping[str, Any]]) -> list[tuple[Any, Any]]:
    """Files of one record that are the same on both sides: of the same path, else of the same bytes."""
    left, pairs, open_ = list(theirs), [], []
    for file in ours:
        like = next((one for one in left if file.get("path") and one.get("path") == file["path"]), None)
        if like is None:
            open_.append(file)
            continue
        left.remove(like)
        pairs.append((file, like))
    for file in open_:
        like = next((one for one in left if own_prints([one]) & own_prints([file])), None)
        if like is not None:
            left.remove(like)
            pairs.append((file, like))
    return pairs


def own_prints(files: Iterable[Mapping[str, Any]] | None) -> set[tuple[str, Any]]:
    """What tells the bytes of any of these files."""
    return {(type_, value) for file in files or () for type_, value in prints_of(file).items() if type_ in OWN_PRINTS}


def merge_prints(
    ours: Sequence[Mapping[str, Any]], theirs: Sequence[Mapping[str, Any]], take: bool
) -> tuple[list[dict[str, Any]] | None, bool]:
    """The files of the target with fingerprints of the source's: those they lack, and with ``take`` others too. None
    when that changes nothing; and whether both say something else, and the target's stayed. None is taken away: what
    the source has not counted yet says nothing."""
    like = {id(their): our for our, their in pair_files(ours, theirs)}
    merged, differs = [], False
    for file in theirs:
        had, wanted = prints_of(file), dict(prints_of(file))
        for type_, value in prints_of(like.get(id(file), {})).items():
            if type_ in OWN_PRINTS or had.get(type_) == value:
                continue
            if take or type_ not in had:
                wanted[type_] = value
            else:
                differs = True
        listed = [{"type": type_, "value": value} for type_, value in sorted(wanted.items())]
        merged.append({**file, "fingerprints": listed} if wanted != had else dict(file))
    return (None if all(one == two for one, two in zip(merged, theirs, strict=True)) else merged), differs
