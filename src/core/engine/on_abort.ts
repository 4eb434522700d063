/**
 * Hears when a signal aborts: by one listener a signal, however many runs have
 * it, as runtimes search the list of listeners to remove one.
 *
 * @module
 */

interface Heard {
  listeners: Set<() => void>;
  tell(): void;
}

const heard = new WeakMap<AbortSignal, Heard>();

/**
 * Calls back once, when a signal aborts.
 *
 * @param signal The signal, not aborted yet.
 * @param listener What to call.
 * @returns Stops listening.
 */
export function onAbort(signal: AbortSignal, listener: () => void): () => void {
  let known = heard.get(signal);
  if (known === undefined) {
    const listeners = new Set<() => void>();
    const tell = () => {
      for (const listener of [...listeners]) listener();
    };
    known = { listeners, tell };
    heard.set(signal, known);
    signal.addEventListener("abort", tell, { once: true });
  }
  const { listeners, tell } = known;
  listeners.add(listener);
  return () => {
    listeners.delete(listener);
    if (listeners.size > 0 || heard.get(signal)?.tell !== tell) return;
    heard.delete(signal);
    signal.removeEventListener("abort", tell);
  };
}
