// Step 7, broken on purpose: a counter that two workers seem to share.

import { parallelMapStream } from "@parallel/map";

export async function brokenCounter(amounts, { module, show, onEvent }) {
  const here = await import(module); // the page loads the file, as each worker
  const options = { workers: 2, module, ordered: false, onEvent };
  const copies = parallelMapStream("increment", amounts, options);
  for await (const { worker, total } of copies) show(worker, total);
  show("page", here.total);
  return here.total;
}
