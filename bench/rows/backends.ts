/**
 * What workers of each kind cost: Web Workers, threads, processes.
 *
 * @module
 */

import { parallelMap, Pool } from "../../mod.ts";
import { RUNTIME } from "../processes.ts";
import { KINDS } from "../records.ts";
import { finding, type Row } from "../row.ts";
import { trivial } from "../tasks.ts";

type Backend = "web" | "threads" | "processes";

/** Those of this runtime that differ: Node.js has no Web Workers. */
const BACKENDS: Backend[] = RUNTIME === "node"
  ? ["threads", "processes"]
  : ["web", "threads", "processes"];

/** Bytes, with the first of them changed. */
function touch(bytes: Uint8Array): Uint8Array {
  bytes[0] = 1;
  return bytes;
}

const count = (value: unknown) => JSON.stringify(value).length;

/** A start, 100,000 numbers, 20,000 records, and large arrays, on each. */
export const backends: Row = {
  name: "backends",
  async *measure() {
    yield await finding(
      "10 numbers by 2 cold workers, on each backend",
      BACKENDS.map((backend) => ({
        name: backend,
        run: () =>
          parallelMap(trivial, Array.from({ length: 10 }, (_, i) => i), {
            workers: 2,
            backend,
          }),
      })),
    );
    const pools = BACKENDS.map((backend) => new Pool({ workers: 2, backend }));
    try {
      const on = (run: (pool: Pool) => unknown) =>
        pools.map((pool, i) => ({ name: BACKENDS[i], run: () => run(pool) }));
      const numbers = Array.from({ length: 100_000 }, (_, i) => i);
      yield await finding(
        "100,000 trivial number tasks, on each backend",
        on((pool) => pool.map(trivial, numbers)),
      );
      const records = KINDS.features.make(20_000);
      yield await finding(
        "20,000 features of a map, on each backend",
        on((pool) => pool.map(count, records)),
      );
      const arrays = Array.from(
        { length: 16 },
        (_, i) => new Uint8Array(8 << 20).fill(i),
      );
      yield await finding(
        "16 arrays of 8 MB in and out, on each backend",
        on(async (pool) => (await pool.map(touch, arrays)).length),
      );
    } finally {
      await Promise.all(pools.map((pool) => pool.close()));
    }
  },
};
