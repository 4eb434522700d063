/**
 * One slot of a machine: takes chunks for as long as its worker has a lane for
 * the next task.
 *
 * @module
 */

/** Says how many tasks of a chunk are beside each other in how many lanes. */
export type Fill = (tasks: number, lanes: number) => void;

/** One slot of a machine. */
export class MachineSlot {
  readonly #chunks = new Set<{ tasks: number; lanes: number }>();
  #wake = () => {};

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
