import { parallelMap } from "../../mod.ts";

const task = (n: number) => n * 2 + 1;
const inputs = [1, 2, 3, 4, 5, 6, 7, 8];
const results = await parallelMap(task, inputs, { workers: 2 });
console.log(JSON.stringify(results.slice(-8)));
