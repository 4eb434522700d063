/**
 * What a crash or a power cut leaves of a log that was just begun.
 *
 * @module
 */

import { isJson } from "../words/plain_data.ts";

/**
 * What may be lacking of JSON that was cut, before its brackets: the rest of an
 * escape, of a string, of a number or word, of a field.
 */
const LACKING = [
  ...["", "\\", "0", "00", "000", "0000"].flatMap((escape) =>
    ['"', '":0'].map((rest) => escape + rest)
  ),
  ...["", ":0", "0", '"":0'],
  ...["rue", "ue", "e", "alse", "lse", "se", "ull", "ll", "l"],
];

/**
 * Tells what was a header, and not written to its end, from any other text: of
 * that nothing is to be lost.
 *
 * @param text All that is in the file, which has no end of a line.
 * @param header The header that was asked for, as JSON.
 * @returns Whether it is the beginning of this header, or of another one whose
 * first name and value are the same; or what was never written, in which case it
 * is zeros.
 */
export function isTornHeader(text: string, header: string): boolean {
  // The last character may be cut as well.
  if (header.startsWith(text.replace(/\ufffd$/, ""))) return true;
  if (/^\0*$/.test(text)) return true;
  if (!text.startsWith(`${beginningOf(header)},`)) return false;
  // Nothing but the end of its line may be lacking. But so may it of a file of
  // somebody else.
  if (isJson(text)) return false;
  const brackets = openBrackets(text);
  return LACKING.some((rest) => isJson(text + rest + brackets));
}

/**
 * Gives what tells the logs of one kind from other files.
 *
 * @param header A header, as JSON.
 * @returns The beginning of it, up to its first value.
 */
export function beginningOf(header: string): string {
  const [first] = Object.entries(JSON.parse(header));
  return JSON.stringify(Object.fromEntries([first!])).slice(0, -1);
}

/** What closes the brackets that are open at the end of a text, in their order. */
function openBrackets(text: string): string {
  let brackets = "";
  // Brackets, and strings, as there may be brackets in them: also in one without
  // an end.
  const parts = text.matchAll(/"(?:[^"\\]|\\.)*(?:"|\\?$)|[{}[\]]/gs);
  for (const [part] of parts) {
    if (part === "{") brackets = `}${brackets}`;
    else if (part === "[") brackets = `]${brackets}`;
    else if (part === "}" || part === "]") brackets = brackets.slice(1);
  }
  return brackets;
}
