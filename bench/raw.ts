/**
 * The floor: bare workers as one would write them by hand for one job. Inputs
 * are split beforehand, one message goes each way.
 *
 * @module
 */

import { RUNTIME } from "./processes.ts";
import { type Bare, startThread } from "./thread.ts";

/**
 * The program of a bare worker: gets a function that is not async, then lists
 * of values. Its list of results grows: Deno 2.9.5 clones one that was made
 * with its length up to 3 times slower.
 */
const PROGRAM = `
let fn;
onmessage = ({ data: { source, values, typed, from, output, first } }) => {
  if (source !== undefined) fn = (0, eval)("(" + source + ")");
  if (from !== undefined) {
    for (let i = 0; i < from.length; i++) output[i] = fn(from[i]);
    return postMessage(undefined);
  }
  if (typed !== undefined) {
    const results = new Float64Array(typed.length);
    for (let i = 0; i < typed.length; i++) results[i] = fn(typed[i]);
    return postMessage(results, [results.buffer]);
  }
  if (values === undefined) return postMessage(undefined);
  const results = [];
  for (let i = 0; i < values.length; i++) results.push(fn(values[i]));
  postMessage(first === undefined ? results : { first, results });
};
`;

let url: string | undefined;

/** Bare workers that know one function. */
export class RawWorkers implements Disposable {
  readonly #workers: Bare[] = [];

  private constructor() {}

  /**
   * Starts workers, and waits until they have the function.
   *
   * @param fn The function, self-contained.
   * @param count How many.
   * @returns The workers.
   */
  static async start(
    // deno-lint-ignore ban-types -- any function will do
    fn: Function,
    count: number,
  ): Promise<RawWorkers> {
    const raw = new RawWorkers();
    const told = Array.from({ length: count }, () => {
      const worker = startWorker();
      raw.#workers.push(worker);
      const answer = answerOf(worker);
      worker.postMessage({ source: String(fn) });
      return answer;
    });
    await Promise.all(told);
    return raw;
  }

  /**
   * Maps lists, one a worker, in one message each way.
   *
   * @param parts One list of values for each worker.
   * @param buffers What to move to each worker.
   * @returns All results, in the order of the parts.
   */
  async map<R>(
    parts: readonly (readonly unknown[])[],
    buffers: readonly Transferable[][] = [],
  ): Promise<R[]> {
    const answers = parts.map((values, i) => {
      const answer = answerOf(this.#workers[i]);
      this.#workers[i].postMessage({ values }, buffers[i] ?? []);
      return answer as Promise<R[]>;
    });
    return joinLists(await Promise.all(answers));
  }

  /**
   * Maps a list in messages of some values each, two of them in flight in each
   * worker: what somebody writes who has seen that one large message is slow.
   *
   * @param inputs The values.
   * @param size How many are in one message.
   * @returns All results, in their order.
   */
  mapBatched<R>(inputs: readonly unknown[], size: number): Promise<R[]> {
    const all: R[] = new Array(inputs.length);
    let next = 0;
    let left = inputs.length;
    const feed = (worker: Bare) => {
      if (next >= inputs.length) return;
      const values = inputs.slice(next, next + size);
      worker.postMessage({ values, first: next });
      next += size;
    };
    return new Promise((resolve, reject) => {
      for (const worker of this.#workers) {
        worker.onerror = (event) => reject(event.error ?? event.message);
        worker.onmessage = ({ data: { first, results } }) => {
          feed(worker);
          for (let i = 0; i < results.length; i++) all[first + i] = results[i];
          left -= results.length;
          if (left === 0) resolve(all);
        };
        feed(worker);
        feed(worker);
      }
    });
  }

  /** Maps typed arrays, moved both ways, into one. */
  async mapTyped(parts: readonly Float64Array[]): Promise<Float64Array> {
    const answers = parts.map((typed, i) => {
      const answer = answerOf(this.#workers[i]);
      this.#workers[i].postMessage({ typed }, [typed.buffer as ArrayBuffer]);
      return answer as Promise<Float64Array>;
    });
    const lists = await Promise.all(answers);
    const all = new Float64Array(lists.reduce((sum, l) => sum + l.length, 0));
    let at = 0;
    for (const list of lists) {
      all.set(list, at);
      at += list.length;
    }
    return all;
  }

  /** Maps a typed array in shared memory into another one. */
  async mapShared(
    all: Float64Array<SharedArrayBuffer>,
    output: Float64Array<SharedArrayBuffer>,
  ): Promise<Float64Array> {
    const { length } = this.#workers;
    const at = (i: number) => Math.round(i * all.length / length);
    await Promise.all(this.#workers.map((worker, i) => {
      const answer = answerOf(worker);
      const cut = (array: Float64Array) => array.subarray(at(i), at(i + 1));
      worker.postMessage({ from: cut(all), output: cut(output) });
      return answer;
    }));
    return output;
  }

  /** Ends the workers. */
  [Symbol.dispose](): void {
    for (const worker of this.#workers) worker.terminate();
  }
}

/**
 * Starts bare workers, maps and ends them: what a cold call has to do.
 *
 * @param fn The function, self-contained.
 * @param parts One list of values for each worker.
 * @returns All results.
 */
export async function rawOnce<R>(
  // deno-lint-ignore ban-types -- any function will do
  fn: Function,
  parts: readonly (readonly unknown[])[],
): Promise<R[]> {
  const workers: Bare[] = [];
  const answers = parts.map((values) => {
    const worker = startWorker();
    workers.push(worker);
    const answer = answerOf(worker);
    worker.postMessage({ source: String(fn), values });
    return answer as Promise<R[]>;
  });
  const lists = await Promise.all(answers);
  for (const worker of workers) worker.terminate();
  return joinLists(lists);
}

/**
 * Splits values into parts of nearly the same length.
 *
 * @param values The values.
 * @param count How many parts.
 * @returns The parts.
 */
export function split<T>(values: readonly T[], count: number): T[][] {
  return Array.from({ length: count }, (_, i) => {
    const at = (i: number) => Math.round(i * values.length / count);
    return values.slice(at(i), at(i + 1));
  });
}

function joinLists<R>(lists: readonly (readonly R[])[]): R[] {
  return ([] as R[]).concat(...lists);
}

function startWorker(): Bare {
  if (RUNTIME === "node") return startThread(PROGRAM);
  // Kept: a blob URL that is revoked after use fails in Bun 1.4.5.
  url ??= URL.createObjectURL(
    new Blob([PROGRAM], { type: "text/javascript" }),
  );
  return new Worker(url, { type: "module" });
}

function answerOf(worker: Bare): Promise<unknown> {
  return new Promise((resolve, reject) => {
    worker.onmessage = ({ data }) => resolve(data);
    worker.onerror = (event) => reject(event.error ?? event.message);
  });
}
