// What the browser keeps from one time to the next. Pure, but for the storage it is given; a storage that keeps nothing
// does no harm, and what is not as it should be is passed over.

import { formedDrafts } from "./drafts.js";
import { keptMedia } from "./nfo.js";

const KEPT_UNDER = "stash-portability";
/** What is being written is kept at once, and apart: a dialog may be closed at any time. */
const DRAFTS_UNDER = "stash-portability-drafts";
const PLANS_UNDER = "stash-portability-plans";
const MOST_PLANS = 20;

const isText = (value) => typeof value === "string";
const isFlag = (value) => typeof value === "boolean";
const isMap = (value) => typeof value === "object" && value !== null && !Array.isArray(value);
const isOff = (value) => Array.isArray(value) && value.every(isText);
const isRule = (value) => isMap(value) && isText(value.from) && isText(value.to);
const isRules = (value) => Array.isArray(value) && value.every(isRule);
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
  media: isMap,
  template: isText,
};
const MEDIA = {
  server: isText,
  beside: isFlag,
  folder: isText,
  rules: isRules,
  artwork: isFlag,
  foreign: isText,
  movie: isFlag,
  genres: isText,
  genreTag: isText,
};

const tested = (found, tests) =>
  Object.fromEntries(Object.entries(tests).flatMap(([key, test]) => (test(found[key]) ? [[key, found[key]]] : [])));

function read(storage, key) {
  try {
    return JSON.parse(storage.getItem(key)) ?? {};
  } catch {
    return {};
  }
}

function write(storage, key, value) {
  try {
    storage.setItem(key, JSON.stringify(value));
  } catch {
    // A browser that keeps nothing: then nothing is remembered.
  }
}

/** What was chosen the last time. */
export function recall(storage) {
  const found = tested(read(storage, KEPT_UNDER), KEPT);
  return found.media ? { ...found, media: tested(found.media, MEDIA) } : found;
}

/** Keep what was chosen, beside what was kept for other kinds. */
export function keep(storage, state) {
  const before = recall(storage);
  const key = state.kind || "*";
  const { kind, privacy, closure, images, bom, safe, template } = state;
  const form = state.form ? { ...before.form, [key]: state.form } : before.form;
  const off = { ...before.off, [key]: state.off };
  const media = keptMedia(state.media);
  write(storage, KEPT_UNDER, { kind, privacy, closure, images, bom, safe, form, off, media, template });
}

/** Keep which preview a run applies: should it end early, it is made anew from there. */
export function keepPlan(storage, run, plan) {
  const before = Object.entries(read(storage, PLANS_UNDER)).filter(([, value]) => isText(value));
  write(storage, PLANS_UNDER, Object.fromEntries([...before.slice(1 - MOST_PLANS), [run, plan]]));
}

/** The preview that a run applied, if this browser began it. */
export function recallPlan(storage, run) {
  const plan = read(storage, PLANS_UNDER)[run];
  return isText(plan) ? plan : undefined;
}

/** The templates that were being written. */
export const recallDrafts = (storage) => formedDrafts(read(storage, DRAFTS_UNDER));

/** Keep the templates that are being written. */
export const keepDrafts = (storage, drafts) => write(storage, DRAFTS_UNDER, formedDrafts(drafts));
