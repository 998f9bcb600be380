// What was chosen for a media server, and its part of the order. Pure.
//
// `state` here is the dialog's `state.media`. `rules` are rows {from, to}: a path as Stash has it, and as the other
// side has it; templates take them too.

export const NFO = "nfo";
/** NFO files are made of scenes. */
export const NFO_KIND = "scene";
export const TAGS_BELOW = "below";

const FIRST = { keep: 0, all: 0 };
const known = (value, all, first) => (all.includes(value) ? value : first);

/** What is offered, from what the operation `fields` told: nothing is missing in it. */
export const offered = (facts) => ({ profiles: {}, libraries: [], folder: "", foreign: {}, ...facts.media });

/** The names of the ways with files of others, the one that changes nothing first. */
export const foreignWays = (facts) =>
  Object.keys(offered(facts).foreign).sort((one, other) => (FIRST[one] ?? 1) - (FIRST[other] ?? 1));

/** The state to begin with. That files are removed is never remembered. */
export function beginMedia(facts, kept = {}) {
  const { profiles, folder } = offered(facts);
  const servers = Object.keys(profiles);
  return {
    server: known(kept.server, servers, known("kodi", servers, servers[0] ?? "")),
    beside: kept.beside ?? false,
    folder: kept.folder || folder,
    rules: kept.rules ?? [],
    artwork: kept.artwork ?? true,
    foreign: known(kept.foreign, foreignWays(facts), foreignWays(facts)[0] ?? "keep"),
    movie: kept.movie ?? false,
    genres: known(kept.genres, ["all", "none", TAGS_BELOW], "all"),
    genreTag: kept.genreTag ?? "",
    remove: false,
  };
}

/** What is kept of it. */
export const keptMedia = (state) => Object.fromEntries(Object.entries(state).filter(([name]) => name !== "remove"));

const isHalf = ({ from, to }) => Boolean(from.trim()) !== Boolean(to.trim());
const isFull = ({ from, to }) => Boolean(from.trim() && to.trim());

/** Whether a row of the rules has only one of its two paths. */
export const halfRule = (rules) => rules.some(isHalf);

export const countRules = (rules) => rules.filter(isFull).length;

/** "=" stands between the two paths; a backslash before it would make it a part of the first. */
const escaped = (path) => path.replaceAll("=", "\\=");

/** The rules as the backend takes them: {path: ["/data=/media"]}, or nothing when there are none. */
export function rulesOrder(rules) {
  const told = rules.filter(isFull).map(({ from, to }) => [from.trim().replace(/(?<=.)\\+$/, ""), to.trim()]);
  return told.length ? { path: told.map((pair) => pair.map(escaped).join("=")) } : {};
}

/** The order's part: where, for which server, how. */
export function nfoOrder(state, facts) {
  const { folder } = offered(facts);
  const elsewhere = state.folder.trim() && state.folder.trim() !== folder;
  return {
    format: NFO,
    nfo_profile: state.server,
    ...(state.beside ? { beside_media: true } : elsewhere && { to: state.folder.trim() }),
    ...rulesOrder(state.rules),
    artwork: state.artwork,
    foreign_nfo: state.foreign,
    ...(state.movie && { movie_nfo: true }),
    nfo_genres: state.genres === TAGS_BELOW ? state.genreTag.trim() : state.genres,
    ...(state.remove && { remove_deleted: true }),
  };
}

/** Why there is no order yet: "rules", "genres", or "". */
export function missingMedia(state) {
  if (halfRule(state.rules)) return "rules";
  return state.genres === TAGS_BELOW && !state.genreTag.trim() ? "genres" : "";
}
