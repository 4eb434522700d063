/**
 * Hears the signals that end a job, and an end of this process by a function.
 *
 * @module
 */

import { readFileSync } from "node:fs";
import { constants } from "node:os";
import process from "node:process";
import { exit } from "./descriptors.ts";
import type { SignalName } from "./exit_status.ts";
import { SIGNALS, STATUS } from "./exit_status.ts";
import { say, sayBesideSignals } from "./messages.ts";
import { noteSignal } from "./stops.ts";

/**
 * For how many ms after the first signal another is taken for the same: npm
 * passes the one of the terminal on to its child, which has it already, and
 * `timeout` of GNU sends its own to the child and then to its group. Less, and on
 * a busy machine results are lost; more, and a person waits who has sent a second
 * one. Most jobs have ended by then. No bench.
 */
const SAME_MS = 500;

/**
 * Hears the signals that end a job, but those that were ignored when this
 * process began: nohup, and a shell for `pmap … &` in a script, have them
 * ignored so that they end nothing. A second signal ends the process.
 *
 * @param stop Told the first one.
 */
export function hearSignals(stop: (name: SignalName) => void): void {
  const ignored = ignoredSignals();
  sayBesideSignals();
  let first: number | undefined; // when it came
  for (const name of Object.keys(SIGNALS) as SignalName[]) {
    if (ignored.has(name)) {
      // Deno 2.9.5 hears all of them once it hears one, and ends the process
      // (tests/cli_signals_test.ts). Others keep what they were given, and so do
      // the programs that a function starts.
      if ("Deno" in globalThis) process.on(name, () => {});
      continue;
    }
    process.on(name, () => {
      const now = performance.now();
      if (first !== undefined) {
        // It was told to stop and has not ended.
        if (now - first > SAME_MS) endBySignal(name);
        return;
      }
      first = now;
      noteSignal();
      stop(name);
    });
  }
}

/** Where Deno tells of its end; Node.js has no such events. */
const scope = globalThis as {
  addEventListener?(name: "unload", listener: () => void): void;
  removeEventListener?(name: "unload", listener: () => void): void;
};

/**
 * Hears of an end of this process: by a function in its own thread, as there are
 * no workers. Then the job has not ended well, whatever the function said.
 */
export function hearExit(): void {
  process.on("exit", tellOfExit);
  // Deno.exit() in Deno 2.9.5 tells this alone.
  scope.addEventListener?.("unload", tellOfExit);
}

/** The job has ended. */
export function forgetExit(): void {
  process.off("exit", tellOfExit);
  scope.removeEventListener?.("unload", tellOfExit);
}

function tellOfExit(): void {
  forgetExit();
  process.exitCode = STATUS.broken;
  say("a function ended this process, before the end of the job");
}

/**
 * For how many ms to wait for the signal to end this process: on Deno 2.9.5
 * another thread sees to that. Less might not do where the cores are busy; more
 * would be waited for where it ends nothing. No bench.
 */
const END_MS = 5000;

/**
 * Ends this process by a signal, and not only with its exit status: a loop of a
 * shell around it goes on otherwise.
 *
 * @param name The signal.
 */
export function endBySignal(name: SignalName): never {
  // No signal ends the first process of a container. On Windows, where there are
  // none, the exit status would be 1.
  if (process.pid !== 1 && process.platform !== "win32") {
    process.removeAllListeners(name);
    process.kill(process.pid, name);
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, END_MS);
  }
  exit(SIGNALS[name]);
}

/**
 * Only Linux tells; elsewhere it seems that none is. Nor does Node.js 24 know: it
 * has all signals do again what they do by default.
 */
function ignoredSignals(): Set<string> {
  let mask = 0n;
  try {
    const status = readFileSync("/proc/self/status", "utf8");
    const hex = /^SigIgn:\s*([0-9a-f]+)/m.exec(status)?.[1] ?? "0";
    mask = BigInt(`0x${hex}`);
  } catch {
    // not Linux, or no such list
  }
  return new Set(
    Object.keys(SIGNALS).filter((name) =>
      mask >> BigInt(constants.signals[name as SignalName] - 1) & 1n
    ),
  );
}
