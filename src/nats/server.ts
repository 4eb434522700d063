/**
 * A `nats-server` of one's own: for tests, and for a first try.
 *
 * @module
 */

import { type ChildProcess, spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import process from "node:process";
import { text } from "node:stream/consumers";
import { pause } from "./waiting.ts";

/** How long a server may take to begin, in ms. */
const START_MS = 60_000;

/** How a server is started. */
export interface ServerOptions {
  /** Its port; by default one that is free. */
  port?: number;
  /** What it keeps its streams in; by default a folder of its own. */
  folder?: string;
  /** More of its command line. */
  args?: string[];
}

/** A server that was started here. */
export interface LocalServer {
  /** Its address. */
  servers: string;
  /** What lets this program in, and no other. */
  connection: { token?: string };
  /** What it keeps its streams in. */
  folder: string;
  /** Number of its process. */
  pid: number;
  /** Lets this process end before it; then it ends too. */
  unref(): void;
  /** Ends it, and removes its folder, if that is its own. */
  close(): Promise<void>;
}

/**
 * Finds the program.
 *
 * @returns Its path; undefined if it is not on this machine.
 */
export function findServer(): string | undefined {
  const { PATH = "", NATS_SERVER } = process.env;
  // Debian's place, which is not in the PATH of every user.
  const folders = [...PATH.split(delimiter), "/usr/sbin", "/usr/local/sbin"];
  const names = ["nats-server", "nats-server.exe"];
  const paths = folders.flatMap((folder) => names.map((n) => join(folder, n)));
  return [NATS_SERVER, ...paths].find((path) => path && existsSync(path));
}

/**
 * Starts a server with JetStream, on a port of this machine that is free, in a
 * folder of its own.
 *
 * @param options How, if otherwise.
 * @returns The server, once it answers.
 * @throws {Error} When there is no such program, or it does not begin.
 */
export async function startServer(
  options: ServerOptions = {},
): Promise<LocalServer> {
  const program = findServer();
  if (program === undefined) {
    throw new Error(
      "Cannot start a server as nats-server must be on the PATH, or at $NATS_SERVER: received none (install it: apt-get install nats-server, brew install nats-server)",
    );
  }
  const own = await mkdtemp(join(tmpdir(), "parallel-map-nats-"));
  const { port = -1, folder = own, args: more } = options;
  const token = randomUUID();
  // In a file that no other user can read: a command line is seen by all.
  const secret = join(own, "server.conf");
  if (more === undefined) {
    const rules = `authorization { token: "${token}" }\n`;
    await writeFile(secret, rules, { mode: 0o600 });
  }
  const args = ["-a", "127.0.0.1", "-p", `${port}`, "--ports_file_dir", own]
    .concat(more ?? ["-js", "-sd", folder, "-c", secret]);
  // When this process is killed, its end of the pipe closes: then so does the
  // server, which alone would stay for ever. nats-server 2.9.10 may hang when it
  // is told to end, so it is not asked twice. Of what it says the last line is
  // kept: a pipe from it to this process would fill when nobody reads there.
  const script = [
    'own=$1; shift; exec 3<&0 4>&2 2>/dev/null; mkfifo "$own/said"',
    'tail -n 1 <"$own/said" >&4 & last=$!',
    '"$0" "$@" 2>"$own/said" & server=$!',
    "{ cat <&3; kill $server; sleep 2; kill -9 $server; } 4>&- & late=$!",
    'wait $server; kill $late; wait $last; rm -rf "$own"',
  ].join("\n");
  const onWindows = process.platform === "win32";
  const [command, ...rest] = onWindows
    ? [program, ...args]
    : ["sh", "-c", script, program, own, ...args];
  const child = spawn(command, rest, {
    stdio: ["pipe", "ignore", onWindows ? "ignore" : "pipe"],
    // Otherwise Deno 2.9.5, when it ends with an error, kills the shell before it
    // can end the server.
    detached: !onWindows,
  });
  const said = child.stderr === null
    ? Promise.resolve("")
    : text(child.stderr).catch(() => ""); // when it is not read any more
  let over = false;
  const ended = new Promise<void>((resolve) => {
    child.on("exit", () => resolve());
    child.on("error", () => resolve());
  });
  ended.then(() => over = true);
  const close = async () => {
    end(child);
    await ended;
    await rm(own, { recursive: true, force: true, maxRetries: 3 });
  };
  const found = await findAddress(own, () => over);
  if (found === undefined) {
    const what = over ? "its end" : `nothing for ${START_MS} ms`;
    await close();
    const last = (await said).trim();
    const after = last === "" ? "" : `, after ${JSON.stringify(last)}`;
    throw new Error(
      `Cannot start a server as ${program} must begin: received ${what}${after}`,
    );
  }
  child.stderr?.destroy();
  const connection = more === undefined ? { token } : {};
  const unref = () => {
    child.unref();
    (child.stdin as { unref?(): void } | null)?.unref?.();
  };
  return { ...found, connection, folder, unref, close };
}

function end(child: ChildProcess): void {
  if (process.platform === "win32") child.kill();
  else child.stdin?.end();
}

/** Reads which port the server took, and its number. */
async function findAddress(
  folder: string,
  over: () => boolean,
): Promise<Pick<LocalServer, "servers" | "pid"> | undefined> {
  const began = performance.now();
  while (!over() && performance.now() - began < START_MS) {
    try {
      const names = await readdir(folder);
      const name = names.find((name) => name.endsWith(".ports"));
      if (name !== undefined) {
        const ports = await readFile(join(folder, name), "utf8");
        const { nats: [address] } = JSON.parse(ports) as { nats: string[] };
        const pid = Number(/_(\d+)\.ports$/.exec(name)?.[1]);
        if (address !== undefined) return { servers: address, pid };
      }
    } catch {
      // It is being written, or the server has ended.
    }
    await pause(10);
  }
  return undefined;
}
