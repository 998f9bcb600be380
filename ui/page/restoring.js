// What was chosen in the restore wizard, the order it makes, and what a plan says, sorted for the screen. Pure.
//
// The backend decides what is right. A state is never changed, but made anew. An `archive` is what the operation of
// that name told: {name, counts: {kind: n}, config: [groups], modes, strategies}.

export const CONFIG = "config";
export const KINDS = "kinds";
export const IDS = "ids";
export const LIST = "list";
export const OPS = ["create", "update", "delete"];
/** The strategies and modes as they are offered; those of a later version come last. */
const STRATEGIES = ["fill", "source", "target", "newer", "ask", "union"];
const MODES = ["merge", "replace"];

const sorted = (names, order) => {
  const place = (name) => (order.includes(name) ? order.indexOf(name) : order.length);
  return [...names].sort((one, other) => place(one) - place(other));
};

/** The kinds an archive holds, in the backend's order. */
export const kindsIn = (archive, facts) =>
  facts.kinds.filter(({ name }) => name !== CONFIG && archive.counts[name] > 0);

export const strategiesOf = (archive) => sorted(archive.strategies ?? STRATEGIES.slice(0, 5), STRATEGIES);
export const modesOf = (archive) => sorted(archive.modes ?? MODES, MODES);

/** What the wizard begins with: everything but settings, in a way that changes least. */
export const beginRestore = () => ({
  which: KINDS,
  off: [],
  ids: {},
  list: null,
  links: true,
  config: [],
  mode: "merge",
  prefer: "fill",
  per: {},
});

/** The ids in a text that somebody typed. */
export const idsIn = (text) => [...new Set((text ?? "").split(/[\s,;]+/).filter(Boolean))];

/** How many records a list names: a line that is empty or begins with # names none. */
export const namedIn = (text) => text.split("\n").filter((line) => line.trim() && !line.trim().startsWith("#")).length;

const idsOf = (state, archive, facts) =>
  Object.fromEntries(
    kindsIn(archive, facts)
      .map(({ name }) => [name, idsIn(state.ids[name])])
      .filter(([, ids]) => ids.length),
  );

/** The kinds that are restored, by the choice of kinds or ids. */
export function chosenKinds(state, archive, facts) {
  if (state.which === IDS) return Object.keys(idsOf(state, archive, facts));
  return kindsIn(archive, facts).flatMap(({ name }) => (state.off.includes(name) ? [] : [name]));
}

/** Whether there are other kinds whose links may come along. */
export const linksMatter = (state, archive, facts) =>
  state.which !== KINDS || chosenKinds(state, archive, facts).length < kindsIn(archive, facts).length;

const COMPLETE = {
  [KINDS]: (state, archive, facts) =>
    chosenKinds(state, archive, facts).length || state.config.length ? null : "kinds",
  [IDS]: (state, archive, facts) => (chosenKinds(state, archive, facts).length ? null : "ids"),
  [LIST]: ({ list }) => (!list ? "list" : namedIn(list.text) ? null : "empty"),
};

/** What still has to be chosen before there can be an order, or null. */
export const lackingOf = (state, archive, facts) => COMPLETE[state.which](state, archive, facts);

function what(state, archive, facts) {
  if (state.which === LIST) return { selection: state.list.text };
  const kinds = chosenKinds(state, archive, facts);
  if (state.which === IDS) return { kinds, ids: idsOf(state, archive, facts) };
  if (!kinds.length) return { kinds: [CONFIG] };
  // Groups of settings alone would mean nothing but them.
  return kinds.length < kindsIn(archive, facts).length || state.config.length ? { kinds } : {};
}

/** The order for the task `restore`. */
export function restoreOrder(state, archive, facts) {
  const per = Object.entries(state.per).filter(([, strategy]) => strategy);
  const prefer = state.mode === "merge" ? { "": state.prefer, ...Object.fromEntries(per) } : null;
  return {
    archive: archive.name,
    ...what(state, archive, facts),
    ...(state.links && linksMatter(state, archive, facts) && { links: true }),
    ...(state.config.length && { config: state.config }),
    mode: state.mode,
    ...(prefer && { prefer }),
  };
}

/** Counts by "kind op" as [{kind, op, count}], in the backend's order of kinds; what is no change is passed over. */
export function changesOf(counts, facts) {
  const told = Object.entries(counts ?? {}).flatMap(([key, count]) => {
    const [kind, op] = key.split(" ");
    return count > 0 && OPS.includes(op) ? [{ kind, op, count }] : [];
  });
  const names = facts.kinds.map(({ name }) => name);
  const place = ({ kind, op }) => (names.includes(kind) ? names.indexOf(kind) : names.length) * 10 + OPS.indexOf(op);
  return told.sort((one, other) => place(one) - place(other));
}

export const sumOf = (changes, op) =>
  changes.reduce((sum, one) => sum + (op === undefined || one.op === op ? one.count : 0), 0);

/** The rows of a plan's table: [{kind, create, update, delete}]. */
export function tableOf(changes) {
  const kinds = [...new Set(changes.map(({ kind }) => kind))];
  const one = (kind, op) => changes.find((change) => change.kind === kind && change.op === op)?.count ?? 0;
  return kinds.map((kind) => ({ kind, ...Object.fromEntries(OPS.map((op) => [op, one(kind, op)])) }));
}

/** What a plan may be looked through for, with how many there are: changes, and what waits for somebody. */
export function listsOf(header, changes) {
  const { conflicts = 0, ambiguities = 0, waiting = 0 } = header.decisions ?? {};
  const all = { changes: sumOf(changes), conflicts, ambiguities, waiting };
  return Object.entries(all).filter(([name, count]) => count || name === "changes");
}

/** What the filters of a list can be, by what was chosen so far. */
export function filtersOf(changes, kind) {
  const kinds = [...new Set(changes.map((one) => one.kind))];
  const ops = OPS.filter((op) => changes.some((one) => one.op === op && (!kind || one.kind === kind)));
  return { kinds, ops };
}

/** What still keeps a plan from being applied: "brakes", "word", or null. */
export function heldBy({ brakes = [] }, changes, accepted, typed, word) {
  if (brakes.some(({ name }) => !accepted.includes(name))) return "brakes";
  return sumOf(changes, "delete") && typed.trim().toLowerCase() !== word ? "word" : null;
}

/** The brakes that a run met which were not told before, as [{name, why}]: what the backend says of them. */
export function brakesMet({ error } = {}) {
  if (error?.code !== "Braked") return [];
  return [...error.message.matchAll(/(?:^|; )([a-z]+(?:-[a-z]+)+): (.*?)(?=; [a-z]+(?:-[a-z]+)+: |$)/gs)].map(
    ([, name, why]) => ({ name, why }),
  );
}

/** What cannot be restored, as [{field, count, why}]: a header tells [n, why], a report {count, why}. */
export const notRestoredIn = (told) =>
  Object.entries(told ?? {}).map(([field, one]) =>
    Array.isArray(one) ? { field, count: one[0], why: one[1] } : { field, count: one.count, why: one.why },
  );

const HOLDS = ["kinds", "ids", "links", "config", "mode", "prefer", "selection"];

/** The order a plan was made by, to make it again; null when the plan does not tell. */
export function orderAgain({ archive, options } = {}) {
  const named = options?.archive ?? archive;
  if (!named || !options) return null;
  const kept = HOLDS.filter((key) => options[key] && (typeof options[key] !== "object" || Object.keys(options[key]).length));
  return { archive: named.split(/[\\/]/).at(-1), ...Object.fromEntries(kept.map((key) => [key, options[key]])) };
}

const REDO = ["failed", "stopped", "cancelled"];

/** Whether a restore ended early, so that a new preview holds what is left; or a preview that was ordered from a page,
 * so that it can be ordered again. */
export const canGoOn = ({ kind, state, asked }) =>
  (kind === "apply" || (kind === "restore" && Boolean(asked))) && REDO.includes(state);

const WRITES = ["apply", "undo"];

/** Whether what a run wrote can be taken back: not when the backend says that there is nothing; of one that ended early
 * without a report nobody knows before it is tried. */
export function canUndo({ kind, state, report, undone, error, pid, undoable }) {
  if (undone || undoable === false || error?.code === "Braked") return false;
  return report ? Boolean(report.undoable) : Boolean(pid) && WRITES.includes(kind) && REDO.includes(state);
}

/** Whether a run is a preview that was not applied yet. */
export const hasPlan = ({ kind, state, applied }) => kind === "restore" && state === "finished" && !applied;
