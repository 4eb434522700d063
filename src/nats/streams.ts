/**
 * What a pool has on its servers: two streams, what hands out of them, and a
 * store; by which names, and how it is kept.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import {
  AckPolicy,
  type ConsumerInfo,
  type JetStreamManager,
  RetentionPolicy,
  StorageType,
} from "@nats-io/jetstream";
import type { ObjectStore } from "@nats-io/obj";
import { millis, nanos } from "@nats-io/transport-node";
import { WIRE_VERSION } from "./messages.ts";
import type { ClusterOptions } from "./options.ts";

const HOUR = 3_600_000;

/** What the client has no type for: the next message on a subject. */
type NextRequest = { seq: number; next_by_subj: string };

/** What a pool has on its servers. */
export class Streams {
  /** The streams of chunks and of answers, and the store of what is large. */
  readonly names: { work: string; results: string; blobs: string };
  readonly #options: ClusterOptions;
  readonly #jsm: JetStreamManager;
  #ackWait: number;

  /**
   * Makes nothing yet.
   *
   * @param options How it is kept.
   * @param jsm What makes it there.
   */
  constructor(options: ClusterOptions, jsm: JetStreamManager) {
    const name = (kind: string) => `PM_${options.pool}_${kind}`;
    this.names = {
      work: name(`W${WIRE_VERSION}`),
      results: name(`R${WIRE_VERSION}`),
      blobs: name("B"),
    };
    this.#options = options;
    this.#jsm = jsm;
    this.#ackWait = options.ackWait ?? 15_000;
  }

  /**
   * A subject of this pool. Those of chunks and answers have the version of the
   * messages in them, lest machines take what they cannot read.
   *
   * @param kind `w` of chunks, `r` of answers, or a word.
   * @param parts What comes after it.
   */
  subject(kind: string, ...parts: (string | number)[]): string {
    const own = /^[wr]$/.test(kind) ? `${kind}${WIRE_VERSION}` : kind;
    return ["pm", this.#options.pool, own, ...parts].join(".");
  }

  /** How the store is made. */
  get storeOptions(): Streams["kept"] & { ttl: number } {
    return { ...this.kept, ttl: nanos(24 * HOUR) };
  }

  /** How what is on the servers is kept there. */
  get kept(): { storage: StorageType; replicas: number } {
    const { storage, replicas = 1 } = this.#options;
    const { Memory, File } = StorageType;
    return { storage: storage === "memory" ? Memory : File, replicas };
  }

  /** Whoever counts on so many copies must not be left with fewer. */
  async checkReplicas(): Promise<void> {
    const { replicas, pool } = this.#options;
    if (replicas === undefined) return;
    const { config } = await this.#jsm.streams.info(this.names.work);
    const { num_replicas: had } = config;
    if (had === replicas) return;
    throw new RangeError(
      `"replicas" of pool "${pool}" must be ${had}, as whoever came first decided: received ${replicas}`,
    );
  }

  /** Makes the streams, unless they are there, however they are kept. */
  async make(): Promise<void> {
    const { storage, replicas } = this.kept;
    const stream = (name: string, letter: string, age: number) =>
      this.#jsm.streams.add({
        name,
        subjects: [this.subject(letter, ">")],
        retention: RetentionPolicy.Workqueue,
        storage,
        num_replicas: replicas,
        duplicate_window: nanos(120_000),
        max_age: nanos(age),
      }).catch((error) => this.#allowExisting(error));
    await stream(this.names.work, "w", 24 * HOUR);
    await stream(this.names.results, "r", HOUR);
  }

  /**
   * Makes what hands out chunks to machines, unless it is there, and looks how
   * long a machine may be silent: what is there is not added again, as that would
   * be changed by it.
   */
  async makeWork(): Promise<void> {
    await this.make();
    const had = await this.#work();
    if (had === undefined) {
      await this.#jsm.consumers.add(this.names.work, {
        durable_name: "workers",
        ack_policy: AckPolicy.Explicit,
        ack_wait: nanos(this.#ackWait),
        max_deliver: -1,
        max_ack_pending: -1,
      }).catch((error) => this.#allowExisting(error));
    }
    const { config } = had ?? await this.#work() ?? {};
    if (config?.ack_wait !== undefined) this.#ackWait = millis(config.ack_wait);
  }

  /** What hands out chunks to machines; undefined if there never was one. */
  async #work(): Promise<ConsumerInfo | undefined> {
    const asked = this.#jsm.consumers.info(this.names.work, "workers");
    return await asked.catch((error) => {
      if (error?.code !== 10014) throw error;
      return undefined;
    });
  }

  /**
   * What is left for machines: how many chunks, and the number of the message up
   * to which none is handed out any more. Undefined if there never was a machine.
   */
  async workLeft(): Promise<{ chunks: number; floor: number } | undefined> {
    const info = await this.#work();
    return info && {
      chunks: info.num_pending + info.num_ack_pending,
      floor: info.ack_floor.stream_seq,
    };
  }

  /** Counts the chunks on a subject whose messages have such a number at most. */
  async chunksUntil(floor: number, next_by_subj: string): Promise<number> {
    for (let seq = 1, count = 0;; count++) {
      const query: NextRequest = { seq, next_by_subj };
      const next = await this.#jsm.streams.getMessage(this.names.work, query);
      if (next === null || next.seq > floor) return count;
      seq = next.seq + 1;
    }
  }

  /** Makes what hands out answers to a client, unless it is there. */
  async makeResults(client: string): Promise<void> {
    await this.make();
    await this.#jsm.consumers.add(this.names.results, {
      durable_name: client,
      ack_policy: AckPolicy.Explicit,
      ack_wait: nanos(30_000),
      max_deliver: -1,
      max_ack_pending: -1,
      filter_subject: this.subject("r", client, ">"),
      inactive_threshold: nanos(5 * 60_000),
    }).catch((error) => this.#allowExisting(error));
  }

  /** Somebody else came first, with other settings: those hold. */
  #allowExisting(error: unknown): void {
    const { code } = error as { code?: number };
    if (code !== 10058 && code !== 10013 && code !== 10148) throw error;
  }

  /** How long a machine may be silent, in ms, as whoever came first decided. */
  get ackWait(): number {
    return this.#ackWait;
  }

  /**
   * Drops what a client has in the streams, as it is gone, or one of its runs
   * over: its answers, and what a server that was killed had forgotten to take out
   * of the other one. One by one: after a purge by subject, nats-server 2.9.10
   * takes messages of others for handed out that never were
   * (tests/nats_failures_test.ts, "runs end beside").
   *
   * @param client Id of the client.
   * @param run Its number there, or "*".
   * @param each Told what each message was.
   */
  async drop(
    client: string,
    run: string,
    each: (data: Uint8Array) => Promise<void>,
  ): Promise<void> {
    const { work, results } = this.names;
    for (const [stream, letter] of [[work, "w"], [results, "r"]] as const) {
      const next_by_subj = this.subject(letter, client, run);
      for (let seq = 1;;) {
        const query: NextRequest = { seq, next_by_subj };
        const next = await this.#jsm.streams.getMessage(stream, query);
        if (next === null) break;
        seq = next.seq + 1;
        // A machine may have done it.
        await this.#jsm.streams.deleteMessage(stream, next.seq, false)
          .catch(() => {});
        await each(next.data);
      }
    }
  }

  /** The stream in which the store has its parts, and a message for each name. */
  get #stored(): string {
    return `OBJ_${this.names.blobs}`;
  }

  /**
   * Names of what is in the store. Not by its own `list`, which waits for 30 s
   * when something is taken out meanwhile.
   */
  async storedNames(): Promise<string[]> {
    const query = { subjects_filter: `$O.${this.names.blobs}.M.>` };
    const { state } = await this.#jsm.streams.info(this.#stored, query);
    return Object.keys(state.subjects ?? {}).map((subject) =>
      Buffer.from(subject.split(".")[3]!, "base64url").toString()
    );
  }

  /**
   * Takes something out of the store. Its own `delete` leaves a message for each
   * name, that it was there: here no name comes twice, and they would be kept for
   * a day.
   *
   * @param store The store.
   * @param name What it is called there.
   */
  async takeOut(store: ObjectStore, name: string): Promise<void> {
    const found = await store.info(name);
    if (found === null) return;
    const filter = `$O.${this.names.blobs}.C.${found.nuid}`;
    await this.#jsm.streams.deleteMessage(this.#stored, found.revision, false);
    await this.#jsm.streams.purge(this.#stored, { filter });
  }
}
