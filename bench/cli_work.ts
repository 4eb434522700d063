// The functions of the benches of the command; as a program, the first of
// them for one file: what xargs and GNU parallel start for each input.

import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import process from "node:process";

/** SHA-256 of a file, as `sha256sum` writes it. */
export function digest(path: string): string {
  const hash = createHash("sha256").update(readFileSync(path)).digest("hex");
  return `${hash}  ${path}`;
}

/** As good as nothing, so that only the way there and back is measured. */
export function pick(
  { id, values }: { id: number; values: number[] },
): { id: number; sum: number } {
  return { id, sum: values[0] + values[1] + values[2] };
}

if (import.meta.main) console.log(digest(process.argv[2]));
