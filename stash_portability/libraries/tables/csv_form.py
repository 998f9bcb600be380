"""CSV and TSV (RFC 4180, CR LF): a header and one row a record. Reading refuses what is not whole."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import IO, Any

from ...errors import Unreadable
from ...kinds import Kind
from ...model import Record
from ...transform.paths import Column, Names
from .getters import getter
from .layout import Encoder, Form, Layout
from .values import (
    Write,
    cell_writer,
    guard,
    unguard,
    write_entries,
    write_free,
    write_list,
    write_scalar,
    write_shown,
    write_text,
)

BOM = b"\xef\xbb\xbf"
FIELD_LIMIT = 16 << 20
_END = "\r\n"


def csv_form(layout: Layout, names: Names, delimiter: str = ",") -> Form:
    """A table a kind."""
    row = _row_writer(delimiter, layout.csv_safe)

    def header(kind: Kind) -> bytes:
        cells = [_header_cell(column.header) for column in layout.columns[kind.name]]
        return row([guard(cell, text=True) for cell in cells] if layout.csv_safe else cells).encode()

    def encoder(kind: Kind) -> Encoder:
        columns = layout.columns[kind.name]
        cells = _sheet_cells(columns, names) if layout.shaped(kind.name) else _plain_cells(columns)
        if layout.csv_safe:
            cells = _safe(cells, columns)
        return lambda record: row(cells(record)).encode()

    return Form(encoder, head=BOM if layout.bom else b"", before=header)


def _header_cell(header: str) -> str:
    return header.replace("\0", "")


Cells = Callable[[Record], list[Any]]


def _plain_cells(columns: tuple[Column, ...]) -> Cells:
    """Compile the cells of a row whose columns are the id and fields; what a record does not have is an empty cell."""
    at = [column.path.text for column in columns].index("id")
    fields = [(column.path.text, cell_writer(column.path.field, column.path.field.many)) for column in columns]
    fields.pop(at)

    def cells(record: Record) -> list[Any]:
        get = record.data.get
        row = [get(name) if write is None else write(get(name)) for name, write in fields]
        row.insert(at, write_text(record.uid))
        return row

    return cells


def _sheet_cells(columns: tuple[Column, ...], names: Names) -> Cells:
    """Compile the cells of a row whose columns are paths."""
    pairs = [(getter(column, names), sheet_writer(column)) for column in columns]
    return lambda record: [get(record) if write is None else write(get(record)) for get, write in pairs]


def sheet_writer(column: Column) -> Write | None:
    """How the value of a path is written."""
    path = column.path
    if path.many:
        if column.join:
            return write_shown
        if column.format or path.end.type != "part":
            return write_entries if path.field.type == "part" else write_list
    if column.format:
        return write_shown
    if path.last == "count":
        return None
    if path.end.type == "json" and len(path.steps) > 1:
        return write_free
    return cell_writer(path.end, path.many)


def _safe(cells: Cells, columns: tuple[Column, ...]) -> Cells:
    texts = [column.path.end.type in ("text", "ref", "enum", "blob") for column in columns]

    def safe(record: Record) -> list[str]:
        return [
            guard(cell if isinstance(cell, str) else "" if cell is None else write_scalar(cell), text)
            for cell, text in zip(cells(record), texts, strict=True)
        ]

    return safe


def _row_writer(delimiter: str, safe: bool) -> Callable[[list[Any]], str]:
    quoting: Any = csv.QUOTE_ALL if safe else csv.QUOTE_MINIMAL
    row: Callable[[list[Any]], Any] = csv.writer(
        _Echo(), delimiter=delimiter, quoting=quoting, lineterminator=_END
    ).writerow
    return row


class _Echo:
    """Makes csv.writer give each row back instead of writing it."""

    def write(self, row: str) -> str:
        """Give back ``row``."""
        return row


@dataclass(frozen=True, slots=True)
class Table:
    """An open table: its header, its rows with the number of the line each ends on, and how it is written."""

    header: list[str]
    rows: Iterator[tuple[int, list[str]]]
    safe: bool
    bom: bool
    delimiter: str


def read_table(stream: IO[bytes], name: str, delimiter: str = "") -> Table:
    """Open a table. ``delimiter`` "" finds out. Raises Unreadable with the line, here or while its rows are read."""
    first = stream.readline(FIELD_LIMIT + 1)
    bom, first = first.startswith(BOM), first.removeprefix(BOM)
    delimiter = delimiter or _delimiter(first)
    safe = first.startswith(b'"')
    # The limit is the process's; the module's own, 128 KiB, is less than what Stash lets people type.
    csv.field_size_limit(FIELD_LIMIT)
    rows = _rows(_texts(stream, first, name), name, delimiter)
    header = next(rows, (1, []))[1]
    if safe:
        header = [unguard(cell) for cell in header]
    _check_header(header, name)
    return Table(header, _square(rows, len(header), name, safe), safe, bom, delimiter)


def _delimiter(first: bytes) -> str:
    """The character that stands most often in the header: comma, semicolon or tab."""
    return max(",;\t", key=lambda char: first.count(char.encode()))


def _check_header(header: list[str], name: str) -> None:
    if not any(header):
        raise Unreadable(path=name, reason="it has no header")
    twice = next((cell for cell in header if header.count(cell) > 1), None)
    if twice is not None:
        raise Unreadable(path=name, reason=f"line 1: the column {twice!r} is there twice")


def _texts(stream: IO[bytes], first: bytes, name: str) -> Iterator[str]:
    number, line = 1, first
    while line:
        if len(line) > FIELD_LIMIT:
            raise Unreadable(path=name, reason=f"line {number} is longer than 16 MiB")
        if b"\0" in line:
            raise Unreadable(path=name, reason=f"line {number} holds NUL")
        try:
            yield line.decode()
        except UnicodeDecodeError as error:
            raise Unreadable(path=name, reason=f"line {number} is not UTF-8") from error
        number, line = number + 1, stream.readline(FIELD_LIMIT + 1)


def _rows(texts: Iterator[str], name: str, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    reader = csv.reader(texts, delimiter=delimiter, strict=True)
    try:
        for row in reader:
            yield reader.line_num, row
    except csv.Error as error:
        raise Unreadable(path=name, reason=f"line {reader.line_num}: {_in_words(str(error))}") from error


def _in_words(said: str) -> str:
    if "unexpected end" in said:
        return "a quote is opened and never closed"
    return "a field is longer than 16 MiB" if "field larger" in said else said


def _square(
    rows: Iterator[tuple[int, list[str]]], width: int, name: str, safe: bool
) -> Iterator[tuple[int, list[str]]]:
    for number, row in rows:
        if len(row) != width:
            raise Unreadable(path=name, reason=f"line {number} has {len(row)} cells, the header {width}")
        yield number, [unguard(cell) for cell in row] if safe else row
