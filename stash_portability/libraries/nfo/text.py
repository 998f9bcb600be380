"""An NFO file as bytes, and the mark we leave in it: whose it is, what is not ours in it, and whether it was edited
since. Pure.

UTF-8 without a byte order mark, real XML, ``standalone="yes"``, as all four servers read it. What XML 1.0 cannot carry
(control characters, U+FFFE, U+FFFF, lone surrogates: W3C, production ``Char``) is dropped, and every line ends in LF,
because a CR in a document reads back as LF (XML 1.0 §2.11). The mark is a comment before the root: no reader minds it,
and a media server that rewrites the file drops it, which is how we know that the file is no longer ours.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import quote, unquote
from xml.etree.ElementTree import Element

DECLARATION = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
ALL_KEPT = "*"
"""Stands for every name in ``Mark.kept``, where they are too many to be listed."""
HEAD_BYTES = 4096
_KEPT_BYTES = 2048

_NOT_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_ODD = re.compile("[&<>\r\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]").search
_MARK = re.compile(
    rb"\A<\?xml[^>]*\?>\n<!-- stash-portability nfo 1; scene (\S*?);( apart;)?(?: kept ([^;]+);)?(?: art ([^;]+);)?"
    rb" sha256 ([0-9a-f]{64}) -->\n"
)


@dataclass(frozen=True, slots=True)
class Mark:
    """What we say in our file: the ``scene`` (its uid); ``apart``: whether it lies in a folder of such files, not
    beside its media (each way of writing removes only its own); ``kept``: the names of elements from a foreign file
    (empty: all of it is ours); ``art``: by the end of a picture's name ("-poster.jpg"), the first 16 hexadecimal digits
    of the SHA-256 of the picture we wrote beside it; ``digest``: the SHA-256 of the file without these 64 digits
    (``serialise`` works it out and looks at no other)."""

    scene: str
    kept: tuple[str, ...] = ()
    art: Mapping[str, str] = field(default_factory=dict)
    digest: str = ""
    apart: bool = False


def serialise(element: Element, mark: Mark, after: str = "") -> bytes:
    """The file of ``element`` with ``mark`` in it; ``after`` is text behind the root (the URLs of a combination NFO).
    ``element`` is left as it is. The same arguments give the same bytes."""
    lines: list[str] = []
    _write(element, "", lines)
    before, behind = f"{DECLARATION}<!-- {_mark_words(mark)} sha256 ", " -->\n" + "".join(lines)
    if after:
        behind += clean(after) + "\n"
    first, second = before.encode(), behind.encode()
    return first + _digest(first, second).encode() + second


def read_mark(content: bytes) -> Mark | None:
    """The mark in a file (its first 4 kB are enough); None when it is none of ours."""
    found = _MARK.match(content[:HEAD_BYTES])
    if not found:
        return None
    scene, apart, kept, art, digest = (group.decode("ascii", "replace") if group else "" for group in found.groups())
    pairs = [pair.partition("=") for pair in art.split()]
    return Mark(
        unquote(scene),
        tuple(map(unquote, kept.split())),
        {unquote(name): value for name, _, value in pairs},
        digest,
        apart=bool(apart),
    )


def untouched(content: bytes, mark: Mark) -> bool:
    """Whether ``content``, whose mark is ``mark``, is as we wrote it."""
    before, _, behind = content.partition(mark.digest.encode())
    return bool(behind) and _digest(before, behind) == mark.digest


def clean(text: str) -> str:
    """``text`` as XML can carry it."""
    return _NOT_XML.sub("", text.replace("\r\n", "\n").replace("\r", "\n")) if _ODD(text) else text


def _digest(before: bytes, behind: bytes) -> str:
    digest = hashlib.sha256(before)
    digest.update(behind)
    return digest.hexdigest()


def _mark_words(mark: Mark) -> str:
    kept = " ".join(map(_word, mark.kept))
    art = " ".join(sorted(f"{_word(name)}={_word(value)}" for name, value in mark.art.items()))
    words = f"stash-portability nfo 1; scene {_word(mark.scene)};{' apart;' if mark.apart else ''}"
    if kept:
        words += f" kept {kept if len(kept) <= _KEPT_BYTES else ALL_KEPT};"
    return f"{words} art {art};" if art else words


def _word(text: str) -> str:
    """``text`` as one word of a comment: without blanks, ``;`` and ``--``."""
    return quote(text, safe="#:*", errors="ignore").replace("--", "-%2D")


def _write(element: Element, indent: str, lines: list[str]) -> None:
    tag, text, children = element.tag, element.text, len(element)
    if not isinstance(tag, str):
        lines.append(f"{indent}{_comment(element)}\n")
    elif not children:
        opening = f"{indent}<{tag}{_attributes(element)}" if element.attrib else f"{indent}<{tag}"
        lines.append(f"{opening}>{_escape(text)}</{tag}>\n" if text else f"{opening}/>\n")
    elif _mixed(element):
        lines.append(f"{indent}{_inline(element)}\n")
    else:
        lines.append(f"{indent}<{tag}{_attributes(element)}>\n")
        for child in element:
            _write(child, indent + "  ", lines)
        lines.append(f"{indent}</{tag}>\n")


def _mixed(element: Element) -> bool:
    """Whether there is text between the children: then blanks matter."""
    if element.text and element.text.strip():
        return True
    return any([child.tail and child.tail.strip() for child in element])


def _inline(element: Element) -> str:
    if not isinstance(element.tag, str):
        return _comment(element)
    inside = "".join(_inline(child) + _escape(child.tail or "") for child in element)
    return f"<{element.tag}{_attributes(element)}>{_escape(element.text or '')}{inside}</{element.tag}>"


def _comment(element: Element) -> str:
    text = re.sub("-(?=-)", "- ", clean(element.text or ""))
    return f"<!--{text}{' ' if text.endswith('-') else ''}-->"


def _attributes(element: Element) -> str:
    return "".join([f' {name}="{_attribute(value)}"' for name, value in element.attrib.items()])


def _attribute(value: str) -> str:
    return _escape(value).replace('"', "&quot;").replace("\n", "&#10;").replace("\t", "&#9;")


def _escape(text: str) -> str:
    if not _ODD(text):
        return text
    return clean(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
