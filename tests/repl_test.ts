// What is typed into the REPL of the runtime at hand. There is no terminal: the
// REPL reads lines from a pipe, and runs each as it would run it in a terminal.
// The kernel of `deno jupyter` runs cells in the same way, but needs a client.

import { assertEquals } from "@std/assert";
import { test } from "./harness.ts";
import { RUN, runProgram } from "./run_program.ts";

const REPL = RUN.length > 1 ? ["deno", "repl", "-A", "--quiet"] : [
  "bun",
  "repl",
];

/** What is typed, and what it gives; a line without a result is undefined. */
const LINES: [typed: string, result?: unknown][] = [
  [`import { parallelMap, parallelMapStream, Pool } from "./mod.ts"`],
  [`const half = (n: number): number => n / 2`],
  [`await parallelMap(half, [1, 2, 3])`, [0.5, 1, 1.5]],
  [`const pool = new Pool({ workers: 1, init: () => ({ factor: 7 }) })`],
  [`await pool.map(half, [4])`, [2]],
  [`function square(n) {\n  const by = n\n\n  return n * by\n}`],
  [`await pool.map(square, [1, 2, 3])`, [1, 4, 9]],
  [`await pool.map((n, { state }) => n * state.factor, [1, 2])`, [7, 14]],
  [`const math = { async twice(n) { return n * 2 }, [1 + 1](n) { return -n } }`],
  [`await pool.map(math.twice, [1])`, [2]],
  [`await pool.map(math[2], [1])`, [-1]],
  [`class Maths { static cube(n: number) { return n ** 3 } }`],
  [`await pool.map(Maths.cube, [2])`, [8]],
  [
    `async function name(n) { return (await import("node:path")).basename(n) }`,
  ],
  [`await pool.map(name, ["/a/b"])`, ["b"]],
  [`const all = []`],
  [`for await (const n of pool.stream(half, [2, 4])) all.push(n)`],
  [`all`, [1, 2]],
  [`const factor = 3`],
  [
    `await pool.map((n) => n * factor, [1]).catch((error) => error.cause.name)`,
    "ReferenceError",
  ],
  [
    `await pool.map(() => { for (;;); }, [1], { timeout: 100 })
    .catch((error) => error.name)`,
    "TaskTimeoutError",
  ],
  [
    `await pool.map(() => process.exit(3), [1]).catch((error) => error.name)`,
    "WorkerLostError",
  ],
  [`await pool.map(half, [4])`, [2]],
];

test("functions typed into the REPL run in workers", {
  // On Deno 2.9.5 a worker of a REPL takes a second to start.
  timeout: 300_000,
}, () => {
  const typed = LINES.map(([line, result]) =>
    result === undefined
      ? line
      : `console.log("result: " + JSON.stringify(${line}))`
  );
  // The pool stays open: its idle worker does not keep the REPL up.
  const { code, out, err } = runProgram(
    REPL,
    undefined,
    `${typed.join("\n")}\n`,
  );
  const results = [...out.matchAll(/^result: (.*)$/gm)]
    .map(([, json]) => JSON.parse(json));
  assertEquals(
    results,
    LINES.flatMap(([, result]) => result === undefined ? [] : [result]),
    out + err,
  );
  assertEquals([code, err], [0, ""]);
});
