// What ui/main.js loads when somebody goes in.

import { settle } from "./stash.js";

export { ExportDialog } from "./export.js";
export { PortabilityPage } from "./panels.js";

/** Called once, before anything is drawn: the plugin's id, and the page's base address. */
export const start = (pluginId, base) => settle(pluginId, base);
