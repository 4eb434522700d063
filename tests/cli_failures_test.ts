import { assert, assertEquals, assertMatch } from "@std/assert";
import { readFileSync, writeFileSync } from "node:fs";
import process from "node:process";
import { mustHalt, readHalt } from "../src/cli/halt.ts";
import { testOnce as test } from "./harness.ts";
import { folder, lines, numbers, PATIENCE, pmap, work } from "./pmap.ts";

test(
  "pmap says which inputs failed, and goes on with the others",
  PATIENCE,
  async () => {
    const { status, out, err } = await pmap(
      [work("odd"), "--workers", "1"],
      "1\n\n2\n3\n4\n",
    );
    assertEquals([status, out], [1, "1\n3\n"]);
    assertEquals(
      err,
      "pmap: Cannot map input 1 (line 3) as odd threw RangeError: 2 is even\n" +
        "pmap: Cannot map input 3 (line 5) as odd threw RangeError: 4 is even\n" +
        "pmap: 2 of 4 inputs failed\n",
    );
  },
);

for (const [nobody, to] of [["a full disk", "/dev/full"], ["no reader", ""]]) {
  test(
    `pmap goes on when standard error has ${nobody}`,
    { ...PATIENCE, ignore: process.platform !== "linux" },
    async () => {
      // The reader of the pipe has gone before anything is said.
      const script = to === ""
        ? '{ "$@" 2>&3 3>&-; echo "$?" >&4; } 3>&1 4>"$STATUS" | :'
        : `exec "$@" 2>${to}`;
      using dir = folder();
      const [results, status] = [dir.path("results"), dir.path("status")];
      const args = [work("odd"), "--workers", "1", "-o", results];
      const ended = await pmap(
        args,
        lines(numbers(200)),
        `STATUS='${status}'; ${script}`,
      );
      const how = to === "" ? Number(readFileSync(status)) : ended.status;
      assertEquals(how, 1);
      assertEquals(
        readFileSync(`${results}.part`, "utf8"),
        lines(numbers(200).filter((n) => n % 2 === 1)),
      );
    },
  );
}

test(
  "pmap says 3, not 2, when the module no longer loads in the middle",
  PATIENCE,
  async () => {
    using dir = folder();
    const flag = JSON.stringify(dir.path("flag"));
    writeFileSync(
      dir.path("once.js"),
      `import { existsSync, writeFileSync } from "node:fs";
      import process from "node:process";
      if (existsSync(${flag})) throw new Error("no more connections");
      export default (n) => {
        if (n < 50) return n;
        writeFileSync(${flag}, "");
        process.exit(9);
      };`,
    );
    const args = [dir.path("once.js"), "--workers", "1", "--chunk-size", "1"];
    const { status, err } = await pmap(args, lines(numbers(99)));
    assertEquals(status, 3);
    assertMatch(err, /MODULE must load: received .*no more connections/);
  },
);

test(
  "pmap says 3, not 2, when a call was made before the module did not load",
  PATIENCE,
  async () => {
    using dir = folder();
    const flag = JSON.stringify(dir.path("flag"));
    // The second worker, which is for what waits, cannot have the module.
    writeFileSync(
      dir.path("twice.js"),
      `import { writeFileSync } from "node:fs";
      writeFileSync(${flag}, "", { flag: "wx" });
      export default () => new Promise(() => setTimeout(() => {}, 600_000));`,
    );
    const args = [dir.path("twice.js"), "--workers", "2"];
    const { status, out, err } = await pmap(args, lines(numbers(9)));
    assertEquals([status, out], [3, ""]);
    assertMatch(err, /MODULE must load: received .*EEXIST/);
  },
);

test(
  "pmap --failed keeps inputs so that they are the same when they are run again",
  PATIENCE,
  async () => {
    const fn = "text => { throw text; }";
    const texts = ["\ufeffa\r", "b\r\r", "", "\r", "\ufeffc", "d"];
    for (const [more, end] of [[["--lines"], "\n"], [["-0"], "\0"]] as const) {
      using dir = folder();
      const [first, again] = [dir.path("first"), dir.path("again")];
      // What is read loses one mark, and of lines one \r.
      const input = "\ufeff" +
        texts.map((text) => text + (end === "\n" ? "\r" : "") + end).join("");
      const args = ["-e", fn, "-j1", ...more, "--failed"];
      const one = await pmap([...args, first], input);
      const two = await pmap([...args, again, first]);
      assertEquals(two.err, one.err);
      assertEquals(readFileSync(again, "utf8"), readFileSync(first, "utf8"));
      for (const text of texts) {
        assert(one.err.includes(`threw ${JSON.stringify(text)}\n`), one.err);
      }
    }
  },
);

test("pmap names the line that is no JSON", PATIENCE, async () => {
  const { status, out, err } = await pmap([work("double")], "1\n\n{oops\n3");
  assertEquals([status, out], [1, "2\n6\n"]);
  assertMatch(
    err,
    /^pmap: Cannot parse input 1 \(line 3\) as a line must be one JSON value: received "\{oops" \(.+\)\n/,
  );
});

test(
  "pmap writes any result as JSON, or says that it cannot",
  PATIENCE,
  async () => {
    const kinds = [
      "undefined",
      "NaN",
      "bigint",
      "throw undefined",
      "throw text",
    ];
    const args = [work("odds"), "--workers", "1", "--args", ...kinds];
    const { status, out, err } = await pmap(args);
    assertEquals([status, out], [1, "null\nnull\n"]);
    const [bigint, thrown, text] = err.split("\n");
    assertMatch(
      bigint,
      /Cannot map input 2 as odds returned what is no JSON: .*BigInt/,
    );
    assertMatch(thrown, /Cannot map input 3 as odds threw undefined$/);
    assertMatch(text, /Cannot map input 4 as odds threw "two\\nlines"$/);
  },
);

test(
  "pmap fails an input of whose result JSON would leave something out",
  PATIENCE,
  async () => {
    const lost = {
      "a generator": "Generator",
      "an async generator": "AsyncGenerator",
      "a Map": "Map",
      "a Set": "Set",
      "a promise within": 'Promise at "p"',
      "an Error": 'Error at "0"',
      "bytes": 'Uint8Array at "bytes"',
      "an iterator": "Array Iterator",
      "an Error with a code": 'Error at "e"',
      "a Map with a field": "Map",
    };
    const kept = [
      "nothing",
      "a Date",
      "a list of nothing",
      "an Error with words",
      "a String",
      "a function beside nothing",
      "a function without a name",
      "a class of its own name",
    ];
    const args = [work("lossy"), "--args", ...Object.keys(lost), ...kept];
    const { status, out, err } = await pmap(args);
    assertEquals(status, 1);
    assertEquals(
      out,
      '{}\n{"at":"1970-01-01T00:00:00.000Z","none":{}}\n[{},{"0":1}]\n' +
        '{"message":"x"}\n{"text":"x","none":{}}\n' +
        '{"none":{}}\n{"none":{}}\n[{"a":1},{}]\n',
    );
    for (const [index, what] of Object.values(lost).entries()) {
      assert(
        err.includes(
          `input ${index} as lossy returned what is no JSON: a result must be JSON: received ${what}\n`,
        ),
        `${what}: ${err}`,
      );
    }
  },
);

test("pmap shows what a terminal would obey", PATIENCE, async () => {
  const { err } = await pmap([work("screen")], "1\n");
  assertMatch(err, /threw Error: \\u001b\[2Jhidden\\u202e\n/);
});

test(
  "pmap says why a fetch failed, which is in its cause",
  PATIENCE,
  async () => {
    const { err } = await pmap([work("fetching")], "1\n");
    assertMatch(
      err,
      /threw TypeError: fetch failed, caused by AggregateError, caused by Error: refused by ::1; Error: refused by 127\.0\.0\.1\n/,
    );
    const { err: endless } = await pmap([work("circle")], "1\n");
    assertMatch(endless, /threw Error: round(, caused by Error: round){3}\n/);
  },
);

test("pmap --retries calls again", PATIENCE, async () => {
  const good = await pmap([work("third"), "--retries", "2"], "1\n2\n");
  assertEquals([good.status, good.err], [0, ""]);
  assertEquals(good.out, lines(["1 at 3", "2 at 3"]));
  const bad = await pmap([work("third"), "--retries", "1"], "1\n");
  assertEquals([bad.status, bad.out], [1, ""]);
  assertMatch(bad.err, /input 0 .* threw Error: attempt 2 at attempt 2\n/);
});

test(
  "pmap --halt takes any number of --retries without a warning",
  PATIENCE,
  async () => {
    const args = ["-e", "() => { throw 1; }", "--halt", "now"];
    const { err } = await pmap([...args, "--retries", "1100"], "1\n");
    const all = /^pmap: Cannot map .* at attempt 1101\npmap: stopped by .*\n$/;
    assertMatch(err, all);
  },
);

test(
  "pmap --timeout ends a call that is stuck, and no other",
  PATIENCE,
  async () => {
    const args = [work("stuck"), "--timeout", "700", "--workers", "2"];
    const { status, out, err } = await pmap(args, lines(numbers(20)));
    assertEquals(status, 1);
    assertEquals(out, lines(numbers(20).filter((n) => n !== 1)));
    assertMatch(
      err,
      /Cannot map input 1 \(line 2\) as it took longer than --timeout: 700 ms\n/,
    );
  },
);

test("pmap takes times of weeks", PATIENCE, async () => {
  for (const flag of ["--timeout", "--load-timeout"]) {
    const { status, out } = await pmap([work("double"), flag, "1000h"], "1\n");
    assertEquals([status, out], [0, "2\n"]);
  }
});

test("pmap says so when the function ends its worker", PATIENCE, async () => {
  for (const extra of [[], ["--retries", "1"]]) {
    const args = [work("leave"), "--workers", "2", ...extra];
    const { status, out, err } = await pmap(args, lines(numbers(20)));
    assertEquals(status, 1);
    assertEquals(out, lines(numbers(20).filter((n) => n !== 1)));
    assertMatch(
      err,
      /Cannot map input 1 \(line 2\) as its worker ended under it with exit code 7\n/,
    );
  }
  const { err } = await pmap([work("forget")], lines(numbers(3)));
  assertMatch(err, /input 1 .*ended under it of Error: nobody awaits it\n/);
});

test(
  "pmap says all that failed to a pipe that is read late",
  PATIENCE,
  async () => {
    const late = '"$@" 2>&1 >/dev/null | (sleep 1; cat)';
    const { out } = await pmap([work("bad")], lines(numbers(5000)), late);
    const said = out.split("\n");
    assertEquals(said.length, 5002, said.slice(-3).join("\n"));
    assertMatch(said[5000], /^pmap: 5000 of 5,?000 inputs failed/);
  },
);

test(
  "pmap --halt soon lets running calls end, and starts no other",
  PATIENCE,
  async () => {
    using dir = folder();
    const [one, other] = [dir.path("one"), dir.path("other")];
    const jobs = lines([
      { id: 0, ms: 1500, marks: one, waits: other }, // until both have begun
      { id: 1, ms: 700, fail: true, marks: other, waits: one },
      ...numbers(200).map((n) => ({ id: n + 2, ms: 50 })),
    ]);
    const args = [work("job"), "--workers", "2", "--halt", "soon"];
    const { status, out, err } = await pmap(args, jobs);
    assertEquals(status, 1);
    assert(out.startsWith("0\n"), out);
    assert(out.split("\n").length < 20, out);
    assertMatch(err, /job 1 failed\npmap: stopped by --halt after 1 failure/);
  },
);

test("pmap --halt now drops running calls", PATIENCE, async () => {
  const jobs = lines([{ id: 0, ms: 600_000 }, { id: 1, ms: 5, fail: true }]);
  const args = [work("job"), "--workers", "2", "--halt", "now"];
  const { status, out, err } = await pmap(args, jobs);
  assertEquals([status, out], [1, ""]);
  assertMatch(err, /job 1 failed\npmap: stopped by --halt after 1 failure/);
});

test("pmap --halt never is the default", PATIENCE, async () => {
  const all = await pmap([work("odd"), "--halt", "never"], lines(numbers(40)));
  const other = await pmap([work("odd")], lines(numbers(40)));
  assertEquals([all.status, all.out], [other.status, other.out]);
});

test("readHalt() and mustHalt() count failures, or their share", () => {
  const table: [rule: string, failed: number, finished: number, is: boolean][] =
    [
      ["never", 9, 9, false],
      ["now", 0, 5, false],
      ["now", 1, 1, true],
      ["soon,fail=3", 2, 100, false],
      ["soon,fail=3", 3, 100, true],
      ["soon,fail=10%", 1, 9, false], // one of nine says nothing about 10%
      ["soon,fail=10%", 1, 10, true],
      ["soon,fail=10%", 1, 11, false],
      ["soon,fail=10%", 2, 20, true],
      ["now,fail=0.5%", 1, 200, true],
      ["now,fail=100%", 1, 1, true],
    ];
  for (const [rule, failed, finished, is] of table) {
    assertEquals(mustHalt(readHalt(rule), failed, finished), is, rule);
  }
});

test("mustHalt() misses no share that is exactly the limit", () => {
  for (let failed = 1; failed <= 10_000; failed++) {
    const rule = readHalt(`now,fail=${failed / 100}%`);
    for (const more of [1, 3, 7]) {
      const finished = 10_000 * more;
      const label = `${failed * more} of ${finished}`;
      assertEquals(mustHalt(rule, failed * more, finished), true, label);
      assertEquals(mustHalt(rule, failed * more - 1, finished), false, label);
    }
  }
});
