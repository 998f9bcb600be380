"""What holds for every test: a run that skipped the live tests says so, loudly, and how to give it a Stash."""

from __future__ import annotations

import os
from collections import Counter

import pytest
from hypothesis import settings

# The same examples on every run where a change is judged; others everywhere else, to find what nobody thought of.
settings.register_profile("ci", derandomize=True)
if os.environ.get("CI"):
    settings.load_profile("ci")

HOW = (
    "STASH_BIN=/path/to/stash (or stash on the PATH) gives the tests a Stash 0.30 or newer,"
    " STASH_BIN_027=/path/to/old/stash a 0.27; ffmpeg must be on the PATH, for the browser tests chromium too, and the"
    " Stash must have been built with its page"
)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say which live tests were skipped and why; when none were, say that they ran."""
    skipped = [report for report in terminalreporter.stats.get("skipped", []) if "live" in report.keywords]
    ran = [report for report in terminalreporter.stats.get("passed", []) if "live" in report.keywords]
    if ran:
        terminalreporter.write_line(f"live tests: {len(ran)} passed against a real Stash")
    if skipped:
        reasons = Counter(_reason(report) for report in skipped)
        why = "; ".join(f"{count}: {reason}" for reason, count in reasons.most_common())
        line = f"!!! {len(skipped)} live tests were SKIPPED, nothing was tried against a real Stash ({why}). {HOW}"
        terminalreporter.write_line(line, red=True, bold=True)


def _reason(report: pytest.TestReport | pytest.CollectReport) -> str:
    """Why pytest skipped: the last of (file, line, reason)."""
    where = report.longrepr
    return str(where[2] if isinstance(where, tuple) else where).removeprefix("Skipped: ")
