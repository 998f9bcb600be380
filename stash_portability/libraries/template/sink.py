"""Writing what a template makes of records: one file, a file a kind or a file a record, and pictures beside them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import IO, Any

from ... import json_text
from ...errors import OutputNotUsable, RecordError
from ...kinds import KINDS
from ...model import BlobRef, Record
from ...storage.blobs import Blobs
from ...storage.container import MANIFEST, Container, closing
from ...transform.paths import Names
from ..pictures import HEAD, ending_of
from ..tables.json_form import dumps_pretty
from ..tables.layout import unknown_names
from .names import Unique, safe_name
from .renderer import Limits, Renderer
from .spec import Template
from .view import Extras, view

AT_ONCE = 100
"""Records that are rendered in one request."""
PICTURES = "pictures/"
MANIFEST_FORMAT = "stash-portability template"


@dataclass(frozen=True, slots=True)
class Choices:
    """``kinds`` that are exported; ``facts`` for header and footer (a mapping of view.FACTS, as far as known);
    ``rewrite`` makes paths of Stash those of who reads the export; ``limits`` of the template."""

    kinds: tuple[str, ...]
    facts: Mapping[str, Any] = field(default_factory=dict)
    rewrite: Callable[[str], str] = field(default=lambda path: path)
    limits: Limits = field(default_factory=Limits)


class TemplateSink:
    """Writes records into ``container``, which it enters and leaves itself, as ``template`` shapes them.

    ``names`` gives the records that references lead to. Entering raises BadTemplate for what is wrong with the
    template, ``put`` and leaving for what it makes of a record; ``put`` raises RecordError for a record that holds
    something that is no text. An output of one file takes one document. ``headed``: how many characters of header the
    file has that was begun last.
    """

    def __init__(self, container: Container, template: Template, choices: Choices, names: Names | None = None) -> None:
        self._container, self._template, self._choices = container, template, choices
        self._names = names or unknown_names
        self._renderer = Renderer(template, choices.limits)
        self._pictures = Blobs(container, _picture)
        self._waiting: list[tuple[str, bytes]] = []
        self._file: IO[bytes] | None = None
        self._kind = self._between = ""
        self._seen = self._written = 0
        self._unique = Unique()
        self._unique(MANIFEST)
        self.headed = 0
        words = template.words
        whole = template.escape == "json" or not words.isdisjoint(("items", "keys", "values"))
        self._by_kind = template.one_file == "record" and len(choices.kinds) != 1
        self._extras = Extras(self._picture, choices.rewrite, 0, words, None if whole else words)

    def __enter__(self) -> TemplateSink:
        self._renderer.__enter__()
        try:
            self._container.__enter__()
        except BaseException:
            self._renderer.__exit__()
            raise
        return self

    def __exit__(self, kind: Any, error: Any, trace: Any) -> None:
        try:
            with closing(self._container, kind, error, trace):
                if error is None:
                    self._finish()
        finally:
            self._renderer.__exit__()

    def put(self, record: Record) -> None:
        """Take one record; it is written when enough have come together."""
        if record.kind != self._kind:
            self._turn(record.kind)
        try:
            encoded = json_text.dumps(view(record, self._names, replace(self._extras, number=self._seen + 1)))
        except (TypeError, ValueError) as error:
            raise RecordError(kind=record.kind, uid=record.uid, reason=f"it cannot be written: {error}") from error
        self._seen += 1
        self._waiting.append((record.uid, encoded))
        if len(self._waiting) >= AT_ONCE:
            self.flush()

    def put_blob(self, stream: IO[bytes]) -> BlobRef:
        """Keep a picture under ``pictures/``; bytes that are no picture are let go."""
        return self._pictures.put(stream)

    def _picture(self, sha256: str) -> str | None:
        """Where a picture lies, seen from the file that shows it."""
        name = self._pictures.name(sha256)
        return f"../{name}" if name and self._by_kind else name

    def flush(self) -> None:
        """Write the records that wait."""
        waiting, self._waiting = [encoded for _, encoded in self._waiting], []
        if not waiting:
            return
        if self._template.one_file == "record":
            self._write_alone(waiting)
        else:
            self._write(waiting)

    def _turn(self, kind: str) -> None:
        """The records of another kind begin."""
        self.flush()
        if self._template.one_file == "kind":
            self._end_file()
        self._kind = kind

    def _write(self, waiting: list[bytes]) -> None:
        if self._file is None:
            self._begin_file()
        for rendered in self._renderer.encoded(waiting):
            self._say(self._between + rendered.text if self._written else rendered.text)
            self._written += 1

    def _begin_file(self) -> None:
        facts = self._facts()
        self._file = self._container.open(self._member())
        self._written = 0
        header = self._renderer.header(facts)
        self.headed = len(header)
        self._say(header)
        self._between = self._renderer.between(facts)

    def _write_alone(self, waiting: list[bytes]) -> None:
        """Write files of one record each."""
        if self._container.shape == "file":
            raise OutputNotUsable(
                path=self._container.path, reason="this template makes a file for each record; name a folder or a .zip"
            )
        facts = self._facts(1)
        header, footer = self._renderer.header(facts), self._renderer.footer(facts)
        folder = f"{KINDS[self._kind].plural}/" if self._by_kind else ""
        for rendered in self._renderer.encoded(waiting):
            name = self._unique(folder + safe_name(rendered.file_name, self._template.ending))
            self._container.write(name, _bytes(header + rendered.text + footer))
            self._written += 1

    def _end_file(self) -> None:
        if self._file is not None:
            self._say(self._renderer.footer(self._facts(self._written)))
            self._file.close()
            self._file = None
            self._pictures.flush()

    def _finish(self) -> None:
        self.flush()
        if self._file is None and self._template.one_file != "record" and not self._container.members:
            self._kind = self._kind or self._choices.kinds[0]
            self._begin_file()
        self._end_file()
        self._pictures.flush()
        if self._container.shape != "file":
            self._container.write(MANIFEST, dumps_pretty(self._manifest()))

    def _manifest(self) -> dict[str, Any]:
        """What is ours in the folder or zip, so that the next export may replace it."""
        members = [{"name": name, **member._asdict()} for name, member in self._container.members.items()]
        return {"format": MANIFEST_FORMAT, "version": 1, "template": self._template.name, "members": members}

    def _member(self) -> str:
        """The name of the file that begins now."""
        template = self._template
        if self._container.shape == "file":
            if self._container.members:
                raise OutputNotUsable(
                    path=self._container.path,
                    reason="this template makes a file for each kind; name a folder or a .zip",
                )
            return ""
        if template.one_file == "kind":
            return f"{KINDS[self._kind].plural}.{template.ending}"
        return (
            f"index.{template.ending}"
            if template.ending in ("html", "htm")
            else self._unique(safe_name(template.name, template.ending))
        )

    def _facts(self, count: int | None = None) -> dict[str, Any]:
        """What header and footer see."""
        template, kinds = self._template, self._choices.kinds
        one = self._kind if template.one_file != "all" else kinds[0] if len(kinds) == 1 else None
        own = {"name": template.name, "kind": one, "kinds": list(kinds), "count": count}
        blank = dict.fromkeys(("privacy", "product", "version", "tool"))
        return {**blank, **self._choices.facts, **own}

    def _say(self, text: str) -> None:
        assert self._file  # noqa: S101 - begun
        self._file.write(_bytes(text))


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "replace")


def _picture(place: Path, sha256: str) -> str | None:
    """The member a picture becomes, by what kind it is; None for what is none."""
    with place.open("rb") as file:
        ending = ending_of(file.read(HEAD))
    return f"{PICTURES}{sha256}.{ending}" if ending else None
