// Exporting from beginning to end: what is chosen, the run it becomes, what became of that. Drawn in the dialog, and
// as the first tab of the page.

import { kindOf } from "./choices.js";
import { Choosing } from "./choosing.js";
import { api, useAct, useAnswer, useFocus, useId } from "./hooks.js";
import { Follow, Result } from "./outcome.js";
import { Button, Fence, keepFocus, Trouble, Waiting } from "./parts.js";
import { Setup } from "./setup.js";
import { bootstrap, h, React } from "./stash.js";
import { plain, T } from "./strings.js";

const { useEffect, useState } = React;

/** What the plugin can do, and how it is. */
export const useFacts = () =>
  useAnswer(async (signal) => {
    const [status, fields, version] = await Promise.all([api.status(signal), api.fields(signal), api.version(signal)]);
    return { ...fields, status, version };
  }, "facts");

/** A run of ours that goes on: followed when a page or dialog is opened anew. */
const goingOn = ({ busy, runs }) => {
  if (busy?.kind !== "export") return null;
  const { job, title } = runs?.find((report) => report.run === busy.run) ?? {};
  return { run: busy.run, job, others: title || T.exportTitle };
};

function Exporting({ context, facts, reload, Frame }) {
  const [followed, setFollowed] = useState(() => goingOn(facts.status));
  const [refused, setRefused] = useState(null);
  useEffect(() => setRefused(null), [facts]); // asked anew once the libraries are there
  const again = useAct(async () =>
    setFollowed({ ...(await api.start("export", followed.order)), order: followed.order }),
  );
  const { ready } = facts.status;
  const onBack = ready && (() => setRefused(null)); // without these libraries everything else can still be exported
  if (refused || !ready) return h(Frame, null, h(Setup, { facts, problem: refused, onReady: reload, onBack }));
  if (!followed) return h(Choosing, { context, facts, onStart: setFollowed, onMissing: setRefused, reload, Frame });
  const another = () => setFollowed(null);
  const over = (report) => h(Result, { report, facts, again: followed.order && again.act, another });
  const { others } = followed; // begun elsewhere, or before: it keeps nobody from an export of his own
  return h(
    Frame,
    null,
    others && h("h6", null, T.others(others)),
    h(
      Follow,
      { key: followed.run, followed, kind: "export", over },
      others && h(Button, { onClick: another }, T.another),
    ),
    again.problem && h(Trouble, { problem: again.problem }),
  );
}

/** The whole of it, from the first question on. */
export function Export({ context, found, Frame }) {
  const { answer, problem, again } = found;
  if (problem) return h(Frame, null, h(Trouble, { problem, again }));
  if (!answer) return h(Frame, null, h(Waiting, null, T.loading));
  return h(Exporting, { key: answer.status.ready, context, facts: answer, reload: again, Frame });
}

/** Enter in the tree of fields starts too; in inputs the browser sees to it. */
function startOnEnter(event) {
  if (event.key === "Enter" && event.target.matches("[role=treeitem], select")) event.currentTarget.requestSubmit();
}

const formOf = (onSubmit) => ({
  onSubmit: onSubmit ?? ((event) => event.preventDefault()),
  onKeyDown: startOnEnter,
  noValidate: true,
});

function DialogFrame({ onSubmit, footer, children }) {
  const { Modal } = bootstrap();
  return h(
    "form",
    { ...formOf(onSubmit), ref: useFocus("input:checked, select"), className: "portability-form" },
    h(Modal.Body, { className: "portability" }, h(Fence, null, children)),
    footer && h(Modal.Footer, { className: "portability portability-footer" }, footer),
  );
}

export const PageFrame = ({ onSubmit, footer, children }) =>
  h(
    "form",
    formOf(onSubmit),
    children,
    footer && h("div", { className: "portability-footer portability-page-footer" }, footer),
  );

/** The dialog. `context` is what the list knows; every part may be missing. */
export function ExportDialog({ context = {}, onClose }) {
  const { Modal } = bootstrap();
  const found = useFacts();
  const id = useId();
  const kind = found.answer && kindOf(found.answer, context.kind);
  return h(
    Modal,
    {
      show: true,
      onHide: onClose,
      size: "lg",
      backdrop: "static",
      animation: false,
      "aria-labelledby": id,
      dialogClassName: "portability-dialog",
    },
    h(
      "div",
      { onKeyDown: keepFocus },
      h(
        Modal.Header,
        { closeButton: true, closeLabel: T.close },
        h(Modal.Title, { id, as: "h5" }, kind ? T.exportOf(plain(kind.plural)) : T.exportTitle),
      ),
      h(Fence, null, h(Export, { context, found, Frame: DialogFrame })),
    ),
  );
}
