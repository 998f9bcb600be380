// Every text of the dialog and the page: one table, of which words.js, backupwords.js and numbers.js are parts. Plain
// English, Stash's words.

import { BACKUP_WORDS } from "./backupwords.js";
import { counted, number, plain, size } from "./numbers.js";
import { WORDS } from "./words.js";

export { age, capital, clock, moment, number, plain, size, utc } from "./numbers.js";

/** Names that the backend's do not give as people say them. */
const NAMES = { config: ["part of the configuration", "parts of the configuration"] };

/** 12 scenes: `kind` has `name` and `plural` as the backend gives them. */
export const records = (value, kind) => counted(value, ...(NAMES[kind.name] ?? [plain(kind.name), plain(kind.plural)]));

/** More than these many kinds are told as one sum. */
const MOST_KINDS = 3;

/** How many of what, short: `told` are [kind, count]. */
export function amount(told) {
  if (!told.length) return T.noRecords;
  if (told.length <= MOST_KINDS) return told.map(([kind, count]) => records(count, kind)).join(", ");
  return T.ofKinds(
    told.reduce((sum, [, count]) => sum + count, 0),
    told.length,
  );
}

/** Seconds as people say them. */
export function duration(seconds) {
  if (seconds < 1.5) return T.aSecond;
  const [unit, value] = seconds < 90 ? ["second", seconds] : ["minute", seconds / 60];
  return new Intl.NumberFormat(undefined, { style: "unit", unit, unitDisplay: "long" }).format(Math.round(value));
}

/** How many files became what, in the order people care for: `files` are {written: 3, "kept versions": 1, …}. */
export function tallies(files) {
  const known = Object.keys(T.files);
  const names = [...known, ...Object.keys(files).filter((name) => !known.includes(name))];
  const always = ["written", "unchanged"];
  const told = names.filter((name) => files[name] > 0 || (always.includes(name) && Object.keys(files).length));
  return told.map((name) => [files[name] ?? 0, T.files[name] ?? plain(name)]);
}

export const T = Object.freeze({
  ...WORDS,
  ...BACKUP_WORDS,

  // The page and the dialog
  title: "Portability",
  exportTab: "Export",
  runsTab: "Runs",
  exportTitle: "Export",
  exportOf: (plural) => `Export ${plural}`,
  close: "Close",
  about: (version, python) => `Stash Portability ${version}, Python ${python}`,
  dataFolder: (path) => `Data folder on the server: ${path}`,
  loading: "Asking Stash Portability…",
  aSecond: "a second",

  // Which records
  kindLabel: "What",
  everything: "Everything in the library",
  scopeLabel: "Which of them",
  scopeSelected: "Selected",
  scopeFilter: "What the list shows now",
  scopeFilterQuery: (query) => `What the list shows now, with the search “${query}”`,
  scopeSaved: "A saved filter",
  scopeAll: (plural) => `All ${plural}`,
  counting: "counting…",
  notCounted: "could not be counted",
  savedLabel: "Saved filter",
  savedNone: "Choose one…",
  savedFirst: "Choose a saved filter.",
  savedEmpty: (plural) =>
    `There is no saved filter for ${plural} yet. Save one in their list, then it is offered here.`,

  // Our own filters
  narrowLabel: "Only some of these",
  narrowOn: (count) => counted(count, "filter is on", "filters are on"),
  narrowTags: "Tags",
  narrowPerformers: "Performers",
  narrowStudios: "Studios",
  with: (what) => `${what}: with`,
  without: (what) => `${what}: without`,
  anyOf: "any of them is enough",
  allOf: "all of them have to be there",
  subTags: "with sub-tags",
  subStudios: "with sub-studios",
  howMany: (what) => `${what}: how many of them`,
  datePattern: "2020, 2020-05 or 2020-05-31",
  dateUnfinished: "Write dates as 2020, 2020-05 or 2020-05-31.",
  ratingWrong: "Write ratings as whole numbers from 0 to 100.",
  dateFrom: "Date from",
  dateTo: "Date to",
  ratingFrom: "Rating from (0 to 100)",
  ratingTo: "Rating to (0 to 100)",
  clearNarrow: "Clear these filters",

  // How it is written
  formLabel: "Format",
  formCsv: "Spreadsheet (CSV)",
  formTsv: "Spreadsheet with tabs (TSV)",
  formLines: "JSON Lines (JSONL)",
  formByProfile: "As the profile says",
  profileLabel: "Profile",
  profileNone: "None: choose the fields here",
  profilePrivacy: "The privacy level chosen here holds, whatever the profile says.",
  privacyLabel: "Privacy",
  leftOut: (plural) => `Left out of ${plural}: `,
  leftOutWhole: "Not exported at this level: ",
  nothingLeftOut: "Nothing of these is left out.",
  leftOutAll: "At this level nothing of these is exported. Choose another level.",
  moreKinds: "What is left out, kind by kind",
  fieldsLabel: "Fields",
  fieldsAll: "all",
  fieldsSome: (on, of) => `${number(on)} of ${number(of)}`,
  fieldsNone: "Choose at least one field.",
  fieldsByPrivacy: "left out by privacy",
  fieldsByImages: "needs “Images too”",
  idNote: "the record’s number in Stash; at the stricter privacy levels another one",
  fieldsCheckAll: "Check all",
  fieldsClosure: "What the checked kinds refer to may come along too: see “What comes along” below.",
  moreLabel: "More choices",
  closureLabel: "What comes along",
  imagesLabel: "Images too",
  imagesHint: "Covers and pictures of performers, studios, tags and groups, in a zip.",
  bomLabel: "Mark the file as Unicode",
  bomHint: "Excel needs this to show accents; LibreOffice does not mind.",
  safeLabel: "Keep formulas from running",
  safeHint: "Puts an apostrophe before texts that begin like a formula, which a spreadsheet would run.",

  // The preview
  previewLabel: "Preview",
  previewFirst: (count) => (count > 1 ? `The first ${number(count)} records, as they will look` : "As it will look"),
  previewLoading: "Making the preview…",
  previewEmpty: "There is nothing to show.",
  previewFailed: "This cannot be exported like that:",
  previewWrong: "The preview tells what is wrong.",
  guess: (bytes, seconds) => `about ${size(bytes)}, about ${duration(seconds)}`,
  guessMore: (first) => `${first} and more`,
  nothing: (plural) => `No ${plural} to export here. Choose others above.`,

  // Starting, going on, over
  export: "Export",
  starting: "Starting…",
  others: (title) => `Begun before: ${title}`,
  inQueue: "Waiting in Stash’s queue: another task goes first.",
  exporting: "Exporting…",
  installing: "Installing the libraries…",
  backingUp: "Writing the backup, and reading it back…",
  stopping: "Stopping…",
  finishing: "Asking what became of it…",
  staysOn: "You can leave this page: it goes on, and is found again here and in Stash’s list of tasks.",
  cancel: "Cancel",
  cancelled: "Cancelled. Nothing was left under the final name.",
  another: "Set up another export",
  doneTitle: "The export is ready.",
  doneRemarks: "The export is ready, with remarks.",
  download: "Download",
  downloadFile: (name, bytes) => `Download ${name} (${size(bytes)})`,
  linkUntil: (time) => `The link works until ${time}.`,
  linkOver: "The link has run out.",
  newLink: "Get a new link",
  linking: "Making a link…",
  onServer: "On the server: ",
  exportAgain: "Export again",
  runAgain: "Run again",
  remarks: (count) => counted(count, "remark", "remarks"),
  skipped: (count) => `${counted(count, "record", "records")} left out`,
  noRecords: "no records",
  ofKinds: (count, kinds) => `${counted(count, "record", "records")} of ${number(kinds)} kinds`,
  tookTime: (seconds) => `in ${duration(seconds)}`,
  failedTitle: "The export failed:",
  stoppedTitle: "The export was broken off.",
  setupStopped: "The installation was broken off, because Stash was stopped or restarted. Try again.",
  setupCancelled: "The installation was cancelled.",
  lost: "Stash does not know this task any more, and it left no report. Run it again.",

  // Setting up
  setupTitle: "Python libraries are needed first",
  setupWords:
    "Stash Portability needs Python libraries that are not there yet. They are installed into its data folder, pinned" +
    " and checked; nothing else on the server is changed. This needs the internet once, and takes about a minute.",
  setupMissing: (names) => `Missing are those for: ${names}.`,
  setupButton: "Set up dependencies",
  setupBack: "Back to the export",
  setupFailed: "The libraries could not be installed:",
  setupOffline: "If the server has no internet, see “When something goes wrong” in the plugin’s README.",

  // Runs
  runsEmpty: "Nothing was done yet. The tabs Export and Backups begin something.",
  runsReload: "Look again",
  runExport: "Export",
  runSetup: "Set up dependencies",
  runBackup: "Back up now",
  stateQueued: "waiting",
  stateRunning: "going on",
  stateFinished: "done",
  stateRemarks: "done, with remarks",
  stateFailed: "failed",
  stateStopped: "broken off",
  stateCancelled: "cancelled",

  // What can go wrong
  pluginFailed: (reason) =>
    `Stash could not run the plugin: ${reason}. Check Settings → System → Python executable path, then Settings →` +
    " Logs.",
  noAnswer: "it gave no answer",
  stashGone: "Stash does not answer. Check that it is running, then try again.",
  goneWaiting: "Stash does not answer at the moment; asking again every few seconds.",
  loggedOut: "Stash asks for a login. Reload this page.",
  unexpected: "Something unexpected happened. Try again; if it stays, please report it with the details.",
  broke: "Stash Portability stopped here because of an error. The rest of Stash is not affected.",
  tryAgain: "Try again",
  copy: "Copy details",
  copied: "Copied.",
  copyByHand: "Press Ctrl+C (⌘C) to copy the marked text.",
  details: "Details",
});
