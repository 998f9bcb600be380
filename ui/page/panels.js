// The Portability page: its tabs.

import { Backups } from "./backups.js";
import { Export, PageFrame, useFacts } from "./export.js";
import { Overview } from "./overview.js";
import { Fence, Trouble, Waiting } from "./parts.js";
import { Runs } from "./runs.js";
import { Setup } from "./setup.js";
import { bootstrap, h, React, useTab } from "./stash.js";
import { T } from "./strings.js";

const { useEffect, useState } = React;

const TABS = ["overview", "export", "backups", "runs"];

/** What needs the plugin's answer, and its libraries: until they are there, what gets them. */
function Ready({ found, draw }) {
  const { answer: facts, problem, again } = found;
  const [refused, setRefused] = useState(null);
  useEffect(() => setRefused(null), [facts]);
  if (problem) return h(Trouble, { problem, again });
  if (!facts) return h(Waiting, null, T.loading);
  const onBack = facts.status.ready ? () => setRefused(null) : undefined;
  if (refused || !facts.status.ready) return h(Setup, { facts, problem: refused, onReady: again, onBack });
  return draw({ facts, onMissing: setRefused });
}

const About = ({ status }) =>
  h(
    "footer",
    { className: "portability-quiet portability-about" },
    h("div", null, T.about(status.version, status.python)),
    h("div", null, T.dataFolder(status.data)),
  );

/** The page at /plugins/portability. What is restored is remembered while other tabs are looked at. */
export function PortabilityPage() {
  const { Tab, Tabs } = bootstrap();
  const [asked, setTab] = useTab();
  const [restoring, setRestoring] = useState(null);
  const found = useFacts();
  const tab = TABS.includes(asked) ? asked : TABS[0];
  const onPlan = (planned) => (setRestoring({ planned }), setTab("backups"));
  const open = restoring && { ...restoring, key: JSON.stringify(restoring) };
  const drawn = {
    overview: (more) => h(Overview, { ...more, onPlan, open: setTab }),
    backups: (more) => h(Backups, { ...more, open, onOpen: setRestoring }),
    runs: (more) => h(Runs, { ...more, onPlan }),
  };
  const panel = (name, title, inside) => h(Tab, { eventKey: name, title }, h(Fence, null, inside));
  const ready = (name) => h(Ready, { found, draw: drawn[name] });
  return h(
    "div",
    { className: "portability portability-page" },
    h("h4", null, T.title),
    h(
      Tabs,
      { id: "portability-tabs", activeKey: tab, onSelect: setTab, mountOnEnter: true },
      panel("overview", T.overviewTab, tab === "overview" && ready("overview")),
      panel("export", T.exportTab, h(Export, { context: {}, found, Frame: PageFrame })),
      panel("backups", T.backupsTab, (tab === "backups" || restoring) && ready("backups")),
      panel("runs", T.runsTab, tab === "runs" && ready("runs")),
    ),
    found.answer && h(About, { status: found.answer.status }),
  );
}
