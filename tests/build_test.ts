// What is published works as it is loaded from there, on the runtime at hand.
import { assertEquals, assertStringIncludes } from "@std/assert";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { build } from "../scripts/build.ts";
import { test } from "./harness.ts";
import { inFolder, RUN_ALL, runProgram } from "./run_program.ts";

const PROGRAM = `
import { parallelMap, parallelReduce, TaskError } from "@parallel/map";
import { progressBar } from "@parallel/map/progress";
import { Timeline } from "@parallel/map/timeline";

const timeline = new Timeline();
const doubled: number[] = await parallelMap((n) => n * 2, [1, 2, 3], {
  onEvent: timeline.record,
  onProgress: progressBar(),
});
const fail = (n: number) => {
  if (n === 2) throw new RangeError("two");
  return { n };
};
const error = await parallelMap(fail, [1, 2]).catch((error) => error);
const sum = await parallelReduce(
  (n, { data }) => n * data.times(1),
  (a: number, b: number) => a + b,
  [1, 2, 3],
  { backend: "threads", data: { times: (n: number) => n * 10 } },
);
console.log(doubled.join(), sum, error instanceof TaskError, error.index);
console.log(timeline.report().includes("3 tasks"));
`;

test("the built package runs, has its types, and its command", {
  timeout: 60_000,
}, () => {
  inFolder((folder) => {
    const at = join(folder, "package");
    build(at);
    const { exports } = JSON.parse(
      readFileSync(join(at, "deno.json"), "utf8"),
    ) as { exports: Record<string, string> };
    // As packages are found by name, on either runtime.
    const modules = join(folder, "node_modules", "@parallel");
    mkdirSync(modules, { recursive: true });
    build(join(modules, "map"));
    const manifest = { name: "@parallel/map", type: "module", exports };
    writeFileSync(
      join(modules, "map", "package.json"),
      JSON.stringify(manifest),
    );
    writeFileSync(join(folder, "package.json"), '{ "type": "module" }');
    writeFileSync(join(folder, "program.ts"), PROGRAM);
    const { code, out, err } = runProgram([...RUN_ALL, "program.ts"], folder);
    assertEquals([code, out], [0, "2,4,6 60 true 1\ntrue\n"], err);
    writeFileSync(join(at, "program.ts"), PROGRAM);
    const check = runProgram(["deno", "check", "program.ts"], at);
    assertEquals(check.code, 0, check.err);
    const wrong = PROGRAM.replace("doubled: number[]", "doubled: string[]");
    writeFileSync(join(at, "wrong.ts"), wrong);
    const { err: said } = runProgram(["deno", "check", "wrong.ts"], at);
    assertStringIncludes(said, "'number[]' is not assignable");
    writeFileSync(join(folder, "work.ts"), "export const f = (n) => n + 1;");
    const command = [...RUN_ALL, join(at, exports["./cli"]), "./work.ts#f"];
    assertEquals(runProgram(command, folder, "1\n2\n").out, "2\n3\n");
  });
});
