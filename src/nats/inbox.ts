/**
 * What a client hears: the answers to its chunks, and the questions of machines
 * what its runs are.
 *
 * @module
 */

import type { Msg } from "@nats-io/transport-node";
import type { Connection } from "./connection.ts";
import { StoreError } from "./envelopes.ts";
import type { AnswerMessage, CallMessage, Question } from "./messages.ts";
import { LATER_MS, within } from "./waiting.ts";

/**
 * Bytes in which machines are told what a run is: from there on it is uploaded
 * once for all of them. With more, a slow line takes longer than they wait; with
 * less, more calls wait some ms for the store. No bench.
 */
const MOST_SAID = 1 << 20;

/**
 * The same once those are spent: what is no larger is still said as it is, and not
 * uploaded.
 */
const SMALL = 1 << 16;

/** How often an answer is looked for in the store. */
const MOST_READS = 3;

/**
 * How it asks for answers. When another server of a cluster takes over what hands
 * them out, the question is forgotten: it is put again when the server was silent
 * twice. By default that takes 30 s; less than a second or two is less than an
 * answer may be on its way when all are busy. If there is nothing that hands them
 * out, as this program stood still for long, it is made again.
 */
const ASKED = {
  max_messages: 200,
  expires: 10_000,
  idle_heartbeat: 2000,
  abort_on_missing_resource: true,
};

/** What a client is told. */
export interface InboxSetup {
  connection: Connection;
  /** Id of the client. */
  client: string;
  /** Says what a run is. */
  describe(run: string): CallMessage;
  /** Takes an answer. */
  hear(run: string, answer: AnswerMessage): void;
}

/** What is said of a run. */
interface Said {
  /** Settles when the server has of it what is large. */
  readonly sealed: Promise<Uint8Array>;
  /** Whether it has. */
  at: "leaving" | "there";
  /** Machines that asked when it was there: those were told in time. */
  readonly told: Set<string>;
  /** Bytes in which it may be said, until it is put in the store. */
  left: number;
}

/** Hears for a client. */
export class Inbox {
  readonly #setup: InboxSetup;
  /** What was said of runs. */
  readonly #calls = new Map<string, Said>();
  #closed = false;
  #stop: () => void = () => {};

  /** Hears nothing yet. */
  constructor(setup: InboxSetup) {
    this.#setup = setup;
  }

  /** Begins to listen. */
  async open(): Promise<void> {
    const { connection, client } = this.#setup;
    const { nc } = connection;
    await connection.streams.makeResults(client);
    nc.subscribe(connection.subject("call", client), {
      callback: (error, question) => {
        if (error === null) void this.#reply(question);
      },
    });
    connection.onReconnect(() => this.#stop());
    this.#listen();
  }

  /** Hears no more, and takes what it had there away. */
  async close(): Promise<void> {
    const { connection, client } = this.#setup;
    const { jsm, names, down, answerTimeout } = connection;
    this.#closed = true;
    this.#stop();
    if (down > 0) return; // the server does so by itself, after a while
    const asked = jsm.consumers.delete(names.results, client)
      .catch(() => {}) // it is not there
      .then(() => connection.envelopes.settled())
      // Of what was sent twice there may be a second answer.
      .then(() => connection.drop(client));
    // Of a server that says nothing, machines take what it had there away.
    await within(answerTimeout, asked, "end").catch(() => {});
  }

  /** Says what a run is, to who knows it only whether it goes on. */
  async #reply(question: Msg): Promise<void> {
    const { connection, describe } = this.#setup;
    // Older machines do not say who they are: they count as one.
    const [run = "", had, machine = "", ms] = question.string().split(" ") as [
      string?,
      Question["had"]?,
      string?,
      string?,
    ];
    try {
      const call = describe(run);
      const said = call.type === "over" || had !== "all"
        ? call
        : { type: "on" } as const;
      question.respond(
        said.type !== "call"
          ? await connection.envelopes.seal(said, "")
          : await this.#inTime(
            this.#sealed(run, call, machine, had === "lost"),
            ms === undefined ? Infinity : Number(ms) / 2,
          ),
      );
    } catch {
      // The server is away: the machine asks again.
    }
  }

  /**
   * Waits for what a run is. A machine that hears nothing meanwhile takes this
   * client for gone after a while.
   */
  async #inTime(
    sealed: Promise<Uint8Array>,
    ms: number,
  ): Promise<Uint8Array> {
    if (ms === Infinity) return await sealed; // it knows nothing else
    const { envelopes } = this.#setup.connection;
    const { promise, resolve } = Promise.withResolvers<Uint8Array>();
    const later = () => resolve(envelopes.seal({ type: "later" }, ""));
    const timer = setTimeout(later, ms);
    try {
      return await Promise.race([sealed, promise]);
    } finally {
      clearTimeout(timer);
    }
  }

  /** Seals what a run is: where that was said too often, so that it is short. */
  async #sealed(
    run: string,
    call: CallMessage,
    machine: string,
    lost: boolean,
  ): Promise<Uint8Array> {
    for (let isLost = lost;; isLost = false) {
      const said = this.#saidOf(run, call, machine, isLost);
      const sealed = await said.sealed;
      said.left -= sealed.length;
      if (said.left >= 0 || !this.#calls.has(run)) return sealed;
    }
  }

  /**
   * Seals what a run is, once: what it brings along may be large. And again when
   * the store has lost it. While that takes longer than a machine waits for an
   * answer, it asks for it again and again, and may miss that it is there: so may
   * another machine that was not told of it yet.
   */
  #saidOf(
    run: string,
    call: CallMessage,
    machine: string,
    lost: boolean,
  ): Said {
    const { connection, client } = this.#setup;
    const known = this.#calls.get(run);
    const isLost = lost && known?.told.has(machine);
    if (known !== undefined && !isLost && known.left >= 0) {
      if (known.at === "there") known.told.add(machine);
      return known;
    }
    const wanted = () => !this.#closed && this.#calls.has(run);
    const name = `c.${client}.${run}`;
    const most = known === undefined ? MOST_SAID : SMALL;
    const sealed = connection.envelopes.seal(call, name, wanted, most);
    const left = MOST_SAID;
    const said: Said = { sealed, at: "leaving", told: new Set(), left };
    this.#calls.set(run, said);
    sealed.then(
      () => said.at = "there",
      () => { // tried the next time
        if (this.#calls.get(run) === said) this.#calls.delete(run);
      },
    );
    return said;
  }

  /** A run is over: takes out of the store what it was. */
  forget(run: string): void {
    const { connection, client } = this.#setup;
    const forget = () => connection.envelopes.forget(`c.${client}.${run}`);
    this.#calls.get(run)?.sealed.then(forget, () => {}); // it may be on its way there
    this.#calls.delete(run);
  }

  async #listen(): Promise<void> {
    const { connection, client } = this.#setup;
    const { js, names, nc } = connection;
    while (!this.#closed && !nc.isClosed()) {
      try {
        const consumer = await js.consumers.get(names.results, client);
        const messages = await consumer.consume(ASKED);
        this.#stop = () => void messages.close().catch(() => {});
        if (this.#closed) this.#stop();
        for await (const message of messages) {
          const run = message.subject.split(".")[4] ?? "";
          try {
            const answer = await connection.envelopes.unseal(
              message.data,
              false,
            );
            this.#setup.hear(run, answer as AnswerMessage);
          } catch (error) {
            const { deliveryCount } = message.info;
            if (error instanceof StoreError && deliveryCount < MOST_READS) {
              message.nak(LATER_MS);
              continue;
            }
            // Nobody can read it, or not now. What it was about is sent again.
          }
          message.ack();
        }
      } catch { // the server is away, or came back without its memory
        await connection.pause(250);
      }
      if (this.#closed || connection.down > 0) continue;
      await connection.streams.makeResults(client).catch(() => {});
    }
  }
}
