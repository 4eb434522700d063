/**
 * The runs of clients that take place on this machine, and what of them it will
 * do: it calls the exports of one module, which its operator named.
 *
 * @module
 */

import type { CallData, Clock, Engine, FunctionRef } from "@parallel/map/seam";
import type { Callers } from "./callers.ts";
import { forLines } from "./lines.ts";
import { MachineRun } from "./machine_run.ts";
import type { CallMessage, MachineInfo, SentFunction } from "./messages.ts";

type Call = CallMessage & { type: "call" };

/** What became of the question what a run is; an error says why it cannot be. */
export type Found = MachineRun | "over" | "silent" | Error;

/** What the runs are made with. */
export interface MachineRunsSetup {
  info: MachineInfo;
  /** Reads which version of the module is there now. */
  readFingerprint(): string | undefined;
  clock: Clock;
  engine: Engine;
  callers: Callers;
}

/** The runs on this machine. */
export class MachineRuns {
  readonly #setup: MachineRunsSetup;
  readonly #known = new Map<string, MachineRun | Error>();
  /** Questions that are not answered. */
  readonly #asked = new Map<string, Promise<Found>>();
  #number = 0;

  /** Has none yet. */
  constructor(setup: MachineRunsSetup) {
    this.#setup = setup;
  }

  /**
   * Finds a run: asks its client what it is, and, of one that is known, now and
   * then whether it goes on.
   *
   * @param client Id of the client.
   * @param run Its number there.
   * @returns The run.
   */
  async find(client: string, run: string): Promise<Found> {
    const key = `${client}.${run}`;
    const known = this.#known.get(key);
    if (known !== undefined && this.#setup.callers.heard(client)) return known;
    return await this.#askOnce(client, run);
  }

  /**
   * Asks what has become of the runs of a client: those that are over end. One
   * that has none here may have answers that it does not take, if it is gone.
   */
  async look(client: string): Promise<void> {
    const runs = this.#runsOf(client).map((key) => key.split(".")[1]!);
    await Promise.all(runs.map((run) => this.#askOnce(client, run)));
    if (runs.length > 0) return;
    const { callers } = this.#setup;
    const said = await callers.ask(client, "", true);
    if (said !== "silent") callers.forget(client);
  }

  /** Asks what a run is, unless it was asked for another chunk. */
  async #askOnce(client: string, run: string): Promise<Found> {
    const key = `${client}.${run}`;
    const before = this.#asked.get(key);
    if (before !== undefined) return await before;
    const asked = this.#ask(client, run);
    this.#asked.set(key, asked);
    try {
      return await asked;
    } finally {
      this.#asked.delete(key);
    }
  }

  async #ask(client: string, run: string): Promise<Found> {
    const { callers } = this.#setup;
    const key = `${client}.${run}`;
    const known = this.#known.get(key);
    const said = await callers.ask(client, run, known !== undefined)
      .catch((error: Error) => error);
    if (said === "silent") return said;
    if (!this.#asked.has(key)) return "over"; // as it was told meanwhile
    if (said instanceof Error || said.type === "call") {
      if (known !== undefined) return known;
      const found = said instanceof Error ? said : this.#begin(said);
      this.#known.set(key, found);
      return found;
    }
    if (said.type === "on" && this.#known.has(key)) return known!;
    this.end(key);
    return "over";
  }

  /** Whether a run goes on here. */
  has(client: string, run: string): boolean {
    return this.#known.has(`${client}.${run}`);
  }

  /** Ends a run that is over for its client. */
  end(key: string): void {
    const known = this.#known.get(key);
    this.#known.delete(key);
    this.#asked.delete(key);
    const client = key.split(".")[0]!;
    if (this.#runsOf(client).length === 0) {
      this.#setup.callers.forget(client);
    }
    if (known instanceof MachineRun) known.end();
  }

  /** Ends all runs of a client that is gone. */
  endAll(client: string): void {
    for (const key of this.#runsOf(client)) this.end(key);
  }

  #runsOf(client: string): string[] {
    return [...this.#known.keys()].filter((key) =>
      key.startsWith(`${client}.`)
    );
  }

  /** Ends all. */
  close(): void {
    this.#asked.clear(); // nothing begins any more
    for (const key of [...this.#known.keys()]) this.end(key);
    this.#setup.callers.close();
  }

  #begin(call: Call): MachineRun | Error {
    try {
      this.#checkVersion(call);
      const { fn, data } = this.#functionOf(call);
      return new MachineRun({
        ...this.#setup,
        number: ++this.#number,
        call,
        fn,
        combine: call.combine && this.#load(call.combine),
        data,
        slots: this.#setup.info.slots,
      });
    } catch (error) {
      return error as Error;
    }
  }

  #checkVersion({ fingerprint }: Call): void {
    const own = this.#setup.info.fingerprint;
    const now = this.#setup.readFingerprint(); // workers that start load that
    if (now !== own) {
      throw new Error(
        `the module of a machine must be what it was when that started: received version ${now} in place of ${own} (start the machine again)`,
      );
    }
    if (fingerprint === undefined || own === fingerprint) return;
    throw new Error(
      `all machines of a pool must have the same version of the module: received ${own} where others have ${fingerprint}`,
    );
  }

  #functionOf(
    { fn, lines, data }: Call,
  ): { fn: FunctionRef; data: CallData | undefined } {
    const ref = this.#load(fn);
    if (lines !== undefined) return forLines(ref, lines, this.#setup.info.name);
    return { fn: ref, data: data && this.#openData(data) };
  }

  /** The functions in data come by their sources. */
  #openData(data: CallData): CallData {
    const functions = data.functions.map(({ path, ref }) => ({
      path: path.map(String),
      ref: this.#load(ref as SentFunction),
    }));
    return { value: data.value, functions };
  }

  /** Makes of a message what the workers load, and nothing else than that. */
  #load({ name, source }: SentFunction): FunctionRef {
    const { module, allowShipped } = this.#setup.info;
    if (typeof name !== "string") throw new TypeError("a function has a name");
    if (source === undefined) {
      if (module !== undefined) {
        return {
          from: "module",
          name,
          url: module,
          given: undefined,
          entry: false,
        };
      }
      throw new Error(
        `the machine must have a module to take "${name}" from: received none (start it with one)`,
      );
    }
    if (!allowShipped) {
      throw new Error(
        `the machine must be started with --allow-shipped to run functions that are sent by their source: received ${
          name || "a function"
        } (give the name of an export of its module instead)`,
      );
    }
    return { from: "source", name, source: String(source) };
  }
}
