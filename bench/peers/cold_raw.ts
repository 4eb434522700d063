import { rawOnce, split } from "../raw.ts";
import { trivial } from "../tasks.ts";

const halves = split([1, 2, 3, 4, 5, 6, 7, 8], 2);
console.log((await rawOnce(trivial, halves)).join(" "));
