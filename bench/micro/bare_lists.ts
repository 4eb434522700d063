/**
 * Texts to a Web Worker and back: as a bare list, and as one in a message. Bun
 * copies no text of the former.
 *
 * @module
 */

import { bench, group, summary } from "mitata";
import { RUNTIME } from "../processes.ts";

const COUNT = 1000;

/** What a worker runs: it sends everything back. */
const ECHO = "self.onmessage = ({ data }) => self.postMessage(data)";

// Node.js has no Web Workers.
if (RUNTIME !== "node") {
  const url = URL.createObjectURL(
    new Blob([ECHO], { type: "text/javascript" }),
  );
  const worker = new Worker(url, { type: "module" });
  (worker as { unref?(): void }).unref?.();

  const echo = (message: unknown) =>
    new Promise((resolve) => {
      worker.onmessage = resolve;
      worker.postMessage(message);
    });

  for (const length of [120, 3000]) {
    const values = Array.from(
      { length: COUNT },
      (_, i) => `${i} `.padEnd(length, "text "),
    );
    group(
      `${COUNT} texts of ${length} characters, there and back`,
      () =>
        summary(() => {
          bench("in a message", () => echo({ type: "chunk", values }))
            .baseline(true);
          bench("as a bare list", () => echo(values));
        }),
    );
  }
}
