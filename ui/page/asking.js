// The first two steps of the restore wizard: what is restored, and how.

import { Button, Choice, Input, Labelled, Notice, Radios, Section, Switch } from "./parts.js";
import {
  chosenKinds,
  IDS,
  KINDS,
  kindsIn,
  linksMatter,
  LIST,
  modesOf,
  namedIn,
  strategiesOf,
} from "./restoring.js";
import { h, React } from "./stash.js";
import { capital, number, plain, T } from "./strings.js";

const quiet = (text) => h("span", { className: "portability-quiet" }, text);
const more = (words) => words && quiet(`– ${words}`);
const without = (names, name) => names.filter((one) => one !== name);

/** Kinds to be checked, with how many records of each the backup holds. */
function Kinds({ archive, facts, state, change }) {
  const kinds = kindsIn(archive, facts);
  const { off } = state;
  const all = kinds.map(({ name }) => name);
  const one = ({ name, label }) =>
    h(Switch, {
      key: name,
      label: h(
        React.Fragment,
        null,
        label,
        " ",
        h("span", { className: "portability-count" }, number(archive.counts[name])),
      ),
      checked: !off.includes(name),
      onChange: (on) => change({ off: on ? without(off, name) : [...off, name] }),
    });
  return h(
    "fieldset",
    { className: "portability-row" },
    h("legend", { className: "portability-legend" }, T.kindsLabel),
    h(
      "div",
      null,
      h(
        "div",
        { className: "portability-buttons mb-2" },
        h(Button, { onClick: () => change({ off: [] }) }, T.kindsAll),
        h(Button, { onClick: () => change({ off: all }) }, T.kindsNone),
      ),
      h("div", { className: "portability-columns" }, kinds.map(one)),
    ),
  );
}

const Ids = ({ archive, facts, state, change }) =>
  h(
    React.Fragment,
    null,
    h("p", { className: "portability-quiet portability-beside" }, T.idsHint),
    kindsIn(archive, facts).map(({ name, label }) =>
      h(Input, {
        key: name,
        label,
        value: state.ids[name] ?? "",
        inputMode: "numeric",
        autoComplete: "off",
        onChange: (text) => change({ ids: { ...state.ids, [name]: text } }),
      }),
    ),
  );

function Listed({ state, change }) {
  const take = async ({ target }) => {
    const [file] = target.files;
    change({ list: file ? { name: file.name, text: await file.text() } : null });
  };
  const chosen = state.list && T.listChosen(state.list.name, namedIn(state.list.text));
  return h(
    React.Fragment,
    null,
    h(Labelled, { label: T.listLabel, hint: T.listHint }, (props) =>
      h("input", { ...props, type: "file", accept: ".txt,text/plain", className: "portability-file", onChange: take }),
    ),
    chosen && h("p", { className: "portability-beside", role: "status" }, chosen),
  );
}

const WHICH = { [KINDS]: Kinds, [IDS]: Ids, [LIST]: Listed };

/** The groups of settings, apart from all else. */
function Settings({ archive, state, change }) {
  const { config } = state;
  if (!archive.config?.length) return null;
  const one = (name) =>
    h(Switch, {
      key: name,
      label: T.groups[name] ?? capital(plain(name)),
      checked: config.includes(name),
      onChange: (on) => change({ config: on ? [...config, name] : without(config, name) }),
    });
  return h(
    Section,
    { label: T.settingsLabel, aside: config.length ? T.settingsOn(config.length) : "" },
    h(Notice, { variant: "warning" }, T.settingsWarning),
    archive.config.map(one),
  );
}

/** Step 1. */
export function What(props) {
  const { archive, facts, state, change } = props;
  const options = [
    { value: KINDS, text: T.whichKinds },
    { value: IDS, text: T.whichIds },
    { value: LIST, text: T.whichList },
  ];
  return h(
    React.Fragment,
    null,
    h(Radios, { label: T.whichLabel, value: state.which, options, onChange: (which) => change({ which }) }),
    h(WHICH[state.which], props),
    linksMatter(state, archive, facts) &&
      h(Switch, {
        label: T.links,
        hint: T.linksHint,
        className: "portability-beside mb-3",
        checked: state.links,
        onChange: (links) => change({ links }),
      }),
    h(Settings, { archive, state, change }),
  );
}

/** What wins, kind by kind where it differs. */
function PerKind({ kinds, facts, options, state, change }) {
  const count = Object.values(state.per).filter(Boolean).length;
  const all = [{ value: "", text: T.asAbove }, ...options.map(({ value, text }) => ({ value, text }))];
  const one = ({ name, label }) =>
    h(Choice, {
      key: name,
      label,
      value: state.per[name] ?? "",
      options: all,
      onChange: (strategy) => change({ per: { ...state.per, [name]: strategy } }),
    });
  const shown = facts.kinds.filter(({ name }) => kinds.includes(name));
  return h(Section, { label: T.perKind, aside: count ? T.perKindOn(count) : "" }, shown.map(one));
}

/** Step 2. */
export function How({ archive, facts, state, change }) {
  const modes = modesOf(archive).map((value) => ({
    value,
    text: T.modes[value] ?? capital(value),
    more: more(T.modesMore[value]),
  }));
  const strategies = strategiesOf(archive).map((value) => ({
    value,
    text: T.strategies[value] ?? capital(value),
    more: more(T.strategiesMore[value]),
  }));
  const merging = state.mode === "merge";
  const held = kindsIn(archive, facts).map(({ name }) => name);
  const kinds = state.which === LIST ? held : chosenKinds(state, archive, facts);
  return h(
    React.Fragment,
    null,
    h(Radios, { label: T.modeLabel, value: state.mode, options: modes, onChange: (mode) => change({ mode }) }),
    merging &&
      h(Radios, {
        label: T.preferLabel,
        value: state.prefer,
        options: strategies,
        onChange: (prefer) => change({ prefer }),
      }),
    merging && kinds.length > 1 && h(PerKind, { kinds, facts, options: strategies, state, change }),
  );
}
