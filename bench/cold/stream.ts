// Streams that many numbers, and says how much memory that took at most.
// Arguments: ours, raw or loop, and how many.
import process from "node:process";
import { parallelMapStream } from "../../mod.ts";
import { RawWorkers } from "../raw.ts";
import { trivial } from "../tasks.ts";

const side = process.argv[2];
const count = Number(process.argv[3]);

function* numbers() {
  for (let n = 0; n < count; n++) yield n;
}

async function* loop() {
  for (const n of numbers()) yield trivial(n);
}

/** By hand: 16,384 numbers at a time over two workers, moved both ways. */
async function* raw() {
  using workers = await RawWorkers.start(trivial, 2);
  for (let first = 0; first < count; first += 16_384) {
    const part = (from: number) =>
      Float64Array.from(
        { length: Math.max(0, Math.min(8_192, count - from)) },
        (_, i) => from + i,
      );
    yield* await workers.mapTyped([part(first), part(first + 8_192)]);
  }
}

const results = side === "ours"
  ? parallelMapStream(trivial, numbers(), { workers: 2 })
  : side === "raw"
  ? raw()
  : loop();

let sum = 0;
let seen = 0;
let early = 0; // most memory in the first tenth
let most = 0;
for await (const n of results) {
  sum += n;
  if (++seen % 20_000 > 0) continue;
  const { rss } = process.memoryUsage();
  most = Math.max(most, rss);
  if (seen <= count / 10) early = most;
}
const mb = (bytes: number) => Math.round(bytes / (1 << 20));
console.log(JSON.stringify({ sum, early: mb(early), most: mb(most) }));
