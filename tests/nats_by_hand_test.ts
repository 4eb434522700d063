// What machines and clients make of what comes late, twice, or from somebody who
// means harm.
import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { DiscardPolicy, RetentionPolicy } from "@nats-io/jetstream";
import { Objm } from "@nats-io/obj";
import { type Msg, nanos } from "@nats-io/transport-node";
import { NatsPool, runWorker } from "@parallel/map-nats";
import { WorkerStartError } from "../mod.ts";
import { Connection } from "../src/nats/connection.ts";
import {
  type CallMessage,
  encodeThrown,
  wire,
  WIRE_VERSION,
} from "../src/nats/messages.ts";
import { startServer } from "../src/nats/server.ts";
import { runtime } from "./harness.ts";
import {
  longNatsTest,
  NAMES,
  natsTest as test,
  openStage,
  startProgram,
} from "./nats.ts";
import {
  aroundSeals,
  callOf,
  chunkOf,
  openByHand,
  openClient,
} from "./nats_by_hand.ts";
import { pause, until } from "./until.ts";

test(
  "a client that says nothing for a while is no machine that was lost",
  async () => {
    await using here = await openByHand();
    const { answers } = here;
    await here.send("away", chunkOf(1, [1]));
    await here.send("away", chunkOf(2, [2]));
    await pause(2600); // asked for it five times
    here.describe("other", callOf((n) => n + 1));
    await here.send("other", chunkOf(1, [10]));
    await until(() => answers.length > 0); // the slots are free
    here.describe("away", callOf((n) => n + 1));
    await until(() => answers.length > 2);
    assertEquals(
      answers.map(([client, { type, number }]) => `${client} ${type} ${number}`)
        .sort(),
      ["away done 1", "away done 2", "other done 1"],
    );
  },
);

test(
  "a machine that ends does not wait for a client that says nothing",
  async () => {
    await using here = await openByHand({ grace: 60_000 });
    const { at, answers, connection: { jsm, names } } = here;
    await here.send("away", chunkOf(1, [1]));
    const held = async () => {
      const { num_ack_pending } = await jsm.consumers.info(
        names.work,
        "workers",
      );
      return num_ack_pending === 1;
    };
    await until(held);
    await here.machine.close();
    const other = await runWorker({ ...at, slots: 1, allowShipped: true });
    await using stack = new AsyncDisposableStack();
    stack.defer(() => other.close());
    here.describe("away", callOf((n) => n));
    await until(() => answers.length > 0);
    assertEquals(answers[0][1].type, "done");
  },
);

test(
  "a chunk that comes again while it runs runs once",
  async () => {
    await using here = await openByHand({ attempts: 1 });
    const { answers, folder } = here;
    const file = join(folder, "notes");
    writeFileSync(file, "");
    const noted = async (file: string) => {
      const { appendFileSync } = process.getBuiltinModule("node:fs");
      appendFileSync(file, "begun ");
      await new Promise((resolve) => setTimeout(resolve, 2500));
    };
    here.describe("c", callOf(noted));
    await here.send("c", chunkOf(1, [file]));
    await until(() => readFileSync(file, "utf8") !== "");
    await here.send("c", chunkOf(1, [file]));
    await until(() => answers.length > 1);
    assertEquals(answers.map(([, { type }]) => type), ["done", "done"]);
    assertEquals(readFileSync(file, "utf8"), "begun ");
  },
);

test(
  "the answer to a chunk that came twice is put in the store once",
  async () => {
    await using here = await openByHand({ ackWait: 1000 });
    const { connection: { jsm, names, nc }, folder } = here;
    let puts = 0;
    using _ = aroundSeals((seal, name) => {
      if (name.startsWith("a.")) puts++;
      return seal();
    });
    const held = async (folder: string) => {
      const { existsSync } = process.getBuiltinModule("node:fs");
      while (!existsSync(`${folder}/go`)) {
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
      return new Uint8Array(2_000_000);
    };
    here.describe("c", callOf(held));
    /** Signs of life, by the number of the message. */
    const beats = new Map<string, number>();
    nc.subscribe(`$JS.ACK.${names.work}.>`, {
      callback: (_: unknown, { subject }: Msg) => {
        const [, , , , , number = ""] = subject.split(".");
        beats.set(number, (beats.get(number) ?? 0) + 1);
      },
    });
    // As a server does that has not heard of it for a while.
    const again = { duplicate_window: nanos(100) };
    await jsm.streams.update(names.work, again);
    await here.send("c", chunkOf(1, [folder]), "c.1");
    await until(async () => !await here.send("c", chunkOf(1, [folder]), "c.1"));
    await until(() => [...beats.values()].filter((n) => n > 1).length === 2);
    writeFileSync(join(folder, "go"), "");
    await until(async () =>
      (await jsm.streams.info(names.work)).state.messages === 0
    );
    await until(() => here.answers.length > 0);
    assertEquals(puts, 1);
  },
);

test(
  "a chunk whose upload takes long is sent once",
  async () => {
    await using here = await openByHand();
    await using pool = await NatsPool.connect(here.at);
    let uploads = 0;
    using _ = aroundSeals(async (seal, name) => {
      if (name.startsWith("w.")) {
        uploads++;
        await pause(7000); // after 2 s and after 3 s the server is asked
      }
      return await seal();
    });
    assertEquals(await pool.map((n: number) => n + 1, [1]), [2]);
    assertEquals(uploads, 1);
  },
);

for (
  const [where, size, most] of [["messages", 5e5, 1], [
    "the store",
    2e6,
    2,
  ]] as const
) {
  test(
    `large inputs leave by turns, lest what is said beside them comes late: in ${where}`,
    async () => {
      await using here = await openClient();
      const { pool, connection: { js } } = here;
      const prototype = Object.getPrototypeOf(js);
      const { publish } = prototype;
      const held: (() => void)[] = [];
      prototype.publish = function (...sent: [string, Uint8Array, object]) {
        const post = () => publish.apply(this, sent);
        if (sent[1].length < 1e5) return post();
        const { promise, resolve } = Promise.withResolvers<void>();
        held.push(resolve);
        return promise.then(post);
      };
      await using stack = new AsyncDisposableStack();
      stack.defer(() => {
        prototype.publish = publish;
        for (const go of held) go();
      });
      const abort = new AbortController();
      const { signal } = abort;
      const inputs = Array.from({ length: 10 }, () => new Uint8Array(size));
      const own = { chunkSize: 1, signal };
      const mapped = pool.map((v: Uint8Array) => v, inputs, own);
      mapped.catch(() => {});
      await until(() => held.length > 0);
      await pause(200); // nothing is taken meanwhile
      assert(held.length <= most, `${held.length} are under way`);
      abort.abort();
    },
  );
}

test(
  "a call rejects whose chunks its server refuses",
  async () => {
    await using here = await openByHand();
    const { at, connection: { jsm, names } } = here;
    await using pool = await NatsPool.connect({ ...at, serverTimeout: 1000 });
    const full = { max_bytes: 1, discard: DiscardPolicy.New };
    await jsm.streams.update(names.work, full);
    await assertRejects(
      () => pool.map((n: number) => n + 1, [1]),
      Error,
      "maximum bytes exceeded",
    );
  },
);

test(
  "a call rejects for whose results its server has no room",
  async () => {
    await using here = await openByHand({ slots: 1, serverTimeout: 1000 });
    const { at, connection: { envelopes, jsm, names } } = here;
    await envelopes.seal(new Uint8Array(2_000_000), "x"); // makes its store
    const full = { max_bytes: 1 };
    await jsm.streams.update(`OBJ_${names.blobs}`, full);
    await using pool = await NatsPool.connect(at);
    const make = (bytes: number) => new Uint8Array(bytes);
    await assertRejects(
      () => pool.map(make, [2_000_000]),
      Error,
      "Cannot send as a server must take it",
    );
    assertEquals(await pool.map(make, [5]), [new Uint8Array(5)]);
  },
);

test(
  "a machine does not go on with an answer to a run that is over",
  async () => {
    await using here = await openByHand({ slots: 1 });
    const { answers, connection } = here;
    let tries = 0;
    using _ = aroundSeals((seal, name) => {
      if (!name.startsWith("a.full.")) return seal();
      tries++;
      return Promise.reject(new Error("no room"));
    });
    here.describe("full", callOf((n) => n));
    await here.send("full", chunkOf(1, [1]));
    await until(() => tries > 1);
    connection.nc.publish(connection.subject("over"), "full.1");
    here.describe("other", callOf((n) => n));
    await here.send("other", chunkOf(1, [1]));
    await until(() => answers.length > 0, 50_000); // serverTimeout is 60 s
    assertEquals(answers[0][0], "other");
  },
);

test(
  "a suspect is sent when the run of another was aborted",
  async () => {
    await using here = await openClient();
    const { pool, chunks } = here;
    const abort = new AbortController();
    const { signal } = abort;
    const one = pool.map((n: number) => n, [1], { signal });
    const other = pool.map((n: number) => n, [2]);
    one.catch(() => {});
    other.catch(() => {});
    await until(() => chunks.length === 2);
    const lost = { type: "lost", deliveries: 3 };
    for (const chunk of [...chunks]) await here.answer(chunk, lost);
    await until(() => chunks.length === 3);
    await pause(50);
    assertEquals(chunks.map(({ run }) => run), ["1", "2", "1"]);
    abort.abort();
    await until(() => chunks.length === 4);
    assertEquals(chunks[3].run, "2");
  },
);

test(
  "a chunk that says not of which run it is holds no slot",
  async () => {
    await using here = await openByHand({ slots: 1 });
    const { answers, connection: { envelopes, js, streams } } = here;
    here.describe("solo", callOf((n) => n));
    here.describe("good", callOf((n) => n));
    const body = await envelopes.seal(chunkOf(1, [1]), "x");
    for (const [i, parts] of [["solo"], ["solo", 1, 2]].entries()) {
      await js.publish(streams.subject("w", ...parts), body, { msgID: `${i}` });
    }
    await here.send("good", chunkOf(1, [1]));
    await until(() => answers.length > 0, 30_000);
    assertEquals(answers.map(([client]) => client), ["good"]);
  },
);

/** Values with a number where a buffer must be. */
const LENGTH = { as: "array", kind: "Uint8Array", buffer: 1 };

test(
  "a machine goes on when it was sent what is no chunk, or no call",
  async () => {
    await using here = await openByHand({ slots: 1 });
    const { answers, connection } = here;
    const fn = (n: number) => n + 1;
    here.describe("evil", callOf(fn));
    here.describe("none", null);
    here.describe("odd", { ...callOf(fn), concurrency: -1, chunkSize: "x" });
    here.describe("wide", callOf(fn, { concurrency: 65_537 }));
    const alone = { alone: true };
    const bad = [
      chunkOf(1, [1], { ...alone, skip: undefined }),
      chunkOf(2, [], alone),
      chunkOf(3, [1], { ...alone, skip: [0] }),
      chunkOf(4, [1], { ...alone, first: NaN }),
      chunkOf(5, [1], { ...alone, values: LENGTH }),
      chunkOf(6, [1], {
        ...alone,
        values: { as: "list", values: { length: 3 } },
      }),
      chunkOf(7, [1], { ...alone, values: { as: "shared", part: [0, 1] } }),
      null,
      7,
    ];
    for (const message of bad) await here.send("evil", message);
    await until(() => answers.length === bad.length);
    for (const [, { type }] of answers) assertEquals(type, "unread");
    for (const client of ["none", "odd", "wide"]) {
      await here.send(client, chunkOf(1, [1]));
      await until(() => answers.at(-1)![0] === client);
      assertEquals(answers.at(-1)![1].type, "refused");
      connection.nc.publish(connection.subject("over"), `${client}.1`);
    }
    here.describe("good", callOf(fn));
    await here.send("good", chunkOf(1, [1], alone));
    await until(() => answers.at(-1)![0] === "good");
    assertEquals(answers.at(-1)![1].type, "done");
  },
);

test(
  "a call ends whatever is wrong with an answer",
  async () => {
    await using here = await openClient();
    const { pool, chunks } = here;
    const { packed: values } = wire.packing.pack([7], false);
    const done = {
      ...{ type: "done", pieces: [], values, refused: [], failures: [] },
      ...{ ms: 1, bytes: 1, tracks: [] },
    };
    const none = { ...done, values: wire.packing.pack([], false).packed };
    const untold = { toString: 1, valueOf: 1 };
    const bad = [
      { type: "refused" },
      { type: "refused", problem: { message: untold } },
      { type: "lost", machine: untold },
      { type: "unread", machine: untold },
      { type: "no such thing" },
      { ...done, pieces: [[0, 1], [1, 1e15]], refused: [[1, "x"]] },
      { ...done, pieces: [[0, 1]], failures: [[1, null]] },
      { ...done, pieces: [[0, 1]], ms: "x" },
      { ...done, pieces: [[0, 1]], values: LENGTH },
      { ...done, pieces: [[0, 1]], machine: untold },
      { ...done, pieces: [[0, 1]], tracks: null },
      { ...none, failures: [[0, { why: "timeout", timeout: untold }]] },
    ];
    for (const [i, answer] of bad.entries()) {
      const mapped = pool.map((n: number) => n, [1]);
      mapped.catch(() => {}); // heard below
      await until(() => chunks.length === i + 1);
      await here.answer(chunks[i], answer);
      await assertRejects(() => mapped, Error, "what cannot be read", `${i}`);
    }
    const two = pool.mapSettled((n: number) => n, [1, 2], { chunkSize: 2 });
    await until(() => chunks.length === bad.length + 1);
    await here.answer(chunks.at(-1)!, {
      ...{ ...done, pieces: [[0, 1]], failures: [[1, null]] },
    });
    const settled = await two;
    assertEquals(settled.map(({ status }) => status), ["rejected", "rejected"]);
    // It says of one task that it failed, and of the others nothing.
    const sum = pool.reduce((n: number) => n, (a, b) => a + b, [1, 2, 3], {
      ...{ chunkSize: 3, retries: 1 },
    });
    let ended = false;
    sum.catch(() => {}).then(() => ended = true);
    await until(() => chunks.length === bad.length + 2);
    const threw = { why: "threw", error: { value: 1, errors: [] } };
    await here.answer(chunks.at(-1)!, { ...none, failures: [[0, threw]] });
    await until(() => ended || chunks.length > bad.length + 2);
    assert(ended, "a task was sent again, and the others are not waited for");
    await assertRejects(() => sum, Error, "an answer has all outcomes");
  },
);

test(
  "a call on a server that never had a machine says how to start one",
  async () => {
    const { servers, connection, close } = await startServer();
    await using stack = new AsyncDisposableStack();
    stack.defer(close);
    const patience = { workerTimeout: 4000, serverTimeout: 5000 };
    const at = { servers, connection, pool: "test", ...patience };
    await using pool = await NatsPool.connect(at);
    await assertRejects(
      () => pool.map((n: number) => n, [1]),
      WorkerStartError,
      "(start one: deno run",
    );
  },
);

test(
  "the first machine of a pool decides how long one may be silent",
  async () => {
    await using here = await openByHand({ ackWait: 6000 });
    const { at, answers, connection: { jsm, names } } = here;
    const work = async () => await jsm.consumers.info(names.work, "workers");
    const own = { ackWait: 60_000, allowShipped: true, slots: 4 };
    const machine = await runWorker({ ...at, ...own });
    await using stack = new AsyncDisposableStack();
    stack.defer(() => machine.close());
    assertEquals((await work()).config.ack_wait, 6000 * 1e6);
    await here.machine.close();
    here.describe(
      "c",
      callOf((n) => new Promise((e) => setTimeout(e, 9000, n))),
    );
    await here.send("c", chunkOf(1, [1]));
    await until(() => answers.length > 0);
    const { num_redelivered, delivered } = await work();
    assertEquals([num_redelivered, delivered.consumer_seq], [0, 1]);
  },
);

/** How the runtime at hand runs a program that may collect garbage. */
const COLLECTING: string[] = {
  deno: ["run", "-A", "--no-check", "--v8-flags=--expose-gc"],
  bun: [],
  node: ["--expose-gc", "--import", NAMES],
  browser: [], // it runs no program
}[runtime];

longNatsTest(
  "a message that was sent leaves no memory behind",
  async () => {
    const { stack, server } = await openStage();
    await using _ = stack;
    const program = startProgram(
      "tests/fixtures/nats_publishes.ts",
      [server.servers],
      [process.execPath, ...COLLECTING],
    );
    stack.defer(() => program.kill());
    assertEquals(await program.ended, 0, program.said());
    const [, bytes] = /each left (-?\d+) bytes/.exec(program.said())!;
    assert(Number(bytes) < 100, program.said());
  },
);

test(
  "data larger than a message is stored once for a run",
  async () => {
    await using here = await openByHand({ slots: 8, grace: 2000 });
    const { at, connection } = here;
    await using pool = await NatsPool.connect(at);
    // On a busy machine the store may not take it, or be too slow to be read.
    let [stored, refused, lost] = [0, 0, 0];
    connection.nc.subscribe(connection.subject("call", "*"), {
      callback: (_, question) => {
        if (question.string().split(" ")[1] === "lost") lost++;
      },
    });
    using _ = aroundSeals(async (seal, name, bytes) => {
      if (!name.startsWith("c.") || bytes.length < 1e6) return await seal();
      // The machine asks again before it has an answer.
      if (stored++ === 0) await pause(1200);
      return await seal().catch((error) => {
        refused++;
        throw error;
      });
    });
    const data = new Float64Array(200_000).fill(2);
    const get = async (n: number, { data }: { data: Float64Array }) => {
      await new Promise((resolve) => setTimeout(resolve, 700));
      return n * data[n];
    };
    const inputs = Array.from({ length: 40 }, (_, i) => i);
    assertEquals(
      await pool.map(get, inputs, { data, chunkSize: 1 }),
      inputs.map((n) => 2 * n),
    );
    const most = 1 + refused + lost;
    assert(stored > 0 && stored <= most, `${stored} times, not ${most}`);
  },
);

test(
  "data that fits in a message is not uploaded for each machine",
  async () => {
    await using here = await openClient();
    const { pool, chunks, connection: { envelopes, nc } } = here;
    const abort = new AbortController();
    const { signal } = abort;
    const data = new Uint8Array(300_000);
    const mapped = pool.map((n: number) => n, [1], { data, signal });
    mapped.catch(() => {});
    await until(() => chunks.length === 1);
    const { run, client } = chunks[0]!;
    const at = here.connection.subject("call", client);
    const ask = async (machine: string) => {
      const question = `${run} nothing ${machine} 60000`;
      const said = await nc.request(at, question, { timeout: 60_000 });
      const call = await envelopes.unseal(said.data, true);
      assertEquals((call as CallMessage).type, "call");
      return said.data.length;
    };
    const sizes = await Promise.all(["a", "b", "c", "d", "e", "f"].map(ask));
    assertEquals(sizes.filter((size) => size > 1000).length, 3);
    assertEquals(await stored(here.connection), ["c"]);
    abort.abort();
    await until(async () => (await stored(here.connection)).length === 0);
  },
);

test(
  "a run whose data the store has lost goes on",
  async () => {
    await using here = await openByHand({ slots: 1, grace: 2000 });
    const { at, connection: { js, names } } = here;
    await using pool = await NatsPool.connect(at);
    const data = new Float64Array(200_000).fill(2);
    let taken = 0;
    using _ = aroundSeals(async (seal, name) => {
      const sealed = await seal();
      if (name.startsWith("c.") && taken++ === 0) {
        await (await new Objm(js).open(names.blobs)).delete(name);
      }
      return sealed;
    });
    const get = (n: number, { data }: { data: Float64Array }) => n * data[n];
    assertEquals(await pool.map(get, [1, 2], { data }), [2, 4]);
  },
);

test(
  "a machine that did not hear that a run is over asks, and ends it",
  async () => {
    await using here = await openByHand({ grace: 4000 });
    const { answers } = here;
    let isOver = false;
    const questions = here.describe("c", (asked: string[]) => {
      // On a busy machine it asks often before it has answered.
      isOver ||= answers.length > 0 && asked.length > 2;
      return isOver ? { type: "over" } : callOf((n) => n);
    });
    await here.send("c", chunkOf(1, [1]));
    await until(() => isOver);
    assertEquals(answers.length, 1);
    await until(async () => {
      const before = questions.length;
      await pause(4000);
      return questions.length === before; // nothing is left to ask for
    });
    for (const question of questions) assertMatch(question, /^1 /);
  },
);

/** What is in the store, also what it notes of what is not. */
async function stored({ jsm, names }: Connection): Promise<string[]> {
  const query = { subjects_filter: `$O.${names.blobs}.M.>` };
  const { state } = await jsm.streams.info(`OBJ_${names.blobs}`, query);
  return Object.keys(state.subjects ?? {})
    .map((subject) => atob(subject.split(".")[3]!)[0]!);
}

test("nothing is left of what was larger than a message", async () => {
  const { stack, server: { servers } } = await openStage();
  await using _ = stack;
  const at = { servers, pool: "test" };
  const machine = await runWorker({ ...at, slots: 2, allowShipped: true });
  stack.defer(() => machine.close());
  const connection = await Connection.open(at);
  stack.defer(() => connection.close());
  const { jsm, names } = connection;
  const state = async () =>
    (await jsm.streams.info(`OBJ_${names.blobs}`)).state;
  const large = () => new Uint8Array(2_000_000);
  await using pool = await NatsPool.connect(at);
  const same = (bytes: Uint8Array) => bytes;
  const inputs = [large(), large(), large()];
  const results = await pool.map(same, inputs, { data: large() });
  assertEquals(results.map(({ length }) => length), [2e6, 2e6, 2e6]);
  await until(async () => (await state()).messages === 0);
  const { bytes, last_seq } = await state();
  assertEquals(bytes, 0);
  assert(last_seq > 7); // the inputs, the results and the data were there
});

test(
  "nothing large is left in the store of what is over",
  async () => {
    await using here = await openClient();
    const { pool, chunks, connection } = here;
    const large = new Uint8Array(2_000_000);
    const abort = new AbortController();
    const { signal } = abort;
    const mapped = pool.map((v: Uint8Array) => v, [large], { signal });
    mapped.catch(() => {});
    await until(() => chunks.length === 1);
    assertEquals(await stored(connection), ["w"]);
    abort.abort();
    await until(async () => (await stored(connection)).length === 0);
    // An answer of a run that its client does not take any more.
    const envelope = await connection.envelopes.seal(large, "a.x");
    const subject = connection.subject("r", "gone", 1);
    await connection.js.publish(subject, envelope);
    assertEquals(await stored(connection), ["a"]);
    await connection.drop("gone");
    await until(async () => (await stored(connection)).length === 0);
    // What a client had there that is killed, and what another has.
    for (const name of ["c.gone.7", "w.gone.7.0", "c.other.1"]) {
      await connection.envelopes.seal(large, name);
    }
    await connection.drop("gone");
    assertEquals(await stored(connection), ["c"]);
    // Nor who reads it.
    const { envelopes, jsm, names } = connection;
    const readers = async () =>
      (await jsm.consumers.list(`OBJ_${names.blobs}`).next()).length;
    const before = await readers();
    await envelopes.unseal(await envelopes.seal(large, "c.other.2"), true);
    await until(async () => await readers() === before);
  },
);

test("a client sends as many tasks as have lanes, and what fills them next", async () => {
  await using here = await openClient();
  const { pool, chunks, answer } = here;
  const same = (n: number) => n;
  const ended = (call: Promise<unknown>) => call.catch(() => {});
  const one = Array.from({ length: 100 }, (_, i) => i);
  const options = { concurrency: 5, chunkSize: 1 };
  const calls = [ended(pool.mapSettled(same, one, options))];
  await until(() => chunks.length >= 50); // ten slots, of which four are full
  calls.push(ended(pool.map(same, one)));
  await pause(100);
  assertEquals(chunks.length, 50);
  // Calls take turns; a chunk of the other one is a whole slot.
  const error = encodeThrown(new Error("not"));
  for (const [at, sent] of [51, 52, 52, 52, 52, 52, 53].entries()) {
    await answer(chunks[at], { type: "unread", error });
    await until(() => chunks.length >= sent);
    await pause(20);
    assertEquals(chunks.length, sent);
  }
  assertEquals(chunks.slice(50).map(({ run }) => run), ["1", "2", "1"]);
  await pool.close();
  await Promise.all(calls);
});

test("how long reading took is told once of a chunk that is too large for one message", async () => {
  await using here = await openClient();
  const { pool, chunks, answer, connection } = here;
  const text = "x".repeat(0.6 * connection.limit);
  // Not an iterator: of one that is slow, fewer go together.
  const texts = Object.defineProperty([text, text], 0, {
    get() {
      const began = performance.now();
      while (performance.now() < began + 5);
      return text;
    },
  });
  const told: [first: number, tasks: number, read: boolean][] = [];
  const lengths = pool.map((text: string) => text.length, texts, {
    chunkSize: 2,
    onEvent(event) {
      if (event.type !== "chunk-send") return;
      told.push([event.first, event.tasks, event.reading > 0]);
    },
  });
  const { packed: values } = wire.packing.pack([text.length], false);
  const times = { from: Float64Array.of(1), to: Float64Array.of(2) };
  const track = { worker: 0, first: 0, ...times, failed: [], cpu: undefined };
  for (const at of [0, 1]) {
    await until(() => chunks.length > at);
    await answer(chunks[at]!, {
      ...{ type: "done", pieces: [[0, 1]], values, refused: [], failures: [] },
      ...{ ms: 1, bytes: 1, tracks: [track] },
    });
  }
  assertEquals(await lengths, [text.length, text.length]);
  assertEquals(told.sort(([a], [b]) => a - b), [[0, 1, true], [1, 1, false]]);
});

test(
  "what a machine cannot read is told at once, with the reason",
  async () => {
    await using here = await openByHand();
    await using pool = await NatsPool.connect(here.at);
    using _ = aroundSeals(async (seal, name) => {
      const sealed = await seal();
      if (name.startsWith("w.")) sealed[0] = 99;
      return sealed;
    });
    await assertRejects(
      () => pool.map((n: number) => n, [1]),
      Error,
      `messages must have version ${WIRE_VERSION}: received 99`,
    );
  },
);

test(
  "machines of another version take nothing of this one",
  async () => {
    const { stack, server } = await openStage();
    await using _ = stack;
    const at = { servers: server.servers, pool: "test" };
    const connection = await Connection.open(at);
    stack.defer(() => connection.close());
    const { jsm } = connection;
    // As version 1 had it.
    const name = "PM_test_W";
    await jsm.streams.add({
      ...{ name, subjects: ["pm.test.w.>"] },
      retention: RetentionPolicy.Workqueue,
    });
    const machine = await runWorker({ ...at, slots: 2, allowShipped: true });
    stack.defer(() => machine.close());
    const pool = await NatsPool.connect(at);
    stack.defer(() => pool.close());
    assertEquals(await pool.map((n: number) => n + 1, [1]), [2]);
    assertEquals((await jsm.streams.info(name)).state.last_seq, 0);
  },
);

test(
  "a stream uses machines that come after it began",
  async () => {
    await using here = await openClient();
    const { pool, chunks } = here;
    const inputs = Array.from({ length: 1000 }, (_, i) => i);
    const stream = pool.stream((n: number) => n, inputs, { chunkSize: 1 });
    stream.next().catch(() => {}); // nobody answers
    await until(() => chunks.length === 10); // what goes for four slots
    here.join("other", 20);
    await until(() => chunks.length === 50); // and for 24
  },
);

test(
  "a client counts no machine with more slots than one may have",
  async () => {
    await using here = await openClient();
    const { pool } = here;
    here.join("boasts", 1e9);
    here.join("most", 65_536);
    await until(() => pool.slots > 4);
    assertEquals(pool.slots, 4 + 65_536);
    assertEquals(pool.workers().map(({ id }) => id).sort(), ["hand", "most"]);
  },
);
