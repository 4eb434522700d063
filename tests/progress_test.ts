import {
  assert,
  assertEquals,
  assertMatch,
  assertRejects,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import { fromFileUrl } from "@std/path";
import { spawnSync } from "node:child_process";
import process from "node:process";
import {
  parallelMap,
  parallelMapSettled,
  Pool,
  type Progress,
} from "../mod.ts";
import { progressBar, type TextOutput } from "../src/progress/mod.ts";
import { test } from "./harness.ts";
import { until } from "./until.ts";

/** A terminal of one's own: what is on it, and where the cursor is. */
class Screen implements TextOutput {
  readonly isTTY = true;
  readonly lines = [""];
  readonly written: string[] = [];
  column = 0;
  readonly columns: number;

  constructor(columns: number) {
    this.columns = columns;
  }

  write(text: string): void {
    this.written.push(text);
    // deno-lint-ignore no-control-regex -- control characters are the point
    for (const [part] of text.matchAll(/\x1b\[K|[^\x1b]/g)) {
      const line = this.lines.at(-1)!;
      if (part === "\r") this.column = 0;
      else if (part === "\n") {
        this.lines.push("");
        this.column = 0;
      } else if (part === "\x1b[K") {
        this.lines[this.lines.length - 1] = line.slice(0, this.column);
      } else {
        this.lines[this.lines.length - 1] = line.slice(0, this.column) + part +
          line.slice(this.column + 1);
        this.column++;
      }
    }
  }
}

/** Runs with no CI variable, so that a fake terminal is taken for one. */
async function atTerminal(
  columns: number,
  run: (screen: Screen) => Promise<unknown>,
): Promise<Screen> {
  const { CI, TERM } = process.env;
  delete process.env.CI;
  process.env.TERM = "xterm";
  const screen = new Screen(columns);
  try {
    await run(screen);
  } finally {
    if (CI !== undefined) process.env.CI = CI;
    if (TERM === undefined) delete process.env.TERM;
    else process.env.TERM = TERM;
  }
  return screen;
}

test("progressBar() counts completions and leaves its last line", async () => {
  const screen = await atTerminal(
    80,
    (output) =>
      parallelMap((n: number) => n * 2, [1, 2, 3], {
        workers: 2,
        onProgress: progressBar({ output }),
      }),
  );
  assertEquals(screen.column, 0);
  assertEquals(screen.lines.length, 2, "one line, and the cursor below it");
  assertMatch(screen.lines[0], /^✓ 3\/3 █{8,40} {2}100 % .* in \d/);
  assertMatch(screen.written[0], /0\/3/, "drawn before the first task is done");
});

test("progressBar() counts failed tasks", async () => {
  const screen = await atTerminal(80, (output) =>
    parallelMapSettled(
      (n: number) => {
        if (n === 2) throw new Error("two");
      },
      [1, 2, 3],
      { workers: 1, onProgress: progressBar({ output }) },
    ));
  assertMatch(screen.lines[0], /^✗ 3\/3 .* 1 failed$/);
});

test("progressBar() leaves the terminal clean after a failure", async () => {
  const screen = await atTerminal(
    80,
    (output) =>
      assertRejects(() =>
        parallelMap(
          (n: number) => {
            if (n === 2) throw new Error("two");
          },
          [1, 2, 3],
          { workers: 1, chunkSize: 1, onProgress: progressBar({ output }) },
        )
      ),
  );
  assertEquals([screen.column, screen.lines.at(-1)], [0, ""]);
  assertMatch(screen.lines[0], /^✗ 2\/3 .* stopped after .* 1 failed/);
});

test("progressBar() leaves the terminal clean after an abort", async () => {
  // A pool, as a one-shot call rejects before its workers are gone.
  await using pool = new Pool({ workers: 1 });
  const screen = await atTerminal(40, (output) => {
    const controller = new AbortController();
    const bar = progressBar({ output });
    return assertRejects(() =>
      pool.map((n: number) => n, [1, 2, 3], {
        chunkSize: 1,
        signal: controller.signal,
        onProgress(progress) {
          bar(progress);
          if (progress.done === 2) controller.abort();
        },
      })
    );
  });
  assertEquals([screen.column, screen.lines.at(-1)], [0, ""]);
  assertMatch(screen.lines[0], /^✗ 2\/3 .*stopped after/);
});

test("progressBar() hides no cursor and parks it where a line starts", async () => {
  const screen = await atTerminal(
    80,
    (output) =>
      parallelMap((n: number) => n, [1, 2, 3], {
        workers: 1,
        onProgress: progressBar({ output }),
      }),
  );
  for (const text of screen.written) {
    assert(!text.includes("\x1b[?"), "a mode would outlive Ctrl-C");
    assertMatch(text, /[\r\n]$/);
  }
});

/** Nine of ten tasks are done; the last one takes long. */
const nine: Progress = {
  state: "running",
  done: 9,
  failed: 0,
  total: 10,
  elapsed: 90,
  rate: 100,
  eta: 10,
};

test("progressBar() shows that a task takes longer than the others", async () => {
  const numbers = (line: string) => {
    const [, rate, time, unit] =
      /([\d.]+)\/s {2}(?:ETA|stopped after) ([\d.]+) (m?s)/.exec(line)!;
    return [Number(rate), Number(time) * (unit === "s" ? 1000 : 1)];
  };
  const shown = await atTerminal(80, async (output) => {
    const bar = progressBar({ output });
    bar(nine);
    const [rate, eta] = numbers(output.written[0]);
    await until(() => { // fewer per second, and a later end
      const [rateNow, etaNow] = numbers(output.written.at(-1)!);
      return rateNow < rate / 3 && etaNow > 3 * eta;
    });
    bar({ ...nine, state: "stopped" }); // as pmap says of its last progress
  });
  const [, after] = numbers(shown.written.at(-1)!);
  assert(after >= 3 * nine.elapsed, `stopped after ${after} ms`);
});

test("progressBar() writes a line every five seconds, whatever is done", {
  timeout: 60_000,
}, async () => {
  const lines: string[] = [];
  const bar = progressBar({ output: { write: (text) => lines.push(text) } });
  bar({ ...nine, state: "stopped" });
  bar(nine);
  await until(() => lines.length >= 2);
  bar({ ...nine, done: 10, state: "done" });
  assertMatch(lines[1], /^ 9\/10 {2}90 % {2}[\d.]+\/s {2}ETA [\d.]+ s\n$/);
  assertMatch(lines.at(-1)!, /^10\/10 {2}100 % {2}[\d.]+\/s {2}in [\d.]+ s\n$/);
});

test("progressBar() spins with a count while the total is unknown", async () => {
  const screen = await atTerminal(80, (output) =>
    parallelMap(
      (n: number) => n,
      (function* () {
        yield* [1, 2, 3];
      })(),
      { workers: 1, onProgress: progressBar({ output }) },
    ));
  assertMatch(screen.written[0], /⠋ 0 done/);
  assertMatch(screen.lines[0], /^✓ 3\/3/);
});

test("progressBar() serves one run after another", async () => {
  const screen = await atTerminal(80, async (output) => {
    const onProgress = progressBar({ output });
    await parallelMap((n: number) => n, [1, 2], { workers: 1, onProgress });
    await parallelMap((n: number) => n, [1], { workers: 1, onProgress });
  });
  const [first, second, rest] = screen.lines;
  assertStringIncludes(first, "2/2");
  assertStringIncludes(second, "1/1");
  assertEquals(rest, "");
});

test("progressBar() draws a run without inputs", async () => {
  const screen = await atTerminal(
    80,
    (output) =>
      parallelMap((n: number) => n, [], {
        onProgress: progressBar({ output }),
      }),
  );
  assertMatch(screen.lines[0], /^✓ 0\/0/);
});

test("progressBar() writes lines without control characters to a pipe", () => {
  const program = fromFileUrl(
    new URL("fixtures/bar_program.ts", import.meta.url),
  );
  const run = "Deno" in globalThis ? ["run", "-A", program] : [program];
  const { stderr, stdout, status } = spawnSync(process.execPath, run, {
    encoding: "utf8",
  });
  assertEquals([status, stdout], [0, "after\n"]);
  assertMatch(stderr, /^4\/4 {2}100 % {2}\S+\/s {2}in [\d.]+ m?s\n$/);
});

for (const to of ["full", "closed"]) {
  test(`progressBar() ends no program whose standard error is ${to}`, {
    ignore: process.platform !== "linux",
  }, () => {
    const program = fromFileUrl(
      new URL("fixtures/bar_program.ts", import.meta.url),
    );
    const run = "Deno" in globalThis ? ["run", "-A", program] : [program];
    const script = to === "full"
      ? 'exec "$@" 2>/dev/full'
      : '{ sleep 0.2; exec "$@" 3>&-; } 2>&1 >&3 3>&- | :';
    const { stdout, status } = spawnSync(
      "sh",
      ["-c", `exec 3>&1; ${script}`, "sh", process.execPath, ...run],
      { encoding: "utf8" },
    );
    assertEquals([status, stdout], [0, "after\n"]);
  });
}

test("progressBar() has one listener for the end of the program, however many bars there are", async () => {
  const before = process.listeners("exit");
  const added = () =>
    process.listeners("exit").filter((listener) => !before.includes(listener));
  const screens: Screen[] = [];
  await atTerminal(80, () => {
    const bars = Array.from({ length: 11 }, () => {
      const output = new Screen(80);
      screens.push(output);
      return progressBar({ output });
    });
    const piped = progressBar({ output: { write: () => {} } });
    piped(nine);
    assertEquals(added(), []); // it needs none
    for (const bar of bars) bar(nine);
    bars.pop()!({ ...nine, state: "done" });
    const [tellAll, ...more] = added();
    assertEquals(more, []);
    (tellAll as () => void)();
    for (const bar of [piped, ...bars]) bar({ ...nine, state: "done" });
    return Promise.resolve();
  });
  assertEquals(added(), []);
  const ends = screens.map(({ written }) => written.filter((t) => t === "\n"));
  assertEquals(ends, [...Array(10).fill(["\n"]), []]);
});

test("progressBar() refuses options that are unknown or of the wrong kind", () => {
  const wrong: [options: unknown, said: string][] = [
    [{ output: 1 }, '"output" must have a write method: received 1'],
    [{ output: null }, '"output" must have a write method: received null'],
    [{ ouput: {} }, 'options must be among output: received "ouput"'],
    [null, "options must be an object: received null"],
  ];
  for (const [options, said] of wrong) {
    const error = assertThrows(() => progressBar(options as never), TypeError);
    assertEquals(error.message, `Cannot draw a bar as ${said}`);
  }
});
