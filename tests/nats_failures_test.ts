// What becomes of a run when machines, clients or the server end under it.
import {
  assert,
  assertEquals,
  assertInstanceOf,
  assertRejects,
  assertStringIncludes,
} from "@std/assert";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { pathToFileURL } from "node:url";
import { NatsPool, runWorker } from "@parallel/map-nats";
import { TaskError, WorkerLostError, WorkerStartError } from "../mod.ts";
import { Connection } from "../src/nats/connection.ts";
import { startServer } from "../src/nats/server.ts";
import {
  longNatsTest as test,
  openStage,
  PATIENT,
  type Program,
  startMachine,
  startProgram,
} from "./nats.ts";
import { pause, until } from "./until.ts";

const range = (count: number) => Array.from({ length: count }, (_, i) => i);

/** Notes each start of a task in a file. */
type Note = { data: { file: string; ms: number } };
const noted = async (n: number, { data }: Note) => {
  const fs = process.getBuiltinModule("node:fs");
  fs.appendFileSync(data.file, `${n}\n`);
  await new Promise((resolve) => setTimeout(resolve, data.ms));
  return n;
};

/** A call that is awaited later; if its test fails before, nobody hears it. */
function begun<R>(call: Promise<R>): Promise<R> {
  call.catch(() => {});
  return call;
}

/** What a test opens; all of it is closed at its end, the last first. */
async function open() {
  const { stack, server, folder } = await openStage();
  const { servers } = server;
  const file = join(folder, "notes.txt");
  writeFileSync(file, "");
  return {
    server,
    servers,
    folder,
    file,
    /** Which tasks were started, in any order. */
    notes: () =>
      readFileSync(file, "utf8").trim().split("\n").filter(Boolean).map(Number),
    async machine(args: string[] = []): Promise<Program> {
      const program = await startMachine(servers, args);
      stack.defer(() => program.kill());
      return program;
    },
    async pool(options: object = {}): Promise<NatsPool> {
      const at = { servers, pool: "test", ...PATIENT, ...options };
      const pool = await NatsPool.connect(at);
      stack.defer(() => pool.close());
      return pool;
    },
    /** How many messages the server has of all runs. */
    async messages(): Promise<number> {
      const connection = await Connection.open({ servers, pool: "test" });
      const { jsm, names } = connection;
      const work = await jsm.streams.info(names.work);
      const results = await jsm.streams.info(names.results);
      await connection.close();
      return work.state.messages + results.state.messages;
    },
    /** Gives a look at what the server has of what is large. */
    async openStore() {
      const connection = await Connection.open({ servers, pool: "test" });
      stack.defer(() => connection.close());
      const { jsm, names } = connection;
      return async () => (await jsm.streams.info(`OBJ_${names.blobs}`)).state;
    },
    stack,
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

for (
  const [beside, own] of [
    ["", { chunkSize: 2 }],
    [" beside each other", { chunkSize: 1, concurrency: 10 }],
  ] as const
) {
  test(`tasks${beside} of a machine that is killed run on another`, async () => {
    await using here = await open();
    const { file, notes } = here;
    const [first] = [await here.machine(), await here.machine()];
    const pool = await here.pool();
    const data = { file, ms: 50 };
    const mapped = begun(pool.map(noted, range(60), { data, ...own }));
    await until(() => notes().length > 10);
    await first.kill();
    assertEquals(await mapped, range(60));
    assertEquals(new Set(notes()).size, 60);
  });

  test(`a machine that is told to end ends what runs${beside} first`, async () => {
    await using here = await open();
    const { file, notes } = here;
    // A machine whose signs of life are late would be taken for lost.
    const calm = ["--ack-wait", "30000"];
    const [first] = [await here.machine(calm), await here.machine(calm)];
    const pool = await here.pool();
    const data = { file, ms: 50 };
    const mapped = begun(pool.map(noted, range(60), { data, ...own }));
    await until(() => notes().length > 10);
    first.signal("SIGTERM");
    assertEquals(await first.ended, 0);
    assertStringIncludes(first.said(), "SIGTERM: what runs ends first");
    assertEquals(await mapped, range(60));
    assertEquals(notes().sort((a, b) => a - b), range(60)); // each once
    await until(() => pool.workers().length === 1);
  });
}

test("a machine ends in order when nobody reads what it prints, at two signals at once", async () => {
  await using here = await open();
  const machine = await here.machine();
  const pool = await here.pool();
  const data = { file: here.file, ms: 300 };
  const mapped = begun(pool.map(noted, [1], { data }));
  await until(() => here.notes().length === 1);
  machine.leave();
  // It goes on when both are there.
  for (const name of ["STOP", "TERM", "INT", "CONT"] as const) {
    machine.signal(`SIG${name}`);
  }
  assertEquals(await machine.ended, 0);
  assertEquals(await mapped, [1]);
});

for (const storage of ["file", "memory"] as const) {
  test(`a run goes on when its server was killed: ${storage}`, async () => {
    await using here = await open();
    const { server, file, notes } = here;
    const own = storage === "memory" ? ["--memory"] : [];
    await here.machine(own);
    const pool = await here.pool({ storage });
    const data = { file, ms: 20 };
    const mapped = begun(pool.map(noted, range(80), { data, chunkSize: 2 }));
    await until(() => notes().length > 10);
    await server.kill("SIGKILL");
    await pause(300);
    await server.restart();
    assertEquals(await mapped, range(80));
  });
}

test("a run goes on when its server was ended in order", async () => {
  await using here = await open();
  const { server, file, notes } = here;
  await here.machine();
  const pool = await here.pool();
  const data = { file, ms: 20 };
  const read = [];
  for await (const n of pool.stream(noted, range(60), { data, chunkSize: 2 })) {
    read.push(n);
    if (n !== 10) continue;
    await server.kill("SIGTERM");
    await server.restart();
  }
  assertEquals(read, range(60));
  assert(notes().length >= 60);
});

test("a call ends when there is no server for too long", async () => {
  await using here = await open();
  await here.machine();
  const pool = await here.pool({ serverTimeout: 1000 });
  const data = { file: here.file, ms: 100 };
  const mapped = begun(pool.map(noted, range(100), { data, chunkSize: 1 }));
  await until(() => here.notes().length > 0);
  const empty = await here.pool({ pool: "empty", serverTimeout: 1000 });
  await here.server.kill("SIGKILL");
  await assertRejects(() => empty.start(), WorkerStartError, '"serverTimeout"');
  await assertRejects(() => mapped, WorkerStartError, '"serverTimeout"');
  await here.server.restart();
});

test("a call ends when its server says nothing for too long", async () => {
  await using here = await open();
  await here.machine();
  const pool = await here.pool({ serverTimeout: 1000 });
  const data = { file: here.file, ms: 100 };
  const mapped = begun(pool.map(noted, range(100), { data, chunkSize: 1 }));
  await until(() => here.notes().length > 0);
  const connection = await Connection.open({
    servers: here.servers,
    pool: "x",
  });
  const short = { serverTimeout: 1000, workerTimeout: 1000 };
  const empty = await here.pool({ pool: "empty", ...short });
  await here.server.stop(); // its connections stay
  here.stack.defer(() => here.server.goOn());
  const closed = connection.close();
  await assertRejects(() => empty.start(), WorkerStartError, '"serverTimeout"');
  await assertRejects(() => mapped, WorkerStartError, '"serverTimeout"');
  await closed;
});

/**
 * Starts a machine that waits for a second for clients that are gone, and a
 * client in a program of its own, which has its first result.
 */
async function startClient(
  { servers, stack }: Awaited<ReturnType<typeof open>>,
  ...args: string[]
): Promise<Program> {
  const at = { servers, pool: "test", slots: 2, allowShipped: true };
  const machine = await runWorker({ ...at, grace: 1000 });
  stack.defer(() => machine.close());
  const path = "tests/fixtures/nats_client.ts";
  const client = startProgram(path, [servers, "test", ...args]);
  await until(() => client.said().includes("first"));
  return client;
}

test("what a client asked for is dropped when it is killed", async () => {
  await using here = await open();
  const client = await startClient(here, "100", "200");
  assert(await here.messages() > 0);
  await client.kill();
  await until(async () => await here.messages() === 0);
});

test("a client that is stopped for a while goes on", async () => {
  await using here = await open();
  const client = await startClient(here, "40", "100");
  await client.stop();
  // Its chunks are dropped; of the answers it finds some when it goes on.
  await pause(3000);
  client.signal("SIGCONT");
  assertEquals(await client.ended, 0);
  assertStringIncludes(client.said(), "all 40");
});

test("an abort takes back what is not begun", async () => {
  await using here = await open();
  await here.machine();
  const pool = await here.pool();
  const data = { file: here.file, ms: 30 };
  const abort = new AbortController();
  const { signal } = abort;
  const mapped = begun(
    pool.map(noted, range(500), { data, chunkSize: 1, signal }),
  );
  await until(() => here.notes().length > 5);
  const reason = new Error("enough");
  abort.abort(reason);
  assertEquals(await mapped.catch((error: unknown) => error), reason);
  await until(async () => await here.messages() === 0);
  assert(here.notes().length < 100);
  assertEquals(await pool.map((n: number) => n, [1]), [1]);
});

test("nothing large is left of calls that end while it is put", async () => {
  await using here = await open();
  await here.machine();
  const stored = await here.openStore();
  const large = () => new Uint8Array(4_000_000);
  const inputs = range(4).map(large);
  const wait = (bytes: Uint8Array) =>
    new Promise((resolve) => setTimeout(resolve, 50, bytes.length));
  for (const ms of [0, 20, 60, 150]) {
    const pool = await here.pool();
    const signal = AbortSignal.timeout(ms);
    await pool.map(wait, inputs, { data: large(), chunkSize: 1, signal })
      .catch(() => {});
    await pool.close();
  }
  await until(async () => (await stored()).bytes < 1_000_000);
});

test("a call that ends while something large is put puts no more", async () => {
  await using here = await open();
  await here.machine();
  const stored = await here.openStore();
  const large = () => new Uint8Array(64_000_000); // in 489 parts
  for (const isData of [true, false]) {
    const pool = await here.pool();
    const before = await stored().then(({ last_seq }) => last_seq, () => 0);
    const abort = new AbortController();
    const { signal } = abort;
    const [input, data] = isData ? [1, large()] : [large(), 1];
    const ended = begun(pool.map((n: unknown) => n, [input], { data, signal }));
    const parts = async () => (await stored()).last_seq - before;
    await until(() => parts().then((count) => count > 3, () => false));
    abort.abort();
    await assertRejects(() => ended, DOMException);
    await pool.close();
    const [count, { bytes }] = [await parts(), await stored()];
    assert(count < 400, `${count} parts were put`);
    assert(bytes < 1_000_000, `${bytes} are left`);
  }
});

test("runs end beside others that go on", async () => {
  await using here = await open();
  await here.machine();
  const pool = await here.pool();
  const wait = async (n: number) => {
    await new Promise((resolve) => setTimeout(resolve, 5));
    return n;
  };
  const abort = new AbortController();
  const { signal } = abort;
  const ended = begun(pool.map(wait, range(500), { chunkSize: 1, signal }));
  const counts = [3, 20, 60, 10, 40];
  const all = counts.map((count) =>
    begun(pool.map(wait, range(count), { chunkSize: 1 }))
  );
  await all[0];
  abort.abort();
  await assertRejects(() => ended, DOMException);
  assertEquals(await Promise.all(all), counts.map(range));
  await until(async () => await here.messages() === 0);
});

test("a client that leaves takes what it asked for along", async () => {
  await using here = await open();
  await here.machine();
  const pool = await here.pool();
  const other = await here.pool();
  const wait = async (n: number) => {
    await new Promise((resolve) => setTimeout(resolve, 20));
    return n;
  };
  const stays = begun(pool.map(wait, range(60), { chunkSize: 1 }));
  const leaves = begun(other.map(wait, range(60), { chunkSize: 1 }));
  await until(async () => await here.messages() > 8);
  await other.close();
  await assertRejects(() => leaves, DOMException);
  assertEquals(await stays, range(60));
  await until(async () => await here.messages() === 0, 5000);
});

test("values larger than a message cross", async () => {
  await using here = await open();
  await here.machine();
  const pool = await here.pool();
  const grow = (bytes: Uint8Array) => new Uint8Array(2 * bytes.length).fill(7);
  const inputs = range(3).map(() => new Uint8Array(1_500_000));
  for (const output of await pool.map(grow, inputs, { chunkSize: 3 })) {
    assertEquals([output.length, output[0], output.at(-1)], [3_000_000, 7, 7]);
  }
  const data = new Float64Array(400_000).fill(2);
  const sum = (n: number, { data }: { data: Float64Array }) => n + data[n];
  assertEquals(await pool.map(sum, [1, 2], { data }), [3, 4]);
});

test(
  "a task that ends each machine it runs on is told, and no other",
  async () => {
    await using here = await open();
    const options = ["--attempts", "2", "--backend", "threads"];
    const calm = ["--ack-wait", "5000"]; // on a busy machine signs of life are late
    let over = false;
    const keep = (async () => { // as a supervisor does
      while (!over) {
        const machine = await here.machine([...options, ...calm]);
        await Promise.race([machine.ended, until(() => over, Infinity)]);
      }
    })();
    const pool = await here.pool();
    const kill = (n: number, { data }: { data: string }) => {
      const { appendFileSync } = process.getBuiltinModule("node:fs");
      appendFileSync(data, `${n}\n`);
      if (n === 3) process.kill(process.pid, "SIGKILL");
      return n;
    };
    const { file: data, notes } = here;
    const settled = await pool.mapSettled(kill, range(6), {
      chunkSize: 2,
      data,
    });
    over = true;
    await keep;
    const { reason } = settled[3] as PromiseRejectedResult;
    assertInstanceOf(reason, WorkerLostError);
    assertEquals(reason.index, 3);
    // Twice with others and twice alone; once less or more on a machine so busy
    // that the client takes what is under way for lost, and sends it again.
    const starts = notes().filter((n) => n === 3).length;
    assert(starts >= 3 && starts <= 8, String(starts));
    const others = settled.filter((_, i) => i !== 3);
    assertEquals(
      others.map((one) => one.status === "fulfilled" ? one.value : one.reason),
      [0, 1, 2, 4, 5],
    );
  },
);

test("a task may take longer than a machine may be silent", async () => {
  await using here = await open();
  await here.machine();
  const pool = await here.pool();
  const hold = (file: string) => {
    process.getBuiltinModule("node:fs").appendFileSync(file, "1\n");
    const cell = new Int32Array(new SharedArrayBuffer(4));
    Atomics.wait(cell, 0, 0, 3500); // --ack-wait is 1500
    return 1;
  };
  assertEquals(await pool.map(hold, [here.file]), [1]);
  assertEquals(here.notes().length, 1);
});

test("chunks and answers that were lost are sent again", async () => {
  await using here = await open();
  const { servers, file } = here;
  await here.machine();
  const pool = await here.pool();
  const connection = await Connection.open({ servers, pool: "test" });
  here.stack.defer(() => connection.close());
  const data = { file, ms: 20 };
  const mapped = begun(pool.map(noted, range(60), { data, chunkSize: 1 }));
  await until(() => here.notes().length > 10);
  const { jsm, names } = connection;
  await jsm.streams.purge(names.work);
  await jsm.streams.purge(names.results);
  assertEquals(await mapped, range(60));
});

for (const kind of ["consumer", "stream"]) {
  test(`calls go on without the ${kind} of answers`, async () => {
    await using here = await open();
    const { servers } = here;
    await here.machine();
    const pool = await here.pool();
    const double = (n: number) => 2 * n;
    assertEquals(await pool.map(double, [1]), [2]);
    const connection = await Connection.open({ servers, pool: "test" });
    here.stack.defer(() => connection.close());
    const { jsm, names: { results } } = connection;
    if (kind === "stream") await jsm.streams.delete(results);
    else {
      const [{ name: client }] = await jsm.consumers.list(results).next();
      await jsm.consumers.delete(results, client);
    }
    assertEquals(await pool.map(double, [2, 3]), [4, 6]);
  });
}

test("an answer that nobody can read harms nobody", async () => {
  await using here = await open();
  const { servers, file } = here;
  await here.machine();
  const pool = await here.pool();
  const connection = await Connection.open({ servers, pool: "test" });
  here.stack.defer(() => connection.close());
  const info = async () =>
    await connection.jsm.consumers.list(connection.names.results).next();
  const [{ name: client }] = await info();
  const data = { file, ms: 20 };
  const mapped = begun(pool.map(noted, range(60), { data, chunkSize: 1 }));
  await until(() => here.notes().length > 0);
  const forged = { type: "done", machine: "none", tracks: [], ms: 1, bytes: 1 };
  const values = { as: "list", values: [], encoded: [] };
  const empty = { pieces: [], refused: [], failures: [], values };
  for (const body of [{ ...forged, ...empty, number: 1e6 }, 7, null]) {
    const sealed = await connection.envelopes.seal(body, "x");
    await connection.js.publish(connection.subject("r", client, 1), sealed);
  }
  await connection.js.publish(connection.subject("r", client, 1), "garbage");
  assertEquals(await mapped, range(60));
});

test("a machine that speaks another version is told of", async () => {
  await using here = await open();
  const { servers } = here;
  const connection = await Connection.open({ servers, pool: "test" });
  here.stack.defer(() => connection.close());
  const info = { id: "other", name: "other", slots: 1, wire: 99 };
  connection.nc.subscribe(connection.subject("hello"), {
    callback: (_, message) => void message.respond(JSON.stringify(info)),
  });
  const pool = await here.pool({ workerTimeout: 1000 });
  await assertRejects(
    () => pool.map((n: number) => n, [1]),
    WorkerStartError,
    "machines that speak version 99 of its messages",
  );
});

test("machines with other versions of the module are told of", async () => {
  await using here = await open();
  const { servers, folder } = here;
  const fileOf = (version: number) => join(folder, `work${version}.mjs`);
  // Both before any is imported: Bun 1.4.5 remembers what a folder held.
  for (const version of [1, 2]) {
    const wait = "await new Promise((end) => setTimeout(end, 100));";
    const text = `export async function work() { ${wait} return ${version}; }`;
    writeFileSync(fileOf(version), text);
  }
  for (const version of [1, 2]) {
    const module = pathToFileURL(fileOf(version));
    const at = { servers, pool: "test", slots: 1 };
    const machine = await runWorker({ ...at, name: `m${version}`, module });
    here.stack.defer(() => machine.close());
  }
  const pool = await here.pool();
  await until(() => pool.workers().length === 2);
  const error = await assertRejects(
    () => pool.map("work", range(40), { chunkSize: 1 }),
    WorkerStartError,
  );
  assertStringIncludes(error.message, "must have the same version");
});

test("a machine whose module has changed is told of", async () => {
  await using here = await open();
  const { servers, folder } = here;
  const file = join(folder, "work.mjs");
  writeFileSync(file, "export const work = () => 1;");
  const module = pathToFileURL(file);
  const machine = await runWorker({ servers, pool: "test", slots: 1, module });
  here.stack.defer(() => machine.close());
  const pool = await here.pool();
  assertEquals(await pool.map("work", [0]), [1]);
  writeFileSync(file, "export const work = () => 2;");
  const error = await assertRejects(
    () => pool.map("work", [0]),
    WorkerStartError,
  );
  assertStringIncludes(error.message, "(start the machine again)");
  rmSync(file);
  await assertRejects(
    () => pool.map("work", [0]),
    WorkerStartError,
    "Cannot start workers as the module of a machine must be a file that can",
  );
});

test("a server that does not let a program in is told of", async () => {
  const folder = mkdtempSync(join(tmpdir(), "parallel-map-test-"));
  const password = ["--user", "ann", "--pass", "secret"];
  const closed = await startServer({
    args: ["-js", "-sd", folder, ...password],
  });
  const open = await startServer({ args: [] }); // without JetStream
  try {
    const connect = (servers: string) => () =>
      NatsPool.connect({ servers, pool: "test" });
    const at = closed.servers.replace("//", "//ann:wrong@");
    const wrong = await assertRejects(connect(at), Error, "AuthorizationError");
    assert(!wrong.message.includes("wrong"));
    await assertRejects(connect(closed.servers), Error, "AuthorizationError");
    await assertRejects(connect(open.servers), Error, "nats-server -js");
    await assertRejects(
      connect("nats://127.0.0.1:1"),
      Error,
      "start one with: nats-server -js",
    );
    const right = closed.servers.replace("//", "//ann:secret@");
    const pool = await connect(right)();
    await pool.close();
  } finally {
    await closed.close();
    await open.close();
    rmSync(folder, { recursive: true });
  }
});

test(
  "a server that resets the connection as it refuses is told of",
  async () => {
    const server = createServer((socket) => {
      socket.on("error", () => {});
      const info = {
        server_id: "x",
        version: "2.9.10",
        headers: true,
        port: 1,
      };
      socket.write(
        `INFO ${JSON.stringify({ ...info, max_payload: 1 << 20 })}\r\n`,
      );
      socket.on("data", () => {
        socket.write("-ERR 'Authorization Violation'\r\n");
        socket.resetAndDestroy();
      });
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    const servers = `nats://127.0.0.1:${port}`;
    // The error that the reset is must not end the program.
    const tries = Array.from(
      { length: 100 },
      () =>
        assertRejects(() => NatsPool.connect({ servers, pool: "test" }), Error),
    );
    await Promise.all(tries);
    server.close();
    await once(server, "close");
  },
);

test("an error of a task is no reason to try it elsewhere", async () => {
  await using here = await open();
  await here.machine();
  const pool = await here.pool();
  const fail = (file: string) => {
    process.getBuiltinModule("node:fs").appendFileSync(file, "1\n");
    throw new Error("no");
  };
  await assertRejects(() => pool.map(fail, [here.file]), TaskError, "no");
  await assertRejects(
    () => pool.map(fail, [here.file], { retries: 2 }),
    TaskError,
  );
  assertEquals(here.notes().length, 4);
});
