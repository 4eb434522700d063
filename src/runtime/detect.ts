/**
 * Tells which runtime this is.
 *
 * @module
 */

import { bunRuntime } from "./bun.ts";
import { denoRuntime } from "./deno.ts";
import type { Runtime } from "./runtime.ts";

interface Scope {
  Deno?: { mainModule: string };
  Bun?: { main: string; pathToFileURL(path: string): URL };
  process?: { versions?: { node?: string } };
  navigator?: { userAgent?: string };
}

/**
 * Finds the runtime at hand.
 *
 * @param scope Where to look; by default the globals.
 * @returns The runtime.
 * @throws {TypeError} When it is neither Deno nor Bun; the message names what
 * was found.
 */
export function detectRuntime(
  scope: object = globalThis,
): Runtime {
  const { Deno, Bun } = scope as Scope;
  if (Deno !== undefined) return denoRuntime(Deno);
  if (Bun !== undefined) return bunRuntime(Bun);
  // Only now: to touch `process` costs Deno 2.9.5 14 ms, once.
  const { process, navigator } = scope as Scope;
  const found = process?.versions?.node !== undefined
    ? `Node.js ${process.versions.node}`
    : navigator?.userAgent ?? "an unknown runtime";
  throw new TypeError(
    `Cannot start workers as the runtime must be Deno or Bun: received ${found}`,
  );
}
