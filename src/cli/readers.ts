/**
 * Where inputs come from, one text after another; and several at a time.
 *
 * @module
 */

/** Reads the texts of inputs. */
export interface Reader {
  /** Gives the next of those that were read; undefined: call `fill`. */
  next(): string | undefined;
  /** Reads more; false at the end. */
  fill(): Promise<boolean>;
  /** In which line of its file the last one was, from 1. */
  readonly line: number;
  /** In which file, if there are several. */
  readonly file: string | undefined;
  /** How many there are, where it is known before all are read. */
  readonly total: number | undefined;
  /** Which share of all bytes was read, from 0 to 1, where that is known. */
  readonly share: number | undefined;
}

/** Reads the arguments of the command. */
export class ArgumentReader implements Reader {
  readonly file = undefined;
  readonly share = undefined;
  line = 0;
  readonly #values: string[];

  constructor(values: string[]) {
    this.#values = values;
  }

  get total(): number {
    return this.#values.length;
  }

  next(): string | undefined {
    return this.#values[this.line++];
  }

  fill(): Promise<boolean> {
    return Promise.resolve(false);
  }
}

/** Reads batches: the JSON of the texts of several inputs. */
export class BatchReader implements Reader {
  readonly #reader: Reader;
  readonly #most: number;
  #texts: string[] = [];
  #isEnd = false;
  /** Why no more can be read. */
  #failure: { error: unknown } | undefined;
  line = 0;
  file: string | undefined;

  constructor(reader: Reader, most: number) {
    this.#reader = reader;
    this.#most = most;
  }

  get total(): number | undefined {
    const { total } = this.#reader;
    return total && Math.ceil(total / this.#most);
  }

  get share(): number | undefined {
    return this.#reader.share;
  }

  next(): string | undefined {
    while (this.#failure === undefined && this.#texts.length < this.#most) {
      try {
        const text = this.#reader.next();
        if (text === undefined) break;
        if (this.#texts.push(text) === 1) {
          this.line = this.#reader.line;
          this.file = this.#reader.file;
        }
      } catch (error) {
        this.#fail(error);
      }
    }
    const { length } = this.#texts;
    if (length === 0 && this.#failure !== undefined) throw this.#failure.error;
    if (length === 0 || (length < this.#most && !this.#isEnd)) return undefined;
    const texts = this.#texts;
    this.#texts = [];
    return JSON.stringify(texts);
  }

  async fill(): Promise<boolean> {
    if (this.#isEnd) return false;
    try {
      this.#isEnd = !await this.#reader.fill();
    } catch (error) {
      this.#fail(error);
    }
    return !this.#isEnd || this.#texts.length > 0;
  }

  /** What was read before an error is a batch, too: the error comes after it. */
  #fail(error: unknown): void {
    if (this.#texts.length === 0) throw error;
    this.#failure = { error };
    this.#isEnd = true;
  }
}
