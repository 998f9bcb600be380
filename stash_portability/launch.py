"""What plugin.yml runs: looks whether this Python will do, clears the way to our modules, and hands over to plugin.py;
or to hook.py, for which Stash waits at each record that it deletes.

Standard library only, and written so that an old Python can read it far enough to say that it is too old.
"""

import io
import json
import os
import sys

OLDEST = (3, 10)
HOOK = b'"hookContext"'
"""What stands in the call of every hook (pkg/plugin/plugins.go)."""


def main() -> int:
    """Serve one call of Stash, or ``--setup`` by hand; give the exit code."""
    if sys.version_info < OLDEST:
        return refuse(too_old(sys.version.split()[0], sys.executable))
    # Python puts the folder of the script first; ours holds modules that must not hide others of the same name.
    sys.path[0] = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))  # noqa: PTH100, PTH120
    answers = own_stdout()
    stdin = b"" if sys.stdin is None or sys.stdin.isatty() or sys.argv[1:] else sys.stdin.buffer.read()
    if HOOK in stdin and is_done_by_hook(stdin, answers):
        return 0
    from stash_portability.plugin import Streams  # noqa: PLC0415
    from stash_portability.plugin import main as serve  # noqa: PLC0415

    return serve(Streams(stdin, answers, sys.stderr.buffer), sys.argv[1:], os.environ)


def own_stdout() -> io.BufferedWriter:
    """Keep stdout for the one answer: what anything else prints goes to stderr, and no child inherits it."""
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    return answers


def is_done_by_hook(stdin: bytes, answers: io.BufferedWriter) -> bool:
    """Serve the call of a hook, and tell whether it was one."""
    from stash_portability.hook import main as serve  # noqa: PLC0415

    return serve(stdin, answers, os.environ)


def refuse(reason: str) -> int:
    """Tell Stash, and whoever runs this by hand, in one line why nothing can be done."""
    sys.stdout.write(json.dumps({"error": reason}) + "\n")
    return 2


def too_old(version: str, executable: str) -> str:
    """Say that this Python is too old, and what to do."""
    return (
        f"Stash Portability needs Python {OLDEST[0]}.{OLDEST[1]} or newer, and this is {version}"
        f" ({executable}): put the path of a newer one into Settings → System → Python executable path"
    )


if __name__ == "__main__":
    sys.exit(main())
