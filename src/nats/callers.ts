/**
 * The clients whose chunks come to this machine: what they say that their runs
 * are, and whether they are still there.
 *
 * @module
 */

import type { Connection } from "./connection.ts";
import type { CallMessage } from "./messages.ts";

/** Knows the clients. */
export class Callers {
  readonly #connection: Connection;
  readonly #grace: number;
  /** When each was last heard, in ms of this process. */
  readonly #heard = new Map<string, number>();
  /** Since when each that was asked says nothing. */
  readonly #silent = new Map<string, number>();

  /**
   * Knows none yet.
   *
   * @param connection To the servers.
   * @param grace ms that a client may be silent.
   */
  constructor(connection: Connection, grace: number) {
    this.#connection = connection;
    this.#grace = grace;
  }

  /** Whether a client was heard so recently that it need not be asked. */
  heard(client: string): boolean {
    const at = this.#heard.get(client);
    return at !== undefined && performance.now() - at < this.#grace / 2;
  }

  /**
   * Asks a client what a run is. What one asked for that says nothing for too
   * long is dropped.
   *
   * @param client Its id.
   * @param run Number of the run.
   * @returns What it said.
   * @throws What it said when that cannot be read.
   */
  async ask(client: string, run: string): Promise<CallMessage | "silent"> {
    const { nc } = this.#connection;
    const subject = this.#connection.subject("call", client);
    let data: Uint8Array;
    try {
      ({ data } = await nc.request(subject, run, { timeout: this.#grace / 4 }));
    } catch { // nobody is there, or nobody has the time
      await this.#drop(client).catch(() => {}); // by whoever asks next
      return "silent";
    }
    this.#heard.set(client, performance.now());
    this.#silent.delete(client);
    return await this.#connection.unseal(data, true) as CallMessage;
  }

  async #drop(client: string): Promise<void> {
    if (this.#connection.down > 0) return; // it may say something
    const now = performance.now();
    const since = this.#silent.get(client) ?? now;
    this.#silent.set(client, since);
    if (now - since < this.#grace) return;
    // Not for ever: one that was stopped for a while goes on, and sends again.
    this.#silent.delete(client);
    this.#heard.delete(client);
    await this.#connection.purge(client, "*");
  }
}
