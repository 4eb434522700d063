/**
 * What a worker must know of a run, whichever worker it is.
 *
 * @module
 */

import type { RunAnnouncement } from "../wire/protocol.ts";
import type { Run } from "./run.ts";

/**
 * Announces a run to a worker.
 *
 * @param run The run.
 * @returns What is told of it, apart from what only that worker needs.
 */
export function announcementOf(
  { number, fn, combine, options, shared, failing }: Run,
): RunAnnouncement {
  const { concurrency = 1, transfer = false, timeout } = options;
  const announcement: RunAnnouncement = { number, fn };
  if (concurrency > 1) announcement.concurrency = concurrency;
  if (transfer) announcement.transfer = true;
  if (timeout !== undefined) announcement.watched = true;
  const { lastAttempt, inTurn } = failing;
  if (lastAttempt !== undefined) {
    announcement.lastAttempt = lastAttempt;
    if (inTurn) announcement.inTurn = true;
  }
  if (combine !== undefined) announcement.combine = combine;
  // Once a run, and not with each chunk: to send 8 MB of shared memory, which
  // is not copied, takes Bun 1.4.5 some 30 µs all the same.
  const { inputs, output } = shared;
  if (inputs !== undefined) announcement.inputs = inputs;
  if (output !== undefined) announcement.output = output;
  return announcement;
}
