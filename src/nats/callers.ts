/**
 * The clients whose chunks come to this machine: what they say that their runs
 * are, and whether they are still there.
 *
 * @module
 */

import type { Connection } from "./connection.ts";
import { StoreError } from "./envelopes.ts";
import { checkCall } from "./message_checks.ts";
import type { CallMessage } from "./messages.ts";

/** What callers are made with. */
export interface CallersSetup {
  connection: Connection;
  /** Id of this machine. */
  machine: string;
  /** ms that a client may be silent. */
  grace: number;
  /** Asks what has become of all runs of a client. */
  look(client: string): void;
  /** Told when a client is taken for gone. */
  onGone(client: string): void;
}

/** Knows the clients that have runs here. */
export class Callers {
  readonly #setup: CallersSetup;
  /** When each was last heard, in ms of this process. */
  readonly #heard = new Map<string, number>();
  /** Since when each that was asked says nothing, and whether that had its end. */
  readonly #silent = new Map<string, { since: number; dropped: boolean }>();
  /** Runs whose description has gone from the store: clients must send it again. */
  readonly #undescribed = new Set<string>();
  readonly #timer: ReturnType<typeof setInterval>;

  /** Knows none yet. */
  constructor(setup: CallersSetup) {
    this.#setup = setup;
    // What was said of the end of a run may not have come here.
    this.#timer = setInterval(() => {
      for (const client of this.#heard.keys()) setup.look(client);
    }, setup.grace / 2);
  }

  /** Asks nobody any more. */
  close(): void {
    clearInterval(this.#timer);
  }

  /** Whether a client was heard so recently that it need not be asked. */
  heard(client: string): boolean {
    const at = this.#heard.get(client);
    return at !== undefined && performance.now() - at < this.#setup.grace / 2;
  }

  /** A client was sent an answer that it may not take: it is looked after. */
  watch(client: string): void {
    if (!this.#heard.has(client)) this.#heard.set(client, -Infinity);
  }

  /** A client has no runs here any more. */
  forget(client: string): void {
    this.#heard.delete(client);
    // Its next run begins without what was not said of this one.
    if (!this.gone(client)) this.#silent.delete(client);
    for (const key of this.#undescribed) {
      if (key.startsWith(`${client}.`)) this.#undescribed.delete(key);
    }
  }

  /**
   * Asks a client what a run is. What one asked for that says nothing for too
   * long is dropped.
   *
   * @param client Its id.
   * @param run Number of the run.
   * @param known Whether it is known here what it is.
   * @returns What it said; "silent" if it has not said it yet; of one that is
   * gone, that it is over.
   * @throws What it said when that cannot be read.
   */
  async ask(
    client: string,
    run: string,
    known: boolean,
  ): Promise<Exclude<CallMessage, { type: "later" }> | "silent"> {
    const { connection, machine, grace } = this.#setup;
    const subject = connection.subject("call", client);
    const key = `${client}.${run}`;
    const had = known ? "all" : this.#undescribed.has(key) ? "lost" : "nothing";
    const timeout = grace / 4;
    const question = `${run} ${had} ${machine} ${timeout}`;
    let data: Uint8Array;
    try {
      ({ data } = await connection.nc.request(subject, question, { timeout }));
    } catch { // nobody is there, or nobody has the time
      return this.#isGone(client) ? { type: "over" } : "silent";
    }
    this.#heard.set(client, performance.now());
    this.#silent.delete(client);
    this.#undescribed.delete(key);
    try {
      const said = checkCall(await connection.envelopes.unseal(data, true));
      return said.type === "later" ? "silent" : said;
    } catch (error) {
      if (!(error instanceof StoreError)) throw error;
      this.#undescribed.add(key);
      return "silent";
    }
  }

  /** Whether a client was found to be gone. */
  gone(client: string): boolean {
    const { since = Infinity } = this.#silent.get(client) ?? {};
    return performance.now() - since >= this.#setup.grace;
  }

  /** Whether a client that says nothing has done so for too long. */
  #isGone(client: string): boolean {
    const { connection, onGone } = this.#setup;
    if (connection.down > 0) return false; // it may say something
    const silent = this.#silent.get(client) ??
      { since: performance.now(), dropped: false };
    this.#silent.set(client, silent);
    if (!this.gone(client)) return false;
    // Once, also of one that was never heard. One that was stopped for a while
    // goes on, and sends again.
    this.#heard.delete(client);
    if (silent.dropped) return true;
    silent.dropped = true;
    onGone(client);
    connection.drop(client).catch(() => {}); // they expire in an hour
    return true;
  }
}
