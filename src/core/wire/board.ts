/**
 * The shared memory between the caller and one worker, both ends of it: which
 * task each lane of the worker is at and since when, and whether the run is
 * over. There may be none: then nothing is known of a worker but its messages.
 *
 * @module
 */

/** The memory, as it is sent to the worker. */
export interface BoardMemory {
  /** One Int32, not 0 once the run is over; shared by all workers of the run. */
  over: SharedArrayBuffer;
  /** What `createBoard` reads and writes; shared with this worker alone. */
  lanes: SharedArrayBuffer;
  /** Zero of the times in it: ms since 1970. */
  epoch: number;
}

/** A lane that is at a task. */
export interface Lane {
  /** Serial number of the task. */
  serial: number;
  /**
   * When it began, in whole ms after the epoch, rounded up, modulo 2^32: exact
   * for 24 days, which is the longest a timer can wait. Undefined if it is not
   * noted, or the lane went on while it was read.
   */
  since: number | undefined;
}

/** Both ends of the memory. */
export interface Board {
  /** The worker's end: whether the run is over. */
  isOver(): boolean;
  /** The worker's end: whether to begin one more task of a chunk. */
  goesOn(chunk: number): boolean;
  /**
   * The worker is to begin no more tasks of a chunk, and to answer with what it
   * has. A chunk goes by the serial number of its first task.
   */
  askToYield(chunk: number): void;
  /** The worker is to begin no more tasks of this run, which is over. */
  stop(): void;
  /** The worker's end: a lane is at a task from here on; `now` is noted. */
  enter(lane: number, serial: number, now: number | undefined): void;
  /** The worker's end: which task's synchronous part runs; 0 for none. */
  setRunning(serial: number): void;
  /** The worker's end: a lane is at no task. */
  leave(lane: number): void;
  /** Which task's synchronous part runs; 0 for none. */
  running(): number;
  /** The lanes that are at a task. */
  lanes(): Lane[];
}

/**
 * Allots the memory for the lanes of one worker.
 *
 * @param lanes How many.
 * @returns The memory.
 */
export function allotLanes(lanes: number): SharedArrayBuffer {
  return new SharedArrayBuffer(8 + 8 * lanes);
}

/**
 * Says to all workers of a run that it is over.
 *
 * @param over The memory of the run.
 */
export function raiseOver(over: SharedArrayBuffer): void {
  Atomics.store(new Int32Array(over), 0, 1);
}

/**
 * Opens either end. Self-contained: workers get this function by its source.
 *
 * @param memory The memory; undefined if none is shared.
 * @returns Both ends.
 */
export function createBoard(memory: BoardMemory | undefined): Board {
  // Int32: at 0 the serial number of the task whose synchronous part runs, or
  // 0; at 1 the chunk that is to yield, ALL, or 0; then two a lane, the serial number
  // of its task, or 0, and its time. Without memory there is no place for
  // anything but a 0 at 1: what is written is dropped.
  const cell = new Int32Array(memory?.lanes ?? new ArrayBuffer(8));
  const YIELD = 1;
  const ALL = -1;
  const LANES = 2;
  const over = new Int32Array(memory?.over ?? new ArrayBuffer(4));
  const epoch = memory?.epoch ?? 0;
  const { load, store } = Atomics;
  const { ceil } = Math;

  return {
    isOver: () => load(over, 0) !== 0, // not hoisted out of any loop
    // One look: another one is 6 ns more a task.
    goesOn(chunk) {
      const cut = load(cell, YIELD);
      return cut === 0 || (cut !== chunk && cut !== ALL);
    },
    askToYield(chunk) {
      if (memory !== undefined) store(cell, YIELD, chunk);
    },
    stop() {
      if (memory !== undefined) store(cell, YIELD, ALL);
    },
    enter(lane, serial, now) {
      const at = LANES + 2 * lane;
      if (now !== undefined) {
        // The time is written while the lane is at no task, so that no reader
        // takes it for that of another.
        if (at >= cell.length) return;
        store(cell, at, 0);
        store(cell, at + 1, ceil(now - epoch));
        store(cell, at, serial);
      } else cell[at] = serial;
    },
    setRunning(serial) {
      if (memory !== undefined) cell[0] = serial;
    },
    leave(lane) {
      cell[LANES + 2 * lane] = 0;
    },
    running: () => load(cell, 0),
    lanes() {
      const lanes: Lane[] = [];
      for (let at = LANES; at < cell.length; at += 2) {
        const serial = load(cell, at);
        if (serial === 0) continue;
        const since = load(cell, at + 1);
        const same = load(cell, at) === serial;
        lanes.push({ serial, since: same ? since : undefined });
      }
      return lanes;
    },
  };
}
