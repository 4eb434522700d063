// Watches one call of a program, interrupts it as planned, and knows which
// outcomes a plain loop, and what happened meanwhile, allow.

import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import {
  type Progress,
  type RunEvent,
  TaskError,
  WorkerLostError,
} from "../../mod.ts";
import type { Deed, Order } from "../fixtures/deeds.ts";
import { count } from "./campaign.ts";
import type { CallPlan } from "./programs.ts";
import type { Opened, Reach } from "./sources.ts";

/** What becomes of a task, whatever else happens. */
function fateOf(deed: Deed, retries: number): "ok" | typeof TaskError {
  switch (deed) {
    case "return":
    case "wait":
    case "post":
      return "ok";
    case "throw once":
      return retries > 0 ? "ok" : TaskError;
    case "exit once":
      return retries > 0 ? "ok" : WorkerLostError;
    case "exit":
    case "close":
    case "stray":
    case "stray rejection":
      return WorkerLostError;
    default:
      return TaskError;
  }
}

/** What the calls of a program share. */
export interface World {
  /** Whether their pool was closed, by any of them. */
  closed: boolean;
  close(): void;
}

/** Watches one call. */
export class Witness implements Reach {
  readonly plan: CallPlan;
  readonly values: (Order | number)[];
  /** What listeners and readers throw. */
  readonly own = new EvalError("the listener's own");
  readonly reason = { why: "the program" };
  /** Whether the reader of a stream left. */
  left = false;
  /** Whether the call has settled, as far as its caller can see. */
  settled = false;
  readonly #abort = new AbortController();
  readonly #world: World;
  /** Whether a listener threw, and has to be heard. */
  #threw = false;
  /** Whether a listener threw, and may be heard. */
  #mayTell = false;
  #heard = new Map<string, number>();
  #progress: Progress[] = [];
  #read: number[] = [];
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(plan: CallPlan, world: World) {
    this.plan = plan;
    this.#world = world;
    const numbers = plan.source.as === "typed array";
    this.values = plan.deeds.map((deed, id) => {
      if (numbers) return id;
      if (deed === "send a function") return { id, deed, send() {} };
      if (deed === "send a proxy") return { id, deed, send: new Proxy({}, {}) };
      return { id, deed };
    });
    const { interruption, source } = plan;
    count("faults", plan.deeds.filter((deed) => deed !== "return").length);
    count("faults", Number(source.fault !== undefined));
    count("faults", Number(interruption !== undefined));
    if (interruption?.by !== "timer") return;
    const { does, after } = interruption;
    this.#timer = setTimeout(() => this[does](), after);
  }

  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  abort(): void {
    this.#abort.abort(this.reason);
  }

  close(): void {
    this.#world.close();
  }

  readonly onProgress = (progress: Progress): void => {
    this.#progress.push(progress);
    this.#interrupt("onProgress", true);
  };

  readonly onEvent = ({ type }: RunEvent): void => {
    // After the end of the run there is nobody left to be told: the end of a
    // worker may come before it, and may come later.
    this.#interrupt("onEvent", type !== "worker-end");
  };

  #interrupt(by: "onProgress" | "onEvent", matters: boolean): void {
    const calls = (this.#heard.get(by) ?? 0) + 1;
    this.#heard.set(by, calls);
    const { interruption: plan } = this.plan;
    if (plan?.by !== by || plan.at !== calls || this.settled) return;
    if (plan.does !== "throw") return this[plan.does]();
    this.#mayTell = true;
    this.#threw ||= matters;
    throw this.own;
  }

  #fate(index: number): "ok" | typeof TaskError {
    const { deeds, options } = this.plan;
    return fateOf(deeds[index] ?? "return", options.retries ?? 0);
  }

  /** The id of the order at an index: an endless source repeats the last. */
  #id(index: number): number {
    return Math.min(index, this.plan.deeds.length - 1);
  }

  /** A `map` resolved. */
  sawResults(results: unknown[], source: Opened): void {
    assertEquals(results.length, this.plan.deeds.length, "number of results");
    for (const [index, result] of results.entries()) {
      assertEquals(this.#fate(index), "ok", `task ${index} did not fail`);
      assertEquals(result, index * 3, `result ${index}`);
    }
    this.sawEnd(source);
  }

  /** A `mapSettled` resolved. */
  sawSettled(results: PromiseSettledResult<unknown>[], source: Opened): void {
    assertEquals(results.length, this.plan.deeds.length, "number of results");
    for (const [index, result] of results.entries()) {
      if (result.status === "fulfilled") {
        assertEquals(this.#fate(index), "ok", `task ${index} did not fail`);
        assertEquals(result.value, index * 3, `result ${index}`);
      } else {
        assertEquals(result.reason.index, index, "index of a failure");
        this.#checkTaskError(result.reason);
      }
    }
    this.sawEnd(source);
  }

  /** A stream gave a value. */
  sawValue(value: number): void {
    const { ordered = true } = this.plan.options;
    const index = this.#read.length;
    if (ordered) {
      assertEquals(this.#fate(index), "ok", `task ${index} did not fail`);
      assertEquals(value, this.#id(index) * 3, `value ${index}`);
    } else if (!this.plan.source.endless) {
      assert(!this.#read.includes(value), `${value} came twice`);
      assertEquals(this.#fate(value / 3), "ok", `task of ${value}`);
    }
    this.#read.push(value);
  }

  /** The call ended well: then nothing may have happened that ends it. */
  sawEnd(source: Opened): void {
    clearTimeout(this.#timer);
    if (this.left) return;
    assert(!source.log.includes("threw"), "the source's error was swallowed");
    assert(!this.#threw, "the listener's error was swallowed");
    if (this.plan.way === "stream") {
      assertEquals(this.#read.length, this.plan.deeds.length, "values read");
    }
    assertEquals(this.#progress.at(-1)?.state, "done", "last state");
  }

  /** The call failed: there must have been a reason. */
  sawError(error: unknown, source: Opened): void {
    clearTimeout(this.#timer);
    if (error === this.own) {
      assert(this.#mayTell || this.left, "nobody threw that");
    } else if (error === source.failure) {
      assert(source.log.includes("threw"), "the source had not thrown");
      this.#checkAllBefore("the source's error");
    } else if (error === this.reason) {
      assert(this.signal.aborted, "nobody aborted");
    } else if (error instanceof TaskError) {
      assert(this.plan.way !== "mapSettled", "mapSettled tells each failure");
      this.#checkTaskError(error);
      this.#checkTurn(error.index);
    } else if (error instanceof DOMException && error.name === "AbortError") {
      assert(this.#world.closed, `nobody closed: ${error}`);
    } else if (error instanceof TypeError && /closed/.test(error.message)) {
      assert(this.#world.closed, `nobody closed: ${error}`);
    } else if (this.#isNonsense && error instanceof TypeError) {
      this.#checkAllBefore("the source's TypeError");
    } else if (isReturnError(error)) {
      assert(this.left, `${error} hides why the call ended`);
    } else throw error;
  }

  get #isNonsense(): boolean {
    return /answers/.test(this.plan.source.fault?.what ?? "");
  }

  #checkTaskError(error: TaskError): void {
    const { index } = error;
    const fate = this.#fate(index);
    const deed = this.plan.deeds[index];
    assert(fate !== "ok", `${deed} failed at ${index} with ${error}`);
    assertStrictEquals(error.constructor, fate, `${deed}: ${error}`);
  }

  /** In a stream, a failure comes when all before it have come. */
  #checkTurn(index: number): void {
    const { ordered = true } = this.plan.options;
    if (this.plan.way !== "stream" || !ordered) return;
    assertEquals(this.#read.length, index, "values before the failure");
  }

  /** In a stream, what the source yielded comes before the source's error. */
  #checkAllBefore(what: string): void {
    const { way, source: { fault } } = this.plan;
    if (way !== "stream") return;
    assertEquals(this.#read.length, fault?.at, `values before ${what}`);
  }

  /** Progress only goes on, and nothing comes after its end. */
  checkProgress(): void {
    const list = this.#progress;
    for (const [i, { state, done, failed, total }] of list.entries()) {
      const at = `progress ${i} of ${list.length}`;
      const last = i === list.length - 1;
      assertEquals(state === "running", !last, `state ${state} at ${at}`);
      if (i === 0) continue;
      const before = list[i - 1];
      assert(done >= before.done, `done went back at ${at}`);
      assert(failed >= before.failed, `failed went back at ${at}`);
      assert(failed <= done, `more failed than done at ${at}`);
      assert(
        before.total === undefined || before.total === total,
        `total went from ${before.total} to ${total} at ${at}`,
      );
    }
  }

  /** The source was asked what for…of would ask it. */
  checkSource({ log }: Opened): void {
    const { as, closing, fault } = this.plan.source;
    if (!/iterator/.test(as) || log.length === 0) return;
    const end = log.findIndex((step) => step === "done" || step === "threw");
    const returns = log.filter((step) => step === "return").length;
    const told = () => `source: ${log.slice(-8).join(", ")}`;
    if (end < 0) {
      const wanted = closing === "is missing" ? 0 : 1;
      assertEquals(returns, wanted, `calls of return(); ${told()}`);
    } else {
      // An async source may be closed while it answers for the last time, and
      // what a source does at its end may close it.
      const mayClose = as !== "iterator" || fault?.what === "next aborts";
      const after = log.slice(end + 1).filter((step) =>
        !(mayClose && step === "return")
      );
      assertEquals(after, [], `asked after its end; ${told()}`);
      assert(returns <= (mayClose ? 1 : 0), `return() too often; ${told()}`);
    }
  }
}

function isReturnError(error: unknown): boolean {
  return error instanceof Error &&
    /return throws|is not an object/.test(error.message);
}
