/**
 * What a crash or a power cut leaves of a log that was just begun.
 *
 * @module
 */

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
 * first name is the same; or what was never written, in which case it is zeros.
 */
export function isTornHeader(text: string, header: string): boolean {
  if (header.startsWith(text) || /^\0*$/.test(text)) return true;
  if (!text.startsWith(header.slice(0, header.indexOf(":") + 1))) return false;
  // Nothing but its end of a line is lacking: or it is a file of somebody else.
  const whole = parsed(text);
  if (whole !== undefined) return namesOf(whole) === namesOf(parsed(header)!);
  const brackets = openBrackets(text);
  return LACKING.some((rest) => parsed(text + rest + brackets) !== undefined);
}

function parsed(text: string): object | undefined {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** But for the one that the log itself puts in, which may not have been there. */
function namesOf(header: object): string {
  return Object.keys(header).filter((name) => name !== "version").sort().join();
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
