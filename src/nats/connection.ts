/**
 * The connection to the servers of a pool: whether there is one, and how what is
 * sent gets to it.
 *
 * @module
 */

import {
  jetstream,
  type JetStreamClient,
  type JetStreamManager,
  jetstreamManager,
  type JetStreamPublishOptions,
} from "@nats-io/jetstream";
import { connect, headers, type NatsConnection } from "@nats-io/transport-node";
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
import { withoutConsumers } from "./store_client.ts";
import { Streams } from "./streams.ts";
import { Uplink } from "./uplink.ts";
import { Pauses, SILENT_MS, within } from "./waiting.ts";

quietSockets();

/** Bytes of a message beside its body: the subject, headers and what is ours. */
const MARGIN = 4096;

/** Bytes of a message at most, where the server does not say. */
const LIMIT = 1 << 20;

/** The header with the number of a chunk: who cannot read it says of which. */
export const NUMBER = "Pm-Chunk";

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
  /** Number of the chunk that it is. */
  number?: number;
  /** Puts it in an envelope: what is large goes to the store. */
  seal(): Promise<Uint8Array>;
  /** Tells whether anybody still wants it. */
  wanted(): boolean;
  /** How many ms a server that is there may refuse it; by default without end. */
  patience?: number;
}

/** A connection to the servers of one pool. */
export class Connection {
  readonly pool: string;
  /** What is made there. */
  readonly streams: Streams;
  /** Where the servers are, for messages. */
  readonly where: string;
  readonly nc: NatsConnection;
  readonly js: JetStreamClient;
  readonly jsm: JetStreamManager;
  /** How messages of any size get across. */
  readonly envelopes: Envelopes;
  readonly #options: ClusterOptions;
  readonly #pauses = new Pauses();
  readonly #uplink: Uplink;
  #limit = LIMIT;
  #downSince: number | undefined;
  #refusal: Error | undefined; // of the server that came back
  readonly #refusals = new Set<(error: Error) => void>();
  readonly #reconnects = new Set<() => void>();

  private constructor(
    options: ClusterOptions,
    nc: NatsConnection,
    jsm: JetStreamManager,
  ) {
    this.#options = options;
    this.where = showServers(options.servers);
    this.pool = options.pool;
    this.streams = new Streams(options, jsm);
    this.nc = nc;
    this.js = jetstream(nc);
    this.jsm = jsm;
    this.#uplink = new Uplink(nc, this.js);
    const stores = new Objm(
      withoutConsumers(
        this.js,
        (subject, part = "", options) =>
          this.#uplink.send(
            part.length,
            () => this.#uplink.publish(subject, part, options),
          ),
      ),
    );
    this.envelopes = new Envelopes({
      store: () => stores.create(this.names.blobs, this.streams.storeOptions),
      find: () => stores.open(this.names.blobs).catch(() => undefined),
      names: () => this.streams.storedNames(),
      takeOut: (store, name) => this.streams.takeOut(store, name),
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
        // Else it gives up for good when a server refuses it twice, as one does
        // that begins before its passwords are there.
        ignoreAuthErrorAbort: true,
        ...connectionOptions(options),
      });
    } catch (cause) {
      throw connectError(options, cause);
    }
    try {
      const jsm = await jetstreamManager(nc);
      const opened = new Connection(options, nc, jsm);
      await opened.streams.make();
      await opened.streams.checkReplicas();
      return opened;
    } catch (cause) {
      await nc.close();
      throw streamError(options, cause);
    }
  }

  /** Notices how long there has been no server. */
  async #watch(): Promise<void> {
    for await (const status of this.nc.status()) {
      const { type } = status;
      if (type === "disconnect") this.#downSince ??= performance.now();
      if (type === "error" && this.down > 0) this.#refused(status.error);
      if (type !== "reconnect") continue;
      this.#downSince = this.#refusal = undefined;
      for (const listener of this.#reconnects) listener();
    }
  }

  /** The server that came back does not let this program in. */
  #refused(error: Error): void {
    if (this.#refusal !== undefined) return; // told
    this.#refusal = error;
    for (const listener of this.#refusals) listener(error);
  }

  /** Tells, once each time, that the server which came back lets nobody in. */
  onRefusal(listener: (error: Error) => void): void {
    this.#refusals.add(listener);
  }

  /** Why the server that came back lets nobody in; undefined if none said so. */
  get refusal(): Error | undefined {
    return this.#refusal;
  }

  /** Tells when there is a server again. */
  onReconnect(listener: () => void): void {
    this.#reconnects.add(listener);
  }

  /** Settles when it is closed, by whom and for what reason ever. */
  get closed(): Promise<Error | undefined> {
    return this.nc.closed().then((error) => error ?? undefined);
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

  /** The streams of chunks and of answers, and the store of what is large. */
  get names(): Streams["names"] {
    return this.streams.names;
  }

  /** A subject of this pool. */
  subject(kind: string, ...parts: (string | number)[]): string {
    return this.streams.subject(kind, ...parts);
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
    { id, number, seal, wanted, patience = Infinity }: Posted,
  ): Promise<void> {
    const own = headers();
    if (number !== undefined) own.set(NUMBER, String(number));
    let body: Uint8Array | undefined;
    let failing: number | undefined; // since when
    while (wanted() && !this.nc.isClosed()) {
      try {
        body ??= await seal();
        if (!wanted()) return; // any more
        const options = { msgID: id, timeout: SILENT_MS, headers: own };
        const sealed = body;
        const isThere = await this.#uplink.send(
          sealed.length,
          async () =>
            !wanted() || await this.#publishOnce(subject, sealed, options),
        );
        if (isThere) return;
      } catch (error) {
        if (!wanted()) return;
        if (isFinal(error)) throw error;
        failing = this.down > 0 ? undefined : failing ?? performance.now();
        if (performance.now() - (failing ?? Infinity) > patience) {
          throw this.#untaken(error);
        }
        await this.#pauses.pause(this.down > 0 ? 250 : 100);
        // A server without its memory has no streams.
        if (this.down === 0) await this.streams.make().catch(() => {});
      }
    }
  }

  /**
   * Publishes once.
   *
   * @returns Whether the server has it; false if there was another one
   * meanwhile: what was on its way to the first is not heard of again.
   */
  async #publishOnce(
    subject: string,
    body: Uint8Array,
    options: Partial<JetStreamPublishOptions>,
  ): Promise<boolean> {
    const { promise: back, resolve } = Promise.withResolvers<false>();
    const wake = () => resolve(false);
    // No promise that all wait for: it would keep a bit of each until it settles.
    this.#reconnects.add(wake);
    try {
      const acked = this.#uplink.publish(subject, body, options)
        .then(() => true);
      acked.catch(() => {}); // heard below, unless the server came back
      return await Promise.race([acked, back]);
    } finally {
      this.#reconnects.delete(wake);
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
   * Drops what a client, or one of its runs, has in the streams, and what of that
   * is in the store.
   */
  async drop(client: string, run = "*"): Promise<void> {
    await this.streams.drop(
      client,
      run,
      // It may be there no more; and it expires in a day.
      (data) => this.envelopes.drop(data).catch(() => {}),
    );
    // What its runs bring along, and chunks that somebody has, are named nowhere.
    if (run === "*") await this.envelopes.dropAll(client);
  }

  /** Waits for so many ms, but not longer than until it is closed. */
  pause(ms: number): Promise<void> {
    return this.#pauses.pause(ms);
  }

  /** Closes the connection. */
  async close(): Promise<void> {
    // To drain, it would wait for the server to come back, or to say something.
    if (this.down === 0 && !this.nc.isClosed()) {
      await this.envelopes.settled();
      await within(this.answerTimeout, this.nc.drain(), "end").catch(() => {});
    }
    await this.nc.close();
    this.#pauses.end();
  }
}
