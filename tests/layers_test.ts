import { assertEquals } from "@std/assert";
import { brokenRule, countLines } from "../scripts/layers.ts";
import { test } from "./harness.ts";

test("brokenRule() lets imports go down the layers, and not up", () => {
  const allowed: [from: string, to: string][] = [
    ["src/core/wire/codec.ts", "src/core/api/options.ts"],
    ["src/core/engine/slot.ts", "src/core/engine/run.ts"],
    ["mod.ts", "src/core/calls/pool.ts"],
    ["src/timeline/mod.ts", "mod.ts"],
    ["src/timeline/mod.ts", "src/timeline/page.ts"],
    ["src/cli/mod.ts", "src/progress/mod.ts"],
    ["src/cli/mod.ts", "node:process"],
    ["src/cli/mod.ts", "node_modules/some/mod.js"],
  ];
  for (const [from, to] of allowed) {
    assertEquals(brokenRule(from, to), undefined, `${from} imports ${to}`);
  }
  const down = "imports only go down the layers";
  const alone = "the graph of mod.ts has no dependency";
  const own =
    "src/progress/ imports only its own files, mod.ts, src/words/, npm: and node:";
  const refused: [from: string, to: string, rule: string][] = [
    ["src/core/api/options.ts", "src/core/wire/codec.ts", down],
    ["src/core/engine/slot.ts", "src/core/calls/calls.ts", down],
    ["src/core/calls/pool.ts", "mod.ts", down],
    ["src/core/calls/pool.ts", "src/progress/mod.ts", down],
    ["src/core/calls/pool.ts", "scripts/std/assert/mod.ts", down],
    ["src/core/runtime/threads.ts", "node:worker_threads", alone],
    ["mod.ts", "node_modules/some/mod.js", alone],
    ["src/progress/mod.ts", "src/core/calls/pool.ts", own],
    ["src/progress/mod.ts", "src/timeline/mod.ts", own],
    ["src/progress/mod.ts", "jsr:@std/path", own],
    ["src/new.ts", "mod.ts", "src/new.ts has no place in the layers"],
  ];
  for (const [from, to, rule] of refused) {
    assertEquals(brokenRule(from, to), rule, `${from} imports ${to}`);
  }
});

test("countLines() counts code, not comments", () => {
  const text = "/**\n * Says.\n */\nlet a = 1; // one\n\n// no\n  a * 2;\n";
  assertEquals(countLines(text), 2);
});
