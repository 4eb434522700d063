// What a client says that its runs are, with a connection that puts it in the
// store when the test says so.
import { assertEquals } from "@std/assert";
import type { Connection } from "../src/nats/connection.ts";
import { Inbox } from "../src/nats/inbox.ts";
import type { CallMessage, Question } from "../src/nats/messages.ts";
import { test } from "./harness.ts";
import { pause, until } from "./until.ts";

type Hear = (
  error: null,
  question: { string(): string; respond(said: Uint8Array): void },
) => void;

/** What is said in place of what is being put. */
const LATER = 99;

/** A client with a run, and a machine that asks what it is. */
async function open() {
  let hear: Hear | undefined;
  const puts: PromiseWithResolvers<Uint8Array>[] = [];
  const seal = ({ type }: CallMessage) => {
    if (type !== "call") return Promise.resolve(Uint8Array.of(LATER));
    const put = Promise.withResolvers<Uint8Array>();
    puts.push(put);
    return put.promise;
  };
  const connection = {
    streams: { makeResults: () => Promise.resolve() },
    subject: () => "",
    onReconnect() {},
    nc: {
      subscribe: (_: string, { callback }: { callback: Hear }) =>
        hear = callback,
      isClosed: () => true, // it hears no answers
    },
    js: {},
    names: {},
    down: 0,
    envelopes: { seal },
  } as unknown as Connection;
  const inbox = new Inbox({
    connection,
    client: "me",
    describe: () => ({ type: "call" }) as CallMessage,
    hear() {},
  });
  await inbox.open();
  /** What was said to each question: which of the texts that were put. */
  const said: (number | undefined)[] = [];
  return {
    said,
    puts,
    /** Asks, and waits until all is said that can be. */
    async ask(had: Question["had"], machine?: string, ms?: number) {
      const at = said.push(undefined) - 1;
      hear!(null, {
        string: () => [1, had, machine, ms].filter((said) => said).join(" "),
        respond: ([number]) => said[at] = number,
      });
      await pause(0);
    },
    /** The store has what was put last, or does not take it. */
    async put(isTaken = true) {
      const { resolve, reject } = puts.at(-1)!;
      if (isTaken) resolve(Uint8Array.of(puts.length));
      else reject(new Error("no room"));
      await pause(0);
    },
  };
}

test("nats: what the store has lost is put there once, though that takes longer than a machine waits", async () => {
  const { ask, put, puts, said } = await open();
  await ask("nothing");
  await ask("nothing");
  await put();
  await ask("nothing");
  assertEquals(said, [1, 1, 1]);
  await ask("lost");
  await ask("lost");
  await ask("nothing"); // another machine
  assertEquals([said.length, puts.length], [6, 2]);
  await put();
  assertEquals(said.slice(3), [2, 2, 2]);
  await ask("lost"); // it waited no more when it was told
  assertEquals([said.at(-1), puts.length], [2, 2]);
  await ask("lost"); // and did not find it
  assertEquals([said.at(-1), puts.length], [undefined, 3]);
  await put();
  assertEquals(said.at(-1), 3);
});

test("nats: what the store has lost is put there once, however many machines ask for it", async () => {
  const { ask, put, puts, said } = await open();
  for (const machine of ["a", "b"]) void ask("nothing", machine);
  await put();
  for (const machine of ["a", "b"]) await ask("nothing", machine);
  await ask("lost", "a");
  await ask("lost", "b");
  await put();
  // Both waited no more when they were told.
  await ask("lost", "a");
  await ask("lost", "b");
  assertEquals([said.slice(4), puts.length], [[2, 2, 2, 2], 2]);
  await ask("lost", "b"); // it did not find it
  await put();
  await ask("lost", "a"); // nor did this one, when it looked for what is gone
  assertEquals([said.slice(8), puts.length], [[3, 3], 3]);
});

test("nats: what the store does not take is put there when a machine asks again", async () => {
  const { ask, put, puts, said } = await open();
  await ask("nothing");
  await put(false);
  await ask("nothing");
  await put();
  await ask("nothing");
  await ask("lost");
  await put(false);
  await ask("lost");
  await put();
  assertEquals([said, puts.length], [[undefined, 2, 2, undefined, 4], 4]);
});

test("nats: a machine is told at once that what a run is takes long, if it knows how to hear it", async () => {
  const { ask, put, puts, said } = await open();
  await ask("nothing", "older");
  await ask("nothing", "a", 20);
  await until(() => said[1] !== undefined);
  assertEquals(said, [undefined, LATER]);
  await put();
  await ask("nothing", "a", 60_000);
  assertEquals([said, puts.length], [[1, LATER, 1], 1]);
});
