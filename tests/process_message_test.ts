// What a task in a process may write to the pipe of its worker: whatever it is,
// calls settle, and the program goes on.
import { assertEquals } from "@std/assert";
import { parallelMap, parallelMapSettled, type TaskContext } from "../mod.ts";
import { isFromWorker } from "../src/core/runtime/process_message.ts";
import { runtime, test } from "./harness.ts";

const values = { as: "list", values: [7] };
const done = { type: "done", serial: 1, tasks: 1, ms: 1, bytes: 1, values };
const at = { type: "at", tasks: [{ serial: 1, ran: 5 }], begun: 1 };

const MESSAGES = [
  { type: "ready", disposes: false },
  { type: "pong" },
  { type: "unread", serial: 1, error: {} },
  { type: "refused", number: 1, error: {} },
  { type: "stray", code: 1 },
  { type: "stray", at: [1] },
  { type: "abandoned", serials: [] },
  at,
  done,
  { ...done, failures: [{ offset: 0, folded: 0 }] },
  { ...done, times: new Float64Array(2) },
  { ...done, waits: [] },
  { ...done, waits: [0, 7] },
  { type: "taken-back", first: 1, end: 2 },
];

const NO_MESSAGES = [
  undefined,
  null,
  5,
  {},
  { type: 5 },
  { type: "stray", at: 5 },
  { type: "stray", at: ["1"] },
  { type: "stray", code: {} },
  { type: "refused" },
  { type: "unread" },
  { type: "unread", serial: 1, tasks: 5n },
  { ...at, folds: 5n },
  { type: "abandoned" },
  { type: "abandoned", serials: [{}] },
  { type: "at" },
  { ...at, tasks: [null] },
  { ...at, tasks: [{ serial: 1 }] },
  { ...at, begun: undefined },
  { type: "done", serial: 1 },
  { ...done, values: null },
  { ...done, tasks: "1" },
  { ...done, failures: [{}] },
  { ...done, failures: 5 },
  { ...done, failures: [{ offset: 0, folded: 0, refused: {} }] },
  { ...done, times: [1, 2] },
  { ...done, waits: 5 },
  { ...done, waits: ["1"] },
  { type: "taken-back" },
  { type: "taken-back", first: NaN, end: 2 },
  { type: "taken-back", first: 1, end: 1.5 },
  { type: "taken-back", first: -1, end: 2 },
];

test("isFromWorker() tells messages of a worker from what a task may write", () => {
  for (const message of MESSAGES) {
    assertEquals(
      isFromWorker(message),
      true,
      Object.entries(message ?? {}).join(" "),
    );
  }
  for (const message of NO_MESSAGES) {
    assertEquals(
      isFromWorker(message),
      false,
      Object.entries(message ?? {}).join(" "),
    );
  }
});

/** Everything that its process writes from here on is something else. */
function replaceMessages(n: number, { data }: TaskContext<unknown, unknown>) {
  type Writer = { writeValue(message: unknown): boolean };
  type Modules = {
    getBuiltinModule(name: string): { Serializer: { prototype: Writer } };
  };
  const { process } = globalThis as unknown as { process: Modules };
  const { prototype } = process.getBuiltinModule("node:v8").Serializer;
  const { writeValue } = prototype;
  prototype.writeValue = function (message: unknown) {
    const isOurs = Array.isArray(message) && typeof message[0] === "number";
    return writeValue.call(this, isOurs ? [message[0], data] : message);
  };
  return n;
}

test("processes: whatever a task writes to its pipe, calls settle", {
  timeout: 300_000,
}, async () => {
  const pool = { backend: "processes", workers: 1 } as const;
  const odd = [
    null,
    { type: "at" },
    { type: "stray", at: 5 },
    { ...done, values: { as: "list", values: 5 } },
    { ...done, tasks: 99, waits: [] },
    { ...done, waits: 5 },
    { type: "taken-back", first: 0.5, end: 9 },
  ];
  for (const data of odd) {
    const options = { ...pool, data, timeout: 500 };
    const results = await parallelMapSettled(replaceMessages, [1, 2], options);
    // Deno and Node.js have the task write that, instead of its result.
    if (runtime !== "bun") {
      const all = results.map(({ status }) => status);
      assertEquals(all, ["rejected", "rejected"], JSON.stringify(data));
    }
  }
  assertEquals(await parallelMap((n: number) => n, [1], pool), [1]);
});
