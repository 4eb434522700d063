/**
 * Finds the chunks that the server has lost: a stream keeps a message until it is
 * acked, so what it had and is neither there nor answered is lost.
 *
 * @module
 */

import type { ClientRun, OpenChunk } from "./client_run.ts";
import type { Connection } from "./connection.ts";

/** What lost chunks are found with. */
export interface LostChunksSetup {
  connection: Connection;
  client: string;
  books: ReadonlyMap<string, ClientRun>;
}

/** Chunks that are lost, each with the key of its run. */
export interface LostFound {
  lost: [key: string, chunk: OpenChunk][];
  /** Whether there may be more, of which the next question tells. */
  isShort: boolean;
}

/** Finds lost chunks. */
export class LostChunks {
  readonly #setup: LostChunksSetup;
  #short = new Set<OpenChunk>(); // of runs of which the server had too little

  /** Has asked nothing yet. */
  constructor(setup: LostChunksSetup) {
    this.#setup = setup;
  }

  /** The next question is the first. */
  forget(): void {
    this.#short.clear();
  }

  /**
   * Asks the server how much it has of each run. Of a run that was short twice in
   * a row, all is lost that it had both times and is not answered, whatever was
   * answered meanwhile.
   *
   * @returns What is lost.
   * @throws When the server does not answer.
   */
  async find(): Promise<LostFound> {
    const sent = this.#sent(); // before it is asked
    const kept = await this.#kept();
    const short = new Set<OpenChunk>();
    const lost: LostFound["lost"] = [];
    for (const [key, { open }] of this.#setup.books) {
      const chunks = [...open.values()].filter((chunk) => sent.has(chunk));
      if ((kept.get(key) ?? 0) >= chunks.length) continue;
      for (const chunk of chunks) {
        if (this.#short.has(chunk)) lost.push([key, chunk]);
        else short.add(chunk);
      }
    }
    this.#short = short;
    return { lost, isShort: short.size > 0 };
  }

  /** The chunks that the server is known to have had. */
  #sent(): Set<OpenChunk> {
    const sent = new Set<OpenChunk>();
    for (const { open } of this.#setup.books.values()) {
      for (const chunk of open.values()) {
        if (chunk.at === "sent") sent.add(chunk);
      }
    }
    return sent;
  }

  /** How many chunks and answers of each run the server has. */
  async #kept(): Promise<Map<string, number>> {
    const { connection, client } = this.#setup;
    const { jsm, names, streams } = connection;
    const kept = new Map<string, number>();
    let answers = 0;
    let first = Infinity; // number of a message of work
    for (const [letter, stream] of [["w", names.work], ["r", names.results]]) {
      const filter = connection.subject(letter!, client, ">");
      const info = await jsm.streams.info(stream!, { subjects_filter: filter })
        .catch(async (error) => {
          if (error?.code !== 10059) throw error;
          await streams.make(); // the server lost its memory
          return undefined;
        });
      const { subjects = {}, first_seq = Infinity } = info?.state ?? {};
      if (letter === "w") first = first_seq;
      for (const [subject, count] of Object.entries(subjects)) {
        const key = subject.split(".")[4]!;
        if (letter === "r") answers += count;
        kept.set(key, (kept.get(key) ?? 0) + count);
      }
    }
    // One that was killed may keep messages that it never hands out again.
    const { chunks, floor = 0 } = await streams.workLeft() ?? {};
    if (first <= floor) {
      for (const [key, count] of kept) {
        const subject = connection.subject("w", client, key);
        kept.set(key, count - await streams.chunksUntil(floor, subject));
      }
    }
    const idle = answers === 0 && chunks === 0; // it knows of none at all
    return idle ? new Map() : kept;
  }
}
