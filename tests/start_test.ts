// What happens when a worker cannot start.
import {
  assert,
  assertEquals,
  assertInstanceOf,
  assertRejects,
  assertStringIncludes,
} from "@std/assert";
import { join, toFileUrl } from "@std/path";
import {
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { parallelMap, parallelReduce, Pool, WorkerStartError } from "../mod.ts";
import { runtime, test } from "./harness.ts";
import { inFolder, ROOT, RUN, RUN_ALL, runProgram } from "./run_program.ts";

const MODULES: Record<string, { text: string; says: string }> = {
  "missing.ts": { text: "", says: "must load" },
  "syntax.ts": { text: "export function f( {\n", says: "syntax.ts:" },
  "throws.ts": {
    text: 'throw new RangeError("at load"); export function f() {}',
    says: "RangeError: at load",
  },
  "odd.ts": {
    text: "throw Object.create(null); export function f() {}",
    says: "odd.ts must load: received object",
  },
  "other.ts": {
    text: "export const g = 1; export function h() {}",
    says: 'must export a function named "f": received g, h',
  },
};

for (const backend of ["web", "threads"] as const) {
  for (const [name, { text, says }] of Object.entries(MODULES)) {
    test(
      `${backend}: a module that cannot be used (${name}) is one clear error`,
      {
        timeout: 300_000,
      },
      async () => {
        const dir = mkdtempSync(join(tmpdir(), "modules-"));
        try {
          const module = toFileUrl(join(dir, name));
          if (text !== "") writeFileSync(module, text);
          const ends: string[] = [];
          const error = await assertRejects(
            () =>
              parallelMap("f", [1, 2, 3], {
                module,
                backend,
                workers: 2,
                onEvent: ({ type }) => ends.push(type),
              }),
            WorkerStartError,
            says,
          );
          assertInstanceOf(error, TypeError);
          assertStringIncludes(error.message, name);
          const isForBundles = error.message.includes("in a bundle");
          assertEquals(isForBundles, name === "missing.ts");
          assertStringIncludes(error.stack ?? "", "start_test.ts");
          const count = (type: string) => ends.filter((e) => e === type).length;
          assertEquals(count("worker-end"), count("worker-start"));
          // A pool says it as well when it is started by hand.
          await using pool = new Pool({ workers: 1, backend });
          await assertRejects(
            () => pool.map("f", [1], { module }),
            WorkerStartError,
          );
          assertEquals(await pool.map((n: number) => n, [1]), [1]);
        } finally {
          rmSync(dir, { recursive: true });
        }
      },
    );
  }
}

test("a function that has lost its name can be given as a text", {
  timeout: 300_000,
}, async () => {
  // As `bun build --minify` has it: named Dn here, and square over there.
  const Dn = (n: number) => n * n;
  const module = new URL("./fixtures/tasks.ts", import.meta.url);
  const says = 'must export a function named "Dn": received';
  const error = await assertRejects(
    () => parallelMap(Dn, [1], { module, workers: 1 }),
    WorkerStartError,
    says,
  );
  assertStringIncludes(error.message, "give the name of the export instead");
  const { message } = await assertRejects(
    () => parallelMap("Dn", [1], { module, workers: 1 }),
    WorkerStartError,
    says,
  );
  assertEquals(message.includes("give the name"), false);
  // The others cannot be given so.
  const Cn = (one: unknown) => one;
  const options = { module, workers: 1 };
  const comes = 'received .* \\(with "module", (.*) comes from there: (.*)\\)$';
  const cureOf = async (call: Promise<unknown>) => {
    const { message } = await assertRejects(() => call, WorkerStartError);
    return new RegExp(comes).exec(message)?.slice(1);
  };
  const keep = "export it, and let no bundler rename it";
  assertEquals(
    await cureOf(parallelMap("square", [1], { ...options, init: () => 5 })),
    ["init", keep],
  );
  assertEquals(
    await cureOf(parallelReduce("square", Cn, [1], options)),
    ["combine", `${keep}; written in the call, it is shipped`],
  );
});

test("start() tells of an init that fails", async () => {
  await using pool = new Pool({
    workers: 2,
    init: () => {
      throw new RangeError("no licence");
    },
  });
  await assertRejects(() => pool.start(), WorkerStartError, "no licence");
});

test("workers that end three times tell of what", {
  timeout: 300_000,
}, async () => {
  const init = () =>
    new Promise(() =>
      setTimeout(() => {
        throw new RangeError("a stray");
      })
    );
  const { message } = await assertRejects(
    () => parallelMap(() => 1, [1], { workers: 1, init }),
    WorkerStartError,
    "3 ends in a row before any task, the last of",
  );
  assertStringIncludes(message, "RangeError: a stray");
});

const run = (name: string) =>
  runProgram([...RUN_ALL, `tests/fixtures/entries/${name}.ts`]);

for (const name of ["unguarded", "unguarded_later"]) {
  test(`an entry module without a guard (${name}) starts no tree of workers`, {
    timeout: 300_000,
  }, () => {
    const { code, out } = run(name);
    assertEquals(code, 0);
    assertStringIncludes(out, "WorkerStartError: Cannot start workers as");
    assertStringIncludes(out, "if (import.meta.main)");
    // The caller and its two workers, and nobody below.
    assert(out.split("main runs").length - 1 <= 3, out);
  });
}

test("nor does one that is called through a link", {
  timeout: 300_000,
  ignore: runtime === "deno", // it looks for imports beside the link
}, () =>
  inFolder((folder) => {
    const path = `${ROOT}tests/fixtures/entries/unguarded_later.ts`;
    symlinkSync(path, `${folder}/link.ts`);
    const { code, out } = runProgram([...RUN_ALL, `${folder}/link.ts`]);
    assertEquals(code, 0);
    assertStringIncludes(out, "WorkerStartError: Cannot start workers as");
    assert(out.split("main runs").length - 1 <= 3, out);
  }));

// Its workers cannot know it for what the caller has started already; those that
// lie deeper take it for that.
test("nor does another module of the program start one without end", {
  timeout: 300_000,
}, () => {
  const path = "tests/fixtures/entries/unguarded_part.ts";
  const { code, out, err } = runProgram([...RUN_ALL, path], ROOT);
  assertEquals(code, 1);
  assertStringIncludes(err, "start workers without end");
  assertEquals(out, "main runs\n".repeat(4));
});

test("Node.js finds the entry that was named as it finds it itself", {
  timeout: 300_000,
  ignore: runtime !== "node",
}, () =>
  inFolder((folder) => {
    const path = `${ROOT}tests/fixtures/entries/unguarded_later.ts`;
    const text = readFileSync(path, "utf8")
      .replace("../../..", ROOT.slice(0, -1))
      .replaceAll(/: (Promise<)?(number|Error)>?/g, "");
    writeFileSync(`${folder}/app.js`, text);
    writeFileSync(
      `${folder}/package.json`,
      JSON.stringify({ main: "app.js", type: "module" }),
    );
    for (const entry of [".", "./app", folder, `${folder}/app.js`]) {
      const { code, out } = runProgram([...RUN_ALL, entry], folder);
      assertEquals(code, 0);
      assertStringIncludes(out, "WorkerStartError: Cannot start workers as");
      assert(out.split("main runs").length - 1 <= 3, `${entry}: ${out}`);
    }
  }));

test("a task may map, and its tasks, but not without end", {
  timeout: 300_000,
}, async () => {
  const module = new URL("./fixtures/entries/levels.ts", import.meta.url);
  const options = { module, workers: 1 };
  assertEquals(await parallelMap("levels", [7], options), [7]); // in the eighth
  await assertRejects(
    () => parallelMap("levels", [8], options),
    Error,
    "workers as they must lie within each other eight deep at most",
  );
});

test("Node.js without a permission for workers says so at the call", {
  timeout: 300_000,
  ignore: runtime !== "node",
}, () => {
  const flags = ["--permission", "--allow-fs-read=*"];
  const script = "tests/fixtures/shipped.ts";
  const { code, err } = runProgram([...RUN, ...flags, script]);
  assertEquals(code, 1);
  assertStringIncludes(err, "WorkerStartError: Cannot start workers as");
  assertStringIncludes(err, "Use --allow-worker");
});

// The thread in each process that watches the caller needs it too.
test("a process of Node.js without a permission for threads says so", {
  timeout: 300_000,
  ignore: runtime !== "node",
}, () => {
  const flags = ["--permission", "--allow-fs-read=*", "--allow-child-process"];
  const script = `import { parallelMap } from "${ROOT}mod.ts";
    await parallelMap((n) => n, [1], { backend: "processes" });`;
  const { code, err } = runProgram(
    [...RUN, ...flags, "--input-type=module", "-e", script],
  );
  assertEquals(code, 1);
  assertStringIncludes(err, "WorkerStartError: Cannot start workers as");
  assertStringIncludes(err, "Use --allow-worker");
});

test("an entry module with a guard maps its own export", {
  timeout: 300_000,
}, () => {
  const { code, out } = run("guarded");
  assertEquals(code, 0);
  assertStringIncludes(out, "[ 2, 3 ]");
});

// Deno gives it what is there of the module; Bun and Node.js do not.
test("a module that waits for itself in this thread is told so", {
  timeout: 300_000,
}, () => {
  const { code, out } = run("inline_by_name");
  assertEquals(code, 0);
  const [first, second] = out.trim().split("\n");
  if (runtime === "deno") assertEquals(first, "[ 1 ]");
  else {
    assertStringIncludes(first!, "WorkerStartError: Cannot start workers as");
    assertStringIncludes(first!, "give the function in place of its name");
  }
  assertEquals(second, "[ 1 ]");
});

test("a module may map by the name of its own export when it has loaded", {
  timeout: 300_000,
}, () => {
  const { code, out } = run("inline_by_name_later");
  assertEquals([code, out], [0, "[ 1 ]\n"]);
});

test("a task may map", () => {
  const { code, out, err } = run("nested");
  assertEquals([code, err], [0, ""]);
  assertEquals(JSON.parse(out), [[1, 4], [25, 36]]);
});

test("a task may map whenever it is called back", () => {
  const { code, out, err } = run("nested_later");
  assertEquals([code, err], [0, ""]);
  const [lines, wrong] = [out.trim().split("\n"), /: (?!9$)/];
  assertEquals([lines.length, lines.filter((at) => wrong.test(at))], [12, []]);
});

// Deno 2.9.5 makes some globals when they are first looked at, `setTimeout` in
// 7 ms and `process` in 11: no program should pay for what it does not use.
test("what starts a pool and its workers looks at no global that is dear", {
  ignore: runtime !== "deno",
}, () => {
  inFolder((folder) => {
    const watch = `globalThis.seen = [];
      for (const name of Object.getOwnPropertyNames(globalThis)) {
        const made = Object.getOwnPropertyDescriptor(globalThis, name);
        if (!made.get || !made.configurable) continue;
        Object.defineProperty(globalThis, name, {
          ...made,
          get() {
            globalThis.seen.push(name);
            Object.defineProperty(globalThis, name, made);
            return made.get.call(globalThis);
          },
        });
      }`;
    const program = join(folder, "program.js");
    writeFileSync(
      program,
      `${watch}
      const { Blob } = globalThis;
      globalThis.Blob = class extends Blob {
        constructor([...parts], options) {
          super([${JSON.stringify(watch)}, ...parts], options);
        }
      };
      globalThis.seen = [];
      const { parallelMap } = await import(${
        JSON.stringify(toFileUrl(join(ROOT, "mod.ts")).href)
      });
      const look = () => {
        const seen = [...globalThis.seen];
        globalThis.process;
        return { seen, works: globalThis.seen.includes("process") };
      };
      const [worker] = await parallelMap(look, [1]);
      console.log(JSON.stringify({ worker, caller: look() }));`,
    );
    const { out, err } = runProgram([...RUN_ALL, "--no-check", program]);
    assertEquals(err, "");
    const { caller, worker } = JSON.parse(out);
    for (const { seen, works } of [caller, worker]) {
      const cheap = ["navigator", "crypto"];
      assertEquals(seen.filter((name: string) => !cheap.includes(name)), []);
      assert(works);
    }
  });
});
