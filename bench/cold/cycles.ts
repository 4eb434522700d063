// Starts two workers, maps ten numbers and ends the workers, 60 times, and says
// how much memory grew between the tenth time and the last. Argument: ours or raw.
import process from "node:process";
import { Pool } from "../../mod.ts";
import { rawOnce, split } from "../raw.ts";
import { trivial } from "../tasks.ts";

const [side] = process.argv.slice(2);
const inputs = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9];
const grown: number[] = [];
for (let cycle = 0; cycle < 60; cycle++) {
  if (side === "ours") {
    await using pool = new Pool({ workers: 2 });
    await pool.map(trivial, inputs);
  } else await rawOnce(trivial, split(inputs, 2));
  grown.push(process.memoryUsage().rss / (1 << 20));
}
console.log(
  Math.round(Math.max(...grown.slice(-5)) - Math.max(...grown.slice(5, 10))),
);
