// Stands in for ui/page/index.js: keeps what main.js hands over, shows that it was called.
const { React, libraries } = window.PluginApi;
const h = React.createElement;

window.stub = { started: [], contexts: [] };

export function start(pluginId, base) {
  window.stub.started.push({ pluginId, base });
}

export function ExportDialog({ context, onClose }) {
  const { Modal, Button } = libraries.Bootstrap;
  React.useEffect(() => {
    window.stub.contexts.push(context);
  }, [context]);
  const toast = window.PluginApi.hooks.useToast();
  const { formatMessage } = libraries.Intl.useIntl();
  const say = () => toast.success("said from the stub");
  return h(
    Modal,
    { show: true, onHide: onClose, id: "stub-dialog", "aria-label": "stub" },
    h(Modal.Body, null, formatMessage({ id: "scenes" }), h(libraries.ReactRouterDOM.Link, { to: "/tags" }, "to tags")),
    h(Modal.Footer, null, h(Button, { onClick: say }, "say"), h(Button, { onClick: onClose }, "close the stub")),
  );
}

export function PortabilityPage() {
  return h("div", { id: "stub-page" }, "The stub of the page");
}
