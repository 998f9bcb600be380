"""A member of an output: what is known of a finished one, and the file one is written to."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import IO, Any, NamedTuple

from ..errors import PortabilityError


class Member(NamedTuple):
    """A finished member: its size and its digest ("" in an output of one file, which has no manifest)."""

    bytes: int
    sha256: str


class MemberFile(io.RawIOBase):
    """Where the bytes of a member go. Counts and digests them, and makes our errors of the disk's."""

    def __init__(
        self,
        target: IO[bytes],
        digest: Any,
        done: Callable[[MemberFile], None],
        said: Callable[[OSError], PortabilityError],
    ) -> None:
        self._target, self.digest, self._done, self._said = target, digest, done, said
        self.size = 0
        self.dead = False

    def writable(self) -> bool:
        """Always."""
        return True

    def write(self, chunk: Any) -> int:
        """Take all of ``chunk`` or some of it; nothing more is written once the member is dead."""
        if self.dead:
            return len(chunk)
        try:
            count = self._target.write(chunk)
        except OSError as error:
            self.dead = True
            raise self._said(error) from error
        if self.digest:
            self.digest.update(chunk[:count])
        self.size += count
        return count

    def close(self) -> None:
        """Finish the member."""
        if self.closed:
            return
        super().close()
        try:
            self._target.close()
        except OSError as error:
            if not self.dead:
                raise self._said(error) from error
        finally:
            self._done(self)
