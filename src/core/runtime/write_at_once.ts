/**
 * What a worker prints is not lost with it.
 *
 * @module
 */

interface Written {
  chunk: string | Uint8Array;
  encoding: string;
}

/**
 * Makes a worker write to standard output and error at once, self-contained.
 * Otherwise threads of Node.js 24 and Bun 1.4.5 send what they print to the main
 * thread, one message at a time, and a process of Node.js keeps what a full pipe
 * does not take: what a task logs would be lost if its worker is ended before
 * the rest is wanted (tests/process_test.ts).
 */
export function writeAtOnce(): void {
  type Done = (error?: unknown) => void;
  interface Stream {
    _write(chunk: Written["chunk"], encoding: string, done: Done): void;
    _writev(chunks: Written[], done: Done): void;
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

  function writeNow(stream: Stream, fd: number): void {
    stream._write = (chunk, encoding, done) =>
      stream._writev([{ chunk, encoding }], done);
    stream._writev = (chunks, done) => {
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

  for (const [name, fd] of [["stdout", 1], ["stderr", 2]] as const) {
    const { get } = Object.getOwnPropertyDescriptor(process, name)!;
    let stream: Stream | undefined;
    // Bun 1.4.5 opens it where it is asked for, Node.js when it is first used.
    if (get === undefined) {
      writeNow(process[name], fd);
      continue;
    }
    Object.defineProperty(process, name, {
      configurable: true,
      enumerable: true,
      get() {
        if (stream === undefined) {
          stream = get.call(process) as Stream;
          writeNow(stream, fd);
        }
        return stream;
      },
    });
  }
}
