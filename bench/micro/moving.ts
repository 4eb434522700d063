/**
 * Buffers, cloned and moved, by their size: from which on it pays to move one.
 *
 * @module
 */

import { bench, do_not_optimize, group, summary } from "mitata";

const KB = 1024;

for (const size of [4 * KB, 16 * KB, 32 * KB, 64 * KB, 1024 * KB]) {
  group(`a buffer of ${size / KB} KB to a port`, () =>
    summary(() => {
      bench("cloned", function* () {
        using line = openLine();
        const buffer = new ArrayBuffer(size);
        yield async () => do_not_optimize(await line.send(buffer, []));
      }).baseline(true);
      bench("moved", function* () {
        using line = openLine();
        let buffer = new ArrayBuffer(size);
        yield async () => {
          buffer = await line.send(buffer, [buffer]);
        };
      });
    }));
}

/** Two ports of this thread: what arrives at one was posted to the other. */
function openLine() {
  const { port1, port2 } = new MessageChannel();
  let hear: (buffer: ArrayBuffer) => void;
  port2.onmessage = ({ data }) => hear(data);
  return {
    send(buffer: ArrayBuffer, moved: ArrayBuffer[]): Promise<ArrayBuffer> {
      const heard = new Promise<ArrayBuffer>((resolve) => hear = resolve);
      port1.postMessage(buffer, moved);
      return heard;
    },
    [Symbol.dispose]() {
      port1.close();
      port2.close();
    },
  };
}
