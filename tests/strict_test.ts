// The sources in the project of somebody else: with stricter flags than here,
// and without the types of the DOM or of Deno, as `bun init` makes a project.
import { assertEquals } from "@std/assert";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { runtime, test } from "./harness.ts";
import { inFolder, ROOT, runProgram } from "./run_program.ts";

/** The flags that `bun init` 1.4.5 sets, and two that are stricter still. */
const FLAGS = {
  strict: true,
  exactOptionalPropertyTypes: true,
  noFallthroughCasesInSwitch: true,
  noImplicitReturns: true,
  noImplicitOverride: true,
  noUncheckedIndexedAccess: true,
  verbatimModuleSyntax: true,
};

/**
 * What `src/` uses of the globals that neither the language nor `node:` has, as
 * `@types/bun` declares them; `deno check` 2.9.5 cannot read that package.
 */
const GLOBALS = `
declare const console: {
  log(...data: unknown[]): void;
  info(...data: unknown[]): void;
  debug(...data: unknown[]): void;
  error(...data: unknown[]): void;
};
declare const crypto: { randomUUID(): string };
declare const navigator: { hardwareConcurrency: number };
declare const performance: { now(): number; timeOrigin: number };

interface Event {
  preventDefault(): void;
  stopImmediatePropagation(): void;
}
interface MessageEvent extends Event { data: any }
interface ErrorEvent extends Event { error: any; message: string }
interface Heard { message: MessageEvent; messageerror: Event; error: ErrorEvent; close: Event }
declare function addEventListener<N extends keyof Heard>(
  name: N, listener: (event: Heard[N]) => void): void;
interface Worker {
  postMessage(message: unknown, moved?: ArrayBuffer[]): void;
  addEventListener: typeof addEventListener;
  terminate(): void;
}
declare var Worker: { new (url: string | URL, options?: object): Worker };
interface MessagePort {
  onmessage: (() => void) | null;
  postMessage(message: unknown): void;
  close(): void;
}
declare var MessageChannel: { new (): { port1: MessagePort; port2: MessagePort } };

interface AbortSignal {
  readonly aborted: boolean;
  readonly reason: any;
  throwIfAborted(): void;
  addEventListener(name: "abort", listener: () => void, options?: object): void;
  removeEventListener(name: "abort", listener: () => void): void;
}
declare var AbortSignal: { new (): AbortSignal };
interface AbortController { readonly signal: AbortSignal; abort(reason?: unknown): void }
declare var AbortController: { new (): AbortController };
declare var DOMException: { new (message?: string, name?: string): DOMException };
declare class Blob { constructor(parts?: string[], options?: object); }
interface URL { href: string; protocol: string; pathname: string }
declare var URL: {
  new (url: string | URL, base?: string | URL): URL;
  canParse(url: string): boolean;
  createObjectURL(blob: Blob): string;
};
declare class TextEncoder {
  encode(text: string): Uint8Array<ArrayBuffer>;
  encodeInto(text: string, to: Uint8Array): { read: number; written: number };
}
interface Response { ok: boolean; status: number; text(): Promise<string> }
declare class TextDecoder {
  constructor(label?: string, options?: object);
  decode(bytes?: Uint8Array, options?: object): string;
}
`;

const { exports } = JSON.parse(readFileSync(join(ROOT, "deno.json"), "utf8"));

/** Where an entry point is. */
const entry = (name: string) =>
  new URL(`../${exports[name]}`, import.meta.url).href;

/** Runs Deno in a project of somebody else. */
function runIn(
  files: Record<string, string>,
  compilerOptions: object,
  command: string[],
) {
  return inFolder((folder) => {
    const all = { ...files, "deno.json": JSON.stringify({ compilerOptions }) };
    for (const [name, text] of Object.entries(all)) {
      writeFileSync(join(folder, name), text);
    }
    return runProgram(["deno", ...command], folder);
  });
}

test(
  "the examples stand strict flags as well",
  {
    timeout: 300_000,
    ignore: runtime !== "deno", // as above
  },
  () => {
    inFolder((folder) => {
      const path = join(folder, "deno.json");
      const imports: Record<string, string> = {
        "@std/assert": new URL("../scripts/std/assert/mod.ts", import.meta.url)
          .href,
      };
      for (const name of Object.keys(exports)) {
        imports[`@parallel/map${name.slice(1)}`] = entry(name);
      }
      const compilerOptions = FLAGS;
      writeFileSync(path, JSON.stringify({ compilerOptions, imports }));
      const pages = readdirSync(join(ROOT, "docs"))
        .filter((name) => name.endsWith(".md")).map((name) => `docs/${name}`);
      const documents = ["README.md", ...pages, "mod.ts", "src"]
        .map((name) => join(ROOT, name));
      const { code, err } = runProgram(
        ["deno", "check", "--doc-only", "--config", path, ...documents],
        ROOT,
      );
      assertEquals(code, 0, err);
    });
  },
);

test(
  "the sources stand strict flags, and need no types of the DOM or of Deno",
  {
    timeout: 300_000,
    ignore: runtime !== "deno", // it is Deno that checks types
  },
  () => {
    const imports = Object.keys(exports)
      .map((name) => `import ${JSON.stringify(entry(name))};\n`);
    const files = { "globals.d.ts": GLOBALS, "main.ts": imports.join("") };
    const options = { ...FLAGS, lib: ["esnext"], types: ["./globals.d.ts"] };
    const { code, err } = runIn(files, options, ["check", "main.ts"]);
    assertEquals(code, 0, err);
  },
);

/** Every option of the bar and the timeline, given as undefined. */
const UNDEFINED = `
import type { BarProgress, TextOutput } from "PROGRESS";
import { progressBar } from "PROGRESS";
import { Timeline, toPage } from "TIMELINE";
const output: TextOutput = { write() {}, isTTY: undefined, columns: undefined };
const bar: (progress: BarProgress) => void = progressBar({ output });
bar({ state: "done", done: 0, failed: 0, total: 0, elapsed: 0, rate: 0,
  eta: undefined, estimated: undefined });
progressBar({ output: undefined });
const timeline = new Timeline({ inputOf: undefined });
timeline.toHtml({ title: undefined, text: undefined });
toPage([{ timeline, title: undefined, text: undefined, notes: undefined,
  scale: undefined }], { title: undefined, text: undefined });
console.log("it ran");
`;

test(
  "with strict flags, options of the bar and the timeline may be undefined",
  {
    timeout: 300_000,
    ignore: runtime !== "deno", // it is Deno that checks types
  },
  () => {
    const program = UNDEFINED.replaceAll("PROGRESS", entry("./progress"))
      .replaceAll("TIMELINE", entry("./timeline"));
    const command = ["run", "--check", "-A", "main.ts"];
    const { code, out, err } = runIn({ "main.ts": program }, FLAGS, command);
    assertEquals([code, out], [0, "it ran\n"], err);
  },
);
