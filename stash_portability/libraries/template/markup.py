"""Where in HTML a value would land, and whether it may: in text, in a quoted attribute, at the beginning of an address.

Escaping alone does not keep text from becoming script: in an attribute without quotes, in ``onclick`` or in
``<script>`` entities are no fence, and ``javascript:`` needs none of the signs that are escaped. So a template that
puts a value there is refused, and addresses are looked at when they are written. Reads the text of a template from left
to right as browsers do, roughly (https://html.spec.whatwg.org/multipage/parsing.html#tokenization). Pure.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

RAW = frozenset(("script", "style", "iframe", "noembed", "noframes", "noscript", "xmp", "plaintext", "template"))
"""Elements whose content is no text, or not always."""
ADDRESSES = frozenset(
    "href src action formaction poster data cite background ping manifest longdesc usemap codebase classid archive"
    " profile icon xlink:href".split()
)
NO_VALUES = frozenset(("style", "srcdoc", "srcset", "imagesrcset", "http-equiv"))
ANIMATED = frozenset(("animate", "set")), frozenset(("from", "to", "by", "values"))
"""Elements of SVG that write an attribute of another one, which may be its address, and what they write."""
_TAG = re.compile(r"<(/?)([A-Za-z][^\s/>]*)")
_COMMENT = re.compile(r"<!--(-?>)?")
_COMMENT_END = re.compile(r"--!?>")
_NAME = re.compile(r"[^\s/>=]+")
_DECIDED = re.compile(r"[/?#]")
REFRESHING = "meta http-equiv"
"""Stands for the tag of a meta once it has an http-equiv."""
_LINK = re.compile(r"\]\(\s*<?\Z|^ {0,3}\[[^\]\n]+\]:\s*<?\Z", re.MULTILINE)
LINK = "]("
"""Stands in ``begun`` where the address of a link of Markdown begins."""
GIVEN = "\0"
"""Stands in ``begun`` for a value."""


@dataclass(frozen=True, slots=True)
class Place:
    """A place in HTML. ``where``: "text", "tag" (within one, between attributes), "name" (of an attribute), "equals"
    (after its =), "value" (in quotes), "bare" (without), "comment", "raw" or "odd" (within <! or a tag's name).
    ``begun``: how the address in this attribute begins, None once it is clear where it leads."""

    where: str = "text"
    tag: str = ""
    attribute: str = ""
    quote: str = ""
    begun: str | None = ""


class Misplaced(ValueError):
    """A value where it could become more than text."""


def forward(place: Place, text: str) -> Place:
    """Where ``text`` leads to from ``place``."""
    at = 0
    while at < len(text):
        place, at = _STEPS[place.where](place, text, at)
    return place


def value(place: Place) -> tuple[Place, bool]:
    """What becomes of ``place`` when a value stands there, and whether the value is the beginning of an address, which
    has to be looked at. Raises Misplaced, in words."""
    if place.where == "text":
        return place, False
    if place.where != "value":
        raise Misplaced(_WHY.get(place.where, "a value cannot stand within a tag but in a quoted attribute"))
    if place.attribute.startswith("on") or place.attribute in NO_VALUES:
        raise Misplaced(
            f"a value cannot stand in the attribute {place.attribute}, where it could become script or style"
        )
    if place.tag in ANIMATED[0] and place.attribute in ANIMATED[1]:
        raise Misplaced(f"a value cannot stand in {place.attribute} of {place.tag}, which could make an address of it")
    if place.tag == REFRESHING and place.attribute == "content":
        raise Misplaced("a value cannot stand in the content of a meta with http-equiv, which could lead elsewhere")
    if place.attribute not in ADDRESSES or place.begun is None:
        return place, False
    if place.begun.strip(GIVEN + " "):
        raise Misplaced(
            f"an address in {place.attribute} has to begin with a whole one (or end this text with / ? or #)"
        )
    return replace(place, begun=GIVEN), True


_WHY = {
    "bare": "a value cannot stand in an attribute without quotes",
    "equals": "a value cannot stand in an attribute without quotes",
    "raw": "a value cannot stand within script, style and the like, where it could become more than text",
    "comment": "a value cannot stand in an HTML comment",
}


def linked(place: Place, text: str) -> Place:
    """``place`` of Markdown once ``text`` stands before it: noted when the address of a link begins there."""
    if place.where != "text":
        return place
    return replace(place, begun=LINK if _LINK.search(text) else "")


def same(one: Place, other: Place) -> bool:
    """Whether two branches of a template end in the same place."""
    return replace(one, begun="") == replace(other, begun="")


def joined(one: Place, other: Place) -> Place:
    """The place after two branches that end in the same place: nothing is clear that is not clear in both."""
    if one.begun is None:
        return other
    return one if other.begun is None else replace(one, begun=max(one.begun, other.begun, key=len))


def _text(place: Place, text: str, at: int) -> tuple[Place, int]:
    opening = text.find("<", at)
    if opening < 0:
        return place, len(text)
    comment = _COMMENT.match(text, opening)
    if comment:
        return Place() if comment[1] else Place("comment"), comment.end()
    tag = _TAG.match(text, opening)
    if tag:
        closing = "/" if tag[1] else ""
        return Place("odd" if tag.end() == len(text) else "tag", closing + tag[2].lower()), tag.end()
    rest = text[opening + 1 : opening + 2]
    return (Place("odd", "!"), opening + 1) if rest in ("!", "?", "/", "") else (place, opening + 1)


def _odd(place: Place, text: str, at: int) -> tuple[Place, int]:
    """Within ``<!doctype …>``, or after a text that ended within the name of a tag."""
    if place.tag == "!":
        closing = text.find(">", at)
        return (Place(), closing + 1) if closing >= 0 else (place, len(text))
    if re.match(r"[\s/>]", text[at]):
        return replace(place, where="tag"), at
    return replace(place, tag=place.tag + text[at].lower()), at + 1


def _tag(place: Place, text: str, at: int) -> tuple[Place, int]:
    sign = text[at]
    if sign == ">":
        return (Place("raw", place.tag) if place.tag in RAW else Place()), at + 1
    if sign.isspace() or sign == "/":
        return Place("tag", place.tag), at + 1
    return Place("name", place.tag), at


def _name(place: Place, text: str, at: int) -> tuple[Place, int]:
    found = _NAME.match(text, at)
    if found:
        name = place.attribute + found[0].lower()
        refreshing = place.tag == "meta" and name == "http-equiv"
        return replace(place, attribute=name, tag=REFRESHING if refreshing else place.tag), found.end()
    if text[at].isspace():
        return place, at + 1
    return (replace(place, where="equals"), at + 1) if text[at] == "=" else (Place("tag", place.tag), at)


def _equals(place: Place, text: str, at: int) -> tuple[Place, int]:
    if text[at].isspace():
        return place, at + 1
    if text[at] in "\"'":
        return replace(place, where="value", quote=text[at]), at + 1
    return replace(place, where="bare"), at


def _value(place: Place, text: str, at: int) -> tuple[Place, int]:
    closing = text.find(place.quote, at)
    end = closing if closing >= 0 else len(text)
    begun = None if place.begun is None else _begin(place, text[at:end])
    return (Place("tag", place.tag), end + 1) if closing >= 0 else (replace(place, begun=begun), end)


def _begin(place: Place, text: str) -> str | None:
    """How an address begins once ``text`` is added to it; None when it is clear where it leads."""
    begun = f"{place.begun}{text}"
    scheme = _DECIDED.split(begun, maxsplit=1)[0]
    if GIVEN in scheme and ":" in scheme and place.attribute in ADDRESSES:
        raise Misplaced("the scheme of an address (https:) has to be written out")
    scripted = begun.strip().lower().startswith(("javascript", "data", "vbscript"))
    return None if _DECIDED.search(begun) and not scripted else begun


def _bare(place: Place, text: str, at: int) -> tuple[Place, int]:
    return (Place("tag", place.tag), at) if text[at].isspace() or text[at] == ">" else (place, at + 1)


def _comment(place: Place, text: str, at: int) -> tuple[Place, int]:
    closing = _COMMENT_END.search(text, at)
    return (Place(), closing.end()) if closing else (place, len(text))


def _raw(place: Place, text: str, at: int) -> tuple[Place, int]:
    closing = re.compile(rf"</{re.escape(place.tag)}(?=[\s/>])", re.IGNORECASE).search(text, at)
    return (Place("tag", "/" + place.tag), closing.end()) if closing else (place, len(text))


_STEPS = {
    "text": _text,
    "odd": _odd,
    "tag": _tag,
    "name": _name,
    "equals": _equals,
    "value": _value,
    "bare": _bare,
    "comment": _comment,
    "raw": _raw,
}
