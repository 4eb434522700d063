import { parallelMap } from "../../mod.ts";
import { trivial } from "../tasks.ts";

const inputs = [1, 2, 3, 4, 5, 6, 7, 8];
console.log((await parallelMap(trivial, inputs, { workers: 2 })).join(" "));
