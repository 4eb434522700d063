// A chapter of the contract (contract.ts): inputs and output in shared memory.
import {
  assert,
  assertEquals,
  assertInstanceOf,
  assertRejects,
  assertStrictEquals,
  assertStringIncludes,
} from "@std/assert";
import { TaskError } from "../mod.ts";
import type { RunEvent, TaskContext } from "../mod.ts";
import type { Chapter } from "./contract.ts";
import { until } from "./until.ts";

const range = (count: number) => Array.from({ length: count }, (_, i) => i);
const double = (n: number) => n * 2;

/** Numbers in shared memory, each at first that value. */
function sharedNumbers(count: number, value: (index: number) => number) {
  const numbers = new Float64Array(new SharedArrayBuffer(8 * count));
  for (let i = 0; i < count; i++) numbers[i] = value(i);
  return numbers;
}

/** What is promised of arrays in shared memory. */
export const sharedArrays: Chapter = (it, { calls, pool, timed }) => {
  const {
    parallelMap,
    parallelMapSettled,
    parallelMapStream,
    parallelReduce,
    Pool,
  } = calls;
  const one = { ...pool, workers: pool.workers === 0 ? 0 : 1 };
  const untouched = -1;

  it("inputs in shared memory are read where they are", async () => {
    const inputs = sharedNumbers(5000, (i) => i);
    // A part of it; and a worker that has run another call before.
    const part = inputs.subarray(7, 3000);
    await using workers = new Pool(pool);
    assertEquals(await workers.map(double, [1]), [2]);
    assertEquals(await workers.map(double, part), [...part].map(double));
    const add = (a: number, b: number) => a + b;
    assertEquals(await workers.reduce(double, add, part), 2 * part.reduce(add));
    assertEquals(
      (await workers.mapSettled(double, part)).map((one) =>
        one.status === "fulfilled" ? one.value : one.reason
      ),
      [...part].map(double),
    );
    const outcomes = await Array.fromAsync(
      workers.stream(double, part, { settled: true }),
    );
    assertEquals(outcomes.map(({ input }) => input), [...part]);
    for (
      const [Kind, value] of [
        [Uint8ClampedArray, 250],
        [BigInt64Array, -5n],
        [Float32Array, 0.5],
      ] as const
    ) {
      const memory = new SharedArrayBuffer(3 * Kind.BYTES_PER_ELEMENT);
      const array = new (Kind as typeof Float32Array)(memory);
      array.fill(value as number);
      const results = await workers.map((value: unknown) => value, array);
      assertEquals(results, [value, value, value]);
    }
    assertEquals(await workers.map(double, inputs.subarray(3, 3)), []);
  });

  it("a task gets what stands in shared inputs when it starts", async () => {
    const inputs = sharedNumbers(6, (i) => i);
    const writeAhead = (n: number, { index, data }: TaskContext) => {
      const ahead = data as Float64Array;
      if (index + 1 < ahead.length) ahead[index + 1] = 10 * n + 1;
      return n;
    };
    for (const chunkSize of [1, 6]) {
      inputs.set(range(6));
      const options = { ...one, chunkSize, data: inputs };
      assertEquals(
        await parallelMap(writeAhead, inputs, options),
        [0, 1, 11, 111, 1111, 11111],
      );
    }
  });

  it("an output in shared memory is written by the workers", async () => {
    await using workers = new Pool(pool);
    const all = sharedNumbers(3002, () => untouched);
    const output = all.subarray(1, 3001);
    const inputs = sharedNumbers(3000, (i) => i);
    function* some() {
      yield* range(3000);
    }
    for (const from of [inputs, range(3000), some()]) {
      output.fill(untouched);
      const results = await workers.map(double, from, { output });
      assertStrictEquals(results, output);
      assertEquals([...output], range(3000).map(double));
      assertEquals([all[0], all[3001]], [untouched, untouched]);
    }
    // Beyond the inputs it stays as it is.
    await workers.map(() => 5, range(2), { output });
    assertEquals([...output.slice(0, 4)], [5, 5, 4, 6]);
    const waits = async (n: number): Promise<unknown> =>
      await Promise.resolve(String(n));
    await workers.map(waits, inputs, { output, concurrency: 3 });
    assertEquals([...output], range(3000)); // converted, as by an assignment
    const big = new BigInt64Array(new SharedArrayBuffer(16));
    await workers.map((n: number) => BigInt(n), [1, -1], { output: big });
    assertEquals([...big], [1n, -1n]);
    const anyhow: (n: number) => unknown = double; // the types would refuse it
    assertStrictEquals(await workers.map(anyhow, [], { output: big }), big);
  });

  it("a task that fails writes nothing to a shared output", async () => {
    const output = sharedNumbers(40, () => untouched);
    const failAt3 = (n: number) => {
      if (n === 3) throw new RangeError("three");
      return n;
    };
    const options = { ...one, output, chunkSize: 10 };
    const error = await assertRejects(
      () => parallelMap(failAt3, range(40), options),
      TaskError,
    );
    assertEquals(error.index, 3);
    // Of tasks that ended there are the results, in the others what there was.
    assertEquals([...output.slice(0, 4)], [0, 1, 2, untouched]);
    for (const [i, n] of output.entries()) assert(n === i || n === untouched);
    const big = new BigInt64Array(new SharedArrayBuffer(16)).fill(7n);
    const anyhow: (n: number) => unknown = double; // the types would refuse it
    const refused = await assertRejects(
      () => parallelMap(anyhow, [1, 2], { ...pool, output: big }),
      TaskError,
    );
    assertInstanceOf(refused.cause, TypeError);
    assertEquals([...big], [7n, 7n]);
  });

  it("a task that is tried again writes its result to a shared output", async () => {
    const output = sharedNumbers(60, () => untouched);
    const once = (n: number, { attempt }: TaskContext) => {
      if (n % 10 === 3 && attempt === 1) throw new Error("once");
      return n * 10 + attempt;
    };
    for (const chunkSize of [undefined, 1, 7]) {
      const options = { ...pool, output, chunkSize, retries: 1 };
      await parallelMap(once, sharedNumbers(60, (i) => i), options);
      assertEquals(
        [...output],
        range(60).map((n) => n * 10 + (n % 10 === 3 ? 2 : 1)),
      );
    }
  });

  it("combine gets nothing but results, also after an abort", async () => {
    const cell = new Int32Array(new SharedArrayBuffer(8)); // odd ones, begun
    type Result = { cell: Int32Array };
    const late = async (
      n: number,
      { data }: TaskContext<unknown, Int32Array>,
    ) => {
      Atomics.add(data, 1, 1);
      await new Promise((resolve) => setTimeout(resolve, n === 1 ? 80 : 5));
      return { cell: data };
    };
    const combine = (one: Result, other: Result) => {
      if (!one || !other) Atomics.add((one ?? other).cell, 0, 1);
      return one;
    };
    const ending = new AbortController();
    await using workers = new Pool(pool); // its end is waited for
    const call = workers.reduce(late, combine, [0, 1], {
      ...{ data: cell, chunkSize: 2, concurrency: 2, signal: ending.signal },
    });
    while (Atomics.load(cell, 1) < 2) {
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
    await new Promise((resolve) => setTimeout(resolve, 30));
    ending.abort();
    await call.catch(() => {}); // it may have been done
    await new Promise((resolve) => setTimeout(resolve, 150));
    assertEquals(cell[0], 0);
  });

  it("a task that was given up writes nothing to a shared output", async () => {
    const output = sharedNumbers(1, () => untouched);
    const cell = new Int32Array(new SharedArrayBuffer(8));
    type Context = TaskContext<unknown, Int32Array>;
    // Without a worker that is ended with it, the first attempt goes on.
    const lateOnce = async (_: number, { attempt, data }: Context) => {
      while (attempt === 1 && Atomics.load(data, 0) === 0) {
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
      Atomics.store(data, 1, attempt);
      return attempt;
    };
    const retried = { ...timed, timeout: 200, retries: 9 };
    await parallelMap(lateOnce, [0], { ...retried, output, data: cell });
    const [given] = output;
    assert(given! > 1, `${given}`);
    cell[0] = 1; // it returns now
    for (let i = 0; i < 20 && Atomics.load(cell, 1) !== 1; i++) {
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
    assertEquals([...output], [given]);
  });

  it("a call that was aborted writes nothing to the output of the next", async () => {
    const output = sharedNumbers(2, () => untouched);
    const data = new Int32Array(new SharedArrayBuffer(8));
    type Context = TaskContext<unknown, Int32Array>;
    const slow = (n: number, { data }: Context) => {
      Atomics.store(data, 0, 1);
      Atomics.wait(data, 1, 0, 60_000);
      return n;
    };
    const workers = new Pool({ ...pool, workers: 2 });
    await workers.start();
    const abort = new AbortController();
    const { signal } = abort;
    const options = { output, data, signal, chunkSize: 2 };
    const aborted = workers.map(slow, [1, 1], options)
      .catch((reason) => reason);
    await until(() => Atomics.load(data, 0) > 0);
    abort.abort("enough");
    assertEquals(await aborted, "enough");
    await workers.map((n: number) => n, [7, 7], { output });
    Atomics.store(data, 1, 1);
    Atomics.notify(data, 1);
    await workers.close(); // the task may return before
    assertEquals([...output], [7, 7]);
  });

  it("tasks of a lost worker are written to a shared output", async () => {
    const inputs = sharedNumbers(60, (i) => i);
    const output = sharedNumbers(60, () => untouched);
    const { leave } = await import("./fixtures/tasks.ts");
    type Context = TaskContext<unknown, { leave: () => Promise<never> }>;
    const exitOnce = (n: number, { attempt, data }: Context) =>
      n === 33 && attempt === 1 ? data.leave() : n * 2;
    for (const chunkSize of [undefined, 1, 20]) {
      output.fill(untouched);
      const options = { ...pool, output, chunkSize, retries: 1 };
      const data = { leave };
      await parallelMap(exitOnce, inputs, { ...options, data });
      assertEquals([...output], range(60).map(double));
    }
  });

  it("an abort leaves in a shared output the results that were there", async () => {
    const output = sharedNumbers(500, () => untouched);
    const abort = new AbortController();
    const onEvent = ({ type }: RunEvent) => {
      if (type === "chunk-done") abort.abort("enough");
    };
    const workers = new Pool(pool);
    const { signal } = abort;
    const options = { output, signal, onEvent, chunkSize: 5 };
    const reason = await workers.map(double, range(500), options)
      .catch((reason) => reason);
    assertEquals(reason, "enough");
    await workers.close();
    assert(output.includes(untouched) && !output.every((n) => n === untouched));
    for (const [i, n] of output.entries()) {
      assert(n === 2 * i || n === untouched, `${n} at ${i}`);
    }
  });

  it("an output that workers cannot write is refused at the call", async () => {
    const events: string[] = [];
    const onEvent = ({ type }: RunEvent) => events.push(type);
    const memory = new SharedArrayBuffer(80);
    const output = new Float64Array(memory, 0, 3);
    const options = { ...pool, output, onEvent };
    for (
      const [Kind, inputs, words] of [
        [RangeError, range(4), "an element for every input: received 3"],
        [RangeError, new Set(range(9)), "received 3"],
        [TypeError, output, '"output" must not overlap the inputs'],
        [TypeError, new Uint8Array(memory, 23, 2), "must not overlap"],
      ] as const
    ) {
      const error = await assertRejects(
        () => parallelMap(double, inputs as Iterable<number>, options),
        Kind,
      );
      assertStringIncludes(error.message, words);
    }
    for (
      const given of [new Float64Array(4), new DataView(memory), memory, [1]]
    ) {
      const error = await assertRejects(
        () => parallelMap(double, [1], { ...options, output: given as never }),
        TypeError,
      );
      const words = "a typed-array constructor, or a typed array in shared";
      assertStringIncludes(error.message, words);
    }
    const unknown = { ...options, output } as object;
    const add = (a: number, b: number) => a + b;
    for (
      const call of [
        () => parallelMapSettled(double, [1], unknown),
        () => parallelReduce(double, add, [1], unknown),
        () => Array.fromAsync(parallelMapStream(double, [1], unknown)),
      ]
    ) {
      assertStringIncludes(
        (await assertRejects(async () => await call(), TypeError)).message,
        'received "output"',
      );
    }
    assertEquals(events, []);
    // Beside each other they may lie.
    const beside = new Uint8Array(memory, 24, 3).fill(4);
    await parallelMap(double, beside, { ...pool, output });
    assertEquals([...output], [8, 8, 8]);
  });

  it("more inputs than were known end a run whose shared output is full", async () => {
    const output = sharedNumbers(3, () => untouched);
    let closed = 0;
    function* endless() {
      try {
        for (let n = 0;; n++) yield n;
      } finally {
        closed++;
      }
    }
    const error = await assertRejects(
      () => parallelMap(double, endless(), { ...pool, output }),
      RangeError,
    );
    assertStringIncludes(error.message, "an element for every input");
    assertEquals(closed, 1);
    const three = range(3).values();
    await parallelMap(double, three, { ...pool, output });
    assertEquals([...output], [0, 2, 4]);
  });
};
