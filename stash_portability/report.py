"""Counts and reasons: a Report as text for people and as a mapping for ``--json`` and the page."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from .errors import EXIT_DONE, EXIT_WITH_REMARKS
from .kinds import KINDS, LEVEL_WORDS
from .model import Report

MOST_SHOWN = 20
"""Skipped records told one by one; the report file has them all."""


def exit_code(report: Report) -> int:
    """0, or 1 when something was skipped or left out."""
    return EXIT_WITH_REMARKS if report.skipped or report.remarks or report.reasons else EXIT_DONE


def as_data(report: Report) -> dict[str, Any]:
    """The report as a JSON-ready mapping, with its exit code."""
    return {**asdict(report), "exit_code": exit_code(report), "total": sum(report.counts.values())}


def as_text(report: Report) -> str:
    """The report in lines for people."""
    return "\n".join(_lines(report))


def _lines(report: Report) -> Iterator[str]:
    total = sum(report.counts.values())
    seconds = sum(report.seconds.values())
    made = "" if report.files else f", {size(report.bytes)}"
    yield f"{report.what}: {total:,} record{'' if total == 1 else 's'} in {seconds:.1f} s{made}"
    if report.counts:
        yield "  " + ", ".join(f"{count:,} {plural(kind, count)}" for kind, count in report.counts.items() if count)
    yield f"  from {report.source} ({report.how})"
    if report.privacy:
        yield f"  privacy {report.privacy}: {LEVEL_WORDS[report.privacy]}"
    if report.files:
        yield "  files: " + ", ".join(f"{count:,} {what}" for what, count in report.files.items())
    for reason in report.reasons:
        shown = ", ".join(reason.examples) + (", …" if reason.count > len(reason.examples) else "")
        yield f"  {reason.count:,} times: {reason.text}: {shown}"
    yield from (f"  note: {remark}" for remark in (*report.notes, *report.remarks))
    yield from (f"  skipped: {reason}" for reason in report.skipped[:MOST_SHOWN])
    if len(report.skipped) > MOST_SHOWN:
        yield f"  skipped: {len(report.skipped) - MOST_SHOWN:,} more"
    yield from (f"  wrote {path}" for path in report.outputs)


def plural(kind: str, count: int) -> str:
    """The name of ``kind`` for ``count`` records of it."""
    name = KINDS[kind].plural if count != 1 or kind == "config" else kind
    return name.replace("_", " ")


def size(count: int) -> str:
    """Bytes in the unit people read: 1.5 MB."""
    amount = float(count)
    for unit in ("bytes", "kB", "MB"):
        if amount < 1000:
            return f"{amount:.0f} {unit}" if unit == "bytes" else f"{amount:.1f} {unit}"
        amount /= 1000
    return f"{amount:.1f} GB"
