/**
 * What a thread prints is not lost with it.
 *
 * @module
 */

interface Written {
  chunk: string | Uint8Array;
  encoding: string;
}

/**
 * Makes a thread write to the standard output and error of the process by itself,
 * self-contained. Otherwise Node.js 24 and Bun 1.4.5 send them to the main thread,
 * one message at a time: what a task logs would be lost if its worker is ended
 * before the main thread asked for more (tests/process_test.ts).
 */
export function writeAtOnce(): void {
  interface Stream {
    _writev(chunks: Written[], done: (error?: unknown) => void): void;
  }
  const { process, Buffer } = globalThis as unknown as {
    process: Record<"stdout" | "stderr", Stream> & {
      getBuiltinModule(name: string): {
        writeSync(fd: number, bytes: Uint8Array): number;
      };
    };
    Buffer: { from(text: unknown, encoding: string): Uint8Array };
  };
  const { writeSync } = process.getBuiltinModule("node:fs");
  const pause = new Int32Array(new SharedArrayBuffer(4));

  function writeAll(fd: number, bytes: Uint8Array): void {
    while (bytes.length > 0) {
      try {
        bytes = bytes.subarray(writeSync(fd, bytes));
      } catch (error) {
        if ((error as { code?: string }).code !== "EAGAIN") throw error;
        Atomics.wait(pause, 0, 0, 1); // a pipe without room
      }
    }
  }

  for (const [stream, fd] of [["stdout", 1], ["stderr", 2]] as const) {
    process[stream]._writev = (chunks, done) => {
      try {
        for (const { chunk, encoding } of chunks) {
          writeAll(fd, Buffer.from(chunk, encoding));
        }
        done();
      } catch (error) {
        done(error);
      }
    };
  }
}
