import assert from "node:assert/strict";
import { test } from "node:test";

import * as choices from "../../ui/page/choices.js";
import { keep, keepPlan, recall, recallPlan } from "../../ui/page/kept.js";
import { FACTS, storage } from "./facts.mjs";

const LIST = {
  kind: "scene",
  where: "list",
  selected: ["3", "5"],
  filter: { rating100: { value: 80 } },
  query: "otter",
};
const begin = (context = LIST, kept = {}) => choices.begin(context, FACTS, kept);
const order = (state, context = LIST) => choices.orderOf(state, context, FACTS);
const all = (state) => ({ ...state, scope: "all" });

test("from the list of scenes a spreadsheet of the selected ones is preselected", () => {
  assert.deepEqual(order(begin()), { kinds: "scene", ids: ["3", "5"], format: "csv", bom: true, csv_safe: true, privacy: "full" });
});

test("the scopes a list offers, the likeliest first", () => {
  const scopes = (context) => choices.scopesOf(begin(context), context, FACTS);
  assert.deepEqual(scopes(LIST), ["selected", "filter", "all", "saved"]);
  assert.deepEqual(scopes({ ...LIST, selected: [], query: "", filter: {} }), ["all", "saved"]);
  assert.deepEqual(scopes({ ...LIST, selected: undefined, filter: undefined }), ["all", "saved"]);
  assert.deepEqual(scopes({ ...LIST, selected: [], filter: {}, query: "otter" }), ["filter", "all", "saved"]);
});

test("a selection of another kind is not offered", () => {
  const state = choices.withKind(begin(), "tag", { context: LIST, facts: FACTS, kept: {} });
  assert.deepEqual(choices.scopesOf(state, LIST, FACTS), ["all", "saved"]);
});

test("each scope as the backend takes it", () => {
  const state = { ...begin(), saved: "My: reeds" };
  const scope = (name, context = LIST) => choices.scopeOrder(state, name, context);
  assert.deepEqual(scope("selected"), { ids: ["3", "5"] });
  assert.deepEqual(scope("filter"), { filter: LIST.filter, query: "otter" });
  assert.deepEqual(scope("filter", { ...LIST, query: "" }), { filter: LIST.filter });
  assert.deepEqual(scope("saved"), { saved_filter: "scene:My: reeds" });
  assert.deepEqual(scope("all"), {});
  assert.equal(choices.scopeOrder({ ...state, saved: "" }, "saved", LIST), null);
});

test("the whole library names every kind, so that no setting makes it less", () => {
  const state = begin({});
  assert.equal(state.kind, choices.EVERYTHING);
  assert.deepEqual(order(state, {}), { kinds: "scene,tag,config", format: "json", closure: "full", privacy: "full" });
});

test("an unchecked kind is not exported with the whole library", () => {
  const state = { ...begin({}), off: ["tag.id", "tag.name", "tag.aliases", "scene.title"] };
  const { kinds, fields } = order(state, {});
  assert.equal(kinds, "scene,config");
  assert.deepEqual(fields, ["scene:id,rating100,tags,play_history,files"]);
});

test("a spreadsheet with a column less keeps the other columns as they were", () => {
  const { kinds, fields, profile } = order({ ...all(begin()), off: ["scene.title", "scene.files.size"] });
  assert.equal(kinds, "scene");
  assert.equal(fields, undefined);
  assert.deepEqual(profile.kinds.scene.columns, [
    "id",
    "rating100",
    { field: "tags.label", name: "tags" },
    { field: "play_history.count", name: "play_count" },
    { field: "play_history.last", name: "last_played_at" },
    { field: "files.path", name: "path" },
  ]);
});

test("other formats name the fields themselves", () => {
  const state = { ...all(begin()), form: "json", off: ["scene.title", "scene.files.size"] };
  assert.deepEqual(order(state).fields, ["scene:id,rating100,tags,play_history,files.path,files.zip_file"]);
});

test("what the privacy level hides is not asked for, nor images without images", () => {
  const state = { ...all(begin()), form: "json", privacy: "public", off: ["scene.title"] };
  assert.deepEqual(order(state).fields, ["scene:id,tags,files"]);
  assert.deepEqual(order({ ...state, images: true }).fields, ["scene:id,tags,files,cover"]);
});

test("all checked: no fields argument", () => {
  const asked = order({ ...all(begin()), form: "json" });
  assert.ok(!("fields" in asked) && !("profile" in asked));
});

test("our own filters become plain data", () => {
  const pick = (ids, excludes, more = {}) => ({
    ids: ids.map((id) => ({ id })),
    excludes: excludes.map((id) => ({ id })),
    ...more,
  });
  const narrow = {
    tags: pick(["1", "2"], ["3"], { deep: true, all: true }),
    performers: pick([], ["4"], { deep: true, all: false }),
    studios: pick([7], [], { deep: false, all: true }),
    date: { from: "2020", to: "" },
    rating: { from: "0", to: "80" },
  };
  assert.deepEqual(order({ ...begin(), narrow }).narrow, {
    tags: { ids: ["1", "2"], excludes: ["3"], depth: -1, all: true },
    performers: { excludes: ["4"] },
    studios: { ids: ["7"] },
    date: { from: "2020" },
    rating: { from: 0, to: 80 },
  });
});

test("without filters of ours there is no narrow, and a kind without them has none", () => {
  assert.equal(choices.narrowOf(begin(), FACTS), null);
  const other = { ...begin(), kind: "tag", narrow: { ...choices.NO_NARROW, date: { from: "2020", to: "" } } };
  assert.equal(choices.narrowOf(other, FACTS), null);
});

test("another kind forgets filters and saved filter", () => {
  const before = { ...begin(), saved: "x", narrow: { ...choices.NO_NARROW, date: { from: "2020", to: "" } } };
  const state = choices.withKind(before, "tag", { context: {}, facts: FACTS, kept: {} });
  assert.deepEqual([state.saved, state.narrow, state.scope], ["", choices.NO_NARROW, "all"]);
});

test("the order says the privacy level that is shown", () => {
  for (const privacy of Object.keys(FACTS.levels)) assert.equal(order({ ...begin(), privacy }).privacy, privacy);
});

test("a remembered level wins, and one that is gone becomes the strictest", () => {
  assert.equal(begin(LIST, { privacy: "share" }).privacy, "share");
  assert.equal(begin(LIST, { privacy: "gone" }).privacy, "public");
  assert.equal(
    choices.begin(LIST, { ...FACTS, defaults: { ...FACTS.defaults, privacy: "share" } }, {}).privacy,
    "share",
  );
});

test("levels from the loosest to the strictest, however they were sorted", () => {
  assert.deepEqual(choices.levelsOf(FACTS), ["full", "share", "public"]);
});

test("a profile brings its own fields, and its level if that is told", () => {
  const lend = { ...begin(), ...choices.withProfile(begin(), "lend", FACTS) };
  assert.deepEqual(order(lend), { kinds: "scene", ids: ["3", "5"], profile: "lend", privacy: "full" });
  assert.equal(choices.withProfile(begin(), "give", FACTS).privacy, "share");
  const none = { ...lend, ...choices.withProfile(lend, "", FACTS) };
  assert.ok(none.form in FACTS.formats);
});

test("what is missing before there is an order", () => {
  const state = begin();
  const dated = (from) => ({ ...state, narrow: { ...choices.NO_NARROW, date: { from, to: "" } } });
  assert.equal(choices.missing(state, FACTS), "");
  assert.equal(choices.missing({ ...state, scope: "saved" }, FACTS), "saved");
  assert.equal(choices.missing({ ...state, scope: "saved", saved: "x" }, FACTS), "");
  for (const whole of ["", "2020", "2020-05", "2020-05-31", "2024-02-29"]) assert.equal(choices.missing(dated(whole), FACTS), "");
  for (const half of ["2", "2020-", "2020-5", "31.5.2020", "2020-13", "2021-02-29"]) assert.equal(choices.missing(dated(half), FACTS), "date");
  const rated = (to) => ({ ...state, narrow: { ...choices.NO_NARROW, rating: { from: "", to } } });
  for (const right of ["", "0", "100"]) assert.equal(choices.missing(rated(right), FACTS), "");
  for (const wrong of ["101", "-1", "4.5", "1e1"]) assert.equal(choices.missing(rated(wrong), FACTS), "rating");
  const off = ["id", "title", "rating100", "tags", "play_history", "files.path", "files.size", "files.zip_file"];
  assert.equal(choices.missing({ ...state, off: off.map((path) => `scene.${path}`) }, FACTS), "fields");
});

test("what a level leaves out, of this kind and of others, without what this Stash has not", () => {
  const told = choices.leftOut({ ...begin(), privacy: "share" }, FACTS);
  assert.deepEqual(
    told.own.map(({ kind, names }) => [kind.name, names]),
    [["scene", ["files.path"]]],
  );
  assert.deepEqual(told.others, []);
  assert.deepEqual(
    told.whole.map(({ name }) => name),
    ["config"],
  );
  const least = choices.leftOut({ ...begin(), privacy: "public" }, FACTS);
  assert.deepEqual(
    least.others.map(({ kind }) => kind.name),
    ["tag"],
  );
});

test("choices are remembered by kind, what was exported and filtered is not", () => {
  const kept = storage();
  keep(kept, { ...begin(), form: "yaml", privacy: "share", off: ["scene.title"], saved: "x" });
  keep(kept, { ...begin({}), form: "json", privacy: "public" });
  const found = recall(kept);
  assert.deepEqual(found.form, { scene: "yaml", "*": "json" });
  assert.deepEqual(found.off, { scene: ["scene.title"], "*": [] });
  assert.equal(begin(LIST, found).form, "yaml");
  assert.equal(begin(LIST, found).privacy, "public");
  assert.ok(!JSON.stringify(kept.kept).includes("otter"));
});

test("what is remembered is checked: nonsense is passed over", () => {
  const from = (text) => recall(storage({ "stash-portability": text }));
  for (const text of ["", "{", "null", "7", "[]", '"x"']) assert.deepEqual(from(text), {});
  assert.deepEqual(
    from('{"privacy": 1, "off": {"scene": "title"}, "form": {"scene": 2}, "bom": "yes", "images": true}'),
    { images: true },
  );
  assert.equal(begin(LIST, from('{"form": {"scene": "gone"}, "closure": "gone"}')).form, "csv");
});

test("a browser that keeps nothing does no harm", () => {
  const broken = {
    getItem: () => {
      throw new Error("denied");
    },
    setItem: () => {
      throw new Error("denied");
    },
  };
  assert.deepEqual(recall(broken), {});
  keep(broken, begin());
});

test("which preview a run applied is kept, of the last ones", () => {
  const kept = storage({ "stash-portability-plans": "torn" });
  for (let count = 1; count <= 30; count += 1) keepPlan(kept, `apply-${count}`, `plan-${count}`);
  assert.equal(recallPlan(kept, "apply-30"), "plan-30");
  assert.equal(recallPlan(kept, "apply-11"), "plan-11");
  assert.equal(recallPlan(kept, "apply-10"), undefined);
  assert.equal(recallPlan(storage({ "stash-portability-plans": '{"a": 3}' }), "a"), undefined);
});
