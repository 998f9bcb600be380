import assert from "node:assert/strict";
import { test } from "node:test";

import { ABORTED, GONE, isOver, look, makeApi, translated } from "../../ui/page/api.js";

/** An api over a client that answers what `answer(sent)` gives; `sent` keeps what it was asked. */
function over(answer) {
  const sent = [];
  const ask = async (asked) => {
    sent.push(asked);
    return { data: await answer(asked) };
  };
  const api = makeApi({
    client: () => ({ mutate: ask, query: ask }),
    gql: (text) => text,
    pluginId: () => "the-plugin",
  });
  return { api, sent };
}

const saying = (output) => over(() => ({ runPluginOperation: output }));
const refusal = async (promise) =>
  promise.then(
    () => assert.fail("it was answered"),
    (error) => error,
  );

test("an operation names the plugin and its mode, and nothing is taken from the cache", async () => {
  const { api, sent } = saying({ ok: true, counts: { all: 3 } });
  const answer = await api.count("scene", { all: {} }, { tags: { ids: ["1"] } });
  assert.deepEqual(answer.counts, { all: 3 });
  const args = { kind: "scene", scopes: { all: {} }, narrow: { tags: { ids: ["1"] } }, mode: "count" };
  assert.deepEqual(sent[0].variables, { plugin_id: "the-plugin", args });
  assert.equal(sent[0].fetchPolicy, "no-cache");
});

test("each operation sends what the backend takes", async () => {
  const { api, sent } = saying({ ok: true, run: { run: "r" } });
  await api.status();
  await api.fields();
  await api.preview({ format: "csv" });
  await api.start("export", { format: "csv" });
  await api.start("setup");
  assert.deepEqual(await api.run("r"), { run: "r" });
  assert.deepEqual(await api.cancel("r"), { run: "r" });
  await api.link({ run: "r" });
  await api.link({ archive: "a.zip" });
  await api.overview();
  await api.archives();
  await api.archive("a.zip");
  await api.plan("r", { what: "changes", kind: "tag", cursor: 7 });
  assert.deepEqual(
    sent.map(({ variables }) => variables.args),
    [
      { mode: "status" },
      { mode: "fields" },
      { order: { format: "csv" }, mode: "preview" },
      { task: "export", order: { format: "csv" }, mode: "start" },
      { task: "setup", order: {}, mode: "start" },
      { run: "r", mode: "run" },
      { run: "r", mode: "cancel" },
      { run: "r", mode: "link" },
      { archive: "a.zip", mode: "link" },
      { mode: "overview" },
      { mode: "archives" },
      { name: "a.zip", mode: "archive" },
      { what: "changes", kind: "tag", cursor: 7, run: "r", mode: "plan" },
    ],
  );
});

test("an answer that says no is an error with its code", async () => {
  const { api } = saying({ ok: false, error: { code: "NoSpace", message: "the disk is full", exit_code: 13 } });
  const error = await refusal(api.status());
  assert.deepEqual([error.code, error.message, error.exit_code], ["NoSpace", "the disk is full", 13]);
});

test("an answer that is none is an error too", async () => {
  for (const output of [null, undefined, "text", {}, { ok: false }]) {
    const error = await refusal(saying(output).api.status());
    assert.equal(error.code, "PluginFailed");
  }
});

test("what Apollo throws is told in our words", () => {
  const code = (error) => translated(error).code;
  assert.equal(code({ graphQLErrors: [{ message: "exec: python: not found" }] }), "PluginFailed");
  assert.match(translated({ graphQLErrors: [{ message: "exec: python: not found" }] }).message, /exec: python/);
  assert.equal(code({ networkError: new TypeError("Failed to fetch") }), GONE);
  assert.equal(code({ networkError: { statusCode: 401 } }), "LoggedOut");
  assert.equal(
    code({ networkError: { statusCode: 422, result: { errors: [{ message: "unknown field" }] } } }),
    "PluginFailed",
  );
  assert.equal(code(new Error("a bug")), "Bug");
});

test("who aborts does not wait, and a late answer is not heard", async () => {
  let settle;
  const { api, sent } = over(() => new Promise((resolve) => (settle = resolve)));
  const stopper = new AbortController();
  const waiting = refusal(api.preview({}, stopper.signal));
  await Promise.resolve();
  stopper.abort();
  assert.equal((await waiting).code, ABORTED);
  assert.equal(sent[0].context.fetchOptions.signal, stopper.signal);
  settle({ runPluginOperation: { ok: true } });
  assert.equal((await refusal(api.preview({}, stopper.signal))).code, ABORTED);
});

const followed = { run: "run-1", job: "7" };
const jobs = (job, report = { run: "run-1", state: "finished" }) =>
  over((asked) => (asked.query ? { findJob: job } : { runPluginOperation: { ok: true, run: report } }));

test("while Stash has the job in hand, its report is not asked for", async () => {
  for (const status of ["READY", "RUNNING", "STOPPING"]) {
    const { api, sent } = jobs({ status, progress: 0.5, description: "task (run-1)" });
    assert.equal((await look(api, followed)).job.status, status);
    assert.equal(sent.length, 1);
  }
});

test("a job that is over, gone, or of another run gives way to the report", async () => {
  for (const job of [
    null,
    { status: "FINISHED", description: "(run-1)" },
    { status: "RUNNING", description: "scan" },
  ]) {
    assert.equal((await look(jobs(job).api, followed)).report.state, "finished");
  }
  assert.equal((await look(jobs(null).api, { run: "run-1" })).report.state, "finished");
});

test("a run that is followed by its name only is followed by its job as soon as that is known", async () => {
  const job = { status: "RUNNING", progress: 0.5, description: "task (run-1)" };
  const { api, sent } = jobs(job, { run: "run-1", state: "running", job: "7" });
  assert.equal((await look(api, { run: "run-1" })).job.progress, 0.5);
  assert.equal(sent.length, 2);
});

test("a report is the last word unless the run waits or goes on", () => {
  for (const state of ["finished", "failed", "stopped", "cancelled"]) assert.ok(isOver({ state }));
  for (const state of ["queued", "running"]) assert.ok(!isOver({ state }));
  assert.ok(!isOver(undefined));
});
