// Messages as bytes, without a process.
import {
  assert,
  assertEquals,
  assertInstanceOf,
  assertThrows,
} from "@std/assert";
import v8 from "node:v8";
import { createFrames, type V8 } from "../src/core/wire/frames.ts";
import { test } from "./harness.ts";

const frames = createFrames(v8 as unknown as V8);

/** All bytes of some messages. */
function bytesOf(messages: unknown[]): Uint8Array {
  const parts = messages.flatMap((message) => frames.write(message));
  return Uint8Array.from(parts.flatMap((part) => [...part]));
}

test("frames are found in parts of any size", () => {
  const messages = [1, "two", { three: [3, { at: new Date(3) }] }, null, [-0]];
  const bytes = bytesOf(messages);
  for (let size = 1; size <= bytes.length; size++) {
    const got: unknown[] = [];
    const take = frames.split((frame) => got.push(frames.read(frame)));
    for (let at = 0; at < bytes.length; at += size) {
      take(bytes.slice(at, at + size));
    }
    assertEquals(got, messages);
  }
});

test("a frame may be larger than any part of it, and than what is copied", () => {
  const message = { bytes: new Uint8Array(300_000).fill(7), end: "x" };
  const bytes = bytesOf([message, "after it"]);
  const got: unknown[] = [];
  const take = frames.split((frame) => got.push(frames.read(frame)));
  for (let at = 0; at < bytes.length; at += 65_536) {
    take(bytes.subarray(at, at + 65_536));
  }
  assertEquals(got, [message, "after it"]);
});

test(
  "a shim of Bun changes no message",
  { ignore: "Bun" in globalThis },
  () => {
    const scope = globalThis as { Bun?: object };
    scope.Bun = { version: "1.4.5" };
    try {
      const { clone } = createFrames(v8 as unknown as V8);
      const bytes = new Uint8Array([1, 2]);
      assertEquals((clone(bytes) as typeof bytes).buffer, bytes.buffer);
    } finally {
      delete scope.Bun;
    }
  },
);

test("what is no frame is told of, and nothing after it is heard", () => {
  const good = bytesOf(["good"]);
  const huge = good.slice(0, 8).fill(255, 4);
  for (const odd of [new TextEncoder().encode("hello, hello"), huge]) {
    const got: unknown[] = [];
    const take = frames.split((frame) => {
      try {
        got.push(frames.read(frame));
      } catch {
        got.push("unreadable");
      }
    });
    for (const bytes of [good, odd, good]) take(bytes);
    // A runtime may have room for 4 GB.
    const waits = odd === huge && got.length === 1;
    assertEquals(got, waits ? ["good"] : ["good", "unreadable"]);
  }
});

test("what is read has no part in the bytes it was read from", () => {
  const value = { whole: Uint8Array.of(1, 2, 3), half: new Float64Array(2) };
  const copy = frames.clone(value) as typeof value;
  assertEquals(copy, value);
  assertEquals(copy.whole.buffer.byteLength, 3);
  assertEquals(copy.half.buffer.byteLength, 16);
  const part = new Uint8Array(10).subarray(2, 4);
  const views = frames.clone([part, part.buffer]) as [Uint8Array, ArrayBuffer];
  assert(views[0].buffer === views[1]);
  assertEquals(views[0].byteOffset, 2);
});

test("what cannot be cloned throws, and a getter its own error", () => {
  const error = assertThrows(() => frames.write({ run: () => 1 }));
  assertEquals((error as Error).name, "DataCloneError");
  const own = new RangeError("mine");
  const thrower = {
    get boom() {
      throw own;
    },
  };
  assertInstanceOf(assertThrows(() => frames.write(thrower)), RangeError);
});
