/**
 * `--on`: the machines that do a job instead of this one. What speaks to them is
 * another package, which is loaded by its name when it is needed, so that this
 * one depends on nothing.
 *
 * @module
 */

import { createRequire } from "node:module";
import { join } from "node:path";
import process from "node:process";
import { pathToFileURL } from "node:url";
import type { Settings } from "./command.ts";
import { VERSION } from "./help.ts";
import { rulesOf } from "./job_setup.ts";
import type { Cluster, ClusterPlace, Connect } from "./seam.ts";
import { UsageError } from "./values.ts";

const PACKAGE = "@parallel/map-nats";

/** How long to wait for the servers when the job is over, in ms. No bench. */
const LEAVE_MS = 3000;

/** How long the package waits for a machine at least, in ms. */
const LEAST_WAIT_MS = 1000;

/**
 * Connects to the machines that are to do a job.
 *
 * @param settings Of the job.
 * @param on Where they are.
 * @returns The machines.
 * @throws {UsageError} When they are not to be had: the error says why.
 */
export async function openCluster(
  settings: Settings,
  on: ClusterPlace,
): Promise<Cluster> {
  const { name, expression, loadTimeout } = settings;
  const connect = await loadPackage();
  let cluster: Cluster;
  try {
    const rules = rulesOf(settings);
    const workerTimeout = Math.max(LEAST_WAIT_MS, loadTimeout);
    const place = { ...on, workerTimeout };
    cluster = await connect(place, { name, expression, rules });
  } catch (cause) {
    throw new UsageError((cause as Error).message, { cause });
  }
  const { fingerprint } = cluster;
  return {
    fingerprint,
    stream: (inputs, options) => cluster.stream(inputs, options),
    async close() {
      const late = new Promise((resolve) => setTimeout(resolve, LEAVE_MS));
      // What ended the job was told. Machines ask after a client that is gone.
      await Promise.race([cluster.close().catch(() => {}), late]);
    },
  };
}

const ENTRY = `${PACKAGE}/pmap`;

/** Where the package may be, as each runtime finds it. */
const PLACES: (() => string)[] = "Deno" in globalThis
  ? [() => ENTRY, () => `jsr:${PACKAGE}@^${VERSION}/pmap`]
  : [() => ENTRY, inThisFolder];

/** pmap may be installed for all projects, and the package in one. */
function inThisFolder(): string {
  const { resolve } = createRequire(join(process.cwd(), "pmap.js"));
  return pathToFileURL(resolve(ENTRY)).href;
}

async function loadPackage(): Promise<Connect> {
  let received = "none";
  for (const place of PLACES) {
    try {
      return (await import(place())).connect;
    } catch (error) {
      received = reasonOf(error) ?? received;
    }
  }
  const cure = "Deno" in globalThis
    ? `deno add jsr:${PACKAGE}`
    : `${"Bun" in globalThis ? "bunx" : "npx"} jsr add ${PACKAGE}`;
  throw new UsageError(
    `Cannot run as --on needs the package ${PACKAGE}: received ${received} (install it: ${cure})`,
  );
}

/** Why the package does not load that is there; undefined if it is not. */
function reasonOf(error: unknown): string | undefined {
  const [line = ""] = String((error as Error)?.message ?? error).split("\n");
  return /["'](jsr:)?@parallel\/map-nats/.test(line) ? undefined : line;
}
