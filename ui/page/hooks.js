// Asking and waiting, as React hooks.

import { ABORTED, isOver, look, makeApi, problem, translated } from "./api.js";
import { client, gql, pluginId, React } from "./stash.js";
import { T } from "./strings.js";

const { useEffect, useRef, useState } = React;

export const api = makeApi({ client, gql, pluginId });

const POLL_MS = 2000;
/** Reports of a run that is said to go on, of which Stash knows no job: then something is wrong. */
const MOST_LOST = 5;

let ids = 0;
/** An id for an element, the same as long as its component is there. */
export const useId = () => useState(() => `portability-${(ids += 1)}`)[0];

const quiet = (error) => error.code === ABORTED;

/** A ref for an element that takes the focus when it appears and nothing else has it: what had it has gone. With a
 * `selector`, what is found by it in the element takes it. */
export function useFocus(selector) {
  const place = useRef(null);
  useEffect(() => {
    const { activeElement } = document;
    if (activeElement !== document.body && !activeElement?.matches(".modal, .portability-focus")) return;
    (selector ? place.current?.querySelector(selector) : place.current)?.focus();
  }, []);
  return place;
}

/** The answer to `ask(signal)`, asked `delay` ms after `key` last changed; null as key: not asked. What is asked anew
 * is aborted, and a late answer is not heard. Gives {answer, problem, loading, again}; the last answer stays until the
 * next is there. */
export function useAnswer(ask, key, delay = 0) {
  const [state, setState] = useState({ answer: null, problem: null, loading: key !== null });
  const [turn, setTurn] = useState(0);
  useEffect(() => {
    if (key === null) return setState({ answer: null, problem: null, loading: false });
    const stopper = new AbortController();
    const settle = (next) => stopper.signal.aborted || setState(next);
    const failed = (error) => quiet(error) || settle({ answer: null, problem: translated(error), loading: false });
    setState((now) => ({ ...now, loading: true }));
    const begin = () => ask(stopper.signal).then((answer) => settle({ answer, problem: null, loading: false }), failed);
    const timer = setTimeout(begin, turn ? 0 : delay);
    return () => (clearTimeout(timer), stopper.abort());
  }, [key, turn]);
  return { ...state, again: () => setTurn(turn + 1) };
}

/** Do `act(signal)` now and again and again, `POLL_MS` after it ended, while `active`; not while nobody looks. */
function usePolling(act, active) {
  const newest = useRef(act);
  newest.current = act;
  useEffect(() => {
    if (!active) return undefined;
    const stopper = new AbortController();
    let timer = 0;
    const beat = async () => {
      if (!document.hidden) await newest.current(stopper.signal);
      if (!stopper.signal.aborted) timer = setTimeout(beat, POLL_MS);
    };
    beat();
    return () => (clearTimeout(timer), stopper.abort());
  }, [active]);
}

/** Follow a run: {run, job}, or null. Gives {job, report, problem}: job as long as Stash has it in hand, report once
 * that is over. While Stash does not answer, problem tells, and it goes on asking. */
export function useRun(followed) {
  const [state, setState] = useState({});
  const lost = useRef(0);
  const key = followed?.run ?? null;
  useEffect(() => {
    lost.current = 0;
    setState({});
  }, [key]);

  async function act(signal) {
    try {
      const seen = await look(api, followed, signal);
      lost.current = seen.job || isOver(seen.report) ? 0 : lost.current + 1;
      const gone = lost.current >= MOST_LOST;
      if (!signal.aborted)
        setState(gone ? { report: { ...seen.report, state: "failed", error: problem("Lost", T.lost) } } : seen);
    } catch (error) {
      if (!signal.aborted && !quiet(error)) setState((now) => ({ ...now, problem: error }));
    }
  }

  usePolling(act, key !== null && !isOver(state.report));
  return { ...state, settle: (report) => setState({ report }) };
}

/** A function for a click that asks something: {act, busy, problem}. One at a time. */
export function useAct(ask) {
  const [state, setState] = useState({ busy: false, problem: null });
  const here = useRef(true);
  useEffect(() => () => void (here.current = false), []);
  async function act(...args) {
    if (state.busy) return undefined;
    setState({ busy: true, problem: null });
    try {
      const answer = await ask(...args);
      if (here.current) setState({ busy: false, problem: null });
      return answer;
    } catch (error) {
      if (here.current) setState({ busy: false, problem: translated(error) });
      return undefined;
    }
  }
  return { act, ...state };
}
