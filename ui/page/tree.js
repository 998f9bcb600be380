// A tree of checks that a keyboard walks: up, down, right and left to open and close, Space to check.

import { rows, stateOf, toggled } from "./fields.js";
import { h, React } from "./stash.js";

const { useRef, useState } = React;
const ARIA = { on: "true", off: "false", mixed: "mixed" };

/** Where a key leads to from row `at`; a number, or undefined when it leads nowhere. */
function next(shown, at, key) {
  const { depth } = shown[at];
  if (key === "ArrowDown") return Math.min(at + 1, shown.length - 1);
  if (key === "ArrowUp") return Math.max(at - 1, 0);
  if (key === "Home") return 0;
  if (key === "End") return shown.length - 1;
  if (key === "ArrowRight" && shown[at + 1]?.depth > depth) return at + 1;
  if (key === "ArrowLeft")
    return Math.max(
      0,
      shown.slice(0, at).findLastIndex((row) => row.depth < depth),
    );
  return undefined;
}

const folds = (key, one, open) =>
  one.children.length > 0 &&
  ((key === "ArrowRight" && !open.has(one.path)) || (key === "ArrowLeft" && open.has(one.path)));

function Row({ row: { one, depth }, off, open, active, onCheck, onFold, onFocus, place }) {
  const state = one.blocked ? "off" : stateOf(one, off);
  const isOpen = open.has(one.path);
  const folded = one.children.length ? { "aria-expanded": isOpen } : {};
  const fold = (event) => (event.stopPropagation(), onFold(one));
  return h(
    "div",
    {
      role: "treeitem",
      "aria-level": depth,
      "aria-checked": ARIA[state],
      "aria-disabled": Boolean(one.blocked),
      ...folded,
      tabIndex: active ? 0 : -1,
      ref: place,
      onFocus,
      onClick: () => onCheck(one),
      title: one.note,
      className: "portability-leaf",
      style: { paddingLeft: `${(depth - 1) * 1.5}rem` },
    },
    h(
      "span",
      { className: "portability-fold", "aria-hidden": true, onClick: one.children.length ? fold : undefined },
      one.children.length ? (isOpen ? "▾" : "▸") : "",
    ),
    h("input", {
      type: "checkbox",
      tabIndex: -1,
      "aria-hidden": true,
      readOnly: true,
      checked: state === "on",
      disabled: Boolean(one.blocked),
      ref: (box) => box && (box.indeterminate = state === "mixed"),
    }),
    h("span", { className: "portability-name" }, one.text),
    one.blocked && h("span", { className: "portability-quiet ml-2" }, one.blocked),
  );
}

/** `nodes` as fields.js makes them, `off` the paths that are off. */
export function Tree({ label, nodes, off, onChange }) {
  const [open, setOpen] = useState(() => new Set());
  const [active, setActive] = useState(0);
  const places = useRef([]);
  const shown = rows(nodes, open);
  const at = Math.min(active, shown.length - 1);

  const check = (one) => one.blocked || onChange(toggled(one, off));
  function fold(one) {
    const changed = new Set(open);
    if (!changed.delete(one.path)) changed.add(one.path);
    setOpen(changed);
  }
  function onKeyDown(event) {
    const { one } = shown[at];
    const to = next(shown, at, event.key);
    if (event.key === " ") check(one);
    else if (folds(event.key, one, open)) fold(one);
    else if (to !== undefined) places.current[to]?.focus();
    else return;
    event.preventDefault();
  }

  return h(
    "div",
    { role: "tree", "aria-label": label, className: "portability-tree", onKeyDown },
    shown.map((row, index) =>
      h(Row, {
        key: row.one.path,
        row,
        off,
        open,
        active: index === at,
        onCheck: check,
        onFold: fold,
        onFocus: () => setActive(index),
        place: (element) => void (places.current[index] = element),
      }),
    ),
  );
}
