/**
 * What this library finds on the globals inside a worker.
 *
 * @module
 */

/** What the library finds on `globalThis` when it runs inside a worker. */
export interface WorkerFlag {
  /** How many threads its calls should start by default. */
  cores: number | undefined;
  /** How many workers lie one within another, with this one. */
  depth: number;
  /** Tells why a call must not start workers now, if it must not. */
  forbids(): "loads" | "lies deep" | undefined;
  /** Tells the worker that it was called all the same. */
  misuse(error: unknown): void;
  /**
   * Lets a listener belong to the task that runs now, if one does. Bun 1.4.5
   * forgets whose the listeners of workers and ports are ("a task may map
   * whenever it is called back" in tests/start_test.ts fails without this).
   */
  keep<A extends unknown[]>(
    listener: (...args: A) => void,
  ): (...args: A) => void;
}

/**
 * Finds out whether this is a worker of this library.
 *
 * @returns Its flag; undefined in a thread of any other kind.
 */
export function workerFlag(): WorkerFlag | undefined {
  const key = Symbol.for("@parallel/map worker");
  return (globalThis as unknown as Record<symbol, WorkerFlag>)[key];
}
