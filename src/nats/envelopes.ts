/**
 * Messages as what is sent: a version before them; and of one that is too large
 * for the server its name in the store of the server, where it is.
 *
 * @module
 */

import type { ObjectStore } from "@nats-io/obj";
import { readBytes } from "./byte_reader.ts";
import { writeBytes } from "./byte_writer.ts";
import { WIRE_VERSION } from "./messages.ts";
import { within } from "./waiting.ts";

/** Bytes that are put in the store at a time: it keeps them in such parts. */
const PART = 1 << 17;

/** What is large cannot be read now: its store is away, or has lost it. */
export class StoreError extends Error {
  /** Names what caused it. */
  constructor(name: string, cause: unknown) {
    super(`${name} must be in the store of the server`, { cause });
    this.name = "StoreError";
  }
}

/** What envelopes are made with. */
export interface EnvelopesSetup {
  /** Opens the store; makes it, if it is not there. */
  store(): Promise<ObjectStore>;
  /** Opens it if it is there. */
  find(): Promise<ObjectStore | undefined>;
  /** Names of what is there. */
  names(): Promise<string[]>;
  /** Takes something out of it. */
  takeOut(store: ObjectStore, name: string): Promise<void>;
  /** How many bytes one message may have. */
  limit(): number;
  /** How long the store may be silent, in ms. */
  timeout: number;
}

/** Puts messages in envelopes. */
export class Envelopes {
  readonly #setup: EnvelopesSetup;
  #store: Promise<ObjectStore> | undefined;
  /** What is being put in the store, or taken out of it. */
  readonly #begun = new Set<Promise<unknown>>();

  /** Opens no store yet. */
  constructor(setup: EnvelopesSetup) {
    this.#setup = setup;
  }

  /**
   * Puts a message in an envelope: one that is too large for the server stays in
   * its store, and its name goes.
   *
   * @param message Plain data.
   * @param name What it would be called there.
   * @param wanted Whether anybody waits for it: if not, nothing of it is left there.
   * @param most Bytes that are sent otherwise, if not as many as the server takes.
   * @returns What can be sent.
   * @throws When nobody does any more, or the store does not take it.
   */
  async seal(
    message: unknown,
    name: string,
    wanted?: () => boolean,
    most?: number,
  ): Promise<Uint8Array> {
    return await this.sealBytes(writeBytes(message), name, wanted, most);
  }

  /** The same for what is written. */
  async sealBytes(
    bytes: Uint8Array,
    name: string,
    wanted = (): boolean => true,
    most = Infinity,
  ): Promise<Uint8Array> {
    const large = bytes.length > Math.min(most, this.#setup.limit());
    if (large) {
      const store = await this.#open();
      const put = store.put({ name }, partsOf(bytes, wanted));
      await this.#note(put).catch((error) => {
        if (wanted()) this.#store = undefined; // a server without its memory has none
        throw error;
      });
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
   * @throws {StoreError} When the store says nothing, or has it no more.
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
    const bytes = await this.#read(name).catch((cause) => {
      this.#store = undefined; // a server without its memory has none
      throw new StoreError(name, cause);
    });
    if (!keep) this.forget(name);
    return readBytes(bytes);
  }

  /** Reads what is in the store; it would wait without end for the rest. */
  async #read(name: string): Promise<Uint8Array> {
    const { timeout } = this.#setup;
    const store = await this.#open();
    const found = await within(2 * timeout, store.get(name), "answer");
    if (found === null) throw new Error("received nothing");
    found.error.catch(() => {}); // its stream says the same
    const reader = found.data.getReader();
    const parts: Uint8Array<ArrayBuffer>[] = [];
    try {
      while (true) {
        const part = await within(timeout, reader.read(), "part of it");
        if (part.done) break;
        parts.push(part.value as Uint8Array<ArrayBuffer>);
      }
    } finally {
      await reader.cancel().catch(() => {}); // of one that failed
    }
    return new Uint8Array(await new Blob(parts).arrayBuffer());
  }

  /** Nobody will open an envelope: takes what is large of it out of the store. */
  async drop(envelope: Uint8Array): Promise<void> {
    if (envelope[0] !== WIRE_VERSION || envelope[1] !== 1) return;
    const name = new TextDecoder().decode(envelope.subarray(2));
    await this.#note(this.#setup.takeOut(await this.#open(), name));
  }

  /** Takes what is large out of the store. */
  forget(name: string): void {
    const gone = this.#store?.then((store) => this.#setup.takeOut(store, name));
    if (gone !== undefined) this.#note(gone).catch(() => {});
  }

  /** Takes all out of the store that is of one client, or an answer to it. */
  async dropAll(client: string): Promise<void> {
    const { find, names, takeOut } = this.#setup;
    const store = await find();
    if (store === undefined) return;
    for (const name of await names()) {
      if (name.split(".")[1] !== client) continue;
      await this.#note(takeOut(store, name)).catch(() => {}); // by another
    }
  }

  /** Waits until what was begun has ended, and what followed on that, a while. */
  async settled(): Promise<void> {
    const { timeout } = this.#setup;
    while (this.#begun.size > 0) {
      const all = Promise.allSettled(this.#begun);
      const ended = await within(timeout, all, "end").catch(() => undefined);
      if (ended === undefined) return;
      await new Promise((resolve) => setTimeout(resolve)); // who waits for it
    }
  }

  #note<T>(begun: Promise<T>): Promise<T> {
    const ended = () => void this.#begun.delete(begun);
    this.#begun.add(begun);
    begun.then(ended, ended);
    return begun;
  }

  #open(): Promise<ObjectStore> {
    return this.#store ??= this.#setup.store().catch((error) => {
      this.#store = undefined; // it may be there the next time
      throw error;
    });
  }
}

/** What is put, as long as anybody wants it: the store drops it if it fails. */
function partsOf(
  bytes: Uint8Array,
  wanted: () => boolean,
): ReadableStream<Uint8Array> {
  let at = 0;
  return new ReadableStream({
    pull(controller) {
      if (!wanted()) throw new Error("nobody waits for it any more");
      if (at >= bytes.length) return controller.close();
      controller.enqueue(bytes.subarray(at, at += PART));
    },
  });
}
