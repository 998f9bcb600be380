// The restore wizard: what, how, the preview, applying it, and what became of it.

import { How, What } from "./asking.js";
import { GoOn, SaveReport, startApply, Undo } from "./deeds.js";
import { api, useAct, useAnswer, useFocus } from "./hooks.js";
import { Met } from "./met.js";
import { Failed, Follow } from "./outcome.js";
import { Button, Notice, Trouble, Waiting } from "./parts.js";
import { beginRestore, brakesMet, lackingOf, restoreOrder } from "./restoring.js";
import { Review } from "./review.js";
import { bootstrap, h, React } from "./stash.js";
import { moment, T } from "./strings.js";
import { Did } from "./told.js";

const { useState } = React;

const WHAT = 0;
const HOW = 1;
const PREVIEW = 2;
const APPLY = 3;
const REPORT = 4;

/** Where in the wizard we are. Its own heading takes the focus at each step. */
function Steps({ step }) {
  const name = T.steps[step];
  return h(
    React.Fragment,
    null,
    h(
      "ol",
      { className: "portability-steps" },
      T.steps.map((text, index) => h("li", { key: text, ...(index === step && { "aria-current": "step" }) }, text)),
    ),
    h(
      "h6",
      { key: step, ref: useFocus(), tabIndex: -1, className: "portability-focus" },
      T.stepOf(step + 1, T.steps.length, name),
    ),
  );
}

const Footer = ({ words, children }) =>
  h(
    "div",
    { className: "portability-footer portability-page-footer" },
    h("div", { className: "portability-summary", role: "status" }, words),
    children,
  );

const LACKING = {
  kinds: () => T.nothingChosen,
  ids: () => T.idsFirst,
  list: () => T.listFirst,
  empty: () => T.listEmpty,
};

/** The first two steps: the form. */
function Asked({ step, archive, facts, state, change, go, preview, leave }) {
  const { Button: Big } = bootstrap();
  const lacking = lackingOf(state, archive, facts);
  const first = step === WHAT;
  const button = first
    ? h(Big, { disabled: Boolean(lacking), onClick: () => go(HOW) }, T.next)
    : h(Big, { disabled: preview.busy, onClick: preview.act }, preview.busy ? T.starting : T.makePreview);
  return h(
    React.Fragment,
    null,
    h(first ? What : How, { archive, facts, state, change }),
    h(Trouble, { problem: preview.problem, again: preview.act }),
    h(
      Footer,
      { words: lacking ? LACKING[lacking]() : first ? "" : T.previewPromise },
      h(Big, { variant: "secondary", onClick: first ? leave : () => go(WHAT) }, first ? T.leave : T.back),
      button,
    ),
  );
}

/** Why it did not get to its end, and how to go on. */
function NotDone({ report, apply, accepted, onAgain }) {
  const brakes = brakesMet(report);
  const onAccept = (names) => apply.act([...accepted, ...names]);
  if (brakes.length) return h(Met, { brakes, busy: apply.busy, onAccept });
  return h(React.Fragment, null, h(Failed, { report, kind: "apply" }), h(GoOn, { report, onStart: onAgain }));
}

/** What became of applying it. */
function Done({ report, facts, leave, ...more }) {
  const done = report.state === "finished";
  return h(
    "div",
    { ref: useFocus(), tabIndex: -1, className: "portability-focus" },
    done
      ? h(
          Notice,
          { variant: "success", role: "status" },
          h("strong", null, report.exit_code ? T.appliedRemarks : T.applied),
        )
      : h(NotDone, { report, ...more }),
    report.report && h(Did, { kind: "apply", report: report.report, facts }),
    h(Undo, { report, facts }),
    h(
      "div",
      { className: "portability-buttons" },
      h(SaveReport, { report }),
      h(Button, { onClick: leave }, T.leave),
    ),
  );
}

/** From the preview's run on: `place` is {followed} while it is made, {plan} then, {applying} then. */
function FromPreview({ place, facts, setPlace, again, onBack, leave, backText }) {
  const { followed, plan, applying, accepted } = place;
  const apply = useAct(async (accept) =>
    setPlace({ plan, accepted: accept, applying: await startApply(plan, accept) }),
  );
  const onAgain = (next) => setPlace({ followed: next });
  if (applying) {
    const more = { facts, apply, accepted, onAgain, leave };
    const over = (report) => h(Over, { report: { plan, ...report }, ...more });
    return h(Follow, { key: applying.run, followed: applying, kind: "apply", over, around: stepped(APPLY), brief: false });
  }
  if (plan) return h(Stepped, { step: PREVIEW }, h(Review, { key: plan, run: plan, facts, apply, onBack, backText }));
  const over = (report) =>
    report.state === "finished"
      ? h(Ready, { run: report.run, onReady: () => setPlace({ plan: report.run }) })
      : h(
          Stepped,
          { step: PREVIEW },
          h(Failed, { report, kind: "restore", again: again?.act }),
          h(Trouble, { problem: again?.problem }),
          h(Button, { onClick: onBack }, backText),
        );
  return h(Follow, { key: followed.run, followed, kind: "restore", over, around: stepped(PREVIEW), brief: false });
}

const Stepped = ({ step, children }) => h(React.Fragment, null, h(Steps, { key: `step ${step}`, step }), children);
const stepped = (step) => (_, drawn) => h(Stepped, { step }, drawn);
const Over = (props) => h(Stepped, { step: REPORT }, h(Done, props));

function Ready({ onReady }) {
  React.useEffect(onReady, []);
  return h(Waiting, null, T.loading);
}

function Asking({ archive, facts, leave }) {
  const [state, setState] = useState(beginRestore);
  const [step, setStep] = useState(WHAT);
  const [place, setPlace] = useState(null);
  const change = (part) => setState((now) => ({ ...now, ...part }));
  const preview = useAct(async () =>
    setPlace({ followed: await api.start("restore", restoreOrder(state, archive, facts)) }),
  );
  const onBack = () => setPlace(null);
  if (place) return h(FromPreview, { place, facts, setPlace, again: preview, onBack, leave, backText: T.back });
  return h(Stepped, { step }, h(Asked, { key: `asked ${step}`, step, archive, facts, state, change, go: setStep, preview, leave }));
}

/** A restore that begins with a preview that was made before. */
function Found({ planned, facts, leave }) {
  const [place, setPlace] = useState(typeof planned === "string" ? { plan: planned } : { followed: planned });
  const { order } = place.followed ?? {};
  const again = useAct(async () => setPlace({ followed: { ...(await api.start("restore", order)), order } }));
  const more = { again: order && again, onBack: leave, leave, backText: T.leave };
  return h(FromPreview, { place, facts, setPlace, ...more });
}

function Opened({ archive, facts, leave }) {
  const { answer, problem, again } = useAnswer((signal) => api.archive(archive.name, signal), archive.name);
  if (problem) return h(Trouble, { problem, again }, h("div", null, h(Button, { onClick: leave }, T.leave)));
  if (!answer) return h(Waiting, null, T.loading);
  return h(Asking, { archive: answer, facts, leave });
}

/** The wizard: of an `archive` of the list, or from a preview on (`planned`: the name of its run, or one to follow). */
export const Restore = ({ archive, planned, facts, leave }) =>
  h(
    "section",
    null,
    h("h5", null, archive?.created ? T.restoreTitle(moment(archive.created)) : T.restoreOther),
    planned ? h(Found, { planned, facts, leave }) : h(Opened, { archive, facts, leave }),
  );
