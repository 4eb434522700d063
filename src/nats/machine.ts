/**
 * One machine of a pool: takes chunks when it has a slot for them, has them done
 * by workers of its own, and answers.
 *
 * @module
 */

import type { JsMsg } from "@nats-io/jetstream";
import {
  type Clock,
  type Engine,
  engineHere,
  nameThrown,
  type WorkerPlan,
} from "@parallel/map/seam";
import type { PoolOptions } from "@parallel/map";
import { Callers } from "./callers.ts";
import type { Connection } from "./connection.ts";
import type { Done } from "./deliveries.ts";
import { StoreError } from "./envelopes.ts";
import { encodeCause, encodeFailure } from "./failures.ts";
import { Turns } from "./turns.ts";
import { MachineRun } from "./machine_run.ts";
import { type Found, MachineRuns } from "./machine_runs.ts";
import {
  type AnswerMessage,
  type ChunkMessage,
  encodeThrown,
  type MachineInfo,
  type Problem,
  wire,
} from "./messages.ts";
import { Patience, within } from "./waiting.ts";

/** How long a slot waits for a chunk before it asks again, in ms. */
const WAIT_MS = 5000;

/** How long until a chunk is looked at again that cannot be done now, in ms. */
const LATER_MS = 500;

/** What a machine is made of. */
export interface MachineSetup {
  connection: Connection;
  info: MachineInfo;
  /** Options of the workers here. */
  pool: PoolOptions;
  plan: WorkerPlan;
  clock: Clock;
  attempts: number;
  grace: number;
}

/** One machine of a pool. */
export class Machine {
  readonly #setup: MachineSetup;
  readonly #engine: Engine;
  readonly #callers: Callers;
  readonly #runs: MachineRuns;
  readonly #turns = new Turns();
  readonly #waits = new Set<() => void>();
  readonly #patience = new Patience();
  #slots: Promise<unknown> = Promise.resolve();
  #lives = 0; // of the server, as it was seen to come back
  #ends = false;
  #hurries = false; // what runs goes elsewhere
  #unanswered = 0; // chunks, of those that ran at the end
  #ended: Promise<void> | undefined;

  /** Takes no chunk yet. */
  constructor(setup: MachineSetup) {
    const { connection, info, pool, plan, clock, grace } = setup;
    this.#setup = setup;
    const engine = engineHere(pool, false, clock, plan);
    const onGone = (client: string) => this.#runs.endAll(client);
    const callers = new Callers({ connection, grace, onGone });
    this.#callers = callers;
    this.#engine = engine;
    this.#runs = new MachineRuns({ info, clock, engine, callers });
  }

  /** Begins to take chunks. */
  async start(): Promise<void> {
    const { connection, info } = this.#setup;
    const { nc } = connection;
    await connection.makeWorkConsumer();
    const tell = () => JSON.stringify(info);
    nc.subscribe(connection.subject("hello"), {
      callback: (error, message) => void (error ?? message.respond(tell())),
    });
    nc.subscribe(connection.subject("over"), {
      callback: (error, message) => {
        if (error === null) this.#runs.end(message.string());
      },
    });
    connection.onReconnect(() => {
      this.#lives++;
      for (const stop of this.#waits) stop();
      nc.publish(connection.subject("here"), tell());
    });
    await within(connection.serverTimeout, nc.flush(), "answer");
    nc.publish(connection.subject("here"), tell());
    const slots = Array.from({ length: info.slots }, () => this.#serve());
    this.#slots = Promise.all(slots);
  }

  /**
   * Takes no more, lets what runs end, and ends all workers.
   *
   * @param finish Whether what runs ends first; otherwise it goes elsewhere.
   * @returns Settled when nothing is left of it here.
   * @throws {Error} When the server did not take all answers within
   * `serverTimeout`: what they are of goes elsewhere too.
   */
  end(finish = true): Promise<void> {
    if (!finish) {
      this.#ends = this.#hurries = true;
      this.#patience.limit(0);
      this.#runs.close();
    }
    return this.#ended ??= this.#end();
  }

  async #end(): Promise<void> {
    const { connection, info } = this.#setup;
    this.#ends = true;
    if (!this.#hurries) this.#patience.limit(connection.serverTimeout);
    if (!connection.nc.isClosed()) {
      const bye = JSON.stringify({ ...info, ends: true });
      connection.nc.publish(connection.subject("here"), bye);
    }
    for (const stop of this.#waits) stop();
    await this.#slots;
    this.#runs.close();
    await this.#engine.close();
    await connection.close();
    if (this.#unanswered === 0 || this.#hurries) return;
    const { where, serverTimeout } = connection;
    throw new Error(
      `Cannot end in order as a server must take the results at ${where} within ${serverTimeout} ms ("serverTimeout"): it took none of ${this.#unanswered} chunks, which other machines do again, as after a kill`,
    );
  }

  /** One slot: takes one chunk after another. */
  async #serve(): Promise<void> {
    const { connection } = this.#setup;
    const { js, names } = connection;
    while (!this.#ends && !connection.nc.isClosed()) {
      try {
        const lives = this.#lives;
        const consumer = await js.consumers.get(names.work, "workers");
        // A server that came back without its memory has no such consumer, and
        // does not answer who asks it for a chunk.
        while (!this.#ends && lives === this.#lives) {
          const message = await this.#next(() =>
            consumer.fetch({ max_messages: 1, expires: WAIT_MS })
          );
          if (message !== undefined) await this.#take(message);
        }
      } catch { // the server is away, or came back without its memory
        if (this.#ends) return;
        await connection.pause(250);
        if (connection.down > 0) continue;
        await connection.makeWorkConsumer().catch(() => {});
      }
    }
  }

  /** Waits for a chunk; undefined if none came. */
  async #next(
    fetch: () => Promise<AsyncIterable<JsMsg> & { close(): Promise<unknown> }>,
  ): Promise<JsMsg | undefined> {
    const messages = await fetch();
    const stop = () => void messages.close().catch(() => {});
    this.#waits.add(stop);
    if (this.#ends) stop();
    try {
      for await (const message of messages) return message;
    } finally {
      this.#waits.delete(stop);
    }
    return undefined;
  }

  /** Sees to a chunk until it is answered, or can go elsewhere. */
  async #take(message: JsMsg): Promise<void> {
    const { connection, info, attempts } = this.#setup;
    const patience = this.#patience;
    const [, , , client = "", run = ""] = message.subject.split(".");
    const beat = setInterval(() => message.working(), connection.ackWait / 3);
    try {
      const found = await patience.wait(() => this.#runs.find(client, run));
      const answer = this.#hurries ? "later" : await this.#work(message, found);
      if (this.#hurries) return message.nak();
      if (answer === "later") return message.nak(LATER_MS);
      if (answer !== undefined) {
        // Of two answers with the same id the server keeps one.
        const id = `${message.headers?.get("Nats-Msg-Id")}.${info.id}`;
        const seal = () => connection.envelopes.seal(answer, `a.${id}`);
        const subject = connection.subject("r", client, run);
        await patience.wait((waits) =>
          connection.publish(subject, id, seal, waits)
        );
        if (this.#callers.gone(client)) {
          await patience.wait(() => connection.drop(client));
        } else if (!this.#hurries && !this.#runs.has(client, run)) {
          // It ended meanwhile. Its client may have left before the answer came.
          this.#callers.watch(client);
          await patience.wait(() =>
            connection.drop(client, run).catch(() => {})
          );
        }
      }
      message.ack();
    } catch (error) { // it comes again, here or elsewhere
      const isLost = error instanceof StoreError &&
        message.info.deliveryCount >= attempts;
      if (isLost) return message.ack(); // its client sends it again
      if (!connection.nc.isClosed()) message.nak(LATER_MS);
      if (this.#ends) this.#unanswered++; // told at the end
      else console.error(`@parallel/map-nats: ${nameThrown(error)}`);
    } finally {
      clearInterval(beat);
    }
  }

  /** Has a chunk done; undefined if nobody wants it. */
  async #work(
    message: JsMsg,
    found: Found,
  ): Promise<AnswerMessage | "later" | undefined> {
    const { connection, info, attempts } = this.#setup;
    if (found === "over") return undefined;
    if (found === "silent") return "later";
    const machine = info.id;
    let number = 0;
    let chunk: ChunkMessage;
    let values: ArrayLike<unknown>;
    try {
      chunk = await connection.envelopes.unseal(
        message.data,
        true,
      ) as ChunkMessage;
      ({ number } = chunk);
      values = wire.packing.unpack(chunk.values);
    } catch (thrown) {
      if (thrown instanceof StoreError) throw thrown;
      return { type: "unread", number, machine, error: encodeThrown(thrown) };
    }
    const deliveries = message.info.deliveryCount;
    if (deliveries > attempts) {
      return { type: "lost", number, machine, deliveries: deliveries - 1 };
    }
    if (found instanceof MachineRun) {
      await this.#turns.enter(chunk.alone);
      const done = await Promise.resolve(found.add(chunk, values))
        .finally(() => this.#turns.leave());
      if (done === "busy") return "later";
      if (done !== undefined) return this.#answer(number, done);
    }
    const refusal = found instanceof Error ? found : found.refusal;
    if (refusal === undefined) return undefined;
    const problem = {
      message: `${refusal.message} (on ${info.name})`,
      cause: encodeCause(refusal.cause),
      init: (refusal as { init?: Problem["init"] }).init,
    };
    return { type: "refused", number, machine, problem };
  }

  #answer(number: number, done: Done): AnswerMessage {
    const { pieces, results, failures, tracks, ms } = done;
    const { packed, refused, bytes } = wire.packing.pack(results, false);
    return {
      type: "done",
      number,
      machine: this.#setup.info.id,
      pieces,
      values: packed,
      refused: [...refused].map((
        [at, { reason, cause }],
      ) => [at, reason, encodeCause(cause)]),
      failures: failures.map(([at, failure]) => [at, encodeFailure(failure)]),
      ms,
      bytes,
      tracks,
    };
  }
}
