"""A target in memory, of the shape that ``target.open_target`` gives."""

from stash_portability.libraries.memory import MemoryLibrary
from stash_portability.libraries.memory_write import MemoryWriter
from stash_portability.target import Target


def memory_target(library=None, *, cannot=None, writer=MemoryWriter):
    """``library`` (a MemoryLibrary, by default an empty one) as a Target that is read and written in memory.

    ``cannot``: what it cannot be given, as ``{"scene": {"created_at": "why"}}``. ``writer(library, open_image)`` makes
    the writer: give one that fails or breaks off to see what comes of it. What a Stash does to what refers to a record
    that is deleted, to parts, and to names that are taken, MemoryWriter does too; images are kept by their digest
    (``library.put_blob``), so that records hold hexadecimal text where a Stash has an image.
    """
    held = MemoryLibrary() if library is None else library
    known = cannot or {}
    return Target(
        source=held,
        reader=held,
        writer=lambda open_image: writer(held, open_image),
        cannot=lambda kind: known.get(kind, {}),
        open_image=held.open_blob,
    )
