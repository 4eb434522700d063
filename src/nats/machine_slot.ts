/**
 * One slot of a machine: waits for chunks while its worker has a lane for
 * the next task.
 *
 * @module
 */

import type { JsMsg } from "@nats-io/jetstream";

/**
 * For how long a chunk may be on its way that was asked for, in ms: one that nobody
 * waits for any more goes to another machine only after `ackWait`. More, and a
 * machine that has nothing to do takes longer to end. No bench.
 */
const ON_ITS_WAY_MS = 250;

/** Chunks that come, until they are not waited for. */
type Coming = AsyncIterable<JsMsg> & { close(): Promise<unknown> };

/** Says how many tasks of a chunk are beside each other in how many lanes. */
export type Fill = (tasks: number, lanes: number) => void;

/** One slot of a machine. */
export class MachineSlot {
  readonly #chunks = new Set<{ tasks: number; lanes: number }>();
  #wake = () => {};
  #stop = () => {};
  #stopped = false;

  /** Whether a lane is free, in the eyes of whichever chunk has the fewest. */
  get #hasLane(): boolean {
    let tasks = 0;
    let lanes = Infinity;
    for (const chunk of this.#chunks) {
      tasks += chunk.tasks;
      lanes = Math.min(lanes, chunk.lanes);
    }
    return tasks < lanes;
  }

  /**
   * Waits for a chunk.
   *
   * @param ask Asks for one.
   * @returns It; undefined if none came, or it was told to stop before that.
   */
  async next(ask: () => Promise<Coming>): Promise<JsMsg | undefined> {
    const coming = await ask();
    const asked = performance.now();
    let timer: ReturnType<typeof setTimeout> | undefined;
    this.#stop = () => {
      const ms = ON_ITS_WAY_MS - (performance.now() - asked);
      const close = () => void coming.close().catch(() => {});
      timer ??= setTimeout(close, Math.max(0, ms));
    };
    if (this.#stopped) this.#stop();
    try {
      for await (const message of coming) return message;
    } finally {
      this.#stop = () => {};
      clearTimeout(timer);
    }
    return undefined;
  }

  /**
   * Waits no longer.
   *
   * @param forGood Whether it is not to wait again either.
   */
  stop(forGood: boolean): void {
    this.#stopped ||= forGood;
    this.#stop();
  }

  /**
   * Takes a chunk.
   *
   * @param see Sees to it, until it is answered. It has the slot for itself until
   * that says what it fills.
   * @returns Settled when there is a lane for another one.
   */
  async take(see: (fill: Fill) => Promise<void>): Promise<void> {
    const chunk = { tasks: 1, lanes: 1 };
    const over = () => {
      this.#chunks.delete(chunk);
      this.#wake();
    };
    this.#chunks.add(chunk);
    see((tasks, lanes) => {
      Object.assign(chunk, { tasks, lanes });
      this.#wake();
    }).then(over, over);
    while (!this.#hasLane) {
      await new Promise<void>((wake) => this.#wake = wake);
    }
  }
}
