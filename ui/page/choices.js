// What was chosen in the dialog, and the order for the backend that it makes. Pure.
//
// The backend decides what is right; here is only what the dialog shows. `context` is what the entry point knows,
// `facts` what the operations `fields` and `status` and Stash's version told. A state is never changed, but made anew.

import { kindOfTemplate, missingTemplate, TEMPLATE, templateName, templateOrder } from "./drafts.js";
import { columnsOf, has, specOf, stateOf, treeOf } from "./fields.js";
import { beginMedia, halfRule, missingMedia, NFO, NFO_KIND, nfoOrder, rulesOrder } from "./nfo.js";

export const EVERYTHING = "";
export const BY_PROFILE = "";
export const TABLES = ["csv", "tsv"];
const FORM = "csv";
/** The formats as they are offered; those of a later version come last. */
const FORMS = ["csv", "tsv", NFO, TEMPLATE, "json", "jsonl", "xml", "yaml"];

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

/** Whether a format is for a kind (EVERYTHING: the whole library). */
const isFor = (form, name, facts) => form in facts.formats && (form !== NFO || name === NFO_KIND);

/** The formats that can be chosen: all, unless the list that it came from settled the kind. */
export function formsOf(context, facts) {
  const settled = kindOf(facts, context.kind)?.name;
  const place = (form) => (FORMS.includes(form) ? FORMS.indexOf(form) : FORMS.length);
  return Object.keys(facts.formats)
    .filter((form) => settled === undefined || isFor(form, settled, facts))
    .sort((one, other) => place(one) - place(other));
}

/** Whether files for media servers, or by a template, come out: these have choices of their own. */
export const isWay = (state) => [NFO, TEMPLATE].includes(state.form);

/** The state for a kind (EVERYTHING: the whole library); what does not depend on the kind stays as it is in `state`. */
export function withKind(state, name, { context, facts, kept }) {
  const usual = kindOf(facts, name)?.filterable ? FORM : facts.defaults?.format;
  const form = [kept.form?.[name || "*"], usual, Object.keys(facts.formats)[0]].find((one) => isFor(one, name, facts));
  const next = { ...state, kind: name, saved: "", narrow: NO_NARROW, form, profile: "" };
  return { ...next, scope: scopesOf(next, context, facts)[0], off: kept.off?.[name || "*"] ?? [] };
}

const moved = (state, kind, means) => (kind === state.kind ? state : withKind(state, kind, means));

/** The state with a format: what is made of one kind only leads to that kind. */
export function withForm(state, form, means) {
  if (form === NFO) return { ...moved(state, NFO_KIND, means), form, profile: "" };
  if (form === TEMPLATE) return withTemplate(state, templateName(state, means.facts), means);
  return { ...state, form };
}

/** The state with a template, and a kind that it is for. */
export function withTemplate(state, name, means) {
  const kind = kindOfTemplate(means.facts, name, state.kind);
  return { ...moved(state, kind, means), form: TEMPLATE, template: name, profile: "" };
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
    media: beginMedia(facts, kept.media),
    template: kept.template,
    drafts: kept.drafts ?? {},
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
  if (isWay(state)) return state.form === NFO ? { kinds: NFO_KIND } : {};
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

function style(state, facts) {
  const table = TABLES.includes(state.form);
  if (state.form === NFO) return nfoOrder(state.media, facts);
  if (state.form === TEMPLATE) return { ...templateOrder(state, facts), ...rulesOrder(state.media.rules) };
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
    ...style(state, facts),
    privacy: state.privacy,
  };
}

const DAY = /^\d{4}(-\d\d){0,2}$/;

/** Whether there is such a year, month or day; the 31st of February is read as one of March. */
const isDay = (text) =>
  text === "" || (DAY.test(text) && !Number.isNaN(Date.parse(text)) && new Date(text).toISOString().startsWith(text));
const isRating = (text) => /^\d*$/.test(text) && Number(text) <= 100;

/** What the formats with choices of their own lack. */
function missingOfWay(state, facts) {
  if (state.form === NFO) return missingMedia(state.media);
  return halfRule(state.media.rules) ? "rules" : missingTemplate(state, facts);
}

/** Why there is no order yet: "saved" (none chosen), "date" or "rating" (not wholly typed, or none), "fields" (none
 * checked), "rules" (half a rule), "genres" (no tag named), "template" (nothing written), or "". */
export function missing(state, facts) {
  if (state.scope === "saved" && !state.saved) return "saved";
  if (!Object.values(state.narrow.date).every(isDay)) return "date";
  if (!Object.values(state.narrow.rating).every(isRating)) return "rating";
  if (isWay(state)) return missingOfWay(state, facts);
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
