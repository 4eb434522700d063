// By AsyncLocalStorage a server tells whose request something is done for. What
// a call was given is called for that call, and not for the one that happened
// to start the workers.
import { assert, assertEquals } from "@std/assert";
import { AsyncLocalStorage } from "node:async_hooks";
import { parallelMap, Pool } from "../mod.ts";
import { collectGarbage } from "./collect_garbage.ts";
import { test } from "./harness.ts";
import { pause } from "./until.ts";

const POOLS = {
  web: { workers: 1 },
  threads: { workers: 1, backend: "threads" },
  processes: { workers: 1, backend: "processes" },
  inline: { workers: 0 },
};
const inputs = [1, 2, 3, 4, 5, 6];
const same = (n: number) => n;

/** Notes in whose name it was called, by what called it. */
class Names {
  readonly #storage = new AsyncLocalStorage<string>();
  readonly #heard = new Map<string, Set<string>>();

  run<R>(name: string, part: () => R): R {
    return this.#storage.run(name, part);
  }

  note(by: string): void {
    const heard = this.#heard.get(by) ?? new Set();
    this.#heard.set(by, heard.add(this.#storage.getStore() ?? "nobody"));
  }

  take(): Record<string, string[]> {
    const all = [...this.#heard].map(([by, names]) => [by, [...names]]);
    this.#heard.clear();
    return Object.fromEntries(all);
  }
}

for (const [name, options] of Object.entries(POOLS)) {
  test(`${name}: what a call was given is called in its async context`, async () => {
    const names = new Names();
    const listen = { onProgress: () => names.note("onProgress") };
    await using pool = names.run("pool", () =>
      new Pool({
        ...options,
        onEvent: () => names.note("onEvent of the pool"),
      }));
    await names.run("first", () => pool.map(same, [0]));
    names.take();
    function* list() {
      try {
        for (const n of inputs) {
          names.note("next");
          yield n;
        }
      } finally {
        names.note("the end");
      }
    }
    await names.run("second", () =>
      pool.map(same, list(), {
        ...listen,
        chunkSize: 1,
        onEvent: () => names.note("onEvent"),
      }));
    assertEquals(names.take(), {
      "onEvent": ["second"],
      "onEvent of the pool": ["pool"],
      "onProgress": ["second"],
      "next": ["second"],
      "the end": ["second"],
    });
    // One that fails is closed when its worker has answered.
    const fail = () => {
      throw new Error("mine");
    };
    await names.run("third", () => pool.map(fail, list()).catch(() => {}));
    assertEquals(names.take(), {
      "onEvent of the pool": ["pool"],
      "next": ["third"],
      "the end": ["third"],
    });
    const source = {
      n: 0,
      [Symbol.asyncIterator]: () => source,
      next() {
        names.note("async next");
        return Promise.resolve({ done: source.n === 6, value: source.n++ });
      },
    };
    await names.run(
      "fourth",
      () =>
        pool.map(same, source as AsyncIterable<number>, {
          chunkSize: 1,
          weight: () => {
            names.note("weight");
            return 1;
          },
        }),
    );
    assertEquals(names.take(), {
      "onEvent of the pool": ["pool"],
      "async next": ["fourth"],
      "weight": ["fourth"],
    });
    const lazy = (n: number): PromiseLike<number> => ({
      then(resolve) {
        names.note("then");
        return Promise.resolve(n).then(resolve);
      },
    });
    await names.run(
      "fifth",
      () => pool.map(same, inputs.map(lazy), { chunkSize: 1 }),
    );
    assertEquals(names.take(), {
      "onEvent of the pool": ["pool"],
      "then": ["fifth"],
    });
  });
}

for (const [name, options] of Object.entries(POOLS)) {
  test(`${name}: a pool keeps nothing of the call that started its workers`, async () => {
    const storage = new AsyncLocalStorage<object>();
    await using pools = new AsyncDisposableStack();
    const requests: WeakRef<object>[] = [];
    for (let i = 0; i < 3; i++) {
      const pool = pools.use(new Pool(options));
      await (async () => {
        const request = { from: "somebody" };
        await storage.run(request, () => pool.map(same, inputs));
        requests.push(new WeakRef(request));
      })();
    }
    // Bun looks for garbage on its stack, where one may be left over by chance.
    const left = () => requests.filter((one) => one.deref() !== undefined);
    for (let i = 0; i < 50 && left().length > 1; i++) {
      await pause(10);
      collectGarbage();
    }
    assert(left().length <= 1, `${left().length} of 3 are kept`);
  });
}

test("a call of its own keeps its async context as well", async () => {
  const names = new Names();
  const onEvent = () => names.note("onEvent");
  await names.run("first", () => parallelMap(same, inputs, { onEvent }));
  assertEquals(names.take(), { onEvent: ["first"] });
});
