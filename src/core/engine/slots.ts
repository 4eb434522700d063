/**
 * The slots of a pool: how many workers may be up, and when the next starts.
 *
 * @module
 */

import type { Backend } from "../runtime/runtime.ts";
import type { SlotSetup } from "./report.ts";
import { Slot } from "./slot.ts";
import type { WorkerMaker } from "./worker_maker.ts";

/** All slots of a pool. */
export class Slots {
  readonly all: Slot[] = [];
  readonly #setup: SlotSetup;
  readonly #maker: WorkerMaker;
  readonly #onStartable: () => void;
  #starting = false;

  /**
   * Makes none yet.
   *
   * @param setup What each slot is made of.
   * @param maker Says how many there may be.
   * @param onStartable Called when `starting` is false again.
   */
  constructor(setup: SlotSetup, maker: WorkerMaker, onStartable: () => void) {
    this.#setup = setup;
    this.#maker = maker;
    this.#onStartable = onStartable;
  }

  /** Whether there may be one more worker. */
  get mayStart(): boolean {
    let workers = 0;
    for (const slot of this.all) if (!slot.empty) workers++;
    return workers < this.#maker.workers;
  }

  /** Whether the next one has to wait for a moment. */
  get starting(): boolean {
    return this.#starting;
  }

  /** A slot without a worker, a new one if need be. */
  empty(): Slot {
    const slot = this.all.find((slot) => slot.empty);
    if (slot !== undefined) return slot;
    const added = new Slot(this.all.length, this.#setup);
    this.all.push(added);
    return added;
  }

  /** Starts a worker in a slot that is empty. */
  start(slot: Slot, backend: Backend): void {
    slot.start(backend);
    const goOn = () => {
      this.#starting = false;
      this.#onStartable();
    };
    // One blocking start a turn, so that answers are heard in between.
    if (backend.startBlocks) this.#setup.clock.turn(goOn);
    // Once all calls of this turn are known, which divide the cores.
    else if (this.#maker.divides) queueMicrotask(goOn);
    else return;
    this.#starting = true;
  }
}
