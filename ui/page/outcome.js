// A run from here on: waiting, how far, and what became of it with its download.

import { GONE, isOver } from "./api.js";
import { kindOf } from "./choices.js";
import { api, useAct, useAnswer, useFocus, useRun } from "./hooks.js";
import { Bar, Button, Copy, Notice, Section, Trouble, Waiting } from "./parts.js";
import { downloadAddress, h, React, useToast } from "./stash.js";
import { amount, capital, clock, number, records, size, T, tallies, utc } from "./strings.js";

const { useEffect, useState } = React;

const DOING = { export: () => T.exporting, setup: () => T.installing, backup: () => T.backingUp };
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
export function Follow({ followed, kind, over, around, children }) {
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
    h(Going, { run, kind, onCancel, cancelling, brief: Boolean(around) }, children),
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

/** The link to what a run has made, made at once, with how long it works, and a new one. */
export function Download({ run }) {
  const link = useAnswer((signal) => api.link(run, signal), run);
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

/** How many of the tallies are told in one line. */
const GLANCED = 3;

const list = (lines) =>
  h(
    "ul",
    { className: "portability-list" },
    lines.map((line, index) => h("li", { key: index }, line)),
  );

/** What was written, as [kind, count], in the backend's order: Stash sorts what an operation answers by name. */
function writtenOf({ counts = {} }, facts) {
  const names = [...new Set([...facts.kinds.map((kind) => kind.name), ...Object.keys(counts)])];
  const told = names.filter((name) => counts[name] > 0);
  return told.map((name) => [kindOf(facts, name) ?? { name, plural: name }, counts[name]]);
}

/** How large it is; where there are many files, nothing may have had to be written. */
const told = (bytes, files = {}) => (bytes || !Object.keys(files).length ? size(bytes) : "");

/** What an export wrote, in one line. */
export function glance(report, facts) {
  const { bytes = 0, remarks = [], skipped = [], files = {} } = report;
  const odd = [remarks.length && T.remarks(remarks.length), skipped.length && T.skipped(skipped.length)];
  const became = tallies(files)
    .slice(0, GLANCED)
    .map(([count, what]) => `${number(count)} ${what}`);
  return [amount(writtenOf(report, facts)), became.join(", "), told(bytes, files), ...odd].filter(Boolean).join(" · ");
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

/** What an export wrote, and what it has to say. */
export function Wrote({ report, facts }) {
  const { bytes = 0, notes = [], remarks = [], skipped = [], seconds = {}, outputs = [] } = report;
  const kinds = writtenOf(report, facts).map(([kind, count]) => records(count, kind));
  const large = told(bytes, report.files);
  const took = Object.values(seconds).reduce((sum, one) => sum + one, 0);
  return h(
    React.Fragment,
    null,
    h("p", null, [kinds.join(", "), large, T.tookTime(took)].filter(Boolean).join(" · ")),
    h(Became, report),
    remarks.length > 0 && h(Section, { label: T.remarks(remarks.length), open: true }, list(remarks)),
    skipped.length > 0 && h(Section, { label: T.skipped(skipped.length) }, list(skipped)),
    notes.length > 0 && list(notes),
    outputs.map((path) => h("p", { key: path, className: "portability-quiet" }, T.onServer, path)),
  );
}

const FAILED = { cancelled: () => T.cancelled, stopped: () => T.stoppedTitle };

/** A run that did not finish: why, and once more. */
export function Failed({ report, again }) {
  const { state, error, run } = report;
  const title = FAILED[state]?.() ?? T.failedTitle;
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
