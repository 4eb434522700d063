/**
 * Bytes become lines.
 *
 * @module
 */

/** How many characters a string has at most in V8; Bun could have more. */
const LONGEST = 2 ** 29 - 24;

/**
 * Cuts bytes into lines. `\n` and `\r\n` end a line, or any other separator
 * alone. A byte order mark at the start is left out, and bytes that are not
 * UTF-8 become U+FFFD.
 */
export class LineSplitter {
  readonly #separator: string;
  readonly #keepsReturn: boolean;
  // Where a mark comes in parts, what leaves out the one at the start also leaves
  // out another: on Deno 2.9.5 any, on Node.js 24 the next.
  readonly #decoder = new TextDecoder("utf-8", { ignoreBOM: true });
  #begun = false;
  #text = "";
  #at = 0; // where the next line starts in the text
  #held: string[] = []; // parts of a line that goes on in the next bytes
  #heldLength = 0;
  readonly #longest: number;
  #bytes = 0; // of which the text is

  /**
   * Begins with no bytes.
   *
   * @param separator What ends a line: one character.
   * @param keepsReturn Whether `\r` before it is part of the line.
   * @param longest How many characters a line may have.
   */
  constructor(separator = "\n", keepsReturn = false, longest = LONGEST) {
    this.#separator = separator;
    this.#keepsReturn = keepsReturn;
    this.#longest = longest;
  }

  /**
   * Takes more bytes, once `next` has given all lines of the last ones.
   *
   * @param bytes The next ones.
   */
  push(bytes: Uint8Array): void {
    this.#bytes = bytes.length;
    this.#text = this.#decoder.decode(bytes, { stream: true });
    this.#at = !this.#begun && this.#text.startsWith("\ufeff") ? 1 : 0;
    this.#begun ||= this.#text !== "";
  }

  /**
   * Gives the next line.
   *
   * @returns The line without its end; undefined when more bytes are needed.
   * @throws {RangeError} When a line is too long, wherever its end may be.
   */
  next(): string | undefined {
    const end = this.#text.indexOf(this.#separator, this.#at);
    if (end < 0) {
      if (this.#at < this.#text.length) this.#hold();
      return undefined;
    }
    const line = this.#text.slice(this.#at, end);
    this.#at = end + 1;
    return this.#join(line);
  }

  /**
   * Ends the bytes.
   *
   * @returns The last line, where no line end followed it.
   */
  end(): string | undefined {
    this.#text = this.#decoder.decode();
    this.#at = 0;
    this.#hold();
    const line = this.#join("");
    return line === "" ? undefined : line;
  }

  /** About how many of the bytes were not given yet as lines. */
  get unread(): number {
    const { length } = this.#text;
    let characters = length - this.#at;
    for (const part of this.#held) characters += part.length;
    return length === 0 ? characters : characters * this.#bytes / length;
  }

  #hold(): void {
    const part = this.#text.slice(this.#at);
    this.#at = this.#text.length;
    this.#heldLength += part.length;
    if (this.#heldLength > this.#longest) {
      throw new RangeError(`more than ${this.#longest} characters`);
    }
    this.#held.push(part);
  }

  #join(end: string): string {
    let line = end;
    if (this.#held.length > 0) {
      line = this.#held.join("") + end;
      this.#held = [];
      this.#heldLength = 0;
    }
    return this.#separator === "\n" && !this.#keepsReturn &&
        line.endsWith("\r")
      ? line.slice(0, -1)
      : line;
  }
}
