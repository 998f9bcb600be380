import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";

import { age, amount, capital, duration, plain, records, size, T, utc } from "../../ui/page/strings.js";

const folder = new URL("../../ui/page/", import.meta.url);
const sources = readdirSync(folder)
  .filter((name) => name.endsWith(".js"))
  .map((name) => [name, readFileSync(new URL(name, folder), "utf8")]);
const code = sources.map(([, text]) => text).join("\n");
const used = new Set([...code.matchAll(/\bT\.([A-Za-z]+)/g)].map(([, key]) => key));

test("every text that is used is there", () => {
  assert.deepEqual(
    [...used].filter((key) => !(key in T)),
    [],
  );
});

test("every text is used", () => {
  assert.deepEqual(
    Object.keys(T).filter((key) => !used.has(key)),
    [],
  );
});

test("texts are used as they are meant: those with words in them are called", () => {
  const called = new Set([...code.matchAll(/\bT\.([A-Za-z]+)\(/g)].map(([, key]) => key));
  const made = Object.keys(T).filter((key) => typeof T[key] === "function");
  assert.deepEqual([...called].sort(), made.sort());
});

test("plurals", () => {
  const kind = { name: "saved_filter", plural: "saved_filters" };
  assert.equal(records(1, kind), "1 saved filter");
  assert.equal(records(0, kind), "0 saved filters");
  assert.equal(records(2, kind), "2 saved filters");
  assert.equal(T.remarks(1), "1 remark");
});

test("sizes and times, as far as every language agrees", () => {
  assert.match(size(0), /^0/);
  assert.match(size(999), /^999/);
  assert.match(size(1_500_000), /^1[.,]5/);
  assert.match(size(5e15), /5.?000/);
  assert.equal(duration(0.2), T.aSecond);
  assert.match(duration(90), /^2/);
  assert.equal(plain("saved_filters"), "saved filters");
  assert.equal(capital("full"), "Full");
});

test("nothing of the page makes HTML of data, or asks another host", () => {
  for (const [name, text] of sources) {
    assert.ok(!/innerHTML|dangerouslySetInnerHTML|insertAdjacentHTML|https?:\/\//.test(text), name);
  }
});

test("a run's counts at a glance: a few kinds by name, more as their sum", () => {
  const told = ["scene", "tag", "studio", "group"].map((name) => [{ name, plural: `${name}s` }, 2]);
  assert.equal(amount(told.slice(0, 2)), "2 scenes, 2 tags");
  assert.equal(amount(told), "8 records of 4 kinds");
  assert.equal(amount([]), T.noRecords);
  assert.equal(records(7, { name: "config", plural: "config" }), "7 parts of the configuration");
});

test("a UTC time as such, for those who point at a local one", () => {
  assert.equal(utc("2026-05-01T20:00:00Z"), "2026-05-01 20:00:00 UTC");
});

test("how long ago, in the largest whole unit", () => {
  const now = Date.parse("2026-05-10T12:00:00Z");
  assert.equal(age("2026-05-07T11:00:00Z", now), new Intl.RelativeTimeFormat(undefined, { numeric: "auto" }).format(-3, "day"));
  assert.equal(age("2026-05-10T09:00:01Z", now), new Intl.RelativeTimeFormat(undefined, { numeric: "auto" }).format(-2, "hour"));
  assert.equal(age("2026-05-10T12:00:30Z", now), age("2026-05-10T12:00:00Z", now)); // a clock that is ahead
});
