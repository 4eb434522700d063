#!/usr/bin/env -S deno run -A
/**
 * `@parallel/map-nats/worker`: the command that makes a machine serve a pool.
 *
 * ```sh
 * deno run -A jsr:@parallel/map-nats/worker --servers nats://a:4222 --pool images ./work.ts
 * ```
 *
 * @module
 */

import { resolve } from "node:path";
import process from "node:process";
import { pathToFileURL } from "node:url";
import { parseArgs } from "node:util";
import { nameThrown } from "@parallel/map/seam";
import type { WorkerOptions } from "./options.ts";
import { runWorker } from "./run_worker.ts";

const HELP = `Usage: worker --pool NAME [--servers URL,…] [options] [MODULE]

Serves a pool: has the tasks of its clients done by workers of this machine, until
SIGTERM or SIGINT. What runs then ends first; a second signal does not wait. The
status is 1 if results could not be delivered: other machines do them again.

MODULE is a file or a URL: its exports are what clients can call, and nothing else.

  --servers URL,…    the NATS servers, with JetStream; or NATS_URL. A user and a
                     password, or a token, stand before the @ of the URL;
                     tls:// refuses a server without TLS
  --pool NAME        the pool
  --slots N          tasks at once; as many as there are cores
  --name NAME        what this machine is called; the name of the host
  --backend KIND     web, threads or processes: what a task runs in
  --max-memory MB    for one task, with --backend processes
  --ca FILE          whom to trust, for TLS
  --cert FILE --key FILE     who this is, for TLS
  --memory           keep what is under way in the server's memory
  --replicas N       keep it on so many servers of a cluster
  --ack-wait MS      after how long without a sign of life tasks go elsewhere
  --load-timeout MS  how long MODULE may take to load; 60000
  --server-timeout MS        how long the results of what ran may take to get to
                     the server when this ends; 60000
  --attempts N       machines lost under a task until it counts as what ends them
  --allow-shipped    run functions that clients send by their source: whoever may
                     speak on the subjects of the pool can run any program here
  --help             this text
`;

/** What the command line says. */
function read(args: string[]): WorkerOptions | undefined {
  const text = { type: "string" } as const;
  const flag = { type: "boolean" } as const;
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      ...{ servers: text, pool: text, slots: text, name: text, backend: text },
      ...{ "max-memory": text, ca: text, cert: text, key: text },
      ...{
        memory: flag,
        replicas: text,
        "ack-wait": text,
        "load-timeout": text,
        "server-timeout": text,
        attempts: text,
        "allow-shipped": flag,
        help: flag,
      },
    },
  });
  if (values.help) return undefined;
  const { servers = process.env.NATS_URL || undefined, pool } = values;
  const [module, ...more] = positionals;
  if (servers === undefined || pool === undefined || more.length > 0) {
    throw new TypeError(
      "Cannot serve as --servers, --pool and one module at most must be given",
    );
  }
  const { ca: caFile, cert: certFile, key: keyFile } = values;
  const tls = caFile ?? certFile ?? keyFile;
  const options: WorkerOptions = {
    servers: servers.split(","),
    pool,
    module: module === undefined ? undefined : urlOf(module),
    slots: numberOf(values.slots),
    name: values.name,
    backend: values.backend,
    maxMemory: numberOf(values["max-memory"]),
    ackWait: numberOf(values["ack-wait"]),
    loadTimeout: numberOf(values["load-timeout"]),
    serverTimeout: numberOf(values["server-timeout"]),
    attempts: numberOf(values.attempts),
    allowShipped: values["allow-shipped"],
    replicas: numberOf(values.replicas),
    storage: values.memory ? "memory" : undefined,
    connection: tls && { tls: { caFile, certFile, keyFile } } || undefined,
  };
  return options;
}

function numberOf(text: string | undefined): number | undefined {
  return text === undefined ? undefined : Number(text);
}

function urlOf(module: string): string {
  return /^\w\w+:/.test(module) ? module : pathToFileURL(resolve(module)).href;
}

/** Serves until a signal comes. */
async function serve(options: WorkerOptions): Promise<void> {
  const machine = await runWorker(options);
  const told = untilSignal();
  const { name, slots, runtime } = machine.info;
  console.log(
    `${name}: serves pool "${options.pool}" with ${slots} slot${
      slots === 1 ? "" : "s"
    } on ${runtime}`,
  );
  const error = await Promise.race([told, machine.cutOff]);
  if (error !== undefined) {
    throw new Error(
      `Cannot serve as a server must keep the connection: received ${
        nameThrown(error)
      }`,
      { cause: error },
    );
  }
  await machine.close();
}

/**
 * For how many ms after the first signal another is taken for the same, which npm
 * passes on to who has it already. Less, and on a busy machine tasks are lost;
 * more, and a person waits who has sent a second one. No bench.
 */
const SAME_MS = 500;

async function untilSignal(): Promise<undefined> {
  const { promise, resolve } = Promise.withResolvers<void>();
  let first: number | undefined; // when it came
  const hear = (signal: NodeJS.Signals) => {
    const now = performance.now();
    if (first !== undefined) {
      if (now - first > SAME_MS) process.exit(130);
      return;
    }
    first = now;
    console.log(`${signal}: what runs ends first (a second one does not wait)`);
    resolve();
  };
  process.on("SIGTERM", hear);
  process.on("SIGINT", hear);
  await promise;
  return undefined;
}

if (import.meta.main) {
  // Who reads what it prints may be gone, as `tee` after Ctrl-C. On Node.js, the
  // next line would end what runs.
  for (const stream of [process.stdout, process.stderr]) {
    stream.on("error", () => {});
  }
  try {
    const options = read(process.argv.slice(2));
    if (options === undefined) console.log(HELP);
    else await serve(options);
    process.exit(0);
  } catch (error) {
    console.error(nameThrown(error));
    const wrong = error instanceof TypeError || error instanceof RangeError;
    if (wrong) console.error("See --help");
    process.exit(1);
  }
}
