"""Reading back what ``sink`` wrote: one file, a folder or a zip, in any format, as a stream."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from ...errors import Unreadable
from ...kinds import KINDS, Kind, by_plural
from ...model import EVERYTHING, About, Blob, Record, Want
from ...storage.blobs import FOLDER
from ...storage.reader import Listed, open_member, read_manifest
from ..wanting import wanted
from .csv_form import read_table
from .json_form import read_header, read_json, read_jsonl
from .layout import MANIFEST_FORMAT, VERSION
from .table_read import read_rows, understand

Reader = Callable[[IO[bytes], str, str | None], Iterator[Record]]


def _read_xml(stream: IO[bytes], name: str, only: str | None) -> Iterator[Record]:
    from .xml_read import read_xml  # noqa: PLC0415 - defusedxml may be missing where no XML is read

    return read_xml(stream, name, only)


def _read_xml_header(stream: IO[bytes], name: str) -> dict[str, Any]:
    from .xml_read import read_xml_header  # noqa: PLC0415

    return read_xml_header(stream, name)


def _read_yaml(stream: IO[bytes], name: str, only: str | None) -> Iterator[Record]:
    from .yaml_form import read_yaml  # noqa: PLC0415 - PyYAML may be missing where no YAML is read

    return read_yaml(stream, name, only)


_READERS: dict[str, Reader] = {"json": read_json, "jsonl": read_jsonl, "xml": _read_xml, "yaml": _read_yaml}
_HEADERS: dict[str, Callable[[IO[bytes], str], dict[str, Any]]] = {"json": read_header, "xml": _read_xml_header}
_TABLES = {"csv": "", "tsv": "\t"}
_SUFFIXES = {
    ".json": "json",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".csv": "csv",
    ".tsv": "tsv",
    ".xml": "xml",
    ".yaml": "yaml",
}


@dataclass(frozen=True, slots=True)
class _Part:
    """One file of an export: the format, the kind it holds (None: several), what the manifest says of it."""

    name: str
    form: str
    kind: Kind | None
    open: Callable[[], IO[bytes]]
    records: int | None = None
    columns: tuple[str, ...] | None = None


class TableSource:
    """Reads an export of tables. ``kind``: what a single table holds when its name does not say it (scenes.csv);
    ``delimiter``: what parts its cells, when it shall not be found out.

    A table may be read again for each kind. Raises Unreadable naming file and line, UnsupportedVersion.
    """

    def __init__(self, path: Path | str, kind: str | None = None, delimiter: str = "") -> None:
        self._path = Path(path)
        self._delimiter = delimiter
        self._listed: Listed | None = None
        if self._path.is_dir() or self._path.suffix.lower() == ".zip":
            self._listed = read_manifest(self._path, MANIFEST_FORMAT, VERSION)
            self._parts = _listed_parts(self._path, self._listed)
        else:
            self._parts = [_single(self._path, kind)]
        self._seen: dict[str, tuple[int, tuple[str, ...]]] | None = None

    @property
    def header(self) -> dict[str, Any]:
        """What the export says about itself."""
        if self._listed:
            ours = ("format", "version", "form", "members")
            return {name: value for name, value in self._listed.manifest.items() if name not in ours}
        part = self._parts[0]
        read = _HEADERS.get(part.form)
        if read is None:
            return {}
        with part.open() as stream:
            return read(stream, part.name)

    def about(self) -> About:
        """What it holds: by the manifest, or by reading a single file through once."""
        if self._seen is None:
            self._seen = self._look()
        return About(
            address=str(self._path),
            product="tables",
            version=str(VERSION),
            schema=None,
            fields={kind: fields for kind, (_, fields) in self._seen.items()},
            counts={kind: self._seen[kind][0] if kind in self._seen else 0 for kind in KINDS},
            how=f"from {self._parts[0].form.upper()}" + self._unknown() if self._parts else "empty",
        )

    def read(self, kind: str, want: Want = EVERYTHING) -> Iterator[Record]:
        """Stream the records of ``kind``."""
        return wanted(kind, self._read(kind), want)

    def open_blob(self, blob: Blob) -> IO[bytes]:
        """Open an image; its digest is checked when its end is read."""
        if self._listed is None:
            raise Unreadable(path=self._path, reason="a single file holds no images")
        return open_member(self._path, self._listed, FOLDER + blob.key)

    def _read(self, kind: str) -> Iterator[Record]:
        for part in self._parts:
            if part.kind is None or part.kind.name == kind:
                yield from self._checked(part, kind)

    def _checked(self, part: _Part, only: str | None) -> Iterator[Record]:
        """The records of one file; their number is compared with what the manifest says."""
        count = 0
        with part.open() as stream:
            for record in self._records(part, stream, only):
                if part.kind and record.kind != part.kind.name:
                    raise Unreadable(path=part.name, reason=f"it holds a {record.kind}")
                yield record
                count += 1
        if part.records is not None and count != part.records:
            raise Unreadable(path=part.name, reason=f"it has {count} records, its manifest says {part.records}")

    def _records(self, part: _Part, stream: IO[bytes], only: str | None) -> Iterator[Record]:
        if part.form in _TABLES and part.kind:
            return read_rows(stream, part.name, part.kind, self._delimiter or _TABLES[part.form])
        return _READERS[part.form](stream, part.name, only)

    def _look(self) -> dict[str, tuple[int, tuple[str, ...]]]:
        seen: dict[str, tuple[int, tuple[str, ...]]] = {}
        for part in self._parts:
            if part.kind and part.records is not None and part.columns is not None:
                seen[part.kind.name] = part.records, understand(part.kind, list(part.columns)).fields
            else:
                seen |= _counted(self._checked(part, None))
        return seen

    def _unknown(self) -> str:
        """A remark about columns of a single table that are no fields."""
        part = self._parts[0]
        if self._listed or part.form not in _TABLES or not part.kind:
            return ""
        with part.open() as stream:
            table = read_table(stream, part.name, self._delimiter or _TABLES[part.form])
        unknown = understand(part.kind, table.header).unknown
        return (
            f"; not taken, because no field of {part.kind.name} is called so: {', '.join(unknown)}" if unknown else ""
        )


def _counted(records: Iterator[Record]) -> dict[str, tuple[int, tuple[str, ...]]]:
    counts: dict[str, int] = {}
    fields: dict[str, set[str]] = {}
    for record in records:
        counts[record.kind] = counts.get(record.kind, 0) + 1
        known = fields.setdefault(record.kind, set())
        if not known.issuperset(record.data):
            known.update(record.data)
    return {
        kind: (count, tuple(name for name in KINDS[kind].names() if name in fields[kind]))
        for kind, count in counts.items()
    }


def _single(path: Path, kind: str | None) -> _Part:
    """The one file ``path``; its format by its ending, its kind by its name (scenes.csv), else scenes."""
    form = _SUFFIXES.get(path.suffix.lower())
    if form is None:
        raise Unreadable(path=path, reason=f"its name ends in none of {', '.join(_SUFFIXES)}")
    if not path.is_file():
        raise Unreadable(path=path, reason="there is no such file")
    named = by_plural().get(path.stem.lower())
    holds = (KINDS[kind] if kind else named or KINDS["scene"]) if form in _TABLES else None
    return _Part(str(path), form, holds, lambda: _open(path))


def _open(path: Path) -> IO[bytes]:
    try:
        return path.open("rb")
    except OSError as error:
        raise Unreadable(path=path, reason=error.strerror or "it cannot be opened") from error


def _listed_parts(path: Path, listed: Listed) -> list[_Part]:
    form = listed.manifest.get("form")
    if not isinstance(form, str) or form not in {*_READERS, *_TABLES}:
        raise Unreadable(path=path, reason=f"its format {form!r} is not known")
    return [_listed_part(path, listed, name, form) for name, said in listed.members.items() if "kind" in said]


def _listed_part(path: Path, listed: Listed, name: str, form: str) -> _Part:
    said = listed.members[name]
    kind, records, columns = KINDS.get(str(said["kind"])), said.get("records"), said.get("columns")
    if kind is None or not isinstance(records, int) or not isinstance(columns, list):
        raise Unreadable(path=path, reason=f"its manifest is damaged where it lists {name}")
    if said.get("shaped") and form not in _TABLES:
        raise Unreadable(path=f"{path}: {name}", reason="its records were shaped by a profile, and cannot be read back")
    return _Part(
        f"{path}: {name}", form, kind, lambda: open_member(path, listed, name), records, tuple(map(str, columns))
    )
