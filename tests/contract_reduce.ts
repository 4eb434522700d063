// A chapter of the contract (contract.ts): results folded in the workers.
import {
  assertEquals,
  assertInstanceOf,
  assertMatch,
  assertRejects,
  assertStringIncludes,
} from "@std/assert";
import { TaskError, TaskTimeoutError, WorkerLostError } from "../mod.ts";
import type { ModuleSpecifier, TaskContext } from "../mod.ts";
import type { Chapter } from "./contract.ts";
import { add, leave, square } from "./fixtures/tasks.ts";

const range = (count: number) => Array.from({ length: count }, (_, i) => i);
const TASKS: ModuleSpecifier<typeof import("./fixtures/tasks.ts")> = new URL(
  "./fixtures/tasks.ts",
  import.meta.url,
);

/** What is promised of a reduction. */
export const reductions: Chapter = (it, { calls, pool, timed }) => {
  const { parallelReduce, Pool } = calls;
  const text = (n: number) => `${n},`;
  const join = (one: string, other: string) => one + other;

  it("reduce gives what a loop over the results gives, in their order", async () => {
    await using workers = new Pool(pool);
    const inputs = range(3000);
    const expected = inputs.map(text).reduce(join);
    for (const options of [{}, { chunkSize: 7 }, { concurrency: 3 }]) {
      assertEquals(
        await workers.reduce(text, join, inputs, options),
        expected,
      );
    }
    const later = async (n: number) => {
      await new Promise((resolve) => setTimeout(resolve, n % 3));
      return `${n},`;
    };
    assertEquals(
      await workers.reduce(later, join, range(60), {
        concurrency: 4,
        chunkSize: 5,
      }),
      range(60).map(text).reduce(join),
    );
  });

  it("a reduction begins with initial, once, or with the first result", async () => {
    await using workers = new Pool(pool);
    const error = await assertRejects(
      () => workers.reduce(text, join, []),
      TypeError,
    );
    assertStringIncludes(error.message, "received no inputs");
    assertEquals(await workers.reduce(text, join, [], { initial: "?" }), "?");
    assertEquals(await workers.reduce(text, join, [5]), "5,");
    assertEquals(
      await workers.reduce(text, join, range(9), { initial: ">" }),
      ">" + range(9).map(text).reduce(join),
    );
  });

  it("a reduction keeps its order when tasks are tried again", async () => {
    const thirds = (n: number, { attempt }: TaskContext) => {
      if (n % 3 === 0 && attempt === 1) throw new Error("not yet");
      return `${n},`;
    };
    const options = { ...pool, retries: 1, chunkSize: 10 };
    assertEquals(
      await parallelReduce(thirds, join, range(100), options),
      range(100).map(text).reduce(join),
    );
  });

  it("a reduction keeps its order when workers are lost", async () => {
    type Context = TaskContext<unknown, { leave: () => Promise<never> }>;
    const exits = (n: number, { attempt, data }: Context) =>
      n % 40 === 7 && attempt === 1 ? data.leave() : `${n},`;
    const data = { leave };
    const options = { ...pool, retries: 1, chunkSize: 10, data };
    assertEquals(
      await parallelReduce(exits, join, range(100), options),
      range(100).map(text).reduce(join),
    );
  });

  it("a task that fails ends a reduction, by its index", async () => {
    const failAt7 = (n: number) => {
      if (n === 7) throw new RangeError("seven");
      return n;
    };
    const sum = (a: number, b: number) => a + b;
    const error = await assertRejects(
      () => parallelReduce(failAt7, sum, range(20), { ...pool, chunkSize: 20 }),
      TaskError,
    );
    assertEquals(error.index, 7);
    assertInstanceOf(error.cause, RangeError);
  });

  it("combine that throws names the inputs it folded", async () => {
    const refuse = (_: number, other: number): number => {
      throw new RangeError(`${other} is too much`);
    };
    const same = (n: number) => n;
    const options = { ...pool, chunkSize: 4 };
    const inWorker = await assertRejects(
      () => parallelReduce(same, refuse, range(4), options),
      TaskError,
    );
    assertEquals(
      inWorker.message,
      "Cannot reduce inputs 0 to 3 as refuse threw RangeError: 1 is too much",
    );
    assertInstanceOf(inWorker.cause, RangeError);
    // One task a chunk: only the caller has anything to fold.
    const here = await assertRejects(
      () => parallelReduce(same, refuse, range(4), { ...pool, chunkSize: 1 }),
      TaskError,
    );
    assertEquals(
      here.message,
      "Cannot reduce inputs 0 to 1 as refuse threw RangeError: 1 is too much",
    );
  });

  it("combine must return what can be folded and sent", async () => {
    await using workers = new Pool(pool);
    const same = (n: number) => n as unknown;
    for (const chunkSize of [4, 1]) {
      const error = await assertRejects(
        () =>
          workers.reduce(same, (_, n) => Promise.resolve(n), range(4), {
            chunkSize,
          }),
        TaskError,
      );
      assertStringIncludes(error.message, "a promise");
    }
    // A promise that rejects is nobody's: it must not end the program.
    const rejects = () => Promise.reject(new Error("unheard"));
    for (const chunkSize of [4, 1]) {
      await assertRejects(
        () => workers.reduce(same, rejects, range(4), { chunkSize }),
        TaskError,
        "a promise",
      );
    }
    const error = await assertRejects(
      () => workers.reduce(same, () => () => 0, range(4), { chunkSize: 4 }),
      TaskError,
    );
    assertEquals(error.index, 0);
    assertStringIncludes(
      error.message,
      "Cannot reduce inputs 0 to 3 as combine threw TypeError: the function (anonymous), which combine must not return",
    );
    const odd = (): unknown => () => 0;
    await assertRejects(
      () => workers.reduce(odd, (one) => one, range(4), { chunkSize: 1 }),
      TaskError,
      "as its result must be cloneable: received the function",
    );
  });

  it("combine is imported by its name, or shipped if it has none", async () => {
    const options = { ...pool, module: TASKS };
    assertEquals(await parallelReduce(square, add, range(50), options), 40425);
    assertEquals(
      await parallelReduce(
        "square",
        (a, b) => a + b,
        range(50),
        options,
      ),
      40425,
    );
  });

  it("combine sees nothing around it, however few inputs there are", async () => {
    const zero = Number("0"); // as 0, Bun would put it in
    const same = (n: number) => n;
    const sum = (a: number, b: number) => zero + a + b;
    for (const count of [2, 3, 100]) {
      const error = await assertRejects(
        () => parallelReduce(same, sum, range(count), pool),
        TaskError,
      );
      assertMatch(error.message, /sum threw ReferenceError.*zero/);
    }
  });

  it("combine of the wrong kind is refused at the call", async () => {
    const same = (n: number) => n;
    for (
      const [combine, received] of [
        [undefined, "undefined"],
        ["add", '"add"'],
        [Math.max, "function max"],
        [class Sum {}, "class Sum"],
      ]
    ) {
      const error = await assertRejects(
        () => parallelReduce(same, combine as typeof add, range(3), pool),
        TypeError,
      );
      assertStringIncludes(error.message, `received ${received}`);
      if (combine !== Math.max) continue;
      assertStringIncludes(error.message, "as (one, other) => f(one, other)");
    }
  });

  it("combine that never returns is ended by timeout", async () => {
    const same = (n: number) => n;
    const stuck = (a: number, b: number) => {
      while (b === 6);
      return a + b;
    };
    const error = await assertRejects(
      () =>
        parallelReduce(same, stuck, range(8), {
          ...timed,
          timeout: 300,
          chunkSize: 4,
        }),
      TaskTimeoutError,
    );
    assertEquals(error.index, 4);
  });

  it("combine that ends its worker ends the reduction", async () => {
    const fatal = (a: number, b: number) => {
      if (b === 6) globalThis.process.exit(3);
      return a + b;
    };
    const error = await assertRejects(
      () =>
        parallelReduce((n: number) => n, fatal, range(8), {
          ...pool,
          chunkSize: 4,
        }),
      WorkerLostError,
    );
    assertEquals(error.index, 4);
  });
};
