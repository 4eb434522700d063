// What a server knows of a request by `AsyncLocalStorage` is known to what its
// calls call back.
import { assertEquals } from "@std/assert";
import { AsyncLocalStorage } from "node:async_hooks";
import { Pool } from "../mod.ts";
import { test } from "./harness.ts";

test("generators and listeners of a call are in its own async context", async () => {
  const request = new AsyncLocalStorage<string>();
  await using pool = new Pool({ workers: 2 });
  const later = async (n: number) => {
    await new Promise((resolve) => setTimeout(resolve, 1));
    return n;
  };
  async function answer(id: string): Promise<void> {
    const seen = new Map<string, Set<unknown>>();
    const see = (where: string) => {
      if (!seen.has(where)) seen.set(where, new Set());
      seen.get(where)!.add(request.getStore());
    };
    function* inputs() {
      for (let n = 0; n < 9; n++) {
        see("generator");
        yield n;
      }
      see("its end");
    }
    async function* asyncInputs() {
      for await (const n of inputs()) {
        see("async generator");
        yield n;
      }
    }
    const options = {
      chunkSize: 1,
      onProgress: () => see("onProgress"),
      onEvent: () => see("onEvent"),
      weight: () => {
        see("weight");
        return 1;
      },
    };
    await pool.map(later, inputs(), options);
    await pool.map(later, asyncInputs(), { onProgress: options.onProgress });
    await pool.map(later, asyncInputs());
    for await (const _ of pool.stream(later, inputs())) see("reader");
    const names =
      "async generator,generator,its end,onEvent,onProgress,reader,weight";
    assertEquals([...seen.keys()].sort().join(), names);
    for (const [where, ids] of seen) assertEquals([where, ...ids], [where, id]);
  }
  await request.run("first", () => answer("first"));
  const ids = ["second", "third"];
  await Promise.all(ids.map((id) => request.run(id, () => answer(id))));
});
