/**
 * One process at a time on one log, also after a `kill -9`.
 *
 * @module
 */

import {
  closeSync,
  lstatSync,
  mkdirSync,
  openSync,
  readlinkSync,
  realpathSync,
  rmdirSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { dirname, resolve } from "node:path";
import * as timers from "node:timers";
import { JobLogError } from "./errors.ts";
import { Deno, isAlive, ownerHere, ownerOf, UNKNOWN } from "./owner.ts";

/**
 * The timers and the time as they were when this was loaded: tests put others in
 * their place, which stand still. With those, a lock would be waited for without
 * end, and lost to others.
 */
const { setInterval, clearInterval, setTimeout } = timers;
const { now: wallNow } = Date;
const now = performance.now.bind(performance);

/**
 * After how many ms the guard of a takeover is taken for one that a killed process
 * has left: a takeover takes less than one. Less would risk two takeovers at once,
 * more makes such a rare case wait. No bench.
 */
const STALE_GUARD_MS = 5000;

/**
 * How often the owner of a lock touches it, in ms; and after how many in which
 * nobody did it is of an owner that is gone, where nothing else tells: in a
 * container that was started again, or beside another of the same name. With less,
 * an owner whose thread a task has would lose its lock to another container; with
 * more, each such start waits for longer. No bench.
 */
const TOUCH_MS = 1000;
const UNTOUCHED_MS = 5000;

/**
 * For how many ms to wait in all: a lock that was left empty takes the time of a
 * guard, a guard another, and a lock that must be watched its own.
 */
const MOST_WAITING_MS = 2 * STALE_GUARD_MS + UNTOUCHED_MS;

/** For how many ms to wait until a lock is tried again. No bench. */
const RETRY_MS = 20;

/** The logs that this process has open, by their real path. */
const OPEN = new Set<string>();

/** What is added to the path of a log for its lock, and to that for a takeover. */
const LOCK = ".lock";
const TAKEOVER = ".takeover";

/**
 * Checks, before anything is made, that a log can be locked, and its lock taken
 * over: names have a limit.
 *
 * @param path The path of the log, which need not exist.
 * @throws {JobLogError} When its name is too long.
 */
export function checkLockName(path: string): void {
  try {
    lstatSync(targetOf(path) + LOCK + TAKEOVER);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code !== "ENAMETOOLONG") return; // it need not be there
    throw new JobLogError(
      `Cannot open job log as it must have a name to which "${LOCK}${TAKEOVER}" can be added: received "${path}" (${
        message.split(",")[0]
      })`,
      { cause: error },
    );
  }
}

/** What a path leads to, also where that is yet to be made. */
function targetOf(path: string): string {
  try {
    return realpathSync(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") return path;
  }
  try {
    return targetOf(resolve(dirname(path), readlinkSync(path)));
  } catch {
    return path; // no link
  }
}

/**
 * Locks a log by a file beside it, which names the process that holds it.
 * A hard link is another path: on Bun, nothing tells that it is the same log.
 *
 * @param log Real path of the log.
 * @returns Settled when it is locked, with a function that gives it back.
 * @throws {JobLogError} When another process holds it, or this one does.
 */
export async function lockLog(log: string): Promise<() => void> {
  if (OPEN.has(log)) {
    throw new JobLogError(
      `Cannot open job log as it must not be open already: received "${log}", which this process has open (close that one first)`,
    );
  }
  const path = log + LOCK;
  const mine = ownerHere();
  // Without many permissions, a program on Deno cannot ask whether another
  // process is alive. But this lock the system gives back when one ends. (On
  // Windows it would keep this process from writing to the file, too.)
  const held = Deno === undefined || Deno.build.os === "windows"
    ? undefined
    : Deno.openSync(log, { append: true });
  try {
    // Whoever has it has written who it is, or soon will. If nobody has, it was
    // given back, but a process that is being started still has a copy of it.
    const until = now() + STALE_GUARD_MS;
    while (held?.tryLockSync(true) === false) {
      const owner = ownerOf(path);
      if (owner !== "" || now() > until) throw inUse(log, owner);
      await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
    }
    const enough = now() + MOST_WAITING_MS;
    const seen: Seen = {};
    for (;;) {
      try {
        writeLock(path, mine);
        OPEN.add(log);
        const touching = setInterval(() => touch(path, mine), TOUCH_MS);
        touching.unref();
        return () => {
          clearInterval(touching);
          OPEN.delete(log);
          if (ownerOf(path) === mine) rmSync(path, { force: true });
          held?.close();
        };
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
      }
      if (!takeOver(path, log, held !== undefined, seen)) {
        if (now() > enough) throw stuck(path);
        await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
      }
    }
  } catch (error) {
    held?.close();
    throw error;
  }
}

/** Writes the lock whole or not at all: the disk may be full. */
function writeLock(path: string, text: string): void {
  const file = openSync(path, "wx");
  try {
    writeFileSync(file, text);
  } catch (error) {
    rmSync(path, { force: true });
    throw error;
  } finally {
    closeSync(file);
  }
}

/** Shows that the owner is there, if the lock is still its own. */
function touch(path: string, mine: string): void {
  if (ownerOf(path) !== mine) return;
  const seconds = wallNow() / 1000;
  try {
    utimesSync(path, seconds, seconds);
  } catch {
    // somebody has removed it
  }
}

function inUse(log: string, owner: string): JobLogError {
  const pid = owner.split(" ")[0] || UNKNOWN;
  return new JobLogError(
    `Cannot open job log as it must not be in use by another process: received "${log}", in use by process ${pid} (if that has ended, delete ${log}${LOCK})`,
  );
}

function stuck(path: string): JobLogError {
  return new JobLogError(
    `Cannot open job log as the lock of a process that is gone must be removable: received "${path}" (delete it and "${path}${TAKEOVER}")`,
  );
}

/**
 * When a lock had been touched as it was first seen, and when that was. The clock
 * of another machine may be wrong, so no time of one is compared with this one's.
 */
interface Seen {
  first?: { touched: number; at: number };
}

/** Removes the lock of a process that is gone; false if it is not clear yet. */
function takeOver(
  path: string,
  log: string,
  held: boolean,
  seen: Seen,
): boolean {
  // Only one process at a time: between reading a stale lock and removing it,
  // another could have put its own there.
  const guard = path + TAKEOVER;
  try {
    mkdirSync(guard);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    removeStaleGuard(guard);
    return false;
  }
  try {
    const owner = ownerOf(path);
    if (owner === "") { // its owner is about to write it, or the disk was full
      if (!isOld(path)) return false;
    } else {
      const alive = isAlive(owner, held);
      if (alive === true) throw inUse(log, owner);
      if (alive === undefined) { // only its touch can tell
        const touched = statSync(path, { throwIfNoEntry: false })?.mtimeMs;
        if (touched === undefined) return true; // given back meanwhile
        const first = seen.first ??= { touched, at: now() };
        if (touched !== first.touched) throw inUse(log, owner);
        if (now() - first.at < UNTOUCHED_MS) return false;
      }
    }
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
    return wallNow() - statSync(path).mtimeMs > STALE_GUARD_MS;
  } catch {
    return false; // gone meanwhile
  }
}
