// What a task of the smoke imports, to map in its turn.
import { parallelMap } from "@parallel/map";

/** Maps in a worker of its own, whose task does the same. */
export async function levels(below: number): Promise<number> {
  if (below === 0) return 0;
  const options = { module: import.meta.url, workers: 1 };
  const [count] = await parallelMap("levels", [below - 1], options);
  return 1 + (count as number);
}

export function squares(count: number): Promise<number[]> {
  const inputs = Array.from({ length: count }, (_, n) => n);
  const module = new URL("../fixtures/tasks.ts", import.meta.url);
  return parallelMap("square", inputs, { module }) as Promise<number[]>;
}
