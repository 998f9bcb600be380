"""What a disk says when it is full, or does not let us: our errors of the system's."""

from __future__ import annotations

import errno
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ..errors import NoSpace, OutputNotUsable, PortabilityError

_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


def check_room(path: Path | str, bytes_needed: int) -> None:
    """Raise NoSpace when the disk under ``path`` (which need not exist yet) has fewer free bytes than needed,
    OutputNotUsable when it cannot be looked at."""
    with translated(Path(path)):
        place = Path(path).absolute()
        while not place.exists() and place != place.parent:
            place = place.parent
        free = shutil.disk_usage(place).free
    if free < bytes_needed:
        raise NoSpace(path=path, reason=f"about {bytes_needed:,} bytes are needed, {free:,} are free")


@contextmanager
def translated(path: Path) -> Iterator[None]:
    """Whatever the system says within, about writing to ``path``, becomes one of our errors."""
    try:
        yield
    except OSError as error:
        raise said(path, error) from error


def said(path: Path, error: OSError) -> PortabilityError:
    """Our error for what the system said: NoSpace or OutputNotUsable."""
    if error.errno in _FULL:
        return NoSpace(path=path, reason=error.strerror or "the disk is full")
    return OutputNotUsable(path=path, reason=error.strerror or type(error).__name__)
