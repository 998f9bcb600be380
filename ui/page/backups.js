// The tab Backups: what backups there are, making one, and what can be done with each.

import { LIBRARIES } from "./api.js";
import { api, useAct, useAnswer } from "./hooks.js";
import { Download, Failed, Follow } from "./outcome.js";
import { Button, Choice, Notice, Section, Switch, Trouble, Waiting } from "./parts.js";
import { Restore } from "./restore.js";
import { bootstrap, h, React } from "./stash.js";
import { amount, capital, moment, records, size, T, utc } from "./strings.js";
import { countsOf, list, Wrote } from "./told.js";

const { useState } = React;

const RUNGS = ["L1", "L2"];
const ZSTD = "zstd";

/** The order of a backup, by what was chosen. */
const backupOrder = ({ container, incremental, database }) => ({
  container: container === ZSTD ? "zip" : container,
  ...(container === ZSTD && { zstd: true }),
  ...(incremental && { incremental: true }),
  ...(database && { include_database: true }),
});

function BackupChoices({ state, change }) {
  const options = Object.keys(T.containers).map((value) => ({ value, text: T.containers[value] }));
  return h(
    Section,
    { label: T.backupChoices, className: "portability-plain" },
    h(Switch, {
      label: T.incremental,
      hint: T.incrementalHint,
      checked: state.incremental,
      onChange: (incremental) => change({ incremental }),
    }),
    h(Switch, {
      label: T.includeDatabase,
      hint: T.includeDatabaseHint,
      checked: state.database,
      onChange: (database) => change({ database }),
    }),
    h(Choice, {
      label: T.containerLabel,
      value: state.container,
      options,
      onChange: (container) => change({ container }),
    }),
  );
}

function Made({ report, facts, again }) {
  if (report.state !== "finished") return h(Failed, { report, kind: "backup", again });
  return h(
    React.Fragment,
    null,
    h(
      Notice,
      { variant: "success", role: "status" },
      h("strong", null, report.exit_code ? T.backupRemarks : T.backupDone),
    ),
    h(Section, { label: T.details }, h(Wrote, { report: report.report ?? {}, facts })),
  );
}

/** Calls `then` when the run is over, once. */
function Ended({ then, children }) {
  React.useEffect(() => void then(), []);
  return children;
}

/** Back up now, with its choices, and the backup that is being made. `going`: one that goes on already. */
export function BackUp({ facts, going, onMissing, onDone, brief }) {
  const [state, setState] = useState({ container: "zip", incremental: false, database: false });
  const [followed, setFollowed] = useState(going);
  const start = useAct(async () => setFollowed(await api.start("backup", brief ? {} : backupOrder(state))));
  const { problem } = start;
  React.useEffect(() => void (problem?.code === LIBRARIES && onMissing?.(problem)), [problem]);
  const over = (report) => h(Ended, { key: report.run, then: onDone }, h(Made, { report, facts, again: start.act }));
  const { Button: Big } = bootstrap();
  return h(
    "div",
    { className: "mb-3" },
    h(Big, { onClick: start.act, disabled: start.busy }, start.busy ? T.starting : T.backUpNow),
    !brief && h(BackupChoices, { state, change: (part) => setState((now) => ({ ...now, ...part })) }),
    h(Trouble, { problem, again: start.act }),
    followed && h("div", { className: "mt-2" }, h(Follow, { key: followed.run, followed, kind: "backup", over })),
  );
}

/** The rungs of verification a backup has passed, and when. */
export const Rungs = ({ verified = {} }) =>
  RUNGS.map((rung) =>
    verified[rung]
      ? h(
          "div",
          { key: rung, className: "portability-rung" },
          h(bootstrap().Badge, { variant: "success" }, T.rungs[rung]),
          " ",
          h("time", { dateTime: verified[rung], title: utc(verified[rung]) }, moment(verified[rung])),
        )
      : h("div", { key: rung, className: "portability-quiet" }, T.rungNever(rung)),
  );

/** What a backup is besides whole: its marks in words. */
function Marks({ archive: { damaged, whole, parent, database, container, problem } }) {
  const kind = container && container !== "zip" ? T.containers[container] : "";
  const words = [parent && T.partOf(parent), database && T.withDatabase, kind].filter(Boolean);
  return h(
    React.Fragment,
    null,
    damaged && h(bootstrap().Badge, { variant: "danger", title: T.damagedHint }, T.damaged),
    (damaged || whole === false) && h("div", null, damaged ? T.damagedHint : capital(problem || T.parentMissing)),
    words.length > 0 && h("div", { className: "portability-quiet" }, words.join(" · ")),
  );
}

function Contents({ archive, facts }) {
  const told = countsOf(archive.counts, facts);
  const all = told.map(([kind, count]) => records(count, kind));
  if (archive.images) all.push(T.images(archive.images));
  return h(
    React.Fragment,
    null,
    told.length > 0 && h(Section, { label: amount(told), className: "portability-plain" }, list(all)),
    h(Marks, { archive }),
  );
}

const cell = (head, ...children) => h("td", { key: head, role: "cell", "data-head": head }, ...children);

/** What becomes of a click in a row: shown below it. */
function Below({ doing, archive, onVerified, close }) {
  const { verify, download } = doing;
  const over = (report) =>
    h(
      Ended,
      { key: report.run, then: onVerified },
      report.state === "finished"
        ? h(Notice, { variant: "success", role: "status" }, T.verifiedGood)
        : h(Failed, { report, kind: "verify" }),
      h(Button, { onClick: close }, T.closeRow),
    );
  return h(
    "tr",
    { role: "row", className: "portability-below" },
    h(
      "td",
      { role: "cell", colSpan: 5 },
      verify && h(Follow, { key: verify.run, followed: verify, kind: "verify", over }),
      download && h(Download, { archive: archive.name }),
    ),
  );
}

function Row({ archive, facts, onRestore, reload }) {
  const [doing, setDoing] = useState(null);
  const verify = useAct(async () => setDoing({ verify: await api.start("verify", { archive: archive.name }) }));
  const when = archive.created ? moment(archive.created) : archive.name;
  const able = !archive.damaged && archive.whole !== false;
  const button = (text, onClick, disabled) =>
    h(Button, { key: text, onClick, disabled, "aria-label": T.ofBackup(text, when) }, text);
  return h(
    React.Fragment,
    null,
    h(
      "tr",
      { role: "row", className: archive.damaged ? "portability-damaged" : "" },
      cell(
        T.columnDate,
        archive.created && h("time", { dateTime: archive.created, title: utc(archive.created) }, when),
        h("div", { className: "portability-quiet" }, archive.name),
      ),
      cell(T.columnSize, typeof archive.bytes === "number" ? size(archive.bytes) : ""),
      cell(T.columnContents, h(Contents, { archive, facts })),
      cell(T.columnVerified, h(Rungs, archive)),
      cell(
        T.columnActions,
        h(
          "div",
          { className: "portability-buttons" },
          button(T.verify, verify.act, verify.busy || Boolean(doing?.verify)),
          button(T.download, () => setDoing({ download: true })),
          button(T.restoreOpen, () => onRestore(archive), !able),
        ),
        h(Trouble, { problem: verify.problem, again: verify.act }),
      ),
    ),
    doing && h(Below, { doing, archive, onVerified: reload, close: () => setDoing(null) }),
  );
}

function Table({ archives, ...more }) {
  const heads = [T.columnDate, T.columnSize, T.columnContents, T.columnVerified, T.columnActions];
  const head = (text) => h("th", { key: text, scope: "col", role: "columnheader" }, text);
  return h(
    "table",
    { className: "portability-archives", role: "table" },
    h("thead", { role: "rowgroup" }, h("tr", { role: "row" }, heads.map(head))),
    h(
      "tbody",
      { role: "rowgroup" },
      archives.map((archive) => h(Row, { key: archive.name, archive, ...more })),
    ),
  );
}

/** A backup that goes on already, begun elsewhere or before. */
const goingOn = ({ busy, runs }) =>
  busy?.kind === "backup" ? { run: busy.run, job: runs?.find((one) => one.run === busy.run)?.job } : null;

function Listed({ facts, onRestore, onMissing }) {
  const { answer, problem, loading, again } = useAnswer((signal) => api.archives(signal), "archives");
  const archives = answer?.archives ?? [];
  return h(
    React.Fragment,
    null,
    h(BackUp, { facts, going: goingOn(facts.status), onMissing, onDone: again }),
    h(Trouble, { problem, again }),
    !answer && !problem && h(Waiting, null, T.loading),
    answer && !archives.length && h("p", null, T.backupsEmpty),
    archives.length > 0 && h(Table, { archives, facts, onRestore, reload: again }),
    answer &&
      h(
        "p",
        { className: "portability-quiet mt-2", "aria-busy": loading },
        [archives.length && T.rungsHint, T.backupsFolder(answer.folder), answer.left && T.archivesLeft(answer.left)]
          .filter(Boolean)
          .join(" "),
      ),
  );
}

/** The tab. `open`: {archive} or {planned} while something is restored; `onOpen` changes it. */
export function Backups({ facts, open, onOpen, onMissing }) {
  if (open) return h(Restore, { ...open, facts, leave: () => onOpen(null) });
  return h(Listed, { facts, onRestore: (archive) => onOpen({ archive }), onMissing });
}
