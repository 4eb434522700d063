/**
 * Each peer in its natural use: as its own documentation shows it, one call a
 * task, nothing batched by hand.
 *
 * @module
 */

import * as tasks from "../tasks.ts";

/** The functions of `tasks.ts`, by name. */
export type TaskName = "trivial" | "object" | "sum" | "spin" | "slowAdd";

/** A pool of a peer, up. */
export interface PeerPool {
  /**
   * Maps inputs.
   *
   * @param name The function.
   * @param inputs One value a task.
   * @param moved Whether the values are buffers to be moved.
   */
  map(name: TaskName, inputs: unknown[], moved: boolean): Promise<unknown[]>;
  close(): unknown;
}

/** Starts a pool of that many workers. */
export type StartPeer = (workers: number) => Promise<PeerPool>;

// Imported by name, so that the check of this repository does not need them.
// deno-lint-ignore no-explicit-any -- packages that are not installed for the check
const load = (name: string): Promise<any> => import(name);

// Nothing is imported for it: what a cold start loads is measured.
const isBun = "Bun" in globalThis;

const functions = new URL("../tasks.ts", import.meta.url).href;

const poolifier: StartPeer = async (workers) => {
  const { FixedThreadPool } = await load("poolifier-web-worker");
  const pool = new FixedThreadPool(
    workers,
    new URL("./poolifier_worker.ts", import.meta.url),
  );
  return {
    map: (name, inputs, moved) =>
      // One transfer list is all that mapExecute takes, which breaks for two.
      moved
        ? Promise.all(
          inputs.map((value) => pool.execute(value, name, undefined, [value])),
        )
        : pool.mapExecute(inputs, name),
    close: () => pool.destroy(),
  };
};

const workerpool: StartPeer = async (workers) => {
  const { default: { pool: open } } = await load("workerpool");
  const script = new URL("./workerpool_worker.ts", import.meta.url);
  const pool = open(isBun ? script.href : script.pathname, {
    maxWorkers: workers,
    // The kind that it chooses by itself never answers on Bun.
    workerType: isBun ? "web" : "thread",
  });
  return {
    map: (name, inputs, moved) =>
      Promise.all(
        inputs.map((value) =>
          pool.exec(name, [value], { transfer: moved ? [value] : [] })
        ),
      ),
    close: () => pool.terminate(),
  };
};

function pooled(from: string, threads: boolean): StartPeer {
  return async (workers) => {
    const module = await load(from);
    const Class = module.default ?? module[from];
    const pool = new Class({
      filename: functions,
      minThreads: workers,
      maxThreads: workers,
    });
    return {
      map: (name, inputs, moved) =>
        Promise.all(
          inputs.map((value) =>
            pool.run(value, { name, transferList: moved ? [value] : undefined })
          ),
        ),
      close: () => threads ? pool.close() : pool.destroy(),
    };
  };
}

const multithreading: StartPeer = async (workers) => {
  const { spawn, move, initRuntime, shutdown } = await load("multithreading");
  initRuntime({ maxWorkers: workers });
  return {
    map: (name, inputs) =>
      Promise.all(inputs.map(async (value) => {
        const result = await spawn(move(value), tasks[name]).join();
        if (!result.ok) throw result.error;
        return result.value;
      })),
    close: () => shutdown(),
  };
};

/** All peers, by name. */
export const PEERS: Record<string, StartPeer> = {
  "poolifier-web-worker": poolifier,
  workerpool,
  piscina: pooled("piscina", true),
  tinypool: pooled("tinypool", false),
  multithreading,
};
