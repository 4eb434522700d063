import { parallelMap } from "../../mod.ts";

const square = (n: number) => n * n;
const squares = await parallelMap(square, [1, 2, 3, 4, 5, 6, 7, 8], {
  workers: 2,
});
console.log(squares.join(" "));
