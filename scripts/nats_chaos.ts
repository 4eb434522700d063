// A run on NATS while everything ends under it: machines are killed in turn every
// two seconds, and the server now and then. Every result must come once, in its
// order, and nothing may be left.
//
//     npm run chaos:nats                  # 4,000 chunks, the server killed twice
//     npm run chaos:nats -- --seconds 600 # a soak: for so long
//     npm run chaos:nats -- --servers 3   # a cluster of three: one of them is killed

import { parseArgs } from "node:util";
import process from "node:process";
import { NatsPool } from "@parallel/map-nats";
import { Connection } from "../src/nats/connection.ts";
import {
  type Program,
  startCluster,
  startMachine,
  startRobustServer,
} from "../tests/nats.ts";
import { pause, until } from "../tests/until.ts";

const { values } = parseArgs({
  options: {
    chunks: { type: "string", default: "4000" },
    seconds: { type: "string", default: "0" },
    memory: { type: "boolean", default: false },
    servers: { type: "string", default: "1" },
  },
});
const chunks = Number(values.chunks);
const end = performance.now() + 1000 * Number(values.seconds);

const count = Number(values.servers);
const cluster = count === 1
  ? [await startRobustServer()]
  : await startCluster(count);
const servers = cluster.map((server) => server.servers);
const replicas = count < 3 ? 1 : 3;
const own = ["--replicas", `${replicas}`].concat(
  values.memory ? "--memory" : [],
);
const machines: Program[] = [];
process.on("exit", () => { // also when it fails
  for (const machine of machines) {
    if (!machine.over()) machine.signal("SIGKILL");
  }
});
for (let i = 0; i < 3; i++) machines.push(await supervise());
const storage = values.memory ? "memory" : "file";
const place = { servers, pool: "test", storage, replicas } as const;
const pool = await NatsPool.connect(place);

/** What was done to the pool. */
const done = { machines: 0, servers: 0 };
let over = false;

/** Starts a machine, again if there is no server just then. */
async function supervise(): Promise<Program> {
  for (let tries = 1;; tries++) {
    try {
      return await startMachine(servers.join(","), own);
    } catch (error) {
      if (tries === 20) throw error;
    }
  }
}

async function killMachines(): Promise<void> {
  for (let next = 0; !over; next = (next + 1) % machines.length) {
    await pause(2000);
    if (over) return;
    await machines[next].kill();
    done.machines++;
    machines[next] = await supervise();
  }
}

async function killServer(most: number): Promise<void> {
  while (!over && done.servers < most) {
    await pause(8000);
    if (over) return;
    const server = cluster[done.servers % count];
    await server.kill("SIGKILL");
    done.servers++;
    await pause(1000);
    await server.restart();
  }
}

const slow = async (n: number) => {
  await new Promise((resolve) => setTimeout(resolve, 20 + n % 20));
  return n * 2;
};

/** The longest time without a result, in ms. */
let silence = 0;
let heard = performance.now();
let tasks = 0;
const began = performance.now();
const chaos = [killMachines(), killServer(end > began ? Infinity : 2)];
do {
  let next = 0;
  const inputs = Array.from({ length: chunks }, (_, i) => i);
  for await (const n of pool.stream(slow, inputs, { chunkSize: 1 })) {
    silence = Math.max(silence, performance.now() - heard);
    heard = performance.now();
    if (n !== 2 * next++) throw new Error(`${n} came for input ${next - 1}`);
  }
  if (next !== chunks) throw new Error(`${next} results for ${chunks} inputs`);
  tasks += next;
} while (performance.now() < end);
const seconds = (performance.now() - began) / 1000;
over = true;
await Promise.all(chaos);
await pool.close();

if (replicas > 1) {
  const fewer = { ...place, replicas: 1 };
  const refusal = await Connection.open(fewer).catch((error) => error);
  if (!(refusal instanceof RangeError)) throw new Error(`got ${refusal}`);
}
const connection = await Connection.open(place);
const { jsm, names } = connection;
// What was sent twice is dropped. What nats-server 2.9.10 keeps after it was killed,
// and never hands out again, expires after a day.
const messages = async () => {
  const work = await jsm.streams.info(names.work);
  const results = await jsm.streams.info(names.results);
  return work.state.messages + results.state.messages;
};
await until(async () => await messages() === 0, 15_000).catch(() => {});
const left = await messages();
await connection.close();
for (const machine of machines) machine.signal("SIGTERM");
for (const machine of machines) {
  const code = await machine.ended;
  if (code !== 0) throw new Error(`a machine ended with ${code}`);
}
for (const server of cluster) await server.close();
console.log(
  `${tasks} chunks, each once and in order, in ${seconds.toFixed(1)} s; ` +
    `killed: ${done.machines} machines, ${done.servers} times one of ${count} servers (${storage}); ` +
    `longest silence: ${(silence / 1000).toFixed(1)} s; ` +
    `left on the server: ${left} messages`,
);
process.exit(0);
