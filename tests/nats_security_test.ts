// TLS, accounts and permissions, as docs/cluster.md shows them.
import { assert, assertEquals, assertRejects } from "@std/assert";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { NatsPool, runWorker } from "@parallel/map-nats";
import { WorkerStartError } from "../mod.ts";
import { Connection } from "../src/nats/connection.ts";
import { WIRE_VERSION } from "../src/nats/messages.ts";
import { startServer } from "../src/nats/server.ts";
import { natsTest as test, startMachine } from "./nats.ts";

const doc = readFileSync(
  new URL("../docs/cluster.md", import.meta.url),
  "utf8",
);

/** The block of docs/cluster.md that a pattern finds, with true passwords. */
function block(pattern: RegExp): string {
  return pattern.exec(doc)![0].replaceAll('"..."', '"secret"');
}

const double = (n: number) => 2 * n;

const { stdout } = spawnSync("openssl", ["version"], { encoding: "utf8" });
const hasOpenssl = /^OpenSSL [3-9]/.test(stdout ?? "");
if (!hasOpenssl) console.log("SKIPPED: openssl, version 3 or later, not found");

/** A server with the certificate and the accounts of docs/cluster.md. */
async function startSafeServer() {
  const folder = mkdtempSync(join(tmpdir(), "parallel-map-test-"));
  // The test of a name needs one that leads here.
  const script = block(/^openssl[^]*?(?=^```)/m).replace(
    "DNS:a",
    "DNS:localhost",
  );
  const made = spawnSync("sh", ["-ec", script], { cwd: folder });
  assertEquals(made.status, 0, String(made.stderr));
  const file = join(folder, "nats.conf");
  const config = block(/^tls \{[^]*?^\}/m)
    .replace(/"(\w+\.pem)"/g, (_, name) => JSON.stringify(join(folder, name)));
  writeFileSync(file, `jetstream { store_dir: "${folder}" }\n${config}\n`);
  const server = await startServer({ args: ["-c", file] });
  const place = server.servers.replace("127.0.0.1", "localhost");
  return {
    caFile: join(folder, "ca.pem"),
    missing: join(folder, "none.pem"),
    /** The address for a user. */
    as: (user: string) => place.replace("//", `//${user}:secret@`),
    bare: place,
    async close() {
      await server.close();
      rmSync(folder, { recursive: true });
    },
  };
}

test(
  "a pool and its machines speak TLS, in an account of their own",
  { ignore: !hasOpenssl },
  async () => {
    await using stack = new AsyncDisposableStack();
    const server = await startSafeServer();
    stack.defer(() => server.close());
    const { caFile } = server;
    const servers = server.as("images");
    assert(servers.startsWith("tls://"));
    const machine = await startMachine(servers, ["--ca", caFile]);
    stack.defer(() => machine.kill());
    const at = { servers, pool: "test", connection: { tls: { caFile } } };
    const pool = await NatsPool.connect(at);
    stack.defer(() => pool.close());
    assertEquals(await pool.map(double, [1, 2]), [2, 4]);
    const tls = { ca: readFileSync(caFile, "utf8") }; // as a text
    const text = await NatsPool.connect({ ...at, connection: { tls } });
    stack.defer(() => text.close());
    assertEquals(await text.map(double, [3]), [6]);
    const other = await NatsPool.connect({
      ...{ ...at, servers: server.as("sounds") },
      workerTimeout: 1000,
    });
    stack.defer(() => other.close());
    await assertRejects(() => other.map(double, [1]), WorkerStartError);
    assertEquals([other.workers().length, pool.workers().length], [0, 1]);
  },
);

test(
  "a client that cannot speak TLS with its server is told why",
  { ignore: !hasOpenssl },
  async () => {
    await using stack = new AsyncDisposableStack();
    const server = await startSafeServer();
    stack.defer(() => server.close());
    const plain = await startServer();
    stack.defer(() => plain.close());
    const { caFile, missing } = server;
    const secure = server.as("images");
    const optional = secure.replace("tls://", "nats://");
    const numbered = secure.replace("localhost", "127.0.0.1");
    const demands = plain.servers.replace("nats://", "tls://");
    for (
      const [servers, tls, said] of [
        [secure, undefined, "--ca ca.pem"],
        [optional, undefined, 'connection: { tls: { caFile: "ca.pem" } }'],
        [optional, null, 'a server that demands TLS (leave out "tls: null")'],
        [secure, { caFile: missing }, "none.pem doesn't exist"],
        [demands, undefined, "start it with a certificate"],
        [plain.servers, { caFile }, "start it with a certificate"],
      ] as const
    ) {
      const connection = tls === undefined ? {} : { tls };
      const error = await assertRejects(
        () => NatsPool.connect({ servers, pool: "test", connection }),
        Error,
        said,
      );
      assert(!error.message.includes("start one with"), error.message);
      assert(!error.message.includes("secret"), error.message);
    }
    const own = { servers: numbered, pool: "test" };
    const by = await NatsPool.connect({
      ...own,
      connection: { tls: { caFile } },
    })
      .then((pool) => pool.close(), (error) => error.message);
    assert(by === undefined || by.includes("no number"), by);
  },
);

test("docs/cluster.md names the version of the messages", () => {
  const named = [
    ...doc.matchAll(/PM_images_[WR](\d+)|The (\d+) in these names/g),
  ];
  assert(named.some(([, , told]) => told !== undefined));
  for (const [text, name, told] of named) {
    assertEquals(Number(name ?? told), WIRE_VERSION, text);
  }
});

test("a user needs no more than docs/cluster.md says", async () => {
  await using stack = new AsyncDisposableStack();
  const folder = mkdtempSync(join(tmpdir(), "parallel-map-test-"));
  stack.defer(() => rmSync(folder, { recursive: true }));
  const [file, log] = ["nats.conf", "log.txt"].map((name) =>
    join(folder, name)
  );
  const config = block(/^authorization \{\n {2}users:[^]*?^\}/m)
    .replace("users: [", "users: [{ user: admin, password: secret }, ");
  writeFileSync(
    file,
    `jetstream { store_dir: "${folder}" }\nlog_file: "${log}"\n${config}\n`,
  );
  const refused = () =>
    readFileSync(log, "utf8").match(/\w+ Violation .*$/gm) ?? [];
  const server = await startServer({ args: ["-c", file] });
  stack.defer(() => server.close());
  const as = (user: string, pool: string) => ({
    servers: server.servers.replace("//", `//${user}:secret@`),
    pool,
  });
  const at = as("images", "images");
  const own = { slots: 2, allowShipped: true, ackWait: 1000 };
  const machine = await runWorker({ ...at, ...own });
  stack.defer(() => machine.close());

  // All that a pool does, also with what is larger than a message.
  const pool = await NatsPool.connect(at);
  const sizes = await pool.map((bytes: Uint8Array) => bytes.fill(1), [
    new Uint8Array(10),
    new Uint8Array(2_000_000),
  ]);
  assertEquals(sizes.map(({ length }) => length), [10, 2_000_000]);
  const data = new Float64Array(200_000).fill(2);
  const add = (n: number, { data }: { data: Float64Array }) => n + data[n];
  assertEquals(await pool.map(add, [1, 2], { data }), [3, 4]);
  // Longer than a machine may be silent: it acknowledges that more than once.
  const slow = () => new Promise<void>((end) => setTimeout(end, 1200));
  await pool.map(slow, [1]);
  const abort = new AbortController();
  const { signal } = abort;
  const wait = () => new Promise<void>((end) => setTimeout(end, 50));
  const aborted = pool.map(wait, Array(40).fill(1), {
    ...{ signal, chunkSize: 1 },
    onProgress: () => abort.abort(),
  });
  await assertRejects(() => aborted, DOMException);
  await pool.close();
  assertEquals(refused(), []);

  // And nothing to other pools.
  const { nc, close } = await openRaw(at);
  stack.defer(close);
  const others = as("admin", "others");
  const theirs = await NatsPool.connect(others);
  stack.defer(() => theirs.close());
  const streams = await Connection.open(others);
  stack.defer(() => streams.close());
  const kept = async () =>
    (await streams.jsm.streams.info("PM_others_W3")).state.messages;
  await streams.js.publish("pm.others.w3.client.1.1", "a chunk");
  await assertRejects(() => NatsPool.connect(as("images", "others")));
  const subjects = [
    ...["pm.others.w3.client.1.2", "pm.others.hello", "pm.others.over"],
    "_INBOX.of.others",
    ...["INFO", "PURGE", "DELETE", "UPDATE", "MSG.GET", "MSG.DELETE"].map(
      (verb) => `$JS.API.STREAM.${verb}.PM_others_W3`,
    ),
    ...["$JS.API.CONSUMER.LIST.PM_others_W3", "$JS.API.STREAM.NAMES"],
    "$JS.API.CONSUMER.MSG.NEXT.PM_others_W3.workers",
    "$JS.API.CONSUMER.DURABLE.CREATE.PM_others_W3.mine",
  ];
  for (const subject of subjects) {
    const before = refused().length;
    nc.publish(subject, "{}");
    await nc.flush();
    const [, ...words] = refused().slice(before).join().split('"');
    assert(words.includes(subject), `${subject} was not refused`);
  }
  for (const subject of ["pm.others.>", "$JS.>", ">"]) {
    const before = refused().length;
    nc.subscribe(subject, { callback: () => {} });
    await nc.flush();
    assertEquals(refused().length, before + 1, subject);
  }
  assertEquals(await kept(), 1);
});

/** A connection of a user who does what no pool does. */
async function openRaw(at: { servers: string; pool: string }) {
  const connection = await Connection.open(at);
  return { nc: connection.nc, close: () => connection.close() };
}
