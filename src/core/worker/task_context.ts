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
  /** Whether a message said that the run is over, or brought another one. */
  isLeft: boolean;
  /** What aborts the signals of tasks that are not settled, by their index. */
  readonly aborts: Map<number, AbortController>;
  /**
   * What abandons tasks that wait, by their serial number; undefined if the run
   * has no `timeout`, or one task at a time.
   */
  readonly waiting: Map<number, () => void> | undefined;
  /** The indices of tasks that were abandoned. */
  readonly abandoned: Set<number>;
}

/** Makes contexts. */
export interface Contexts {
  /** The number of the context whose task computes now; 0 if none does. */
  at: number;
  /** Notes whether the task of a context waits. */
  setWaiting(context: TaskContext, waits: boolean): void;
  /** The context of a task. */
  Context: new (
    index: number,
    attempt: number,
    around: Surroundings,
  ) => TaskContext;
  /**
   * Whether a function can see its context: false if its text shows that it
   * takes no second argument, in any way.
   */
  isSeenBy(fn: (...args: never[]) => unknown): boolean;
  /** The run is over: aborts the signals of all its tasks. */
  end(around: Surroundings): void;
  /** Aborts the signal of a task, by its index, that took longer than it may. */
  abandon(around: Surroundings, index: number): void;
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
  const WAITS = Symbol("waits");
  const NUMBER = Symbol("number");
  const TASK = Symbol("task"); // its index, whatever is done to that
  let made = 0;
  const over = () =>
    new DOMException("The run of this task is over", "AbortError");
  const late = () =>
    new DOMException('This task took longer than "timeout"', "TimeoutError");
  const why = (context: Context) => isLate(context) ? late() : over();

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
      this[TASK] = index;
      this[NUMBER] = contexts.at = ++made;
    }
    get aborted() {
      const { isLeft, board } = this[AROUND] as Surroundings;
      return isLeft || board.isOver() || isLate(this);
    }
    throwIfAborted() {
      // In a loop the signal may be behind: it aborts by a message.
      if (this.aborted) throw this.signal.reason ?? why(this);
    }
    // Made when it is first read: most tasks have no use for it.
    get signal() {
      let abort = this[ABORT] as AbortController | undefined;
      if (abort === undefined) {
        abort = this[ABORT] = new AbortController();
        if (this.aborted) abort.abort(why(this));
        else {
          const { aborts } = this[AROUND] as Surroundings;
          // Not of one that has settled: another attempt may be at it.
          const lasts = this[WAITS] || contexts.at === this[NUMBER];
          if (lasts) aborts.set(this[TASK] as number, abort);
        }
      }
      return abort.signal;
    }
  }

  function isLate({ [TASK]: index, [AROUND]: around }: Context): boolean {
    return (around as Surroundings).abandoned.has(index as number);
  }

  // No default, no rest and no pattern: one plain name, or none. No two runs of
  // spaces side by side: to share them out would take the square of their length.
  const ARROW = /^(?:async\b\s*)?(?:\(\s*(?:[\w$]+\s*)?\)|[\w$]+)\s*=>/;
  const FUNCTION =
    /^(?:async\s+)?function\b\s*(?:[\w$]+\s*)?\(\s*(?:[\w$]+\s*)?\)\s*\{/;
  // An arrow function has no arguments of its own. What is native, or bound,
  // does not show what it takes.
  const OTHER_WAYS = /\barguments\b|\beval\b|\\u|\[native code\]/;
  const { toString } = Function.prototype;

  const contexts: Contexts = {
    at: 0,
    Context: Context as unknown as Contexts["Context"],
    setWaiting(context, waits) {
      (context as unknown as Context)[WAITS] = waits;
    },
    isSeenBy(fn) {
      const text = toString.call(fn);
      return !ARROW.test(text) &&
        (!FUNCTION.test(text) || OTHER_WAYS.test(text));
    },
    end(around) {
      const { aborts } = around;
      around.isLeft = true;
      for (const abort of aborts.values()) abort.abort(over());
      aborts.clear();
    },
    abandon({ abandoned, aborts }, index) {
      abandoned.add(index);
      aborts.get(index)?.abort(late());
    },
  };
  return contexts;
}
