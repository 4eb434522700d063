/**
 * One listener for the end of the program, for however many processes. Each sees
 * by itself that the program has ended, but one that is stopped (SIGSTOP).
 *
 * @module
 */

interface Program {
  on(name: "exit", listener: () => void): void;
  off(name: "exit", listener: () => void): void;
}

const listeners = new Set<() => void>();

function tellAll(): void {
  for (const listener of listeners) listener();
}

/**
 * Listens for the end of the program, unless that is killed.
 *
 * @param listener What hears of it.
 * @returns Call it to listen no more.
 */
export function onProgramEnd(listener: () => void): () => void {
  const { process } = globalThis as unknown as { process: Program };
  if (listeners.size === 0) process.on("exit", tellAll);
  listeners.add(listener);
  return () => {
    if (listeners.delete(listener) && listeners.size === 0) {
      process.off("exit", tellAll);
    }
  };
}
