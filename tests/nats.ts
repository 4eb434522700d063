// Tests that need a NATS server: each starts one of its own, on a port that is
// free. Where there is none on the machine they are left out, and say so; in CI
// they must run.
import { spawn } from "node:child_process";
import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
} from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { findServer, startServer } from "../src/nats/server.ts";
import {
  runtime,
  type Test,
  test,
  unlessBrief,
  withOptions,
} from "./harness.ts";
import { pause, until } from "./until.ts";
import { workersGone } from "./workers_gone.ts";

const found = findServer() !== undefined;
if (!found) {
  const why = "nats-server not found (apt-get install nats-server)";
  if (process.env.NATS_TESTS === "must run") throw new Error(why);
  console.log(`SKIPPED: ${why}`);
}

/** Registers a test that needs a server, which it starts. */
export const natsTest: Test = withOptions((name, options, body) => {
  const inFull = async () => {
    await body();
    await workersGone(); // a busy machine ends them late
  };
  test(name, { ...options, ignore: !found || options.ignore }, inFull);
});

/** Registers one that takes long, and need not run on each runtime. */
export const longNatsTest: Test = unlessBrief(natsTest);

/** Options of a pool that waits for machines of a busy one. */
export const PATIENT = { workerTimeout: 120_000 };

/** A server that can be ended and started again where it was. */
export interface RobustServer {
  servers: string;
  /** Stops it, until it goes on. */
  stop(): Promise<void>;
  goOn(): void;
  kill(signal: NodeJS.Signals): Promise<void>;
  restart(): Promise<void>;
  close(): Promise<void>;
}

/**
 * Starts a server that can be ended and started again where it was.
 *
 * @param more More of its command line.
 */
export async function startRobustServer(
  more: string[] = [],
): Promise<RobustServer> {
  const folder = mkdtempSync(join(tmpdir(), "parallel-map-nats-"));
  const args = ["-js", "-sd", folder, ...more];
  let server = await startServer({ args });
  const { servers } = server;
  const port = Number(new URL(servers).port);
  return {
    servers,
    stop: () => stop(server.pid),
    goOn: () => void process.kill(server.pid, "SIGCONT"),
    async kill(signal) {
      process.kill(server.pid, signal);
      while (isAlive(server.pid)) await pause(10);
      await server.close();
    },
    async restart() {
      server = await startServer({ args, port });
    },
    async close() {
      await server.close();
      rmSync(folder, { recursive: true });
    },
  };
}

/** Several servers of one cluster. */
export async function startCluster(count: number): Promise<RobustServer[]> {
  const ports = await freePorts(count);
  const routes = ports.map((port) => `nats://127.0.0.1:${port}`);
  const cluster = ["-cluster_name", "test", "-routes", routes.join(",")];
  return await Promise.all(
    routes.map((route, i) =>
      startRobustServer(["-cluster", route, "-n", `server${i}`, ...cluster])
    ),
  );
}

/** A server and a folder; the stack closes them at its end, the last first. */
export async function openStage(): Promise<
  { stack: AsyncDisposableStack; server: RobustServer; folder: string }
> {
  const stack = new AsyncDisposableStack();
  const server = await startRobustServer();
  stack.defer(() => server.close());
  const folder = mkdtempSync(join(tmpdir(), "parallel-map-test-"));
  stack.defer(() => rmSync(folder, { recursive: true }));
  return { stack, server, folder };
}

/** Ports of this machine that are free now. */
async function freePorts(count: number): Promise<number[]> {
  const listening = Array.from({ length: count }, () => {
    const server = createServer().listen(0, "127.0.0.1");
    return new Promise<typeof server>((resolve) => {
      server.once("listening", () => resolve(server));
    });
  });
  const servers = await Promise.all(listening);
  const ports = servers.map((server) => (server.address() as AddressInfo).port);
  const closed = servers.map((server) =>
    new Promise((resolve) => server.close(resolve))
  );
  await Promise.all(closed);
  return ports;
}

/**
 * Stops a process. Its threads go on until one of them has taken the signal: on a
 * machine that is busy, for up to half a second.
 */
export async function stop(pid: number): Promise<void> {
  process.kill(pid, "SIGSTOP");
  const threads = `/proc/${pid}/task`; // on Linux
  if (!existsSync(threads)) return await pause(1000);
  const isStopped = (thread: string) => {
    const path = `${threads}/${thread}/stat`;
    return !existsSync(path) || /\) T /.test(readFileSync(path, "utf8"));
  };
  await until(() => readdirSync(threads).every(isStopped));
}

/** Whether there is such a process. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false; // there is no such process
  }
}

/** A program that was started. */
export interface Program {
  /** What it printed. */
  said(): string;
  /** Reads no more of it. */
  leave(): void;
  /** Settles when it has ended, with its code, or the signal. */
  ended: Promise<number | string | null>;
  /** Whether it has ended. */
  over(): boolean;
  /** Whether the runtime hangs, before it runs any of the program. */
  hangs(): boolean;
  /** Sends a signal. */
  signal(name: NodeJS.Signals): void;
  /** Stops it. */
  stop(): Promise<void>;
  /** Ends it at once, if it has not. */
  kill(): Promise<void>;
}

/** ms of CPU that a process has used; Infinity where Linux does not tell. */
function cpuOf(pid: number): number {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ").at(-1)!
      .split(" ");
    return 10 * (Number(fields[11]) + Number(fields[12]));
  } catch {
    return Infinity;
  }
}

/** What Node.js loads first to run a program of this project. */
export const NAMES: string = fileURLToPath(
  new URL("names.ts", import.meta.url),
);

/** How the runtime at hand runs a program with all permissions. */
const RUN: string[] = {
  deno: ["run", "-A", "--no-check"],
  bun: [],
  node: ["--import", NAMES],
  browser: [], // it runs no program
}[runtime];

/**
 * Starts a program beside this one.
 *
 * @param path The program, from the root of this project.
 * @param args Its arguments.
 * @param command What runs it; by default the runtime at hand.
 * @returns The program.
 */
export function startProgram(
  path: string,
  args: string[],
  command: string[] = [process.execPath, ...RUN],
): Program {
  const file = fileURLToPath(new URL(`../${path}`, import.meta.url));
  const [program, ...rest] = command;
  const child = spawn(program, [...rest, file, ...args], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  let used = 0; // ms of CPU
  let usedAt = performance.now(); // when that was last seen to grow
  let text = "";
  child.stdout!.on("data", (data) => text += data);
  child.stderr!.on("data", (data) => text += data);
  const ended = new Promise<number | string | null>((resolve) => {
    child.on("close", (code, signal) => resolve(code ?? signal));
  });
  return {
    said: () => text,
    leave() {
      child.stdout!.destroy();
      child.stderr!.destroy();
    },
    over: () => child.exitCode !== null || child.signalCode !== null,
    hangs() {
      if (runtime !== "deno" || text !== "") return false;
      const before = used;
      used = cpuOf(child.pid!);
      if (used !== before) usedAt = performance.now();
      // To be where it runs a program takes Deno more, also on a fast machine.
      return used < 250 && performance.now() - usedAt > 30_000;
    },
    ended,
    // Not by child.kill: Deno 2.9.5 then says that the signal ended it.
    signal: (name) => void process.kill(child.pid!, name),
    stop: () => stop(child.pid!),
    async kill() {
      if (isAlive(child.pid!)) process.kill(child.pid!, "SIGKILL");
      await ended;
    },
  };
}

/**
 * Starts a machine as a program. Beside many others, Deno 2.9.5 hangs in one of
 * some thousand starts, with no thread that runs and hardly any CPU used, before
 * it runs any of it: that one is started again.
 *
 * @param servers Where.
 * @param args More of its command line.
 * @param command What runs it; by default the runtime at hand.
 * @returns The program, once it serves.
 */
export async function startMachine(
  servers: string,
  args: string[] = [],
  command?: string[],
): Promise<Program> {
  const program = startProgram("src/nats/worker_command.ts", [
    ...["--servers", servers, "--pool", "test", "--slots", "2"],
    ...["--allow-shipped", "--ack-wait", "1500", ...args],
  ], command);
  let over = false;
  program.ended.then(() => over = true);
  await until(() =>
    over || program.said().includes("serves pool") || program.hangs()
  ).catch((cause) => {
    throw new Error(`it says: ${program.said()}`, { cause });
  });
  if (program.hangs()) {
    console.log("a machine hung in its runtime, and is started again");
    await program.kill();
    return await startMachine(servers, args, command);
  }
  if (over) throw new Error(program.said());
  return program;
}
