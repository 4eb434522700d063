// One `test` for all runners: Deno.test, bun:test and node:test behind the same
// signature, each with a limit of time. In a browser the tests wait for their page
// (tests/browsers/report.ts).

import { waiting } from "./browsers/waiting.ts";
import { SKIPS } from "./skips.ts";

type Body = () => void | Promise<void>;

/** Options that all runners understand. */
export interface Options {
  /** Leaves the test out, and says so in the report. */
  ignore?: boolean;
  /** Milliseconds until the test fails: by default 300,000. */
  timeout?: number;
  /** Whether Deno looks for what a test has left; by default it does. */
  sanitizeOps?: boolean;
  sanitizeResources?: boolean;
}

/** Registers a test. */
export interface Test {
  (name: string, fn: Body): void;
  (name: string, options: Options, fn: Body): void;
}

type Register = (name: string, options: Options, fn: Body) => void;

/** ms after which a test hangs, however busy the machine is. */
const LIMIT = 300_000;

/** Deno has no limit of its own: a test that hangs must say which it is. */
const denoTest: Register = (
  name,
  { timeout = LIMIT, ...options },
  body,
) => {
  const fn = async () => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise((_, reject) => {
      const error = new Error(`not done after ${timeout} ms`);
      timer = setTimeout(() => reject(error), timeout);
    });
    try {
      await Promise.race([body(), late]);
    } finally {
      clearTimeout(timer);
    }
  };
  Deno.test({ ...options, name, fn });
};

async function bunTest(): Promise<Register> {
  const { test } = await import("bun:test");
  return (name, { ignore, timeout = LIMIT }, fn) =>
    (ignore ? test.skip : test)(name, fn, timeout);
}

async function nodeTest(): Promise<Register> {
  const { test } = await import("node:test");
  return (name, { ignore: skip, timeout = LIMIT }, fn) =>
    void test(name, { skip: SKIPS.node[name] ?? skip, timeout }, () => fn());
}

const pageTest: Register = (name, options, fn) =>
  void waiting.push({ ...options, name, fn });

/** The name of the runtime at hand. */
export const runtime: "deno" | "bun" | "node" | "browser" = "Deno" in globalThis
  ? "deno"
  : "Bun" in globalThis
  ? "bun"
  : "document" in globalThis
  ? "browser"
  : "node";

const RUNNERS = {
  deno: () => Promise.resolve(denoTest),
  bun: bunTest,
  node: nodeTest,
  browser: () => Promise.resolve(pageTest),
};

const { env = {} }: { env?: Record<string, string | undefined> } =
  (globalThis as { process?: { env: Record<string, string> } }).process ?? {};

/** Whether all runtimes are tested at once, by `npm test`. */
const isOneOfAll = env.TEST_BRIEFLY === "yes";

/**
 * Whether to leave out what takes long and is hardly another on each runtime:
 * `npm test` runs it on Deno alone, `npm test -- bun` and the like do it.
 */
export const isBrief: boolean = isOneOfAll && runtime !== "deno";

/** Where `npm test` tests what the engine does, whatever starts its workers. */
const HOMES: Record<string, (typeof runtime)[]> = {
  web: ["deno", "bun"],
  threads: ["node"],
  processes: ["bun"], // where they start fastest
  inline: ["deno", "bun", "node"],
  nats: ["deno"], // an engine of its own
};

/**
 * Whether to leave out what the engine does with workers of one backend, as
 * `npm test` tests it with another one here, and with this one elsewhere.
 */
export function isEngineTestedElsewhere(backend: string): boolean {
  return runtime === "browser"
    ? new URLSearchParams(location.search).has("brief")
    : isOneOfAll && !HOMES[backend].includes(runtime);
}

/** Where a test of the contract may run, as `npm test -- --turn N` goes round. */
const ROOMS = [
  ...["deno web", "deno threads", "deno processes", "deno inline", "deno nats"],
  ...["bun web", "bun threads", "bun processes", "bun inline", "bun nats"],
  ...["node threads", "node processes", "node inline", "node nats"],
];

/**
 * Whether `npm test -- --turn N` leaves a test of the contract to another backend,
 * here or on another runtime.
 */
export function isOfAnotherTurn(title: string, backend: string): boolean {
  if (env.TEST_TURN === undefined) return false;
  let sum = Number(env.TEST_TURN);
  for (const char of title) sum += char.codePointAt(0)!;
  return ROOMS[sum % ROOMS.length] !== `${runtime} ${backend}`;
}

/** Whether a backend is but another name of "threads", as "web" on Node.js. */
export function isThreadsAgain(backend: string): boolean {
  return backend === "web" && runtime === "node";
}

/** Makes a function that registers tests, where options may be left out. */
export function withOptions(register: Register): Test {
  return (name: string, ...rest: [Body] | [Options, Body]) =>
    rest.length === 1 ? register(name, {}, rest[0]) : register(name, ...rest);
}

const register = await RUNNERS[runtime]();

/** Registers a test with the runner of the runtime at hand. */
export const test: Test = withOptions(register);

/** Makes a function that registers tests leave them out where that is brief. */
export function unlessBrief(register: Test): Test {
  return withOptions((name, options, body) =>
    register(name, { ...options, ignore: isBrief || options.ignore }, body)
  );
}

/** Registers a test that need not run on each runtime. */
export const testOnce: Test = unlessBrief(test);
