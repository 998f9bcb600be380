r"""XML in a schema of our own (docs/export.xsd, made from kinds.py by ``xsd.py``): one record a line.

None is ``nil="true"``. What XML cannot carry (control characters, a carriage return, U+FFFE, U+FFFF) is written as
``\uXXXX`` in an element with ``esc="1"``, in which ``\`` itself is ``\\``; without ``esc`` a backslash is one. In the
name of a profile's cell ``name-esc`` says so, because ``esc`` is about its text.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from ...kinds import Field, Kind
from ...model import BlobRef, Record
from ...transform.paths import Names
from .getters import getter
from .json_form import dumps
from .layout import VERSION, Encoder, Form, Layout

NAMESPACE = f"urn:stash-portability:{VERSION}"
HEAD = f'<?xml version="1.0" encoding="UTF-8"?>\n<library xmlns="{NAMESPACE}" version="{VERSION}">\n'.encode()

Write = Callable[[Any], str]

_ODD = re.compile("[&<>\r\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]").search
_NO_XML = re.compile("[\r\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
_ODD_ATTRIBUTE = re.compile('[&<>"\\\\\x00-\x1f\ufffe\uffff]').search
_NO_ATTRIBUTE = re.compile("[\x00-\x1f\ufffe\uffff\\\\]")


def xml_form(layout: Layout, names: Names) -> Form:
    """One document; kinds one after another."""

    def encoder(kind: Kind) -> Encoder:
        return _row_encoder(kind, layout, names) if layout.shaped(kind.name) else _record_encoder(kind, layout)

    said = layout.header if layout.single else {}
    about = (write_json("about")(said) + "\n").encode() if said else b""
    return Form(encoder, head=HEAD + about, foot=b"</library>\n")


def singular(name: str) -> str:
    """What one entry of a composite field is called: files → file."""
    return name.removesuffix("s")


def _record_encoder(kind: Kind, layout: Layout) -> Encoder:
    chosen = layout.fields(kind.name)
    fields = [(field.name, field_writer(field)) for field in kind.fields if field.name in chosen]
    name, end = kind.name, f"</{kind.name}>\n"

    def encode(record: Record) -> bytes:
        data = record.data
        inside = "".join([write(data[field]) for field, write in fields if field in data])
        return f"<{name}{_attribute('id', record.uid)}>{inside}{end}".encode()

    return encode


def _row_encoder(kind: Kind, layout: Layout, names: Names) -> Encoder:
    """A profile's columns: cells called by their headers."""
    columns = [
        (_attribute("name", column.header, "name-esc"), getter(column, names)) for column in layout.columns[kind.name]
    ]

    def encode(record: Record) -> bytes:
        inside = "".join([_cell(name, get(record)) for name, get in columns])
        return f'<row kind="{kind.name}">{inside}</row>\n'.encode()

    return encode


def _cell(name: str, value: Any) -> str:
    if value is None:
        return f'<cell{name} nil="true"/>'
    if isinstance(value, list) and not any(isinstance(item, (dict, list)) for item in value):
        return f"<cell{name}>{''.join([_V(item) for item in value])}</cell>"
    text = dumps(value).decode() if isinstance(value, (dict, list)) else _scalar(value)
    return _element(f"cell{name}", "cell", text)


def _attribute(name: str, value: str, flag: str = "esc") -> str:
    """The attribute, and ``flag`` beside it when its value is escaped."""
    if not _ODD_ATTRIBUTE(value):
        return f' {name}="{value}"'
    escaped, flagged = _NO_ATTRIBUTE.sub(_escape, value), f' {flag}="1"' if _NO_ATTRIBUTE.search(value) else ""
    return f' {name}="{_entities(escaped)}"{flagged}'


def _element(opening: str, name: str, text: str) -> str:
    """An element with ``text`` in it, escaped as far as it needs."""
    if not _ODD(text):
        return f"<{opening}>{text}</{name}>"
    if _NO_XML.search(text):
        text = _NO_XML.sub(_escape, text.replace("\\", "\\\\"))
        opening += ' esc="1"'
    return f"<{opening}>{_entities(text)}</{name}>"


def _escape(found: re.Match[str]) -> str:
    return "\\\\" if found[0] == "\\" else f"\\u{ord(found[0]):04X}"


def _entities(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace('"', "&quot;")


def field_writer(field: Field) -> Write:
    """Compile the writer of one field, or part."""
    if field.type == "part":
        return _parts_writer(field)
    if field.many:
        return _list_writer(field)
    return _WRITERS.get(field.type, text_writer)(field.name)


def text_writer(name: str) -> Write:
    """Compile the writer of a text."""
    nil = f'<{name} nil="true"/>'
    odd = _ODD

    def write(value: Any) -> str:
        if value is None:
            return nil
        return _element(name, name, value) if odd(value) else f"<{name}>{value}</{name}>"

    return write


def _number_writer(name: str) -> Write:
    nil = f'<{name} nil="true"/>'
    return lambda value: nil if value is None else f"<{name}>{value!r}</{name}>"


def _bool_writer(name: str) -> Write:
    texts = {None: f'<{name} nil="true"/>', True: f"<{name}>true</{name}>", False: f"<{name}>false</{name}>"}
    return texts.__getitem__


def write_json(name: str) -> Write:
    """Compile the writer of a map or a JSON value: its JSON text."""
    nil = f'<{name} nil="true"/>'
    return lambda value: nil if value is None else _element(name, name, dumps(value).decode())


def _blob_writer(name: str) -> Write:
    write = text_writer(name)
    return lambda value: write(value.sha256 if isinstance(value, BlobRef) else value)


_WRITERS: dict[str, Callable[[str], Write]] = {
    "int": _number_writer,
    "float": _number_writer,
    "bool": _bool_writer,
    "map": write_json,
    "json": write_json,
    "blob": _blob_writer,
}


def _scalar(value: Any) -> str:
    if value is True or value is False:
        return "true" if value else "false"
    return value if isinstance(value, str) else repr(value)


def _V(item: Any) -> str:  # noqa: N802 - the element v
    return '<v nil="true"/>' if item is None else _element("v", "v", _scalar(item))


def _list_writer(field: Field) -> Write:
    name = field.name
    empty, begin, end, odd = f"<{name}/>", f"<{name}><v>", f"</v></{name}>", _ODD

    def write(values: Any) -> str:
        if not values:
            return empty
        try:
            plain = not odd("".join(values))
        except TypeError:
            plain = False
        if plain:
            return f"{begin}{'</v><v>'.join(values)}{end}"
        return f"<{name}>{''.join([_V(item) for item in values])}</{name}>"

    return write


def _parts_writer(field: Field) -> Write:
    name, one = field.name, singular(field.name)
    parts = [(part.name, field_writer(part)) for part in field.parts]

    def write(entries: Any) -> str:
        if not entries:
            return f"<{name}/>"
        inside = "".join(
            [
                f"<{one}>{''.join([write(entry[part]) for part, write in parts if part in entry])}</{one}>"
                for entry in entries
            ]
        )
        return f"<{name}>{inside}</{name}>"

    return write
