// What a run has done, told: in a line, and in full.

import { kindOf } from "./choices.js";
import { Section } from "./parts.js";
import { changesOf, notRestoredIn } from "./restoring.js";
import { h, React } from "./stash.js";
import { amount, capital, number, records, size, T, tallies } from "./strings.js";

/** How many of the tallies are told in one line. */
const GLANCED = 3;

export const list = (lines) =>
  h(
    "ul",
    { className: "portability-list" },
    lines.map((line, index) => h("li", { key: index }, line)),
  );

export const named = (facts, name) => kindOf(facts, name) ?? { name, plural: name };

/** How many of each kind, as [kind, count], in the backend's order: Stash sorts what an operation answers by name. */
export function countsOf(counts = {}, facts) {
  const names = [...new Set([...facts.kinds.map((kind) => kind.name), ...Object.keys(counts)])];
  return names.filter((name) => counts[name] > 0).map((name) => [named(facts, name), counts[name]]);
}

/** Changes in words: 1 tag new, 900 scenes changed. */
export const changesTold = (changes, facts) =>
  changes.map(({ kind, op, count }) => `${records(count, named(facts, kind))} ${T.ops[op]}`);

/** How large it is; where there are many files, nothing may have had to be written. */
const weight = (bytes, files = {}) => (bytes || !Object.keys(files).length ? size(bytes) : "");

/** What an export wrote, in one line. */
export function glance(report, facts) {
  const { bytes = 0, remarks = [], skipped = [], files = {} } = report;
  const odd = [remarks.length && T.remarks(remarks.length), skipped.length && T.skipped(skipped.length)];
  const became = tallies(files)
    .slice(0, GLANCED)
    .map(([count, what]) => `${number(count)} ${what}`);
  return [amount(countsOf(report.counts, facts)), became.join(", "), weight(bytes, files), ...odd].filter(Boolean).join(" · ");
}

/** How many files became what. */
const Files = ({ files }) =>
  h(
    "dl",
    { className: "portability-tally" },
    tallies(files).map(([count, what]) => h("div", { key: what }, h("dt", null, what), h("dd", null, number(count)))),
  );

/** A reason, with how often it was one, and the first few times folded below it. */
function Reason({ text, count, examples = [] }) {
  const more = count - examples.length;
  const label = h("span", null, capital(text));
  if (!examples.length) return h("p", null, T.reason(capital(text), count));
  return h(
    Section,
    { label, aside: number(count), className: "portability-reason" },
    list([...examples, ...(more > 0 ? [T.reasonMore(more)] : [])]),
  );
}

/** What became of files where there are many of them, and why not of all. */
const Became = ({ files = {}, reasons = [] }) =>
  h(
    React.Fragment,
    null,
    Object.keys(files).length > 0 && h(Files, { files }),
    reasons.length > 0 &&
      h(
        Section,
        { label: T.reasonsLabel, open: true },
        reasons.map((reason) => h(Reason, { key: reason.text, ...reason })),
      ),
  );

const Remarks = ({ remarks = [], skipped = [], notes = [] }) =>
  h(
    React.Fragment,
    null,
    remarks.length > 0 && h(Section, { label: T.remarks(remarks.length), open: true }, list(remarks)),
    skipped.length > 0 && h(Section, { label: T.skipped(skipped.length) }, list(skipped)),
    notes.length > 0 && list(notes),
  );

/** What an export or a backup wrote, and what it has to say. */
export function Wrote({ report, facts }) {
  const { bytes = 0, seconds = {}, outputs = [] } = report;
  const kinds = countsOf(report.counts, facts).map(([kind, count]) => records(count, kind));
  const large = weight(bytes, report.files);
  const took = Object.values(seconds).reduce((sum, one) => sum + one, 0);
  return h(
    React.Fragment,
    null,
    h("p", null, [kinds.join(", "), large, T.tookTime(took)].filter(Boolean).join(" · ")),
    h(Became, report),
    h(Remarks, report),
    outputs.map((path) => h("p", { key: path, className: "portability-quiet" }, T.onServer, path)),
  );
}

/** What a preview counted, or a restore wrote, in one line. */
export function glanceChanges(report, facts) {
  const { remarks = [], skipped = [], changes = {} } = report;
  const told = changesTold(changesOf(changes, facts), facts);
  const odd = [remarks.length && T.remarks(remarks.length), skipped.length && T.skipped(skipped.length)];
  return [told.join(", ") || T.nothingWritten, ...odd].filter(Boolean).join(" · ");
}

const DECISIONS = {
  conflicts: (count) => T.conflicts(count),
  ambiguities: (count) => T.ambiguities(count),
  waiting: (count) => T.waiting(count),
  moved: (count) => T.movedCount(count),
  failed: (count) => T.failedCount(count),
  partly: (count) => T.partlyCount(count),
  differ: (count) => T.differCount(count),
};

/** What waits for somebody, or was left alone, in words. */
export const decisionsTold = (decisions = {}) =>
  Object.keys(DECISIONS).flatMap((name) => (decisions[name] > 0 ? [DECISIONS[name](decisions[name])] : []));

/** What cannot be restored, and why, folded. */
export function NotRestored({ told: fields }) {
  const all = notRestoredIn(fields);
  if (!all.length) return null;
  const lines = all.map(({ field, count, why }) => T.notRestoredOne(field, count, why));
  return h(Section, { label: T.notRestored(all.length) }, list(lines));
}

/** What a run of the write engine read, planned or wrote, left alone, and why. */
export function Did({ kind, report, facts }) {
  const { source, how, seconds = {}, point } = report;
  const changes = changesTold(changesOf(report.changes, facts), facts);
  const took = Object.values(seconds).reduce((sum, one) => sum + one, 0);
  const waiting = [...decisionsTold(report.decisions), ...(report.brakes ?? []).map(({ why }) => capital(why))];
  return h(
    React.Fragment,
    null,
    source && h("p", { className: "portability-quiet" }, [T.readFrom(source, how), T.tookTime(took)].join(" · ")),
    h("p", { className: "mb-1" }, h("strong", null, kind === "restore" ? T.planned : T.wrote)),
    list(changes.length ? changes : [T.nothingWritten]),
    waiting.length > 0 && list(waiting),
    h(Became, report),
    h(Remarks, report),
    h(NotRestored, { told: report.not_restored }),
    point && h("p", { className: "portability-quiet" }, T.pointAt(point)),
  );
}
