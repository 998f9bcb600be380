import assert from "node:assert/strict";
import { test } from "node:test";

import { columnsOf, has, leaves, rows, specOf, stateOf, tally, toggled, treeOf } from "../../ui/page/fields.js";
import { CONFIG, FACTS, SCENE } from "./facts.mjs";

const tree = (more = {}) => treeOf(SCENE, { level: FACTS.levels.full, images: false, version: "0.30.1", ...more });
const find = (one, path) => (one.path === path ? one : one.children.map((child) => find(child, path)).find(Boolean));

test("a Stash has what is not newer than it is", () => {
  assert.ok(has("v0.30.1", "0.27") && has("0.30.0", "0.30") && has("1.0", "0.31") && has("v0.31.0-rc1", "0.31"));
  assert.ok(!has("v0.30.1", "0.31") && !has("0.9.9", "0.27"));
  assert.ok(has("", "0.31") && has(undefined, "0.31") && has("0.30", undefined));
});

test("fields this Stash has not are not shown", () => {
  assert.ok(!find(tree(), "scene.custom_fields"));
  assert.ok(find(tree({ version: "v0.31.0" }), "scene.custom_fields"));
  assert.ok(!find(tree({ version: "v0.27.2" }), "scene.files.zip_file"));
});

test("a check of a field is one of all its parts, and some parts make it mixed", () => {
  const files = find(tree(), "scene.files");
  assert.equal(stateOf(files, []), "on");
  const off = toggled(find(files, "scene.files.size"), []);
  assert.equal(stateOf(files, off), "mixed");
  assert.equal(stateOf(files, toggled(files, off)), "on");
  assert.equal(stateOf(files, toggled(files, toggled(files, off))), "off");
});

test("unchecking leaves what was unchecked elsewhere", () => {
  const off = toggled(find(tree(), "scene.title"), ["tag.name"]);
  assert.deepEqual(off, ["tag.name", "scene.title"]);
  assert.deepEqual(toggled(find(tree(), "scene.title"), off), ["tag.name"]);
});

test("what privacy or images block is shown, and counts for nothing", () => {
  const shown = tree({ level: FACTS.levels.public });
  const rating = find(shown, "scene.rating100");
  assert.ok(rating.blocked && find(shown, "scene.cover").blocked && find(shown, "scene.files.path").blocked);
  assert.deepEqual(leaves(rating), []);
  assert.equal(stateOf(find(shown, "scene.files"), ["scene.files.path"]), "on");
  assert.ok(!find(tree({ images: true }), "scene.cover").blocked);
  assert.ok(treeOf(CONFIG, { level: FACTS.levels.share, images: false, version: "" }).blocked);
});

test("a field with a hidden part is still one field, and has no column of that part", () => {
  const shown = tree({ level: FACTS.levels.share });
  assert.equal(specOf(shown, ["scene.title"]), "scene:id,rating100,tags,play_history,files");
  assert.deepEqual(columnsOf(shown, ["scene.title", "scene.play_history"]), [
    "id",
    "rating100",
    { field: "tags.label", name: "tags" },
    { field: "files.size", name: "size" },
  ]);
});

test("without word of columns there is no sheet of its own", () => {
  const plain = { ...SCENE, fields: SCENE.fields.map(({ sheet: _, ...field }) => field) };
  const shown = treeOf(plain, { level: FACTS.levels.full, images: false, version: "" });
  assert.equal(columnsOf(shown, ["scene.title"]), null);
  assert.equal(columnsOf(tree(), []), null);
});

test("rows are the open part of the tree, top to bottom", () => {
  const paths = (open) => rows([tree()], new Set(open)).map(({ one, depth }) => `${depth} ${one.path}`);
  assert.deepEqual(paths([]), ["1 scene"]);
  assert.equal(paths(["scene", "scene.files"]).at(-2), "3 scene.files.zip_file");
  assert.equal(paths(["scene.files"]).length, 1);
});

test("the tally counts fields, not parts", () => {
  assert.deepEqual(tally([tree()], ["scene.files.size"]), { on: 6, of: 6 });
  assert.deepEqual(tally([tree()], ["scene.title"]), { on: 5, of: 6 });
});
