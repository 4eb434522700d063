// One `test` for both runners: Deno.test as it is, and bun:test behind the
// same signature. Passing Deno.test itself keeps its file and line in reports.

type Body = () => void | Promise<void>;

/** Options that both runners understand. */
export interface Options {
  /** Leaves the test out, and says so in the report. */
  ignore?: boolean;
  /** Milliseconds until the test fails: 5000 on Bun, no limit on Deno. */
  timeout?: number;
}

/** Registers a test. */
export interface Test {
  (name: string, fn: Body): void;
  (name: string, options: Options, fn: Body): void;
}

async function bunTest(): Promise<Test> {
  const { test } = await import("bun:test");
  return (name: string, ...rest: [Body] | [Options, Body]) => {
    const [{ ignore, timeout }, fn] = rest.length === 1
      ? [{} as Options, rest[0]]
      : rest;
    (ignore ? test.skip : test)(name, fn, timeout);
  };
}

/** Registers a test with the runner of the runtime at hand. */
export const test: Test = "Deno" in globalThis ? Deno.test : await bunTest();
