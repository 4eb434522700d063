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
import { writeAtOnce } from "./write_at_once.ts";

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
