/** Tests that a runtime does not run, with the reason; see also contract.ts. */
export const SKIPS: Record<string, Record<string, string>> = {
  node: {
    "functions typed into the REPL run in workers":
      "its REPL knows no types, and from a pipe it does not wait for an await",
    "pmap says why a module does not load":
      "Node.js 24 does not tell in which file a syntax error of JavaScript is",
  },
};

const NO_EXIT = "a worker in a browser cannot end in the middle of a function";
const NOTHING_SHARED = "it counts in memory that is shared";
const NO_STREAMS = "a ReadableStream of WebKit cannot be iterated";
const NO_OUTPUT = "such an output is refused: tests/browsers/smoke.ts";

/** What needs memory that is shared, or at least a SharedArrayBuffer. */
const SHARED = {
  "inputs in shared memory are read where they are": NOTHING_SHARED,
  "a task gets what stands in shared inputs when it starts": NOTHING_SHARED,
  "an output in shared memory is written by the workers": NO_OUTPUT,
  "a task that fails writes nothing to a shared output": NO_OUTPUT,
  "a task that is tried again writes its result to a shared output": NO_OUTPUT,
  "tasks of a lost worker are written to a shared output": NO_OUTPUT,
  "an abort leaves in a shared output the results that were there": NO_OUTPUT,
  "an output that workers cannot write is refused at the call": NO_OUTPUT,
  "weight: arrays in shared memory are read and written where they are":
    NO_OUTPUT,
  "more inputs than were known end a run whose shared output is full":
    NO_OUTPUT,
  "what init returned is disposed before its worker is ended": NOTHING_SHARED,
  "what init returned is disposed when its worker is replaced": NOTHING_SHARED,
  "context.signal aborts when the run is over": NOTHING_SHARED,
  "a signal that is read after the end of its run is aborted": NOTHING_SHARED,
  "a synchronous loop sees the abort": NOTHING_SHARED,
  "an abort does not wait for a task that computes": NOTHING_SHARED,
  "tasks run at the same time": NOTHING_SHARED,
  "tasks behind a slow one go to a worker that idles": NOTHING_SHARED,
  "concurrency keeps tasks in flight inside each worker": NOTHING_SHARED,
  "stream keeps order, or not": NOTHING_SHARED,
  "a SharedArrayBuffer is shared": NOTHING_SHARED,
};

/**
 * The same of the contract in browsers: in all, in pages that are not isolated,
 * and in some; beside what stands in contract.ts.
 */
export const BROWSER_SKIPS: Record<string, Record<string, string>> = {
  web: {
    "combine that ends its worker ends the reduction": NO_EXIT,
  },
  "web plain": SHARED,
  "inline plain": SHARED,
  "web WebKit": { "any iterable is an input": NO_STREAMS },
  "inline WebKit": { "any iterable is an input": NO_STREAMS },
};
