// Path rules as rows: a path as Stash has it, and as it is elsewhere.

import { useId } from "./hooks.js";
import { Button } from "./parts.js";
import { h, React } from "./stash.js";
import { T } from "./strings.js";

const { useEffect, useRef } = React;

/** Puts the focus on an input of the rows, or on the button that adds one, after they have changed. */
function useWanted() {
  const place = useRef(null);
  const wanted = useRef(null);
  useEffect(() => {
    if (wanted.current === null) return;
    const inputs = place.current.querySelectorAll("input");
    (inputs[wanted.current] ?? place.current.querySelector(".portability-add")).focus();
    wanted.current = null;
  });
  return { place, want: (number) => (wanted.current = number) };
}

function Row({ rule, count, list, to, set, remove, onEnter }) {
  const box = (key, label, more) =>
    h("input", {
      "aria-label": T.ruleNth(label, count),
      placeholder: label,
      className: "form-control portability-input",
      value: rule[key],
      spellCheck: false,
      onChange: (event) => set({ [key]: event.target.value }),
      onKeyDown: onEnter,
      ...more,
    });
  return h(
    "li",
    { className: "portability-rule" },
    box("from", T.ruleFrom, { list }),
    h("span", { "aria-hidden": true }, "→"),
    box("to", to),
    h(Button, { onClick: remove, "aria-label": T.ruleRemove(count), title: T.ruleRemove(count) }, "×"),
  );
}

/** `rules` are [{from, to}], `libraries` the paths offered on the left, `to` the name of the right side. */
export function Rules({ rules, libraries, to, hint, onChange }) {
  const id = useId();
  const { place, want } = useWanted();
  const set = (at) => (part) => onChange(rules.map((rule, index) => (index === at ? { ...rule, ...part } : rule)));
  function add() {
    onChange([...rules, { from: "", to: "" }]);
    want(2 * rules.length);
  }
  function remove(at) {
    onChange(rules.filter((_, index) => index !== at));
    want(2 * Math.min(at, rules.length - 2));
  }
  /** Enter begins the next rule, and does not start the export. */
  const onEnter = (at) => (event) => {
    if (event.key !== "Enter") return;
    event.preventDefault();
    if (at === rules.length - 1 && rules[at].from && rules[at].to) add();
  };
  return h(
    "fieldset",
    { ref: place, className: "portability-row" },
    h("legend", { className: "portability-legend" }, T.rulesLabel),
    h(
      "div",
      null,
      h(
        "datalist",
        { id },
        libraries.map((path) => h("option", { key: path, value: path })),
      ),
      rules.length > 0 &&
        h(
          "ol",
          { className: "portability-rules" },
          rules.map((rule, at) =>
            h(Row, {
              key: at,
              rule,
              count: at + 1,
              list: id,
              to,
              set: set(at),
              remove: () => remove(at),
              onEnter: onEnter(at),
            }),
          ),
        ),
      h(Button, { onClick: add, className: "portability-add" }, T.ruleAdd),
      h("div", { className: "portability-quiet mt-1" }, hint),
    ),
  );
}
