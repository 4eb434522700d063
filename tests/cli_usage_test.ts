import { assert, assertEquals, assertMatch, assertThrows } from "@std/assert";
import { readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { readCommand } from "../src/cli/command.ts";
import { FLAGS } from "../src/cli/flags.ts";
import { UsageError } from "../src/cli/values.ts";
import { test } from "./harness.ts";
import { folder, PATIENCE, pmap, work } from "./pmap.ts";

test(
  "pmap --help fits in 80 columns and names every flag",
  PATIENCE,
  async () => {
    const { status, out, err } = await pmap(["--help"]);
    assertEquals([status, err], [0, ""]);
    for (const line of out.split("\n")) assert(line.length <= 80, line);
    for (const flag of Object.keys(FLAGS)) {
      assert(out.includes(`--${flag}`), flag);
    }
  },
);

test("pmap -h fits on one screen and names every flag", PATIENCE, async () => {
  const { status, out, err } = await pmap(["-h"]);
  assertEquals([status, err], [0, ""]);
  const lines = out.trimEnd().split("\n");
  assert(lines.length <= 24, out);
  for (const line of lines) assert(line.length <= 80, line);
  for (const flag of Object.keys(FLAGS)) {
    assert(out.includes(`--${flag}`), flag);
  }
});

test("docs/pmap.md has every flag in its table, and no other", () => {
  const text = readFileSync(
    new URL("../docs/pmap.md", import.meta.url),
    "utf8",
  );
  const rows = text.match(/^\| flag .*\n(?:\|.*\n)+/m)![0].split("\n");
  const said = rows.flatMap((row) =>
    [...row.split("|")[1]?.matchAll(/--([a-z-]+)/g) ?? []].map(([, flag]) =>
      flag
    )
  ).filter((flag) => !flag!.startsWith("-"));
  assertEquals(said.sort(), Object.keys(FLAGS).sort());
});

test("pmap --version tells the version of the package", PATIENCE, async () => {
  const { status, out } = await pmap(["--version"]);
  const { version } = JSON.parse(
    readFileSync(new URL("../deno.json", import.meta.url), "utf8"),
  );
  assertEquals([status, out], [0, `${version}\n`]);
});

type Case = [args: string[], message: RegExp];

/** What a command line says of itself. */
const WRONG: Case[] = [
  [[], /first argument must be MODULE/],
  [["-e", "f", "--concurrency", "70000"], /a whole number from 1 to 65536/],
  [[work("double"), "--worker", "2"], /--worker \(is it --workers\?\)/],
  [[work("double"), "--args", "-7"], /-7 \(put -- before arguments/],
  [[work("double"), "--workers", "two"], /--workers must be a whole.*"two"/],
  [[work("double"), "--chunk-size", "0"], /--chunk-size must be.*"0"/],
  [[work("double"), "--retries", "1.5"], /--retries must be.*"1\.5"/],
  [[work("double"), "--timeout", "0"], /--timeout must be.*above 0.*"0"/],
  [[work("double"), "--timeout", "5x"], /--timeout must be.*"5x"/],
  [[work("double"), "--timeout"], /--timeout needs a value/],
  [
    [work("double"), "--timeout", "1s", "-j", "0"],
    /--timeout needs workers.*--workers 0/,
  ],
  [
    [work("double"), "--processes", "--workers", "0"],
    /--processes needs workers: received --workers 0/,
  ],
  [
    [work("double"), "--max-memory", "500", "--workers", "0"],
    /--max-memory needs workers: received --workers 0/,
  ],
  [
    [work("double"), "--max-memory", "63"],
    /--max-memory must be.*from 64.*"63"/,
  ],
  [
    [work("double"), "--csv", "--lines"],
    /--lines and --csv exclude each other/,
  ],
  [[work("double"), "--csv", "--args", "a"], /--args and --csv exclude/],
  [[work("double"), "--bar=yes"], /--bar takes no value.*"yes"/],
  [
    [work("double"), "--failed", "f", "--args", "a\nb"],
    /--failed keeps each of --args as a line/,
  ],
  [[work("double"), "--halt", "later"], /--halt must be never, now or soon/],
  [[work("double"), "--halt", "now,fail=0"], /--halt must be/],
  [[work("double"), "--halt", "never,fail=2"], /--halt must be/],
  [[work("double"), "--resume"], /--resume needs --joblog/],
  [[work("double"), "--resume-changed"], /--resume-changed needs --joblog/],
  [
    [work("double"), "--joblog", "--resume"],
    /--joblog needs a value: received the flag --resume \(--joblog=--resume if/,
  ],
  [[work("double"), "-o", "--raw"], /the flag --raw \(-o--raw if/],
  [[work("double"), "-o", "new/"], /-o must be a file: received "new\/"$/m],
  [[work("double"), "-o", "-k"], /-o must be a file.*"-k" \(\.\/-k if that/],
  [[work("double"), "--failed", "=x"], /--failed must be a file.*"=x"/],
  [[work("double"), "--lines", "--args", "a"], /exclude each other/],
  ...["--failed", "--timeline", "--joblog"].map((flag): Case => [
    [work("double"), flag, "-"],
    new RegExp(`${flag} must be a file, as standard output .*"-" \\(\\./- if`),
  ]),
];

/** What only the files say. */
const WRONG_FILES: Case[] = [
  [["file://host/x.ts"], /must be a file on this machine: received "file:/],
  [["./none.ts"], /MODULE must be a file that exists.*"\.\/none\.ts"/],
  [
    ["x => x*2"],
    /a file that exists.*\(a function stands after -e: pmap -e 'x => x\*2'\)/,
  ],
  [[`x => ${"x + ".repeat(99)}1`], /a file that exists.*\(a function stands/],
  [["/dev/null"], /a file that exists.*"\/dev\/null" \(each worker reads it/],
  [[work("double"), "none.ndjson"], /"none\.ndjson", no such file/],
  [[work("double"), "."], /"\.", a folder/],
  [[work("double"), "--joblog", "/none/log"], /--joblog must be a file that/],
  [[work("double"), "--joblog", "/dev/null"], /not a regular file/],
];

/** The name of a test of them. */
function wrong(args: string[]): string {
  const shown = args.map((arg) => arg.replace(/.*#/, "#")).join(" ")
    .replaceAll("\n", "\\n"); // no report takes a name of two lines
  return `pmap ${shown} is wrong usage`;
}

// No process for each: main.ts writes the message of any of these errors.
for (const [args, message] of WRONG) {
  test(wrong(args), () => {
    const error = assertThrows(() => readCommand(args), UsageError);
    assertMatch(error.message, message);
    assertMatch(error.message, /^Cannot run as .*: received .*$/);
  });
}

test("pmap -o - writes to standard output, not to a file of that name", () => {
  const command = readCommand([work("double"), "-o", "-"]);
  assert(command.to === "run");
  assertEquals(command.settings.output, undefined);
});

for (const [args, message] of [WRONG[0]!, ...WRONG_FILES]) {
  test(`${wrong(args)}: one line and status 2`, PATIENCE, async () => {
    const { status, out, err } = await pmap(args);
    assertEquals([status, out], [2, ""]);
    assertMatch(err, message);
    assertMatch(err, /^pmap: Cannot run as .*: received .*\n$/);
  });
}

test(
  "pmap names the exports when the function is not among them",
  PATIENCE,
  async () => {
    const { status, err } = await pmap([work("nope"), "--args", "a"]);
    assertEquals(status, 2);
    assertMatch(err, /received "nope", not among .*count, default, double/);
  },
);

test(
  "pmap looks for the function also when there is no input, or no call is made",
  PATIENCE,
  async () => {
    for (const args of [[], ["--dry-run"]]) {
      const { status, out, err } = await pmap([work("nope"), ...args]);
      assertEquals([status, out], [2, ""]);
      assertMatch(err, /received "nope", not among/);
    }
  },
);

test(
  "pmap says so when a module does not end loading",
  PATIENCE,
  async () => {
    using dir = folder();
    for (const text of ["await new Promise(() => {});", "for (;;);"]) {
      writeFileSync(dir.path("m.js"), `${text} export default (x) => x;`);
      const args = [dir.path("m.js"), "--load-timeout", "300"];
      for (const extra of [[], ["--dry-run"]]) {
        const { status, out, err } = await pmap([...args, ...extra], "1\n");
        assertEquals([status, out], [2, ""]);
        assertMatch(err, /MODULE must load within --load-timeout, 300 ms: /);
        assertMatch(err, /m\.js/);
      }
    }
  },
);

test(
  "pmap loads a module from the web, and what it imports",
  PATIENCE,
  async () => {
    const files: Record<string, string> = {
      "/m.ts":
        'import { one } from "./lib/one.ts"; export default (x: number) => x + one;',
      "/lib/one.ts": 'export { one } from "../two.js";',
      "/two.js": "export const one = 1;",
    };
    const server = createServer(({ url }, response) => {
      const text = files[url!];
      const type = url!.endsWith(".ts")
        ? "application/typescript"
        : "text/javascript";
      response.writeHead(text === undefined ? 404 : 200, {
        "content-type": type,
      });
      response.end(text);
    });
    await new Promise<void>((heard) => server.listen(0, "127.0.0.1", heard));
    try {
      const { port } = server.address() as { port: number };
      const at = `http://127.0.0.1:${port}`;
      if (!("Deno" in globalThis) && !("Bun" in globalThis)) {
        const refused = await pmap([`${at}/m.ts`], "1\n");
        assertEquals([refused.status, refused.out], [2, ""]);
        assertMatch(refused.err, /MODULE must be a file on Node\.js/);
        return;
      }
      // Deno says on standard error what it downloads.
      const { status, out, err } = await pmap([`${at}/m.ts`], "1\n");
      assertEquals([status, out], [0, "2\n"], err);
      const none = await pmap([`${at}/none.ts`], "1\n");
      assertEquals(none.status, 2);
      assertMatch(none.err, /MODULE must load: received .*none\.ts/);
    } finally {
      server.close();
    }
  },
);

test("pmap says why a module does not load", PATIENCE, async () => {
  for (
    const [name, message] of [
      ["throws", /MODULE must load: received thrown while loading\n$/],
      ["broken", /MODULE must load: received (?!\d).*broken\.js/],
      ["lost_import", /MODULE must load: received .*none\.ts/],
      ["throws_odd", /MODULE must load: received object\n$/],
      ["throws_nothing", /MODULE must load: received undefined\n$/],
    ] as const
  ) {
    using dir = folder();
    const file = dir.path(`${name}.js`);
    writeFileSync(
      file,
      {
        throws: 'throw new Error("thrown while loading");',
        broken: "export default function (",
        lost_import: 'import "./none.ts";',
        throws_odd: "throw Object.create(null);",
        throws_nothing: "throw undefined;",
      }[name],
    );
    const { status, out, err } = await pmap([file, "--args", "a"]);
    assertEquals([status, out], [2, ""]);
    assertMatch(err, message);
    assertEquals(err.split("\n").length, 2, err);
  }
});

test(
  "pmap says also of several errors at once why a module does not load",
  PATIENCE,
  async () => {
    const cases = [
      [
        "new AggregateError([new Error('not here')], 'no port')",
        "no port; not here",
      ],
      ["new AggregateError([])", "AggregateError"],
      [
        "Object.assign(new Error('no host'), { errors: { host: 1 } })",
        "no host",
      ],
    ];
    for (const [thrown, said] of cases) {
      using dir = folder();
      const file = dir.path("throws.js");
      writeFileSync(file, `throw ${thrown};`);
      const { status, err } = await pmap([file, "--args", "a"]);
      const message =
        `pmap: Cannot run as MODULE must load: received ${said}\n`;
      assertEquals([status, err], [2, message]);
    }
  },
);

test("pmap --dry-run writes the calls and makes none", PATIENCE, async () => {
  const { status, out, err } = await pmap(
    [work("odd"), "--dry-run"],
    '2\n{"a":\n[4]\n',
  );
  assertEquals(out, "odd(2)\nodd([4])\n");
  assertEquals(status, 1);
  assertMatch(err, /input 1 \(line 2\) as a line must be one JSON value/);
  assertMatch(err, /would call work\.ts#odd for 2 inputs/);
});

test(
  "pmap --dry-run writes the calls before an error in the inputs",
  PATIENCE,
  async () => {
    const { status, out, err } = await pmap(
      [work("same"), "--dry-run", "--csv"],
      "a,b\n1,2\n3,4\n5\n",
    );
    assertEquals(out, 'same({"a":"1","b":"2"})\nsame({"a":"3","b":"4"})\n');
    assertEquals(status, 3);
    assertMatch(err, /^pmap: Cannot .*line 4.*\n$/);
  },
);
