"""What became of a run as one page for a browser: nothing in it runs, nothing is fetched, and every text is escaped,
because names of records come from anywhere. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from html import escape
from typing import Any

from .errors import EXIT_CODES
from .kinds import KINDS, plural
from .report import decisions, not_restored

FOR = ("restore", "apply", "undo")
"""The kinds of runs that have one."""
OPS = {"create": "made", "update": "changed", "delete": "deleted"}
_ODD = re.compile("[\0-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
"""What no page may hold, and what a terminal would obey."""
_STYLE = """
:root { color-scheme: light dark; --ink: #1b1f24; --paper: #fff; --quiet: #59636e; --line: #d1d9e0; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6edf3; --paper: #16191d; --quiet: #9198a1; --line: #3d444d; } }
body { margin: 0; color: var(--ink); background: var(--paper); font: 1rem/1.5 system-ui, sans-serif; }
main { max-width: 60rem; margin: 0 auto; padding: 1rem; overflow-wrap: anywhere; }
h1 { font-size: 1.4rem; margin: 0; } h2 { font-size: 1.1rem; margin: 1.5rem 0 .25rem; }
p { margin: .25rem 0; } .quiet { color: var(--quiet); }
table { border-collapse: collapse; } th, td { border: 1px solid var(--line); padding: .25rem .75rem; }
th { text-align: left; font-weight: 600; } td { text-align: right; font-variant-numeric: tabular-nums; }
ul { margin: 0; padding-left: 1.25rem; }
"""


def as_html(run: Mapping[str, Any]) -> str:
    """The page of a run; ``run`` is its report as runs.read gives it, with the Report in it under "report" when there
    is one."""
    title = _text(run.get("title") or run.get("run"))
    return "\n".join(
        (
            '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">',
            "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">",
            '<meta name="viewport" content="width=device-width">',
            f"<title>{title}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n<main>\n<h1>{title}</h1>",
            *_head(run),
            *_body(run.get("report") or {}),
            "</main>\n</body>\n</html>\n",
        )
    )


def _text(value: Any) -> str:
    """A value as text of a page; apart by itself, so that one written from right to left turns nothing else around."""
    return escape(_ODD.sub("\ufffd", str("" if value is None else value)), quote=True)


def _apart(value: Any) -> str:
    return f"<bdi>{_text(value)}</bdi>"


def _head(run: Mapping[str, Any]) -> Iterator[str]:
    code = run.get("exit_code")
    meaning = EXIT_CODES.get(code, "") if isinstance(code, int) else ""
    told = [run.get("state"), *([f"exit code {code} ({meaning})"] if meaning else [])]
    yield f"<p>{_text(', '.join(str(one) for one in told))}</p>"
    times = " to ".join(str(run[name]) for name in ("started", "ended") if run.get(name))
    yield f'<p class="quiet">{_text(run.get("run"))}, {_text(times)}</p>'
    if error := run.get("error"):
        yield f"<h2>Why it ended</h2>\n<p>{_apart(error.get('message'))}</p>"


def _body(report: Mapping[str, Any]) -> Iterator[str]:
    if not report:
        return
    how = f" ({report['how']})" if report.get("how") else ""
    took = sum((report.get("seconds") or {}).values())
    yield f'<p class="quiet">From {_apart(str(report.get("source", "")) + how)}, in {took:.1f} seconds</p>'
    planned = str(report.get("what", "")).startswith("restore ")
    yield from _table("What would be written" if planned else "What was written", report.get("changes") or {})
    yield from _list("What waits for you, or was left alone", decisions(report.get("decisions") or {}))
    brakes = (f"{brake['name']}: {brake['why']}" for brake in report.get("brakes") or ())
    yield from _list("Brakes: nothing is written until they are accepted", brakes)
    yield from _list("Why not all", (_reason(one) for one in report.get("reasons") or ()))
    yield from _list("Remarks", [*(report.get("remarks") or ()), *(report.get("notes") or ())])
    yield from _list("Left out", report.get("skipped") or ())
    yield from _list("Not restored", not_restored(report.get("not_restored") or {}))
    yield from _list("Restore point", filter(None, [report.get("point")]))


def _reason(reason: Mapping[str, Any]) -> str:
    more = ", …" if reason["count"] > len(reason["examples"]) else ""
    return f"{reason['text']} ({reason['count']:,}): {', '.join(reason['examples'])}{more}"


def _table(label: str, changes: Mapping[str, int]) -> Iterator[str]:
    yield f"<h2>{label}</h2>"
    if not changes:
        yield "<p>Nothing.</p>"
        return
    ops = [op for op in OPS if any(name.endswith(f" {op}") for name in changes)]
    yield f"<table>\n<tr><th></th>{''.join(f'<th>{OPS[op]}</th>' for op in ops)}</tr>"
    for kind in KINDS:
        counts = [changes.get(f"{kind} {op}", 0) for op in ops]
        if any(counts):
            cells = "".join(f"<td>{count:,}</td>" if count else "<td></td>" for count in counts)
            yield f"<tr><th>{plural(kind, 2)}</th>{cells}</tr>"
    yield "</table>"


def _list(label: str, lines: Iterable[Any]) -> Iterator[str]:
    items = [f"<li>{_apart(line)}</li>" for line in lines]
    if items:
        yield "\n".join((f"<h2>{label}</h2>\n<ul>", *items, "</ul>"))
