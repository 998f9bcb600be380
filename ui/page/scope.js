// Which records: the kind, the scope with its counts, and our own filters with Stash's pickers.

import { EVERYTHING, kindOf, NO_NARROW, narrowOf, PICKED, scopeOrder, scopesOf } from "./choices.js";
import { api, useAnswer } from "./hooks.js";
import { Button, Choice, Input, Labelled, Radios, Section, Switch, Trouble } from "./parts.js";
import { component, h, React, useLoading } from "./stash.js";
import { number, plain, T } from "./strings.js";

const COUNT_AFTER_MS = 400;

/** How many records each scope has: {counts, problems, problem, loading}. */
export function useCounts(state, context, facts) {
  const kind = state.kind !== EVERYTHING && kindOf(facts, state.kind)?.filterable ? state.kind : null;
  const names = kind ? scopesOf(state, context, facts) : [];
  const orders = names.map((name) => [name, scopeOrder(state, name, context)]).filter(([, order]) => order);
  const asked = { kind, scopes: Object.fromEntries(orders), narrow: narrowOf(state, facts) };
  const ask = (signal) => api.count(kind, asked.scopes, asked.narrow, signal);
  const { answer, problem, loading, again } = useAnswer(ask, kind ? JSON.stringify(asked) : null, COUNT_AFTER_MS);
  return { counts: answer?.counts ?? {}, problems: answer?.problems ?? {}, problem, loading, again };
}

function Count({ name, counted, asked }) {
  const value = counted.counts[name];
  if (!asked) return null;
  const known = typeof value === "number" ? number(value) : T.notCounted; // why not, the preview tells when it is chosen
  const title = counted.loading ? undefined : counted.problems[name];
  return h("span", { className: "portability-count", title }, counted.loading ? T.counting : known);
}

const WORDS = {
  selected: () => T.scopeSelected,
  filter: (_, { query }) => (query ? T.scopeFilterQuery(query) : T.scopeFilter),
  all: (kind) => T.scopeAll(plain(kind.plural)),
  saved: () => T.scopeSaved,
};

/** The saved filters of Stash's own list of this kind. */
function Saved({ kind, value, onChange }) {
  const { answer, problem, loading, again } = useAnswer((signal) => api.savedFilters(kind.mode, signal), kind.mode);
  if (problem) return h(Trouble, { problem, again });
  if (loading) return h("p", { className: "portability-quiet" }, T.loading);
  if (!answer.length) return h("p", { className: "portability-quiet" }, T.savedEmpty(plain(kind.plural)));
  const options = [{ value: "", text: T.savedNone }, ...answer.map(({ name }) => ({ value: name, text: name }))];
  return h(Choice, { label: T.savedLabel, value, options, onChange });
}

/** The kind: chosen here, unless the list it came from settled it. */
function KindChoice({ state, context, facts, setKind }) {
  if (kindOf(facts, context.kind)) return null;
  const options = [
    { value: EVERYTHING, text: T.everything },
    ...facts.kinds.map(({ name, label }) => ({ value: name, text: label })),
  ];
  return h(Choice, { label: T.kindLabel, value: state.kind, options, onChange: setKind });
}

export function Scope({ state, context, facts, counted, change, setKind }) {
  const kind = kindOf(facts, state.kind);
  const names = kind ? scopesOf(state, context, facts) : [];
  const option = (name) => {
    const asked = kind.filterable && scopeOrder(state, name, context);
    return { value: name, text: WORDS[name](kind, context), more: h(Count, { name, counted, asked }) };
  };
  const choose = (scope) => change({ scope });
  return h(
    React.Fragment,
    null,
    h(KindChoice, { state, context, facts, setKind }),
    kind && h(Radios, { label: T.scopeLabel, value: state.scope, options: names.map(option), onChange: choose }),
    state.scope === "saved" &&
      h(Saved, { key: kind.mode, kind, value: state.saved, onChange: (saved) => change({ saved }) }),
    kind?.narrows?.length > 0 && h(Narrow, { state, kind, facts, change }),
  );
}

const PICKERS = {
  tags: { name: "TagSelect", text: T.narrowTags, deep: T.subTags, all: true },
  performers: { name: "PerformerSelect", text: T.narrowPerformers, all: true },
  studios: { name: "StudioSelect", text: T.narrowStudios, deep: T.subStudios },
};
const RANGES = {
  date: { type: "text", texts: [T.dateFrom, T.dateTo], placeholder: T.datePattern },
  rating: { type: "number", texts: [T.ratingFrom, T.ratingTo], min: 0, max: 100, step: 1 },
};

/** One of Stash's own pickers, under our label. */
const Picker = ({ name, label, values, onSelect }) =>
  h(Labelled, { label }, (props) =>
    h(component(name), {
      isMulti: true,
      creatable: false,
      values,
      onSelect,
      inputId: props.id,
      menuPortalTarget: document.body,
      className: "portability-picker",
    }),
  );

function Pick({ name, value, set }) {
  const { name: select, text, deep, all } = PICKERS[name];
  if (!component(select)) return null;
  const amount = [
    { value: "any", text: T.anyOf },
    { value: "all", text: T.allOf },
  ];
  return h(
    React.Fragment,
    null,
    h(Picker, { name: select, label: T.with(text), values: value.ids, onSelect: (ids) => set({ ids }) }),
    all &&
      value.ids.length > 1 &&
      h(Choice, {
        label: T.howMany(text),
        value: value.all ? "all" : "any",
        options: amount,
        onChange: (which) => set({ all: which === "all" }),
      }),
    h(Picker, {
      name: select,
      label: T.without(text),
      values: value.excludes,
      onSelect: (excludes) => set({ excludes }),
    }),
    deep &&
      h(Switch, {
        label: deep,
        className: "portability-beside",
        checked: value.deep,
        onChange: (on) => set({ deep: on }),
      }),
  );
}

function Range({ name, value, set }) {
  const { texts, ...look } = RANGES[name];
  return ["from", "to"].map((end, index) =>
    h(Input, { key: end, ...look, label: texts[index], value: value[end], onChange: (text) => set({ [end]: text }) }),
  );
}

function Narrow({ state, kind, facts, change }) {
  // What Stash draws its pages of studios with brings the pickers of tags and studios along.
  const waiting = useLoading(["PerformerSelect", "Studios"]);
  const count = Object.keys(narrowOf(state, facts) ?? {}).length;
  const set = (name) => (part) =>
    change((now) => ({ narrow: { ...now.narrow, [name]: { ...now.narrow[name], ...part } } }));
  const one = (name) =>
    h(PICKED.includes(name) ? Pick : Range, { key: name, name, value: state.narrow[name], set: set(name) });
  const known = kind.narrows.filter((name) => name in NO_NARROW);
  return h(
    Section,
    { label: T.narrowLabel, aside: count ? T.narrowOn(count) : "" },
    waiting ? T.loading : known.map(one),
    count > 0 && h(Button, { onClick: () => change({ narrow: NO_NARROW }) }, T.clearNarrow),
  );
}
