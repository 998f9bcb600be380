"""THE TABLE: every kind of record and every field, once.

Queries, database columns, redaction, CSV columns, XML schema, docs/FIELDS.md and the census test all come
from here. A field that is not in this table is never exported; a field Stash shows that is neither here nor
in ``LEFT_OUT`` fails the census test. This module holds data and small look-ups, and does no I/O.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

Role = Literal["value", "set", "log", "ref", "refs", "owner", "blob"]
Type = Literal["text", "int", "float", "bool", "date", "time", "enum", "json", "map", "part", "ref", "blob"]
Privacy = Literal["public", "identifying", "personal", "path", "secret"]

LEVELS: dict[str, frozenset[Privacy]] = {
    "full": frozenset(("public", "identifying", "personal", "path")),
    "share": frozenset(("public", "identifying")),
    "public": frozenset(("public",)),
}
"""The privacy classes each level lets out. ``secret`` is in none of them."""

LEVEL_WORDS: dict[str, str] = {
    "full": "everything but secrets (API keys, passwords, tokens)",
    "share": "also without paths, file names, play and O history, ratings, resume times, favourites, custom"
    " fields, ignore flags, ids and dates of this Stash, saved filters and configuration",
    "public": "also without stash ids, fingerprints, URLs, images, names of directors and photographers, and"
    " facts about performers, who get pseudonyms",
}


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a kind, or one part of a composite field.

    ``read`` is its name in GraphQL (dots step into objects), ``column`` its column in the database ("" when a
    relation table gives it), ``write`` its name in mutation inputs, and ``writer`` how it is set: ``update``,
    ``create``, the name of the odd mutation, or "" for what Stash cannot be given. ``pulls``: a filtered
    export brings what this reference names; otherwise the reference is left out when its record is. ``sheet``:
    the columns of a one-sheet table for people, each ``header=path``.
    """

    name: str
    type: Type
    role: Role = "value"
    privacy: Privacy = "public"
    many: bool = False
    ordered: bool = False
    of: str = ""
    parts: tuple[Field, ...] = ()
    key: str = ""
    read: str = ""
    column: str = ""
    write: str = ""
    writer: str = "update"
    since: str = "0.27"
    pulls: bool = True
    sheet: tuple[str, ...] = ()
    note: str = ""

    def part(self, name: str) -> Field | None:
        """Its part called ``name``."""
        return next((part for part in self.parts if part.name == name), None)


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of record: how Stash names it, where it lies, and its fields in the order they are written.

    ``find``, ``found`` and ``criteria`` are the GraphQL query, the list in its answer and its filter
    argument; ``inside`` is the kind and field a kind without a query of its own is read from. ``label`` are
    the fields that name a record for people, the first filled one counts. ``natural`` is the natural key.
    """

    name: str
    plural: str
    fields: tuple[Field, ...]
    graphql: str
    table: str = ""
    find: str = ""
    found: str = ""
    criteria: str = ""
    filter_type: str = ""
    modes: tuple[str, ...] = ()
    inside: tuple[str, str] | None = None
    natural: tuple[str, ...] = ("name",)
    label: tuple[str, ...] = ("name",)
    privacy: Privacy = "public"

    def field(self, name: str) -> Field | None:
        """Its field called ``name``."""
        return next((field for field in self.fields if field.name == name), None)

    def names(self) -> tuple[str, ...]:
        """The names of its fields, in order."""
        return tuple(field.name for field in self.fields)


def _text(name: str, **more: object) -> Field:
    return _plain(name, "text", **more)


def _plain(name: str, type_: Type, **more: object) -> Field:
    more.setdefault("column", name)
    more.setdefault("write", name)
    more.setdefault("sheet", (name,))
    return Field(name, type_, **more)  # type: ignore[arg-type]


def _texts(name: str, **more: object) -> Field:
    more.setdefault("write", name)
    more.setdefault("sheet", (name,))
    more.setdefault("role", "set")
    return Field(name, "text", many=True, **more)  # type: ignore[arg-type]


def _urls(**more: object) -> Field:
    return _texts("urls", privacy="identifying", ordered=True, **more)


def _refs(name: str, of: str, **more: object) -> Field:
    more.setdefault("write", f"{of}_ids")
    more.setdefault("sheet", (f"{name}={name}.label",))
    return Field(name, "ref", role="refs", many=True, of=of, **more)  # type: ignore[arg-type]


def _ref(name: str, of: str, **more: object) -> Field:
    more.setdefault("column", f"{name}_id")
    more.setdefault("write", f"{name}_id")
    more.setdefault("sheet", (f"{name}={name}.label",))
    return Field(name, "ref", role="ref", of=of, **more)  # type: ignore[arg-type]


def _rating() -> Field:
    return _plain("rating100", "int", privacy="personal", column="rating", note="0 to 100; 0 is not the same as none")


def _stamps() -> tuple[Field, Field]:
    note = "UTC; Stash sets it itself"
    return (
        _plain("created_at", "time", privacy="personal", write="", writer="", note=note),
        _plain("updated_at", "time", privacy="personal", write="", writer="", note=note),
    )


def _blob(name: str, read: str, column: str, write: str, **more: object) -> Field:
    return Field(
        name, "blob", role="blob", privacy="identifying", read=read, column=column, write=write,
        note="SHA-256 of the image, whose bytes lie under blobs/; only with --blobs", **more,  # type: ignore[arg-type]
    )  # fmt: skip


def _stash_ids(since: str = "0.27") -> Field:
    return Field(
        "stash_ids",
        "part",
        role="set",
        privacy="identifying",
        many=True,
        write="stash_ids",
        since=since,
        key="endpoint",
        sheet=("stash_ids=stash_ids.stash_id",),
        parts=(
            Field("endpoint", "text", column="endpoint"),
            Field("stash_id", "text", column="stash_id"),
            Field("updated_at", "time", privacy="personal", column="updated_at", since="0.28"),
        ),
    )


def _custom_fields(since: str) -> Field:
    return Field(
        "custom_fields",
        "map",
        role="value",
        privacy="personal",
        write="custom_fields",
        since=since,
        sheet=("custom_fields",),
        note="name to text or number",
    )


def _fact(name: str, type_: Type, privacy: Privacy = "public", **more: object) -> Field:
    more.setdefault("column", name)
    return Field(name, type_, privacy=privacy, writer="", **more)  # type: ignore[arg-type]


FINGERPRINTS = Field(
    "fingerprints",
    "part",
    role="set",
    privacy="identifying",
    many=True,
    key="type",
    writer="fileSetFingerprints",
    note="as Stash shows them: phash is hexadecimal text, never a number",
    parts=(Field("type", "text"), Field("value", "text")),
)

_FILE = (
    _fact("id", "text", "personal"),
    _fact("path", "text", "path"),
    _fact("zip_file", "text", "path", read="zip_file.path", since="0.28", note="path of the zip this file lies in"),
    _fact("size", "int", "identifying", note="bytes"),
    _fact("mod_time", "time", "personal"),
)
_VIDEO = (
    _fact("format", "text"),
    _fact("width", "int", note="pixels"),
    _fact("height", "int", note="pixels"),
    _fact("duration", "float", note="seconds"),
    _fact("video_codec", "text"),
    _fact("audio_codec", "text"),
    _fact("frame_rate", "float", note="frames a second"),
    _fact("bit_rate", "int", "identifying", note="bits a second"),
)
_FILE_END = (
    FINGERPRINTS,
    _fact("created_at", "time", "personal"),
    _fact("updated_at", "time", "personal"),
)


def _files(parts: tuple[Field, ...], read: str, sheet: tuple[str, ...]) -> Field:
    return Field(
        "files",
        "part",
        role="set",
        many=True,
        ordered=True,
        read=read,
        parts=_FILE + parts + _FILE_END,
        writer="",
        sheet=sheet,
        note="the primary file first, the others by id; facts of the scan",
    )


TAG = Kind(
    "tag", "tags", graphql="Tag", table="tags",
    find="findTags", found="tags", criteria="tag_filter", filter_type="TagFilterType", modes=("TAGS",),
    fields=(
        _text("name"),
        _text("sort_name", since="0.28"),
        _text("description"),
        _texts("aliases"),
        _refs("parents", "tag", write="parent_ids"),
        _plain("favorite", "bool", privacy="personal"),
        _plain("ignore_auto_tag", "bool", privacy="personal"),
        _stash_ids(since="0.30"),
        _custom_fields("0.31"),
        *_stamps(),
        _blob("image", "image_path", "image_blob", "image"),
    ),
)  # fmt: skip

STUDIO = Kind(
    "studio", "studios", graphql="Studio", table="studios",
    find="findStudios", found="studios", criteria="studio_filter", filter_type="StudioFilterType",
    modes=("STUDIOS",),
    fields=(
        _text("name"),
        _texts("aliases"),
        _ref("parent", "studio", read="parent_studio"),
        _text("details"),
        _urls(since="0.30"),
        _rating(),
        _plain("favorite", "bool", privacy="personal"),
        _plain("ignore_auto_tag", "bool", privacy="personal"),
        _plain("organized", "bool", since="0.31"),
        _refs("tags", "tag"),
        _stash_ids(),
        _custom_fields("0.31"),
        *_stamps(),
        _blob("image", "image_path", "image_blob", "image"),
    ),
)  # fmt: skip

PERFORMER = Kind(
    "performer", "performers", graphql="Performer", table="performers",
    find="findPerformers", found="performers", criteria="performer_filter", filter_type="PerformerFilterType",
    modes=("PERFORMERS",), natural=("name", "disambiguation"),
    fields=(
        _text("name", note="at the level public: a pseudonym, the same all through one export"),
        _text("disambiguation", privacy="identifying"),
        _texts("aliases", privacy="identifying", read="alias_list", write="alias_list"),
        _plain("gender", "enum", privacy="identifying"),
        _plain("birthdate", "date", privacy="identifying"),
        _plain("death_date", "date", privacy="identifying"),
        _text("ethnicity", privacy="identifying"),
        _text("country", privacy="identifying"),
        _text("eye_color", privacy="identifying"),
        _text("hair_color", privacy="identifying"),
        _plain("height_cm", "int", privacy="identifying", column="height"),
        _plain("weight", "int", privacy="identifying", note="kilograms"),
        _text("measurements", privacy="identifying"),
        _text("fake_tits", privacy="identifying"),
        _plain("penis_length", "float", privacy="identifying", note="centimetres"),
        _plain("circumcised", "enum", privacy="identifying"),
        _text("career_length", privacy="identifying"),
        _plain("career_start", "date", privacy="identifying", since="0.31"),
        _plain("career_end", "date", privacy="identifying", since="0.31"),
        _text("tattoos", privacy="identifying"),
        _text("piercings", privacy="identifying"),
        _text("details", privacy="identifying"),
        _urls(),
        _rating(),
        _plain("favorite", "bool", privacy="personal"),
        _plain("ignore_auto_tag", "bool", privacy="personal"),
        _refs("tags", "tag", privacy="identifying"),
        _stash_ids(),
        _custom_fields("0.28"),
        *_stamps(),
        _blob("image", "image_path", "image_blob", "image"),
    ),
)  # fmt: skip

GROUP = Kind(
    "group", "groups", graphql="Group", table="groups",
    find="findGroups", found="groups", criteria="group_filter", filter_type="GroupFilterType",
    modes=("GROUPS", "MOVIES"),
    fields=(
        _text("name"),
        _text("aliases", note="one text, as Stash keeps it"),
        _plain("date", "date"),
        _plain("duration", "int", note="seconds"),
        _rating(),
        _text("director", privacy="identifying"),
        _text("synopsis", column="description"),
        _urls(),
        _ref("studio", "studio"),
        _refs("tags", "tag"),
        Field(
            "containing_groups", "part", role="refs", many=True, key="group", write="containing_groups",
            sheet=("containing_groups=containing_groups.group.label",),
            parts=(Field("group", "ref", role="ref", of="group"), Field("description", "text")),
        ),
        Field(
            "sub_groups", "part", role="refs", many=True, ordered=True, key="group", write="sub_groups", pulls=False,
            sheet=("sub_groups=sub_groups.group.label",),
            parts=(Field("group", "ref", role="ref", of="group", pulls=False), Field("description", "text")),
        ),
        _custom_fields("0.31"),
        *_stamps(),
        _blob("front_image", "front_image_path", "front_image_blob", "front_image"),
        _blob("back_image", "back_image_path", "back_image_blob", "back_image"),
    ),
)  # fmt: skip

GALLERY = Kind(
    "gallery", "galleries", graphql="Gallery", table="galleries",
    find="findGalleries", found="galleries", criteria="gallery_filter", filter_type="GalleryFilterType",
    modes=("GALLERIES",), natural=("files", "folder", "title"), label=("title", "files.path", "folder"),
    fields=(
        _text("title"),
        _text("code"),
        _plain("date", "date"),
        _text("details"),
        _text("photographer", privacy="identifying"),
        _urls(),
        _rating(),
        _plain("organized", "bool"),
        _ref("studio", "studio"),
        _refs("performers", "performer"),
        _refs("tags", "tag"),
        Field("folder", "text", privacy="path", read="folder.path", writer="", sheet=("folder",),
              note="path, when the gallery is a folder of images"),
        _files((), "files", ("files=files.path",)),
        Field("cover", "ref", role="ref", of="image", pulls=False, writer="setGalleryCover",
              note="through GraphQL: the cover Stash shows, chosen or not; from the database: the chosen one"),
        _custom_fields("0.31"),
        *_stamps(),
    ),
)  # fmt: skip

CHAPTER = Kind(
    "chapter", "chapters", graphql="GalleryChapter", table="galleries_chapters",
    inside=("gallery", "chapters"), natural=("gallery", "image_index"), label=("title",),
    fields=(
        Field("gallery", "ref", role="owner", of="gallery", column="gallery_id", write="gallery_id",
              sheet=("gallery=gallery.label",)),
        _text("title"),
        _plain("image_index", "int", note="counted from 1"),
        *_stamps(),
    ),
)  # fmt: skip

SCENE = Kind(
    "scene", "scenes", graphql="Scene", table="scenes",
    find="findScenes", found="scenes", criteria="scene_filter", filter_type="SceneFilterType", modes=("SCENES",),
    natural=("files", "stash_ids", "title"), label=("title", "files.path"),
    fields=(
        _text("title"),
        _text("code"),
        _plain("date", "date"),
        _text("details"),
        _text("director", privacy="identifying"),
        _urls(),
        _rating(),
        _plain("organized", "bool"),
        _ref("studio", "studio"),
        _refs("performers", "performer"),
        _refs("tags", "tag"),
        Field(
            "groups", "part", role="refs", many=True, key="group", write="groups",
            sheet=("groups=groups.group.label",),
            parts=(
                Field("group", "ref", role="ref", of="group", column="group_id"),
                Field("scene_index", "int", column="scene_index"),
            ),
        ),
        _refs("galleries", "gallery", write="gallery_ids"),
        _stash_ids(),
        _custom_fields("0.31"),
        Field("play_history", "time", role="log", privacy="personal", many=True, writer="sceneAddPlay",
              sheet=("play_count=play_history.count", "last_played_at=play_history.last"), note="UTC, to the second"),
        Field("o_history", "time", role="log", privacy="personal", many=True, writer="sceneAddO",
              sheet=("o_count=o_history.count",), note="UTC, to the second"),
        _plain("resume_time", "float", privacy="personal", writer="sceneSaveActivity", note="seconds"),
        _plain("play_duration", "float", privacy="personal", note="seconds"),
        _files(
            _VIDEO, "files",
            ("path=files.path", "size=files.size", "duration=files.duration", "width=files.width",
             "height=files.height", "video_codec=files.video_codec", "audio_codec=files.audio_codec",
             "frame_rate=files.frame_rate", "bit_rate=files.bit_rate", "oshash=files.fingerprints.oshash",
             "phash=files.fingerprints.phash"),
        ),
        Field(
            "captions", "part", role="set", many=True, key="language_code", writer="",
            sheet=("captions=captions.language_code",),
            parts=(Field("language_code", "text", column="language_code"),
                   Field("caption_type", "text", column="caption_type")),
            note="of the primary file; facts of the scan",
        ),
        Field("interactive", "bool", writer="", sheet=("interactive",), note="of the primary file; a fact of the scan"),
        Field("interactive_speed", "int", writer="", note="of the primary file"),
        *_stamps(),
        _blob("cover", "paths.screenshot", "cover_blob", "cover_image"),
    ),
)  # fmt: skip

MARKER = Kind(
    "marker", "markers", graphql="SceneMarker", table="scene_markers",
    find="findSceneMarkers", found="scene_markers", criteria="scene_marker_filter",
    filter_type="SceneMarkerFilterType", modes=("SCENE_MARKERS",),
    natural=("scene", "seconds", "title", "primary_tag"), label=("title",),
    fields=(
        Field("scene", "ref", role="owner", of="scene", column="scene_id", write="scene_id",
              sheet=("scene=scene.label",)),
        _text("title"),
        _plain("seconds", "float", note="start"),
        _plain("end_seconds", "float", since="0.28"),
        _ref("primary_tag", "tag"),
        _refs("tags", "tag"),
        *_stamps(),
    ),
)  # fmt: skip

IMAGE = Kind(
    "image", "images", graphql="Image", table="images",
    find="findImages", found="images", criteria="image_filter", filter_type="ImageFilterType", modes=("IMAGES",),
    natural=("files",), label=("title", "files.path"),
    fields=(
        _text("title"),
        _text("code"),
        _plain("date", "date"),
        _text("details"),
        _text("photographer", privacy="identifying"),
        _urls(),
        _rating(),
        _plain("organized", "bool"),
        _ref("studio", "studio"),
        _refs("performers", "performer"),
        _refs("tags", "tag"),
        _refs("galleries", "gallery", write="gallery_ids"),
        _plain("o_counter", "int", privacy="personal", writer="imageIncrementO", write=""),
        _files(_VIDEO, "visual_files",
               ("path=files.path", "size=files.size", "width=files.width", "height=files.height")),
        _custom_fields("0.31"),
        *_stamps(),
    ),
)  # fmt: skip

SAVED_FILTER = Kind(
    "saved_filter", "saved_filters", graphql="SavedFilter", table="saved_filters",
    find="findSavedFilters", natural=("mode", "name"), privacy="personal",
    fields=(
        _plain("mode", "enum", privacy="personal"),
        _text("name", privacy="personal"),
        _plain("find_filter", "json", privacy="personal", role="value"),
        _plain("object_filter", "json", privacy="personal", role="value",
               note="in the form Stash's page keeps, not the GraphQL form"),
        _plain("ui_options", "json", privacy="personal", role="value"),
    ),
)  # fmt: skip

CONFIG = Kind(
    "config", "config", graphql="ConfigResult", natural=("group",), label=("group",), privacy="personal",
    fields=(
        Field("group", "text", privacy="personal", sheet=("group",), writer=""),
        Field("settings", "json", privacy="personal", sheet=("settings",), writer="configure",
              note="only what CONFIG_TYPES and UI_KEYS list; of plugins only numbers and switches"),
    ),
)  # fmt: skip

KINDS: dict[str, Kind] = {
    kind.name: kind
    for kind in (
        SCENE, MARKER, IMAGE, GALLERY, CHAPTER, GROUP, PERFORMER, STUDIO, TAG, SAVED_FILTER, CONFIG,
    )
}  # fmt: skip
"""Every kind, each before the kinds it refers to: an export writes them in this order, so that one pass
knows what the records before have referred to."""

PARTS_OF: dict[str, tuple[str, str]] = {"marker": ("scene", "scene"), "chapter": ("gallery", "gallery")}
"""The kinds that belong to a record of another kind: kind → (owner's kind, the field that names it)."""

LEFT_OUT: dict[str, dict[str, str]] = {
    "Tag": {
        "children": "the other end of parents",
        "parent_count": "counted from parents",
        "child_count": "counted from parents",
        "image_path": "the address of image",
    },
    "Studio": {
        "url": "deprecated: the first of urls (0.27 to 0.29 have only this one; read as urls)",
        "child_studios": "the other end of parent",
        "image_path": "the address of image",
        "groups": "the other end of group.studio",
        "movies": "deprecated: groups",
        "o_counter": "counted from scenes",
    },
    "Performer": {
        "url": "deprecated: in urls",
        "twitter": "deprecated: in urls",
        "instagram": "deprecated: in urls",
        "image_path": "the address of image",
        "scenes": "the other end of scene.performers",
        "groups": "known from scenes",
        "movies": "deprecated: groups",
        "o_counter": "counted from scenes and images",
        "performer_count": "counted from scenes",
    },
    "Group": {
        "front_image_path": "the address of front_image",
        "back_image_path": "the address of back_image",
        "scenes": "the other end of scene.groups",
        "o_counter": "counted from scenes",
        "performer_count": "counted from scenes",
        "sub_group_count": "counted from sub_groups",
    },
    "GroupDescription": {},
    "SceneGroup": {},
    "Gallery": {
        "url": "deprecated: in urls",
        "chapters": "a kind of its own",
        "scenes": "the other end of scene.galleries",
        "image_count": "counted from images",
        "paths": "addresses of generated pictures",
        "image": "one image by its number",
    },
    "GalleryChapter": {},
    "Scene": {
        "url": "deprecated: in urls",
        "movies": "deprecated: groups",
        "o_counter": "counted from o_history",
        "play_count": "counted from play_history",
        "last_played_at": "the last of play_history",
        "paths": "addresses of generated files, with keys in them",
        "sceneStreams": "addresses of streams, with keys in them",
        "scene_markers": "a kind of its own",
    },
    "SceneMarker": {
        "stream": "the address of a generated file",
        "preview": "the address of a generated file",
        "screenshot": "the address of a generated file",
    },
    "Image": {
        "url": "deprecated: in urls",
        "files": "deprecated: visual_files",
        "paths": "addresses of generated files",
    },
    "SavedFilter": {"filter": "deprecated: always empty"},
    "StashID": {},
    "Fingerprint": {},
    "VideoCaption": {},
    "Folder": dict.fromkeys(
        ("parent_folder_id", "zip_file_id", "parent_folder", "parent_folders", "zip_file", "mod_time", "basename",
         "created_at", "updated_at"),
        "facts of the folder that a scan makes again; path is kept",
    ),
    **{
        file: {
            "basename": "the end of path",
            "parent_folder_id": "known from path",
            "parent_folder": "known from path",
            "zip_file_id": "deprecated: zip_file",
            "fingerprint": "one of fingerprints",
        }
        for file in ("VideoFile", "ImageFile", "GalleryFile")
    },
    "BasicFile": dict.fromkeys(
        ("basename", "parent_folder_id", "parent_folder", "zip_file_id", "zip_file", "size", "mod_time", "fingerprint",
         "fingerprints", "created_at", "updated_at"),
        "facts of a zip that holds other files; its path is kept",
    ),
}  # fmt: skip
"""GraphQL types and their fields that are not exported, each with its reason. ``*_count`` fields with a depth
argument are counts of other records and are left out by rule."""

LEFT_OUT_COUNTS = "counted from other records"

CONFIG_TYPES: dict[str, tuple[str, dict[str, str]]] = {
    "ConfigGeneralResult": (
        "stashes databasePath backupDirectoryPath deleteTrashPath generatedPath metadataPath scrapersPath"
        " pluginsPath cachePath blobsPath blobsStorage ffmpegPath ffprobePath calculateMD5"
        " videoFileNamingAlgorithm parallelTasks previewAudio previewSegments previewSegmentDuration"
        " previewExcludeStart previewExcludeEnd previewPreset transcodeHardwareAcceleration maxTranscodeSize"
        " maxStreamingTranscodeSize transcodeInputArgs transcodeOutputArgs liveTranscodeInputArgs"
        " liveTranscodeOutputArgs drawFunscriptHeatmapRange writeImageThumbnails createImageClipsFromVideos"
        " maxSessionAge logFile logOut logLevel logAccess logFileMaxSize videoExtensions imageExtensions"
        " galleryExtensions createGalleriesFromFolders galleryCoverRegex excludes imageExcludes"
        " customPerformerImageLocation stashBoxes pythonPath scraperPackageSources pluginPackageSources",
        {
            "apiKey": "secret",
            "username": "secret",
            "password": "secret: the hash of the password",
            "configFilePath": "where this Stash runs; cannot be set",
        },
    ),
    "StashConfig": ("path excludeVideo excludeImage", {}),
    "StashBox": ("endpoint name max_requests_per_minute", {"api_key": "secret"}),
    "PackageSource": ("name local_path", {"url": "may hold a token"}),
    "ConfigInterfaceResult": (
        "sfwContentMode menuItems soundOnPreview wallShowTitle wallPlayback showScrubber maximumLoopDuration"
        " noBrowser notificationsEnabled autostartVideo autostartVideoOnPlaySelected continuePlaylistDefault"
        " showStudioAsText css cssEnabled javascriptEnabled customLocales customLocalesEnabled language"
        " imageLightbox disableDropdownCreate funscriptOffset useStashHostedFunscript",
        {
            "javascript": "may hold keys",
            "handyKey": "secret",
            "disableCustomizations": "a switch for troubleshooting",
        },
    ),
    "ConfigImageLightboxResult": (
        "slideshowDelay displayMode scaleUp resetZoomOnNav scrollMode scrollAttemptsBeforeChange disableAnimation",
        {},
    ),
    "ConfigDisableDropdownCreate": ("performer tag studio movie gallery", {}),
    "ConfigDLNAResult": ("serverName enabled port whitelistedIPs interfaces videoSortOrder", {}),
    "ConfigScrapingResult": (
        "scraperUserAgent scraperCertCheck excludeTagPatterns",
        {"scraperCDPPath": "may hold a password"},
    ),
    "ConfigDefaultSettingsResult": ("scan identify autoTag generate deleteFile deleteGenerated", {}),
    "ScanMetadataOptions": (
        "rescan scanGenerateCovers scanGeneratePreviews scanGenerateImagePreviews scanGenerateSprites"
        " scanGeneratePhashes scanGenerateThumbnails scanGenerateClipPreviews",
        {},
    ),
    "IdentifyMetadataTaskOptions": ("sources options", {}),
    "IdentifySource": ("source options", {}),
    "ScraperSource": (
        "stash_box_endpoint scraper_id",
        {"stash_box_index": "deprecated: stash_box_endpoint"},
    ),
    "IdentifyMetadataOptions": (
        "fieldOptions setCoverImage setOrganized includeMalePerformers skipMultipleMatches skipMultipleMatchTag"
        " skipSingleNamePerformers skipSingleNamePerformerTag",
        {},
    ),
    "IdentifyFieldOptions": ("field strategy createMissing", {}),
    "AutoTagMetadataOptions": ("performers studios tags", {}),
    "GenerateMetadataOptions": (
        "covers sprites previews imagePreviews previewOptions markers markerImagePreviews markerScreenshots"
        " transcodes phashes interactiveHeatmapsSpeeds imageThumbnails clipPreviews",
        {},
    ),
    "GeneratePreviewOptions": (
        "previewSegments previewSegmentDuration previewExcludeStart previewExcludeEnd previewPreset",
        {},
    ),
}
"""Configuration by GraphQL type: the fields that are exported (an allow-list), and those that are not and why."""

CONFIG_GROUPS: dict[str, str] = {
    "general": "ConfigGeneralResult",
    "interface": "ConfigInterfaceResult",
    "dlna": "ConfigDLNAResult",
    "scraping": "ConfigScrapingResult",
    "defaults": "ConfigDefaultSettingsResult",
    "ui": "",
    "plugins": "",
}
"""The groups of ``configuration``, and their GraphQL types ("" for free maps)."""

UI_KEYS = frozenset(
    "frontPageContent showChildTagContent showChildStudioContent showLinksOnPerformerCard showTagCardOnHover"
    " abbreviateCounters ratingSystemOptions enableMovieBackgroundImage enablePerformerBackgroundImage"
    " enableStudioBackgroundImage enableTagBackgroundImage compactExpandedDetails showAllDetails"
    " enableChromecast disableMobileMediaAutoRotateEnabled showRangeMarkers alwaysStartFromBeginning"
    " trackActivity minimumPlayPercent showAbLoopControls maxOptionsShown imageWallOptions lastNoteSeen vrTag"
    " pinnedFilters tableColumns advancedMode taskDefaults defaultFilters title".split()
)
"""The keys of the page's own settings that are exported. Any other key (plugins put theirs there) is not."""


def kinds() -> Iterator[Kind]:
    """Every kind, in the order an export writes them."""
    yield from KINDS.values()


def by_plural() -> Mapping[str, Kind]:
    """Kinds by their plural, as files are named."""
    return {kind.plural: kind for kind in KINDS.values()}


def plural(kind: str, count: int) -> str:
    """The name of ``kind`` for ``count`` records of it, for people."""
    name = KINDS[kind].plural if count != 1 or kind == "config" else kind
    return name.replace("_", " ")


def references(kind: Kind) -> Iterator[tuple[Field, Field | None]]:
    """The fields of ``kind`` that refer to records: the field, and its part that is the reference if composite."""
    for field in kind.fields:
        if field.type == "ref":
            yield field, None
        for part in field.parts:
            if part.type == "ref":
                yield field, part


def allowed(kind: Kind, level: str) -> tuple[Field, ...]:
    """The fields of ``kind`` that the privacy ``level`` lets out; none when the whole kind is held back."""
    classes = LEVELS[level]
    if kind.privacy not in classes:
        return ()
    return tuple(field for field in kind.fields if field.privacy in classes)
