/**
 * How a machine calls a function for lines of `pmap`: with a function of its own
 * around it, that reads the line and writes the result.
 *
 * @module
 */

import {
  callForLine,
  type LineRules,
  openCaller,
} from "@parallel/map/cli-seam";
import {
  type CallData,
  encodeCallData,
  type FunctionRef,
  functionRef,
} from "@parallel/map/seam";
import type { LinesMessage } from "./messages.ts";

const HERE = { entry: undefined, inline: false };

/**
 * Puts the reading and writing of lines around a function.
 *
 * @param fn What the workers load: it was allowed before.
 * @param said What its client says of the lines; anybody may have sent it.
 * @param machine What the log is to name.
 * @returns What is to be called, and what it brings along.
 */
export function forLines(
  fn: FunctionRef,
  said: LinesMessage["rules"],
  machine: string,
): { fn: FunctionRef; data: CallData } {
  const { json, batch, flat, detailed } = said;
  const rules: LineRules = {
    json: json === true,
    batch: batch === true,
    flat: flat === true,
    detailed: detailed === true,
    final: false, // nothing is told early
    machine,
  };
  const { value, functions } = encodeCallData({ rules, openCaller }, HERE)!;
  return {
    fn: functionRef(callForLine, undefined, HERE),
    data: { value, functions: [...functions, { path: ["fn"], ref: fn }] },
  };
}
