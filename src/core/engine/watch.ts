/**
 * Watches the tasks of one worker for those that take too long: asks
 * deadline.ts what each look at them means, and does it.
 *
 * @module
 */

import type { Clock } from "../runtime/clock.ts";
import type { Sight } from "./deadline.ts";
import { judgeLateness, PONG_MS } from "./deadline.ts";
import type { InFlight } from "./in_flight.ts";
import type { Run } from "./run.ts";
import type { Loss } from "./settling.ts";

/** What a watch can do to its worker. */
export interface WatchSetup {
  readonly clock: Clock;
  /** Sends a ping. */
  ping(): void;
  /** Tells the worker to go on without these tasks, which wait for too long. */
  abandon(serials: number[]): void;
  /** Ends the worker, as tasks of it took too long, or it does nothing. */
  end(loss: Loss): void;
}

/** The watch over one worker. */
export class Watch {
  readonly #setup: WatchSetup;
  #inFlight: InFlight | undefined;
  #ping: Sight["ping"] = "not sent";
  #pinged = 0; // when
  #looked = 0; // when
  #planned = 0; // in how many ms from there to look again
  /** The first of the tasks that wait in a worker that does nothing. */
  #waitsAt: number | undefined;
  #deaf = 0; // ms for which it was looked at like that
  /** Serial numbers of tasks that the worker was to go on without. */
  readonly #abandoned = new Set<number>();
  #cancel = () => {}; // calls off the next look

  constructor(setup: WatchSetup) {
    this.#setup = setup;
  }

  /**
   * Pings a worker before the first chunk of a run, if the run has a limit: one
   * whose thread is free answers before it loads the function, which may take long.
   */
  ask(inFlight: InFlight, run: Run): void {
    inFlight.loading.pingedFirst = run.options.timeout !== undefined;
    if (inFlight.loading.pingedFirst) this.#sendPing(inFlight);
  }

  /** Begins with the first chunk of a run, if the run has a limit. */
  begin(inFlight: InFlight): void {
    this.stop();
    const { run } = inFlight;
    const { timeout } = run!.options;
    if (timeout === undefined || run!.over) return;
    this.#inFlight = inFlight;
    this.#lookIn(timeout);
  }

  /** The worker answered the ping: its thread is free. */
  answered(inFlight: InFlight): void {
    inFlight.loading.hearPong();
    if (inFlight.loading.pings > 0) return; // to one before the last
    if (this.#ping === "not sent") return;
    this.#ping = "answered";
    this.#look();
  }

  /** Watches no more. */
  stop(): void {
    this.#cancel();
    this.#inFlight = undefined;
    this.#ping = "not sent";
    this.#waitsAt = undefined; // the next worker counts its tasks anew
    this.#deaf = 0;
    this.#abandoned.clear();
  }

  /**
   * For how many ms it was looked at while nothing began, as far as that says
   * something. Not by a clock: a caller whose thread was taken, or a machine that
   * slept, has not yet heard what was said meanwhile.
   */
  #countDeaf({ waitsAt }: InFlight): number | undefined {
    const now = this.#setup.clock.now();
    const goesOn = waitsAt === this.#waitsAt && this.#ping === "silent";
    const ms = Math.min(now - this.#looked, this.#planned);
    this.#deaf = goesOn ? this.#deaf + ms : 0;
    this.#waitsAt = waitsAt;
    this.#looked = now;
    return waitsAt === undefined ? undefined : this.#deaf;
  }

  #sendPing(inFlight: InFlight): void {
    inFlight.loading.pings++;
    this.#setup.ping();
  }

  #lookIn(ms: number): void {
    this.#planned = ms;
    this.#cancel = this.#setup.clock.after(ms, () => this.#look());
  }

  #look(): void {
    this.#cancel();
    const inFlight = this.#inFlight;
    if (inFlight?.run === undefined) return;
    const { timeout = Infinity, concurrency = 1 } = inFlight.run.options;
    const { clock } = this.#setup;
    const silence = clock.now() - this.#pinged;
    const deaf = this.#countDeaf(inFlight);
    const sight = { ...inFlight.where.look(this.#ping), silence, deaf };
    const step = judgeLateness(sight, timeout, concurrency);
    if (step.do === "blame") {
      const { serials: at, sure, sendMs } = step;
      this.#setup.end({ at, timeout, sure, sendMs });
    } else if (step.do === "replace") {
      this.#setup.end({ at: [] }); // nobody is to blame
    } else if (step.do === "abandon") {
      // It has answered a ping after it was told, and is at these still.
      const at = step.serials.filter((serial) => this.#abandoned.has(serial));
      if (at.length > 0) return this.#setup.end({ at, timeout, sure: true });
      step.serials.forEach((serial) => this.#abandoned.add(serial));
      this.#setup.abandon(step.serials);
      this.#ping = "not sent";
      this.#lookIn(PONG_MS);
    } else if (step.do === "ping") {
      this.#ping = "silent"; // until it answers
      this.#pinged = clock.now();
      this.#sendPing(inFlight);
      this.#lookIn(PONG_MS);
    } else {
      if (this.#ping === "answered") this.#ping = "not sent";
      this.#lookIn(step.in);
    }
  }
}
