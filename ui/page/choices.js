// What was chosen in the dialog, and the order for the backend that it makes. Pure, but for the storage it is given.
//
// The backend decides what is right; here is only what the dialog shows. `context` is what the entry point knows,
// `facts` what the operations `fields` and `status` and Stash's version told. A state is never changed, but made anew.

import { columnsOf, has, specOf, stateOf, treeOf } from "./fields.js";

export const EVERYTHING = "";
export const BY_PROFILE = "";
export const TABLES = ["csv", "tsv"];
const KEPT_UNDER = "stash-portability";
const FORM = "csv";

/** What was chosen of a sort that can be narrowed by, when nothing is. `ids` and `excludes` hold what Stash's pickers
 * give: objects with an id. */
const NO_PICK = Object.freeze({ ids: [], excludes: [], deep: false, all: false });
const NO_RANGE = Object.freeze({ from: "", to: "" });
export const PICKED = ["tags", "performers", "studios"];
export const NO_NARROW = Object.freeze({
  ...Object.fromEntries(PICKED.map((name) => [name, NO_PICK])),
  date: NO_RANGE,
  rating: NO_RANGE,
});

export const kindOf = (facts, name) => facts.kinds.find((kind) => kind.name === name) ?? null;

/** The privacy levels, from the one that lets out most to the strictest: Stash sorts what an operation answers. */
export function levelsOf(facts) {
  const weight = ({ hides, whole }) => (whole?.length ?? 0) * 1000 + Object.values(hides ?? {}).flat().length;
  return Object.keys(facts.levels).sort((one, other) => weight(facts.levels[one]) - weight(facts.levels[other]));
}

/** The scopes that can be chosen, the likeliest first. */
export function scopesOf(state, context, facts) {
  const kind = kindOf(facts, state.kind);
  const own = kind && context.kind === kind.name;
  const filtered = own && context.filter && (Object.keys(context.filter).length > 0 || context.query);
  return [
    ...(own && context.selected?.length ? ["selected"] : []),
    ...(filtered ? ["filter"] : []),
    "all",
    ...(kind?.filterable && kind.mode ? ["saved"] : []),
  ];
}

/** The state for a kind (EVERYTHING: the whole library); what does not depend on the kind stays as it is in `state`. */
export function withKind(state, name, { context, facts, kept }) {
  const usual = kindOf(facts, name)?.filterable ? FORM : facts.defaults?.format;
  const form = [kept.form?.[name || "*"], usual, Object.keys(facts.formats)[0]].find((one) => facts.formats[one]);
  const next = { ...state, kind: name, saved: "", narrow: NO_NARROW, form, profile: "" };
  return { ...next, scope: scopesOf(next, context, facts)[0], off: kept.off?.[name || "*"] ?? [] };
}

/** What does not depend on the kind, to begin with. */
function general(facts, kept) {
  const closures = Object.keys(facts.closures);
  const level = kept.privacy ?? facts.defaults?.privacy;
  return {
    privacy: facts.levels[level] ? level : levelsOf(facts).at(-1),
    closure: [kept.closure, "full", closures[0]].find((one) => closures.includes(one)),
    images: kept.images ?? false,
    bom: kept.bom ?? true,
    safe: kept.safe ?? true,
  };
}

/** The state to begin with. */
export function begin(context, facts, kept) {
  const wanted = context.where ? context.kind : kept.kind;
  return withKind(general(facts, kept), kindOf(facts, wanted)?.name ?? EVERYTHING, { context, facts, kept });
}

/** What `count` is asked for one scope; null when it cannot be counted yet. */
export function scopeOrder(state, scope, context) {
  if (scope === "selected") return { ids: [...context.selected] };
  if (scope === "filter") return { filter: context.filter, ...(context.query && { query: context.query }) };
  if (scope === "saved") return state.saved ? { saved_filter: `${state.kind}:${state.saved}` } : null;
  return {};
}

const idsOf = (things) => things.map((thing) => String(thing.id));
const filled = (range) => Object.fromEntries(Object.entries(range).filter(([, value]) => value !== ""));

function picked(name, { ids, excludes, deep, all }) {
  if (!ids.length && !excludes.length) return null;
  return {
    ...(ids.length && { ids: idsOf(ids) }),
    ...(excludes.length && { excludes: idsOf(excludes) }),
    ...(name !== "performers" && deep && { depth: -1 }),
    ...(name !== "studios" && all && { all: true }),
  };
}

/** Our own filters as the backend takes them, of those the kind has; null when none is on. */
export function narrowOf(state, facts) {
  const narrow = {};
  for (const name of kindOf(facts, state.kind)?.narrows ?? []) {
    const range = NO_NARROW[name] === NO_RANGE && filled(state.narrow[name]);
    const one = range ? Object.keys(range).length > 0 && range : picked(name, state.narrow[name]);
    if (one) narrow[name] = one;
  }
  for (const [end, value] of Object.entries(narrow.rating ?? {})) narrow.rating[end] = Number(value);
  return Object.keys(narrow).length ? narrow : null;
}

/** Whether one sheet for people comes out: only to show what belongs to it, and to write names instead of ids. */
export const isSheet = (state) => state.kind !== EVERYTHING && TABLES.includes(state.form) && !state.images;

/** The state with a profile (or "" for none). The level it asks for, if it is told, is the one shown and sent. */
export function withProfile(state, name, facts) {
  const asks = facts.profiles.find((profile) => profile.name === name)?.privacy;
  const form = name ? BY_PROFILE : state.form || Object.keys(facts.formats)[0];
  return { profile: name, form, privacy: facts.levels[asks] ? asks : state.privacy };
}

/** The trees of fields: of the kind, or of every kind. */
export function treesOf(state, facts) {
  const how = { level: facts.levels[state.privacy], images: state.images, version: facts.version };
  const kinds = state.kind === EVERYTHING ? facts.kinds : [kindOf(facts, state.kind)];
  return kinds.map((kind) => treeOf(kind, how));
}

/** The kinds and fields of the order. */
function what(state, facts) {
  const all = state.kind === EVERYTHING ? facts.kinds.map((kind) => kind.name) : [state.kind];
  if (state.profile && state.kind === EVERYTHING) return {};
  if (state.profile) return { kinds: all[0] };
  const trees = treesOf(state, facts);
  const columns = isSheet(state) && columnsOf(trees[0], state.off);
  if (columns) return { kinds: state.kind, profile: { kinds: { [state.kind]: { columns } } } };
  const left = trees.filter((tree) => tree.blocked || stateOf(tree, state.off) !== "off").map((tree) => tree.path);
  const specs = trees.map((tree) => specOf(tree, state.off)).filter(Boolean);
  return { kinds: (left.length ? left : all).join(","), ...(specs.length && { fields: specs }) };
}

function style(state) {
  const table = TABLES.includes(state.form);
  const format = state.form !== BY_PROFILE && { format: state.form };
  if (state.profile) return { ...format };
  return {
    ...format,
    ...(table && state.bom && { bom: true }),
    ...(table && state.safe && { csv_safe: true }),
    ...(state.images && { blobs: true }),
    ...(!isSheet(state) && { closure: state.closure }),
  };
}

/** The order. The privacy level is always in it, so that none but the one shown can hold. */
export function orderOf(state, context, facts) {
  const narrow = narrowOf(state, facts);
  return {
    ...what(state, facts),
    ...(state.kind !== EVERYTHING && scopeOrder(state, state.scope, context)),
    ...(narrow && { narrow }),
    ...(state.profile && { profile: state.profile }),
    ...style(state),
    privacy: state.privacy,
  };
}

const DAY = /^\d{4}(-\d\d){0,2}$/;

/** Whether there is such a year, month or day; the 31st of February is read as one of March. */
const isDay = (text) =>
  text === "" || (DAY.test(text) && !Number.isNaN(Date.parse(text)) && new Date(text).toISOString().startsWith(text));
const isRating = (text) => /^\d*$/.test(text) && Number(text) <= 100;

/** Why there is no order yet: "saved" (none chosen), "date" or "rating" (not wholly typed, or none), "fields" (none
 * checked), or "". */
export function missing(state, facts) {
  if (state.scope === "saved" && !state.saved) return "saved";
  if (!Object.values(state.narrow.date).every(isDay)) return "date";
  if (!Object.values(state.narrow.rating).every(isRating)) return "rating";
  if (state.profile) return "";
  const open = treesOf(state, facts).filter((tree) => !tree.blocked);
  return open.length && open.every((tree) => stateOf(tree, state.off) === "off") ? "fields" : "";
}

/** What the privacy level leaves out: names of fields by kind ([{kind, names}]), and whole kinds. */
export function leftOut(state, facts) {
  const { hides = {}, whole = [] } = facts.levels[state.privacy];
  const mine = (kind) => state.kind === EVERYTHING || state.kind === kind.name;
  const there = (kind, path) => has(facts.version, kind.fields.find(({ name }) => name === path.split(".")[0])?.since);
  const kinds = facts.kinds.filter((kind) => hides[kind.name]?.length);
  const [own, others] = [kinds.filter(mine), kinds.filter((kind) => !mine(kind))];
  const told = (some) => some.map((kind) => ({ kind, names: hides[kind.name].filter((path) => there(kind, path)) }));
  return { own: told(own), others: told(others), whole: facts.kinds.filter((kind) => whole.includes(kind.name)) };
}

const isText = (value) => typeof value === "string";
const isFlag = (value) => typeof value === "boolean";
const isMap = (value) => typeof value === "object" && value !== null && !Array.isArray(value);
const isOff = (value) => Array.isArray(value) && value.every(isText);
const mapped = (test) => (value) => isMap(value) && Object.values(value).every(test);
const KEPT = {
  kind: isText,
  form: mapped(isText),
  off: mapped(isOff),
  privacy: isText,
  closure: isText,
  images: isFlag,
  bom: isFlag,
  safe: isFlag,
};

/** What was chosen the last time; anything that is not as it should be is passed over. */
export function recall(storage) {
  try {
    const found = JSON.parse(storage.getItem(KEPT_UNDER)) ?? {};
    return Object.fromEntries(
      Object.entries(KEPT).flatMap(([key, test]) => (test(found[key]) ? [[key, found[key]]] : [])),
    );
  } catch {
    return {};
  }
}

/** Keep what was chosen, beside what was kept for other kinds. */
export function keep(storage, state) {
  const before = recall(storage);
  const key = state.kind || "*";
  const { kind, privacy, closure, images, bom, safe } = state;
  const form = state.form ? { ...before.form, [key]: state.form } : before.form;
  try {
    const kept = { kind, privacy, closure, images, bom, safe, form, off: { ...before.off, [key]: state.off } };
    storage.setItem(KEPT_UNDER, JSON.stringify(kept));
  } catch {
    // A browser that keeps nothing: then nothing is remembered.
  }
}
