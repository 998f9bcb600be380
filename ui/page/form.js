// How it is written: format, profile, privacy and what that leaves out, fields, and the rest.

import {
  BY_PROFILE,
  EVERYTHING,
  formsOf,
  isSheet,
  isWay,
  leftOut,
  levelsOf,
  TABLES,
  treesOf,
  withProfile,
} from "./choices.js";
import { TEMPLATE } from "./drafts.js";
import { tally } from "./fields.js";
import { Media } from "./media.js";
import { NFO } from "./nfo.js";
import { Button, Choice, Radios, Section, Switch } from "./parts.js";
import { h, React } from "./stash.js";
import { capital, plain, T } from "./strings.js";
import { Templates } from "./templates.js";
import { Tree } from "./tree.js";

const FORMS = { csv: T.formCsv, tsv: T.formTsv, jsonl: T.formLines, [NFO]: T.formNfo, [TEMPLATE]: T.formTemplate };
const CLOSURES = ["none", "direct", "full"];
const place = (name) => (CLOSURES.includes(name) ? CLOSURES.indexOf(name) : CLOSURES.length);
/** The closures, from the one that brings least: Stash sorts what an operation answers by name. */
const closures = (facts) =>
  Object.keys(facts.closures)
    .sort((one, other) => place(one) - place(other))
    .map((value) => ({ value, text: capital(facts.closures[value]) }));

function Format({ state, context, facts, setForm }) {
  const own = formsOf(context, facts).map((value) => ({ value, text: FORMS[value] ?? value.toUpperCase() }));
  const options = state.profile ? [{ value: BY_PROFILE, text: T.formByProfile }, ...own] : own;
  return h(Choice, {
    label: T.formLabel,
    hint: capital(facts.formats[state.form] ?? ""),
    value: state.form,
    options,
    onChange: setForm,
  });
}

/** What the formats with choices of their own ask for. */
function Way(props) {
  if (props.state.form === NFO) return h(Media, props);
  return props.state.form === TEMPLATE ? h(Templates, props) : null;
}

function Profile({ state, facts, change }) {
  if (!facts.profiles?.length || isWay(state)) return null;
  const options = [
    { value: "", text: T.profileNone },
    ...facts.profiles.map(({ name, title }) => ({ value: name, text: title || name })),
  ];
  const chosen = facts.profiles.find(({ name }) => name === state.profile);
  const hint = chosen && [chosen.description, T.profilePrivacy].filter(Boolean).join(". ");
  const choose = (profile) => change((now) => withProfile(now, profile, facts));
  return h(Choice, { label: T.profileLabel, hint, value: state.profile, options, onChange: choose });
}

const Names = ({ names }) =>
  names.map((name, index) => h(React.Fragment, { key: name }, index > 0 && ", ", h("code", null, name)));

const OfKind = ({ kind, names }) => h("div", null, T.leftOut(plain(kind.plural)), h(Names, { names }));

/** What the level leaves out: of what is exported at once, of what comes along on a click. */
function LeftOut({ state, facts }) {
  const { own, others, whole } = leftOut(state, facts);
  const mine = whole.some((kind) => kind.name === state.kind);
  const list = (some) => some.map((one) => h(OfKind, { key: one.kind.name, ...one }));
  const many = state.kind === EVERYTHING ? own : others;
  return h(
    "div",
    { className: "portability-left-out", "aria-live": "polite" },
    mine && h("strong", null, T.leftOutAll),
    state.kind !== EVERYTHING && list(own),
    !own.length && !mine && h("div", null, T.nothingLeftOut),
    whole.length > 0 && h("div", null, T.leftOutWhole, whole.map((kind) => kind.label).join(", ")),
    many.length > 0 && !isSheet(state) && h(Section, { label: T.moreKinds }, list(many)),
  );
}

function Privacy({ state, facts, change }) {
  const more = (words) => h("span", { className: "portability-quiet" }, `– ${words}`);
  const options = levelsOf(facts).map((value) => ({
    value,
    text: capital(value),
    more: more(facts.levels[value].words),
  }));
  return h(
    React.Fragment,
    null,
    h(Radios, { label: T.privacyLabel, value: state.privacy, options, onChange: (privacy) => change({ privacy }) }),
    h(LeftOut, { state, facts }),
  );
}

function Fields({ state, facts, change }) {
  if (state.profile || isWay(state)) return null;
  const trees = treesOf(state, facts);
  const { on, of } = tally(trees, state.off);
  const whole = state.kind === EVERYTHING;
  return h(
    Section,
    { label: T.fieldsLabel, aside: on === of && !state.off.length ? T.fieldsAll : T.fieldsSome(on, of) },
    whole && h("p", { className: "portability-quiet" }, T.fieldsClosure),
    h(Tree, {
      key: state.kind,
      label: T.fieldsLabel,
      nodes: whole ? trees : trees[0].children,
      off: state.off,
      onChange: (off) => change({ off }),
    }),
    state.off.length > 0 && h(Button, { onClick: () => change({ off: [] }) }, T.fieldsCheckAll),
  );
}

function More({ state, facts, change }) {
  if (state.profile || isWay(state)) return null;
  const flag = (name) => (on) => change({ [name]: on });
  const table = TABLES.includes(state.form);
  return h(
    Section,
    { label: T.moreLabel },
    h(Switch, { label: T.imagesLabel, hint: T.imagesHint, checked: state.images, onChange: flag("images") }),
    !isSheet(state) &&
      h(Choice, {
        label: T.closureLabel,
        value: state.closure,
        options: closures(facts),
        onChange: (closure) => change({ closure }),
      }),
    table && h(Switch, { label: T.bomLabel, hint: T.bomHint, checked: state.bom, onChange: flag("bom") }),
    table && h(Switch, { label: T.safeLabel, hint: T.safeHint, checked: state.safe, onChange: flag("safe") }),
  );
}

export const Form = (props) =>
  h(
    React.Fragment,
    null,
    [Format, Way, Profile, Privacy, Fields, More].map((part, index) => h(part, { key: index, ...props })),
  );
