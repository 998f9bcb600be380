import assert from "node:assert/strict";
import { test } from "node:test";

import * as restoring from "../../ui/page/restoring.js";
import { FACTS } from "./facts.mjs";

const ARCHIVE = { name: "a.zip", counts: { config: 3, tag: 9, scene: 34 }, config: ["interface", "ui"] };
const begin = (more = {}) => ({ ...restoring.beginRestore(), ...more });
const order = (more, archive = ARCHIVE) => restoring.restoreOrder(begin(more), archive, FACTS);
const lacking = (more) => restoring.lackingOf(begin(more), ARCHIVE, FACTS);

test("everything is everything but settings, and changes least", () => {
  assert.deepEqual(order(), { archive: "a.zip", mode: "merge", prefer: { "": "fill" } });
  assert.equal(lacking(), null);
});

test("the kinds are those of the backup, in the backend's order", () => {
  const names = (archive) => restoring.kindsIn(archive, FACTS).map(({ name }) => name);
  assert.deepEqual(names(ARCHIVE), ["scene", "tag"]);
  assert.deepEqual(names({ counts: { tag: 0, scene: 1 } }), ["scene"]);
  assert.deepEqual(names({ counts: {} }), []);
});

test("only tags and their links", () => {
  assert.deepEqual(order({ off: ["scene"] }), {
    archive: "a.zip",
    kinds: ["tag"],
    links: true,
    mode: "merge",
    prefer: { "": "fill" },
  });
  assert.equal(order({ off: ["scene"], links: false }).links, undefined);
});

test("with all kinds there are no links of other kinds", () => assert.equal(order({ links: true }).links, undefined));

test("settings alone never become everything", () => {
  const state = { off: ["scene", "tag"], config: ["ui"] };
  assert.equal(lacking(state), null);
  const { kinds, config } = order(state);
  assert.deepEqual([kinds, config], [["config"], ["ui"]]);
  assert.equal(lacking({ off: ["scene", "tag"] }), "kinds");
});

test("settings beside all kinds name these, or nothing but settings would be restored", () => {
  assert.deepEqual(order({ config: ["ui"] }).kinds, ["scene", "tag"]);
});

test("brakes that are met only when it is applied can be told apart", () => {
  const error = { code: "Braked", message: "no-restore-point: Stash: no room; wait; many-deletes: it would delete 9 of 9 tag" };
  assert.deepEqual(restoring.brakesMet({ error }), [
    { name: "no-restore-point", why: "Stash: no room; wait" },
    { name: "many-deletes", why: "it would delete 9 of 9 tag" },
  ]);
  assert.deepEqual(restoring.brakesMet({ error: { code: "NoSpace", message: "no-room: x" } }), []);
  assert.deepEqual(restoring.brakesMet({}), []);
});

test("ids are taken as people write them, each once", () => {
  assert.deepEqual(restoring.idsIn(" 12, 7;7\n 40 "), ["12", "7", "40"]);
  assert.deepEqual(restoring.idsIn(undefined), []);
  const { kinds, ids } = order({ which: restoring.IDS, ids: { tag: "3, 4", scene: " ," } });
  assert.deepEqual([kinds, ids], [["tag"], { tag: ["3", "4"] }]);
  assert.equal(lacking({ which: restoring.IDS, ids: { scene: "," } }), "ids");
});

test("a list is sent as it is, and one without records is told", () => {
  const text = "# head\ntag 3  # Reed\n\n#tag 4\n";
  assert.equal(restoring.namedIn(text), 1);
  const state = { which: restoring.LIST, list: { name: "l.txt", text } };
  assert.equal(order(state).selection, text);
  assert.equal(order(state).kinds, undefined);
  assert.equal(lacking(state), null);
  assert.equal(lacking({ which: restoring.LIST }), "list");
  assert.equal(lacking({ which: restoring.LIST, list: { name: "l.txt", text: "# nothing" } }), "empty");
});

test("what wins, for all and kind by kind; a replace asks for none of it", () => {
  const state = { prefer: "source", per: { tag: "newer", scene: "" } };
  assert.deepEqual(order(state).prefer, { "": "source", tag: "newer" });
  assert.equal(order({ ...state, mode: "replace" }).prefer, undefined);
});

test("strategies and modes in our order, those of later versions last", () => {
  assert.deepEqual(restoring.strategiesOf({ strategies: ["ask", "dice", "fill"] }), ["fill", "ask", "dice"]);
  assert.deepEqual(restoring.modesOf({}), ["merge", "replace"]);
});

const COUNTS = { "tag create": 1, "scene update": 900, "scene delete": 2, conflicts: 4, "references left out": 3, "tag update": 0 };
const CHANGES = restoring.changesOf(COUNTS, FACTS);

test("changes in the backend's order; what is none is passed over", () => {
  const told = CHANGES.map(({ kind, op, count }) => `${kind} ${op} ${count}`);
  assert.deepEqual(told, ["scene update 900", "scene delete 2", "tag create 1"]);
  assert.equal(restoring.sumOf(CHANGES), 903);
  assert.equal(restoring.sumOf(CHANGES, "delete"), 2);
  assert.deepEqual(restoring.changesOf(undefined, FACTS), []);
  assert.deepEqual(restoring.tableOf(CHANGES)[0], { kind: "scene", create: 0, update: 900, delete: 2 });
});

test("a plan's lists: changes always, the others when they hold something", () => {
  const lists = restoring.listsOf({ decisions: { conflicts: 2, waiting: 0, moved: 9 } }, CHANGES);
  assert.deepEqual(lists, [
    ["changes", 903],
    ["conflicts", 2],
  ]);
  assert.deepEqual(restoring.listsOf({}, []), [["changes", 0]]);
});

test("the filters offer what there is", () => {
  assert.deepEqual(restoring.filtersOf(CHANGES), { kinds: ["scene", "tag"], ops: ["create", "update", "delete"] });
  assert.deepEqual(restoring.filtersOf(CHANGES, "tag").ops, ["create"]);
});

test("nothing is applied before each brake is accepted, and the word typed where something is deleted", () => {
  const header = { brakes: [{ name: "source-empty" }, { name: "many-deletes" }] };
  const held = (accepted, typed, changes = CHANGES) => restoring.heldBy(header, changes, accepted, typed, "delete");
  assert.equal(held([], "delete"), "brakes");
  assert.equal(held(["many-deletes"], "delete"), "brakes");
  assert.equal(held(["many-deletes", "source-empty"], ""), "word");
  assert.equal(held(["many-deletes", "source-empty"], "delete everything"), "word");
  assert.equal(held(["many-deletes", "source-empty"], " Delete "), null);
  assert.equal(held(["many-deletes", "source-empty"], "", CHANGES.slice(2)), null);
  assert.equal(restoring.heldBy({}, [], [], "", "delete"), null);
});

test("what cannot be restored, as a preview and as a report tell it", () => {
  const wanted = [{ field: "scene.created_at", count: 3, why: "set by Stash" }];
  assert.deepEqual(restoring.notRestoredIn({ "scene.created_at": [3, "set by Stash"] }), wanted);
  assert.deepEqual(restoring.notRestoredIn({ "scene.created_at": { count: 3, why: "set by Stash" } }), wanted);
  assert.deepEqual(restoring.notRestoredIn(null), []);
});

test("a preview is made again by what the last one was made by, and by no path", () => {
  const options = { archive: "/data/backups/a.zip", target: "x", kinds: ["tag"], ids: {}, links: true, config: [], mode: "merge", prefer: { "": "fill" } };
  assert.deepEqual(restoring.orderAgain({ options }), {
    archive: "a.zip",
    kinds: ["tag"],
    links: true,
    mode: "merge",
    prefer: { "": "fill" },
  });
  assert.equal(restoring.orderAgain({ archive: "a.zip" }), null);
  assert.equal(restoring.orderAgain(undefined), null);
});

test("which runs go on, can be taken back, or wait to be applied", () => {
  assert.ok(restoring.canGoOn({ kind: "apply", state: "stopped" }));
  assert.ok(restoring.canGoOn({ kind: "apply", state: "failed" }));
  assert.ok(!restoring.canGoOn({ kind: "apply", state: "finished" }));
  assert.ok(!restoring.canGoOn({ kind: "undo", state: "failed" }));
  assert.ok(restoring.canGoOn({ kind: "restore", state: "stopped", asked: "2026-05-01T12:00:00Z" }));
  assert.ok(!restoring.canGoOn({ kind: "restore", state: "stopped" })); // from the command line, into any Stash
  assert.ok(!restoring.canGoOn({ kind: "restore", state: "finished", asked: "2026-05-01T12:00:00Z" }));
  assert.ok(restoring.canUndo({ report: { undoable: true } }));
  assert.ok(!restoring.canUndo({ report: { undoable: true }, undone: "run" }));
  assert.ok(!restoring.canUndo({ report: { undoable: false } }));
  assert.ok(!restoring.canUndo({}));
  assert.ok(!restoring.canUndo({ kind: "apply", state: "stopped", pid: 7, undoable: false })); // an empty journal
  assert.ok(restoring.canUndo({ kind: "apply", state: "stopped", undoable: true, report: { undoable: true } }));
  assert.ok(restoring.canUndo({ kind: "apply", state: "stopped", pid: 7 }));
  assert.ok(!restoring.canUndo({ kind: "apply", state: "stopped" })); // it never began
  assert.ok(!restoring.canUndo({ kind: "apply", state: "failed", pid: 7, error: { code: "Braked" } }));
  assert.ok(!restoring.canUndo({ kind: "restore", state: "failed", pid: 7 }));
  assert.ok(restoring.hasPlan({ kind: "restore", state: "finished" }));
  assert.ok(!restoring.hasPlan({ kind: "restore", state: "finished", applied: "run" }));
  assert.ok(!restoring.hasPlan({ kind: "apply", state: "finished" }));
});
