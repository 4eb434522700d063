const source =
  `onmessage = ({ data }) => postMessage(data.map((n) => n * 2 + 1));`;
const url = URL.createObjectURL(
  new Blob([source], { type: "text/javascript" }),
);
const workers: Worker[] = [];
const halves = [[1, 2, 3, 4], [5, 6, 7, 8]].map((half) => {
  const worker = new Worker(url, { type: "module" });
  workers.push(worker);
  worker.postMessage(half);
  return new Promise<number[]>((resolve) => {
    worker.onmessage = ({ data }) => resolve(data);
  });
});
const results = (await Promise.all(halves)).flat();
for (const worker of workers) worker.terminate();
console.log(results.join(" "));
