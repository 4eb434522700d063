// Streams that many numbers, and says how much memory that took at most.
// Arguments: ours or loop, and how many.
import process from "node:process";
import { parallelMapStream } from "../../mod.ts";

const [side, count] = process.argv.slice(2);

function* numbers() {
  for (let n = 0; n < Number(count); n++) yield n;
}

async function* loop(fn: (n: number) => number) {
  for (const n of numbers()) yield fn(n);
}

const double = (n: number) => n * 2 + 1;
const results = side === "ours"
  ? parallelMapStream(double, numbers(), { workers: 2 })
  : loop(double);

let sum = 0;
let seen = 0;
let early = 0; // most memory in the first tenth
let most = 0;
for await (const n of results) {
  sum += n;
  if (++seen % 20_000 > 0) continue;
  const { rss } = process.memoryUsage();
  most = Math.max(most, rss);
  if (seen <= Number(count) / 10) early = most;
}
const mb = (bytes: number) => Math.round(bytes / (1 << 20));
console.log(JSON.stringify({ sum, early: mb(early), most: mb(most) }));
