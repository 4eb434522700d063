/**
 * Sends a chunk to a worker, without the values that cannot be sent.
 *
 * @module
 */

import type { Clock } from "../runtime/clock.ts";
import type { WorkerHandle } from "../runtime/runtime.ts";
import type { Cargo, Packing, Refusal } from "../wire/packing.ts";
import type { InFlight } from "./in_flight.ts";
import type { Chunk } from "./run.ts";

/** What sending needs of the pool. */
export interface SendingHost {
  readonly clock: Clock;
  readonly packing: Packing;
  /** Numbers a chunk. */
  nextChunk(): number;
}

/** A worker, and what it has in flight. */
export interface Line {
  readonly handle: WorkerHandle;
  readonly inFlight: InFlight;
}

/**
 * Sends a chunk. What cannot be cloned fails, by its index.
 *
 * @param chunk The chunk.
 * @param worker Number of the worker.
 * @param host Packs values and numbers chunks.
 * @param open Gives the worker, starting it only if there is something to send.
 */
export function sendChunk(
  chunk: Chunk,
  worker: number,
  host: SendingHost,
  open: () => Line,
): void {
  const { packing } = host;
  const { run, values, first } = chunk;
  const { transfer = false } = run.options;
  let refused: ReadonlyMap<number, Refusal> = new Map();
  for (let posted = false; !posted;) {
    const cargo = packing.pack(values, transfer, refused);
    refused = cargo.refused;
    if (refused.size === values.length) break;
    const line = open();
    try {
      post(chunk, cargo, worker, host, line);
      posted = true;
    } catch (cause) {
      // Structured clone refused what the inspection let pass: try each. Not
      // when buffers were moved: then each was tried before.
      const before = refused.size;
      if (cargo.gone.size === 0) {
        const found = packing.findRefused(values, cargo.packed);
        refused = new Map([...refused, ...found]);
      }
      if (refused.size > before) continue;
      const all = { reason: String(cause), cause };
      refused = new Map(Array.from(values, (_, offset) => [offset, all]));
    }
  }
  for (const [offset, refusal] of refused) {
    const failure = { why: "unsendable", what: "input", refusal } as const;
    run.fail(chunk, first + offset, failure, worker, false);
  }
}

function post(
  chunk: Chunk,
  { packed, moved, gone, bytes, refused }: Cargo,
  worker: number,
  host: SendingHost,
  { handle, inFlight }: Line,
): void {
  const { run, first, attempt, values, reading } = chunk;
  const from = host.clock.now();
  if (inFlight.run !== run) handle.post(inFlight.announce(run), []);
  const serial = inFlight.nextSerial;
  const skip = refused.size > 0 ? [...refused.keys()] : undefined;
  const { timed } = run;
  handle.post(
    { type: "chunk", serial, first, attempt, values: packed, skip, timed },
    moved,
  );
  const number = host.nextChunk();
  inFlight.add({ chunk, number, serial, bytes, refused, gone });
  if (!timed) return;
  run.emit({
    type: "chunk-send",
    run: run.number,
    chunk: number,
    worker,
    first,
    tasks: values.length,
    attempt,
    reading,
    from,
    to: host.clock.now(),
  });
}
