/**
 * Which tasks of a worker have run longer than `timeout`: pure policy, without
 * clock, timer or worker.
 *
 * @module
 */

/** How long a worker whose thread is free may take to answer a ping, in ms. */
export const PONG_MS = 250;

/**
 * How long a worker may take to make a result ready to send, in ms: a result is
 * as long as it is, and its task is not late by that. Or ten times `timeout`, if
 * that is more. Who takes longer reads something without end, as a getter is.
 */
const SEND_MS = 60_000;

/**
 * How long a worker that loads nothing may begin nothing and answer no ping, in
 * ms; or `timeout`, if that is more. What an earlier task has left behind, as a
 * timer, has the thread. To read 500 MB takes a second; no bench.
 */
const DEAF_MS = 5000;

/** How often to look at such a worker, in ms: each look counts for no more. */
const DEAF_LOOK_MS = 1000;

/** What can be seen of a worker at one moment. */
export interface Sight {
  /** The tasks it is at, and for how many ms. */
  tasks: { serial: number; ran: number }[];
  /** The one whose synchronous part runs; undefined if that cannot be told. */
  running: number | undefined;
  /**
   * The tasks that may have begun since it said what it is at, and for how many
   * ms at most; undefined where memory is shared, and all can be seen.
   */
  unknown?: { serials: number[]; ran: number } | undefined;
  /**
   * The tasks that are done, and whose results it may be making ready to send;
   * and for how many ms it has been seen at that.
   */
  sending?: { serials: number[]; ran: number } | undefined;
  /** What became of the ping it was sent. */
  ping: "not sent" | "silent" | "answered";
  /** For how many ms it has been silent, if it is. */
  silence?: number;
  /**
   * For how many ms it was looked at while it began nothing and left a ping
   * unanswered; undefined if it has begun something, or may load the function: it
   * answered when it was asked before that.
   */
  deaf?: number | undefined;
}

/** What to do next. */
export type Step =
  | { do: "look again"; in: number }
  | { do: "ping" }
  /** These ran too long, and wait: the worker is to go on without them. */
  | { do: "abandon"; serials: number[] }
  /**
   * These ran too long; `sure` unless only one of them is at fault. Or, with the
   * ms that it may take, the result of one could not be made ready to send.
   */
  | { do: "blame"; serials: number[]; sure: boolean; sendMs?: number }
  /** It does nothing of what it was sent: another is to. */
  | { do: "replace" };

/**
 * Decides what a look at a worker means.
 *
 * With several lanes, a task that is late may be innocent: another may hold the
 * thread, so that it cannot go on. So the worker is pinged. If it answers, the
 * thread is free, and every late task is slow by itself: it waits, and those
 * beside it need not suffer. If it is silent, the task in its synchronous part
 * holds the thread, and is at fault once it is late itself. So is one whose
 * result is made ready to send, much later. If nobody knows which task that is,
 * the worker may be silent for as long as one may take.
 *
 * Where no memory is shared, the worker is pinged in any case: what it has said
 * may not have been heard yet. If it is silent, any task that has begun, or may
 * have, can be the one.
 *
 * A worker that has begun nothing is not late: it may be loading the function. If
 * it has that, or did not answer when it was asked before it was to load it, it is
 * asked all the same, and replaced if it is silent for long.
 *
 * @param sight What can be seen.
 * @param timeout The limit in ms.
 * @param lanes How many tasks there may be at once.
 * @returns What to do.
 */
export function judgeLateness(
  { silence = Infinity, ...sight }: Sight,
  timeout: number,
  lanes: number,
): Step {
  const { tasks, running, unknown, sending, ping, deaf } = sight;
  const late: number[] = [];
  let next = timeout;
  for (const { serial, ran } of tasks) {
    if (ran >= timeout) late.push(serial);
    else next = Math.min(next, timeout - ran);
  }
  let mayBeLate = false;
  if (unknown !== undefined && unknown.serials.length > 0) {
    mayBeLate = unknown.ran >= timeout;
    next = Math.min(next, timeout - unknown.ran);
  }
  const sendMs = Math.max(SEND_MS, 10 * timeout);
  const sends = sending?.serials ?? [];
  const stuck = sends.length > 0 && sending!.ran >= sendMs;
  if (sends.length > 0 && !stuck) next = Math.min(next, sendMs - sending!.ran);
  const again = { do: "look again", in: Math.max(1, next) } as const;
  if (late.length === 0) {
    if (deaf !== undefined && ping !== "answered") {
      if (ping === "not sent") return { do: "ping" };
      const left = Math.max(DEAF_MS, timeout) - deaf;
      if (left <= 0) return { do: "replace" };
      return { do: "look again", in: Math.min(left, again.in, DEAF_LOOK_MS) };
    }
    if ((!mayBeLate && !stuck) || ping === "answered") return again;
  } else if (lanes > 1 && ping === "answered") {
    return { do: "abandon", serials: late };
  } else if ((lanes === 1 && unknown === undefined) || ping === "answered") {
    return { do: "blame", serials: late, sure: true };
  }
  if (ping === "not sent") return { do: "ping" };
  if (stuck && !mayBeLate && (late.length === 0 || running !== undefined)) {
    const sure = sends.length === 1;
    return { do: "blame", serials: sends, sure, sendMs };
  }
  if (running !== undefined) {
    return late.includes(running)
      ? { do: "blame", serials: [running], sure: true }
      : again;
  }
  // Whoever holds the thread: one that is late, or began after that, or one
  // whose result is made ready.
  const serials = unknown === undefined
    ? late.concat(sends)
    : [...tasks.map(({ serial }) => serial), ...unknown.serials, ...sends];
  const sure = serials.length === 1;
  // One by one, these take a worker and the limit each: not for what has the
  // thread for a moment, as a collection of garbage. Who has it longer is late.
  if (!sure && lanes > 1 && silence < timeout) {
    return { do: "look again", in: Math.max(1, timeout - silence) };
  }
  return { do: "blame", serials, sure };
}
