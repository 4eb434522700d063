/**
 * Where inputs were read.
 *
 * @module
 */

/** Where consecutive inputs are. */
export interface Place {
  /** By how much lines are ahead of indexes. */
  ahead: number;
  /** The file, if there are several. */
  file: string | undefined;
}

/** The inputs from an index on, of which so many have no outcome yet. */
interface Stretch extends Place {
  index: number;
  open: number;
}

/** How many are kept in vain. Fewer take time, more memory. No bench. */
const MOST_UNNEEDED = 1000;

/** Remembers where each input was until its outcome is known. */
export class Places {
  readonly #stretches: Stretch[] = [];
  /** How many of the first of them are needed no more. */
  #unneeded = 0;

  /** How many different places it remembers. */
  get count(): number {
    return this.#stretches.length;
  }

  /**
   * Remembers the next input.
   *
   * @param index Which, from 0.
   * @param place Where it is.
   */
  add(index: number, { ahead, file }: Place): void {
    const last = this.#stretches.at(-1);
    if (last !== undefined && last.ahead === ahead && last.file === file) {
      last.open++;
    } else this.#stretches.push({ index, ahead, file, open: 1 });
  }

  /**
   * Tells where an input is.
   *
   * @param index Which; it has no outcome yet.
   * @returns Its place.
   */
  of(index: number): Place {
    return this.#find(index);
  }

  /**
   * Forgets an input.
   *
   * @param index Which; it has its outcome now.
   */
  forget(index: number): void {
    const stretches = this.#stretches;
    this.#find(index).open--;
    while (
      this.#unneeded < stretches.length - 1 &&
      stretches[this.#unneeded]!.open === 0
    ) this.#unneeded++;
    if (this.#unneeded < Math.max(MOST_UNNEEDED, stretches.length / 2)) return;
    stretches.splice(0, this.#unneeded);
    this.#unneeded = 0;
  }

  #find(index: number): Stretch {
    let [from, to] = [this.#unneeded, this.#stretches.length - 1];
    while (from < to) {
      const middle = (from + to + 1) >> 1;
      if (this.#stretches[middle]!.index <= index) from = middle;
      else to = middle - 1;
    }
    return this.#stretches[from]!;
  }
}
