import { parallelMap } from "../../mod.ts";

const trivial = (n: number) => n * 2 + 1;
const results = await parallelMap(trivial, [1, 2, 3, 4, 5, 6, 7, 8], {
  workers: 2,
});
console.log(results.join(" "));
