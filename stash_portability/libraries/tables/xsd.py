"""docs/export.xsd: the schema of our XML, made from kinds.py. ``python -m stash_portability.libraries.tables.xsd``
writes it; a test compares."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from ...kinds import KINDS, Field, Kind
from .layout import VERSION
from .xml_form import NAMESPACE, singular

PLACE = Path(__file__).parents[3] / "docs" / "export.xsd"

_HEAD = f"""<?xml version="1.0" encoding="UTF-8"?>
<!-- Made from stash_portability/kinds.py; not to be edited.

A record is an element named by its kind, with the id it has in its Stash. A field that is not known is not there;
one that is known to be empty has nil="true". A reference is the id of another record. Maps and free values are
JSON text. XML cannot carry every character: in an element with esc="1", \\uXXXX is the character of that number
and \\\\ is a backslash; without esc a backslash is just one. What esc says of the
text of a cell, name-esc says of its name. -->
<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" xmlns="{NAMESPACE}"
           targetNamespace="{NAMESPACE}" elementFormDefault="qualified">

<xs:simpleType name="none"><xs:restriction base="xs:string"><xs:length value="0"/></xs:restriction></xs:simpleType>
<xs:simpleType name="one"><xs:restriction base="xs:string"><xs:enumeration value="1"/></xs:restriction></xs:simpleType>
"""
_TEXTS = {"text": "xs:string", "json": "xs:string"}
_UNIONS = {
    "int": "xs:integer",
    "float": "xs:double",
    "bool": "xs:boolean",
    "date": r"\d{4}(-\d{2}(-\d{2})?)?",
    "time": r"\d{4,}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d+)?Z",
}
_TYPES = {"int": "int", "float": "float", "bool": "bool", "date": "date", "time": "time", "json": "json", "map": "json"}


def schema() -> str:
    """The text of the schema."""
    return "".join((_HEAD, *_value_types(), *_generic(), *map(_kind, KINDS.values()), "</xs:schema>\n"))


def _value_types() -> Iterator[str]:
    """The types of values: each may be empty, when it is nil."""
    for name, base in _TEXTS.items():
        yield _nillable(name, base)
    for name, base in _UNIONS.items():
        inner = base if base.startswith("xs:") else f"{name}Text"
        if inner != base:
            yield (
                f'<xs:simpleType name="{inner}"><xs:restriction base="xs:string">'
                f'<xs:pattern value="{base}"/></xs:restriction></xs:simpleType>\n'
            )
        yield f'<xs:simpleType name="{name}OrNone"><xs:union memberTypes="{inner} none"/></xs:simpleType>\n'
        yield _nillable(name, f"{name}OrNone")
    for name in (*_TEXTS, *_UNIONS):
        yield (
            f'<xs:complexType name="{name}List"><xs:sequence>'
            f'<xs:element name="v" type="{name}" minOccurs="0" maxOccurs="unbounded"/>'
            "</xs:sequence></xs:complexType>\n"
        )


def _nillable(name: str, base: str) -> str:
    return (
        f'<xs:complexType name="{name}"><xs:simpleContent><xs:extension base="{base}">'
        '<xs:attribute name="nil" type="xs:boolean"/><xs:attribute name="esc" type="one"/>'
        "</xs:extension></xs:simpleContent></xs:complexType>\n"
    )


def _generic() -> Iterator[str]:
    """The root, what it says about itself, and the rows of an export that a profile shaped."""
    yield '\n<xs:element name="library"><xs:complexType>\n  <xs:sequence>\n'
    yield '    <xs:element name="about" type="json" minOccurs="0"/>\n'
    yield '    <xs:choice minOccurs="0" maxOccurs="unbounded">\n'
    for name in (*KINDS, "row"):
        yield f'      <xs:element name="{name}" type="{name}"/>\n'
    yield f'    </xs:choice>\n  </xs:sequence>\n  <xs:attribute name="version" use="required" fixed="{VERSION}"/>\n'
    yield "</xs:complexType></xs:element>\n"
    yield '\n<xs:complexType name="row">\n  <xs:sequence><xs:element name="cell" type="cell" minOccurs="0"'
    yield ' maxOccurs="unbounded"/></xs:sequence>\n  <xs:attribute name="kind" type="xs:string" use="required"/>\n'
    yield "</xs:complexType>\n"
    yield '<xs:complexType name="cell" mixed="true">\n  <xs:sequence><xs:element name="v" type="text" minOccurs="0"'
    yield ' maxOccurs="unbounded"/></xs:sequence>\n  <xs:attribute name="name" type="xs:string" use="required"/>\n'
    yield '  <xs:attribute name="name-esc" type="one"/>\n'
    yield '  <xs:attribute name="nil" type="xs:boolean"/><xs:attribute name="esc" type="one"/>\n</xs:complexType>\n'


def _kind(kind: Kind) -> str:
    attributes = '  <xs:attribute name="id" type="xs:string" use="required"/><xs:attribute name="esc" type="one"/>\n'
    return f'\n<xs:complexType name="{kind.name}">\n{_sequence(kind.fields, 1)}{attributes}</xs:complexType>\n'


def _sequence(fields: Iterable[Field], depth: int) -> str:
    pad = "  " * depth
    return f"{pad}<xs:sequence>\n{''.join(_field(field, depth + 1) for field in fields)}{pad}</xs:sequence>\n"


def _field(field: Field, depth: int) -> str:
    pad = "  " * depth
    if field.type != "part":
        type_ = _TYPES.get(field.type, "text") + ("List" if field.many else "")
        return f'{pad}<xs:element name="{field.name}" type="{type_}" minOccurs="0"/>\n'
    entry = f'<xs:element name="{singular(field.name)}" minOccurs="0" maxOccurs="unbounded"><xs:complexType>\n'
    return (
        f'{pad}<xs:element name="{field.name}" minOccurs="0"><xs:complexType><xs:sequence>\n'
        f"{pad}  {entry}{_sequence(field.parts, depth + 2)}{pad}  </xs:complexType></xs:element>\n"
        f"{pad}</xs:sequence></xs:complexType></xs:element>\n"
    )


if __name__ == "__main__":
    PLACE.write_text(schema(), encoding="utf-8")
