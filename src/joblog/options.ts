/**
 * Every option of a log and of its stream, with its default.
 *
 * @module
 */

import type { TaskOutcome } from "../../mod.ts";
import type { LogNote } from "./log_record.ts";

/** What a log is opened with. */
export interface JobLogOptions {
  /**
   * Which version of the function the results are of. A log of another version
   * is refused, unless no input has ended in it or `accepts` says otherwise:
   * change it when the function changes, which nothing else tells.
   */
  version?: string | number | undefined;
  /**
   * What else must be the same in the run that goes on with the log, such as
   * the name of the job. It is the first line of the file, as JSON, which must
   * hold all of it: a header with a Map, a Date, an object of a class, NaN, -0 or
   * undefined in it is an error, and so is one without a name. A file that begins
   * with another name than the header is no such log; the order of its other names
   * does not matter. Let it begin with what all logs of the program have in common:
   * what begins with another value may be a file of somebody else.
   *
   * @default {{ joblog: 1 }}
   */
  header?: Record<string, unknown> | undefined;
  /**
   * Decides on a log of another header or version: given both in one object, as
   * the log has them, it returns whether to go on with its results. Then the log
   * is of the new ones from there on, and no more of the old ones. It is not asked
   * of a log in which no input has ended, and whose header begins with the same
   * name and value: that is of the new ones at once.
   *
   * @default {undefined} such a log is refused.
   */
  accepts?: ((there: Record<string, unknown>) => boolean) | undefined;
  /**
   * Whether only to look: nothing is locked, made or written.
   *
   * @default {false}
   */
  readOnly?: boolean | undefined;
}

/** What a stream must be asked for, so that it can be logged. */
export interface SettledAsTheyCome {
  /** A failure is an outcome, not the end. */
  readonly settled: true;
  /** An outcome is logged when it comes. The log puts them in order itself. */
  readonly ordered: false;
}

/** How results become text, and text results: such as `JSON`. */
export interface LogFormat<R> {
  /** Makes JSON of a result, without line breaks or white space at its end. */
  stringify(value: R): string | undefined;
  /** Makes the result again. */
  parse(text: string): R;
}

/** How inputs are known again, and outcomes written and read. */
export interface LogStreamOptions<T, R> {
  /**
   * Makes a text that no other input has: by it, an input is known in the next
   * run. Inputs with the same text are told apart by how many there are.
   *
   * Without it, the text is the JSON of the input, which must hold all of it:
   * an input with a Map, a Date, NaN or undefined in it is an error.
   */
  key?: ((input: T) => string) | undefined;
  /**
   * How results are written and read again.
   *
   * @default {JSON}
   */
  format?: LogFormat<R> | undefined;
  /**
   * Whether outcomes come in the order of the inputs, or as they are ready.
   *
   * @default {true}
   */
  ordered?: boolean | undefined;
  /**
   * Tells what else is to stand in the line of an outcome, by name; undefined
   * leaves the outcome out of the log.
   */
  note?: ((outcome: TaskOutcome<T, R>) => LogNote | undefined) | undefined;
}

/** What became of an input, in this run or in an earlier one. */
export type LoggedOutcome<T = unknown, R = unknown> = TaskOutcome<T, R> & {
  /** Whether the result stood in the log, and the input did not run. */
  kept: boolean;
};
