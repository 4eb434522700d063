import {
  assert,
  assertEquals,
  assertInstanceOf,
  assertRejects,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import { NatsPool, runWorker } from "@parallel/map-nats";
import { type TaskContext, TaskError, WorkerStartError } from "../mod.ts";
import { Connection } from "../src/nats/connection.ts";
import { startServer } from "../src/nats/server.ts";
import { natsTest as test } from "./nats.ts";

const TASKS = new URL("./fixtures/tasks.ts", import.meta.url);
type Tasks = typeof import("./fixtures/tasks.ts");
const range = (count: number) => Array.from({ length: count }, (_, i) => i);
const double = (n: number) => n * 2;

/** A server, with a machine and a client on it. */
async function cluster(worker: object = {}, client: object = {}) {
  const stack = new AsyncDisposableStack();
  const server = await startServer();
  stack.defer(() => server.close());
  const { servers, connection } = server;
  const at = { servers, connection, pool: "test" };
  const machine = await runWorker({
    ...at,
    slots: 2,
    allowShipped: true,
    ...worker,
  });
  stack.defer(() => machine.close());
  const pool = await NatsPool.connect<Tasks>({ ...at, ...client });
  stack.defer(() => pool.close());
  return {
    at,
    machine,
    pool,
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

test("a pool on NATS keeps the order of its inputs", async () => {
  await using pool = await NatsPool.local({ slots: 2, backend: "threads" });
  assertEquals(await pool.map(double, range(1000)), range(1000).map(double));
  assertEquals(pool.slots, 2);
});

test(
  "a pool on NATS calls exports of the module of its machines",
  async () => {
    await using here = await cluster({ module: TASKS, allowShipped: false });
    const { pool } = here;
    assertEquals(await pool.map("square", [1, 2, 3]), [1, 4, 9]);
    const missing = await assertRejects(
      () => pool.map("nothing" as "square", [1]),
      WorkerStartError,
    );
    assertStringIncludes(missing.message, 'a function named "nothing"');
    const shipped = await assertRejects(
      () => pool.map(double, [1]),
      WorkerStartError,
    );
    assertStringIncludes(shipped.message, "--allow-shipped");
    const data = { add: (n: number) => n + 1 };
    await assertRejects(
      () => pool.map("square", [1], { data }),
      WorkerStartError,
      "--allow-shipped",
    );
    assertEquals(await pool.map("square", [4]), [16]);
  },
);

test("an error on another machine has its index and cause", async () => {
  await using here = await cluster();
  const check = (n: number) => {
    if (n === 7) throw Object.assign(new RangeError("seven"), { code: 7 });
    return n;
  };
  const error = await here.pool.map(check, range(20))
    .catch((error: unknown) => error);
  assertInstanceOf(error, TaskError);
  assertEquals([error.index, error.attempts], [7, 1]);
  assertInstanceOf(error.cause, RangeError);
  assertEquals((error.cause as RangeError & { code: number }).code, 7);
  assertStringIncludes(error.message, "Cannot map input 7 as check threw");
  const settled = await here.pool.mapSettled(check, range(9));
  assertEquals(settled[7].status, "rejected");
  assertEquals(settled.filter((s) => s.status === "fulfilled").length, 8);
});

test(
  "a result or an error that cannot be written fails its task alone",
  async () => {
    await using here = await cluster();
    const grow = (n: number) => {
      const array: number[] = [];
      if (n > 0) array[2 ** 24 + 1] = 1; // clone takes it
      if (n === 2) throw Object.assign(new RangeError("big"), { array });
      return array;
    };
    const settled = await here.pool.mapSettled(grow, [0, 1, 2], {
      chunkSize: 3,
    });
    assertEquals(settled[0], { status: "fulfilled", value: [] });
    const [, result, error] = settled as PromiseRejectedResult[];
    assertStringIncludes(result.reason.message, "its result");
    assertStringIncludes(error.reason.message, "RangeError: big");
  },
);

test("what cannot travel is refused", async () => {
  await using here = await cluster();
  const { pool } = here;
  await assertRejects(
    () => pool.map(double, [1], { transfer: true } as object),
    TypeError,
    '"transfer" needs workers in this process',
  );
  await assertRejects(
    () => pool.map("square", [1], { module: TASKS } as object),
    TypeError,
    "the module is named by whoever starts the machines",
  );
  assertThrows(
    () => pool.stream(double, [1], { transfer: true } as object),
    TypeError,
    "transfer",
  );
  const output = new Float64Array(new SharedArrayBuffer(8));
  await assertRejects(
    () => pool.map(double, [1], { output }),
    TypeError,
    "where workers share no memory",
  );
  const shared = new SharedArrayBuffer(8);
  await assertRejects(
    () => pool.map((one: SharedArrayBuffer) => one.byteLength, [shared]),
    TaskError,
    "a SharedArrayBuffer (which no other process can share: send a copy of it)",
  );
  const inputs = new Float64Array(shared); // these are copied
  assertEquals(await pool.map(double, inputs), [0]);
});

test("a pool on NATS streams, reduces and brings data along", async () => {
  await using here = await cluster();
  const { pool } = here;
  const odd: number[] = [];
  function* endless() {
    for (let n = 0;; n++) yield n;
  }
  for await (const n of pool.stream(double, endless())) {
    odd.push(n);
    if (odd.length === 100) break;
  }
  assertEquals(odd, range(100).map(double));
  const items = [];
  const fail = (n: number) => {
    if (n === 1) throw new Error("one");
    return n;
  };
  for await (const item of pool.stream(fail, [0, 1, 2], { settled: true })) {
    items.push([item.index, item.input, item.status]);
  }
  assertEquals(items, [
    [0, 0, "fulfilled"],
    [1, 1, "rejected"],
    [2, 2, "fulfilled"],
  ]);
  const sum = await pool.reduce(
    double,
    (a: number, b: number) => a + b,
    range(5000),
  );
  assertEquals(sum, 4999 * 5000);
  const data = { base: new Map([["ten", 10]]), twice: double };
  const found = await pool.map(
    (n: number, { data }) => data.twice(n) + data.base.get("ten")!,
    [1, 2],
    { data },
  );
  assertEquals(found, [12, 14]);
});

test("retries, and what a task is told, are those of one run", async () => {
  await using here = await cluster();
  const { pool } = here;
  const told = await pool.map(
    (n: number, { index, attempt }) => {
      if (n === 30 && attempt < 3) throw new Error("again");
      return [index, attempt];
    },
    range(50),
    { retries: 2 },
  );
  assertEquals(told, range(50).map((i) => [i, i === 30 ? 3 : 1]));
});

test("concurrency is that of each worker of a machine, with any chunkSize", async () => {
  const [, peak, seats] = [0, 1, 2];
  const cell = new Int32Array(new SharedArrayBuffer(12));
  cell[seats] = 2 * 20;
  await using here = await cluster({ backend: "threads", workerData: cell });
  const { pool } = here;
  /** Nobody leaves before all seats were taken at once. */
  const meet = async (n: number, { state }: TaskContext) => {
    const cell = state as Int32Array;
    const now = Atomics.add(cell, 0, 1) + 1;
    for (let peak = Atomics.load(cell, 1); now > peak;) {
      peak = Atomics.compareExchange(cell, 1, peak, now);
    }
    while (Atomics.load(cell, 1) < Atomics.load(cell, 2)) {
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    Atomics.sub(cell, 0, 1);
    return n;
  };
  const inputs = range(60);
  const signal = AbortSignal.timeout(120_000); // it is there to fail
  const options = { concurrency: 20, signal };
  const ways = [
    () => pool.map(meet, inputs, options),
    () => pool.map(meet, inputs, options), // when it is known to take long
    () => pool.map(meet, inputs, { ...options, chunkSize: 1 }),
    () => pool.map(meet, inputs, { ...options, chunkSize: 7 }),
    () => pool.map(meet, inputs, { ...options, weight: (n: number) => n }),
    () => pool.map(meet, inputs.values(), options),
    () => Array.fromAsync(pool.stream(meet, inputs, options)),
    () =>
      Array.fromAsync(
        pool.stream(meet, inputs, { ...options, bufferSize: 40 }),
      ),
  ];
  for (const way of ways) {
    cell[peak] = 0;
    assertEquals(await way(), inputs, `${way}`);
    assertEquals(cell[peak], cell[seats], `${way}`);
  }
});

test("a pool on NATS says which machines it has", async () => {
  await using here = await cluster({ name: "left", module: TASKS });
  await here.pool.start();
  const [one, ...others] = here.pool.workers();
  assertEquals(others, []);
  assertEquals([one.name, one.slots], ["left", 2]);
  assertEquals(one.module, TASKS.href);
  assert(/^[0-9a-f]{12}$/.test(one.fingerprint!));
  assert(/^(deno|bun|node) \d/.test(one.runtime));
});

test("many tiny tasks are few messages", async () => {
  await using here = await cluster();
  const { at, pool } = here;
  const results = await pool.map(double, range(300_000));
  assertEquals([results.length, results.at(-1)], [300_000, 599_998]);
  const connection = await Connection.open(at);
  const { jsm, names } = connection;
  const { state } = await jsm.streams.info(names.work);
  await connection.close();
  assert(state.last_seq < 500, `${state.last_seq} messages`);
});

test("a pool without a machine says how to start one", async () => {
  const server = await startServer();
  const { servers, connection } = server;
  const options = { servers, connection, pool: "empty", workerTimeout: 1000 };
  const pool = await NatsPool.connect(options);
  try {
    const error = await assertRejects(
      () => pool.map(double, [1]),
      WorkerStartError,
    );
    assertStringIncludes(error.message, 'a machine in pool "empty" at nats://');
    assertStringIncludes(error.message, "/worker --servers");
    await assertRejects(() => pool.start(), WorkerStartError, "empty");
  } finally {
    await pool.close();
    await server.close();
  }
});

test("a pool goes to whichever of its servers is there", async () => {
  const server = await startServer();
  const { servers, connection } = server;
  const several = ["nats://127.0.0.1:1", servers]; // nobody is at the first
  const own = { connection, pool: "several" };
  const machine = await runWorker({
    ...own,
    servers: several.join(","),
    allowShipped: true,
  });
  const pool = await NatsPool.connect({ ...own, servers: several });
  try {
    assertEquals(await pool.map(double, [1, 2]), [2, 4]);
    const inherited = Object.create({ chunkSize: 0 });
    for (const fn of [double, "double"] as typeof double[]) {
      await assertRejects(() => pool.map(fn, [1], inherited), RangeError);
      const map = new Map() as object;
      await assertRejects(() => pool.map(fn, [1], map), TypeError, "Map");
    }
    const { message } = await assertRejects(
      () => NatsPool.connect({ ...own, servers, pool: "kept", replicas: 3 }),
      Error,
    );
    assertStringIncludes(
      message,
      '"replicas" is 3, which takes as many servers',
    );
  } finally {
    await pool.close();
    await machine.close();
    await server.close();
  }
});

test("options of a pool on NATS are checked at the call", async () => {
  const at = { servers: "nats://127.0.0.1:1", pool: "x" };
  const connect = (options: object) => () =>
    NatsPool.connect(options as typeof at);
  await assertRejects(connect({ ...at, pool: "a.b" }), TypeError, '"pool"');
  await assertRejects(connect({ ...at, servers: [] }), TypeError, '"servers"');
  await assertRejects(connect({ ...at, slots: 1 }), TypeError, "slots");
  const inherited = Object.create({ ...at, replicas: 0 });
  await assertRejects(connect(inherited), RangeError, '"replicas"');
  for (const replicas of [0, 1.5, 6]) {
    await assertRejects(
      connect({ ...at, replicas }),
      RangeError,
      '"replicas" must be a whole number from 1 to 5',
    );
  }
  for (const slots of [0, 65_537]) {
    await assertRejects(
      () => runWorker({ ...at, slots }),
      RangeError,
      '"slots"',
    );
  }
});
