"""Names of members that no input may have, and what a file looks like that is none of ours."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

MEMBER_LIMIT = 500_000
"""Members of one input: a library of 100,000 scenes with a cover each has that many blobs, and no more."""
RATIO_LIMIT, RATIO_FROM = 200, 16 << 20
"""How many times its size something may unpack to, when that is more than so many bytes."""
_NAME_LIMIT, _DEPTH_LIMIT = 1024, 16
_RESERVED = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?\Z", re.IGNORECASE | re.ASCII)


def check_names(names: Iterable[str]) -> None:
    """Refuse names that lead elsewhere, that some systems cannot hold, and twins. Raises ValueError."""
    seen: set[str] = set()
    for name in names:
        problem = name_problem(name)
        alike = unicodedata.normalize("NFC", name).casefold()
        if problem or alike in seen:
            raise ValueError(f"the member {name[:100]!r} is refused: {problem or 'its name is there twice'}")
        seen.add(alike)
    if len(seen) > MEMBER_LIMIT:
        raise ValueError(f"it has more than {MEMBER_LIMIT:,} members")


def name_problem(name: str) -> str:
    """Why a name is refused; "" for one that is not."""
    steps = name.split("/")
    if len(name.encode("utf-8", "surrogatepass")) > _NAME_LIMIT or len(steps) > _DEPTH_LIMIT:
        return "its name is too long"
    if any(unicodedata.category(char) in ("Cc", "Cs") for char in name):
        return "control characters in its name"
    if "\\" in name or ":" in name:
        return "a backslash or a colon in its name"
    if any(step in ("", ".", "..") for step in steps):
        return "it leads out of its place"
    if any(_RESERVED.match(step) or step[-1] in ". " for step in steps):
        return "a name that Windows cannot hold"
    return ""


def looks_like(begin: bytes) -> str:
    """What a file is that begins with ``begin``, in words."""
    signs = {
        b"\x1f\x8b": "gzip",
        b"SQLi": "an SQLite database",
        b"7z\xbc\xaf": "7z",
        b"PK\3\4": "a zip",
        b"<": "HTML or XML",
        b"{": "JSON",
        b"age-": "age",
    }
    return next((what for sign, what in signs.items() if begin.startswith(sign)), "something else")
