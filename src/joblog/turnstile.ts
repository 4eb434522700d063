/**
 * Puts outcomes in the order of their inputs.
 *
 * @module
 */

/**
 * How many outcomes, or how many characters of results, may wait for an earlier
 * one that takes long. Fewer, and the workers have nothing to do the sooner;
 * more take more memory. Set by that memory; no bench.
 */
const MOST_OUTCOMES = 100_000;
const MOST_CHARACTERS = 1 << 26;

/** An outcome that waits, and how long its result is. */
interface Early<V> {
  outcome: V;
  characters: number;
}

/** Lets outcomes out in the order of their inputs: those that come early wait. */
export class Turnstile<V> {
  readonly #out: (outcome: V) => void;
  readonly #ordered: boolean;
  readonly #early = new Map<number, Early<V>>();
  #characters = 0;
  #turn = 0;
  #wake: (() => void) | undefined;

  /**
   * Makes a turnstile.
   *
   * @param ordered Whether outcomes wait; if not, each goes out as it comes.
   * @param out Takes each outcome in its turn.
   */
  constructor(ordered: boolean, out: (outcome: V) => void) {
    this.#ordered = ordered;
    this.#out = out;
  }

  /** Whether no more inputs should be started for now. */
  get full(): boolean {
    return this.#early.size > MOST_OUTCOMES ||
      this.#characters > MOST_CHARACTERS;
  }

  /**
   * Takes the outcome of an input; each index comes once.
   *
   * @param index Position of the input, from 0.
   * @param outcome What became of it.
   * @param characters How long its result is.
   */
  put(index: number, outcome: V, characters: number): void {
    if (!this.#ordered) return this.#out(outcome);
    if (index !== this.#turn) {
      this.#early.set(index, { outcome, characters });
      this.#characters += characters;
      return;
    }
    this.#out(outcome);
    this.#turn++;
    while (this.#early.size > 0) {
      const next = this.#early.get(this.#turn);
      if (next === undefined) break;
      this.#early.delete(this.#turn++);
      this.#characters -= next.characters;
      this.#out(next.outcome);
    }
    if (this.#wake !== undefined && !this.full) {
      this.#wake();
      this.#wake = undefined;
    }
  }

  /** Lets out all that wait, in their order, past those that have not come. */
  flush(): void {
    const waiting = [...this.#early].sort(([one], [other]) => one - other);
    this.#early.clear();
    this.#characters = 0;
    for (const [index, { outcome }] of waiting) {
      this.#turn = index + 1;
      this.#out(outcome);
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
