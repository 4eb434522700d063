// How machines and clients end whose server does not answer any more.
import {
  assert,
  assertEquals,
  assertInstanceOf,
  assertMatch,
  assertRejects,
} from "@std/assert";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { pathToFileURL } from "node:url";
import { NatsPool, runWorker } from "@parallel/map-nats";
import { type RunEvent, TaskError, WorkerStartError } from "../mod.ts";
import { Connection } from "../src/nats/connection.ts";
import { Machines } from "../src/nats/machines.ts";
import { WIRE_VERSION } from "../src/nats/messages.ts";
import { startServer } from "../src/nats/server.ts";
import { FakeClock } from "./fakes.ts";
import { runtime, test } from "./harness.ts";
import {
  isAlive,
  longNatsTest,
  natsTest,
  openStage,
  PATIENT,
  startMachine,
} from "./nats.ts";
import { pause, until } from "./until.ts";

/** Notes that it began; ends when it is let. */
const held = async (n: number, { data: folder }: { data: string }) => {
  const fs = process.getBuiltinModule("node:fs");
  fs.writeFileSync(`${folder}/begun`, "");
  while (!fs.existsSync(`${folder}/go`)) {
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return n;
};

/** A server, and one call of a client, which waits for machines. */
async function open() {
  const { stack, server, folder: data } = await openStage();
  const { servers } = server;
  const at = { servers, pool: "test", ackWait: 1500 };
  return {
    server,
    at,
    stack,
    go: () => writeFileSync(join(data, "go"), ""),
    /** Settles when a task has begun since it was asked last. */
    async begun() {
      await until(() => existsSync(join(data, "begun")));
      rmSync(join(data, "begun"));
    },
    async pool(options: object = {}): Promise<NatsPool> {
      const pool = await NatsPool.connect({ ...at, ...PATIENT, ...options });
      stack.defer(() => pool.close());
      return pool;
    },
    /** Maps 1, 2, 3 by what waits until it is let go. */
    map(pool: NatsPool): Promise<number[]> {
      const mapped = pool.map(held, [1, 2, 3], { data, chunkSize: 1 });
      mapped.catch(() => {}); // whoever awaits it hears it
      return mapped;
    },
    async machine(options: object = {}) {
      const own = { slots: 2, allowShipped: true, ...options };
      const machine = await runWorker({ ...at, ...own });
      stack.defer(() => machine.close({ finish: false }).catch(() => {}));
      return machine;
    },
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

const UNDELIVERED =
  /must take the results at nats:.* within 1000 ms \("serverTimeout"\): it took none of [12] chunks, which other machines do again/;

for (
  const away of ["killed", "stopped", "without JetStream"] as const
) {
  longNatsTest(
    `a machine that is told to end does so when its server is ${away}`,
    async () => {
      await using here = await open();
      const { server, at, stack } = here;
      const patience = ["--server-timeout", "1000"];
      const machine = await startMachine(at.servers, patience);
      stack.defer(() => machine.kill());
      const mapped = here.map(await here.pool());
      await here.begun();
      if (away === "stopped") {
        await server.stop();
        stack.defer(() => server.goOn());
      } else await server.kill("SIGKILL");
      if (away === "without JetStream") {
        const port = Number(new URL(at.servers).port);
        const bare = await startServer({ args: [], port });
        stack.defer(async () => {
          await bare.close();
          await server.restart(); // the client leaves it in order
        });
      }
      machine.signal("SIGTERM");
      await until(() => machine.said().includes("SIGTERM"));
      here.go();
      assertEquals(await machine.ended, 1, machine.said());
      assertMatch(machine.said(), UNDELIVERED);
      assert(!machine.said().includes("See --help"), machine.said());
      if (away === "without JetStream") return;
      if (away === "stopped") server.goOn();
      else await server.restart();
      await here.machine();
      assertEquals(await mapped, [1, 2, 3]);
    },
  );
}

longNatsTest("a machine without work ends without its server", async () => {
  await using here = await open();
  const machine = await startMachine(here.at.servers);
  here.stack.defer(() => machine.kill());
  await here.server.kill("SIGKILL");
  machine.signal("SIGTERM");
  assertEquals(await machine.ended, 0, machine.said());
});

natsTest("close() of a machine says what was not delivered", async () => {
  await using here = await open();
  const machine = await here.machine({ serverTimeout: 1000 });
  here.map(await here.pool());
  await here.begun();
  await here.server.kill("SIGKILL");
  const closed = machine.close();
  here.go();
  const error = await assertRejects(() => closed, Error, "Cannot end in order");
  assertMatch(error.message, UNDELIVERED);
  await here.server.restart();
});

natsTest("a machine can be closed before what runs ends", async () => {
  await using here = await open();
  const first = await here.machine();
  const mapped = here.map(await here.pool());
  await here.begun();
  const ended = first.close();
  await first.close({ finish: false });
  await ended;
  await here.machine();
  here.go();
  assertEquals(await mapped, [1, 2, 3]);
});

natsTest(
  "a machine that is told to end is in no list, and is waited for",
  async () => {
    await using here = await open();
    const machine = await here.machine();
    const pool = await here.pool({ workerTimeout: 1000 });
    const mapped = here.map(pool);
    await here.begun();
    const ended = machine.close();
    const other = await here.pool({ workerTimeout: 1000 });
    for (let looks = 0; looks < 2; looks++) {
      await assertRejects(() => other.start(), WorkerStartError);
      assertEquals(pool.workers(), []);
    }
    await here.machine();
    here.go();
    assertEquals(await mapped, [1, 2, 3]);
    await ended;
  },
);

natsTest("machines closed in order are not lost ones", async () => {
  await using here = await open();
  let machine = await here.machine();
  const mapped = here.map(await here.pool());
  // After three a task goes again alone, and after three more it has failed.
  for (let restart = 0; restart < 10; restart++) {
    await here.begun();
    const next = await here.machine();
    await machine.close({ finish: false });
    machine = next;
  }
  here.go();
  assertEquals(await mapped, [1, 2, 3]);
});

natsTest("that does not wait for a server either", async () => {
  await using here = await open();
  const machine = await here.machine();
  here.map(await here.pool());
  await here.begun();
  await here.server.kill("SIGKILL");
  await machine.close({ finish: false });
  await here.server.restart();
});

longNatsTest("a signal ends a machine that still connects", async () => {
  await using here = await open();
  const abort = new AbortController();
  const starts = here.machine({ signal: abort.signal });
  abort.abort();
  await starts;
  const pool = await here.pool({ workerTimeout: 1000 });
  await until(() => pool.start().then(() => false, () => true));
  await assertRejects(() => pool.start(), WorkerStartError);
});

longNatsTest(
  "a client can be closed when its server is stopped",
  { timeout: 15_000 }, // it is closed within 10 s
  async () => {
    await using here = await open();
    await here.machine({ serverTimeout: 1000 });
    const pool = await here.pool({ serverTimeout: 1000 });
    const mapped = here.map(pool);
    await here.begun();
    await here.server.stop();
    here.stack.defer(() => here.server.goOn());
    await pool.close();
    await assertRejects(() => mapped, DOMException, "closed");
  },
);

longNatsTest("large values cross when the server lost all", async () => {
  await using here = await open();
  const memory = { storage: "memory" };
  await here.machine(memory);
  const pool = await here.pool(memory);
  const same = (bytes: Uint8Array) => bytes;
  const input = new Uint8Array(1_500_000);
  const sizes = async () =>
    (await pool.map(same, [input])).map(({ length }) => length);
  assertEquals(await sizes(), [1_500_000]);
  await here.server.kill("SIGKILL");
  await here.server.restart();
  assertEquals(await sizes(), [1_500_000]);
});

longNatsTest(
  "a value that the store has in part is sent again",
  async () => {
    await using here = await open();
    const connection = await Connection.open(here.at);
    here.stack.defer(() => connection.close());
    const { jsm, names } = connection;
    await here.machine({ slots: 1, attempts: 1, serverTimeout: 1000 });
    const pool = await here.pool();
    const held = here.map(pool);
    await here.begun();
    const size = (bytes: Uint8Array) => bytes.length;
    const sizes = pool.map(size, [new Uint8Array(1_500_000)]);
    sizes.catch(() => {}); // it is awaited below
    const messages = async () =>
      (await jsm.streams.info(names.work)).state.messages;
    await until(async () => await messages() === 4);
    const stream = `OBJ_${names.blobs}`;
    await jsm.streams.purge(stream, { filter: `$O.${names.blobs}.C.>` });
    here.go();
    assertEquals(await sizes, [1_500_000]);
    assertEquals(await held, [1, 2, 3]);
  },
);

/** The machines of a pool, and what is told of their workers. */
function openMachines() {
  let hear = (_error: null, _message: { data: Uint8Array }) => {};
  const connection = {
    nc: {
      subscribe: (_: string, own: { callback: typeof hear }) =>
        hear = own.callback,
      isClosed: () => false,
      publish: () => {},
    },
    down: 0,
    subject: (...parts: string[]) => parts.join("."),
    onReconnect: () => {},
  } as unknown as Connection;
  const clock = new FakeClock();
  const told: string[] = [];
  const emit = (event: RunEvent) => {
    assert("worker" in event);
    told.push(`${event.type} ${event.worker}`);
  };
  const setup = { connection, clock, emit, onChange: () => {} };
  const machines = new Machines(setup);
  machines.watch();
  const say = (info: object) =>
    hear(null, { data: new TextEncoder().encode(JSON.stringify(info)) });
  return { machines, clock, told, say };
}

test("a machine that is lost is forgotten while nothing is to be done", () => {
  const { machines, clock, say } = openMachines();
  for (const wire of [WIRE_VERSION, 99]) {
    say({ id: String(wire), slots: 2, wire });
  }
  clock.ring();
  assertEquals([machines.slots, machines.strangers], [2, [99]]);
  for (let calls = 0; calls < 10; calls++) machines.look(); // as they begin
  assertEquals(machines.slots, 2);
  for (let looks = 1; looks < 4; looks++) clock.ring();
  assertEquals([machines.slots, machines.strangers], [0, []]);
  machines.close();
  assertEquals(clock.timers, 0);
});

test("a worker ends whose last answer comes after its machine said that it ended", () => {
  const { machines, clock, told, say } = openMachines();
  const info = { slots: 1, wire: WIRE_VERSION };
  say({ ...info, id: "a" });
  assertEquals(machines.numberOf("a", 0), 0);
  say({ ...info, id: "a", slots: 0, ends: true });
  assertEquals(machines.numberOf("a", 0), 1);
  assertEquals(machines.numberOf("b", 0), 2); // it is not heard yet
  clock.ring();
  say({ ...info, id: "b" });
  clock.ring();
  const begin = (worker: number) =>
    ["worker-start", "worker-ready"].map((type) => `${type} ${worker}`);
  const ended = [...begin(0), "worker-end 0"];
  const later = [...begin(1), ...begin(2), "worker-end 1"];
  assertEquals(told, [...ended, ...later]);
  clock.ring();
  assertEquals(told.length, ended.length + later.length);
  machines.close();
});

test("a machine does not begin whose module does not load", async () => {
  const folder = mkdtempSync(join(tmpdir(), "parallel-map-test-"));
  try {
    const at = { servers: "nats://127.0.0.1:1", pool: "test" };
    await assertRejects(
      () => runWorker({ ...at, module: "./work.ts" as never }),
      TypeError,
      'Cannot run worker as "module" must be an absolute URL such as import.meta.url: received "./work.ts"',
    );
    const cases: [name: string, text: string | undefined, said: RegExp][] = [
      ["none.mjs", undefined, /must be a file that can be read: .*ENOENT/],
      ["a.mjs#f", undefined, /leave out what is after #/],
      ["bad.mjs", "export const f = +;", /bad.mjs must load: received \w+/],
      [
        "throws.mjs",
        "throw new Error('no')",
        /must load: received Error: no/,
      ],
      ["never.mjs", "await new Promise(() => {})", /1000 ms .* none by then/],
      ["good.mjs", "", /Cannot connect to/],
    ];
    // All at once, as Bun looks into a folder only once.
    for (const [name, text] of cases) {
      if (text !== undefined) writeFileSync(join(folder, name), text);
    }
    for (const [name, , said] of cases) {
      const module = pathToFileURL(join(folder, name));
      // Long enough on a busy machine, where one is to load.
      const loadTimeout = name === "never.mjs" ? 1000 : 60_000;
      const own = { ...at, module, loadTimeout };
      const error = await assertRejects(() => runWorker(own), Error);
      assertMatch(error.message, said);
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
});

natsTest(
  "tasks of a machine may do what it was told that they may",
  { ignore: runtime !== "deno" }, // others keep to no permissions
  async () => {
    await using here = await open();
    const backend = "processes";
    const permissions = { env: ["HOME"] };
    await here.machine({ backend, permissions });
    const pool = await here.pool();
    const read = (name: string) => typeof process.env[name];
    assertEquals(await pool.map(read, ["HOME"]), ["string"]);
    await assertRejects(() => pool.map(read, ["PATH"]), TaskError, "env");
  },
);

longNatsTest(
  "a machine that was refused for a while serves again",
  async () => {
    const folder = mkdtempSync(join(tmpdir(), "parallel-map-test-"));
    await using stack = new AsyncDisposableStack();
    stack.defer(() => rmSync(folder, { recursive: true }));
    const start = async (token: string, port?: number) => {
      const args = ["-js", "-sd", folder, "--auth", token];
      const server = await startServer({ args, port });
      const close = async () => {
        if (isAlive(server.pid)) process.kill(server.pid, "SIGKILL");
        while (isAlive(server.pid)) await pause(10);
        await server.close();
      };
      stack.defer(close);
      return { ...server, close };
    };
    const first = await start("one");
    const port = Number(new URL(first.servers).port);
    const servers = first.servers.replace("//", "//one@");
    const machine = await startMachine(servers);
    stack.defer(() => machine.kill());
    await first.close();
    const other = await start("two", port);
    await pause(2000); // it tries every 250 ms
    await other.close();
    await start("one", port);
    const pool = await NatsPool.connect({ servers, pool: "test", ...PATIENT });
    stack.defer(() => pool.close());
    assertEquals(await pool.map((n: number) => n + 1, [1]), [2]);
    assertMatch(machine.said(), /refuses this machine.*AuthorizationError/);
    assert(!machine.over());
  },
);

natsTest("times may be without end, and parts of a ms", async () => {
  await using here = await open();
  const module = new URL("./fixtures/tasks.ts", import.meta.url);
  const most = { serverTimeout: Infinity, loadTimeout: 2 ** 31 };
  await here.machine({ module, ...most, grace: 2 ** 53, ackWait: 15_000 / 7 });
  const pool = await here.pool({ workerTimeout: Infinity, ackWait: Infinity });
  assertEquals(await pool.map((n: number) => n + 1, [1]), [2]);
});

natsTest("a machine tells when it is cut off for good", async () => {
  await using here = await open();
  const connection = { maxReconnectAttempts: 2, reconnectTimeWait: 50 };
  const machine = await here.machine({ connection });
  const other = await here.machine();
  await other.close();
  assertEquals(await other.cutOff, undefined);
  await here.server.kill("SIGKILL");
  assertInstanceOf(await machine.cutOff, Error);
  await machine.close();
});
