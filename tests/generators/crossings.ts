// The property of values: what structuredClone gives arrives, what it refuses
// fails one task, and neighbours in the same chunk do not notice.

import {
  assert,
  assertEquals,
  assertInstanceOf,
  assertRejects,
} from "@std/assert";
import fc from "fast-check";
import { isProxy } from "node:util/types";
import { Pool, type PoolOptions, TaskError } from "../../mod.ts";
import type { Packing } from "../../src/core/wire/packing.ts";
import { createWire } from "../../src/core/wire/wire.ts";
import {
  checkCanary,
  keep,
  makeHere,
  resetCanary,
  tellState,
  throwHere,
} from "../fixtures/crossing.ts";
import { make, type Recipe, type ViewRecipe } from "../fixtures/recipes.ts";
import type { Arrival } from "./arrival.ts";
import {
  arrivalOf,
  arrivalOfThrown,
  hasThen,
  isThenable,
  some,
} from "./arrival.ts";
import { count, type Property } from "./campaign.ts";
import { difference } from "./difference.ts";
import { anyValue, crowd, manyValues, view } from "./values.ts";

/** Values on their way through workers. */
export interface Parcel {
  recipes: Recipe[];
  /** Inputs are made here, results and what is thrown in the workers. */
  way: "input" | "result" | "thrown";
  chunkSize: number | undefined;
  transfer: boolean;
}

const MODULE = new URL("../fixtures/crossing.ts", import.meta.url);

const parcels = fc.record({
  recipes: manyValues,
  way: fc.constantFrom("input", "result", "thrown"),
  chunkSize: fc.oneof(
    fc.constantFrom(undefined, 100),
    fc.integer({ min: 1, max: 64 }),
  ),
  transfer: fc.boolean(),
}) as fc.Arbitrary<Parcel>;

/** Pools that stay open from run to run, by their options. */
const pools = new Map<string, Pool>();

function poolOf(options: PoolOptions): Pool {
  const key = JSON.stringify(options);
  const pool = pools.get(key) ?? new Pool({ ...options, module: MODULE });
  pools.set(key, pool);
  return pool;
}

/** Closes the pools that were opened. */
export async function closePools(): Promise<void> {
  const open = [...pools.values()];
  pools.clear();
  await Promise.all(open.map((pool) => pool.close()));
}

/** Values through workers, or through a pool without (`workers: 0`). */
export function crossing(options: PoolOptions): Property<Parcel> {
  return {
    name: `values through ${JSON.stringify(options)}`,
    values: parcels,
    async check(parcel) {
      await send(poolOf(options), parcel);
      count("values", parcel.recipes.length);
      count("tasks", parcel.recipes.length);
    },
    reset() {
      // A pool that hangs would make all that follows hang as well.
      const key = JSON.stringify(options);
      void pools.get(key)?.close();
      pools.delete(key);
      resetCanary();
    },
  };
}

async function send(pool: Pool, parcel: Parcel): Promise<void> {
  const { way, chunkSize, transfer } = parcel;
  // An input that is awaited, and throws then, ends the whole call.
  const recipes = way === "input"
    ? parcel.recipes.filter((recipe) => !hasThen(recipe))
    : parcel.recipes;
  const buffers: ArrayBuffer[] = [];
  const inputs = way === "input"
    ? recipes.map((recipe) => make(recipe, buffers))
    : recipes.map((recipe) => JSON.stringify(recipe));
  const sizes = buffers.map((buffer) => buffer.byteLength);
  const fn = { input: keep, result: makeHere, thrown: throwHere }[way];
  const results = await pool.mapSettled(fn as typeof keep, inputs, {
    chunkSize,
    transfer,
  });
  assertEquals(results.length, recipes.length, "number of results");
  for (const [index, result] of results.entries()) {
    const at = `value ${index}`;
    // A promise that is an input, or a result, is awaited.
    if (way !== "thrown" && isThenable(recipes[index]!)) continue;
    if (way === "thrown") {
      const arrival = arrivalOfThrown(recipes[index]);
      const error = failureOf(result, index);
      checkArrival(arrival, { value: error.cause }, at);
    } else if (result.status === "fulfilled") {
      const arrival = arrivalOf(recipes[index], transfer);
      const isBytes = (recipe: Recipe) =>
        recipe.is === "view" && ["Buffer", "Bytes"].includes(recipe.kind);
      const cut = way === "result" && some(recipes[index]!, isBytes);
      checkArrival(arrival, result, at, cut);
    } else {
      const error = failureOf(result, index);
      const said = /must be cloneable: received \S/.test(error.message);
      assert(said, `${at}: ${error.message}`);
      const arrival = arrivalOf(recipes[index], transfer);
      checkArrival(arrival, undefined, `${at} (${error.message})`);
    }
  }
  checkCanary();
  if (!transfer) {
    for (const [i, { byteLength }] of buffers.entries()) {
      assertEquals(byteLength, sizes[i], "a buffer of the caller was moved");
    }
  }
}

function failureOf(
  result: PromiseSettledResult<unknown>,
  index: number,
): TaskError {
  assert(result.status === "rejected", `value ${index} was not thrown`);
  assertInstanceOf(result.reason, TaskError);
  assertEquals(result.reason.index, index);
  return result.reason;
}

/** Compares what became of a value with what had to. */
function checkArrival(
  arrival: Arrival,
  got: { value: unknown } | undefined,
  at: string,
  cut = false,
): void {
  if (got === undefined) {
    assert(arrival.must !== "arrive", `${at} was refused`);
    return;
  }
  assert(arrival.must !== "be refused", `${at} was not refused`);
  const found = difference(arrival.value, got.value, cut);
  assert(found === undefined, `${at} differs: ${found}`);
}

/** Values there and back at once, without a pool, as a chunk of a worker. */
export const packing: Property<Recipe[]> = {
  name: "values packed at once",
  values: crowd,
  async check(recipes) {
    const wire = createWire(() => Promise.resolve({ isProxy }));
    wire.packing.pack(new Array(32).fill({}), false); // loads that
    await Promise.resolve();
    // At the second time the shapes of objects are known.
    pack(wire.packing, recipes);
    pack(wire.packing, recipes);
    count("values", 2 * recipes.length);
    checkCanary();
  },
  reset: resetCanary,
};

function pack(packing: Packing, recipes: Recipe[]): void {
  const values = recipes.map((recipe) => make(recipe));
  let parcel = packing.pack(values, false);
  const cross = () =>
    packing.unpack(structuredClone(parcel.packed, { transfer: parcel.moved }));
  let back: ArrayLike<unknown>;
  try {
    back = cross();
  } catch (cause) {
    parcel = packing.repack(values, parcel, cause);
    back = cross();
  }
  count(`packed as ${parcel.packed.as}`);
  for (const [offset, recipe] of recipes.entries()) {
    const refusal = parcel.refused.get(offset);
    const got = refusal === undefined ? { value: back[offset] } : undefined;
    const at = `value ${offset} (${refusal?.reason ?? parcel.packed.as})`;
    checkArrival(arrivalOf(recipe, false), got, at);
  }
}

/** `workerData` through a pool without workers. */
export const stateCrossing: Property<Recipe> = {
  name: "workerData",
  values: anyValue,
  async check(recipe) {
    const arrival = arrivalOf(recipe, false);
    let pool: Pool;
    try {
      pool = new Pool({ workers: 0, workerData: make(recipe), module: MODULE });
    } catch (error) {
      assertInstanceOf(error, TypeError);
      assert(
        /must be cloneable: received \S/.test(error.message),
        error.message,
      );
      return checkArrival(arrival, undefined, "workerData");
    }
    count("values");
    try {
      const running = pool.mapSettled(tellState, [1]);
      // How deep a value may be depends on how deep the stack is meanwhile.
      const [result] = arrival.must === "settle"
        ? await running.catch(() => [])
        : await running;
      if (result === undefined) return;
      if (result.status === "rejected") throw result.reason;
      checkArrival(arrival, result, "workerData");
    } finally {
      void pool.close();
    }
  },
  reset: resetCanary,
};

/** A typed array that is the inputs: one task for each element. */
export const viewAsInputs: Property<ViewRecipe> = {
  name: "a typed array as the inputs",
  values: view.filter(({ kind }) => kind !== "DataView"),
  async check(recipe) {
    const array = make(recipe) as Uint8Array;
    if ((array.buffer as ArrayBuffer).detached) {
      await assertRejects(() => poolOf({ workers: 0 }).map(keep, array));
      return;
    }
    const before = Array.from(array);
    const running = poolOf({ workers: 0 }).map(keep, array);
    // The inputs are copied at the call: what is written later does not matter.
    // In shared memory they are read where they are.
    if (array.length > 0) array[0] = array[array.length - 1];
    const wanted = Array.from(array);
    const shared = !(array.buffer instanceof ArrayBuffer);
    const found = difference(shared ? wanted : before, await running);
    assert(found === undefined, found);
    // Not assertEquals, whose error may take minutes for a long array.
    const changed = difference(wanted, Array.from(array));
    assert(changed === undefined, `the caller's array: ${changed}`);
    count("values");
  },
  reset() {
    void pools.get(JSON.stringify({ workers: 0 }))?.close();
    pools.delete(JSON.stringify({ workers: 0 }));
  },
};

/** Results on their way into a typed array of the caller. */
export interface Filling {
  kind: keyof typeof KINDS;
  /** Elements before and after the array in its buffer. */
  before: number;
  after: number;
  /** Elements of the array that no input is for. */
  rest: number;
  inputs: Recipe[];
  /** Whether the inputs are in shared memory as well, as they are converted. */
  shared: boolean;
  chunkSize: number | undefined;
}

const KINDS = {
  Int8Array,
  Uint8Array,
  Uint8ClampedArray,
  Int16Array,
  Uint16Array,
  Int32Array,
  Uint32Array,
  Float32Array,
  Float64Array,
  BigInt64Array,
  BigUint64Array,
};

const fillings = fc.record({
  kind: fc.constantFrom(...Object.keys(KINDS)),
  before: fc.nat(3),
  after: fc.nat(3),
  rest: fc.nat(2),
  inputs: fc.array(
    fc.oneof(
      fc.double(),
      fc.integer(),
      fc.bigInt({ min: -(2n ** 65n), max: 2n ** 65n }),
      fc.constantFrom(undefined, null, true, "7", "x", -0),
    ),
    { maxLength: 40 },
  ),
  shared: fc.boolean(),
  chunkSize: fc.constantFrom(undefined, 1, 7),
}) as unknown as fc.Arbitrary<Filling>;

/** An output in shared memory is what assignments make of the results. */
export function filling(options: PoolOptions): Property<Filling> {
  return {
    name: `an output through ${JSON.stringify(options)}`,
    values: fillings,
    async check({ kind, before, after, rest, inputs, shared, chunkSize }) {
      const Kind = KINDS[kind] as Float64ArrayConstructor;
      const { BYTES_PER_ELEMENT: bytes } = Kind;
      const length = inputs.length + rest;
      const make = () =>
        new Kind(new SharedArrayBuffer(bytes * (before + length + after)));
      const whole = make();
      const output = whole.subarray(before, before + length);
      const wanted = make();
      const results = inputs as unknown[] as number[];
      let wrong = -1; // index of the first that cannot be assigned
      const taken = results.filter((value, i) => {
        try {
          wanted[before + i] = value;
          return true;
        } catch {
          if (wrong < 0) wrong = i;
          return false;
        }
      });
      if (shared && wrong < 0) {
        const from = make().subarray(0, taken.length);
        for (const [i, value] of taken.entries()) from[i] = value;
        const running = poolOf(options).map(keep, from, { output, chunkSize });
        assert(await running === output, "another array");
      } else {
        const running = poolOf(options).map(keep, results, {
          output,
          chunkSize,
        });
        if (wrong >= 0) {
          await assertRejects(() => running, TaskError);
          return;
        }
        assert(await running === output, "another array");
      }
      const found = difference(Array.from(wanted), Array.from(whole));
      assert(found === undefined, found);
      count("values", inputs.length);
    },
    reset() {
      void pools.get(JSON.stringify(options))?.close();
      pools.delete(JSON.stringify(options));
    },
  };
}
