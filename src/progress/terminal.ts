/**
 * Where a bar is drawn. No other file of this entry point names a runtime.
 *
 * @module
 */

/** Takes text, as `process.stderr` does. */
export interface TextOutput {
  /** Takes text, without adding a line end. */
  write(text: string): unknown;
  /** Whether it is a terminal, on which a line can be drawn again. */
  readonly isTTY?: boolean | undefined;
  /** Width of the terminal in characters, as it is now. */
  readonly columns?: number | undefined;
}

interface Scope {
  Deno?: {
    permissions: {
      querySync(
        asked: { name: "env"; variable: string },
      ): { state: string };
    };
  };
  process: {
    stderr: TextOutput & {
      on(event: "error", listener: () => void): void;
    };
    env: Record<string, string | undefined>;
    on(event: "exit", listener: () => void): void;
    off(event: "exit", listener: () => void): void;
  };
}

const scope = globalThis as unknown as Scope;

let quiet: TextOutput | undefined;

/**
 * Finds the standard error stream. When nobody reads it any more, or its disk is
 * full, what is written is lost, and the program goes on.
 *
 * @returns What writes to `process.stderr`, which Deno has too.
 */
export function stderr(): TextOutput {
  if (quiet !== undefined) return quiet;
  const { stderr } = scope.process;
  stderr.on("error", () => {}); // Node.js, Bun
  return quiet = {
    write(text) {
      try {
        stderr.write(text);
      } catch {
        // Deno, where it is written at once.
      }
    },
    get isTTY() {
      return stderr.isTTY === true;
    },
    get columns() {
      return stderr.columns ?? 0;
    },
  };
}

/**
 * Finds out whether a line can be drawn again and again: not on a pipe, in a
 * file, on a terminal that knows no control characters, or in CI.
 *
 * @param output Where the bar is drawn.
 * @returns Whether it is a terminal with someone in front of it.
 */
export function isInteractive(output: TextOutput): boolean {
  return output.isTTY === true && environment("TERM") !== "dumb" &&
    !environment("CI");
}

/** Reads a variable; without permission it is undefined, and nobody is asked. */
function environment(variable: string): string | undefined {
  const asked = { name: "env", variable } as const;
  const state = scope.Deno?.permissions.querySync(asked).state ?? "granted";
  return state === "granted" ? scope.process.env[variable] : undefined;
}

/** One listener for all of them: of more than ten, Node.js and Deno warn. */
const callbacks = new Set<() => void>();

function callAll(): void {
  for (const callback of callbacks) callback();
}

/**
 * Calls back when the process exits by itself, by `Deno.exit` or by an error.
 * A signal ends the process without a call. The bar needs none then, as its
 * cursor always waits in the first column: see `draw` in progress_bar.ts.
 *
 * @param callback What to call; it must not wait.
 * @returns Takes the callback away again.
 */
export function onExit(callback: () => void): () => void {
  if (callbacks.size === 0) scope.process.on("exit", callAll);
  callbacks.add(callback);
  return () => {
    if (callbacks.delete(callback) && callbacks.size === 0) {
      scope.process.off("exit", callAll);
    }
  };
}
