/**
 * Whether plain objects and strings have a faster way across than structured
 * clone that loses nothing. Run: `deno run -A bench/packing.ts`, or with Bun.
 *
 * @module
 */

import { createInspector } from "../src/core/wire/inspection.ts";
import type { Packed } from "../src/core/wire/packing.ts";
import { createWire, wireSource } from "../src/core/wire/wire.ts";
import { createJson } from "./packing_json.ts";

type Value = Record<string, unknown> | string;

const WORKERS = 2;
const TASKS = 20_000;
const ROUNDS = 21;

const WORKER = `
const __name = (f) => f;
const json = (${createJson})();
const { packing } = ${wireSource()};
let fn;
onmessage = ({ data: m }) => {
  if (m.fn) { fn = (0, eval)(m.fn); return postMessage({}); }
  const { way, first } = m;
  const list = way === "packed" ? packing.unpack(m.data)
    : way === "json" || way === "jsonBlind" ? JSON.parse(m.data) : m.data;
  const out = [];
  for (let i = 0; i < list.length; i++) out.push(fn(list[i]));
  if (way === "packed") {
    const { packed, moved } = packing.pack(out, false);
    postMessage({ first, data: packed }, moved);
  } else if (way === "json") postMessage({ first, data: json.pack(out) });
  else if (way === "jsonBlind") postMessage({ first, data: JSON.stringify(out) });
  else {
    if (way === "inspected") for (const o of out) if (typeof o === "object") inspect(o);
    postMessage({ first, data: out });
  }
};
postMessage({});
`;

const { inspect } = createInspector();
const json = createJson();
const { packing } = createWire();

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
  if (way === "packed") {
    const { packed, moved } = packing.pack(values, false);
    post(packed, moved);
  } else if (way === "json") post(json.pack(values));
  else if (way === "jsonBlind") post(JSON.stringify(values));
  else {
    if (way === "inspected") {
      for (const value of values) if (typeof value === "object") inspect(value);
    }
    post(values);
  }
}

function receive(way: string, data: unknown): ArrayLike<unknown> {
  if (way === "packed") return packing.unpack(data as Packed);
  const text = way === "json" || way === "jsonBlind";
  return text ? JSON.parse(data as string) : data as unknown[];
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
  input(i: number): Value;
  fn: string;
}[] = [
  {
    name: "{ id, v } whole numbers",
    input: (i) => ({ id: i, v: i * 3 }),
    fn: "({ id, v }) => ({ id, r: v * 2 })",
  },
  {
    name: "{ id, v } fractions",
    input: (i) => ({ id: i, v: Math.sin(i) }),
    fn: "({ id, v }) => ({ id, r: v * 2 })",
  },
  {
    name: "with strings",
    input: (i) => ({ id: i, name: `user ${i}`, mail: `u${i}@example.org` }),
    fn:
      "({ id, name, mail }) => ({ id, text: name + ' <' + mail + '>', ok: true })",
  },
  {
    name: "nested",
    input: (i) => ({ id: i, at: { x: i, y: i / 2 }, on: i % 2 === 0 }),
    fn: "({ id, at, on }) => ({ id, to: { x: at.x + 1, y: at.y }, on })",
  },
  {
    name: "strings",
    input: (i) => `line ${i} of a text`,
    fn: "(s) => s + '!'",
  },
];

const median = (of: number[]) => of.toSorted((a, b) => a - b)[of.length >> 1];

const WAYS = ["clone", "inspected", "packed", "json", "jsonBlind"];

for (const { name, input, fn } of CASES) {
  const inputs = Array.from({ length: TASKS }, (_, i) => input(i));
  const told = workers.map(next);
  for (const worker of workers) worker.postMessage({ fn });
  await Promise.all(told);
  const want = JSON.stringify(inputs.map((0, eval)(fn)));
  const all: [label: string, way: string, size: number][] = [
    ["raw", "clone", TASKS / 2],
    ...[100, 1000].flatMap((size) =>
      WAYS.map((way) =>
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
