// The fields of kinds as a tree with checks, and the checks as what the backend takes. Pure.
//
// What is kept is what is *off*: the paths ("scene.details", "scene.files.path") that were unchecked, so that a field
// of a later version is on. A blocked node (left out by privacy, or an image without images) counts as not there.

import { T } from "./strings.js";

/** Whether a Stash of `version` has what is there `since` a version. A version that cannot be read has everything. */
export function has(version, since) {
  const [there, wanted] = [version, since].map((text) => /(\d+)\.(\d+)/.exec(text ?? ""));
  if (!wanted || !there) return true;
  return (there[1] - wanted[1] || there[2] - wanted[2]) >= 0;
}

function blockedBy(path, field, { hidden, images }) {
  if (hidden.has(path)) return T.fieldsByPrivacy;
  return field.type === "blob" && !images ? T.fieldsByImages : "";
}

function node(field, above, path, how) {
  const blocked = blockedBy(path, field, how);
  const parts = blocked ? [] : (field.parts ?? []).filter((part) => has(how.version, part.since));
  const children = parts.map((part) => node(part, `${above}.${field.name}`, `${path}.${part.name}`, how));
  return { path: `${above}.${field.name}`, text: field.name, note: field.note ?? "", blocked, children, field };
}

/** Every kind has an id, whether it is told of or not: without it a record refers to nothing. */
function withId(fields) {
  if (fields.some(({ name }) => name === "id")) return fields;
  const id = { name: "id", type: "text", note: T.idNote };
  return [fields.some(({ sheet }) => sheet) ? { ...id, sheet: ["id"] } : id, ...fields];
}

/** The tree of one kind. `level` is the privacy level's facts, `images` whether images are written, `version` is
 * Stash's. */
export function treeOf(kind, { level, images, version }) {
  const hidden = new Set(level?.hides?.[kind.name] ?? []);
  const whole = level?.whole?.includes(kind.name) ?? false;
  const how = { hidden, images, version };
  const fields = withId(kind.fields).filter((field) => has(version, field.since));
  const children = whole ? [] : fields.map((field) => node(field, kind.name, field.name, how));
  return { path: kind.name, text: kind.label, note: "", blocked: whole ? T.fieldsByPrivacy : "", children };
}

/** The leaves below a node that can be on or off. */
export function leaves(one) {
  if (one.blocked) return [];
  return one.children.length ? one.children.flatMap(leaves) : [one.path];
}

/** "on", "off" or "mixed". */
export function stateOf(one, off) {
  const paths = leaves(one);
  const gone = paths.filter((path) => off.includes(path)).length;
  if (!gone) return "on";
  return gone === paths.length ? "off" : "mixed";
}

/** `off` after a click on the node: a mixed one becomes on, as everywhere. */
export function toggled(one, off) {
  const paths = new Set(leaves(one));
  const others = off.filter((path) => !paths.has(path));
  return stateOf(one, off) === "on" ? [...others, ...paths] : others;
}

/** The nodes on the screen, top to bottom, each with its depth (1 at the top). `open` are the paths shown open. */
export function rows(nodes, open, depth = 1) {
  return nodes.flatMap((one) => [{ one, depth }, ...(open.has(one.path) ? rows(one.children, open, depth + 1) : [])]);
}

/** The paths below a kind that are on, a field with all of its parts as one. */
function chosen(tree, off) {
  const on = (one) => {
    if (one.blocked || stateOf(one, off) === "off") return [];
    return stateOf(one, off) === "on" ? [one] : one.children.flatMap(on);
  };
  return tree.children.flatMap(on).map((one) => below(tree, one));
}

/** What the backend takes for one kind: "scene:title,date", or "" when all of its fields are on. */
export const specOf = (tree, off) =>
  stateOf(tree, off) === "mixed" ? `${tree.path}:${chosen(tree, off).join(",")}` : "";

const below = (tree, one) => one.path.slice(tree.path.length + 1);
const within = (path, other) => path === other || path.startsWith(`${other}.`);
const blocked = (one) => (one.blocked ? [one] : one.children.flatMap(blocked));

/** The columns of a spreadsheet for people, as a profile has them, or null when all are on. `sheet` of a field tells
 * them ("tags=tags.label": header and path), so that unchecking one leaves the others as they were. */
export function columnsOf(tree, off) {
  const told = tree.children.flatMap(({ field }) => (field.sheet ?? []).map((text) => ({ of: field.name, text })));
  if (stateOf(tree, off) !== "mixed" || !told.length) return null;
  const hidden = blocked(tree).map((one) => below(tree, one));
  const columns = told
    .map(({ of, text }) => ({ of, name: text.split("=")[0], field: text.slice(text.indexOf("=") + 1) }))
    .filter(({ field }) => !hidden.some((path) => within(field, path)));
  const fits = (path, { of, field }) => within(field, path) || of === path;
  const chose = (path) => columns.filter((column) => fits(path, column));
  return chosen(tree, off)
    .flatMap(chose)
    .map(({ name, field }) => (name === field ? field : { field, name }));
}

/** How many of a tree's own fields are on, and of how many. */
export function tally(trees, off) {
  const fields = trees.flatMap((tree) => tree.children).filter((one) => !one.blocked);
  return { on: fields.filter((one) => stateOf(one, off) !== "off").length, of: fields.length };
}
