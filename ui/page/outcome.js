// A run from here on: waiting, how far, and what became of it with its download.

import { GONE, isOver } from "./api.js";
import { api, useAct, useAnswer, useFocus, useRun } from "./hooks.js";
import { Bar, Button, Copy, Notice, Trouble, Waiting } from "./parts.js";
import { downloadAddress, h, React, useToast } from "./stash.js";
import { capital, clock, T, utc } from "./strings.js";
import { Wrote } from "./told.js";

const { useEffect, useState } = React;

const DOING = {
  export: () => T.exporting,
  setup: () => T.installing,
  backup: () => T.backingUp,
  verify: () => T.verifying,
  restore: () => T.comparing,
  apply: () => T.applying,
  undo: () => T.undoing,
};
const STATES = { READY: "queued", RUNNING: "running", STOPPING: "running" };
const words = (job, kind) => ({ READY: T.inQueue, STOPPING: T.stopping })[job.status] ?? DOING[kind]();

/** The bar of a run that goes on, and its Cancel. */
function Going({ run, kind, onCancel, cancelling, brief, children }) {
  const { job, problem, report } = run;
  const place = useFocus();
  const reached = job?.status === "RUNNING" ? job.progress : null;
  const label = job ? words(job, kind) : report?.state === "running" ? DOING[kind]() : T.finishing;
  return h(
    "div",
    { ref: place, tabIndex: -1, className: "portability-focus" },
    problem
      ? h(Waiting, null, `${problem.code === GONE ? T.goneWaiting : problem.message}`)
      : h(Bar, { value: reached, label }),
    !brief && h("p", { className: "portability-quiet mt-2" }, T.staysOn),
    h(
      "div",
      { className: "portability-buttons" },
      h(Button, { onClick: onCancel, disabled: cancelling }, cancelling ? T.stopping : T.cancel),
      children,
    ),
  );
}

/** Follow a run to its end; `over(report)` draws what comes then, and `around(state, drawn)`, if given, what stands
 * around it until then. `children` stand beside Cancel. */
export function Follow({ followed, kind, over, around, brief = Boolean(around), children }) {
  const run = useRun(followed);
  const toast = useToast();
  const cancel = useAct(() => api.cancel(followed.run));
  useEffect(() => void (cancel.problem && toast(cancel.problem.message)), [cancel.problem]);
  if (isOver(run.report)) return over(run.report);
  const onCancel = async () => {
    const report = await cancel.act();
    if (isOver(report)) run.settle(report);
  };
  const cancelling = cancel.busy || run.job?.status === "STOPPING";
  const drawn = h(
    React.Fragment,
    null,
    h(Going, { run, kind, onCancel, cancelling, brief }, children),
    cancel.problem && h(Trouble, { problem: cancel.problem }),
  );
  return around ? around(run.job ? STATES[run.job.status] : run.report?.state, drawn) : drawn;
}

/** True from the time `iso` on. */
function useOver(iso) {
  const [, setTurn] = useState(0);
  const left = iso ? Date.parse(iso) - Date.now() : 0;
  useEffect(() => {
    const timer = iso && left > 0 ? setTimeout(() => setTurn((turn) => turn + 1), Math.min(left, 2 ** 31 - 1)) : 0;
    return () => clearTimeout(timer);
  }, [iso]);
  return Boolean(iso) && left <= 0;
}

const NO_LINK = "NoLink";

/** Whether a run has made something that can be had; files beside the media lie where they belong. */
export const hasDownload = ({ report }) => report?.outputs?.length === 1;

/** The link to what a run has made ({run}) or to a backup ({archive}), made at once, with how long it works, and a new
 * one. */
export function Download({ run, archive }) {
  const link = useAnswer((signal) => api.link(archive ? { archive } : { run }, signal), archive ?? run);
  const over = useOver(link.answer?.until);
  if (link.problem?.code === NO_LINK) return h("p", null, capital(link.problem.message));
  if (link.problem) return h(Trouble, { problem: link.problem, again: link.again });
  if (!link.answer || link.loading) return h(Waiting, null, T.linking);
  if (over) return h("p", null, T.linkOver, " ", h(Button, { onClick: link.again }, T.newLink));
  return h(Link, link.answer);
}

function Link({ path, name, bytes, until }) {
  const look = { className: "btn btn-primary portability-download", href: downloadAddress(path), download: name };
  return h(
    "p",
    null,
    h("a", { ref: useFocus(), ...look }, T.downloadFile(name, bytes)),
    h("span", { className: "portability-quiet", title: utc(until) }, T.linkUntil(clock(until))),
  );
}

const TITLES = {
  export: { failed: () => T.failedTitle, stopped: () => T.stoppedTitle, cancelled: () => T.cancelled },
  backup: { failed: () => T.backupFailed, stopped: () => T.brokenOff(T.runBackup), cancelled: () => T.cancelled },
  verify: { failed: () => T.verifyFailed, stopped: () => T.brokenOff(T.runVerify), cancelled: () => T.cancelledPlain },
  restore: {
    failed: () => T.restoreFailed,
    stopped: () => T.brokenOff(T.runRestore),
    cancelled: () => T.cancelledPlain,
  },
  apply: { failed: () => T.applyFailed, stopped: () => T.brokenOff(T.runApply), cancelled: () => T.cancelledApply },
  undo: { failed: () => T.undoFailed, stopped: () => T.brokenOff(T.runUndo), cancelled: () => T.cancelledUndo },
};

/** A run that did not finish: why, and once more. `kind` is what it was begun as, for a report that does not tell. */
export function Failed({ report, again, kind = report.kind }) {
  const { state, error, run } = report;
  const titles = TITLES[kind] ?? TITLES.export;
  const title = (titles[state] ?? titles.failed)();
  if (!error || state === "cancelled") {
    return h(
      Notice,
      { variant: "warning", role: "alert" },
      title,
      h(
        "div",
        { className: "portability-buttons mt-2" },
        again && h(Button, { onClick: again }, T.runAgain),
        h(Copy, { text: JSON.stringify({ run, state, error }, null, 1) }),
      ),
    );
  }
  return h(Trouble, {
    problem: { exit_code: report.exit_code, ...error, message: error.message },
    title,
    again,
    againText: T.runAgain,
    about: run,
  });
}

function Finished({ report, facts, again, another }) {
  return h(
    React.Fragment,
    null,
    h(
      Notice,
      { variant: "success", role: "status" },
      h("strong", null, report.exit_code ? T.doneRemarks : T.doneTitle),
    ),
    hasDownload(report) ? h(Download, { run: report.run }) : h("p", null, T.noDownload),
    h(Wrote, { report: report.report ?? {}, facts }),
    h(
      "div",
      { className: "portability-buttons" },
      again && h(Button, { onClick: again }, T.exportAgain),
      h(Button, { onClick: another }, T.another),
    ),
  );
}

/** What became of an export. */
export function Result(props) {
  const { report, again, another } = props;
  const done = report.state === "finished";
  return h(
    "div",
    { ref: useFocus(), tabIndex: -1, className: "portability-focus" },
    done
      ? h(Finished, props)
      : h(React.Fragment, null, h(Failed, { report, again }), h(Button, { onClick: another }, T.another)),
  );
}
