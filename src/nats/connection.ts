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
import { type ObjectStore, Objm } from "@nats-io/obj";
import {
  connect,
  nanos,
  type NatsConnection,
  type NodeConnectionOptions,
} from "@nats-io/transport-node";
import { nameThrown } from "@parallel/map/seam";
import { readBytes } from "./byte_reader.ts";
import { writeBytes } from "./byte_writer.ts";
import { WIRE_VERSION } from "./messages.ts";
import type { ClusterOptions } from "./options.ts";

/** Bytes of a message beside its body: the subject, headers and what is ours. */
const MARGIN = 4096;

/** Bytes of a message at most, where the server does not say. */
const LIMIT = 1 << 20;

const HOUR = 3_600_000;

/** Waits. */
export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** Takes a user and a password, or a token, out of addresses. */
function splitServers(servers: string[]): NodeConnectionOptions {
  let found: NodeConnectionOptions = {};
  const bare = servers.map((server) => {
    const [, scheme = "", user, pass, rest] =
      /^(\w+:\/\/)?(?:([^:@/]*)(?::([^@/]*))?@)(.*)$/.exec(server) ?? [];
    if (user === undefined || rest === undefined) return server;
    const name = decodeURIComponent(user);
    found = pass === undefined
      ? { token: name }
      : { user: name, pass: decodeURIComponent(pass) };
    return scheme + rest;
  });
  return { ...found, servers: bare };
}

/** Whether it is of no use to try again. */
function isFinal(error: unknown): boolean {
  const { name, cause } = error as Error;
  return ["InvalidArgumentError", "PermissionViolationError"].includes(name) ||
    (cause instanceof Error && cause !== error && isFinal(cause));
}

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
  readonly #options: ClusterOptions;
  #limit = LIMIT;
  #store: Promise<ObjectStore> | undefined;
  #downSince: number | undefined;
  readonly #reconnects = new Set<() => void>();
  /** Settles when there is a server again. */
  #back = Promise.withResolvers<void>();

  private constructor(
    options: ClusterOptions,
    where: string,
    nc: NatsConnection,
    jsm: JetStreamManager,
  ) {
    this.#options = options;
    this.where = where;
    this.pool = options.pool;
    const name = (kind: string) => `PM_${options.pool}_${kind}`;
    this.names = { work: name("W"), results: name("R"), blobs: name("B") };
    this.nc = nc;
    this.js = jetstream(nc);
    this.jsm = jsm;
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
    const { servers, connection } = options;
    const where = [servers].flat().join(", ").replaceAll(/\/\/[^@/]*@/g, "//");
    let nc: NatsConnection;
    try {
      nc = await connect({
        maxReconnectAttempts: -1,
        reconnectTimeWait: 250,
        ...splitServers([servers].flat()),
        ...connection,
      });
    } catch (cause) {
      const name = (cause as Error | undefined)?.name;
      const cure = name === "ConnectionError" || name === "TimeoutError"
        ? " (start one with: nats-server -js)"
        : "";
      throw new Error(
        `Cannot connect to ${where} as a NATS server must answer there and let this program in: received ${
          nameThrown(cause)
        }${cure}`,
        { cause },
      );
    }
    try {
      const jsm = await jetstreamManager(nc);
      const opened = new Connection(options, where, nc, jsm);
      await opened.makeStreams();
      return opened;
    } catch (cause) {
      await nc.close();
      const off = (cause as Error | undefined)?.name === "JetStreamNotEnabled";
      throw new Error(
        `Cannot connect to ${where} as its JetStream must be on, and open to this program: received ${
          nameThrown(cause)
        }${off ? " (start it with: nats-server -js)" : ""}`,
        { cause },
      );
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

  /** Makes the streams, unless they are there, however they are kept. */
  async makeStreams(): Promise<void> {
    const { storage, replicas = 1 } = this.#options;
    const stream = (name: string, letter: string, age: number) =>
      this.jsm.streams.add({
        name,
        subjects: [this.subject(letter, ">")],
        retention: RetentionPolicy.Workqueue,
        storage: storage === "memory" ? StorageType.Memory : StorageType.File,
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

  /**
   * Publishes to a stream until the server has it, however long that takes: the
   * id keeps it from being there twice.
   *
   * @param subject Where to.
   * @param id What it is known by.
   * @param body Bytes of what `seal` made.
   * @param wanted Tells whether anybody still wants it.
   */
  async publish(
    subject: string,
    id: string,
    body: Uint8Array,
    wanted: () => boolean,
  ): Promise<void> {
    while (wanted() && !this.nc.isClosed()) {
      try {
        const options = { msgID: id, timeout: 5000 };
        const acked = this.js.publish(subject, body, options);
        acked.catch(() => {}); // heard below, unless the server came back
        // What was on its way to a server that ended is not heard of again.
        const lost = this.#back.promise;
        if (await Promise.race([acked, lost]) !== undefined) return;
      } catch (error) {
        if (isFinal(error)) throw error;
        await pause(this.down > 0 ? 250 : 100);
        // A server without its memory has no streams.
        if (this.down === 0) await this.makeStreams().catch(() => {});
      }
    }
  }

  /**
   * Puts a message in an envelope: one that is too large for the server stays in
   * its store, and its name goes.
   *
   * @param message Plain data.
   * @param name What it would be called there.
   * @returns What can be sent.
   */
  async seal(message: unknown, name: string): Promise<Uint8Array> {
    return await this.sealBytes(writeBytes(message), name);
  }

  /** The same for what is written. */
  async sealBytes(bytes: Uint8Array, name: string): Promise<Uint8Array> {
    const large = bytes.length > this.limit;
    if (large) {
      const store = await this.#open();
      await store.putBlob({ name }, bytes);
    }
    const rest = large ? new TextEncoder().encode(name) : bytes;
    const envelope = new Uint8Array(2 + rest.length);
    envelope[0] = WIRE_VERSION;
    envelope[1] = large ? 1 : 0;
    envelope.set(rest, 2);
    return envelope;
  }

  /**
   * Opens such an envelope.
   *
   * @param envelope What came.
   * @param keep Whether others may want to read it too.
   * @returns The message.
   * @throws When it cannot be read, or has another version.
   */
  async unseal(envelope: Uint8Array, keep: boolean): Promise<unknown> {
    const [version, large] = envelope;
    if (version !== WIRE_VERSION) {
      throw new TypeError(
        `messages must have version ${WIRE_VERSION}: received ${version}`,
      );
    }
    const rest = envelope.subarray(2);
    if (large === 0) return readBytes(rest);
    const name = new TextDecoder().decode(rest);
    const store = await this.#open();
    const bytes = await store.getBlob(name);
    if (bytes === null) throw new TypeError(`${name} is not in the store`);
    if (!keep) this.forget(name);
    return readBytes(bytes);
  }

  /** Takes what is large out of the store. */
  forget(name: string): void {
    this.#store?.then((store) => store.delete(name)).catch(() => {});
  }

  #open(): Promise<ObjectStore> {
    const { storage, replicas = 1 } = this.#options;
    return this.#store ??= new Objm(this.js).create(this.names.blobs, {
      storage: storage === "memory" ? StorageType.Memory : StorageType.File,
      replicas,
      ttl: nanos(24 * HOUR),
    }).catch((error) => {
      this.#store = undefined; // it may be there the next time
      throw error;
    });
  }

  /** Drops all that a client, or one of its runs, has in the streams. */
  async purge(client: string, run: string): Promise<void> {
    const purges = [["w", this.names.work], ["r", this.names.results]].map(
      ([letter, stream]) => {
        const filter = this.subject(letter!, client, run);
        return this.jsm.streams.purge(stream!, { filter });
      },
    );
    await Promise.all(purges);
  }

  /** Closes the connection. */
  async close(): Promise<void> {
    // To drain, it would wait for the server to come back.
    if (this.down === 0 && !this.nc.isClosed()) {
      await this.nc.drain().catch(() => {});
    }
    await this.nc.close();
  }
}
