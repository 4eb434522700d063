// What is under way to a server at once, with one that takes it as the test says.
import { assertEquals, assertRejects } from "@std/assert";
import type { PubAck } from "@nats-io/jetstream";
import { Uplink } from "../src/nats/uplink.ts";
import { test } from "./harness.ts";
import { pause } from "./until.ts";

const KB = 1000;

/** An uplink, and what is under way on it. */
function open() {
  let time = 0;
  const acks: (() => void)[] = [];
  const reads: (() => void)[] = [];
  const js = {
    publish: () => {
      const { promise, resolve } = Promise.withResolvers<PubAck>();
      acks.push(() => resolve({} as PubAck));
      return promise;
    },
  };
  const nc = {
    flush: () => new Promise<void>((resolve) => reads.push(resolve)),
  };
  const uplink = new Uplink(nc, js, () => time);
  return {
    uplink,
    acks,
    reads,
    /** Sends messages of so many bytes. */
    async send(count: number, bytes: number) {
      for (let i = 0; i < count; i++) {
        void uplink.send(
          bytes,
          () => uplink.publish("", new Uint8Array(bytes), { timeout: 60_000 }),
        );
      }
      await pause(0);
    },
    /** The server takes the oldest, so many ms after the one before. */
    async take(ms: number) {
      time += ms;
      acks.shift()!();
      await pause(0);
    },
  };
}

test("nats: large messages leave one after another, also one that is larger than all that may be under way", async () => {
  const { acks, send, take } = open();
  await send(3, 900 * KB);
  await send(2, 10 * KB);
  assertEquals(acks.length, 1);
  await take(1000);
  await take(1000);
  assertEquals(acks.length, 1);
  await take(1000);
  assertEquals(acks.length, 2); // these are small
});

test("nats: as much is under way as the server takes in a second", async () => {
  const { acks, send, take } = open();
  await send(100, 100 * KB);
  assertEquals(acks.length, 2);
  for (let i = 0; i < 10; i++) await take(100);
  assertEquals(acks.length, 10);
  for (let i = 0; i < 40; i++) await take(25);
  assertEquals(acks.length, 40);
  for (let i = 0; i < 2; i++) await take(1000);
  assertEquals(acks.length, 38); // none came beside these
  for (let i = 0; i < 36; i++) await take(1000);
  assertEquals(acks.length, 2);
});

test("nats: what is large is waited for until the server has read it, and then not for long", async () => {
  const { acks, reads, send, uplink } = open();
  let ended = false;
  const lost = uplink.send(
    900 * KB,
    () => uplink.publish("", new Uint8Array(900 * KB), { timeout: 50 }),
  );
  lost.catch(() => {}).finally(() => ended = true);
  await pause(200);
  assertEquals([ended, reads.length], [false, 1]);
  reads[0]!();
  await assertRejects(() => lost, Error, "no answer came within 50 ms");
  await send(1, 900 * KB); // what is lost is in nobody's way
  assertEquals(acks.length, 2);
});
