// The property of programs: every call settles, and as a plain loop would have
// it, or for a reason that there really was. Afterwards the pool works, and no
// worker is left.

import { assertEquals } from "@std/assert";
import {
  parallelMap,
  parallelMapSettled,
  parallelMapStream,
  Pool,
  type PoolOptions,
} from "../../mod.ts";
import { act, addOne, type Order } from "../fixtures/deeds.ts";
import { count, type Property } from "./campaign.ts";
import { type CallPlan, type Program, programs } from "./programs.ts";
import { pause } from "../until.ts";
import { openSource } from "./sources.ts";
import { Witness, type World } from "./witness.ts";

const MODULE = new URL("../fixtures/deeds.ts", import.meta.url);

/** Programs on at most so many workers; 0 for none but this thread. */
export function playing(workers: number): Property<Program> {
  return {
    name: `programs with up to ${workers} workers`,
    values: programs(workers),
    check: play,
    reset() {},
  };
}

async function play(program: Program): Promise<void> {
  const { workers, backend, maxTasksPerWorker } = program;
  const lives = { started: 0, ended: 0 };
  const poolOptions: PoolOptions = {
    workers,
    backend,
    maxTasksPerWorker,
    onEvent({ type }) {
      if (type === "worker-start") lives.started++;
      if (type === "worker-end") lives.ended++;
    },
  };
  const shared = program.pool === "shared";
  const pool = new Pool(poolOptions);
  const world: World = {
    closed: false,
    close() {
      if (!shared) return; // a one-shot call has a pool that nobody can close
      this.closed = true;
      void pool.close();
    },
  };
  try {
    const { onEvent: _, ...oneShot } = poolOptions;
    await Promise.all(
      program.calls.map((plan) =>
        makeCall(plan, shared ? pool : oneShot, world)
      ),
    );
    const more = await pool.map(addOne, [1, 2, 3]).catch((error) => error);
    if (!(more instanceof TypeError && /closed/.test(more.message))) {
      assertEquals(more, [2, 3, 4], "the next call on the pool");
    }
  } finally {
    await pool.close();
  }
  assertEquals(lives.ended, lives.started, "workers left behind");
  count("workers", lives.started);
}

/** Makes one call and checks all that can be seen of it. */
async function makeCall(
  plan: CallPlan,
  where: Pool | PoolOptions,
  world: World,
): Promise<void> {
  const witness = new Witness(plan, world);
  const source = openSource(plan.source, witness.values, witness);
  const fn = act as (order: Order | number) => Promise<number>;
  const options = {
    ...plan.options,
    module: plan.shipped ? undefined : MODULE,
    signal: witness.signal,
    onProgress: witness.onProgress,
    onEvent: witness.onEvent,
  };
  const inputs = source.inputs as Iterable<Order>;
  const mapOptions = plan.output
    ? { ...options, output: Float64Array }
    : options;
  const oneShot = where instanceof Pool ? {} : where;
  try {
    if (plan.way === "map") {
      const results = where instanceof Pool
        ? await where.map(fn, inputs, mapOptions)
        : await parallelMap(fn, inputs, { ...oneShot, ...mapOptions });
      witness.sawResults([...results], source);
    } else if (plan.way === "mapSettled") {
      const results = where instanceof Pool
        ? await where.mapSettled(fn, inputs, options)
        : await parallelMapSettled(fn, inputs, { ...oneShot, ...options });
      witness.sawSettled(results, source);
    } else {
      const stream = where instanceof Pool
        ? where.stream(fn, inputs, options)
        : parallelMapStream(fn, inputs, { ...oneShot, ...options });
      await read(stream, witness);
      witness.sawEnd(source);
    }
    count("calls that ended well");
  } catch (error) {
    witness.sawError(error, source);
    count("calls that failed");
  }
  witness.settled = true;
  await pause(5);
  witness.checkProgress();
  witness.checkSource(source);
  count("tasks", plan.deeds.length);
}

/** Reads a stream to its end, or as long as its reader stays. */
async function read(
  stream: AsyncGenerator<number>,
  witness: Witness,
): Promise<void> {
  const { by, does, after = 0 } = {
    ...witness.plan.interruption,
  } as { by?: string; does?: string; after?: number };
  const leaves = by === "reader";
  for (let reads = 0; !leaves || reads < after; reads++) {
    const { done, value } = await stream.next();
    if (done) return;
    witness.sawValue(value);
  }
  witness.left = true;
  if (does === "return") await stream.return(undefined);
  else await stream.throw(witness.own);
}
