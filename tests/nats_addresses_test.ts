// What is made of the addresses of servers, and what is shown of them.
import { assert, assertEquals, assertRejects } from "@std/assert";
import { NatsPool } from "@parallel/map-nats";
import { connectionOptions, showServers } from "../src/nats/addresses.ts";
import { test } from "./harness.ts";

/** Addresses; what lets a program in by them; and what may be shown. */
const ADDRESSES: [address: string, secret: object, shown: string][] = [
  ["nats://a:4222", {}, "nats://a:4222"],
  ["a", {}, "a"],
  ["nats://[::1]:4222", {}, "nats://[::1]:4222"],
  ["[::1]:4222", {}, "[::1]:4222"],
  ["nats://tok%40n@a", { token: "tok@n" }, "nats://a"],
  ["nats://se@cret@a", { token: "se@cret" }, "nats://a"],
  ["secret@a:4222", { token: "secret" }, "a:4222"],
  ["me:secret@a:4222", { user: "me", pass: "secret" }, "a:4222"],
  ["nats://me:se@cret@a", { user: "me", pass: "se@cret" }, "nats://a"],
  ["nats://me:se/cret@a", { user: "me", pass: "se/cret" }, "nats://a"],
  ["nats://me:se:cret@a", { user: "me", pass: "se:cret" }, "nats://a"],
];

test("nothing of a password is shown, wherever it stands", () => {
  for (const [servers, secret, shown] of ADDRESSES) {
    assertEquals(showServers(servers), shown);
    const options = connectionOptions({ servers, pool: "test" });
    assertEquals(options, { servers: [shown], ...secret });
  }
  assertEquals(
    showServers(["nats://me:x@a:1, me:y@b:2", "nats://me:se,cret@c"]),
    "nats://a:1, b:2, nats://me:…, c",
  );
});

test("tls:// demands TLS, in small letters and in capitals", () => {
  for (const servers of ["tls://a", "TLS://me:secret@a", "nats://b,Tls://a"]) {
    const { tls } = connectionOptions({ servers, pool: "test" });
    assertEquals(tls, {}, servers);
  }
});

test("a password that is not written as it must be is told of", async () => {
  const error = await assertRejects(
    () => NatsPool.connect({ servers: "nats://me:se%cret@a", pool: "test" }),
    Error,
    "as by encodeURIComponent",
  );
  assert(!error.message.includes("cret@"), error.message);
});

test("nothing of a password with a comma in it is told", async () => {
  const servers = "nats://me:sec,ret@127.0.0.1:1";
  const error = await assertRejects(
    () => NatsPool.connect({ servers, pool: "test" }),
    Error,
    "as by encodeURIComponent",
  );
  assert(!/sec|ret@/.test(`${error.message} ${error.cause}`), error.message);
});

test("what is no address is told of", async () => {
  for (const servers of ["nats://a:99999", "nats://127.0.0.1:1,", ["a", ""]]) {
    await assertRejects(
      () => NatsPool.connect({ servers, pool: "test" }),
      Error,
      "an address is nats://HOST:PORT",
    );
  }
});

test("a storage that there is not is refused at the call", async () => {
  await assertRejects(
    () => NatsPool.connect({ servers: ["a"], pool: "p", storage: "disk" }),
    TypeError,
    'Cannot connect as "storage" must be "file" or "memory": received "disk"',
  );
});
