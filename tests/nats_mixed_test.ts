// Machines on Deno, Bun and Node.js in one pool, and what is told of them.
import {
  assert,
  assertEquals,
  assertInstanceOf,
  assertStringIncludes,
} from "@std/assert";
import { existsSync, readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { NatsPool } from "@parallel/map-nats";
import { type RunEvent, TaskError } from "../mod.ts";
import { findNode, NAMES } from "../scripts/find_node.ts";
import { Timeline } from "../src/timeline/mod.ts";
import {
  natsTest as test,
  PATIENT,
  startMachine,
  startRobustServer,
} from "./nats.ts";
import { until } from "./until.ts";

const range = (count: number) => Array.from({ length: count }, (_, i) => i);

/** The commands of all runtimes that are at hand: no launchers, for signals. */
function runtimes(): Map<string, string[]> {
  const at = (path: string) =>
    fileURLToPath(new URL(`../node_modules/${path}`, import.meta.url));
  const [deno] = readdirSync(at("@deno/"));
  const node = findNode(24);
  const commands = new Map([
    ["deno", [at(`@deno/${deno}/deno`), "run", "-A", "--no-check"]],
    ["bun", [at("bun/bin/bun.exe")]],
  ]);
  if (node !== undefined) commands.set("node", [node, ...NAMES]);
  for (const [name, [program]] of commands) {
    if (program !== node && !existsSync(program)) commands.delete(name);
  }
  return commands;
}

/** Values that each runtime must read as the others wrote them. */
const values = () => [
  new Map<unknown, unknown>([["a", new Set([1n])], [2, new Date(3)]]),
  { deep: [[-0, NaN, undefined, null, , "\ud800x"]] },
  [new Float64Array([0.1, -0]), new Uint8Array([1, 2]).subarray(1), /x/gu],
  new RangeError("mine", { cause: { n: 1 } }),
  Object(1n),
  "ü💚".repeat(100),
];

/** An error without its stack, which loses frames of this program. */
const bare = (value: unknown) =>
  value instanceof RangeError ? [value.message, value.cause] : value;

test("Deno, Bun and Node.js serve one pool together", async () => {
  await using stack = new AsyncDisposableStack();
  const server = await startRobustServer();
  stack.defer(() => server.close());
  const { servers } = server;
  const names: string[] = [];
  for (const [name, command] of runtimes()) {
    const own = ["--name", name, "--slots", "1"];
    const machine = await startMachine(servers, own, command);
    stack.defer(() => machine.kill());
    names.push(name);
  }
  assert(names.length >= 2);
  const pool = await NatsPool.connect({ servers, pool: "test", ...PATIENT });
  stack.defer(() => pool.close());
  await until(() => pool.workers().length === names.length);
  assertEquals(pool.workers().map(({ name }) => name).sort(), names.sort());
  const where = async (value: unknown) => {
    await new Promise((resolve) => setTimeout(resolve, 10));
    const runtime = "Deno" in globalThis
      ? "deno"
      : "Bun" in globalThis
      ? "bun"
      : "node";
    return { value, runtime };
  };
  const served = new Set<string>();
  const inputs = range(30).flatMap(values);
  for (const chunkSize of [1, 90]) { // one by one, and as columns and records
    const results = await pool.map(where, inputs, { chunkSize });
    assertEquals(results.map(({ value }) => bare(value)), inputs.map(bare));
    for (const { runtime } of results) served.add(runtime);
  }
  assertEquals([...served].sort(), names.sort());
  const error = await pool.map((n: number) => {
    throw new AggregateError([new TypeError("inner")], `outer ${n}`);
  }, [1]).catch((error: unknown) => error);
  assertInstanceOf(error, TaskError);
  assertInstanceOf(error.cause, AggregateError);
  assertInstanceOf(error.cause.errors[0], TypeError);
});

test("a timeline has a lane for each worker of each machine", async () => {
  await using stack = new AsyncDisposableStack();
  const server = await startRobustServer();
  stack.defer(() => server.close());
  const { servers } = server;
  for (const name of ["left", "right"]) {
    const machine = await startMachine(servers, ["--name", name]);
    stack.defer(() => machine.kill());
  }
  const timeline = new Timeline();
  const events: RunEvent[] = [];
  const pool = await NatsPool.connect({
    servers,
    pool: "test",
    onEvent(event) {
      events.push(event);
      timeline.record(event);
    },
  });
  stack.defer(() => pool.close());
  await until(() => pool.workers().length === 2);
  const slow = async (n: number) => {
    await new Promise((resolve) => setTimeout(resolve, 20));
    return n;
  };
  await pool.map(slow, range(60), { chunkSize: 2 });
  await pool.close();
  const started = events.filter(({ type }) => type === "worker-start");
  const ended = events.filter(({ type }) => type === "worker-end");
  assertEquals([started.length, ended.length], [4, 4]);
  const told = events.flatMap((event) =>
    event.type === "chunk-done"
      ? range(event.from.length).map((offset) => event.first + offset)
      : []
  );
  assertEquals(told.sort((a, b) => a - b), range(60)); // each once
  assertEquals(timeline.summary().tasks, 60);
  assertStringIncludes(timeline.report(), "60 tasks");
  assertStringIncludes(timeline.toHtml(), "worker 3");
});
