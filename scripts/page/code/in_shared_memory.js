// Step 7, the second right way: memory that all workers share.

import { parallelMapStream } from "@parallel/map";

async function add(amount, { data }) {
  await new Promise((wake) => setTimeout(wake, 100 * amount)); // the work
  return Atomics.add(data, 0, amount); // reads, adds and writes in one go
}

export async function inSharedMemory(amounts, { show, onEvent }) {
  const data = new Int32Array(new SharedArrayBuffer(4));
  const added = parallelMapStream(add, amounts, { workers: 2, data, onEvent });
  for await (const _ of added) show("page", data[0]);
  return data[0];
}
