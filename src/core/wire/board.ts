/**
 * The shared memory between the caller and one worker, both ends of it: which
 * task each lane of the worker is at and since when, which of its tasks are
 * still to be had, and whether the run is over. Where none can be shared, the
 * worker has it for itself, and says what is in it.
 *
 * @module
 */

/** The memory of one worker. */
export interface BoardMemory {
  /** What `createBoard` reads and writes: shared, or the worker's alone. */
  bytes: ArrayBufferLike;
  /** Zero of the times in it: ms since 1970. */
  epoch: number;
  /** Where it is the worker's alone. Never sent. */
  own?: OwnMemory;
}

/** How a worker whose memory is its own hears what is over, and says what it is at. */
export interface OwnMemory {
  /** One Int32, and the number in it that says that the run is over. */
  over: { memory: ArrayBufferLike; mark: number };
  /** Called when the function of the run is there. */
  onOpen(board: Board): void;
  /** Called when a lane is at a task whose time is noted, and when it folds. */
  onEnter(serial: number, folds: boolean): void;
  /** Called before a chunk is answered; the serial of its last task. */
  onAnswer(serial: number): void;
}

/** The highest serial number that has a place in it. */
export const LAST_SERIAL = 0x7ffffffe;

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
  /**
   * The worker's end: whether the run is over that began when this was opened;
   * also once others have begun.
   */
  isOver(): boolean;
  /**
   * The worker's end: whether to begin a task. They are begun in the order of
   * their serial numbers; one that is begun cannot be taken back any more.
   */
  claim(serial: number): boolean;
  /** Serial number of the task to begin next, if none is taken back. */
  next(): number;
  /**
   * Takes back all tasks that are not begun: the worker will not begin them.
   *
   * @param end Serial number after the last task that it was sent.
   * @returns Serial number of the first that was taken back; `end` or more if
   * none was.
   */
  takeBack(end: number): number;
  /**
   * The run is over: the worker is to begin no more tasks of it at all, and those
   * it is at can see it, in any loop.
   *
   * @returns Serial number of the first task that is not begun.
   */
  stop(): number;
  /**
   * Makes ready for another run while the worker has nothing to do. To what tasks
   * have left running, the run before it is over.
   */
  clear(): void;
  /** The worker's end: a lane is at a task from here on; `now` is noted. */
  enter(lane: number, serial: number, now: number | undefined): void;
  /** The worker's end: which task's synchronous part runs; 0 for none. */
  setRunning(serial: number): void;
  /**
   * The worker's end: a lane folds the results of tasks, the first of which is
   * at fault if it does not come back from there.
   */
  enterFold(lane: number, serial: number, now: number | undefined): void;
  /** The worker's end: a lane is at no task. */
  leave(lane: number): void;
  /** The worker's end: all of a chunk is done, and is to be answered. */
  noteAnswer(serial: number): void;
  /** Which task's synchronous part runs; 0 for none. */
  running(): number;
  /** The lanes that are at a task. */
  lanes(): Lane[];
  /** Serial numbers of their tasks. */
  serials(): number[];
  /** How many lanes are at a task. */
  busyLanes(): number;
}

/**
 * Allots the memory for one worker: such as threads share; in a page that may
 * share none, such as this thread alone has.
 *
 * @param lanes How many lanes it has.
 * @returns The memory.
 */
export function allotBoard(lanes: number): ArrayBufferLike {
  const bytes = 16 + 8 * lanes; // so in notes.ts, too
  return typeof SharedArrayBuffer === "undefined"
    ? new ArrayBuffer(bytes)
    : new SharedArrayBuffer(bytes);
}

/**
 * Opens either end. Self-contained: workers get this function by its source.
 *
 * @param memory The memory.
 * @returns Both ends.
 */
export function createBoard({ bytes, epoch, own }: BoardMemory): Board {
  // Int32: at 0 the serial number of the task whose synchronous part runs, or
  // 0; at 1 that of the task to begin next, or, below 0, that of the first one
  // that is not taken back; at 2 how often a run was over; at 3 how many lanes are
  // at a task; then two a lane, the serial number of its task, or 0, and its time.
  const cell = new Int32Array(bytes);
  const NEXT = 1;
  const OVER = 2;
  const BUSY = 3;
  const ALL = 0x7fffffff;
  const LANES = 4;
  const over = own === undefined
    ? cell.subarray(OVER)
    : new Int32Array(own.over.memory);
  const { compareExchange, load, store } = Atomics;
  const { abs, ceil } = Math;
  const before = load(over, 0);

  function isOver(): boolean {
    const now = load(over, 0); // not hoisted out of any loop
    return own === undefined ? now !== before : now === own.over.mark;
  }

  /**
   * Counted, and never reset: what a task has left running may look at it only
   * after the next run has begun.
   */
  function endRun(): void {
    store(cell, OVER, cell[OVER]! + 1);
  }

  /** It is the first of a run, or follows on tasks that were taken back. */
  function claimAfterCut(serial: number): boolean {
    for (;;) {
      const seen = load(cell, NEXT);
      if (serial < -seen) return false;
      if (compareExchange(cell, NEXT, seen, serial + 1) === seen) return true;
    }
  }

  function takeBack(end: number): number {
    for (;;) {
      const seen = load(cell, NEXT);
      if (seen <= -end) return -seen; // all that were sent are taken back
      if (compareExchange(cell, NEXT, seen, -end) === seen) return abs(seen);
    }
  }

  function enter(lane: number, serial: number, now: number | undefined): void {
    const at = LANES + 2 * lane;
    if (cell[at] === 0) cell[BUSY]!++; // the worker alone writes there
    if (now === undefined) {
      cell[at] = serial;
      return;
    }
    // The time is written while the lane is at no task, so that no reader takes
    // it for that of another.
    store(cell, at, 0);
    store(cell, at + 1, ceil(now - epoch));
    store(cell, at, serial);
    own?.onEnter(serial, false);
  }

  function lanes(): Lane[] {
    const found: Lane[] = [];
    for (let at = LANES; at < cell.length; at += 2) {
      const serial = load(cell, at);
      if (serial === 0) continue;
      const since = load(cell, at + 1);
      const same = load(cell, at) === serial;
      found.push({ serial, since: same ? since : undefined });
    }
    return found;
  }

  return {
    isOver,
    // Mostly the first look is all. Where no memory is shared, nobody takes back
    // the tasks of a run that is over.
    claim: (serial) =>
      (own === undefined || !isOver()) &&
      (compareExchange(cell, NEXT, serial, serial + 1) === serial ||
        claimAfterCut(serial)),
    next: () => abs(load(cell, NEXT)),
    takeBack,
    stop() {
      const first = takeBack(ALL);
      endRun();
      return first;
    },
    clear() {
      store(cell, NEXT, 0);
      endRun(); // which may go on elsewhere
    },
    enter,
    enterFold(lane, serial, now) {
      enter(lane, serial, now);
      cell[0] = serial;
      own?.onEnter(serial, true);
    },
    setRunning(serial) {
      cell[0] = serial;
    },
    leave(lane) {
      const at = LANES + 2 * lane;
      if (cell[at]) cell[BUSY]!--;
      cell[at] = 0;
    },
    noteAnswer(serial) {
      own?.onAnswer(serial);
    },
    running: () => load(cell, 0),
    lanes,
    serials: () => lanes().map(({ serial }) => serial),
    busyLanes: () => load(cell, BUSY),
  };
}
