/**
 * Waits: for a while, or for a server, and for that not without end.
 *
 * @module
 */

/**
 * How long a server may be silent that was asked for something, in ms: as long as
 * the client of NATS waits by itself, where it has a limit.
 */
export const SILENT_MS = 5000;

/**
 * How long until a chunk is looked at again that cannot be done now, or what the
 * store did not have, in ms.
 */
export const LATER_MS = 500;

/** Waits. */
export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/**
 * Waits for a server, but not for long.
 *
 * @param ms How long at most.
 * @param asked What it was asked for.
 * @param what Says what that is, for the error.
 * @returns What it answered.
 * @throws {Error} When it has not by then.
 */
export async function within<T>(
  ms: number,
  asked: Promise<T>,
  what: string,
): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>();
  const late = () => reject(new Error(`no ${what} came within ${ms} ms`));
  const timer = setTimeout(late, ms);
  try {
    return await Promise.race([asked, promise]);
  } finally {
    clearTimeout(timer);
  }
}

/** Pauses of what ends when something is closed, and leaves no timer behind. */
export class Pauses {
  readonly #ends = new Set<() => void>();
  #over = false;

  /** Waits for so many ms, unless it is over before. */
  pause(ms: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const end = () => {
      clearTimeout(timer);
      this.#ends.delete(end);
      resolve();
    };
    const timer = setTimeout(end, this.#over ? 0 : ms);
    this.#ends.add(end);
    return promise;
  }

  /** Ends all, and those to come. */
  end(): void {
    this.#over = true;
    for (const end of this.#ends) end();
  }
}

/**
 * How a machine waits for its server: for as long as that takes while it serves,
 * and with a limit once it is to end.
 */
export class Patience {
  readonly #waits = new Set<() => void>();
  #ms: number | undefined;

  /** From here on it waits for each answer for so long, in ms. */
  limit(ms: number): void {
    this.#ms = ms;
    for (const begin of this.#waits) begin();
  }

  /**
   * Waits for what the server was asked for.
   *
   * @param ask Asks for it; told whether anybody still waits.
   * @returns What it answered.
   * @throws {Error} When that took too long; and what `ask` throws.
   */
  async wait<T>(ask: (waits: () => boolean) => Promise<T>): Promise<T> {
    const { promise, reject } = Promise.withResolvers<never>();
    let timer: ReturnType<typeof setTimeout> | undefined;
    let waits = true;
    const begin = () => {
      if (this.#ms === undefined) return;
      const late = () => reject(new Error(`no answer within ${this.#ms} ms`));
      clearTimeout(timer);
      timer = setTimeout(late, this.#ms);
    };
    this.#waits.add(begin);
    begin();
    try {
      return await Promise.race([ask(() => waits), promise]);
    } finally {
      waits = false;
      clearTimeout(timer);
      this.#waits.delete(begin);
    }
  }
}
