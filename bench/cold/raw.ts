const task = (n: number) => n * 2 + 1;
const inputs = [1, 2, 3, 4, 5, 6, 7, 8];

const source = `
const task = ${task};
onmessage = ({ data }) => postMessage(data.map((value) => task(value)));
`;
const url = URL.createObjectURL(
  new Blob([source], { type: "text/javascript" }),
);
const workers: Worker[] = [];
const middle = inputs.length / 2;
const parts = [inputs.slice(0, middle), inputs.slice(middle)].map((part) => {
  const worker = new Worker(url, { type: "module" });
  workers.push(worker);
  worker.postMessage(part);
  return new Promise<unknown[]>((resolve) => {
    worker.onmessage = ({ data }) => resolve(data);
  });
});
const results = (await Promise.all(parts)).flat();
for (const worker of workers) worker.terminate();
console.log(JSON.stringify(results.slice(-8)));
