/**
 * Lets results out in the order of their inputs.
 *
 * @module
 */

/** How much may wait for an input that takes long: results, and characters. */
const MOST_RESULTS = 100_000;
const MOST_CHARACTERS = 1 << 26;

/** Holds what came early. */
export class Turnstile {
  readonly #out: (text: string) => void;
  readonly #ordered: boolean;
  readonly #early = new Map<number, string | undefined>();
  #characters = 0;
  #next = 0;
  #wake: (() => void) | undefined;

  /**
   * Makes a turnstile.
   *
   * @param ordered Whether it holds anything at all.
   * @param out Takes each result in its turn.
   */
  constructor(ordered: boolean, out: (text: string) => void) {
    this.#ordered = ordered;
    this.#out = out;
  }

  /** Whether no more inputs should be started for now. */
  get full(): boolean {
    return this.#early.size > MOST_RESULTS ||
      this.#characters > MOST_CHARACTERS;
  }

  /**
   * Takes what became of an input; each index comes once.
   *
   * @param index Position of the input, from 0.
   * @param text Its result; undefined when it has none.
   */
  put(index: number, text: string | undefined): void {
    if (!this.#ordered) {
      if (text !== undefined) this.#out(text);
      return;
    }
    if (index !== this.#next) {
      this.#early.set(index, text);
      this.#characters += text?.length ?? 0;
      return;
    }
    if (text !== undefined) this.#out(text);
    this.#next++;
    while (this.#early.size > 0 && this.#early.has(this.#next)) {
      const text = this.#early.get(this.#next);
      this.#early.delete(this.#next++);
      if (text === undefined) continue;
      this.#characters -= text.length;
      this.#out(text);
    }
    if (this.#wake !== undefined && !this.full) {
      this.#wake();
      this.#wake = undefined;
    }
  }

  /**
   * Waits until it is not full.
   *
   * @returns Settled when there is room.
   */
  async room(): Promise<void> {
    if (this.full) await new Promise<void>((wake) => this.#wake = wake);
  }
}
