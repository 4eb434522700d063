/**
 * Tells which runtime this is.
 *
 * @module
 */

import { browserRuntime, type Page } from "./browser.ts";
import { bunRuntime } from "./bun.ts";
import { denoRuntime } from "./deno.ts";
import { nodeRuntime } from "./node.ts";
import type { Runtime } from "./runtime.ts";

interface Scope {
  Deno?: Parameters<typeof denoRuntime>[0] & { version?: { deno?: string } };
  Bun?: { main: string; pathToFileURL(path: string): URL; version?: string };
  process?: Parameters<typeof nodeRuntime>[0] & {
    versions?: { node?: string };
  };
  navigator?: Page["navigator"] & { userAgent?: string; product?: string };
  Worker?: unknown;
}

/**
 * The oldest versions on which everything works, as `npm run floors` shows.
 * Deno 2.7.14 gives `{}` for a `Blob`, and 2.6.8 starts no thread; nor does Bun
 * 1.3.14, and on 1.3.5 a task goes on after `process.exit`: wrong results.
 * Node.js 24.1 has no `import.meta.main`, by which a program tells that it is
 * not being loaded by a worker, and 22 no `await using`.
 */
const FLOORS = {
  "Deno": [2, 8],
  "Bun": [1, 4],
  "Node.js": [24, 2],
} as const;

/**
 * Finds the runtime at hand.
 *
 * @param scope Where to look; by default the globals.
 * @returns The runtime.
 * @throws {TypeError} When it is none of Deno, Bun, Node.js and browsers, or too
 * old; the message names what was found.
 */
export function detectRuntime(
  scope: object = globalThis,
): Runtime {
  const { Deno, Bun, navigator } = scope as Scope;
  // A global may be a shim, such as @deno/shim-deno on Node.js.
  const [, own] =
    /^(Deno|Bun|Node\.js|Cloudflare)\b/.exec(navigator?.userAgent ?? "") ?? [];
  // Or it is an element of a page: each with an id is a global.
  if (typeof Deno?.version?.deno === "string" && (own ?? "Deno") === "Deno") {
    checkVersion("Deno", Deno.version.deno);
    return denoRuntime(Deno);
  }
  if (typeof Bun?.version === "string" && (own ?? "Bun") === "Bun") {
    checkVersion("Bun", Bun.version);
    return bunRuntime(Bun);
  }
  // Only now: to touch `process` costs Deno 2.9.5 14 ms, once. Cloudflare
  // Workers say there which version of Node.js they are like.
  const { process } = scope as Scope;
  if (
    own !== "Cloudflare" && typeof process?.versions?.node === "string"
  ) {
    checkVersion("Node.js", process.versions.node);
    return nodeRuntime(process);
  }
  // A page, or a worker in one; others have a navigator, but no workers.
  if (
    navigator !== undefined && typeof (scope as Scope).Worker === "function"
  ) {
    return browserRuntime(scope as Page);
  }
  // Workers of browsers that are none of a page alone cannot start others.
  const kind = `${scope}`.match(/S\w+WorkerGlobalScope/)?.[0];
  const found = kind ?? navigator?.userAgent ?? navigator?.product ??
    "an unknown runtime";
  throw new TypeError(
    `Cannot start workers as the runtime must be Deno, Bun, Node.js, or a page or dedicated worker of a browser ("workers": 0 needs none): received ${found}`,
  );
}

/** Refuses what is too old; a canary counts as its release. */
function checkVersion(name: keyof typeof FLOORS, version: string): void {
  const [leastMajor, leastMinor] = FLOORS[name];
  const [, major, minor = 0] = /^(\d+)\.(\d+)/.exec(version)?.map(Number) ?? [];
  // What names no number is somebody's own build, of which nothing is known.
  if (major === undefined || major > leastMajor) return;
  if (major === leastMajor && minor >= leastMinor) return;
  throw new TypeError(
    `Cannot start workers as ${name} must be ${leastMajor}.${leastMinor} or newer: received ${version}`,
  );
}
