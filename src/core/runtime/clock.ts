/**
 * All the time the engine knows: what it is, timers, and turns of the event
 * loop. Tests step a clock of their own.
 *
 * @module
 */

import { workerFlag } from "../worker/worker_flag.ts";
import { type After, after, now, timeOrigin, wallNow } from "./timers.ts";

/** A clock. */
export interface Clock {
  /** ms since 1970 at which `now` was 0. */
  readonly origin: number;
  /** The time in ms. */
  now(): number;
  /** ms by which the clock of the machine was set since then, or it slept. */
  stepped(): number;
  /** Calls back once, after that many ms; what it returns calls it off. */
  after: After;
  /** Calls back in a later turn of the event loop, as soon as there is one. */
  turn(callback: () => void): void;
  /** Settles when the turns asked for have come, so that nothing stays open. */
  settled(): Promise<void>;
}

/**
 * Makes the clock of one pool.
 *
 * @returns The clock.
 */
export function createClock(): Clock {
  let turns: Promise<void> = Promise.resolve();
  const queue: (() => void)[] = []; // WebKit takes channels in any order
  return {
    origin: timeOrigin,
    now,
    stepped: () => wallNow() - timeOrigin - now(),
    after,
    // Not by `setTimeout(0)`, which takes 1 to 2 ms, nor by `setImmediate`,
    // which costs Deno 2.9.5 4 ms when it is first touched.
    turn(callback) {
      const turn = workerFlag()?.keep(callback) ?? callback;
      const { port1, port2 } = new MessageChannel();
      turns = new Promise((resolve) => {
        queue.push(() => {
          resolve();
          turn();
        });
      });
      port1.onmessage = () => {
        port1.close();
        port2.close();
        queue.shift()!();
      };
      port2.postMessage(0);
    },
    settled: () => turns,
  };
}
