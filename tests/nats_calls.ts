// The calls of the library, done by a pool on NATS: each pool of the contract is
// a client and a machine of its own, on one server for the whole file.
import { type ClusterOptions, NatsPool, runWorker } from "@parallel/map-nats";
import type { PoolOptions, RunEvent, RunOptions } from "../mod.ts";
import { findServer, startServer } from "../src/nats/server.ts";
import type { ContractCalls, ContractEngine } from "./contract.ts";
import { isBrief } from "./harness.ts";
import { PATIENT } from "./nats.ts";

// Opened here, so that no test seems to leave it open: the last one ends it.
const absent = isBrief || findServer() === undefined;
const server = absent ? undefined : await startServer();

const KEYS = ["workers", "backend", "module", "workerData", "init"]
  .concat("maxTasksPerWorker", "maxMemory");

/** A client that is connected, and its place. */
interface Client {
  at: ClusterOptions;
  pool: NatsPool;
  onEvent: PoolOptions["onEvent"];
}

let pools = 0;
/** Those that no test has used yet: calls do not wait for one. */
const clients: Client[] = [];
/** Pools that a test does not close, as those of this machine need not be. */
const unclosed = new Set<ContractPool>();
const coming = new Set<Promise<Client>>();
let failed: unknown; // the last that could not be made

/** On a busy machine the server may not answer in its time. */
const atLast = <R>(open: () => Promise<R>): Promise<R> => open().catch(open);

async function connect(): Promise<Client> {
  const { servers, connection } = server!;
  const name = `contract-${++pools}`;
  const at = { servers, connection, pool: name, storage: "memory" } as const;
  const onEvent = (event: RunEvent) => client.onEvent?.(event);
  const open = () => NatsPool.connect({ ...at, ...PATIENT, onEvent });
  const pool = await atLast(open);
  const client: Client = { at, pool, onEvent: undefined };
  return client;
}

/** Has clients made for the calls to come. */
function refill(): void {
  while (clients.length + coming.size < 12) {
    const client = connect();
    coming.add(client);
    client.then((one) => clients.push(one)).catch((error) => failed = error)
      .finally(() => coming.delete(client));
  }
}

/** Runs a test with clients at hand. */
async function around(body: () => Promise<void>): Promise<void> {
  refill();
  await Promise.all(coming);
  await body();
}

/** Ends what the tests have left: the last of them. */
async function end(): Promise<void> {
  await Promise.all(coming);
  for (const pool of unclosed) await pool.close();
  for (const { pool } of clients.splice(0)) await pool.close();
  await server?.close();
}

/** A pool of the contract. */
class ContractPool implements AsyncDisposable {
  readonly #client: Client;
  readonly #machine: Promise<{ close(): Promise<void> }>;
  readonly #module: unknown;

  constructor(options: PoolOptions = {}) {
    const { workers, onEvent, ...own } = options;
    this.#module = options.module;
    const client = clients.shift();
    if (client === undefined) {
      const cause = failed;
      throw new Error("a test has twelve pools at once", { cause });
    }
    refill();
    client.onEvent = onEvent;
    this.#client = client;
    const { at } = client;
    const more = { ...at, slots: workers, allowShipped: true };
    this.#machine = atLast(() => runWorker({ ...own, ...more }));
    this.#machine.catch(() => {}); // heard when it is closed
    unclosed.add(this);
  }

  /** A call that no machine will serve ends with why there is none. */
  async #served<R>(call: Promise<R>): Promise<R> {
    const never = this.#machine.then(() => new Promise<never>(() => {}));
    return await Promise.race([call, never]);
  }

  /** Names an export, where the pool has a module. */
  #fn(fn: unknown, options: RunOptions = {}): never {
    const module = options.module ?? this.#module;
    const named = module !== undefined && typeof fn === "function";
    return (named ? (fn as { name: string }).name : fn) as never;
  }

  #options({ module: _, ...options }: RunOptions = {}): object {
    return options;
  }

  async start() {
    await this.#client.pool.start();
  }

  async map(fn: unknown, inputs: never, options?: RunOptions) {
    return await this.#served(this.#client.pool.map(
      this.#fn(fn, options),
      inputs,
      this.#options(options),
    ));
  }

  async mapSettled(fn: unknown, inputs: never, options?: RunOptions) {
    const own = this.#options(options);
    return await this.#served(this.#client.pool.mapSettled(
      this.#fn(fn, options),
      inputs,
      own,
    ));
  }

  async reduce(
    fn: unknown,
    combine: never,
    inputs: never,
    options?: RunOptions,
  ) {
    const own = this.#options(options);
    return await this.#served(this.#client.pool.reduce(
      this.#fn(fn, options),
      combine,
      inputs,
      own,
    ));
  }

  stream(fn: unknown, inputs: never, options?: RunOptions) {
    const own = this.#options(options);
    return this.#client.pool.stream(this.#fn(fn, options), inputs, own);
  }

  async close(options?: { finish?: boolean }) {
    unclosed.delete(this);
    try {
      await this.#client.pool.close(options);
    } finally {
      await (await this.#machine).close();
    }
  }

  [Symbol.asyncDispose]() {
    return this.close();
  }
}

/** Makes a pool for one call, and gives the call its options. */
function forOne(options: Record<string, unknown> = {}) {
  const pool: Record<string, unknown> = {};
  const call: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(options)) {
    (KEYS.includes(name) ? pool : call)[name] = value;
    if (name === "onEvent") pool[name] = value;
  }
  if (pool.onEvent !== undefined) delete call.onEvent;
  return { pool: new ContractPool(pool), call };
}

async function once(
  method: "map" | "mapSettled" | "reduce",
  args: unknown[],
): Promise<unknown> {
  const most = method === "reduce" ? 3 : 2;
  const { pool, call } = forOne(args[most] as Record<string, unknown>);
  try {
    const run = pool[method] as (...args: unknown[]) => Promise<unknown>;
    return await run.call(pool, ...args.slice(0, most), call);
  } finally {
    await pool.close();
  }
}

const calls = {
  parallelMap: (...args: unknown[]) => once("map", args),
  parallelMapSettled: (...args: unknown[]) => once("mapSettled", args),
  parallelReduce: (...args: unknown[]) => once("reduce", args),
  parallelMapStream(fn: unknown, inputs: never, options?: object) {
    const { pool, call } = forOne(options as Record<string, unknown>);
    const stream = pool.stream(fn, inputs, call);
    return async function* () {
      try {
        yield* stream;
      } finally {
        await pool.close();
      }
    }();
  },
  Pool: ContractPool,
} as unknown as ContractCalls;

/** An engine on NATS. */
export const natsEngine: ContractEngine = { calls, absent, around, end };
