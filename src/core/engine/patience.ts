/**
 * Waits for the answer to a chunk for a while only: then what is not begun of
 * it can go elsewhere, and what is done of it is wanted.
 *
 * @module
 */

import type { Clock } from "../runtime/clock.ts";
import type { HurryMessage } from "../wire/protocol.ts";
import type { InFlight } from "./in_flight.ts";
import type { Back } from "./sent.ts";

/**
 * How long a worker may be at a chunk before it loses what it has not begun to
 * one that has nothing to do, in milliseconds: twice what a chunk is made for
 * (chunking.ts). Less, and tasks that take a little longer than the last ones
 * go twice; more, and a worker idles for so long beside tasks that wait.
 */
const IDLE_MS = 10;

/**
 * The same if nobody is idle, in milliseconds. Less, and tasks go twice for
 * nothing; more, and finished tasks wait for slow neighbours. No bench.
 */
const PATIENCE_MS = 50;

/** What patience can do when it ends. */
export interface PatienceSetup {
  readonly clock: Clock;
  /** Whether any worker has nothing to do. */
  anyIdle(): boolean;
  /** Asks the worker for what it has. */
  ask(message: HurryMessage): void;
  /** Gives away what was taken back from it. */
  giveAway(back: Back[]): void;
}

/** The patience with one worker. */
export class Patience {
  readonly #setup: PatienceSetup;
  #inFlight: InFlight | undefined;
  #since = 0;
  #cancel: (() => void) | undefined;

  constructor(setup: PatienceSetup) {
    this.#setup = setup;
  }

  /** The worker begins a chunk, or has none. */
  begin(inFlight: InFlight): void {
    const { canGoElsewhere, canHurry, hasLanes } = inFlight;
    if (!canGoElsewhere && !canHurry && !hasLanes) return this.stop();
    this.#inFlight = inFlight;
    this.#since = this.#setup.clock.now();
    // One timer for many chunks: to set one for each would be felt.
    if (this.#cancel === undefined) this.#lookIn(IDLE_MS);
  }

  /** The worker was sent more: that waits for what it is at. */
  goOn(inFlight: InFlight): void {
    if (this.#cancel === undefined) this.begin(inFlight);
  }

  /** What the worker has not begun is to go elsewhere: it may begin soon. */
  end(inFlight: InFlight): void {
    const { back, message } = inFlight.takeBack();
    // First: what comes back may go to the same worker, and is not meant.
    if (message !== undefined) this.#setup.ask(message);
    if (back.length > 0) this.#setup.giveAway(back);
    else if (message === undefined && this.#cancel === undefined) {
      this.#lookIn(IDLE_MS); // it has begun none yet
    }
  }

  /** Waits no more. */
  stop(): void {
    this.#cancel?.();
    this.#cancel = undefined;
    this.#inFlight = undefined;
  }

  #lookIn(ms: number): void {
    this.#cancel = this.#setup.clock.after(ms, () => {
      this.#cancel = undefined;
      const inFlight = this.#inFlight;
      if (inFlight === undefined) return;
      if (inFlight.canGoElsewhere || inFlight.canHurry) this.#look(inFlight);
      if (!inFlight.hasLanes) return;
      if (this.#cancel === undefined) this.#lookIn(IDLE_MS);
      // Nothing: but the scheduler looks again, and fills the lanes.
      if (inFlight.hasRoom) this.#setup.giveAway([]);
    });
  }

  #look(inFlight: InFlight): void {
    const { clock, anyIdle } = this.#setup;
    const waited = clock.now() - this.#since;
    // Whole ms: what rounding left would ring at the same time, again and again.
    if (waited < IDLE_MS) return this.#lookIn(Math.ceil(IDLE_MS - waited));
    if (waited < PATIENCE_MS && !anyIdle()) return this.#lookIn(IDLE_MS);
    if (inFlight.canGoElsewhere) this.end(inFlight);
    else this.#setup.ask(inFlight.hurry());
  }
}
