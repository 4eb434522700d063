/**
 * What the command `pmap` and the machines that do its jobs have in common:
 * `@parallel/map/cli-seam`. Not for programs: it may change with any version.
 *
 * @module
 */

import type { StreamOptions, TaskOutcome } from "../../mod.ts";
import type { Done, LineRules, Sent } from "./travel.ts";

export { callForLine, type LineData, openCaller } from "./line_caller.ts";
export type { Done, LineRules, Sent };

/** Where a pool of machines is. */
export interface ClusterPlace {
  /** The servers, without what lets a program in. */
  servers: string[];
  /** What lets this one in; with `tls`, only where that is spoken. */
  connection: { user?: string; pass?: string; token?: string; tls?: object };
  pool: string;
}

/** How long to wait there, in ms: from 1000. */
export interface ClusterPatience {
  workerTimeout: number;
}

/** What is to be called there. */
export interface LineCall {
  /** Name of an export of the module of the machines. */
  name: string;
  /** Or the function itself, in JavaScript. */
  expression: string | undefined;
  rules: LineRules;
}

/** How the lines of a job are fed and watched. */
export type LineOptions = Pick<
  StreamOptions,
  | "chunkSize"
  | "concurrency"
  | "onEvent"
  | "onProgress"
  | "retries"
  | "timeout"
>;

/** Machines that do a job. */
export interface Cluster {
  /** Tells versions of their module apart, where that is known. */
  readonly fingerprint: string | undefined;
  /**
   * Maps lines there.
   *
   * @param inputs The lines; null only sees to that the function is loaded.
   * @param options How they are fed.
   * @returns What became of each, as it comes.
   */
  stream(
    inputs: AsyncIterable<Sent | null>,
    options: LineOptions,
  ): AsyncIterable<TaskOutcome<Sent, Done>>;
  /** Leaves the machines; nothing of the job stays there. */
  close(): Promise<void>;
}

/**
 * Connects to machines: what `@parallel/map-nats/pmap` exports as `connect`.
 *
 * @param place Where they are.
 * @param call What they are to call.
 * @returns The machines: one at least is there.
 */
export type Connect = (
  place: ClusterPlace & ClusterPatience,
  call: LineCall,
) => Promise<Cluster>;
