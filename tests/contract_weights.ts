// A chapter of the contract (contract.ts): inputs by their weights.
import {
  assert,
  assertEquals,
  assertRejects,
  assertStrictEquals,
} from "@std/assert";
import type { RunEvent } from "../mod.ts";
import type { Chapter } from "./contract.ts";

const range = (count: number) => Array.from({ length: count }, (_, i) => i);
const double = (n: number) => 2 * n;
/** A weight that has nothing to do with the order. */
const odd = (n: number) => (n * 7919) % 100;

/** What is promised of weights. */
export const weights: Chapter = (it, { calls, pool }) => {
  const {
    parallelMap,
    parallelMapSettled,
    parallelMapStream,
    parallelReduce,
    Pool,
  } = calls;
  it("weight: results stay in the order of the inputs", async () => {
    const text = (n: number) => `${n},`;
    await using workers = new Pool(pool);
    for (
      const [count, options] of [
        [200, {}],
        [200, { chunkSize: 7 }],
        [40, { chunkSize: 1, concurrency: 3 }], // a message each
      ] as const
    ) {
      const inputs = range(count);
      const expected = inputs.map(double);
      const how = { ...options, weight: odd };
      assertEquals(await workers.map(double, inputs, how), expected);
      const numbers = new Float64Array(inputs);
      assertEquals(await workers.map(double, numbers, how), expected);
      assertEquals(
        await workers.map(double, inputs, { ...how, output: Float64Array }),
        new Float64Array(expected),
      );
      const settled = await workers.mapSettled(double, new Set(inputs), how);
      assertEquals(
        settled.map((one) => one.status === "fulfilled" && one.value),
        expected,
      );
      assertEquals(
        await workers.reduce(text, (a, b) => a + b, inputs, how),
        inputs.map(text).join(""),
      );
      assertEquals(
        await Array.fromAsync(workers.stream(double, inputs, how)),
        expected,
      );
    }
  });

  it("weight: the heaviest go first, and context.index is the input's", async () => {
    const sent: number[] = [];
    const onEvent = (event: RunEvent) => {
      if (event.type !== "chunk-send") return;
      for (let i = 0; i < event.tasks; i++) sent.push(event.first + i);
    };
    const inputs = [3, 1, 90, 4, 70, 2, 80];
    const at = (_: number, { index }: { index: number }) => index;
    const options = {
      ...pool,
      onEvent,
      chunkSize: 1,
      weight: (n: number) => n,
    };
    assertEquals(await parallelMap(at, inputs, options), range(7));
    assertEquals(sent.map((index) => inputs[index]), [90, 80, 70, 4, 3, 2, 1]);
  });

  it("weight: promises and generators give values that are weighed", async () => {
    const weighed: number[] = [];
    const weight = (n: number) => {
      weighed.push(n);
      return n;
    };
    const later = range(9).map((n) => n % 2 ? n : Promise.resolve(n));
    assertEquals(
      await parallelMap(double, later, { ...pool, weight }),
      range(9).map(double),
    );
    assertEquals(weighed, range(9));
    async function* slow() {
      for (const n of range(2000)) yield await Promise.resolve(n);
    }
    for (const inputs of [slow(), range(2000).values()]) {
      assertEquals(
        await parallelMap(double, inputs, { ...pool, weight: odd }),
        range(2000).map(double),
      );
    }
  });

  it("weight: arrays in shared memory are read and written where they are", async () => {
    const share = (values: number[]) => {
      const bytes = Float64Array.BYTES_PER_ELEMENT * values.length;
      const array = new Float64Array(new SharedArrayBuffer(bytes));
      array.set(values);
      return array;
    };
    const inputs = share(range(2000));
    const output = share(range(2000).map(() => -1));
    const options = { ...pool, weight: odd, output };
    assertStrictEquals(await parallelMap(double, inputs, options), output);
    assertEquals(output, share(range(2000).map(double)));
    assertEquals(
      await parallelMap(double, inputs, { ...pool, weight: odd }),
      range(2000).map(double),
    );
  });

  it("weight: an endless source is read as far as the stream may", async () => {
    let read = 0;
    function* naturals() {
      for (;;) yield read++;
    }
    const seen: number[] = [];
    const options = { ...pool, weight: odd, bufferSize: 20 };
    for await (const n of parallelMapStream(double, naturals(), options)) {
      if (seen.push(n) === 100) break;
    }
    assertEquals(seen, range(100).map(double));
    assert(read <= 120, `${read} were read`);
  });

  it("weight: a stream tells a failure after all that comes before it", async () => {
    const failAt20 = (n: number) => {
      if (n === 20) throw new RangeError("twenty");
      return n;
    };
    const seen: number[] = [];
    const reading = async () => {
      const weight = (n: number) => n === 20 ? 1000 : 1; // it fails first
      for await (
        const n of parallelMapStream(failAt20, range(200), {
          ...pool,
          weight,
          bufferSize: 100,
        })
      ) seen.push(n);
    };
    const error = await assertRejects(reading);
    assertEquals((error as { index: number }).index, 20);
    assertEquals(seen, range(20));
  });

  it("weight: one that is no weight ends the call before a worker starts", async () => {
    const mine = new Error("mine");
    const wrong: [(n: number) => unknown, string][] = [
      [(n) => n - 2, "RangeError: …: received -2 for the input at index 0"],
      [
        (n) => n === 2 ? NaN : 1,
        "RangeError: …: received NaN for the input at index 2",
      ],
      [
        () => Infinity,
        "RangeError: …: received Infinity for the input at index 0",
      ],
      [() => "1", 'TypeError: …: received "1" for the input at index 0'],
      [
        () => Promise.resolve(1),
        "TypeError: …: received Promise for the input at index 0",
      ],
      [
        () => undefined,
        "TypeError: …: received undefined for the input at index 0",
      ],
      [() => {
        throw mine;
      }, "Error: mine"],
    ];
    let started = 0;
    const onEvent = ({ type }: RunEvent) => {
      if (type === "worker-start") started++;
    };
    for (const [given, message] of wrong) {
      const weight = given as (n: number) => number;
      const how = { ...pool, weight, onEvent };
      const inputs = range(9);
      const stream = () =>
        Array.fromAsync(parallelMapStream(double, inputs, how));
      const calls = [
        () => parallelMap(double, inputs, how),
        () => parallelMapSettled(double, inputs, how),
        () => parallelReduce(double, (a, b) => a + b, inputs, how),
        ...(message.includes("index 2") ? [] : [stream]),
      ];
      for (const call of calls) {
        const error = await assertRejects(call);
        const rule = 'Cannot map as "weight" must give a finite number from 0';
        assertEquals(`${error}`.replace(rule, "…"), message);
        if (message === "Error: mine") assertStrictEquals(error, mine);
      }
    }
    assertEquals(started, 0);
    await assertRejects(
      () => parallelMap(double, [1], { ...pool, weight: 1 as never }),
      TypeError,
      'Cannot map as "weight" must be a function: received 1',
    );
  });

  it("weight: one that throws late in a stream does so in its turn", async () => {
    let closed = false;
    function* source() {
      try {
        yield* range(1000);
      } finally {
        closed = true;
      }
    }
    const mine = new Error("mine");
    const weight = (n: number) => {
      if (n === 50) throw mine;
      return odd(n);
    };
    const seen: number[] = [];
    const error = await assertRejects(async () => {
      const stream = parallelMapStream(double, source(), { ...pool, weight });
      for await (const n of stream) seen.push(n);
    });
    assertStrictEquals(error, mine);
    assertEquals(seen, range(50).map(double));
    assert(closed);
  });

  it("weight: a pool goes on after a weight that threw", async () => {
    await using workers = new Pool(pool);
    const weight = () => {
      throw new Error("mine");
    };
    await assertRejects(() => workers.map(double, [1], { weight }));
    assertEquals(await workers.map(double, [1, 2], { weight: odd }), [2, 4]);
  });

  it("weight: failures and retries keep their indexes", async () => {
    const fail = (n: number, { attempt }: { attempt: number }) => {
      if (n % 10 === 3) throw new RangeError(`${n}`);
      if (n % 10 === 4 && attempt === 1) throw new RangeError(`${n}`);
      return n;
    };
    const inputs = range(200);
    const settled = await parallelMapSettled(fail, inputs, {
      ...pool,
      retries: 1,
      weight: odd,
    });
    for (const [index, one] of settled.entries()) {
      if (index % 10 !== 3) {
        assertEquals(one, { status: "fulfilled", value: index });
        continue;
      }
      assert(one.status === "rejected");
      assertEquals(one.reason.index, index);
      assertEquals((one.reason.cause as Error).message, `${index}`);
    }
  });
};
