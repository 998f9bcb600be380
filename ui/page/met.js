// Brakes: what a person has to agree to before anything is written.

import { Button, Notice, Switch } from "./parts.js";
import { h, React } from "./stash.js";
import { capital, T } from "./strings.js";

const { useState } = React;

const sentence = (why) => capital(why).replace(/[^.!?]$/, "$&.");

/** Brakes, each with a box of its own. */
export function Brakes({ brakes, accepted, set }) {
  const check = (name) => (on) => set(on ? [...accepted, name] : accepted.filter((one) => one !== name));
  return brakes.map(({ name, why }) =>
    h(Switch, {
      key: name,
      className: "portability-brake",
      label: T.brakeAccept(sentence(why)),
      checked: accepted.includes(name),
      onChange: check(name),
    }),
  );
}

/** Brakes that were met only when it was applied: {brakes}, which `onAccept(names)` goes on with. */
export function Met({ brakes, busy, onAccept }) {
  const [accepted, setAccepted] = useState([]);
  const all = accepted.length === brakes.length;
  return h(
    Notice,
    { variant: "warning", role: "group", "aria-label": T.brakesLabel },
    h("strong", null, T.brakesMet),
    h(Brakes, { brakes, accepted, set: setAccepted }),
    h(
      "div",
      { className: "portability-buttons mt-2" },
      h(Button, { disabled: !all || busy, onClick: () => onAccept(accepted) }, busy ? T.starting : T.applyAnyway),
    ),
  );
}
