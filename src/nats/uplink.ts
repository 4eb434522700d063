/**
 * The way to a server, on which all that a program says stands in one line: what
 * is large goes there by turns. Else answers and signs of life would come so late
 * that whoever waits for them takes this program for gone.
 *
 * @module
 */

import type {
  JetStreamClient,
  JetStreamPublishOptions,
  PubAck,
} from "@nats-io/jetstream";
import type { NatsConnection, Payload } from "@nats-io/transport-node";
import { SILENT_MS, within } from "./waiting.ts";

/**
 * For how long what is under way may take, in ms. More, and what is said beside
 * it comes later, where others wait for 2.5 s; less, and a server that is far away
 * waits for more. No bench.
 */
const BEHIND_MS = 1000;

/**
 * Bytes that may be under way in any case. More, and a slow line takes long for
 * them; less, and it takes longer to notice that one is fast.
 */
const LEAST = 1 << 18;

/** Bytes under way that no server takes long for. */
const SMALL = 1 << 16;

/** How long what is large may be on its way, in ms. */
const MOST_MS = 600_000;

/** Sends what is large by turns. */
export class Uplink {
  readonly #nc: Pick<NatsConnection, "flush">;
  readonly #js: Pick<JetStreamClient, "publish">;
  readonly #now: () => number;
  #under = 0; // bytes under way
  #room = LEAST; // how many may be
  #taken = 0; // bytes that the server took of late
  #since = 0; // when that count began, in ms
  /** Settles when whoever came last has had its turn. */
  #last: Promise<void> = Promise.resolve();
  #wake = () => {};

  /** Has sent nothing yet; is told the time, in ms. */
  constructor(
    nc: Pick<NatsConnection, "flush">,
    js: Pick<JetStreamClient, "publish">,
    now: () => number = () => performance.now(),
  ) {
    this.#nc = nc;
    this.#js = js;
    this.#now = now;
  }

  /**
   * Sends something, when its turn comes.
   *
   * @param bytes Its size.
   * @param post Sends it; settles when the server has it.
   * @returns What that gives.
   */
  async send<T>(bytes: number, post: () => Promise<T>): Promise<T> {
    const before = this.#last;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#last = promise;
    await before;
    // One goes always, however large it is.
    while (this.#under > 0 && this.#under + bytes > this.#room) {
      await new Promise<void>((wake) => this.#wake = wake);
    }
    this.#under += bytes;
    resolve();
    try {
      const posted = await post();
      this.#note(bytes);
      return posted;
    } finally {
      this.#under -= bytes;
      this.#wake();
    }
  }

  /**
   * Publishes something in its turn. The server is not waited for any longer than
   * it is told, but only once it has read what it was sent.
   */
  async publish(
    subject: string,
    body: Payload,
    { timeout = SILENT_MS, ...more }: Partial<JetStreamPublishOptions> = {},
  ): Promise<PubAck> {
    const isLarge = this.#under > SMALL;
    const most = isLarge ? MOST_MS : timeout;
    const acked = this.#js.publish(subject, body, { ...more, timeout: most });
    if (!isLarge) return await acked;
    acked.catch(() => {}); // heard below, unless that takes too long
    const read = this.#nc.flush().catch(() => {}); // there is no server any more
    await Promise.race([acked, read]);
    return await within(timeout, acked, "answer");
  }

  /** There is room for as much as the server took lately. */
  #note(bytes: number): void {
    this.#taken += bytes;
    const ms = this.#now() - this.#since;
    if (ms < BEHIND_MS) return;
    this.#room = Math.max(LEAST, this.#taken * BEHIND_MS / ms);
    this.#taken = 0;
    this.#since = this.#now();
  }
}
