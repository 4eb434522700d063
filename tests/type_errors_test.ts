// What TypeScript says of a call that is wrong: of what in it, and in which
// words. Programs are checked as in an editor, by `deno check`.
import { assertEquals } from "@std/assert";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { runtime, test } from "./harness.ts";
import { inFolder, ROOT, runProgram } from "./run_program.ts";

/** What a program begins with; one statement stands below. */
const HEAD = `
import { type ModuleSpecifier, parallelMap, parallelMapSettled,
  parallelMapStream, parallelReduce, Pool } from "ROOT/mod.ts";
const module: ModuleSpecifier<typeof import("ROOT/tests/fixtures/typed.ts")> =
  import.meta.url;
const half = (n: number) => n / 2;
const open = (path: string) => path.length;
interface Given { data: { by: number } }
const scaled = (n: number, { data }: Given) => n * data.by;
const pool = new Pool({ module, workerData: 3 });
`;

const NOT_A_NUMBER = "Type 'string' is not assignable to type 'number'.";

/** A call, which part of it is wrong, and the beginning of what is said. */
const WRONG: [call: string, part: string, message: string][] = [
  [`parallelMap(half, [1], { workers: "2" })`, "workers", NOT_A_NUMBER],
  [`parallelMap((n) => n, [1], { workers: "2" })`, "workers", NOT_A_NUMBER],
  [`parallelMapSettled(half, [1], { retries: "2" })`, "retries", NOT_A_NUMBER],
  [`parallelMapStream(half, [1], { timeout: "2" })`, "timeout", NOT_A_NUMBER],
  [
    `parallelReduce(half, (a) => a, [1], { chunkSize: "2" })`,
    "chunkSize",
    NOT_A_NUMBER,
  ],
  [`new Pool({ workers: "2" })`, "workers", NOT_A_NUMBER],
  [`pool.map(half, [1], { retries: "2" })`, "retries", NOT_A_NUMBER],
  [`pool.mapSettled(half, [1], { retries: "2" })`, "retries", NOT_A_NUMBER],
  [`pool.stream(half, [1], { bufferSize: "2" })`, "bufferSize", NOT_A_NUMBER],
  [
    `pool.reduce(half, (a) => a, [1], { initial: "2" })`,
    "initial",
    NOT_A_NUMBER,
  ],
  [
    `pool.map(half, [1], { output: Float64Array, retries: "2" })`,
    "retries",
    NOT_A_NUMBER,
  ],
  [
    `parallelMap(half, [1], { worker: 2 })`,
    "worker",
    "Object literal may only specify known properties, but 'worker' does not exist",
  ],
  [
    `pool.map(half, [1], { workers: 2 })`,
    "workers",
    "Object literal may only specify known properties, and 'workers' does not exist",
  ],
  [
    `parallelMap(half, [1], { output: Array })`,
    "output",
    "Type 'ArrayConstructor' is not assignable to type 'TypedArrayConstructor<",
  ],
  [
    `parallelMap(half, ["1"])`,
    `["1"]`,
    "Argument of type 'string[]' is not assignable to parameter of type 'Inputs<number | PromiseLike<number>>'.",
  ],
  [
    `pool.map((n: number, { state }: { state: string }) => state.at(n), [1])`,
    "(n: number, { state }: { state: string }) => state.at(n)",
    "Argument of type '(n: number, { state }: { state: string; }) => string | undefined' is not assignable to parameter of type 'MapFunction<",
  ],
  [
    `parallelMap(half, [1], { workerData: 3, init: open })`,
    "init",
    "Type '(path: string) => number' is not assignable to type '(workerData: number) => number | PromiseLike<number>'.",
  ],
  [
    `parallelMap(scaled, [1], { workers: 2 })`,
    "{ workers: 2 }",
    "Argument of type '{ workers: number; }' is not assignable to parameter of type '(PoolOptions<",
  ],
  [
    `pool.map(scaled, [1], { data: { by: "2" } })`,
    "by",
    NOT_A_NUMBER,
  ],
  [
    `parallelMap(scaled, [1])`,
    "scaled",
    "Argument of type '(n: number, { data }: Given) => number' is not assignable to parameter of type 'MapFunction<number, number, undefined, undefined>'.",
  ],
  [
    `parallelMap("squares", [1], { module })`,
    `"squares"`,
    "No overload matches this call.",
  ],
];

test("a wrong call is an error of the part that is wrong", {
  timeout: 300_000,
  ignore: runtime !== "deno", // it is Deno that checks types
}, () => {
  inFolder((folder) => {
    const head = HEAD.replaceAll("ROOT/", new URL("../", import.meta.url).href);
    const path = join(folder, "wrong.ts");
    writeFileSync(path, head + WRONG.map(([call]) => `${call};\n`).join(""));
    const { err } = runProgram(["deno", "check", path], ROOT);
    const told = err.matchAll(
      /^TS\d+ \[ERROR\]: (.*)\n(?: .*\n)*?(\S.*);\n( *)(~+)$/gm,
    );
    const found = [...told].map(([, message, call, before, tildes]) => {
      const from = before.length;
      return [call, call.slice(from, from + tildes.length), message];
    });
    assertEquals(
      found.map(([call, part, message], i) => [
        call,
        part,
        message.slice(0, WRONG[i]?.[2].length),
      ]),
      WRONG,
      err,
    );
  });
});
