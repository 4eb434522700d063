import { assert, assertEquals, assertMatch } from "@std/assert";
import { existsSync, readFileSync } from "node:fs";
import { wordUnwritten } from "../src/cli/output.ts";
import { test } from "./harness.ts";
import {
  firstOutput,
  folder,
  lines,
  namedPipe,
  numbers,
  PATIENCE,
  pmap,
  start,
  work,
} from "./pmap.ts";

for (const more of [[], ["--dry-run"]]) {
  const name = ["pmap", ...more, "ends quietly when its reader goes away"];
  test(name.join(" "), async () => {
    using running = start([work("same"), ...more]);
    const { child, ended } = running;
    const input = lines(
      numbers(20_000).map((n) => ({ n, text: "x".repeat(99) })),
    );
    // Standard input stays open: only the lost reader can end it.
    child.stdin!.write(input);
    await firstOutput(running);
    child.stdout!.destroy();
    child.stdin!.write(input);
    const { status, err } = await ended;
    assertEquals([status, err], [0, ""]);
  });
}

test(
  "pmap keeps all inputs that failed when its reader goes away",
  PATIENCE,
  async () => {
    const fn =
      `n => { if (n % 3 === 0) throw "no"; return "long".repeat(99); }`;
    for (const to of [[], ["-o", "/dev/stdout"]]) {
      using dir = folder();
      const failed = dir.path("failed");
      const { out, err } = await pmap(
        ["-e", fn, "-j1", "--failed", failed, ...to],
        lines(numbers(20_000)),
        '{ "$@"; echo "status $?" >&2; } | head -n 1',
      );
      assertEquals(out, lines(["long".repeat(99)]));
      assertMatch(err, /status 1\n$/); // some failed: it is not 3
      const told = [...err.matchAll(/\(line (\d+)\)/g)];
      assertEquals(
        readFileSync(failed, "utf8"),
        lines(told.map(([, line]) => Number(line) - 1)),
      );
    }
  },
);

test(
  "pmap waits for a slow reader of the inputs that failed when that of the results leaves",
  PATIENCE,
  async () => {
    using dir = folder();
    const pipe = namedPipe(dir);
    const fn = "n => { if (n < 30000) throw n; return 'r'.repeat(99); }";
    const kept = dir.path("kept");
    // 200 KB, of which a pipe takes 64 at once, and its reader none for a while.
    const script = `(exec <${pipe}; sleep 2; cat >${kept}) &
      { "$@"; echo "status $?" >&2; } | head -n 1; wait`;
    const args = ["-e", fn, "-j1", "--failed", pipe];
    const { err } = await pmap(args, lines(numbers(31_000)), script);
    assertMatch(err, /status 1\n$/);
    // As they failed: some overtake the rest of their chunk.
    const inputs = readFileSync(kept, "utf8").trim().split("\n").map(Number);
    assertEquals(inputs.sort((a, b) => a - b), numbers(30_000));
  },
);

test("who reads the results may leave a pipe or a socket, and no disk", () => {
  const words = (code: string, results: boolean) =>
    wordUnwritten(Object.assign(new Error("why"), { code }), {
      name: "it",
      results,
    })?.message;
  assertEquals(words("EPIPE", true), undefined);
  assertEquals(words("ECONNRESET", true), undefined);
  for (const [code, results] of [["ENOSPC", true], ["EPIPE", false]] as const) {
    assertEquals(
      words(code, results),
      "Cannot write as it must take them: received an error (why)",
    );
  }
});

test(
  "pmap ends with 130 at Ctrl-C, with what it has written and logged",
  PATIENCE,
  async () => {
    using dir = folder();
    const log = dir.path("log");
    using running = start([work("job"), "--workers", "2", "--joblog", log]);
    const { child, ended } = running;
    child.stdin!.write(lines([{ id: 0 }, { id: 1 }, { id: 2, ms: 600_000 }]));
    await firstOutput(running);
    child.kill("SIGINT");
    const { status, out, err } = await ended;
    assertEquals(status, 130);
    assert("0\n1\n".startsWith(out), out);
    assertMatch(
      err,
      /^pmap: ended by SIGINT after . inputs?; go on with --resume\n$/,
    );
    assertEquals(existsSync(`${log}.lock`), false);
    const records = readFileSync(log, "utf8").trim().split("\n").length - 1;
    assert(records >= 1 && records <= 2);
  },
);

test(
  "pmap ends at Ctrl-C also when every worker is in an endless loop",
  PATIENCE,
  async () => {
    using running = start([work("stuck"), "--workers", "2"]);
    const { child, ended } = running;
    child.stdin!.write("0\n1\n");
    await firstOutput(running);
    child.kill("SIGINT");
    assertEquals((await ended).status, 130);
  },
);

test(
  "pmap ends when its function is stuck but all inputs failed to matter",
  PATIENCE,
  async () => {
    const args = [work("stuck"), "--workers", "2", "--halt", "now"];
    const { status } = await pmap(args, "0\n1\noops\n");
    assertEquals(status, 1);
  },
);

test("pmap does not end well when its function ends it", PATIENCE, async () => {
  const fn = "(n) => n === 3 ? process.exit(0) : n";
  const { status, err } = await pmap(["-e", fn, "-j", "0"], lines(numbers(9)));
  assertEquals([status, err], [
    3,
    "pmap: a function ended this process, before the end of the job\n",
  ]);
  if ("Deno" in globalThis) {
    const fn = "(n) => n === 3 ? Deno.exit(0) : n";
    const end = await pmap(["-e", fn, "-j", "0"], lines(numbers(9)));
    assertEquals([end.status, end.err], [status, err]);
  }
  const ended = await pmap(["-e", "(n) => n", "-j", "0"], lines(numbers(9)));
  assertEquals(ended, { status: 0, out: lines(numbers(9)), err: "" });
});
