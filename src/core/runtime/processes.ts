/**
 * Child processes: what ends one, a crash or lack of memory, is the end of one
 * worker and nothing else. They share no memory with the caller. Not through
 * the channel that runtimes have for this, which loses the last messages before
 * an end, but through pipes: docs/processes.md.
 *
 * @module
 */

import { keptNames } from "../../words/kept_names.ts";
import { bootSource } from "../worker/boot.ts";
import type { Packed } from "../wire/packing.ts";
import { createFrames, type Frames, type V8 } from "../wire/frames.ts";
import { withoutDebugger } from "./debugger.ts";
import { startFolder } from "./folder.ts";
import { createNotes } from "./notes.ts";
import { type Pipe, writer } from "./pipe.ts";
import { isFromWorker } from "./process_message.ts";
import { onProgramEnd } from "./program_end.ts";
import {
  bootProcess,
  openProcessPort,
  readPipe,
  watchCaller,
} from "./process_port.ts";
import type {
  Backend,
  WantedOfProcesses,
  WorkerEnd,
  WorkerHandle,
  WorkerListener,
} from "./runtime.ts";
import { after } from "./timers.ts";
import { writeAtOnce } from "./write_at_once.ts";

/** How a runtime starts itself once more. */
export interface ProcessSetup {
  /** Changes the path of the program, if it must be. */
  pathOf?(execPath: string): string;
  /** Its arguments, so that it runs a source text. */
  argsFor(source: string): string[];
  /** The folder that it looks for its settings in; the current one if left out. */
  folder?: string | undefined;
  /** Environment variables, beside those of the caller. */
  env?: Record<string, string>;
  /** Whether its thread that watches knows standard input alone; false if left out. */
  watchesInput?: boolean;
  /** Whether it may load modules; true if left out. */
  imports?: boolean;
  /** Whether the caller may end a group of processes; true if left out. */
  endsGroups?: boolean;
}

interface Child {
  /** Undefined when it could not be started. */
  pid: number | undefined;
  /** Undefined where there was no descriptor left for them. */
  stdio: Pipe[] | undefined;
  on(
    name: "exit",
    listener: (code: number | null, signal: string | null) => void,
  ): void;
  on(name: "close", listener: () => void): void;
  on(name: "error", listener: (error: Error) => void): void;
  kill(signal: string): void;
  ref(): void;
  unref(): void;
}

interface Modules {
  execPath: string;
  kill(pid: number, signal: string): void;
  env: Record<string, string | undefined>;
  getBuiltinModule(name: "node:v8"): V8;
  getBuiltinModule(name: "node:child_process"): {
    spawn(command: string, args: string[], options: object): Child;
  };
}

/**
 * Describes child processes.
 *
 * @param setup How they are started.
 * @returns The backend.
 */
export function processes(setup: ProcessSetup): Backend {
  const frames = openFrames();
  return {
    sharesMemory: false,
    limitsMemory: true,
    imports: setup.imports ?? true,
    crossing: frames,
    stopsLoops: true,
    startBlocks: false,
    start: (listener) => startProcess(setup, frames, listener),
  };
}

/**
 * Refuses permissions, where the runtime would not keep to them.
 *
 * @param wanted What is wanted.
 * @param name Of the runtime.
 * @throws {TypeError} When less is wanted than the caller may do.
 */
export function refusePermissions(
  { permissions = "inherit" }: WantedOfProcesses,
  name: string,
): void {
  if (permissions === "inherit") return;
  throw new TypeError(
    `Cannot start processes as "permissions" other than "inherit" needs Deno, which keeps to them: received ${
      permissions === "none" ? '"none"' : "an object"
    } on ${name}`,
  );
}

function modules(): Modules {
  return (globalThis as unknown as { process: Modules }).process;
}

let opened: Frames | undefined;

function openFrames(): Frames {
  return opened ??= createFrames(modules().getBuiltinModule("node:v8"));
}

/** Imports a module, in a process. */
const LOAD = "(url) => import(url)";

/** A call of a self-contained function, as source text. */
function callOf(fn: (...args: never[]) => void, argument: string): string {
  const source = `(${fn})(${argument})`;
  return keptNames(source) + source;
}

/**
 * Writes the program of a process. All of it is code: whether texts may become
 * that is not known here.
 *
 * @returns JavaScript, a module without imports.
 */
export function processSource(): string {
  const watch = callOf(watchCaller, String(readPipe));
  const url = `data:text/javascript,${encodeURIComponent(watch)}`;
  const portParts = ["crossing", readPipe, createNotes, JSON.stringify(url)];
  const worker = bootSource(openProcessPort, portParts, {
    whole: true,
    crossing:
      `(${createFrames})(globalThis.process.getBuiltinModule("node:v8"))`,
  });
  return `const { bun, deno } = globalThis.process.versions; // and not a shim of theirs
if (bun === undefined && deno === undefined) { ${callOf(writeAtOnce, "")} }
${worker}`;
}

let program: Uint8Array | undefined;

/** Bytes of the program, with their number before them. */
function programFrame(): Uint8Array {
  // Frames of "blob:" are left out of stacks: see codec.ts. In braces, as a
  // script would put its names among the globals, where tasks see them.
  const text = `{${processSource()}}\n//# sourceURL=blob:parallel-map`;
  const body = new TextEncoder().encode(text);
  const frame = new Uint8Array(4 + body.length);
  frame.set(new Uint8Array(Uint32Array.of(body.length).buffer));
  frame.set(body, 4);
  return frame;
}

/** How long nothing comes from a worker that has ended until it is all, in ms. */
const SILENCE_MS = 50;

/**
 * How long one that hears nothing any more may take to end by itself, in ms:
 * with less, its own exit code would be lost where it is slow to exit.
 */
const DEAF_MS = 500;

function startProcess(
  { pathOf, argsFor, folder, env, watchesInput, endsGroups = true }:
    ProcessSetup,
  frames: Frames,
  listener: WorkerListener,
): WorkerHandle {
  const { env: inherited, execPath } = modules();
  const { spawn } = modules().getBuiltinModule("node:child_process");
  const command = pathOf?.(execPath) ?? execPath;
  const { cwd, goesTo } = startFolder(folder);
  const boot = callOf(bootProcess, `${LOAD}, ${JSON.stringify(goesTo)}`);
  const child = spawn(command, argsFor(boot), {
    cwd,
    // What tasks print goes where the caller's own goes. Last is what the thread
    // that watches reads, or else standard input is.
    stdio: watchesInput
      ? ["pipe", "inherit", "inherit", "pipe", "pipe"]
      : ["ignore", "inherit", "inherit", "pipe", "pipe", "pipe"],
    // Of a session of its own: Ctrl-C is the caller's to hear. So it is a group
    // of its own as well.
    detached: true,
    windowsHide: true,
    env: { ...withoutDebugger(inherited), ...env },
  });
  const [stdin, , , input, output, last]: (Pipe | undefined)[] = child.stdio ??
    [];
  const control = watchesInput ? stdin : last;
  // Deno 2.9.5 throws at ref() of one that could not be started.
  const started = child.pid === undefined ? undefined : child;
  let detail: WorkerEnd | undefined;
  let run = 0; // number of the last that it heard of
  let parts = 0; // how often bytes came
  let tag = 0; // what marks its messages
  let exited = false; // it may have said more, which is on its way
  let terminated = false;
  let ended = false;
  let callOffEnd: (() => void) | undefined;
  let callOffKill: typeof callOffEnd;
  const callOffExit = onProgramEnd(kill);

  function end(): void {
    if (ended) return;
    ended = true;
    callOffEnd?.();
    callOffKill?.();
    callOffExit();
    close();
    listener.onEnd(detail ?? {});
  }

  function close(): void {
    for (const pipe of [control, input, output]) pipe?.destroy();
  }

  /** With it ends what tasks have started, as long as it is in its group. */
  function kill(): void {
    if (ended || started === undefined) return;
    try {
      if (endsGroups) return modules().kill(-started.pid!, "SIGKILL");
    } catch { /* no such group: it has ended, or this is Windows */ }
    started.kill("SIGKILL");
  }

  /** A process that a task started may keep the pipe open: wait for silence. */
  function endSoon(before: number): void {
    callOffEnd = after(SILENCE_MS, () => {
      if (parts === before) end();
      else endSoon(parts);
    });
  }

  child.on("error", (error) => {
    detail ??= { error }; // it could not be started
    end();
  });
  child.on("exit", (code, signal) => {
    exited = true;
    detail = signal !== null ? { signal } : { code: code ?? undefined };
    if (!ended) endSoon(-1);
  });
  child.on("close", end);
  // One that lost this end of its own, as a task closed it, would hear nothing,
  // and Node.js 24 tells no error.
  input?.on("close", () => {
    if (!terminated && !ended) callOffKill = after(DEAF_MS, kill);
  });
  for (const pipe of [control, input, output]) pipe?.on("error", () => {});
  const take = frames.split((bytes) => {
    let message: unknown;
    try {
      message = frames.read(bytes);
    } catch {
      return listener.onUnreadable();
    }
    // A task may have written it.
    const holds = !Array.isArray(message) || isFromWorker(message[1]);
    if (holds) listener.onMessage(message);
    else listener.onUnreadable();
  });
  output?.on("data", (bytes) => {
    parts++;
    if (!terminated) take(bytes);
  });
  const write = writer(input);
  write(program ??= programFrame());

  /** Says in its place that it has begun none of that, and is to be replaced. */
  function giveBack(serial: number): void {
    const values: Packed = { as: "list", values: [] };
    const none = { type: "done", serial, tasks: 0, values, ms: 0, bytes: 0 };
    queueMicrotask(() => listener.onMessage([tag, { ...none, full: true }]));
  }

  return {
    post(message) { // what would be moved is copied: nothing else is there
      if (message.type === "start") tag = message.tag;
      if (exited && message.type === "chunk") return giveBack(message.serial);
      if (message.type === "chunk" && message.run) run = message.run.number;
      for (const bytes of frames.write(message)) write(bytes);
      if (message.type === "over") {
        control?.write(new Uint8Array(Int32Array.of(run).buffer));
      }
    },
    terminate() {
      terminated = true;
      kill();
      close();
      if (exited) end();
    },
    setBusy(busy) {
      // Node.js 24 waits until one that is closed is open, once more each time.
      const open = [control, input, output].filter((pipe) => !pipe?.destroyed);
      for (const one of [started, ...open]) {
        try {
          if (busy) one?.ref?.();
          else one?.unref?.();
        } catch {
          // Deno 2.9.5 throws when it has ended, before it says so.
        }
      }
    },
  };
}
