/**
 * Lets chunks of a machine run beside each other, apart from those that must be
 * alone.
 *
 * @module
 */

/** Whose turn it is. */
export class Turns {
  #running = 0;
  #alone = false;
  readonly #waiting: { alone: boolean; begin: () => void }[] = [];

  /**
   * Waits for a turn.
   *
   * @param alone Whether nothing else may run meanwhile.
   * @returns Settled when it may begin.
   */
  enter(alone: boolean): Promise<void> {
    return new Promise((begin) => {
      this.#waiting.push({ alone, begin });
      this.#next();
    });
  }

  /** A turn is over. */
  leave(): void {
    this.#running--;
    this.#alone = false;
    this.#next();
  }

  #next(): void {
    while (!this.#alone && this.#waiting.length > 0) {
      const { alone, begin } = this.#waiting[0]!;
      if (alone && this.#running > 0) return; // those behind it wait too
      this.#waiting.shift();
      this.#alone = alone;
      this.#running++;
      begin();
    }
  }
}
