/**
 * Buffers, copied and moved.
 *
 * @module
 */

import { Pool } from "../../mod.ts";
import { RawWorkers, split } from "../raw.ts";
import { finding, type Row } from "../row.ts";
import { sum } from "../tasks.ts";

const MB = 1 << 20;

function buffers(count: number, bytes: number): ArrayBuffer[] {
  return Array.from(
    { length: count },
    (_, i) => new Float64Array(bytes / 8).fill(i).buffer,
  );
}

function bufferRow(
  name: string,
  count: number,
  bytes: number,
  aims: { copied?: string; moved?: string },
): Row {
  return {
    name,
    async *measure() {
      const inputs = buffers(count, bytes);
      const halves = split(inputs, 2);
      using raw = await RawWorkers.start(sum, 2);
      await using pool = new Pool({ workers: 2 });
      const what = `${count} buffers of ${bytes / MB} MB in, a number out`;
      const effort = { warmups: 1, least: 5, most: 15 };
      yield await finding(`${what}, copied`, [
        { name: "raw", run: () => raw.map(halves) },
        { name: "loop", run: () => inputs.map(sum) },
        { name: "ours", run: () => pool.map(sum, inputs) },
      ], { aim: aims.copied, ...effort });
      const copies = () => inputs.map((buffer) => buffer.slice());
      yield await finding(`${what}, moved`, [
        {
          name: "raw",
          before: () => split(copies(), 2),
          run: (parts: ArrayBuffer[][]) => raw.map(parts, parts),
        },
        { name: "loop", before: copies, run: (all: []) => all.map(sum) },
        {
          name: "ours",
          before: copies,
          run: (all: ArrayBuffer[]) => pool.map(sum, all, { transfer: true }),
        },
      ], { aim: aims.moved, ...effort });
    },
  };
}

/** Large buffers. */
export const large: Row = bufferRow("8mb", 64, 8 * MB, {
  copied: "0.40 × (Deno), 0.16 × (Bun)",
  moved: "1.1 ×",
});

/** Middling buffers. */
export const middling: Row = bufferRow("1mb", 128, MB, {});
