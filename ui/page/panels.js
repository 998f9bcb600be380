// The Portability page: Export, and what became of the last runs.

import { isOver } from "./api.js";
import { Export, PageFrame, useFacts } from "./export.js";
import { api, useAnswer } from "./hooks.js";
import { Download, Follow, Wrote } from "./outcome.js";
import { Button, Copy, Fence, Section, Trouble, Waiting } from "./parts.js";
import { bootstrap, h, React } from "./stash.js";
import { moment, T } from "./strings.js";

const { useState } = React;

const KINDS = { export: () => T.runExport, setup: () => T.runSetup };
const STATES = {
  queued: () => T.stateQueued,
  running: () => T.stateRunning,
  finished: (report) => (report.exit_code ? T.stateRemarks : T.stateFinished),
  failed: () => T.stateFailed,
  stopped: () => T.stateStopped,
  cancelled: () => T.stateCancelled,
};
const LOOKS = { finished: "success", failed: "danger", stopped: "warning", cancelled: "secondary" };

function Over({ report, facts }) {
  const [asked, setAsked] = useState(false);
  const { error, report: wrote } = report;
  const exported = report.kind === "export" && report.state === "finished";
  return h(
    React.Fragment,
    null,
    error && h("p", null, error.message),
    exported && (asked ? h(Download, { run: report.run }) : h(Button, { onClick: () => setAsked(true) }, T.download)),
    wrote && h(Section, { label: T.runDetails }, h(Wrote, { report: wrote, facts })),
    error && h(Copy, { text: JSON.stringify(report, null, 1) }),
  );
}

function Run({ report, facts }) {
  const { state, started, asked, title, kind, run } = report;
  const time = started ?? asked;
  const going = !isOver(report);
  const over = (last) => h(Over, { report: last, facts });
  return h(
    "li",
    { className: "portability-run" },
    h(
      "div",
      { className: "portability-run-head" },
      h("strong", null, title || (KINDS[kind]?.() ?? run)),
      h(bootstrap().Badge, { variant: LOOKS[state] ?? "info" }, STATES[state]?.(report) ?? state),
      time && h("time", { dateTime: time, title: time, className: "portability-quiet" }, moment(time)),
    ),
    going ? h(Follow, { followed: report, kind: kind === "setup" ? "setup" : "export", over }) : over(report),
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
