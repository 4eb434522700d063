// Arrays in shared memory, as the engine sees them: what of them is sent, and
// what becomes of them where workers share no memory. What users see of them is
// in contract_shared.ts.
import { assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import type { MapOptions, TypedArray } from "../src/core/api/options.ts";
import { type FakePowers, FakeWorld } from "./fakes.ts";
import { test } from "./harness.ts";

const same = (value: unknown) => value;

function numbers(count: number): Float64Array<SharedArrayBuffer> {
  const array = new Float64Array(new SharedArrayBuffer(8 * count));
  for (let i = 0; i < count; i++) array[i] = i;
  return array;
}

/** A call on one worker, and all that the worker was sent for it. */
async function play(
  inputs: Iterable<unknown>,
  options: MapOptions<TypedArray>,
  powers: FakePowers = {},
) {
  const world = new FakeWorld({ workers: 1 }, powers);
  const call = world.calls.map(same, inputs, options, play);
  call.catch(() => {}); // heard at its end
  const messages: unknown[] = [];
  await world.flush();
  for (const worker of world.backend.workers) {
    const { receive } = worker;
    worker.receive = () => {
      messages.push(worker.inbox[0]);
      return receive.call(worker);
    };
  }
  const result = await world.finish(call, (n) => 2 * (n as number));
  if (result.status === "rejected") throw result.reason;
  return { messages: JSON.parse(JSON.stringify(messages)), ...result };
}

test("shared arrays are named once to a worker, and not with each chunk", async () => {
  const inputs = numbers(9).subarray(1);
  const output = numbers(8);
  const { messages, value } = await play(inputs, { output, chunkSize: 4 });
  const kinds = messages.map(({ type }: { type: string }) => type);
  assertEquals(kinds, ["start", "chunk", "chunk"]);
  const { inputs: from, output: to } = messages[1].run;
  assertEquals([from.kind, from.offset, from.length], ["Float64Array", 8, 8]);
  assertEquals([to.kind, to.offset, to.length], ["Float64Array", 0, 8]);
  assertEquals(
    messages.slice(1).map(({ values }: { values: unknown }) => values),
    [
      { as: "shared", part: [0, 4] },
      { as: "shared", part: [4, 8] },
    ],
  );
  assertEquals([...value as Float64Array], [2, 4, 6, 8, 10, 12, 14, 16]);
});

test("a call without shared arrays has nothing to say of them", async () => {
  const { messages } = await play([1, 2], {});
  assertEquals(
    "inputs" in messages[1].run || "output" in messages[1].run,
    false,
  );
});

test("where workers share no memory, shared inputs are sent as others are", async () => {
  const powers = { sharesMemory: false };
  const options = { chunkSize: 4 };
  const { messages, value } = await play(numbers(4), options, powers);
  assertEquals("inputs" in messages[1].run, false);
  assertEquals(messages[1].values.as, "array");
  assertEquals(value, [0, 2, 4, 6]);
});

test("where workers share no memory, a shared output is refused", async () => {
  const output = numbers(4);
  const error = await assertRejects(
    () => play([1], { output }, { sharesMemory: false }),
    TypeError,
  );
  assertStringIncludes(error.message, "where workers share no memory");
});
