"""Counts and reasons: a Report as text for people and as a mapping for ``--json`` and the page."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from .errors import EXIT_DONE, EXIT_SOME_FAILED, EXIT_VERIFICATION, EXIT_WITH_REMARKS
from .kinds import KINDS, LEVEL_WORDS, plural
from .model import Report

MOST_SHOWN = 20
"""Skipped records told one by one; the report file has them all."""


def exit_code(report: Report) -> int:
    """0; 1 when something was skipped or left out, or waits for a decision; 3 when something failed, 4 when something
    that was written is not there."""
    if report.decisions.get("differ"):
        return EXIT_VERIFICATION
    if report.decisions.get("failed"):
        return EXIT_SOME_FAILED
    told = report.skipped or report.remarks or report.reasons or report.brakes or any(report.decisions.values())
    return EXIT_WITH_REMARKS if told else EXIT_DONE


def as_data(report: Report) -> dict[str, Any]:
    """The report as a JSON-ready mapping, with its exit code."""
    brakes = [brake._asdict() for brake in report.brakes]
    total = sum(report.counts.values())
    return {**asdict(report), "brakes": brakes, "exit_code": exit_code(report), "total": total}


def as_text(report: Report) -> str:
    """The report in lines for people."""
    return "\n".join(_lines(report))


def _lines(report: Report) -> Iterator[str]:
    yield from _changes(report) if report.what.startswith(OF_CHANGES) else _records(report)
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


def _records(report: Report) -> Iterator[str]:
    """What was read and written, record by record."""
    total = sum(report.counts.values())
    seconds = sum(report.seconds.values())
    made = "" if report.files else f", {size(report.bytes)}"
    yield f"{report.what}: {total:,} record{'' if total == 1 else 's'} in {seconds:.1f} s{made}"
    if report.counts:
        yield "  " + ", ".join(f"{count:,} {plural(kind, count)}" for kind, count in report.counts.items() if count)
    yield f"  from {report.source} ({report.how})"


def _changes(report: Report) -> Iterator[str]:
    """What of a Stash is changed."""
    total = sum(report.changes.values())
    yield f"{report.what}: {total:,} change{'' if total == 1 else 's'} in {sum(report.seconds.values()):.1f} s"
    yield f"  from {report.source}" + (f" ({report.how})" if report.how else "")
    for kind, op in sorted((name.split() for name in report.changes), key=_in_order):
        count = report.changes[f"{kind} {op}"]
        yield f"  {op} {count:,} {plural(kind, count)}"
    for row in report.samples:
        yield f"  {row['op']} {called(row['kind'], row['uid'], row['label'])}"
        yield from (f"    {_told(one)}" for one in row["fields"])
    yield from (f"  {line}" for line in decisions(report.decisions))
    for brake in report.brakes:
        yield f"  BRAKE {brake.name}: {brake.why}; nothing is written unless --accept {brake.name} is given"
    yield from (f"  {line}" for line in not_restored(report.not_restored))
    if report.point:
        yield f"  restore point: {report.point}"


def called(kind: str, uid: str, label: str) -> str:
    """A record for people: what a plan calls those that it makes is no id."""
    name = kind.replace("_", " ")
    if uid.startswith("new:"):
        return f"{name} {label}" if label else f"a new {name}"
    return f"{name} {uid}" + (f" ({label})" if label else "")


def not_restored(told: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    """What stays in the archive, a line for each reason, with the fields and records it is the reason for."""
    reasons: dict[str, tuple[dict[str, None], Counter[str]]] = {}
    for name, one in told.items():
        kind, _, field = name.partition(".")
        fields, kinds = reasons.setdefault(one["why"], ({}, Counter()))
        fields[field] = None
        kinds[kind] = max(kinds[kind], one["count"])
    for why, (fields, kinds) in reasons.items():
        count = kinds.total()
        records = plural(next(iter(kinds)), count) if len(kinds) == 1 else "records"
        if list(fields) == ["delete"]:
            yield f"not deleted: {count:,} {records} ({why})"
            continue
        several = why.replace("sets it itself", "sets them itself") if len(fields) > 1 else why
        yield f"kept in the archive, not restored: {_joined(list(fields))} of {count:,} {records} ({several})"


def _joined(words: list[str]) -> str:
    return " and ".join(filter(None, (", ".join(words[:-1]), words[-1])))


def _in_order(change: Sequence[str]) -> tuple[int, int]:
    return ("create", "update", "delete").index(change[1]), list(KINDS).index(change[0])


OF_CHANGES = ("restore", "apply", "undo")
"""How reports of what changes a Stash begin."""
_LEFT = "changed by somebody meanwhile, and"
DECISIONS = {
    "conflicts": ("conflict: both sides say something else of a field (conflicts RUN shows which was taken)",
                  "conflicts: both sides say something else of a field (conflicts RUN shows which was taken)"),
    "ambiguities": ("record could be several of the Stash, and is left out",
                    "records could be several of the Stash, and are left out"),
    "waiting": ("record waits for Stash to scan its files", "records wait for Stash to scan their files"),
    "moved": (f"record was {_LEFT} is left alone", f"records were {_LEFT} are left alone"),
    "failed": ("change failed", "changes failed"),
    "partly": ("record was written but for some fields", "records were written but for some fields"),
    "differ": ("record is not as it was written", "records are not as they were written"),
}  # fmt: skip
"""What is left to a person, of one and of several."""


def decisions(found: Mapping[str, int]) -> Iterator[str]:
    """What is left to a person, or was left alone, in words."""
    yield from (f"{count:,} {DECISIONS[name][count != 1]}" for name, count in found.items() if count)


def _told(field: dict[str, Any]) -> str:
    """One field of a sample."""
    name = field["name"]
    if "image" in field:
        return f"{name}: {'an image' if field['after'] else 'no image'}"
    if "added" in field:
        signed = [f"+{one}" for one in field["added"]] + [f"-{one}" for one in field["removed"]]
        return f"{name}: {', '.join(signed)}"
    return f"{name}: {_short(field['before'])} → {_short(field['after'])}"


def _short(text: str | None) -> str:
    shown = " ".join((text or "(nothing)").split())
    return shown if len(shown) <= MOST_OF_A_TEXT else f"{shown[:MOST_OF_A_TEXT]}…"


MOST_OF_A_TEXT = 60
"""Characters of a value in a sample."""


def size(count: int) -> str:
    """Bytes in the unit people read: 1.5 MB."""
    amount = float(count)
    for unit in ("bytes", "kB", "MB"):
        if amount < 1000:
            return f"{amount:.0f} {unit}" if unit == "bytes" else f"{amount:.1f} {unit}"
        amount /= 1000
    return f"{amount:.1f} GB"
