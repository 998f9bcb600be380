// The tab Overview: the last backup, what waits for a decision, what goes on, and the last runs.

import { BackUp, Rungs } from "./backups.js";
import { useOverview } from "./deeds.js";
import { Follow } from "./outcome.js";
import { Button, Notice, Trouble, Waiting } from "./parts.js";
import { knownKind, Row } from "./runs.js";
import { h, React } from "./stash.js";
import { age, amount, capital, moment, size, T, utc } from "./strings.js";
import { countsOf, decisionsTold, glance, glanceChanges } from "./told.js";

const Card = ({ title, children }) =>
  h("section", { className: "portability-card" }, h("h6", null, title), children);

const notReadable = ({ name, problem }, backup) =>
  backup ? T.newerNotReadable(name, problem) : T.notReadable(name, problem);

function Backup({ backup, unreadable, facts, onDone, onMissing, open }) {
  const known = backup && (backup.created || backup.name);
  return h(
    Card,
    { title: T.cardBackup },
    !backup && h("p", null, T.noBackup),
    backup &&
      h(
        "p",
        { className: "mb-1" },
        backup.created
          ? h("time", { dateTime: backup.created, title: utc(backup.created) }, `${capital(age(backup.created))}, ${moment(backup.created)}`)
          : known,
      ),
    backup &&
      h(
        "p",
        { className: "portability-quiet mb-1" },
        [typeof backup.bytes === "number" && size(backup.bytes), amount(countsOf(backup.counts, facts))]
          .filter(Boolean)
          .join(" · "),
      ),
    backup && h("div", { className: "mb-2" }, h(Rungs, backup)),
    unreadable && h(Notice, { variant: "warning" }, notReadable(unreadable, backup)),
    h(BackUp, { facts, going: null, onDone, onMissing, brief: true }),
    backup && h(Button, { onClick: () => open("backups") }, T.toBackups),
  );
}

const amountOf = (one) => (Array.isArray(one) ? one.length : (one ?? 0));

/** What a preview leaves to somebody. */
function Decision({ decision, onPlan }) {
  const brakes = amountOf(decision.brakes);
  const { conflicts, ambiguities, waiting } = decision;
  const words = [...(brakes ? [T.brakes(brakes)] : []), ...decisionsTold({ conflicts, ambiguities, waiting })];
  return h(
    "li",
    { className: "portability-run" },
    h(
      "div",
      { className: "portability-run-head" },
      h("span", null, words.join(", ")),
      h(Button, { onClick: () => onPlan(decision.run) }, T.decide),
    ),
  );
}

const Decisions = ({ decisions, onPlan }) =>
  h(
    Card,
    { title: T.cardDecisions },
    decisions.length
      ? h(
          "ul",
          { className: "portability-runs" },
          decisions.map((decision) => h(Decision, { key: decision.run, decision, onPlan })),
        )
      : h("p", { className: "portability-quiet" }, T.noDecisions),
  );

function Reloading({ then }) {
  React.useEffect(() => void then(), []);
  return h(Waiting, null, T.loading);
}

/** What goes on, with its bar and Cancel. */
function Going({ going, runs, again }) {
  const report = runs.find(({ run }) => run === going.run) ?? going;
  const over = () => h(Reloading, { then: again });
  const around = (state = going.state, drawn) => h(Row, { report: { ...report, state } }, drawn);
  return h(
    Card,
    { title: T.cardGoing },
    h(Follow, { key: going.run, followed: report, kind: knownKind(going.kind), over, around }),
  );
}

const ENGINE = ["restore", "apply", "undo"];
const shortly = ({ kind, report, error }, facts) => {
  if (error) return capital(error.message);
  if (!report) return "";
  return ENGINE.includes(kind) ? glanceChanges(report, facts) : glance(report, facts);
};

const Last = ({ runs, facts, open }) =>
  h(
    Card,
    { title: T.cardRuns },
    runs.length
      ? h(
          "ul",
          { className: "portability-runs" },
          runs.map((report) =>
            h(
              "li",
              { key: report.run, className: "portability-run" },
              h(Row, { report }, h("div", { className: "portability-quiet" }, shortly(report, facts))),
            ),
          ),
        )
      : h("p", { className: "portability-quiet" }, T.noRuns),
    runs.length > 0 && h(Button, { onClick: () => open("runs") }, T.toRuns),
  );

/** The tab. `open` shows another tab, `onPlan` a preview. */
export function Overview({ facts, onPlan, onMissing, open }) {
  const { answer, problem, again } = useOverview(true);
  if (problem && !answer) return h(Trouble, { problem, again });
  if (!answer) return h(Waiting, null, T.loading);
  const { backup, unreadable, going, decisions = [], runs = [] } = answer;
  const others = runs.filter(({ run }) => run !== going?.run);
  return h(
    "div",
    { className: "portability-cards" },
    going && h(Going, { going, runs, again }),
    h(Backup, { key: "backup", backup, unreadable, facts, onDone: again, onMissing, open }),
    h(Decisions, { decisions, onPlan }),
    h(Last, { runs: others, facts, open }),
  );
}
