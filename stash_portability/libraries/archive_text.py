"""What ``README.txt`` in an archive says, for somebody who has nothing but the archive."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

README = "README.txt"
DATABASE, DATABASE_IMAGES = "db/stash.sqlite", "db/images.tsv"
_ALL = """This is a copy of a Stash library, made by stash-portability.

manifest.json    what is in it, how it was made, and the SHA-256 of every other file
records/KIND/    the records: one JSON object a line, in UTF-8; references are ids of records in here
                 (files that end in .zst are packed: zstd -d unpacks them)
blobs/           images, each named by its SHA-256
"""
_PARENT = """ids/KIND/        the ids of all records, each with the first half of the SHA-256 of its line

It holds only what changed since the archive

    {name}

which must be kept beside it: the other records and images are there, or in what that is built on in turn. A record
that is not listed under ids/ was deleted.
"""
_END = """
It can be read without the program that made it: every file is plain text or a plain image.
"""
_END_DATABASE = """
It can be read without the program that made it: every file is plain text, a plain image, or an SQLite database.
"""
_DATABASE = """
db/              Stash's own database, as Stash copies it (db/stash.sqlite; zstd -d unpacks it if it ends in .zst)

The database holds everything Stash knows of your files: their paths, what was watched when, every record in here.
It holds no password, API key or key of a stash-box (those are in Stash's config.yml, which is not in here).

How to put it back. Stash must be of the version it was made with, or newer; it then asks to migrate it.

1. Stop Stash.
2. Find its database: config.yml says where, after "database:" (usually stash-go.sqlite beside config.yml).
3. Move that file away, and the files beside it that are called the same but for -wal and -shm at the end. All
   three: Stash would mix an old -wal with the new database.
4. Copy db/stash.sqlite to where it was, under its name. Its owner must be the user Stash runs as.
"""
_IMAGES = """5. This Stash kept its images in files, so that they are not in the database. Put each where db/images.tsv
   says: in its lines stands the place below the folder that config.yml gives after "blobs_path:", then the SHA-256
   by which the image is called in blobs/ here{elsewhere}. On Linux or macOS, in the unpacked archive:

   while read -r place image; do
       mkdir -p "$BLOBS_PATH/${{place%/*}}" && cp "blobs/$image" "$BLOBS_PATH/$place"
   done < db/images.tsv

6. Start Stash.
"""
_NO_IMAGES = """5. Start Stash. The images are in the database.
"""
_ELSEWHERE = " (or in those of the archives this one is built on)"


def readme(members: Collection[str], header: Mapping[str, Any]) -> bytes:
    """The text for an archive with these ``members``, whose manifest says ``header``."""
    database = any(name.startswith(DATABASE) for name in members)
    parent = header.get("parent")
    text = _ALL + (_PARENT.format(name=parent["name"]) if parent else "") + (_END_DATABASE if database else _END)
    if database:
        text += _DATABASE
        in_files = any(name.startswith(DATABASE_IMAGES) for name in members)
        text += _IMAGES.format(elsewhere=_ELSEWHERE if parent else "") if in_files else _NO_IMAGES
    return text.encode()
