// ui/main.js run in Node against a stand-in of Stash's page: what its patches make of elements, and that it fails safe.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import vm from "node:vm";

const SOURCE = readFileSync(new URL("../../ui/main.js", import.meta.url), "utf8");
const clone = (element, more) => ({ ...element, props: { ...element.props, ...more } });
const h = (type, props, ...children) => ({
  isElement: true,
  type,
  props: { ...props, ...(children.length && { children: children.length > 1 ? children : children[0] }) },
});

/** Run main.js; give the patches it registered, what it warned of, and the page's parts that a test may change. */
function load(options = {}) {
  const patches = { before: {}, after: {} };
  const warnings = [];
  const asked = [];
  const register = (when) => (name, patch) => (patches[when][name] ??= []).push(patch);
  class Component {}
  const React = {
    Component,
    Fragment: "Fragment",
    createElement: h,
    cloneElement: clone,
    isValidElement: (one) => Boolean(one?.isElement),
    useEffect() {},
    useState: (value) => [value, () => {}],
  };
  const PluginApi = {
    React,
    components: {},
    libraries: { FontAwesomeSolid: { faFileExport: "icon" } },
    patch: { before: register("before"), after: register("after") },
    register: { route: (path) => asked.push(path) },
    utils: { StashService: { getClient: () => ({ getObservableQueries: () => options.queries ?? new Map() }) } },
  };
  const went = [];
  const document = {
    currentScript: { src: "https://other.example/stash/plugin/stash-portability/javascript?t=1" },
    querySelector: () => ({ href: "https://films.example/stash/" }),
    querySelectorAll: () => options.links ?? [],
    getElementById: () => options.root ?? {},
    activeElement: null,
  };
  const window = options.bare ? {} : { PluginApi };
  const location = { origin: "https://films.example", assign: (to) => went.push(to) };
  const console = { warn: (...words) => warnings.push(words) };
  vm.compileFunction(SOURCE, ["window", "document", "location", "console"])(window, document, location, console);
  return { patches, warnings, asked, went };
}

const run = (list, ...args) => list.reduce((now, patch) => patch(...now), args);
const plain = (value) => JSON.parse(JSON.stringify(value));

test("it is small enough for every page", () => assert.ok(Buffer.byteLength(SOURCE) <= 15_000));

test("without PluginApi it does nothing", () => assert.deepEqual(load({ bare: true }).asked, []));

test("its version is the plugin's", () => {
  const version = /^version: (\S+)$/m.exec(readFileSync(new URL("../../plugin.yml", import.meta.url), "utf8"))[1];
  assert.equal(/const VERSION = "([^"]+)"/.exec(SOURCE)[1], version);
});

test("patches pass on all they are given", () => {
  const { patches } = load();
  const [props, context, more] = run(patches.before.PerformerList, { view: "x" }, { ref: 1 }, "more");
  assert.deepEqual([props.view, context, more], ["x", { ref: 1 }, "more"]);
});

test("every list up to 0.30 and of 0.31 gets one operation, after those that are there", () => {
  const { patches } = load();
  for (const name of ["Performer", "Studio", "Tag", "Gallery", "Image", "SceneMarker", "Group"]) {
    const prop = name === "Group" ? "otherOperations" : "extraOperations";
    for (const list of [`${name}List`, `Filtered${name}List`]) {
      const [props] = run(patches.before[list], { [prop]: [{ text: "Theirs" }] });
      assert.deepEqual(
        props[prop].map((one) => one.text),
        ["Theirs", "Export…"],
        list,
      );
    }
  }
  const inner = { selectedIds: new Set() }; // what 0.31 calls PerformerList
  assert.equal(run(patches.before.PerformerList, inner)[0], inner);
});

test("what fails gives back what was given, and warns once", () => {
  const { patches, warnings } = load();
  const broken = Object.freeze({ operations: null });
  for (let turn = 0; turn < 3; turn += 1) {
    assert.equal(run(patches.before.SceneListOperations, broken)[0], broken);
  }
  assert.equal(warnings.length, 1);
  const result = h(
    "div",
    null,
    ...[
      h("a"),
      {
        get props() {
          throw new Error("broken");
        },
      },
    ],
  );
  assert.equal(patches.after.SceneListOperations[0]({}, result), result);
  assert.equal(patches.after.SceneListOperations[0]({}, null), null);
});

test("the dialog hangs beside the page, inside the providers, once", () => {
  const { patches } = load();
  const inner = h("Interactive", null, h("Helmet", { titleTemplate: "%s" }), h("Bar"), h("Main"));
  const tree = h("Configuration", { configuration: {} }, null, h("Suspense", null, h("Lightbox", null, inner)));
  const [{ children }] = run(patches.before.App, { children: tree });
  const found = children.props.children[1].props.children.props.children;
  assert.deepEqual(found.props.children.slice(0, 3), inner.props.children);
  assert.equal(found.props.children.length, 4);
  const unknown = { children: h("Other", null, h("Bar"), h("Main")) };
  assert.equal(run(patches.before.App, unknown)[0].children, unknown.children);
});

test("0.30: a button before the menu of a scenes list", () => {
  const { patches } = load();
  const group = h("ButtonGroup", null, h("Play"), h("Menu", { menuPortalTarget: {} }));
  const made = patches.after.SceneListOperations[0]({}, h("div", { className: "x" }, group));
  const inside = made.props.children.props.children;
  assert.deepEqual(
    inside.map((one) => one.type.name ?? one.type),
    ["Play", "Boundary", "Menu"],
  );
});

/** What FilteredSceneList gives in 0.31, as far as it matters. */
function tree31() {
  const operations = h("ListOperations", { operations: [{ text: "Play" }] });
  const toolbar = h("Toolbar", { listSelect: { selectedIds: new Set(["3"]) }, operationComponent: operations });
  return h(
    "Tagger",
    null,
    h("div", null, null, h("Pane", null, h("Sidebar"), h("Content", null, toolbar, h("SceneList")))),
  );
}

test("0.31: an entry and a button in the toolbar of a scenes list, and nothing else changed", () => {
  const { patches } = load();
  const before = tree31();
  const made = patches.after.FilteredSceneList[0]({}, {}, before);
  const toolbar = made.props.children.props.children[1].props.children[1].props.children[0];
  const { operations } = toolbar.props.operationComponent.props;
  assert.deepEqual(
    operations.map(({ text, icon }) => [text, icon]),
    [
      ["Play", undefined],
      ["Export…", undefined],
      ["Export…", "icon"],
    ],
  );
  assert.deepEqual(plain(before), plain(tree31()));
  assert.equal(patches.after.FilteredSceneList[0]({}, {}, null), null);
});

test("without a host for the dialog the page is opened instead", async () => {
  const { patches, went } = load();
  const [{ extraOperations }] = run(patches.before.TagList, {});
  await extraOperations[0].onClick({ variables: { filter: {}, tag_filter: {} } }, null, new Set(["1"]));
  assert.deepEqual(went, ["https://films.example/stash/plugins/portability"]);
});
