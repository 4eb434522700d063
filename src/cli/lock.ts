/**
 * One process at a time on one log, also after a `kill -9`.
 *
 * @module
 */

import {
  mkdirSync,
  readFileSync,
  rmdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { hostname } from "node:os";
import process from "node:process";
import { UsageError } from "./messages.ts";

/**
 * After how many ms the guard of a takeover must be that of a process which was
 * killed in it: a takeover takes less than one. Less would risk two takeovers
 * at once, more makes such a rare case wait. No bench.
 */
const STALE_GUARD_MS = 5000;

/** For how many ms to wait until a lock is tried again. No bench. */
const RETRY_MS = 20;

/**
 * Locks a log by a file beside it, which names the process that holds it.
 *
 * @param log Path of the log.
 * @returns Settled when it is locked, with a function that gives it back.
 * @throws {UsageError} When another process holds it.
 */
export async function lockLog(log: string): Promise<() => void> {
  const path = `${log}.lock`;
  const mine = describe(process.pid);
  for (;;) {
    try {
      writeFileSync(path, mine, { flag: "wx" });
      return () => {
        if (readOrEmpty(path) === mine) rmSync(path, { force: true });
      };
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    }
    if (!takeOver(path, log)) {
      await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
    }
  }
}

/** Removes the lock of a process that is gone; false if it is not clear yet. */
function takeOver(path: string, log: string): boolean {
  // Only one process at a time: between reading a stale lock and removing it,
  // another could have put its own there.
  const guard = `${path}.takeover`;
  try {
    mkdirSync(guard);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    removeStaleGuard(guard);
    return false;
  }
  try {
    const owner = readOrEmpty(path);
    // Empty: its owner is about to write it, or the disk was full.
    if (owner !== "" && isAlive(owner)) {
      throw new UsageError(
        `Cannot run as --joblog must not be in use by another process: received "${log}", in use by process ${
          owner.split(" ")[0]
        } (if that is no pmap, delete ${path})`,
      );
    }
    if (owner === "" && !isOld(path)) return false;
    rmSync(path, { force: true });
    return true;
  } finally {
    rmdirSync(guard);
  }
}

function removeStaleGuard(guard: string): void {
  if (!isOld(guard)) return;
  try {
    rmdirSync(guard);
  } catch {
    // another process was first, which is as good
  }
}

function isOld(path: string): boolean {
  try {
    return Date.now() - statSync(path).mtimeMs > STALE_GUARD_MS;
  } catch {
    return false; // gone meanwhile
  }
}

/** A process as text: its number alone may have been given to another. */
function describe(pid: number): string {
  return `${pid} ${startOf(pid)} ${hostname()}`;
}

function isAlive(owner: string): boolean {
  const [pid, start, ...host] = owner.split(" ");
  // Of another machine nothing can be known: its lock stands.
  if (host.join(" ") !== hostname()) return true;
  if (start !== "?" && startOf(process.pid) !== "?") {
    return startOf(Number(pid)) === start;
  }
  try {
    process.kill(Number(pid), 0); // only asks
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

/** When a process started, in ticks since boot; `?` where that is not told. */
function startOf(pid: number): string {
  // After the name in brackets, which may hold anything, field 3 is the first.
  const stat = readOrEmpty(`/proc/${pid}/stat`);
  const fields = stat.slice(stat.lastIndexOf(") ") + 2).split(" ");
  // Killed, and kept only until its parent asks how it ended.
  if (fields[0] === "Z") return "gone";
  return fields[19] ?? "?";
}

function readOrEmpty(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return ""; // gone, or not for us to read
  }
}
