/**
 * Streams, for their speed and their memory.
 *
 * @module
 */

import { Pool } from "../../mod.ts";
import { outputOf } from "../processes.ts";
import { RawWorkers, split } from "../raw.ts";
import { finding, type Row } from "../row.ts";
import { trivial } from "../tasks.ts";

async function sumOf(results: AsyncIterable<number>): Promise<number> {
  let sum = 0;
  for await (const n of results) sum += n;
  return sum;
}

function* counting(count: number): Generator<number> {
  for (let n = 0; n < count; n++) yield n;
}

async function* inTurn(inputs: Iterable<number>): AsyncGenerator<number> {
  for (const n of inputs) yield trivial(n);
}

/** 200,000 numbers in order, and memory over ten million. */
export const stream: Row = {
  name: "stream",
  async *measure() {
    const inputs = Array.from({ length: 200_000 }, (_, i) => i);
    const halves = split(inputs, 2);
    using raw = await RawWorkers.start(trivial, 2);
    await using pool = new Pool({ workers: 2 });
    const streamed = await finding("200,000 numbers streamed in order", [
      {
        name: "raw",
        run: async () => {
          let sum = 0;
          for (const n of await raw.map<number>(halves)) sum += n;
          return sum;
        },
      },
      { name: "loop", run: () => sumOf(inTurn(inputs)) },
      { name: "ours", run: () => sumOf(pool.stream(trivial, inputs)) },
      {
        name: "ours, from a generator",
        run: () => sumOf(pool.stream(trivial, counting(inputs.length))),
      },
      {
        name: "ours, unordered",
        run: () => sumOf(pool.stream(trivial, inputs, { ordered: false })),
      },
    ], { aim: "1.2 ×, memory within 20 MB of a plain loop" });
    const memory = async (side: string) =>
      JSON.parse(await outputOf(["cold/stream.ts", side, "10000000"]));
    const [ours, raw10, loop] = [
      await memory("ours"),
      await memory("raw"),
      await memory("loop"),
    ];
    if (ours.sum !== loop.sum || raw10.sum !== loop.sum) {
      throw new Error("The streams differ");
    }
    streamed.note =
      `10 million numbers from a generator, most RSS: ours ${ours.most} MB (${ours.early} MB in the first million), two raw workers by hand ${raw10.most} MB, a loop ${loop.most} MB`;
    yield streamed;
  },
};
