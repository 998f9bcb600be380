"""Make requirements.lock, requirements-dev.lock and requirements-browser.lock: every version pinned, every file by
its SHA-256.

``make lock`` runs this with ``uv`` from a virtual environment of its own. requirements.lock has one section a
dependency set (stash_portability/dependencies.py), each complete in itself, so that launch.py can install them
one by one; the sections agree on every version. Pins hold for Python 3.10 and newer on every platform: where
one version does not do for all, markers choose.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from stash_portability.dependencies import SECTION_MARK, SETS, read_lock  # noqa: E402

DEVELOPMENT = (
    "pytest>=8",
    "hypothesis>=6.100",
    "responses>=0.25",
    "graphql-core>=3.2",
    "lxml>=5",
    "psutil>=5.9",
    "mypy>=1.13",
    "ruff>=0.9",
    "types-requests",
    "types-PyYAML",
    "types-defusedxml",
    "types-tqdm",
)
BROWSER = ("playwright>=1.50",)
"""What drives the browser of the browser tests: a lock of its own, because not every platform has it (musl)."""
HEAD = """\
# Made by `make lock`; do not edit. Every dependency of stash-portability, pinned, with the SHA-256 of each file.
# One section a set; see stash_portability/dependencies.py. Install all of it with
#   python -m pip install --require-hashes -r requirements.lock
"""
HEAD_DEVELOPMENT = """\
# Made by `make lock`; do not edit. What the tests and checks need besides requirements.lock.
"""
HEAD_BROWSER = """\
# Made by `make lock`; do not edit. What the browser tests need besides requirements-dev.lock.
"""


def compile_pins(wanted: list[str], constraints: str, scratch: Path) -> str:
    """Resolve ``wanted`` for Python 3.10 and newer on every platform, under ``constraints``; give the pins."""
    asked, bounds = scratch / "asked.in", scratch / "bounds.txt"
    asked.write_text("\n".join(wanted) + "\n", "utf-8")
    bounds.write_text(constraints, "utf-8")
    command = [sys.executable, "-m", "uv", "pip", "compile", str(asked), "-c", str(bounds), "--universal"]
    command += ["--python-version", "3.10", "--generate-hashes", "--no-header", "--no-annotate", "--quiet"]
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, encoding="utf-8").stdout  # noqa: S603 - our own command


def unhashed(pins: str) -> str:
    """The pins without their hashes, as constraints."""
    lines = (line.rstrip(" \\") for line in pins.splitlines() if not line.startswith((" ", "#")))
    return "\n".join(lines) + "\n"


def without(pins: str, others: str) -> str:
    """Leave out of ``pins`` what ``others`` has."""
    known = {line.split("==")[0] for line in unhashed(others).splitlines()}
    kept, keep = [], True
    for line in pins.splitlines():
        if not line.startswith(" "):
            keep = line.split("==")[0] not in known
        if keep:
            kept.append(line)
    return "\n".join(kept) + "\n"


def main(scratch: Path) -> None:
    """Write the three files."""
    floors = [floor for wanted in SETS.values() for floor in wanted.floors]
    everything = compile_pins(floors, "", scratch)
    lock = HEAD
    for name, wanted in SETS.items():
        lock += f"\n{SECTION_MARK}{name}\n{compile_pins(list(wanted.floors), unhashed(everything), scratch)}"
    read_lock(lock)
    development = compile_pins(list(DEVELOPMENT), unhashed(everything), scratch)
    browser = compile_pins(list(BROWSER), unhashed(everything) + unhashed(development), scratch)
    (ROOT / "requirements.lock").write_text(lock, "utf-8")
    (ROOT / "requirements-dev.lock").write_text(HEAD_DEVELOPMENT + without(development, everything), "utf-8")
    rest = without(browser, everything + development)
    (ROOT / "requirements-browser.lock").write_text(HEAD_BROWSER + rest, "utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
