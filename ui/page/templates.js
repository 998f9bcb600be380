// The choices of an export by a template: which one, the editor with its settings, and saving it.

import { kindOf } from "./choices.js";
import {
  dropped,
  faultsOf,
  formed,
  isChanged,
  missingTemplate,
  NEW,
  ONE_FILE,
  replaced,
  saved,
  templateName,
  templateOf,
  templatesFor,
  toSave,
  written,
} from "./drafts.js";
import { Editor } from "./editor.js";
import { api, useAct } from "./hooks.js";
import { countRules, offered } from "./nfo.js";
import { Button, Choice, Input, Section, Switch, Trouble } from "./parts.js";
import { Rules } from "./rules.js";
import { h, React } from "./stash.js";
import { capital, T } from "./strings.js";

const { useEffect, useRef, useState } = React;

/** Enter in a text of the template does not start the export. */
const noEnter = (event) => event.key === "Enter" && event.target.matches("input") && event.preventDefault();

const FILES = { all: T.oneFileAll, kind: T.oneFileKind, record: T.oneFileRecord };

function Which({ state, context, facts, choose }) {
  const name = templateName(state, facts);
  const free = !kindOf(facts, context.kind);
  const list = templatesFor(facts, state.kind, free);
  const titled = ({ title, own, name: value }) => {
    const text = title || value;
    return { value, text: own ? T.templateOwn(text) : capital(text) };
  };
  const lost = name !== NEW && !list.some((one) => one.name === name) ? [{ value: name, text: name }] : [];
  const options = [...list.map(titled), ...lost, { value: NEW, text: T.templateNew }];
  const about = list.find((one) => one.name === name)?.description ?? "";
  const hint = [about && capital(about).replace(/[^.!?]$/, "$&."), name !== NEW && isChanged(state, facts) && T.templateChangedHint];
  return h(Choice, {
    label: T.templateLabel,
    hint: hint.filter(Boolean).join(" "),
    value: name,
    options,
    onChange: choose,
  });
}

function Settings({ draft, facts, faults, set }) {
  const escapes = Object.keys(facts.escapes ?? {}).map((value) => ({ value, text: T.escapes[value] ?? value }));
  const onChange = (key) => (value) => set({ [key]: value });
  const text = (key, label, more) => h(Input, { label, value: draft[key], onChange: onChange(key), ...more });
  const wrong = faults.filter(({ part }) => part === "file_name").map(({ message }) => message);
  return h(
    React.Fragment,
    null,
    text("name", T.editName),
    h(Choice, {
      label: T.oneFileLabel,
      value: draft.one_file,
      options: ONE_FILE.map((value) => ({ value, text: FILES[value] })),
      onChange: onChange("one_file"),
    }),
    draft.one_file === "record" &&
      text("file_name", T.fileName, {
        hint: wrong.join(" ") || T.fileNameHint,
        "aria-invalid": wrong.length > 0,
        "data-part": "file_name",
        placeholder: T.fileNameUsual,
        spellCheck: false,
      }),
    text("ending", T.endingLabel, { spellCheck: false }),
    h(Choice, {
      label: T.escapeLabel,
      hint: capital(facts.escapes?.[draft.escape] ?? ""),
      value: draft.escape,
      options: [{ value: "", text: T.escapeByEnding }, ...escapes],
      onChange: onChange("escape"),
    }),
    h(Switch, {
      label: T.withPictures,
      hint: T.withPicturesHint,
      className: "portability-beside mb-3",
      checked: draft.images,
      onChange: onChange("images"),
    }),
  );
}

/** Back to the template as it was: asked once more, because what was typed is gone then. */
function Discard({ onClick }) {
  const [sure, setSure] = useState(false);
  const look = { onBlur: () => setSure(false), variant: sure ? "danger" : "secondary" };
  return h(Button, { ...look, onClick: () => (sure ? onClick() : setSure(true)) }, sure ? T.discardSure : T.discard);
}

/** Saving: {act, busy, problem, told}. Once the server tells of the template, its draft is not needed any more. */
function useSave({ state, facts, change, reload }) {
  const [told, setTold] = useState("");
  const done = useRef(null);
  const save = useAct(async () => {
    const draft = toSave(state, facts);
    const { name } = await api.saveTemplate(draft.name, draft);
    done.current = { name, text: JSON.stringify(formed(draft)) };
    setTold(T.savedAs(draft.name));
    change((now) => saved(now, facts, name));
    reload();
  });
  useEffect(() => {
    const { name, text } = done.current ?? {};
    if (!facts.templates?.some((one) => one.name === name)) return;
    done.current = null;
    change((now) => (JSON.stringify(now.drafts[name]) === text ? dropped(now, name) : {}));
  }, [facts]);
  return { ...save, told, forget: () => setTold("") };
}

/** What saving does now, in words: a template of that name may be there. */
function savingWords(state, facts) {
  const over = replaced(state, facts);
  if (!over) return T.saveTemplate;
  return over.name === templateName(state, facts) ? T.saveOwn : T.saveOver(over.title || over.name);
}

function Save({ state, facts, change, save }) {
  const name = templateName(state, facts);
  const named = templateOf(state, facts).name.trim();
  const changed = isChanged(state, facts);
  const able = named && changed && !missingTemplate(state, facts);
  return h(
    React.Fragment,
    null,
    h(
      "div",
      { className: "portability-buttons mb-2" },
      h(Button, { onClick: save.act, disabled: !able || save.busy }, save.busy ? T.saving : savingWords(state, facts)),
      changed &&
        name in state.drafts &&
        !save.told &&
        h(Discard, { key: name, onClick: () => change((now) => dropped(now, name)) }),
      h("span", { role: "status", className: "portability-quiet" }, save.told || (named ? "" : T.saveName)),
    ),
    h(Trouble, { problem: save.problem }),
  );
}

const fieldsOf = (facts, kind, draft) => facts.template_fields?.[kind || draft.kinds[0] || "scene"] ?? [];

/** The form's part for templates. `problem` is what the backend says of the order now. */
export function Templates({ state, context, facts, change, setTemplate, problem, reload }) {
  const changed = isChanged(state, facts);
  const [open, setOpen] = useState(changed);
  const save = useSave({ state, facts, change, reload });
  const draft = templateOf(state, facts);
  const faults = faultsOf(save.problem ?? problem);
  const set = (part) => (save.forget(), change((now) => written(now, facts, part)));
  const setRules = (rules) => change((now) => ({ media: { ...now.media, rules } }));
  function choose(name) {
    setTemplate(name);
    save.forget();
    setOpen(name === NEW || name in state.drafts);
  }
  const { rules } = state.media;
  const ofRules = { libraries: offered(facts).libraries, to: T.ruleToOther, hint: T.rulesOther };
  return h(
    React.Fragment,
    null,
    h(Which, { state, context, facts, choose }),
    h(
      Section,
      {
        label: T.editLabel,
        aside: changed && templateName(state, facts) !== NEW ? T.templateChanged : "",
        open,
        onToggle: (event) => setOpen(event.currentTarget.open),
      },
      h(
        "div",
        { onKeyDown: noEnter },
        h(Settings, { draft, facts, faults, set }),
        h(Editor, { draft, fields: fieldsOf(facts, state.kind, draft), faults, set }),
        h(Save, { state, facts, change, save }),
      ),
    ),
    h(
      Section,
      { label: T.rulesLabel, aside: countRules(rules) ? T.rulesOn(countRules(rules)) : "" },
      h(Rules, { ...ofRules, rules, onChange: setRules }),
    ),
  );
}
