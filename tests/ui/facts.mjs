// What the backend tells the page, small: two kinds, and the rest by name only.

const field = (name, more = {}) => ({
  name,
  type: "text",
  many: false,
  of: "",
  note: "",
  privacy: "public",
  since: "0.27",
  parts: [],
  ...more,
});

export const SCENE = {
  name: "scene",
  plural: "scenes",
  label: "Scenes",
  filterable: true,
  mode: "SCENES",
  narrows: ["tags", "performers", "studios", "date", "rating"],
  fields: [
    field("title", { sheet: ["title"] }),
    field("rating100", { type: "int", sheet: ["rating100"] }),
    field("tags", { type: "ref", many: true, of: "tag", sheet: ["tags=tags.label"] }),
    field("play_history", {
      type: "time",
      sheet: ["play_count=play_history.count", "last_played_at=play_history.last"],
    }),
    field("custom_fields", { type: "map", since: "0.31", sheet: ["custom_fields"] }),
    field("files", {
      type: "part",
      parts: [field("path"), field("size"), field("zip_file", { since: "0.28" })],
      sheet: ["path=files.path", "size=files.size"],
    }),
    field("cover", { type: "blob", sheet: [] }),
  ],
};
export const TAG = {
  name: "tag",
  plural: "tags",
  label: "Tags",
  filterable: true,
  mode: "TAGS",
  narrows: [],
  fields: [field("name"), field("aliases")],
};
export const CONFIG = {
  name: "config",
  plural: "config",
  label: "Configuration",
  filterable: false,
  mode: "",
  narrows: [],
  fields: [field("settings")],
};

const CATALOGUE = { name: "Catalogue", record: "# {{ label }}", ending: "md", escape: "markdown", kinds: ["scene", "tag"] };
const GALLERY = { name: "Gallery", record: "<li>{{ title }}", ending: "html", escape: "html", kinds: ["scene"], images: true };
const MINE = { name: "Mine", record: "{{ name }}", ending: "txt", escape: "none", kinds: ["tag"] };

export const FACTS = {
  kinds: [SCENE, TAG, CONFIG],
  levels: {
    full: { words: "all", hides: {}, whole: [] },
    public: {
      words: "least",
      hides: { scene: ["rating100", "play_history", "files.path"], tag: ["aliases"] },
      whole: ["config"],
    },
    share: { words: "less", hides: { scene: ["files.path", "custom_fields"] }, whole: ["config"] },
  },
  formats: { csv: "commas", json: "one document", nfo: "files", template: "anything", yaml: "documents" },
  closures: { direct: "some", full: "all", none: "no more" },
  profiles: [
    { name: "lend", title: "Lend", description: "" },
    { name: "give", title: "Give", description: "", privacy: "share" },
  ],
  defaults: { format: "json", privacy: "full", kinds: "" },
  version: "v0.30.1",
  media: {
    profiles: { emby: "Emby", jellyfin: "Jellyfin", kodi: "Kodi" },
    libraries: ["/data/films"],
    roots: [],
    folder: "/stash/portability/exports/media-server",
    foreign: { merge: "joined", keep: "left" },
  },
  templates: [
    { name: "catalogue", title: "Catalogue", description: "all", own: false, template: CATALOGUE },
    { name: "gallery", title: "Gallery", description: "pictures", own: false, template: GALLERY },
    { name: "mine", title: "Mine", description: "", own: true, template: MINE },
  ],
};

/** A storage as the browser's, over an object. */
export const storage = (kept = {}) => ({
  kept,
  getItem: (key) => kept[key] ?? null,
  setItem: (key, value) => void (kept[key] = value),
});
