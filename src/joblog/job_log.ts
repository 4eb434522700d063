/**
 * A job log: opened, streamed through, closed.
 *
 * @module
 */

import { statSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { Inputs, TaskOutcome } from "../../mod.ts";
import { checkOptions } from "../words/check_options.ts";
import { show } from "../words/show.ts";
import { JobLogError } from "./errors.ts";
import { exactJson } from "./exact_json.ts";
import { LOG_RULES, STREAM_RULES } from "./option_rules.ts";
import { KeptResults } from "./kept_results.ts";
import { LogFile } from "./log_file.ts";
import { LoggedStream } from "./logged_stream.ts";
import type {
  JobLogOptions,
  LoggedOutcome,
  LogStreamOptions,
  SettledAsTheyCome,
} from "./options.ts";

/**
 * Opens a log, or makes it, and locks it for this process.
 *
 * @param path Its file.
 * @param options What it must be of.
 * @returns The log. Close it, or hold it with `await using`.
 * @throws {JobLogError} When it has what became of inputs with another version, or
 * is no log, or open already, here or in another process, or it cannot be written,
 * or with `readOnly` not be read. It is left as it is.
 * @throws What `accepts` throws.
 * @throws {TypeError} When the path or an option is unknown or of the wrong kind,
 * JSON does not hold all of the header, or that has a version beside the option.
 *
 * @example Usage
 * ```ts
 * import { openJobLog } from "@parallel/map/joblog";
 * import { assertEquals } from "@std/assert";
 * import { mkdtempSync } from "node:fs";
 * import { tmpdir } from "node:os";
 *
 * const path = `${mkdtempSync(`${tmpdir()}/job-`)}/thumbs.log`;
 * await using log = await openJobLog(path, { version: "2" });
 * assertEquals(log.results, 0);
 * ```
 */
export async function openJobLog(
  path: string | URL,
  options: JobLogOptions = {},
): Promise<JobLog> {
  const checked = checkOptions("open job log", options, LOG_RULES);
  const { version, header = { joblog: 1 }, readOnly = false } = checked;
  const { accepts = () => false } = checked;
  const file = fileOf(path);
  const exact = exactJson(header);
  if (!("text" in exact)) {
    const { received, cause } = exact;
    throw new TypeError(
      `Cannot open job log as JSON must keep "header" as it is: received ${received}`,
      { cause },
    );
  }
  if (exact.text === "{}") { // any file of records would begin like such a log
    throw new TypeError(
      'Cannot open job log as "header" must have a name at least: received {}',
    );
  }
  const own: Record<string, unknown> = JSON.parse(exact.text);
  if (version !== undefined && Object.hasOwn(own, "version")) {
    throw new TypeError(
      `Cannot open job log as "version" must be an option or in "header", not both: received ${
        show(version)
      } and ${show(own.version)}`,
    );
  }
  let refusal: { error: unknown } | undefined; // what the caller threw
  const setup = {
    header: version === undefined
      ? exact.text
      : JSON.stringify({ ...own, version }),
    accepts(there: Record<string, unknown>) {
      try {
        return accepts(there);
      } catch (error) {
        refusal = { error };
        throw error;
      }
    },
  };
  try {
    const exists = isThere(file);
    if (readOnly) {
      return new JobLog(exists ? KeptResults.open(file, setup) : undefined);
    }
    const log = await LogFile.open(file, setup);
    return new JobLog(log.kept, log);
  } catch (error) {
    if (refusal !== undefined || error instanceof JobLogError) throw error;
    throw new JobLogError(
      `Cannot open job log as it must be a file that can be ${
        readOnly ? "read" : "written"
      }: received "${file}" (${(error as Error).message})`,
      { cause: error },
    );
  }
}

function fileOf(path: string | URL): string {
  if (path instanceof URL && path.protocol === "file:") {
    return fileURLToPath(path);
  }
  if (typeof path === "string" && path !== "") return path;
  const received = path instanceof URL ? path.href : show(path);
  throw new TypeError(
    `Cannot open job log as its path must be a string or a file: URL: received ${received}`,
  );
}

/** Whether there is such a file: where that cannot be seen, there may be one. */
function isThere(file: string): boolean {
  let isFile: boolean;
  try {
    isFile = statSync(file).isFile();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return false;
    throw error;
  }
  // A pipe or a device may not end, cannot be cut, and keeps nothing.
  if (!isFile) throw new Error("not a regular file");
  return true;
}

type LogState =
  | { at: "new" }
  | {
    at: "streamed";
    stream: { close(end: { error?: unknown }): void };
    outcomes: { return(value: undefined): Promise<unknown> };
  }
  | { at: "closed" };

/** A log that {@linkcode openJobLog} has opened. */
export class JobLog implements AsyncDisposable {
  /** How many lines it had: one for each time that an input ended. */
  readonly lines: number;
  /** How many results it had. */
  readonly results: number;
  /** How many of these are of an earlier header or version: see `accepts`. */
  readonly older: number;
  /** How many lines a power cut, or someone else, has damaged: they are left. */
  readonly damaged: number;
  readonly #log: { file: LogFile | undefined; kept: KeptResults | undefined };
  #state: LogState = { at: "new" };

  /** For {@linkcode openJobLog}. */
  constructor(kept: KeptResults | undefined, file?: LogFile) {
    this.#log = { file, kept };
    this.lines = kept?.lines ?? 0;
    this.results = kept?.results ?? 0;
    this.older = kept?.older ?? 0;
    this.damaged = kept?.damaged ?? 0;
  }

  /**
   * Maps the inputs that have no result in the log, writes what becomes of each
   * when it ends, and gives the outcomes of all: each stands in the file before
   * it is given. A log is of one stream.
   *
   * `context.index` counts the inputs that run. Where a function needs the
   * position among all, put it into the input.
   *
   * @param inputs Any iterable or async iterable, also one that has changed
   * since the earlier run. Promises among them are awaited, in their turn.
   * @param run Gets the inputs that must run, and the options that the stream
   * of their outcomes needs: of `parallelMapStream`, or of a pool. The
   * stream must get all of these inputs, in their order and as they are.
   * @param options How inputs are known again.
   * @returns The outcomes, in input order unless `ordered` is false. A result
   * is what `format` makes of its text, the first time as well.
   * @throws {TypeError} When an argument is of the wrong kind, or an option
   * unknown, at the call; when an input cannot be known again, an outcome is
   * none, or `format` cannot read a kept result.
   * @throws What the stream throws, and what keeps the log from being written.
   *
   * @example With a pool, for the inputs of which the key is a part
   * ```ts
   * import { Pool } from "@parallel/map";
   * import { openJobLog } from "@parallel/map/joblog";
   * import { assertEquals } from "@std/assert";
   * import { mkdtempSync } from "node:fs";
   * import { tmpdir } from "node:os";
   *
   * const path = `${mkdtempSync(`${tmpdir()}/job-`)}/lengths.log`;
   * await using log = await openJobLog(path);
   * await using pool = new Pool({ workers: 2 });
   * const pages = [{ url: "/a", text: "one" }, { url: "/b", text: "three" }];
   * const lengths: number[] = [];
   * const outcomes = log.stream(
   *   pages,
   *   (rest, options) =>
   *     pool.stream(({ text }) => text.length, rest, { ...options, retries: 2 }),
   *   { key: ({ url }) => url },
   * );
   * for await (const outcome of outcomes) {
   *   if (outcome.status === "fulfilled") lengths.push(outcome.value);
   * }
   * assertEquals(lengths, [3, 5]);
   * ```
   */
  stream<T, R>(
    inputs: Inputs<T | PromiseLike<T>>,
    run: (
      rest: AsyncIterable<T>,
      options: SettledAsTheyCome,
    ) => AsyncIterable<TaskOutcome<T, R>>,
    options: LogStreamOptions<T, R> = {},
  ): AsyncGenerator<LoggedOutcome<T, R>, undefined, unknown> {
    this.#checkNew();
    const checked = checkOptions("stream", options, STREAM_RULES);
    const stream = new LoggedStream(inputs, checked, this.#log);
    const outcomes = stream.read(run);
    try {
      this.#checkNew(); // `run` may have closed it, or made a stream
    } catch (error) {
      stream.close({});
      throw error;
    }
    this.#state = { at: "streamed", stream, outcomes };
    return outcomes;
  }

  #checkNew(): void {
    const { at } = this.#state;
    if (at === "new") return;
    const had = at === "closed" ? "is closed" : "has had its stream already";
    throw new TypeError(
      `Cannot stream as a log is for one stream: received one that ${had} (open another log)`,
    );
  }

  /**
   * Writes what waits, down to the disk, gives the lock back, and ends the
   * stream, if it has not ended.
   *
   * @returns Settled when the stream has ended; all else is done before.
   * @throws {JobLogError} When the log could not be written: at once, while the
   * stream is ending.
   */
  async close(): Promise<void> {
    const state = this.#state;
    this.#state = { at: "closed" };
    if (state.at === "closed") return;
    if (state.at === "streamed") state.stream.close({}); // it logs no more
    const ended = state.at === "streamed"
      ? state.outcomes.return(undefined)
      : undefined;
    ended?.catch(() => {}); // heard below
    const { file, kept } = this.#log;
    if (file === undefined) kept?.close();
    else file.close();
    await ended;
  }

  /** Closes the log. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
