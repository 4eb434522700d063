/**
 * Node.js: it has no Web Workers, so both kinds of workers are threads there.
 *
 * @module
 */

import {
  processes,
  type ProcessSetup,
  refusePermissions,
} from "./processes.ts";
import type { Runtime, WantedOfProcesses } from "./runtime.ts";
import { threads } from "./threads.ts";

/** What is needed of the system. */
interface System {
  /** The second is the path of the program's entry module, as it was typed. */
  argv: string[];
  /** The flags of Node.js itself. */
  execArgv: string[];
  getBuiltinModule(name: "node:os"): { availableParallelism(): number };
  getBuiltinModule(name: "node:fs"): { realpathSync(path: string): string };
  getBuiltinModule(name: "node:url"): { pathToFileURL(path: string): URL };
}

/**
 * Describes Node.js.
 *
 * @param process The `process` global.
 * @returns The runtime.
 */
export function nodeRuntime(process: System): Runtime {
  return {
    name: "node",
    cores: process.getBuiltinModule("node:os").availableParallelism(),
    get entry() {
      const [, path] = process.argv;
      if (path === undefined) return undefined; // node -e, or in a worker
      const { realpathSync } = process.getBuiltinModule("node:fs");
      const { pathToFileURL } = process.getBuiltinModule("node:url");
      try {
        // A link stays what it is in argv, and import.meta.url is its target.
        return pathToFileURL(realpathSync(path)).href;
      } catch {
        return undefined; // a program from standard input is called "-"
      }
    },
    // 0.3 ms on Node.js 24: starting a worker keeps nobody waiting.
    backend: (kind, wanted) =>
      kind === "processes"
        ? processes(nodeProcess(process.execArgv, wanted))
        : threads({ startBlocks: false, first: writeAtOnce }),
  };
}

/** The flags that say how modules are found and loaded. */
const LOADS = new Set([
  "--import",
  "--require",
  "-r",
  "--loader",
  "--experimental-loader",
  "--conditions",
  "-C",
]);

/**
 * Finds the flags of the program that its processes need as well, to load what it
 * loads: as threads have them.
 *
 * @param execArgv All flags of the program, as they were typed.
 * @returns Those.
 */
export function loadingFlags(execArgv: string[]): string[] {
  const found: string[] = [];
  for (const [i, flag] of execArgv.entries()) {
    const [name = "", value] = flag.split("=", 2);
    if (!LOADS.has(name) && !/^--(no-)?experimental-/.test(name)) continue;
    const next = execArgv[i + 1];
    found.push(flag);
    // The program comes after all of them: what is no flag is a value.
    if (value === undefined && next?.startsWith("-") === false) {
      found.push(next);
    }
  }
  return found;
}

/** `node -e`. */
function nodeProcess(
  execArgv: string[],
  wanted: WantedOfProcesses = {},
): ProcessSetup {
  refusePermissions(wanted, "Node.js");
  const { maxMemory } = wanted;
  return {
    argsFor: (source) => [
      // So that it looks for garbage before it is ended for it.
      ...(maxMemory ? [`--max-old-space-size=${maxMemory}`] : []),
      ...loadingFlags(execArgv),
      "--input-type=module",
      "-e",
      source,
    ],
  };
}

interface Written {
  chunk: string | Uint8Array;
  encoding: string;
}

/**
 * Makes a worker write to the standard output and error of the process by
 * itself, self-contained. Otherwise Node.js sends them to the main thread, one
 * message at a time: what a task logs would be lost if its worker is ended
 * before the main thread asked for more (tests/process_test.ts).
 */
export function writeAtOnce(): void {
  interface Stream {
    _writev(chunks: Written[], done: (error?: unknown) => void): void;
  }
  const { process, Buffer } = globalThis as unknown as {
    process: Record<"stdout" | "stderr", Stream> & {
      getBuiltinModule(name: string): {
        writeSync(fd: number, bytes: Uint8Array): number;
      };
    };
    Buffer: { from(text: unknown, encoding: string): Uint8Array };
  };
  const { writeSync } = process.getBuiltinModule("node:fs");
  const pause = new Int32Array(new SharedArrayBuffer(4));

  function writeAll(fd: number, bytes: Uint8Array): void {
    while (bytes.length > 0) {
      try {
        bytes = bytes.subarray(writeSync(fd, bytes));
      } catch (error) {
        if ((error as { code?: string }).code !== "EAGAIN") throw error;
        Atomics.wait(pause, 0, 0, 1); // a pipe without room
      }
    }
  }

  for (const [stream, fd] of [["stdout", 1], ["stderr", 2]] as const) {
    process[stream]._writev = (chunks, done) => {
      try {
        for (const { chunk, encoding } of chunks) {
          writeAll(fd, Buffer.from(chunk, encoding));
        }
        done();
      } catch (error) {
        done(error);
      }
    };
  }
}
