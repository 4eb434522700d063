/**
 * What a machine answers: has the tasks of a chunk done, and says what became of
 * them.
 *
 * @module
 */

import type { JsMsg } from "@nats-io/jetstream";
import type { Parcel } from "@parallel/map/seam";
import { writeBytes } from "./byte_writer.ts";
import { type Connection, NUMBER } from "./connection.ts";
import type { Done } from "./deliveries.ts";
import { StoreError } from "./envelopes.ts";
import {
  type Encode,
  encodeCause,
  encodeFailure,
  encodeWritable,
} from "./failures.ts";
import { MachineRun } from "./machine_run.ts";
import type { Found } from "./machine_runs.ts";
import type { Fill } from "./machine_slot.ts";
import { checkChunk, checkPacked, checkValues } from "./message_checks.ts";
import {
  type AnswerMessage,
  type ChunkMessage,
  type MachineInfo,
  type Problem,
  wire,
} from "./messages.ts";
import { writeParcel } from "./parcels.ts";
import { Turns } from "./turns.ts";
import { LATER_MS } from "./waiting.ts";

/** How often a chunk is looked for in a store that is there. */
const MOST_READS = 3;

/** What answers are made with. */
export interface AnswersSetup {
  connection: Connection;
  info: MachineInfo;
  /** Machines that may be lost under a chunk. */
  attempts: number;
  /** Whether the machine takes no more. */
  ends(): boolean;
}

/** Makes answers. */
export class Answers {
  readonly #setup: AnswersSetup;
  readonly #turns = new Turns();

  /** Has nothing done yet. */
  constructor(setup: AnswersSetup) {
    this.#setup = setup;
  }

  /**
   * Has a chunk done.
   *
   * @param message What came.
   * @param found The run it is of.
   * @param fill Told what it fills, once its tasks may begin.
   * @returns The answer, written; undefined if nobody wants it.
   * @throws {StoreError} When the store of the server has it no more.
   */
  async to(
    message: JsMsg,
    found: Exclude<Found, "silent">,
    fill: Fill,
  ): Promise<Uint8Array | undefined> {
    const { info, attempts } = this.#setup;
    if (found === "over") return undefined;
    const machine = info.id;
    let number = numberOf(message);
    const run = found instanceof MachineRun ? found : undefined;
    const deliveries = message.info.deliveryCount;
    // Before it is read, as that may be what ends machines.
    if (deliveries > attempts && run?.running(number) === undefined) {
      const lost = { type: "lost", number, machine };
      return writeBytes({ ...lost, deliveries: deliveries - 1 });
    }
    let chunk: ChunkMessage;
    let values: ArrayLike<unknown>;
    try {
      chunk = checkChunk(await this.#read(message));
      ({ number } = chunk);
      checkPacked(chunk.values);
      values = wire.packing.unpack(chunk.values);
      checkValues(chunk, values);
    } catch (thrown) {
      if (thrown instanceof StoreError) throw thrown;
      return this.#unread(number, thrown);
    }
    if (run !== undefined) {
      const done = await (run.running(number) ??
        this.#run(run, chunk, values, fill));
      if (done !== undefined) return this.#write(number, done);
    }
    const refusal = found instanceof Error ? found : found.refusal;
    if (refusal === undefined) return undefined;
    const problem = {
      message: `${refusal.message} (on ${info.name})`,
      cause: encodeCause(refusal.cause, encodeWritable),
      init: (refusal as { init?: Problem["init"] }).init,
    };
    return writeBytes({ type: "refused", number, machine, problem });
  }

  /** Says that the answer to a chunk could not be delivered, and why. */
  unsent(message: JsMsg, thrown: unknown): Uint8Array {
    return this.#unread(numberOf(message), thrown);
  }

  #unread(number: number, thrown: unknown): Uint8Array {
    const error = encodeWritable(thrown);
    const machine = this.#setup.info.id;
    return writeBytes({ type: "unread", number, machine, error });
  }

  /** Reads a chunk. A store that is away for a moment is asked again. */
  async #read({ data }: JsMsg): Promise<unknown> {
    const { connection } = this.#setup;
    for (let reads = 1;;) {
      try {
        return await connection.envelopes.unseal(data, true);
      } catch (error) {
        const isAway = error instanceof StoreError && !this.#setup.ends();
        if (!isAway || reads >= MOST_READS) throw error;
        if (connection.down === 0) reads++;
        await connection.pause(LATER_MS);
      }
    }
  }

  /** Has a chunk done in its turn. */
  async #run(
    run: MachineRun,
    chunk: ChunkMessage,
    values: ArrayLike<unknown>,
    fill: Fill,
  ): Promise<Done | undefined> {
    await this.#turns.enter(chunk.alone);
    fill(values.length, chunk.alone ? 1 : run.lanes);
    try {
      return await run.add(chunk, values);
    } finally {
      this.#turns.leave();
    }
  }

  /** Writes what became of a chunk; what cannot be written fails its task. */
  #write(number: number, done: Done): Uint8Array {
    const messageOf = (parcel: Parcel, encode: Encode) =>
      this.#answer(number, done, parcel, encode);
    return writeParcel(done.results, messageOf).body;
  }

  #answer(
    number: number,
    { pieces, failures, tracks, ms }: Done,
    { packed, refused, bytes }: Parcel,
    encode: Encode,
  ): AnswerMessage {
    return {
      type: "done",
      number,
      machine: this.#setup.info.id,
      pieces,
      values: packed,
      refused: [...refused].map((
        [at, { reason, cause }],
      ) => [at, reason, encodeCause(cause, encode)]),
      failures: failures.map((
        [at, failure, worker],
      ) => [at, encodeFailure(failure, encode), worker]),
      ms,
      bytes,
      tracks,
    };
  }
}

/** The number of a chunk, also of one that is not read. */
function numberOf({ headers }: JsMsg): number {
  return Number(headers?.get(NUMBER));
}
