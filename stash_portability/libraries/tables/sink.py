"""Writing tables: every format, one document or a member a kind, with a manifest and images beside them."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import IO, Any

from ...errors import OutputNotUsable, PortabilityError, RecordError
from ...kinds import KINDS, Kind
from ...model import BlobRef, Record
from ...storage.blobs import FOLDER, Blobs
from ...storage.container import MANIFEST, Container, closing
from ...transform.paths import Names
from .csv_form import csv_form
from .json_form import dumps_pretty, json_form, jsonl_form
from .layout import MANIFEST_FORMAT, VERSION, Encoder, Form, Layout, unknown_names
from .xml_form import xml_form


def _yaml_form(layout: Layout, names: Names) -> Form:
    from .yaml_form import yaml_form  # noqa: PLC0415 - PyYAML may be missing where no YAML is written

    return yaml_form(layout, names)


_FORMS: dict[str, Callable[[Layout, Names], Form]] = {
    "json": json_form,
    "jsonl": jsonl_form,
    "csv": csv_form,
    "tsv": partial(csv_form, delimiter="\t"),
    "xml": xml_form,
    "yaml": _yaml_form,
}


class TableSink:
    """Writes records as ``form`` into ``container``, which it enters and leaves itself.

    ``names`` gives the records that references lead to, for the labels and paths of a sheet. A record of a
    kind without columns is a bug. Raises RecordError from ``put`` when a record's text cannot be written.
    """

    def __init__(self, container: Container, form: str, layout: Layout, names: Names | None = None) -> None:
        self._container, self._form_name, self._layout = container, form, layout
        self._form = _FORMS[form](layout, names or unknown_names)
        self._blobs = Blobs(container)
        self._counts: dict[str, int] = {}
        self._kind = ""
        self._count = 0
        self._file: IO[bytes] | None = None
        self._write: Callable[[bytes], Any]
        self._encode: Encoder
        self._glue = b""

    def __enter__(self) -> TableSink:
        self._container.__enter__()
        return self

    def __exit__(self, kind: Any, error: Any, trace: Any) -> None:
        with closing(self._container, kind, error, trace):
            if error is None:
                self._finish()

    def put(self, record: Record) -> None:
        """Write one record."""
        if record.kind != self._kind:
            self._turn(record.kind)
        try:
            line = self._encode(record)
        except (TypeError, ValueError) as error:
            raise RecordError(kind=record.kind, uid=record.uid, reason=f"it cannot be written: {error}") from error
        self._write(self._glue + line)
        self._glue = self._form.between
        self._count += 1

    def put_blob(self, stream: IO[bytes]) -> BlobRef:
        """Keep an image under ``blobs/``."""
        return self._blobs.put(stream)

    def _turn(self, name: str) -> None:
        """End the kind before, begin this one."""
        self._end_kind()
        if name in self._counts or name not in self._layout.columns:
            raise PortabilityError(f"a bug: records of {name} come {'twice' if name in self._counts else 'unasked'}")
        kind = KINDS[name]
        self._begin_kind(kind)
        self._kind, self._count, self._glue = name, 0, self._form.first

    def _begin_kind(self, kind: Kind) -> None:
        if self._file is None:
            self._begin_file(kind)
        elif self._is_table:
            raise OutputNotUsable(path=self._container.path, reason="one table holds one kind; name a folder or a .zip")
        self._write(self._form.before(kind))
        self._encode = self._form.encoder(kind)

    def _begin_file(self, kind: Kind | None) -> None:
        member = "" if self._layout.single or kind is None else f"{kind.plural}.{self._form_name}"
        self._file = self._container.open(member)
        self._write = self._file.write
        self._write(self._form.head)

    def _end_kind(self) -> None:
        if self._kind:
            self._write(self._form.after(self._count > 0))
            self._counts[self._kind] = self._count
            self._kind = ""
            if not self._layout.single:
                self._end_file()

    def _end_file(self) -> None:
        if self._file:
            self._write(self._form.foot)
            self._file.close()
            self._file = None
            self._blobs.flush()

    def _finish(self) -> None:
        """Write the kinds that had no records, what stands at the end, and the manifest."""
        self._end_kind()
        for name in self._layout.columns:
            if name not in self._counts and not (self._is_table and self._file):
                self._turn(name)
                self._end_kind()
        if self._layout.single and self._file is None:
            self._begin_file(None)
        self._end_file()
        if not self._layout.single:
            self._container.write(MANIFEST, dumps_pretty(self._manifest()))

    @property
    def _is_table(self) -> bool:
        return self._layout.single and self._form_name in ("csv", "tsv")

    def _manifest(self) -> dict[str, Any]:
        return {
            "format": MANIFEST_FORMAT,
            "version": VERSION,
            "form": self._form_name,
            **self._layout.header,
            "members": [self._member(name) for name in self._container.members],
        }

    def _member(self, name: str) -> dict[str, Any]:
        member = self._container.members[name]
        said: dict[str, Any] = {"name": name, "bytes": member.bytes, "sha256": member.sha256}
        if name.startswith(FOLDER):
            return said
        kind = next(kind for kind in KINDS.values() if f"{kind.plural}.{self._form_name}" == name)
        columns = self._layout.columns[kind.name]
        said |= {"kind": kind.name, "records": self._counts[kind.name], "columns": [one.header for one in columns]}
        return {**said, "shaped": True} if self._layout.shaped(kind.name) else said
