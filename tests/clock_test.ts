import { assertEquals } from "@std/assert";
import { createClock } from "../src/core/runtime/clock.ts";
import { test } from "./harness.ts";

test("turns come in the order they were asked for, whichever channel is first", () => {
  const ports: { onmessage?: () => void; close(): void }[] = [];
  const { MessageChannel } = globalThis;
  globalThis.MessageChannel = class {
    port1 = { close() {} };
    port2 = { close() {}, postMessage: () => void ports.push(this.port1) };
  } as unknown as typeof MessageChannel;
  try {
    const clock = createClock();
    const came: number[] = [];
    for (const n of [1, 2, 3]) clock.turn(() => came.push(n));
    // As WebKit does.
    for (const port of ports.reverse()) port.onmessage!();
    assertEquals(came, [1, 2, 3]);
  } finally {
    globalThis.MessageChannel = MessageChannel;
  }
});
