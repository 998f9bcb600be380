"""What kind of picture some bytes are, by how they begin: those that browsers and media servers show. Pure."""

from __future__ import annotations

HEAD = 16
"""Bytes that are enough to tell."""
ENDINGS = ("jpg", "png", "webp", "gif")


def ending_of(head: bytes) -> str:
    """The ending for a picture that begins with ``head``; "" when it is none of the four kinds."""
    if head.startswith(b"\xff\xd8\xff"):
        return "jpg"
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return "png"
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "webp"
    return "gif" if head.startswith((b"GIF87a", b"GIF89a")) else ""
