// Which clients a machine takes for gone, with a connection that answers as it is
// told to.
import { assertEquals } from "@std/assert";
import { Callers } from "../src/nats/callers.ts";
import type { Connection } from "../src/nats/connection.ts";
import { test } from "./harness.ts";
import { pause, until } from "./until.ts";

/** ms that a client may be silent. */
const GRACE = 500;

/** Callers whose clients answer while they are there, and what became of them. */
function open() {
  const client = {
    isThere: true,
    says: "on",
    gone: [] as string[],
    dropped: 0,
    asked: "",
  };
  const connection = {
    nc: {
      request: (_: string, question: string) => {
        client.asked = question;
        return client.isThere
          ? Promise.resolve({ data: new Uint8Array() })
          : Promise.reject(new Error("503"));
      },
    },
    subject: () => "call",
    envelopes: { unseal: () => Promise.resolve({ type: client.says }) },
    down: 0,
    drop: () => Promise.resolve(client.dropped++),
  } as unknown as Connection;
  const callers = new Callers({
    connection,
    machine: "here",
    grace: GRACE,
    look: () => {},
    onGone: (name) => {
      client.gone.push(name);
      callers.forget(name); // as its runs end
    },
  });
  return { client, callers };
}

test("nats: a machine says who it is when it asks", async () => {
  const { client, callers } = open();
  await callers.ask("one", "1", false);
  assertEquals(client.asked, `1 nothing here ${GRACE / 4}`);
  callers.close();
});

test("nats: a client that still uploads what its run is says so, and is not gone", async () => {
  const { client, callers } = open();
  client.says = "later";
  for (let asked = 0; asked < 3; asked++) {
    assertEquals(await callers.ask("one", "1", false), "silent");
    await pause(GRACE);
  }
  assertEquals([callers.gone("one"), client.gone], [false, []]);
  client.says = "on";
  assertEquals(await callers.ask("one", "1", false), { type: "on" });
  callers.close();
});

test("nats: a client that was silent once, and done, is not gone in its next run", async () => {
  const { client, callers } = open();
  client.isThere = false;
  assertEquals(await callers.ask("one", "1", false), "silent");
  callers.forget("one"); // it said that the run is over
  await pause(2 * GRACE);
  assertEquals(callers.gone("one"), false);
  assertEquals(await callers.ask("one", "2", false), "silent");
  client.isThere = true;
  assertEquals(await callers.ask("one", "2", false), { type: "on" });
  callers.close();
});

test("nats: a client that was silent for too long is gone, until it speaks", async () => {
  const { client, callers } = open();
  assertEquals(await callers.ask("one", "1", false), { type: "on" });
  client.isThere = false;
  assertEquals(await callers.ask("one", "1", true), "silent");
  await pause(2 * GRACE);
  assertEquals(await callers.ask("one", "1", true), { type: "over" });
  // Of what it sent before, nothing is waited for.
  assertEquals(callers.gone("one"), true);
  assertEquals(await callers.ask("one", "2", false), { type: "over" });
  assertEquals([client.gone, client.dropped], [["one"], 1]);
  client.isThere = true;
  assertEquals(await callers.ask("one", "3", false), { type: "on" });
  assertEquals(callers.gone("one"), false);
  callers.close();
});

test("nats: what a client left that was killed before it was heard is dropped once", async () => {
  const { client, callers } = open();
  client.isThere = false;
  const asked = async () => await callers.ask("one", "1", false);
  await until(async () => await asked() !== "silent");
  assertEquals(client.dropped, 1);
  assertEquals(await asked(), { type: "over" });
  assertEquals(await callers.ask("one", "2", false), { type: "over" });
  assertEquals([client.gone, client.dropped], [["one"], 1]);
  callers.close();
});
