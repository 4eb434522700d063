/**
 * The start of a worker, until its first answer, and its end: a bare one, and
 * one of a pool. A whole process is in bench/rows/starting.ts.
 *
 * @module
 */

import { bench, do_not_optimize, group, summary } from "mitata";
import { Pool } from "../../mod.ts";
import { denoBoot } from "../../src/core/runtime/deno.ts";
import { rawOnce } from "../raw.ts";
import { trivial } from "../tasks.ts";

group("one worker, one task", () =>
  summary(() => {
    bench("a bare worker", async () =>
      do_not_optimize(await rawOnce(trivial, [[1]]))).baseline(true);
    for (const backend of ["web", "threads"]) {
      bench(`a pool, ${backend}`, async () => {
        await using pool = new Pool({ workers: 1, backend });
        do_not_optimize(await pool.map(trivial, [1]));
      });
    }
  }));

group("its program", () => {
  bench("put together as a text", () => do_not_optimize(denoBoot()));
});
