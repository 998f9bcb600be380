// The Portability page: Export, and what became of the last runs.

import { isOver } from "./api.js";
import { Export, PageFrame, useFacts } from "./export.js";
import { api, useAnswer } from "./hooks.js";
import { Download, Follow, glance, hasDownload, Wrote } from "./outcome.js";
import { Button, Copy, Fence, Section, Trouble, Waiting } from "./parts.js";
import { bootstrap, h, React } from "./stash.js";
import { capital, moment, T, utc } from "./strings.js";

const { useState } = React;

const KINDS = { export: () => T.runExport, setup: () => T.runSetup, backup: () => T.runBackup };
const STATES = {
  queued: () => T.stateQueued,
  running: () => T.stateRunning,
  finished: (report) => (report.exit_code ? T.stateRemarks : T.stateFinished),
  failed: () => T.stateFailed,
  stopped: () => T.stateStopped,
  cancelled: () => T.stateCancelled,
};
const LOOKS = { finished: "success", failed: "danger", stopped: "warning", cancelled: "secondary" };

/** A run in two lines: what, how it went and when, what can be done with it; then what it wrote, or why not. */
function Row({ report, button, children }) {
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
        time && h("time", { dateTime: time, title: utc(time), className: "portability-quiet" }, moment(time)),
      ),
      h("span", { className: "portability-run-button" }, button),
    ),
    children,
  );
}

function Over({ report, facts }) {
  const [asked, setAsked] = useState(false);
  const { error, report: wrote } = report;
  const exported = report.kind === "export" && report.state === "finished";
  const odd = error && report.state !== "cancelled";
  const button = odd
    ? h(Copy, { text: JSON.stringify(report, null, 1) })
    : exported && !asked && hasDownload(report) && h(Button, { onClick: () => setAsked(true) }, T.download);
  return h(
    Row,
    { report, button },
    error && h("div", null, capital(error.message)),
    asked && h(Download, { run: report.run }),
    wrote && h(Section, { label: glance(wrote, facts) }, h(Wrote, { report: wrote, facts })),
  );
}

function Run({ report, facts }) {
  const over = (last) => h(Over, { report: last, facts });
  const around = (state = report.state, drawn) => h(Row, { report: { ...report, state } }, drawn);
  const kind = report.kind in KINDS ? report.kind : "export";
  return h(
    "li",
    { className: "portability-run" },
    isOver(report) ? over(report) : h(Follow, { followed: report, kind, over, around }),
  );
}

function Runs({ facts }) {
  const { answer, problem, loading, again } = useAnswer((signal) => api.status(signal), "runs");
  if (problem) return h(Trouble, { problem, again });
  if (!answer) return h(Waiting, null, T.loading);
  const list = answer.runs.map((report) => h(Run, { key: report.run, report, facts }));
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

const About = ({ status }) =>
  h(
    "footer",
    { className: "portability-quiet portability-about" },
    h("div", null, T.about(status.version, status.python)),
    h("div", null, T.dataFolder(status.data)),
  );

/** The page at /plugins/portability. */
export function PortabilityPage() {
  const { Tab, Tabs } = bootstrap();
  const [tab, setTab] = useState("export");
  const found = useFacts();
  const facts = found.answer;
  return h(
    "div",
    { className: "portability portability-page" },
    h("h4", null, T.title),
    h(
      Tabs,
      { id: "portability-tabs", activeKey: tab, onSelect: setTab, mountOnEnter: true },
      h(
        Tab,
        { eventKey: "export", title: T.exportTab },
        h(Fence, null, h(Export, { context: {}, found, Frame: PageFrame })),
      ),
      facts && h(Tab, { eventKey: "runs", title: T.runsTab }, h(Fence, null, tab === "runs" && h(Runs, { facts }))),
    ),
    facts && h(About, { status: facts.status }),
  );
}
