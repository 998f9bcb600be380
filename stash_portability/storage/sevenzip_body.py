"""How a .7z comes to be from its members: three solid blocks, so that what lies in one can be read without the others.

First the images as they are, as they come; then the records, packed with LZMA2, which wait on the disk until the last
image is in; then what says what is in it. LZMA2 because every program that knows .7z reads it, preset 1 because the
next ones cost several times as much for little.
"""

from __future__ import annotations

from pathlib import Path
from typing import IO

from ..errors import OutputNotUsable
from .sevenzip import COPY, LZMA2, MEMBER_LIMIT, Block
from .shapes import create


class SevenZipBody:
    """A plain .7z."""

    def __init__(self, out: Path) -> None:
        create(out).close()
        self._out = out
        self._blocks = 0
        self._images: Block | None = None
        self._records: list[tuple[Path, str]] = []
        self._rest: list[tuple[Path, str]] = []
        self._count = 0

    def begin(self, member: str, small: bool) -> IO[bytes]:
        """See Body. It waits beside the output until the end."""
        self._more()
        waiting = self._rest if small else self._records
        place = self._out.with_name(f"member-{self._count}")
        waiting.append((place, member))
        return create(place)

    def adopt(self, spare: Path, member: str) -> None:
        """See Body."""
        self._more()
        self._images = self._images or self._begin(COPY)
        self._images.add(spare, member)

    def finish(self, keep: bool) -> None:
        """See Body. Packing takes its time here: the records wait for it."""
        if self._images:
            self._images.end(keep)
        if keep:
            self._pack(LZMA2, self._records)
            self._pack(COPY, self._rest)

    def _pack(self, method: str, waiting: list[tuple[Path, str]]) -> None:
        if not waiting:
            return
        block, whole = self._begin(method), False
        try:
            for place, member in waiting:
                block.add(place, member)
            whole = True
        finally:
            block.end(whole)

    def _begin(self, method: str) -> Block:
        self._blocks += 1
        return Block(self._out, method, first=self._blocks == 1)

    def _more(self) -> None:
        self._count += 1
        if self._count > MEMBER_LIMIT:
            reason = f"a .7z of more than {MEMBER_LIMIT:,} files could not be read back; choose a zip"
            raise OutputNotUsable(path=self._out, reason=reason)
