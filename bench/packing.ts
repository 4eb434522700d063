/**
 * Whether plain objects and strings have a faster way across than structured
 * clone that loses nothing. Run: `deno run -A bench/packing.ts`, or with Bun.
 *
 * @module
 */

import { createInspect } from "../src/wire/inspection.ts";
import { createJson } from "./packing/json.ts";
import { createRows } from "./packing/rows.ts";
import { createTexts } from "./packing/texts.ts";

type Value = Record<string, unknown> | string;

const WORKERS = 2;
const TASKS = 20_000;
const ROUNDS = 21;

const WORKER = `
const inspect = (${createInspect})();
const json = (${createJson})();
const rows = (${createRows})(false);
const joined = (${createRows})(true);
const texts = (${createTexts})();
let fn;
onmessage = ({ data: m }) => {
  if (m.fn) { fn = (0, eval)(m.fn); return postMessage({}); }
  const { way, first } = m;
  let list = way === "rows" ? rows.unpack(m.data) : way === "joined" ? joined.unpack(m.data)
    : way === "texts" ? texts.unpack(m.data)
    : way === "json" || way === "jsonBlind" ? JSON.parse(m.data) : m.data;
  const out = new Array(list.length);
  for (let i = 0; i < list.length; i++) out[i] = fn(list[i]);
  if (way === "rows" || way === "joined") {
    const data = (way === "rows" ? rows : joined).pack(out);
    postMessage({ first, data }, [data.numbers]);
  } else if (way === "texts") { const data = texts.pack(out); postMessage({ first, data }, [data.lengths]); }
  else if (way === "json") postMessage({ first, data: json.pack(out) });
  else if (way === "jsonBlind") postMessage({ first, data: JSON.stringify(out) });
  else {
    if (way === "inspected") for (const o of out) if (typeof o === "object") inspect(o);
    postMessage({ first, data: out });
  }
};
postMessage({});
`;

const inspect = createInspect();
const json = createJson();
const rows = createRows(false);
const joined = createRows(true);
const texts = createTexts();

const url = URL.createObjectURL(
  new Blob([WORKER], { type: "text/javascript" }),
);
const workers = await Promise.all(
  Array.from({ length: WORKERS }, async () => {
    const worker = new Worker(url, { type: "module" });
    await next(worker);
    return worker;
  }),
);

function next(worker: Worker): Promise<unknown> {
  return new Promise((resolve) =>
    worker.onmessage = ({ data }) => resolve(data)
  );
}

function send(worker: Worker, way: string, first: number, values: Value[]) {
  const post = (data: unknown, moved: ArrayBuffer[] = []) =>
    worker.postMessage({ way, first, data }, moved);
  if (way === "rows" || way === "joined") {
    const data = (way === "rows" ? rows : joined).pack(values);
    if (data === undefined) throw new Error("not packed");
    post(data, [data.numbers]);
  } else if (way === "texts") {
    const data = texts.pack(values);
    if (data === undefined) throw new Error("not packed");
    post(data, [data.lengths]);
  } else if (way === "json") post(json.pack(values));
  else if (way === "jsonBlind") post(JSON.stringify(values));
  else {
    if (way === "inspected") {
      for (const value of values) if (typeof value === "object") inspect(value);
    }
    post(values);
  }
}

// deno-lint-ignore no-explicit-any -- whatever this way made of the results
function receive(way: string, data: any): unknown[] {
  if (way === "rows") return rows.unpack(data);
  if (way === "joined") return joined.unpack(data);
  if (way === "texts") return texts.unpack(data);
  return way === "json" || way === "jsonBlind" ? JSON.parse(data) : data;
}

function run(way: string, inputs: Value[], size: number): Promise<unknown[]> {
  const results: unknown[] = new Array(inputs.length);
  let at = 0;
  let done = 0;
  const feed = (worker: Worker) => {
    if (at >= inputs.length) return;
    const first = at;
    at += size;
    send(worker, way, first, inputs.slice(first, first + size));
  };
  return new Promise((resolve) => {
    for (const worker of workers) {
      worker.onmessage = ({ data: { first, data } }) => {
        const values = receive(way, data);
        for (let i = 0; i < values.length; i++) results[first + i] = values[i];
        done += values.length;
        if (done === inputs.length) resolve(results);
        else feed(worker);
      };
      feed(worker);
      feed(worker);
    }
  });
}

const CASES: {
  name: string;
  ways: string[];
  input(i: number): Value;
  fn: string;
}[] = [
  {
    name: "{ id, v } whole numbers",
    ways: ["rows", "json", "jsonBlind"],
    input: (i) => ({ id: i, v: i * 3 }),
    fn: "({ id, v }) => ({ id, r: v * 2 })",
  },
  {
    name: "{ id, v } fractions",
    ways: ["rows", "json", "jsonBlind"],
    input: (i) => ({ id: i, v: Math.sin(i) }),
    fn: "({ id, v }) => ({ id, r: v * 2 })",
  },
  {
    name: "with strings",
    ways: ["rows", "joined", "json", "jsonBlind"],
    input: (i) => ({ id: i, name: `user ${i}`, mail: `u${i}@example.org` }),
    fn:
      "({ id, name, mail }) => ({ id, text: name + ' <' + mail + '>', ok: true })",
  },
  {
    name: "nested",
    ways: ["rows", "json", "jsonBlind"],
    input: (i) => ({ id: i, at: { x: i, y: i / 2 }, on: i % 2 === 0 }),
    fn: "({ id, at, on }) => ({ id, to: { x: at.x + 1, y: at.y }, on })",
  },
  {
    name: "strings",
    ways: ["texts", "json", "jsonBlind"],
    input: (i) => `line ${i} of a text`,
    fn: "(s) => s + '!'",
  },
];

const median = (of: number[]) => of.toSorted((a, b) => a - b)[of.length >> 1];

for (const { name, ways, input, fn } of CASES) {
  const inputs = Array.from({ length: TASKS }, (_, i) => input(i));
  const told = workers.map(next);
  for (const worker of workers) worker.postMessage({ fn });
  await Promise.all(told);
  const want = JSON.stringify(inputs.map((0, eval)(fn)));
  const all: [label: string, way: string, size: number][] = [
    ["raw", "clone", TASKS / 2],
    ...[100, 1000].flatMap((size) =>
      ["clone", "inspected", ...ways].map((way) =>
        [`${way} ${size}`, way, size] as [string, string, number]
      )
    ),
  ];
  const times = new Map(all.map(([label]) => [label, [] as number[]]));
  for (let round = 0; round < ROUNDS + 3; round++) {
    for (const [label, way, size] of all) {
      const began = performance.now();
      const got = await run(way, inputs, size);
      const took = performance.now() - began;
      if (round < 3 && JSON.stringify(got) !== want) throw new Error(label);
      if (round >= 3) times.get(label)!.push(took);
    }
  }
  const raw = median(times.get("raw")!);
  console.log(`\n${"Deno" in globalThis ? "deno" : "bun"} ${name}`);
  for (const [label, of] of times) {
    const ms = median(of);
    console.log(
      label.padEnd(16),
      ms.toFixed(2).padStart(8),
      "ms",
      (ms / raw).toFixed(2).padStart(6),
      "x raw",
    );
  }
}
for (const worker of workers) worker.terminate();
