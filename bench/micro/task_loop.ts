/**
 * What a task costs in the loop of its worker: the program of a worker in this
 * thread, with a port that hands it chunks of 10,000 numbers. So 10 µs are 1 ns
 * a task.
 *
 * @module
 */

import { bench, do_not_optimize, group, summary } from "mitata";
import { isDeepStrictEqual } from "node:util";
import { allotBoard } from "../../src/core/wire/board.ts";
import type { Packed } from "../../src/core/wire/packing.ts";
import type {
  DoneMessage,
  FromWorker,
  RunAnnouncement,
  Tagged,
  ToWorker,
} from "../../src/core/wire/protocol.ts";
import { createParts } from "../../src/core/worker/parts.ts";
import { workerMain } from "../../src/core/worker/worker_main.ts";
import { readyWire } from "./wire.ts";

const COUNT = 10_000;
const wire = await readyWire();
const { packing, views } = wire;
const inputs = Array.from({ length: COUNT }, (_, i) => i);

/** How the tasks are run. */
interface Way {
  /** The function, as its source. */
  source: string;
  run?: Partial<RunAnnouncement>;
  /** Whether the inputs and the results are in shared memory. */
  shared?: boolean;
  timed?: boolean;
}

const DOUBLE = "(n) => n * 2";

const WAYS: Record<string, Way> = {
  "numbers": { source: DOUBLE },
  "numbers, in shared memory": { source: DOUBLE, shared: true },
  "numbers, with a context": { source: "(n, context) => n * 2" },
  "numbers, with a look at the context": {
    source: "(n, { aborted }) => aborted ? 0 : n * 2",
  },
  "numbers, with timeout": { source: DOUBLE, run: { watched: true } },
  "numbers, with onEvent": { source: DOUBLE, timed: true },
  "numbers, async": { source: "async (n) => n * 2" },
  "numbers, async, 10 at once": {
    source: "async (n) => n * 2",
    run: { concurrency: 10 },
  },
};

/** A worker in this thread; it takes a chunk and answers it. */
async function startWorker({ source, run, shared, timed = false }: Way) {
  let answered: (answer: DoneMessage) => void;
  let hear: (message: ToWorker) => void = () => {};
  const failed: FromWorker[] = [];
  workerMain({
    post([, message]: Tagged) {
      if (message.type === "done") answered(message);
      else if (message.type !== "ready") failed.push(message);
    },
    listen: (listener) => hear = listener,
    onStray() {},
  }, createParts(undefined, wire));
  const workerData = { value: undefined, errors: [] };
  const first = {
    tag: 1,
    worker: 0,
    cores: 1,
    depth: 1,
    timed,
    init: undefined,
  };
  hear({ type: "start", ...first, stepped: 0, workerData });
  const concurrency = run?.concurrency ?? 1;
  const memory = () => new Float64Array(new SharedArrayBuffer(8 * COUNT));
  const [from, output] = [memory(), memory()];
  from.set(inputs);
  let announcement: RunAnnouncement | undefined = {
    number: 1,
    fn: { from: "source", name: "fn", source },
    concurrency,
    transfer: false,
    board: { bytes: allotBoard(concurrency), epoch: 0 },
    watched: false,
    ...(shared
      ? { inputs: views.share(from), output: views.share(output) }
      : {}),
    ...run,
  };
  let serial = 1;
  const chunk = async () => {
    const answer = new Promise<DoneMessage>((resolve) => answered = resolve);
    const values: Packed = shared
      ? { as: "shared", part: [0, COUNT] }
      : packing.pack(inputs, false).packed;
    const rest = { first: 0, attempt: 1, skip: undefined, timed };
    const first = announcement && { run: announcement };
    announcement = undefined;
    hear({ type: "chunk", serial, values, ...rest, ...first });
    serial += COUNT;
    return await answer;
  };
  const { values, failures } = await chunk();
  const results = shared ? output : packing.unpack(values);
  const wanted = inputs.map((n) => n * 2);
  if (
    !isDeepStrictEqual(Array.from(results), wanted) ||
    (failures?.length ?? 0) + failed.length > 0
  ) throw new Error(`${source} gives something else`);
  return chunk;
}

group(`a chunk of ${COUNT} tasks`, () =>
  summary(() => {
    const double = (0, eval)(DOUBLE);
    bench("a loop", () => {
      const results = [];
      for (let i = 0; i < COUNT; i++) results.push(double(inputs[i]));
      return do_not_optimize(results);
    }).baseline(true);
    for (const [title, way] of Object.entries(WAYS)) {
      bench(title, function* () {
        const started = startWorker(way);
        yield async () => do_not_optimize(await (await started)());
      });
    }
  }));
