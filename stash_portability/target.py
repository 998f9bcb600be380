"""What is written to: a running Stash, both ways of reading it, how it is written, and what it cannot be given."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import IO, TYPE_CHECKING, Any, NamedTuple

from .errors import UsageError
from .libraries.opening import Opening
from .model import Blob, BlobRef, Source, Writer

if TYPE_CHECKING:
    from .libraries.stash import StashSource

OpenImage = Callable[["Blob | BlobRef"], IO[bytes]]


class Target(NamedTuple):
    """A library that is written to. ``source``: the fast way to read all of it, for a plan. ``reader``: always sees
    what is there now, for compare-and-set and checks. ``writer`` gives what writes, from what opens the images that
    changes name (None: there are none). ``cannot``: by kind the fields (and parts, "stash_ids.updated_at") it cannot be
    given, each with why, as ``reconcile.possible.Cannot`` has them. ``open_image`` opens the target's own images,
    whichever of both read them."""

    source: Source
    reader: Source
    writer: Callable[[OpenImage | None], Writer]
    cannot: Callable[[str], Mapping[str, str]]
    open_image: Callable[[Blob], IO[bytes]]


def open_target(address: str, opening: Opening) -> Target:
    """The Stash at ``address`` as a target. Raises UsageError for what is no address of a Stash, Unreachable, Refused,
    UnsupportedVersion."""
    if not address.startswith(("http://", "https://")):
        raise UsageError(f"{address} cannot be written to: give the http(s) address of a running Stash")
    from .libraries.stash import open_stash  # noqa: PLC0415 - requests and what it brings are only loaded when needed

    return _target(open_stash(address, opening.api_key or None), opening)


def own_target(server: Mapping[str, Any], opening: Opening) -> Target:
    """The Stash that runs us as its plugin, from the ``server_connection`` it gives; raises as ``open_target``."""
    from .libraries.connection import from_plugin  # noqa: PLC0415
    from .libraries.stash import StashSource  # noqa: PLC0415

    return _target(StashSource(from_plugin(server)), opening)


def _target(stash: StashSource, opening: Opening) -> Target:
    from .libraries.local import LocalStash, choose  # noqa: PLC0415
    from .libraries.stash_write import StashWriter  # noqa: PLC0415
    from .libraries.stash_write_cannot import SHOWN_COVER  # noqa: PLC0415
    from .libraries.stash_write_reader import Newest  # noqa: PLC0415

    stash.fields("scene")  # a Stash that is too old is told so before anything else is asked of it
    chosen = choose(stash, rng=opening.rng, note=opening.note, on_error=opening.skip)
    newest: Source = stash
    if isinstance(chosen, LocalStash):
        # What it read from is as it was when it was opened; a plan after the writing must see what was written.
        newest = Newest(stash, chosen.about().how, opening.skip)
        chosen.close()
    asked = StashWriter(stash)

    def cannot(kind: str) -> Mapping[str, str]:
        shown = kind == "gallery" and bool(getattr(newest, "shown", ()))
        return {**asked.cannot(kind), **(SHOWN_COVER if shown else {})}

    return Target(newest, newest, lambda images: StashWriter(stash, images), cannot, newest.open_blob)
