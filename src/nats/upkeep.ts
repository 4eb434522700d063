/**
 * What a client sees to while its runs go on: that there are machines and a
 * server, and that what it waits for is still under way.
 *
 * @module
 */

import { nameThrown } from "@parallel/map/seam";
import type { ClientRun, OpenChunk } from "./client_run.ts";
import type { Connection } from "./connection.ts";
import { LostChunks } from "./lost_chunks.ts";
import type { Machines } from "./machines.ts";
import { WIRE_VERSION } from "./messages.ts";

/** How often it looks, in ms. */
const LOOK_MS = 1000;

/** After how many ms without an answer it asks the server what it still has. */
const QUIET_MS = 2000;

/**
 * After how many ms it asks all the same: the answers that come may be those of
 * other runs. No bench: three questions, beside hundreds of answers.
 */
const STALE_MS = 5000;

/** What upkeep is made with. */
export interface UpkeepSetup {
  connection: Connection;
  machines: Machines;
  client: string;
  books: ReadonlyMap<string, ClientRun>;
  workerTimeout: number;
  /** Forgets a chunk that is given up. */
  forget(key: string, chunk: OpenChunk): void;
  /** Sends a chunk again. */
  send(key: string, chunk: OpenChunk): void;
  /** Ends all runs, as no machine can serve them. */
  refuse(error: Error): void;
  /** Told when chunks were given up. */
  onGivenUp(): void;
}

/** Looks after the runs of a client. */
export class Upkeep {
  readonly #setup: UpkeepSetup;
  readonly #lost: LostChunks;
  #timer: ReturnType<typeof setInterval> | undefined;
  #alone = 0; // since when there is no machine
  #heard = 0; // when the last answer came, or the question was put
  #asked = 0; // when the question was last put
  #spoke = 0; // when the server last said something, or a run began
  #mute: number | undefined; // since when the server says nothing, though it is there
  #there = 0; // when the server last was, though it may have no JetStream
  #asksThere = false;

  /** Does nothing yet. */
  constructor(setup: UpkeepSetup) {
    this.#setup = setup;
    this.#lost = new LostChunks(setup);
    setup.connection.onReconnect(() => this.#wonder());
  }

  /** There is a server again: does it have all? */
  #wonder(): void {
    this.#asked = -Infinity;
  }

  /** Begins, unless it has. */
  begin(): void {
    if (this.#timer !== undefined) return;
    this.#alone = this.#heard = this.#asked = performance.now();
    this.speaks(); // what was asked for runs before does not count
    this.#setup.machines.look();
    this.#timer = setInterval(() => this.#look(), LOOK_MS);
  }

  /** There is nothing to see to. */
  end(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.#lost.forget();
  }

  /** An answer came. */
  heard(): void {
    this.#heard = performance.now();
    this.speaks();
  }

  /** The server said something. */
  speaks(): void {
    this.#spoke = performance.now();
    this.#mute = undefined;
  }

  /**
   * Waits until there is a machine.
   *
   * @param closed Tells whether nobody waits any more.
   * @throws {Error} When none comes in time, or no server is there for too long.
   */
  async waitForMachine(closed: () => boolean): Promise<void> {
    const { connection, machines } = this.#setup;
    let alone = this.#there = performance.now();
    while (machines.slots === 0) {
      machines.look();
      const isSilent = this.#isSilent();
      await new Promise((resolve) => setTimeout(resolve, 50));
      const { down, serverTimeout } = connection;
      const now = performance.now();
      const away = down || now - this.#there;
      if (away >= serverTimeout) throw this.#noServer();
      if (down > 0) this.#there = now; // that is told otherwise
      if (down > 0 || isSilent) alone = now;
      if (closed() || this.#isLate(alone)) throw this.#nobody();
    }
  }

  /** Asks whether the server is there; says whether it has not said so for long. */
  #isSilent(): boolean {
    const { connection: { nc, answerTimeout } } = this.#setup;
    if (!this.#asksThere) {
      this.#asksThere = true;
      nc.flush().then(
        () => this.#there = performance.now(),
        () => {}, // it has gone
      ).finally(() => this.#asksThere = false);
    }
    return performance.now() - this.#there > answerTimeout;
  }

  /** Whether no machine came in time, while a server was there that would tell. */
  #isLate(alone: number): boolean {
    return this.#there - alone > this.#setup.workerTimeout;
  }

  #look(): void {
    const { connection, machines, refuse } = this.#setup;
    const now = performance.now();
    // A server that is there again is asked first: the last question may have been
    // lost with the one before it.
    const wonders = this.#asked === -Infinity;
    const mute = wonders || this.#mute === undefined ? 0 : now - this.#mute;
    const away = connection.down || mute;
    if (away >= connection.serverTimeout) return refuse(this.#noServer());
    if (connection.down > 0) {
      this.#alone = this.#heard = now;
      return;
    }
    const isMute = this.#mute !== undefined ||
      machines.none && this.#isSilent();
    if (!machines.none || isMute) this.#alone = now;
    else if (this.#isLate(this.#alone)) return refuse(this.#nobody());
    // Without a machine, more often: somebody waits for it.
    if (machines.slots === 0) machines.look();
    const isFresh = now - this.#asked < STALE_MS;
    if (isFresh && now - this.#heard < QUIET_MS) return;
    this.#heard = this.#asked = now;
    this.#sendLost().then(
      () => this.speaks(),
      () => { // the next look comes; one question alone may be lost
        if (this.#spoke <= now) this.#mute ??= now;
      },
    );
  }

  #noServer(): Error {
    const { where, serverTimeout, refusal } = this.#setup.connection;
    const why = refusal === undefined ? "" : `: ${nameThrown(refusal)}`;
    return new Error(
      `a server must answer at ${where}, and of a cluster more than half: received none for ${serverTimeout} ms ("serverTimeout")${why}`,
      { cause: refusal },
    );
  }

  #nobody(): Error {
    const { connection: { pool, where }, machines, workerTimeout } =
      this.#setup;
    const others = machines.strangers.length === 0
      ? "none"
      : `machines that speak version ${
        machines.strangers.join(", ")
      } of its messages, and this program ${WIRE_VERSION} (use the same version of @parallel/map-nats everywhere)`;
    const cure = machines.strangers.length === 0
      ? ` (start one: deno run -A jsr:@parallel/map-nats/worker --servers ${where} --pool ${pool} ./work.ts)`
      : "";
    return new Error(
      `there must be a machine in pool "${pool}" at ${where}: received ${others} within ${workerTimeout} ms${cure}`,
    );
  }

  /** Sends again what the server has lost. */
  async #sendLost(): Promise<void> {
    const { lost, isShort } = await this.#lost.find();
    for (const [key, chunk] of lost) this.#again(key, chunk);
    if (isShort) this.#wonder(); // soon again
  }

  #again(key: string, chunk: OpenChunk): void {
    const { books, send, forget, onGivenUp } = this.#setup;
    const book = books.get(key);
    if (book?.open.get(chunk.number) !== chunk) return; // answered meanwhile
    if (!book.giveUp(chunk)) return send(key, chunk);
    forget(key, chunk);
    onGivenUp();
  }
}
