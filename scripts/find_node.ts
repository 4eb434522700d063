// Finds a Node.js that can run this project.

import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "@std/path";

/** The oldest that can. */
export const LEAST: [major: number, minor: number] = [24, 2];

/** Flags by which it finds packages as Deno and Bun do. */
export const NAMES: string[] = [
  "--import",
  new URL("../tests/names.ts", import.meta.url).href,
];

/**
 * Finds one that was fetched by `npm run get:node` or `npm run get:node26`; in
 * place of the first, that of the machine does, if it is new enough.
 *
 * @param major Its version.
 * @returns How to call it; undefined if there is none.
 */
export function findNode(major: 24 | 26): string | undefined {
  const folder = join(import.meta.dirname!, `node${major}/node_modules/node`);
  const path = join(folder, "bin/node");
  const fetched = [path, `${path}.exe`].find(existsSync);
  if (fetched !== undefined || major !== LEAST[0]) return fetched;
  const { stdout } = spawnSync("node", ["--version"], { encoding: "utf8" });
  const [, ...version] = stdout?.match(/^v(\d+)\.(\d+)/)?.map(Number) ?? [];
  const [own = 0, minor = 0] = version;
  const enough = own > LEAST[0] || (own === LEAST[0] && minor >= LEAST[1]);
  return enough ? "node" : undefined;
}
