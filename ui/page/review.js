// The preview of a restore: what would be done, what is in its way, and whether it shall be done.

import { api, useAnswer } from "./hooks.js";
import { Changes } from "./changes.js";
import { Brakes } from "./met.js";
import { Button, Input, Notice, Trouble, Waiting } from "./parts.js";
import { changesOf, heldBy, listsOf, OPS, sumOf, tableOf } from "./restoring.js";
import { bootstrap, h, React } from "./stash.js";
import { number, T } from "./strings.js";
import { decisionsTold, list, named, NotRestored } from "./told.js";

const { useState } = React;

function Counts({ changes, facts }) {
  const used = OPS.filter((op) => sumOf(changes, op));
  const cell = (count, key) => h("td", { key }, count ? number(count) : "");
  const head = (text) => h("th", { key: text, scope: "col" }, text);
  return h(
    "table",
    { className: "portability-table portability-counts" },
    h("caption", null, T.planCounts),
    h("thead", null, h("tr", null, head(T.planKind), used.map((op) => head(T.ops[op])))),
    h(
      "tbody",
      null,
      tableOf(changes).map((row) =>
        h(
          "tr",
          { key: row.kind },
          h("th", { scope: "row" }, named(facts, row.kind).label ?? row.kind),
          used.map((op) => cell(row[op], op)),
        ),
      ),
    ),
  );
}

/** What has to be agreed to before anything is written: brakes, and the word before something is deleted. */
function Gate({ header, deletes, gate, set }) {
  const { accepted, typed } = gate;
  const brakes = header.brakes ?? [];
  if (!brakes.length && !deletes) return null;
  return h(
    Notice,
    { variant: "warning", role: "group", "aria-label": T.brakesLabel },
    h("strong", null, T.brakesLabel),
    h(Brakes, { brakes, accepted, set: (names) => set({ accepted: names }) }),
    deletes > 0 &&
      h(Input, {
        label: T.typeWord(deletes),
        value: typed,
        autoComplete: "off",
        spellCheck: false,
        onChange: (text) => set({ typed: text }),
      }),
  );
}

const HELD = { brakes: () => T.applyFirst, word: () => T.applyWord };

function Buttons({ held, changes, busy, onApply, onBack, backText }) {
  const count = sumOf(changes);
  const deletes = sumOf(changes, "delete");
  const { Button: Big } = bootstrap();
  const text = busy ? T.starting : count ? T.applyCount(count) : T.apply;
  return h(
    "div",
    { className: "portability-footer portability-page-footer" },
    h("div", { className: "portability-summary", role: "status" }, count && held ? HELD[held]() : ""),
    h(Big, { variant: deletes ? "primary" : "secondary", onClick: onBack }, backText),
    count > 0 &&
      h(
        Big,
        { variant: deletes ? "danger" : "primary", disabled: Boolean(held) || busy, onClick: onApply },
        text,
      ),
  );
}

function Planned({ run, header, facts, apply, onBack, backText }) {
  const [gate, setGate] = useState({ accepted: [], typed: "" });
  const changes = changesOf(header.counts, facts);
  const held = heldBy(header, changes, gate.accepted, gate.typed, T.word);
  const set = (part) => setGate((now) => ({ ...now, ...part }));
  const rows = changes.length > 0 || listsOf(header, changes).length > 1;
  const waiting = decisionsTold(header.decisions);
  return h(
    React.Fragment,
    null,
    changes.length
      ? h(Counts, { changes, facts })
      : h(Notice, { variant: "success", role: "status" }, waiting.length ? T.planNothingLeft : T.planNothing),
    changes.length > 0 && h(Gate, { header, deletes: sumOf(changes, "delete"), gate, set }),
    waiting.length > 0 && list(waiting),
    h(NotRestored, { told: header.not_restored }),
    rows && h(Changes, { run, header, changes, facts }),
    h(Trouble, { problem: apply.problem }),
    h(Buttons, { held, changes, busy: apply.busy, onApply: () => apply.act(gate.accepted), onBack, backText }),
  );
}

/** The preview that the run `run` has made. `apply` does it ({act(accepted), busy, problem}). */
export function Review({ run, facts, apply, onBack, backText }) {
  const ask = (signal) => api.plan(run, { what: "changes", most: 1 }, signal);
  const { answer, problem, again } = useAnswer(ask, run);
  if (problem) return h(Trouble, { problem, again }, h("div", null, h(Button, { onClick: onBack }, backText)));
  if (!answer) return h(Waiting, null, T.loading);
  return h(Planned, { run, header: answer.header, facts, apply, onBack, backText });
}
