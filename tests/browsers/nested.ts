// What a task of the smoke imports, to map in its turn.
import { parallelMap } from "@parallel/map";

export function squares(count: number): Promise<number[]> {
  const inputs = Array.from({ length: count }, (_, n) => n);
  const module = new URL("../fixtures/tasks.ts", import.meta.url);
  return parallelMap("square", inputs, { module }) as Promise<number[]>;
}
