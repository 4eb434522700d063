// Every row of "What happens when" in docs/errors.md is a test: most of them of
// the contract.
import { assert, assertEquals } from "@std/assert";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "./harness.ts";

/** What a row says, and the test that proves it. */
const ROWS: [when: string, title: string][] = [
  [
    "`fn` throws, whatever it throws",
    "whatever is thrown arrives, and is still a throw",
  ],
  [
    "`fn` throws an error of its own class",
    "a throw rejects with its index, class, properties and stack",
  ],
  [
    "an error is thrown in a timer that `fn` set",
    "an error in a timer loses the worker of its task",
  ],
  [
    "a promise that nobody awaits rejects",
    "an unhandled rejection loses the worker of its task",
  ],
  [
    "`fn` calls `process.exit()` or `Deno.exit()`",
    "a task that exits loses its worker, and only itself",
  ],
  [
    "`fn` calls `self.close()`, where workers have that",
    "a task that closes its worker loses it",
  ],
  [
    "the process of a worker crashes or is killed, or its memory runs out",
    "processes: a crash, no end of memory and no end at all are three errors of a hundred",
  ],
  ["the next call after that", "a pool is usable after its workers were lost"],
  [
    "several tasks are in flight in a worker that ends",
    "concurrent tasks of a lost worker are told apart",
  ],
  [
    "`fn` never returns, with `timeout`",
    "timeout ends a synchronous endless loop, and only that task",
  ],
  [
    "a getter of its result never returns, with `timeout`",
    "a result that is made ready to send without end: its task is stopped",
  ],
  [
    "an earlier task, also of a call before, left a loop behind, with `timeout`",
    "timeout: a loop that an earlier task left behind keeps no other waiting",
  ],
  ["`signal` aborts", "signal rejects with its reason itself"],
  [
    "`fn` waits with `context.signal`, as in `fetch`",
    "context.signal aborts when the run is over",
  ],
  [
    "`signal` aborts while `fn` computes",
    "an abort does not wait for a task that computes",
  ],
  [
    "`fn` loops and looks at `context.aborted`",
    "a synchronous loop sees the abort",
  ],
  [
    "an input cannot be cloned",
    "an input that cannot be cloned names its index",
  ],
  [
    "a result cannot be cloned, or would arrive as `{}`",
    "a result that cannot be cloned fails its task alone",
  ],
  [
    "the inputs throw while they are read",
    "an iterable that throws passes its own error on",
  ],
  [
    "a promise among the inputs rejects",
    "a promise that rejects ends the call with its own reason",
  ],
  [
    "the inputs change during the run",
    "inputs changed during the run do not matter",
  ],
  [
    "inputs in shared memory change during the run",
    "a task gets what stands in shared inputs when it starts",
  ],
  [
    "a call with an `output` in shared memory rejects",
    "a task that fails writes nothing to a shared output",
  ],
  [
    "a buffer was moved away before",
    "transfer moves buffers both ways, for many inputs",
  ],
  [
    "`combine` of a reduction throws",
    "combine that throws names the inputs it folded",
  ],
  [
    "there is nothing to reduce, and no `initial`",
    "a reduction begins with initial, once, or with the first result",
  ],
  ["`init` throws", "init that throws ends the run with one clear error"],
  ["workers end as soon as they start", "init that exits ends the run"],
  [
    "`onProgress` or `onEvent` throws",
    "a listener that throws ends the run with its error",
  ],
  ["the reader of a stream leaves", "break ends the source and the workers"],
  [
    "the pool is closed while calls are pending",
    "close settles every pending call",
  ],
  [
    "`close({ finish: true })` while calls are pending",
    "close({ finish: true }) lets pending calls end, and takes no more",
  ],
  [
    "a worker without a task is ended, and `init` had opened things",
    "what init returned is disposed before its worker is ended",
  ],
];

const read = (name: string) =>
  readFileSync(new URL(`../${name}`, import.meta.url), "utf8");

test("every row of the table in docs/errors.md has its test", () => {
  const [, section] = read("docs/errors.md").split("## What happens when");
  const rows = section.split("\n## ")[0].split("\n")
    .filter((line) => line.startsWith("|")).slice(2)
    .map((line) => line.split("|")[1].trim());
  assertEquals(rows, ROWS.map(([when]) => when));
  const contract = readdirSync(new URL(".", import.meta.url))
    .filter((name) =>
      /^(contract(_\w+)?|(processes|engine)_test)\.ts$/.test(name)
    )
    .map((name) => read(`tests/${name}`)).join("\n");
  for (const [, title] of ROWS) {
    assert(contract.includes(`"${title}"`), `no test is called "${title}"`);
  }
});
