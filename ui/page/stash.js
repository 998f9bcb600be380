// What Stash's page gives us, and where we are. The only module that touches window.PluginApi.

const plugin = globalThis.PluginApi;

export const React = plugin.React;
export const h = React.createElement;

const place = { id: "stash-portability", base: "/" };

/** Keep the plugin's id and the page's base address, and put the stylesheet in, once. */
export function settle(id, base) {
  place.id = id;
  place.base = base;
  const href = new URL("portability.css", import.meta.url).href;
  if (document.querySelector(`link[href="${href}"]`)) return;
  document.head.append(Object.assign(document.createElement("link"), { rel: "stylesheet", href }));
}

export const pluginId = () => place.id;
export const client = () => plugin.utils.StashService.getClient();
export const gql = (text) => plugin.libraries.Apollo.gql(text);

/** The address of what the operation `link` answered. */
export const downloadAddress = (path) => `${place.base}plugin/${encodeURIComponent(place.id)}/assets/${path}`;

/** react-bootstrap's components, and Stash's own: looked up when drawn, because they come as Stash's chunks load. */
export const bootstrap = () => plugin.libraries.Bootstrap;
export const component = (name) => plugin.components[name];

/** Have these of Stash's lazy components loaded; tells whether they are still on their way. */
export const useLoading = (names) =>
  plugin.hooks.useLoadComponents(names.map((name) => plugin.loadableComponents[name]).filter(Boolean));

/** A function that shows a message for a moment, in Stash's own way. */
export function useToast() {
  const { toast } = plugin.hooks.useToast();
  return (content) => toast({ content, variant: "danger", delay: 8000, priority: 100 });
}

/** The tab that the address names, and a function that has it name another: so a reload, or Back, comes to it again. */
export function useTab() {
  const { useHistory, useLocation } = plugin.libraries.ReactRouterDOM;
  const { search, pathname } = useLocation();
  const history = useHistory();
  return [new URLSearchParams(search).get("tab"), (tab) => history.replace(`${pathname}?tab=${tab}`)];
}

/** Have the browser save a text as a file. */
export function saveFile(name, text) {
  const href = URL.createObjectURL(new Blob([text], { type: "application/json" }));
  const link = Object.assign(document.createElement("a"), { href, download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(href), 60_000);
}
