"""XML of somebody else: read without document types or entities, and within limits of depth and attributes.

The one module that knows defusedxml. Document types are refused whole: expat passes over an external one silently, and
entities are how a small file becomes a large one. Instructions and locations are never followed.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from typing import IO, Any
from xml.etree.ElementTree import Element, ParseError, TreeBuilder
from xml.sax import InputSource, SAXParseException
from xml.sax.handler import ContentHandler, property_lexical_handler

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import iterparse
from defusedxml.expatreader import create_parser

from ..errors import Unreadable

DEPTH_LIMIT, ATTRIBUTE_LIMIT = 32, 256
_TOO_DEEP = f"it is nested deeper than {DEPTH_LIMIT} or has too many attributes"
_DOCUMENT_TYPE = "it declares a document type or entities, which are refused"


def children(stream: IO[bytes] | Any, name: str, root: Callable[[Element], object]) -> Iterator[Element]:
    """The elements right below the root of a document (names with their namespaces), each whole, and dropped again
    after use. ``root`` looks at the root before them. Raises Unreadable, naming ``name``, and what ``root`` raises."""
    depth, top = 0, Element("")
    try:
        for event, element in iterparse(
            stream, ("start", "end"), forbid_dtd=True, forbid_entities=True, forbid_external=True
        ):
            if event == "start":
                if not depth:
                    top = element
                    root(top)
                depth += 1
                if depth > DEPTH_LIMIT or len(element.attrib) > ATTRIBUTE_LIMIT:
                    raise Unreadable(path=name, reason=_TOO_DEEP)
                continue
            depth -= 1
            if depth == 1:
                yield element
                top.clear()
    except ParseError as error:
        raise Unreadable(path=name, reason=f"line {error.position[0]} is not XML: {error}") from error
    except DefusedXmlException as error:
        raise Unreadable(path=name, reason=_DOCUMENT_TYPE) from error


def parse(text: str, name: str) -> Element:
    """The root of a whole document. Names and attributes stay as they are written, with their prefixes, and comments
    within the root stay, so that what is not understood can be written again. Raises Unreadable, naming ``name``."""
    parser, built = create_parser(forbid_dtd=True), _Built(name)
    parser.setContentHandler(built)
    parser.setProperty(property_lexical_handler, built)
    source = InputSource()
    source.setEncoding("utf-8")  # whatever the declaration says: it is text already
    source.setByteStream(io.BytesIO(text.encode("utf-8", "replace")))
    try:
        parser.parse(source)
    except SAXParseException as error:
        said = f"line {error.getLineNumber()} is not XML: {error.getMessage()}"
        raise Unreadable(path=name, reason=said) from error
    except DefusedXmlException as error:
        raise Unreadable(path=name, reason=_DOCUMENT_TYPE) from error
    return built.builder.close()


class _Built(ContentHandler):
    """What the parser tells, as a tree. The parser asks for a ContentHandler and calls the methods of a LexicalHandler
    (the names are theirs)."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self._name, self._depth = name, 0
        self.builder = TreeBuilder(insert_comments=True)

    def startElement(self, name: str, attrs: Any) -> None:  # noqa: N802
        self._depth += 1
        if self._depth > DEPTH_LIMIT or len(attrs) > ATTRIBUTE_LIMIT:
            raise Unreadable(path=self._name, reason=_TOO_DEEP)
        self.builder.start(name, dict(attrs))

    def endElement(self, name: str) -> None:  # noqa: N802
        self._depth -= 1
        self.builder.end(name)

    def characters(self, content: str) -> None:
        self.builder.data(content)

    def comment(self, content: str) -> None:
        if self._depth:
            self.builder.comment(content)

    def startCDATA(self) -> None:  # noqa: N802
        """Nothing: it is text."""

    endCDATA = endDTD = startCDATA  # noqa: N815

    def startDTD(self, name: str, public_id: str | None, system_id: str | None) -> None:  # noqa: N802
        """Nothing: it is refused before."""
