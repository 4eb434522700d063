// Starts the command in the runtime of the test, as a user would.

import { assertEquals } from "@std/assert";
import { Buffer } from "node:buffer";
import type { ChildProcess } from "node:child_process";
import { spawn, spawnSync } from "node:child_process";
import { closeSync, mkdtempSync, openSync, rmSync } from "node:fs";
import { constants, tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";

const SOURCES = fileURLToPath(new URL("../src/cli/main.ts", import.meta.url));
const WORK = fileURLToPath(
  new URL("./fixtures/cli/work.ts", import.meta.url),
);

/** How a started command ended. */
export interface Ended {
  status: number;
  out: string;
  err: string;
}

/** A command that runs; with `using`, a test that fails leaves none behind. */
export interface Running extends Disposable {
  child: ChildProcess;
  ended: Promise<Ended>;
}

/** Names a function of tests/fixtures/cli/work.ts. */
export function work(name: string): string {
  return `${WORK}#${name}`;
}

/**
 * The command as words for a shell or another program. `npm test` has it built
 * first, as it is published, so that a process need not load a hundred files.
 */
export const COMMAND = commandOf(process.env.PMAP ?? SOURCES);

/** The same from its sources, which find the package for machines beside them. */
export const COMMAND_OF_SOURCES = commandOf(SOURCES);

function commandOf(main: string): string[] {
  const flags = "Deno" in globalThis ? ["run", "-A"] : [];
  return [process.execPath, ...flags, main];
}

/**
 * Starts the command; standard input stays open.
 *
 * @param script What a POSIX shell does with it, as `"$@"`; it must end in
 * `exec` for signals to reach the command.
 */
export function start(
  args: string[],
  script = 'exec "$@"',
  command = COMMAND,
): Running {
  const child = spawn("sh", ["-c", script, "sh", ...command, ...args], {
    stdio: ["pipe", "pipe", "pipe"],
  });
  const out: Uint8Array[] = [];
  const err: Uint8Array[] = [];
  child.stdout!.on("data", (chunk) => out.push(chunk));
  child.stderr!.on("data", (chunk) => err.push(chunk));
  child.stdin!.on("error", () => {}); // it may end before it read everything
  const ended = new Promise<Ended>((resolve) =>
    child.on("close", (status, signal) =>
      resolve({
        // Deno 2.9.5 tells an exit status of 130 as the signal SIGINT.
        status: status ?? 128 + constants.signals[signal!],
        out: Buffer.concat(out).toString(),
        err: Buffer.concat(err).toString(),
      }))
  );
  return { child, ended, [Symbol.dispose]: () => void child.kill("SIGKILL") };
}

/** The first bytes on standard output. */
export function firstOutput({ child }: Running): Promise<unknown> {
  return new Promise((resolve) => child.stdout!.once("data", resolve));
}

/**
 * Sends a signal. With `child.kill`, Deno 2.9.5 takes the child for ended by
 * it, whatever the child does.
 */
export function send(signal: string, { child }: Running): void {
  spawnSync("kill", [`-${signal}`, String(child.pid)]);
}

/** Runs the command to its end. */
export async function pmap(
  args: string[],
  input: string | Uint8Array = "",
  script?: string,
  command?: string[],
): Promise<Ended> {
  const { child, ended } = start(args, script, command);
  child.stdin!.end(input);
  return await ended;
}

/** Makes a folder for the time of a test. */
export function folder(): Disposable & { path(name: string): string } {
  const root = mkdtempSync(join(tmpdir(), "pmap-"));
  return {
    path: (name) => join(root, name),
    [Symbol.dispose]: () => rmSync(root, { recursive: true, force: true }),
  };
}

/** Makes a named pipe in a folder of a test, and gives its path. */
export function namedPipe(
  { path }: { path(name: string): string },
  name = "pipe",
): string {
  const pipe = path(name);
  assertEquals(spawnSync("mkfifo", [pipe]).status, 0);
  return pipe;
}

/** Opens a pipe to read: for writing too, so that neither end waits for the other. */
export function openPipe(pipe: string): Disposable & { reader: number } {
  const reader = openSync(pipe, "r+");
  return { reader, [Symbol.dispose]: () => closeSync(reader) };
}

/** Lines of text, with their ends. */
export function lines(values: unknown[]): string {
  return values.map((value) => `${JSON.stringify(value)}\n`).join("");
}

/** Whole numbers from 0. */
export function numbers(count: number): number[] {
  return Array.from({ length: count }, (_, i) => i);
}

/** Enough for a busy machine; Deno would wait for ever. */
export const PATIENCE = { timeout: 300_000 };
