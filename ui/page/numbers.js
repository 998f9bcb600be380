// How numbers, sizes, times and names are written: as the browser's language has them. Pure, and without texts of ours.

const rules = new Intl.PluralRules("en");
const SIZES = ["byte", "kilobyte", "megabyte", "gigabyte", "terabyte"];

export const number = (value) => new Intl.NumberFormat().format(value);
export const counted = (value, one, other) => `${number(value)} ${rules.select(value) === "one" ? one : other}`;

/** A name of the backend as words: saved_filter → saved filter. */
export const plain = (name) => name.replaceAll("_", " ");

/** With a capital letter at its beginning. */
export const capital = (text) => text.slice(0, 1).toUpperCase() + text.slice(1);

/** Bytes in the unit people read, in steps of 1000: 1.5 MB. */
export function size(bytes) {
  const step = Math.min(SIZES.length - 1, bytes < 1000 ? 0 : Math.floor(Math.log10(bytes) / 3));
  const look = { style: "unit", unit: SIZES[step], maximumFractionDigits: step ? 1 : 0 };
  return new Intl.NumberFormat(undefined, { ...look, unitDisplay: step ? "short" : "long" }).format(
    bytes / 1000 ** step,
  );
}

/** A UTC time as local day and time. */
export const moment = (iso) =>
  new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" }).format(new Date(iso));

const AGES = [
  ["minute", 60],
  ["hour", 3600],
  ["day", 86_400],
  ["month", 30 * 86_400],
  ["year", 365 * 86_400],
];

/** How long ago a UTC time was, in its largest whole unit: 3 days ago. */
export function age(iso, now = Date.now()) {
  const seconds = Math.max(0, (now - Date.parse(iso)) / 1000);
  const [unit, length] = AGES.findLast(([, least]) => seconds >= least) ?? ["minute", 60];
  return new Intl.RelativeTimeFormat(undefined, { numeric: "auto" }).format(-Math.floor(seconds / length), unit);
}

/** A UTC time as such, for those who ask: 2026-05-01 20:00:00 UTC. */
export const utc = (iso) => iso.replace("T", " ").replace("Z", " UTC");

/** A UTC time as the local time of day. */
export const clock = (iso) => new Intl.DateTimeFormat(undefined, { timeStyle: "short" }).format(new Date(iso));
