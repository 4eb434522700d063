/**
 * Which process has a lock, and whether it is still there.
 *
 * @module
 */

import { readFileSync, readlinkSync, statSync } from "node:fs";
import { hostname } from "node:os";
import process from "node:process";

/** What is known of the owner of a lock that cannot be read. */
export const UNKNOWN = "unknown";

/** What is used of Deno. No file of this entry point but this and `lock.ts` names a runtime. */
interface DenoForLocks {
  openSync(path: string, options: { append: true }): {
    tryLockSync(exclusive: boolean): boolean;
    close(): void;
  };
  build: { os: string };
  permissions: { querySync(asked: { name: string }): { state: string } };
}

/** Deno, on Deno: elsewhere a global of that name is a shim. */
export const Deno: DenoForLocks | undefined =
  process.versions.deno === undefined
    ? undefined
    : (globalThis as unknown as { Deno: DenoForLocks }).Deno;

/** Whether this program may ask about others, without a prompt on Deno. */
const MAY_SEE_PROCESSES = ["read", "run", "sys"].every((name) =>
  (Deno?.permissions.querySync({ name }).state ?? "granted") === "granted"
);

/** Names this process as the owner of a lock. */
export function ownerHere(): string {
  const runtime = Deno === undefined ? "other" : "deno";
  const host = MAY_SEE_PROCESSES ? hostname() : "?";
  return [
    process.pid,
    startOf(process.pid),
    host,
    runtime,
    namespaceHere(),
  ].join(" ");
}

/** What a lock says; nothing if it is gone, or not written yet. */
export function ownerOf(path: string): string {
  try {
    const found = statSync(path);
    if (found.isFile()) {
      return found.size === 0 ? "" : readFileSync(path, "utf8");
    }
    return UNKNOWN; // a pipe would be waited for
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "ENOENT" ? "" : UNKNOWN;
  }
}

/**
 * Whether the process that an owner names is still there, as far as known.
 *
 * @param owner What its lock says.
 * @param held Whether this process has the lock that the system gives on Deno.
 * @returns Undefined if only its touch can tell.
 */
export function isAlive(owner: string, held: boolean): boolean | undefined {
  if (owner === UNKNOWN) return true;
  // The last is not in locks of the first versions, whose owners touch nothing.
  const [pid, start, host, runtime, namespace] = owner.split(" ");
  // If it were, this process could not hold the lock that only Deno has.
  if (runtime === "deno" && held) return false;
  // Of another machine nothing can be known: its lock stands.
  if (!MAY_SEE_PROCESSES || (host !== hostname() && host !== "?")) return true;
  // In another container, though it may have the same name, numbers are others:
  // so they may be where one of the two does not know in which it is.
  if (namespace !== undefined && !isHere(namespace)) return undefined;
  // `?` if it is gone, but also if it is of another user, and /proc shows each only
  // their own: so it does with `hidepid`, and with ProtectProc of systemd.
  const found = startOf(Number(pid));
  if (start !== "?" && found !== "?") return found === start;
  try {
    process.kill(Number(pid), 0); // only asks
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

/**
 * When a process started, in ticks since boot, as its number may be given to
 * another; `?` if that is not to be known.
 */
function startOf(pid: number): string {
  // After the name in brackets, which may hold anything, field 3 is the first.
  const stat = MAY_SEE_PROCESSES ? readOrEmpty(`/proc/${pid}/stat`) : "";
  const fields = stat.slice(stat.lastIndexOf(") ") + 2).split(" ");
  // Killed, and kept only until its parent asks how it ended.
  if (fields[0] === "Z") return "gone";
  return fields[19] ?? "?";
}

/** In which namespace of Linux process numbers count here; `?` if in none. */
function namespaceHere(): string {
  if (!MAY_SEE_PROCESSES || process.platform !== "linux") return "?";
  try {
    return readlinkSync("/proc/self/ns/pid");
  } catch {
    return "?"; // another system, or not for us to read
  }
}

/** Whether process numbers are known to count here as they do where a lock is from. */
function isHere(namespace: string): boolean {
  if (namespace !== namespaceHere()) return false;
  return namespace !== "?" || process.platform !== "linux";
}

function readOrEmpty(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return ""; // gone, or not for us to read
  }
}
