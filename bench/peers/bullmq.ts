/**
 * BullMQ as its documentation shows it: a queue in Redis, workers, and a client
 * that awaits what they return.
 *
 * @module
 */

import { spawn, spawnSync } from "node:child_process";
import { randomUUID } from "node:crypto";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { same } from "../tasks.ts";

const QUEUE = "chunks";

// Imported by name, so that the check of this repository does not need it.
// deno-lint-ignore no-explicit-any -- a package that is not installed for the check
const load = (): Promise<any> => import("bullmq" as string);

/** What is opened, and must be closed. */
export interface Opened {
  close(): Promise<void>;
}

/** A client, connected. */
export interface BullClient extends Opened {
  /** Has a job done for each value; the results come in their order. */
  map(values: string[]): Promise<string[]>;
}

/**
 * Looks for what BullMQ needs.
 *
 * @returns Versions of both; or what is missing, and how to get it.
 */
export async function findBull(): Promise<
  { versions: string } | { missing: string }
> {
  const { stdout } = spawnSync("redis-server", ["--version"], {
    encoding: "utf8",
  });
  if (!stdout) {
    return { missing: "redis-server (apt-get install redis-server)" };
  }
  const redis = /v=([\d.]+)/.exec(stdout)?.[1];
  try {
    await load();
    const file = new URL("node_modules/bullmq/package.json", import.meta.url);
    const { version } = JSON.parse(await readFile(file, "utf8"));
    return { versions: `bullmq ${version}, redis-server ${redis}` };
  } catch {
    return { missing: "bullmq (npm run get:peers)" };
  }
}

/**
 * Starts a Redis on a port that is free, in a folder of its own.
 *
 * @param durable Whether it writes each change to a file.
 * @returns Its port; to close it removes its folder.
 */
export async function startRedis(
  durable: boolean,
): Promise<Opened & { port: number }> {
  const folder = await mkdtemp(join(tmpdir(), "parallel-map-redis-"));
  const port = await freePort();
  const args = ["--port", `${port}`, "--bind", "127.0.0.1", "--dir", folder]
    .concat("--save", "", "--appendonly", durable ? "yes" : "no");
  // It ends with this process, however that ends: its end of the pipe closes.
  const script = '"$0" "$@" & server=$!; cat >/dev/null; kill $server; wait';
  const child = spawn("sh", ["-c", script, "redis-server", ...args], {
    stdio: ["pipe", "ignore", "ignore"],
    detached: true, // or Deno kills it first, when it ends with an error
  });
  let over = false;
  const ended = new Promise<void>((resolve) => {
    child.on("exit", () => {
      over = true;
      resolve();
    });
  });
  while (!await answers(port)) {
    if (over) throw new Error(`redis-server did not begin at port ${port}`);
    await new Promise((end) => setTimeout(end, 5));
  }
  return {
    port,
    async close() {
      child.stdin!.end();
      await ended;
      await rm(folder, { recursive: true });
    },
  };
}

/**
 * Starts a worker in this process.
 *
 * @param port Of its Redis.
 * @param concurrency How many jobs at once.
 * @returns The worker, once it is connected.
 */
export async function startWorker(
  port: number,
  concurrency: number,
): Promise<Opened> {
  const { Worker } = await load();
  const connection = { port, maxRetriesPerRequest: null };
  const work = (job: { data: string }) => Promise.resolve(same(job.data));
  const worker = new Worker(QUEUE, work, { connection, concurrency });
  await worker.waitUntilReady();
  return worker;
}

/**
 * Starts a worker in a process of its own.
 *
 * @param port Of its Redis.
 * @param concurrency How many jobs at once.
 * @returns The worker, once it is connected.
 */
export async function spawnWorker(
  port: number,
  concurrency: number,
): Promise<Opened> {
  const path = join(import.meta.dirname!, "bullmq_worker.ts");
  const run = "Deno" in globalThis ? ["run", "-A", path] : [path];
  const args = [...run, `${port}`, `${concurrency}`];
  const child = spawn(process.execPath, args, {
    stdio: ["pipe", "pipe", "pipe"],
  });
  let complaint = "";
  child.stderr!.on("data", (part) => complaint += part);
  const ended = new Promise<void>((resolve) => child.on("close", resolve));
  await Promise.race([
    new Promise((resolve) => child.stdout!.once("data", resolve)),
    ended.then(() => Promise.reject(new Error(complaint))),
  ]);
  return {
    async close() {
      child.stdin!.end();
      await ended;
    },
  };
}

/**
 * Connects a client.
 *
 * @param port Of its Redis.
 * @returns The client, which hears what becomes of jobs.
 */
export async function openClient(port: number): Promise<BullClient> {
  const { Queue, QueueEvents } = await load();
  const connection = { port };
  const defaultJobOptions = { removeOnComplete: true };
  const queue = new Queue(QUEUE, { connection, defaultJobOptions });
  // By itself it begins with what happens once it listens: a client whose job
  // ended before would wait for ever, as was seen. The ids are times.
  const lastEventId = `${Date.now() - 1000}-0`;
  const events = new QueueEvents(QUEUE, { connection, lastEventId });
  await events.waitUntilReady();
  const client = randomUUID();
  let runs = 0;
  return {
    // A third faster than to await each job by waitUntilFinished, which asks Redis
    // for it once more.
    async map(values) {
      const run = `${client} ${++runs} `;
      const results: string[] = [];
      const { promise, resolve } = Promise.withResolvers<void>();
      let left = values.length;
      const hear = (job: { jobId: string; returnvalue: string }) => {
        if (!job.jobId.startsWith(run)) return;
        results[Number(job.jobId.slice(run.length))] = job.returnvalue;
        if (--left === 0) resolve();
      };
      events.on("completed", hear);
      const jobs = values.map((data, i) => ({
        name: "same",
        data,
        opts: { jobId: `${run}${i}` },
      }));
      await queue.addBulk(jobs);
      await promise;
      events.off("completed", hear);
      return results;
    },
    async close() {
      await events.close();
      await queue.close();
    },
  };
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** Whether somebody listens there. */
function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    socket.once("connect", () => socket.end(() => resolve(true)));
    socket.once("error", () => resolve(false));
  });
}
