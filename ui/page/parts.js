// Small parts of the dialog and the page, in Stash's look. What they show is text: nothing here makes HTML of data.

import { useId } from "./hooks.js";
import { bootstrap, h, React } from "./stash.js";
import { capital, T } from "./strings.js";

const { useRef, useState } = React;

export const classes = (...names) => names.filter(Boolean).join(" ");

export const Button = ({ variant = "secondary", ...props }) =>
  h(bootstrap().Button, { variant, type: "button", size: "sm", ...props });

const hintOf = (id, hint) => (hint ? h("div", { id: `${id}-hint`, className: "portability-quiet" }, hint) : null);
const describedBy = (id, hint) => (hint ? { "aria-describedby": `${id}-hint` } : {});

/** A label and its control, which `children(props)` draws with the id and the description. */
export function Labelled({ label, hint, children }) {
  const id = useId();
  return h(
    "div",
    { className: "portability-row" },
    h("label", { htmlFor: id }, label),
    h("div", null, children({ id, ...describedBy(id, hint) }), hintOf(id, hint)),
  );
}

/** A choice of one in a list: `options` are [{value, text}]. */
export const Choice = ({ label, hint, value, options, onChange, ...more }) =>
  h(Labelled, { label, hint }, (props) =>
    h(
      "select",
      {
        ...props,
        ...more,
        className: "form-control portability-input",
        value,
        onChange: (event) => onChange(event.target.value),
      },
      options.map((one) => h("option", { key: one.value, value: one.value }, one.text)),
    ),
  );

/** An input of the browser's own types. */
export const Input = ({ label, hint, value, onChange, ...more }) =>
  h(Labelled, { label, hint }, (props) =>
    h("input", {
      ...props,
      ...more,
      className: "form-control portability-input",
      value,
      onChange: (event) => onChange(event.target.value),
    }),
  );

/** A box to check. */
export function Switch({ label, hint, checked, onChange, className }) {
  const id = useId();
  return h(
    "div",
    { className: classes("portability-check", className) },
    h("input", {
      id,
      type: "checkbox",
      checked,
      onChange: (event) => onChange(event.target.checked),
      ...describedBy(id, hint),
    }),
    h("label", { htmlFor: id }, label),
    hintOf(id, hint),
  );
}

/** One of several: `options` are [{value, text, more}]; `more` is drawn after the text. */
export function Radios({ label, value, options, onChange }) {
  const id = useId();
  const one = (option) =>
    h(
      "div",
      { key: option.value, className: "portability-check" },
      h("input", {
        id: `${id}-${option.value}`,
        type: "radio",
        name: id,
        checked: option.value === value,
        onChange: () => onChange(option.value),
      }),
      h("label", { htmlFor: `${id}-${option.value}` }, option.text, option.more && " ", option.more),
    );
  return h(
    "fieldset",
    { className: "portability-row" },
    h("legend", { className: "portability-legend" }, label),
    h("div", null, options.map(one)),
  );
}

/** What can be folded; `aside` stands beside its name. More: open, onToggle. */
export const Section = ({ label, aside, children, className, ...more }) =>
  h(
    "details",
    { className: classes("portability-section", className), ...more },
    h("summary", null, h("span", null, label), aside && h("span", { className: "portability-quiet ml-2" }, aside)),
    h("div", { className: "portability-inside" }, children),
  );

/** Something to know, in Stash's colours: info, success, warning, danger. */
export const Notice = ({ variant = "info", children, ...more }) =>
  h(bootstrap().Alert, { variant, className: "portability-notice", ...more }, children);

const textOf = ({ problem, about }) =>
  [
    `${problem.code}: ${problem.message}`,
    problem.exit_code && `exit code ${problem.exit_code}`,
    problem.details,
    about,
    new Date().toISOString(),
  ]
    .filter(Boolean)
    .join("\n");

/** A button that copies, also where the page has no clipboard (plain http): there the text is shown, and marked. */
export function Copy({ text }) {
  const [said, setSaid] = useState("");
  const box = useRef(null);
  async function copy() {
    try {
      await navigator.clipboard.writeText(text);
      setSaid(T.copied);
    } catch {
      box.current.hidden = false;
      box.current.focus();
      box.current.select();
      setSaid(document.execCommand("copy") ? T.copied : T.copyByHand);
    }
  }
  return h(
    React.Fragment,
    null,
    h(Button, { onClick: copy }, T.copy),
    h("span", { role: "status", className: "ml-2" }, said),
    h("textarea", {
      ref: box,
      hidden: true,
      readOnly: true,
      rows: 4,
      value: text,
      "aria-label": T.details,
      className: "form-control portability-input mt-2",
    }),
  );
}

/** What went wrong, what to do, and its details to copy: nothing when nothing did. `title` comes first, `again` tries
 * once more. */
export function Trouble({ problem, title, again, againText = T.tryAgain, about, children }) {
  if (!problem && !title) return null;
  return h(
    Notice,
    { variant: "danger", role: "alert" },
    title && h("strong", null, title, " "),
    problem && h("span", null, title?.endsWith(":") ? problem.message : capital(problem.message)),
    children,
    h(
      "div",
      { className: "portability-buttons mt-2" },
      again && h(Button, { onClick: again }, againText),
      problem && h(Copy, { text: textOf({ problem, about }) }),
    ),
  );
}

/** How far something is: `value` from 0 to 1, or null while nobody knows. */
export function Bar({ value, label }) {
  const known = typeof value === "number" && value >= 0;
  const percent = known ? Math.round(value * 100) : 100;
  const { ProgressBar } = bootstrap();
  return h(
    "div",
    { className: "portability-bar" },
    h("div", { role: "status" }, label, known && ` ${percent} %`),
    h(ProgressBar, {
      now: percent,
      animated: true,
      striped: !known,
      label: "",
      ...(known ? {} : { "aria-valuetext": label }),
    }),
  );
}

/** Waiting for something that has no measure. */
export const Waiting = ({ children }) =>
  h(
    "div",
    { className: "portability-waiting", role: "status" },
    h(bootstrap().Spinner, { animation: "border", size: "sm", "aria-hidden": true, className: "mr-2" }),
    children,
  );

const REACHED = "a[href], button, input, select, textarea, summary, [tabindex='0']";

/** Keeps Tab within what it is set on: from the last on to the first, and back. */
export function keepFocus(event) {
  if (event.key !== "Tab") return;
  const shown = (one) => !one.disabled && one.tabIndex >= 0 && one.getClientRects().length > 0;
  const all = [...event.currentTarget.querySelectorAll(REACHED)].filter(shown);
  const [from, to] = event.shiftKey ? [all[0], all.at(-1)] : [all.at(-1), all[0]];
  if (document.activeElement !== from) return;
  event.preventDefault();
  to.focus();
}

/** A bug of ours below this shows a notice, and leaves the rest of Stash's page alone. */
export class Fence extends React.Component {
  constructor(props) {
    super(props);
    this.state = { problem: null };
  }

  static getDerivedStateFromError(error) {
    return { problem: { code: "PageBug", message: String(error), details: String(error?.stack ?? "") } };
  }

  componentDidCatch(error) {
    console.warn("Stash Portability:", error);
  }

  render() {
    const { problem } = this.state;
    if (!problem) return this.props.children;
    const again = () => this.setState({ problem: null });
    const told = { ...problem, message: T.broke, details: `${problem.message}\n${problem.details}` };
    return h("div", { className: "portability portability-inside" }, h(Trouble, { problem: told, again }));
  }
}
