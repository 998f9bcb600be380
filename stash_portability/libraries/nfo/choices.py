"""What an export of NFO files was told. No I/O."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

FOREIGN = {
    "keep": "An NFO file of somebody else, or one that was edited since, is left as it is",
    "merge": "What Stash knows is written into it, the rest of it stays, and the file as it was is kept beside",
}
"""What is done with an NFO file that is not ours, or not as we left it."""


@dataclass(frozen=True, slots=True)
class NfoChoices:
    """``profile`` is the media server written for (dialects.py); ``beside``: beside the media, not into a folder;
    ``artwork``: with pictures; ``foreign``: "keep" or "merge"; ``movie_nfo``: as movie.nfo, one film a folder;
    ``genres``: "all" tags, "none", or the name of the tag whose sub-tags are genres; ``remove_deleted``: remove our
    files of scenes that are no longer in Stash; ``allowed``: the folders that files beside the media may lie in
    (None: any)."""

    profile: str = "kodi"
    beside: bool = False
    artwork: bool = False
    foreign: str = "keep"
    movie_nfo: bool = False
    genres: str = "all"
    remove_deleted: bool = False
    allowed: tuple[Path, ...] | None = None
