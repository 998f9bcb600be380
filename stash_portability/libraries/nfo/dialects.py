"""What Kodi, Jellyfin, Emby and Plex read of an NFO file, as data: no I/O.

Where the rules come from. Kodi 21.3's source: VideoInfoTag.cpp (the elements and their order; the items of lists are
split at `` / ``, the default of ``itemseparator`` in its advanced settings), VideoTagLoaderNFO.cpp (names of files).
Jellyfin 10.11's source: BaseNfoParser.cs (splits ``genre`` at every ``/`` and ``director`` at ``|`` and ``;``, else at
``,``; ``max`` of a rating is ignored and the last one wins; ``premiered`` only as yyyy-MM-dd; the last ``set`` wins),
BaseNfoSaver.cs (``sortorder``, ``type``, ``thumb`` of an actor as a path). Emby has the same ancestor, and takes
several sets and the plain ``rating``. Plex (from 1.43.1): its support article "Using NFO metadata files with Plex",
which says Kodi's form.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Dialect:
    """How one media server wants its NFO files.

    ``splits``: the items of its lists are split at `` / ``, which is therefore written as `` & ``. ``whole_genres``:
    genres are split at any ``/``, so that a tag that holds one is no genre. ``commas``: a name that holds a comma would
    be two directors. ``several_sets``: more than one ``set`` is read. ``typed_actors``: an actor has ``type`` and
    ``sortorder``. ``portraits``: an actor's picture is always named in ``thumb`` (Kodi finds most by name).
    ``rating``: the rating is also written as a plain ``rating``.
    """

    name: str
    title: str
    splits: bool = False
    whole_genres: bool = False
    commas: bool = False
    several_sets: bool = False
    typed_actors: bool = False
    portraits: bool = True
    rating: bool = False


DIALECTS: dict[str, Dialect] = {
    dialect.name: dialect
    for dialect in (
        Dialect("kodi", "Kodi", splits=True, portraits=False),
        Dialect("jellyfin", "Jellyfin", whole_genres=True, commas=True, typed_actors=True),
        Dialect(
            "emby", "Emby", whole_genres=True, commas=True, several_sets=True, typed_actors=True, rating=True
        ),
        Dialect("plex", "Plex", splits=True),
    )
}  # fmt: skip

NAMES: dict[str, str] = {name: dialect.title for name, dialect in DIALECTS.items()}
"""What people call them."""

COLUMNS: tuple[str, ...] = (
    "title", "code", "date", "details", "director", "urls", "rating100", "studio.name", "performers.name",
    "performers.disambiguation", "tags.name", "tags.parents.name", "groups.group.name", "groups.group.synopsis",
    "groups.scene_index", "stash_ids", "play_history", "resume_time", "files", "captions", "created_at",
)  # fmt: skip
"""The paths of a scene that a document is made of."""

WRITTEN: dict[str, tuple[str, ...]] = {
    "title": ("title",),
    "code": ("code",),
    "date": ("premiered", "releasedate", "year"),
    "details": ("plot",),
    "director": ("director",),
    "urls": ("url",),
    "rating100": ("ratings", "userrating", "rating"),
    "studio": ("studio",),
    "performers": ("actor",),
    "tags": ("tag", "genre"),
    "groups": ("set",),
    "stash_ids": ("uniqueid",),
    "play_history": ("playcount", "watched", "lastplayed"),
    "resume_time": ("resume",),
    "files": ("runtime", "fileinfo"),
    "captions": ("fileinfo",),
    "created_at": ("dateadded",),
}
"""The elements that each field of a scene becomes."""

KNOWN: frozenset[str] = frozenset(name for names in WRITTEN.values() for name in names) | {"aired"}
"""The elements that are ours to write. ``aired`` is a date too, and never written: Jellyfin would let it win."""

DATES: frozenset[str] = frozenset((*WRITTEN["date"], "aired"))
"""The elements that say one thing together: with one of ours, none of somebody else's stays."""

STANDS_IN = " no title in Stash: this is the name of the file "
"""The comment before a title that is not the scene's, so that it is not read back as one."""

LOSSES: dict[str, str] = {
    "title": "where there is none, the name of the file is written, and not read back",
    "date": "a date without its day keeps only the year",
    "director": "how the names are parted: one element a person, read back with a comma; for Jellyfin and Emby"
    " without the comma before Jr.",
    "organized": "no media server has it",
    "studio": "only the name, which is its id when read back; for Kodi and Plex ' / ' in it becomes ' & '",
    "performers": "only names, with the disambiguation in brackets, which are their ids when read back",
    "tags": "only names, which are their ids when read back; for Kodi and Plex ' / ' in them becomes ' & '",
    "groups": "only name and synopsis; Kodi, Jellyfin and Plex take one: the first by its number, then by its id",
    "galleries": "no media server has them",
    "stash_ids": "when they were last fetched; of two of one stash-box Kodi keeps the last",
    "custom_fields": "no media server has them",
    "play_history": "the number of plays and the last of them, to the second; only the last is read back",
    "o_history": "no media server has it",
    "resume_time": "0 is the same as none",
    "play_duration": "no media server has it",
    "files": "sizes, codecs and length are written for the server and not read back: the file itself says them",
    "captions": "only their languages are written, and not read back: the files beside the media say them",
    "interactive": "a fact of the file, which the scan finds again",
    "interactive_speed": "a fact of the file, which the scan finds again",
    "created_at": "to the second",
    "updated_at": "Stash sets it itself",
    "cover": "lies beside the NFO file as a picture, with artwork switched on",
}
"""What a reader of our NFO file cannot have back, by field of the scene. In every text, what XML cannot carry (control
characters, U+FFFE, U+FFFF, lone surrogates) is left out and CR LF becomes LF; an empty field looks like one that was
not written."""
