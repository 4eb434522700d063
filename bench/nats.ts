/**
 * What a pool on NATS costs: beside a pool of this machine, and beside BullMQ, a
 * queue of jobs in Redis. Writes `results/nats-deno.md` or the like. Needs
 * nats-server; without redis-server and `npm run get:peers` BullMQ is left out.
 *
 * @module
 */

import { spawnSync } from "node:child_process";
import { writeFile } from "node:fs/promises";
import process from "node:process";
import { NatsPool } from "@parallel/map-nats";
import { Pool } from "../mod.ts";
import { findServer, startServer } from "../src/nats/server.ts";
import { startMachine } from "../tests/nats.ts";
import { until } from "../tests/until.ts";
import { compare, type Side } from "./compare.ts";
import * as bull from "./peers/bullmq.ts";
import { RUNTIME, RUNTIME_NAME } from "./processes.ts";
import { header } from "./report.ts";
import { same } from "./tasks.ts";

/** Programs that do the work, and what each does at once. */
const PROGRAMS = 2;
const AT_ONCE = 4;

const SIZES = [["1 kB", 1024, 500], ["64 kB", 65_536, 100]] as const;
const ONE = { chunkSize: 1 };

const COLUMNS = ["this machine", "NATS", "NATS, in memory"]
  .concat("BullMQ", "BullMQ, appendonly");

/** Sides by their column; undefined where what it needs is absent. */
type Sides = Record<string, (() => unknown) | undefined>;

/** One line of the table. */
interface Line {
  title: string;
  /** Chunks of each side, if what counts is how many a second. */
  chunks?: number;
  sides: Sides;
}

const stack = new AsyncDisposableStack();
const range = (count: number) => Array.from({ length: count }, (_, i) => i);
const double = (n: number) => 2 * n;
const sleep = async (n: number) => {
  await new Promise((resolve) => setTimeout(resolve, 100));
  return 2 * n;
};

/** Texts of one size, each another. */
const texts = (count: number, length: number) =>
  range(count).map((n) => `${n} `.padEnd(length, "abcdefghij"));

/** A pool of two machines, each a program. */
async function openNats(server: string, storage: "file" | "memory") {
  const at = ["--pool", storage, "--slots", `${AT_ONCE}`];
  if (storage === "memory") at.push("--memory");
  for (let i = 0; i < PROGRAMS; i++) {
    const machine = await startMachine(server, at);
    stack.defer(() => machine.kill());
  }
  const place = { servers: server, pool: storage, storage };
  const pool = await NatsPool.connect(place);
  stack.defer(() => pool.close());
  await until(() => pool.slots === PROGRAMS * AT_ONCE);
  return { place, map: (values: string[]) => pool.map(same, values, ONE) };
}

/** A queue of BullMQ with two workers, each a program. */
async function openBull(durable: boolean) {
  const redis = await bull.startRedis(durable);
  stack.defer(() => redis.close());
  for (let i = 0; i < PROGRAMS; i++) {
    const worker = await bull.spawnWorker(redis.port, AT_ONCE);
    stack.defer(() => worker.close());
  }
  const client = await bull.openClient(redis.port);
  stack.defer(() => client.close());
  return { ...redis, map: client.map };
}

async function startNats(): Promise<string> {
  await using pool = await NatsPool.local({ slots: 2, backend: "threads" });
  return (await pool.map(same, ["first"]))[0];
}

async function startBull(): Promise<string> {
  const redis = await bull.startRedis(false);
  const worker = await bull.startWorker(redis.port, 2);
  const result = await joinBull(redis.port);
  await worker.close();
  await redis.close();
  return result;
}

async function joinNats(place: { servers: string; pool: string }) {
  await using pool = await NatsPool.connect(place);
  return (await pool.map(same, ["first"]))[0];
}

async function joinBull(port: number): Promise<string> {
  const client = await bull.openClient(port);
  const [result] = await client.map(["first"]);
  await client.close();
  return result;
}

/** Runs that are compared with a pool of this machine. */
async function* beside(): AsyncGenerator<Line> {
  await using here = new Pool({ workers: 2, backend: "threads" });
  await using there = await NatsPool.local({ slots: 2, backend: "threads" });
  const rows = [
    ["10 tasks of 100 ms", sleep, 10, undefined],
    ["100,000 tiny tasks", double, 100_000, undefined],
    ["2,000 chunks of one tiny task", double, 2000, 1],
  ] as const;
  for (const [title, fn, count, chunkSize] of rows) {
    const inputs = range(count);
    yield {
      title,
      sides: {
        "this machine": () => here.map(fn, inputs, { chunkSize }),
        NATS: () => there.map(fn, inputs, { chunkSize }),
      },
    };
  }
}

/** Runs that are compared with BullMQ. */
async function* queues(hasBull: boolean): AsyncGenerator<Line> {
  const server = await startServer();
  stack.defer(() => server.close());
  const { token } = server.connection;
  const servers = server.servers.replace("//", `//${token}@`);
  const file = await openNats(servers, "file");
  const memory = await openNats(servers, "memory");
  const plain = hasBull ? await openBull(false) : undefined;
  const durable = hasBull ? await openBull(true) : undefined;
  yield {
    title: "a server, a worker, a first result, and the end of all",
    sides: { NATS: startNats, BullMQ: plain && startBull },
  };
  yield {
    title: "a client, a first result, and its end",
    sides: {
      NATS: () => joinNats(file.place),
      BullMQ: plain && (() => joinBull(plain.port)),
    },
  };
  for (const [size, length, chunks] of SIZES) {
    const values = texts(chunks, length);
    yield {
      title: `${chunks} chunks of one text of ${size}`,
      chunks,
      sides: {
        NATS: () => file.map(values),
        "NATS, in memory": () => memory.map(values),
        BullMQ: plain && (() => plain.map(values)),
        "BullMQ, appendonly": durable && (() => durable.map(values)),
      },
    };
  }
}

/** One row of the table: medians and quartiles. */
async function row({ title, chunks, sides }: Line): Promise<string> {
  const present = Object.entries(sides).flatMap(([name, run]): Side[] =>
    run === undefined ? [] : [{ name, run }]
  );
  const timings = await compare(present, { warmups: 1, least: 5, most: 5 });
  const figure = (ms: number) =>
    Math.round(chunks === undefined ? ms : 1000 * chunks / ms);
  const cells = COLUMNS.map((column) => {
    const timing = timings.find(({ name }) => name === column);
    if (timing === undefined) return column in sides ? "absent" : "";
    const { median, low, high } = timing;
    const [from, to] = [low, high].map(figure).toSorted((a, b) => a - b);
    return `${figure(median)} (${from}–${to})`;
  });
  const unit = chunks === undefined ? "ms" : "chunks/s";
  return `| ${title} | ${unit} | ${cells.join(" | ")} |`;
}

const program = findServer();
if (program === undefined) throw new Error("nats-server is absent");
const { stdout } = spawnSync(program, ["--version"], { encoding: "utf8" });
const found = await bull.findBull();
const peer = "missing" in found
  ? `BullMQ is absent, as there is no ${found.missing}`
  : found.versions;
const head = [
  await header("npm run bench:nats"),
  `- Servers: ${stdout.trim()}; ${peer}`,
].join("\n");
const lines = [
  `| what | unit | ${COLUMNS.join(" | ")} |`,
  `| --- | --- |${" ---: |".repeat(COLUMNS.length)}`,
];
console.log(`${head}\n\n${lines.join("\n")}`);
try {
  for (const more of [beside(), queues(!("missing" in found))]) {
    for await (const line of more) {
      const text = await row(line);
      console.log(text);
      lines.push(text);
    }
  }
} finally {
  await stack.disposeAsync();
}
const intro =
  `# A pool on NATS, on ${RUNTIME_NAME}\n\n${head}\n\nMedians of five runs and their quartiles, sides in turn. The first three rows: two\nthreads, here and on NATS. Then machines, and workers of BullMQ, are ${PROGRAMS} programs\nthat do ${AT_ONCE} chunks at once. NATS keeps what is under way in a file, as Redis does with\n\`appendonly yes\`.\n\n`;
await writeFile(
  new URL(`results/nats-${RUNTIME}.md`, import.meta.url),
  `${intro}${lines.join("\n")}\n`,
);
process.exit(0);
