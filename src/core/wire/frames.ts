/**
 * Messages as bytes, for workers that share no memory with the caller: a frame
 * is a message as the engine of the runtime writes it, with a sign that it is
 * one, and its length, before it. Both ends are the same runtime, of the same version.
 *
 * @module
 */

/** What is needed of `node:v8`. */
export interface V8 {
  serialize(value: unknown): Uint8Array;
  deserialize(bytes: Uint8Array): unknown;
  Serializer: new () => {
    writeRawBytes(bytes: Uint8Array): void;
    writeHeader(): void;
    writeValue(value: unknown): void;
    releaseBuffer(): Uint8Array;
    /** Makes what is thrown for a value that cannot be cloned. */
    _getDataCloneError: (message: string) => Error;
  };
  Deserializer: new (bytes: Uint8Array) => {
    readHeader(): void;
    readValue(): unknown;
  };
}

/** How values get to a worker whose memory is its own. */
export interface Crossing {
  /** Copies a value as it would arrive; throws if it would not. */
  clone(value: unknown): unknown;
}

/** Turns messages into bytes and back. */
export interface Frames extends Crossing {
  /**
   * Writes a message.
   *
   * @param message Plain data.
   * @returns The bytes of its frame, in one or two parts.
   * @throws When it cannot be cloned.
   */
  write(message: unknown): Uint8Array[];
  /** Reads a message: what is in a frame behind the length. */
  read(bytes: Uint8Array): unknown;
  /**
   * Makes what finds the frames among bytes that come in parts of any size.
   *
   * @param onFrame Called with the bytes behind the length of each frame, which
   * are to be read at once. When what came is no frame, called with no bytes, which
   * `read` refuses, and never again.
   * @returns Takes the next bytes.
   */
  split(onFrame: (bytes: Uint8Array) => void): (bytes: Uint8Array) => void;
}

/**
 * Makes it. Self-contained: workers get this function by its source.
 *
 * @param v8 The module `node:v8`.
 * @returns What writes and reads frames.
 */
export function createFrames(
  { serialize, deserialize, Serializer, Deserializer }: V8,
): Frames {
  const HEAD = 8; // bytes of the sign and the length, unsigned numbers
  // So that what a task writes there by mistake is not waited for as a message.
  const SIGN = 0x9e3779b9;
  const LONGEST = 0xffffffff;
  // Bytes up to which a copy costs less than a second write.
  const SHORT = 1 << 16;
  // Bun 1.4.5 has no Serializer. That of V8 is asked for itself, as
  // `serialize` cuts views out of their buffers, and reads them as views of the
  // whole frame.
  const { process } = globalThis as unknown as {
    process: { versions: { bun?: string } };
  };
  const bare = process.versions.bun !== undefined; // and not by a shim

  function putLength(head: Uint8Array, length: number): void {
    if (length > LONGEST) {
      throw new RangeError(`a message must be shorter than ${LONGEST} bytes`);
    }
    const view = new DataView(head.buffer, head.byteOffset);
    view.setUint32(0, SIGN, true);
    view.setUint32(4, length, true);
  }

  /** Called with `new`, and without. */
  function refusal(message: string): Error {
    return new DOMException(message, "DataCloneError");
  }

  function write(message: unknown): Uint8Array[] {
    if (bare) {
      const body = serialize(message);
      const short = body.length <= SHORT;
      const head = new Uint8Array(HEAD + (short ? body.length : 0));
      putLength(head, body.length);
      if (!short) return [head, body];
      head.set(body, HEAD);
      return [head];
    }
    const serializer = new Serializer();
    serializer._getDataCloneError = refusal;
    serializer.writeRawBytes(new Uint8Array(HEAD)); // for the length
    serializer.writeHeader();
    serializer.writeValue(message);
    const bytes = serializer.releaseBuffer();
    putLength(bytes, bytes.length - HEAD);
    return [bytes];
  }

  function read(bytes: Uint8Array): unknown {
    if (bytes.length === 0) throw new TypeError("no frame"); // Bun reads null
    if (bare) return deserialize(bytes);
    const deserializer = new Deserializer(bytes);
    deserializer.readHeader();
    return deserializer.readValue();
  }

  function split(
    onFrame: (bytes: Uint8Array) => void,
  ): (bytes: Uint8Array) => void {
    const head = new Uint8Array(HEAD);
    let frame: Uint8Array | undefined; // the rest of it is still to come
    let have = 0; // bytes of the frame, or of the head
    let broken = false;

    /** Room for a frame; undefined for what is none. */
    function begin(length: number): Uint8Array | undefined {
      try {
        return new Uint8Array(length);
      } catch {
        return undefined; // more than there can be
      }
    }

    return (bytes) => {
      for (let at = 0; at < bytes.length && !broken;) {
        const to = frame ?? head;
        const part = bytes.subarray(at, at + to.length - have);
        to.set(part, have);
        at += part.length;
        have += part.length;
        if (have < to.length) return;
        have = 0;
        if (frame !== undefined) {
          const whole = frame;
          frame = undefined;
          onFrame(whole);
          continue;
        }
        const view = new DataView(head.buffer);
        const length = view.getUint32(4, true);
        const isFrame = view.getUint32(0, true) === SIGN;
        if (isFrame && bytes.length - at >= length) {
          onFrame(bytes.subarray(at, at += length)); // without a copy
          continue;
        }
        frame = isFrame ? begin(length) : undefined;
        if (frame !== undefined) continue;
        broken = true;
        onFrame(new Uint8Array(0));
      }
    };
  }

  return {
    write,
    read,
    split,
    clone(value) {
      const parts = write(value);
      return read(parts[1] ?? parts[0]!.subarray(HEAD));
    },
  };
}
