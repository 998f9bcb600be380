"""The formats of an export, by name."""

from __future__ import annotations

FORMATS: dict[str, str] = {
    "json": "one document",
    "jsonl": "one record a line",
    "csv": "comma-separated: one kind as a sheet for people, several as one exact table each",
    "tsv": "as csv, with tabs",
    "xml": "one document, described by docs/export.xsd",
    "yaml": "one document a record",
    "nfo": "a file for each scene that Kodi, Jellyfin, Emby or Plex reads",
    "template": "whatever a template makes of it: a web page, a playlist, a catalogue",
}
