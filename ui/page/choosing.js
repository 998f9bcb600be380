// The form of an export with its preview: from what is chosen to the order that is sent.

import { LIBRARIES } from "./api.js";
import { begin, EVERYTHING, missing, orderOf, withForm, withKind, withTemplate } from "./choices.js";
import { faultsOf, TEMPLATE } from "./drafts.js";
import { GoTo, goTo } from "./editor.js";
import { Form } from "./form.js";
import { api, useAct } from "./hooks.js";
import { keep, keepDrafts, recall, recallDrafts } from "./kept.js";
import { Trouble } from "./parts.js";
import { isRefused, Preview, Summary, usePreview } from "./preview.js";
import { Scope, useCounts } from "./scope.js";
import { bootstrap, h, React, useToast } from "./stash.js";
import { T } from "./strings.js";

const { useEffect, useRef, useState } = React;

/** The state of the dialog, and how it is changed; kept for the next time as soon as it is used, and what is written
 * into a template at once. */
function useChoices(context, facts) {
  const kept = useRef(null);
  kept.current ??= { ...recall(localStorage), drafts: recallDrafts(localStorage) };
  const [state, setState] = useState(() => begin(context, facts, kept.current));
  const change = (part) => setState((now) => ({ ...now, ...(typeof part === "function" ? part(now) : part) }));
  const means = { context, facts, kept: kept.current };
  const setKind = (name) => setState((now) => withKind(now, name, means));
  const setForm = (form) => setState((now) => withForm(now, form, means));
  const setTemplate = (name) => setState((now) => withTemplate(now, name, means));
  useEffect(() => keepDrafts(localStorage, state.drafts), [state.drafts]);
  const store = () => {
    keep(localStorage, state);
    kept.current = recall(localStorage);
  };
  return { state, set: { change, setKind, setForm, setTemplate }, store };
}

const WHY = {
  saved: () => T.savedFirst,
  date: () => T.dateUnfinished,
  rating: () => T.ratingWrong,
  fields: () => T.fieldsNone,
  rules: () => T.ruleHalf,
  genres: () => T.genreTagFirst,
  template: () => T.templateFirst,
};

/** Export was clicked: {act, busy, problem}. What cannot be begun is told in a toast too. */
function useStart(order, store, onStart) {
  const toast = useToast();
  const start = useAct(async () => {
    store();
    onStart({ ...(await api.start("export", order)), order });
  });
  useEffect(() => void (start.problem && toast(start.problem.message)), [start.problem]);
  return start;
}

function Footer({ lacking, preview, facts, many, able, busy }) {
  const { Button } = bootstrap();
  return h(
    React.Fragment,
    null,
    lacking
      ? h("div", { className: "portability-summary", role: "status" }, WHY[lacking]())
      : h(Summary, { preview, facts, many }),
    h(Button, { type: "submit", disabled: !able || busy }, busy ? T.starting : T.export),
  );
}

/** What the backend said is acted upon: a library that is missing, and a mistake in a template, which is shown. */
function useTold({ asked, start, onMissing }) {
  const lost = asked.find(({ problem }) => problem?.code === LIBRARIES)?.problem;
  useEffect(() => void (lost && onMissing(lost)), [lost]);
  useEffect(() => void faultsOf(start.problem).slice(0, 1).map(goTo), [start.problem]);
}

const Places = ({ state, problem }) => (state.form === TEMPLATE ? h(GoTo, { faults: faultsOf(problem) }) : null);

/** The form, its preview, and Export. `Frame` puts body and footer where they belong; `onMissing` is told when a
 * library is not there. */
export function Choosing({ context, facts, onStart, onMissing, reload, Frame }) {
  const { state, set, store } = useChoices(context, facts);
  const lacking = missing(state, facts);
  const order = lacking ? null : orderOf(state, context, facts);
  const counted = useCounts(state, context, facts);
  const preview = usePreview(order);
  const start = useStart(order, store, onStart);
  useTold({ asked: [start, preview, counted], start, onMissing });

  const many = state.kind === EVERYTHING;
  const able = order !== null && !isRefused(preview) && (many || preview.loading || preview.answer?.count !== 0);
  const onSubmit = (event) => {
    event.preventDefault();
    if (able) start.act();
  };
  return h(
    Frame,
    { onSubmit, footer: h(Footer, { lacking, preview, facts, many, able, busy: start.busy }) },
    h(Scope, { state, context, facts, counted, ...set }),
    !preview.problem && h(Trouble, { problem: counted.problem, again: counted.again }),
    h(Form, { state, context, facts, ...set, problem: preview.problem ?? start.problem, reload }),
    order && h(Preview, { preview, near: state.form === TEMPLATE }, h(Places, { state, problem: preview.problem })),
    h(Trouble, { problem: start.problem, again: start.act }, h(Places, { state, problem: start.problem })),
  );
}
