// Flags that readers of GNU parallel, xargs and jq look for.

import { assert, assertEquals, assertMatch, assertThrows } from "@std/assert";
import { spawnSync } from "node:child_process";
import {
  chmodSync,
  existsSync,
  readFileSync,
  statSync,
  writeFileSync,
} from "node:fs";
import process from "node:process";
import { FLAGS } from "../src/cli/flags.ts";
import { argumentOf, resultLines, textsOf } from "../src/cli/lines.ts";
import { readTime, readWorkers, UsageError } from "../src/cli/values.ts";
import { testOnce as test } from "./harness.ts";
import {
  COMMAND,
  folder,
  lines,
  numbers,
  PATIENCE,
  pmap,
  work,
} from "./pmap.ts";
import { records } from "./pmap_log.ts";

test(
  "pmap --raw writes strings without quotes, and all else as JSON",
  PATIENCE,
  async () => {
    const input = '"a \\"b\\""\n{"c":"d"}\n1\nnull\n"two\\nlines"\n';
    for (const flag of ["--raw", "-r", "--raw-output"]) {
      const { status, out } = await pmap([work("same"), flag], input);
      assertEquals([status, out], [
        0,
        'a "b"\n{"c":"d"}\n1\nnull\ntwo\nlines\n',
      ]);
    }
  },
);

test("pmap -e takes the function itself", PATIENCE, async () => {
  const one = await pmap(["-e", "x => x.a * 2"], '{"a":1}\n{"a":2}\n');
  assertEquals([one.status, one.out, one.err], [0, "2\n4\n", ""]);
  const two = await pmap(
    ["--args", "-e", "async (x, { index }) => x + index // why not", "a", "b"],
  );
  assertEquals([two.status, two.out], [0, '"a0"\n"b1"\n']);
  const dry = await pmap(["-e", "x => x.a", "--dry-run"], '{"a":1}\n');
  assertEquals([dry.status, dry.out], [0, '(x => x.a)({"a":1})\n']);
  const failed = await pmap(["-e", "x => x.a.b"], "{}\n");
  assertEquals(failed.status, 1);
  assertMatch(failed.err, /input 0 \(line 1\) as -e threw TypeError: /);
});

test("pmap -e refuses what is no function", PATIENCE, async () => {
  for (
    const [text, message] of [
      ["x => ", /-e must be a function in JavaScript: received "x => " \(.+\)/],
      ["x.a * 2) + (1", /-e must be a function/],
      ["5", /-e must be a function, such as x => x\.a: received number/],
    ] as const
  ) {
    const { status, out, err } = await pmap(["-e", text], "1\n");
    assertEquals([status, out], [2, ""]);
    assertMatch(err, message);
  }
});

test(
  "pmap -e goes on with the log of the same text alone",
  PATIENCE,
  async () => {
    using dir = folder();
    const flags = ["--joblog", dir.path("log"), "--resume"];
    assertEquals((await pmap(["-e", "x => x", ...flags], "1\n")).status, 0);
    assertEquals((await pmap(["-e", "x => x", ...flags], "1\n")).out, "1\n");
    const other = await pmap(["-e", "x => -x", ...flags], "1\n");
    assertEquals(other.status, 2);
    assertMatch(other.err, /one of -e as it was before its text changed/);
  },
);

test(
  "pmap --failed keeps the inputs that failed, as read, to run again",
  PATIENCE,
  async () => {
    using dir = folder();
    const [failed, log] = [dir.path("failed"), dir.path("log")];
    const args = [work("odd"), "--failed", failed, "--joblog", log];
    const input = "1\n\n 2 \noops\n3\n";
    const { status, out } = await pmap(args, input);
    assertEquals([status, out], [1, "1\n3\n"]);
    const found = readFileSync(failed, "utf8").split("\n");
    assertEquals(found.sort(), ["", " 2 ", "oops"]);
    const bad = records(log).filter(({ ok }) => !ok);
    assertEquals(bad.map(({ text }) => text).sort(), [" 2 ", "oops"]);
    const again = await pmap([...args, "--resume"], input.replace("oops", "5"));
    assertEquals(again.status, 1);
    assertEquals(readFileSync(failed, "utf8"), " 2 \n");
  },
);

test(
  "pmap logs the first 200 characters of an input that failed",
  PATIENCE,
  async () => {
    using dir = folder();
    const log = dir.path("log");
    await pmap([work("screen"), "--joblog", log, "--lines"], "x".repeat(999));
    assertEquals(records(log).map(({ text }) => text), ["x".repeat(200)]);
  },
);

test("pmap --failed ends texts as they were ended", PATIENCE, async () => {
  using dir = folder();
  const failed = dir.path("failed");
  await pmap([work("screen"), "-0", "--failed", failed], "a\nb\0");
  assertEquals(readFileSync(failed, "utf8"), "a\nb\0");
  const batch = [work("screen"), "--batch", "2", "--failed", failed];
  await pmap(batch, "1\n2\n3\n");
  const found = readFileSync(failed, "utf8").trim().split("\n");
  assertEquals(found.sort(), ["1", "2", "3"]);
});

test("pmap --with-input writes index, input and result", PATIENCE, async () => {
  const args = [work("same"), "--with-input", "--unordered"];
  const { out } = await pmap(args, ' {"a":1}\n\n"b"\n');
  assertEquals(out.trimEnd().split("\n").sort(), [
    '{"index":0,"input":{"a":1},"result":{"a":1}}',
    '{"index":1,"input":"b","result":"b"}',
  ]);
  const text = await pmap([work("size"), "--with-input", "--args", 'a"']);
  assertEquals(text.out, '{"index":0,"input":"a\\"","result":2}\n');
});

test(
  "pmap --retry-delay waits before it calls again, and twice as long each time",
  PATIENCE,
  async () => {
    using dir = folder();
    const log = dir.path("log");
    const args = [work("third"), "--retries", "2", "--retry-delay", "40ms"];
    const { status, out, err } = await pmap(
      [...args, "--joblog", log],
      "1\n2\n",
    );
    assertEquals([status, err], [0, ""]);
    assertEquals(out, lines(["1 at 3", "2 at 3"]));
    assertEquals(records(log).map(({ attempt }) => attempt), [3, 3]);
    // Each attempt notes when it was: in one worker, as each has a list.
    const one = [work("times"), "-j1", ...args.slice(1)];
    const at = await pmap(one, "1\n");
    const [first, second, third] = JSON.parse(at.out) as number[];
    assert(second - first >= 39 && third - second >= 79, at.out);
  },
);

test(
  "pmap --retry-delay gives up in the end, and tells which attempt",
  PATIENCE,
  async () => {
    const args = [work("third"), "--retries", "1", "--retry-delay", "10"];
    const { status, out, err } = await pmap(args, "1\noops\n2\n");
    assertEquals([status, out], [1, ""]);
    assertMatch(err, /input 0 \(line 1\) .* attempt 2 at attempt 2\n/);
    assertMatch(err, /input 2 \(line 3\) .* attempt 2 at attempt 2\n/);
    assertMatch(err, /input 1 \(line 2\) as a line must be one JSON value/);
    assertMatch(err, /3 of 3 inputs failed/);
  },
);

test(
  "pmap --retry-delay makes all retries also where an error ends the inputs",
  PATIENCE,
  async () => {
    using dir = folder();
    for (const more of [[], ["--joblog", dir.path("log")]]) {
      const args = [work("third"), "--retries", "2", "--retry-delay", "10"];
      const { status, out, err } = await pmap(
        [...args, "--csv", ...more],
        "a\n1\n2\n3,4\n",
      );
      assertEquals([status, out], [
        3,
        lines(["[object Object] at 3", "[object Object] at 3"]),
      ]);
      assertMatch(err, /^pmap: Cannot .*line 4.*\n$/);
    }
  },
);

test(
  "pmap --retry-delay tells the function its own index",
  PATIENCE,
  async () => {
    const args = [work("where"), "--retries", "1", "--retry-delay", "1"];
    const { out } = await pmap(args, lines(numbers(30)));
    assertEquals(out, lines(numbers(30)));
  },
);

test("pmap -0 reads texts that end with a zero byte", PATIENCE, async () => {
  const { status, out } = await pmap([work("same"), "-0"], "a\nb\0c\r\0\0d");
  assertEquals([status, out], [0, lines(["a\nb", "c\r", "", "d"])]);
});

test(
  "pmap --flat writes each value of a list or a generator, and none for undefined",
  PATIENCE,
  async () => {
    const input = '"list"\n"generator"\n"async"\n"none"\n"text"\n"object"\n';
    for (const extra of [[], ["--concurrency", "3"]]) {
      const { status, out } = await pmap(
        [work("many"), "--flat", ...extra],
        input,
      );
      assertEquals([status, out], [0, '1\n[2]\n3\n4\n5\n6\n"text"\n{"a":7}\n']);
    }
    const raw = await pmap([work("many"), "--flat", "-r"], '"text"\n"list"\n');
    assertEquals(raw.out, "text\n1\n[2]\n");
    const with_ = await pmap(
      [work("many"), "--flat", "--with-input"],
      '"list"\n',
    );
    assertEquals(
      with_.out,
      '{"index":0,"input":"list","result":1}\n{"index":0,"input":"list","result":[2]}\n',
    );
    const thrown = await pmap([work("many"), "--flat"], '"throws"\n');
    assertEquals([thrown.status, thrown.out], [1, ""]);
    assertMatch(thrown.err, /many threw Error: in the middle/);
    for (const part of ["() => 1", "Symbol()"]) {
      const refused = await pmap(["-e", `() => [1, ${part}]`, "--flat"], "1\n");
      assertEquals([refused.status, refused.out], [1, ""]);
      assertMatch(refused.err, /a result must be JSON/);
    }
  },
);

test("pmap --flat goes on with a log", PATIENCE, async () => {
  using dir = folder();
  const args = [work("many"), "--joblog", dir.path("log"), "--resume"];
  const input = '"generator"\n"none"\n';
  for (const _ of [1, 2]) {
    assertEquals((await pmap([...args, "--flat"], input)).out, "3\n4\n");
  }
  const { status, err } = await pmap(args, input);
  assertEquals(status, 2);
  assertMatch(
    err,
    /must be .* has {"flat":false}: received .* has {"flat":true}/,
  );
});

test(
  "pmap --batch gives the function an array of inputs",
  PATIENCE,
  async () => {
    const args = [work("same"), "--batch", "3"];
    const all = await pmap(args, lines(numbers(7)));
    assertEquals([all.status, all.out], [0, "[0,1,2]\n[3,4,5]\n[6]\n"]);
    const texts = await pmap([...args, "--lines", "--with-input"], "a\nb");
    assertEquals(
      texts.out,
      '{"index":0,"input":["a","b"],"result":["a","b"]}\n',
    );
    const dry = await pmap([...args, "--dry-run"], "1\n2\n");
    assertEquals(dry.out, "same([1,2])\n");
    assertEquals((await pmap(args, "")).out, "");
    const bad = await pmap(args, "1\n2\n3\n\n4\n1,2\n");
    assertEquals([bad.status, bad.out], [1, "[1,2,3]\n"]);
    assertMatch(
      bad.err,
      /input 1 \(from line 5\) as a line must be .*\(number 2 of the batch: /,
    );
  },
);

test(
  "pmap --batch and --args go together, and so do several files",
  PATIENCE,
  async () => {
    using dir = folder();
    writeFileSync(dir.path("a"), "1\n2\n3\n");
    writeFileSync(dir.path("b"), "4\n");
    const args = [work("same"), "--batch", "2"];
    const files = await pmap([...args, dir.path("a"), dir.path("b")]);
    assertEquals(files.out, "[1,2]\n[3,4]\n");
    const values = await pmap([...args, "--args", "a", "b", "c"]);
    assertEquals(values.out, '["a","b"]\n["c"]\n');
  },
);

test(
  "pmap leaves what a job wrote before to one that runs nothing",
  PATIENCE,
  async () => {
    using dir = folder();
    const to = ["-o", dir.path("out"), "--failed", dir.path("bad")];
    const read = () =>
      ["out.part", "bad"].map((name) => readFileSync(dir.path(name), "utf8"));
    await pmap([work("odd"), ...to], "1\n2\n3\n");
    assertEquals(read(), ["1\n3\n", "2\n"]);
    writeFileSync(dir.path("broken.js"), "export default (x =>");
    const none = await pmap([dir.path("broken.js"), ...to], "4\n");
    assertEquals(none.status, 2);
    assertEquals(none.err.includes("left the results"), false);
    assertEquals(read(), ["1\n3\n", "2\n"]);
    assertEquals(existsSync(dir.path("out.part.new")), false);
    await pmap([work("odd"), ...to], "4\n5\n");
    assertEquals(read(), ["5\n", "4\n"]);
  },
);

test(
  "pmap -o writes a part, which becomes the file at status 0",
  PATIENCE,
  async () => {
    using dir = folder();
    const file = dir.path("out");
    writeFileSync(file, "the last one");
    chmodSync(file, 0o640);
    const bad = await pmap([work("odd"), "-o", file], "1\n2\n");
    assertEquals([bad.status, bad.out], [1, ""]);
    assertMatch(bad.err, /left the results in .*out\.part/);
    assertEquals(readFileSync(file, "utf8"), "the last one");
    assertEquals(readFileSync(`${file}.part`, "utf8"), "1\n");
    const good = await pmap([work("odd"), "-o", file], "1\n3\n");
    assertEquals([good.status, good.out, good.err], [0, "", ""]);
    assertEquals(readFileSync(file, "utf8"), "1\n3\n");
    assertEquals(existsSync(`${file}.part`), false);
    if (process.platform !== "win32") {
      assertEquals(statSync(file).mode & 0o777, 0o640);
    }
    const closed = await pmap(
      [work("odd"), "-o", file],
      "5\n",
      'exec "$@" >&-',
    );
    assertEquals([closed.status, readFileSync(file, "utf8")], [0, "5\n"]);
    assertEquals(
      (await pmap([work("odd"), "-o", "/dev/null"], "1\n")).status,
      0,
    );
  },
);

test(
  "pmap refuses files for results that it cannot write, or reads",
  PATIENCE,
  async () => {
    using dir = folder();
    const input = dir.path("in");
    writeFileSync(input, "1\n");
    for (
      const [args, message] of [
        [["-o", dir.path("none/out")], /--output must be a file that can be/],
        [
          ["--failed", dir.path("none/f")],
          /--failed must be a file that can be/,
        ],
        [["-o", input, input], /--output must not be the file of FILE/],
        [["--failed", input, input], /--failed must not be the file of FILE/],
        [
          ["-o", dir.path("x"), "--failed", dir.path("x")],
          /--failed must not be the file of --output/,
        ],
      ] as const
    ) {
      const { status, err } = await pmap([work("double"), ...args], "1\n");
      assertEquals(status, 2, err);
      assertMatch(err, message);
    }
    for (const flag of ["--failed", "-o", "--timeline"]) {
      const job = [...COMMAND, work("double"), flag, input];
      const { status, stderr } = spawnSync("sh", [
        ...["-c", 'file="$1"; shift; "$@" < "$file"', "sh", input],
        ...job,
      ], { encoding: "utf8" });
      assertEquals(status, 2, stderr);
      assertMatch(stderr, /must not be the file of standard input/);
    }
    assertEquals(readFileSync(input, "utf8"), "1\n");
  },
);

test(
  "pmap takes flags of GNU parallel and xargs, or says what its own are",
  PATIENCE,
  async () => {
    const taken = [
      ["--jobs", "2"],
      ["-P", "2"],
      ["-j2", "-k"],
      ["--keep-order"],
      ["-j", "50%", "--eta"],
      ["-j", "+1"],
    ];
    for (const flags of taken) {
      const { status, out } = await pmap([work("double"), ...flags], "1\n2\n");
      assertEquals([status, out], [0, "2\n4\n"], flags.join(" "));
    }
    for (
      const [flag, answer] of [
        ["-n", /-n \(--batch N gives/],
        ["--colsep", /--colsep \(--csv and --tsv give objects/],
        ["-I", /-I \(the function gets the input/],
        ["--results", /--results \(--joblog FILE holds/],
      ] as const
    ) {
      const { status, err } = await pmap([work("double"), flag, "1"]);
      assertEquals(status, 2);
      assertMatch(err, answer);
    }
  },
);

test("readTime() and readWorkers() read what people write", () => {
  const times: [string, number][] = [
    ["500", 500],
    ["1.5s", 1500],
    ["20ms", 20],
    ["2m", 120_000],
    ["1min", 60_000],
    ["1h", 3_600_000],
  ];
  for (const [text, ms] of times) assertEquals(readTime(text, "--t"), ms);
  const workers: [string, number][] = [
    ["0", 0],
    ["3", 3],
    ["50%", 4],
    ["1%", 1],
    ["+2", 10],
    ["-2", 6],
    ["-99", 1],
  ];
  for (const [text, count] of workers) {
    assertEquals(readWorkers(text, "-j", 8), count, text);
  }
  for (const text of ["1001", "999999999", "20000%", "+999"]) {
    assertThrows(
      () => readWorkers(text, "-j", 8),
      UsageError,
      `-j must be at most 1000: received "${text}"`,
    );
  }
});

test("resultLines(), argumentOf() and textsOf() keep the text of JSON", () => {
  const writing = {
    json: true,
    batch: undefined,
    raw: false,
    flat: false,
    withInput: true,
  };
  const input = { index: 3, text: " 1e400 " };
  assertEquals(
    resultLines("-0", input, writing),
    '{"index":3,"input":1e400,"result":-0}',
  );
  const values = [
    "12345678901234567890",
    '{"a":[1,[0.10,{}]],"b":{"c":"],"}}',
    '"\\" ] , \\\\"',
    '["\\\\"]',
    JSON.stringify('x\\"\n'.repeat(1e5)),
    "[]",
  ];
  const flat = { ...writing, flat: true, withInput: false };
  assertEquals(resultLines(`[${values}]`, input, flat), values.join("\n"));
  assertEquals(resultLines("[]", input, flat), undefined);
  const batch = { json: true, batch: 2 };
  const text = JSON.stringify(["1e400", '"a"']);
  assertEquals(argumentOf(text, batch), '[1e400,"a"]');
  assertEquals(textsOf(text, batch), ["1e400", '"a"']);
});

test(
  "pmap --completion writes what a shell understands, with every flag",
  PATIENCE,
  async () => {
    using dir = folder();
    for (const shell of ["bash", "zsh", "fish"]) {
      const { status, out } = await pmap(["--completion", shell]);
      assertEquals(status, 0);
      for (const flag of Object.keys(FLAGS)) {
        assert(out.includes(`${shell === "fish" ? "-l " : "--"}${flag}`), flag);
      }
      if (shell === "bash") writeFileSync(dir.path("pmap"), out);
    }
    writeFileSync(dir.path("my data"), "");
    const asked = `source ${dir.path("pmap")}
      ask() { COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _pmap; echo "\${COMPREPLY[@]}"; }
      ask pmap --wor; ask pmap --halt n; ask pmap -j ''; ask pmap --halt = s
      cd ${dir.path("")}; ask pmap pm
      ask pmap -o my; echo \${#COMPREPLY[@]}; ask pmap my; echo \${#COMPREPLY[@]}`;
    const { stdout, error } = spawnSync("bash", ["-c", asked], {
      encoding: "utf8",
    });
    if (error !== undefined) return; // no bash here
    assertEquals(
      stdout,
      "--workers\nnever now\n\nsoon\npmap\nmy data\n1\nmy data\n1\n",
    );
  },
);
