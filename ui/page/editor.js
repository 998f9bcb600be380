// What a template is written in: its parts with line numbers and the mistakes found in them, and the fields to insert.

import { lineAt, PARTS } from "./drafts.js";
import { useId } from "./hooks.js";
import { Button, classes } from "./parts.js";
import { h, React } from "./stash.js";
import { capital, T } from "./strings.js";

const { useRef, useState } = React;

const TEXTS = {
  header: [T.partHeader, T.partHeaderHint],
  record: [T.partRecord, T.partRecordHint],
  between: [T.partBetween, T.partBetweenHint],
  footer: [T.partFooter, T.partFooterHint],
};
const LEAST_ROWS = { header: 3, record: 6, between: 1, footer: 2 };
const MOST_ROWS = 16;
/** Lines that stay in sight above the one that is shown. */
const ABOVE = 3;

const boxOf = (part) => document.querySelector(`.portability [data-part="${part}"]`);

/** Show where a mistake is: the line of a part, marked and in sight. */
export function goTo({ part, line }) {
  const box = boxOf(part);
  if (!box) return;
  for (let one = box.closest("details"); one; one = one.parentElement.closest("details")) one.open = true;
  const [start, end] = lineAt(box.value, line);
  box.focus();
  box.setSelectionRange(start, end);
  box.scrollTop = Math.max(0, line - ABOVE) * parseFloat(getComputedStyle(box).lineHeight);
  box.scrollIntoView({ block: "center" });
}

/** Buttons that lead to the mistakes. */
export const GoTo = ({ faults }) =>
  faults.map((fault, index) =>
    h(
      Button,
      { key: index, className: "mt-2 mr-2", onClick: () => goTo(fault) },
      T.faultShow(TEXTS[fault.part]?.[0] ?? T.fileName, fault.line || 1),
    ),
  );

/** Write a text where the cursor of a part is, so that the browser can undo it. */
function insert(part, text) {
  const box = boxOf(part);
  box.focus();
  if (document.execCommand("insertText", false, text)) return;
  box.setRangeText(text, box.selectionStart, box.selectionEnd, "end");
  box.dispatchEvent(new Event("input", { bubbles: true }));
}

/** As wide as its largest number. */
const widthOf = (count) => `${String(count).length + 2}ch`;

const Numbers = ({ count, faults, place }) =>
  h(
    "div",
    { ref: place, "aria-hidden": true, className: "portability-numbers", style: { width: widthOf(count) } },
    Array.from({ length: count }, (_, index) => {
      const wrong = faults.some(({ line }) => line === index + 1);
      return h("div", { key: index, className: wrong ? "portability-wrong" : undefined }, index + 1);
    }),
  );

function Part({ part, value, faults, onChange, onFocus }) {
  const id = useId();
  const numbers = useRef(null);
  const [label, hint] = TEXTS[part];
  const count = value.split("\n").length;
  const wrong = faults.length ? { "aria-invalid": true, "aria-describedby": `${id}-wrong` } : {};
  return h(
    "div",
    { className: "portability-part" },
    h("label", { htmlFor: id }, label, h("span", { className: "portability-quiet ml-2" }, hint)),
    h(
      "div",
      { className: classes("portability-code", faults.length && "portability-code-wrong") },
      h(Numbers, { count, faults, place: numbers }),
      h("textarea", {
        id,
        ...wrong,
        "data-part": part,
        className: "form-control portability-input",
        style: { marginLeft: widthOf(count), width: `calc(100% - ${widthOf(count)})` },
        rows: Math.min(Math.max(count, LEAST_ROWS[part]), MOST_ROWS),
        value,
        wrap: "off",
        spellCheck: false,
        autoCapitalize: "off",
        onChange: (event) => onChange(event.target.value),
        onFocus,
        onScroll: (event) => (numbers.current.scrollTop = event.target.scrollTop),
      }),
    ),
    faults.length > 0 &&
      h(
        "div",
        { id: `${id}-wrong`, className: "portability-fault", role: "status" },
        faults.map(({ line, message }, index) =>
          h("div", { key: index }, line ? T.faultAt(line, message) : capital(message)),
        ),
      ),
  );
}

const fitting = (fields, sought) =>
  fields.filter(({ path, words }) => `${path} ${words}`.toLowerCase().includes(sought.trim().toLowerCase()));

/** Where a key leads to in the list of fields; undefined for other keys. */
function next(at, last, key) {
  const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: last }[key];
  return to === undefined ? undefined : Math.min(Math.max(to, 0), last);
}

/** The fields of a kind: one stop for Tab, walked with the arrows. */
function Fields({ fields, onInsert }) {
  const id = useId();
  const [sought, setSought] = useState("");
  const [active, setActive] = useState(0);
  const list = useRef(null);
  const shown = fitting(fields, sought);
  const at = Math.min(active, shown.length - 1);
  function onKeyDown(event) {
    const to = next(at, shown.length - 1, event.key);
    if (to === undefined) return;
    event.preventDefault();
    list.current.querySelectorAll("button")[to].focus();
  }
  const one = ({ path, words, many }, index) =>
    h(
      "li",
      { key: path },
      h(
        "button",
        {
          type: "button",
          title: words,
          tabIndex: index === at ? 0 : -1,
          onFocus: () => setActive(index),
          onClick: () => onInsert(path),
        },
        h("code", null, path),
        many && h("span", { className: "portability-quiet ml-2" }, T.insertMany),
        words && h("span", { className: "portability-quiet portability-words" }, words),
      ),
    );
  return h(
    "div",
    { className: "portability-insert" },
    h("div", { id, className: "portability-insert-head" }, T.insertLabel),
    h("input", {
      type: "search",
      "aria-label": T.insertFind,
      placeholder: T.insertFind,
      className: "form-control portability-input",
      value: sought,
      onChange: (event) => setSought(event.target.value),
    }),
    h("div", { className: "portability-quiet" }, shown.length ? T.insertHint : T.insertNone),
    h("ul", { ref: list, onKeyDown, "aria-labelledby": id }, shown.map(one)),
  );
}

/** The four parts with the fields beside. `set(part)` changes the draft; `faults` are those of drafts.js. */
export function Editor({ draft, fields, faults, set }) {
  const last = useRef("record");
  const part = (name) =>
    h(Part, {
      key: name,
      part: name,
      value: draft[name],
      faults: faults.filter((fault) => fault.part === name),
      onChange: (text) => set({ [name]: text }),
      onFocus: () => (last.current = name),
    });
  return h(
    "div",
    { className: "portability-editor" },
    h("div", null, PARTS.map(part)),
    fields.length > 0 && h(Fields, { fields, onInsert: (path) => insert(last.current, `{{ ${path} }}`) }),
  );
}
