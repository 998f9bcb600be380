// Before the first export: the Python libraries.

import { api, useAct } from "./hooks.js";
import { Follow } from "./outcome.js";
import { Button, Notice, Trouble } from "./parts.js";
import { bootstrap, h, React } from "./stash.js";
import { T } from "./strings.js";

const { useEffect, useState } = React;

const goingOn = ({ busy, runs }) =>
  busy?.kind === "setup" ? { run: busy.run, job: runs?.find((report) => report.run === busy.run)?.job } : null;

/** What cannot be done yet, of what not everything needs. */
function missing(sets) {
  if (sets?.core?.from === "missing") return [];
  return Object.values(sets ?? {}).flatMap((set) => (set.from === "missing" ? [set.gives] : []));
}

/** What became of it, when that was not success. */
function NotDone({ report, again }) {
  const state = { stopped: T.setupStopped, cancelled: T.setupCancelled }[report.state];
  if (state) return h(Trouble, { title: state, again });
  const problem = report.error ?? { code: "Failed", message: "" };
  return h(Trouble, { problem, title: T.setupFailed, again, about: report.run }, h("div", null, T.setupOffline));
}

/** The notice with its button; `problem`: what an operation said was missing; `onBack`, if given, goes on without. */
export function Setup({ facts, problem, onReady, onBack }) {
  const { status } = facts;
  const [followed, setFollowed] = useState(() => goingOn(status));
  useEffect(() => setFollowed(goingOn(status)), [facts]); // it is over, and something is still missing
  const start = useAct(async () => setFollowed(await api.start("setup")));
  const names = missing(status.sets).join(", ");
  const over = (report) =>
    report.state === "finished" ? h(Done, { onReady }) : h(NotDone, { report, again: start.act });
  return h(
    React.Fragment,
    null,
    h("h6", null, T.setupTitle),
    h(Notice, { variant: "info" }, T.setupWords, h("div", null, names ? T.setupMissing(names) : problem?.message)),
    followed && h(Follow, { key: followed.run, followed, kind: "setup", over }),
    !followed &&
      h(
        "div",
        { className: "portability-buttons" },
        h(bootstrap().Button, { onClick: start.act, disabled: start.busy }, start.busy ? T.starting : T.setupButton),
        onBack && h(Button, { onClick: onBack }, T.setupBack),
      ),
    start.problem && h(Trouble, { problem: start.problem, again: start.act }),
  );
}

function Done({ onReady }) {
  useEffect(onReady, []);
  return h("p", { role: "status" }, T.loading);
}
