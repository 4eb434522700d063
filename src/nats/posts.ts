/**
 * What a client posts: its chunks, each until the server has it.
 *
 * @module
 */

import type { ClientRun, OpenChunk } from "./client_run.ts";
import type { Connection } from "./connection.ts";

/** What posts are made with. */
export interface PostsSetup {
  connection: Connection;
  /** Id of the client. */
  client: string;
  books: ReadonlyMap<string, ClientRun>;
  /** Told when the server has taken a chunk. */
  onTaken(): void;
  /** Told when a run was ended, as the server does not take its chunks. */
  onEnd(run: ClientRun["run"]): void;
}

/** Posts chunks. */
export class Posts {
  readonly #setup: PostsSetup;

  /** Has posted nothing yet. */
  constructor(setup: PostsSetup) {
    this.#setup = setup;
  }

  /**
   * Posts a chunk, also one that was posted before; not one that is being posted,
   * which may take long where it is large.
   *
   * @param key Number of its run.
   * @param open The chunk.
   */
  async post(key: string, open: OpenChunk): Promise<void> {
    const { connection, client, books, onTaken, onEnd } = this.#setup;
    if (open.at === "leaving") return;
    const { number, body } = open;
    const book = books.get(key);
    const wanted = () => book?.open.get(number) === open;
    const id = `${client}.${key}.${number}.${++open.sends}`;
    const seal = () => {
      open.large ||= body.length > connection.limit;
      const name = this.#nameOf(key, open);
      return connection.envelopes.sealBytes(body, name, wanted);
    };
    open.at = "leaving";
    try {
      const subject = connection.subject("w", client, key);
      const posted = { id, number, seal, wanted };
      const patience = connection.serverTimeout;
      await connection.publish(subject, { ...posted, patience });
      open.at = "sent";
      onTaken();
      if (!wanted()) this.forget(key, open); // it came to the store meanwhile
    } catch (error) {
      if (book === undefined) return;
      book.run.stop(error);
      onEnd(book.run);
    }
  }

  /** Takes out of the store what a chunk has there. */
  forget(key: string, open: OpenChunk): void {
    if (!open.large) return;
    this.#setup.connection.envelopes.forget(this.#nameOf(key, open));
  }

  #nameOf(key: string, { number }: OpenChunk): string {
    return `w.${this.#setup.client}.${key}.${number}`;
  }
}
