"""How a restore can be told to bring an archive and a Stash together: the words for it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import get_args

from .model import Strategy

STRATEGIES: tuple[Strategy, ...] = get_args(Strategy)
MODES: Mapping[str, str] = {
    "merge": "what is in Stash stays, and what is missing there is filled in (the default)",
    "replace": "Stash becomes what the archive says, and what only Stash has is deleted",
}
