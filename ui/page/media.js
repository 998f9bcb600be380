// The choices of an export for a media server: which, where, paths, artwork, and what is done with files of others.

import { foreignWays, offered, TAGS_BELOW } from "./nfo.js";
import { Choice, Input, Radios, Section, Switch } from "./parts.js";
import { Rules } from "./rules.js";
import { h, React } from "./stash.js";
import { capital, T } from "./strings.js";

const FOREIGN = { keep: () => T.foreignKeep, merge: () => T.foreignMerge };
const more = (words) => words && h("span", { className: "portability-quiet" }, `– ${words}`);

/** Enter in a text does not start an export that writes beside the media. */
const noEnter = (event) => event.key === "Enter" && event.preventDefault();

function Where({ media, set }) {
  const options = [
    { value: "folder", text: T.whereFolder, more: more(T.whereFolderMore) },
    { value: "beside", text: T.whereBeside, more: more(T.whereBesideMore) },
  ];
  const value = media.beside ? "beside" : "folder";
  return h(
    React.Fragment,
    null,
    h(Radios, { label: T.whereLabel, value, options, onChange: (name) => set({ beside: name === "beside" }) }),
    !media.beside &&
      h(Input, {
        label: T.folderLabel,
        hint: T.folderHint,
        value: media.folder,
        spellCheck: false,
        onKeyDown: noEnter,
        onChange: (folder) => set({ folder }),
      }),
  );
}

function Foreign({ media, facts, set }) {
  const words = offered(facts).foreign;
  const options = foreignWays(facts).map((value) => ({
    value,
    text: FOREIGN[value]?.() ?? capital(value),
    more: more(words[value]),
  }));
  return h(Radios, { label: T.foreignLabel, value: media.foreign, options, onChange: (foreign) => set({ foreign }) });
}

function Genres({ media, set }) {
  const options = [
    { value: "all", text: T.genresAll },
    { value: "none", text: T.genresNone },
    { value: TAGS_BELOW, text: T.genresBelow },
  ];
  return h(
    React.Fragment,
    null,
    h(Choice, { label: T.genresLabel, value: media.genres, options, onChange: (genres) => set({ genres }) }),
    media.genres === TAGS_BELOW &&
      h(Input, {
        label: T.genreTag,
        value: media.genreTag,
        onKeyDown: noEnter,
        onChange: (genreTag) => set({ genreTag }),
      }),
  );
}

function More({ media, set }) {
  const flag = (name) => ({ checked: media[name], onChange: (on) => set({ [name]: on }) });
  return h(
    Section,
    { label: T.moreLabel },
    h(Genres, { media, set }),
    h(Switch, { label: T.movieNfo, hint: T.movieNfoHint, ...flag("movie") }),
    h(Switch, { label: T.removeDeleted, hint: T.removeDeletedHint, ...flag("remove") }),
  );
}

/** The form's part for media servers. */
export function Media({ state: { media }, facts, change }) {
  const { profiles, libraries } = offered(facts);
  const set = (part) => change((now) => ({ media: { ...now.media, ...part } }));
  const servers = Object.keys(profiles).map((value) => ({ value, text: profiles[value] }));
  const rules = { rules: media.rules, libraries, to: T.ruleTo, hint: T.rulesHint };
  return h(
    React.Fragment,
    null,
    h(Choice, { label: T.serverLabel, value: media.server, options: servers, onChange: (server) => set({ server }) }),
    h(Where, { media, set }),
    h(Rules, { ...rules, onChange: (changed) => set({ rules: changed }) }),
    h(Switch, {
      label: T.artwork,
      hint: T.artworkHint,
      className: "portability-beside mb-3",
      checked: media.artwork,
      onChange: (artwork) => set({ artwork }),
    }),
    h(Foreign, { media, facts, set }),
    h(More, { media, set }),
  );
}
