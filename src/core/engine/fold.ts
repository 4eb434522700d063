/**
 * Where the outcomes of a reduction go: one value, to which what the workers
 * folded is folded, in the order of the inputs.
 *
 * @module
 */

import type { TaskError } from "../api/errors.ts";
import { Reorder } from "./order.ts";
import { Collection } from "./sink.ts";

/** How to fold. */
export interface FoldSetup {
  combine(one: unknown, other: unknown): unknown;
  /** Where the fold begins, if not with the first result. */
  initial: { value: unknown } | undefined;
  /** Makes the error for what `combine` threw on the first so many results. */
  error(thrown: unknown, tasks: number): TaskError;
}

/** One result, folded of all. */
export class FoldSink extends Collection<unknown> {
  readonly #setup: FoldSetup;
  readonly #order = new Reorder<{ length: number; value: unknown }>();
  #total: { value: unknown } | undefined;
  #tasks = 0;

  constructor(setup: FoldSetup) {
    super();
    this.#setup = setup;
    this.#total = setup.initial;
  }

  put(
    first: number,
    values: ArrayLike<unknown>,
    { length }: ArrayLike<unknown>,
  ): void {
    this.#order.add(first, { length, value: values[0] });
    let next;
    while ((next = this.#order.next()) !== undefined) {
      this.#tasks += next.length;
      this.#total = { value: this.#fold(next.value) };
    }
  }

  #fold(value: unknown): unknown {
    if (this.#total === undefined) return value;
    try {
      const total = this.#setup.combine(this.#total.value, value);
      const { then } = (total ?? {}) as { then?: unknown };
      if (typeof then !== "function") return total;
      Promise.resolve(total).catch(() => {}); // it may reject: nobody awaits it
      throw new TypeError("a promise, which combine must not return");
    } catch (error) {
      throw this.#setup.error(error, this.#tasks);
    }
  }

  results(): unknown {
    if (this.#total !== undefined) return this.#total.value;
    throw new TypeError(
      'Cannot reduce as there must be an input, or "initial": received no inputs',
    );
  }
}
