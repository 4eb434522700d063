/**
 * Makes functions of texts, where that may be, and not without end; and says
 * which engine does so.
 *
 * @module
 */

/** Makes functions of texts. */
export interface Compiler {
  /** Whether it is V8, on Deno or Node.js. */
  readonly isV8: boolean;
  /**
   * Runs a text.
   *
   * @param text The body of a function: nothing in it is the user's but string
   * literals.
   * @param scope What it sees, by name.
   * @returns What it returns; undefined if no code may be made of it.
   */
  compile(text: string, scope: object): unknown;
}

/**
 * Makes one, the only one of its thread. Self-contained: workers get this
 * function by its source.
 *
 * @returns The compiler.
 */
export function createCompiler(): Compiler {
  // Texts to make code of: more than any program should have whose keys are no
  // data. Deno 2.9.5 keeps some 3 kB of each for good, and nothing more if it is
  // the same again ("keys that are data" in tests/records_test.ts).
  const MOST_TEXTS = 2000;

  const texts = new Set<string>();

  return {
    isV8: !("Bun" in globalThis) &&
      ("Deno" in globalThis || "process" in globalThis),
    compile(text, scope) {
      if (texts.size === MOST_TEXTS && !texts.has(text)) return undefined;
      try {
        const run = new Function(`{ ${Object.keys(scope)} }`, text);
        texts.add(text);
        return run(scope);
      } catch {
        return undefined; // not allowed here (Content Security Policy)
      }
    },
  };
}
