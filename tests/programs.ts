// Runs a program in the runtime at hand, as a user would.
import { execFile } from "node:child_process";
import process from "node:process";
import { fromFileUrl } from "@std/path";

/** The runtime at hand. */
export const runtime: "deno" | "bun" = "Deno" in globalThis ? "deno" : "bun";

/** What a program did. */
export interface Outcome {
  code: number | null;
  stdout: string;
  stderr: string;
}

/**
 * Runs a program until it ends.
 *
 * @param url The program.
 * @param flags Flags of Deno; Bun needs none.
 * @param args Arguments of the program.
 * @returns Exit code and output.
 */
export function runProgram(
  url: URL,
  flags: string[] = ["-A"],
  args: string[] = [],
): Promise<Outcome> {
  const file = fromFileUrl(url);
  const all = runtime === "deno"
    ? ["run", ...flags, file, ...args]
    : [file, ...args];
  return new Promise((resolve) => {
    const env = { ...process.env, NO_COLOR: "1" };
    const options = { env, timeout: 30_000 };
    const child = execFile(
      process.execPath,
      all,
      options,
      (_, stdout, stderr) => resolve({ code: child.exitCode, stdout, stderr }),
    );
  });
}
