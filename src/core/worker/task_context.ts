/**
 * What a task is told beside its value: the worker's end of `TaskContext`.
 *
 * @module
 */

import type { TaskContext } from "../api/options.ts";
import type { Board } from "../wire/board.ts";

/** What all tasks of one run in one worker have in common. */
export interface Surroundings {
  readonly worker: number;
  readonly state: unknown;
  readonly data: unknown;
  readonly board: Board;
  /** What aborts the signals of the tasks that are not settled. */
  readonly aborts: Set<AbortController>;
}

/** Makes contexts. */
export interface Contexts {
  /** Makes the context of a task. */
  open(index: number, attempt: number, around: Surroundings): TaskContext;
  /** Its task is settled: its signal aborts no more. */
  close(context: TaskContext): void;
  /** The run of these tasks is over: aborts their signals. */
  abort(around: Surroundings): void;
}

/**
 * Makes what makes contexts. Self-contained: workers get this function by its
 * source.
 *
 * @returns What makes them.
 */
export function createContexts(): Contexts {
  const AROUND = Symbol("around");
  const ABORT = Symbol("abort");
  const over = () =>
    new DOMException("The run of this task is over", "AbortError");

  // Without fields, private or not: for an older target, bundlers turn them to
  // calls of functions that they put beside this one, and that are not sent
  // (tests/bundle_test.ts).
  class Context {
    [property: string | symbol]: unknown;
    constructor(index: number, attempt: number, around: Surroundings) {
      this.index = index;
      this.attempt = attempt;
      this.worker = around.worker;
      this.state = around.state;
      this.data = around.data;
      this[AROUND] = around;
    }
    get aborted() {
      return (this[AROUND] as Surroundings).board.isOver();
    }
    throwIfAborted() {
      if (this.aborted) throw over();
    }
    // Made when it is first read: most tasks have no use for it.
    get signal() {
      let abort = this[ABORT] as AbortController | undefined;
      if (abort === undefined) {
        abort = new AbortController();
        this[ABORT] = abort;
        if (this.aborted) abort.abort(over());
        else (this[AROUND] as Surroundings).aborts.add(abort);
      }
      return abort.signal;
    }
  }

  return {
    open: (index, attempt, around) =>
      new Context(index, attempt, around) as unknown as TaskContext,
    close(context) {
      const { [ABORT]: abort, [AROUND]: around } =
        context as unknown as Context;
      if (abort === undefined) return;
      (around as Surroundings).aborts.delete(abort as AbortController);
    },
    abort({ aborts }) {
      for (const abort of aborts) abort.abort(over());
      aborts.clear();
    },
  };
}
