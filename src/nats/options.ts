/**
 * How a pool on NATS is connected to, and how a machine serves it.
 *
 * @module
 */

import type { ModuleSpecifier, PoolOptions, RunEvent } from "@parallel/map";
import {
  abortSignal,
  callback,
  flag,
  MOST_AT_ONCE,
  POOL_RULES,
  type Rule,
  type Rules,
  text,
  whole,
} from "@parallel/map/seam";

/** Where a pool is. */
export interface ClusterOptions {
  /**
   * The servers: `nats://HOST:PORT`, one or several of one cluster. `tls://`
   * refuses one without TLS.
   */
  servers: string | readonly string[];
  /**
   * Name of the pool: letters, digits, `-` and `_`. Whoever names the same one
   * on the same servers shares its machines.
   */
  pool: string;
  /**
   * Handed to the client of NATS as it is: `user` and `pass`, `token`, `tls`, an
   * `authenticator`, …: what its `NodeConnectionOptions` name.
   */
  connection?: Record<string, unknown> | undefined;
  /**
   * Where the server keeps what is under way: a `"file"` outlives the server, and
   * `"memory"` is sent again if the server ends. Decided by whoever comes first.
   *
   * @default {"file"}
   */
  // Any string, as of `backend`.
  storage?: "file" | "memory" | (string & Record<never, never>) | undefined;
  /**
   * On how many servers of a cluster that is kept, at most 5: 3 outlive the loss
   * of any one of them. Decided by whoever comes first; another number is then
   * refused.
   *
   * @default {1}
   */
  replicas?: number | undefined;
  /**
   * After how many ms without a sign of life of a machine its tasks go to
   * another one. Decided by the machine that comes first.
   *
   * @default {15000}
   */
  ackWait?: number | undefined;
  /**
   * How many ms a server may be out of reach, or refuse what it is sent, before
   * calls reject, and before a machine that is to end no longer waits to deliver
   * its results.
   *
   * @default {60000}
   */
  serverTimeout?: number | undefined;
}

/** How to connect to a pool. */
export interface ConnectOptions extends ClusterOptions {
  /**
   * How many ms a call waits for a first machine, or for one to come back once
   * all are known to be gone: of one that was killed, that takes up to 12 s.
   *
   * @default {10000}
   */
  workerTimeout?: number | undefined;
  /** Told everything that happens to the workers and tasks of this pool. */
  onEvent?: ((event: RunEvent) => void) | undefined;
}

/** How a machine serves a pool. */
export interface WorkerOptions
  extends ClusterOptions, Omit<PoolOptions, "workers" | "module" | "onEvent"> {
  /**
   * The module whose exports can be called, and nothing else. Without it, and
   * without `allowShipped`, a machine can do nothing.
   */
  module?: ModuleSpecifier | undefined;
  /**
   * How many workers, each with a task at once, or `concurrency` of a call: at
   * most 65,536.
   *
   * @default {navigator.hardwareConcurrency}
   */
  slots?: number | undefined;
  /**
   * What `workers()` calls it.
   *
   * @default the name of the host.
   */
  name?: string | undefined;
  /**
   * Whether to run functions that clients send by their source: whoever may
   * speak on the subjects of the pool can then run any program here.
   *
   * @default {false}
   */
  allowShipped?: boolean | undefined;
  /**
   * How many ms the module may take to load, before a machine does not begin.
   *
   * @default {60000}
   */
  loadTimeout?: number | undefined;
  /**
   * How often a chunk is tried on machines that are lost under it, before its
   * tasks count as what ends them.
   *
   * @default {3}
   */
  attempts?: number | undefined;
  /**
   * After how many ms without a sign of life of a client what it asked for is
   * dropped.
   *
   * @default {10000}
   */
  grace?: number | undefined;
  /** Ends the machine when it aborts: what runs ends first. */
  signal?: AbortSignal | undefined;
}

/**
 * How a pool is made that has a server and a machine of its own. Unless they are
 * given, `backend` is `"processes"` and `allowShipped` is true.
 */
export interface LocalOptions
  extends Omit<WorkerOptions, keyof ClusterOptions> {
  /** Told everything that happens to the workers and tasks of this pool. */
  onEvent?: ((event: RunEvent) => void) | undefined;
}

/** The longest time of a timer, in ms: 25 days. A longer one is over at once. */
const LONGEST_MS = 2 ** 31 - 1;

const ms: Rule = {
  rule: "must be a number of ms from 1000",
  kind: "number",
  holds: (value: number) => value >= 1000,
  // Whole ones, as the server takes no part of a ns.
  copy: (value) =>
    typeof value === "number" && value >= 1000
      ? Math.min(Math.trunc(value), LONGEST_MS)
      : value,
};

const CLUSTER_RULES: Rules = {
  servers: {
    rule: "must be an address such as nats://localhost:4222, or several",
    holds: (value: unknown) =>
      (typeof value === "string" && value !== "") ||
      (Array.isArray(value) && value.length > 0 &&
        value.every((one) => typeof one === "string")),
  },
  pool: {
    rule: 'must be a name of letters, digits, "-" and "_"',
    kind: "string",
    holds: (value: string) => /^[\w-]+$/.test(value),
  },
  connection: { rule: "must be an object", kind: "object", holds: () => true },
  storage: {
    rule: 'must be "file" or "memory"',
    kind: "string",
    holds: (value: string) => ["file", "memory"].includes(value),
  },
  replicas: whole(1, 5),
  ackWait: ms,
  serverTimeout: ms,
};

/** The checks of {@linkcode ConnectOptions}. */
export const CONNECT_RULES: Rules = {
  ...CLUSTER_RULES,
  workerTimeout: ms,
  onEvent: callback,
};

const { workers: _, onEvent, module: __, ...MACHINE_RULES } = POOL_RULES;

/** The checks of {@linkcode LocalOptions}. */
export const LOCAL_RULES: Rules = {
  ...MACHINE_RULES,
  onEvent,
  module: undefined, // checked where it is resolved
  slots: whole(1, MOST_AT_ONCE),
  name: text,
  allowShipped: flag,
  loadTimeout: ms,
  attempts: whole(1),
  grace: ms,
  signal: abortSignal,
};

/** The checks of {@linkcode WorkerOptions}. */
export const WORKER_RULES: Rules = { ...CLUSTER_RULES, ...LOCAL_RULES };
delete WORKER_RULES.onEvent;
