import { Worker } from "node:worker_threads";

const task = (n: number) => n * 2 + 1;
const inputs = [1, 2, 3, 4, 5, 6, 7, 8];

const source = `
const { parentPort } = process.getBuiltinModule("node:worker_threads");
const task = ${task};
parentPort.on("message", (data) => {
  parentPort.postMessage(data.map((value) => task(value)));
});
`;
const workers: Worker[] = [];
const middle = inputs.length / 2;
const parts = [inputs.slice(0, middle), inputs.slice(middle)].map((part) => {
  const worker = new Worker(source, { eval: true });
  workers.push(worker);
  worker.postMessage(part);
  return new Promise<unknown[]>((resolve) => worker.on("message", resolve));
});
const results = (await Promise.all(parts)).flat();
for (const worker of workers) void worker.terminate();
console.log(JSON.stringify(results.slice(-8)));
