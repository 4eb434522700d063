// What workers that are processes do otherwise than threads: they share nothing,
// and what ends one ends nothing else.
import {
  assert,
  assertEquals,
  assertInstanceOf,
  assertMatch,
  assertRejects,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import { Buffer } from "node:buffer";
import { type ChildProcess, spawn } from "node:child_process";
import {
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import type { Writable } from "node:stream";
import { pathToFileURL } from "node:url";
import {
  parallelMap,
  parallelMapSettled,
  Pool,
  type TaskContext,
  TaskError,
  TaskTimeoutError,
  WorkerLostError,
  WorkerStartError,
} from "../mod.ts";
import { isBrief, runtime, test } from "./harness.ts";
import { Notes } from "./notes.ts";
import { ROOT, RUN_ALL, runProgram } from "./run_program.ts";
import { pause, until } from "./until.ts";

const LONG = { timeout: 300_000 };
const deno = "Deno" in globalThis;
const linux = process.platform === "linux";
// On Deno, shipped functions may do nothing by default: tests/permissions_test.ts.
const processes = {
  backend: "processes",
  workers: 2,
  permissions: "inherit",
} as const;
const range = (count: number) => Array.from({ length: count }, (_, i) => i);
const reasons = (results: PromiseSettledResult<unknown>[]) =>
  results.map((r) => r.status === "fulfilled" ? r.value : r.reason);

/** What tasks do with such a folder; shipped as `data`. */
const notes = {
  write(path: string, name: string): void {
    globalThis.process.getBuiltinModule("node:fs")
      .writeFileSync(`${path}/${name}`, "");
  },
  count(path: string): number {
    return globalThis.process.getBuiltinModule("node:fs")
      .readdirSync(path).length;
  },
};
type Noted = TaskContext<unknown, typeof notes & { path: string }>;

/** Whether a process is there, and more than an entry in a list. */
function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch {
    return false;
  }
  const status = `/proc/${pid}/status`;
  try {
    return !/^State:\s+Z/m.test(readFileSync(status, "utf8"));
  } catch {
    return !linux;
  }
}

/** Starts a program; gives it, and what it printed first. */
async function startProgram(
  args: string[],
  detached = false,
): Promise<{ child: ReturnType<typeof spawn>; first: string }> {
  // Not the command: it may be a script that starts the program.
  const child = spawn(process.execPath, [...RUN_ALL.slice(1), ...args], {
    cwd: ROOT,
    stdio: ["ignore", "pipe", "inherit"],
    detached,
  });
  const first = await new Promise<string>((resolve, reject) => {
    let text = "";
    child.stdout!.on("data", (bytes) => {
      text += bytes;
      if (text.includes("\n")) resolve(text.trim());
    });
    child.on("error", reject);
    child.on("exit", () => reject(new Error(`it ended: ${text}`)));
  });
  return { child, first };
}

/** Does what its value says; by what cannot be caught. */
export function perish(how: string): string {
  const { process } = globalThis;
  if (how === "abort") process.abort();
  if (how === "kill") process.kill(process.pid, "SIGKILL");
  if (how === "exit") process.exit(7);
  return how;
}

test(
  "processes: a worker that is killed, aborts or exits is one error with its signal",
  LONG,
  async () => {
    const how = ["fine", "abort", "fine", "kill", "exit", "fine"];
    const results = reasons(await parallelMapSettled(perish, how, processes));
    const told = results.map((one) =>
      one instanceof WorkerLostError ? [one.index, one.signal] : one
    );
    const wanted = ["fine", [1, "SIGABRT"], "fine", [3, "SIGKILL"]];
    assertEquals(told, [...wanted, [4, undefined], "fine"]);
    assertStringIncludes((results[1] as Error).message, "by SIGABRT");
    assertStringIncludes((results[4] as Error).message, "with exit code 7");
  },
);

test(
  "processes: a worker that somebody else kills is replaced",
  LONG,
  async () => {
    await using folder = new Notes();
    await using pool = new Pool({ ...processes, workers: 1 });
    const data = { ...notes, path: folder.path };
    const wait = (name: string, { data, attempt }: Noted) => {
      if (attempt > 1) return "again";
      data.write(data.path, `${name}.${globalThis.process.pid}`);
      return new Promise((resolve) => setTimeout(resolve, 60_000));
    };
    const call = pool.map(wait, ["it"], { data, retries: 1 });
    while (folder.names.length === 0) await pause(5);
    process.kill(Number(folder.names[0].split(".")[1]), "SIGKILL");
    assertEquals(await call, ["again"]);
  },
);

test(
  "processes: a crash, no end of memory and no end at all are three errors of a hundred",
  {
    ...LONG,
    ignore: !linux,
  },
  async () => {
    const act = async (n: number) => {
      if (n === 17) { // reads at address 0
        if ("Deno" in globalThis) {
          const { Deno } = globalThis as unknown as {
            Deno: {
              dlopen(path: string, symbols: object): {
                symbols: { strlen(at: null): unknown };
              };
            };
          };
          const strlen = { parameters: ["pointer"], result: "usize" };
          Deno.dlopen("libc.so.6", { strlen }).symbols.strlen(null);
        } else if (!("Bun" in globalThis)) { // Node.js cannot call the system
          globalThis.process.kill(globalThis.process.pid, "SIGSEGV");
        } else {
          const { dlopen } = await import("bun:ffi" as string);
          const strlen = { args: ["ptr"], returns: "usize" };
          dlopen("libc.so.6", { strlen }).symbols.strlen(null);
        }
      }
      if (n === 42) {
        const all = [];
        for (;;) all.push(new Uint8Array(1 << 22).fill(1));
      }
      if (n === 77) { // holds its thread for good, and leaves the core to others
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
      }
      return n;
    };
    const results = reasons(
      await parallelMapSettled(act, range(100), {
        ...processes,
        timeout: 15_000, // not reached by what fills its memory
        maxMemory: 200,
      }),
    );
    for (const [n, result] of results.entries()) {
      if (n !== 17 && n !== 42 && n !== 77) assertEquals(result, n);
    }
    const [crash, memory, loop] = [results[17], results[42], results[77]];
    assertInstanceOf(crash, WorkerLostError);
    assertEquals(crash.index, 17);
    assert(crash.signal !== undefined, crash.message);
    assertInstanceOf(memory, WorkerLostError);
    assertEquals([memory.index, memory.signal], [42, "SIGKILL"]);
    assertStringIncludes(memory.message, "memory");
    assertInstanceOf(loop, TaskTimeoutError);
    assertEquals(loop.index, 77);
  },
);

for (const state of ["idle", "busy", "deaf"]) {
  test(`processes: none is left behind by a caller that is killed: ${state}`, {
    ...LONG,
    ignore: !linux,
  }, async () => {
    for (let round = 0; round < 2; round++) {
      const program = "tests/fixtures/programs/left_behind.ts";
      const { child, first } = await startProgram([program, state]);
      const pids = first.split(" ").map(Number);
      assertEquals(pids.map(isAlive), [true, true]);
      // What they are at has begun by then, or they end as idle ones do.
      await pause(100);
      const gone = new Promise((resolve) => child.on("close", resolve));
      child.removeAllListeners("exit");
      child.kill("SIGKILL");
      await gone;
      await until(() => !pids.some(isAlive));
    }
  });
}

for (const state of ["idle", "busy"]) {
  test(
    `processes: what a task has started ends with a caller that is killed: ${state}`,
    {
      ...LONG,
      ignore: !linux,
    },
    async () => {
      for (let round = 0; round < 3; round++) {
        const program = "tests/fixtures/programs/started.ts";
        const { child, first } = await startProgram([program, state]);
        assert(isAlive(Number(first)), first);
        child.removeAllListeners("exit");
        const gone = new Promise((resolve) => child.on("exit", resolve));
        child.kill("SIGKILL");
        await gone;
        // Less than it would take by itself.
        await until(() => !isAlive(Number(first)), 30_000);
      }
    },
  );
}

for (const how of ["exit", "end"]) {
  test(
    `processes: one that is stopped is not left behind by a program at its ${how}`,
    {
      ...LONG,
      ignore: !linux,
    },
    async () => {
      const program = "tests/fixtures/programs/stopped.ts";
      const { child, first } = await startProgram([program, how]);
      const closed = new Promise((resolve) => child.on("close", resolve));
      try {
        await until(() => !isAlive(Number(first)), 30_000);
      } finally {
        if (isAlive(Number(first))) process.kill(Number(first), "SIGKILL");
        await closed;
      }
    },
  );
}

test("processes: what a task has started ends with it at its timeout", {
  ...LONG,
  ignore: !linux,
}, async () => {
  await using folder = new Notes();
  const start = (_: number, { data: { write, path } }: Noted) => {
    const { spawn } = globalThis.process.getBuiltinModule("node:child_process");
    const child = spawn("sleep", ["60"], { stdio: "ignore" });
    write(path, String(child.pid));
    return new Promise(() => {});
  };
  const data = { ...notes, path: folder.path };
  const timed = { ...processes, workers: 1, data, timeout: 300 };
  await assertRejects(() => parallelMap(start, [1], timed), TaskTimeoutError);
  const [pid] = folder.names.map(Number);
  await until(() => !isAlive(pid), 30_000);
});

test("processes: Ctrl-C is the caller's to handle", {
  ...LONG,
  ignore: !linux,
}, async () => {
  const program = "tests/fixtures/programs/interrupted.ts";
  const { child, first } = await startProgram([program], true);
  assertEquals(first, "ready");
  let text = "";
  child.stdout!.on("data", (bytes) => text += bytes);
  const closed = new Promise((resolve) => child.on("close", resolve));
  child.removeAllListeners("exit");
  process.kill(-child.pid!, "SIGINT");
  assertEquals([await closed, text.trim()], [0, "finished 5"]);
});

test(
  "processes: tasks run at the same time, in processes of their own",
  LONG,
  async () => {
    await using folder = new Notes();
    const meet = async (name: string, { data }: Noted) => {
      data.write(data.path, name);
      while (data.count(data.path) < 2) {
        await new Promise((resolve) => setTimeout(resolve, 1));
      }
      return globalThis.process.pid;
    };
    const data = { ...notes, path: folder.path };
    const pids = await parallelMap(meet, ["a", "b"], { ...processes, data });
    assertEquals(new Set([...pids, process.pid]).size, 3);
  },
);

test(
  "processes: concurrency keeps tasks in flight inside each",
  LONG,
  async () => {
    await using folder = new Notes();
    const meet = async (n: number, { data }: Noted) => {
      data.write(data.path, String(n));
      while (data.count(data.path) < 10) {
        await new Promise((resolve) => setTimeout(resolve, 1));
      }
      return n;
    };
    const data = { ...notes, path: folder.path };
    const options = { ...processes, data, concurrency: 5 };
    assertEquals(await parallelMap(meet, range(10), options), range(10));
  },
);

/**
 * Aborts calls until a task has seen it. Each has 100 ms for that, which may be
 * too little on a machine with much to do, where the thread that hears of it
 * also comes up late: so each round gives it more time.
 */
async function seeAbort(
  fn: (name: string, context: Noted) => unknown,
): Promise<void> {
  await using folder = new Notes();
  await using pool = new Pool({ ...processes, workers: 1 });
  const data = { ...notes, path: folder.path };
  for (let round = 0; round < 20; round++) {
    await pool.start();
    await pause(100 * round);
    const abort = new AbortController();
    const options = { data, signal: abort.signal };
    const call = pool.map(fn, [String(round)], options);
    await folder.until(`${round}.began`);
    abort.abort("enough");
    assertEquals(await call.catch(String), "enough");
    // The next run is not over for the same worker, or for one after it.
    const over = (_: number, { aborted }: TaskContext) => aborted;
    assertEquals(await pool.map(over, [1, 2, 3]), [false, false, false]);
    if (folder.names.includes(`${round}.saw`)) return;
  }
  throw new Error("no task has seen an abort");
}

test("processes: a synchronous loop sees the abort", LONG, async () => {
  await seeAbort((name, context) => {
    const { data } = context;
    data.write(data.path, `${name}.began`);
    while (!context.aborted);
    data.write(data.path, `${name}.saw`);
  });
});

test(
  "processes: context.signal aborts when the run is over",
  LONG,
  async () => {
    await seeAbort((name, { data, signal }) => {
      return new Promise((_, reject) => {
        signal.addEventListener("abort", () => {
          const right = signal.reason.name === "AbortError";
          data.write(data.path, `${name}.${right ? "saw" : "got another"}`);
          reject(signal.reason);
        });
        data.write(data.path, `${name}.began`);
      });
    });
  },
);

test(
  "processes: an abort does not wait for a task that computes",
  LONG,
  async () => {
    await using folder = new Notes();
    const spin = (_: number, { data }: Noted) => {
      data.write(data.path, "began");
      for (;;);
    };
    const data = { ...notes, path: folder.path };
    await using pool = new Pool(processes);
    const abort = new AbortController();
    const call = pool.map(spin, [1], { data, signal: abort.signal });
    await folder.until("began");
    abort.abort("enough");
    assertEquals(await call.catch(String), "enough");
    assertEquals(await pool.map((n: number) => 2 * n, [1, 2]), [2, 4]);
  },
);

test(
  "processes: what init returned is disposed before one is ended",
  LONG,
  async () => {
    await using folder = new Notes();
    const init = (path: string) => {
      const { writeFileSync } = globalThis.process.getBuiltinModule("node:fs");
      writeFileSync(`${path}/opened`, "");
      return { [Symbol.dispose]: () => writeFileSync(`${path}/disposed`, "") };
    };
    const options = { ...processes, workers: 1, init, workerData: folder.path };
    assertEquals(await parallelMap((n: number) => n, [1], options), [1]);
    assertEquals(folder.names, ["disposed", "opened"]);
  },
);

test(
  "processes: a WebAssembly module is refused, and its bytes do",
  LONG,
  async () => {
    const bytes = readFileSync(`${ROOT}tests/fixtures/recipe_files/add.wasm`);
    const workerData = await WebAssembly.compile(bytes);
    assertThrows(() => new Pool({ ...processes, workerData }), TypeError);
    await using pool = new Pool({
      ...processes,
      workerData: new Uint8Array(bytes),
      init: async (bytes) => (await WebAssembly.instantiate(bytes)).instance,
    });
    const add = (n: number, { state }: { state: WebAssembly.Instance }) =>
      (state.exports as { add(a: number, b: number): number }).add(n, 1);
    assertEquals(await pool.map(add, [1, 2]), [2, 3]);
  },
);

test(
  "processes: memory cannot be shared, and each error says what to do",
  LONG,
  async () => {
    const shared = new SharedArrayBuffer(8);
    const view = new Int32Array(shared);
    const odd: unknown[] = [shared, view, { deep: [{ view }] }, [shared]];
    odd.push(Object.assign(new Error("e"), { shared }).shared);
    for (const value of odd) {
      const inputs = [1, value, "x"];
      const results = reasons(
        await parallelMapSettled((v: unknown) => typeof v, inputs, processes),
      );
      assertInstanceOf(results[1], TaskError);
      assertStringIncludes(results[1].message, "input 1");
      assertStringIncludes(results[1].message, "a SharedArrayBuffer");
      assertStringIncludes(results[1].message, "send a copy of it");
      assertEquals([results[0], results[2]], ["number", "string"]);
    }
    const many = range(100).map((id) => ({ id, at: { view: id } as object }));
    many[60].at = { view };
    const records = reasons(
      await parallelMapSettled((v: { id: number }) => v.id, many, {
        ...processes,
        chunkSize: 50,
      }),
    );
    assertStringIncludes(String(records[60]), "a SharedArrayBuffer");
    assertEquals(records.toSpliced(60, 1), range(100).toSpliced(60, 1));
    const made = await parallelMapSettled(
      (n: number) => n === 1 ? new SharedArrayBuffer(n) : n,
      [0, 1, 2],
      processes,
    );
    assertStringIncludes(String(reasons(made)[1]), "a SharedArrayBuffer");
    // On an error it is a text, however large it is.
    const thrown = reasons(
      await parallelMapSettled(
        () => {
          const heap = new Uint8Array(new SharedArrayBuffer(1 << 24));
          throw Object.assign(new Error("e"), { heap, in: { heap } });
        },
        [1],
        processes,
      ),
    ) as [{ cause: { heap: unknown; in: { heap: unknown } } }];
    const { heap, in: inner } = thrown[0].cause;
    assertEquals([typeof heap, typeof inner.heap], ["string", "string"]);
    assert(String(heap).length < 1000);
    const same = (n: number) => n;
    for (const name of ["data", "workerData"]) {
      const options = { ...processes, [name]: { view } };
      const error = await parallelMap(same, [1], options)
        .catch((error) => error);
      assertInstanceOf(error, TypeError);
      assertStringIncludes(error.message, `"${name}" must be cloneable`);
      assertStringIncludes(error.message, "a SharedArrayBuffer");
    }
    assertThrows(() => new Pool({ ...processes, workerData: view }), TypeError);
    const moved = await parallelMap(same, [1], { ...processes, transfer: true })
      .catch((error) => error);
    assertInstanceOf(moved, TypeError);
    assertStringIncludes(moved.message, '"transfer"');
    assertStringIncludes(moved.message, "copied");
  },
);

test(
  "processes: an output in shared memory is refused, inputs there are copied",
  LONG,
  async () => {
    const inputs = new Float64Array(new SharedArrayBuffer(80)).fill(2);
    const double = (n: number) => 2 * n;
    const results = await parallelMap(double, inputs, processes);
    assertEquals(results, Array(10).fill(4));
    const output = new Float64Array(new SharedArrayBuffer(80));
    const error = await parallelMap(double, inputs, { ...processes, output })
      .catch((error) => error);
    assertInstanceOf(error, TypeError);
    assertStringIncludes(error.message, "where workers share no memory");
  },
);

test(
  "processes: of what else structured clone knows, the runtime decides",
  LONG,
  async () => {
    const values = [Buffer.from("ab"), new Blob(["xy"]), Object(5n), /x/g];
    const back = reasons(
      await parallelMapSettled((v: unknown) => v, values, processes),
    );
    assert(back[0] instanceof Uint8Array);
    assertEquals([[...back[0]], Buffer.isBuffer(back[0])], [
      [97, 98],
      runtime === "bun",
    ]);
    if (runtime === "bun") {
      assertEquals(await (back[1] as Blob).text(), "xy");
    } else assertStringIncludes(String(back[1]), "an instance of Blob");
    assertEquals(back.slice(2), [Object(5n), /x/g]);
    // The same of many results in one message, and of those in a pool.
    const kept = await parallelMap(
      (value: Uint8Array) => value,
      range(6).map((n) => Buffer.alloc(9).subarray(n)),
      { ...processes, chunkSize: 6 },
    );
    const deep = await parallelMap(
      (bytes: Uint8Array) => ({ bytes: bytes.subarray(1) }),
      kept,
      { ...processes, chunkSize: 6 },
    );
    assertEquals(
      [...kept, ...deep.map(({ bytes }) => bytes)].map(Buffer.isBuffer),
      new Array(12).fill(runtime === "bun"),
    );
  },
);

test(
  "processes: tasks that a worker gave back do not count for maxTasksPerWorker",
  LONG,
  async () => {
    let workers = 0;
    const wait = async (n: number) => {
      if (n % 40 < 36) return;
      await new Promise((resolve) => setTimeout(resolve, 60));
    };
    await parallelMap(wait, range(400), {
      ...processes,
      workers: 1,
      maxTasksPerWorker: 100,
      onEvent({ type }) {
        if (type === "worker-start") workers++;
      },
    });
    assertEquals(workers, 4);
  },
);

test(
  "processes: maxMemory is for all that a worker holds, but garbage",
  LONG,
  async () => {
    const same = (n: number) => n;
    for (const maxMemory of [0, 63, 100.5, NaN, Infinity]) {
      await assertRejects(
        () => parallelMap(same, [1], { ...processes, maxMemory }),
        RangeError,
        '"maxMemory" must be a whole number from 64',
      );
    }
    // Garbage is none of it: 2 GB, of which little is held at a time.
    const litter = (n: number) => {
      let last = 0;
      for (let i = 0; i < 1000; i++) {
        last = new Uint8Array(2 << 20).fill(1)[i] +
          JSON.stringify({ i }).length;
      }
      return last > 0 ? n : 0;
    };
    const options = { ...processes, maxMemory: 600 };
    assertEquals(await parallelMap(litter, [1, 2], options), [1, 2]);
  },
);

test(
  "processes: two views of one buffer stay two views of one buffer",
  LONG,
  async () => {
    const bytes = Uint8Array.of(1, 2, 3, 4);
    const value = { bytes, part: bytes.subarray(1, 3) };
    const [back] = await parallelMap(
      (v: typeof value) => v,
      [value],
      processes,
    );
    assertEquals(back, value);
    assert(back.bytes.buffer === back.part.buffer);
  },
);

test(
  "processes: what tasks print, also by other means, goes to the caller's output",
  LONG,
  () => {
    const source = `
    import { parallelMap } from ${
      JSON.stringify(pathToFileURL(join(ROOT, "mod.ts")).href)
    };
    const print = (n) => {
      const fs = globalThis.process.getBuiltinModule("node:fs");
      console.log("logged " + n);
      fs.writeSync(1, "written " + n + "\\n");
      console.error("complained " + n);
    };
    await parallelMap(print, [1, 2], { backend: "processes", workers: 1 });`;
    const folder = mkdtempSync(join(realpathSync(tmpdir()), "parallel-map-"));
    try {
      const path = join(folder, "prints.mjs");
      writeFileSync(path, source);
      const { code, out, err } = runProgram([...RUN_ALL, path]);
      const lines = ["logged 1", "logged 2", "written 1", "written 2"];
      assertEquals(out.trim().split("\n").toSorted(), lines);
      assertEquals([err.trim(), code], ["complained 1\ncomplained 2", 0]);
    } finally {
      rmSync(folder, { recursive: true });
    }
  },
);

test(
  "processes: without a file descriptor left a call says so, and the program goes on",
  { ...LONG, ignore: !linux },
  () => {
    const program = "tests/fixtures/programs/no_descriptors.ts";
    const limited = ["sh", "-c", 'ulimit -n 256; exec "$@"', "sh"];
    const { out, err, code } = runProgram([...limited, ...RUN_ALL, program]);
    assertEquals([out.trim(), err, code], ["told\n1,2", "", 0]);
  },
);

test(
  "processes: a program that a task starts finds the end of standard input",
  {
    ...LONG,
    ignore: deno || process.platform === "win32", // docs/processes.md
  },
  async () => {
    const read = () => {
      const { process } = globalThis as unknown as { process: NodeJS.Process };
      const { spawnSync } = process.getBuiltinModule("node:child_process");
      const { status, signal, stdout } = spawnSync("cat", {
        stdio: ["inherit", "pipe", "inherit"],
        timeout: 60_000,
      });
      return [status, signal, `${stdout}`];
    };
    assertEquals(await parallelMap(read, [1], processes), [[0, null, ""]]);
  },
);

for (const timeout of [undefined, 20_000]) {
  test(
    `processes: a task that closes the input of its worker hangs no call: timeout ${timeout}`,
    LONG,
    async () => {
      const close = (n: number, { attempt }: TaskContext) => {
        const fs = globalThis.process.getBuiltinModule("node:fs");
        if (n === 1 && attempt === 1) fs.closeSync(3);
        return n;
      };
      const options = { ...processes, workers: 1, chunkSize: 1, timeout };
      assertEquals(
        await parallelMap(close, range(4), { ...options, retries: 1 }),
        range(4),
      );
    },
  );
}

test(
  "processes: a task that closes a pipe of its worker brings no warning later",
  LONG,
  async () => {
    const close = (descriptor: number) => {
      const fs = globalThis.process.getBuiltinModule("node:fs");
      fs.closeSync(descriptor);
      return descriptor;
    };
    const warnings: Error[] = [];
    const note = (warning: Error) => warnings.push(warning);
    process.on("warning", note);
    try {
      // On Deno it is another one, which nobody waits for here.
      for (const descriptor of [3, 5]) {
        await using pool = new Pool({ ...processes, workers: 1 });
        await pool.mapSettled(close, [descriptor]);
        for (let call = 0; call < 15; call++) {
          assertEquals(await pool.map((n: number) => n, [call]), [call]);
        }
      }
      await pause(0); // it is told in a later turn
    } finally {
      process.off("warning", note);
    }
    assertEquals(warnings, []);
  },
);

test("processes: on Bun a large message is written a part at a time", {
  ...LONG,
  ignore: runtime !== "bun",
}, async () => {
  const childProcess = process.getBuiltinModule("node:child_process");
  const { spawn } = childProcess;
  let under = 0; // bytes that are being written
  let most = 0;
  childProcess.spawn = ((...args: Parameters<typeof spawn>) => {
    const child = spawn(...args);
    const pipe = child.stdio[3] as Writable;
    const write = pipe.write.bind(pipe);
    pipe.write = ((bytes: Uint8Array, onWritten?: () => void) => {
      most = Math.max(most, under += bytes.length);
      return write(bytes, () => {
        under -= bytes.length;
        onWritten?.();
      });
    }) as typeof write;
    return child;
  }) as typeof spawn;
  try {
    await using pool = new Pool({ ...processes, workers: 1 });
    const inputs = range(3).map((n) => new Uint8Array(8e6 + n).fill(n));
    const last = (bytes: Uint8Array) => [bytes.length, bytes.at(-1)];
    assertEquals(
      await pool.map(last, inputs),
      range(3).map((n) => [8e6 + n, n]),
    );
  } finally {
    childProcess.spawn = spawn;
  }
  assert(most > 0 && most <= 1 << 20, `${most}`);
});

/** A value that is slow to send, or cannot be sent alive. */
function heavy(how: string): unknown {
  if (how === "light") return how;
  const kill = () => globalThis.process.kill(globalThis.process.pid, "SIGKILL");
  return {
    get value() {
      if (how === "deadly") kill();
      // Its thread is taken.
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1500);
      return how;
    },
  };
}

/** The same, slow to send, of a task that waits. */
async function heavyLater(how: string): Promise<unknown> {
  await undefined;
  return how === "light" ? how : {
    get value() {
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1500);
      return how;
    },
  };
}

for (const concurrency of [1, 3]) {
  test(
    `processes: a task is not late while its result is sent: concurrency ${concurrency}`,
    LONG,
    async () => {
      const timed = { ...processes, workers: 1, timeout: 500, concurrency };
      const inputs = ["light", "slow", "light"];
      for (const chunkSize of isBrief ? [3] : [1, 3]) {
        for (const fn of [heavy, heavyLater]) {
          const options = { ...timed, chunkSize };
          const results = await parallelMap(fn, inputs, options);
          assertEquals(results, ["light", { value: "slow" }, "light"]);
        }
      }
    },
  );
}

test("processes: start() says how init ended its worker", LONG, async () => {
  const init = () => globalThis.process.exit(3);
  await using pool = new Pool({ ...processes, workers: 1, init });
  const error = await assertRejects(() => pool.start(), WorkerStartError);
  assertMatch(error.message, /must stay alive: received an end .*with code 3/);
});

test(
  "processes: with timeout, a result that ends its worker is one error",
  LONG,
  async () => {
    const timed = { ...processes, workers: 1, timeout: 5000 };
    const inputs = ["light", "deadly", "light"];
    for (const chunkSize of [undefined, 1, 3]) {
      const results = reasons(
        await parallelMapSettled(heavy, inputs, { ...timed, chunkSize }),
      );
      assertEquals([results[0], results[2]], ["light", "light"]);
      assertInstanceOf(results[1], WorkerLostError);
      assertEquals(results[1].index, 1);
    }
  },
);

test("processes: a program that a task started may outlive its worker", {
  ...LONG,
  ignore: !linux,
}, async () => {
  await using folder = new Notes();
  const linger = (_: number, { data }: Noted) => {
    const { spawn } = globalThis.process.getBuiltinModule("node:child_process");
    const child = spawn("sleep", ["60"], { stdio: "ignore", detached: true });
    child.unref();
    data.write(data.path, String(child.pid));
    globalThis.process.exit(3);
  };
  const data = { ...notes, path: folder.path };
  // It may have the pipes of the worker, and keep them open.
  await assertRejects(
    () => parallelMap(linger, [1], { ...processes, data }),
    WorkerLostError,
  );
  for (const name of folder.names) process.kill(Number(name), "SIGKILL");
});

test(
  "processes: a task that writes to the pipe of its worker loses it",
  LONG,
  async () => {
    const scribble = (n: number) => {
      if (n !== 1) return n;
      const fs = globalThis.process.getBuiltinModule("node:fs");
      fs.writeSync(4, "what is this, and how long is it?");
      return n;
    };
    const results = reasons(
      await parallelMapSettled(scribble, [0, 1, 2], processes),
    );
    assertEquals([results[0], results[2]], [0, 2]);
    assertInstanceOf(results[1], TaskError);
  },
);

test("processes: a task is not at fault for a process that has just ended", async () => {
  const node = createRequire(import.meta.url)("node:child_process");
  const { spawn } = node as { spawn: (...args: unknown[]) => ChildProcess };
  let thrown = 0;
  node.spawn = (...args: unknown[]) => {
    const child = spawn(...args);
    // What Deno 2.9.5 does then, for a moment: here from the start.
    child.ref = () => {
      thrown++;
      throw new Error("Bad resource ID");
    };
    return child;
  };
  try {
    const double = (n: number) => 2 * n;
    await using pool = new Pool({ ...processes, workers: 1 });
    assertEquals(await pool.map(double, [1, 2, 3]), [2, 4, 6]);
    assertEquals(await pool.map(double, [4]), [8]);
    assert(thrown > 0);
  } finally {
    node.spawn = spawn;
  }
});

test("processes: a task is not at fault for a process that was seen to end before", async () => {
  const node = createRequire(import.meta.url)("node:child_process");
  const { spawn } = node as { spawn: (...args: unknown[]) => ChildProcess };
  const ended = Promise.withResolvers<void>();
  type On = (name: string, listener: (...how: unknown[]) => void) => unknown;
  node.spawn = (...args: unknown[]) => {
    const child = spawn(...args) as unknown as { on: On };
    const on = child.on.bind(child);
    // As where a program that a task has started still has the pipes.
    child.on = (name, listener) =>
      name !== "close" && on(name, (...how) => {
        listener(...how);
        if (name === "exit") ended.resolve();
      });
    return child;
  };
  try {
    const pid = Promise.withResolvers<number>();
    const numbers = async function* () {
      yield 0;
      process.kill(await pid.promise, "SIGKILL");
      await ended.promise;
      yield 1; // alone: of several, none would be at fault for sure
    };
    const told: unknown[] = [];
    const events: string[] = [];
    await using pool = new Pool({
      ...processes,
      workers: 1,
      onEvent: ({ type }) => void events.push(type),
    });
    const run = (n: number) => [n, globalThis.process.pid];
    for await (const result of pool.stream(run, numbers(), { settled: true })) {
      const [n, id] = (result as { value: number[] }).value ?? [];
      told.push(n ?? (result as { reason: unknown }).reason);
      pid.resolve(id);
    }
    assertEquals(told, [0, 1]);
    assertEquals(events.filter((type) => type === "worker-start").length, 2);
  } finally {
    node.spawn = spawn;
  }
});

test("processes: what only inherits from a view is told so", async () => {
  const odd = [DataView, Uint8Array].map(({ prototype }) =>
    Object.assign(Object.create(prototype), { a: 1 })
  );
  const outcomes = await parallelMapSettled((n: object) => n, odd, processes);
  for (const [i, reason] of reasons(outcomes).entries()) {
    assertStringIncludes(
      reason.message,
      `inherits from ${["DataView", "Uint8Array"][i]}, but is none`,
    );
  }
});
