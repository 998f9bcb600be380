"""What we write into an NFO file that somebody else made: all of it that we do not know, and what Stash says nothing
about, stays. Pure.

Merging a file with what came of it gives the same bytes again: what was taken over is named in the mark (``kept``), so
that the next run knows it from a field that was cleared in Stash since, and elements stand in one order, ours first.

How others write, by what real files show: a byte order mark (Jellyfin, Emby), a declared encoding of their own,
``&nbsp;`` and a lone ``&``, prefixes without a namespace's care (tinyMediaManager), the addresses of a combination NFO
behind the root (Kodi's NfoFile.cpp). Several roots, another kind of thing (tvshow, artist), or text without XML: those
are no files to merge into. Comments outside kept elements, and the form of the text, are not kept.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from dataclasses import dataclass
from html import escape
from html.entities import html5
from xml.etree.ElementTree import Element

from ...errors import Unreadable
from .dialects import DATES, KNOWN
from .text import ALL_KEPT, clean

ROOTS = frozenset(("movie", "musicvideo", "episodedetails", "video"))
"""Roots that stand for one video; another server's choice of root is kept."""
AFTER = "#after"
"""Stands in ``kept`` for text behind the root."""
MOST_BYTES = 5 << 20

_ENCODING = re.compile(r"""\A\s*<\?xml[^>]*?encoding\s*=\s*["']([^"']*)""")
_SINGLE_BYTES = re.compile(r"(?i)(utf-?8|(us-)?ascii|iso-8859-\d\d?|latin-?1|(windows-|cp)125\d)\Z").match
_WIDE = (b"\xff\xfe", b"\xfe\xff")
_LONE = re.compile(r"(?s)<!\[CDATA\[.*?(?:\]\]>|\Z)|&(?!#\d+;|#x[0-9A-Fa-f]+;|(?:amp|lt|gt|quot|apos);)(\w+;)?")


@dataclass(frozen=True, slots=True)
class Merged:
    """The root to write, the names of what is in it by somebody else (for the mark), and the text behind the root."""

    element: Element
    kept: tuple[str, ...]
    after: str = ""


def merge(ours: Element, theirs: bytes, kept: Collection[str] | None) -> Merged | None:
    """``ours`` (a document's element) with what stays of the file ``theirs``. ``kept`` is what its mark names when the
    file is one of ours, else None. None when it cannot be read or is not about one video: then leave it alone."""
    opened = open_nfo(theirs)
    if opened is None:
        return None
    old, after = opened
    merged = Element(str(old.tag), old.attrib)
    children, names = _joined(ours, [child for child in old if _stays(child, kept)])
    merged.extend(children)
    return Merged(merged, tuple(sorted(names | ({AFTER} if after else set()))), after)


def open_nfo(content: bytes) -> tuple[Element, str] | None:
    """The root of an NFO file about one video, and the text behind it; None when it is not such a file."""
    from ..xml_parse import parse  # noqa: PLC0415 - its library is only needed where there is something to read

    text = _decoded(content) if len(content) <= MOST_BYTES else None
    if text is None or (end := text.find(">", text.rfind("</")) + 1) == 0:
        return None
    for attempt in (text[:end], _repaired(text[:end])):
        try:
            root = parse(attempt, "the NFO file")
        except Unreadable:
            continue
        return (root, clean(text[end:]).strip()) if root.tag in ROOTS else None
    return None


def _decoded(content: bytes) -> str | None:
    """The text of a file in the encoding it says, or UTF-8; None when that is not so: a guess would be written back."""
    if content.startswith(_WIDE):
        encoding = "utf-16"
    else:
        said = _ENCODING.match(content.removeprefix(b"\xef\xbb\xbf")[:200].decode("latin-1"))
        encoding = "utf-8-sig" if said is None or said[1].lower() in ("utf-8", "utf8") else said[1]
        if said and not _SINGLE_BYTES(said[1]):
            return None
    try:
        return content.decode(encoding).removeprefix("\ufeff").lstrip()
    except (UnicodeDecodeError, LookupError):
        return None


def _repaired(text: str) -> str:
    """``text`` without control characters and with every ``&`` as XML has it."""
    return _LONE.sub(_entity, clean(text))


def _entity(found: re.Match[str]) -> str:
    if not found[0].startswith("&"):
        return found[0]
    return escape(html5.get(found[1] or "", found[0]), quote=False)


def _stays(child: Element, kept: Collection[str] | None) -> bool:
    """Whether an element of theirs may stay, if Stash says nothing about it."""
    name = child.tag
    if not isinstance(name, str):  # a comment
        return False
    if name not in KNOWN:
        return True
    return _holds(child) and (kept is None or name in kept or ALL_KEPT in kept)


def _holds(element: Element) -> bool:
    return bool(len(element) or element.attrib or (element.text or "").strip())


def _joined(ours: Element, theirs: list[Element]) -> tuple[list[Element], set[str]]:
    """Our elements and then theirs that ours say nothing about; and the names of those that are theirs."""
    said = {str(child.tag) for child in ours}
    if said & DATES:
        said |= DATES
    children, names = list(ours), set[str]()
    for child in theirs:
        name = str(child.tag)
        join = _JOINS.get(name)
        if join(children, child) if join else name not in said:
            names.add(name)
            if not join:
                children.append(child)
    return children, names


def _join_title(children: list[Element], theirs: Element) -> bool:
    """A title of theirs, in the place of one that only stands in for a missing one."""
    comment = next((child for child in children if not isinstance(child.tag, str)), None)
    if comment is None:
        return False
    at = children.index(comment)
    children[at : at + 2] = [theirs]
    return True


def _join_id(children: list[Element], theirs: Element) -> bool:
    """An id of another type. Ids of a Stash and of its boxes (``endpoint``) are always ours to say."""
    types = {child.get("type") for child in children if child.tag == "uniqueid"}
    if theirs.get("type") in (types | {"stash"}) or theirs.get("endpoint"):
        return False
    if _is_default(theirs):
        children[:] = [
            _plain(child) if child.tag == "uniqueid" and child.get("type") == "stash" else child for child in children
        ]
    children.append(theirs)
    return True


def _join_ratings(children: list[Element], theirs: Element) -> bool:
    """The ratings of others, beside ours."""
    others = [rating for rating in theirs if isinstance(rating.tag, str) and rating.get("name") != "stash"]
    if not others:
        return False
    mine = next((child for child in children if child.tag == "ratings"), None)
    joined = Element("ratings", theirs.attrib)
    default = any(map(_is_default, others))
    joined.extend([*(_plain(rating) if default else rating for rating in (() if mine is None else mine)), *others])
    if mine is None:
        children.append(joined)
    else:
        children[children.index(mine)] = joined
    return True


def _is_default(element: Element) -> bool:
    return element.get("default", "").lower() == "true"


def _plain(element: Element) -> Element:
    """``element`` without its claim to be the default: what a server took for that before, it should go on taking."""
    copy = Element(str(element.tag), {name: value for name, value in element.attrib.items() if name != "default"})
    copy.text = element.text
    copy.extend(element)
    return copy


_JOINS: dict[str, Callable[[list[Element], Element], bool]] = {
    "title": _join_title,
    "uniqueid": _join_id,
    "ratings": _join_ratings,
}
"""What is neither ours nor theirs alone: each puts an element of theirs among ``children``, or says that it need not
stay."""
