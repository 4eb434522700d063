/**
 * Why tasks ended with their worker: the only failures that do not come as a
 * reply.
 *
 * @module
 */

import type { RunEvent } from "../../mod.ts";

/** How a task ended with its worker. */
export interface Loss {
  why: "lost" | "timeout";
  worker: number | undefined;
  /** When, in milliseconds since 1970. */
  at: number;
}

/** Remembers the last loss of each task. */
export class Losses {
  readonly #losses = new Map<number, Loss>();

  /**
   * Hears what happens in a run.
   *
   * @param event What happened.
   */
  record(event: RunEvent): void {
    if (event.type !== "task-fail") return;
    const { index, why, worker } = event;
    if (why !== "lost" && why !== "timeout") return;
    const at = Math.round(performance.timeOrigin + event.at);
    this.#losses.set(index, { why, worker, at });
  }

  /**
   * Takes what is known of a task that was given up.
   *
   * @param task Its index among the tasks of the run.
   * @returns How it ended; undefined where nobody listened.
   */
  take(task: number): Loss | undefined {
    const loss = this.#losses.get(task);
    this.#losses.delete(task);
    return loss;
  }
}
