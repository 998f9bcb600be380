"""A stand-in for a Stash in this process: answers GraphQL from dictionaries, and refuses any query that the
subset of the schema below (written by hand, with only what is used) does not allow.

It is not a second Stash: it knows ids, pages, and of criteria only ``id``, ``is_missing`` and ``scenes``.
"""

from __future__ import annotations

import functools
import io
import json
from collections.abc import Callable, Mapping
from typing import Any

from graphql import GraphQLError, GraphQLSchema, build_schema, graphql_sync

from stash_portability.kinds import KINDS
from stash_portability.libraries import stash_address
from stash_portability.libraries.stash_answers import Answer, data_of

# Lines that end in "#30" are there from Stash 0.28 to 0.30 on, "#31" from 0.31 on.
SDL = """
scalar Time
scalar Map
scalar Int64
scalar PluginConfigMap
enum SortDirectionEnum { ASC DESC }
enum CriterionModifier { EQUALS NOT_EQUALS GREATER_THAN LESS_THAN INCLUDES INCLUDES_ALL EXCLUDES IS_NULL NOT_NULL }
enum FilterMode { SCENES PERFORMERS STUDIOS GALLERIES SCENE_MARKERS MOVIES GROUPS TAGS IMAGES }
enum GenderEnum { MALE FEMALE }
enum CircumisedEnum { CUT UNCUT }
enum SystemStatusEnum { SETUP NEEDS_MIGRATION OK }
input FindFilterType { q: String page: Int per_page: Int sort: String direction: SortDirectionEnum }
input IntCriterionInput { value: Int! value2: Int modifier: CriterionModifier! }
input StringCriterionInput { value: String! modifier: CriterionModifier! }
input MultiCriterionInput { value: [ID!] modifier: CriterionModifier! excludes: [ID!] }
input HierarchicalMultiCriterionInput { value: [ID!] modifier: CriterionModifier! depth: Int excludes: [ID!] }
input SceneFilterType {
  AND: SceneFilterType
  OR: SceneFilterType
  NOT: SceneFilterType
  id: IntCriterionInput
  title: StringCriterionInput
  organized: Boolean
  is_missing: String
  tags: HierarchicalMultiCriterionInput
}
input ImageFilterType { id: IntCriterionInput }
input GalleryFilterType { id: IntCriterionInput has_chapters: String }
input SceneMarkerFilterType { scenes: MultiCriterionInput }
input TagFilterType { name: StringCriterionInput }
input StudioFilterType { name: StringCriterionInput }
input PerformerFilterType { name: StringCriterionInput }
input GroupFilterType { name: StringCriterionInput }

type StashID {
  endpoint: String!
  stash_id: String!
  updated_at: Time! #30
}
type Fingerprint { type: String! value: String! }
type VideoCaption { language_code: String! caption_type: String! }
type BasicFile { id: ID! path: String! }
type Folder { id: ID! path: String! }
type VideoFile {
  id: ID!
  path: String!
  zip_file: BasicFile #30
  mod_time: Time!
  size: Int64!
  fingerprints: [Fingerprint!]!
  format: String!
  width: Int!
  height: Int!
  duration: Float!
  video_codec: String!
  audio_codec: String!
  frame_rate: Float!
  bit_rate: Int!
  created_at: Time!
  updated_at: Time!
}
type ImageFile {
  id: ID!
  path: String!
  zip_file: BasicFile #30
  mod_time: Time!
  size: Int64!
  fingerprints: [Fingerprint!]!
  format: String! #30
  width: Int!
  height: Int!
  created_at: Time!
  updated_at: Time!
}
type GalleryFile {
  id: ID!
  path: String!
  zip_file: BasicFile #30
  mod_time: Time!
  size: Int64!
  fingerprints: [Fingerprint!]!
  created_at: Time!
  updated_at: Time!
}
union VisualFile = VideoFile | ImageFile

type Tag {
  id: ID!
  name: String!
  sort_name: String #30
  description: String
  aliases: [String!]!
  ignore_auto_tag: Boolean!
  favorite: Boolean!
  stash_ids: [StashID!]! #30
  custom_fields: Map! #31
  image_path: String
  parents: [Tag!]!
  created_at: Time!
  updated_at: Time!
}
type Studio {
  id: ID!
  name: String!
  url: String
  urls: [String!]! #30
  parent_studio: Studio
  aliases: [String!]!
  tags: [Tag!]!
  ignore_auto_tag: Boolean!
  image_path: String
  stash_ids: [StashID!]!
  rating100: Int
  favorite: Boolean!
  organized: Boolean! #31
  details: String
  custom_fields: Map! #31
  created_at: Time!
  updated_at: Time!
}
type Performer {
  id: ID!
  name: String!
  disambiguation: String
  urls: [String!]
  gender: GenderEnum
  birthdate: String
  ethnicity: String
  country: String
  eye_color: String
  height_cm: Int
  measurements: String
  fake_tits: String
  penis_length: Float
  circumcised: CircumisedEnum
  career_length: String
  tattoos: String
  piercings: String
  alias_list: [String!]!
  favorite: Boolean!
  tags: [Tag!]!
  ignore_auto_tag: Boolean!
  image_path: String
  stash_ids: [StashID!]!
  rating100: Int
  details: String
  death_date: String
  hair_color: String
  weight: Int
  custom_fields: Map! #30
  created_at: Time!
  updated_at: Time!
}
type GroupDescription { group: Group! description: String }
type Group {
  id: ID!
  name: String!
  aliases: String
  duration: Int
  date: String
  rating100: Int
  studio: Studio
  director: String
  synopsis: String
  urls: [String!]!
  tags: [Tag!]!
  containing_groups: [GroupDescription!]!
  sub_groups: [GroupDescription!]!
  front_image_path: String
  back_image_path: String
  custom_fields: Map! #31
  created_at: Time!
  updated_at: Time!
}
type GalleryChapter {
  id: ID!
  gallery: Gallery!
  title: String!
  image_index: Int!
  created_at: Time!
  updated_at: Time!
}
type Gallery {
  id: ID!
  title: String
  code: String
  urls: [String!]!
  date: String
  details: String
  photographer: String
  rating100: Int
  organized: Boolean!
  files: [GalleryFile!]!
  folder: Folder
  chapters: [GalleryChapter!]!
  studio: Studio
  tags: [Tag!]!
  performers: [Performer!]!
  cover: Image
  custom_fields: Map! #31
  created_at: Time!
  updated_at: Time!
}
type ScenePathsType { screenshot: String }
type SceneGroup { group: Group! scene_index: Int }
type Scene {
  id: ID!
  title: String
  code: String
  details: String
  director: String
  urls: [String!]!
  date: String
  rating100: Int
  organized: Boolean!
  interactive: Boolean!
  interactive_speed: Int
  captions: [VideoCaption!]
  resume_time: Float
  play_duration: Float
  play_history: [Time!]!
  o_history: [Time!]!
  files: [VideoFile!]!
  paths: ScenePathsType!
  galleries: [Gallery!]!
  studio: Studio
  groups: [SceneGroup!]!
  tags: [Tag!]!
  performers: [Performer!]!
  stash_ids: [StashID!]!
  custom_fields: Map! #31
  created_at: Time!
  updated_at: Time!
}
type SceneMarker {
  id: ID!
  scene: Scene!
  title: String!
  seconds: Float!
  end_seconds: Float #30
  primary_tag: Tag!
  tags: [Tag!]!
  created_at: Time!
  updated_at: Time!
}
type Image {
  id: ID!
  title: String
  code: String
  rating100: Int
  urls: [String!]!
  date: String
  details: String
  photographer: String
  o_counter: Int
  organized: Boolean!
  visual_files: [VisualFile!]!
  galleries: [Gallery!]!
  studio: Studio
  tags: [Tag!]!
  performers: [Performer!]!
  custom_fields: Map! #31
  created_at: Time!
  updated_at: Time!
}
type SavedFindFilterType { q: String page: Int per_page: Int sort: String direction: SortDirectionEnum }
type SavedFilter {
  id: ID!
  mode: FilterMode!
  name: String!
  find_filter: SavedFindFilterType
  object_filter: Map
  ui_options: Map
}
type FindScenes { count: Int! scenes: [Scene!]! }
type FindMarkers { count: Int! scene_markers: [SceneMarker!]! }
type FindImages { count: Int! images: [Image!]! }
type FindGalleries { count: Int! galleries: [Gallery!]! }
type FindGroups { count: Int! groups: [Group!]! }
type FindPerformers { count: Int! performers: [Performer!]! }
type FindStudios { count: Int! studios: [Studio!]! }
type FindTags { count: Int! tags: [Tag!]! }
type StashConfig { path: String! excludeVideo: Boolean! excludeImage: Boolean! }
type StashBox { endpoint: String! api_key: String! name: String! }
type ConfigGeneralResult {
  stashes: [StashConfig!]!
  stashBoxes: [StashBox!]!
  databasePath: String!
  blobsPath: String!
  blobsStorage: String!
  apiKey: String!
  username: String!
  password: String!
  parallelTasks: Int!
}
type ConfigInterfaceResult { language: String javascript: String handyKey: String }
type ConfigResult {
  general: ConfigGeneralResult!
  interface: ConfigInterfaceResult!
  ui: Map!
  plugins(include: [ID!]): PluginConfigMap!
}
type Version { version: String }
type SystemStatus {
  databaseSchema: Int
  databasePath: String
  status: SystemStatusEnum!
  os: String!
  workingDir: String!
}
type Query {
  findSavedFilters(mode: FilterMode): [SavedFilter!]!
  findScenes(scene_filter: SceneFilterType, ids: [ID!], filter: FindFilterType): FindScenes!
  findSceneMarkers(scene_marker_filter: SceneMarkerFilterType, filter: FindFilterType, ids: [ID!]): FindMarkers! #30
  findSceneMarkers(scene_marker_filter: SceneMarkerFilterType, filter: FindFilterType): FindMarkers! #27
  findImages(image_filter: ImageFilterType, ids: [ID!], filter: FindFilterType): FindImages!
  findGalleries(gallery_filter: GalleryFilterType, filter: FindFilterType, ids: [ID!]): FindGalleries!
  findGroups(group_filter: GroupFilterType, filter: FindFilterType, ids: [ID!]): FindGroups!
  findPerformers(performer_filter: PerformerFilterType, filter: FindFilterType, ids: [ID!]): FindPerformers!
  findStudios(studio_filter: StudioFilterType, filter: FindFilterType, ids: [ID!]): FindStudios!
  findTags(tag_filter: TagFilterType, filter: FindFilterType, ids: [ID!]): FindTags!
  configuration: ConfigResult!
  systemStatus: SystemStatus!
  version: Version!
}
"""

MARKS = {"0.27": ("#27",), "0.30": ("#30",), "0.31": ("#30", "#31")}


@functools.cache
def schema_of(version: str) -> GraphQLSchema:
    """The schema of a stub "0.27", "0.30" or "0.31"."""
    lines = (line for line in SDL.splitlines() if "#" not in line or line.split("#")[1] in _numbers(version))
    return build_schema("\n".join(line.split("#")[0] for line in lines))


@functools.cache
def _types(schema: GraphQLSchema, query: str) -> dict[str, Any]:
    """The answer to an introspection, which is the same each time and slow."""
    return json.loads(json.dumps(graphql_sync(schema, query).formatted))


def _numbers(version: str) -> set[str]:
    return {mark[1:] for mark in MARKS[version]}


class StubStash:
    """A stand-in for a Connection. ``rows`` are objects in GraphQL's form by kind; ``asked`` the queries it got;
    ``before`` is called before each answer, to change something meanwhile."""

    def __init__(self, version: str = "0.30", **rows: list[dict[str, Any]]) -> None:
        self.schema = schema_of(version)
        self.address = stash_address.parse("http://stub.example:9999")
        self.rows = {name: [{**DEFAULTS[name], **row} for row in rows.get(name, [])] for name in DEFAULTS}
        self.bare: set[str] = set()
        self.blobs: dict[str, bytes] = {}
        self.saved: list[dict[str, Any]] = []
        self.configuration: dict[str, Any] = {"general": dict(GENERAL), "interface": {}, "ui": {}, "plugins": {}}
        self.status = {"databaseSchema": 75, "databasePath": "stash-go.sqlite", "status": "OK", "os": "linux",
                       "workingDir": "/srv/stash"}  # fmt: skip
        self.asked: list[tuple[str, Mapping[str, Any]]] = []
        self.before: Callable[[StubStash], None] = lambda stub: None

    def call_GQL(self, query: str, variables: Mapping[str, Any] | None = None) -> dict[str, Any]:  # noqa: N802
        body = self.answer(query, variables or {})
        return data_of(self.address.base, Answer(200, {}, json.dumps(body).encode()))

    def open(self, path: str) -> io.BytesIO:
        return io.BytesIO(self.blobs[path])

    def answer(self, query: str, variables: Mapping[str, Any]) -> dict[str, Any]:
        """The whole answer, as it goes over the wire."""
        self.asked.append((query, json.loads(json.dumps(variables))))
        self.before(self)
        if not variables and query.startswith("query Types{"):
            return _types(self.schema, query)
        values = {"variable_values": dict(variables), "type_resolver": lambda row, *_: row["__typename"]}
        result = graphql_sync(self.schema, query, self._root(), **values)
        return json.loads(json.dumps(result.formatted))

    def _root(self) -> dict[str, Any]:
        finds = {KINDS[name].find: self._finder(name) for name in DEFAULTS if KINDS[name].found}
        return {
            **finds,
            "findSavedFilters": self.saved,
            "configuration": self.configuration,
            "systemStatus": self.status,
            "version": {"version": "v0.30.1"},
        }

    def _finder(self, name: str) -> Callable[..., dict[str, Any]]:
        kind = KINDS[name]

        def find(
            info: Any, filter: Mapping[str, Any] | None = None, ids: list[str] | None = None, **criteria: Any
        ) -> Any:
            rows = self._of_ids(name, ids) if ids else self._matching(name, criteria.get(kind.criteria) or {})
            return {"count": len(rows), kind.found: rows if ids else _page(rows, filter or {})}

        return find

    def _of_ids(self, name: str, ids: list[str]) -> list[dict[str, Any]]:
        by_id = {row["id"]: row for row in self.rows[name]}
        for uid in ids:
            if uid not in by_id:
                raise GraphQLError(f"{name} with id {uid} not found")
        return [by_id[uid] for uid in ids]

    def _matching(self, name: str, criteria: Mapping[str, Any]) -> list[dict[str, Any]]:
        rows = self.rows[name]
        if "id" in criteria:
            compare = {"GREATER_THAN": int.__gt__, "EQUALS": int.__eq__}[criteria["id"]["modifier"]]
            rows = [row for row in rows if compare(int(row["id"]), criteria["id"]["value"])]
        if "is_missing" in criteria:
            rows = [row for row in rows if row["id"] in self.bare]
        if "scenes" in criteria:
            rows = [row for row in rows if row["scene"]["id"] in criteria["scenes"]["value"]]
        if "has_chapters" in criteria:
            rows = [row for row in rows if row["chapters"]]
        if criteria.get("title", {}).get("value") == "[":
            raise GraphQLError("error parsing regexp: missing closing ]")
        return rows


def _page(rows: list[dict[str, Any]], filter_: Mapping[str, Any]) -> list[dict[str, Any]]:
    size, page = filter_.get("per_page", 25), filter_.get("page", 1)
    if filter_.get("sort") == "updated_at":
        rows = sorted(rows, key=lambda row: row["updated_at"], reverse=True)
    else:
        rows = sorted(rows, key=lambda row: int(row["id"]))
    return rows if size < 0 else rows[(page - 1) * size : page * size]


TIME = "2024-01-02T03:04:05Z"
STAMPS = {"created_at": TIME, "updated_at": TIME}
GENERAL = {
    "stashes": [], "stashBoxes": [], "databasePath": "stash-go.sqlite", "blobsPath": "", "blobsStorage": "DATABASE",
    "apiKey": "", "username": "", "password": "", "parallelTasks": 1,
}  # fmt: skip
_COMMON = {"urls": [], "tags": [], "performers": [], "galleries": [], "files": [], "organized": False, **STAMPS}
_NAMED = {"favorite": False, "ignore_auto_tag": False, "stash_ids": [], "tags": [], "aliases": [], "urls": [], **STAMPS}
DEFAULTS: dict[str, dict[str, Any]] = {
    "scene": {**_COMMON, "interactive": False, "play_history": [], "o_history": [], "groups": [], "stash_ids": [],
              "paths": {"screenshot": "http://stub.example/scene/1/screenshot?t=1"}},
    "marker": {"title": "", "seconds": 0, "tags": [], "primary_tag": {"id": "1"}, **STAMPS},
    "image": {**_COMMON, "visual_files": []},
    "gallery": {**_COMMON, "chapters": []},
    "group": {"urls": [], "tags": [], "containing_groups": [], "sub_groups": [], **STAMPS},
    "performer": {**_NAMED, "alias_list": [], "custom_fields": {}},
    "studio": _NAMED,
    "tag": {**_NAMED, "parents": []},
}  # fmt: skip
