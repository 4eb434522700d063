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

/**
 * Names the tests of the contract that need memory that is shared.
 *
 * @param counts Why those do not run that count in it.
 * @param output Why those do not run whose output is in it.
 */
export function withoutSharedMemory(
  counts: string,
  output: string,
): Record<string, string> {
  return {
    "a task gets what stands in shared inputs when it starts": counts,
    "an output in shared memory is written by the workers": output,
    "a task that fails writes nothing to a shared output": output,
    "a task that is tried again writes its result to a shared output": output,
    "tasks of a lost worker are written to a shared output": output,
    "a task that was given up writes nothing to a shared output": output,
    "a call that was aborted writes nothing to the output of the next": output,
    "combine gets nothing but results, also after an abort": counts,
    "an abort leaves in a shared output the results that were there": output,
    "an output that workers cannot write is refused at the call": output,
    "weight: arrays in shared memory are read and written where they are":
      output,
    "more inputs than were known end a run whose shared output is full": output,
    "what init returned is disposed before its worker is ended": counts,
    "what init returned is disposed when its worker is replaced": counts,
    "context.signal aborts when the run is over": counts,
    "a signal that is read after the end of its run is aborted": counts,
    "what an attempt left behind takes no signal from the next": counts,
    "a synchronous loop sees the abort": counts,
    "a loop that a task left behind ends when its worker is at another call":
      counts,
    "an abort does not wait for a task that computes": counts,
    "tasks run at the same time": counts,
    "tasks behind a slow one go to a worker that idles": counts,
    "concurrency keeps tasks in flight inside each worker": counts,
    "stream keeps order, or not": counts,
    "timeout: tasks that wait for ever begin once, and are told": counts,
  };
}

/** What a page does not run that is not isolated. */
const SHARED = {
  ...withoutSharedMemory(NOTHING_SHARED, NO_OUTPUT),
  "a loop that a task left behind ends with its run, whatever comes next":
    NOTHING_SHARED,
  "inputs in shared memory are read where they are": NOTHING_SHARED,
  "a SharedArrayBuffer is shared": NOTHING_SHARED,
};

/**
 * The same of the contract in browsers: in all, in pages that are not isolated,
 * and in some; beside what stands in contract.ts.
 */
export const BROWSER_SKIPS: Record<string, Record<string, string>> = {
  web: {
    "combine that ends its worker ends the reduction": NO_EXIT,
    "a worker that ends while it sends a result is lost by that task": NO_EXIT,
  },
  "web plain": SHARED,
  "inline plain": SHARED,
  "web WebKit": { "any iterable is an input": NO_STREAMS },
  "inline WebKit": { "any iterable is an input": NO_STREAMS },
};
