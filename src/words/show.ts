/**
 * Shows values in error messages.
 *
 * @module
 */

/**
 * Shows a value in an error message, shortened.
 *
 * @param value Any value.
 * @returns A text of 60 characters at most.
 */
export function show(value: unknown): string {
  let text: string;
  try {
    text = typeof value === "string"
      ? JSON.stringify(value)
      : typeof value === "function"
      ? `function ${value.name.trim() || "(anonymous)"}`
      : typeof value === "object" && value !== null
      ? Object.prototype.toString.call(value).slice(8, -1)
      : typeof value === "bigint"
      ? `${value}n` // else it would read as the number that was asked for
      : String(value);
  } catch {
    text = typeof value; // a Proxy or a throwing toStringTag
  }
  return text.length > 60 ? `${text.slice(0, 57)}...` : text;
}

/**
 * Shows what was thrown, whole.
 *
 * @param thrown Any value.
 * @returns A text.
 */
export function showThrown(thrown: unknown): string {
  try {
    return String(thrown);
  } catch {
    return show(thrown); // it has no text
  }
}
