/**
 * One machine of a pool: takes chunks when it has a slot for them, has them done
 * by workers of its own, and answers.
 *
 * @module
 */

import type { JsMsg } from "@nats-io/jetstream";
import { headers } from "@nats-io/transport-node";
import {
  type Clock,
  type Engine,
  engineHere,
  nameThrown,
  type WorkerPlan,
} from "@parallel/map/seam";
import type { PoolOptions } from "@parallel/map";
import { Answers } from "./answers.ts";
import { Callers } from "./callers.ts";
import { type Connection, NUMBER } from "./connection.ts";
import { StoreError } from "./envelopes.ts";
import { type Found, MachineRuns } from "./machine_runs.ts";
import { type Fill, MachineSlot } from "./machine_slot.ts";
import type { MachineInfo } from "./messages.ts";
import { LATER_MS, Patience, within } from "./waiting.ts";

/** How long a slot waits for a chunk before it asks again, in ms. */
const WAIT_MS = 5000;

/** How long the server may take to keep a chunk that is handed back, in ms. */
const HAND_BACK_MS = 1000;

/** What a machine is made of. */
export interface MachineSetup {
  connection: Connection;
  info: MachineInfo;
  /** Reads which version of the module is there now. */
  readFingerprint(): string | undefined;
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
  readonly #answers: Answers;
  readonly #slots: MachineSlot[];
  readonly #seen = new Set<Promise<void>>(); // chunks that are seen to
  /** Answers on their way, by their ids: a chunk that came twice has one. */
  readonly #delivered = new Map<string, Promise<void>>();
  readonly #patience = new Patience();
  #served: Promise<unknown> = Promise.resolve();
  #lives = 0; // of the server, as it was seen to come back
  /** One that finishes lets what runs end; of one that leaves it goes elsewhere. */
  #state: "serves" | "finishes" | "leaves" = "serves";
  #unanswered = 0; // chunks, of those that ran at the end
  #ended: Promise<void> | undefined;

  /** Takes no chunk yet. */
  constructor(setup: MachineSetup) {
    const { connection, info, pool, plan, clock, grace, attempts } = setup;
    this.#setup = setup;
    this.#slots = Array.from({ length: info.slots }, () => new MachineSlot());
    const ends = () => this.ends;
    this.#answers = new Answers({ connection, info, attempts, ends });
    const engine = engineHere(pool, clock, plan);
    const onGone = (client: string) => this.#runs.endAll(client);
    const look = (client: string) =>
      void this.#runs.look(client).catch(() => {}); // the next time
    const own = { connection, machine: info.id };
    const callers = new Callers({ ...own, grace, look, onGone });
    this.#callers = callers;
    this.#engine = engine;
    this.#runs = new MachineRuns({ ...setup, engine, callers });
  }

  /** Begins to take chunks. */
  async start(): Promise<void> {
    const { connection } = this.#setup;
    const { nc } = connection;
    await connection.streams.makeWork();
    nc.subscribe(connection.subject("hello"), {
      callback: (error, message) =>
        void (error ?? message.respond(this.#self())),
    });
    nc.subscribe(connection.subject("over"), {
      callback: (error, message) => {
        if (error === null) this.#runs.end(message.string());
      },
    });
    connection.onReconnect(() => {
      this.#lives++;
      for (const slot of this.#slots) slot.stop(false);
      this.#tell();
    });
    connection.onRefusal((error) => {
      console.error(
        `@parallel/map-nats: the server at ${connection.where} refuses this machine, which tries again: ${
          nameThrown(error)
        }`,
      );
    });
    await within(connection.serverTimeout, nc.flush(), "answer");
    this.#tell();
    this.#served = Promise.all(this.#slots.map((slot) => this.#serve(slot)));
  }

  /** What it says of itself; one that takes no more has no slots. */
  #self(): string {
    const { info } = this.#setup;
    return JSON.stringify(this.ends ? { ...info, slots: 0 } : info);
  }

  /** Tells all clients. */
  #tell(said: string = this.#self()): void {
    const { connection } = this.#setup;
    if (connection.nc.isClosed()) return;
    connection.nc.publish(connection.subject("here"), said);
  }

  /** Whether it takes no more. */
  get ends(): boolean {
    return this.#state !== "serves";
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
      this.#state = "leaves";
      this.#patience.limit(0);
      this.#runs.close();
    }
    return this.#ended ??= this.#end();
  }

  async #end(): Promise<void> {
    const { connection, info } = this.#setup;
    if (!this.ends) {
      this.#state = "finishes";
      this.#patience.limit(connection.serverTimeout);
    }
    this.#tell();
    for (const slot of this.#slots) slot.stop(true);
    await this.#served;
    await Promise.all(this.#seen);
    this.#runs.close();
    await this.#engine.close();
    this.#tell(JSON.stringify({ ...info, ends: true }));
    await connection.close();
    if (this.#unanswered === 0 || this.#state === "leaves") return;
    const { where, serverTimeout } = connection;
    throw new Error(
      `Cannot end in order as a server must take the results at ${where} within ${serverTimeout} ms ("serverTimeout"): it took none of ${this.#unanswered} chunks, which other machines do again, as after a kill`,
    );
  }

  /** One slot: takes one chunk after another. */
  async #serve(slot: MachineSlot): Promise<void> {
    const { connection } = this.#setup;
    const { js, names } = connection;
    while (!this.ends && !connection.nc.isClosed()) {
      try {
        const lives = this.#lives;
        const consumer = await js.consumers.get(names.work, "workers");
        // A server that came back without its memory has no such consumer, and
        // does not answer who asks it for a chunk.
        while (!this.ends && lives === this.#lives) {
          const message = await slot.next(() =>
            consumer.fetch({ max_messages: 1, expires: WAIT_MS })
          );
          if (message === undefined) continue;
          await slot.take((fill) => this.#take(message, fill));
        }
      } catch { // the server is away, or came back without its memory
        if (this.ends) return;
        await connection.pause(250);
        if (connection.down > 0) continue;
        await connection.streams.makeWork().catch(() => {});
      }
    }
  }

  /** Sees to a chunk, which is waited for at the end. */
  #take(message: JsMsg, fill: Fill): Promise<void> {
    const seen: Promise<void> = this.#see(message, fill)
      .finally(() => this.#seen.delete(seen));
    this.#seen.add(seen);
    return seen;
  }

  /** Sees to a chunk until it is answered, or goes elsewhere. */
  async #see(message: JsMsg, fill: Fill): Promise<void> {
    const { connection } = this.#setup;
    const [, , , client, run, ...more] = message.subject.split(".");
    if (!client || !run || more.length > 0) return message.ack(); // of no run
    const beat = setInterval(
      () => message.working(),
      connection.streams.ackWait / 3,
    );
    try {
      const found = await this.#find(client, run, fill);
      const answer = found === "silent"
        ? undefined
        : await this.#answers.to(message, found, fill);
      if (this.#state === "leaves" || found === "silent") {
        return await this.#handBack(message);
      }
      if (answer !== undefined) {
        await this.#deliver(message, client, run, answer);
        await this.#patience.wait(() => this.#clear(client, run));
      }
      message.ack();
    } catch (error) { // it comes again, here or elsewhere
      if (error instanceof StoreError) return message.ack(); // its client sends it again
      if (!connection.nc.isClosed()) message.nak(LATER_MS);
      if (this.ends) this.#unanswered++; // told at the end
      else console.error(`@parallel/map-nats: ${nameThrown(error)}`);
    } finally {
      clearInterval(beat);
    }
  }

  /**
   * Delivers an answer; if the server has no room for it, why there is none. Once:
   * of two that are put in the store at a time by one name, nobody would take out
   * the parts of the first.
   */
  async #deliver(
    message: JsMsg,
    client: string,
    run: string,
    answer: Uint8Array,
  ): Promise<void> {
    const { connection, info } = this.#setup;
    // Of two answers with the same id the server keeps one.
    const id = `${message.headers?.get("Nats-Msg-Id")}.${info.id}`;
    const subject = connection.subject("r", client, run);
    const patience = connection.serverTimeout;
    // As this machine ends, its runs do too, but not for their clients.
    const isOver = () =>
      this.#state !== "leaves" && !this.#runs.has(client, run);
    const send = (answer: Uint8Array) =>
      this.#patience.wait((waits) => {
        const wanted = () => waits() && !isOver();
        const seal = () =>
          connection.envelopes.sealBytes(answer, `a.${id}`, wanted);
        return connection.publish(subject, { id, seal, wanted, patience });
      });
    const delivered = this.#delivered.get(id) ??
      send(answer).catch(async (error) => {
        if (this.ends) throw error; // another machine does it again
        await send(this.#answers.unsent(message, error));
      }).finally(() => this.#delivered.delete(id));
    this.#delivered.set(id, delivered);
    await delivered;
  }

  /**
   * Hands a chunk back as this machine ends in order: as a new message, since a
   * nak counts like a machine that was lost under it.
   */
  async #handBack(message: JsMsg): Promise<void> {
    const { connection, info } = this.#setup;
    const own = headers();
    own.set(NUMBER, message.headers?.get(NUMBER) ?? "");
    const msgID = `${message.headers?.get("Nats-Msg-Id")}.${info.id}`;
    const how = { headers: own, msgID, timeout: HAND_BACK_MS };
    try {
      await connection.js.publish(message.subject, message.data, how);
      message.ack();
    } catch {
      message.nak(); // the server is away
    }
  }

  /** Takes an answer away that nobody may be there for any more. */
  async #clear(client: string, run: string): Promise<void> {
    const { connection } = this.#setup;
    // What is left there expires in an hour.
    if (this.#callers.gone(client)) {
      await connection.drop(client).catch(() => {});
    } else if (this.#state !== "leaves" && !this.#runs.has(client, run)) {
      // It ended meanwhile. Its client may have left before the answer came.
      this.#callers.watch(client);
      await connection.drop(client, run).catch(() => {});
    }
  }

  /**
   * Finds the run of a chunk. It keeps the chunk while its client says nothing:
   * who hands it back is counted by the server as lost under it.
   *
   * @param fill Told that it fills nothing meanwhile.
   * @returns The run; "silent" if this machine ends before the client speaks.
   */
  async #find(client: string, run: string, fill: Fill): Promise<Found> {
    const { connection } = this.#setup;
    while (true) {
      const found = await this.#patience.wait(() =>
        this.#runs.find(client, run)
      );
      const ends = this.ends || connection.nc.isClosed();
      if (found !== "silent" || ends) return found;
      fill(0, Infinity);
      await connection.pause(LATER_MS);
    }
  }
}
