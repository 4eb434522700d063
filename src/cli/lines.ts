/**
 * The lines of a job, as text: inputs as they were read and as JSON, results as
 * they are written.
 *
 * @module
 */

import type { Settings } from "./command.ts";

/** How lines of inputs are read. */
type Reading = Pick<Settings, "json" | "batch">;

/**
 * Tells which texts were read for one call.
 *
 * @param text The text of an input.
 * @param reading How it was read.
 * @returns The text, or those of a batch.
 */
export function textsOf(text: string, { batch }: Reading): string[] {
  return batch === undefined ? [text] : JSON.parse(text);
}

/**
 * Writes a text so that it is the same when it is read again: a reader takes one
 * byte order mark from the start, and one `\r` from the end.
 *
 * @param text What was read.
 * @param reading What ends a text.
 * @param isFirst Whether it is the first of its file.
 * @returns Its line, without what ends it.
 */
export function lineToRead(
  text: string,
  { separator }: Pick<Settings, "separator">,
  isFirst: boolean,
): string {
  const mark = isFirst && text.startsWith("\ufeff") ? "\ufeff" : "";
  const end = separator === "\n" && text.endsWith("\r") ? "\r" : "";
  return mark + text + end;
}

/**
 * Writes what the function gets as JSON.
 *
 * @param text The text of an input.
 * @param reading How it was read.
 * @returns The JSON: as it was read where that was JSON.
 */
export function argumentOf(text: string, reading: Reading): string {
  const jsonOf = (text: string) =>
    reading.json ? text.trim() : JSON.stringify(text);
  if (reading.batch === undefined) return jsonOf(text);
  return `[${textsOf(text, reading).map(jsonOf).join(",")}]`;
}

/**
 * Writes a result.
 *
 * @param json The JSON of the result; with `flat`, of all its values.
 * @param input The input it is of, and its index.
 * @param writing How it is written.
 * @returns Its line, or several, without the last line end; undefined for none.
 */
export function resultLines(
  json: string,
  input: { index: number; text: string },
  writing: Reading & Pick<Settings, "raw" | "flat" | "withInput">,
): string | undefined {
  const { raw, flat, withInput } = writing;
  if (!raw && !flat && !withInput) return json;
  const head = withInput
    ? `{"index":${input.index},"input":${
      argumentOf(input.text, writing)
    },"result":`
    : "";
  const lineOf = (json: string) =>
    withInput
      ? `${head}${json}}`
      : raw && json.startsWith('"')
      ? JSON.parse(json)
      : json;
  if (!flat) return lineOf(json);
  if (json === "[]") return undefined;
  return valuesOf(json).map(lineOf).join("\n");
}

/** Cuts a list into its values: to parse them would cost numbers their digits. */
function valuesOf(json: string): string[] {
  const values: string[] = [];
  let [depth, from] = [0, 1];
  for (let at = 0; at < json.length; at++) {
    const mark = json[at]!;
    if (mark === '"') {
      while (++at < json.length && json[at] !== '"') {
        if (json[at] === "\\") at++;
      }
    } else if (mark === "[" || mark === "{") depth++;
    else if (mark === "]" || mark === "}") depth--;
    if (depth > 1 || (depth === 1 && mark !== ",")) continue;
    values.push(json.slice(from, at));
    from = at + 1;
  }
  return values;
}
