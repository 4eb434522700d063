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

/** What envelopes are made with. */
export interface EnvelopesSetup {
  /** Opens the store; makes it, if it is not there. */
  store(): Promise<ObjectStore>;
  /** How many bytes one message may have. */
  limit(): number;
}

/** Puts messages in envelopes. */
export class Envelopes {
  readonly #setup: EnvelopesSetup;
  #store: Promise<ObjectStore> | undefined;

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
   * @returns What can be sent.
   */
  async seal(message: unknown, name: string): Promise<Uint8Array> {
    return await this.sealBytes(writeBytes(message), name);
  }

  /** The same for what is written. */
  async sealBytes(bytes: Uint8Array, name: string): Promise<Uint8Array> {
    const large = bytes.length > this.#setup.limit();
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
    return this.#store ??= this.#setup.store().catch((error) => {
      this.#store = undefined; // it may be there the next time
      throw error;
    });
  }
}
