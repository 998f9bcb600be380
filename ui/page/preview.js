// The first records as they will look, how many there are, and about how large it gets.

import { kindOf } from "./choices.js";
import { api, useAnswer } from "./hooks.js";
import { classes, Trouble, Waiting } from "./parts.js";
import { h } from "./stash.js";
import { plain, records, T } from "./strings.js";

const ASK_AFTER_MS = 500;
/** The exit code of what somebody has to choose otherwise. */
const USAGE = 2;
/** Longer cells may be cut off: they are told whole under the pointer. */
const CUT = 30;

export const usePreview = (order) =>
  useAnswer((signal) => api.preview(order, signal), order && JSON.stringify(order), ASK_AFTER_MS);

/** Whether the backend says that this order cannot be done: then it need not be tried. */
export const isRefused = ({ problem, loading }) => !loading && problem?.exit_code === USAGE;

const whole = (cell) => (cell.length > CUT ? { title: cell } : {});
const Cells = ({ of, cells, ...more }) =>
  cells.map((cell, index) => h(of, { key: index, ...whole(cell), ...more }, cell));

function Table({ columns, rows }) {
  return h(
    "table",
    { className: "portability-table" },
    h("thead", null, h("tr", null, h(Cells, { of: "th", cells: columns, scope: "col" }))),
    h(
      "tbody",
      null,
      rows.map((cells, index) => h("tr", { key: index }, h(Cells, { of: "td", cells }))),
    ),
  );
}

function Shown({ answer }) {
  if (!answer.records) return h("p", { className: "portability-quiet" }, T.previewEmpty);
  const table = answer.columns?.length > 0 && answer.rows;
  return h(
    "div",
    { className: "portability-box", tabIndex: 0, role: "region", "aria-label": T.previewFirst(answer.records) },
    table ? h(Table, answer) : h("pre", null, answer.text),
  );
}

const Told = ({ remarks = [], notes = [] }) =>
  [...remarks, ...notes].map((text) => h("div", { key: text, className: "portability-quiet mt-1" }, text));

/** `children` stand below what is wrong with it; `near`: it stays in sight while what it shows is written. */
export function Preview({ preview: { answer, problem, loading, again }, near, children }) {
  const title = problem?.exit_code === USAGE ? T.previewFailed : "";
  return h(
    "section",
    { className: classes("portability-preview", near && "portability-near"), "aria-busy": loading },
    h("h6", null, answer?.records ? T.previewFirst(answer.records) : T.previewLabel),
    h(Trouble, { problem, title, again }, h("div", null, children)),
    loading && !answer && h(Waiting, null, T.previewLoading),
    answer && h("div", { className: loading ? "portability-old" : "" }, h(Shown, { answer }), h(Told, answer)),
  );
}

/** How many, how large, how long, in one line. `many`: there is more than the one kind that is counted. */
function summary({ count, kind: name, guess }, facts, many) {
  const kind = kindOf(facts, name);
  if (!count) return kind && !many ? T.nothing(plain(kind.plural)) : "";
  const first = kind ? records(count, kind) : "";
  return [many ? T.guessMore(first) : first, guess && T.guess(guess.bytes, guess.seconds)].filter(Boolean).join(", ");
}

export function Summary({ preview: { answer, problem, loading }, facts, many }) {
  const text = answer ? summary(answer, facts, many) : problem ? T.previewWrong : "";
  return h("div", { className: "portability-summary", role: "status" }, loading ? T.previewLoading : text);
}
