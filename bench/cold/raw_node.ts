import { Worker } from "node:worker_threads";

const source = `
const { parentPort } = process.getBuiltinModule("node:worker_threads");
parentPort.on("message", (data) => parentPort.postMessage(data.map((n) => n * 2 + 1)));
`;
const workers: Worker[] = [];
const halves = [[1, 2, 3, 4], [5, 6, 7, 8]].map((half) => {
  const worker = new Worker(source, { eval: true });
  workers.push(worker);
  worker.postMessage(half);
  return new Promise<number[]>((resolve) => worker.on("message", resolve));
});
const results = (await Promise.all(halves)).flat();
for (const worker of workers) void worker.terminate();
console.log(results.join(" "));
