/**
 * Results of calls that have ended while their chunk has not: the engine brings
 * a chunk when its last call has ended, and that may take long. Each worker also
 * writes its results to memory that this thread reads where one is late.
 *
 * @module
 */

/**
 * Bytes of one outbox. With less, results of a chunk are late that do not fit;
 * with 2 MB, a call of a trivial function took 0.4 µs more, as they are not in
 * the cache (bench/cli_lines.ts).
 */
const OUTBOX_BYTES = 1 << 19;

/**
 * Int32s before the entries: how often it began anew, which it does with each
 * worker as well, and where it ends.
 */
const HEAD = 2;

/** Int32s before the text of an entry: the index of its task, and its bytes. */
const ENTRY = 2;

/** Writes an entry: the index of a task, and its result. */
export type WriteEntry = (index: number, text: string) => void;

/**
 * Makes outboxes, without taking memory before they are used.
 *
 * @param workers How many workers will be up at once.
 * @returns Two for each number of a worker, one after the other: those that come
 * in its place take them in turn.
 */
export function createOutboxes(workers: number): SharedArrayBuffer[] {
  return Array.from(
    { length: 2 * workers },
    () => new SharedArrayBuffer(OUTBOX_BYTES),
  );
}

/**
 * Opens an outbox in the worker that writes it. Self-contained: workers get
 * this function by its source.
 *
 * @param memory The outbox.
 * @returns Writes an entry. Where there is no room, it begins anew.
 */
export function openOutbox(memory: SharedArrayBuffer): WriteEntry {
  const [head, entry] = [2, 2]; // HEAD, ENTRY
  const words = new Int32Array(memory);
  const bytes = new Uint8Array(memory);
  const encoder = new TextEncoder();
  let at = head;
  let times = beginAnew();

  function beginAnew(): number {
    at = head;
    Atomics.store(words, 1, at);
    return Atomics.add(words, 0, 1) + 1;
  }

  return (index, text) => {
    // It is that of another worker: this one was given up, and its call ends late.
    if (Atomics.load(words, 0) !== times) return;
    // UTF-8 takes three bytes a character at most.
    const room = entry + Math.ceil(3 * text.length / 4);
    if (at + room > words.length) {
      if (head + room > words.length) return; // then it comes with its chunk
      times = beginAnew();
    }
    const from = 4 * (at + entry);
    let count = 0;
    // Most results are short and plain: faster than to call the encoder.
    while (count < text.length && count < 64) {
      const code = text.charCodeAt(count);
      if (code > 127) break;
      bytes[from + count++] = code;
    }
    if (count < text.length) {
      const rest = bytes.subarray(from, from + 3 * text.length);
      count = encoder.encodeInto(text, rest).written;
    }
    words[at] = index;
    words[at + 1] = count;
    at += entry + Math.ceil(count / 4);
    Atomics.store(words, 1, at); // now it can be read
  };
}

/** Reads an outbox in the thread that wants its results. */
export class OutboxReader {
  readonly #words: Int32Array;
  readonly #bytes: Uint8Array;
  /** How often it had begun anew, where reading goes on, and where it ends. */
  #seen = { times: 0, from: HEAD, to: HEAD };

  /**
   * Opens an outbox.
   *
   * @param memory The outbox.
   */
  constructor(memory: SharedArrayBuffer) {
    this.#words = new Int32Array(memory);
    this.#bytes = new Uint8Array(memory);
  }

  /**
   * Reads the results that stood there at the last call already, and are still
   * wanted. What is newer is left for the next call: its chunk may bring it until
   * then.
   *
   * @param isLate Whether the result of a task is wanted.
   * @returns Those results that are.
   */
  readLate(
    isLate: (index: number) => boolean,
  ): { index: number; text: string }[] {
    const { times, from, to } = this.#seen;
    const found: { index: number; text: string }[] = [];
    for (let at = from; at < to;) {
      const [index, count] = [this.#words[at]!, this.#words[at + 1]!];
      if (count < 0) break; // it is being written over
      if (isLate(index)) {
        const start = 4 * (at + ENTRY);
        // A copy: a decoder refuses memory that is shared.
        const bytes = this.#bytes.slice(start, start + count);
        found.push({ index, text: new TextDecoder().decode(bytes) });
      }
      at += ENTRY + Math.ceil(count / 4);
    }
    const now = Atomics.load(this.#words, 0);
    const end = Math.max(HEAD, Atomics.load(this.#words, 1)); // 0 before any
    const isSame = now === times;
    this.#seen = { times: now, from: isSame ? to : HEAD, to: end };
    // It began anew while it was read, or before: nothing of that is certain.
    return isSame ? found : [];
  }
}
