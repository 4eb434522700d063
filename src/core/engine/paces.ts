/**
 * Remembers how long the tasks of a function take: programs mostly call the same
 * ones again, also where each call writes its function anew, or has workers of
 * its own.
 *
 * @module
 */

import type { FunctionRef } from "../wire/function_ref.ts";
import type { Pace } from "./chunking.ts";

/** Functions to remember: more than most programs have. */
const MOST = 100;

/** What is known of functions. */
export class Paces {
  readonly #known = new Map<string, Pace>();

  /** What is known of a function; runs of it add to that. */
  of(fn: FunctionRef): Pace {
    const unknown: Pace = { msPerTask: undefined, bytesPerTask: 0 };
    if (fn.from === "here") return unknown; // no worker to send it to
    const text = fn.from === "source" ? fn.source : `${fn.url} ${fn.name}`;
    const known = this.#known.get(text);
    if (known !== undefined) return known;
    if (this.#known.size === MOST) this.#known.clear();
    this.#known.set(text, unknown);
    return unknown;
  }
}

/** What the workers of this machine have told, whichever pool they are of. */
export const pacesHere: Paces = new Paces();
