// What can be done with a run that is over: taking it back, going on where it ended, keeping its report.

import { api, useAct, useAnswer, useFocus } from "./hooks.js";
import { keepPlan, recallPlan } from "./kept.js";
import { Failed, Follow } from "./outcome.js";
import { Button, Notice, Trouble } from "./parts.js";
import { Met } from "./met.js";
import { brakesMet, canUndo, changesOf, orderAgain } from "./restoring.js";
import { h, React, saveFile } from "./stash.js";
import { records, T } from "./strings.js";
import { Did, list, named } from "./told.js";

const { useState } = React;

/** A button that has the browser keep a run's report. */
export const SaveReport = ({ report }) =>
  h(Button, { onClick: () => saveFile(`${report.run}.json`, `${JSON.stringify(report, null, 1)}\n`) }, T.saveReport);

const takenBack = ({ kind, op, count }, facts) =>
  T.undoOne(records(count, named(facts, kind)), (count === 1 ? T.undoOps : T.undoOpsMany)[op]);

/** What taking back would do, and whether it shall. */
function Confirm({ report, facts, start, onKeep }) {
  const changes = changesOf(report.report?.changes, facts);
  return h(
    Notice,
    { variant: "warning", role: "group", "aria-label": T.undoTitle },
    h("strong", null, T.undoTitle),
    list(changes.length ? changes.map((one) => takenBack(one, facts)) : [T.undoAll]),
    h("div", { className: "mb-2" }, T.undoSpares),
    h(
      "div",
      { ref: useFocus("button"), className: "portability-buttons" },
      h(Button, { onClick: onKeep, variant: "primary" }, T.undoKeep),
      h(Button, { onClick: () => start.act(), variant: "danger", disabled: start.busy }, start.busy ? T.starting : T.undoNow),
    ),
    h(Trouble, { problem: start.problem, again: () => start.act() }),
  );
}

function TakenBack({ report, facts, start }) {
  const brakes = brakesMet(report);
  if (brakes.length) return h(Met, { brakes, busy: start.busy, onAccept: start.act });
  if (report.state !== "finished") return h(Failed, { report, kind: "undo" });
  return h(
    React.Fragment,
    null,
    h(
      Notice,
      { variant: "success", role: "status" },
      h("strong", null, report.exit_code ? T.undoneRemarks : T.undone),
    ),
    h(Did, { kind: "undo", report: report.report ?? {}, facts }),
  );
}

/** Undo of a run, from the question to what became of it; nothing for a run that cannot be taken back. */
export function Undo({ report, facts }) {
  const [asking, setAsking] = useState(false);
  const [followed, setFollowed] = useState(null);
  const start = useAct(async (accept) =>
    setFollowed(await api.start("undo", { run: report.run, ...(accept && { accept }) })),
  );
  if (followed) {
    const over = (last) => h(TakenBack, { report: last, facts, start });
    return h(Follow, { key: followed.run, followed, kind: "undo", over });
  }
  if (!canUndo(report)) return null;
  if (asking) return h(Confirm, { report, facts, start, onKeep: () => setAsking(false) });
  return h("div", { className: "mb-2" }, h(Button, { onClick: () => setAsking(true) }, T.undo));
}

/** The run of the preview that a run of a restore goes back to. */
const planOf = (report) => report.plan ?? recallPlan(localStorage, report.run);

/** The order by which a run that ended early is previewed again: its own, or that of the plan it was writing. */
async function orderFor(report) {
  if (report.kind === "restore") return (await api.run(report.run)).order;
  const { header } = await api.plan(planOf(report), { what: "changes", most: 1 });
  return orderAgain(header);
}

/** "Run again" of a restore, or of its preview, that ended early: a new preview by the same order, which `onStart` is
 * told of. */
export function GoOn({ report, onStart }) {
  const start = useAct(async () => {
    const order = await orderFor(report);
    onStart({ ...(await api.start("restore", order)), order });
  });
  if (report.kind !== "restore" && !planOf(report)) return null;
  return h(
    "div",
    { className: "mb-2" },
    h(Button, { onClick: start.act, disabled: start.busy }, start.busy ? T.starting : T.runAgain),
    report.kind !== "restore" && h("span", { className: "portability-quiet ml-2" }, T.againHint),
    h(Trouble, { problem: start.problem, again: start.act }),
  );
}

/** Begin to apply a preview. */
export async function startApply(plan, accept) {
  const begun = await api.start("apply", { plan, accept });
  keepPlan(localStorage, begun.run, plan);
  return begun;
}

/** The answer to `overview`, asked when it is looked at. */
export const useOverview = (active) => useAnswer((signal) => api.overview(signal), active ? "overview" : null);
