/**
 * The errors a caller may catch. One `catch (error)` with
 * `error instanceof TaskError` sees every failure that belongs to one input.
 *
 * @module
 */

/** What every error of one task carries. */
export interface TaskErrorOptions {
  /** Position of the input, from 0. */
  index: number;
  /** How many attempts there were, from 1, without those lost by another task. */
  attempts: number;
  /** What the task threw, or what is known of the end of its worker. */
  cause?: unknown;
}

/**
 * Says that one task failed, and which. `cause` is a copy of what the function
 * threw, with name, message, own properties, `cause` and the stack in the file of
 * the function. Its class is the nearest built-in one: `instanceof` of your own
 * class is false.
 *
 * @example Usage
 * ```ts
 * import { parallelMap, TaskError } from "@parallel/map";
 * import { assert, assertEquals } from "@std/assert";
 *
 * const check = (n: number) => {
 *   if (n === 3) throw new RangeError("three is too many");
 *   return n;
 * };
 * const error = await parallelMap(check, [1, 2, 3]).catch((error) => error);
 * assert(error instanceof TaskError);
 * assertEquals(error.index, 2);
 * assert(error.cause instanceof RangeError);
 * ```
 */
export class TaskError extends Error {
  /** The class as text, for logs. */
  override readonly name: string = "TaskError";
  /** Position of the input, from 0. */
  readonly index: number;
  /** How many attempts there were, from 1, without those lost by another task. */
  readonly attempts: number;

  /**
   * Makes the error of one task.
   *
   * @param message What happened, with the index.
   * @param options Which task, after how many attempts, and why.
   */
  constructor(message: string, options: TaskErrorOptions) {
    super(message, "cause" in options ? { cause: options.cause } : undefined);
    this.index = options.index;
    this.attempts = options.attempts;
  }
}

/**
 * Says that the worker ended under a task: it exited, closed itself, or an
 * error in a timer or a rejected promise ended it. `cause` is that error, where
 * there was one; `signal` is what ended a process, if a signal did.
 *
 * @example Usage
 * ```ts
 * import { parallelMap, WorkerLostError } from "@parallel/map";
 * import { assert, assertEquals } from "@std/assert";
 *
 * const stumble = (n: number) => n === 1 ? globalThis.process.exit(3) : n;
 * const error = await parallelMap(stumble, [0, 1, 2]).catch((error) => error);
 * assert(error instanceof WorkerLostError);
 * assertEquals(error.index, 1);
 * ```
 */
export class WorkerLostError extends TaskError {
  /** The class as text, for logs. */
  override readonly name: string = "WorkerLostError";
  /**
   * What ended its process, with `backend: "processes"`, such as `SIGSEGV` for
   * a crash, and `SIGKILL` when memory runs out.
   */
  readonly signal: string | undefined;

  /**
   * Makes the error of a task whose worker ended.
   *
   * @param message What happened, with the index.
   * @param options Which task, after how many attempts, and what is known.
   */
  constructor(
    message: string,
    options: TaskErrorOptions & { signal?: string },
  ) {
    super(message, options);
    this.signal = options.signal;
  }
}

/**
 * Says that a task ran longer than `timeout` and was stopped.
 *
 * @example Usage
 * ```ts
 * import { parallelMap, TaskTimeoutError } from "@parallel/map";
 * import { assert, assertEquals } from "@std/assert";
 *
 * const spin = (n: number) => {
 *   while (n === 1);
 *   return n;
 * };
 * const error = await parallelMap(spin, [0, 1], { timeout: 200 })
 *   .catch((error) => error);
 * assert(error instanceof TaskTimeoutError);
 * assertEquals([error.index, error.timeout], [1, 200]);
 * ```
 */
export class TaskTimeoutError extends TaskError {
  /** The class as text, for logs. */
  override readonly name: string = "TaskTimeoutError";
  /** The limit that was passed, in milliseconds. */
  readonly timeout: number;

  /**
   * Makes the error of a task that took too long.
   *
   * @param message What happened, with the index.
   * @param options Which task, after how many attempts, and the limit in ms.
   */
  constructor(
    message: string,
    options: TaskErrorOptions & { timeout: number },
  ) {
    super(message, options);
    this.timeout = options.timeout;
  }
}

/**
 * Says that no worker could start: the module is missing, has a syntax error,
 * throws while it loads or lacks the export, or `init` failed. `cause` is what
 * the worker met. It is a `TypeError`, because the arguments of the call name
 * something that cannot be run.
 *
 * @example Usage
 * ```ts
 * import { parallelMap, WorkerStartError } from "@parallel/map";
 * import { assert } from "@std/assert";
 *
 * const error = await parallelMap("work", [1], { module: "file:///no/such.ts" })
 *   .catch((error) => error);
 * assert(error instanceof WorkerStartError && error instanceof TypeError);
 * ```
 */
export class WorkerStartError extends TypeError {
  /** The class as text, for logs. */
  override readonly name: string = "WorkerStartError";
}
