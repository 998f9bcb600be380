/* The ways into Stash Portability, on every page of Stash; ui/page/ is loaded when someone goes in. A failure of ours
 * leaves Stash's page as it was. PluginApi's parts are looked up when needed: they come as Stash's chunks load. */
(function () {
  "use strict";

  const VERSION = "0.1.0"; // in the modules' address, so that two versions never mix
  const PATH = "/plugins/portability"; // /plugin/… is the server's own
  const WORDS = {
    name: "Portability",
    tools: "Exports the library, or parts of it.",
    export: "Export…", // Stash has "Export" and "Export all…"; two of one name would clash
    loading: "Loading Portability…",
    failed: "Portability could not be loaded. If it was just updated, reload this page.",
    broke: "Portability stopped because of an error.",
    again: "Try again",
    reload: "Reload this page",
    close: "Close",
  };

  const api = window.PluginApi;
  if (!api?.patch) return;
  const { React, libraries, components } = api;
  const { createElement: h, cloneElement: clone, useEffect, useState } = React;

  // <base> has the prefix that a reverse proxy gives Stash; the script itself may come from another host.
  const from = /\/plugin\/([^/]+)\/javascript/.exec(document.currentScript?.src);
  const pluginId = from?.[1] ?? "stash-portability";
  const base = document.querySelector("base")?.href ?? `${location.origin}/`;

  // ---- Failing safe

  const warned = new Set();
  function warn(what, error) {
    if (warned.has(what)) return;
    warned.add(what);
    console.warn(`Stash Portability: ${what} does not work here:`, error);
  }

  function guarded(what, untouched, attempt) {
    try {
      return attempt();
    } catch (error) {
      warn(what, error);
      return untouched;
    }
  }

  // Patches get (props, context[, result]) and pass all of it on.
  function before(name, change) {
    api.patch.before(name, (...args) => guarded(name, args, () => [change(args[0]), ...args.slice(1)]));
  }

  function after(name, change) {
    api.patch.after(name, (...args) => guarded(name, args.at(-1), () => change(args.at(-1))));
  }

  class Boundary extends React.Component {
    state = { broken: false };

    static getDerivedStateFromError() {
      return { broken: true };
    }

    componentDidCatch(error) {
      warn(this.props.what, error);
    }

    render() {
      return this.state.broken ? this.props.instead ?? null : this.props.children;
    }
  }

  const safe = (what, component, props) => h(Boundary, { what, key: "portability" }, h(component, props));

  // The tree of elements with the first that fits changed; its shape stays, so React keeps all state.
  function replaced(node, fits, change) {
    if (Array.isArray(node)) {
      for (let i = 0; i < node.length; i += 1) {
        const next = replaced(node[i], fits, change);
        if (next !== node[i]) return Object.assign([...node], { [i]: next });
      }
      return node;
    }
    if (!React.isValidElement(node)) return node;
    if (fits(node.props)) return change(node);
    const children = replaced(node.props.children, fits, change);
    return children === node.props.children ? node : clone(node, { children });
  }

  // ---- The rest, on demand

  let ready = null;
  let loading = null;
  let failures = 0;
  function load() {
    // A browser may remember that a module could not be had: another try asks under another address.
    const query = failures ? `?try=${failures}` : "";
    loading ||= import(`${base}plugin/${pluginId}/assets/ui/${VERSION}/page/index.js${query}`)
      .then((parts) => {
        parts.start(pluginId, base);
        return (ready = parts);
      })
      .catch((error) => {
        failures += 1;
        loading = null;
        throw error;
      });
    return loading;
  }

  // {parts}, {error} or neither yet; and a way to try again
  function useParts() {
    const [state, setState] = useState({ parts: ready });
    const [turn, setTurn] = useState(0);
    useEffect(() => {
      let here = true;
      const settle = (next) => here && setState(next);
      if (turn) settle({});
      load().then((parts) => settle({ parts }), (error) => settle({ error }));
      return () => void (here = false);
    }, [turn]);
    return [state, () => setTurn(turn + 1)];
  }

  function Failure({ words, error, again, onClose }) {
    const { Alert, Button } = libraries.Bootstrap;
    const button = (text, onClick) =>
      onClick && h(Button, { className: "mr-2 mt-2", variant: "secondary", onClick }, text);
    return h(
      Alert,
      { variant: "danger", className: "mb-0" },
      words,
      error && h("div", { className: "small" }, String(error)),
      button(WORDS.again, again),
      button(WORDS.reload, () => location.reload()),
      button(WORDS.close, onClose),
    );
  }

  const Loading = () => h(components.LoadingIndicator, { message: WORDS.loading });

  function Page(props) {
    const [{ parts, error }, again] = useParts();
    if (error) return h(Failure, { words: WORDS.failed, error, again });
    if (!parts) return h(Loading);
    const instead = h(Failure, { words: WORDS.broke });
    return h(Boundary, { what: "the page", instead }, h(parts.PortabilityPage, props));
  }

  // ---- The dialog: one, whoever opens it

  // Not in a list, which goes with its page; not in the navigation bar, where react-bootstrap draws tabs and menus as
  // parts of the bar; not beside `App`, outside the providers of configuration and (0.27) toasts. But what `App` is
  // given is the tree of all providers; in the innermost stands the page, beside <Helmet>, which sets the title. There
  // the host is put: last, once.
  const among = (children, prop) => (Array.isArray(children) ? children : []).findIndex((one) => one?.props?.[prop]);
  const isBesidePage = ({ children }) => among(children, "titleTemplate") >= 0;

  before("App", (props) => {
    const host = safe("the dialog", DialogHost);
    const add = (node) => clone(node, { children: [...node.props.children, host] });
    return { ...props, children: replaced(props.children, isBesidePage, add) };
  });

  let show = () => location.assign(base + PATH.slice(1)); // while there is no host
  let opener = null;
  function open(context) {
    const active = document.activeElement;
    const menu = active?.closest(".dropdown-menu[aria-labelledby]");
    opener = menu ? document.getElementById(menu.getAttribute("aria-labelledby")) : active;
    show(context);
  }

  // A menu's entry is hidden when the dialog closes: its button has the focus then.
  const giveFocusBack = () => document.activeElement === document.body && opener?.focus();

  function DialogHost() {
    const [context, setContext] = useState(null);
    const { pathname } = libraries.ReactRouterDOM.useLocation();
    show = (next) => setContext((now) => now || next); // a second click changes nothing
    useEffect(() => setContext(null), [pathname]); // it goes with its page, as Stash's own do
    useEffect(() => {
      if (!context) return undefined;
      libraries.Mousetrap.pause(); // Stash's keys would work behind it: "d d" deletes
      return () => {
        libraries.Mousetrap.unpause();
        setTimeout(giveFocusBack);
      };
    }, [context]);
    if (!context) return null;
    const onClose = () => setContext(null);
    const instead = h(Small, { onClose }, h(Failure, { words: WORDS.broke, onClose }));
    return h(Boundary, { what: "the dialog", instead }, h(Dialog, { context, onClose }));
  }

  function Dialog({ context, onClose }) {
    const [{ parts, error }, again] = useParts();
    if (parts) return h(parts.ExportDialog, { context, onClose });
    return h(Small, { onClose }, error ? h(Failure, { words: WORDS.failed, error, again, onClose }) : h(Loading));
  }

  function Small({ onClose, children }) {
    const { Modal } = libraries.Bootstrap;
    const look = { show: true, animation: false, "aria-label": WORDS.export, onHide: onClose };
    return h(Modal, look, h(Modal.Body, null, children));
  }

  // ---- What a list shows

  const criteriaOf = (kind) => (kind === "marker" ? "scene_marker_filter" : `${kind}_filter`);
  const variablesOf = (kind, filter) => ({ filter: filter.makeFindFilter(), [criteriaOf(kind)]: filter.makeFilter() });

  // `variables` are those of the list's own query, with what the page adds unseen (a performer's tab). When they are
  // not known there is no filter, which is better than a wrong one.
  function contextOf(kind, variables, selected) {
    const context = { kind, where: "list", selected: Array.from(selected || []) };
    if (!variables) return context;
    const filter = JSON.parse(JSON.stringify(variables[criteriaOf(kind)] || {}));
    return { ...context, filter, query: variables.filter?.q || "" };
  }

  // SceneListOperations is told neither. In React's tree SceneList has the filter in force and the ids selected, on all
  // pages; while it loads, the toolbar has those. From the root: DOM nodes may have old fibers.
  function sceneList() {
    const root = document.getElementById("root");
    const key = Object.keys(root).find((name) => name.startsWith("__reactContainer$"));
    const todo = key ? [root[key].stateNode.current] : [];
    let found = {};
    while (todo.length) {
      const fiber = todo.pop();
      const { filter, selectedIds, listSelect } = fiber.memoizedProps || {};
      if (filter && filter.mode === "SCENES") {
        if (selectedIds instanceof Set) return { filter, selectedIds };
        if (listSelect) found = { selectedIds: listSelect.selectedIds };
      }
      if (fiber.sibling) todo.push(fiber.sibling);
      if (fiber.child) todo.push(fiber.child);
    }
    return found;
  }

  // Without that, Apollo's active queries. Of several (rows of the front page) only the one counts whose scenes are
  // those of the list on the screen.
  function sceneVariables() {
    const queries = api.utils.StashService.getClient().getObservableQueries("active").values();
    const scenes = Array.from(queries).filter((one) => one.queryName === "FindScenes");
    const links = Array.from(document.querySelectorAll(".item-list-container a[href*='/scenes/']"));
    const shown = new Set(links.map((link) => /\/scenes\/(\d+)/.exec(link.href)?.[1]));
    const isShown = (one) => {
      const found = one.getCurrentResult().data?.findScenes.scenes;
      return found?.length && found.every(({ id }) => shown.has(id));
    };
    const fitting = scenes.length > 1 ? scenes.filter(isShown) : scenes;
    return fitting.length === 1 ? fitting[0].variables : undefined;
  }

  function openForScenes() {
    const list = guarded("the selection", {}, sceneList);
    const variables = () => (list.filter ? variablesOf("scene", list.filter) : sceneVariables());
    open(contextOf("scene", guarded("the filter", undefined, variables), list.selectedIds));
  }

  // ---- Ways in: lists

  const WIDE = "d-none d-sm-inline-block";
  const entry = { text: WORDS.export, onClick: openForScenes };

  const ExportIcon = () => h(components.Icon, { icon: libraries.FontAwesomeSolid.faFileExport });

  function ExportButton() {
    const look = { variant: "secondary", className: `portability-export ${WIDE}`, title: WORDS.export };
    return h(libraries.Bootstrap.Button, { ...look, onClick: openForScenes }, h(ExportIcon));
  }

  // 0.30: an entry of the "…" menu, and a button left of it
  before("SceneListOperations", (props) => ({ ...props, operations: [...props.operations, entry] }));
  after("SceneListOperations", (result) => {
    const menuIn = ({ children }) => among(children, "menuPortalTarget");
    return replaced(result, (props) => menuIn(props) >= 0, (node) => {
      const children = [...node.props.children];
      children.splice(menuIn(node.props), 0, safe("the button", ExportButton));
      return clone(node, { children });
    });
  });

  // 0.31, NOT RUN, after its documented shape: what FilteredSceneList gives holds the toolbar. An operation with an
  // icon is a button, one without is an entry of the menu.
  after("FilteredSceneList", (tree) => {
    const isToolbar = ({ listSelect, operationComponent }) => listSelect && React.isValidElement(operationComponent);
    return replaced(tree, isToolbar, (toolbar) => {
      const own = toolbar.props.operationComponent;
      const button = { ...entry, icon: libraries.FontAwesomeSolid.faFileExport, className: WIDE };
      const operations = [...own.props.operations, entry, button];
      return clone(toolbar, { operationComponent: clone(own, { operations }) });
    });
  });

  // The other lists take more operations, and tell them all. `result` is the list's query.
  function operation(kind) {
    const onClick = async (result, filter, selectedIds) => {
      const variables = () => result?.variables || variablesOf(kind, filter);
      open(contextOf(kind, guarded("the filter", undefined, variables), selectedIds));
    };
    return { text: WORDS.export, onClick };
  }

  for (const name of ["Performer", "Studio", "Tag", "Gallery", "Image", "SceneMarker", "Group"]) {
    const ours = operation(name === "SceneMarker" ? "marker" : name.toLowerCase());
    const prop = name === "Group" ? "otherOperations" : "extraOperations";
    const extended = (props) => ({ ...props, [prop]: [...(props[prop] ?? []), ours] });
    before(`${name}List`, (props) => (props.selectedIds ? props : extended(props))); // 0.31 calls its inner part so
    before(`Filtered${name}List`, extended); // 0.31, NOT RUN
  }

  // ---- Ways in: the bar, Settings → Tools, the address

  // In the bar and in its menu; Stash shows the one that fits the width. eventKey folds the menu.
  function NavItem() {
    const { Nav, Button } = libraries.Bootstrap;
    const link = { as: libraries.ReactRouterDOM.NavLink, to: PATH, eventKey: PATH, title: WORDS.name };
    const look = { className: "minimal d-flex align-items-center h-100", tabIndex: -1 };
    return h(Nav.Link, { ...link, className: "nav-utility portability-nav" }, h(Button, look, h(ExportIcon)));
  }

  const joined = (...children) => ({ children: h(React.Fragment, null, ...children) });

  before("MainNavBar.UtilityItems", (props) => joined(safe("the item in the bar", NavItem), props.children));

  // There are two since 0.29: the first has ours.
  let taken = false;
  function ToolsEntry() {
    const [mine, setMine] = useState(false);
    useEffect(() => {
      if (taken) return undefined;
      taken = true;
      setMine(true);
      return () => void (taken = false);
    }, []);
    if (!mine) return null;
    const { Link } = libraries.ReactRouterDOM;
    const button = h(libraries.Bootstrap.Button, { tabIndex: -1 }, WORDS.name);
    return h(components.Setting, { heading: h(Link, { to: PATH }, button), subHeading: WORDS.tools });
  }

  before("SettingsToolsSection", (props) => joined(props.children, safe("the entry in Settings", ToolsEntry)));

  api.register.route(PATH, (props) => safe("the page", Page, props));
})();
