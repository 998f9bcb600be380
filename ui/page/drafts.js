// Templates: which can be chosen, what is being written in the editor, and their part of the order. Pure.
//
// A template that is changed becomes a draft, kept by the name of what it was made from (NEW for one from nothing), so
// that looking at another template loses nothing. What is right in a template only the backend says.

export const TEMPLATE = "template";
export const NEW = "";
const KIND = "scene";

/** The parts of a template that are written as text, in the order they come out. */
export const PARTS = ["header", "record", "between", "footer"];
export const ONE_FILE = ["all", "kind", "record"];
/** Most drafts that are kept; the oldest go. */
const MOST = 20;

const TEXTS = ["name", "description", "escape", "ending", "file_name", ...PARTS];
const text = (value) => (typeof value === "string" ? value : "");
const names = (value) => (Array.isArray(value) ? value.filter((one) => typeof one === "string") : []);

/** A template with all of its keys, of whatever is given: what is not as it should be is as if it were not there. */
export function formed(given) {
  const one = typeof given === "object" && given !== null ? given : {};
  return {
    ...Object.fromEntries(TEXTS.map((key) => [key, text(one[key])])),
    one_file: ONE_FILE.includes(one.one_file) ? one.one_file : ONE_FILE[0],
    kinds: names(one.kinds),
    images: one.images === true,
  };
}

/** A template as the backend takes it: without what says nothing. */
export function mappingOf(draft) {
  const says = ([, value]) => value !== "" && value !== false && !(Array.isArray(value) && !value.length);
  return Object.fromEntries(Object.entries(formed(draft)).filter(says));
}

const all = (facts) => facts.templates ?? [];
const find = (facts, name) => all(facts).find((one) => one.name === name);

/** The kinds a template is for: [] for any one. */
export const kindsFor = (facts, name) => formed(find(facts, name)?.template).kinds;

/** Whether a template is for what is exported: one kind, or ("") the whole library. */
export function fits(facts, name, kind) {
  const kinds = kindsFor(facts, name);
  if (!kind) return kinds.length > 1;
  return !kinds.length || kinds.includes(kind);
}

/** The templates that can be chosen for a kind, or, when that may be changed (`free`), all. */
export const templatesFor = (facts, kind, free) => all(facts).filter(({ name }) => free || fits(facts, name, kind));

/** The name of the template that holds: the chosen one if it is for this kind, else the first that is. One that is not
 * on the server (yet, or any more) is there as long as its draft is. */
export function templateName({ template, kind, drafts }, facts) {
  const there = find(facts, template) ? fits(facts, template, kind) : template in drafts;
  if (template === NEW || there) return template;
  return templatesFor(facts, kind)[0]?.name ?? NEW;
}

/** The kind that a template is used for: the one that is chosen already, if it can be. */
export function kindOfTemplate(facts, name, kind) {
  if (name === NEW) return kind || KIND;
  return fits(facts, name, kind) ? kind : (kindsFor(facts, name)[0] ?? KIND);
}

/** The template as it stands: with what is written in the editor. */
export function templateOf(state, facts) {
  const name = templateName(state, facts);
  return formed(state.drafts[name] ?? find(facts, name)?.template ?? { ending: "txt" });
}

/** Whether the editor holds something else than the template is. */
export function isChanged(state, facts) {
  const name = templateName(state, facts);
  const [draft, before] = [state.drafts[name], find(facts, name)];
  if (!before || !draft) return !before;
  return JSON.stringify(formed(draft)) !== JSON.stringify(formed(before.template));
}

/** The state with a part of the template written otherwise; the newest draft is the last. */
export function written(state, facts, part) {
  const name = templateName(state, facts);
  return {
    template: name,
    drafts: { ...dropped(state, name).drafts, [name]: { ...templateOf(state, facts), ...part } },
  };
}

/** The state without the draft of a template: it is as it was. */
export function dropped(state, name) {
  const others = Object.entries(state.drafts).filter(([one]) => one !== name);
  return { drafts: Object.fromEntries(others) };
}

/** What is sent to be saved: for the kind it was tried on, unless it is said to be for others. */
export function toSave(state, facts) {
  const draft = templateOf(state, facts);
  const kinds = draft.kinds.length ? draft.kinds : [state.kind].filter(Boolean);
  return mappingOf({ ...draft, kinds, name: draft.name.trim() });
}

/** The state once the template was saved as `name`: it is the one that is chosen, as it was written. */
export function saved(state, facts, name) {
  const before = templateName(state, facts);
  return { template: name, drafts: { ...dropped(state, before).drafts, [name]: formed(toSave(state, facts)) } };
}

const alike = (one, other) => one.toLowerCase() === other.toLowerCase();

/** The own template that saving would replace, if there is one. */
export function replaced(state, facts) {
  const name = templateOf(state, facts).name.trim();
  return all(facts).find((one) => one.own && (alike(one.name, name) || alike(one.title || "", name))) ?? null;
}

/** The order's part: the template by its name, or as it is written. */
export function templateOrder(state, facts) {
  const kinds = state.kind ? [state.kind] : kindsFor(facts, templateName(state, facts));
  return {
    format: TEMPLATE,
    ...(kinds.length && { kinds: kinds.join(",") }),
    template: isChanged(state, facts) ? mappingOf(templateOf(state, facts)) : templateName(state, facts),
  };
}

/** Whether there is nothing yet that could be written. */
export function missingTemplate(state, facts) {
  if (!isChanged(state, facts)) return "";
  const { record, ending } = templateOf(state, facts);
  return !record || !ending.trim() ? "template" : "";
}

const PLACE = /\bin (header|record|between|footer|file[ _]name)\b(?:, line (\d+))?: /g;

/** Where the backend found mistakes, from its error: [{part, line, message}]; none when that is in no part.
 * The line is 0 when it is not known. */
export function faultsOf(problem) {
  if (problem?.code !== "BadTemplate") return [];
  const places = [...problem.message.matchAll(PLACE)];
  const until = (index) => places[index + 1]?.index ?? problem.message.length;
  const said = (place, index) => problem.message.slice(place.index + place[0].length, until(index)).replace(/; $/, "");
  return places.map((place, index) => ({
    part: place[1].replace(" ", "_"),
    line: Number(place[2] ?? 0),
    message: said(place, index),
  }));
}

/** Where a line (from 1) of a text begins and ends. */
export function lineAt(whole, line) {
  const lines = whole.split("\n");
  const at = Math.min(Math.max(line, 1), lines.length) - 1;
  const start = lines.slice(0, at).reduce((sum, one) => sum + one.length + 1, 0);
  return [start, start + lines[at].length];
}

/** The drafts of a storage, as far as they are some. */
export const formedDrafts = (found) => {
  if (typeof found !== "object" || found === null || Array.isArray(found)) return {};
  const whole = Object.entries(found).filter(([, draft]) => typeof draft === "object" && draft !== null);
  return Object.fromEntries(whole.slice(-MOST).map(([name, draft]) => [name, formed(draft)]));
};
