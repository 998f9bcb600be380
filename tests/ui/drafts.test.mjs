import assert from "node:assert/strict";
import { test } from "node:test";

import * as choices from "../../ui/page/choices.js";
import * as drafts from "../../ui/page/drafts.js";
import { keep, keepDrafts, recall, recallDrafts } from "../../ui/page/kept.js";
import { FACTS, storage } from "./facts.mjs";

const LIST = { kind: "scene", where: "list" };
const means = (context = LIST, kept = {}) => ({ context, facts: FACTS, kept });
const by = (name, context = LIST, kept = {}) =>
  choices.withTemplate(choices.begin(context, FACTS, kept), name, means(context, kept));
const order = (state, context = LIST) => choices.orderOf(state, context, FACTS);
const write = (state, part) => ({ ...state, ...drafts.written(state, FACTS, part) });

test("a template that is as it was is ordered by its name", () => {
  assert.deepEqual(order(by("gallery")), { format: "template", kinds: "scene", template: "gallery", privacy: "full" });
});

test("a template that was changed is ordered as it is written", () => {
  const state = write(by("gallery"), { record: "<b>{{ title }}" });
  assert.deepEqual(order(state).template, {
    name: "Gallery",
    escape: "html",
    ending: "html",
    record: "<b>{{ title }}",
    one_file: "all",
    kinds: ["scene"],
    images: true,
  });
  assert.equal(order(write(state, { record: "<li>{{ title }}" })).template, "gallery");
});

test("path rules go with a template too", () => {
  const state = by("gallery");
  const ruled = { ...state, media: { ...state.media, rules: [{ from: "/a", to: "/b" }] } };
  assert.deepEqual(order(ruled).path, ["/a=/b"]);
  const half = { ...state, media: { ...state.media, rules: [{ from: "/a", to: "" }] } };
  assert.equal(choices.missing(half, FACTS), "rules");
});

test("of the templates those for the kind are offered, and all where the kind can be changed", () => {
  const offered = (kind, free) => drafts.templatesFor(FACTS, kind, free).map(({ name }) => name);
  assert.deepEqual(offered("scene"), ["catalogue", "gallery"]);
  assert.deepEqual(offered("tag"), ["catalogue", "mine"]);
  assert.deepEqual(offered("config"), []);
  assert.deepEqual(offered(""), ["catalogue"]);
  assert.deepEqual(offered("", true), ["catalogue", "gallery", "mine"]);
});

test("a template brings the kind that it is for", () => {
  assert.equal(by("mine", {}).kind, "tag");
  assert.equal(by("gallery", {}).kind, "scene");
  assert.equal(by(drafts.NEW, {}).kind, "scene");
  const whole = by("catalogue", {});
  assert.equal(whole.kind, choices.EVERYTHING);
  assert.equal(order(whole, {}).kinds, "scene,tag");
});

test("another kind takes the first template for it, and the chosen one comes back", () => {
  const state = by("gallery", {});
  const tag = { ...choices.withKind(state, "tag", means({}, { form: { tag: "template" } })) };
  assert.equal(tag.form, "template");
  assert.equal(drafts.templateName(tag, FACTS), "catalogue");
  assert.equal(drafts.templateName({ ...tag, kind: "scene" }, FACTS), "gallery");
  assert.equal(drafts.templateName({ ...tag, kind: "config" }, FACTS), drafts.NEW);
});

test("a new template has to say something first", () => {
  const state = by(drafts.NEW);
  assert.equal(choices.missing(state, FACTS), "template");
  const full = write(state, { record: "{{ title }}\n" });
  assert.equal(choices.missing(full, FACTS), "");
  assert.equal(choices.missing(write(full, { ending: " " }), FACTS), "template");
  assert.deepEqual(order(full).template, { ending: "txt", record: "{{ title }}\n", one_file: "all" });
});

test("a template that cannot be read is left to the backend, which says why", () => {
  const facts = { ...FACTS, templates: [{ name: "torn", title: "torn", own: true, template: {} }] };
  const state = { ...by("gallery"), template: "torn" };
  assert.equal(choices.missing(state, facts), "");
  assert.equal(choices.orderOf(state, LIST, facts).template, "torn");
});

test("each template keeps its own draft, and a draft can be dropped", () => {
  const one = write(by("gallery"), { header: "one" });
  const both = write({ ...one, template: "catalogue" }, { header: "two" });
  assert.equal(drafts.templateOf({ ...both, template: "gallery" }, FACTS).header, "one");
  const left = { ...both, ...drafts.dropped(both, "catalogue") };
  assert.equal(drafts.isChanged(left, FACTS), false);
  assert.equal(drafts.isChanged({ ...left, template: "gallery" }, FACTS), true);
});

test("what is saved has its name and a kind, and is chosen at once", () => {
  const state = write(by(drafts.NEW), { name: " Reeds ", record: "{{ title }}" });
  assert.deepEqual(drafts.toSave(state, FACTS), {
    name: "Reeds",
    ending: "txt",
    record: "{{ title }}",
    one_file: "all",
    kinds: ["scene"],
  });
  const after = { ...state, ...drafts.saved(state, FACTS, "Reeds") };
  assert.deepEqual(Object.keys(after.drafts), ["Reeds"]);
  assert.equal(order(after).template.name, "Reeds"); // not told of by the server yet: sent as it is written
});

test("saving tells which own template it would replace", () => {
  const called = (name) => drafts.replaced(write(by("gallery"), { name }), FACTS)?.name ?? null;
  assert.deepEqual([called("MINE"), called("Gallery"), called("other"), called("")], ["mine", null, null, null]);
});

test("where the backend found mistakes", () => {
  const bad = (message) => drafts.faultsOf({ code: "BadTemplate", message });
  const first = "the template 'Gallery' cannot be used: in record, line 3: 'performer' is not a field (scene 12)";
  assert.deepEqual(bad(first), [{ part: "record", line: 3, message: "'performer' is not a field (scene 12)" }]);
  assert.deepEqual(bad(`${first}; in footer, line 1: no such filter; in file_name: odd`).slice(1), [
    { part: "footer", line: 1, message: "no such filter" },
    { part: "file_name", line: 0, message: "odd" },
  ]);
  assert.deepEqual(bad("the template x cannot be used: ending is missing"), []);
  assert.deepEqual(drafts.faultsOf({ code: "UsageError", message: first }), []);
  assert.deepEqual(drafts.faultsOf(null), []);
});

test("a line of a text, also one that is not there", () => {
  const text = "one\ntwo\n\nfour";
  const line = (number) => text.slice(...drafts.lineAt(text, number));
  assert.deepEqual([0, 1, 2, 3, 4, 99].map(line), ["one", "one", "two", "", "four", "four"]);
});

test("what is being written is kept at once, and the chosen template with the rest", () => {
  const browser = storage();
  const state = write(by("gallery"), { record: "half a {{" });
  keepDrafts(browser, state.drafts);
  keep(browser, state);
  const again = choices.begin(LIST, FACTS, { ...recall(browser), drafts: recallDrafts(browser) });
  assert.equal(again.form, "template");
  assert.equal(drafts.templateOf(again, FACTS).record, "half a {{");
});

test("odd things that are kept of templates are passed over", () => {
  const from = (text) => recallDrafts(storage({ "stash-portability-drafts": text }));
  for (const text of ["", "{", "null", "7", "[1]", '"x"', '{"gallery": 1}', '{"gallery": null}']) assert.deepEqual(from(text), {}, text);
  const odd = from('{"gallery": {"record": 1, "one_file": "x", "kinds": "scene", "images": "yes", "more": {}}}').gallery;
  assert.deepEqual(odd, drafts.formed({}));
  const many = Object.fromEntries(Array.from({ length: 50 }, (_, at) => [`t${at}`, { record: "x" }]));
  assert.deepEqual(Object.keys(from(JSON.stringify(many))).at(-1), "t49");
  assert.ok(Object.keys(from(JSON.stringify(many))).length <= 20);
});

test("a draft outlives its template", () => {
  const state = { ...by("gallery"), template: "gone", drafts: { gone: drafts.formed({ record: "x", ending: "txt" }) } };
  assert.equal(drafts.templateName(state, FACTS), "gone");
  assert.equal(order(state).template.record, "x");
});
