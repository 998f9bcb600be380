"""File names out of any text: safe on every system, short enough, never outside their folder, each once. Pure."""

from __future__ import annotations

import re
from unicodedata import normalize

MOST_BYTES = 200
"""Of a name with its ending: file systems take 255, and some of them keep a part for themselves."""
_NOT_IN_NAMES = re.compile(
    '[\x00-\x1f\x7f-\x9f/\\\\:*?"<>|\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufffe\uffff]+'
)
"""What Windows or a shell trips over, and the marks that make a name look like another one."""
_RESERVED = re.compile(r"(con|prn|aux|nul|conin\$|conout\$|com[0-9¹²³]|lpt[0-9¹²³])(?=\.|$)", re.IGNORECASE)
"""Names of devices in Windows, whatever their ending
(https://learn.microsoft.com/windows/win32/fileio/naming-a-file)."""
UNNAMED = "unnamed"


def safe_name(text: str, ending: str, limit: int = MOST_BYTES) -> str:
    """A file name with ``ending`` (no dot) out of ``text``, of at most ``limit`` bytes; never empty."""
    cleaned = re.sub(r"\s+", " ", _NOT_IN_NAMES.sub(" ", normalize("NFC", text)))
    cleaned = _cut(cleaned.lstrip(". "), limit - len(ending.encode()) - 1).rstrip(". ")
    cleaned = cleaned or UNNAMED
    if _RESERVED.match(cleaned):
        cleaned = "_" + _cut(cleaned, limit - len(ending.encode()) - 2)
    return f"{cleaned}.{ending}"


def _cut(text: str, limit: int) -> str:
    """The beginning of ``text`` that has at most ``limit`` bytes, whole characters only."""
    return text.encode("utf-8", "ignore")[:limit].decode("utf-8", "ignore")


class Unique:
    """Gives each name once: a second one of the same, whatever its case, gets `` (2)``. Costs some 100 bytes a name."""

    def __init__(self) -> None:
        self._taken: dict[str, int] = {}

    def __call__(self, name: str) -> str:
        """``name``, or ``name (2)`` and so on before the ending."""
        folded = _folded(name)
        number = self._taken.get(folded, 0) + 1
        self._taken[folded] = number
        if number == 1:
            return name
        stem, dot, ending = name.rpartition(".")
        extra = f" ({number})"
        return self(f"{_cut(stem, MOST_BYTES - len(ending) - len(dot) - len(extra))}{extra}{dot}{ending}")


def _folded(name: str) -> str:
    """What a file system without regard to case and composition takes for the same name."""
    return normalize("NFC", normalize("NFKD", name).casefold())
