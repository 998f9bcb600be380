"""Records and changes as JSON: in the workset, in plans and in journals. Images are named by what they are read by,
and by their digest, which is all that counts when they are compared.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from ..json_text import dumps, loads
from ..model import Blob, BlobRef, Change, Data
from .rules import blob_fields

Digest = Callable[[Blob], str]
"""The SHA-256 of an image, in hexadecimal."""


class Digests(NamedTuple):
    """What tells images apart: those of the source (in ``after``), those of the target."""

    source: Digest
    target: Digest


def no_images(blob: Blob) -> str:
    """The digest function for libraries whose images are not compared: each image is itself."""
    return blob.key


def pack(kind: str, data: Data, digest: Digest = no_images) -> dict[str, Any]:
    """``data`` as plain JSON values."""
    packed = dict(data)
    for name in blob_fields(kind):
        if packed.get(name) is not None:
            packed[name] = _packed(packed[name], digest)
    return packed


def _packed(value: Any, digest: Digest) -> Any:
    if isinstance(value, Blob):
        return {"sha256": digest(value), "blob": list(value)}
    if isinstance(value, BlobRef):
        return {"sha256": value.sha256, "bytes": value.bytes}
    return value


def unpack(kind: str, data: dict[str, Any]) -> dict[str, Any]:
    """The other way: images as ``Blob`` or ``BlobRef`` again."""
    for name in blob_fields(kind):
        value = data.get(name)
        if isinstance(value, Mapping):
            data[name] = Blob(*value["blob"]) if "blob" in value else BlobRef(value["sha256"], value["bytes"])
    return data


def image_digest(value: Any) -> Any:
    """What two packed images are compared by."""
    return value["sha256"] if isinstance(value, Mapping) else value


EACH_ITSELF = Digests(no_images, no_images)


def change_to_json(change: Change, digests: Digests = EACH_ITSELF) -> dict[str, Any]:
    """A change as JSON values."""
    sides = ((change.before, digests.target), (change.after, digests.source))
    before, after = (None if data is None else pack(change.kind, data, digest) for data, digest in sides)
    return {"op": change.op, "kind": change.kind, "uid": change.uid, "before": before, "after": after}


def change_from_json(said: Mapping[str, Any]) -> Change:
    """A change from JSON values."""
    before, after = (None if said[name] is None else unpack(said["kind"], said[name]) for name in ("before", "after"))
    return Change(said["op"], said["kind"], said["uid"], before, after)


def encode(value: Any) -> bytes:
    """JSON in bytes."""
    return dumps(value)


def decode(content: bytes) -> Any:
    """Values from JSON in bytes."""
    return loads(content)
