/**
 * Node.js: it has no Web Workers, so both kinds of workers are threads there.
 *
 * @module
 */

import { pickFlags } from "./flags.ts";
import { firstFolder } from "./folder.ts";
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
  env: Record<string, string | undefined>;
  versions: { electron?: string };
  getBuiltinModule(name: "node:sea"): { isSea(): boolean } | undefined;
  getBuiltinModule(name: "node:os"): { availableParallelism(): number };
  getBuiltinModule(name: "node:module"): {
    createRequire(path: string): { resolve(path: string): string };
  };
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
      const { createRequire } = process.getBuiltinModule("node:module");
      const { pathToFileURL } = process.getBuiltinModule("node:url");
      try {
        // As Node.js finds it: argv has what was typed, which may be a link, a
        // folder, as in `node .`, or a name without its extension.
        return pathToFileURL(createRequire(`${path}/`).resolve(path)).href;
      } catch {
        return undefined; // a program from standard input is called "-"
      }
    },
    // 0.3 ms on Node.js 24: starting a worker keeps nobody waiting.
    backend: (kind, wanted) =>
      kind === "processes" ? processes(nodeProcess(process, wanted)) : threads({
        startBlocks: false,
        first: writeAtOnce,
        missesEnds: true,
        opensOutput: true,
      }),
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
  "--preserve-symlinks",
  "--no-addons",
  "--no-global-search-paths",
  "--no-require-module",
  "--no-strip-types",
]);

/**
 * Finds the flags of the program that its processes need as well, to load what it
 * loads, and to warn of no more: as threads have them.
 *
 * @param execArgv All flags of the program, as they were typed.
 * @returns Those.
 */
export function loadingFlags(execArgv: string[]): string[] {
  return pickFlags(
    execArgv,
    (name) => LOADS.has(name) || /^--(no-)?experimental-/.test(name),
  );
}

/**
 * What the program is in, where that takes no flags: told to run a source text,
 * it starts the program again, which starts it again.
 */
function containerOf(process: System): string | undefined {
  if (process.getBuiltinModule("node:sea")?.isSea()) {
    return "a single executable application";
  }
  const { versions, env } = process;
  return versions.electron !== undefined &&
      env.ELECTRON_RUN_AS_NODE === undefined
    ? "Electron"
    : undefined;
}

/** `node -e`. */
function nodeProcess(
  process: System,
  wanted: WantedOfProcesses = {},
): ProcessSetup {
  const container = containerOf(process);
  if (container !== undefined) {
    throw new TypeError(
      `Cannot start processes as ${container} would start the whole program again: received "backend" "processes", where "threads" is needed`,
    );
  }
  refusePermissions(wanted, "Node.js");
  const { maxMemory } = wanted;
  return {
    folder: firstFolder, // for flags such as `--import ./x.ts`
    argsFor: (source) => [
      // So that it looks for garbage before it is ended for it.
      ...(maxMemory ? [`--max-old-space-size=${maxMemory}`] : []),
      ...loadingFlags(process.execArgv),
      "--input-type=module",
      "-e",
      source,
    ],
  };
}
