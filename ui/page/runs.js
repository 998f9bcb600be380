// The tab Runs: each run with what was read, planned, written, skipped and why; and what can be done with it.

import { isOver } from "./api.js";
import { GoOn, SaveReport, Undo } from "./deeds.js";
import { api, useAnswer } from "./hooks.js";
import { Download, Follow, hasDownload } from "./outcome.js";
import { Button, Copy, Section, Trouble, Waiting } from "./parts.js";
import { canGoOn, hasPlan } from "./restoring.js";
import { bootstrap, h, React } from "./stash.js";
import { capital, moment, T, utc } from "./strings.js";
import { Did, glance, glanceChanges, Wrote } from "./told.js";

const { useState } = React;

const KINDS = {
  export: () => T.runExport,
  setup: () => T.runSetup,
  backup: () => T.runBackup,
  verify: () => T.runVerify,
  restore: () => T.runRestore,
  apply: () => T.runApply,
  undo: () => T.runUndo,
};
/** The runs of the write engine, of which changes are told. */
const ENGINE = ["restore", "apply", "undo"];
const STATES = {
  queued: () => T.stateQueued,
  running: () => T.stateRunning,
  finished: (report) => (report.exit_code ? T.stateRemarks : T.stateFinished),
  failed: () => T.stateFailed,
  stopped: () => T.stateStopped,
  cancelled: () => T.stateCancelled,
};
const LOOKS = { finished: "success", failed: "danger", stopped: "warning", cancelled: "secondary" };

export const knownKind = (kind) => (kind in KINDS ? kind : "export");

/** A run in two lines: what, how it went and when, what can be done with it; then what it wrote, or why not. */
export function Row({ report, button, children }) {
  const { state, started, asked, title, kind, run } = report;
  const time = started ?? asked;
  const variant = state === "finished" && report.exit_code ? "warning" : (LOOKS[state] ?? "info");
  return h(
    React.Fragment,
    null,
    h(
      "div",
      { className: "portability-run-head" },
      h(
        "div",
        { className: "portability-run-about" },
        h("strong", null, title || (KINDS[kind]?.() ?? run)),
        h(bootstrap().Badge, { variant }, STATES[state]?.(report) ?? state),
        report.undone && h(bootstrap().Badge, { variant: "secondary" }, T.wasUndone),
        time && h("time", { dateTime: time, title: utc(time), className: "portability-quiet" }, moment(time)),
      ),
      h("span", { className: "portability-run-button" }, button),
    ),
    children,
  );
}

/** What a run has to tell, folded under the line that says it shortest. */
function Told({ report, facts }) {
  const { kind, report: told } = report;
  const engine = ENGINE.includes(kind);
  if (!told) return h("div", { className: "portability-buttons" }, h(SaveReport, { report }));
  const label = engine ? glanceChanges(told, facts) : glance(told, facts);
  return h(
    Section,
    { label },
    engine ? h(Did, { kind, report: told, facts }) : h(Wrote, { report: told, facts }),
    h(SaveReport, { report }),
  );
}

function Over({ report, facts, onPlan }) {
  const [asked, setAsked] = useState(false);
  const { error, kind, state } = report;
  const exported = kind === "export" && state === "finished";
  const odd = error && state !== "cancelled";
  const button = odd
    ? h(Copy, { text: JSON.stringify(report, null, 1) })
    : hasPlan(report)
      ? h(Button, { onClick: () => onPlan(report.run) }, T.openPreview)
      : exported && !asked && hasDownload(report) && h(Button, { onClick: () => setAsked(true) }, T.download);
  return h(
    Row,
    { report, button },
    error && h("div", null, capital(error.message)),
    asked && h(Download, { run: report.run }),
    canGoOn(report) && h(GoOn, { report, onStart: onPlan }),
    h(Undo, { report, facts }),
    h(Told, { report, facts }),
  );
}

function Run({ report, facts, onPlan }) {
  const over = (last) => h(Over, { report: last, facts, onPlan });
  const around = (state = report.state, drawn) => h(Row, { report: { ...report, state } }, drawn);
  return h(
    "li",
    { className: "portability-run" },
    isOver(report) ? over(report) : h(Follow, { followed: report, kind: knownKind(report.kind), over, around }),
  );
}

/** The tab. `onPlan` opens a preview: by its run's name, or one that was begun just now. */
export function Runs({ facts, onPlan }) {
  const { answer, problem, loading, again } = useAnswer((signal) => api.status(signal), "runs");
  if (problem) return h(Trouble, { problem, again });
  if (!answer) return h(Waiting, null, T.loading);
  const list = answer.runs.map((report) => h(Run, { key: report.run, report, facts, onPlan }));
  return h(
    React.Fragment,
    null,
    h(
      "div",
      { className: "portability-buttons mb-2" },
      h(Button, { onClick: again, disabled: loading }, loading ? T.loading : T.runsReload),
    ),
    list.length ? h("ul", { className: "portability-runs" }, list) : h("p", null, T.runsEmpty),
  );
}
