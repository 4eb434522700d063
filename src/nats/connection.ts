/**
 * The connection to the servers of a pool: what is made there, by which names,
 * and how bytes of any size get across.
 *
 * @module
 */

import {
  AckPolicy,
  jetstream,
  type JetStreamClient,
  type JetStreamManager,
  jetstreamManager,
  RetentionPolicy,
  StorageType,
} from "@nats-io/jetstream";
import { connect, nanos, type NatsConnection } from "@nats-io/transport-node";
import { Objm } from "@nats-io/obj";
import { nameThrown } from "@parallel/map/seam";
import {
  connectError,
  connectionOptions,
  showServers,
  streamError,
} from "./addresses.ts";
import { Envelopes } from "./envelopes.ts";
import type { ClusterOptions } from "./options.ts";
import { quietSockets } from "./quiet_sockets.ts";
import { Pauses, SILENT_MS, within } from "./waiting.ts";

quietSockets();

/** Bytes of a message beside its body: the subject, headers and what is ours. */
const MARGIN = 4096;

/** Bytes of a message at most, where the server does not say. */
const LIMIT = 1 << 20;

const HOUR = 3_600_000;

/** Whether it is of no use to try again. */
function isFinal(error: unknown): boolean {
  const { name, cause } = error as Error;
  return ["InvalidArgumentError", "PermissionViolationError"].includes(name) ||
    (cause instanceof Error && cause !== error && isFinal(cause));
}

/** What is published. */
export interface Posted {
  /** What it is known by, which keeps it from being there twice. */
  id: string;
  /** Puts it in an envelope: what is large goes to the store. */
  seal(): Promise<Uint8Array>;
  /** Tells whether anybody still wants it. */
  wanted(): boolean;
  /** How many ms a server that is there may refuse it; by default without end. */
  patience?: number;
}

/** What the client has no type for: the next message on a subject. */
type NextRequest = { seq: number; next_by_subj: string };

/** A connection to the servers of one pool. */
export class Connection {
  readonly pool: string;
  /** The streams of chunks and of answers, and the store of what is large. */
  readonly names: { work: string; results: string; blobs: string };
  /** Where the servers are, for messages. */
  readonly where: string;
  readonly nc: NatsConnection;
  readonly js: JetStreamClient;
  readonly jsm: JetStreamManager;
  /** How messages of any size get across. */
  readonly envelopes: Envelopes;
  readonly #options: ClusterOptions;
  readonly #pauses = new Pauses();
  #limit = LIMIT;
  #downSince: number | undefined;
  readonly #reconnects = new Set<() => void>();
  /** Settles when there is a server again. */
  #back = Promise.withResolvers<void>();

  private constructor(
    options: ClusterOptions,
    nc: NatsConnection,
    jsm: JetStreamManager,
  ) {
    this.#options = options;
    this.where = showServers(options.servers);
    this.pool = options.pool;
    const name = (kind: string) => `PM_${options.pool}_${kind}`;
    this.names = { work: name("W"), results: name("R"), blobs: name("B") };
    this.nc = nc;
    this.js = jetstream(nc);
    this.jsm = jsm;
    this.envelopes = new Envelopes({
      store: () =>
        new Objm(this.js).create(this.names.blobs, {
          ...this.#kept,
          ttl: nanos(24 * HOUR),
        }),
      limit: () => this.limit,
      timeout: this.answerTimeout,
    });
    this.#watch();
  }

  /**
   * Connects, and makes the streams if nobody has.
   *
   * @param options Where to, checked before.
   * @returns The connection.
   * @throws {Error} When there is no server, it refuses, or JetStream is off.
   */
  static async open(options: ClusterOptions): Promise<Connection> {
    let nc: NatsConnection;
    try {
      nc = await connect({
        maxReconnectAttempts: -1,
        reconnectTimeWait: 250,
        ...connectionOptions(options),
      });
    } catch (cause) {
      throw connectError(options, cause);
    }
    try {
      const jsm = await jetstreamManager(nc);
      const opened = new Connection(options, nc, jsm);
      await opened.makeStreams();
      await opened.#checkReplicas();
      return opened;
    } catch (cause) {
      await nc.close();
      throw streamError(options, cause);
    }
  }

  /** Notices how long there has been no server. */
  async #watch(): Promise<void> {
    for await (const { type } of this.nc.status()) {
      if (type === "disconnect") this.#downSince ??= performance.now();
      if (type !== "reconnect") continue;
      this.#downSince = undefined;
      this.#back.resolve();
      this.#back = Promise.withResolvers();
      for (const listener of this.#reconnects) listener();
    }
  }

  /** Tells when there is a server again. */
  onReconnect(listener: () => void): void {
    this.#reconnects.add(listener);
  }

  /** For how many ms there has been no server; 0 if there is one. */
  get down(): number {
    const since = this.#downSince;
    return since === undefined ? 0 : performance.now() - since;
  }

  /** How many bytes one message may have. */
  get limit(): number {
    this.#limit = this.nc.info?.max_payload ?? this.#limit;
    return this.#limit - MARGIN;
  }

  /** A subject of this pool. */
  subject(...parts: (string | number)[]): string {
    return ["pm", this.pool, ...parts].join(".");
  }

  /** How what is on the servers is kept there. */
  get #kept(): { storage: StorageType; replicas: number } {
    const { storage, replicas = 1 } = this.#options;
    const { Memory, File } = StorageType;
    return { storage: storage === "memory" ? Memory : File, replicas };
  }

  /** Whoever counts on so many copies must not be left with fewer. */
  async #checkReplicas(): Promise<void> {
    const { replicas, pool } = this.#options;
    if (replicas === undefined) return;
    const { config } = await this.jsm.streams.info(this.names.work);
    const { num_replicas: had } = config;
    if (had === replicas) return;
    throw new RangeError(
      `"replicas" of pool "${pool}" must be ${had}, as whoever came first decided: received ${replicas}`,
    );
  }

  /** Makes the streams, unless they are there, however they are kept. */
  async makeStreams(): Promise<void> {
    const { storage, replicas } = this.#kept;
    const stream = (name: string, letter: string, age: number) =>
      this.jsm.streams.add({
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

  /** Makes what hands out chunks to machines, unless it is there. */
  async makeWorkConsumer(): Promise<void> {
    await this.makeStreams();
    await this.jsm.consumers.add(this.names.work, {
      durable_name: "workers",
      ack_policy: AckPolicy.Explicit,
      ack_wait: nanos(this.ackWait),
      max_deliver: -1,
      max_ack_pending: -1,
    }).catch((error) => this.#allowExisting(error));
  }

  /** Chunks that machines are to have; undefined if there never was a machine. */
  async workPending(): Promise<number | undefined> {
    const asked = this.jsm.consumers.info(this.names.work, "workers");
    const info = await asked.catch((error) => {
      if (error?.code !== 10014) throw error;
      return undefined;
    });
    return info && info.num_pending + info.num_ack_pending;
  }

  /** Makes what hands out answers to a client, unless it is there. */
  async makeResultConsumer(client: string): Promise<void> {
    await this.makeStreams();
    await this.jsm.consumers.add(this.names.results, {
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

  /** How long a machine may be silent, in ms. */
  get ackWait(): number {
    return this.#options.ackWait ?? 15_000;
  }

  /** How long the server may be away, in ms. */
  get serverTimeout(): number {
    return this.#options.serverTimeout ?? 60_000;
  }

  /** How long the server may be silent that was asked for something, in ms. */
  get answerTimeout(): number {
    return Math.min(SILENT_MS, this.serverTimeout);
  }

  /**
   * Publishes to a stream until the server has it, however long that takes.
   *
   * @param subject Where to.
   * @param parcel What, and for how long.
   * @throws {Error} When the server is there, and has refused it for so long.
   */
  async publish(
    subject: string,
    { id, seal, wanted, patience = Infinity }: Posted,
  ): Promise<void> {
    let body: Uint8Array | undefined;
    let failing: number | undefined; // since when
    while (wanted() && !this.nc.isClosed()) {
      try {
        body ??= await seal();
        if (!wanted()) return; // any more
        const options = { msgID: id, timeout: SILENT_MS };
        const acked = this.js.publish(subject, body, options);
        acked.catch(() => {}); // heard below, unless the server came back
        // What was on its way to a server that ended is not heard of again.
        const lost = this.#back.promise;
        if (await Promise.race([acked, lost]) !== undefined) return;
      } catch (error) {
        if (isFinal(error)) throw error;
        failing = this.down > 0 ? undefined : failing ?? performance.now();
        if (performance.now() - (failing ?? Infinity) > patience) {
          throw this.#untaken(error);
        }
        await this.#pauses.pause(this.down > 0 ? 250 : 100);
        // A server without its memory has no streams.
        if (this.down === 0) await this.makeStreams().catch(() => {});
      }
    }
  }

  #untaken(cause: unknown): Error {
    return new Error(
      `Cannot send as a server must take it at ${this.where} within ${this.serverTimeout} ms ("serverTimeout"): received ${
        nameThrown(cause)
      }`,
      { cause },
    );
  }

  /**
   * Drops what a client has in the streams, as it is gone, or one of its runs
   * over: its answers, and what a server that was killed had forgotten to take out
   * of the other one. One by one: after a purge by subject, nats-server 2.9.10
   * takes messages of others for handed out that never were
   * (tests/nats_failures_test.ts, "runs end beside").
   */
  async drop(client: string, run = "*"): Promise<void> {
    const { work, results } = this.names;
    for (const [stream, letter] of [[work, "w"], [results, "r"]] as const) {
      const next_by_subj = this.subject(letter, client, run);
      for (let seq = 1;;) {
        const query: NextRequest = { seq, next_by_subj };
        const next = await this.jsm.streams.getMessage(stream, query);
        if (next === null) break;
        seq = next.seq + 1;
        // A machine may have done it.
        await this.jsm.streams.deleteMessage(stream, next.seq, false)
          .catch(() => {});
      }
    }
  }

  /** Waits for so many ms, but not longer than until it is closed. */
  pause(ms: number): Promise<void> {
    return this.#pauses.pause(ms);
  }

  /** Closes the connection. */
  async close(): Promise<void> {
    // To drain, it would wait for the server to come back, or to say something.
    if (this.down === 0 && !this.nc.isClosed()) {
      await within(this.answerTimeout, this.nc.drain(), "end").catch(() => {});
    }
    await this.nc.close();
    this.#pauses.end();
  }
}
