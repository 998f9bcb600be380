"""The peak of memory of the process that asks."""

from __future__ import annotations

import sys
from pathlib import Path


def peak() -> int:
    """Bytes. Where the system counts it by program that is taken: the usual count begins with that of the parent, whose
    memory a child shares until it starts a program of its own."""
    status = Path("/proc/self/status")
    if status.is_file():
        (line,) = (line for line in status.read_text("ascii").splitlines() if line.startswith("VmHWM:"))
        return int(line.split()[1]) * 1024
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
