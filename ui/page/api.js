// The plugin's operations and Stash's jobs. A failure is an Error with `code` and a message for people.

import { T } from "./strings.js";

const OPERATION = `mutation PortabilityOperation($plugin_id: ID!, $args: Map) {
  runPluginOperation(plugin_id: $plugin_id, args: $args)
}`;
const JOB = "query PortabilityJob($id: ID!) { findJob(input: {id: $id}) { status progress description } }";
const VERSION = "query PortabilityVersion { version { version } }";
const FILTERS = "query PortabilityFilters($mode: FilterMode!) { findSavedFilters(mode: $mode) { id name } }";

export const ABORTED = "Aborted";
export const GONE = "StashGone";
export const LIBRARIES = "LibrariesMissing";

/** An error with a code. */
export const problem = (code, message, more = {}) => Object.assign(new Error(message), { code, ...more });

const messages = (errors) => (errors ?? []).map((one) => one.message).join("; ");

/** What Apollo threw, as ours: no answer at all, or an answer that says no. */
export function translated(error) {
  if (error.code) return error;
  const { graphQLErrors, networkError: network, stack } = error;
  const said = messages(graphQLErrors) || messages(network?.result?.errors);
  if (said) return problem("PluginFailed", T.pluginFailed(said));
  if (network?.statusCode === 401) return problem("LoggedOut", T.loggedOut);
  if (network) return problem(GONE, T.stashGone, { details: String(network) });
  return problem("Bug", T.unexpected, { details: String(stack || error) });
}

/** `promise`, or an error with the code Aborted as soon as `signal` aborts: nobody waits for a late answer. */
function until(promise, signal) {
  if (!signal) return promise;
  return new Promise((resolve, reject) => {
    const stop = () => reject(problem(ABORTED, ""));
    if (signal.aborted) stop();
    signal.addEventListener("abort", stop, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener("abort", stop));
  });
}

/** What an operation answered, or its error. */
function checked(answer) {
  if (answer?.ok) return answer;
  const { code, message, exit_code } = answer?.error ?? {};
  if (!message) throw problem("PluginFailed", T.pluginFailed(T.noAnswer));
  throw problem(code ?? "PluginFailed", message, { exit_code });
}

/** Call `ask`, and say every failure in our words. */
async function told(ask, signal) {
  try {
    return await until(ask(), signal);
  } catch (error) {
    throw translated(error);
  }
}

/** The operations of the plugin. `client`, `gql` and `pluginId` are functions, because Stash gives them late. */
export function makeApi({ client, gql, pluginId }) {
  // The signal goes to fetch as well: Stash ends an operation nobody waits for.
  const how = (signal) => ({ fetchPolicy: "no-cache", context: { fetchOptions: { signal } } });

  async function operation(mode, args, signal) {
    const variables = { plugin_id: pluginId(), args: { ...args, mode } };
    const sent = () => client().mutate({ mutation: gql(OPERATION), variables, ...how(signal) });
    return checked((await told(sent, signal)).data?.runPluginOperation);
  }

  async function query(text, variables, signal) {
    return (await told(() => client().query({ query: gql(text), variables, ...how(signal) }), signal)).data;
  }

  return {
    status: (signal) => operation("status", {}, signal),
    fields: (signal) => operation("fields", {}, signal),
    count: (kind, scopes, narrow, signal) => operation("count", { kind, scopes, ...(narrow && { narrow }) }, signal),
    preview: (order, signal) => operation("preview", { order }, signal),
    start: (task, order = {}) => operation("start", { task, order }),
    run: async (run, signal) => (await operation("run", { run }, signal)).run,
    cancel: async (run) => (await operation("cancel", { run })).run,
    saveTemplate: (name, template) => operation("save_template", { name, template }),
    link: (what, signal) => operation("link", what, signal), // {run} or {archive}
    overview: (signal) => operation("overview", {}, signal),
    archives: (signal) => operation("archives", {}, signal),
    archive: (name, signal) => operation("archive", { name }, signal),
    plan: (run, wanted, signal) => operation("plan", { ...wanted, run }, signal),
    job: async (id, signal) => (await query(JOB, { id }, signal)).findJob,
    version: async (signal) => (await query(VERSION, {}, signal)).version?.version ?? "",
    savedFilters: async (mode, signal) => (await query(FILTERS, { mode }, signal)).findSavedFilters,
  };
}

const WAITING = ["queued", "running"];

/** Whether a run's report is the last word on it. */
export const isOver = (report) => Boolean(report) && !WAITING.includes(report.state);

/** One look at how far the run of {run, job} is: {job} while Stash has it in hand, else {report}. Stash gives the
 * numbers of jobs again after a restart; a job that is ours has the run's name in its description. */
export async function look(api, { run, job: id }, signal) {
  const job = id ? await api.job(id, signal) : null;
  const ours = job?.description?.includes(run);
  if (ours && ["READY", "RUNNING", "STOPPING"].includes(job.status)) return { job };
  const report = await api.run(run, signal);
  // Whoever followed it by its name only learns its job's number now.
  return !id && !isOver(report) && report.job ? look(api, report, signal) : { report };
}
