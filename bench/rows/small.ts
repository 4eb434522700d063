/**
 * Many small tasks: what it costs to get a value there and back.
 *
 * @module
 */

import { Pool } from "../../mod.ts";
import { RawWorkers, split } from "../raw.ts";
import { finding, type Row } from "../row.ts";
import { digest, object, text, trivial } from "../tasks.ts";

/** 100,000 trivial number tasks, as a list and as typed arrays. */
export const numbers: Row = {
  name: "numbers",
  async *measure() {
    const inputs = Array.from({ length: 100_000 }, (_, i) => i);
    const typed = Float64Array.from(inputs);
    const halves = split(inputs, 2);
    using raw = await RawWorkers.start(trivial, 2);
    await using pool = new Pool({ workers: 2 });
    yield await finding("100,000 trivial number tasks", [
      { name: "raw", run: () => raw.map(halves) },
      { name: "raw, batched", run: () => raw.mapBatched(inputs, 5000) },
      { name: "loop", run: () => inputs.map(trivial) },
      { name: "ours", run: () => pool.map(trivial, inputs) },
      {
        name: "ours, typed",
        run: () => pool.map(trivial, typed, { output: Float64Array }),
      },
      {
        name: "raw, typed, moved",
        before: () => halves.map((half) => Float64Array.from(half)),
        run: (parts: Float64Array[]) => raw.mapTyped(parts),
      },
    ], { aim: "ours 1.0 ×, typed 0.5 ×" });
  },
};

/** 20,000 small objects in and out. */
export const objects: Row = {
  name: "objects",
  async *measure() {
    const inputs = Array.from({ length: 20_000 }, (_, id) => ({
      id,
      v: id / 2,
    }));
    const halves = split(inputs, 2);
    using raw = await RawWorkers.start(object, 2);
    await using pool = new Pool({ workers: 2 });
    yield await finding("20,000 small objects in and out", [
      { name: "raw", run: () => raw.map(halves) },
      { name: "raw, batched", run: () => raw.mapBatched(inputs, 1000) },
      { name: "loop", run: () => inputs.map(object) },
      { name: "ours", run: () => pool.map(object, inputs) },
    ], { aim: "0.75 ×" });
  },
};

/** Strings in and out. */
export const strings: Row = {
  name: "strings",
  async *measure() {
    const inputs = Array.from({ length: 20_000 }, (_, i) => `line ${i} of it`);
    const halves = split(inputs, 2);
    using raw = await RawWorkers.start(text, 2);
    await using pool = new Pool({ workers: 2 });
    yield await finding("20,000 short strings in and out", [
      { name: "raw", run: () => raw.map(halves) },
      { name: "raw, batched", run: () => raw.mapBatched(inputs, 1000) },
      { name: "loop", run: () => inputs.map(text) },
      { name: "ours", run: () => pool.map(text, inputs) },
    ], { aim: "1.0 ×" });
  },
};

/** Strings in, short typed arrays out. */
export const digests: Row = {
  name: "digests",
  async *measure() {
    const inputs = Array.from({ length: 20_000 }, (_, i) => `line ${i} of it`);
    const halves = split(inputs, 2);
    using raw = await RawWorkers.start(digest, 2);
    await using pool = new Pool({ workers: 2 });
    yield await finding("20,000 short strings in, digests out", [
      { name: "raw", run: () => raw.map(halves) },
      { name: "raw, batched", run: () => raw.mapBatched(inputs, 1000) },
      { name: "loop", run: () => inputs.map(digest) },
      { name: "ours", run: () => pool.map(digest, inputs) },
    ], { aim: "1.0 ×" });
  },
};
