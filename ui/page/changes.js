// What a plan would do, change by change: what is there now beside what comes, with filters; and what waits.

import { kindOf } from "./choices.js";
import { api, useAnswer, useFocus } from "./hooks.js";
import { Button, Choice, Trouble, Waiting } from "./parts.js";
import { filtersOf, listsOf } from "./restoring.js";
import { bootstrap, h, React } from "./stash.js";
import { capital, plain, T } from "./strings.js";
import { list, named } from "./told.js";

const { useState } = React;

const ROWS = 25;
const LOOKS = { create: "success", update: "info", delete: "danger" };
/** Longer values get a box of their own height, which can be scrolled by keyboard. */
const LONG = 300;

const Value = ({ text }) =>
  text === null || text === undefined || text === ""
    ? h("span", { className: "portability-quiet" }, T.planEmpty)
    : h("div", text.length > LONG ? { className: "portability-long", tabIndex: 0 } : null, text);

const lines = (texts) => texts.map((text, index) => h("div", { key: index }, text));
const picture = (is) => h("span", { className: "portability-quiet" }, is ? T.planPicture : T.planNoPicture);

function cellsOf({ image, added, removed, before, after }) {
  if (image) return [picture(before), picture(after)];
  if (!added && !removed) return [h(Value, { text: before }), h(Value, { text: after })];
  return [
    lines((removed ?? []).map((text) => T.planRemoved(text))),
    lines((added ?? []).map((text) => T.planAdded(text))),
  ];
}

/** Fields by rows: what the columns are called, and one {name, cells} a field. */
const Sides = ({ heads, fields }) =>
  h(
    "table",
    { className: "portability-sides", role: "table" },
    h("thead", { role: "rowgroup" }, h("tr", { role: "row" }, heads.map(columnHead))),
    h(
      "tbody",
      { role: "rowgroup" },
      fields.map(({ name, cells }) =>
        h(
          "tr",
          { key: name, role: "row" },
          h("th", { scope: "row", role: "rowheader" }, capital(plain(name))),
          cells.map((cell, index) => h("td", { key: index, role: "cell", "data-head": heads[index + 1] }, cell)),
        ),
      ),
    ),
  );

const columnHead = (text) => h("th", { key: text, scope: "col", role: "columnheader" }, text);

/** The head of a row: what is done, to what. */
const Head = ({ op, kind, uid, label, facts }) => {
  const name = plain(named(facts, kind).name);
  return h(
    "div",
    { className: "portability-run-about" },
    op && h(bootstrap().Badge, { variant: LOOKS[op] }, T.ops[op]),
    h("strong", null, label || T.planRecord(name, uid)),
    h("span", { className: "portability-quiet" }, op === "create" ? T.planNewRecord(name) : T.planRecord(name, uid)),
  );
};

function Change({ row, facts }) {
  const fields = row.fields.map((field) => ({ name: field.name, cells: cellsOf(field) }));
  const heads = [T.planField, T.planNow, T.planThen];
  return h(React.Fragment, null, h(Head, { ...row, facts }), fields.length > 0 && h(Sides, { heads, fields }));
}

function Conflict({ row, facts }) {
  const cells = [row.target, row.source, T.planChosen[row.chosen] ?? row.chosen].map((text) => h(Value, { text }));
  const heads = [T.planField, T.planHere, T.planThere, T.planChosenLabel];
  return h(
    React.Fragment,
    null,
    h(Head, { ...row, facts }),
    h(Sides, { heads, fields: [{ name: row.field || row.kind, cells }] }),
  );
}

const Found = ({ row, facts }) =>
  h(
    React.Fragment,
    null,
    h(Head, { ...row, facts }),
    h("div", null, capital(row.why)),
    row.candidates?.length > 0 && h("div", null, T.planCandidates, list(row.candidates)),
  );

const DRAWN = { changes: Change, conflicts: Conflict, ambiguities: Found, waiting: Found };

/** A row; the first of a page that was asked for takes the focus. */
const Row = ({ what, row, facts, first }) =>
  h(
    "li",
    { className: "portability-change portability-focus", ...(first && { ref: useFocus(), tabIndex: -1 }) },
    h(DRAWN[what], { row, facts }),
  );

/** A page of rows, and the next one once it is asked for. */
function Rows({ run, what, filters, cursor, facts }) {
  const [further, setFurther] = useState(false);
  const wanted = { what, ...filters, most: ROWS, ...(cursor !== null && { cursor }) };
  const ask = (signal) => api.plan(run, wanted, signal);
  const { answer, problem, loading, again } = useAnswer(ask, `${run} ${JSON.stringify(wanted)}`);
  if (problem) return h("li", null, h(Trouble, { problem, again }));
  if (!answer || loading) return h("li", null, h(Waiting, null, T.loading));
  const { rows, cursor: next = null } = answer;
  const one = (row, index) => h(Row, { key: index, what, row, facts, first: cursor !== null && !index });
  return h(
    React.Fragment,
    null,
    rows.map(one),
    !rows.length && next === null && cursor === null && h("li", null, T.planNoRows),
    next !== null && !further && h("li", null, h(Button, { onClick: () => setFurther(true) }, T.planMore)),
    further && h(Rows, { run, what, filters, cursor: next, facts }),
  );
}

const option = (value, text) => ({ value, text });
const ANY = "";

function Filters({ changes, what, filters, facts, set, children }) {
  const { kinds, ops } = filtersOf(changes, filters.kind);
  const fields = kindOf(facts, filters.kind)?.fields ?? [];
  const any = option(ANY, T.filterAny);
  const text = (name) => kindOf(facts, name)?.label ?? plain(name);
  const choice = (label, key, options) =>
    h(Choice, { label, value: filters[key] ?? ANY, options: [any, ...options], onChange: (value) => set(key, value) });
  const isChange = what === "changes";
  return h(
    "div",
    { className: "portability-filters" },
    children,
    choice(T.filterKind, "kind", (isChange ? kinds : facts.kinds.map(({ name }) => name)).map((one) => option(one, text(one)))),
    isChange && choice(T.filterOp, "op", ops.map((one) => option(one, T.ops[one]))),
    isChange && fields.length > 0 && choice(T.filterField, "field", fields.map(({ name }) => option(name, plain(name)))),
  );
}

/** The lists of a plan: its changes, and what waits for somebody. */
export function Changes({ run, header, changes, facts }) {
  const [what, setWhat] = useState("changes");
  const [filters, setFilters] = useState({});
  const lists = listsOf(header, changes);
  const text = ([name, count]) => option(name, T.planWhatCount(T.planWhat[name], count));
  // The fields of one kind are no filter of another.
  const set = (key, value) =>
    setFilters(({ field, ...now }) => ({
      ...now,
      ...(key !== "kind" && field && { field }),
      [key]: value || undefined,
    }));
  const choose = (next) => (setWhat(next), setFilters({}));
  return h(
    "section",
    null,
    h(
      Filters,
      { changes, what, filters, facts, set },
      lists.length > 1 && h(Choice, { label: T.planShow, value: what, options: lists.map(text), onChange: choose }),
    ),
    h(
      "ul",
      { className: "portability-runs" },
      h(Rows, { key: JSON.stringify([what, filters]), run, what, filters, cursor: null, facts }),
    ),
  );
}
